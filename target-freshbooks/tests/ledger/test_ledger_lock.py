"""One run per account: who holds it, who must wait, who is told of whom, who must stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import locks
from sqlalchemy import text
from target_freshbooks.ledger import (
    AccountLock,
    Intent,
    Ledger,
    LedgerError,
    Link,
    LockHeld,
    LockLost,
    OrderRow,
    lock,
)

from pooler import pgbouncer

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from conftest import SteppingClock

HOLD = """
import sys
from target_freshbooks.ledger import Ledger
ledger = Ledger.open(sys.argv[1], source="shop")
with ledger.locks.hold("ACC1", sys.argv[2], wait_seconds=float(sys.argv[3])) as lock:
    print("holds", flush=True)
    sys.stdin.readline()
    lock.check()
ledger.dispose()
"""

WRITE = """
import sys
from target_freshbooks.ledger import Ledger, lock
lock.FRESH_SECONDS = 0.2
ledger = Ledger.open(sys.argv[1], source="shop")
with ledger.locks.hold("ACC1", "run-1", wait_seconds=0) as held:
    ledger.intents.open(lock=held, order_id=7, kind="create_invoice", key="7", request_hash="h",
                  payload={}, run_id="run-1")
    print("committed", flush=True)
    sys.stdin.readline()
    held.check()
    print("sent", flush=True)
