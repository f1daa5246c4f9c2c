"""Recorded state: what the ledger knows of an order's records in FreshBooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the ledger knows of an order's invoice.

    Attributes:
        known: False when the ledger holds no link to the invoice (new, or the ledger was lost).
        invoice_id: FreshBooks' id of the invoice, if known.
        fingerprint: Of the invoice as we last saw it after a write of ours.
        content: `content_digest` of the facts its lines were made from.
        invoice_extra: What else is remembered with the invoice, as it stands in the ledger.
        head: Part of the head (`client`, `billing`) → digests of what was asked for last, and of
            what FreshBooks had then.
        left: The fields of the head that do not follow the shop.
        archived: Whether it was filed away before a write of ours.
        payments: Payment key → FreshBooks id, of payments not deleted.
        payment_amounts: Payment key → the amounts it may have from us, where we know: what
            FreshBooks answered last, and what it was asked for since.
        payments_asked: Payment key → the amount it was asked for last, and the one before.
        overpayments: Payment key → id of the credit that FreshBooks made of what it capped, until
            that is seen to be gone.
        deleted_payments: Keys of payments we deleted because they fell to zero.
        credit_notes: Refund id → FreshBooks id.
        credit_amounts: Refund id → the amount FreshBooks answered when we gave that credit note.
        credit_expressions: Refund id → which of its wordings was written last.
    """

    known: bool = False
    invoice_id: int | None = None
    fingerprint: str | None = None
    content: str | None = None
    invoice_extra: Mapping[str, Any] = field(default_factory=dict)
    head: Mapping[str, Sequence[str]] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    archived: bool = False
    payments: Mapping[str, int] = field(default_factory=dict)
    payment_amounts: Mapping[str, frozenset[Decimal]] = field(default_factory=dict)
    payments_asked: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    overpayments: Mapping[str, int] = field(default_factory=dict)
    deleted_payments: frozenset[str] = frozenset()
    credit_notes: Mapping[int, int] = field(default_factory=dict)
    credit_amounts: Mapping[int, Decimal] = field(default_factory=dict)
    credit_expressions: Mapping[int, int] = field(default_factory=dict)
