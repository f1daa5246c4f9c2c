"""Which orders a run works for: one dispatcher at a time, and no claim outlives its owner.

The dispatcher takes the lease (one row) before it claims hooks. Claimed hooks bear the run's id
and stay ``waiting`` until the run has ended well. Hooks that arrive meanwhile bear no id, so they
cause another run. Whoever takes the lease next frees what a dead dispatcher left claimed; on the
same machine that is at once, since the process is seen to be gone, else after the lease ran out.
"""

from __future__ import annotations

import itertools
import os
import socket
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connector_webhooks.database import hooks, lease, milliseconds, moment_of
from connector_webhooks.errors import LeaseLostError
from connector_webhooks.inbox import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from connector_webhooks.database import Database

LEASE = timedelta(seconds=30)
NAME = "dispatcher"
# A hook that was in the hands of so many dispatchers that died is run by itself from then on: its
# order may be what kills them.
SUSPECT_INTERRUPTIONS = 3
# The first failure of a group is most often an outage, so the group is tried together once more.
SUSPECT_ATTEMPTS = 2
_PROCESS = uuid.uuid4().hex[:12]
_COUNTER = itertools.count(1)


@dataclass(frozen=True, slots=True)
class DueOrder:
    """An order whose time has come.

    Attributes:
        attempts: Failed runs so far.
    """

    order_id: int
    attempts: int


def new_holder() -> str:
    """A name for a dispatcher: machine, process, and a token that a later process cannot share."""
    return f"{socket.gethostname()}/{os.getpid()}/{_PROCESS}/{next(_COUNTER)}"


