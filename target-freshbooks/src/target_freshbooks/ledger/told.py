"""Told: how runs fail, and which service was told what, so that each hears of a thing once.

Failures are kept until a run has ended well. What was told is kept by service, since one may be out
of reach while another is not.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from connector_credentials import locks
from connector_credentials.database import explained
from sqlalchemy import delete, select, true

from target_freshbooks.ledger.section import Section, columns_of
from target_freshbooks.ledger.storage.database import PURPOSE
from target_freshbooks.ledger.storage.tables import failures, told

RUNS = 0
"""In the place of an order's id: the runs themselves."""

WELL_AGAIN = "well_again"
"""In the place of a reason: the service is still to be told that runs end well again."""

_WHAT = (told.c.order_id, told.c.reason)


class Telling(NamedTuple):
    """What a service was told: of an order, or of the runs (`RUNS`), and a reason's code."""

    order_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunFailure:
    """A way in which runs fail: its code, and when it was met first and last."""

    kind: str
    since: datetime
    last_at: datetime


class Told(Section):
    """What was told of one shop's orders and runs."""

    @contextmanager
    def alone(self, wait_seconds: float) -> Iterator[None]:
        """Be the only one who tells of this shop, so that two runs do not tell the same.

        Raises:
            LockTimeout: Another process has been telling for so long.
        """
        engine, name = self._database.engine, f"notifications of {self._source}"
        with explained(engine, PURPOSE), locks.hold(engine, name, wait_seconds, what=name):
            yield

    def of(self, service: str) -> set[Telling]:
        """Read what a service was told."""
        ours = (told.c.source == self._source) & (told.c.service == service)
        return {Telling(*row) for row in self._rows(select(*_WHAT).where(ours))}

    def note(self, service: str, tellings: Iterable[Telling]) -> None:
        """Note what a service was told."""
        key = {"source": self._source, "service": service, "told_at": self._clock()}
        rows = [key | telling._asdict() for telling in tellings]
        with self._database.write() as connection:
            self._put(connection, told, *rows)

    def forget(self, tellings: Collection[Telling], *services: str) -> None:
        """Forget that anybody, or these services, were told: it is told when it is so again."""
        of_services = told.c.service.in_(services) if services else true()
        for order_id, reason in tellings:
            what = (told.c.order_id == order_id) & (told.c.reason == reason) & of_services
            self._change(delete(told).where(told.c.source == self._source, what))

    def all(self) -> set[Telling]:
        """Read what any service was told."""
        rows = self._rows(select(*_WHAT).where(told.c.source == self._source).distinct())
        return {Telling(*row) for row in rows}

    def failures(self) -> list[RunFailure]:
        """Read how runs fail, oldest first."""
        statement = select(*columns_of(failures, RunFailure)).where(
            failures.c.source == self._source
        )
        return [RunFailure(*row) for row in self._rows(statement.order_by(failures.c.since))]

    def fail(self, kind: str, at: datetime | None = None) -> None:
        """Note that a run has failed, now if no moment is given."""
        moment = at or self._clock()
        row = {"source": self._source, "kind": kind, "since": moment, "last_at": moment}
        with self._database.write() as connection:
            self._put(connection, failures, row, first=("since",))

    def recover(self, kinds: Collection[str]) -> None:
        """Note that runs fail so no more: who was told so is to be told that they end well again.

        The failures go last, so that whatever a kill leaves is done by the next call.
        """
        if not kinds:
            return
        ours, fail = told.c.source == self._source, told.c.order_id == RUNS
        whom = select(told.c.service).where(ours, fail, told.c.reason.in_(kinds)).distinct()
        for (service,) in self._rows(whom):
            self.note(service, [Telling(RUNS, WELL_AGAIN)])
        self.forget([Telling(RUNS, kind) for kind in kinds])
        over = failures.c.source == self._source, failures.c.kind.in_(kinds)
        self._change(delete(failures).where(*over))
