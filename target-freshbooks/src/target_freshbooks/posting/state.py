"""State of an order: what the ledger knows of its records, and what FreshBooks holds of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from target_freshbooks.freshbooks.observed import (
    ObservedCreditNote,
    ObservedExpense,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.ledger.link import Link, LinkKind
from target_freshbooks.ledger.order_row import OrderRow

Key = TypeVar("Key", str, int)


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
        looked at yet counts as new again, but what we wrote of it stands; so does the Draft of one
        that waits until somebody sends it.
        """
        return self.state == "posted" or (self.state in {"new", "waiting"} and self.known)

    @property
    def number(self) -> str | None:
        """The number of the order's invoice; None if none was posted."""
        return None if self.row is None else self.row.invoice_number

    @property
    def known(self) -> bool:
        """Whether the ledger has a link to the invoice."""
        return self.invoice is not None

    @property
    def may_lack_parts(self) -> bool:
        """Whether parts of it may stand in FreshBooks that the ledger does not know.

        So it is if the ledger was lost; or one of an earlier day was put back since the order was
        booked. An order that is being booked first has no such parts.
        """
        return not self.known or (self.row is not None and self.row.posted_at is not None)

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
        """Field of the head → digests of what was asked for last, and of what FreshBooks had."""
        head: Mapping[str, Sequence[str]] = self.extra.get("head", {})
        return head

    def head_of(self, name: str) -> Sequence[str]:
        """The two of one field; "" if it was not asked for, or is not known to be ours."""
        return self.head.get(name, ("", ""))

    @property
    def left(self) -> Sequence[str]:
        """The fields of the head that do not follow the shop."""
        left: Sequence[str] = self.extra.get("left", ())
        return left

    @property
    def payment_ids(self) -> dict[str, int]:
        """Payment key → FreshBooks id, of payments not deleted."""
        return ids_of(self.payments)

    @property
    def credit_note_ids(self) -> dict[int, int]:
        """Refund id → FreshBooks id, of credit notes not deleted."""
        return ids_of(self.credit_notes)

    @property
    def overpayments(self) -> dict[str, int]:
        """Payment key → id of the credit that FreshBooks made of what it capped.

        Until that is seen to be gone, also of a payment that is deleted.
        """
        links = self.payments.items()
        return {
            key: link.extra["overpayment"] for key, link in links if "overpayment" in link.extra
        }

    def knows(self, kind: LinkKind, refund_id: int) -> bool:
        """Whether the ledger has a link to the refund's correction or expense."""
        return refund_id in (self.corrections if kind == "correction" else self.expenses)

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


def ids_of(links: Mapping[Key, Link]) -> dict[Key, int]:
    """FreshBooks' ids of what the links lead to and we did not delete, by our own names."""
    return {key: link.remote_id for key, link in links.items() if not link.deleted}


@dataclass(frozen=True, slots=True)
class Observed:
    """What FreshBooks holds for one order.

    Attributes:
        invoice: The invoice of the order, or somebody else's of its number.
        payments: The standing ones on the invoice.
        credit_notes: Those that bear the order's mark, and those the ledger says are ours.
        overpayments: By payment key the credit that stands of what FreshBooks capped.
        moved: Payments of ours that stand on another invoice.
        others: Other standing invoices that bear the order's mark; only lists show them.
        corrections: By refund id the invoice that takes a refund of a closed month back.
        expenses: By refund id the expense beside it.
        listed: Whether a list of many orders showed it: read again before anything is written.
    """

    invoice: ObservedInvoice | None = None
    payments: tuple[ObservedPayment, ...] = ()
    credit_notes: tuple[ObservedCreditNote, ...] = ()
    overpayments: Mapping[str, ObservedCreditNote] = field(default_factory=dict)
    moved: tuple[ObservedPayment, ...] = ()
    others: tuple[ObservedInvoice, ...] = ()
    corrections: Mapping[int, ObservedInvoice] = field(default_factory=dict)
    expenses: Mapping[int, ObservedExpense] = field(default_factory=dict)
    listed: bool = False

    @property
    def own(self) -> ObservedInvoice:
        """The invoice; must be asked for only if there is one."""
        assert self.invoice is not None  # noqa: S101 - as above
        return self.invoice

    def record(self, kind: LinkKind, remote_id: int | None) -> Any:  # noqa: ANN401 - by kind
        """The order's record of this kind and FreshBooks id; None if there is none."""
        if kind == "invoice":
            return None if remote_id is None else self.invoice
        rows: dict[LinkKind, Iterable[Any]] = {
            "payment": self.payments,
            "correction": self.corrections.values(),
            "expense": self.expenses.values(),
            "credit_note": (*self.credit_notes, *self.overpayments.values()),
        }
        return next((row for row in rows[kind] if row.id == remote_id), None)

    def beside(self) -> Iterator[tuple[LinkKind, int, ObservedInvoice | ObservedExpense]]:
        """What takes refunds of closed months back: kind, refund id and record."""
        yield from (("correction", key, row) for key, row in self.corrections.items())
        yield from (("expense", key, row) for key, row in self.expenses.items())

    @property
    def is_whole(self) -> bool:
        """Whether the payments make up what FreshBooks says was paid on the invoice."""
        return self.invoice is None or sum(row.amount for row in self.payments) == self.invoice.paid
