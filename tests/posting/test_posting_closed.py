"""Closed days: what is dated on them stays as it is, and what belongs there waits for a person."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import click
import pytest
from target_freshbooks.books.closed import ClosedDays
from target_freshbooks.freshbooks import Forbidden
from target_freshbooks.posting.apply.fence import Fence

D = Decimal
OCTOBER = "2026-10-31"
AT = "2026-10-30T18:00:00Z"
"""An October noon in the store's zone."""
LATER = "2026-11-03T18:00:00Z"
PAID_LATER = {"amount": "11.00", "at": LATER}
STORE_CREDIT = [{"provider": "storecredit"}]
CHEAPER = [{"name": "Mug", "sku": "MUG", "price": "5.00"}]


def reason(world: Any, order: int) -> tuple[str, str | None]:
    row = world.row(order)
    return row.state, row.reason


def sums_of(world: Any, month: str) -> dict[str, Decimal]:
    """What FreshBooks' reports of a month rest on: billed, its net, collected."""
    books, sums = world.books(), defaultdict[str, Decimal](Decimal)
    for invoice in books["invoices"]:
        if invoice["create_date"].startswith(month) and invoice["vis_state"] != 1:
            if invoice["v3_status"] == "draft":
                continue
            sums["billed"] += D(invoice["amount"]["amount"])
            for line in invoice["lines"]:
                sums["net"] += D(line["qty"]) * D(line["unit_cost"]["amount"])
    for payment in books["payments"]:
        if payment["date"].startswith(month) and payment["vis_state"] == 0:
            sums["collected"] += D(payment["amount"]["amount"])
    return dict(sums)


def close(world: Any, through: str = OCTOBER) -> None:
    world.settings["closed_through"] = through


# -- orders of a closed day


def test_an_order_of_a_closed_day_waits_for_a_day_and_keeps_the_one_it_is_given(
    world: Any,
) -> None:
    close(world)
    order = world.place(created=AT)
    assert world.writes_of(world.sync) == 0, "no client or item either"
    assert reason(world, order) == ("parked", "closed_period")
    assert "2026-10-30 is closed (closed_through)" in world.row(order).detail
    world.ctl("replay", str(order), "--date", "2026-11-20")
    assert reason(world, order) == ("posted", None)
    assert world.invoice(order)["create_date"] == "2026-11-20"
    assert [row["date"] for row in world.payments(order)] == ["2026-11-20"]
    close(world, "2026-11-21")
    world.change(order, "status", status_id=10)
    assert world.writes_of(world.sync) == 0
    assert world.ctl("plan", str(order))[0]["steps"] == []
    world.is_found_again()
    assert reason(world, order) == ("posted", None)
    assert world.invoice(order)["create_date"] == "2026-11-20"


@pytest.mark.parametrize("day", [OCTOBER, "2999-01-01"])
def test_a_day_that_is_closed_or_to_come_is_not_taken(world: Any, day: str) -> None:
    close(world)
    order = world.synced(created=AT)
    with pytest.raises(Exception, match=r"closed as well|has not come yet"):
        world.ctl("replay", str(order), "--date", day)
    assert world.invoices(order) == []


@pytest.mark.parametrize("more", [("--parked",), ("--since", "2026-10-01")])
def test_a_day_is_taken_for_orders_that_are_named_and_no_others(
    world: Any, more: tuple[str, ...]
) -> None:
    close(world)
    order, other = (world.place(created=AT) for _ in range(2))
    world.sync()
    with pytest.raises(click.UsageError, match="not beside --parked or --since"):
        world.ctl("replay", str(order), *more, "--date", "2026-11-20")
    assert world.invoices(order) == []
    assert world.row(other).booking_day is None


def test_an_order_that_was_paid_late_takes_the_day_of_its_first_capture(world: Any) -> None:
    close(world)
    order = world.synced(created=AT, transactions=[PAID_LATER])
    assert world.invoice(order)["create_date"] == "2026-11-03"
    assert [row["date"] for row in world.payments(order)] == ["2026-11-03"]
    assert reason(world, order) == ("posted", None)
    world.is_found_again()


def test_a_draft_whose_month_was_closed_meanwhile_is_told_and_moved_to_the_day_chosen(
    world: Any,
) -> None:
    world.settings["post_as"] = "draft"
    order = world.synced(created=AT)
    assert reason(world, order) == ("waiting", "draft")
    close(world)
    assert world.writes_of(lambda: world.ctl("replay", str(order), "--send")) == 0
    assert reason(world, order) == ("parked", "closed_period")
    assert "stands as a Draft" in world.row(order).detail
    world.ctl("replay", str(order), "--send", "--date", "2026-11-20")
    assert reason(world, order) == ("posted", None)
    assert world.invoice(order)["create_date"] == "2026-11-20"
    assert [row["date"] for row in world.payments(order)] == ["2026-11-20"]
    assert world.writes_of(world.sync) == 0


