"""Closed days: which they are, by the setting and the day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from target_freshbooks.books.closed import ClosedDays, in_words, last_closed_day
from target_freshbooks.books.desired import InvoiceLine, LineTax

NOVEMBER = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("today", "last"),
    [
        ("2026-12-01", "2026-10-31"),
        ("2026-12-10", "2026-10-31"),
        ("2026-12-11", "2026-11-30"),
        ("2026-12-31", "2026-11-30"),
        ("2027-01-10", "2026-11-30"),
        ("2027-01-11", "2026-12-31"),
        ("2028-03-31", "2028-02-29"),
    ],
)
def test_by_itself_a_month_is_closed_from_the_eleventh_of_the_next(today: str, last: str) -> None:
    assert last_closed_day("auto", date.fromisoformat(today)) == date.fromisoformat(last)


def test_a_date_closes_the_books_through_that_day_and_nothing_closes_none() -> None:
    assert last_closed_day(NOVEMBER, date(2026, 12, 1)) == NOVEMBER
    closed = ClosedDays(NOVEMBER)
    assert NOVEMBER in closed
    assert date(2026, 12, 1) not in closed
    assert last_closed_day(None, date(2026, 12, 1)) is None
    assert NOVEMBER not in ClosedDays()


def test_a_day_that_was_refused_as_locked_is_closed_and_its_neighbours_are_not() -> None:
    closed = ClosedDays(locked=frozenset({NOVEMBER}))
    assert NOVEMBER in closed
    assert date(2026, 11, 29) not in closed


def test_what_belongs_on_a_closed_day_takes_the_day_that_a_person_chose() -> None:
    chosen = date(2026, 12, 12)
    closed = ClosedDays(NOVEMBER, chosen=chosen)
    assert closed.open_day(NOVEMBER) == chosen
    assert closed.open_day(date(2026, 12, 3)) == date(2026, 12, 3)
    assert ClosedDays(NOVEMBER).open_day(NOVEMBER) == NOVEMBER


D = Decimal
VAT = (LineTax("VAT", D(20)),)


@pytest.mark.parametrize(
    ("lines", "money", "words"),
    [
        ([("Refund 5", "Mug", "10", VAT)], "12", "net 10.00, VAT 2.00, money 12.00 GBP"),
        # 9.99 with VAT in it is 8.325 net: what rounding leaves is the net's.
        ([("Refund 5", "Mug", "8.325", VAT)], "9.99", "net 8.32, VAT 1.67, money 9.99 GBP"),
        (
            [("Refund 5", "Mug", "10", ()), ("Refund 5, GST", "Tax", "0.5", ())],
            "10.5",
            "net 10.00, GST 0.50, money 10.50 GBP",
        ),
        (
            [("Refund 5", "Mug", "10", VAT), ("Store credit", "Refund 5", "-12", ())],
            "0",
            "net 10.00, VAT 2.00, Store credit -12.00, money 0.00 GBP",
        ),
    ],
)
def test_a_refund_is_told_by_net_taxes_and_money(
    lines: list[tuple[str, str, str, tuple[LineTax, ...]]], money: str, words: str
) -> None:
    typed = tuple(
        InvoiceLine(name, said, D(1), D(amount), taxes) for name, said, amount, taxes in lines
    )
    assert in_words(typed, D(money), "GBP", 2, whole="money") == words
