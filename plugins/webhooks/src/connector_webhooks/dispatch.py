"""From the inbox to the books: due orders go into one targeted run at a time.

A cycle takes the lock, claims every due order up to the limit, and runs them together. A group
that fails is tried once more together after a pause, since most failures are outages; if it fails
again the order to blame is found by halving (:mod:`isolation`). An order that failed by itself is
run by itself from then on, one such order a cycle, so that the others never wait for it. Rows are
done only after a run that ended well; a crash at any point leaves them waiting.
"""

from __future__ import annotations

import logging
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from connector_webhooks.errors import LockLostError
from connector_webhooks.isolation import Isolation
from connector_webhooks.run import Ending, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from connector_credentials.backoff import Backoff

    from connector_webhooks.claims import Claims, DueOrder
    from connector_webhooks.metrics import Metrics

log = logging.getLogger(__name__)


class Worker(Protocol):
    """What carries out a run; see :class:`connector_webhooks.worker.ChildWorker`."""

    def __call__(self, order_ids: Sequence[int], run_id: str, /) -> Ending:
        """Run the orders to an end."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle did.

    Attributes:
        busy: Another dispatcher is at work; nothing was done.
        delivered: Orders brought over.
        failed: Orders whose run failed, which will be tried again or were given up.
        postponed: Orders that were not tried by themselves because of an outage, or handed back.
    """

    busy: bool = False
    delivered: int = 0
    failed: int = 0
    postponed: int = 0

    def __add__(self, other: Cycle) -> Cycle:
        return Cycle(
            self.busy or other.busy,
            self.delivered + other.delivered,
            self.failed + other.failed,
            self.postponed + other.postponed,
        )

    @property
    def worked(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.delivered or self.failed or self.postponed)


class Dispatcher:
    """Runs what is due.

    Args:
        claims: The inbox's side of it.
        worker: Carries out one run.
        backoff: Pauses after failures.
        max_orders: Most orders of one run.
        max_attempts: Failures after which an order is given up.
        clock: Aware time.
        random: For the scatter of the pauses.
        stopping: Set when the process is to end.
    """

    def __init__(
        self,
        claims: Claims,
        worker: Worker,
        *,
        backoff: Backoff,
        max_orders: int,
        max_attempts: int,
        clock: Callable[[], datetime],
        random: Random,
        stopping: threading.Event,
        metrics: Metrics | None = None,
    ) -> None:
        self._claims = claims
        self._worker = worker
        self._backoff = backoff
        self._max_orders = max_orders
        self._max_attempts = max_attempts
        self._clock = clock
        self._random = random
        self._stopping = stopping
        self._metrics = metrics
        self._outages = 0

    def cycle(self, ahead: timedelta = timedelta(0)) -> Cycle:
        """Run what is due now, or will be within ``ahead``: at most one group and one suspect.

        Raises:
            LockLostError: Another dispatcher took over; the orders are its.
        """
        until = self._clock() + ahead
        if not self._claims.work_in_sight(until):
            return Cycle()
        if not self._claims.take(self._clock()):
            return Cycle(busy=True)
        try:
            done = Cycle()
            for find in (self._together, self._alone):
                orders = find(until)
                if orders and not self._stopping.is_set():
                    done += self._group(orders)
            return done
        finally:
            self._claims.drop()

    def _together(self, until: datetime) -> list[DueOrder]:
        return self._claims.due(until, self._max_orders, suspects=False)

    def _alone(self, until: datetime) -> list[DueOrder]:
        return self._claims.due(until, 1, suspects=True)

    def _group(self, orders: list[DueOrder]) -> Cycle:
        by_id = {order.order_id: order for order in orders}
        run_id = new_run_id(self._clock())
        self._claims.claim(by_id, run_id)
        ending = self._run(tuple(by_id), run_id)
        if ending.outcome is Outcome.DELIVERED:
            return self._delivered(tuple(by_id), run_id, ending)
        if ending.outcome is Outcome.STOPPED:
            return self._hand_back(len(by_id), run_id)
        again = [order for order in orders if order.attempts == 0 or len(orders) == 1]
        done = Cycle()
        pause = self._due_after(1)
        for order in again:
            # One pause for all of a group, so that they come back as one.
            due_at = pause if order.attempts == 0 else None
            done += self._failed(order, run_id, ending.reason, due_at)
        second_time = tuple(order.order_id for order in orders if order not in again)
        if second_time:
            done += self._isolate(second_time, by_id, run_id, ending.reason)
        return done

    def _isolate(
        self, order_ids: tuple[int, ...], by_id: dict[int, DueOrder], run_id: str, reason: str
    ) -> Cycle:
        log.warning(
            "A run of %d orders failed twice; looking for the one to blame.", len(order_ids)
        )
        isolation = Isolation.of_failed(order_ids)
        done = Cycle()
        while (group := isolation.next_group()) is not None:
            if self._stopping.is_set():
                return done + self._hand_back(len(group) + len(isolation.left), run_id)
            ending = self._run(group, run_id)
            if ending.outcome is Outcome.DELIVERED:
                isolation.succeeded()
                done += self._delivered(group, run_id, ending)
            elif ending.outcome is Outcome.STOPPED:
                return done + self._hand_back(len(group) + len(isolation.left), run_id)
            else:
                reason = ending.reason
                if (blamed := isolation.failed(group)) is not None:
                    done += self._failed(by_id[blamed], run_id, reason, None)
        if isolation.left:
            done += self._postpone(isolation.left, run_id, reason)
        return done

    def _run(self, order_ids: tuple[int, ...], run_id: str) -> Ending:
        log.info("Run %s starts for %d orders: %s", run_id, len(order_ids), _some(order_ids))
        began = self._clock()
        ending = self._worker(order_ids, run_id)
        seconds = (self._clock() - began).total_seconds()
        level = logging.INFO if ending.outcome is Outcome.DELIVERED else logging.WARNING
        log.log(level, "Run %s %s after %d s. %s", run_id, ending.outcome, seconds, ending.reason)
        if self._metrics is not None:
            self._metrics.runs.labels(ending.outcome.value).inc()
            self._metrics.run_seconds.observe(seconds)
        return ending

    def _delivered(self, order_ids: tuple[int, ...], run_id: str, ending: Ending) -> Cycle:
        self._outages = 0
        self._claims.delivered(order_ids, run_id, self._clock(), ending.reason)
        return Cycle(delivered=len(order_ids))

    def _failed(self, order: DueOrder, run_id: str, reason: str, due_at: datetime | None) -> Cycle:
        failures = order.attempts + 1
        give_up = failures >= self._max_attempts
        due_at = due_at or self._due_after(failures)
        self._claims.failed(order, run_id, reason, due_at, give_up=give_up)
        if give_up:
            log.error(
                "Order %d was given up after %d failed runs; see `webhooks status`, and "
                "`webhooks retry %d` once mended. The scheduled poll reads it too.",
                order.order_id,
                failures,
                order.order_id,
            )  # fmt: skip - the arguments belong together
        return Cycle(failed=1)

    def _postpone(self, order_ids: tuple[int, ...], run_id: str, reason: str) -> Cycle:
        self._outages += 1
        due_at = self._due_after(self._outages)
        log.warning("Nothing goes through; %d orders wait for the next try.", len(order_ids))
        self._claims.hand_back(run_id, due_at=due_at, reason=reason)
        return Cycle(postponed=len(order_ids))

    def _due_after(self, failures: int) -> datetime:
        pause = self._backoff.pause(failures, self._random)
        return self._clock() + timedelta(seconds=pause)

    def _hand_back(self, number: int, run_id: str) -> Cycle:
        self._claims.hand_back(run_id)
        return Cycle(postponed=number)


