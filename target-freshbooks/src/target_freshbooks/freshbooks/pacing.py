"""Staying inside FreshBooks' request limit, shared by all threads of a run.

Every answer, also a good one, tells how much of the window is left (`X-RateLimit-Remaining`) and
when it ends (`X-RateLimit-Reset`, epoch seconds; a window of about a minute). We spend a window
as fast as the work allows and, when it is used up, hold everybody until it ends, so that no 429
is caused. `Retry-After` comes on successful answers too and means nothing there; on a 429 it
pauses everybody.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from random import Random

from connector_credentials.quota_headers import header_number, seconds_asked

LONGEST_WINDOW = 120.0
"""Seconds. A reset further away is not believed (a wrong clock, milliseconds for seconds)."""
_SPREAD = 0.25  # seconds of jitter, so that waiting threads do not all start at once


class Pacer:
    """Lets requests through while the window has room. Thread-safe.

    Args:
        clock: Aware UTC now.
        sleep: Waits so many seconds; it may raise to stop the run.
        random: For the jitter.
    """

    def __init__(
        self, *, clock: Callable[[], datetime], sleep: Callable[[float], None], random: Random
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._lock = threading.Lock()
        self._in_flight = 0
        self._left: int | None = None  # requests the window still has; None: not known
        self._window_ends = 0.0  # our clock, epoch seconds
        self._paused_until = 0.0

    def acquire(self) -> float:
        """Wait for room, then take it. Returns the seconds waited."""
        waited = 0.0
        while True:
            with self._lock:
                seconds = self._seconds_to_wait()
                if seconds <= 0:
                    if self._left is not None:
                        self._left -= 1
                    self._in_flight += 1
                    return waited
                seconds += self._random.uniform(0, _SPREAD)
            self._sleep(seconds)
            waited += seconds

    def release(self, headers: Mapping[str, str] | None) -> None:
        """The request taken is over; `headers` are its answer's, None if none came."""
        with self._lock:
            self._in_flight -= 1
            if headers is not None:
                self._learn(headers)

    def pause(self, seconds: float) -> None:
        """Hold everybody: the server has said that there were too many requests."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._now() + seconds)

    def _seconds_to_wait(self) -> float:
        now = self._now()
        if self._left is not None and now >= self._window_ends:
            self._left = None
        used_up = self._left is not None and self._left <= 0
        return max(self._paused_until, self._window_ends if used_up else 0.0) - now

    def _learn(self, headers: Mapping[str, str]) -> None:
        remaining = header_number(headers, "X-RateLimit-Remaining")
        seconds = seconds_to_reset(headers, self._clock())
        if remaining is None or seconds is None:
            return
        ends = self._now() + seconds
        # Requests of other threads may be on their way, not yet counted by the server.
        left = int(remaining) - self._in_flight
        if self._left is None or ends > self._window_ends + 1:
            self._left, self._window_ends = left, ends
        elif ends > self._window_ends - 1:  # the same window; answers may arrive out of order
            self._left = min(self._left, left)
            # Both times are whole seconds, so one answer may put the end up to a second too early.
            self._window_ends = max(self._window_ends, ends)

    def _now(self) -> float:
        return self._clock().timestamp()


def seconds_to_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the window ends, by the server's own clock if it tells it (`Date`)."""
    reset = header_number(headers, "X-RateLimit-Reset")
    if reset is None:
        return None
    try:
        there = parsedate_to_datetime(headers.get("Date") or "").timestamp()
    except ValueError:
        there = now.timestamp()
    seconds = reset - there
    return seconds if 0 < seconds <= LONGEST_WINDOW else None


def pause_asked(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds that an answer asks to let pass before the next try; 0 if it asks for none."""
    return seconds_asked(headers, seconds_to_reset(headers, now)) or 0.0
