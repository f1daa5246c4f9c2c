"""A look into the ledger while a run writes to it, and after: read-only, so nobody is disturbed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Glance:
    """How far a run has come: orders that arrived, and how many stand in each state."""

    read: int = 0
    posted: int = 0
    parked: int = 0
    waiting: int = 0

    @property
    def settled(self) -> int:
        """Orders that need no more work."""
        return self.posted + self.parked + self.waiting


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one order stands, in the ledger's words."""

    state: str
    reason: str | None
    next_step: str | None


def glance(ledger: Path) -> Glance:
    """Count; all zero while there is no ledger yet."""
    counted = _rows(ledger, "SELECT state, count(*) FROM ledger_orders GROUP BY state")
    rows = {state: int(count) for state, count in counted}
    read = _rows(ledger, "SELECT count(*) FROM ledger_inbox WHERE stream = 'orders'")
    return Glance(
        read=int(read[0][0]) if read else 0,
        posted=rows.get("posted", 0),
        parked=rows.get("parked", 0),
        waiting=rows.get("waiting", 0),
    )


def standings(ledger: Path) -> dict[int, Standing]:
    """Read where every order stands."""
    rows = _rows(ledger, "SELECT order_id, state, reason, next_step FROM ledger_orders")
    return {int(number): Standing(*rest) for number, *rest in rows}


def _rows(ledger: Path, query: str) -> list[tuple[str, ...]]:
    if not ledger.exists():
        return []
    with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True, timeout=10)) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # the run has only just made the file
                return []
            raise
