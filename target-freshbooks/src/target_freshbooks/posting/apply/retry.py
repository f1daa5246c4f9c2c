"""Write retry: looks after each unanswered write, and makes it again a limited number of times.

When they are exhausted, the circuit breaker tells whether FreshBooks or the order is to blame.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector_credentials.backoff import Backoff

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from target_freshbooks.posting.apply.circuit_breaker import CircuitBreaker
    from target_freshbooks.posting.apply.outcome_lookup import OutcomeLookup
    from target_freshbooks.posting.apply.writer import OutcomeUnknown

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


@dataclass(slots=True)
class _Tries:
    number: int
    began: float


class WriteRetry:
    """The tries of one run's writes. Thread-safe."""

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
        self._tries: dict[tuple[int | None, str, str], _Tries] = {}

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
            tries = self._tries.setdefault(record, _Tries(0, time.monotonic()))
            tries.number += 1
        if self._lookup.resolve(intent, answered=unknown.answered):
            # It tells nothing of how FreshBooks is now: when it happened is not known.
            self._breaker.record_success(intent.kind, None)
            self._forget(record)
            return True
        most = FEW_TRIES if self._breaker.last_chance else MOST_TRIES
        if tries.number >= most or time.monotonic() - tries.began >= self._max_seconds:
            self._forget(record)
            raise RetriesExhausted(intent.kind, tries.began)
        self._sleep(BACKOFF.pause(tries.number, self._random))
        return False

    def _forget(self, record: tuple[int | None, str, str]) -> None:
        with self._guard:
            self._tries.pop(record, None)
