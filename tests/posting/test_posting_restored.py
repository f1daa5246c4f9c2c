"""A backup is put back: yesterday's ledger with today's bookmark, and the other way round."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.more

D = Decimal
DAY = 24 * 60 * 60
STORED = ("ledger.sqlite", "credentials.sqlite")


def told(world: Any, state: dict[str, Any] | None = None) -> str:
    """What the tap says of what is new since the state; nothing is looked back for."""
    said: str = world.messages(state or {}, lookback_seconds=0)
    return said


def orders_in(messages: str) -> list[int]:
    """The orders that messages tell of."""
    said = [json.loads(line) for line in messages.splitlines()]
    return [
        one["record"]["id"] for one in said if one.get("stream") == "orders" and "record" in one
    ]


def tomorrow(world: Any) -> None:
    """A day goes by, at whose end the access token is no longer good."""
    world.control("POST", "clock", {"advance_seconds": DAY})
    world.control("POST", "freshbooks/tokens/expire")


def later(world: Any) -> int:
    """An order that comes in an hour later."""
    world.control("POST", "clock", {"advance_seconds": 3600})
    return int(world.place())


def keep(world: Any) -> Path:
    """Back up ledger and credentials."""
    kept: Path = world.home / "backup"
    kept.mkdir()
    for name in STORED:
        shutil.copy(world.home / name, kept / name)
    return kept


def put_back(world: Any, kept: Path) -> None:
    """Restore them."""
    for name in STORED:
        for file in world.home.glob(f"{name}*"):
            file.unlink()
        shutil.copy(kept / name, world.home / name)


def log_in(world: Any) -> None:
    """Agree on FreshBooks' page, and give the address where it leads to `login`."""
    world.ctl("login", "--code", world.landed())


def standing(world: Any) -> dict[str, tuple[Decimal, list[Decimal]]]:
    """Total and payments of each invoice that stands, by number."""
    numbers = [row["invoice_number"] for row in world.books()["invoices"] if row["vis_state"] == 0]
    assert len(numbers) == len(set(numbers))
    return {number: (world.total(number), world.paid(number)) for number in numbers}


@pytest.fixture
def days(world: Any) -> tuple[Any, Path, list[int], list[dict[str, Any]]]:
    """Yesterday two orders were posted; today one is refunded, and two more come in.

    The world, yesterday's backup, the orders, and the last state of each day: a bookmark is the
    time of the last order, which is read once more.
    """
    begin = datetime.now(UTC) - timedelta(days=3)  # the tap reads up to its own time
    world.control("POST", "clock", {"set": begin.isoformat()})
    orders = [world.place(), later(world)]
    yesterday = world.sync(told(world))[-1]
    kept = keep(world)
    tomorrow(world)
    world.change(orders[0], "refund", order_amount="4.00")
    orders += [world.place(), later(world)]
    today = world.sync(told(world, yesterday))[-1]
    assert [world.row(order).state for order in orders] == ["posted"] * 4
    return world, kept, orders, [yesterday, today]


def test_yesterday_s_ledger_with_today_s_bookmark_doubles_and_loses_nothing(days: Any) -> None:
    world, kept, orders, (_, today) = days
    books = standing(world)
    tomorrow(world)
    put_back(world, kept)
    new = world.place()
    messages = told(world, today)
    assert new in orders_in(messages)
    assert orders[2] not in orders_in(messages), "today's bookmark has passed it"

    code, _, log = world.run(messages)
    assert code == 1
    assert re.search(r"reconnect: \S*target-freshbooks-ctl login", log)
    assert "No order is lost" in log
    assert standing(world) == books

    log_in(world)
    code, _, log = world.run(messages)
    assert code == 0, log
    books[str(new)] = (D("11.00"), [D("11.00")])
    assert standing(world) == books

    found = world.ctl("verify")["findings"]
    assert str(orders[2]) in json.dumps(found), "the order that the ledger does not know"

    before = world.writes()
    code, _, log = world.run(told(world))  # anew, from start_date on
    assert (code, world.writes() - before) == (0, 0), log
    assert standing(world) == books
    refunded, *others = orders
    assert [world.row(order).state for order in (*others, new)] == ["posted"] * 4
    # What today's run wrote on its invoice, yesterday's ledger can but take for another's edit.
    assert world.row(refunded).reason == "edited_in_freshbooks"
    world.ctl("replay", "--overwrite", str(refunded))
    assert world.row(refunded).state == "posted"
    assert standing(world) == books
    assert {one["order_id"] for one in world.ctl("verify")["findings"]} <= {refunded}


def test_today_s_ledger_with_yesterday_s_bookmark_writes_nothing(days: Any) -> None:
    world, _, orders, (yesterday, _) = days
    books = standing(world)
    messages = told(world, yesterday)
    assert sorted(orders_in(messages)) == orders
    before = world.writes()
    code, _, log = world.run(messages)
    assert (code, world.writes() - before) == (0, 0), log
    assert standing(world) == books
    assert [world.row(order).state for order in orders] == ["posted"] * 4
    assert world.ctl("verify")["findings"] == []


def test_without_the_ledger_a_payment_that_a_refund_emptied_is_not_made_a_second_time(
    world: Any,
) -> None:
    order = world.place()
    refund = world.change(order, "refund", everything=True)["refunds"][-1]
    world.sync()
    assert world.paid(order) == [0]
    world.lose_ledger()
    world.change_and_sync(order, "decline_refund", refund_id=refund)
    assert sum(world.paid(order)) in (0, D("11.00"))
    assert len(world.payments(order)) == 1


def test_an_amount_that_searches_show_late_is_not_taken_for_somebody_s_change(world: Any) -> None:
    """A run just lowered a payment; the next finds it in a search as it was before."""
    order = world.synced()
    world.change_and_sync(order, "refund", order_amount="4.00")
    world.control("POST", "clock", {"advance_seconds": 3600})
    world.control("POST", "freshbooks/tokens/expire")
    world.switch(fb__stale_search_seconds=60)
    world.change_and_sync(order, "refund", order_amount="1.00")
    assert world.row(order).state == "posted"
    assert world.paid(order) == [D("6.00")]
    world.change_and_sync(order, "refund", order_amount="1.00")
    assert (world.row(order).state, world.paid(order)) == ("posted", [D("5.00")])


# -- what became of an order since the backup


def test_a_payment_of_today_that_was_moved_is_not_made_again_by_yesterday_s_ledger(
    world: Any,
) -> None:
    order, other = world.place(pay="authorize"), world.place(pay="authorize")
    world.sync()
    kept = keep(world)
    world.change_and_sync(order, "capture")
    (paid,) = world.payments(order)
    to = {"invoiceid": world.invoice(other)["id"]}
    world.put(f"payments/payments/{paid['id']}", {"payment": to})
    put_back(world, kept)
    log_in(world)
    world.sync()
    assert (world.paid(order), world.paid(other)) == ([], [D("11.00")])
    assert world.row(order).reason == "edited_in_freshbooks"


def test_a_refund_booked_apart_since_the_backup_is_not_booked_on_the_invoice_as_well(
    world: Any,
) -> None:
    world.settings |= {"closed_refunds": "correction"}
    order = world.synced(created="2026-10-05T12:00:00Z")
    kept = keep(world)
    world.settings["closed_through"] = "2026-10-31"
    world.change_and_sync(order, "refund", order_amount="4.00")
    assert len(world.books()["invoices"]) == 2
    books = standing(world)
    put_back(world, kept)
    log_in(world)
    del world.settings["closed_through"]
    world.sync()
    assert standing(world) == books
    assert world.row(order).state == "posted"
