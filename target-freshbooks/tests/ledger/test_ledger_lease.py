"""One run per account: who holds the lease, who must wait, who takes over, who must stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from target_freshbooks.ledger import LeaseHeld, LeaseLost, Ledger, LedgerError, lease, process

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from conftest import SteppingClock

HOLD = """
import sys
from target_freshbooks.ledger import Ledger
ledger = Ledger.open(sys.argv[1], source="shop")
with ledger.lease("ACC1", sys.argv[2], wait_seconds=float(sys.argv[3])) as lease:
    lease.check()
    print("holds", flush=True)
    sys.stdin.readline()
    lease.check()
ledger.dispose()
"""


def alter(ledger: Ledger, change: str) -> None:
    with ledger._database.write() as connection:
        connection.execute(text(f"UPDATE ledger_leases SET {change}"))  # noqa: S608 - the test's own


def row(ledger: Ledger) -> dict[str, Any] | None:
    with ledger._database.read() as connection:
        found = connection.execute(text("SELECT * FROM ledger_leases")).one_or_none()
        return None if found is None else dict(found._mapping)


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, "it did not happen in time"
        threading.Event().wait(0.02)


class Waiting:
    """Time that passes only while a run waits, and a database's clock that somebody may set."""

    def __init__(self) -> None:
        self.waited = 0.0
        self.set_by = 0.0
        self.beats: list[tuple[float, Callable[[], None]]] = []

    def uptime(self) -> float:
        return 1000 + self.waited

    def now_ms(self, _connection: object = None) -> int:
        return 1_800_000_000_000 + round((self.waited + self.set_by) * 1000)

    def beat(self, every: float, how: Callable[[], None]) -> None:
        """Somebody elsewhere goes on beating."""
        self.beats = [(every * count, how) for count in range(1, 100)]

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        while self.beats and self.beats[0][0] <= self.waited:
            self.beats.pop(0)[1]()


