"""What becomes of an order in the shop after it was posted is told once, and listed."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.more


CASES = [
    ("archive", {}, "archived_after_posting"),
    ("status", {"status_id": 13}, "disputed_after_posting"),
    ("status", {"status_id": 12}, "disputed_after_posting"),
    ("status", {"status_id": 0}, "unpaid_after_posting"),
    ("status", {"status_id": 1}, "unpaid_after_posting"),
    ("status", {"status_id": 7}, "unpaid_after_posting"),
]


@pytest.mark.parametrize(("what", "body", "code"), CASES)
def test_what_becomes_of_a_posted_order_is_told_once_and_listed(
    world: Any, caplog: pytest.LogCaptureFixture, what: str, body: dict[str, Any], code: str
) -> None:
    world.switch(bc__archived_in_lists=True)
    order = world.synced()
    world.change(order, what, **body)
    assert world.writes_of(world.sync) == 0
    assert caplog.text.count(f"Order {order}: {code}.") == 1
    caplog.clear()
    world.sync()
    world.ctl("replay", str(order))
    assert code not in caplog.text
    assert (world.row(order).state, world.total(order)) == ("posted", 11)
    told = world.ctl("status")
    assert told["waiting"] == 0
    assert told["notices"] == [{"order_id": order, "notice": code, "invoice_number": str(order)}]
    assert any(row["data"].get("notice") == code for row in world.ctl("audit", str(order)))


def test_a_notice_goes_when_the_order_is_back_to_normal(world: Any) -> None:
    order = world.synced()
    world.change_and_sync(order, "status", status_id=13)
    world.change_and_sync(order, "status", status_id=10)
    assert world.ctl("status")["notices"] == []


def test_an_order_that_is_parked_besides_keeps_its_notice(world: Any) -> None:
    order = world.synced()
    world.settings["on_order_change"] = "park"
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "12.00"}])
    world.change_and_sync(order, "status", status_id=13)
    row = world.row(order)
    assert (row.reason, row.notice) == ("changed_after_posting", "disputed_after_posting")


def test_orders_on_account_that_await_payment_are_no_surprise(world: Any) -> None:
    world.settings["paid_status_ids"] = [7, 10, 11]
    order = world.synced()
    world.change_and_sync(order, "status", status_id=7)
    assert world.ctl("status")["notices"] == []


def test_orders_that_were_never_posted_wait_as_ever_and_are_listed_by_their_status(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    first = world.place(status_id=7)
    second = world.place(status_id=1)
    third = world.synced(status_id=7)
    assert "after_posting" not in caplog.text
    told = world.ctl("status")
    assert told["waiting_orders"] == {"Awaiting Payment": [first, third], "Pending": [second]}
    assert told["notices"] == []
