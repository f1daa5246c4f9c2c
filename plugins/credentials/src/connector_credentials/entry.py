"""An entry of the store while one process has it for itself."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from . import database
from .errors import CredentialError
from .table import PURPOSE, credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .store import CredentialStore, StoredSecret


class LockedEntry:
    """An entry that nobody else can hold. Valid inside the `with` that gave it."""

    def __init__(self, store: CredentialStore, name: str, connection: sa.Connection) -> None:
        self._store = store
        self._name = name
        self._connection = connection

    @property
    def lost(self) -> bool:
        """Whether the PostgreSQL session has ended, and the lock with it; nothing works then."""
        return self._connection.invalidated

    def read(self) -> StoredSecret | None:
        """The document as it is now, under the lock."""
        with self._in_session() as connection:
            return self._store.read_on(connection, self._name)

    def write(self, document: Mapping[str, Any]) -> None:
        """Replace the document; it is on disk when this returns, while the lock is still held."""
        with self._in_session() as connection:
            self._store.write_on(connection, self._name, document)

    def delete(self) -> None:
        """Forget the document."""
        with self._in_session() as connection, database.writing(connection):
            connection.execute(sa.delete(credentials).where(credentials.c.name == self._name))

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
