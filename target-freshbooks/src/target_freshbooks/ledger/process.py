"""Who we are among processes, and whether another one is still there.

A process id alone says little: it is reused, and in containers or on another machine it names
somebody else. So a process is told by its machine (kernel boot and process-id namespace), its id
and its start time.
"""

from __future__ import annotations

import os
import platform
import time
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_STATE, _START = 0, 19
"""Places of state and starttime in /proc/<pid>/stat, counted behind the command (proc(5))."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process.

    Attributes:
        host: The machine's name, for people.
        machine: What tells the machine and its set of process ids, for comparing.
        pid: Process id.
        start: Start time in clock ticks since boot; empty where the system does not tell.
    """

    host: str
    machine: str
    pid: int
    start: str


def this_process() -> Process:
    """Tell about the process that asks."""
    pid = os.getpid()
    _, start = _stat(pid)
    return Process(platform.node() or "unknown", _machine(), pid, start)


def is_ours_to_see(process: Process) -> bool:
    """Tell whether `is_gone` can know: the process is, or was, among those of this machine."""
    return process.machine == _machine()


def is_gone(process: Process) -> bool:
    """Tell whether the process has certainly ended; False where that cannot be known."""
    if not is_ours_to_see(process):
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is there and somebody else's: the start time below tells whether it is the one
    state, start = _stat(process.pid)
    if state in {"Z", "X"}:  # killed, only its parent has not taken note yet
        return True
    return bool(start and process.start and start != process.start)


def uptime() -> float:
    """Seconds on a clock that is never set, and that goes on while the machine sleeps."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def _stat(pid: int) -> tuple[str, str]:
    """Read a process's state and start time; both empty where /proc is not there."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return "", ""
    fields = text.rpartition(")")[2].split()  # the command may hold spaces and brackets
    return fields[_STATE], fields[_START]


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{platform.node()} {uuid.getnode():x}"
