"""The webhook receiver as a process of its own, told of by a sandbox's shop."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants

from demo.project import BIN, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from demo.project import Project

PROGRAM = (str(BIN / "webhooks"),)
# `tap | target` by themselves: what a run does, without the seconds that Meltano needs to start.
PIPE = f"{BIN}/tap-bigcommerce-orders --config=ENV | {BIN}/target-freshbooks --config=ENV"
CALL_SECONDS = 120
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Receiver:
    """A running `webhooks serve`.

    Attributes:
        url: its origin.
        internal_url: where its figures are.
        home: where inbox and log are.
        process: it.
        environment: of this program and its other commands.
    """

    url: str
    internal_url: str
    home: Path
    process: subprocess.Popen[str]
    environment: Mapping[str, str]

    @property
    def log(self) -> str:
        """What it has said, and what its runs have said."""
        return log_of(self.home).read_text(encoding="utf-8")

    def call(self, *arguments: str) -> str:
        """Run another command of the program on the same settings; return what it printed.

        Raises:
            RuntimeError: It ended with another code than 0; with its words.
        """
        return call(self.environment, *arguments)

    def hooks(self) -> list[dict[str, Any]]:
        """The hooks in the inbox, in order of arrival."""
        return inbox_hooks(self.home)

    def waiting(self) -> list[int]:
        """The orders that wait for a run."""
        return [row["order_id"] for row in _inbox_rows(self.home, "SELECT * FROM webhook_orders")]

    def stop(self) -> int:
        """Ask it to end and return its exit code; it lets the run in work end first."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


def environment_of(project: Project, home: Path, **settings: str | int) -> dict[str, str]:
    """Give the programs' settings on a sandbox, with further ones of the receiver."""
    given: dict[str, str | int] = {
        "store_hash": constants.STORE_HASH,
        "client_secret": constants.BIGCOMMERCE_CLIENT_SECRET,
        "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "api_url": project.url,
        "inbox_url": f"sqlite:///{_inbox_of(home)}",
        "run_directory": str(workplace(home)),
        "shutdown_seconds": 15,
        **settings,
    }
    named = {f"WEBHOOKS_{name.upper()}": str(value) for name, value in given.items()}
    return {**project.environment(), "MELTANO_ENVIRONMENT": "sandbox", **named}


def workplace(home: Path) -> Path:
    """Make a Meltano project like this repository's, but without the user's `.env` and state.

    A run started by the receiver is a plain `meltano run`, which would read that file.
    """
    place = home / "project"
    if not place.exists():
        (place / ".meltano").mkdir(parents=True, mode=0o700)
        shutil.copy(ROOT / "meltano.yml", place)  # Meltano insists on a file of the project's own
        for name in ("constraints.txt", "plugins", *_packages()):
            (place / name).symlink_to(ROOT / name)
        for kind in ("extractors", "loaders"):
            (place / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)
    return place


def _packages() -> list[str]:
    return [folder.parent.name for folder in ROOT.glob("*/pyproject.toml")]


@contextmanager
def serving(
    environment: Mapping[str, str],
    home: Path,
    *,
    program: Sequence[str] = PROGRAM,
    port: int = 0,
) -> Iterator[Receiver]:
    """Start `webhooks serve`; end it at the end, with the run it may have in work.

    Args:
        environment: see `environment_of`.
        home: gets its log.
        program: what to start instead of `webhooks`.
        port: to listen on; 0 for any free one.

    Raises:
        RuntimeError: It ended before it was ready.
    """
    with log_of(home).open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*program, "serve", "--port", str(port)],
            cwd=home,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - it was asked for with PIPE
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the receiver did not start; see {log_of(home)}")
            places = json.loads(line)
            url, internal_url = places["url"], places["internal_url"]
            destination = {"WEBHOOKS_DESTINATION": f"{url}/webhooks"}
            yield Receiver(url, internal_url, home, process, {**environment, **destination})
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def call(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a command of `webhooks` to its end and return what it printed.

    Raises:
        RuntimeError: It ended with another code than 0; with its words.
    """
    done = subprocess.run(
        [*PROGRAM, *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=CALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        words = f"{done.stdout}{done.stderr}".strip()
        raise RuntimeError(f"webhooks {arguments[0]} ended with {done.returncode}: {words}")
    return done.stdout


def log_of(home: Path) -> Path:
    """Name the file that the receiver's log goes to."""
    return home / "webhooks.log"


def _inbox_of(home: Path) -> Path:
    return home / "sandbox" / "webhooks.sqlite"


def inbox_hooks(home: Path) -> list[dict[str, Any]]:
    """Read the hooks in the inbox past the receiver's own code; none while there is no inbox."""
    return _inbox_rows(home, "SELECT * FROM webhook_hooks ORDER BY received_at")


def _inbox_rows(home: Path, query: str) -> list[dict[str, Any]]:
    file = _inbox_of(home)
    if not os.path.lexists(file):
        return []
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=10)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(query)]
