"""What `make test-hostile` builds upon, and what product code must not: assertions."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from demo.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = sorted(
    file
    for folder in (ROOT, ROOT / "plugins")
    for package in folder.glob("*/src")
    for file in package.rglob("*.py")
    if "testing" not in file.parts  # the test kit, whose assertions pytest writes anew
)
NARROWS = re.compile(r"[\w.]+ is not None|isinstance\([\w.]+, [\w.]+\)")


def test_an_assertion_of_a_test_counts_also_where_python_leaves_assertions_out() -> None:
    with pytest.raises(AssertionError):
        assert ROOT is None


def test_a_program_asserts_only_what_narrows_a_type() -> None:
    assert len(SOURCES) > 100
    found = {file: _checks(file) for file in SOURCES}
    assert {str(file): tests for file, tests in found.items() if tests} == {}


def _checks(file: Path) -> list[str]:
    """Assertions that say more than `x is not None` or `isinstance(x, ...)`: they may be missed."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tests = [ast.unparse(node.test) for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    return [test for test in tests if not NARROWS.fullmatch(test)]
