"""From the inbox to the books: due orders go into one targeted run at a time.

A cycle holds the inbox's lock, runs the due orders, and removes those that were delivered. Orders
that have failed by themselves have runs of their own, after the others, so that nobody waits for
them; they are tried for ever, at the longest pause in the end. A crash at any point leaves the
orders waiting.
"""

from __future__ import annotations

import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from connector_credentials import LockTimeout

from connector_webhooks.database import EPOCH
from connector_webhooks.errors import WebhooksError
from connector_webhooks.pace import Pace
from connector_webhooks.run import RunResult, RunStatus

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from random import Random

    from connector_credentials.backoff import Backoff
    from sqlalchemy import Connection

    from connector_webhooks.metrics import Metrics
    from connector_webhooks.orders import Orders, WaitingOrder

LOOK_EVERY_SECONDS = 0.1
LONGEST_TROUBLE_SECONDS = 60.0
SECONDS_AN_HOUR = 3600
MOST_LOGGED = 20

log = logging.getLogger(__name__)


class Worker(Protocol):
    """What carries out a run; see :class:`connector_webhooks.worker.ChildWorker`."""

    def __call__(self, order_ids: Sequence[int], run_id: str, /) -> RunResult:
        """Run the orders to an end."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle did.

    Attributes:
        busy: Another dispatcher is at work; nothing was done.
        delivered: Orders brought over.
        failed: Orders of runs that failed.
    """

    busy: bool = False
    delivered: int = 0
    failed: int = 0

    def __add__(self, other: Cycle) -> Cycle:
        return Cycle(
            self.busy or other.busy,
            self.delivered + other.delivered,
            self.failed + other.failed,
        )

    @property
    def worked(self) -> bool:
        """Whether there may be more to do at once."""
        return bool(self.delivered or self.failed)


class Dispatcher:
    """Runs what is due.

    Args:
        orders: What waits.
        worker: Carries out one run.
        backoff: Pauses after failures, of an order and of all.
        max_orders: Most orders of one run.
        clock: Aware time.
        monotonic: Seconds that no clock's setting moves.
        random: For the scatter of the pauses.
        stopping: Set when the process is to end.
        metrics: What to count the runs in.

    Raises:
        InboxError: The inbox is where no lock keeps others out.
    """

    def __init__(
        self,
        orders: Orders,
        worker: Worker,
        *,
        backoff: Backoff,
        max_orders: int,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
        random: Random,
        stopping: threading.Event,
        metrics: Metrics,
    ) -> None:
        self._orders = orders
        self._worker = worker
        self._backoff = backoff
        self._clock = clock
        self._monotonic = monotonic
        self._random = random
        self._stopping = stopping
        self._metrics = metrics
        self._paces = [Pace(tried, max_orders, backoff, random) for tried in (False, True)]
        with suppress(LockTimeout), orders.database.locked():
            pass  # or it says why no lock would keep others out here

    def cycle(self, ahead: timedelta = timedelta(0)) -> Cycle:
        """Run what is due now, or will be within ``ahead``: at most one run of each kind."""
        done = Cycle()
        if not any(self._due(pace, ahead) for pace in self._paces):
            return done
        try:
            with self._orders.database.locked() as connection:
                for pace, due in [(pace, self._due(pace, ahead)) for pace in self._paces]:
                    if due and not self._stopping.is_set():
                        done += self._run(pace, due, connection)
        except LockTimeout:
            return Cycle(busy=True)
        return done

    def _due(self, pace: Pace, ahead: timedelta) -> list[WaitingOrder]:
        paused = self._monotonic() < pace.not_before
        # No pause is for what a person has put first; see `Orders.retry`.
        until = EPOCH if paused else self._clock() + ahead
        return self._orders.due(until, pace.size, tried=pace.tried)

    def _run(self, pace: Pace, ran: list[WaitingOrder], connection: Connection) -> Cycle:
        began = self._clock()
        result = self._result_of(tuple(one.order_id for one in ran))
        if result.status is RunStatus.DELIVERED:
            self._orders.delivered(connection, ran, began)
            for each in self._paces:
                each.succeeded(pace)
            return Cycle(delivered=len(ran))
        if result.status is RunStatus.STOPPED:
            return Cycle()
        pace.failed(len(ran), self._monotonic())
        pause = self._backoff.pause(ran[0].tries + 1, self._random)
        due_at = self._clock() + timedelta(seconds=pause)
        self._orders.failed(connection, ran, result.reason, due_at)
        return Cycle(failed=len(ran))

    def _result_of(self, order_ids: tuple[int, ...]) -> RunResult:
        run_id = f"hooks-{self._clock().astimezone(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        shown = ", ".join(map(str, order_ids[:MOST_LOGGED]))
        shown += ", …" if len(order_ids) > MOST_LOGGED else ""
        log.info("Run %s starts for %d orders: %s", run_id, len(order_ids), shown)
        began = self._monotonic()
        result = self._worker(order_ids, run_id)
        seconds = self._monotonic() - began
        level = logging.INFO if result.status is RunStatus.DELIVERED else logging.WARNING
        log.log(level, "Run %s %s after %d s. %s", run_id, result.status, seconds, result.reason)
        self._metrics.runs.labels(result.status.value).inc()
        self._metrics.run_seconds.observe(seconds)
        return result


def dispatch_until_stopped(
    dispatcher: Dispatcher,
    housekeeping: Callable[[], None],
    monotonic: Callable[[], float],
    stopping: threading.Event,
) -> None:
    """Cycle until stopped. A failing database is waited for, never a reason to end.

    It looks at the inbox ten times a second rather than being woken by each hook: hooks may be
    stored by other processes, and at a hundred a second waking would cost more than looking.

    Args:
        dispatcher: What to cycle.
        housekeeping: Called about once an hour.
        monotonic: Seconds that no clock's setting moves.
        stopping: Set when the process is to end.
    """
    keep_house_at, trouble = monotonic(), 1.0
    while not stopping.is_set():
        try:
            if monotonic() >= keep_house_at:
                housekeeping()
                keep_house_at = monotonic() + SECONDS_AN_HOUR
            pause = 0.0 if dispatcher.cycle().worked else LOOK_EVERY_SECONDS
            trouble = 1.0
        except Exception as error:  # what it may be cannot be listed; the loop must outlive it
            pause, trouble = trouble, min(2 * trouble, LONGEST_TROUBLE_SECONDS)
            told = isinstance(error, WebhooksError)
            words = "%s The dispatcher tries again in %d s."
            log.error(words, error, pause, exc_info=not told)  # noqa: TRY400 - mostly told
        stopping.wait(pause)
