"""Entries of the store: their table, and one of them while one process has it for itself.

Under SQLite what is overwritten or removed is overwritten with zeros (`secure_delete`), and the
write-ahead log is emptied after a removal or a change of the key. PostgreSQL keeps dead rows until
VACUUM, and its own log and backups as it is told.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from . import database
from .errors import CredentialError

if TYPE_CHECKING:
    from .store import CredentialStore, StoredSecret

PURPOSE = database.Purpose(
    name="credentials store",
    setting="credentials_url",
    package="connector-credentials",
    error=CredentialError,
    busy_seconds=30,
)

metadata = sa.MetaData()
credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
)

# SQLite takes any type in any column, and a row that somebody else put there must be told, not
# fail those of others.
NAME = sa.cast(credentials.c.name, sa.Text)
DOCUMENT = sa.cast(credentials.c.document, sa.LargeBinary)


def open_table(url: str) -> sa.Engine:
    """The database at the URL; the table is made if it is missing."""
    # Used rarely, so no connection is kept that could go stale or be left open.
    engine = database.open_engine(url, PURPOSE, poolclass=sa.NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect_sqlite)
    with database.explained(engine, PURPOSE), engine.connect() as connection:
        with connection.begin():
            there = sa.inspect(connection).has_table(credentials.name)
        if not there:
            with database.writing(connection):
                database.wait_for_turn(connection, "(setup)")
                metadata.create_all(connection)
    return engine


def _on_connect_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
    connection.execute("PRAGMA secure_delete = ON")
    connection.text_factory = lambda text: text.decode(errors="replace")


def names(engine: sa.Engine) -> list[str]:
    """The names stored, sorted."""
    with database.explained(engine, PURPOSE), engine.begin() as connection:
        return list(connection.scalars(sa.select(NAME.label("name")).distinct().order_by("name")))


def delete(engine: sa.Engine, gone: Collection[str] | None) -> None:
    """Forget documents; no key is needed, for this is the way out when the key is lost.

    Args:
        engine: The store's.
        gone: Their names; None for whatever is there.
    """
    with database.explained(engine, PURPOSE), engine.connect() as connection:
        remove(connection, sa.true() if gone is None else NAME.in_(gone))


def remove(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Remove rows, on a connection that is not in a transaction."""
    with database.writing(connection):
        connection.execute(sa.delete(credentials).where(which))
    database.cut_log(connection)


def insert(connection: sa.Connection, values: dict[str, Any]) -> None:
    """Insert a row; of two first writers under PostgreSQL the second one's value wins."""
    changes = {key: values[key] for key in ("document", "updated_at")}
    connection.execute(
        database.insert(connection.dialect.name, credentials)
        .values(**values)
        .on_conflict_do_update(index_elements=["name"], set_=changes)
    )


class LockedEntry:
    """An entry that nobody else can hold. Valid inside the `with` that gave it."""

    def __init__(self, store: "CredentialStore", name: str, connection: sa.Connection) -> None:
        self._store = store
        self._name = name
        self._connection = connection

    @property
    def lost(self) -> bool:
        """Whether the PostgreSQL session has ended, and the lock with it; nothing works then."""
        return self._connection.invalidated

    def read(self) -> "StoredSecret | None":
        """The document as it is now, under the lock."""
        with self._in_session() as connection:
            return self._store.read_on(connection, self._name)

    def write(self, document: Mapping[str, Any]) -> None:
        """Replace the document; it is on disk when this returns, while the lock is still held."""
        with self._in_session() as connection:
            self._store.write_on(connection, self._name, document)

    def delete(self) -> None:
        """Forget the document."""
        with self._in_session() as connection:
            remove(connection, credentials.c.name == self._name)

    def cut_log(self) -> None:
        """Leave nothing in SQLite's log of what was replaced."""
        with self._in_session() as connection:
            database.cut_log(connection)

    @contextmanager
    def _in_session(self) -> Iterator[sa.Connection]:
        """The session of the lock, outside a transaction; on PostgreSQL the row is held after it.

        So nobody writes to the row between our transactions, whatever they know of the lock.
        """
        if self.lost:  # SQLAlchemy would quietly begin another session, which lacks the lock
            raise CredentialError(
                f"the database session that held the credentials entry {self._name!r} has ended"
            )
        with database.explained(self._connection.engine, PURPOSE):
            self._connection.rollback()
            yield self._connection
            if self._connection.dialect.name == "postgresql":
                row = sa.select(credentials.c.name).where(credentials.c.name == self._name)
                self._connection.execute(row.with_for_update())
