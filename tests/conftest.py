"""Real processes: a sandbox for each test that asks, the programs of .venv, and their files."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox import constants
from connector_sandbox.settings import tap_settings

from demo import books, ledger
from demo import sandbox as sandboxes
from demo.project import BIN, ROOT, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from demo.books import Comparison
    from demo.sandbox import Sandbox

RUN_SECONDS = 240
SEED = 20261001
FEW_ORDERS = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    """How a long proof is repeated with other choices, or a single trial of it."""
    parser.addoption("--seed", type=int, default=SEED, help="of the long proofs' random choices")
    parser.addoption("--trial", help="one trial of others at work, as SEED/NUMBER, told in full")


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """Of the random choices; printed with the figures."""
    return int(request.config.getoption("--seed"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How `tap | target` ended."""

    tap_code: int
    target_code: int
    states: list[dict[str, Any]]
    tap_log: str
    target_log: str

    def expect_success(self) -> Outcome:
        """Fail with both logs' ends unless both programs ended with 0."""
        assert (self.tap_code, self.target_code) == (0, 0), (
            self.tap_log[-3000:] + self.target_log[-3000:]
        )
        return self


@dataclass(frozen=True, slots=True)
class Pipe:
    """`tap-bigcommerce-orders --config tap.json | target-freshbooks --config target.json`.

    Everything lies in `home`: the two configurations, state.json, the ledger, what was sent.
    """

    home: Path
    sandbox: Sandbox
    tap: dict[str, Any]
    target: dict[str, Any]

    @property
    def ledger(self) -> Path:
        return self.home / "sandbox" / "ledger.sqlite"

    @property
    def state(self) -> Path:
        return self.home / "state.json"

    @property
    def sent(self) -> Path:
        """The tap's messages of the last `read`."""
        return self.home / "messages.jsonl"

    def read(self) -> tuple[int, str]:
        """Let the tap write its messages to `sent`; return its exit code and log."""
        command = [str(BIN / "tap-bigcommerce-orders"), "--config", self._config("tap", self.tap)]
        if self.state.exists():
            command += ["--state", str(self.state)]
        with self.sent.open("w", encoding="utf-8") as output:
            done = subprocess.run(
                command,
                cwd=self.home,
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                timeout=RUN_SECONDS,
                check=False,
            )
        return done.returncode, done.stderr

    def post(self) -> tuple[int, list[dict[str, Any]], str]:
        """Feed `sent` to the target; return its exit code, the states it emitted and its log.

        The last state becomes state.json, as Meltano or a shell script would keep it.
        """
        command = [str(BIN / "target-freshbooks"), "--config", self._config("target", self.target)]
        with self.sent.open(encoding="utf-8") as messages:
            done = subprocess.run(
                command,
                cwd=self.home,
                stdin=messages,
                capture_output=True,
                text=True,
                timeout=RUN_SECONDS,
                check=False,
            )
        states = [json.loads(line) for line in done.stdout.splitlines()]
        if states:
            self.state.write_text(json.dumps(states[-1]), encoding="utf-8")
        return done.returncode, states, done.stderr

    def run(self) -> Outcome:
        """Read, then post; the target gets its input even when the tap failed, as in a pipe."""
        tap_code, tap_log = self.read()
        target_code, states, target_log = self.post()
        return Outcome(tap_code, target_code, states, tap_log, target_log)

    def compare(self) -> Comparison:
        """Put both sides next to each other."""
        return compare(self.sandbox, self.ledger)

    def _config(self, name: str, settings: dict[str, Any]) -> str:
        path = self.home / f"{name}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(settings), encoding="utf-8")
        path.chmod(0o600)
        return str(path)


def compare(sandbox: Sandbox, ledger_file: Path) -> Comparison:
    """Put both sides next to each other; what the ledger parked does not count as posted."""
    standings = ledger.standings(ledger_file)
    parked = {number for number, one in standings.items() if one.state == "parked"}
    return books.compare(sandbox.ask("truth")["orders"], sandbox.ask("books"), parked)


def settings_for(sandbox: Sandbox, home: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give tap.json and target.json for a sandbox; the refresh token seeds the store."""
    target = {
        **Project(home=home, url=sandbox.url, settings={}).target(sandbox.url),
        "refresh_token": constants.FRESHBOOKS_REFRESH_TOKEN,
        # Apart from the ledger, so that a test can lose the one and keep the other.
        "credentials_url": f"sqlite:///{home}/sandbox/credentials.sqlite",
    }
    return tap_settings(sandbox.url), target


@pytest.fixture
def pipe_for() -> Callable[[Sandbox, Path], Pipe]:
    """Makes the pipe between the two sides of a sandbox, its files in a folder."""

    def make(sandbox: Sandbox, home: Path) -> Pipe:
        home.mkdir(parents=True, exist_ok=True)
        return Pipe(home, sandbox, *settings_for(sandbox, home))

    return make


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of its own, with the whole month of orders."""
    with sandboxes.up(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture
def few_orders(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of its own, with as many orders as a page or two would hold."""
    sandboxes.plant(tmp_path / "few", orders=FEW_ORDERS)
    with sandboxes.up(tmp_path / "few") as running:
        yield running


@pytest.fixture
def pipe(few_orders: Sandbox, tmp_path: Path, pipe_for: Callable[[Sandbox, Path], Pipe]) -> Pipe:
    """Tap and target on a sandbox with few orders."""
    return pipe_for(few_orders, tmp_path / "pipe")


@pytest.fixture
def month_pipe(sandbox: Sandbox, tmp_path: Path, pipe_for: Callable[[Sandbox, Path], Pipe]) -> Pipe:
    """Tap and target on a sandbox with the whole month."""
    return pipe_for(sandbox, tmp_path / "month-pipe")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Meltano project that is a copy of this one, with the environments of its plugins."""
    folder = tmp_path / "copy"
    plugins = folder / ".meltano"
    plugins.mkdir(parents=True)
    shutil.copy(ROOT / "meltano.yml", folder)
    for kind in ("extractors", "loaders"):
        plugins.joinpath(kind).symlink_to(ROOT / ".meltano" / kind)
    return folder


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    """The Meltano project on the test's own sandbox, its state and ledger in the test's folder."""
    home = tmp_path / "project"
    home.mkdir()
    return Project(home=home, url=sandbox.url, settings={})


@pytest.fixture(scope="session")
def compared() -> Callable[[Sandbox, Path], Comparison]:
    """Puts a sandbox's two sides next to each other, given the ledger's file."""
    return compare
