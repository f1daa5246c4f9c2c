"""Tap and target in processes of their own, without paying for their imports each time.

The forks come from a server that has the programs' code loaded. A run may be told the write after
whose answer it kills itself: there is no moment outside the process that could be caught between an
answer and its entry in the ledger.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.encoding.simple import SimpleSingerReader
from target_freshbooks.posting.apply.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess
    from pathlib import Path

PROGRAMS = {
    "tap": ("tap_bigcommerce_orders.tap", "TapBigCommerceOrders"),
    "target": ("target_freshbooks.target", "TargetFreshBooks"),
}

_LOOKING = threading.Lock()
"""Held by whoever may read the end of processes: it can be read once, and each start looks too."""

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([module for module, _ in PROGRAMS.values()])


@dataclass(frozen=True, slots=True)
class Run:
    """`PROGRAM ARGUMENTS < INPUT >> OUTPUT 2>> LOG`."""

    program: str
    arguments: tuple[str, ...]
    input: Path
    output: Path
    log: Path
    die_after_answer: int | None = None
    """Kill the process once the write of this number (from 0) has been answered."""


def started(run: Run) -> BaseProcess:
    """The process that carries the run out; it does not outlive this one."""
    process = _SERVER.Process(target=_work, args=(run,), daemon=True)
    with _LOOKING:
        process.start()
    return process


def exit_code(process: BaseProcess) -> int:
    """Wait for a process's end; its exit code, minus the signal's number if it was killed."""
    wait([process.sentinel])
    with _LOOKING:
        return int(process.exitcode or 0)


def _work(run: Run) -> None:
    appends = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, file, flags in (
        (0, run.input, os.O_RDONLY),
        (1, run.output, appends),
        (2, run.log, appends),
    ):
        os.dup2(os.open(file, flags, 0o600), number)
    SimpleSingerReader.default_input = sys.stdin = run.input.open(encoding="utf-8")
    if run.die_after_answer is not None:
        _die_after_answer(run.die_after_answer)
    module, name = PROGRAMS[run.program]
    getattr(sys.modules[module], name).cli.main(run.arguments)


def _die_after_answer(number: int) -> None:
    sent: Callable[..., Any] = Writer._send  # noqa: SLF001 - the one place an answer comes back to
    count = iter(range(number, -1, -1))

    def send(self: Writer, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the original
        answer = sent(self, *arguments, **named)
        if next(count) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(Writer, "_send", send)  # noqa: B010 - in this process only
