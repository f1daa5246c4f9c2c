"""Exponential back-off with jitter, and the budget that one operation's retries come out of.

Sleep and randomness are handed in, so the loop is the caller's and this is its memory.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

logger = logging.getLogger(__name__)

_MOST_DOUBLINGS = 20  # beyond any limit in use, and far below what overflows


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that double, in seconds.

    Attributes:
        first: The pause after the first failure.
        longest: No pause is longer.
        least: The part of a pause that jitter leaves. With 0 those who failed together are spread
            best; with more, a dead service is never tried again at once.
    """

    first: float = 0.5
    longest: float = 30.0
    least: float = 0.0

    def pause(self, failures: int, random: Random) -> float:
        """The pause after so many failures in a row (1 or more), anywhere up to the whole."""
        doublings = min(max(failures, 1) - 1, _MOST_DOUBLINGS)
        longest = min(self.first * (1 << doublings), self.longest)
        return random.uniform(self.least * longest, longest)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most so many seconds of one operation go into trying again."""

    max_seconds: float
    random: Random
    sleep: Callable[[float], None]
    backoff: Backoff = Backoff()

    def begin(self) -> "Attempts":
        """The budget of one operation."""
        return Attempts(self)


class Attempts:
    """What one operation has left of its budget.

    Attributes:
        tries: How often it was tried, the one in hand included.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self.tries = 1
        self.spent = 0.0

    @property
    def left(self) -> float:
        """Seconds that are left of the budget."""
        return self._policy.max_seconds - self.spent

    def spend(self, seconds: float) -> None:
        """Count time that an unsuccessful try took."""
        self.spent += seconds

    def next_wait(self, at_least: float = 0.0) -> float | None:
        """Seconds to wait before the next try, None when the budget is spent.

        Args:
            at_least: What the server asked for; the jitter comes on top of it. A server that
                asks for more than is left ends it at once, for waiting would be in vain.
        """
        left = self.left
        if left <= 0 or at_least > left:
            return None
        wait = min(at_least + self._policy.backoff.pause(self.tries, self._policy.random), left)
        self.spent += wait
        self.tries += 1
        return wait

    def wait(self, failure: object, at_least: float = 0.0) -> bool:
        """Wait before the next try, and log why; False once the budget is spent."""
        seconds = self.next_wait(at_least)
        if seconds is None:
            return False
        logger.warning("%s; trying again in %.1f s", failure, seconds)
        self.sleep(seconds)
        return True

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._policy.sleep(seconds)
