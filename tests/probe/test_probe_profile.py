"""What a probe found is gone by: the books are the same, with less asked and nothing refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from demo import books as demo_books

MONTH_ORDERS = 410
RATES = ({"name": "State Tax", "percent": "5"}, {"name": "City Tax", "percent": "2.5"})
BASKETS = (("0.33", "0.33", "1.10"), ("2.17", "5.31"), ("19.99", "0.10", "0.30"), ("7.77",))


def place_orders(desk: Any) -> None:
    for prices in BASKETS:
        lines = [
            {"name": f"Thing {price}", "price": price, "taxes": list(RATES)} for price in prices
        ]
        desk.place(lines=lines)


def booked(desk: Any) -> list[tuple[str, Decimal, Decimal]]:
    """Number, total and what is paid of the invoices that stand."""
    return sorted(
        (row["invoice_number"], Decimal(row["amount"]["amount"]), Decimal(row["paid"]["amount"]))
        for row in desk.books()["invoices"]
        if row["vis_state"] == 0
    )


def start_anew(desk: Any, **switches: object) -> None:
    """An empty shop and books, and no ledger."""
    for file in desk.home.glob("*.sqlite*"):
        file.unlink()
    desk.control("POST", "reset", {"seed": False})
    desk.control("POST", "requests/reset")
    desk.switch(**switches)


@pytest.mark.parametrize("taxed", ["per_line", "per_tax"])
@pytest.mark.parametrize("half", ["half_up", pytest.param("half_even", marks=pytest.mark.more)])
def test_orders_posted_with_the_profile_are_booked_as_without(
    desk: Any, taxed: str, half: str
) -> None:
    ways = {"tax_rounding": taxed, "rounding_mode": half}
    start_anew(desk, **ways)
    place_orders(desk)
    desk.sync()
    without, writes_without = booked(desk), desk.writes()
    start_anew(desk, **ways)
    desk.probe()
    before = desk.writes()
    place_orders(desk)
    desk.sync()
    assert booked(desk) == without
    assert len(without) == len(BASKETS)
    assert all(amount == paid for _, amount, paid in without)
    assert desk.writes() - before <= writes_without


@pytest.mark.sweep
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("taxed", ["per_line", "per_tax"])
def test_a_month_posted_with_the_profile_equals_the_books(desk: Any, taxed: str) -> None:
    start_anew(desk, tax_rounding=taxed)
    desk.probe()
    desk.control("POST", "shop/seed", {"orders": MONTH_ORDERS, "seed": 7})
    desk.sync()
    truth = desk.control("GET", "truth")["orders"]
    with desk.ledger() as ledger:
        parked = {row.order_id for row in ledger.orders.all(state="parked")}
    outcome = demo_books.compare(truth, desk.books(), parked)
    assert outcome.differing == {}
    assert list(outcome.doubled) == []
    assert outcome.posted == {row["order_id"] for row in truth if row["expect"] == "posted"}


def test_a_number_longer_than_was_measured_is_parked_before_anything_is_written(desk: Any) -> None:
    desk.switch(invoice_number_max=12)
    desk.probe()
    before = desk.writes()
    order = desk.place()
    desk.sync(invoice_number_prefix="BIGCOMMERCE-")
    assert desk.writes() == before
    with desk.ledger() as ledger:
        assert ledger.orders.get(order).reason == "number_too_long"


def test_a_measured_delay_lengthens_settle_seconds_and_never_shortens_it(desk: Any) -> None:
    desk.switch(stale_search_seconds=1)
    desk.probe()
    with desk.ledger() as ledger:
        measured = ledger.profile.traits()["unseen_seconds"]
        assert measured >= 1
        assert ledger.profile.settle_seconds(0) == measured
        assert ledger.profile.settle_seconds(600) == 600
