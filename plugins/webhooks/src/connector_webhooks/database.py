"""The inbox's database: three tables, on SQLite or PostgreSQL, opened so that a commit lasts.

Times are whole milliseconds since 1970 UTC: one form for both databases, and comparable in SQL.
SQLite runs with a write-ahead log and ``synchronous=FULL``, so that what was acknowledged survives
a power cut; every transaction that writes begins IMMEDIATE, so that two processes queue up instead
of failing half-way.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from connector_webhooks.errors import InboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = "1"
BUSY_MILLISECONDS = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Any constant does; it only has to be the same in every process that opens an inbox.
_CREATION_LOCK = 0x57_48_49_4E_42_4F_58

metadata = MetaData()

_Serial = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts up by itself there

hooks = Table(
    "webhook_inbox",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=True),
    Column("webhook_id", String(255), nullable=False, unique=True),
    Column("scope", String(160), nullable=False),
    Column("order_id", BigInteger),
    Column("body", Text, nullable=False),
    Column("signed_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("interruptions", Integer, nullable=False, default=0),
    Column("run_id", String(64)),
    Column("done_at", BigInteger),
)
by_state = Index("webhook_inbox_by_state", hooks.c.state, hooks.c.order_id, hooks.c.due_at)
by_arrival = Index("webhook_inbox_by_arrival", hooks.c.received_at)

lease = Table(
    "webhook_dispatcher",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("until", BigInteger, nullable=False),
)

marks = Table(
    "webhook_marks",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970 UTC of an aware time."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment_of(value: int) -> datetime:
    """The aware time of a stored number of milliseconds."""
    return EPOCH + timedelta(milliseconds=value)


class Database:
    """An open inbox database that belongs to one store.

    Args:
        url: SQLAlchemy URL.
        store_hash: The store. Order numbers of two stores must not mix, so the first one to open
            an inbox owns it.

    Raises:
        InboxError: It cannot be opened, or it is another store's or another version's.
    """

    def __init__(self, url: str, store_hash: str) -> None:
        self.engine = _engine(url)
        self.dialect = self.engine.dialect.name
        try:
            with self.write() as connection:
                self._create(connection)
                _own(connection, "schema", SCHEMA)
                _own(connection, "store_hash", store_hash)
        except SQLAlchemyError as error:
            self.engine.dispose()
            raise InboxError(
                f"The inbox cannot be opened ({type(error).__name__}: {_words(error)}). "
                "Check inbox_url, and that its folder or server can be written to."
            ) from error
        except InboxError:
            self.engine.dispose()
            raise

    def _create(self, connection: Connection) -> None:
        if self.dialect == "postgresql":  # IF NOT EXISTS alone still races there
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})"))
        for table in metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
        for index in (by_state, by_arrival):
            connection.execute(CreateIndex(index, if_not_exists=True))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed durably at the end, rolled back on an error."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection that only reads, and holds up no writer."""
        with self.engine.connect().execution_options(only_reads=True) as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InboxError("inbox_url is no SQLAlchemy URL, such as sqlite:///inbox.sqlite.") from (
            error
        )
    dialect = parsed.get_backend_name()
    if dialect not in {"sqlite", "postgresql"}:
        raise InboxError(f"The inbox runs on SQLite or PostgreSQL, not on {dialect}.")
    try:
        if dialect == "postgresql":
            return create_engine(parsed, pool_pre_ping=True)
        if parsed.database in {None, "", ":memory:"}:
            raise InboxError("The inbox must outlive the process: give its SQLite URL a file.")
        _make_private(Path(str(parsed.database)))
        engine = create_engine(parsed, connect_args={"timeout": BUSY_MILLISECONDS / 1000})
    except ImportError as error:
        raise InboxError(
            f"The driver for {parsed.drivername} is missing: install connector-webhooks[postgres]."
        ) from error
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _make_private(file: Path) -> None:
    """Make the file before SQLite does, readable by its owner alone; its log files inherit that.

    A file that exists is never opened here: closing it would drop every lock that this process
    holds on it through SQLite (sqlite.org, "How to corrupt", on POSIX advisory locks). So a new
    one is made under another name, closed, and only then given its own.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            try:
                with contextlib.suppress(FileExistsError):  # another first starter was faster
                    os.link(draft, file)
            finally:
                draft.unlink()
    except OSError as error:
        raise InboxError(f"The inbox file {file} cannot be written: {error.strerror}.") from error


def _on_sqlite_connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DB-API one
    connection.isolation_level = None  # the driver must not begin transactions by itself
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("only_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _own(connection: Connection, name: str, value: str) -> None:
    found = connection.execute(select(marks.c.value).where(marks.c.name == name)).scalar()
    if found is None:
        connection.execute(insert(marks).values(name=name, value=value))
    elif found != value:
        what = "store" if name == "store_hash" else "version of the inbox"
        raise InboxError(
            f"This inbox belongs to {what} {found!r}, not {value!r}: give each store an inbox_url "
            "of its own (another file, database or PostgreSQL schema)."
        )


def _words(error: SQLAlchemyError) -> str:
    original = getattr(error, "orig", None)
    return str(original or error).splitlines()[0]
