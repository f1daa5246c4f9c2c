"""Cancelled orders whose invoices are kept at 0.00: `on_cancel: void`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

D = Decimal


def prices(invoice: dict[str, Any]) -> list[tuple[str, str]]:
    return [(line["name"], line["unit_cost"]["amount"]) for line in invoice["lines"]]


@pytest.fixture
def refunded_and_cancelled(world: Any) -> int:
    """An order that was posted; then all its money went back, and it was cancelled."""
    order = int(world.place())
    world.sync()
    world.change(order, "refund", everything=True)
    world.change(order, "cancel")
    return order


def is_void(world: Any, order: int) -> None:
    invoice = world.invoice(order)
    assert invoice["vis_state"] == 0
    assert prices(invoice) == [("Mug", "0.00")]
    assert (world.total(order), sum(world.paid(order))) == (D("0.00"), D("0.00"))
    assert world.row(order).state == "posted"


def test_an_order_cancelled_after_its_money_went_back_keeps_its_invoice_at_zero(
    world: Any, refunded_and_cancelled: int
) -> None:
    world.sync(on_cancel="void")
    is_void(world, refunded_and_cancelled)
    said = world.messages()
    world.lose_ledger()
    assert world.writes_of(lambda: world.sync(said)) == 0
    is_void(world, refunded_and_cancelled)
    assert world.ctl("verify")["findings"] == []
    assert world.ctl("report", "--month", world.invoice(refunded_and_cancelled)["create_date"][:7])[
        "agrees"
    ]


def test_the_refund_s_lines_go_with_the_order_s(world: Any, refunded_and_cancelled: int) -> None:
    world.sync()
    assert world.row(refunded_and_cancelled).reason == "cancelled_after_posting"
    world.change_and_sync(refunded_and_cancelled, "status", status_id=4)
    assert any(
        name.startswith("Refund ") for name, _ in prices(world.invoice(refunded_and_cancelled))
    )
    world.change(refunded_and_cancelled, "cancel")
    world.settings["on_cancel"] = "void"
    world.lose_ledger()
    world.sync()
    is_void(world, refunded_and_cancelled)


def test_an_order_whose_money_has_not_gone_back_is_not_voided(world: Any) -> None:
    order = world.synced()
    world.change(order, "refund", order_amount="4.00")
    world.change(order, "cancel")
    world.sync(on_cancel="void")
    row = world.row(order)
    assert row.reason == "cancelled_after_posting"
    assert "11.00 USD came in and 4.00 USD went back" in row.detail
    assert world.paid(order) == [D("11.00")]


def test_a_refund_to_store_credit_is_no_money_that_went_back(world: Any) -> None:
    customer = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    order = world.synced(customer_id=customer["id"])
    world.change(order, "refund", everything=True, to=[{"provider": "storecredit"}])
    world.change(order, "cancel")
    world.sync(on_cancel="void")
    assert world.row(order).reason == "cancelled_after_posting"
    assert world.total(order) == D("11.00")


def test_a_payment_without_a_transaction_is_not_taken_to_have_gone_back(world: Any) -> None:
    order = world.synced(pay="offline")
    world.change(order, "cancel")
    world.sync(on_cancel="void")
    assert world.row(order).reason == "cancelled_after_posting"
    assert world.paid(order) == [D("11.00")]
    assert world.total(order) == D("11.00")


def test_who_refunded_what_no_transaction_tells_of_is_not_told_to_refund_it_again(
    world: Any,
) -> None:
    order = world.synced(pay="offline", payment_method="Bank Deposit")
    world.change(order, "refund", everything=True, to=[{"provider": "custom", "offline": True}])
    world.change(order, "cancel")
    world.sync(on_cancel="void")
    row = world.row(order)
    assert row.reason == "cancelled_after_posting"
    assert row.next_step.startswith("No transaction tells of all that came in")


def test_an_order_that_was_never_paid_is_voided(world: Any) -> None:
    order = world.synced(pay="authorize")
    assert world.paid(order) == []
    world.change(order, "cancel")
    world.sync(on_cancel="void")
    is_void(world, order)


def test_a_payment_that_was_voided_in_the_shop_is_taken_back(world: Any) -> None:
    order = world.synced()
    (purchase,) = world.control("GET", f"shop/orders/{order}")["transactions"]
    world.change(order, "transactions", event="void", amount="11.00", reference=purchase)
    world.change(order, "cancel")
    world.sync(on_cancel="void")
    is_void(world, order)


def test_an_edited_invoice_is_not_voided(world: Any, refunded_and_cancelled: int) -> None:
    invoice = world.invoice(refunded_and_cancelled)
    line = {"name": "By hand", "qty": "1", "unit_cost": {"amount": "11.00", "code": "USD"}}
    world.put(f"invoices/invoices/{invoice['id']}", {"invoice": {"lines": [line]}})
    world.sync(on_cancel="void")
    assert world.row(refunded_and_cancelled).reason == "edited_in_freshbooks"
    assert world.total(refunded_and_cancelled) == D("11.00")


def test_an_order_taken_up_again_has_its_lines_and_payment_again(world: Any) -> None:
    order = world.synced(pay="authorize")
    world.change(order, "cancel")
    world.sync(on_cancel="void")
    is_void(world, order)
    world.change(order, "status", status_id=11)
    world.change_and_sync(order, "capture")
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
