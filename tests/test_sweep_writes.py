"""Runs killed, stopped, cut off and doubled at their writes; samples of the long sweeps."""

from __future__ import annotations

import json
import os
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sweeps import (
    books,
    closing,
    concurrent_runs,
    crash,
    scenario,
    sigterm,
    truncated_input,
)
from sweeps.runner import WRITES, stage

if TYPE_CHECKING:
    from pathlib import Path

REFUNDED = 1001


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the tap says of orders that need every kind of write, in two readings."""
    return scenario.record(tmp_path_factory.mktemp("scenario") / "shop")


@pytest.fixture(scope="module")
def closing_messages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Of orders whose month is closed before their money goes back, in three readings."""
    return closing.record(tmp_path_factory.mktemp("closing") / "shop")


@pytest.mark.more
def test_killed_at_some_writes_nothing_is_doubled_or_lost(
    tmp_path: Path, messages: list[Path], seed: int
) -> None:
    assert (
        crash.sweep(tmp_path, messages, seed=seed, every=False, some=3, pairs_=1, lost=1, refused=1)
        == []
    )


@pytest.mark.sweep
def test_killed_while_closed_months_are_corrected_nothing_is_doubled_or_lost(
    tmp_path: Path, closing_messages: list[Path], seed: int
) -> None:
    scene = closing.CLOSING
    assert (
        crash.sweep(
            tmp_path,
            closing_messages,
            scene=scene,
            seed=seed,
            every=False,
            some=3,
            pairs_=1,
            lost=1,
        )
        == []
    )


@pytest.mark.more
def test_asked_to_stop_a_run_finishes_its_step_and_its_state_is_true(
    tmp_path: Path, messages: list[Path], seed: int
) -> None:
    assert sigterm.sweep(tmp_path, messages, seed=seed, points=3) == []


@pytest.mark.more
def test_input_that_breaks_off_is_completed_by_the_next_run(
    tmp_path: Path, messages: list[Path], seed: int
) -> None:
    assert truncated_input.sweep(tmp_path, messages, seed=seed, every=45) == []


@pytest.mark.more
def test_of_two_runs_at_once_one_waits(tmp_path: Path, messages: list[Path]) -> None:
    assert concurrent_runs.sweep(tmp_path, messages, databases=("SQLite",), freeze=False) == []


@pytest.mark.sweep
def test_killed_while_searches_lag_nothing_is_doubled(
    tmp_path: Path, messages: list[Path], seed: int
) -> None:
    assert crash.sweep(tmp_path, messages, seed=seed, every=False, lagging=3) == []


@pytest.mark.more
def test_an_order_said_three_times_at_once_is_written_once(
    tmp_path: Path, messages: list[Path]
) -> None:
    said, beginning = list[str](), list[str]()
    for line in messages[0].read_text(encoding="utf-8").splitlines(keepends=True):
        message = json.loads(line)
        is_order = message["type"] == "RECORD" and message["stream"] == "orders"
        said += [] if message["type"] == "STATE" else [line] * (3 if is_order else 1)
        beginning = beginning or (said[:] if is_order else [])
    thrice, once = tmp_path / "thrice.jsonl", tmp_path / "once.jsonl"
    thrice.write_text("".join(said), encoding="utf-8")
    once.write_text("".join(beginning), encoding="utf-8")
    with stage(tmp_path, messages[:1], max_parallel_orders=4) as on:
        on.begin()
        on.run(0)
        wanted = Counter(row["kind"] for row in on.writes())
        on.begin()
        slow = {**WRITES, "kind": "slow", "delay_ms": 60, "times": None}
        on.sandbox.tell("POST", "faults", slow)
        on.sandbox.count_anew()
        assert on.feed(once) == 0, on.log()[-3000:]
        assert on.writes(), "the first order is posted, and from now on none waits for a list"
        assert on.feed(thrice) == 0, on.log()[-3000:]
        assert Counter(row["kind"] for row in on.writes()) == wanted
        assert sum(on.sandbox.writes().values()) == sum(wanted.values()), "some were refused"


@pytest.mark.more
def test_a_credit_note_that_searches_do_not_show_is_not_given_twice(
    tmp_path: Path, messages: list[Path]
) -> None:
    with stage(tmp_path, messages, **scenario.SETTINGS) as on:
        on.begin()
        on.run(0)
        standing = on.books()
        assert standing.credit_notes
        on.sandbox.tell("PUT", "switches", {"fb.stale_search_seconds": 3600})
        on.configure(settle_seconds=0)
        on.forget_settled()
        on.run(0)
        again = on.books()
        assert again.credit_notes == standing.credit_notes
        assert "parked" not in on.standings().values()


