"""Each safety line that `make mutate` takes out is still where its list says, and has its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutate.lines import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_safety_line_stands_once_in_its_file(mutation: Mutation) -> None:
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_tests_of_a_safety_line_exist(mutation: Mutation) -> None:
    for argument in mutation.tests:
        path, _, name = argument.partition("::")
        if not path.startswith("-") and "/" in path:
            assert (ROOT / path).exists()
            assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
