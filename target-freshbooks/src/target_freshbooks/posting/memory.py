"""What we remember of an order's records, and the digests that tell change from noise."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_freshbooks.books.desired import Desired
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.freshbooks.observed import ObservedInvoice


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            entry.name: _plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)
        }
    if isinstance(value, Decimal):
        # 1.50 and 1.5 are one amount.
        return format(value.normalize(), "f")
    if isinstance(value, (frozenset, set)):
        return sorted(str(entry) for entry in value)
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    return value


def digest(value: object) -> str:
    """SHA-256 (hex) of a value made of dataclasses, tuples, Decimals, dates and text."""
    text = json.dumps(_plain(value), default=str, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def policy_digest(policy: Policy) -> str:
    """Changes when a setting that the accounting depends on changes."""
    return digest(policy)


def content_digest(facts: OrderFacts) -> str:
    """What the invoice's own lines follow from: not status, dates of change, payments or refunds.

    It is taken from the shop's facts and not from the lines, so that a newer version of the
    accounting rules never rewrites an invoice that is already sent.
    """
    order = facts.order
    return digest(
        (
            order.currency,
            order.created,
            order.lines,
            order.fees,
            order.shipping,
            order.handling,
            order.wrapping,
            order.total_inc_tax,
            order.total_tax,
            order.discount_amount,
            order.coupon_discount,
            sorted(
                (row.name, row.rate, row.amount, str(row.line_id), row.item_type)
                for row in facts.taxes
            ),
        )
    )


def desired_digest(desired: Desired, content: str) -> str:
    """Changes when something would have to be written; equal digests need no request at all."""
    return digest(
        (
            content,
            desired.invoice.number,
            desired.invoice.total,
            desired.payments,
            [
                (
                    entry.refund_id,
                    entry.money,
                    entry.payments_after,
                    entry.credit_note and entry.credit_note.total,
                )
                for entry in desired.refunds
            ],
            desired.flag and desired.flag.reason,
            desired.hold,
        )
    )


def fingerprint(invoice: ObservedInvoice) -> str:
    """What a person could change by hand in an invoice: lines, amount, client, dates, number.

    Payments are not part of it, nor the status: a viewed or paid invoice is not an edited one.
    """
    return digest(
        (
            invoice.number,
            invoice.customer_id,
            invoice.currency,
            invoice.create_date,
            invoice.amount,
            invoice.vis_state,
            [
                (
                    line.name,
                    line.description,
                    line.qty,
                    line.unit_cost,
                    line.tax_name1 or "",
                    line.tax_percent1,
                    line.tax_name2 or "",
                    line.tax_percent2,
                )
                for line in invoice.lines or ()
            ],
        )
    )


def request_digest(body: Mapping[str, Any]) -> str:
    """Of a request's body, for the audit trail."""
    return digest(json.loads(json.dumps(body, default=str)))


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
