"""Outcome lookup: finds out what came of a write whose answer never arrived, before a repeat.

FreshBooks has no idempotency keys, its searches may not show a record for some seconds after it was
made, and a request that we gave up may still be carried out late. So a write counts as "did not
happen" only when a look finds nothing after the settle time has passed since the write.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from connector_credentials.backoff import Backoff

from target_freshbooks.books.desired import Reason
from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.errors import Failing, FreshBooksError, Refused
from target_freshbooks.ledger import Intent, IntentNotOpen, Ledger, Link, Outcome
from target_freshbooks.posting.apply.circuit_breaker import CircuitBreaker
from target_freshbooks.posting.apply.evidence import Evidence
from target_freshbooks.posting.apply.writer import OutcomeUnknown, summary
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.results import DEFECTS

logger = logging.getLogger(__name__)


FIRST_PAUSE = 0.2
LONGEST_PAUSE = 3.0
HAPPENED = frozenset({"done", "found"})

BACKOFF = Backoff(first=1.0, longest=20.0)
MOST_TRIES = 8
FEW_TRIES = 2
"""For what was tried often enough already."""


class RetriesExhausted(Exception):  # noqa: N818 - whether it is an error is for the checkpoint to say
    """A write kept ending without an answer and certainly did not happen.

    Attributes:
        kind: What was to be written.
        since: When it failed first, on the monotonic clock.
    """

    def __init__(self, kind: str, since: float) -> None:
        super().__init__(f"{kind} was given up")
        self.kind = kind
        self.since = since


class OutcomeLookup:
    """Closes open intents by looking at FreshBooks."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger,
        run_id: str,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        settle_seconds: int,
    ) -> None:
        self._evidence = Evidence(books, ledger)
        self._ledger = ledger
        self._run_id = run_id
        self._clock = clock
        self._sleep = sleep
        self._settle = timedelta(seconds=settle_seconds)

    def resolve(
        self, intent: Intent, *, since: datetime | None = None, answered: bool = False
    ) -> bool:
        """Close the intent as found or not found.

        Args:
            intent: What was about to be written.
            since: When the write was last under way; default now.
            answered: Whether the request is known not to be carried out later.

        Returns:
            Whether the write had happened.
        """
        deadline = (since or self._clock()) + self._settle
        # A change is read by its record's id, which shows it as soon as it is carried out.
        waits = not answered or intent.kind.startswith("create_")
        pause = FIRST_PAUSE
        while True:
            evidence = self._evidence.of(intent)
            if evidence is not None:
                record, links = evidence
                answer = summary(record) if record else {"id": intent.payload["remote_id"]}
                return self._closed(intent, "found", answer, links)
            if not waits or self._clock() >= deadline:
                return self._closed(intent, "not_found", {}, [])
            self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _closed(
        self, intent: Intent, outcome: Outcome, answer: dict[str, Any], links: list[Link]
    ) -> bool:
        """Close the intent, and tell whether its write happened."""
        try:
            self._ledger.intents.close(
                intent, outcome, answer=answer, links=links, run_id=self._run_id
            )
        except IntentNotOpen:
            recorded = self._recorded(intent)
            if recorded is None:
                raise
            for link in links:
                # Seen by us, so it is there, even if another's look came too early to see it.
                if self._ledger.links.get(link.kind, link.key) is None:
                    self._ledger.links.put(link)
            return outcome == "found" or recorded in HAPPENED
        return outcome in HAPPENED

    def _recorded(self, intent: Intent) -> str | None:
        """What another worker closed the intent as; None if it is not known to the ledger."""
        for row in self._ledger.audit.rows(intent.order_id):
            if row.data.get("intent") == intent.id and row.event != "intended":
                return row.event
        return None


