"""The lease: one run per FreshBooks account, however many machines share the ledger.

The holder renews its row with a heartbeat. Whoever finds the row takes it over at once when the
holder's process is seen to be gone, and else only after watching the heartbeat stand still, by its
own clock that nobody can set: for `takeover_after`, or for a few heartbeats where the last one is
that old already by the database's clock (the one clock all machines share). A heartbeat may look
old only because that clock was set forward; a live holder shows it with its next one. A process
that is seen to live is given the whole time, whatever the date. Every change is a compare-and-set,
so only one can win.

The holder judges itself more strictly: if its own heartbeats have failed for nearly that long, it
regards the lease as lost and stops writing before anybody else may begin.
"""

from __future__ import annotations

import logging
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector_credentials.database import insert
from sqlalchemy import delete, select, update

from target_freshbooks.ledger import process
from target_freshbooks.ledger.errors import LeaseHeld, LeaseLost, LedgerError, LedgerUnavailable
from target_freshbooks.ledger.storage.tables import leases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from target_freshbooks.ledger.storage.database import Database

POLL_SECONDS = 0.5
"""How often a waiting run looks whether the account is free."""

WATCHED_HEARTBEATS = 2.5
"""How many heartbeats must fail to come before one that looks old is taken for the last."""

SAFETY_PART = 5
"""The holder stops a fifth of `takeover_after` before others may take over."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Holder:
    """A lease's row: who holds the account and when it last said so."""

    token: str
    name: str
    run_id: str
    process: process.Process
    beat: int
    acquired_ms: int
    heartbeat_ms: int


@dataclass(slots=True)
class Watch:
    """A heartbeat, as a waiting run sees it.

    Attributes:
        heartbeat: Seconds between a live holder's heartbeats.
        takeover_after: Seconds without one after which the lease lapses.
    """

    heartbeat: float
    takeover_after: float
    _seen: tuple[str, int] | None = field(default=None, init=False)
    _since: float = field(default=0.0, init=False)

    def has_lapsed(self, found: Holder, *, asked: float, now_ms: int) -> bool:
        """Tell whether the lease may be taken over; `asked` is our clock before it was read."""
        if (found.token, found.beat) != self._seen:
            # The clock after the read: the read may have waited for other writers, and the
            # heartbeat that it found may have been written in that time.
            self._seen, self._since = (found.token, found.beat), process.uptime()
        still = asked - self._since
        if process.is_gone(found.process) or still > self.takeover_after:
            return True
        return (
            self._age(found, now_ms) > self.takeover_after
            and still > WATCHED_HEARTBEATS * self.heartbeat
            and not process.is_ours_to_see(found.process)
        )

    def is_doubtful(self, found: Holder, *, now_ms: int) -> bool:
        """Tell whether the heartbeat's time is no live holder's, unless a clock was set."""
        return abs(self._age(found, now_ms)) > self.takeover_after

    def _age(self, found: Holder, now_ms: int) -> float:
        return (now_ms - found.heartbeat_ms) / 1000


class Lease:
    """The right to write to one FreshBooks account.

    Attributes:
        account: The FreshBooks account id.
        holder: The name it was taken under.
    """

    def __init__(
        self,
        database: Database,
        account: str,
        *,
        holder: str,
        token: str,
        seconds: float,
        acquired: float,
    ) -> None:
        self.account = account
        self.holder = holder
        self._database = database
        self._token = token
        self._seconds = seconds
        self._renewed = acquired
        self._lost: str | None = None
        self._failure: str | None = None

    def check(self) -> None:
        """Make sure the account is still ours; call it before each outside write. Takes no I/O.

        Raises:
            LeaseLost: If another run took it over, or might have.
        """
        silent = process.uptime() - self._renewed
        if self._lost is None and silent > self._seconds:
            self._lost = f"its heartbeat could not be written for {silent:.0f} s"
            if self._failure:
                self._lost += f" ({self._failure})"
        if self._lost is not None:
            raise LeaseLost(
                f"This run ({self.holder}) no longer holds FreshBooks account {self.account}:"
                f" {self._lost}. It stops writing so that nothing is written twice; run again."
            )

    def renew(self) -> None:
        """Write one heartbeat, or learn that the lease is lost."""
        asked = process.uptime()  # before the write: others count from the moment it is committed
        try:
            with self._database.write() as connection:
                renewed = connection.execute(
                    update(leases)
                    .where(leases.c.account == self.account, leases.c.token == self._token)
                    .values(beat=leases.c.beat + 1, heartbeat_ms=self._database.now_ms(connection))
                ).rowcount
                other = None if renewed else _read(connection, self.account)
        except LedgerUnavailable as error:
            self._failure = str(error)  # tried again with the next beat; check() tells when it ends
            _log.warning("The heartbeat of the lease could not be written: %s", error)
            return
        if renewed:
            self._renewed, self._failure = asked, None
        elif other is None:
            self._lost = "its lease was removed"
        else:
            self._lost = f"{other.name} on {other.process.host} took it over"

    def beat_until(self, stopped: threading.Event, every: float) -> None:
        """Renew time and again until told to stop, or the lease is lost."""
        while not stopped.wait(every) and self._lost is None:
            self.renew()

    def release(self) -> None:
        """Give the account free, if it is still ours."""
        try:
            with self._database.write() as connection:
                connection.execute(
                    delete(leases).where(
                        leases.c.account == self.account, leases.c.token == self._token
                    )
                )
        except LedgerUnavailable as error:
            # The run's own end matters more; without heartbeats the lease ends by itself.
            _log.warning("The lease could not be given back and will lapse: %s", error)


