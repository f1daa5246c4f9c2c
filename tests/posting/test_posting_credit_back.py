"""Stored value that comes back: in closed months, of cancelled and of edited orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from target_freshbooks.ledger import Ledger

pytestmark = pytest.mark.more

D = Decimal
AT = "2026-10-30T18:00:00Z"
OCTOBER = "2026-10-31"
MUGS = {"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 4}
MUG_BACK = {"lines": [{"line": 0, "quantity": 1}]}
TO_CREDIT = {"provider": "storecredit"}
TO_CERTIFICATE = {"provider": "giftcertificate"}


def in_two_hours() -> datetime:
    return datetime.now(UTC) + timedelta(hours=2)


def used(amount: str) -> list[dict[str, Any]]:
    return [{"code": "GC", "amount": amount, "balance_before": amount}]


def customer(world: Any) -> int:
    made = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    return int(made["id"])


def told(world: Any, number: int | str) -> list[str]:
    """The lines of the invoice, as `docs/accounting.md` writes them."""
    found = []
    for line in world.invoice(number)["lines"]:
        taxes = f" + {line['taxAmount1']} %" if line["taxName1"] else ""
        found.append(f"{line['qty']} x {line['unit_cost']['amount']} {line['name']}{taxes}")
    return found


def money(world: Any, order: int) -> tuple[Decimal, Decimal]:
    return world.total(order), sum(world.paid(order), D(0))


def reason(world: Any, order: int) -> tuple[str, str | None]:
    row = world.row(order)
    return row.state, row.reason


def balances(world: Any) -> dict[str, str]:
    """What `report` says is owed at the end of this month."""
    month = world.control("GET", "clock")["now"][:7]
    owed = world.ctl("report", "--month", month, "--output", str(world.home))["owed"]
    return {one["item"]: one["balance"] for one in owed}


def expenses(world: Any) -> list[Decimal]:
    books = world.books()["expenses"]
    return [D(row["amount"]["amount"]) for row in books if row["vis_state"] == 0]


# -- refunds of a closed month


def closed(world: Any, to: list[dict[str, Any]], closed_refunds: str) -> tuple[int, int]:
    """An order of 11.00 of October, closed since, whose mug went back; its number, the refund's."""
    order = world.place(created=AT, customer_id=customer(world))
    world.sync()
    world.settings |= {"closed_through": OCTOBER, "closed_refunds": closed_refunds}
    world.settings["refunds_expense_category"] = "refunds"
    (refund,) = world.change(order, "refund", **MUG_BACK, to=to)["refunds"]
    world.sync()
    return order, refund


PARTS = [{"amount": "4.00"}, TO_CREDIT]


def test_a_refund_to_credit_of_a_closed_month_is_told_with_the_credit(world: Any) -> None:
    order, refund = closed(world, PARTS, "park")
    assert reason(world, order) == ("parked", "closed_period")
    said = "is net 10.00, State Tax 1.00, Store credit -7.00, money 4.00 USD"
    assert f"refund {refund} of" in world.row(order).detail
    assert said in world.row(order).detail
    assert money(world, order) == (D("11.00"), D("11.00"))


@pytest.mark.parametrize("money_back", ["4.00", "0.00"])
def test_a_refund_to_credit_of_a_closed_month_is_corrected_with_the_credit(
    world: Any, money_back: str
) -> None:
    some = D(money_back) > 0
    order, refund = closed(world, PARTS if some else [TO_CREDIT], "correction")
    assert reason(world, order) == ("posted", None)
    credit = D("11.00") - D(money_back)
    paid = [f"1 x {money_back} Refunds paid"] if some else []
    number = f"{order}-R{refund}"
    assert told(world, number) == [
        f"1 x -10.00 Refund {refund} + 10 %",
        f"1 x {credit} Store credit",
        *paid,
    ]
    assert world.total(number) == D("0.00")
    assert expenses(world) == ([D(money_back)] if some else []), "no money left for the credit"
    assert money(world, order) == (D("11.00"), D("11.00"))
    assert balances(world) == {"Store credit": str(credit)}
    assert world.writes_of(world.sync) == 0
    world.lose_ledger()
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("posted", None)


# -- to both kinds in one


def test_a_refund_to_a_certificate_and_to_store_credit_has_a_line_of_each(world: Any) -> None:
    order = world.place(lines=[MUGS], customer_id=customer(world))
    world.sync()
    both = [{**TO_CERTIFICATE, "amount": "4.00"}, TO_CREDIT]
    (refund,) = world.change(order, "refund", **MUG_BACK, to=both)["refunds"]
    world.sync()
    assert told(world, order) == [
        "4 x 10.00 Mug",
        f"1 x -10.00 Refund {refund}",
        "1 x 4.00 Gift certificate",
        "1 x 6.00 Store credit",
    ]
    assert money(world, order) == (D("40.00"), D("40.00"))
    assert balances(world) == {"Gift certificate": "4.00", "Store credit": "6.00"}
    assert world.writes_of(world.sync) == 0
    world.lose_ledger()
    assert world.writes_of(world.sync) == 0


