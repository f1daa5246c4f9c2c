"""Carrying out a run in a child process: its output heard, its end awaited or brought about.

The child leads a process group, so that ending it ends all it started. Its output goes to our log,
line by line, without secrets.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import re
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

from connector_webhooks.run import Program, RunResult, RunStatus, start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connector_webhooks.secrecy import Redaction

LOOK_EVERY_SECONDS = 0.1
EXIT_DONE = 0
"""The only good end: 2 may mean "something was parked", or that a command line was wrong.

Of a run that we ended it says nothing: many programs exit 0 when they are told to end.
"""

LONGEST_LINE = 2_000
LONGEST_REASON = 300
TERMINATION_GRACE_SECONDS = 20.0
_ERROR = re.compile(r"\b(?:error|critical)\b", re.IGNORECASE)
# Meltano's own last words after a failure ("Run completed", "Need help?") explain nothing.
_MELTANO_ITSELF = re.compile(r"\] meltano\s")
_LAST_READ_SECONDS = 5.0

log = logging.getLogger(__name__)
output = logging.getLogger("connector_webhooks.run.output")


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
            child = start(self._program, order_ids, run_id, self._redaction)
        except OSError as error:
            return RunResult(
                RunStatus.FAILED,
                f"The run could not be started ({self._program.arguments[0]}: {error.strerror}); "
                "check run_command and run_directory.",
            )
        words = _LastWords(child, self._redaction)
        try:
            by_itself = self._wait(child)
        finally:
            # A grandchild could hold the pipe, or go on writing to the books.
            _signal_group(child, signal.SIGKILL)
        code = child.wait()
        words.join(_LAST_READ_SECONDS)
        if code == EXIT_DONE and by_itself:
            return RunResult(RunStatus.DELIVERED)
        if self._stopping.is_set():
            # Whoever stops us may have stopped the run as well: not the orders' fault.
            return RunResult(RunStatus.STOPPED)
        what = f"was ended by signal {-code}" if code < 0 else f"exited {code}"
        if not by_itself:
            what = f"took longer than {self._program.timeout_seconds} s and was ended"
        return RunResult(RunStatus.FAILED, f"The run {what}{words.told}")

    def _wait(self, child: subprocess.Popen[bytes]) -> bool:
        """Wait until the run ends, or end it; tell whether it ended by itself."""
        end_by, stop_by = self._monotonic() + self._program.timeout_seconds, math.inf
        while not _ended(child, LOOK_EVERY_SECONDS):
            now = self._monotonic()
            if self._stopping.is_set():
                stop_by = min(stop_by, now + self._grace)
            if now >= min(end_by, stop_by) or self._hurrying.is_set():
                _signal_group(child, signal.SIGTERM)
                if not _ended(child, TERMINATION_GRACE_SECONDS):
                    log.warning("The run did not end in %d s of SIGTERM", TERMINATION_GRACE_SECONDS)
                return False
        return True


class _LastWords(threading.Thread):
    """Reads a run's output, and keeps what may say why it failed."""

    def __init__(self, child: subprocess.Popen[bytes], redaction: Redaction) -> None:
        super().__init__(daemon=True)
        self.told = " without a word."
        self._stream = child.stdout or io.BytesIO()
        self._redaction = redaction
        self.start()

    def run(self) -> None:
        with self._stream:
            self._read()

    def _read(self) -> None:
        found_error = False
        for raw in self._stream:
            line = self._redaction(raw.decode(errors="replace").rstrip())[:LONGEST_LINE]
            if line:
                output.info("%s", line)
                is_error = bool(_ERROR.search(line)) and not _MELTANO_ITSELF.search(line)
                found_error = found_error or is_error
                if is_error or not found_error:
                    kind = "error" if is_error else "line"
                    self.told = f". Its last {kind}: {line[:LONGEST_REASON]}"


def _ended(child: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait so long at most; tell whether it has ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    return child.returncode is not None


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # the group is empty: nothing to end
        os.killpg(child.pid, number)
