"""Runs the jobs of meltano.yml at the times of its schedules, until SIGTERM or SIGINT.

The list of schedules is Meltano's own (`meltano schedule list`), their times are of the zone that
`TZ` names. A job that is due while it still runs is passed over, and one that ends badly is tried
again at its next time.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from apscheduler.schedulers.background import (  # type: ignore[import-untyped] # version 3 has none
    BackgroundScheduler,
)
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped] # as above
from connector_credentials.stop import STOP

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("schedule")


def listed() -> Iterator[dict[str, Any]]:
    """Meltano's schedules of jobs that have times: `name`, `cron_interval`, `env` and the job."""
    command = ["meltano", "schedule", "list", "--format=json"]
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    yield from (
        one for one in json.loads(process.stdout)["schedules"]["job"] if one["cron_interval"]
    )


def trigger(when: str) -> CronTrigger:
    """Read the times of a schedule.

    Raises:
        ValueError: They are no times of cron, or would be other times here than cron's.
    """
    _, _, day, _, weekday = when.split()
    if re.search(r"\d", weekday):
        raise ValueError(f"'{when}' numbers the days of the week: name them, as in mon-fri.")
    if "*" not in (day, weekday):
        raise ValueError(
            f"'{when}' names days of the month and of the week: make two schedules of it."
        )
    return CronTrigger.from_crontab(when)


class Runs:
    """The runs that are at work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def run(self, job: str, environment: dict[str, str]) -> None:
        """Run a job to its end, in a process group of its own; nothing once they were ended."""
        with self._lock:
            if self._ended:
                return
            process = subprocess.Popen(
                ["meltano", "run", job],
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._at_work.add(process)
        code = process.wait()
        with self._lock:
            self._at_work.discard(process)
        log.log(logging.ERROR if code else logging.INFO, "The job %s ended with %s.", job, code)

    def end(self) -> None:
        """Have each finish the step in hand; `run` returns when it has."""
        with self._lock:
            self._ended = True
            for process in self._at_work:
                with suppress(ProcessLookupError):  # it has just ended
                    os.killpg(process.pid, signal.SIGTERM)


def main() -> int:
    """Run what is due until a signal comes; return 143 after SIGTERM, 130 after SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    runs, scheduler = Runs(), BackgroundScheduler()
    try:
        with STOP.heeded():
            for one in listed():
                job, when = one["job"]["name"], trigger(one["cron_interval"])
                # A time that was missed while the machine slept counts once, however late.
                scheduler.add_job(
                    runs.run,
                    when,
                    (job, one["env"]),
                    name=one["name"],
                    coalesce=True,
                    misfire_grace_time=None,
                )
                log.info("The job %s runs at %s.", job, one["cron_interval"])
            with STOP.critical_section():  # one that has half started can be neither used nor ended
                scheduler.start()
            STOP.event.wait()
    except KeyboardInterrupt:
        log.info("Stopping: the runs at work finish the step in hand.")
    runs.end()
    if scheduler.running:
        scheduler.shutdown(wait=True)
    return STOP.exit_code(0)


if __name__ == "__main__":
    sys.exit(main())
