"""Observer: reads what FreshBooks holds for an order, with as few requests as can prove it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.freshbooks.errors import NotFound
from target_freshbooks.posting.marks import DELETED, is_marked, refund_credited
from target_freshbooks.posting.plan.steps import Observed

if TYPE_CHECKING:
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.freshbooks.observed import ObservedInvoice, ObservedPayment
    from target_freshbooks.posting.context import OrderContext


def observe(books: FreshBooks, context: OrderContext) -> Observed:
    """Read the order's invoice, its payments, and credit notes where any may exist.

    A known invoice is read by its id, an unknown one is searched by its number. One request when
    there is none; archived invoices count, deleted ones are looked for only when the number turns
    out to be taken (FreshBooks keeps numbers unique over all of them).
    """
    invoice = _invoice(books, context)
    return Observed() if invoice is None else around(books, context, invoice)


def around(books: FreshBooks, context: OrderContext, invoice: ObservedInvoice) -> Observed:
    """The invoice with its payments and credit notes; somebody else's is none of our business."""
    if not is_marked(invoice, context.desired.invoice.marker):
        return Observed(invoice)
    observed = Observed(invoice, _payments(books, context, invoice))
    return _overpayments(books, context, _credit_notes(books, context, observed))


def _overpayments(books: FreshBooks, context: OrderContext, observed: Observed) -> Observed:
    """Add the credits that stand of what FreshBooks capped, where the ledger knows of any."""
    invoice = observed.invoice
    if invoice is None or not context.recorded.overpayments:
        return observed
    found = {
        key: books.overpayment_credit(credit_id, invoice.customer_id)
        for key, credit_id in context.recorded.overpayments.items()
    }
    standing = {key: note for key, note in found.items() if note is not None}
    return replace(observed, overpayments=standing)


def _credit_notes(books: FreshBooks, context: OrderContext, observed: Observed) -> Observed:
    """Add the order's credit notes, where the order's refunds or the ledger know of any."""
    wanted = any(entry.credit_note is not None for entry in context.desired.refunds)
    if observed.invoice is None or not (wanted or context.recorded.credit_note_ids):
        return observed
    mark = context.desired.invoice.marker
    known = set(context.recorded.credit_note_ids.values())
    found = {
        note.id: note
        for note in books.credit_notes_of(observed.invoice.customer_id)
        if refund_credited(note, mark) is not None or note.id in known
    }
    for remote_id in known - set(found):
        # One we know of but the search does not show yet must not be made again.
        try:
            note = books.get_credit_note(remote_id)
        except NotFound:
            continue
        if note.vis_state != DELETED:
            found[remote_id] = note
    return replace(observed, credit_notes=tuple(found[remote_id] for remote_id in sorted(found)))


def _invoice(books: FreshBooks, context: OrderContext) -> ObservedInvoice | None:
    recorded, wanted = context.recorded, context.desired.invoice
    if recorded.invoice_id is not None:
        return known_invoice(books, recorded.invoice_id, wanted.number)
    return books.find_invoice(wanted.number)


def known_invoice(books: FreshBooks, invoice_id: int, number: str) -> ObservedInvoice | None:
    """The invoice of that id, deleted or not; None where FreshBooks has it no more."""
    try:
        return books.get_invoice(invoice_id)
    except NotFound:
        # Deleted ones may be answered so; the search tells which it is.
        deleted = books.find_invoice(number, deleted=True)
        return deleted if deleted is not None and deleted.id == invoice_id else None


def _payments(
    books: FreshBooks, context: OrderContext, invoice: ObservedInvoice
) -> tuple[ObservedPayment, ...]:
    """The invoice's payments; one we know of but a search does not show is read by its id.

    An invoice nothing was paid on needs no request, unless we know better.
    """
    known = context.recorded.payment_ids
    if invoice.paid == 0 and not known:
        return ()
    listed = {payment.id: payment for payment in books.payments_of(invoice.id)}
    for remote_id in known.values():
        if remote_id not in listed:
            try:
                payment = books.get_payment(remote_id)
            except NotFound:
                continue
            # One that was moved to another invoice is not this one's any more.
            if payment.vis_state != DELETED and payment.invoice_id == invoice.id:
                listed[remote_id] = payment
    return tuple(listed[remote_id] for remote_id in sorted(listed))
