"""The durable inbox: the id of every hook that was acknowledged, and every order that waits.

A hook whose id is known changes nothing. A new one that names an order makes the order's row, or
counts one more in it; what becomes of these rows is :mod:`connector_webhooks.orders`' part.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from connector_credentials.database import insert
from sqlalchemy import case, delete, func, select

from connector_webhooks.database import (
    EPOCH,
    Database,
    hooks,
    marks,
    milliseconds,
    moment_of,
    orders,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

LONGEST_ID = 200
QUIET_PARTS = 5
"""An order is due once none of its hooks has come for this part of the time to collapse them."""


@dataclass(frozen=True, slots=True)
class IncomingHook:
    """A verified hook as it is to be stored.

    Attributes:
        webhook_id: BigCommerce's id of the event.
        order_id: The order to bring over; None for a hook without work.
        reason: Why there is no work, else empty.
        due_at: When its order may be run, if no other hook of it comes before.
    """

    webhook_id: str
    scope: str
    order_id: int | None
    reason: str
    received_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class InboxStats:
    """The inbox in figures.

    Attributes:
        hooks: Hooks remembered.
        hooks_ignored: Those of them that led to no work.
        orders_waiting: Orders that wait for a run that ends well.
        orders_failing: Those of them whose last run failed.
        oldest_waiting: When the first hook of the longest-waiting order came.
        last_received: When the newest hook of any kind came.
    """

    hooks: int
    hooks_ignored: int
    orders_waiting: int
    orders_failing: int
    oldest_waiting: datetime | None
    last_received: datetime | None


class Inbox:
    """Storing, counting and forgetting hooks.

    Args:
        database: Where they are.
        collapse: From its first hook on, no other hook of an order puts its run off for longer.
    """

    def __init__(self, database: Database, collapse: timedelta) -> None:
        self.database = database
        remember = insert(database.dialect, hooks).on_conflict_do_nothing()
        self._remember = remember.returning(hooks.c.webhook_id)
        count = insert(database.dialect, orders)
        # One that failed, or that a person has put first (`Orders.retry`), waits no longer for it.
        plain = (orders.c.reason == "") & (orders.c.due_at > milliseconds(EPOCH))
        longest = orders.c.first_received_at + collapse // timedelta(milliseconds=1)
        latest = case((plain, longest), else_=orders.c.due_at)
        new = count.excluded.due_at
        due_at = case((new < latest, new), else_=latest)
        again = {"seen": orders.c.seen + count.excluded.seen, "due_at": due_at}
        self._count = count.on_conflict_do_update(index_elements=[orders.c.order_id], set_=again)

    def store(self, incoming: Sequence[IncomingHook]) -> set[str]:
        """Store hooks, and count them in their orders, in one transaction.

        When this returns they are on the disk.

        Returns:
            The ids that were new.
        """
        by_key = {key_of(one.webhook_id): one for one in reversed(incoming)}
        # One order for all writers: two PostgreSQL transactions with the same rows cannot deadlock.
        rows = [
            {
                "webhook_id": key,
                "order_id": by_key[key].order_id,
                "scope": by_key[key].scope,
                "reason": by_key[key].reason,
                "received_at": milliseconds(by_key[key].received_at),
            }
            for key in sorted(by_key)
        ]
        with self.database.write() as connection:
            new = set(connection.execute(self._remember, rows).scalars())
            if waiting := _orders_of([one for key, one in by_key.items() if key in new]):
                connection.execute(self._count, waiting)
        return new

    def look(self) -> None:
        """Read something small; raises where the inbox cannot be read."""
        with self.database.look() as connection:
            connection.execute(select(marks.c.name).limit(1))

    def stats(self) -> InboxStats:
        """Count the inbox."""
        ignored = func.count(case((hooks.c.reason != "", 1)))
        failing = func.count(case((orders.c.reason != "", 1)))
        oldest = func.min(orders.c.first_received_at)
        with self.database.look() as connection:
            known = connection.execute(select(func.count(), ignored, func.max(hooks.c.received_at)))
            waiting = connection.execute(select(func.count(orders.c.order_id), failing, oldest))
            (remembered, without_work, last), (number, failed, first) = known.one(), waiting.one()
        return InboxStats(
            hooks=remembered,
            hooks_ignored=without_work,
            orders_waiting=number,
            orders_failing=failed,
            oldest_waiting=None if first is None else moment_of(first),
            last_received=None if last is None else moment_of(last),
        )

    def notices(self, since: datetime, scope: str) -> list[tuple[datetime, str]]:
        """Ignored hooks of a scope since a time, with their reasons, newest first."""
        statement = (
            select(hooks.c.received_at, hooks.c.reason)
            .where(hooks.c.scope == scope, hooks.c.received_at >= milliseconds(since))
            .order_by(hooks.c.received_at.desc())
            .limit(100)
        )
        with self.database.look() as connection:
            return [(moment_of(at), reason) for at, reason in connection.execute(statement)]

    def prune(self, now: datetime, older_than: timedelta) -> int:
        """Forget the ids of hooks received before ``now - older_than``; return how many.

        An order that waits is never forgotten.
        """
        old = hooks.c.received_at < milliseconds(now - older_than)
        with self.database.write() as connection:
            return connection.execute(delete(hooks).where(old)).rowcount


def key_of(webhook_id: str) -> str:
    """The id as stored: itself, or a digest where it is longer than any real one."""
    if len(webhook_id) <= LONGEST_ID:
        return webhook_id
    return "sha256:" + hashlib.sha256(webhook_id.encode()).hexdigest()


def _orders_of(new: Sequence[IncomingHook]) -> list[dict[str, object]]:
    """The rows that new hooks make of their orders, where there are none yet."""
    seen = Counter(one.order_id for one in new if one.order_id is not None)
    firsts = {one.order_id: one for one in sorted(new, key=lambda one: one.due_at, reverse=True)}
    return [
        {
            "order_id": order_id,
            "seen": seen[order_id],
            "due_at": milliseconds(firsts[order_id].due_at),
            "tries": 0,
            "reason": "",
            "first_received_at": milliseconds(firsts[order_id].received_at),
        }
        for order_id in sorted(seen)
    ]
