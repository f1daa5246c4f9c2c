"""How long to wait after a failure: doubling, capped, and scattered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta
    from random import Random

_MOST_DOUBLINGS = 20  # beyond any cap in use, and far below what overflows


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between tries.

    Attributes:
        base: The pause after the first failure.
        longest: No pause is longer.
    """

    base: timedelta
    longest: timedelta

    def pause(self, failures: int, random: Random) -> timedelta:
        """The pause after so many failures in a row (1 or more), between half of it and the whole.

        Half is kept because a pause of nothing would try a dead service again at once.
        """
        doublings = min(max(failures, 1) - 1, _MOST_DOUBLINGS)
        whole = min(self.base * (1 << doublings), self.longest)
        return whole / 2 + whole / 2 * random.random()
