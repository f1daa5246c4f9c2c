"""Where each order stands: new, waiting, posted or parked, and from which facts that follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from connector_credentials.database import insert
from sqlalchemy import func, or_, select, update

from target_freshbooks.ledger.storage.database import prepared
from target_freshbooks.ledger.storage.tables import orders

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

    from sqlalchemy import Connection, Executable, Row

OrderState = Literal["new", "waiting", "posted", "parked", "settled"]

PAGE = 500

_KEPT = (
    "terms",
    "invoice_day",
    "desired_hash",
    "invoice_number",
    "order_total",
    "currency",
    "order_date",
    "refunded",
)
"""What is known of an order stays known when a later verdict does not mention it."""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order's standing.

    Attributes:
        order_id: The shop's order id.
        state: `new` (received, never looked at), `waiting` (not billable yet), `posted` (the books
            agree), `parked` (needs somebody), `settled` (a person booked it by hand).
        reason: Code of the reason for waiting or parking.
        detail: The figures behind the reason.
        words: The other side's own words.
        next_step: What to do about it.
        facts_hash: Hash of the facts the verdict rests on.
        policy_hash: Hash of the settings it rests on.
        desired_hash: Hash of the desired state.
        invoice_number: The invoice's number.
        order_total: The order's total, in `currency`.
        currency: ISO code.
        order_date: Day of the order in the shop's time zone.
        posted_at: When it was first posted.
        updated_at: When this row last changed.
        run_id: The run that did.
        terms: Hash of the settings its invoice was posted under, see `terms`.
        invoice_day: The day its invoice is dated.
        notice: Code of what became of the order in the shop after it was posted.
        refunded: What of the order went back as money, in `currency`; None before that was known.
    """

    order_id: int
    state: OrderState
    reason: str | None = None
    detail: str | None = None
    words: str | None = field(default=None, repr=False)
    next_step: str | None = None
    facts_hash: str | None = None
    policy_hash: str | None = None
    desired_hash: str | None = None
    invoice_number: str | None = None
    order_total: Decimal | None = None
    currency: str | None = None
    order_date: date | None = None
    posted_at: datetime | None = None
    updated_at: datetime | None = None
    run_id: str | None = None
    terms: str | None = None
    invoice_day: date | None = None
    notice: str | None = None
    refunded: Decimal | None = None


def read(connection: Connection, source: str, order_id: int) -> OrderRow | None:
    """Read one order's standing."""
    row = connection.execute(
        select(orders).where(orders.c.source == source, orders.c.order_id == order_id)
    ).one_or_none()
    return None if row is None else _order_row(row)


def page(
    connection: Connection, source: str, after: int, state: str | None, since: date | None
) -> list[OrderRow]:
    """Read the next orders behind an id, by id; those of unknown day count as recent."""
    statement = select(orders).where(orders.c.source == source, orders.c.order_id > after)
    if state is not None:
        statement = statement.where(orders.c.state == state)
    if since is not None:
        statement = statement.where(
            or_(orders.c.order_date >= since, orders.c.order_date.is_(None))
        )
    rows = connection.execute(statement.order_by(orders.c.order_id).limit(PAGE))
    return [_order_row(row) for row in rows]


def noticed(connection: Connection, source: str) -> list[OrderRow]:
    """Read the orders that bear a notice, by id."""
    rows = connection.execute(
        select(orders)
        .where(orders.c.source == source, orders.c.notice.is_not(None))
        .order_by(orders.c.order_id)
    )
    return [_order_row(row) for row in rows]


def any_posted(connection: Connection, source: str) -> bool:
    """Whether any order was ever posted."""
    posted = select(orders.c.order_id).where(
        orders.c.source == source, orders.c.posted_at.is_not(None)
    )
    return connection.execute(posted.limit(1)).first() is not None


def settle(connection: Connection, values: dict[str, Any]) -> None:
    """Write a verdict; `values` are columns of the row, with `source` and `order_id`."""
    connection.execute(_upsert(connection.dialect.name), values)


def looked_at(connection: Connection, source: str, order_id: int, now: datetime) -> None:
    """Count the order as looked at now; all else of its standing stays."""
    connection.execute(
        update(orders)
        .where(orders.c.source == source, orders.c.order_id == order_id)
        .values(updated_at=now)
    )


def reopen(connection: Connection, source: str, order_id: int) -> None:
    """Make an order's verdict void: it is being changed, and may stay half-way."""
    connection.execute(
        update(orders)
        .where(orders.c.source == source, orders.c.order_id == order_id, orders.c.state != "new")
        .values(state="new")
    )


@cache
def _upsert(dialect: str) -> Executable:
    statement = insert(dialect, orders)
    new = statement.excluded
    identity = ["source", "order_id"]
    changes: dict[str, Any] = {
        column.name: func.coalesce(new[column.name], column)
        if column.name in _KEPT
        else new[column.name]
        for column in orders.c
        if column.name not in identity
    }
    changes["posted_at"] = func.coalesce(orders.c.posted_at, new.posted_at)  # the first time
    return prepared(
        dialect, statement.on_conflict_do_update(index_elements=identity, set_=changes), orders
    )


def counts(connection: Connection, source: str) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Count the orders by state, and those waiting or parked by reason."""
    by_state: dict[str, int] = {"new": 0, "waiting": 0, "posted": 0, "parked": 0, "settled": 0}
    by_reason: dict[str, dict[str, int]] = {"waiting": {}, "parked": {}}
    rows = connection.execute(
        select(orders.c.state, orders.c.reason, func.count())
        .where(orders.c.source == source)
        .group_by(orders.c.state, orders.c.reason)
        .order_by(orders.c.state, orders.c.reason)
    )
    for state, reason, number in rows:
        by_state[state] = by_state.get(state, 0) + number
        if state in by_reason and reason is not None:
            by_reason[state][reason] = number
    return by_state, by_reason


def _order_row(row: Row[Any]) -> OrderRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    del values["source"]
    return OrderRow(**values)
