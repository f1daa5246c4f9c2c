"""The durable inbox: every hook that was acknowledged, with what became of it.

A row's ``state`` is ``waiting`` (its order is to be brought over), ``done``, ``ignored`` (nothing
to do, with the reason) or ``failed`` (given up after many runs, waits for a person). ``webhook_id``
is unique, so a hook that comes again changes nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from connector_credentials.database import insert
from sqlalchemy import and_, case, delete, func, or_, select, update

from connector_webhooks.database import Database, hooks, marks, milliseconds, moment_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

LONGEST_ID = 200


class State(StrEnum):
    """What became of a hook."""

    WAITING = "waiting"
    DONE = "done"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A genuine hook as it is to be stored.

    Attributes:
        webhook_id: BigCommerce's id of the event.
        order_id: The order to bring over; None for a hook without work.
        reason: Why there is no work, else empty.
        due_at: When its order may be run at the earliest.
    """

    webhook_id: str
    scope: str
    order_id: int | None
    reason: str
    body: str
    signed_at: datetime
    received_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that still waits, or has failed.

    Attributes:
        hooks: How many of its hooks are unsettled.
        running: Whether a run has it at the moment.
    """

    order_id: int
    state: State
    hooks: int
    attempts: int
    reason: str
    first_received_at: datetime
    due_at: datetime
    running: bool


@dataclass(frozen=True, slots=True)
class Census:
    """The inbox in figures.

    Attributes:
        hooks: Rows by state.
        orders_waiting: Distinct orders with a waiting hook.
        orders_failed: Distinct orders given up.
        oldest_waiting: When the longest-waiting hook came.
        last_received: When the newest hook of any kind came.
    """

    hooks: dict[State, int]
    orders_waiting: int
    orders_failed: int
    oldest_waiting: datetime | None
    last_received: datetime | None


class Inbox:
    """Rows of hooks: storing, counting, forgetting. Running them is :mod:`claims`' part."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def store(self, arrivals: Sequence[Arrival]) -> set[str]:
        """Store hooks in one transaction; return the ids that were new.

        When this returns they are on the disk. A known id is left as it is.
        """
        rows = {key_of(a.webhook_id): _row(a) for a in reversed(arrivals)}
        statement = (
            insert(self.database.dialect, hooks)
            .on_conflict_do_nothing(index_elements=[hooks.c.webhook_id])
            .returning(hooks.c.webhook_id)
        )
        # One order for all writers: two PostgreSQL transactions with the same ids cannot deadlock.
        ordered = [rows[key] for key in sorted(rows)]
        with self.database.write() as connection:
            return set(connection.execute(statement, ordered).scalars())

    def probe(self, now: datetime) -> None:
        """Write and commit something small; raises where the inbox cannot be written."""
        value = str(milliseconds(now))
        statement = insert(self.database.dialect, marks).values(name="probe", value=value)
        with self.database.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[marks.c.name], set_={"value": value}
                )
            )

    def census(self) -> Census:
        """Count the inbox."""
        waiting = hooks.c.state == State.WAITING
        distinct = select(func.count(hooks.c.order_id.distinct()))
        with self.database.look() as connection:
            by_state = connection.execute(
                select(hooks.c.state, func.count()).group_by(hooks.c.state)
            )
            counts = {State(state): int(number) for state, number in by_state}
            return Census(
                hooks={state: counts.get(state, 0) for state in State},
                orders_waiting=_count(connection, distinct.where(waiting)),
                orders_failed=_count(connection, distinct.where(hooks.c.state == State.FAILED)),
                oldest_waiting=_moment(
                    connection, select(func.min(hooks.c.received_at)).where(waiting)
                ),
                last_received=_moment(connection, select(func.max(hooks.c.received_at))),
            )

    def open_orders(self, limit: int = 1000) -> list[OpenOrder]:
        """The orders that wait or have failed, the longest-waiting first."""
        newest_reason = (
            select(hooks.c.reason)
            .where(hooks.c.reason != "", hooks.c.state.in_([State.WAITING, State.FAILED]))
            .order_by(hooks.c.attempts.desc(), hooks.c.seq.desc())
            .limit(1)
        )
        outer = hooks.alias("outer_hooks")
        failed = func.max(case((outer.c.state == State.FAILED, 1), else_=0))
        statement = (
            select(
                outer.c.order_id,
                failed.label("failed"),
                func.min(case((outer.c.state == State.WAITING, outer.c.due_at))).label("due"),
                func.min(outer.c.due_at).label("any_due"),
                func.count().label("hooks"),
                func.max(outer.c.attempts).label("attempts"),
                func.min(outer.c.received_at).label("first"),
                func.count(
                    case((and_(outer.c.run_id.is_not(None), outer.c.state == State.WAITING), 1))
                ).label("running"),
                newest_reason.where(hooks.c.order_id == outer.c.order_id)
                .scalar_subquery()
                .label("reason"),
            )
            .where(outer.c.state.in_([State.WAITING, State.FAILED]))
            .group_by(outer.c.order_id)
            .order_by(func.min(outer.c.received_at))
            .limit(limit)
        )
        with self.database.look() as connection:
            return [_open_order(row) for row in connection.execute(statement).mappings()]

    def notices(self, since: datetime, prefix: str) -> list[tuple[datetime, str]]:
        """Ignored hooks of a scope since a time, with their reasons, newest first."""
        statement = (
            select(hooks.c.received_at, hooks.c.reason)
            .where(
                hooks.c.state == State.IGNORED,
                hooks.c.scope == prefix,
                hooks.c.received_at >= milliseconds(since),
            )
            .order_by(hooks.c.received_at.desc())
            .limit(100)
        )
        with self.database.look() as connection:
            return [(moment_of(at), reason) for at, reason in connection.execute(statement)]

    def retry(self, now: datetime, order_ids: Collection[int] | None = None) -> int:
        """Make orders due at once, also those given up; return how many hooks that touched.

        Args:
            now: The new due time.
            order_ids: Which; None means all that failed before.
        """
        open_states = hooks.c.state.in_([State.WAITING, State.FAILED])
        which = (
            or_(hooks.c.state == State.FAILED, hooks.c.attempts > 0)
            if order_ids is None
            else hooks.c.order_id.in_(order_ids)
        )
        with self.database.write() as connection:
            return connection.execute(
                update(hooks)
                .where(open_states, which, hooks.c.run_id.is_(None))
                .values(state=State.WAITING, attempts=0, interruptions=0, due_at=milliseconds(now))
            ).rowcount

    def prune(self, now: datetime, older_than: timedelta) -> int:
        """Forget finished hooks received before ``now - older_than``; return how many.

        Waiting and failed ones are never forgotten.
        """
        finished = hooks.c.state.in_([State.DONE, State.IGNORED])
        with self.database.write() as connection:
            return connection.execute(
                delete(hooks).where(finished, hooks.c.received_at < milliseconds(now - older_than))
            ).rowcount


