"""Section: a part of one shop's ledger, over the tables of one concern.

Each public method of a section is one transaction, durable when it returns; those that read many
rows read them page by page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Executable, Row, Select, Table

from target_freshbooks.ledger.audit import chain
from target_freshbooks.ledger.storage.database import LAST, Database, insert_new, upsert

utc_now = partial(datetime.now, UTC)
"""Tells the machine's time, aware UTC."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What the sections of a ledger share.

    Attributes:
        database: Where they are.
        source: The shop; everything but the audit chain and the lock is kept apart by it.
        clock: Tells the time, aware.
        who: User and machine, for the audit journal.
    """

    database: Database
    source: str
    clock: Callable[[], datetime]
    who: str


class Section:
    """One section of a ledger."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._database = scope.database
        self._source = scope.source
        self._clock = scope.clock

    def _rows(self, statement: Select[Any], **values: object) -> Sequence[Row[Any]]:
        with self._database.read() as connection:
            return connection.execute(statement, values).all()

    def _row(self, statement: Select[Any], **values: object) -> Row[Any] | None:
        """The only row; None if there is none."""
        with self._database.read() as connection:
            return connection.execute(statement, values).one_or_none()

    def _change(self, statement: Executable) -> None:
        with self._database.write() as connection:
            connection.execute(statement)

    def _add(self, connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
        """Insert a row, unless it is there already."""
        connection.execute(insert_new(connection.dialect.name, table, *row), row)

    def _put(
        self,
        connection: Connection,
        table: Table,
        *rows: Mapping[str, Any],
        **which: tuple[str, ...],
    ) -> None:
        """Insert rows in place of those of the same keys; `which` columns, see `upsert`."""
        if rows:
            connection.execute(upsert(connection.dialect.name, table, **which), rows)

    def _note(
        self,
        connection: Connection,
        event: str,
        order_id: int | None,
        run_id: str,
        data: Mapping[str, Any],
    ) -> None:
        """Add an audit row at the end of a write transaction.

        The chain's head is locked until the commit: whoever took other locks after it could wait
        for one who waits for the head.
        """
        entry = chain.Entry(self._scope, event, order_id, run_id, data)
        connection.info[LAST].setdefault(chain.append, []).append(entry)


def columns_of(table: Table, row: type) -> list[Column[Any]]:
    """The columns of a dataclass' fields, in the order of the fields: it is made of such a row."""
    return [table.c[one.name] for one in fields(row)]
