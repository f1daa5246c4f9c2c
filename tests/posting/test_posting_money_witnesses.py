"""Money of which the shop tells two stories: it waits an hour, is read again, and is parked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.ledger import Ledger

if TYPE_CHECKING:
    from .conftest import World

LONG_AGO = -3 * 3600


def back_then(world: World, seconds: int = LONG_AGO) -> None:
    """What the shop does from now on happened then."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    world.control("POST", "clock", {"set": moment.isoformat()})


def in_two_hours() -> datetime:
    return datetime.now(UTC) + timedelta(hours=2)


def captured_alone(world: World) -> int:
    """The shop says captured, and only the authorisation is listed."""
    listed = [{"event": "authorization", "amount": "11.00"}]
    return world.place(transactions=listed, payment_status="captured")


def standing(world: World, order: int) -> tuple[str, str | None]:
    row = world.row(order)
    return row.state, row.reason


def bookmarks(states: list[dict[str, Any]]) -> list[Any]:
    said = [state["bookmarks"].get("orders", {}) for state in states]
    return [one["replication_key_value"] for one in said if "replication_key_value" in one]


def test_what_changed_within_the_hour_waits_and_no_state_passes_it(world: World) -> None:
    back_then(world)
    clear = world.place()
    assert bookmarks(world.sync()) != []
    back_then(world, 0)
    unclear, other = captured_alone(world), world.place()
    states = world.sync()
    assert bookmarks(states) == []
    assert standing(world, unclear) == ("new", "money_unclear")
    assert world.invoices(unclear) == []
    assert [standing(world, one)[0] for one in (clear, other)] == ["posted", "posted"]
    assert world.target.tally is not None
    assert world.target.tally.waiting == 1
    assert world.ctl("status")["waiting_orders"] == {"money_unclear": [unclear]}


def test_once_the_capture_is_listed_it_is_booked_and_state_leaves(world: World) -> None:
    order = captured_alone(world)
    world.sync()
    world.switch(bc__capture_moves_modified=False)
    world.change(order, "capture")
    assert bookmarks(world.sync()) != []
    assert standing(world, order) == ("posted", None)
    assert [str(amount) for amount in world.paid(order)] == ["11.00"]


def test_a_run_after_the_hour_parks_it_though_the_shop_says_no_more_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = captured_alone(world)
    said = world.messages()
    world.sync(said)
    of_nothing = [row for row in said.splitlines() if json.loads(row)["type"] == "SCHEMA"]
    monkeypatch.setattr(Ledger, "open", partial(Ledger.open, clock=in_two_hours))
    world.sync("\n".join(of_nothing) + "\n")
    assert standing(world, order) == ("parked", "money_unclear")
    assert bookmarks(world.sync(said)) != []


def test_what_is_posted_stands_while_a_refund_is_not_told_by_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.synced(pay="stripe")
    world.switch(bc__refund_objects=False)
    world.change(order, "refund", everything=True)
    assert world.writes_of(world.sync) == 0
    assert standing(world, order) == ("new", "money_unclear")
    assert [str(amount) for amount in world.paid(order)] == ["11.00"]
    verified = world.ctl("verify")
    assert (verified["findings"], world.code) == ([], 0)
    monkeypatch.setattr(Ledger, "open", partial(Ledger.open, clock=in_two_hours))
    assert world.writes_of(world.sync) == 0
    assert standing(world, order) == ("parked", "money_unclear")
    assert "sent back 11.00 USD" in str(world.row(order).detail)
    assert [str(amount) for amount in world.paid(order)] == ["11.00"]


@pytest.mark.parametrize("paid", [{"payment_method": "PayPal"}, {"pay": "offline"}])
def test_a_refund_s_own_transaction_does_not_say_how_the_money_came(
    world: World, paid: dict[str, str]
) -> None:
    order = world.place(**{"pay": None, **paid})
    world.sync()
    (before,) = world.payments(order)
    world.change(order, "refund", order_amount="4.00")
    (only,) = world.control("GET", f"shop/orders/{order}")["order"]["transactions"]
    assert only["event"] == "refund"
    world.sync()
    assert standing(world, order) == ("posted", None)
    assert (str(world.total(order)), list(map(str, world.paid(order)))) == ("7.00", ["7.00"])
    assert world.payments(order)[0]["type"] == before["type"]
    world.lose_ledger()
    assert world.writes_of(world.sync) == 0
    assert standing(world, order) == ("posted", None)


@pytest.mark.parametrize("said", ["void", "refunded", "partially refunded"])
def test_money_that_the_order_alone_calls_gone_waits_an_hour_and_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    order = world.place(payment_status=said)
    assert bookmarks(world.sync()) == []
    assert standing(world, order) == ("new", "money_unclear")
    assert world.invoices(order) == []
    monkeypatch.setattr(Ledger, "open", partial(Ledger.open, clock=in_two_hours))
    assert bookmarks(world.sync()) != []
    assert standing(world, order) == ("parked", "money_unclear")
    assert f"the shop says {said}, but 11.00 USD were captured" in str(world.row(order).detail)
    assert [str(amount) for amount in world.paid(order)] == ["11.00"]


@pytest.mark.parametrize("said", ["void", "refunded"])
def test_a_posted_order_whose_money_it_alone_calls_gone_stays_as_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    order = world.synced()
    world.change(order, "edit", payment_status=said)
    assert world.writes_of(world.sync) == 0
    assert standing(world, order) == ("new", "money_unclear")
    monkeypatch.setattr(Ledger, "open", partial(Ledger.open, clock=in_two_hours))
    assert world.writes_of(world.sync) == 0
    assert standing(world, order) == ("parked", "money_unclear")


def test_a_voided_purchase_is_not_booked_though_its_void_names_nothing(world: World) -> None:
    order = world.synced(
        payment_status="void",
        transactions=[{"amount": "11.00"}, {"event": "void", "amount": "0.00"}],
    )
    assert standing(world, order) == ("posted", None)
    assert world.paid(order) == []
    assert world.writes_of(world.sync) == 0


def test_an_order_paid_in_test_mode_stays_open_and_is_listed(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    order = world.synced(transactions=[{"amount": "11.00", "test": True}])
    assert standing(world, order) == ("posted", None)
    assert world.paid(order) == []
    assert caplog.text.count(f"Order {order}: paid_in_test_mode.") == 1
    (told,) = world.ctl("status")["notices"]
    assert (told["order_id"], told["notice"]) == (order, "paid_in_test_mode")
    assert world.writes_of(world.sync) == 0


def test_a_purchase_behind_hundreds_of_declines_is_not_concluded_upon(world: World) -> None:
    declines = [{"amount": "11.00", "status": "error"} for _ in range(260)]
    order = world.synced(transactions=[*declines, {"amount": "11.00"}])
    assert standing(world, order) == ("parked", "money_unclear")
    assert "more transactions than the shop gives (250)" in str(world.row(order).detail)
    assert world.paid(order) == []
    assert world.total(order) == 11


def test_what_changed_long_ago_is_parked_with_its_figures_and_its_invoice_is_open(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    back_then(world)
    order = captured_alone(world)
    assert bookmarks(world.sync()) != []
    row = world.row(order)
    assert (row.state, row.reason) == ("parked", "money_unclear")
    assert "over 11.00 USD" in str(row.detail)
    assert world.paid(order) == []
    assert world.invoice(order)["v3_status"] == "sent"
    assert f"Order {order} parked: money_unclear" in caplog.text