@pytest.fixture
def waiting(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    time_of_its_own = Waiting()
    monkeypatch.setattr(process, "uptime", time_of_its_own.uptime)
    monkeypatch.setattr(ledger._database, "now_ms", time_of_its_own.now_ms)
    return time_of_its_own


def leave_behind(ledger: Ledger, **changes: str) -> None:
    """Leave the lease of a holder that stopped without giving it back."""
    with ledger.lease("ACC1", "former", wait_seconds=0):
        with ledger._database.read() as connection:
            connection.execute(text("SELECT 1"))
        kept = row(ledger)
    assert kept is not None
    kept |= changes
    names = ", ".join(kept)
    places = ", ".join(f":{name}" for name in kept)
    with ledger._database.write() as connection:
        connection.execute(
            text(f"INSERT INTO ledger_leases ({names}) VALUES ({places})"),  # noqa: S608 - columns
            kept,
        )


def test_a_lease_is_held_for_the_block_and_given_back(ledger: Ledger) -> None:
    with ledger.lease("ACC1", "run-1", wait_seconds=0) as held:
        held.check()
        found = row(ledger)
        assert found is not None
        assert (found["holder"], found["pid"]) == ("run-1", os.getpid())
    assert row(ledger) is None


def test_a_lease_is_given_back_after_an_error_too(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), ledger.lease("ACC1", "run-1", wait_seconds=0):
        raise RuntimeError
    assert row(ledger) is None


def test_a_second_run_is_told_who_holds_the_account_since_when(ledger: Ledger) -> None:
    with (
        ledger.lease("ACC1", "run-1", wait_seconds=0),
        pytest.raises(
            LeaseHeld, match=r"Another run works on FreshBooks account ACC1: run-1"
        ) as no,
        ledger.lease("ACC1", "run-2", wait_seconds=0),
    ):
        pass
    assert (no.value.holder, no.value.pid) == ("run-1", os.getpid())
    assert abs(no.value.since.timestamp() - time.time()) < 60
    assert f"process {os.getpid()}" in str(no.value)


def test_another_account_is_free(ledger: Ledger) -> None:
    with (
        ledger.lease("ACC1", "run-1", wait_seconds=0),
        ledger.lease("ACC2", "run-2", wait_seconds=0) as other,
    ):
        other.check()


def test_two_shops_that_feed_one_account_exclude_each_other(
    ledger: Ledger, ledger_url: str, clock: SteppingClock
) -> None:
    with (
        Ledger.open(ledger_url, source="other", clock=clock) as other,
        ledger.lease("ACC1", "run-1", wait_seconds=0),
        pytest.raises(LeaseHeld),
        other.lease("ACC1", "run-2", wait_seconds=0),
    ):
        pass


def test_a_waiting_run_polls_and_gives_up_after_its_time(ledger: Ledger) -> None:
    naps: list[float] = []
    with (
        ledger.lease("ACC1", "run-1", wait_seconds=0),
        pytest.raises(LeaseHeld, match="Waited 3 s"),
        ledger.lease("ACC1", "run-2", wait_seconds=3.2, sleep=naps.append),
    ):
        pass
    assert sum(naps) == pytest.approx(3.2)
    assert max(naps) <= lease.POLL_SECONDS


def test_a_waiting_run_goes_on_as_soon_as_the_account_is_free(ledger: Ledger) -> None:
    first = ledger.lease("ACC1", "run-1", wait_seconds=0)
    first.__enter__()
    naps: list[float] = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            first.__exit__(None, None, None)

    with ledger.lease("ACC1", "run-2", wait_seconds=60, sleep=sleep) as held:
        held.check()
    assert len(naps) == 2


def test_the_heartbeat_goes_on_while_the_lease_is_held(ledger: Ledger) -> None:
    with ledger.lease("ACC1", "run-1", wait_seconds=0, heartbeat=0.02, takeover_after=10) as held:
        until(lambda: (row(ledger) or {})["beat"] >= 3)
        held.check()
    assert not [thread for thread in threading.enumerate() if thread.name == "lease-heartbeat"]


def test_the_lease_of_a_killed_process_is_taken_over_at_once(
    ledger: Ledger, ledger_url: str, start_process: Callable[..., subprocess.Popen[str]]
) -> None:
    holder = start_process(HOLD, ledger_url, "run-1", 0)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holds\n"
    with pytest.raises(LeaseHeld), ledger.lease("ACC1", "run-2", wait_seconds=0):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    until(lambda: process.is_gone(process.Process("", process._machine(), holder.pid, "")))
    naps: list[float] = []
    with ledger.lease("ACC1", "run-2", wait_seconds=60, sleep=naps.append) as held:
        held.check()
    assert naps == [], "it is seen that the process is gone; there is nothing to wait for"
    (taken,) = ledger.audit_rows()
    assert (taken.event, taken.run_id) == ("lease_taken", "run-2")
    assert (taken.data["former_holder"], taken.data["former_pid"]) == ("run-1", holder.pid)


def test_a_hung_holder_is_overtaken_and_stops_when_it_wakes(
    ledger: Ledger, ledger_url: str, start_process: Callable[..., subprocess.Popen[str]]
) -> None:
    program = HOLD.replace(
        "wait_seconds=float(sys.argv[3])", "wait_seconds=0, heartbeat=0.1, takeover_after=2.5"
    )
    holder = start_process(program, ledger_url, "run-1")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holds\n"
    os.kill(holder.pid, signal.SIGSTOP)
    try:
        with ledger.lease(
            "ACC1", "run-2", wait_seconds=30, takeover_after=2.5, heartbeat=0.1
        ) as it:
            os.kill(holder.pid, signal.SIGCONT)
            _, errors = holder.communicate("go\n", timeout=60)
            assert "LeaseLost" in errors
            it.check()
            found = row(ledger)
            assert found is not None
            assert found["holder"] == "run-2", "the former holder gave back what was not its own"
    finally:
        holder.kill()


def test_of_many_runs_that_start_at_once_one_works_at_a_time(
    ledger: Ledger, ledger_url: str, start_process: Callable[..., subprocess.Popen[str]]
) -> None:
    runs = [start_process(HOLD, ledger_url, f"run-{number}", 0) for number in range(4)]
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
    assert row(ledger) is None


def test_a_fresh_heartbeat_from_another_machine_is_respected(ledger: Ledger) -> None:
    leave_behind(ledger, machine="elsewhere", host="elsewhere")
    with (
        pytest.raises(LeaseHeld, match="on elsewhere"),
        ledger.lease("ACC1", "run-2", wait_seconds=0),
    ):
        pass


def test_a_process_of_that_number_on_another_machine_proves_nothing(ledger: Ledger) -> None:
    leave_behind(ledger, machine="elsewhere", pid=str(2**22 + 1))
    with pytest.raises(LeaseHeld), ledger.lease("ACC1", "run-2", wait_seconds=0):
        pass


@pytest.mark.parametrize("age", [10.5, 3600])
def test_an_old_heartbeat_from_another_machine_is_taken_over_when_no_next_one_comes(
    ledger: Ledger, waiting: Waiting, age: float
) -> None:
    leave_behind(ledger, machine="elsewhere")
    waiting.set_by = age
    with ledger.lease("ACC1", "run-2", wait_seconds=0, sleep=waiting.sleep) as held:
        held.check()
    assert 5 < waiting.waited < 6


@pytest.mark.parametrize(("age", "taken_after"), [(0, 9), (3, 6), (8, 5)])
def test_the_lease_of_a_run_killed_elsewhere_is_taken_within_ten_seconds_of_its_last_heartbeat(
    ledger: Ledger, waiting: Waiting, age: float, taken_after: float
) -> None:
    leave_behind(ledger, machine="elsewhere")
    waiting.set_by = age
    with ledger.lease("ACC1", "run-2", wait_seconds=60, sleep=waiting.sleep) as held:
        held.check()
    assert taken_after < waiting.waited <= taken_after + lease.POLL_SECONDS


@pytest.mark.parametrize("step", [20, 3600, -20, -3600])
@pytest.mark.parametrize("wait_seconds", [0, 40])
def test_a_clock_that_is_set_does_not_end_the_lease_of_a_run_that_beats(
    ledger: Ledger, waiting: Waiting, step: int, wait_seconds: int
) -> None:
    leave_behind(ledger, machine="elsewhere")
    waiting.set_by = step
    waiting.beat(2, lambda: alter(ledger, f"beat = beat + 1, heartbeat_ms = {waiting.now_ms()}"))
    with (
        pytest.raises(LeaseHeld),
        ledger.lease("ACC1", "run-2", wait_seconds=wait_seconds, sleep=waiting.sleep),
    ):
        pass
    assert waiting.waited == max(wait_seconds, 2), "one beat tells that somebody is there"


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_moving_heartbeat_is_never_taken_over_whatever_the_clocks_say(
    ledger: Ledger, waiting: Waiting, step: int
) -> None:
    leave_behind(ledger, machine="elsewhere")
    waiting.set_by = step
    waiting.beat(2, lambda: alter(ledger, "beat = beat + 1"))
    with (
        pytest.raises(LeaseHeld),
        ledger.lease("ACC1", "run-2", wait_seconds=60, sleep=waiting.sleep),
    ):
        pass
    assert waiting.waited == 60


@pytest.mark.parametrize("wait_seconds", [0, 60])
def test_a_heartbeat_in_the_future_is_taken_over_when_it_stands_still(
    ledger: Ledger, waiting: Waiting, wait_seconds: int
) -> None:
    leave_behind(ledger, machine="elsewhere")
    waiting.set_by = -3600
    with ledger.lease("ACC1", "run-2", wait_seconds=wait_seconds, sleep=waiting.sleep) as held:
        held.check()
    assert 9 < waiting.waited < 10


def test_a_live_process_of_this_machine_is_watched_to_the_end_however_old_its_heartbeat_looks(
    ledger: Ledger, waiting: Waiting
) -> None:
    leave_behind(ledger)  # it was this very process
    waiting.set_by = 3600
    with ledger.lease("ACC1", "run-2", wait_seconds=0, sleep=waiting.sleep) as held:
        held.check()
    assert 9 < waiting.waited < 10


def test_time_spent_waiting_for_the_database_is_no_time_of_standing_still(
    ledger: Ledger, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(ledger, machine="elsewhere")
    write = ledger._database.write

    @contextmanager
    def write_after_others() -> Iterator[Connection]:
        # The holder beats in this time, so that its heartbeat is fresh when it is seen.
        waiting.waited += 12
        waiting.set_by -= 12
        with write() as connection:
            yield connection

    monkeypatch.setattr(ledger._database, "write", write_after_others)
    with (
        pytest.raises(LeaseHeld),
        ledger.lease("ACC1", "run-2", wait_seconds=0.4, sleep=waiting.sleep),
    ):
        pass
    assert waiting.waited == pytest.approx(24.4), "it looked twice"


def test_a_reused_process_number_is_not_the_holder(ledger: Ledger) -> None:
    if not process.this_process().start:
        pytest.skip("this system does not tell when a process started")
    leave_behind(ledger, process_start="1")
    with ledger.lease("ACC1", "run-2", wait_seconds=0) as held:
        held.check()


def test_a_holder_whose_lease_was_taken_learns_it_with_the_next_heartbeat(ledger: Ledger) -> None:
    with ledger.lease("ACC1", "run-1", wait_seconds=0, heartbeat=0.02) as held:
        alter(ledger, "token = 'x', holder = 'run-2', host = 'elsewhere'")

        until(lambda: held._lost is not None)
        with pytest.raises(LeaseLost, match="run-2 on elsewhere took it over"):
            held.check()
    found = row(ledger)
    assert found is not None
    assert found["holder"] == "run-2"


def test_a_holder_whose_heartbeats_fail_stops_before_others_may_take_over(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 1000.0
    monkeypatch.setattr(process, "uptime", lambda: passed)
    with ledger.lease("ACC1", "run-1", wait_seconds=0, heartbeat=5) as held:
        passed += 7.1
        held.check()
        passed += 0.2
        with pytest.raises(LeaseLost, match=r"could not be written for 7 s"):
            held.check()
        with pytest.raises(LeaseLost):
            held.check()


def test_a_heartbeat_that_fails_is_tried_again(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with ledger.lease("ACC1", "run-1", wait_seconds=0, heartbeat=0.02) as held:
        with ledger._database.write() as connection:
            connection.execute(text("ALTER TABLE ledger_leases RENAME TO elsewhere"))
        until(lambda: "could not be written" in caplog.text)
        with ledger._database.write() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO ledger_leases"))
        until(lambda: (row(ledger) or {})["beat"] >= 2)
        held.check()


def test_a_lease_that_cannot_be_given_back_lapses_with_a_warning(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with ledger.lease("ACC1", "run-1", wait_seconds=0), ledger._database.write() as connection:
        connection.execute(text("DROP TABLE ledger_leases"))
    assert "will lapse" in caplog.text


def test_only_one_of_two_can_take_over(ledger: Ledger) -> None:
    leave_behind(ledger, machine="elsewhere")
    with ledger._database.write() as connection:
        found = lease._read(connection, "ACC1")
        assert lease._replace(connection, found, lease._row("ACC1", "a", "run-2", "run-2", 1))
        assert not lease._replace(connection, found, lease._row("ACC1", "b", "run-3", "run-3", 1))
        assert not lease._replace(connection, None, lease._row("ACC1", "c", "run-4", "run-4", 1))


def test_a_heartbeat_too_slow_for_its_lease_is_refused(ledger: Ledger) -> None:
    with (
        pytest.raises(LedgerError, match="cannot keep a lease"),
        ledger.lease("ACC1", "run-1", wait_seconds=0, heartbeat=9, takeover_after=10),
    ):
        pass


def test_a_live_process_is_not_gone_and_a_dead_one_is(
    start_process: Callable[..., subprocess.Popen[str]],
) -> None:
    assert not process.is_gone(process.this_process())
    ended = start_process("")
    until(lambda: process.is_gone(process.Process("", process._machine(), ended.pid, "")))
    ended.wait()
    assert process.is_gone(process.Process("", process._machine(), ended.pid, ""))
