"""Carrying out a run in a child process while stop requests are heard."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from connector_webhooks.run import Program, Run, RunResult, RunStatus

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from connector_webhooks.secrecy import Redaction

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.1


class ChildWorker:
    """Runs orders in a child process.

    Args:
        program: What to start.
        redaction: Blanks secrets in the child's output.
        monotonic: Seconds that no clock's setting moves.
        stopping: When set, the run has ``grace`` left to finish.
        hurrying: When set, it has none.
        grace: See there, in seconds.
    """

    def __init__(
        self,
        program: Program,
        redaction: Redaction,
        *,
        monotonic: Callable[[], float],
        stopping: threading.Event,
        hurrying: threading.Event,
        grace: float,
    ) -> None:
        self._program = program
        self._redaction = redaction
        self._monotonic = monotonic
        self._stopping = stopping
        self._hurrying = hurrying
        self._grace = grace

    def __call__(self, order_ids: Sequence[int], run_id: str, /) -> RunResult:
        """Run the orders to an end."""
        try:
            run = Run(self._program, order_ids, run_id, self._redaction)
        except OSError as error:
            return RunResult(
                RunStatus.FAILED,
                f"The run could not be started ({self._program.arguments[0]}: {error.strerror}); "
                "check run_command and run_directory.",
            )
        try:
            return self._watch(run)
        except BaseException:
            run.stop()  # whatever happened here, no child may go on unwatched
            raise

    def _watch(self, run: Run) -> RunResult:
        end_by = self._monotonic() + self._program.timeout_seconds
        stop_by = math.inf
        while (result := run.poll(LOOK_EVERY_SECONDS)) is None:
            now = self._monotonic()
            if now >= end_by:
                return run.time_out()
            if self._stopping.is_set():
                stop_by = min(stop_by, now + self._grace)
                if now >= stop_by or self._hurrying.is_set():
                    return run.stop()
        if result.status is RunStatus.FAILED and self._stopping.is_set():
            # Whoever stops us may have stopped the run as well: not the orders' fault.
            return RunResult(RunStatus.STOPPED)
        return result