class Claims:
    """The dispatcher's side of the inbox.

    Args:
        database: The inbox's.
        holder: This dispatcher's name, see :func:`new_holder`.
    """

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self.holder = holder

    def take_lease(self, now: datetime) -> bool:
        """Become the dispatcher; False while another one is at work.

        Claims that a dead dispatcher left are free again afterwards.
        """
        with self._database.write() as connection:
            self._insert_lease_row(connection)
            row = connection.execute(
                select(lease.c.holder, lease.c.until).where(lease.c.name == NAME).with_for_update()
            ).one()
            taken = row.holder not in {"", self.holder}
            if taken and row.until > milliseconds(now) and not _is_gone(row.holder):
                return False
            connection.execute(
                update(lease)
                .where(lease.c.name == NAME)
                .values(holder=self.holder, until=milliseconds(now + LEASE))
            )
            connection.execute(
                update(hooks)
                .where(hooks.c.state == State.WAITING, hooks.c.run_id.is_not(None))
                .values(run_id=None, interruptions=hooks.c.interruptions + 1)
            )
        return True

    def _insert_lease_row(self, connection: Connection) -> None:
        insert = postgresql.insert if self._database.dialect == "postgresql" else sqlite.insert
        connection.execute(
            insert(lease).values(name=NAME, holder="", until=0).on_conflict_do_nothing()
        )

    def renew_lease(self, now: datetime) -> None:
        """Stay the dispatcher while a run is in work.

        Raises:
            LeaseLostError: Another one has taken over.
        """
        with self._database.write() as connection:
            self._hold(connection, now)

    def _hold(self, connection: Connection, now: datetime) -> None:
        held = connection.execute(
            update(lease)
            .where(lease.c.name == NAME, lease.c.holder == self.holder)
            .values(until=milliseconds(now + LEASE))
        ).rowcount
        if not held:
            raise LeaseLostError(
                "Another dispatcher took over this inbox (was this process halted for long?); "
                "it runs the orders claimed here, nothing is lost."
            )

    def drop_lease(self) -> None:
        """Let the next dispatcher in at once."""
        with self._database.write() as connection:
            connection.execute(
                update(lease)
                .where(lease.c.name == NAME, lease.c.holder == self.holder)
                .values(holder="", until=0)
            )

    def work_in_sight(self, until: datetime) -> bool:
        """Whether anything is due by then, or claimed: by a dispatcher at work, or a dead one."""
        statement = select(hooks.c.seq).where(
            hooks.c.state == State.WAITING,
            or_(hooks.c.run_id.is_not(None), hooks.c.due_at <= milliseconds(until)),
        )
        with self._database.look() as connection:
            return connection.execute(statement.limit(1)).first() is not None

    def due(self, until: datetime, limit: int, *, suspects: bool) -> list[DueOrder]:
        """Unclaimed orders due at ``until`` or before, those waiting longest first.

        Args:
            until: The latest due time wanted.
            limit: Most orders wanted.
            suspects: Whether to look for orders that run alone, or for all the others.
        """
        attempts = func.max(hooks.c.attempts)
        alone = or_(
            attempts >= SUSPECT_ATTEMPTS,
            func.max(hooks.c.interruptions) >= SUSPECT_INTERRUPTIONS,
        )
        statement = (
            select(hooks.c.order_id, attempts)
            .where(hooks.c.state == State.WAITING, hooks.c.run_id.is_(None))
            .group_by(hooks.c.order_id)
            .having(func.min(hooks.c.due_at) <= milliseconds(until))
            .having(alone if suspects else not_(alone))
            .order_by(func.min(hooks.c.due_at), hooks.c.order_id)
            .limit(limit)
        )
        with self._database.look() as connection:
            return [DueOrder(*row) for row in connection.execute(statement)]

    def next_due(self) -> datetime | None:
        """When the next unclaimed order is due, or None when nothing waits."""
        statement = select(func.min(hooks.c.due_at)).where(
            hooks.c.state == State.WAITING, hooks.c.run_id.is_(None)
        )
        with self._database.look() as connection:
            value = connection.execute(statement).scalar()
        return None if value is None else moment_of(int(value))

    def claim(self, order_ids: Iterable[int], run_id: str, now: datetime) -> None:
        """Put the run's id on every waiting hook of the orders, due or not: the run covers all."""
        with self._database.write() as connection:
            self._hold(connection, now)
            connection.execute(
                update(hooks)
                .where(
                    hooks.c.state == State.WAITING,
                    hooks.c.run_id.is_(None),
                    hooks.c.order_id.in_(list(order_ids)),
                )
                .values(run_id=run_id)
            )

    def delivered(
        self, order_ids: Iterable[int], run_id: str, now: datetime, note: str = ""
    ) -> None:
        """The run ended well for these orders: their claimed hooks are done.

        Older hooks of them that were given up are done too, since the run read the order anew.
        """
        with self._database.write() as connection:
            self._hold(connection, now)
            mine = (hooks.c.state == State.WAITING) & (hooks.c.run_id == run_id)
            connection.execute(
                update(hooks)
                .where(
                    hooks.c.order_id.in_(list(order_ids)), mine | (hooks.c.state == State.FAILED)
                )
                .values(state=State.DONE, done_at=milliseconds(now), reason=note, run_id=run_id)
            )

    def failed(
        self,
        order: DueOrder,
        run_id: str,
        reason: str,
        due_at: datetime,
        *,
        give_up: bool,
        now: datetime,
    ) -> None:
        """A run for this order failed: note why, and when to try again, or give up."""
        with self._database.write() as connection:
            self._hold(connection, now)
            connection.execute(
                update(hooks)
                .where(
                    hooks.c.order_id == order.order_id,
                    hooks.c.run_id == run_id,
                    hooks.c.state == State.WAITING,
                )
                .values(
                    state=State.FAILED if give_up else State.WAITING,
                    attempts=order.attempts + 1,
                    reason=reason,
                    due_at=milliseconds(due_at),
                    run_id=None,
                )
            )

    def hand_back(
        self, run_id: str, now: datetime, *, due_at: datetime | None = None, reason: str = ""
    ) -> None:
        """Free what the run still has claimed, no attempt counted.

        Args:
            run_id: Whose claims.
            now: Our time.
            due_at: Not before then; None leaves the due times alone.
            reason: Shown by ``status`` meanwhile.
        """
        values: dict[str, object] = {"run_id": None}
        if due_at is not None:
            values |= {"due_at": milliseconds(due_at), "reason": reason}
        with self._database.write() as connection:
            self._hold(connection, now)
            connection.execute(
                update(hooks)
                .where(hooks.c.run_id == run_id, hooks.c.state == State.WAITING)
                .values(**values)
            )


def _is_gone(holder: str) -> bool:
    """Whether the holder ran on this machine and its process no longer exists."""
    host, _, rest = holder.partition("/")
    pid, _, token = rest.partition("/")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return token.partition("/")[0] != _PROCESS
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # it exists, and is another user's
    return False