class WriteRetry:
    """The tries of one run's writes: looks after each unanswered one, and has it made again.

    When they are exhausted, the circuit breaker tells whether FreshBooks or the order is to blame.
    Thread-safe.
    """

    def __init__(
        self,
        lookup: OutcomeLookup,
        breaker: CircuitBreaker,
        *,
        random: random.Random,
        sleep: Callable[[float], None],
        max_retry_seconds: int,
    ) -> None:
        self._lookup = lookup
        self._breaker = breaker
        self._random = random
        self._sleep = sleep
        self._max_seconds = max_retry_seconds
        self._guard = threading.Lock()
        self._tries: dict[tuple[int | None, str, str], list[float]] = {}

    def answered(self, order_id: int | None, kind: str, key: str, began: float) -> None:
        """Count a write that was answered, and forget how it went before.

        Args:
            order_id: The order it was for.
            kind: What was written.
            key: Our own name of it.
            began: When it was begun, on the monotonic clock.
        """
        self._breaker.record_success(kind, began)
        self._forget((order_id, kind, key))

    def settle(self, unknown: OutcomeUnknown) -> bool:
        """Find out what came of the write; if nothing did, wait before it is tried again.

        Returns:
            Whether it had happened.

        Raises:
            RetriesExhausted: It did not happen, and it was tried often enough.
        """
        intent = unknown.intent
        record = (intent.order_id, intent.kind, intent.key)
        with self._guard:
            tries = self._tries.setdefault(record, [])
            tries.append(time.monotonic())
        if self._lookup.resolve(intent, answered=unknown.answered):
            # It tells nothing of how FreshBooks is now: when it happened is not known.
            self._breaker.record_success(intent.kind, None)
            self._forget(record)
            return True
        most = FEW_TRIES if self._breaker.last_chance else MOST_TRIES
        if len(tries) >= most or time.monotonic() - tries[0] >= self._max_seconds:
            self._forget(record)
            raise RetriesExhausted(intent.kind, tries[0])
        self._sleep(BACKOFF.pause(len(tries), self._random))
        return False

    def _forget(self, record: tuple[int | None, str, str]) -> None:
        with self._guard:
            self._tries.pop(record, None)


class Recovery:
    """The open intents of one run's ledger. `settle` may be called by several threads."""

    def __init__(self, ledger: Ledger, lookup: OutcomeLookup) -> None:
        self._ledger = ledger
        self._lookup = lookup
        self._deferred: set[int | None] = set()

    def settle_all(self) -> None:
        """Look what came of them all, before the run does anything else.

        What cannot be seen now is deferred until its order's turn, so that one record that
        FreshBooks cannot show keeps no run from beginning.
        """
        # Not since the intents were opened: their requests may have waited long for their turn.
        since = datetime.now(UTC)
        failing = False
        for intent in self._ledger.intents.still_open():
            if failing or self._was_to_blame(intent.order_id):
                self.defer(intent.order_id)
                continue
            try:
                happened = self._lookup.resolve(intent, since=since)
            except (Failing, Refused, *DEFECTS) as error:
                logger.warning(
                    "What came of an interrupted %s (order %s) cannot be seen now: %s",
                    intent.kind,
                    intent.order_id,
                    error if isinstance(error, FreshBooksError) else type(error).__name__,
                )
                self.defer(intent.order_id)
                failing = isinstance(error, Failing)
                continue
            logger.info(
                "A run before this one was interrupted at %s (order %s): it %s",
                intent.kind,
                intent.order_id,
                "had happened" if happened else "had not happened",
            )

    def defer(self, order_id: int | None) -> None:
        """The order may have a write without an answer: look before it is written to again."""
        self._deferred.add(order_id)

    def settle(self, order_id: int) -> None:
        """Look what came of the order's own, if that was deferred.

        Raises:
            Failing: It cannot be seen now either.
        """
        if order_id not in self._deferred:
            return
        since = datetime.now(UTC)
        for intent in self._ledger.intents.still_open(order_id):
            # Of clients and items another order may see to, and does so under their locks.
            if intent.kind not in (StepKind.CREATE_CLIENT, StepKind.CREATE_ITEM):
                self._lookup.resolve(intent, since=since)
        self._deferred.discard(order_id)

    def _was_to_blame(self, order_id: int | None) -> bool:
        """Whether FreshBooks failed at this order alone, so that it stays parked for now."""
        row = None if order_id is None else self._ledger.orders.get(order_id)
        return row is not None and row.reason == Reason.FRESHBOOKS_ERROR
