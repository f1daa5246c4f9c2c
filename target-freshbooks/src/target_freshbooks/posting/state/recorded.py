"""Recorded state: what the ledger knows of an order and its records in FreshBooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks.posting.identity import part_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_freshbooks.ledger import Ledger, Link, OrderRow
    from target_freshbooks.ledger.link import LinkKind


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the ledger knows of an order.

    Attributes:
        row: Where the order stands; None if the ledger never heard of it.
        invoice: The link to its invoice; None when it is new, or the ledger was lost.
        payments: Payment key → link, of those that we deleted too.
        credit_notes: Refund id → link, of those that we deleted too.
        corrections: The same of the invoices that take refunds of closed months back.
        expenses: The same of the expenses beside those.
    """

    row: OrderRow | None = None
    invoice: Link | None = None
    payments: Mapping[str, Link] = field(default_factory=dict)
    credit_notes: Mapping[int, Link] = field(default_factory=dict)
    corrections: Mapping[int, Link] = field(default_factory=dict)
    expenses: Mapping[int, Link] = field(default_factory=dict)

    @property
    def state(self) -> str | None:
        """The order's state; None if the ledger never heard of it."""
        return None if self.row is None else self.row.state

    @property
    def is_in_books(self) -> bool:
        """Whether FreshBooks should hold the order just as we left it.

        One that is parked may be in a person's hands. One that changed in the shop and was not
        looked at yet counts as new again, but what we wrote of it stands.
        """
        return self.state == "posted" or (self.state == "new" and self.known)

    @property
    def number(self) -> str | None:
        """The number of the order's invoice; None if none was posted."""
        return None if self.row is None else self.row.invoice_number

    @property
    def known(self) -> bool:
        """Whether the ledger has a link to the invoice."""
        return self.invoice is not None

    @property
    def invoice_id(self) -> int | None:
        """FreshBooks' id of the invoice."""
        return None if self.invoice is None else self.invoice.remote_id

    @property
    def fingerprint(self) -> str | None:
        """Of the invoice as we last saw it after a write of ours."""
        return None if self.invoice is None else self.invoice.fingerprint

    @property
    def content(self) -> str | None:
        """The `content_digest` of the facts that the invoice's lines were made from."""
        return None if self.invoice is None else self.invoice.content_hash

    @property
    def extra(self) -> dict[str, Any]:
        """What else is remembered with the invoice, as it stands in the ledger."""
        return {} if self.invoice is None else self.invoice.extra

    @property
    def head(self) -> Mapping[str, Sequence[str]]:
        """Part of the head → digests of what was asked for last, and of what FreshBooks had."""
        head: Mapping[str, Sequence[str]] = self.extra.get("head", {})
        return head

    @property
    def left(self) -> Sequence[str]:
        """The fields of the head that do not follow the shop."""
        left: Sequence[str] = self.extra.get("left", ())
        return left

    @property
    def payment_ids(self) -> dict[str, int]:
        """Payment key → FreshBooks id, of payments not deleted."""
        return {key: link.remote_id for key, link in self.payments.items() if not link.deleted}

    @property
    def credit_note_ids(self) -> dict[int, int]:
        """Refund id → FreshBooks id, of credit notes not deleted."""
        return {key: link.remote_id for key, link in self.credit_notes.items() if not link.deleted}

    @property
    def overpayments(self) -> dict[str, int]:
        """Payment key → id of the credit that FreshBooks made of what it capped.

        Until that is seen to be gone, also of a payment that is deleted.
        """
        links = self.payments.items()
        return {
            key: link.extra["overpayment"] for key, link in links if "overpayment" in link.extra
        }

    def amounts_of(self, payment_key: str) -> set[Decimal]:
        """The amounts that a payment may have from us; empty if that is not known.

        What FreshBooks answered last, and what it was asked for since.
        """
        link = self.payments.get(payment_key)
        if link is None or link.deleted or link.amount is None:
            return set()
        return {link.amount, *map(Decimal, link.extra.get("asked", ()))}

    def asked_of(self, payment_key: str) -> tuple[Decimal, Decimal] | None:
        """The amount that a payment had, and the one it was asked for last; None if not known."""
        link = self.payments.get(payment_key)
        if link is None or link.deleted or "wanted" not in link.extra:
            return None
        before, asked = map(Decimal, link.extra["wanted"])
        return before, asked


def load_recorded(ledger: Ledger, order_id: int, row: OrderRow | None = None) -> Recorded:
    """What the ledger knows of the order's records in FreshBooks, besides its row."""
    links = ledger.links.of_order(order_id)

    def by_refund(kind: LinkKind) -> dict[int, Link]:
        return {int(part_of(link)): link for link in links if link.kind == kind}

    return Recorded(
        row,
        next((link for link in links if link.kind == "invoice"), None),
        {part_of(link): link for link in links if link.kind == "payment"},
        by_refund("credit_note"),
        by_refund("correction"),
        by_refund("expense"),
    )
