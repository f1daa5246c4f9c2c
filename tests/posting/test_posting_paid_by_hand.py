"""A hand-paid order that is edited down and refunded: the books know what had come in."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

import pytest

D = Decimal
BACK = [{"provider": "custom", "offline": True}]


def pieces(number: int) -> list[dict[str, Any]]:
    return [{"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": number}]


@pytest.fixture
def paid(world: Any) -> int:
    """An order of 100.00, paid by bank transfer and posted."""
    order: int = world.place(pay="offline", payment_method="Bank Deposit", lines=pieces(10))
    world.sync()
    assert (world.total(order), world.paid(order)) == (100, [100])
    return order


def give_back(world: Any, order: int, amount: str) -> None:
    world.change(order, "refund", order_amount=amount, to=BACK)


def books(world: Any, order: int) -> tuple[Decimal, list[Decimal], str]:
    assert world.writes_of(world.sync) == 0
    return world.total(order), world.paid(order), world.row(order).state


def test_what_is_refunded_counts_against_the_surplus(world: Any, paid: int) -> None:
    world.change_and_sync(paid, "lines", lines=pieces(7))
    assert books(world, paid) == (70, [70], "posted")
    give_back(world, paid, "30.00")
    world.sync()
    assert books(world, paid) == (70, [70], "posted")


def test_what_came_in_is_known_of_an_order_that_a_person_has_to_see_to(world: Any) -> None:
    world.settings["paid_status_ids"] = "2,3,8,9,10,11,14"
    by_hand = {"pay": "offline", "payment_method": "Bank Deposit", "status_id": 14}
    order = world.synced(lines=pieces(10), **by_hand)
    assert (world.row(order).state, world.paid(order)) == ("parked", [100])
    world.change(order, "lines", lines=pieces(7))
    give_back(world, order, "30.00")
    world.sync()
    assert books(world, order) == (70, [70], "posted")


def test_a_run_that_died_before_it_noted_what_came_in_is_made_good(world: Any, paid: int) -> None:
    with sqlite3.connect(world.home / "ledger.sqlite") as ledger:
        ledger.execute("UPDATE ledger_orders SET paid_by_hand = NULL, state = 'new'")
    world.change(paid, "lines", lines=pieces(7))
    give_back(world, paid, "30.00")
    world.sync()
    assert books(world, paid) == (70, [70], "posted")


def test_with_the_ledger_lost_the_payment_s_note_tells_what_had_come_in(
    world: Any, paid: int
) -> None:
    world.change_and_sync(paid, "lines", lines=pieces(7))
    give_back(world, paid, "30.00")
    world.lose_ledger()
    world.sync()
    assert books(world, paid) == (70, [70], "posted")
    assert world.row(paid).paid_by_hand == 100
    assert "Received 100.00 USD" in world.payments(paid)[0]["note"]
    world.lose_ledger()
    assert books(world, paid) == (70, [70], "posted")


@pytest.mark.more
@pytest.mark.parametrize(("back", "left"), [("10.00", 70), ("30.00", 70), ("40.00", 60)])
def test_edited_and_refunded_at_once_as_well(world: Any, paid: int, back: str, left: int) -> None:
    world.change(paid, "lines", lines=pieces(7))
    give_back(world, paid, back)
    world.sync()
    assert books(world, paid) == (left, [left], "posted")


@pytest.mark.more
def test_an_order_that_was_never_edited_is_refunded_as_ever(world: Any, paid: int) -> None:
    give_back(world, paid, "30.00")
    world.sync()
    assert books(world, paid) == (70, [70], "posted")
    assert [line["name"] for line in world.invoice(paid)["lines"]] == ["Mug", "Refund 1"]


def test_money_that_was_only_planned_is_no_surplus(world: Any) -> None:
    """Kept as a Draft over 100.00; over 70.00 when it was sent, and 30.00 went back then."""
    world.settings["post_as"] = "draft"
    order = world.place(pay="offline", payment_method="Bank Deposit", lines=pieces(10))
    world.sync()
    assert world.row(order).paid_by_hand is None
    world.change(order, "lines", lines=pieces(7))
    world.sync()
    world.ctl("replay", "--send", str(order))
    assert books(world, order) == (70, [70], "posted")
    give_back(world, order, "30.00")
    world.sync()
    assert books(world, order) == (40, [40], "posted")
