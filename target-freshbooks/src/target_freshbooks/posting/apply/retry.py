"""Write retry: how often an unanswered write is tried again, and who is to blame if it lasts.

An outage stops the run and parks nobody; an order that FreshBooks cannot digest is parked and holds
nobody up. From one order's failures alone the two cannot be told apart, so an order that was given
up is only a suspect. What settles it is whether FreshBooks carried out other writes meanwhile:
such as were begun after the first failure, for those in hand when an outage begins may still end
well.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from target_freshbooks.ledger import Intent
    from target_freshbooks.posting.apply.outcome_lookup import OutcomeLookup
    from target_freshbooks.posting.apply.writer import OutcomeUnknown

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 20.0
MOST_TRIES = 8
FEW_TRIES = 2
READ = "read"
"""The kind of a failure that was no write's; it went well where an order was looked at."""


class RetriesExhausted(Exception):  # noqa: N818 - whether it is an error is for the checkpoint to say
    """A write kept ending without an answer and certainly did not happen; or a read did.

    Attributes:
        kind: What was to be written, or `READ`.
        since: When it failed first, on the monotonic clock.
    """

    def __init__(self, kind: str, since: float) -> None:
        super().__init__(f"{kind} was given up")
        self.kind = kind
        self.since = since


@dataclass(slots=True)
class _Trial:
    tries: int
    began: float


class Patience:
    """Looks after each unknown outcome, waits with jitter, and gives up in the end."""

    def __init__(
        self,
        resolver: OutcomeLookup,
        *,
        random: random.Random,
        sleep: Callable[[float], None],
        max_retry_seconds: int,
    ) -> None:
        self._resolver = resolver
        self._random = random
        self._sleep = sleep
        self._limit = max_retry_seconds
        self._most_tries = MOST_TRIES
        self._guard = threading.Lock()
        self._trials: dict[tuple[int | None, str, str], _Trial] = {}
        self._writes = 0
        self._well: dict[str, float] = {}

    @property
    def writes(self) -> int:
        """Writes FreshBooks has carried out in this run."""
        with self._guard:
            return self._writes

    def looked_at(self, began: float) -> None:
        """Note that an order could be looked at, from `began` (monotonic) on."""
        with self._guard:
            self._went_well(READ, began)

    def done(self, order_id: int | None, kind: str, key: str, began: float) -> None:
        """Count a write that was answered, and forget how it went before.

        Args:
            order_id: The order it was for.
            kind: What was written.
            key: Our own name of it.
            began: When it was begun, on the monotonic clock.
        """
        with self._guard:
            self._writes += 1
            self._went_well(kind, began)
            self._trials.pop((order_id, kind, key), None)

    def others_went_well(self, given_up: RetriesExhausted) -> bool:
        """Whether FreshBooks carried out writes since; for a read, or showed other orders."""
        with self._guard:
            return any(
                began > given_up.since
                for kind, began in self._well.items()
                if kind != READ or given_up.kind == READ
            )

    def its_kind_went_well(self, given_up: RetriesExhausted) -> bool:
        """Whether FreshBooks did the same for others since."""
        with self._guard:
            return self._well.get(given_up.kind, given_up.since) > given_up.since

    def _went_well(self, kind: str, began: float) -> None:
        """Keep when the latest one of the kind was begun."""
        self._well[kind] = max(began, self._well.get(kind, began))

    @contextmanager
    def short(self) -> Iterator[None]:
        """Try only a few times, for what was tried often enough already."""
        self._most_tries = FEW_TRIES
        try:
            yield
        finally:
            self._most_tries = MOST_TRIES

    def look(self, intent: Intent) -> bool:
        """Find out what came of a write that was left behind; it is not tried again."""
        return self._resolver.resolve(intent, since=datetime.now(UTC))

    def settle(self, unknown: OutcomeUnknown) -> bool:
        """Find out what came of the write; if nothing did, wait before it is tried again.

        Returns:
            Whether it had happened.

        Raises:
            GivenUp: It did not happen, and it was tried often enough.
        """
        intent = unknown.intent
        trial = self._trial_of(intent)
        since = datetime.now(UTC)
        if self._resolver.resolve(intent, since=since, over=unknown.over):
            # It tells nothing of how FreshBooks is now: when it happened is not known.
            with self._guard:
                self._writes += 1
            self._forget(intent)
            return True
        spent = time.monotonic() - trial.began
        if trial.tries >= self._most_tries or spent >= self._limit:
            self._forget(intent)
            raise RetriesExhausted(intent.kind, trial.began)
        ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2**trial.tries)
        self._sleep(self._random.uniform(0, ceiling))
        return False

    def _trial_of(self, intent: Intent) -> _Trial:
        key = (intent.order_id, intent.kind, intent.key)
        with self._guard:
            trial = self._trials.setdefault(key, _Trial(0, time.monotonic()))
            trial.tries += 1
            return trial

    def _forget(self, intent: Intent) -> None:
        with self._guard:
            self._trials.pop((intent.order_id, intent.kind, intent.key), None)
