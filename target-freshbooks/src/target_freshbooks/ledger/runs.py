"""Runs: when each began and ended, by which version of the code, with what outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector_credentials.database import insert
from sqlalchemy import select, update

from target_freshbooks.ledger.storage.canonical import from_text, to_text
from target_freshbooks.ledger.storage.tables import runs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run.

    Attributes:
        run_id: Its name.
        code_version: Version of target-freshbooks.
        started_at: When it began.
        ended_at: When it ended; None while it runs, or when it was killed.
        outcome: How, as given to `end_run`.
        counts: What it did, as given to `end_run`.
    """

    run_id: str
    code_version: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    counts: dict[str, Any]


def start(
    connection: Connection, source: str, run_id: str, code_version: str, now: datetime
) -> None:
    """Insert the run; one that is there already keeps its start."""
    connection.execute(
        insert(connection.dialect.name, runs).on_conflict_do_nothing(),
        {"run_id": run_id, "source": source, "code_version": code_version, "started_at": now},
    )


def end(
    connection: Connection, run_id: str, outcome: str, counts: dict[str, Any], now: datetime
) -> None:
    """Write how the run ended."""
    connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id)
        .values(outcome=outcome, counts=to_text(counts), ended_at=now)
    )


def latest(connection: Connection, source: str, limit: int) -> list[RunRow]:
    """Read the latest runs, the newest first."""
    rows = connection.execute(
        select(runs).where(runs.c.source == source).order_by(runs.c.started_at.desc()).limit(limit)
    )
    return [
        RunRow(
            run_id=row.run_id,
            code_version=row.code_version,
            started_at=row.started_at,
            ended_at=row.ended_at,
            outcome=row.outcome,
            counts=from_text(row.counts) if row.counts else {},
        )
        for row in rows
    ]