def key_of(webhook_id: str) -> str:
    """The id as stored: itself, or a digest where it is longer than any real one."""
    if len(webhook_id) <= LONGEST_ID:
        return webhook_id
    return "sha256:" + hashlib.sha256(webhook_id.encode()).hexdigest()


def _row(arrival: Arrival) -> dict[str, Any]:
    works = arrival.order_id is not None
    return {
        "webhook_id": key_of(arrival.webhook_id),
        "scope": arrival.scope,
        "order_id": arrival.order_id,
        "body": arrival.body,
        "signed_at": milliseconds(arrival.signed_at),
        "received_at": milliseconds(arrival.received_at),
        "state": State.WAITING if works else State.IGNORED,
        "reason": arrival.reason,
        "due_at": milliseconds(arrival.due_at),
        "attempts": 0,
        "interruptions": 0,
        "done_at": None if works else milliseconds(arrival.received_at),
    }


def _open_order(row: Any) -> OpenOrder:  # noqa: ANN401 - a row mapping of SQLAlchemy
    # An order with a newer hook waits again, whatever was given up before.
    waits = row["due"] is not None
    return OpenOrder(
        order_id=row["order_id"],
        state=State.WAITING if waits else State.FAILED,
        hooks=row["hooks"],
        attempts=row["attempts"],
        reason=row["reason"] or "",
        first_received_at=moment_of(row["first"]),
        due_at=moment_of(row["due"] if waits else row["any_due"]),
        running=row["running"] > 0,
    )


def _count(connection: Connection, statement: Any) -> int:  # noqa: ANN401 - any select of a number
    return int(connection.execute(statement).scalar() or 0)


def _moment(connection: Connection, statement: Any) -> datetime | None:  # noqa: ANN401 - as above
    value = connection.execute(statement).scalar()
    return None if value is None else moment_of(int(value))
