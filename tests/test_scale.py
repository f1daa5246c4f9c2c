"""docs/scale.md says what its figures come to: the arithmetic, and the page made of it."""

from __future__ import annotations

import doctest
from decimal import Decimal

import pytest

from scale import needs, page
from scale.figures import PERFORMANCE, Absent, Told


def test_the_arithmetic_is_as_its_page_explains_it() -> None:
    told = doctest.testmod(needs)
    assert told.attempted > 5
    assert told.failed == 0


def test_the_page_holds_what_the_figures_come_to() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert set(page.TABLES) == {name for _, name, _ in page.MARKED.findall(text)}
    assert text == page.filled(text), "fill it: PYTHONPATH=tools .venv/bin/python -m scale"


def test_a_figure_that_changes_in_the_performance_page_changes_what_follows() -> None:
    text = PERFORMANCE.read_text(encoding="utf-8")
    told = Told.read(text)
    other = Told.read(
        text.replace(f"| tap, taxed order | {told.taxed_order} |", "| tap, taxed order | 9 |")
    )
    assert other.taxed_order == Decimal(9)
    with pytest.raises(Absent, match="taxed order"):
        Told.read(text.replace("| tap, taxed order |", "| tap |"))
