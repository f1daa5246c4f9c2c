"""The ledger's database: how it is read from and written to.

Writers of one process queue at a lock of their own, because SQLite's own waiting is by sleeping
and unfair; the busy timeout is for others.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from connector_credentials import database
from sqlalchemy import Connection, Engine, Insert, Table, TextClause, bindparam, text
from sqlalchemy.dialects import postgresql, sqlite

from target_freshbooks.ledger.errors import LedgerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


BUSY_SECONDS = 60
"""How long a writer waits for another process's transaction before it gives up."""

POOL_SIZE = 24
"""Sixteen workers, the lock and some readers at once."""

PURPOSE = database.Purpose(
    name="ledger",
    setting="ledger_url",
    package="target-freshbooks",
    error=LedgerUnavailable,
    busy_seconds=BUSY_SECONDS,
    # A process that hangs inside a transaction must not stop all others for ever.
    idle_seconds=BUSY_SECONDS,
)

_file_locks: dict[Path, threading.Lock] = {}
_file_locks_guard = threading.Lock()


class Database:
    """One ledger database, shared by the threads of a process.

    Args:
        url: SQLAlchemy URL: `sqlite:///path` or `postgresql+psycopg://...` (`postgres://` and
            `postgresql://` mean the latter).

    Raises:
        LedgerUnavailable: If the URL is no ledger's, or the file or server cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self.engine: Engine = database.open_engine(
            url, PURPOSE, pool_size=5, max_overflow=POOL_SIZE - 5, pool_timeout=BUSY_SECONDS
        )
        self.url = self.engine.url
        self.name = database.shown(self.url)
        path = database.sqlite_path(self.url)
        self._writers: AbstractContextManager[object] = nullcontext()
        if path is not None:
            with _file_locks_guard:
                self._writers = _file_locks.setdefault(path, threading.Lock())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads; on SQLite it sees one moment throughout."""
        with database.explained(self.engine, PURPOSE), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read_snapshot(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment throughout, on PostgreSQL too."""
        engine: Engine = self.engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with database.explained(engine, PURPOSE), engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes: committed and durable when the block ends."""
        with (
            self._writers,
            database.explained(self.engine, PURPOSE),
            self.engine.connect() as connection,
            database.writing(connection),
        ):
            yield connection

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def prepared(dialect: str, statement: Insert, table: Table, *columns: str) -> TextClause:
    """Turn an INSERT into text with typed parameters.

    SQLAlchemy caches no statement with ON CONFLICT: it would be compiled at each execution, which
    takes longer than the execution itself.

    Args:
        dialect: `sqlite` or `postgresql`.
        statement: Made by `insert`, without values.
        table: Its table.
        columns: The columns the parameters give, by their names; default all.
    """
    names = columns or tuple(column.name for column in table.c)
    spoken = (postgresql if dialect == "postgresql" else sqlite).dialect(paramstyle="named")
    sql = str(statement.compile(dialect=spoken, column_keys=names))
    return text(sql).bindparams(*(bindparam(name, type_=table.c[name].type) for name in names))
