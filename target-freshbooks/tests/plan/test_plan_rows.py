"""The plan, row by row: what the books should hold and what they hold, and the steps between."""

from __future__ import annotations

from pathlib import Path

import pytest
from plan_notation import Row, rows_in
from plan_played import played

TABLES = sorted((Path(__file__).parent / "rows").glob("*.txt"))
ROWS = [row for table in TABLES for row in rows_in(table.read_text("utf-8"))]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.sentence)
def test_a_row_has_its_steps(row: Row) -> None:
    assert list(played(row)) == row["steps"]


def test_no_two_rows_have_one_sentence() -> None:
    assert len({row.sentence for row in ROWS}) == len(ROWS)
