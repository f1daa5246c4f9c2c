"""Which of FreshBooks' records are an order's: those that bear its mark on a line of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.marks import Mark, marks_in

if TYPE_CHECKING:
    from target_freshbooks.freshbooks.observed import (
        ObservedCreditNote,
        ObservedInvoice,
        ObservedPayment,
    )

DRAFT = 1
"""FreshBooks' invoice status of a Draft."""

DELETED = 1
"""FreshBooks' `vis_state` of a deleted record."""


def marks_of(invoice: ObservedInvoice) -> list[Mark]:
    """The orders that the invoice is said to be of."""
    marks = marks_in(invoice.notes, invoice.po_number)
    return [mark for mark in marks if not mark.part]


def is_marked(invoice: ObservedInvoice, mark: Mark) -> bool:
    """Whether the invoice bears the order's mark."""
    return mark in marks_of(invoice)


def part_paid(payment: ObservedPayment, order: Mark) -> Mark | None:
    """The part of the order that the payment is marked with; None where it is not the order's."""
    return _part(payment.note, order)


def refund_credited(note: ObservedCreditNote, order: Mark) -> int | None:
    """The order's refund that the credit note is marked with; None where it is not the order's."""
    part = _part(note.notes, order)
    return None if part is None else part.refund_id


def _part(text: str, order: Mark) -> Mark | None:
    return next((mark for mark in marks_in(text) if mark.part and mark.is_of_order(order)), None)
