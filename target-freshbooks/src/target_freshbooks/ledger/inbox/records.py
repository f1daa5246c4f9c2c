"""Records: what the shop said of one thing, and the row in the inbox that it is kept as.

Bodies are canonical JSON with a hash, so "has anything changed?" is a comparison of hashes, and it
can still be answered when retention has dropped the body itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from target_freshbooks.ledger.inbox import precedence
from target_freshbooks.ledger.storage.canonical import hash_text, to_text

Key = tuple[Any, ...]

ORDERS = "orders"
"""The stream whose record means "all of this order has been said"."""

SHOP = "store"
"""The stream of the store's own record."""

COUPONS = "order_coupons"
"""The stream of coupons, which are kept with their order and which no rule reads."""

CUSTOMERS = "customers"
"""The stream of those who registered in the shop."""

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
        children: Per stream the order's other records but for coupons, by key.
        hash: SHA-256 over all of it; equal facts have equal hashes.
        received_at: When the last of it came.
    """

    order: dict[str, Any] = field(repr=False)
    children: dict[str, list[dict[str, Any]]] = field(repr=False)
    hash: str
    received_at: datetime


def row_of(source: str, record: Record, now: datetime) -> dict[str, Any]:
    """The record's row in the inbox."""
    text = to_text(record.body)
    return {
        "source": source,
        "stream": record.stream,
        "key": key_text(record.key),
        "order_id": record.order_id,
        "body": text,
        "hash": hash_text(text),
        "received_at": now,
        "modified": precedence.modified(record.body) if record.stream in precedence.DATED else None,
        "customer_id": _customer_id(record),
    }


def key_text(key: Iterable[Any]) -> str:
    """Write a key as the canonical JSON list it is stored under."""
    return to_text(list(key))


def _customer_id(record: Record) -> int | None:
    """Whose an order's or a customer's record is; None for a guest's, and for other streams."""
    name = {ORDERS: "customer_id", CUSTOMERS: "id"}.get(record.stream)
    value = record.body.get(name) if name else None
    return value if isinstance(value, int) and 0 < value < MOST_ID else None


def day_of(order: dict[str, Any]) -> date | None:
    """Guess the day of an order that was never planned; its result has the true one."""
    try:
        return date.fromisoformat(str(order.get("date_created"))[:10])
    except ValueError:
        return None
