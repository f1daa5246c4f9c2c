"""Orders that a person has settled: the connector leaves them alone until they are reopened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from target_freshbooks.ledger.storage.tables import orders

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

CHANGED = "changed_after_settling"
"""The notice on a settled order that changed in the shop since."""


def settle(
    connection: Connection,
    source: str,
    order_id: int,
    *,
    note: str,
    facts_hash: str | None,
    run_id: str,
    now: datetime,
) -> None:
    """Put an order into a person's hands, whatever its standing; its note takes the place of why.

    Args:
        connection: A transaction.
        source: The shop.
        order_id: The order.
        note: What the person did.
        facts_hash: What is known of the order now, so that a later change is noticed; None where
            its records are not here: then what the last verdict rested on stands.
        run_id: Who writes this.
        now: The time.
    """
    values = {
        "state": "settled",
        "reason": None,
        "detail": note,
        "words": None,
        "next_step": None,
        "notice": None,
        "run_id": run_id,
        "updated_at": now,
    }
    known = {} if facts_hash is None else {"facts_hash": facts_hash}
    _write(connection, source, order_id, values | known)


def reopen(connection: Connection, source: str, order_id: int, run_id: str, now: datetime) -> None:
    """Give a settled order back: it counts as new, and the next run looks at it."""
    values = {"state": "new", "detail": None, "notice": None, "run_id": run_id, "updated_at": now}
    _write(connection, source, order_id, values)


def note_change(
    connection: Connection,
    source: str,
    order_id: int,
    facts_hash: str,
    run_id: str,
    now: datetime,
) -> None:
    """Note that a settled order changed in the shop; the next change is noticed again."""
    values = {"notice": CHANGED, "facts_hash": facts_hash, "run_id": run_id, "updated_at": now}
    _write(connection, source, order_id, values)


def _write(connection: Connection, source: str, order_id: int, values: dict[str, Any]) -> None:
    connection.execute(
        update(orders)
        .where(orders.c.source == source, orders.c.order_id == order_id)
        .values(values)
    )
