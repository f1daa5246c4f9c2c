"""Setting the project up as README says: its own commands, typed by a person, from the clone on."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from page_lists import ANSWERS, SECTION
from terminal import Done, Terminal

import pages
from demo.project import BIN, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from demo.sandbox import Sandbox

CLONE = "orders"
SETUP_SECONDS = 1200
DAY = 86_400
OF_THE_NETWORK = ("http_proxy", "https_proxy", "no_proxy", "ssl_cert_", "requests_ca_", "curl_ca_")
"""What the names of variables begin with that say how this machine reaches an index of packages."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What README's commands have made of nothing.

    Attributes:
        folder: The clone.
        done: How each command ended, in their order.
        seconds: From the first to the last.
    """

    folder: Path
    sandbox: Sandbox
    done: Mapping[str, Done]
    seconds: float

    @property
    def ledger(self) -> Path:
        return self.folder / "data" / "target-freshbooks.sqlite"


def readme_commands() -> list[str]:
    """README's commands from the clone to first invoices."""
    blocks = pages.blocks(ROOT / "README.md")
    here = [one for block in blocks if block.section == SECTION for one in pages.commands(block)]
    return [command.text for command in here]


def environment(url: str, home: Path) -> dict[str, str]:
    """All that commands find: the sandbox's address for those of both APIs, and next to nothing."""
    path = [one for one in os.environ["PATH"].split(os.pathsep) if one != str(BIN)]
    return {
        "PATH": os.pathsep.join(path),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "XDG_STATE_HOME": str(home / "state"),
        "TAP_BIGCOMMERCE_ORDERS_API_URL": url,
        "TARGET_FRESHBOOKS_API_URL": url,
        "TARGET_FRESHBOOKS_AUTH_URL": url,
    }


def for_packages() -> dict[str, str]:
    """How packages are got on this machine, which no page can say."""
    prefixes = (*OF_THE_NETWORK, "pip_", "uv_")
    found = {name: value for name, value in os.environ.items() if name.lower().startswith(prefixes)}
    return {**found, "HOME": os.environ["HOME"]}


def lend(clone: Path) -> None:
    """Have the clone use what `make setup` has made in this checkout; there it is up to date."""
    yesterday = time.time() - DAY
    stamp = (ROOT / ".venv" / ".setup").stat().st_mtime
    for file in clone.rglob("*"):
        if ".git" not in file.parts:
            os.utime(file, (min(yesterday, stamp - 1),) * 2)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    for private in (clone / ".meltano", clone / "data"):
        private.mkdir(exist_ok=True)
        private.chmod(0o700)
    for kind in ("extractors", "loaders", "utilities"):
        (clone / ".meltano" / kind).symlink_to(ROOT / ".meltano" / kind)


def repository(home: Path) -> Path:
    """A repository whose branch is what this one has checked out, be that a branch or not."""
    copy = home / f"{CLONE}.git"
    for words in (
        ["clone", "--quiet", "--bare", str(ROOT), str(copy)],
        ["--git-dir", str(copy), "update-ref", "refs/heads/main", "HEAD"],
        ["--git-dir", str(copy), "symbolic-ref", "HEAD", "refs/heads/main"],
    ):
        subprocess.run(["git", *words], check=True)
    return copy


def set_up(sandbox: Sandbox, home: Path, *, lent: bool) -> SetUp:
    """Type README's commands, from the clone to first invoices, and stop at one that fails.

    Args:
        sandbox: Stands for both APIs.
        home: The folder to begin in, empty.
        lent: Whether `make setup` finds its work done.
    """
    surroundings = environment(sandbox.url, home)
    if not lent:
        surroundings |= for_packages()
    terminal = Terminal(home, surroundings, ANSWERS, home / "kept.sh")
    clone, origin = home / CLONE, repository(home)
    done: dict[str, Done] = {}
    began = time.monotonic()
    for command in readme_commands():
        typed = command.replace("<this repository>", str(origin)).replace("<its folder>", CLONE)
        done[command] = terminal.run(typed, SETUP_SECONDS)
        if done[command].code:
            break
        if lent and command.startswith("git clone"):
            lend(clone)
    return SetUp(clone, sandbox, done, time.monotonic() - began)
