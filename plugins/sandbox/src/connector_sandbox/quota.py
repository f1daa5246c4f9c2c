"""Fixed quota windows in real seconds, since the clients that heed them wait in real seconds."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


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
    """Counts requests per key in windows that open with a key's first request."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, key: str, *, limit: int, seconds: float) -> Verdict:
        """Count one request of ``key`` and say whether it is inside ``limit`` per ``seconds``."""
        with self._lock:
            opened, used, now = self._current(key, seconds)
            allowed = used < limit
            used += allowed
            self._windows[key] = (opened, used)
            return Verdict(allowed, limit, max(0, limit - used), opened + seconds - now)

    def peek(self, key: str, *, limit: int, seconds: float) -> Verdict:
        """Say how the window stands without counting anything."""
        with self._lock:
            opened, used, now = self._current(key, seconds)
            return Verdict(used < limit, limit, max(0, limit - used), opened + seconds - now)

    def clear(self) -> None:
        """Forget all windows."""
        with self._lock:
            self._windows.clear()

    def _current(self, key: str, seconds: float) -> tuple[float, int, float]:
        now = self._monotonic()
        opened, used = self._windows.get(key, (now, 0))
        if now >= opened + seconds:
            opened, used = now, 0
        return opened, used, now
