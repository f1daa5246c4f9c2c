"""Each program asks a hostile server: it gives up in time, in little memory, with a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connector_sandbox import constants
from connector_sandbox.settings import clean_environment, tap_settings, target_settings
from target_freshbooks.ledger import Ledger

from attack.hostile_server import HEAVY, SLOW, hostile_server
from demo.sandbox import BIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from attack.bounds import Findings

REQUEST_SECONDS = 2
MOST_MEBIBYTES = 300
MOST_SECONDS = 60
DETECTION_SECONDS = 0.5
"""Until our server, which looks when it drips, sees that the asker has left."""

UNSEEN = {"Cc", "Cf", "Zl", "Zp"}
SECRETS = (constants.BIGCOMMERCE_ACCESS_TOKEN, constants.FRESHBOOKS_CLIENT_SECRET)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: exit code, peak memory, all it printed."""

    code: int
    mebibytes: float
    output: bytes


@dataclass(frozen=True, slots=True)
class Attacked:
    """A program that asks the server at an address, its files in a folder.

    Attributes:
        lets_in: Whether the server first lets it in, so that later answers are hostile only.
        is_timed: Whether its settings say how long it waits.
        finds: Whether an odd answer is what it looks for, so that it may end well.
    """

    command: tuple[str, ...]
    settings: Callable[[str, Path], Mapping[str, object]]
    lets_in: bool = True
    is_timed: bool = True
    finds: bool = False


def _tap(server: str, _: Path) -> dict[str, object]:
    return tap_settings(server, request_timeout=REQUEST_SECONDS, max_retry_seconds=0)


def _target(server: str, home: Path) -> dict[str, object]:
    quick = {"request_timeout": REQUEST_SECONDS, "max_retry_seconds": 0}
    return target_settings(server, home, **quick)


def _target_with_ledger(server: str, home: Path) -> dict[str, object]:
    settings = _target(server, home)
    Ledger.open(str(settings["ledger_url"]), source="bigcommerce").dispose()
    return settings


def _webhooks(server: str, home: Path) -> dict[str, object]:
    return {
        "api_url": server,
        "store_hash": constants.STORE_HASH,
        "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "client_secret": constants.BIGCOMMERCE_CLIENT_SECRET,
        "destination": "https://hooks.example.com/webhooks",
        "inbox_url": f"sqlite:///{home}/inbox.sqlite",
    }


PROGRAMS = {
    "tap": Attacked(("tap-bigcommerce-orders",), _tap),
    "target": Attacked(("target-freshbooks",), _target),
    "target, its login": Attacked(("target-freshbooks",), _target, lets_in=False),
    "ctl verify": Attacked(("target-freshbooks-ctl", "verify"), _target_with_ledger),
    "ctl doctor": Attacked(
        ("target-freshbooks-ctl", "doctor"), _target_with_ledger, is_timed=False, finds=True
    ),
    "tap --doctor": Attacked(("tap-bigcommerce-orders", "--doctor"), _tap, is_timed=False),
    "tap --probe": Attacked(("tap-bigcommerce-orders", "--probe"), _tap, finds=True),
    "webhooks list": Attacked(("webhooks", "list"), _webhooks, is_timed=False),
    "webhooks check": Attacked(("webhooks", "check"), _webhooks, is_timed=False),
}


def attack(findings: Findings, messages: str, *, quick: bool) -> None:
    """Have each program ask for each hostile answer; messages are the target's input."""
    for name, program in PROGRAMS.items():
        peaks = list[float]()
        kinds = {**SLOW, **HEAVY} if program.is_timed else HEAVY
        for kind, answer in list(kinds.items())[:: 4 if quick else 1]:
            with tempfile.TemporaryDirectory(prefix="attack-") as folder:
                ended, seconds = _asked(program, answer, Path(folder), messages)
            what = f"{name}, {kind}"
            peaks.append(ended.mebibytes)
            if kind in SLOW:
                most = 2 * REQUEST_SECONDS + DETECTION_SECONDS
                findings.measured(f"{what}: given up after", seconds, "s", most)
            fault = "it did not ask" if not seconds else _fault(ended, program)
            if fault or kind in HEAVY:
                figure = fault or f"{ended.mebibytes:.0f} MiB"
                findings.held(f"{what}: told in a sentence", is_held=not fault, figure=figure)
        findings.measured(f"{name}: peak memory", max(peaks), "MiB", MOST_MEBIBYTES)


def _fault(ended: Ended, program: Attacked) -> str:
    if ended.code not in ({0, 1} if program.finds else {1}):
        return f"ended with {ended.code}"
    return ugliness(ended.output)


def ugliness(output: bytes) -> str:
    """What must be in no output, in a word; empty if nothing of it is."""
    text = output.decode(errors="replace")
    if "Traceback" in text:
        return "a traceback"
    if any(unicodedata.category(letter) in UNSEEN and letter not in "\n\r\t" for letter in text):
        return "control or format characters"
    if any(secret in text for secret in SECRETS):
        return "a secret"
    return ""


def _asked(
    program: Attacked, answer: Callable[[], Iterator[bytes]], home: Path, messages: str
) -> tuple[Ended, float]:
    """Run the program to its end; the longest time it waited for an answer beside it."""
    with hostile_server(answer, lets_in=program.lets_in) as server:
        config = home / "config.json"
        config.write_text(json.dumps(program.settings(server.url, home)))
        config.chmod(0o600)
        name, *arguments = program.command
        command = [str(BIN / name), "--config", str(config), *arguments]
        ended = run(command, messages, home)
    return ended, max(server.given_up, default=0)  # all there are, now that the server has ended


def run(command: list[str], given: str, home: Path) -> Ended:
    """A program to its end, or killed after a while; its exit code is minus the signal then."""
    (home / "input").write_text(given)
    with (home / "input").open("rb") as source, (home / "output").open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=source,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=clean_environment(),
        )
        limit = threading.Timer(MOST_SECONDS, process.kill)
        limit.start()
        _, status, usage = os.wait4(process.pid, 0)
        limit.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(process.returncode, usage.ru_maxrss / 1024, (home / "output").read_bytes())
