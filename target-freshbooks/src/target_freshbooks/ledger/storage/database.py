"""The ledger's database: its transactions, and the statements that its sections share.

Writers of one process queue at a lock of their own, because SQLite's own waiting is by sleeping
and unfair; the busy timeout is for others.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

from connector_credentials import database
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Insert,
    Row,
    Select,
    Table,
    TextClause,
    bindparam,
    func,
    literal,
    or_,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from target_freshbooks.ledger.errors import LedgerUnavailable, LockLost

BUSY_SECONDS = 60
"""How long a writer waits for another process's transaction before it gives up."""

POOL_SIZE = 24
"""Sixteen workers, the lock and some readers at once."""

PAGE = 500
"""Rows read, or written, at once."""

Read = Callable[[Select[Any]], Sequence[Row[Any]]]
"""Reads the rows of a statement."""

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


LAST = "target_freshbooks.last"
"""In a connection's `info`: what is done at the end of its transaction, and with which rows."""


class _OfThread(threading.local):
    """What one thread has put off."""

    def __init__(self) -> None:
        self.due: list[Callable[[Connection], None]] = []


class Database:
    """One ledger database, shared by the threads of a process.

    Args:
        url: SQLAlchemy URL: `sqlite:///path` or `postgresql+psycopg://...` (`postgres://` and
            `postgresql://` mean the latter).
        engine: One of that URL for looking only; by default one that writes is opened.

    Attributes:
        prove: Raises `LockLost` where this process held an account that another run has by now.

    Raises:
        LedgerUnavailable: If the URL is no ledger's, or the file or server cannot be opened.
    """

    def __init__(self, url: str, engine: Engine | None = None) -> None:
        self.engine = engine or database.open_engine(
            url, PURPOSE, pool_size=5, max_overflow=POOL_SIZE - 5, pool_timeout=BUSY_SECONDS
        )
        self.url = self.engine.url
        self.name = database.shown(self.url)
        path = database.sqlite_path(self.url)
        self._writing = self.engine.execution_options(writing=True)
        self._thread = _OfThread()
        self.prove: Callable[[Connection], None] = lambda _: None
        self._writers: AbstractContextManager[object] = nullcontext()
        if path is not None:
            with _file_locks_guard:
                self._writers = _file_locks.setdefault(path, threading.Lock())

    @contextmanager
    def read(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """Open a transaction that only reads; on SQLite it sees one moment throughout.

        Args:
            snapshot: On PostgreSQL too.
        """
        self.flush()
        engine = self.engine
        if snapshot and engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with database.explained(engine, PURPOSE), engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes: committed and durable when the block ends.

        What the thread had put off is made first, in the same transaction.

        Raises:
            LockLost: Another run has the account; what the thread had put off is dropped.
        """
        due, changes = self._thread.due, list(self._thread.due)
        with (
            self._writers,
            database.explained(self.engine, PURPOSE),
            self._writing.begin() as connection,
        ):
            connection.info[LAST] = {}
            if changes:
                self._prove(connection)
            for change in changes:
                try:
                    change(connection)
                except BaseException:
                    due.remove(change)  # it would fail each time
                    raise
            yield connection
            for finish, rows in connection.info.pop(LAST).items():
                finish(connection, rows)
        del due[: len(changes)]

    @contextmanager
    def write_as_holder(self) -> Iterator[Connection]:
        """The same for what no run may write once another has the account: verdicts and links.

        Raises:
            LockLost: Another run has it; nothing is written.
        """
        with self.write() as connection:
            self._prove(connection)
            yield connection

    def _prove(self, connection: Connection) -> None:
        try:
            self.prove(connection)
        except LockLost:
            self._thread.due.clear()  # whoever has the account by now knows better
            raise

    def put_off(self, change: Callable[[Connection], None]) -> None:
        """Have a change made with the thread's next transaction, whatever that is.

        What has to be durable before something leaves the process must not be put off.
        """
        self._thread.due.append(change)

    def flush(self) -> None:
        """Make what the thread has put off."""
        if self._thread.due:
            with self.write():
                pass

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def paged(read: Read, statement: Select[Any], *keys: Column[Any]) -> Iterator[Row[Any]]:
    """The rows of a statement in the order of its keys, which are columns that it selects.

    They are read in pages, so that memory does not grow with the ledger.
    """
    ordered = statement.order_by(*keys).limit(PAGE)
    rows = read(ordered)
    while rows:
        yield from rows
        last = (literal(getattr(rows[-1], key.name), key.type) for key in keys)
        rows = read(ordered.where(tuple_(*keys) > tuple_(*last))) if len(rows) == PAGE else ()


@cache
def insert_new(dialect: str, table: Table, *columns: str) -> TextClause:
    """An INSERT that leaves a row alone that is there already.

    Args:
        dialect: `sqlite` or `postgresql`.
        table: The table.
        columns: The columns that the parameters give.
    """
    return _prepared(dialect, database.insert(dialect, table).on_conflict_do_nothing(), columns)


@cache
def upsert(
    dialect: str,
    table: Table,
    *,
    known: tuple[str, ...] = (),
    first: tuple[str, ...] = (),
    compared: tuple[str, ...] = (),
) -> TextClause:
    """An INSERT that takes the place of the row of the same primary key.

    Args:
        dialect: `sqlite` or `postgresql`.
        table: The table.
        known: Columns of which a null changes nothing.
        first: Columns that keep the first value they had.
        compared: If given, a row in which all of these columns are equal stays as it is.
    """
    statement = database.insert(dialect, table)
    old, new = table.c, statement.excluded
    identity = [column.name for column in table.primary_key]
    changes: dict[str, Any] = {one.name: new[one.name] for one in old if one.name not in identity}
    changes |= {name: func.coalesce(new[name], old[name]) for name in known}
    changes |= {name: func.coalesce(old[name], new[name]) for name in first}
    differs = [old[name].is_distinct_from(new[name]) for name in compared]
    upserting = statement.on_conflict_do_update(
        index_elements=identity, set_=changes, where=or_(*differs) if compared else None
    )
    return _prepared(dialect, upserting, tuple(one.name for one in old))


def _prepared(dialect: str, statement: Insert, columns: tuple[str, ...]) -> TextClause:
    """The statement as text with typed parameters.

    SQLAlchemy caches no statement with ON CONFLICT: it would be compiled at each execution, which
    takes longer than the execution itself.
    """
    named = (postgresql if dialect == "postgresql" else sqlite).dialect(paramstyle="named")
    sql = str(statement.compile(dialect=named, column_keys=columns))
    types = statement.table.c
    return text(sql).bindparams(*(bindparam(name, type_=types[name].type) for name in columns))
