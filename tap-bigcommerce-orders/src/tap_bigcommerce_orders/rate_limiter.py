"""Keeps all threads together within our part of the store's request quota.

BigCommerce allows a store so many requests a window (150 in 30 s on most plans), shared by all of
its apps, and says in each answer how many are left and when the window ends ("API rate limits",
BigCommerce developer documentation). We stop at the reserve that belongs to the others, wait for
the window's end, and stand still together when a 429 says so.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from connector_credentials.quota_headers import bigcommerce_reset, header_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WINDOW_MARGIN = 0.1  # seconds after the announced end, so that the server's clock is there too
LONG_WAIT = 35.0  # seconds; more than a window of BigCommerce's, so the log says what is waited for

logger = logging.getLogger("tap-bigcommerce-orders.rate_limiter")


class RateLimiter:
    """Shared by all threads: `acquire` before each request, `release` with the answer's headers.

    Args:
        percent: The part of the store's quota we may use, 1 to 100.
        now: Monotonic seconds.
        sleep: Waits so many seconds; may raise to end the run.
    """

    def __init__(
        self, *, percent: int, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._percent = percent
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._in_flight = 0
        self._quota: int | None = None
        self._left = 0  # how many of this window's requests are neither used nor taken
        self._window_end = 0.0
        self._begun = False  # a new window is being used, of which no answer has told yet
        self._paused_until = 0.0
        self._told_until = 0.0

    def acquire(self) -> None:
        """Wait until a request may be sent, and count it."""
        while (wait := self._try_acquire()) > 0:
            self._sleep(wait)

    def release(self, headers: Mapping[str, str] | None) -> None:
        """Note that a request has ended.

        Args:
            headers: Those of its answer; None when there was no answer.
        """
        with self._lock:
            self._in_flight -= 1
            if headers is not None:
                self._learn(headers)

    def pause(self, seconds: float) -> None:
        """Hold everybody for so long: the store has been asked too much."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._now() + seconds)

    def _try_acquire(self) -> float:
        with self._lock:
            now = self._now()
            if now < self._paused_until:
                return self._wait_until(self._paused_until, now)
            if self._quota is not None:
                if now >= self._window_end:
                    # A new window: full as far as we know, until its first answer tells.
                    self._left = max(self._left, self._quota - self._in_flight)
                    self._begun = True
                elif self._left <= self._reserve(self._quota):
                    return self._wait_until(self._window_end, now)
            self._left -= 1
            self._in_flight += 1
            return 0.0

    def _wait_until(self, end: float, now: float) -> float:
        """Seconds until then; the log has one line of a long wait, however many threads wait."""
        wait = end - now
        if wait > LONG_WAIT and now >= self._told_until:
            self._told_until = end
            logger.warning("Waiting %.0f s for the store's request quota.", wait)
        return wait

    def _reserve(self, quota: int) -> int:
        return quota - max(1, quota * self._percent // 100)

    def _learn(self, headers: Mapping[str, str]) -> None:
        quota = header_number(headers, "X-Rate-Limit-Requests-Quota")
        left = header_number(headers, "X-Rate-Limit-Requests-Left")
        reset = bigcommerce_reset(headers)
        if not quota or left is None or reset is None:
            return
        now = self._now()
        end = now + reset + WINDOW_MARGIN
        if now < self._window_end and end < self._window_end - 1:
            return  # an answer of the window before, overtaken by one of this
        unforeseen = end > self._window_end + 1 and not self._begun
        if unforeseen or left < self._left:
            # Less is left than we have counted: other apps take their part. Those of ours that are
            # in flight may or may not be counted in `left` yet: take it that they are not.
            self._left = int(left) - self._in_flight
        self._begun = False
        self._quota = int(quota)
        self._window_end = end