# -- cancelled orders that were partly paid so


def spent(world: Any, kind: str) -> int:
    """An order of 40.00, 15.00 of it paid with stored value and 25.00 by card."""
    more = {"gift_certificates": used("15.00")} if kind == "certificate" else {}
    more |= {"store_credit": "15.00"} if kind == "credit" else {}
    order = int(world.place(lines=[MUGS], customer_id=customer(world), **more))
    world.sync()
    assert money(world, order) == (D("25.00"), D("25.00"))
    return order


@pytest.mark.parametrize("kind", ["certificate", "credit"])
def test_a_cancelled_order_is_voided_where_its_stored_value_went_back_too(
    world: Any, kind: str
) -> None:
    order = spent(world, kind)
    world.settings["on_cancel"] = "void"
    back = [{"amount": "25.00"}, TO_CERTIFICATE if kind == "certificate" else TO_CREDIT]
    world.change(order, "refund", everything=True, to=back)
    world.change(order, "cancel")
    world.sync()
    assert reason(world, order) == ("posted", None)
    assert money(world, order) == (D("0.00"), D("0.00"))
    assert {line.split(" ")[2] for line in told(world, order)} == {"0.00"}
    assert set(balances(world).values()) <= {"0.00"}
    assert world.writes_of(world.sync) == 0


def test_a_certificate_that_came_back_as_store_credit_is_not_voided(world: Any) -> None:
    order = spent(world, "certificate")
    world.settings["on_cancel"] = "void"
    world.change(order, "refund", everything=True, to=[{"amount": "25.00"}, TO_CREDIT])
    world.change(order, "cancel")
    world.sync()
    assert reason(world, order) == ("parked", "cancelled_after_posting")
    said = ", 15.00 of gift certificate were spent and 0.00 given back"
    assert f"25.00 USD came in and 25.00 USD went back{said}" in world.row(order).detail
    assert "0.00 of store credit were spent and 15.00 given back" in world.row(order).detail


def test_a_cancelled_order_whose_credit_was_kept_is_not_voided(world: Any) -> None:
    order = spent(world, "credit")
    world.settings["on_cancel"] = "void"
    world.change(order, "refund", order_amount="25.00", to=[{"amount": "25.00"}])
    world.change(order, "cancel")
    world.sync()
    assert reason(world, order) == ("parked", "cancelled_after_posting")
    assert "15.00 of store credit were spent and 0.00 given back" in world.row(order).detail


def test_a_cancelled_order_that_is_deleted_takes_what_it_redeemed_with_it(world: Any) -> None:
    order = spent(world, "certificate")
    assert balances(world) == {"Gift certificate": "-15.00"}
    world.settings["on_cancel"] = "delete"
    world.change(order, "cancel")
    world.sync()
    assert reason(world, order) == ("waiting", "deleted_after_cancellation")
    assert world.invoice(order)["vis_state"] == 1
    assert world.payments(order) == []
    assert balances(world) == {}, "the certificate is owed again"


# -- edits


def test_an_edited_order_keeps_what_was_redeemed_on_it(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = spent(world, "credit")
    tea = {"name": "Tea", "sku": "TEA", "price": "5.00"}
    world.change(order, "lines", lines=[MUGS, tea])
    world.sync()
    assert told(world, order) == ["4 x 10.00 Mug", "1 x 5.00 Tea", "1 x -15.00 Store credit"]
    assert money(world, order) == (D("30.00"), D("25.00"))
    assert balances(world) == {"Store credit": "-15.00"}
    assert world.writes_of(world.sync) == 0
    world.change(order, "lines", lines=[{**MUGS, "quantity": 1}])
    world.sync()
    assert reason(world, order) == ("new", "money_unclear"), "for an hour"
    monkeypatch.setattr(Ledger, "open", partial(Ledger.open, clock=in_two_hours))
    world.sync()
    assert reason(world, order) == ("parked", "money_unclear")
    assert "15.00 USD" in world.row(order).detail
    assert "comes to 10.00 USD" in world.row(order).detail
    assert money(world, order) == (D("30.00"), D("25.00")), "as it was"
    world.change(order, "lines", lines=[MUGS])
    world.sync()
    assert reason(world, order) == ("posted", None)
    assert money(world, order) == (D("25.00"), D("25.00"))