@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_an_order_left_half_written_whose_month_was_closed_meanwhile_is_told(
    world: Any, ledger: str
) -> None:
    order = world.place(created=AT)
    world.fault(
        kind="refused", status=403, errno=1042, method="PUT", path="/invoices/invoices/", times=1
    )
    with pytest.raises(Forbidden):
        world.sync()
    close(world)
    if ledger == "lost":
        world.lose_ledger()
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "closed_period")
    assert "stands as a Draft, not sent" in world.row(order).detail
    world.ctl("replay", str(order), "--date", "2026-11-20")
    assert world.invoice(order)["create_date"] == "2026-11-20"
    assert reason(world, order) == ("posted", None)
    assert world.writes_of(world.sync) == 0


def test_an_order_on_account_of_a_closed_day_without_money_waits_and_takes_its_first_capture(
    world: Any,
) -> None:
    close(world)
    order = world.place(created=AT, pay=None, payment_method="Purchase Order", status_id=11)
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "closed_period")
    world.change_and_sync(order, "transactions", amount="11.00", at=LATER)
    assert reason(world, order) == ("posted", None)
    assert world.invoice(order)["create_date"] == "2026-11-03"


# -- what comes after the month of an invoice was closed


def test_a_refund_of_a_closed_month_is_told_ready_to_be_typed(world: Any) -> None:
    order = world.synced(created=AT)
    before = sums_of(world, "2026-10")
    close(world)
    world.change(order, "refund", order_amount="4.00")
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "closed_period")
    assert "refund 1 of 2026-" in world.row(order).detail
    assert "is net 4.00, money 4.00 USD" in world.row(order).detail
    assert sums_of(world, "2026-10") == before
    del world.settings["closed_through"]
    world.ctl("replay", str(order))
    assert (world.total(order), world.paid(order)) == (D("7.00"), [D("7.00")])


def test_an_edit_of_a_closed_month_is_told_with_what_it_comes_to(world: Any) -> None:
    order = world.synced(created=AT)
    close(world)
    world.change(order, "lines", lines=CHEAPER)
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "closed_period")
    detail = world.row(order).detail
    assert "comes to net 5.00, together 5.00 USD now" in detail
    assert "the invoice has net 10.00, State Tax 1.00, together 11.00 USD" in detail


@pytest.mark.parametrize("on_cancel", ["park", "delete"])
def test_a_cancellation_of_a_closed_month_is_told(world: Any, on_cancel: str) -> None:
    order = world.synced(created=AT)
    close(world)
    world.settings["on_cancel"] = on_cancel
    world.change(order, "status", status_id=5)
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "closed_period")
    assert "was cancelled" in world.row(order).detail
    assert world.paid(order) == [D("11.00")]


def test_money_of_an_open_day_is_recorded_on_an_invoice_of_a_closed_one(world: Any) -> None:
    half = {"amount": "5.00", "at": AT}
    order = world.synced(created=AT, transactions=[half])
    before = sums_of(world, "2026-10")
    close(world)
    world.change_and_sync(order, "transactions", amount="6.00", at=LATER)
    assert reason(world, order) == ("posted", None)
    assert world.paid(order) == [D("5.00"), D("6.00")]
    assert sums_of(world, "2026-10") == before


def test_money_of_a_closed_day_waits_for_a_day(world: Any) -> None:
    half = {"amount": "5.00", "at": AT}
    order = world.synced(created=AT, transactions=[half])
    close(world)
    world.change(order, "transactions", amount="6.00", at="2026-10-31T18:00:00Z")
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "closed_period")
    assert "record the payment of 6.00 USD of 2026-10-31" in world.row(order).detail
    assert "--date" in world.row(order).next_step
    world.ctl("replay", str(order), "--date", "2026-11-20")
    assert reason(world, order) == ("posted", None)
    assert [row["date"] for row in world.payments(order)] == ["2026-10-30", "2026-11-20"]
    assert world.invoice(order)["create_date"] == "2026-10-30"
    assert world.writes_of(world.sync) == 0


def test_an_edit_that_keeps_the_total_is_told(world: Any) -> None:
    order = world.synced(created=AT)
    close(world)
    world.change(order, "lines", lines=[{**world.ORDER["lines"][0], "name": "Bowl", "sku": "B"}])
    world.sync()
    assert reason(world, order) == ("parked", "closed_period")
    assert "the order changed" in world.row(order).detail


BLUE = [{"name": "Mug, blue", "sku": "MUG", "price": "20.00"}]


