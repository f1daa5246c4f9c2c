"""Link: which thing in FreshBooks stands for which of ours, and how we left it there."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

LinkKind = Literal[
    "client",
    "item",
    "invoice",
    "payment",
    "credit_note",
    "correction",
    "expense",
    "marked",
    "asked",
]
"""`marked`: an invoice that bears a mark of ours, by that mark; and by store, how far was read.
`asked`: the day on which FreshBooks was asked last for what others changed, by what that is."""


@dataclass(frozen=True, slots=True)
class Link:
    """One of our things and its FreshBooks id.

    Attributes:
        kind: What it is.
        key: Our name for it, unique per kind: a customer id, an SKU, an order id, a transaction;
            as read from the ledger, see `links.kept_key`.
        remote_id: Its id in FreshBooks.
        fingerprint: Hash of what FreshBooks last showed of it, to notice edits by hand.
        content_hash: Hash of what we last wrote.
        amount: Its amount as we left it; None if that is not known.
        day: The day we dated it, of payments; of `marked` ones, the day to read on from.
        order_id: The order it belongs to; None for clients and items.
        deleted: Whether we deleted it there.
        extra: Whatever else is worth knowing, as JSON.
    """

    kind: LinkKind
    key: str = field(repr=False)
    remote_id: int
    fingerprint: str | None = None
    content_hash: str | None = None
    amount: Decimal | None = None
    day: date | None = None
    order_id: int | None = None
    deleted: bool = False
    extra: dict[str, Any] = field(default_factory=dict, repr=False)
