"""What the documentation names is there: `tools/docs_check.py`, as `make docs-check` runs it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import docs_check
from demo.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_every_page_names_files_headings_commands_and_tests_that_exist() -> None:
    done = subprocess.run(
        [sys.executable, "tools/docs_check.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "named",
    [
        "test_docs.py::test_a_test_that_nobody_wrote",
        "test_no_such_file.py::test_a_test_that_is_not_there_is_a_fault_of_the_page",
    ],
)
def test_a_test_that_is_not_there_is_a_fault_of_the_page(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    here = "test_docs.py::test_a_test_that_is_not_there_is_a_fault_of_the_page"
    page.write_text(f"- A claim.\n  `{here}`\n- Another.\n  `{named}`\n", encoding="utf-8")
    tests = docs_check.tests()
    monkeypatch.setattr(docs_check, "ROOT", tmp_path)
    assert docs_check.faults(page, set(), tests) == [f"page.md: {named}: no such test"]
