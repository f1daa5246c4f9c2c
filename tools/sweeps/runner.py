"""One stage for many trials: a sandbox, the messages of a few orders, and target runs on them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants
from connector_sandbox.settings import target_settings
from cryptography.fernet import Fernet

from demo import sandbox as sandboxes
from sweeps.outcomes import Outcomes
from sweeps.programs import Run, exit_code, started

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from multiprocessing.process import BaseProcess


WRITES = {"side": "freshbooks", "method": "POST|PUT", "path": "^/accounting/"}
HELD_SECONDS = 60
GLANCE_SECONDS = 0.01
KILLED = -signal.SIGKILL


@dataclass(slots=True)
class Stage(Outcomes):
    """Where trials take place.

    Attributes:
        phases: The tap's messages, one file for each reading of the shop.
        settings: Of the target, besides the connection's.
        switches: Of the sandbox, set anew for each trial.
        later: Settings that change with a phase, by its number.
    """

    phases: Sequence[Path]
    settings: dict[str, Any]
    switches: dict[str, Any]
    later: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    process: BaseProcess | None = None
    """The run in hand."""

    # -- a trial's beginning

    def begin(self) -> None:
        """Empty books, no ledger, fresh tokens; the shop's messages stay as they are."""
        self.sandbox.tell("DELETE", "faults")
        self.sandbox.tell("POST", "reset", {"seed": False})
        self.sandbox.tell("PUT", "switches", self.switches)
        self.prepare()

    def prepare(self) -> None:
        """Give the target a new folder, without a ledger, and fresh tokens."""
        trial = self.home / "trial"
        shutil.rmtree(trial, ignore_errors=True)
        trial.mkdir()
        template = self.home / "empty.sqlite"
        if template.exists():
            shutil.copy(template, trial / "ledger.sqlite")
        granted = self.sandbox.tell("POST", "freshbooks/tokens/grant")
        given: dict[str, Any] = {
            "refresh_token": granted["refresh_token"],
            "account_id": constants.FRESHBOOKS_ACCOUNT_ID,
            "encryption_key": Fernet.generate_key().decode(),
            "max_retry_seconds": 20,
            "settle_seconds": 1,
            "lease_wait_seconds": 30,
        }
        config = target_settings(self.sandbox.url, trial, **given | self.settings)
        (trial / "target.json").write_text(json.dumps(config), encoding="utf-8")

    def configure(self, **settings: Any) -> None:  # noqa: ANN401 - settings are JSON
        """Change settings of the target for the trial's next runs."""
        file = self.home / "trial" / "target.json"
        config = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**config, **settings}), encoding="utf-8")

    # -- runs

    def start(
        self,
        phase: int,
        *,
        die_after_answer: int | None = None,
        messages: Path | None = None,
        config: Path | None = None,
    ) -> int:
        """Start the target on a phase's messages, or on others; returns its process id.

        With another configuration its states are kept apart: the tap does not go on from them.
        """
        trial = self.home / "trial"
        self.configure(**self.later.get(phase, {}))
        return self._start(
            Run(
                "target",
                ("--config", str(config or trial / "target.json")),
                messages or self.phases[phase],
                trial / f"{config.stem if config else ''}states.jsonl",
                trial / "target.log",
                die_after_answer,
            )
        )

    def _start(self, run: Run) -> int:
        self.process = started(run)
        return int(self.process.pid or 0)

    def feed(self, messages: Path) -> int:
        """Run the target on some messages to its end; returns its exit code."""
        self.start(0, messages=messages)
        return self.ended()

    def read(
        self,
        output: Path,
        *,
        anew: bool = False,
        **settings: Any,  # noqa: ANN401 - settings are JSON
    ) -> int:
        """Let the tap read the shop from where the last state stands; returns its exit code."""
        trial = self.home / "trial"
        config = {
            "store_hash": constants.STORE_HASH,
            "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
            "api_url": self.sandbox.url,
            **settings,
        }
        (trial / "tap.json").write_text(json.dumps(config), encoding="utf-8")
        arguments: tuple[str, ...] = ("--config", str(trial / "tap.json"))
        states = self.states()
        if states and not anew:
            (trial / "state.json").write_text(json.dumps(states[-1]), encoding="utf-8")
            arguments += ("--state", str(trial / "state.json"))
        output.unlink(missing_ok=True)
        self._start(Run("tap", arguments, Path(os.devnull), output, trial / "tap.log"))
        return self.ended()

    def states(self) -> list[dict[str, Any]]:
        """The states that the trial's runs have let out."""
        file = self.home / "trial" / "states.jsonl"
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def ended(self) -> int:
        """Wait for the started run's end; its exit code, minus the signal's number if killed."""
        if self.process is None:
            raise RuntimeError("no run was started")
        return exit_code(self.process)

    def run(self, phase: int) -> None:
        """Run a phase to its end.

        Raises:
            RuntimeError: It did not end with 0.
        """
        self.start(phase)
        code = self.ended()
        if code != 0:
            raise RuntimeError(f"the target ended with {code}:\n{self.log()[-3000:]}")

    def killed_at(self, phase: int, number: int, place: str) -> bool:
        """Run a phase and kill it with SIGKILL at its write `number` (from 0).

        Args:
            phase: Which messages.
            number: Which of the run's writes.
            place: `before` FreshBooks handles it, `after` it is committed and not yet answered,
                or `answered`, before the answer is in the ledger.

        Returns:
            Whether the run had such a write.
        """
        if place == "answered":
            self.start(phase, die_after_answer=number)
            return self.ended() == KILLED
        rule = {**WRITES, "kind": "hold", "when": place, "skip": number, "times": 1}
        self.sandbox.tell("POST", "faults", rule)
        pid = self.start(phase)
        reached = self.until_held(pid)
        if reached:
            os.kill(pid, signal.SIGKILL)
        code = self.ended()
        self.sandbox.tell("DELETE", "faults")
        return reached and code == KILLED

    def until_held(self, pid: int) -> bool:
        """Wait until a request is held; False if the run ended before."""
        limit = time.monotonic() + HELD_SECONDS
        while time.monotonic() < limit:
            if self.sandbox.ask("faults")["held"]:
                return True
            if not alive(pid):
                return False
            time.sleep(GLANCE_SECONDS)
        raise TimeoutError("the run neither ended nor came to the write it was to be killed at")

    def lose_ledger(self) -> None:
        """As if its file had been deleted; the credentials lie elsewhere."""
        for file in (self.home / "trial").glob("ledger.sqlite*"):
            file.unlink()
        shutil.copy(self.home / "empty.sqlite", self.home / "trial" / "ledger.sqlite")