class DispatchLoop:
    """Cycles until told to stop.

    It looks at the inbox a few times a second rather than being woken by each hook: hooks may be
    stored by other processes, and at a hundred a second waking would cost more than looking.

    Args:
        dispatcher: What to cycle.
        claims: Asked for the next due time.
        poll: Longest sleep.
        housekeeping: Called about once an hour.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        claims: Claims,
        *,
        clock: Callable[[], datetime],
        stopping: threading.Event,
        housekeeping: Callable[[], None],
        poll: timedelta = timedelta(milliseconds=250),
    ) -> None:
        self._dispatcher = dispatcher
        self._claims = claims
        self._clock = clock
        self._stopping = stopping
        self._housekeeping = housekeeping
        self._poll = poll
        self._wake = threading.Event()
        self._kept_at: datetime | None = None

    def wake(self) -> None:
        """Look up from sleep: the process is to stop."""
        self._wake.set()

    def run(self) -> None:
        """Cycle until stopped. A failing database is waited for, never a reason to end."""
        while not self._stopping.is_set():
            pause = self._poll
            try:
                self._keep_house()
                cycle = self._dispatcher.cycle()
                if not cycle.busy:
                    pause = self._until_next()
            except LockLostError as error:
                log.warning("%s", error)
            except Exception:  # what it may be cannot be listed; the loop must outlive all of it
                log.exception("The dispatcher could not go on; it tries again shortly.")
            self._wake.wait(pause.total_seconds())
            self._wake.clear()

    def _until_next(self) -> timedelta:
        due = self._claims.next_due()
        if due is None:
            return self._poll
        return min(self._poll, max(timedelta(0), due - self._clock()))

    def _keep_house(self) -> None:
        now = self._clock()
        if self._kept_at is None or now - self._kept_at >= timedelta(hours=1):
            self._housekeeping()
            self._kept_at = now


def new_run_id(now: datetime) -> str:
    """A name for a run that sorts by time."""
    return f"hooks-{now.astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def _some(order_ids: Sequence[int], most: int = 20) -> str:
    shown = ", ".join(map(str, order_ids[:most]))
    return shown if len(order_ids) <= most else f"{shown}, …"
