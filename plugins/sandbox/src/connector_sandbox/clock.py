"""The sandbox's own clock: it can be set, moved and made to run faster than the world's.

Everything the two APIs stamp, expire or compare by date goes by this clock. Quota windows do not:
a client waits for them in real seconds (see ``quota``).
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_FIRST, _LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)


class Clock:
    """A settable clock in aware UTC.

    Args:
        rate: how many sandbox seconds pass in one real second.
        start: the first reading; the real time when None.
        real: seconds since the epoch, replaced by tests.
    """

    def __init__(
        self,
        *,
        rate: float = 1.0,
        start: datetime | None = None,
        real: Callable[[], float] = time.time,
    ) -> None:
        self._real = real
        self._rate = rate
        self._lock = threading.Lock()
        self._anchor_real = real()
        self._anchor = start or datetime.fromtimestamp(self._anchor_real, UTC)

    @property
    def rate(self) -> float:
        """Sandbox seconds per real second."""
        return self._rate

    def now(self) -> datetime:
        """Read the clock, in aware UTC."""
        with self._lock:
            return self._read()

    def move(
        self, to: datetime | None = None, by: timedelta = timedelta(), rate: float | None = None
    ) -> None:
        """Put the clock to a moment, move it on, and change its rate (0 stops it), in this order.

        Raises:
            ValueError: It would go where no dates are written; nothing is changed then.
        """
        with self._lock:
            moment = (self._read() if to is None else to.astimezone(UTC)) + by
            if not _FIRST <= moment <= _LAST:
                raise ValueError(f"the clock goes from {_FIRST:%Y} to {_LAST:%Y}, not to {moment}")
            self._anchor, self._anchor_real = moment, self._real()
            self._rate = self._rate if rate is None else rate

    def _read(self) -> datetime:
        passed = (self._real() - self._anchor_real) * self._rate
        return self._anchor + timedelta(seconds=passed)