@contextmanager
def held(
    database: Database,
    account: str,
    holder: str,
    *,
    run_id: str,
    wait_seconds: float,
    heartbeat: float,
    takeover_after: float,
    sleep: Callable[[float], None],
    on_takeover: Callable[[Connection, Holder], None],
) -> Iterator[Lease]:
    """Hold the account's lease for the length of a block; see `Ledger.lease`."""
    if not 0 < heartbeat < takeover_after * (SAFETY_PART - 1) / SAFETY_PART:
        raise LedgerError(
            f"A heartbeat every {heartbeat:g} s cannot keep a lease that others may take after"
            f" {takeover_after:g} s."
        )
    lease = _acquire(
        database,
        account,
        holder,
        run_id=run_id,
        wait_seconds=wait_seconds,
        heartbeat=heartbeat,
        takeover_after=takeover_after,
        sleep=sleep,
        on_takeover=on_takeover,
    )
    stopped = threading.Event()
    beating = threading.Thread(
        target=lease.beat_until, args=(stopped, heartbeat), name="lease-heartbeat", daemon=True
    )
    beating.start()
    try:
        yield lease
    finally:
        stopped.set()
        beating.join()
        lease.release()


def _acquire(
    database: Database,
    account: str,
    holder: str,
    *,
    run_id: str,
    wait_seconds: float,
    heartbeat: float,
    takeover_after: float,
    sleep: Callable[[float], None],
    on_takeover: Callable[[Connection, Holder], None],
) -> Lease:
    token = uuid.uuid4().hex
    slept = 0.0
    watch = Watch(heartbeat, takeover_after)
    while True:
        asked = process.uptime()
        with database.write() as connection:
            found = _read(connection, account)
            now_ms = database.now_ms(connection)
            if found is None or watch.has_lapsed(found, asked=asked, now_ms=now_ms):
                row = _row(account, token, holder, run_id, now_ms)
                if _replace(connection, found, row):
                    if found is not None:
                        on_takeover(connection, found)
                    seconds = takeover_after * (SAFETY_PART - 1) / SAFETY_PART
                    return Lease(
                        database,
                        account,
                        holder=holder,
                        token=token,
                        seconds=seconds,
                        acquired=asked,
                    )
        if found is None:
            continue  # somebody was quicker: look who
        patience = wait_seconds
        if watch.is_doubtful(found, now_ms=now_ms):
            # Also a run that is not to wait finds out whether there is anybody to wait for.
            patience = max(patience, takeover_after + POLL_SECONDS)
        if slept >= patience:
            since = datetime.fromtimestamp(found.acquired_ms / 1000, UTC)
            raise LeaseHeld(
                account,
                holder=found.name,
                since=since,
                host=found.process.host,
                pid=found.process.pid,
                waited=slept,
            )
        pause = min(POLL_SECONDS, patience - slept)
        sleep(pause)
        slept += pause


def _row(account: str, token: str, holder: str, run_id: str, now_ms: int) -> dict[str, object]:
    this = process.this_process()
    return {
        "account": account,
        "token": token,
        "holder": holder,
        "host": this.host,
        "machine": this.machine,
        "pid": this.pid,
        "process_start": this.start,
        "run_id": run_id,
        "beat": 0,
        "acquired_ms": now_ms,
        "heartbeat_ms": now_ms,
    }


def _replace(connection: Connection, found: Holder | None, row: dict[str, object]) -> bool:
    """Put our row in place of exactly the one that was found; tell whether that came off."""
    if found is None:
        statement = insert(connection.dialect.name, leases).on_conflict_do_nothing()
        made = connection.execute(statement.returning(leases.c.account), row)
        return made.one_or_none() is not None
    return (
        connection.execute(
            update(leases)
            .where(
                leases.c.account == row["account"],
                leases.c.token == found.token,
                leases.c.beat == found.beat,
            )
            .values(row)
        ).rowcount
        == 1
    )


def _read(connection: Connection, account: str) -> Holder | None:
    row = connection.execute(select(leases).where(leases.c.account == account)).one_or_none()
    if row is None:
        return None
    return Holder(
        token=row.token,
        name=row.holder,
        run_id=row.run_id,
        process=process.Process(row.host, row.machine, row.pid, row.process_start),
        beat=row.beat,
        acquired_ms=row.acquired_ms,
        heartbeat_ms=row.heartbeat_ms,
    )