@pytest.mark.parametrize("captured", ["11.00", "5.00"])
def test_an_edit_does_not_hide_the_money_that_came_in_for_it(world: Any, captured: str) -> None:
    """Of the 20.00 that it comes to now the rest was captured on an open day."""
    order = world.synced(created=AT, transactions=[{"amount": captured, "at": AT}])
    close(world)
    rest = D("20.00") - D(captured)
    world.change(order, "lines", lines=BLUE)
    world.change(order, "transactions", amount=str(rest), at=LATER)
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "closed_period")
    told = world.row(order).detail
    assert "comes to net 20.00, together 20.00 USD now" in told
    assert f"{rest} USD of 2026-11-03 (Credit Card, transaction:" in told
    assert "came in and is not recorded" in told
    assert world.paid(order) == [D(captured)]


def test_an_edit_does_not_hide_store_credit_that_is_a_credit_note(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    customer = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    order = world.synced(created=AT, customer_id=customer["id"])
    close(world)
    world.change(order, "lines", lines=BLUE)
    world.change(order, "refund", order_amount="3.00", to=STORE_CREDIT)
    assert world.writes_of(world.sync) == 0
    told = world.row(order).detail
    assert "the order changed" in told
    assert "it is left to give the client a credit note of 3.00 USD for refund 1" in told


def test_an_edit_that_changes_no_line_is_none(world: Any) -> None:
    """The shop gave the same lines other ids."""
    order = world.synced(created=AT)
    close(world)
    world.change(order, "lines", lines=world.ORDER["lines"])
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("posted", None)
    world.change(order, "refund", order_amount="4.00")
    world.sync()
    assert "refund 1 of 2026-" in world.row(order).detail
    assert "the order changed" not in world.row(order).detail


def test_an_edit_of_words_that_carry_no_money_is_none(world: Any) -> None:
    order = world.synced(created=AT)
    close(world)
    world.change(order, "touch")
    messages = [json.loads(line) for line in world.messages().splitlines()]
    colour = {"id": 1, "display_name": "Colour", "display_value": "Red"}
    for message in messages:
        if message["type"] == "RECORD" and message["stream"] == "orders":
            message["record"]["line_items"][0]["product_options"] = [colour]
    said = "".join(f"{json.dumps(message)}\n" for message in messages)
    assert world.writes_of(lambda: world.sync(said)) == 0
    assert reason(world, order) == ("posted", None)


# -- the fence


@pytest.mark.parametrize("what", ["order", "refund", "edit", "cancel", "capture"])
def test_whatever_a_plan_says_nothing_of_a_closed_day_is_written(
    world: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    half = {"amount": "5.00", "at": AT}
    order = world.place(created=AT, **({"transactions": [half]} if what == "capture" else {}))
    if what != "order":
        world.sync()
    before = sums_of(world, "2026-10")
    close(world)
    world.settings["on_cancel"] = "delete"
    monkeypatch.setattr(Fence, "closed", lambda *_: ClosedDays())
    match what:
        case "refund":
            world.change(order, "refund", order_amount="4.00")
        case "edit":
            world.change(order, "lines", lines=CHEAPER)
        case "cancel":
            world.change(order, "status", status_id=5)
        case "capture":
            world.change(order, "transactions", amount="6.00", at="2026-10-31T18:00:00Z")
    world.sync()
    assert reason(world, order) == ("parked", "closed_period")
    assert sums_of(world, "2026-10") == before


# -- FreshBooks' own lock


def test_a_day_that_freshbooks_locked_is_asked_for_once_a_run(world: Any) -> None:
    world.settings["max_parallel_orders"] = 1
    world.switch(fb__locked_until=OCTOBER)
    first, second = world.place(created=AT), world.place(created=AT)
    writes = world.writes_of(world.sync)
    assert reason(world, first) == reason(world, second) == ("parked", "closed_period")
    assert "FreshBooks refused it as locked" in world.row(second).detail
    assert writes == 3, "client, item, one refused invoice"
    world.switch(fb__locked_until="")
    world.ctl("replay", str(first), str(second))
    assert reason(world, first) == reason(world, second) == ("posted", None)


# -- months that nobody closed


def test_without_closed_days_each_change_of_an_earlier_month_is_told(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order, other = world.place(created=AT), world.place()
    with caplog.at_level(logging.WARNING):
        world.sync()
    told = f"2026-10 was changed by 3 writes, for orders {order}"
    assert told in caplog.text
    assert world.ctl("status")["earlier_months"][0]["order_id"] == order
    changed = world.ctl("report", "--month", "2026-10", "--output", str(world.home))
    assert [(one["order_id"], one["writes"]) for one in changed["changed_afterwards"]] == [
        (order, 3)
    ]
    this = f"{date.today():%Y-%m}"  # noqa: DTZ011 - the machine's day, as the run's
    assert (
        world.ctl("report", "--month", this, "--output", str(world.home))["changed_afterwards"]
        == []
    )
    assert reason(world, other) == ("posted", None)
    caplog.clear()
    world.sync()
    assert "was changed by" not in caplog.text


def test_a_day_that_was_chosen_is_kept_for_a_later_run(world: Any) -> None:
    close(world)
    order = world.synced(created=AT)
    world.fault(
        kind="refused", status=422, errno=1001, words="No.", method="POST", path="invoices$"
    )
    world.ctl("replay", str(order), "--date", "2026-11-20")
    assert reason(world, order) == ("parked", "refused_by_freshbooks")
    world.control("DELETE", "faults")
    world.change_and_sync(order, "status", status_id=10)
    assert reason(world, order) == ("posted", None)
    assert world.invoice(order)["create_date"] == "2026-11-20"


# -- P12


BOOKED_APART = {"closed_refunds": "correction", "refunds_expense_category": "Refunds"}


@pytest.mark.more
@pytest.mark.plans_left
@pytest.mark.parametrize(
    "ways",
    [{"on_cancel": "delete"}, {**BOOKED_APART, "on_cancel": "void"}],
    ids=["park", "correction"],
)
def test_a_closed_month_s_sums_stay_to_the_cent_whatever_comes_later(
    world: Any, ways: dict[str, str]
) -> None:
    """Many kinds of late changes, in processes, then with the ledger lost, then all replayed."""
    half = {"amount": "5.00", "at": AT}
    customer = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    names = ("refunded", "edited", "cancelled", "sent back", "declined", "moved", "plain")
    orders = {name: world.place(created=AT) for name in names}
    orders["credited"] = world.place(created=AT, customer_id=customer["id"])
    for name in ("paid open", "paid closed"):
        orders[name] = world.place(created=AT, transactions=[half])
    declined = world.change(orders["declined"], "refund", order_amount="2.00")["refunds"][-1]
    assert world.run()[0] == 0
    world.settings["post_as"] = "draft"
    orders["draft"] = world.place(created=AT)
    assert world.run()[0] == 0
    before = sums_of(world, "2026-10")
    assert before["billed"] == before["collected"] + 12, "two orders of 11.00 are paid by 5.00"

    world.settings |= {"closed_through": OCTOBER, "post_as": "sent", **ways}
    world.change(orders["refunded"], "refund", order_amount="4.00")
    world.change(orders["edited"], "lines", lines=CHEAPER)
    world.change(orders["cancelled"], "status", status_id=5)
    world.change(orders["sent back"], "refund", everything=True)
    world.change(orders["sent back"], "status", status_id=5)
    world.change(orders["declined"], "decline_refund", refund_id=declined)
    world.change(orders["declined"], "touch")
    world.change(orders["credited"], "refund", order_amount="3.00", to=STORE_CREDIT)
    elsewhere = {"first_name": "Ann", "last_name": "Other", "email": "ann@shop.example"}
    world.change(orders["moved"], "edit", billing=elsewhere)
    world.change(orders["paid open"], "transactions", amount="6.00", at=LATER)
    world.change(orders["paid closed"], "transactions", amount="6.00", at="2026-10-31T18:00:00Z")
    orders["late"] = world.place(created=AT)
    orders["paid late"] = world.place(created=AT, transactions=[PAID_LATER])
    for _ in range(2):
        code, _, log = world.run()
        assert code == 0, log
        assert sums_of(world, "2026-10") == before
        stands = {name: reason(world, order) for name, order in orders.items()}
        world.lose_ledger()
    parked = [name for name, (_, why) in stands.items() if why == "closed_period"]
    apart = {"refunded", "credited"} if "closed_refunds" in ways else set()
    left = {"refunded", "credited", "cancelled", "sent back", "paid closed", "late", "draft"}
    assert left - apart <= set(parked), stands
    assert all(stands[name] == ("posted", None) for name in apart), stands
    numbers = [one["invoice_number"] for one in world.books()["invoices"]]
    corrected = sorted(number.partition("-R")[0] for number in numbers if "-R" in number)
    assert corrected == sorted(str(orders[name]) for name in apart)
    assert stands["paid open"] == stands["paid late"] == stands["plain"] == ("posted", None)
    assert world.run()[0] == 0
    world.ctl("replay", "--parked")
    assert sums_of(world, "2026-10") == before
    for name in ("late", "draft", "paid closed"):
        world.ctl("replay", str(orders[name]), "--send", "--date", "2026-11-20")
        assert reason(world, orders[name]) == ("posted", None)
    assert sums_of(world, "2026-10") == before