def say(line: str) -> None:
    """Print a figure at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def alive(pid: int) -> bool:
    """Whether the process still runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - no file at all
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def stage(
    home: Path,
    messages: Sequence[Path],
    *,
    switches: Mapping[str, Any] | None = None,
    later: Mapping[int, Mapping[str, Any]] | None = None,
    **settings: Any,  # noqa: ANN401 - settings are JSON
) -> Iterator[Stage]:
    """Set a stage up: a sandbox with an empty shop.

    Args:
        home: An empty folder.
        messages: The tap's messages, one file for each phase.
        switches: Of the sandbox that keeps the books.
        later: Settings that change with a phase, by its number.
        settings: Settings of the target besides the connection's.
    """
    with sandboxes.up(home / "books", "--empty") as sandbox:
        one_by_one = {"max_parallel_orders": 1, **settings}
        given = {"fb.rate_limit": 0, **(switches or {})}
        on = Stage(sandbox, home, messages, one_by_one, given, later or {})
        with _in_order(on) as found:
            yield found


@contextmanager
def beside(on: Stage, home: Path) -> Iterator[Stage]:
    """Another stage on the same sandbox, whose runs have a folder and ledger of their own."""
    home.mkdir(parents=True, exist_ok=True)
    with _in_order(replace(on, home=home, process=None)) as found:
        yield found


@contextmanager
def _in_order(found: Stage) -> Iterator[Stage]:
    """With an empty ledger to copy, and no run that outlives the stage."""
    from target_freshbooks.ledger import Ledger  # noqa: PLC0415 - heavy, and used here only

    # So that each trial need not make its tables anew.
    Ledger.open(f"sqlite:///{found.home}/empty.sqlite", source="bigcommerce").dispose()
    try:
        yield found
    finally:
        if found.process is not None:
            found.process.kill()
