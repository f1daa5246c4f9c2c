"""A command that looks at a ledger makes none: where there is none it says so, and ends with 1."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from connector_credentials import CredentialStore
from target_freshbooks.ctl.cli import COMMANDS, cli
from target_freshbooks.ctl.context import run_command
from target_freshbooks.ledger.storage.database import Database
from target_freshbooks.ledger.storage.migrate import SCHEMA_VERSION, migrate, stored_version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOKING = (
    "status",
    "status --fail-if-parked",
    "plan",
    "plan 7 --plan plans.html",
    "replay 7",
    "replay --parked",
    "replay --since 2026-10-01",
    "replay --send",
    "settle 7 --note paid",
    "reopen 7",
    "audit 7",
    "audit-head",
    "verify",
    "verify --chain-only",
    "report --month 2026-10",
)
MAKING = {"init", "login", "probe", "notify", "rotate-key"}
NO_LEDGER_NEEDED = {"doctor", "logout", "whoami"}


def ended(command: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["target-freshbooks-ctl", *command.split()])
    return run_command(cli)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings in the environment, and another folder than the project's."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"TARGET_FRESHBOOKS_{name}", "x")


def test_each_command_makes_a_ledger_looks_at_one_or_needs_none() -> None:
    looking = {command.split()[0] for command in LOOKING}
    assert sorted([*looking, *MAKING, *NO_LEDGER_NEEDED]) == sorted(COMMANDS)


@pytest.mark.parametrize("command", LOOKING)
def test_without_a_ledger_a_command_says_where_it_looked_and_makes_nothing(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended(command, monkeypatch) == 1
    told = capsys.readouterr()
    place = tmp_path / "data" / "target-freshbooks.sqlite"
    assert told.err.startswith(f"Error: There is no ledger at sqlite:///{place}")
    assert "TARGET_FRESHBOOKS_LEDGER_URL" in told.err
    assert "target-freshbooks-ctl login" in told.err
    assert (told.err.count("\n"), told.out) == (1, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "9" * 30, "x"])
@pytest.mark.parametrize("command", ["plan", "replay", "audit", "reopen"])
def test_what_is_no_order_s_number_is_refused(
    command: str, number: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["target-freshbooks-ctl", command, "--", number])
    assert run_command(cli) == 1
    assert "Invalid value for " in capsys.readouterr().err


def test_a_database_with_credentials_alone_is_no_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    monkeypatch.setenv("TARGET_FRESHBOOKS_LEDGER_URL", url)
    with CredentialStore.open(url, None).exclusive("entry", timeout=5) as entry:
        entry.write({"secret": "kept"})
    assert ended("status --fail-if-parked", monkeypatch) == 1
    assert f"There is no ledger at {url}" in capsys.readouterr().err
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert not any(name.startswith("ledger") for name in names)


def test_whoami_makes_nothing_where_no_login_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("whoami", monkeypatch) == 1
    assert "no FreshBooks login is stored; reconnect" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_of_an_earlier_schema_is_brought_up_to_date_by_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    monkeypatch.setenv("TARGET_FRESHBOOKS_LEDGER_URL", url)
    with opened(url) as database:
        migrate(database, "0004")
    assert ended("status", monkeypatch) == 0
    assert "posted: 0" in capsys.readouterr().out
    with opened(url) as database, database.read() as connection:
        assert stored_version(connection) == SCHEMA_VERSION
