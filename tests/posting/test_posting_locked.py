"""FreshBooks' own lock: its days are closed for the run that meets them, and the next one hears."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from typing import Any

import pytest

D = Decimal
OCTOBER = "2026-10-31"
AT = "2026-10-30T18:00:00Z"
"""An October noon in the store's zone."""
EARLIER = "2026-10-15T18:00:00Z"
LATER = "2026-11-03T18:00:00Z"
PAID_LATER = {"amount": "11.00", "at": LATER}


def reason(world: Any, order: int) -> tuple[str, str | None]:
    row = world.row(order)
    return row.state, row.reason


def lock(world: Any, until: str = OCTOBER) -> None:
    world.switch(fb__locked_until=until)


def run_without_news(world: Any) -> None:
    """A run in which the shop says nothing of any order."""
    world.sync("".join(filter(_is_of_no_order, world.messages().splitlines(keepends=True))))


def _is_of_no_order(line: str) -> bool:
    message = json.loads(line)
    return message["type"] != "RECORD" or message["stream"] == "store"


def test_a_day_that_was_unlocked_is_heard_of_by_the_next_run(world: Any) -> None:
    lock(world)
    order = world.synced(created=AT)
    assert reason(world, order) == ("parked", "closed_period")
    row = world.row(order)
    assert "2026-10-30 is closed (FreshBooks refused it as locked)" in row.detail
    assert "locked period" in row.words
    assert "which the next run hears of" in row.next_step
    lock(world, "")
    run_without_news(world)
    assert reason(world, order) == ("posted", None)
    assert world.invoice(order)["create_date"] == "2026-10-30"
    assert world.writes_of(lambda: run_without_news(world)) == 0


def test_one_refused_write_a_run_hears_that_all_is_locked_still(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world.settings["on_parked"] = "fail"
    orders = [world.place(created=at) for at in (EARLIER, AT, AT, EARLIER)]
    lock(world)
    world.sync()
    before = [world.row(order) for order in orders]
    assert {row.reason for row in before} == {"closed_period"}
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert world.writes_of(lambda: run_without_news(world)) == 1
        assert world.writes_of(world.sync) == 1
    assert "parked" not in caplog.text, "that it is locked still has been told"
    assert [world.row(order).detail for order in orders] == [row.detail for row in before]
    assert world.target.report() == 0, "nothing was parked by this run"


def test_days_that_are_unlocked_are_heard_though_earlier_ones_stay_locked(world: Any) -> None:
    lock(world)
    early, late, last = (world.place(created=at) for at in (EARLIER, AT, AT))
    world.sync()
    lock(world, "2026-10-20")
    run_without_news(world)
    assert reason(world, late) == reason(world, last) == ("posted", None)
    assert reason(world, early) == ("parked", "closed_period")
    assert world.writes_of(lambda: run_without_news(world)) == 1


def test_a_late_paid_order_of_a_locked_day_takes_the_day_of_its_first_capture(world: Any) -> None:
    lock(world)
    order = world.synced(created=AT, transactions=[PAID_LATER])
    assert reason(world, order) == ("posted", None)
    assert world.invoice(order)["create_date"] == "2026-11-03"
    lock(world, "")
    world.is_found_again()


@pytest.mark.parametrize("paid", ["then", "later"])
def test_a_refund_that_the_lock_keeps_out_is_booked_once_unlocked(world: Any, paid: str) -> None:
    more = {"transactions": [PAID_LATER]} if paid == "later" else {}
    order = world.synced(created=AT, **more)
    lock(world)
    world.change_and_sync(order, "refund", order_amount="4.00")
    assert reason(world, order) == ("parked", "closed_period")
    assert "is net 4.00, money 4.00 USD" in world.row(order).detail
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert world.writes_of(lambda: run_without_news(world)) == 1, "its payment is left alone"
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    lock(world, "")
    run_without_news(world)
    assert reason(world, order) == ("posted", None)
    assert (world.total(order), world.paid(order)) == (D("7.00"), [D("7.00")])


def test_an_edit_that_the_lock_keeps_out_is_told_and_made_once_unlocked(world: Any) -> None:
    order = world.synced(created=AT)
    lock(world)
    world.change_and_sync(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "5.00"}])
    assert reason(world, order) == ("parked", "closed_period")
    assert "comes to net 5.00, together 5.00 USD now" in world.row(order).detail
    lock(world, "")
    run_without_news(world)
    assert (world.paid(order), world.total(order)) == ([D("5.00")], D("5.00"))


