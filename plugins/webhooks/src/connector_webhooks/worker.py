"""Carrying out a run in a child process while stop requests are heard."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from connector_webhooks.run import Ending, Outcome, Program, Run

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from connector_webhooks.secrecy import Redaction

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.1


class ChildWorker:
    """Runs orders in a child process.

    Args:
        program: What to start.
        redaction: Blanks secrets in the child's output.
        clock: Aware time.
        stopping: When set, the run has ``grace`` left to finish.
        hurrying: When set, it has none.
        grace: See there.
    """

    def __init__(
        self,
        program: Program,
        redaction: Redaction,
        *,
        clock: Callable[[], datetime],
        stopping: threading.Event,
        hurrying: threading.Event,
        grace: timedelta,
    ) -> None:
        self._program = program
        self._redaction = redaction
        self._clock = clock
        self._stopping = stopping
        self._hurrying = hurrying
        self._grace = grace

    def __call__(self, order_ids: Sequence[int], run_id: str, /) -> Ending:
        """Run the orders to an end."""
        try:
            run = Run(self._program, order_ids, run_id, self._redaction)
        except OSError as error:
            return Ending(
                Outcome.FAILED,
                f"The run could not be started ({self._program.arguments[0]}: {error.strerror}); "
                "check run_command and run_directory.",
            )
        try:
            return self._watch(run)
        except BaseException:
            run.stop()  # whatever happened here, no child may go on unwatched
            raise

    def _watch(self, run: Run) -> Ending:
        began = self._clock()
        stop_by: datetime | None = None
        while (ending := run.poll(LOOK_EVERY_SECONDS)) is None:
            now = self._clock()
            if now - began >= timedelta(seconds=self._program.timeout_seconds):
                return run.time_out()
            if self._stopping.is_set():
                stop_by = stop_by or now + self._grace
                if now >= stop_by or self._hurrying.is_set():
                    return run.stop()
        if ending.outcome is Outcome.FAILED and self._stopping.is_set():
            # Whoever stops us may have stopped the run as well: not the orders' fault.
            return Ending(Outcome.STOPPED)
        return ending
