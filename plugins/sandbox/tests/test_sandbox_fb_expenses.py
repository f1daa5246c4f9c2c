"""Expenses and their categories: what is required, found by day, and deleted."""

from __future__ import annotations

from typing import Any

import pytest

EXPENSE = {
    "categoryid": 3_436_003,
    "staffid": 1,
    "amount": {"amount": "10.83", "code": "USD"},
    "date": "2026-12-14",
    "notes": "what for",
}


def test_an_expense_is_found_by_its_day_and_goes_when_it_is_deleted(books: Any) -> None:
    made = books.create("expense", **EXPENSE)
    assert (made["amount"], made["date"]) == (EXPENSE["amount"], EXPENSE["date"])
    day = {"date_min": "2026-12-14", "date_max": "2026-12-15"}
    assert [row["id"] for row in books.rows("expense", **day)] == [made["id"]]
    assert books.rows("expense", date_min="2026-12-15") == []
    books.put("expense", made["id"], amount={"amount": "4.00", "code": "USD"})
    assert books.get("expense", made["id"])["amount"]["amount"] == "4.00"
    books.put("expense", made["id"], vis_state=1)
    assert books.rows("expense", **day) == []


@pytest.mark.parametrize("field", ["amount", "categoryid", "staffid", "date"])
def test_what_an_expense_needs_is_asked_for(books: Any, field: str) -> None:
    refused = books.errors("POST", "expense", **(EXPENSE | {field: None}))
    assert (refused.errno, refused.field) == (1001, field)


@pytest.mark.parametrize("field", ["categoryid", "staffid"])
def test_an_unknown_category_or_member_of_staff_is_refused(books: Any, field: str) -> None:
    assert books.errors("POST", "expense", **(EXPENSE | {field: 99})).errno == 1012
