"""Runs the target in processes of its own, without paying for its imports each time.

A job is a line of JSON on stdin; the process that does it is forked from this one, which has the
target's code loaded. Answers on stdout: its pid when it starts, its exit code when it ends (minus
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

from target_freshbooks.posting.writer import Writer
from target_freshbooks.target import TargetFreshBooks

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    """Become `target-freshbooks --config CONFIG < INPUT > STATES 2> LOG`."""
    code = 1
    try:
        for number, name, flags in (
            (0, job["input"], os.O_RDONLY),
            (1, job["states"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            (2, job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        ):
            descriptor = os.open(name, flags, 0o600)
            os.dup2(descriptor, number)
        sys.stdin = Path(job["input"]).open(encoding="utf-8")  # noqa: SIM115 - until the end
        if job.get("die_after_answer") is not None:
            _die_after_answer(int(job["die_after_answer"]))
        TargetFreshBooks.cli.main(["--config", job["config"]], standalone_mode=False)
        code = 0
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_after_answer(number: int) -> None:
    """Let the process be killed when the write of this number (from 0) has been answered."""
    sent = Writer._send  # noqa: SLF001 - the one place that an answer comes back to
    count = iter(range(number, -1, -1))

    def send(self: Writer, *arguments: Any) -> Any:  # noqa: ANN401 - as the original
        answer = sent(self, *arguments)
        if next(count) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    Writer._send = send  # type: ignore[method-assign]  # noqa: SLF001 - see above


if __name__ == "__main__":
    main()
