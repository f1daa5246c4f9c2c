"""The inbox's database: three tables, on SQLite or PostgreSQL, opened so that a commit lasts.

Times are whole milliseconds since 1970 UTC: one form for both databases, and comparable in SQL.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connector_credentials.database import Purpose, explained, open_engine, wait_for_turn, writing
from connector_credentials.locks import fence_table
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
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
Index("webhook_inbox_by_state", hooks.c.state, hooks.c.order_id, hooks.c.due_at)
Index("webhook_inbox_by_arrival", hooks.c.received_at)

fences = fence_table("webhook_dispatcher", metadata)

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
        self.store_hash = store_hash
        self.engine = open_engine(url, PURPOSE)
        self.dialect = self.engine.dialect.name
        try:
            with explained(self.engine, PURPOSE), self.write() as connection:
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
        with self.engine.connect() as connection, writing(connection):
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A connection that only reads, and holds up no writer."""
        with self.engine.connect() as connection:
            yield connection

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
