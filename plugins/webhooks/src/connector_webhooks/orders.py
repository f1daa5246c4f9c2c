"""The orders that wait: which are due, and what a run made of them.

A run notes how many hooks each of its orders has `seen`. After a good run the rows go whose count
is still the same: a hook that came meanwhile keeps its row, and a crash leaves nothing to undo. All
this is written in the session that holds the inbox's lock, so who has lost that settles nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector_credentials.database import writing
from sqlalchemy import bindparam, case, delete, select, update

from connector_webhooks.database import EPOCH, Database, milliseconds, moment_of, orders

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select

READ_AT_ONCE = 500

_MINE = orders.c.order_id == bindparam("noted_id")
_UNCHANGED = orders.c.seen == bindparam("noted_seen")


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order that waits for a run that ends well.

    Attributes:
        seen: Its hooks so far, and how often a person put it first.
        tries: Runs of it alone that failed.
        reason: Of the last run that failed, if any.
    """

    order_id: int
    seen: int
    tries: int
    reason: str
    due_at: datetime
    first_received_at: datetime


class Orders:
    """The rows of the orders that wait."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def due(self, until: datetime, limit: int, *, tried: bool) -> list[WaitingOrder]:
        """Orders due then or before, the most-tried last.

        Args:
            until: The latest due time wanted.
            limit: Most orders wanted.
            tried: Whether to look for those that failed alone, or for the others.
        """
        statement = (
            select(orders)
            .where(orders.c.due_at <= milliseconds(until), (orders.c.tries > 0).is_(tried))
            .order_by(orders.c.tries, orders.c.due_at, orders.c.order_id)
            .limit(limit)
        )
        return list(self._read(statement))

    def waiting(self, limit: int | None = None) -> Iterator[WaitingOrder]:
        """The orders that wait, the most-tried first and then the longest-waiting.

        They are read as they are asked for: there may be many more than are to be held at once.
        """
        first = (orders.c.tries.desc(), orders.c.first_received_at, orders.c.order_id)
        return self._read(select(orders).order_by(*first).limit(limit))

    def _read(self, statement: Select[Any]) -> Iterator[WaitingOrder]:
        pieces = {"yield_per": READ_AT_ONCE}  # else PostgreSQL's driver holds the whole answer
        with self.database.look() as connection:
            for row in connection.execute(statement, execution_options=pieces):
                yield WaitingOrder(
                    row.order_id,
                    row.seen,
                    row.tries,
                    row.reason,
                    moment_of(row.due_at),
                    moment_of(row.first_received_at),
                )

    def delivered(
        self, connection: Connection, ran: Sequence[WaitingOrder], began: datetime
    ) -> None:
        """A run that ``began`` then ended well: what came since waits on, as if it were new."""
        anew = {"tries": 0, "reason": "", "first_received_at": milliseconds(began)}
        with writing(connection):
            connection.execute(delete(orders).where(_MINE, _UNCHANGED), _noted(ran))
            connection.execute(update(orders).where(_MINE).values(anew), _noted(ran))

    def failed(
        self,
        connection: Connection,
        ran: Sequence[WaitingOrder],
        reason: str,
        due_at: datetime,
    ) -> None:
        """A run failed, which is counted against an order that was alone in it.

        Several keep their place in the queue, so that the next run, which is smaller, is a part of
        them: were they put behind the others, good runs would come between, and none be found.

        Args:
            connection: Of the lock.
            ran: The orders of the run.
            reason: Why, for ``status``.
            due_at: When to try one again that was alone, unless a hook came meanwhile.
        """
        values: dict[str, Any] = {"reason": reason}
        if len(ran) == 1:
            due = case((_UNCHANGED, milliseconds(due_at)), else_=orders.c.due_at)
            values |= {"tries": orders.c.tries + 1, "due_at": due}
        with writing(connection):
            connection.execute(update(orders).where(_MINE).values(values), _noted(ran))

    def retry(self, order_ids: Collection[int]) -> set[int]:
        """Have orders run at once, whatever is paused; all where none is named.

        It counts as a hook does, so that a run in work, whose end settles its orders, leaves it.

        Returns:
            Those that waited.
        """
        first = {"due_at": milliseconds(EPOCH), "seen": orders.c.seen + 1}
        statement = update(orders).values(first).returning(orders.c.order_id)
        if order_ids:
            statement = statement.where(orders.c.order_id.in_(order_ids))
        with self.database.write() as connection:
            return set(connection.execute(statement).scalars())


def _noted(ran: Sequence[WaitingOrder]) -> list[dict[str, int]]:
    """Always in one order, as the receiver's: two transactions cannot deadlock."""
    pairs = sorted((one.order_id, one.seen) for one in ran)
    return [{"noted_id": order_id, "noted_seen": seen} for order_id, seen in pairs]
