"""What we remember of an order's records in FreshBooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Memory:
    """What the ledger knows of an order's invoice.

    Attributes:
        known: False when the ledger holds no link to the invoice (new, or the ledger was lost).
        invoice_id: FreshBooks' id of the invoice, if known.
        fingerprint: Of the invoice as we last saw it after a write of ours.
        content: `content_digest` of the facts its lines were made from.
        payments: Payment key → FreshBooks id, of payments not deleted.
        payment_amounts: Payment key → the amounts it may have from us, where we know: what
            FreshBooks answered last, and what it was asked for since.
        deleted_payments: Keys of payments we deleted because they fell to zero.
        credit_notes: Refund id → FreshBooks id.
        credit_amounts: Refund id → the amount FreshBooks answered when we gave that credit note.
        credit_expressions: Refund id → which of its wordings was written last.
    """

    known: bool = False
    invoice_id: int | None = None
    fingerprint: str | None = None
    content: str | None = None
    payments: Mapping[str, int] = field(default_factory=dict)
    payment_amounts: Mapping[str, frozenset[Decimal]] = field(default_factory=dict)
    deleted_payments: frozenset[str] = frozenset()
    credit_notes: Mapping[int, int] = field(default_factory=dict)
    credit_amounts: Mapping[int, Decimal] = field(default_factory=dict)
    credit_expressions: Mapping[int, int] = field(default_factory=dict)
