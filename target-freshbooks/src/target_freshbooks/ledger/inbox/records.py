"""The inbox: what the shop last said of each thing, stream by stream.

A record replaces the one of the same key. Bodies are canonical JSON with a hash, so "has anything
changed?" is a comparison of hashes, and it can still be answered when retention has dropped the
body itself. An older version of a record never replaces a later one, see `precedence`.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from connector_credentials.database import insert
from sqlalchemy import and_, bindparam, delete, or_, select

from target_freshbooks.ledger.inbox import precedence as versions
from target_freshbooks.ledger.inbox import requeue as retries
from target_freshbooks.ledger.storage.canonical import from_text, hash_of, hash_text, to_text
from target_freshbooks.ledger.storage.database import prepared
from target_freshbooks.ledger.storage.tables import inbox, orders

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Executable

    from target_freshbooks.ledger.inbox.precedence import Place, Version

Key = tuple[Any, ...]

ORDERS = "orders"
"""The stream whose record means "all of this order has been said"."""

CUSTOMERS = "customers"
"""The stream of those who registered in the shop."""

PAGE = 500

MOST_ID = 2**63
"""The databases' whole numbers end here."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a stream.

    Attributes:
        stream: Name of the stream, for instance `transactions`.
        key: Values of its key properties.
        order_id: The order it belongs to (an order's own id for `orders`); None for others.
        body: The record as parsed JSON, numbers with a fraction as Decimal.
    """

    stream: str
    key: Key
    order_id: int | None
    body: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """All the shop said of one order.

    Attributes:
        order: The order's record.
        children: Per stream the order's other records, by key.
        hash: SHA-256 over all of it; equal facts have equal hashes.
        received_at: When the last of it came.
    """

    order: dict[str, Any] = field(repr=False)
    children: dict[str, list[dict[str, Any]]] = field(repr=False)
    hash: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of records.

    Attributes:
        taken: Those that were stored; what was left out was older than what is known.
        before: What had been known of those in `versions.COMPARED` streams.
    """

    taken: list[tuple[Record, dict[str, Any]]]
    before: dict[Place, Version]


def receive(
    connection: Connection,
    source: str,
    records: Iterable[Record],
    complete: Collection[str],
    now: datetime,
) -> list[Record]:
    """Store records, with what follows for their orders; see `Ledger.receive`."""
    received = list(records)
    stored = store(connection, source, received, complete, now)
    fresh = [
        {
            "source": source,
            "order_id": record.order_id,
            "state": "new",
            "order_date": _day_of(record.body),
            "updated_at": now,
        }
        for record in received
        if record.stream == ORDERS and record.order_id is not None
    ]
    if fresh:
        connection.execute(_make_known(connection.dialect.name), fresh)
    retries.reopen(connection, source, stored.taken, stored.before, now)
    return [record for record, _ in stored.taken]


def store(
    connection: Connection,
    source: str,
    records: Iterable[Record],
    complete: Collection[str],
    now: datetime,
) -> Stored:
    """Store records and nothing else: no order's standing changes."""
    given = [(record, _row(source, record, now)) for record in records]
    before = versions.read(connection, source, [row for _, row in given])
    taken, outdated = versions.latest(given, before)
    if outdated:
        taken = versions.additions(connection, source, taken, outdated, complete)
    # Always in the same order (later ones of one key last), so that two batches cannot wait for
    # each other's rows.
    rows = sorted((row for _, row in taken), key=operator.itemgetter("stream", "key"))
    if rows:
        connection.execute(_upsert(connection.dialect.name), rows)
    # An order that comes again as it was, without its children, says nothing of them.
    again = {
        row["order_id"]
        for record, row in taken
        if record.stream == ORDERS and _is_known(row, before.get((ORDERS, row["key"])))
    }
    for stream in complete:
        _drop_unsaid(connection, source, stream, rows, again)
    return Stored(taken, before)


def _row(source: str, record: Record, now: datetime) -> dict[str, Any]:
    text = to_text(record.body)
    return {
        "source": source,
        "stream": record.stream,
        "key": key_text(record.key),
        "order_id": record.order_id,
        "body": text,
        "hash": hash_text(text),
        "received_at": now,
        "modified": versions.modified(record.body) if record.stream in versions.DATED else None,
        "customer_id": _customer_id(record),
    }


@cache
def _upsert(dialect: str) -> Executable:
    statement = insert(dialect, inbox)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=["source", "stream", "key"],
        set_={
            "order_id": new.order_id,
            "body": new.body,
            "hash": new.hash,
            "received_at": new.received_at,
            "modified": new.modified,
            "customer_id": new.customer_id,
        },
        where=or_(
            inbox.c.hash != new.hash,
            inbox.c.body.is_(None),
            inbox.c.order_id.is_distinct_from(new.order_id),
        ),
    )
    return prepared(dialect, upsert, inbox)