def test_parts_without_their_order_are_not_booked(tmp_path: Path, messages: list[Path]) -> None:
    """The second reading up to an order's refunds; the order itself does not come any more."""
    said = []
    for line in messages[1].read_text(encoding="utf-8").splitlines(keepends=True):
        message = json.loads(line)
        if message.get("stream") == "orders" and message.get("record", {}).get("id") == REFUNDED:
            break
        said.append(line)
    assert any(json.loads(line).get("stream") == "refunds" for line in said)
    cut_off = tmp_path / "cut.jsonl"
    cut_off.write_text("".join(said), encoding="utf-8")
    with stage(tmp_path, messages, **scenario.SETTINGS) as on:
        on.begin()
        on.run(0)
        standing = books.of_orders(on.books(), {str(REFUNDED)})
        assert on.feed(cut_off) == 0
        assert books.of_orders(on.books(), {str(REFUNDED)}) == standing


@pytest.mark.more
def test_what_is_sent_comes_to_its_order_s_total_though_freshbooks_rounds_otherwise(
    tmp_path: Path, messages: list[Path]
) -> None:
    said = [json.loads(line) for line in messages[0].read_text(encoding="utf-8").splitlines()]
    orders = [one["record"] for one in said if one.get("stream") == "orders" and "record" in one]
    totals = {str(order["id"]): Decimal(order["total_inc_tax"]) for order in orders}
    with stage(tmp_path, messages, switches=scenario.SWITCHES, **scenario.SETTINGS) as on:
        on.begin()
        on.run(0)
        sent = [row for row in on.sandbox.ask("books")["invoices"] if row["v3_status"] != "draft"]
        amounts = {row["invoice_number"]: Decimal(row["amount"]["amount"]) for row in sent}
        assert on.kinds()["update_invoice"] == 1, "one Draft had to be mended"
        history = [row for row in on.writes() if "/invoices/invoices" in row["path"]]
        for row in sent:
            changes = [one for one in history if one["object_id"] == str(row["id"])]
            assert "action_mark_as_sent" in str(changes[-1]["body"]), "mended after it was sent"
        assert len(amounts) == len(orders)
        assert amounts == totals


@pytest.mark.sweep
def test_a_frozen_run_that_was_taken_over_writes_no_more(
    tmp_path: Path, messages: list[Path]
) -> None:
    assert concurrent_runs.sweep(tmp_path, messages, databases=("SQLite",), freeze=True) == []


@pytest.mark.sweep
def test_killed_at_every_write_nothing_is_doubled_or_lost(
    tmp_path: Path, messages: list[Path], seed: int
) -> None:
    assert (
        crash.sweep(
            tmp_path,
            messages,
            seed=seed,
            every=True,
            pairs_=500,
            lost=60,
            lagging=60,
            refused=40,
            at_once=os.cpu_count() or 1,
        )
        == []
    )


@pytest.mark.sweep
def test_killed_at_every_write_of_corrections_and_stored_value_nothing_is_doubled_or_lost(
    tmp_path: Path, closing_messages: list[Path], seed: int
) -> None:
    assert (
        crash.sweep(
            tmp_path,
            closing_messages,
            scene=closing.CLOSING,
            seed=seed,
            every=True,
            pairs_=60,
            lost=40,
            lagging=20,
            at_once=os.cpu_count() or 1,
        )
        == []
    )


@pytest.mark.sweep
def test_asked_to_stop_at_twenty_points_every_state_is_true(
    tmp_path: Path, messages: list[Path], seed: int
) -> None:
    assert sigterm.sweep(tmp_path, messages, seed=seed, points=20) == []


@pytest.mark.sweep
def test_input_cut_at_every_line_is_completed_by_the_next_run(
    tmp_path: Path, messages: list[Path], seed: int
) -> None:
    assert truncated_input.sweep(tmp_path, messages, seed=seed, every=1) == []


@pytest.mark.sweep
def test_two_runs_at_once_and_a_frozen_one_on_both_databases(
    tmp_path: Path, messages: list[Path]
) -> None:
    databases = ("SQLite", "PostgreSQL")
    assert concurrent_runs.sweep(tmp_path, messages, databases=databases, freeze=True) == []
