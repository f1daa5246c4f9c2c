"""The Meltano project of this repository, with state, ledger and logs in a folder of their own.

Whatever the user has set for real shops (environment variables, `.env`) is left out, so that a
trial never reaches beyond the sandbox and never touches the user's ledger or bookmark.
"""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from connector_sandbox import constants
from connector_sandbox.settings import clean_environment, freshbooks_app

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
GLANCE_SECONDS = 0.5
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Project:
    """The project as a trial sees it.

    Attributes:
        home: folder for ledger, Meltano's database and logs.
        url: origin of the sandbox.
        settings: further environment variables, which win over all others.
        folder: where its meltano.yml is; a copy may be changed.
    """

    home: Path
    url: str
    settings: Mapping[str, str]
    folder: Path = ROOT

    @property
    def ledger(self) -> Path:
        """The ledger's file, in a folder that says whose it is."""
        return self.home / "sandbox" / "ledger.sqlite"

    def environment(self) -> dict[str, str]:
        """Everything the programs need to work on this sandbox, and nothing of the user's own."""
        return {
            **clean_environment(),
            "NO_COLOR": "1",
            "XDG_STATE_HOME": str(self.home / "state"),
            "MELTANO_DATABASE_URI": f"sqlite:///{self.home}/meltano.db",
            "TAP_BIGCOMMERCE_ORDERS_API_URL": self.url,
            "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": constants.STORE_HASH,
            "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
            **{
                f"TARGET_FRESHBOOKS_{name.upper()}": value
                for name, value in self.target(self.url).items()
            },
            **self.settings,
        }

    def target(self, url: str) -> dict[str, str]:
        """Give the target's settings for a sandbox at `url`, as its configuration file has them."""
        return {
            **freshbooks_app(url),
            "ledger_url": f"sqlite:///{self.ledger}",
        }

    def meltano(
        self,
        *arguments: str,
        output: IO[str],
        watch: Callable[[], None] | None = None,
        environment: str = "sandbox",
    ) -> int:
        """Run Meltano to its end and return its exit code; `watch` is called now and then.

        Args:
            arguments: of Meltano, such as `run`, `sync`.
            output: where its log goes.
            watch: looks on while it runs.
            environment: of meltano.yml.
        """
        no_dotenv = str(self.home / "no.env")
        command = [str(BIN / "meltano"), "--env-file", no_dotenv, "--environment", environment]
        # A session of its own: ending the run ends the tap and the target with it.
        process = subprocess.Popen(
            [*command, *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    return process.wait(GLANCE_SECONDS)
                except subprocess.TimeoutExpired:
                    if watch is not None:
                        watch()
        finally:
            end_group(process)

    def program(self, name: str, *arguments: str) -> list[str]:
        """Give the command line of one of the project's own programs in .venv."""
        return [str(BIN / name), *arguments]


def end_group(process: subprocess.Popen[str]) -> None:
    """End a process that was started in a session of its own, with all its children."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
