"""Which orders a run works for: one dispatcher at a time, and no claim outlives its owner.

The dispatcher holds the inbox's lock (:mod:`connector_credentials.locks`) while it claims hooks and
has them run. Claimed hooks bear the run's id and stay ``waiting`` until the run has ended well.
Hooks that arrive meanwhile bear no id, so they cause another run. Whoever has the lock next frees
what a dead dispatcher left claimed.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector_credentials import CredentialError, LockTimeout, locks
from sqlalchemy import func, not_, or_, select, update

from connector_webhooks.database import fences, hooks, milliseconds, moment_of
from connector_webhooks.errors import InboxError, LockLostError
from connector_webhooks.inbox import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from connector_webhooks.database import Database

# A hook that was in the hands of so many dispatchers that died is run by itself from then on: its
# order may be what kills them.
SUSPECT_INTERRUPTIONS = 3
# The first failure of a group is most often an outage, so the group is tried together once more.
SUSPECT_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class DueOrder:
    """An order whose time has come.

    Attributes:
        attempts: Failed runs so far.
    """

    order_id: int
    attempts: int


class Claims:
    """The dispatcher's side of the inbox.

    Args:
        database: The inbox's.

    Raises:
        InboxError: The inbox is where no lock keeps others out.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._name = f"webhooks of store {database.store_hash}"
        self._held = ExitStack()
        self._fence = locks.Fence(fences, self._name)
        try:
            locks.is_held(database.engine, self._name)
        except CredentialError as error:
            raise InboxError(f"The inbox cannot be locked: {error}.") from None

    def take(self, now: datetime) -> bool:
        """Become the dispatcher; False while another one is at work.

        Claims that a dead dispatcher left are free again afterwards.
        """
        with ExitStack() as stack:
            try:
                lock = locks.hold(self._database.engine, self._name, 0, what="the inbox")
                stack.enter_context(lock)
            except LockTimeout:
                return False
            self._fence = locks.Fence(fences, self._name)
            with self._database.write() as connection:
                self._fence.take(connection, "dispatcher", now)
                connection.execute(
                    update(hooks)
                    .where(hooks.c.state == State.WAITING, hooks.c.run_id.is_not(None))
                    .values(run_id=None, interruptions=hooks.c.interruptions + 1)
                )
            self._held = stack.pop_all()
        return True

    def drop(self) -> None:
        """Let the next dispatcher in."""
        self._held.close()

    def _check(self, connection: Connection) -> None:
        if not self._fence.stands(connection):
            raise LockLostError(
                "Another dispatcher took over this inbox, since the connection to its database had "
                "ended; it runs the orders claimed here, nothing is lost."
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

    def claim(self, order_ids: Iterable[int], run_id: str) -> None:
        """Put the run's id on every waiting hook of the orders, due or not: the run covers all."""
        with self._database.write() as connection:
            self._check(connection)
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
            self._check(connection)
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
    ) -> None:
        """A run for this order failed: note why, and when to try again, or give up."""
        with self._database.write() as connection:
            self._check(connection)
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

    def hand_back(self, run_id: str, *, due_at: datetime | None = None, reason: str = "") -> None:
        """Free what the run still has claimed, no attempt counted.

        Args:
            run_id: Whose claims.
            due_at: Not before then; None leaves the due times alone.
            reason: Shown by ``status`` meanwhile.
        """
        values: dict[str, object] = {"run_id": None}
        if due_at is not None:
            values |= {"due_at": milliseconds(due_at), "reason": reason}
        with self._database.write() as connection:
            self._check(connection)
            connection.execute(
                update(hooks)
                .where(hooks.c.run_id == run_id, hooks.c.state == State.WAITING)
                .values(**values)
            )
