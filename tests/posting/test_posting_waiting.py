"""An order that waits for a setting is taken up again once that setting is another."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

OLD = {"created": "2026-10-05T12:00:00+00:00"}
SOLD_BY_EBAY = {
    "external_source": "ebay",
    "lines": [{"name": "Mug", "sku": "MUG", "price": "10.00"}],
}

CASES: list[tuple[dict[str, Any], dict[str, str], str]] = [
    (OLD, {"invoice_start_date": "2026-11-01"}, "before_start_date"),
    ({"status_id": 10}, {"paid_status_ids": "[2]"}, "status_10"),
    ({}, {"exclude_orders": '[{"sku": "MUG"}]'}, "excluded_order"),
    (SOLD_BY_EBAY, {"exclude_external_sources": '["ebay"]'}, "excluded_source"),
    (SOLD_BY_EBAY, {"marketplace_sources": '{"ebay": "skip"}'}, "marketplace"),
]


def nothing_of(messages: str) -> str:
    """The same messages without any record: nothing changed in the shop."""
    return "".join(
        f"{line}\n" for line in messages.splitlines() if json.loads(line)["type"] != "RECORD"
    )


def asked(world: Any) -> int:
    return sum(row["count"] for row in world.requests() if row["side"] == "freshbooks")


@pytest.mark.parametrize(("order", "settings", "reason"), CASES, ids=[case[2] for case in CASES])
def test_what_waited_for_a_setting_is_booked_once_it_is_another(
    world: Any, order: dict[str, Any], settings: dict[str, str], reason: str
) -> None:
    number = world.place(**order)
    cart = world.place(status_id=0, pay=None)
    world.sync(**settings)
    assert (world.row(number).state, world.row(number).reason) == ("waiting", reason)
    idle = nothing_of(world.messages())
    world.settings.clear()
    seen = world.row(cart)
    world.sync(idle)
    assert world.row(number).state == "posted"
    assert len(world.invoices(number)) == 1
    assert world.row(cart) == seen, "no setting bills it, so it is not looked at"


def test_an_order_that_still_waits_is_looked_at_once(world: Any) -> None:
    number = world.place(**OLD)
    world.sync(invoice_start_date="2026-12-01")
    idle = nothing_of(world.messages())
    world.sync(idle, invoice_start_date="2026-11-01")
    assert world.row(number).reason == "before_start_date"
    seen, requests = world.row(number), asked(world)
    world.sync(idle)
    world.sync(idle)
    assert world.row(number) == seen
    assert world.target.tally.unchanged == 0, "it is not even taken up"
    assert asked(world) - requests <= 2, "a run asks who is logged in, and nothing else"


def test_a_dry_run_shows_it_once_and_changes_nothing(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    number, other = world.place(**OLD), world.place(**OLD)
    world.sync(invoice_start_date="2026-11-01")
    before = [world.row(one) for one in (number, other)]
    messages = world.messages()
    only = "".join(
        f"{line}\n"
        for line in messages.splitlines()
        if json.loads(line).get("record", {}).get("id") != number
    )
    caplog.clear()
    world.sync(only, invoice_start_date="2026-10-01", dry_run=True)
    assert "Of 2 orders 2 would be posted" in caplog.text
    assert [world.row(one) for one in (number, other)] == before
    assert world.writes() == 0
    world.sync(only, dry_run=False)
    assert {world.row(one).state for one in (number, other)} == {"posted"}


def test_one_whose_records_were_dropped_is_left_without_a_word_until_it_comes_again(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    number = world.place(**OLD)
    world.sync(invoice_start_date="2026-11-01")
    with world.ledger() as ledger:
        ledger.retention.prune(timedelta(days=-1))
    messages = world.messages()
    caplog.clear()
    world.sync(nothing_of(messages), invoice_start_date="2026-10-01")
    assert world.row(number).state == "waiting"
    assert f"Order {number}" not in caplog.text
    world.sync(messages)
    assert world.row(number).state == "posted"