@cache
def _make_known(dialect: str) -> Executable:
    known = insert(dialect, orders).on_conflict_do_nothing()
    return prepared(
        dialect, known, orders, "source", "order_id", "state", "order_date", "updated_at"
    )


def replace_children(
    connection: Connection, source: str, stream: str, order_id: int, keys: Collection[Key]
) -> None:
    """Drop the order's records of a stream whose keys are not among those given."""
    kept = {key_text(key) for key in keys}
    of_order = and_(
        inbox.c.source == source, inbox.c.order_id == order_id, inbox.c.stream == stream
    )
    stored = connection.execute(select(inbox.c.key).where(of_order)).scalars()
    gone = sorted(set(stored) - kept)
    if gone:
        connection.execute(
            delete(inbox).where(of_order, inbox.c.key == bindparam("gone")),
            [{"gone": key} for key in gone],
        )


def _is_known(row: dict[str, Any], version: Version | None) -> bool:
    return version is not None and version.hash == row["hash"]


def _drop_unsaid(
    connection: Connection,
    source: str,
    stream: str,
    rows: list[dict[str, Any]],
    again: Collection[int],
) -> None:
    said: dict[int, list[str]] = {
        row["order_id"]: [] for row in rows if row["stream"] == ORDERS and row["order_id"]
    }
    for row in rows:
        if row["stream"] == stream and row["order_id"] in said:
            said[row["order_id"]].append(row["key"])
    for order_id, texts in said.items():
        if not texts and order_id in again:
            continue
        replace_children(connection, source, stream, order_id, [_key(text) for text in texts])


def facts_of(connection: Connection, source: str, order_id: int) -> StoredFacts | None:
    """Gather an order's facts; None when they are not here in full."""
    rows = connection.execute(
        select(inbox.c.stream, inbox.c.key, inbox.c.body, inbox.c.hash, inbox.c.received_at).where(
            inbox.c.source == source, inbox.c.order_id == order_id
        )
    ).all()
    if any(row.body is None for row in rows):
        return None
    order: dict[str, Any] | None = None
    children: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row.stream, _sorting(_key(row.key)))):
        body = from_text(row.body)
        if row.stream == ORDERS:
            order = body
        else:
            children.setdefault(row.stream, []).append(body)
    if order is None:
        return None
    whole = sorted((row.stream, row.key, row.hash) for row in rows)
    return StoredFacts(order, children, hash_of(whole), max(row.received_at for row in rows))


def latest_body(
    connection: Connection, sources: Collection[str], stream: str, key: Key | None = None
) -> dict[str, Any] | None:
    """Read the body that came last, of one record or of a stream; None where none is here."""
    query = select(inbox.c.body).where(
        inbox.c.source.in_(sources), inbox.c.stream == stream, inbox.c.body.is_not(None)
    )
    if key is not None:
        query = query.where(inbox.c.key == key_text(key))
    last = query.order_by(inbox.c.received_at.desc()).limit(1)
    text = connection.execute(last).scalar_one_or_none()
    return None if text is None else dict(from_text(text))


def key_text(key: Iterable[Any]) -> str:
    """Write a key as the canonical JSON list it is stored under."""
    return to_text(list(key))


def _key(text: str) -> Key:
    return tuple(from_text(text))


def _sorting(key: Key) -> list[tuple[str, Any]]:
    """Order keys by value where values compare, by type where they do not."""
    return [
        ("", value) if isinstance(value, (int, float)) else (type(value).__name__, str(value))
        for value in key
    ]


def _customer_id(record: Record) -> int | None:
    """Whose an order's or a customer's record is; None for a guest's, and for other streams."""
    name = {ORDERS: "customer_id", CUSTOMERS: "id"}.get(record.stream)
    value = record.body.get(name) if name else None
    return value if isinstance(value, int) and 0 < value < MOST_ID else None


def _day_of(order: dict[str, Any]) -> date | None:
    """Guess the day of an order that was never planned; `settle` gives the true one."""
    try:
        return date.fromisoformat(str(order.get("date_created"))[:10])
    except ValueError:
        return None
