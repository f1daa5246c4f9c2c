"""Identity: the natural keys of an order's records, in FreshBooks and in the ledger.

FreshBooks' records bear the order's mark on a line of its own (`marks` formats and parses
it); the ledger keeps them under the order's id and our name of the part. Whether a record is ours
is decided here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from target_freshbooks.books.desired import CreditNote, Payment
from target_freshbooks.freshbooks.observed import (
    ObservedCreditNote,
    ObservedExpense,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.ledger.link import Link, LinkKind
from target_freshbooks.marks import Mark, marks_in
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.state import Observed, Recorded

# -- keys of the ledger's links


def invoice_key(order_id: int) -> str:
    """Key of the link to an order's invoice."""
    return str(order_id)


def part_key(order_id: int, part: str | int) -> str:
    """Key of the link to a payment (`101:transaction:77`) or a refund's credit note (`101:5`)."""
    return f"{order_id}:{part}"


def part_of(link: Link) -> str:
    """Which payment or refund of its order a link is of."""
    return link.key.partition(":")[2]


# -- marks on FreshBooks' records


def marks_of(invoice: ObservedInvoice) -> list[Mark]:
    """The orders that the invoice is said to be of."""
    marks = marks_in(invoice.notes, invoice.po_number)
    return [mark for mark in marks if not mark.part]


def is_marked(invoice: ObservedInvoice, mark: Mark) -> bool:
    """Whether the invoice bears the order's mark."""
    return mark in marks_of(invoice)


def bears(text: str, note: str) -> bool:
    """Whether a text of FreshBooks' has our note's mark on a line of its own."""
    return marks_in(note)[0] in marks_in(text)


def part_paid(payment: ObservedPayment, order: Mark) -> Mark | None:
    """The part of the order that the payment is marked with; None if it is not the order's."""
    return _part(payment.note, order)


def elsewhere(
    payments: Iterable[ObservedPayment], order: Mark, invoice: ObservedInvoice
) -> tuple[ObservedPayment, ...]:
    """Those of the payments that are the order's and stand on another invoice than its own."""
    others = (row for row in payments if row.invoice_id != invoice.id)
    return tuple(row for row in others if part_paid(row, order) is not None)


def refund_named(
    record: ObservedCreditNote | ObservedInvoice | ObservedExpense, order: Mark
) -> int | None:
    """The order's refund that the record is marked with; None if it is not the order's.

    A credit note gives it back, an invoice corrects it, an expense is its money.
    """
    part = _part(marked_text(record), order)
    return None if part is None else part.refund_id


def marked_text(
    record: ObservedPayment | ObservedCreditNote | ObservedInvoice | ObservedExpense,
) -> str:
    """The text of the record in which its mark stands."""
    if isinstance(record, ObservedPayment):
        return record.note
    if isinstance(record, ObservedInvoice):
        return f"{record.notes}\n{record.po_number}"
    return record.notes


def _part(text: str, order: Mark) -> Mark | None:
    return next((mark for mark in marks_in(text) if mark.part and mark.is_of_order(order)), None)


# -- which record is which


def find_payment(
    payment: Payment, recorded: Recorded, observed: Observed
) -> ObservedPayment | None:
    """The payment in FreshBooks: by the id we remember, else by its note."""
    remembered = recorded.payment_ids.get(payment.key)
    by_id = (candidate for candidate in observed.payments if candidate.id == remembered)
    by_note = (candidate for candidate in observed.payments if bears(candidate.note, payment.note))
    return next(by_id, None) or next(by_note, None)


def payment_key(payment: ObservedPayment, recorded: Recorded) -> str:
    """The name under which the ledger knows a payment in FreshBooks, or is to know it."""
    keys = (key for key, remote_id in recorded.payment_ids.items() if remote_id == payment.id)
    return next(keys, f"payment:{payment.id}")


def find_note(
    note: CreditNote, recorded: Recorded, observed: Observed
) -> ObservedCreditNote | None:
    """The refund's credit note in FreshBooks: by the id we remember, or by its notes."""
    remembered = recorded.credit_note_ids.get(note.refund_id)
    return next(
        (
            candidate
            for candidate in observed.credit_notes
            if candidate.id == remembered or bears(candidate.notes, note.notes)
        ),
        None,
    )


# -- links to records as they stand now


def invoice_link(
    invoice: ObservedInvoice,
    order_id: int,
    *,
    content: str | None,
    extra: Mapping[str, Any] | None = None,
) -> Link:
    """The link to an invoice as it stands now, with what else is remembered of it."""
    return Link(
        kind="invoice",
        key=invoice_key(order_id),
        remote_id=invoice.id,
        fingerprint=fingerprint(invoice),
        amount=invoice.amount,
        content_hash=content,
        order_id=order_id,
        extra=dict(extra or {}),
    )


def record_link(
    kind: LinkKind,
    order_id: int,
    part: str | int,
    record: ObservedPayment | ObservedInvoice | ObservedExpense,
    *,
    deleted: bool = False,
) -> Link:
    """The link to a payment, a correcting invoice or an expense as it stands now."""
    link = replace(
        part_link(kind, order_id, part, record.id, deleted=deleted), amount=record.amount
    )
    if isinstance(record, ObservedInvoice):
        return replace(link, fingerprint=None if deleted else fingerprint(record))
    return replace(link, day=record.date)


def part_link(
    kind: LinkKind, order_id: int, part: str | int, remote_id: int, *, deleted: bool = False
) -> Link:
    """The link to a part of the order of which no more is known."""
    key = part_key(order_id, part)
    return Link(kind=kind, key=key, remote_id=remote_id, order_id=order_id, deleted=deleted)


def leaving(link: Link, names: list[str]) -> Link:
    """The link, saying that these fields of its record, and no others, do not follow the shop."""
    extra = {name: value for name, value in link.extra.items() if name != "left"}
    return replace(link, extra={**extra, "left": names} if names else extra)


def bringing_in(link: Link, received: Decimal | None, *, surplus: bool) -> Link:
    """The payment's link, saying what came in where the order's money is more than it is over.

    Args:
        link: The link.
        received: What came in by the payment; None: it is one of several.
        surplus: Whether more came in than may be booked.
    """
    extra = {name: value for name, value in link.extra.items() if name != "received"}
    told = {"received": None if received is None else str(received)} if surplus else {}
    return replace(link, extra={**extra, **told})


def adopt(mark: Mark, observed: Observed, content: str) -> list[Link]:
    """The links to an invoice that is ours though the ledger does not know it, and to its parts.

    All that bears the order's mark is the order's; of several that bear the same, the first.
    """
    order_id, invoice = mark.order_id, observed.own
    payments = (*observed.payments, *observed.moved)
    paid = {part_paid(row, mark): row for row in reversed(payments)}
    credited = {refund_named(row, mark): row for row in reversed(observed.credit_notes)}
    return [
        invoice_link(invoice, order_id, content=content),
        *(record_link("payment", order_id, part.key, row) for part, row in paid.items() if part),
        *(_note_link(order_id, key, row) for key, row in credited.items() if key),
        *(record_link(kind, order_id, key, row) for kind, key, row in observed.beside()),
    ]


def _note_link(order_id: int, refund_id: int, note: ObservedCreditNote) -> Link:
    """The link to a credit note that was found: its amount may be a person's, and not ours."""
    link = part_link("credit_note", order_id, refund_id, note.id)
    return replace(link, extra={"found": str(note.amount)})


def amount_of_note(link: Link) -> Decimal | None:
    """What a credit note came to when we left or found it; None if that is not known."""
    found = link.extra.get("found")
    return link.amount if found is None else Decimal(found)
