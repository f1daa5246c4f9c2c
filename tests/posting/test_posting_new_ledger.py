"""A state that remembers the shop's small tables, and a ledger that has never seen the shop."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any


def told(world: Any, state: dict[str, Any] | None = None) -> str:
    """What the tap says of the shop; nothing is looked back for."""
    said: str = world.messages(state, lookback_seconds=0)
    return said


def streams_in(messages: str) -> set[str]:
    """The streams that messages have records of."""
    said = [json.loads(line) for line in messages.splitlines()]
    return {one["stream"] for one in said if one["type"] == "RECORD"}


def test_a_ledger_that_was_lost_has_the_store_s_day_from_the_next_run_on(world: Any) -> None:
    night = datetime.now(UTC).replace(hour=2, minute=30) - timedelta(days=3)
    world.control("POST", "clock", {"set": night.isoformat()})
    first = world.place()
    state = world.sync(told(world))[-1]
    world.lose_ledger()
    world.control("POST", "clock", {"advance_seconds": 60})
    order = world.place()
    messages = told(world, state)
    assert "currencies" not in streams_in(messages), "the state remembers that it was read today"
    assert "store" in streams_in(messages)

    world.sync(messages)
    assert [world.row(one).state for one in (first, order)] == ["posted", "posted"]
    the_day_before = (night - timedelta(days=1)).date().isoformat()  # it is evening in New York
    days = {invoice["create_date"] for invoice in world.books()["invoices"]}
    assert (len(world.books()["invoices"]), days) == (2, {the_day_before})
