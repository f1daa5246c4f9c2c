"""Runs tap and target in processes of their own, without paying for their imports each time.

A job is a line of JSON on stdin; the process that does it is forked from this one, which has the
programs' code loaded. Answers on stdout: its pid when it starts, its exit code when it ends (minus
the signal's number when it was killed).

A job may name the write after whose answer the process kills itself: there is no moment outside the
process that could be caught between an answer and its entry in the ledger.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tap_bigcommerce_orders.tap import TapBigCommerceOrders
from target_freshbooks.posting.apply.writer import Writer
from target_freshbooks.target import TargetFreshBooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def main() -> None:
    """Do jobs until stdin ends."""
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _work(job)
        _say({"pid": pid})
        _, status = os.waitpid(pid, 0)
        _say({"code": os.waitstatus_to_exitcode(status)})


def _say(document: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _work(job: Mapping[str, Any]) -> NoReturn:
    """Become `PROGRAM ARGUMENTS < INPUT >> OUTPUT 2>> LOG`."""
    code = 1
    try:
        for number, name, flags in (
            (0, job["input"], os.O_RDONLY),
            (1, job["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            (2, job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        ):
            os.dup2(os.open(name, flags, 0o600), number)
        sys.stdin = Path(job["input"]).open(encoding="utf-8")  # noqa: SIM115 - until the end
        if job.get("die_after_answer") is not None:
            _die_after_answer(int(job["die_after_answer"]))
        program = TapBigCommerceOrders if job["program"] == "tap" else TargetFreshBooks
        program.cli.main(job["arguments"], standalone_mode=False)
        code = 0
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_after_answer(number: int) -> None:
    """Let the process be killed when the write of this number (from 0) has been answered."""
    sent: Callable[..., Any] = Writer._send  # noqa: SLF001 - the one place an answer comes back to
    count = iter(range(number, -1, -1))

    def send(self: Writer, *arguments: Any) -> Any:  # noqa: ANN401 - as the original
        answer = sent(self, *arguments)
        if next(count) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(Writer, "_send", send)  # noqa: B010 - in this process only


if __name__ == "__main__":
    main()
