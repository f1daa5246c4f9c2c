"""From the inbox to runs: collapsing, halving, pauses, the lock; clock and runs are ours."""

from __future__ import annotations

import os
import platform
import random
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from connector_credentials import LockUnsafe, locks
from connector_credentials.backoff import Backoff
from connector_credentials.database import open_engine
from connector_webhooks.database import EPOCH, PURPOSE, Database, hooks, metadata
from connector_webhooks.dispatch import Cycle, Dispatcher
from connector_webhooks.errors import InboxError
from connector_webhooks.inbox import QUIET_PARTS, Inbox, IncomingHook
from connector_webhooks.metrics import Metrics
from connector_webhooks.orders import Orders, WaitingOrder
from connector_webhooks.pace import Pace
from connector_webhooks.run import RunResult, RunStatus
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

START = datetime(2026, 11, 1, 10, tzinfo=UTC)
COLLAPSE = timedelta(seconds=2)
QUIET = COLLAPSE / QUIET_PARTS
SEED = 20261101
LONGEST = timedelta(hours=1)


@dataclass
class Shop:
    """An inbox with a clock, and runs that fail for the orders told."""

    inbox: Inbox
    now: datetime = START
    poison: set[int] = field(default_factory=set)
    outage: bool = False
    runs: list[tuple[int, ...]] = field(default_factory=list)
    during_run: Callable[[], None] = lambda: None
    result: RunResult | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    sent: int = 0

    def clock(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def hook(self, *order_ids: int, quiet: timedelta = COLLAPSE) -> None:
        for order_id in order_ids:
            self.sent += 1
            incoming = IncomingHook(
                webhook_id=f"msg_{self.sent}",
                scope="store/order/updated",
                order_id=order_id,
                reason="",
                received_at=self.now,
                due_at=self.now + quiet,
            )
            self.inbox.store([incoming])

    def worker(self, order_ids: Sequence[int], _run_id: str) -> RunResult:
        self.runs.append(tuple(order_ids))
        self.during_run()
        if self.result is not None:
            return self.result
        if self.outage or self.poison & set(order_ids):
            return RunResult(RunStatus.FAILED, "The run exited 1.")
        return RunResult(RunStatus.DELIVERED)

    @property
    def orders(self) -> Orders:
        return Orders(self.inbox.database)

    def dispatcher(self, *, max_orders: int = 50) -> Dispatcher:
        return Dispatcher(
            self.orders,
            self.worker,
            backoff=Backoff(5, LONGEST.total_seconds(), least=0.5),
            max_orders=max_orders,
            clock=self.clock,
            monotonic=self.seconds,
            random=random.Random(SEED),  # noqa: S311 - it scatters pauses
            stopping=self.stopping,
            metrics=Metrics(),
        )

    def waiting(self) -> dict[int, WaitingOrder]:
        return {one.order_id: one for one in self.orders.waiting()}


@pytest.fixture
def shop(inbox_url: str) -> Iterator[Shop]:
    opened = Database(inbox_url, "abc123")
    yield Shop(Inbox(opened, COLLAPSE))
    opened.close()


def work_off(dispatcher: Dispatcher) -> Cycle:
    """Cycle until nothing more is to be done at once; return all that was."""
    total = Cycle()
    while (cycle := dispatcher.cycle(COLLAPSE)).worked:
        total += cycle
    return total


def test_the_first_version_of_the_tables_is_this_one_and_has_no_bridge_from_another(
    shop: Shop,
) -> None:
    """No version has been released: the tables are edited in place until one is."""
    found = inspect(shop.inbox.database.engine)
    for table in metadata.tables.values():
        assert [c["name"] for c in found.get_columns(table.name)] == list(table.columns.keys())


def test_all_hooks_of_all_due_orders_become_one_run(shop: Shop) -> None:
    shop.hook(1, 2, 1, 3, 1)
    assert {number: one.seen for number, one in shop.waiting().items()} == {1: 3, 2: 1, 3: 1}
    shop.later(seconds=2)
    assert shop.dispatcher().cycle() == Cycle(delivered=3)
    assert shop.runs == [(1, 2, 3)]
    assert shop.waiting() == {}
    assert shop.dispatcher().cycle() == Cycle()


def test_hooks_of_one_order_in_one_commit_are_each_counted(shop: Shop) -> None:
    later = [
        IncomingHook(f"msg_{n}", "", 1, "", START, START + timedelta(seconds=9 - n))
        for n in (1, 2, 3)
    ]
    again = IncomingHook("msg_1", "", 1, "", START, START)
    assert shop.inbox.store([*later, again]) == {"msg_1", "msg_2", "msg_3"}
    order = shop.waiting()[1]
    assert (order.seen, order.due_at) == (3, START + timedelta(seconds=6))


def test_an_order_waits_for_its_window_counted_from_its_first_hook(shop: Shop) -> None:
    shop.hook(1)
    shop.later(seconds=1.5)
    shop.hook(1, 2)
    assert shop.dispatcher().cycle() == Cycle()
    shop.later(seconds=0.5)
    shop.dispatcher().cycle()
    assert shop.runs == [(1,)]
    assert shop.waiting().keys() == {2}


def test_a_lone_hook_s_order_is_due_when_no_other_hook_of_it_has_come_for_a_while(
    shop: Shop,
) -> None:
    shop.hook(1, quiet=QUIET)
    shop.later(seconds=0.3)
    shop.hook(1, 2, quiet=QUIET)
    shop.later(seconds=0.3)
    assert shop.dispatcher().cycle() == Cycle()
    shop.later(seconds=0.1)
    shop.dispatcher().cycle()
    assert shop.runs == [(1, 2)]


def test_hooks_that_do_not_end_put_their_order_off_for_the_window_at_most(shop: Shop) -> None:
    for _ in range(20):
        assert shop.dispatcher().cycle() == Cycle()
        shop.hook(1, quiet=QUIET)
        shop.later(seconds=0.1)
    assert shop.dispatcher().cycle() == Cycle(delivered=1)


def test_no_hook_puts_off_an_order_that_failed_or_was_put_first(shop: Shop) -> None:
    shop.hook(1, 2, quiet=QUIET)
    shop.orders.retry([2])
    shop.hook(2, quiet=QUIET)
    assert shop.waiting()[2].due_at == EPOCH
    shop.poison = {1}
    work_off(shop.dispatcher())
    shop.hook(1, quiet=QUIET)
    assert shop.waiting()[1].due_at == shop.now + QUIET


def test_draining_does_not_wait_for_the_window(shop: Shop) -> None:
    shop.hook(1)
    shop.dispatcher().cycle(COLLAPSE)
    assert shop.runs == [(1,)]


def test_no_run_is_asked_for_more_orders_than_allowed(shop: Shop) -> None:
    shop.hook(*range(1, 8))
    work_off(shop.dispatcher(max_orders=3))
    assert shop.runs == [(1, 2, 3), (4, 5, 6), (7,)]


@pytest.mark.parametrize("outage", [False, True])
def test_a_hook_that_comes_during_its_order_s_run_causes_another(shop: Shop, outage: bool) -> None:
    shop.hook(1)
    shop.later(seconds=2)
    shop.outage = outage
    shop.during_run = lambda: shop.hook(1)
    dispatcher = shop.dispatcher()
    dispatcher.cycle()
    shop.during_run = lambda: None
    order = shop.waiting()[1]
    assert (order.seen, order.tries) == (2, int(outage))
    shop.outage = False
    shop.later(seconds=2)
    dispatcher.cycle()
    assert shop.runs == [(1,), (1,)]
    assert shop.waiting() == {}


def test_an_order_that_was_delivered_and_hooked_meanwhile_waits_as_if_it_were_new(
    shop: Shop,
) -> None:
    shop.hook(1)
    shop.outage = True
    dispatcher = shop.dispatcher()
    dispatcher.cycle(COLLAPSE)
    shop.outage = False
    shop.later(seconds=6)
    shop.during_run = lambda: shop.hook(1)
    assert dispatcher.cycle() == Cycle(delivered=1)
    order = shop.waiting()[1]
    assert (order.tries, order.reason, order.first_received_at) == (0, "", shop.now)


def test_a_passing_failure_costs_smaller_runs_and_no_order_but_the_last_its_place(
    shop: Shop,
) -> None:
    shop.hook(*range(1, 9))
    shop.outage = True
    dispatcher = shop.dispatcher()
    for _ in range(4):
        dispatcher.cycle(COLLAPSE)
    assert [len(run) for run in shop.runs] == [8, 4, 2, 1]
    assert {number: one.tries for number, one in shop.waiting().items()} == {
        1: 1,
        **dict.fromkeys(range(2, 9), 0),
    }
    assert shop.inbox.stats().orders_failing == 8
    shop.outage = False
    shop.runs.clear()
    shop.later(seconds=6)
    assert work_off(dispatcher) == Cycle(delivered=8)
    assert shop.runs == [(2,), (1,), (3, 4, 5, 6, 7, 8)]


def test_a_poison_order_is_found_and_from_then_on_runs_after_the_others(shop: Shop) -> None:
    shop.hook(*range(1, 41))
    shop.poison = {17}
    dispatcher = shop.dispatcher()
    assert work_off(dispatcher).delivered == 39
    assert len(shop.runs) <= 25, "halving, not one by one"
    assert shop.waiting()[17].tries == 1
    shop.runs.clear()
    shop.hook(50, 51)
    shop.later(hours=1)
    assert dispatcher.cycle() == Cycle(delivered=2, failed=1)
    assert shop.runs == [(50, 51), (17,)]


def test_a_poison_order_is_found_however_many_others_keep_coming(shop: Shop) -> None:
    shop.hook(*range(1, 7))
    shop.later(seconds=2)
    shop.poison = {3}
    new = iter(range(100, 1_000))

    def meanwhile() -> None:
        shop.hook(*(next(new) for _ in range(5)), quiet=QUIET)
        shop.later(seconds=30)

    shop.during_run = meanwhile
    dispatcher = shop.dispatcher()
    for _ in range(20):
        dispatcher.cycle()
    waiting = shop.waiting()
    assert waiting[3].tries > 0
    assert [number for number in waiting if number < 100] == [3], "others were held up by it"


def test_several_poison_orders_hold_up_no_other(shop: Shop) -> None:
    shop.hook(*range(1, 51))
    shop.poison = {1, 2, 3, 4, 30, 50}
    dispatcher = shop.dispatcher()
    for _ in range(10):
        work_off(dispatcher)
        shop.later(seconds=30)
    assert set(shop.waiting()) == shop.poison
    shop.hook(60)
    shop.runs.clear()
    dispatcher.cycle(COLLAPSE)
    assert shop.runs[0] == (60,)


def test_poison_orders_alone_in_a_quiet_shop_make_no_new_order_wait(shop: Shop) -> None:
    shop.poison = {1, 2}
    shop.hook(1, 2)
    dispatcher = shop.dispatcher()
    for _ in range(100):
        work_off(dispatcher)
        shop.later(minutes=30)
    assert min(one.tries for one in shop.waiting().values()) > 20
    while not dispatcher.cycle().failed:  # so that the pause after it has just begun
        shop.later(minutes=10)
    shop.hook(3)
    dispatcher.cycle(COLLAPSE)
    assert shop.waiting().keys() == {1, 2}


def test_good_runs_of_others_do_not_keep_failed_orders_in_one_bad_run(shop: Shop) -> None:
    shop.outage = True
    shop.hook(*range(1, 7))
    dispatcher = shop.dispatcher(max_orders=1)
    for _ in range(12):
        work_off(dispatcher)
        shop.later(minutes=1)
    assert {one.tries > 0 for one in shop.waiting().values()} == {True}
    shop.outage, shop.poison = False, {2, 3, 4, 5, 6}
    dispatcher = shop.dispatcher()
    for number in range(100, 120):
        shop.hook(number)
        shop.later(minutes=10)
        dispatcher.cycle()
    assert set(shop.waiting()) == shop.poison, "order 1 was held up"


def test_an_outage_is_not_taken_for_fifty_poison_orders(shop: Shop) -> None:
    shop.hook(*range(1, 51))
    shop.outage = True
    dispatcher = shop.dispatcher()
    work_off(dispatcher)
    assert [len(run) for run in shop.runs] == [50, 25, 12, 6, 3, 1, 1, 1]
    for _ in range(24 * 6):
        shop.later(minutes=10)
        dispatcher.cycle()
    assert len(shop.runs) < 100
    shop.outage = False
    for _ in range(80):
        shop.later(minutes=1)
        work_off(dispatcher)
    assert shop.waiting() == {}


def test_pauses_double_up_to_the_longest_and_the_order_is_tried_for_ever(shop: Shop) -> None:
    shop.hook(1)
    shop.poison = {1}
    dispatcher = shop.dispatcher()
    pauses = []
    for tries in range(1, 41):
        dispatcher.cycle(COLLAPSE)
        order = shop.waiting()[1]
        assert (order.tries, order.reason) == (tries, "The run exited 1.")
        pauses.append((order.due_at - shop.now).total_seconds())
        shop.now = order.due_at + LONGEST  # a pause of all, as in an outage, may come on top
    wholes = [min(5 * 2**n, 3600) for n in range(40)]
    assert all(w / 2 - 1 <= p <= w + 1 for p, w in zip(pauses, wholes, strict=True)), pauses
    shop.poison = set()
    dispatcher.cycle()
    assert shop.waiting() == {}


@pytest.mark.parametrize("named", [[3], []])
def test_what_a_person_puts_first_is_run_at_once_in_the_midst_of_a_pause(
    shop: Shop, named: list[int]
) -> None:
    shop.hook(1, 2, 3, 4)
    shop.outage = True
    dispatcher = shop.dispatcher()
    for _ in range(12 * 6):
        dispatcher.cycle()
        shop.later(minutes=10)
    shop.outage = False
    shop.now = max(one.due_at for one in shop.waiting().values()) - timedelta(minutes=1)
    shop.runs.clear()
    assert dispatcher.cycle() == Cycle(), "a pause"
    assert shop.orders.retry(named) == (set(named) or {1, 2, 3, 4})
    assert dispatcher.cycle().delivered == 1
    assert shop.runs == [(3,)] or not named
    assert shop.orders.retry([9]) == set()


@pytest.mark.parametrize("outage", [False, True])
@pytest.mark.parametrize("before", [False, True])
def test_what_a_person_puts_first_while_it_is_run_is_run_again_at_once(
    shop: Shop, outage: bool, before: bool
) -> None:
    shop.hook(1)
    shop.outage = True
    dispatcher = shop.dispatcher()
    dispatcher.cycle(COLLAPSE)
    if before:
        shop.orders.retry([1])
    else:
        shop.later(hours=1)
    shop.outage = outage
    shop.during_run = lambda: shop.orders.retry([1]) and None
    assert dispatcher.cycle().worked
    shop.during_run, shop.outage = lambda: None, False
    assert shop.waiting()[1].due_at == EPOCH
    assert dispatcher.cycle() == Cycle(delivered=1)
    assert shop.waiting() == {}


def test_a_new_hook_of_an_order_that_failed_has_it_tried_again_at_once(shop: Shop) -> None:
    shop.hook(1)
    shop.poison = {1}
    dispatcher = shop.dispatcher()
    for _ in range(2):
        dispatcher.cycle(COLLAPSE)
        shop.later(seconds=5)
    shop.poison = set()
    shop.hook(1)
    assert dispatcher.cycle(COLLAPSE) == Cycle(delivered=1)


def test_ids_are_forgotten_after_their_time_and_orders_that_wait_never(shop: Shop) -> None:
    shop.hook(1)
    shop.dispatcher().cycle(COLLAPSE)
    shop.hook(2)
    shop.later(days=30, seconds=1)
    assert shop.inbox.prune(shop.now, timedelta(days=30)) == 2
    assert shop.waiting().keys() == {2}


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


def test_a_holder_of_our_own_host_name_and_process_number_is_no_dead_one(
    shop: Shop, inbox_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two containers can have both in common, with the inbox shared between them."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    monkeypatch.setattr(platform, "node", lambda: "webhooks")
    opened = Database(inbox_url, "abc123")
    beside = Shop(Inbox(opened, COLLAPSE)).dispatcher()
    seen: list[Cycle] = []
    shop.during_run = lambda: seen.append(beside.cycle(COLLAPSE))
    shop.hook(1)
    assert shop.dispatcher().cycle(COLLAPSE) == Cycle(delivered=1)
    assert seen == [Cycle(busy=True)]
    opened.close()


@pytest.mark.parametrize("fails", [False, True])
def test_who_lost_the_lock_settles_nothing(postgresql_url: str, fails: bool) -> None:
    """Else a row that another delivered, and that a hook has made anew, could be taken for ours."""
    opened = Database(postgresql_url, "abc123")
    shop = Shop(Inbox(opened, COLLAPSE))
    shop.hook(1)

    def lose_the_lock() -> None:
        with opened.write() as connection:
            held = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            assert connection.execute(text(held)).scalars().all() == [True]
        shop.during_run = lambda: None
        assert shop.dispatcher().cycle(COLLAPSE) == Cycle(delivered=1)
        shop.hook(1)
        shop.outage = fails

    shop.during_run = lose_the_lock
    with pytest.raises(InboxError, match="could not be used"):
        shop.dispatcher().cycle(COLLAPSE)
    assert (shop.waiting()[1].seen, shop.waiting()[1].tries) == (1, 0)
    shop.outage = False
    assert shop.dispatcher().cycle(COLLAPSE) == Cycle(delivered=1)
    opened.close()


def test_an_inbox_where_no_lock_holds_gets_no_dispatcher(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsafe(*_: object, **__: object) -> bool:
        raise LockUnsafe("the folder is on a network")

    monkeypatch.setattr(locks, "hold", unsafe)
    with pytest.raises(InboxError, match="cannot be locked: the folder is on a network"):
        shop.dispatcher()


def test_a_dispatcher_can_be_made_beside_one_at_work(shop: Shop) -> None:
    shop.hook(1)
    with shop.inbox.database.locked():
        assert shop.dispatcher().cycle(COLLAPSE) == Cycle(busy=True)


def test_a_stop_leaves_the_orders_untried(shop: Shop) -> None:
    shop.hook(1, 2)
    shop.result = RunResult(RunStatus.STOPPED)
    dispatcher = shop.dispatcher()
    assert dispatcher.cycle(COLLAPSE) == Cycle()
    assert [(one.tries, one.reason) for one in shop.waiting().values()] == [(0, "")] * 2
    shop.result = None
    assert dispatcher.cycle(COLLAPSE) == Cycle(delivered=2)


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
                "SELECT 1 FROM webhook_hooks",
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
    assert shop.waiting() == {}


@given(
    orders=st.integers(2, 60).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n), max_size=n))
    )
)
def test_halving_finds_exactly_the_poison_orders_unless_it_looks_like_an_outage(
    orders: tuple[int, set[int]],
) -> None:
    number, poison = orders
    pace = Pace(False, number, Backoff(), random.Random(SEED))  # noqa: S311 - as above
    left = list(range(1, number + 1))
    runs = 0
    while left and not pace.not_before:
        runs += 1
        ran = left[: pace.size]
        if poison & set(ran):
            pace.failed(len(ran), 1.0)
            left = [one for one in left if len(ran) > 1 or one != ran[0]]
            assert len(ran) > 1 or ran[0] in poison
        else:
            pace.succeeded(pace)
            left = left[len(ran) :]
    assert runs <= 28 * (len(poison) + 1)


@given(failures=st.integers(0, 10_000), seed=st.integers())
def test_a_pause_is_never_more_than_the_longest_nor_less_than_half(
    failures: int, seed: int
) -> None:
    base, longest = 5, 3600
    scatter = random.Random(seed)  # noqa: S311 - as above
    pause = Backoff(base, longest, least=0.5).pause(failures, scatter)
    assert base / 2 <= pause <= longest


def test_sixty_hours_of_outage_leave_no_work_for_a_person(shop: Shop) -> None:
    dispatcher = shop.dispatcher()
    shop.outage = True
    began = shop.now
    while shop.now < began + timedelta(hours=60):
        shop.hook(1_000 + shop.sent)
        for _ in range(6):
            shop.later(minutes=5)
            dispatcher.cycle()
    tried_in_vain = len(shop.runs)
    shop.outage = False
    recovered = shop.now
    while shop.waiting() and shop.now < recovered + timedelta(hours=2):
        shop.later(minutes=1)
        dispatcher.cycle()
    assert shop.waiting() == {}
    delivered = {order for run in shop.runs[tried_in_vain:] for order in run}
    assert delivered == set(range(1_000, 1_120))
    assert shop.now - recovered <= timedelta(minutes=70)
    assert tried_in_vain < 300
