"""Intents: what is about to be written to FreshBooks, committed before it is written.

FreshBooks knows no idempotency key. A run that was killed leaves its intent open; the next one
finds it, looks in FreshBooks whether the write happened, and only then closes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import bindparam, func, null, select, update

from target_freshbooks.ledger.errors import IntentNotOpen
from target_freshbooks.ledger.storage.canonical import from_text, to_text
from target_freshbooks.ledger.storage.tables import intents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

Outcome = Literal["done", "refused", "not_sent", "found", "not_found"]
"""Answered (done, refused), never left (not_sent), seen by looking (found, not_found)."""

# Made once: each outside write needs all three, and building a statement costs more than running.
_OPEN = intents.insert().returning(intents.c.id)
_READ_LOCKED = (
    select(intents)
    .where(intents.c.id == bindparam("intent_id"), intents.c.source == bindparam("of_source"))
    .with_for_update()
)
_CLOSE = (
    update(intents)
    .where(intents.c.id == bindparam("intent_id"))
    .values(outcome=bindparam("how"), closed_at=bindparam("now"), payload=null())
)


@dataclass(frozen=True, slots=True)
class Intent:
    """One write that is, or may be, under way.

    Attributes:
        id: Number of the intent.
        order_id: The order it is for, if any.
        kind: What is written, for instance `create_invoice`.
        key: Our key inside the object: number, note, e-mail, SKU.
        request_hash: Hash of the request's body.
        payload: The request's body; gone once the intent is closed.
        opened_at: When it was committed.
        run_id: The run that did.
    """

    id: int
    order_id: int | None
    kind: str
    key: str = field(repr=False)
    request_hash: str
    payload: dict[str, Any] = field(repr=False)
    opened_at: datetime
    run_id: str


def open_intent(connection: Connection, values: dict[str, Any], payload: dict[str, Any]) -> int:
    """Insert an intent and tell its number."""
    row = {**values, "payload": to_text(payload)}
    return int(connection.execute(_OPEN, row).scalar_one())


def close_intent(
    connection: Connection, source: str, intent_id: int, outcome: Outcome, now: datetime
) -> Intent:
    """Close an open intent, drop its payload, and give what it was.

    Raises:
        IntentNotOpen: If it is closed already or unknown.
    """
    wanted = {"intent_id": intent_id, "of_source": source}
    row = connection.execute(_READ_LOCKED, wanted).one_or_none()
    if row is None or row.outcome is not None:
        what = "does not exist" if row is None else f"was closed already as {row.outcome}"
        raise IntentNotOpen(
            f"Intent {intent_id} {what}, so it cannot be closed as {outcome}. Another run may be"
            " at work on the same order; run again when it has ended."
        )
    connection.execute(_CLOSE, {"intent_id": intent_id, "how": outcome, "now": now})
    return _intent(row)


def still_open(
    connection: Connection, source: str, order_id: int | EllipsisType | None
) -> list[Intent]:
    """Read the open intents of all orders (`...`), of one, or of none (None), oldest first."""
    statement = select(intents).where(intents.c.source == source, intents.c.outcome.is_(None))
    if order_id is None:
        statement = statement.where(intents.c.order_id.is_(None))
    elif not isinstance(order_id, EllipsisType):
        statement = statement.where(intents.c.order_id == order_id)
    return [_intent(row) for row in connection.execute(statement.order_by(intents.c.id))]


def any_of(connection: Connection, source: str) -> bool:
    """Whether any write was ever intended."""
    found = select(intents.c.id).where(intents.c.source == source).limit(1)
    return connection.execute(found).first() is not None


def count_open(connection: Connection, source: str) -> int:
    """Count the open intents."""
    return connection.execute(
        select(func.count())
        .select_from(intents)
        .where(intents.c.source == source, intents.c.outcome.is_(None))
    ).scalar_one()


def _intent(row: Row[Any]) -> Intent:
    return Intent(
        id=row.id,
        order_id=row.order_id,
        kind=row.kind,
        key=row.key,
        request_hash=row.request_hash,
        payload=from_text(row.payload),
        opened_at=row.opened_at,
        run_id=row.run_id,
    )
