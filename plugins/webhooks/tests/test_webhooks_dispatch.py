"""From the inbox to runs: collapsing, retries, isolation, the lock; clock and runs are ours."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import LockUnsafe, locks
from connector_credentials.backoff import Backoff
from connector_credentials.database import open_engine
from connector_webhooks.claims import Claims, DueOrder
from connector_webhooks.database import PURPOSE, Database, fences, hooks
from connector_webhooks.dispatch import Cycle, Dispatcher
from connector_webhooks.errors import InboxError, LockLostError
from connector_webhooks.inbox import Arrival, Inbox, State
from connector_webhooks.isolation import Isolation
from connector_webhooks.run import Ending, Outcome
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

START = datetime(2026, 11, 1, 10, tzinfo=UTC)
COLLAPSE = timedelta(seconds=2)
SEED = 20261101


@dataclass
class Shop:
    """An inbox with a clock, and runs that fail for the orders told."""

    inbox: Inbox
    now: datetime = START
    poison: set[int] = field(default_factory=set)
    outage: bool = False
    runs: list[tuple[int, ...]] = field(default_factory=list)
    during_run: Callable[[], None] = lambda: None
    ending: Ending | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    sent: int = 0

    def clock(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def hook(self, *order_ids: int) -> None:
        for order_id in order_ids:
            self.sent += 1
            arrival = Arrival(
                webhook_id=f"msg_{self.sent}",
                scope="store/order/updated",
                order_id=order_id,
                reason="",
                body="{}",
                signed_at=self.now,
                received_at=self.now,
                due_at=self.now + COLLAPSE,
            )
            self.inbox.store([arrival])

    def worker(self, order_ids: Sequence[int], _run_id: str) -> Ending:
        self.runs.append(tuple(order_ids))
        self.during_run()
        if self.ending is not None:
            return self.ending
        if self.outage or self.poison & set(order_ids):
            return Ending(Outcome.FAILED, "The run exited 1.")
        return Ending(Outcome.DELIVERED)

    def dispatcher(self, *, max_orders: int = 50, max_attempts: int = 20) -> Dispatcher:
        return Dispatcher(
            Claims(self.inbox.database),
            self.worker,
            backoff=Backoff(5, 3600, least=0.5),
            max_orders=max_orders,
            max_attempts=max_attempts,
            clock=self.clock,
            random=random.Random(SEED),  # noqa: S311 - it scatters pauses
            stopping=self.stopping,
        )

    def states(self) -> dict[int, list[str]]:
        with self.inbox.database.look() as connection:
            found: dict[int, list[str]] = {}
            for row in connection.execute(select(hooks).order_by(hooks.c.seq)):
                found.setdefault(row.order_id, []).append(row.state)
            return found

    def column(self, name: str) -> list[Any]:
        with self.inbox.database.look() as connection:
            return list(connection.execute(select(hooks.c[name]).order_by(hooks.c.seq)).scalars())


@pytest.fixture
def shop(inbox_url: str) -> Iterator[Shop]:
    opened = Database(inbox_url, "abc123")
    yield Shop(Inbox(opened))
    opened.close()


def test_all_hooks_of_all_due_orders_become_one_run(shop: Shop) -> None:
    shop.hook(1, 2, 1, 3, 1)
    shop.later(seconds=2)
    assert shop.dispatcher().cycle() == Cycle(delivered=3)
    assert shop.runs == [(1, 2, 3)]
    assert {s for states in shop.states().values() for s in states} == {"done"}
    assert shop.dispatcher().cycle() == Cycle()


def test_an_order_waits_for_its_window_counted_from_its_first_hook(shop: Shop) -> None:
    shop.hook(1)
    shop.later(seconds=1.5)
    shop.hook(1, 2)
    assert shop.dispatcher().cycle() == Cycle()
    shop.later(seconds=0.5)
    shop.dispatcher().cycle()
    assert shop.runs == [(1,)]
    assert shop.states() == {1: ["done", "done"], 2: ["waiting"]}


def test_draining_does_not_wait_for_the_window(shop: Shop) -> None:
    shop.hook(1)
    shop.dispatcher().cycle(COLLAPSE)
    assert shop.runs == [(1,)]


def test_no_run_is_asked_for_more_orders_than_allowed(shop: Shop) -> None:
    shop.hook(*range(1, 8))
    shop.later(seconds=2)
    dispatcher = shop.dispatcher(max_orders=3)
    while dispatcher.cycle().worked:
        pass
    assert shop.runs == [(1, 2, 3), (4, 5, 6), (7,)]


def test_a_hook_that_comes_during_its_orders_run_causes_another(shop: Shop) -> None:
    shop.hook(1)
    shop.later(seconds=2)
    shop.during_run = lambda: shop.hook(1)
    shop.dispatcher().cycle()
    shop.during_run = lambda: None
    assert shop.states() == {1: ["done", "waiting"]}
    shop.later(seconds=2)
    shop.dispatcher().cycle()
    assert shop.runs == [(1,), (1,)]
    assert shop.states() == {1: ["done", "done"]}


def test_a_passing_failure_of_a_group_is_retried_together_after_a_pause(shop: Shop) -> None:
    shop.hook(1, 2, 3)
    shop.outage = True
    dispatcher = shop.dispatcher()
    assert dispatcher.cycle(COLLAPSE) == Cycle(failed=3)
    assert shop.column("reason") == ["The run exited 1."] * 3
    shop.outage = False
    shop.later(seconds=1)
    assert dispatcher.cycle() == Cycle()
    shop.later(seconds=5)
    assert dispatcher.cycle() == Cycle(delivered=3)
    assert shop.runs == [(1, 2, 3), (1, 2, 3)]


def test_a_poison_order_is_found_and_from_then_on_runs_alone(shop: Shop) -> None:
    shop.hook(*range(1, 41))
    shop.poison = {17}
    dispatcher = shop.dispatcher()
    dispatcher.cycle(COLLAPSE)
    shop.later(seconds=6)
    assert dispatcher.cycle() == Cycle(delivered=39, failed=1)
    assert len(shop.runs) <= 13, "halving, not one by one"
    assert [o for o, states in shop.states().items() if "waiting" in states] == [17]
    shop.runs.clear()
    shop.hook(50, 51)
    shop.later(hours=1)
    assert dispatcher.cycle() == Cycle(delivered=2, failed=1)
    assert shop.runs == [(50, 51), (17,)]


def test_several_poison_orders_hold_up_no_other(shop: Shop) -> None:
    shop.hook(*range(1, 51))
    shop.poison = {1, 2, 3, 4, 30, 50}
    dispatcher = shop.dispatcher()
    for _ in range(4):
        dispatcher.cycle(COLLAPSE)
        shop.later(minutes=1)
    waiting = {o for o, states in shop.states().items() if "waiting" in states}
    assert waiting == shop.poison


def test_an_outage_is_not_taken_for_fifty_poison_orders(shop: Shop) -> None:
    shop.hook(*range(1, 51))
    shop.outage = True
    dispatcher = shop.dispatcher()
    dispatcher.cycle(COLLAPSE)
    shop.later(seconds=6)
    shop.runs.clear()
    done = dispatcher.cycle()
    assert (done.failed, done.postponed) == (3, 47)
    assert len(shop.runs) <= 10
    shop.outage = False
    shop.later(hours=1)
    for _ in range(4):
        dispatcher.cycle()
    assert {s for states in shop.states().values() for s in states} == {"done"}


def test_pauses_double_up_to_the_longest_and_then_the_order_waits_for_a_person(shop: Shop) -> None:
    shop.hook(1)
    shop.poison = {1}
    dispatcher = shop.dispatcher(max_attempts=12)
    pauses = []
    while shop.states() == {1: ["waiting"]}:
        dispatcher.cycle(COLLAPSE)
        (order,) = shop.inbox.open_orders()
        pauses.append((order.due_at - shop.now).total_seconds())
        shop.now = order.due_at
    wholes = [min(5 * 2**n, 3600) for n in range(12)]
    assert all(w / 2 - 1 <= p <= w + 1 for p, w in zip(pauses, wholes, strict=True)), pauses
    (order,) = shop.inbox.open_orders()
    assert (order.state, order.attempts, order.reason) == (State.FAILED, 12, "The run exited 1.")
    shop.later(days=300)
    assert dispatcher.cycle() == Cycle()
    assert shop.inbox.prune(shop.now, timedelta(days=30)) == 0, "a failed one is never forgotten"


def test_a_given_up_order_is_revived_by_retry_or_by_its_next_hook(shop: Shop) -> None:
    shop.poison = {1, 2}
    shop.hook(1, 2)
    dispatcher = shop.dispatcher(max_attempts=1)
    dispatcher.cycle(COLLAPSE)
    assert shop.inbox.census().orders_failed == 2
    shop.poison = set()
    shop.hook(1)
    assert shop.inbox.retry(shop.now, [2]) == 1
    dispatcher.cycle(COLLAPSE)
    assert shop.states() == {1: ["done", "done"], 2: ["done"]}


def test_finished_hooks_are_forgotten_after_their_time_and_open_ones_never(shop: Shop) -> None:
    shop.hook(1)
    shop.dispatcher().cycle(COLLAPSE)
    shop.hook(2)
    shop.later(days=30, seconds=1)
    assert shop.inbox.prune(shop.now, timedelta(days=30)) == 1
    assert shop.states() == {2: ["waiting"]}


def test_two_dispatchers_never_run_at_the_same_time(shop: Shop) -> None:
    shop.hook(1)
    other = shop.dispatcher()
    seen: list[Cycle] = []

    def meanwhile() -> None:
        shop.hook(2)
        seen.append(other.cycle(COLLAPSE))

    shop.during_run = meanwhile
    shop.dispatcher().cycle(COLLAPSE)
    assert seen == [Cycle(busy=True)]
    shop.during_run = lambda: None
    assert other.cycle(COLLAPSE) == Cycle(delivered=1)
    assert shop.runs == [(1,), (2,)]


def test_claims_of_a_dead_dispatcher_come_back(shop: Shop) -> None:
    shop.hook(1)
    other = Claims(shop.inbox.database)
    assert other.take(shop.now)
    other.claim([1], "run-of-the-dead")
    assert shop.dispatcher().cycle(COLLAPSE) == Cycle(busy=True)
    other.drop()  # as its death would
    assert shop.dispatcher().cycle(COLLAPSE) == Cycle(delivered=1)


def test_who_lost_the_lock_can_settle_nothing(shop: Shop) -> None:
    shop.hook(1)
    halted = Claims(shop.inbox.database)
    assert halted.take(shop.now)
    halted.claim([1], "run-1")
    with shop.inbox.database.write() as connection:
        connection.execute(update(fences).values(token="of another"))
    for settle in (
        lambda: halted.delivered([1], "run-1", shop.now),
        lambda: halted.failed(DueOrder(1, 0), "run-1", "", shop.now, give_up=True),
        lambda: halted.hand_back("run-1"),
        lambda: halted.claim([1], "run-3"),
    ):
        with pytest.raises(LockLostError):
            settle()
    halted.drop()
    assert shop.states() == {1: ["waiting"]}
    assert shop.column("run_id") == ["run-1"]


def test_an_inbox_where_no_lock_holds_is_refused_at_the_start(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsafe(*_: object) -> bool:
        raise LockUnsafe("the folder is on a network")

    monkeypatch.setattr(locks, "is_held", unsafe)
    with pytest.raises(InboxError, match="cannot be locked: the folder is on a network"):
        Claims(shop.inbox.database)


def test_an_order_that_keeps_killing_its_dispatcher_is_run_alone(shop: Shop) -> None:
    shop.hook(1, 2)
    for _ in range(3):
        dead = Claims(shop.inbox.database)
        assert dead.take(shop.now)
        dead.claim([1], "run-of-the-dead")
        dead.drop()
    shop.later(seconds=31)
    shop.dispatcher().cycle()
    assert shop.runs == [(2,), (1,)]


def test_a_stop_hands_the_orders_back_untried(shop: Shop) -> None:
    shop.hook(1, 2)
    shop.ending = Ending(Outcome.STOPPED)
    assert shop.dispatcher().cycle(COLLAPSE) == Cycle(postponed=2)
    assert shop.column("attempts") == [0, 0]
    assert shop.column("run_id") == [None, None]
    shop.ending = None
    assert shop.dispatcher().cycle(COLLAPSE) == Cycle(delivered=2)


def test_a_crash_of_the_worker_leaves_the_orders_waiting(shop: Shop) -> None:
    shop.hook(1)

    def crash() -> None:
        raise OSError("the database went away")

    shop.during_run = crash
    with pytest.raises(OSError, match="went away"):
        shop.dispatcher().cycle(COLLAPSE)
    shop.during_run = lambda: None
    assert shop.dispatcher().cycle(COLLAPSE) == Cycle(delivered=1)


def test_what_is_committed_to_sqlite_is_synced_to_the_disk(tmp_path: Path) -> None:
    opened = Database(f"sqlite:///{tmp_path / 'inbox.sqlite'}", "abc123")
    with opened.look() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL"
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    opened.close()


def test_opening_the_inbox_again_drops_no_lock_that_this_process_holds(tmp_path: Path) -> None:
    file = tmp_path / "inbox.sqlite"
    url = f"sqlite:///{file}"
    first = Database(url, "abc123")
    # Whoever believes to be the last one to close the file takes its write-ahead log away.
    come_and_go = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute(sys.argv[2])"
    with first.look() as connection:
        connection.execute(select(hooks)).all()
        open_engine(url, PURPOSE).dispose()
        subprocess.run(
            [
                sys.executable,
                "-c",
                come_and_go + "; d.close()",
                str(file),
                "SELECT 1 FROM webhook_inbox",
            ],
            timeout=60,
            check=True,
        )
        assert (tmp_path / "inbox.sqlite-wal").exists()
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")], "a draft was left"
    first.close()


def test_an_id_known_already_changes_nothing(shop: Shop) -> None:
    shop.hook(1)
    shop.dispatcher().cycle(COLLAPSE)
    shop.sent -= 1
    shop.hook(1)
    assert shop.states() == {1: ["done"]}


@given(
    orders=st.integers(2, 60).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n), max_size=n))
    )
)
def test_halving_blames_exactly_the_poison_orders_unless_it_looks_like_an_outage(
    orders: tuple[int, set[int]],
) -> None:
    number, poison = orders
    isolation = Isolation.of_failed(tuple(range(1, number + 1)))
    good: set[int] = set()
    blamed: set[int] = set()
    runs = 0
    while (group := isolation.next_group()) is not None:
        runs += 1
        if poison & set(group):
            one = isolation.failed(group)
            blamed |= {one} if one is not None else set()
        else:
            isolation.succeeded()
            good |= set(group)
    left = set(isolation.left)
    assert good | blamed | left == set(range(1, number + 1))
    assert not good & poison
    assert blamed <= poison
    assert not left or (isolation.outage and len(blamed) == 3)
    assert runs <= 2 * number


@given(failures=st.integers(0, 10_000), seed=st.integers())
def test_a_pause_is_never_more_than_the_longest_nor_less_than_half(
    failures: int, seed: int
) -> None:
    base, longest = 5, 3600
    scatter = random.Random(seed)  # noqa: S311 - as above
    pause = Backoff(base, longest, least=0.5).pause(failures, scatter)
    assert base / 2 <= pause <= longest
