"""Observer by request: reads an order's records with as few requests as can prove them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books.closed import BOOKED_AS_EXPENSE
from target_freshbooks.books.money import total
from target_freshbooks.freshbooks.errors import NotFound
from target_freshbooks.posting.identity import (
    is_marked,
    refund_corrected,
    refund_credited,
    refund_spent,
)
from target_freshbooks.posting.observe.observer import Observer
from target_freshbooks.posting.plan.corrections import to_be_looked_for
from target_freshbooks.posting.state.observed import Observed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_freshbooks.books.marks import Mark
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.freshbooks.observed import (
        ObservedCreditNote,
        ObservedExpense,
        ObservedInvoice,
    )
    from target_freshbooks.ledger import Link
    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.state.recorded import Recorded

    _Row = ObservedInvoice | ObservedExpense


class RequestObserver(Observer):
    """Asks FreshBooks: for the invoice, for its payments, and for credit notes if any may exist."""

    def __init__(self, books: FreshBooks) -> None:
        self._books = books

    def invoice(self, recorded: Recorded, number: str) -> ObservedInvoice | None:
        """One request, whether there is one or none.

        One that was deleted is looked for only where the ledger knows it: else the number turns
        out to be taken, for FreshBooks keeps numbers unique over all of them.
        """
        if recorded.invoice_id is None:
            return self._books.invoices.find(number)
        try:
            return self._books.invoices.get(recorded.invoice_id)
        except NotFound:
            # Deleted ones may be answered so; the search tells which it is.
            deleted = self._books.invoices.find(number, deleted=True)
            return deleted if deleted is not None and deleted.id == recorded.invoice_id else None

    def around(self, context: OrderContext, invoice: ObservedInvoice) -> Observed:
        """The invoice with its payments and credit notes; somebody else's comes alone."""
        if not context.is_ours(invoice):
            return Observed(invoice)
        observed, recorded = Observed(invoice), context.recorded
        # An invoice nothing was paid on needs no request, unless we know better, or know nothing:
        # a payment that refunds have emptied still stands on it.
        if invoice.paid != 0 or recorded.payment_ids or not recorded.known:
            observed = self._paid(recorded, invoice)
        credited = any(entry.credit_note is not None for entry in context.desired.refunds)
        if credited or recorded.credit_note_ids:
            observed = replace(observed, credit_notes=self._credit_notes(context, invoice))
        observed = self._with_corrections(context, observed)
        return self.with_overpayments(context, observed)

    def _with_corrections(self, context: OrderContext, observed: Observed) -> Observed:
        """Add the invoices that take refunds of closed months back, with their expenses.

        A correction is asked for where the ledger knows one, and where there may be one: for a
        refund that is not on the invoice, if its month is closed or the ledger knows nothing.
        """
        invoice, mark = observed.invoice, context.desired.invoice.marker
        assert invoice is not None  # noqa: S101 - asked only with an invoice
        known = context.recorded.corrections
        found = {
            refund_id: self._books.invoices.standing(link.remote_id)
            for refund_id, link in known.items()
            if not link.deleted
        }
        for refund_id in to_be_looked_for(context, invoice) - found.keys():
            row = self._books.invoices.find(f"{invoice.number}-R{refund_id}")
            ours = row is not None and refund_corrected(row, mark) == refund_id
            found[refund_id] = row if ours else None
        corrections = {refund_id: row for refund_id, row in found.items() if row is not None}
        expenses = {
            refund_id: expense
            for refund_id in corrections.keys() | context.recorded.expenses.keys()
            if (expense := self._expense(context, corrections.get(refund_id), refund_id))
        }
        return replace(observed, corrections=corrections, expenses=expenses)

    def _expense(
        self, context: OrderContext, correction: ObservedInvoice | None, refund_id: int
    ) -> ObservedExpense | None:
        """The expense beside a correction: by its id, else by its mark on the correction's day."""
        link = context.recorded.expenses.get(refund_id)
        if link is not None and link.deleted:
            return None
        if link is not None:
            return self._books.expenses.standing(link.remote_id)
        if correction is None or BOOKED_AS_EXPENSE not in correction.notes.splitlines():
            return None
        mark = context.desired.invoice.marker
        rows = self._books.expenses.dated(correction.create_date)
        return next((row for row in rows if refund_spent(row, mark) == refund_id), None)

    def with_overpayments(self, context: OrderContext, observed: Observed) -> Observed:
        """Add the credits that stand of what FreshBooks capped, if the ledger knows of any."""
        invoice, known = observed.invoice, context.recorded.overpayments
        if invoice is None or not known:
            return observed
        credits_by_key = {
            key: self._books.credit_notes.overpayment(credit_id, invoice.customer_id)
            for key, credit_id in known.items()
        }
        credits_left = {key: note for key, note in credits_by_key.items() if note is not None}
        return replace(observed, overpayments=credits_left)

    def anew(self, mark: Mark, recorded: Recorded, listed: Observed) -> Observed:
        """What lists show of an order, read again record by record.

        A list of many pages is older, and can skip a row.
        """
        own_id = recorded.invoice_id or (None if listed.invoice is None else listed.invoice.id)
        own = None if own_id is None else self._books.invoices.standing(own_id)
        others = [self._books.invoices.standing(row.id) for row in listed.others]
        observed = Observed() if own is None else self._paid(recorded, own)
        corrections = {
            key: self._books.invoices.standing(remote_id)
            for key, remote_id in _ids(recorded.corrections, listed.corrections).items()
        }
        expenses = {
            key: self._books.expenses.standing(remote_id)
            for key, remote_id in _ids(recorded.expenses, listed.expenses).items()
        }
        ids = {note.id for note in listed.credit_notes} | set(recorded.credit_note_ids.values())
        notes = [self._books.credit_notes.standing(remote_id) for remote_id in sorted(ids)]
        return replace(
            observed,
            credit_notes=tuple(note for note in notes if note is not None),
            others=tuple(row for row in others if row is not None and _names(row, mark)),
            corrections={key: row for key, row in corrections.items() if row is not None},
            expenses={key: row for key, row in expenses.items() if row is not None},
        )

    def _paid(self, recorded: Recorded, invoice: ObservedInvoice) -> Observed:
        """The invoice's payments; what a search may show late is read by its id.

        That is one we know of that it does not show, and all where they are not what the invoice
        says was paid: a search may still show the amount from before a change.
        """
        payments = {payment.id: payment for payment in self._books.payments.of_invoice(invoice.id)}
        if total(payment.amount for payment in payments.values()) != invoice.paid:
            read = {remote_id: self._books.payments.standing(remote_id) for remote_id in payments}
            payments = {id_: payment for id_, payment in read.items() if payment is not None}
        for remote_id in set(recorded.payment_ids.values()) - set(payments):
            payment = self._books.payments.standing(remote_id)
            if payment is not None:
                payments[remote_id] = payment
        rows = [payments[remote_id] for remote_id in sorted(payments)]
        return Observed(
            invoice,
            tuple(row for row in rows if row.invoice_id == invoice.id),
            moved=tuple(row for row in rows if row.invoice_id != invoice.id),
        )

    def _credit_notes(
        self, context: OrderContext, invoice: ObservedInvoice
    ) -> tuple[ObservedCreditNote, ...]:
        mark, known = context.desired.invoice.marker, set(context.recorded.credit_note_ids.values())
        notes = {
            note.id: note
            for note in self._books.credit_notes.of_client(invoice.customer_id)
            if refund_credited(note, mark) is not None or note.id in known
        }
        for remote_id in known - set(notes):
            # One we know of but the search does not show yet must not be made again.
            note = self._books.credit_notes.standing(remote_id)
            if note is not None:
                notes[remote_id] = note
        return tuple(notes[remote_id] for remote_id in sorted(notes))


def _names(invoice: ObservedInvoice, mark: Mark) -> bool:
    """Whether the invoice is marked as the order's, or as one that corrects a refund of it."""
    return is_marked(invoice, mark) or refund_corrected(invoice, mark) is not None


def _ids(known: Mapping[int, Link], listed: Mapping[int, _Row]) -> dict[int, int]:
    """The ids of the records that are listed, and of those that the ledger knows."""
    ours = {key: link.remote_id for key, link in known.items() if not link.deleted}
    return ours | {key: row.id for key, row in listed.items()}
