"""Fixed quota windows in real seconds, since the clients that heed them wait in real seconds."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_NO_LIMIT = 10**9


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one request got of its window.

    ``resets_in`` is in seconds (fractional) until the window ends.
    """

    allowed: bool
    limit: int
    remaining: int
    resets_in: float

    @property
    def retry_after(self) -> int:
        """Whole seconds to wait, at least one."""
        return max(1, math.ceil(self.resets_in))


class FixedWindow:
    """Counts requests in windows that open with their first one.

    Args:
        limits: gives how many requests a window takes (0: any number) and its seconds.
        monotonic: the clock, replaced by tests.
    """

    def __init__(
        self,
        limits: Callable[[], tuple[int, float]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self.clear()

    def take(self) -> Verdict:
        """Count one request and say whether it is inside the limit."""
        with self._lock:
            verdict, opened, used = self._judged(1)
            self._opened, self._used = opened, used
        return verdict

    def peek(self) -> Verdict:
        """Say how the window stands without counting anything."""
        with self._lock:
            return self._judged(0)[0]

    def clear(self) -> None:
        """Begin a new window with the next request."""
        self._opened, self._used = -math.inf, 0

    def _judged(self, more: int) -> tuple[Verdict, float, int]:
        limit, seconds = self._limits()
        limit, now = limit or _NO_LIMIT, self._monotonic()
        over = now >= self._opened + seconds
        opened, used = (now, 0) if over else (self._opened, self._used)
        allowed = used < limit
        used += more * allowed
        return Verdict(allowed, limit, limit - used, opened + seconds - now), opened, used
