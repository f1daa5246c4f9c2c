"""How long to keep trying: exponential back-off with full jitter, inside one budget of seconds.

The waits are `backoff.expo`'s. Sleep and randomness come from outside, which the library's
decorators do not allow, so the loop is the caller's and this is its memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from random import Random

FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """The rule: at most so many seconds of one operation go into trying again."""

    max_seconds: float
    random: Random
    sleep: Callable[[float], None]

    def begin(self) -> Attempts:
        """The budget of one operation."""
        return Attempts(self)


class Attempts:
    """What one operation has left of its budget."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._waits: Generator[float, Any, None] = backoff.expo(
            base=2, factor=FIRST_WAIT, max_value=LONGEST_WAIT
        )
        next(self._waits)  # the generator's first value is its start-up
        self.tries = 1
        self.spent = 0.0

    def spend(self, seconds: float) -> None:
        """Count time that an unsuccessful try took."""
        self.spent += seconds

    def next_wait(self, at_least: float = 0.0) -> float | None:
        """Seconds to wait before the next try, None when the budget is spent.

        Args:
            at_least: What the server asked for; the jitter comes on top of it. A server that
                asks for more than is left ends it at once, for waiting would be in vain.
        """
        left = self._patience.max_seconds - self.spent
        if left <= 0 or at_least > left:
            return None
        jitter = self._patience.random.uniform(0, next(self._waits))
        wait = min(at_least + jitter, left)
        self.spent += wait
        self.tries += 1
        return wait

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._patience.sleep(seconds)
