"""Ledgers in real databases for the ledger's tests: each body runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from connector_sandbox.testing import DATABASES, new_database, tell_postgresql
from target_freshbooks.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_freshbooks.ledger import AccountLock


class SteppingClock:
    """Tells a fixed time, one second later each time it is asked."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="session")
def prepared(postgresql_server: str) -> str:
    """A PostgreSQL server that has a database with a ledger's tables to take copies of."""
    tell_postgresql(postgresql_server, "CREATE DATABASE prepared")
    url = postgresql_server.replace("/postgres?", "/prepared?")
    Ledger.open(url, source="shop").dispose()
    return postgresql_server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite file that is not there yet, in a folder that is not there yet."""
    return f"sqlite:///{tmp_path}/made/ledger.sqlite"


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest) -> str:
    """URL of a database without tables, of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=DATABASES)
def ledger_url(request: pytest.FixtureRequest) -> str:
    """URL of a database for one test's ledger, of each kind in turn."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    return new_database(request.getfixturevalue("prepared"), "prepared")


@pytest.fixture
def clock() -> SteppingClock:
    """A clock of the test's own."""
    return SteppingClock()


@pytest.fixture
def ledger(ledger_url: str, clock: SteppingClock) -> Iterator[Ledger]:
    """A fresh ledger."""
    with Ledger.open(ledger_url, source="shop", clock=clock, who="clerk@office") as opened:
        yield opened


@pytest.fixture
def lock(ledger: Ledger) -> Iterator[AccountLock]:
    """The lock of an account, held."""
    with ledger.locks.hold("ACC1", "run-1", wait_seconds=0) as held:
        yield held
