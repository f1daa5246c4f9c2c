"""The inbox's database: three tables and one lock, on SQLite or PostgreSQL; a commit lasts.

Times are whole milliseconds since 1970 UTC: one form for both databases, and comparable in SQL.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connector_credentials import CredentialError, LockTimeout, locks
from connector_credentials.database import Purpose, explained, open_engine, wait_for_turn, writing
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
)

from connector_webhooks.errors import InboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = "1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PURPOSE = Purpose(
    name="inbox",
    setting="inbox_url",
    package="connector-webhooks",
    error=InboxError,
    busy_seconds=10,
)

metadata = MetaData()

hooks = Table(  # a memory of ids: a hook that comes again is known
    "webhook_hooks",
    metadata,
    Column("webhook_id", String(255), primary_key=True),
    Column("order_id", BigInteger),
    Column("scope", String(160), nullable=False),
    Column("reason", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False, index=True),
)

orders = Table(  # what waits for a run, a row an order; `seen` counts its hooks
    "webhook_orders",
    metadata,
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seen", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("first_received_at", BigInteger, nullable=False),
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
        self.engine = open_engine(url, PURPOSE)
        self.dialect = self.engine.dialect.name
        self._lock = f"webhooks of store {store_hash}"
        try:
            with self.write() as connection:
                wait_for_turn(connection, "(inbox)")
                metadata.create_all(connection)
                _own(connection, "schema", SCHEMA)
                _own(connection, "store_hash", store_hash)
        except InboxError:
            self.engine.dispose()
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: committed durably at the end, rolled back on an error."""
        with self.look() as connection, writing(connection):
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection that only reads, and holds up no writer."""
        with explained(self.engine, PURPOSE), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def locked(self) -> Iterator[Connection]:
        """Hold the inbox's one lock, which the system frees however the holder ends.

        Yields:
            On PostgreSQL the session that holds the lock: once that has ended it writes no more.

        Raises:
            LockTimeout: Another dispatcher has it.
            InboxError: The inbox is where no lock keeps others out.
        """
        try:
            lock = locks.hold(self.engine, self._lock, 0, what="the inbox")
            with explained(self.engine, PURPOSE), lock as connection:
                yield connection
        except LockTimeout:
            raise
        except CredentialError as error:
            raise InboxError(f"The inbox cannot be locked: {error}.") from None

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


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
