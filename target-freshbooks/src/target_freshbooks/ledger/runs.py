"""Runs: when each began and ended, by which version of the code, with what outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, update

from target_freshbooks.ledger.section import Section, columns_of
from target_freshbooks.ledger.storage.tables import runs

DRY_RUN = "dry_run"
"""The outcome of a run that was not for real, however it ended."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run.

    Attributes:
        run_id: Its name.
        code_version: Version of target-freshbooks.
        started_at: When it began.
        ended_at: When it ended; None while it runs, or if it was killed.
        outcome: How, as given to `end`.
        counts: What it did, as given to `end`; None until then.
        figures: How it went, likewise: `requests` by status, and `lag` from paid to booked.
    """

    run_id: str
    code_version: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    counts: dict[str, Any] | None
    figures: dict[str, Any] | None


class Runs(Section):
    """The runs of one shop."""

    def start(self, run_id: str, code_version: str) -> None:
        """Write that a run begins; one that is there already keeps its start."""
        row = {"run_id": run_id, "source": self._source, "code_version": code_version}
        with self._database.write() as connection:
            self._add(connection, runs, row | {"started_at": self._clock()})
            self._note(connection, "run_started", None, run_id, {"code_version": code_version})

    def end(
        self,
        run_id: str,
        outcome: str,
        counts: Mapping[str, Any],
        *,
        heard: bool = True,
        figures: Mapping[str, Any] | None = None,
    ) -> None:
        """Write how a run ended, and what it did.

        Args:
            run_id: Its name.
            outcome: `done`, `failed`, `interrupted` or `DRY_RUN`.
            counts: What it did.
            heard: Whether the shop said anything in it: else it is no sign that runs go well.
            figures: How it went; kept beside the audit journal.
        """
        data = {"outcome": outcome, "counts": dict(counts)}
        beside = {"ended_at": self._clock(), "heard": heard, "figures": figures}
        ended = update(runs).where(runs.c.run_id == run_id)
        with self._database.write() as connection:
            connection.execute(ended.values(data | beside))
            self._note(connection, "run_ended", None, run_id, data)

    def latest(self, limit: int = 10) -> list[RunRow]:
        """Read the latest runs, the newest first."""
        latest = self._of_source().order_by(runs.c.started_at.desc()).limit(limit)
        return [RunRow(*row) for row in self._rows(latest)]

    def first_start(self) -> datetime | None:
        """Read when the first run began."""
        begun = select(func.min(runs.c.started_at)).where(runs.c.source == self._source)
        moment: datetime | None = self._rows(begun)[0][0]
        return moment

    def outcomes(self) -> dict[str, int]:
        """Count the runs by outcome; those that were killed, or have not ended, have none.

        Dry runs are not counted.
        """
        key = func.coalesce(runs.c.outcome, "none")
        counted = select(key, func.count()).where(runs.c.source == self._source, key != DRY_RUN)
        return {row[0]: row[1] for row in self._rows(counted.group_by(key))}

    def last_good(self) -> RunRow | None:
        """Read the latest run that ended well, for real and with something heard of the shop."""
        return self._last_ended(runs.c.outcome == "done", or_(runs.c.heard, runs.c.heard.is_(None)))

    def last_ended(self) -> RunRow | None:
        """Read the latest run that ended, well or not, and was for real."""
        return self._last_ended(runs.c.outcome != DRY_RUN)

    def _last_ended(self, *which: ColumnElement[bool]) -> RunRow | None:
        ended = self._of_source().where(runs.c.ended_at.is_not(None), *which)
        row = self._row(ended.order_by(runs.c.ended_at.desc()).limit(1))
        return None if row is None else RunRow(*row)

    def _of_source(self) -> Select[Any]:
        return select(*columns_of(runs, RunRow)).where(runs.c.source == self._source)
