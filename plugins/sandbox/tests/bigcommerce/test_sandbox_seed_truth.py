"""The truth under what a user may choose: closed months, and invoices of cancelled orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from connector_sandbox.seed.changes import RefundLine, RefundRequest, RefundTo, assign_ids, refund
from connector_sandbox.seed.model import Address, Line, Order, Tax, Transaction
from connector_sandbox.seed.month import Counted
from connector_sandbox.seed.truth import Rules, expected

NOVEMBER = datetime(2026, 11, 20, 18, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 14, 18, tzinfo=UTC)
CLOSED = Rules(closed_through="2026-11-30")
MUG = RefundRequest(lines=(RefundLine(line=0, quantity=1),))
ALL = RefundRequest(everything=True)
CREDIT = (RefundTo(provider="storecredit"),)


def sold(at: datetime = NOVEMBER) -> Order:
    """Three mugs of 10.00 with 8.25 %, paid by card: 32.48."""
    tax = Tax(name="Texas Sales Tax", percent=Decimal("8.25"))
    order = Order(
        created=at,
        modified=at,
        billing=Address(email="a@b.example"),
        customer_id=7,
        lines=(Line(name="Mug", price=Decimal(10), quantity=3, taxes=(tax,)),),
        transactions=(Transaction(amount=Decimal("32.48")),),
    )
    return assign_ids(order, Counted())


def after(order: Order, request: RefundRequest, at: datetime = DECEMBER) -> Order:
    return refund(order, request, at, Counted())


def row(order: Order, rules: Rules | None, *names: str) -> list[Any]:
    told = expected(order, rules=rules)
    return [told[name] for name in names]


def test_a_refund_of_a_closed_month_waits_and_changes_nothing() -> None:
    order = after(sold(), MUG)
    wanted = ["parked", "closed_period", "32.48", "32.48", []]
    assert row(order, CLOSED, "expect", "reason", "invoice_total", "paid", "corrections") == wanted
    assert row(order, None, "expect", "invoice_total", "paid") == ["posted", "21.65", "21.65"]


@pytest.mark.parametrize(("chosen", "expense"), [("correction", "0.00"), ("expense", "10.83")])
def test_or_it_is_booked_beside_on_its_own_day(chosen: Any, expense: str) -> None:
    order = after(sold(), MUG)
    told = expected(order, rules=replace(CLOSED, closed_refunds=chosen))
    assert (told["expect"], told["invoice_total"], told["paid"]) == ("posted", "32.48", "32.48")
    assert told["corrections"] == [
        {
            "number": f"{order.id}-R1",
            "date": "2026-12-14",
            "money": "10.83",
            "stored_value": "0.00",
            "expense": expense,
        }
    ]


def test_credit_given_for_a_refund_of_a_closed_month_is_owed_all_the_same() -> None:
    order = after(sold(), replace(MUG, to=CREDIT))
    told = expected(order, rules=replace(CLOSED, closed_refunds="expense"))
    (correction,) = told["corrections"]
    amounts = [correction[name] for name in ("money", "stored_value", "expense")]
    assert amounts == ["0.00", "10.83", "0.00"]
    assert told["stored_value"]["store_credit"] == "10.83"


def test_credit_is_a_note_where_a_user_wants_that() -> None:
    order = after(sold(), replace(MUG, to=CREDIT))
    told = expected(order, rules=Rules(refund_mode="credit_note"))
    assert (told["credit_notes"], told["invoice_total"]) == ("10.83", "32.48")
    assert told["stored_value"]["store_credit"] == "0.00"


@pytest.mark.parametrize("day", [NOVEMBER, DECEMBER])
def test_what_went_back_before_the_closing_or_of_an_open_month_is_on_the_invoice(
    day: datetime,
) -> None:
    order = after(sold(day), MUG, day)
    rules = replace(CLOSED, closed_refunds="correction")
    assert row(order, rules, "invoice_total", "paid", "corrections") == ["21.65", "21.65", []]


def test_a_cancelled_order_whose_money_went_back_is_an_invoice_over_nothing() -> None:
    order = replace(after(sold(), ALL), status_id=5)
    void = Rules(on_cancel="void")
    assert row(order, void, "expect", "invoice_total", "paid") == ["posted", "0.00", "0.00"]
    assert row(order, None, "expect") == ["waiting"]


@pytest.mark.parametrize("request_", [MUG, replace(ALL, to=CREDIT)])
def test_one_whose_money_did_not_all_go_back_is_no_such_invoice(request_: RefundRequest) -> None:
    order = replace(after(sold(), request_), status_id=5)
    assert row(order, Rules(on_cancel="void"), "expect") == ["waiting"]


@pytest.mark.parametrize("said", ["void", "refunded", "partially refunded"])
def test_money_that_the_order_alone_calls_gone_is_unclear(said: str) -> None:
    order = replace(sold(), payment_status=said)
    assert row(order, None, "expect", "reason") == ["parked", "money_unclear"]


def test_an_order_edited_below_what_was_sent_back_has_nothing_left_to_refund() -> None:
    order = after(sold(), ALL)
    cheaper = replace(order, lines=(replace(order.lines[0], price=Decimal(5)),))
    with pytest.raises(ValueError, match="greater than zero"):
        after(cheaper, ALL)


def test_what_was_only_authorised_cannot_be_refunded() -> None:
    held = Transaction(amount=Decimal("32.48"), event="authorization")
    with pytest.raises(ValueError, match="no settled payment"):
        after(replace(sold(), transactions=(held,)), MUG)