@pytest.mark.parametrize("known", [False, True])
def test_an_address_that_the_lock_keeps_out_is_told_and_made_once_unlocked(
    world: Any,
    known: bool,
) -> None:
    world.settings["max_parallel_orders"] = 1
    other = world.place(created=AT)
    order = world.synced(created=AT, billing={"email": "jo@shop.example", "city": "Old"})
    lock(world)
    if known:
        world.change(other, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "5.00"}])
    world.change_and_sync(order, "edit", billing={"email": "jo@shop.example", "city": "New"})
    assert reason(world, order) == ("parked", "closed_period")
    assert "its client or billing address changed in the shop" in world.row(order).detail
    assert str(world.row(order).locked_day) == "2026-10-30"
    assert world.invoice(order)["city"] == "Old"
    lock(world, "")
    run_without_news(world)
    assert (reason(world, order), world.invoice(order)["city"]) == (("posted", None), "New")


def test_an_address_is_overwritten_in_a_locked_month_once_unlocked(world: Any) -> None:
    order = world.synced(created=AT, billing={"email": "jo@shop.example", "city": "Ours"})
    address = {"invoice": {"city": "Typed"}}
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", address)
    lock(world)
    world.fault(kind="reset_before", method="PUT", path="/invoices/invoices/", skip=2)
    assert world.writes_of(lambda: world.ctl("replay", str(order), "--overwrite")) == 1
    assert reason(world, order) == ("parked", "closed_period")
    assert world.invoice(order)["city"] == "Typed"
    world.control("DELETE", "faults")
    lock(world, "")
    world.ctl("replay", str(order), "--overwrite")
    assert (reason(world, order), world.invoice(order)["city"]) == (("posted", None), "Ours")


@pytest.mark.parametrize("on_cancel", ["delete", "void"])
def test_a_cancellation_that_the_lock_keeps_out_is_made_once_unlocked(
    world: Any, on_cancel: str
) -> None:
    world.settings["on_cancel"] = on_cancel
    order = world.synced(created=AT)
    lock(world)
    world.change(order, "refund", everything=True)
    world.change_and_sync(order, "cancel")
    assert reason(world, order) == ("parked", "closed_period")
    assert world.total(order) == D("11.00")
    assert world.writes_of(lambda: run_without_news(world)) == 1
    lock(world, "")
    run_without_news(world)
    assert reason(world, order)[0] != "parked"
    gone = world.invoice(order)["vis_state"] == 1
    assert (gone, sum(world.paid(order))) == (on_cancel == "delete", 0)
    assert gone or world.total(order) == 0


def test_a_setting_that_changed_is_heard_while_the_day_stays_locked(world: Any) -> None:
    order = world.place(created=AT)
    other = world.synced(created=AT)
    lock(world)
    for one in (order, other):
        world.change(one, "refund", order_amount="4.00")
    world.sync()
    assert reason(world, order) == ("parked", "closed_period")
    world.settings["closed_refunds"] = "correction"
    run_without_news(world)
    assert reason(world, order) == reason(world, other) == ("posted", None)
    assert world.total(f"{order}-R1") == 0
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])


def test_an_order_that_a_person_settled_is_not_tried_again(world: Any) -> None:
    lock(world)
    order = world.synced(created=AT)
    world.ctl("settle", str(order), "--note", "typed on 3 November")
    lock(world, "")
    assert world.writes_of(lambda: run_without_news(world)) == 0
    assert reason(world, order)[0] == "settled"
