"""Section: a part of one shop's ledger, over the tables of one concern.

Each public method of a section is one transaction, durable when it returns; those that read many
rows read them page by page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Executable, Row, Select, literal, tuple_

if TYPE_CHECKING:
    from target_freshbooks.ledger.storage.database import Database

utc_now = partial(datetime.now, UTC)
"""Tells the machine's time, aware UTC."""

PAGE = 500
"""Rows read, or written, at once."""

Read = Callable[[Select[Any]], Sequence[Row[Any]]]
"""Reads the rows of a statement."""


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
        self._database = scope.database
        self._source = scope.source
        self._clock = scope.clock
        self._who = scope.who

    def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with self._database.read() as connection:
            return connection.execute(statement).all()

    def _row(self, statement: Select[Any]) -> Row[Any] | None:
        """The only row; None if there is none."""
        with self._database.read() as connection:
            return connection.execute(statement).one_or_none()

    def _change(self, statement: Executable) -> None:
        with self._database.write() as connection:
            connection.execute(statement)


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
