"""Orders on account stay open until money comes; money in hand is booked when it came."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

FORTY = [{"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 4}]


def placed(world: Any, method: str, **order: Any) -> int:
    """An order of 40.00 without transactions."""
    details = {"lines": FORTY, "created": "2026-11-01T16:30:00Z", **order}
    number: int = world.place(pay="offline", payment_method=method, **details)
    return number


def test_a_purchase_order_is_sent_open_and_due_after_thirty_days(world: Any) -> None:
    order = placed(world, "Purchase Order", status_id=2)
    world.sync()
    invoice = world.invoice(order)
    assert (invoice["create_date"], invoice["due_date"]) == ("2026-11-01", "2026-12-01")
    assert invoice["v3_status"] in {"sent", "overdue"}
    assert world.total(order) == 40
    assert Decimal(invoice["outstanding"]["amount"]) == Decimal("40.00")
    assert world.payments(order) == []
    assert world.row(order).state == "posted"
    assert world.writes_of(world.sync) == 0


def test_a_purchase_order_is_found_again_with_the_ledger_lost(world: Any) -> None:
    order = placed(world, "Net 45", status_id=2)
    world.sync()
    assert world.invoice(order)["due_date"] == "2026-12-16"
    world.lose_ledger()
    assert world.writes_of(world.sync) == 0


def test_an_order_on_account_is_paid_once_money_is_captured(world: Any) -> None:
    order = placed(world, "Purchase Order")
    world.sync()
    world.change(order, "edit", payment_status="paid")
    world.sync()
    assert world.paid(order) == [40]
    assert world.writes_of(world.sync) == 0


def test_awaiting_payment_bills_only_what_is_on_account(world: Any) -> None:
    world.settings["paid_status_ids"] = [2, 3, 7, 8, 9, 10, 11]
    owed, unpaid = (placed(world, name, status_id=7) for name in ("Purchase Order", "Check"))
    world.sync()
    assert (world.row(owed).state, world.paid(owed)) == ("posted", [])
    assert (world.row(unpaid).state, world.row(unpaid).reason) == ("waiting", "status_7")
