"""Runs: when each began and ended, by which version of the code, with what outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector_credentials.database import insert
from sqlalchemy import select, update

from target_freshbooks.ledger.section import Scope, Section
from target_freshbooks.ledger.storage.canonical import from_text, to_text
from target_freshbooks.ledger.storage.tables import runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from target_freshbooks.ledger.audit.journal import AuditJournal


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run.

    Attributes:
        run_id: Its name.
        code_version: Version of target-freshbooks.
        started_at: When it began.
        ended_at: When it ended; None while it runs, or if it was killed.
        outcome: How, as given to `end`.
        counts: What it did, as given to `end`.
    """

    run_id: str
    code_version: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    counts: dict[str, Any]


class Runs(Section):
    """The runs of one shop."""

    def __init__(self, scope: Scope, audit: AuditJournal) -> None:
        super().__init__(scope)
        self._audit = audit

    def start(self, run_id: str, code_version: str) -> None:
        """Write that a run begins; one that is there already keeps its start."""
        row = {"run_id": run_id, "source": self._source, "code_version": code_version}
        with self._database.write() as connection:
            statement = insert(connection.dialect.name, runs).on_conflict_do_nothing()
            connection.execute(statement, row | {"started_at": self._clock()})
            data = {"code_version": code_version}
            self._audit.append(connection, "run_started", None, run_id, data)

    def end(self, run_id: str, outcome: str, counts: Mapping[str, Any]) -> None:
        """Write how a run ended, and what it did."""
        data = {"outcome": outcome, "counts": dict(counts)}
        values = {"outcome": outcome, "counts": to_text(data["counts"]), "ended_at": self._clock()}
        with self._database.write() as connection:
            connection.execute(update(runs).where(runs.c.run_id == run_id).values(values))
            self._audit.append(connection, "run_ended", None, run_id, data)

    def latest(self, limit: int = 10) -> list[RunRow]:
        """Read the latest runs, the newest first."""
        of_source = select(runs).where(runs.c.source == self._source)
        return [
            RunRow(
                run_id=row.run_id,
                code_version=row.code_version,
                started_at=row.started_at,
                ended_at=row.ended_at,
                outcome=row.outcome,
                counts=from_text(row.counts) if row.counts else {},
            )
            for row in self._rows(of_source.order_by(runs.c.started_at.desc()).limit(limit))
        ]