"""


def alter_token(ledger: Ledger) -> None:
    """Another run took the account while this one did not know that its session had ended."""
    with ledger.scope.database.write() as connection:
        connection.execute(text("UPDATE ledger_locks SET token = 'x', holder = 'run-2 elsewhere'"))


def end_session(ledger: Ledger) -> None:
    """End the PostgreSQL session that holds the account, as a restart of the server would."""
    with ledger.scope.database.read() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        )


def intend(ledger: Ledger, held: AccountLock) -> Intent:
    write: dict[str, Any] = {"order_id": 7, "kind": "create_invoice", "key": "7"}
    return ledger.intents.open(lock=held, **write, request_hash="h", payload={}, run_id="run-1")


def started(program: subprocess.Popen[str], word: str) -> None:
    assert program.stdout is not None
    assert program.stdout.readline() == f"{word}\n"


def test_an_account_is_held_for_the_block_and_given_back(ledger: Ledger) -> None:
    assert not ledger.locks.is_held("ACC1")
    with ledger.locks.hold("ACC1", "run-1", wait_seconds=0) as held:
        held.check()
        assert ledger.locks.is_held("ACC1")
        assert not ledger.locks.is_held("ACC2")
    assert not ledger.locks.is_held("ACC1")


def test_an_account_is_given_back_after_an_error_too(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), ledger.locks.hold("ACC1", "run-1", wait_seconds=0):
        raise RuntimeError
    assert not ledger.locks.is_held("ACC1")


def test_a_second_run_is_told_who_holds_the_account_since_when(
    ledger: Ledger, clock: SteppingClock
) -> None:
    clock.now = clock.now.replace(hour=13)
    with (
        ledger.locks.hold("ACC1", "run-1", wait_seconds=0),
        pytest.raises(LockHeld) as no,
        ledger.locks.hold("ACC1", "run-2", wait_seconds=0),
    ):
        pass
    assert "Another run works on FreshBooks account ACC1: run-1 (process " in str(no.value)
    assert f"(process {os.getpid()} on " in str(no.value)
    assert "since 2026-11-02 13:00:01 UTC" in str(no.value)


def test_another_account_is_free(ledger: Ledger) -> None:
    with (
        ledger.locks.hold("ACC1", "run-1", wait_seconds=0),
        ledger.locks.hold("ACC2", "run-2", wait_seconds=0) as other,
    ):
        other.check()


def test_two_shops_that_feed_one_account_exclude_each_other(
    ledger: Ledger, ledger_url: str, clock: SteppingClock
) -> None:
    with (
        Ledger.open(ledger_url, source="other", clock=clock) as other,
        ledger.locks.hold("ACC1", "run-1", wait_seconds=0),
        pytest.raises(LockHeld),
        other.locks.hold("ACC1", "run-2", wait_seconds=0),
    ):
        pass


def test_a_waiting_run_says_for_whom_polls_and_gives_up_after_its_time(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    naps: list[float] = []
    with (
        caplog.at_level(logging.WARNING),
        ledger.locks.hold("ACC1", "run-1", wait_seconds=0),
        pytest.raises(LockHeld, match="Waited 3 s"),
        ledger.locks.hold("ACC1", "run-2", wait_seconds=3.2, sleep=naps.append),
    ):
        pass
    assert sum(naps) == pytest.approx(3.2)
    assert max(naps) <= locks.POLL_SECONDS
    assert caplog.text.count("Waiting for run-1 (process") == 1


def test_a_waiting_run_goes_on_as_soon_as_the_account_is_free(ledger: Ledger) -> None:
    first = ledger.locks.hold("ACC1", "run-1", wait_seconds=0)
    first.__enter__()
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            first.__exit__(None, None, None)

    with ledger.locks.hold("ACC1", "run-2", wait_seconds=60, sleep=sleep) as held:
        held.check()
    assert len(naps) == 2


def test_a_killed_run_s_place_is_free_at_once(
    ledger: Ledger, ledger_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    holder = start_program(HOLD, ledger_url, "run-1", 0)
    started(holder, "holds")
    assert ledger.locks.is_held("ACC1")
    holder.kill()
    holder.wait()
    began = time.monotonic()
    with ledger.locks.hold("ACC1", "run-2", wait_seconds=60) as held:
        held.check()
    assert time.monotonic() - began < 3


def test_a_frozen_run_is_not_taken_over_but_named_and_goes_on_when_it_wakes(
    ledger: Ledger, ledger_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    holder = start_program(HOLD, ledger_url, "run-1", 0)
    started(holder, "holds")
    os.kill(holder.pid, signal.SIGSTOP)
    with (
        pytest.raises(LockHeld, match=rf"run-1 \(process {holder.pid} on .* If it is frozen, end"),
        ledger.locks.hold("ACC1", "run-2", wait_seconds=1),
    ):
        pass
    os.kill(holder.pid, signal.SIGCONT)
    _, errors = holder.communicate("go\n", timeout=60)
    assert holder.returncode == 0, errors


def test_of_many_runs_that_start_at_once_one_works_at_a_time(
    ledger: Ledger, ledger_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    runs = [start_program(HOLD, ledger_url, f"run-{number}", 0) for number in range(4)]
    outcomes = []
    winner = None
    for run in runs:
        assert run.stdout is not None
        outcomes.append(run.stdout.readline())
        if outcomes[-1] == "holds\n":
            winner = run
    assert sorted(outcomes) == ["", "", "", "holds\n"]
    assert winner is not None
    _, errors = winner.communicate("go\n", timeout=60)
    assert winner.returncode == 0, errors
    assert not ledger.locks.is_held("ACC1")


def test_no_intent_is_committed_once_another_run_has_the_account(ledger: Ledger) -> None:
    with ledger.locks.hold("ACC1", "run-1", wait_seconds=0) as held:
        intend(ledger, held)
        alter_token(ledger)
        with pytest.raises(LockLost, match=r"run-1\) no longer holds .* run-2 elsewhere, since "):
            intend(ledger, held)
    assert len(ledger.intents.still_open()) == 1
    assert len(list(ledger.audit.rows())) == 1


def test_no_verdict_and_no_link_is_stored_once_another_run_has_the_account(ledger: Ledger) -> None:
    link, row = Link("invoice", "7", 70, order_id=7), OrderRow(7, "posted", run_id="run-1")
    with ledger.locks.hold("ACC1", "run-1", wait_seconds=0):
        ledger.orders.record(row)
        ledger.links.put(link)
        alter_token(ledger)
        late = replace(link, remote_id=71)
        for write in (
            partial(ledger.orders.record, replace(row, state="parked")),
            partial(ledger.orders.note_paid_by_hand, 7, Decimal(3)),
            partial(ledger.links.put, late),
            partial(ledger.links.adopt, [late], order_id=7, run_id="run-1", data={}),
            partial(ledger.links.drop, "invoice", "7"),
            partial(ledger.links.drop_remote, "invoice", 70),
            partial(ledger.links.drop_kind, "invoice"),
        ):
            with pytest.raises(LockLost, match="run-2 elsewhere"):
                write()
    stored = ledger.orders.get(7)
    assert stored is not None
    assert (stored.state, stored.paid_by_hand) == ("posted", None)
    assert ledger.links.get("invoice", "7") == link


def test_what_is_put_off_is_dropped_once_another_run_has_the_account(ledger: Ledger) -> None:
    with ledger.locks.hold("ACC1", "run-1", wait_seconds=0):
        alter_token(ledger)
        ledger.links.put_soon(Link("invoice", "7", 70, order_id=7))
        with pytest.raises(LockLost, match="run-2 elsewhere"):
            ledger.flush()
        ledger.runs.start("run-1", "1.0")
    ledger.flush()
    assert ledger.links.get("invoice", "7") is None
    assert [run.run_id for run in ledger.runs.latest()] == ["run-1"]


def test_a_request_may_leave_for_five_seconds_and_then_the_token_is_looked_at_anew(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 1000.0
    monkeypatch.setattr(lock, "_uptime", lambda: passed)
    with ledger.locks.hold("ACC1", "run-1", wait_seconds=0) as held:
        intend(ledger, held)
        alter_token(ledger)
        passed += 5
        held.check()
        passed += 0.1
        with pytest.raises(LockLost, match="no longer holds FreshBooks account ACC1"):
            held.check()


def test_an_intent_of_one_worker_lets_no_request_of_another_leave(ledger: Ledger) -> None:
    refused = []
    with ledger.locks.hold("ACC1", "run-1", wait_seconds=0) as held:

        def work() -> None:
            with pytest.raises(LockLost):
                held.check()
            refused.append(True)

        intend(ledger, held)
        alter_token(ledger)
        other = threading.Thread(target=work, daemon=True)
        other.start()
        other.join(20)
    assert refused


def test_a_run_whose_postgresql_session_has_ended_goes_on_until_another_has_the_account(
    postgresql_url: str, clock: SteppingClock
) -> None:
    with (
        Ledger.open(postgresql_url, source="shop", clock=clock) as ledger,
        ledger.locks.hold("ACC1", "run-1", wait_seconds=0) as held,
    ):
        end_session(ledger)
        first = intend(ledger, held)
        with Ledger.open(postgresql_url, source="shop", clock=clock) as other:
            with other.locks.hold("ACC1", "run-2", wait_seconds=20) as heir:
                heir.check()
            with pytest.raises(LockLost, match=r"run-2 \(process"):
                intend(ledger, held)
        assert [intent.id for intent in ledger.intents.still_open()] == [first.id]


def test_a_postgresql_run_stopped_between_commit_and_request_sends_nothing_once_replaced(
    postgresql_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    with Ledger.open(postgresql_url, source="shop") as ledger:
        frozen = start_program(WRITE, postgresql_url)
        started(frozen, "committed")
        os.kill(frozen.pid, signal.SIGSTOP)
        with (
            pytest.raises(LockHeld, match=f"process {frozen.pid} on"),
            ledger.locks.hold("ACC1", "run-2", wait_seconds=0.3),
        ):
            pass
        end_session(ledger)
        with ledger.locks.hold("ACC1", "run-2", wait_seconds=20):
            os.kill(frozen.pid, signal.SIGCONT)
            said, errors = frozen.communicate("go\n", timeout=60)
        assert said == ""
        assert "LockLost: This run (run-1) no longer holds FreshBooks account ACC1" in errors


def test_a_run_stopped_between_commit_and_request_and_not_replaced_sends_it(
    ledger: Ledger, ledger_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    frozen = start_program(WRITE, ledger_url)
    started(frozen, "committed")
    os.kill(frozen.pid, signal.SIGSTOP)
    time.sleep(0.3)  # longer than the request may leave without a look at the token
    os.kill(frozen.pid, signal.SIGCONT)
    said, errors = frozen.communicate("go\n", timeout=60)
    assert said == "sent\n", errors
    assert len(ledger.intents.still_open()) == 1


def test_a_ledger_where_no_lock_holds_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts.write_text(f"36 35 {number} / /mnt rw,noatime master:1 - nfs4 server:/export rw\n")
    monkeypatch.setattr(locks, "_MOUNTS", mounts)
    with (
        Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite", source="shop") as ledger,
        pytest.raises(LedgerError, match=r"type nfs4, .* PostgreSQL \(postgresql://"),
        ledger.locks.hold("ACC1", "run-1", wait_seconds=0),
    ):
        pass


def test_a_postgresql_ledger_behind_a_transaction_pooler_is_refused_with_the_way_out(
    postgresql_url: str,
) -> None:
    Ledger.open(postgresql_url, source="shop").dispose()
    with ExitStack() as stack:
        try:
            pooled = stack.enter_context(pgbouncer(postgresql_url, "transaction"))
        except FileNotFoundError as absent:
            pytest.skip(str(absent))
        ledger = stack.enter_context(Ledger.open(pooled, source="shop"))
        for _ in range(3):
            with (
                pytest.raises(LedgerError, match=r"a pooler's, .* use the direct address of the"),
                ledger.locks.hold("ACC1", "run-1", wait_seconds=0),
            ):
                pass
        direct = stack.enter_context(Ledger.open(postgresql_url, source="shop"))
        assert not direct.locks.is_held("ACC1")
