"""Two runs of one job at a time, and what a run leaves that was killed: what README says of it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.testing import until

from demo.login import log_in
from demo.project import BIN, Project

if TYPE_CHECKING:
    from pathlib import Path

    from demo.sandbox import Sandbox

pytestmark = [pytest.mark.sweep, pytest.mark.timeout(1200)]

ALREADY = (
    "Another 'sandbox:tap-bigcommerce-orders-to-target-freshbooks' pipeline is already running"
)
MELTANO_WAITS = timedelta(minutes=5)
# A run is noted as running, with its first heartbeat, a moment before Meltano hears SIGTERM; the
# second comes a second later.
HAS_BEATEN_TWICE = """
    SELECT id FROM runs WHERE state = 'RUNNING'
    AND julianday(last_heartbeat_at) - julianday(started_at) > 0.5 / 86400
"""


@pytest.fixture
def project(few_orders: Sandbox, tmp_path: Path) -> Project:
    home = tmp_path / "project"
    home.mkdir()
    project = Project(home=home, url=few_orders.url, settings={})
    log_in(project)
    return project


def begun(project: Project) -> subprocess.Popen[str]:
    """A run that is at work and hears signals; all its processes stand still."""
    arguments = ("--env-file", str(project.home / "no.env"), "--environment", "sandbox")
    with (project.home / "begun.log").open("w", encoding="utf-8") as log:
        run = subprocess.Popen(
            [str(BIN / "meltano"), *arguments, "run", "sync"],
            cwd=project.folder,
            env=project.environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    until(lambda: rows(project, HAS_BEATEN_TWICE), "the run hears signals", seconds=120)
    while True:
        os.killpg(run.pid, signal.SIGSTOP)
        if is_free(project.home / "meltano.db"):
            return run
        os.killpg(run.pid, signal.SIGCONT)


def is_free(file: Path) -> bool:
    """Whether nobody is about to write to the database, and would hold others up."""
    with closing(sqlite3.connect(file, timeout=0)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True


def rows(project: Project, query: str) -> list[Any]:
    """What Meltano's database answers; nothing while its tables are not made yet."""
    file = project.home / "meltano.db"
    if not file.exists():
        return []
    with closing(sqlite3.connect(file)) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


def states(project: Project) -> list[str]:
    """Meltano's runs as it has noted them, the oldest first."""
    return [state for (state,) in rows(project, "SELECT state FROM runs ORDER BY id")]


def ended(project: Project, *arguments: str) -> tuple[int, str]:
    """A run from its beginning to its end: exit code and log."""
    log = project.home / "run.log"
    with log.open("w", encoding="utf-8") as output:
        code = project.meltano("run", *arguments, output=output)
    return code, log.read_text(encoding="utf-8")


def test_meltano_refuses_a_job_that_runs_or_was_killed_until_forced_or_five_minutes_later(
    project: Project, few_orders: Sandbox
) -> None:
    run = begun(project)
    try:
        code, said = ended(project, "sync")
        assert (code, few_orders.writes()) == (1, {"POST": 0, "PUT": 0, "DELETE": 0})
        assert ALREADY in " ".join(said.split())
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()

    code, said = ended(project, "sync")
    assert code == 1
    assert ALREADY in " ".join(said.split())

    code, said = ended(project, "--force", "sync")
    assert code == 0, said[-4000:]
    assert states(project) == ["RUNNING", "SUCCESS"]

    with closing(sqlite3.connect(project.home / "meltano.db")) as database, database:
        before = datetime.now(UTC) - MELTANO_WAITS - timedelta(seconds=1)
        database.execute(
            "UPDATE runs SET last_heartbeat_at = ? WHERE state = 'RUNNING'",
            (f"{before:%Y-%m-%d %H:%M:%S.%f}",),
        )
    code, said = ended(project, "sync")
    assert code == 0, said[-4000:]
    assert states(project) == ["FAIL", "SUCCESS", "SUCCESS"]


def test_a_run_that_was_asked_to_stop_leaves_no_lock_of_meltano(project: Project) -> None:
    run = begun(project)
    run.send_signal(signal.SIGTERM)
    os.killpg(run.pid, signal.SIGCONT)
    assert run.wait(120) == 128 + signal.SIGTERM
    code, said = ended(project, "sync")
    assert code == 0, said[-4000:]
    assert states(project) == ["FAIL", "SUCCESS"]
