"""How often an unanswered write is tried again, and whom a lasting failure is put down to.

An outage stops the run and parks nobody; an order that FreshBooks cannot digest is parked and holds
nobody up. From one order's failures alone the two cannot be told apart, so an order that was given
up is only a suspect. What settles it is whether FreshBooks carried out other writes meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from target_freshbooks.posting import marks

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from target_freshbooks.ledger import Intent
    from target_freshbooks.posting.resolve import Resolver
    from target_freshbooks.posting.writer import Unanswered

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 20.0
MOST_TRIES = 8
FEW_TRIES = 2
READ = "read"
"""The kind of a failure that was no write's; it went well where an order was looked at."""


class GivenUp(Exception):  # noqa: N818 - whether it is an error is for the checkpoint to say
    """A write kept ending without an answer and certainly did not happen; or a read did.

    Attributes:
        kind: What was to be written, or `READ`.
        since: What had succeeded, by kind, when its first failure was seen.
    """

    def __init__(self, kind: str, since: Counter[str]) -> None:
        super().__init__(f"{kind} was given up")
        self.kind = kind
        self.since = since


@dataclass(slots=True)
class _Trial:
    tries: int
    began: float
    successes: Counter[str]


class Patience:
    """Looks after each unknown outcome, waits with jitter, and gives up in the end."""

    def __init__(
        self,
        resolver: Resolver,
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
        self._successes = Counter[str]()

    @property
    def writes(self) -> int:
        """Writes FreshBooks has carried out in this run."""
        return _writes(self.successes())

    def successes(self) -> Counter[str]:
        """What has succeeded in this run so far, by kind."""
        with self._guard:
            return self._successes.copy()

    def succeeded(self, kind: str) -> None:
        """Count a write that FreshBooks carried out, or an order that was looked at."""
        with self._guard:
            self._successes[kind] += 1

    def done(self, order_id: int | None, kind: str, key: str) -> None:
        """Count a write that was answered, and forget how it went before."""
        self.succeeded(kind)
        with self._guard:
            self._trials.pop((order_id, kind, key), None)

    def others_went_well(self, given_up: GivenUp) -> bool:
        """Whether FreshBooks carried out writes since; for a read, or showed other orders."""
        since = self.successes() - given_up.since
        return _writes(since) > 0 or (given_up.kind == READ and since[READ] > 0)

    def its_kind_went_well(self, given_up: GivenUp) -> bool:
        """Whether FreshBooks did the same for others since."""
        return self.successes()[given_up.kind] > given_up.since[given_up.kind]

    @contextmanager
    def short(self) -> Iterator[None]:
        """Try only a few times, for what was tried often enough already."""
        self._most_tries = FEW_TRIES
        try:
            yield
        finally:
            self._most_tries = MOST_TRIES

    def settle(self, unknown: Unanswered) -> bool:
        """Find out what came of the write; if nothing did, wait before it is tried again.

        Returns:
            Whether it had happened.

        Raises:
            GivenUp: It did not happen, and it was tried often enough.
        """
        intent = unknown.intent
        trial = self._trial_of(intent)
        mark = marks.marker(intent.order_id) if intent.order_id is not None else ""
        if self._resolver.resolve(intent, marker=mark, since=datetime.now(UTC)):
            self._forget(intent)
            self.succeeded(intent.kind)
            return True
        spent = time.monotonic() - trial.began
        if trial.tries >= self._most_tries or spent >= self._limit:
            self._forget(intent)
            raise GivenUp(intent.kind, trial.successes)
        ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2**trial.tries)
        self._sleep(self._random.uniform(0, ceiling))
        return False

    def _trial_of(self, intent: Intent) -> _Trial:
        key = (intent.order_id, intent.kind, intent.key)
        with self._guard:
            trial = self._trials.setdefault(
                key, _Trial(0, time.monotonic(), self._successes.copy())
            )
            trial.tries += 1
            return trial

    def _forget(self, intent: Intent) -> None:
        with self._guard:
            self._trials.pop((intent.order_id, intent.kind, intent.key), None)


def _writes(successes: Counter[str]) -> int:
    return successes.total() - successes[READ]
