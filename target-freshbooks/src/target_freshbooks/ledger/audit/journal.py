"""The audit journal: rows that are only ever added, each sealed with the hash of the one before."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select

from target_freshbooks.ledger.audit import chain, redaction
from target_freshbooks.ledger.section import Section
from target_freshbooks.ledger.storage.canonical import from_text
from target_freshbooks.ledger.storage.database import paged
from target_freshbooks.ledger.storage.tables import audit


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
        self, *, event: str, order_id: int | None, run_id: str, data: Mapping[str, Any]
    ) -> None:
        """Add a row; fields that name persons are left out of `data`."""
        with self._database.write() as connection:
            self._note(connection, event, order_id, run_id, redaction.of_data(data))

    def rows(self, order_id: int | None = None) -> Iterator[AuditRow]:
        """Read the shop's rows, of one order or all, page by page, oldest first."""
        statement = select(audit).where(audit.c.source == self._source)
        if order_id is not None:
            statement = statement.where(audit.c.order_id == order_id)
        return map(_audit_row, paged(self._damaged_too, statement, audit.c.seq))

    def verify_chain(self, noted: chain.AuditHead | None = None) -> chain.ChainVerdict:
        """Walk the whole chain, of all shops, and name the first row that is not right.

        Args:
            noted: The head of an earlier moment, which has to stand in the chain.
        """
        with self._database.read(snapshot=True) as connection:
            return chain.verify(connection, noted)

    def head(self) -> chain.AuditHead | None:
        """Where the chain ends, of all shops; None if somebody took that away."""
        head = self._row(chain.HEAD)
        return None if head is None else chain.AuditHead(*head)

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
