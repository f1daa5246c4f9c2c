"""The inbox of dry runs: what the shop said in them, kept apart so that no real run acts on it.

It is the inbox of another shop, as far as the tables go, made of copies: before a dry run stores
anything of an order it brings over what is known of that order, so that its plan rests on what a
real run would have before it. A record that comes in earnest takes the copy away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, literal, select

from target_freshbooks.ledger.inbox.precedence import portions
from target_freshbooks.ledger.storage.canonical import to_text
from target_freshbooks.ledger.storage.tables import inbox, orders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from target_freshbooks.ledger.inbox.records import Record

COPIED = ("stream", "key", "order_id", "body", "hash", "modified")


def name_of(source: str) -> str:
    """Under which name the dry runs of a shop keep what they are told."""
    return f"{source} (dry run)"


def carry_over(
    connection: Connection, source: str, records: Iterable[Record], now: datetime
) -> None:
    """Copy what is known of the records' orders, or of the records that belong to no order.

    What has a copy already stays as it is: the dry run has gone on with it.
    """
    for same in _subjects(records):
        copy = inbox.alias()
        known = select(
            literal(name_of(source)),
            *(inbox.c[name] for name in COPIED),
            literal(now, inbox.c.received_at.type),
        ).where(
            inbox.c.source == source,
            *(inbox.c[name].in_(values) for name, values in same.items()),
            ~select(copy.c.key)
            .where(
                copy.c.source == name_of(source),
                *(copy.c[name] == inbox.c[name] for name in same),
            )
            .exists(),
        )
        connection.execute(inbox.insert().from_select(["source", *COPIED, "received_at"], known))


def forget(connection: Connection, source: str, records: Iterable[Record]) -> None:
    """Take the copies away of what has come in earnest, so that no plan is made of old ones."""
    for same in _subjects(records):
        connection.execute(
            _FORGET_ORDERS if "order_id" in same else _FORGET_OTHERS,
            {"of_source": name_of(source), **same},
        )


_COPIES = delete(inbox).where(inbox.c.source == bindparam("of_source"))
# Made once: every order that comes in earnest needs the first.
_FORGET_ORDERS = _COPIES.where(inbox.c.order_id.in_(bindparam("order_id", expanding=True)))
_FORGET_OTHERS = _COPIES.where(
    inbox.c.stream.in_(bindparam("stream", expanding=True)),
    inbox.c.key.in_(bindparam("key", expanding=True)),
)


def _subjects(records: Iterable[Record]) -> Iterator[dict[str, list[Any]]]:
    """Columns and values that tell the rows the records are about: whole orders, or single rows."""
    order_ids: set[int] = set()
    keys: dict[str, set[str]] = {}
    for record in records:
        if record.order_id is not None:
            order_ids.add(record.order_id)
        else:
            keys.setdefault(record.stream, set()).add(to_text(list(record.key)))
    for some in portions(order_ids):
        yield {"order_id": some}
    for stream, texts in sorted(keys.items()):
        for some in portions(texts):
            yield {"stream": [stream], "key": some}


def orders_only_here(connection: Connection, source: str) -> list[int]:
    """The orders of which nothing is known but from dry runs."""
    found = connection.execute(
        select(inbox.c.order_id)
        .where(
            inbox.c.source == name_of(source),
            inbox.c.stream == "orders",
            ~select(orders.c.order_id)
            .where(orders.c.source == source, orders.c.order_id == inbox.c.order_id)
            .exists(),
        )
        .order_by(inbox.c.order_id)
    )
    return list(found.scalars())


def clear(connection: Connection, source: str) -> None:
    """Drop all copies."""
    connection.execute(delete(inbox).where(inbox.c.source == name_of(source)))


def prune(connection: Connection, source: str, before: datetime) -> None:
    """Drop the copies made before a time: they hold personal data."""
    connection.execute(
        delete(inbox).where(inbox.c.source == name_of(source), inbox.c.received_at < before)
    )
