"""The audit journal: rows that are only ever added, each sealed with the hash of the one before.

Appending locks the head, which keeps the last number and hash, so that all appenders, of all
sources, form one chain.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, bindparam, select, update

from target_freshbooks.ledger.audit import chain, redaction
from target_freshbooks.ledger.section import Section, paged
from target_freshbooks.ledger.storage.canonical import from_text, to_text
from target_freshbooks.ledger.storage.tables import audit, audit_head, plain, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Made once: every write appends a row, and building a statement costs more than running it.
_HEAD_LOCKED = chain.HEAD.with_for_update()
_ADD = audit.insert()
_MOVE_HEAD = (
    update(audit_head)
    .where(audit_head.c.id == 1)
    .values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One event of the journal.

    Attributes:
        seq: Its number, from 1, without gaps over all sources.
        source: The shop.
        at: When, aware UTC; None if that was damaged.
        event: What: `intended`, `done`, `posted`, `parked`, ...
        order_id: The order, if any.
        run_id: The run.
        who: User and machine the run worked as.
        data: Figures and ids; no personal data. Empty if it was damaged.
        prev_hash: Hash of the row before.
        hash: Hash of this row.
        altered: Whether the row was changed since it was written: its hash does not fit.
    """

    seq: int
    source: str
    at: datetime | None
    event: str
    order_id: int | None
    run_id: str
    who: str
    data: dict[str, Any] = field(repr=False)
    prev_hash: str
    hash: str
    altered: bool = False


class AuditJournal(Section):
    """The journal, seen from one shop."""

    def add(
        self,
        *,
        event: str,
        order_id: int | None,
        run_id: str,
        data: Mapping[str, Any],
        who: str | None = None,
    ) -> None:
        """Add a row; fields that name persons are left out of `data`."""
        with self._database.write() as connection:
            self.append(connection, event, order_id, run_id, redaction.of_data(data), who)

    def append(
        self,
        connection: Connection,
        event: str,
        order_id: int | None,
        run_id: str,
        data: Mapping[str, Any],
        who: str | None = None,
    ) -> None:
        """Add a row behind the head; must run in a write transaction, as its last step.

        Last, because the head is locked until the commit: whoever takes other locks after it could
        wait for one who waits for the head.
        """
        head = connection.execute(_HEAD_LOCKED).one()
        row = {
            "seq": head.seq + 1,
            "source": plain(self._source),
            "at": time_text(self._clock()),
            "event": plain(event),
            "order_id": order_id,
            "run_id": plain(run_id),
            "who": plain(who or self._who),
            "data": to_text(dict(data)),
            "prev_hash": head.hash,
        }
        row["hash"] = chain.seal(row)
        connection.execute(_ADD, row)
        connection.execute(_MOVE_HEAD, {"new_seq": row["seq"], "new_hash": row["hash"]})

    def rows(self, order_id: int | None = None) -> Iterator[AuditRow]:
        """Read the shop's rows, of one order or all, page by page, oldest first."""
        statement = select(audit).where(audit.c.source == self._source)
        if order_id is not None:
            statement = statement.where(audit.c.order_id == order_id)
        return map(_audit_row, paged(self._damaged_too, statement, audit.c.seq))

    def verify_chain(self) -> chain.ChainVerdict:
        """Walk the whole chain, of all shops, and name the first row that is not right."""
        with self._database.read_snapshot() as connection:
            return chain.verify(connection)

    def length(self) -> int | None:
        """How many rows there are, of all shops."""
        head = self._row(chain.HEAD)
        return None if head is None else head.seq

    def _damaged_too(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with self._database.read() as connection, chain.any_text(connection):
            return connection.execute(statement).all()


def _audit_row(row: Row[Any]) -> AuditRow:
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    altered = chain.is_altered(values)
    at, data = None, None
    with suppress(*chain.DAMAGED):
        at = datetime.fromisoformat(values["at"])
    with suppress(*chain.DAMAGED):
        data = from_text(values["data"])
    values |= {"at": at, "data": data if isinstance(data, dict) else {}}
    return AuditRow(**values, altered=altered)
