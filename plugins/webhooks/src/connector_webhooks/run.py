"""One targeted run: a child process that brings over just the orders it is told.

By default it is the ordinary ``meltano run`` of tap and target, the tap under a name of its own.
The order numbers travel in the environment (``TAP_BIGCOMMERCE_ORDERS_ORDER_IDS``, a JSON array).
The child leads a process group, so that ending it ends all it started. Its output goes to our log,
line by line, without secrets.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from connector_webhooks.errors import SettingsError
from connector_webhooks.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector_webhooks.secrecy import Redaction
    from connector_webhooks.settings import Settings

ORDER_IDS = "TAP_BIGCOMMERCE_ORDERS_ORDER_IDS"
ON_PARKED = "TARGET_FRESHBOOKS_ON_PARKED"
RUN_ID = "CONNECTOR_WEBHOOKS_RUN_ID"
# --force: Meltano would refuse its own state id for five minutes after a killed run. That lock
# guards the bookmark, and a run of named orders keeps none; the target's lock guards the books.
# --hooks: the tap under a name of its own, since Meltano keeps a run's catalog and state in a
# folder of that name, where a webhook's run and the scheduled one would take each other's.
MELTANO_RUN = ("run", "--force", "tap-bigcommerce-orders--hooks", "target-freshbooks")
EXIT_DONE = 0
"""The only good end: 2 may mean "something was parked", or that a command line was wrong."""

# The child has no business with these; it has credentials of its own.
_KEPT_BACK = ("CLIENT_SECRET", "ACCESS_TOKEN", "ENCRYPTION_KEY", "SHARED_HEADER_VALUE")
LONGEST_LINE = 2_000
LONGEST_REASON = 300
_ERROR = re.compile(r"\b(?:error|critical)\b", re.IGNORECASE)
# Meltano's own last words after a failure ("Run completed", "Need help?") explain nothing.
_MELTANO_ITSELF = re.compile(r"\] meltano\s")
TERMINATION_GRACE_SECONDS = 20.0
_LAST_READ_SECONDS = 5.0

log = logging.getLogger(__name__)
output = logging.getLogger(f"{__name__}.output")


class RunStatus(StrEnum):
    """How a run ended."""

    DELIVERED = "delivered"
    FAILED = "failed"
    STOPPED = "stopped"
    """We ended it because we are to stop."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended, and in words why."""

    status: RunStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """What to start.

    Attributes:
        arguments: The command; no secret is in it.
        directory: Where it starts.
        environment: All of its environment but the order numbers.
        timeout_seconds: After that it is ended.
    """

    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    timeout_seconds: int

    @classmethod
    def of(cls, settings: Settings, environment: Mapping[str, str]) -> Program:
        """The run that the settings ask for."""
        project = settings.run_directory or environment.get("MELTANO_PROJECT_ROOT") or "."
        directory = Path(project).resolve()
        return cls(
            arguments=_arguments(settings.run_command, directory),
            directory=directory,
            # What was parked is delivered: the target has it, and lists it with its reason.
            environment={**_without_secrets(environment), ON_PARKED: "warn"},
            timeout_seconds=settings.run_timeout_seconds,
        )


class Run:
    """A started run. Call :meth:`poll` until it returns a result."""

    def __init__(
        self, program: Program, order_ids: Sequence[int], run_id: str, redaction: Redaction
    ) -> None:
        self._redaction = redaction
        self._last_line = ""
        self._last_error = ""
        self._stopping = False
        self._timeout = program.timeout_seconds
        environment = {
            **program.environment,
            ORDER_IDS: json.dumps(list(order_ids)),
            RUN_ID: run_id,
        }
        shown = shlex.join(program.arguments)
        log.info("%s", redaction(f"{ORDER_IDS}='{environment[ORDER_IDS]}' {shown}"))
        self._child = subprocess.Popen(  # noqa: S603 - the operator's own command
            list(program.arguments),
            cwd=program.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"output-{run_id}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        stream = self._child.stdout
        if stream is None:  # never so: it was asked for as a pipe
            return
        with stream:
            for raw in stream:
                line = self._redaction(raw.decode(errors="replace").rstrip())[:LONGEST_LINE]
                if line:
                    self._last_line = line
                    if _ERROR.search(line) and not _MELTANO_ITSELF.search(line):
                        self._last_error = line
                    output.info("%s", line)

    def poll(self, seconds: float) -> RunResult | None:
        """Wait so long at most; return how the run ended, or None while it goes on."""
        try:
            code = self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._end_group()  # a grandchild could hold the pipe, or go on writing to the books
        self._reader.join(_LAST_READ_SECONDS)
        if code == EXIT_DONE:
            return RunResult(RunStatus.DELIVERED)
        if self._stopping:
            return RunResult(RunStatus.STOPPED)
        what = f"was ended by signal {-code}" if code < 0 else f"exited {code}"
        return RunResult(RunStatus.FAILED, self._reason(f"The run {what}"))

    def stop(self) -> RunResult:
        """End the run because we are to stop; it may still have finished its work."""
        self._stopping = True
        self._terminate()
        return self.poll(0) or RunResult(RunStatus.STOPPED)

    def time_out(self) -> RunResult:
        """End a run that takes too long."""
        self._terminate()
        return RunResult(
            RunStatus.FAILED,
            self._reason(f"The run took longer than {self._timeout} s and was ended"),
        )

    def _reason(self, what: str) -> str:
        if self._last_error:
            return f"{what}. Its last error: {self._last_error[:LONGEST_REASON]}"
        if self._last_line:
            return f"{what}. Its last line: {self._last_line[:LONGEST_REASON]}"
        return f"{what} without a word."

    def _terminate(self) -> None:
        self._signal(signal.SIGTERM)
        try:
            self._child.wait(TERMINATION_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("The run did not end within %d s of SIGTERM.", TERMINATION_GRACE_SECONDS)
        self._end_group()
        self._child.wait()

    def _end_group(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # the group is empty: nothing to end
            os.killpg(self._child.pid, number)


def _arguments(command: str, directory: Path) -> tuple[str, ...]:
    if not command:
        return (_meltano(directory), *MELTANO_RUN)
    bash = shutil.which("bash")
    if bash is None:
        raise SettingsError(
            "run_command needs bash, so that a failing tap in `tap | target` is noticed."
        )
    return (bash, "-o", "pipefail", "-c", command)


def _meltano(directory: Path) -> str:
    # Meltano leaves a link to itself there, which works from within a plugin's own environment.
    linked = directory / ".meltano" / "run" / "bin"
    if linked.exists():
        return str(linked)
    beside = Path(sys.executable).with_name("meltano")
    return shutil.which("meltano") or (str(beside) if beside.exists() else "meltano")


def _without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    kept_back = {PREFIX + name for name in _KEPT_BACK}
    return {name: value for name, value in environment.items() if name not in kept_back}
