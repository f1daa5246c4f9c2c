"""`replay` says what it did: nothing in a dry run, and nothing for orders that are not there."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from target_freshbooks.ctl.context import not_in_ledger


def events(world: Any, event: str) -> list[int | None]:
    """The orders of the journal's rows of an event."""
    with world.ledger() as ledger:
        return [row.order_id for row in ledger.audit.rows() if row.event == event]


@pytest.mark.parametrize("which", ["named", "since"])
def test_replay_in_a_dry_run_tells_what_would_be_written_and_writes_nothing(
    world: Any, which: str
) -> None:
    order = world.synced()
    (payment,) = world.payments(order)
    world.put(f"payments/payments/{payment['id']}", {"payment": {"vis_state": 1}})
    orders = [str(order)] if which == "named" else ["--since", "2020-01-01"]
    world.settings["dry_run"] = True
    before = world.writes()
    told = world.ctl("replay", *orders, "--overwrite")
    assert (world.writes() - before, world.code) == (0, 0)
    (plan,) = told["plans"]
    assert [step["kind"] for step in plan["steps"]] == ["create_payment"]
    assert (told["dry_run"], told["replayed"], told["planned_writes"]) == (True, 0, 1)
    assert events(world, "replayed") == []
    world.settings["dry_run"] = False
    assert world.ctl("replay", *orders, "--overwrite")["writes"] == 1
    assert events(world, "replayed") == [order]


def test_replay_in_a_dry_run_tells_an_order_whose_record_cannot_be_understood(world: Any) -> None:
    order = world.place()
    total = re.compile(r'("total_inc_tax": ?)"11\.0+"')
    world.sync(total.sub(r'\1"eleven"', world.messages()))
    assert world.row(order).reason == "unreadable_record"
    world.settings["dry_run"] = True
    (plan,) = world.ctl("replay", "--parked")["plans"]
    assert (plan["outcome"], plan["reason"]) == ("parked", "unreadable_record")


def test_replay_of_an_order_never_seen_says_so_and_replays_the_others(world: Any) -> None:
    order = world.synced()
    told = world.ctl("replay", "99999", str(order))
    assert (world.code, told["not_in_ledger"], told["replayed"]) == (1, [99999], 1)
    told = world.ctl("replay", "99999")
    assert (world.code, told["not_in_ledger"], told["replayed"]) == (1, [99999], 0)
    assert events(world, "replayed") == [order]


def test_what_replay_says_of_an_order_never_seen_tells_what_to_do() -> None:
    said = not_in_ledger([99999, 99998])
    assert "Not in the ledger: 99999, 99998." in said
    assert "order_ids" in said


def test_replay_since_a_day_passes_over_orders_whose_bodies_are_gone(world: Any) -> None:
    order = world.synced()
    with world.ledger() as ledger:
        assert ledger.retention.prune(timedelta(0)) == 1
    told = world.ctl("replay", "--since", "2020-01-01")
    assert (world.code, told["not_in_ledger"], told["replayed"]) == (0, [order], 0)
    world.ctl("replay", str(order))
    assert world.code == 1
