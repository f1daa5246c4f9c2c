"""Progress of a long run: a line that is redrawn on a terminal, else a line of the log a minute.

A target is not told how many orders will come, so that the rate is shown and no time of arrival;
where the number is known, as in `replay`, that too. Cursor and log never meet in a line: the line
is drawn from the first column and leaves the cursor there, so that whatever is written next takes
its place, and it is shorter than the head of a line of the log, which covers it whole; before
a line of this process it is cleared.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TextIO

from target_freshbooks.posting.tally import Tally

logger = logging.getLogger(__name__)

REDRAW_SECONDS = 1
LOG_SECONDS = 60
WIDTH = 70
CLEARED = "\r\x1b[K"


@dataclass(slots=True)
class Progress:
    """What a run has done so far, told now and then.

    Attributes:
        tally: The run's numbers.
        clock: Seconds, from any moment on.
        terminal: Where the line is redrawn; None to log a line a minute.
        expected: How many orders there are, if that is known.
        dry_run: Nothing is posted.
    """

    tally: Tally
    clock: Callable[[], float] = time.monotonic
    terminal: TextIO | None = None
    expected: int | None = None
    dry_run: bool = False
    _began: float = field(init=False)
    _told: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin now."""
        self._began = self._told = self.clock()

    def tick(self) -> None:
        """Tell what is due; called about once a second."""
        now = self.clock()
        if self.terminal is not None:
            self.terminal.write(f"{CLEARED}{self.text(now)[:WIDTH]}\r")
            self.terminal.flush()
        elif now - self._told >= LOG_SECONDS:
            self._told = now
            logger.info("So far: %s", self.text(now))

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self.terminal is not None:
            self.terminal.write(CLEARED)
            self.terminal.flush()

    def text(self, now: float) -> str:
        """Figures alone, such as `0:02:00, 12.5 a second: 1500 posted, 3 parked, 17 waiting`."""
        tally, passed = self.tally, now - self._began
        parked = len(tally.parked)
        done = tally.posted + tally.unchanged + tally.waiting + parked
        rate = done / passed if passed > 0 else 0.0
        speed = f"{rate:.1f} a second" if rate >= 1 else f"{rate * 60:.1f} a minute"
        would = "would be " if self.dry_run else ""
        left = ""
        if self.expected is not None and rate > 0:
            left = f" ({_duration(max(0, self.expected - done) / rate)} left)"
        return (
            f"{_duration(passed)}{left}, {speed}: {would}{tally.posted} posted, {parked} parked,"
            f" {tally.waiting} waiting"
        )


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))


@contextmanager
def shown(tally: Tally, *, expected: int | None = None, dry_run: bool = False) -> Iterator[None]:
    """Tell the progress of a run from a thread of its own, as long as the block lasts."""
    stream = sys.stderr  # noqa: TID251 - figures alone, and no line of the log
    progress = Progress(
        tally, terminal=stream if stream.isatty() else None, expected=expected, dry_run=dry_run
    )
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(REDRAW_SECONDS):
            progress.tick()

    def make_room(_: logging.LogRecord) -> bool:
        progress.clear()
        return True

    handlers = list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(make_room)
    thread = threading.Thread(target=tell, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for handler in handlers:
            handler.removeFilter(make_room)
        progress.clear()
