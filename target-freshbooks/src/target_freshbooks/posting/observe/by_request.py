"""Observer port, and the one that reads an order's records by as few requests as can prove them."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Protocol, TypeVar

from target_freshbooks.books.closed import BOOKED_AS_EXPENSE
from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.errors import NotFound
from target_freshbooks.freshbooks.observed import (
    ObservedCreditNote,
    ObservedExpense,
    ObservedInvoice,
)
from target_freshbooks.ledger import Link
from target_freshbooks.marks import STEM, Mark, marks_in
from target_freshbooks.money import total
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.identity import (
    elsewhere,
    is_marked,
    refund_named,
)
from target_freshbooks.posting.observe.by_mark import MarkedInvoices, bears_mark
from target_freshbooks.posting.observe.by_refund import RefundRecords
from target_freshbooks.posting.plan.corrections import to_be_looked_for
from target_freshbooks.posting.plan.payments import lacks_payment
from target_freshbooks.posting.state import Key, Observed, Recorded, ids_of

Row = TypeVar("Row")


class Observer(Protocol):
    """Reads the records of orders; it must not write."""

    def invoice(self, recorded: Recorded, number: str) -> ObservedInvoice | None:
        """The order's invoice: by its id if the ledger knows it, else by its number.

        An archived one counts; a deleted one may be returned if the ledger knows it.
        """

    def find(self, number: str, mark: Mark) -> ObservedInvoice | None:
        """The standing invoice with the mark: the one of the number, else one of any number.

        If there is none, somebody else's of the number.
        """

    def around(self, context: OrderContext, invoice: ObservedInvoice) -> Observed:
        """The invoice with its payments and credit notes; somebody else's comes alone."""

    def observe(self, context: OrderContext) -> Observed:
        """All that FreshBooks holds for the order."""
        recorded, wanted = context.recorded, context.desired.invoice
        invoice = (
            self.invoice(recorded, wanted.number)
            if recorded.known
            else self.find(wanted.number, wanted.marker)
        )
        return Observed() if invoice is None else self.around(context, invoice)


class RequestObserver(Observer):
    """Asks FreshBooks: for the invoice, for its payments, and for credit notes if any may exist."""

    def __init__(self, books: FreshBooks, marked: MarkedInvoices) -> None:
        self._books = books
        self._marked = marked
        self._of_refunds = RefundRecords()

    def invoice(self, recorded: Recorded, number: str) -> ObservedInvoice | None:
        """One request, whether there is one or none.

        One that was deleted is looked for only if the ledger knows it: else the number turns
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

    def find(self, number: str, mark: Mark) -> ObservedInvoice | None:
        """One request; one more for an invoice that bears another number."""
        invoice = self._books.invoices.find(number)
        if invoice is not None and bears_mark(invoice, mark):
            return invoice
        return self._marked.find(mark) or invoice

    def around(self, context: OrderContext, invoice: ObservedInvoice) -> Observed:
        """The invoice with its payments and credit notes; somebody else's comes alone."""
        if not context.is_ours(invoice):
            return Observed(invoice)
        observed, recorded = Observed(invoice), context.recorded
        # An invoice nothing was paid on needs no request, unless we know better, or know nothing:
        # a payment that refunds have emptied still stands on it.
        if invoice.paid != 0 or recorded.payment_ids or not recorded.known:
            observed = self._paid(recorded, invoice)
        if recorded.may_lack_parts and lacks_payment(context, observed):
            mark = context.desired.invoice.marker
            noting = self._books.payments.noting(f"{STEM}{mark.order_id}, ")
            observed = replace(observed, moved=elsewhere(noting, mark, invoice))
        credited = any(entry.credit_note is not None for entry in context.desired.refunds)
        perhaps = not recorded.known and (
            context.desired.unbooked_refunds
            or any(entry.credit for entry in context.desired.refunds)  # a line by now
        )
        if credited or perhaps or recorded.credit_note_ids:
            observed = replace(observed, credit_notes=self._credit_notes(context, invoice))
        observed = self._with_corrections(context, observed)
        return self.with_overpayments(context, observed)

    def _with_corrections(self, context: OrderContext, observed: Observed) -> Observed:
        """Add the invoices that take refunds of closed months back, with their expenses.

        A correction is asked for if the ledger knows one, and if there may be one: for a
        refund that is not on the invoice, if its month is closed or the ledger knows nothing.
        """
        invoice, mark = observed.own, context.desired.invoice.marker
        known = ids_of(context.recorded.corrections)
        corrections = _read(self._books.invoices.standing, known)
        for refund_id in to_be_looked_for(context, invoice) - known.keys():
            row = self.find(f"{invoice.number}-R{refund_id}", mark.of(f"refund {refund_id}"))
            if row is not None and refund_named(row, mark) == refund_id:
                corrections[refund_id] = row
        expenses = {
            refund_id: expense
            for refund_id in corrections.keys() | context.recorded.expenses.keys()
            if (expense := self._expense(context, corrections.get(refund_id), refund_id))
        }
        return replace(observed, corrections=corrections, expenses=expenses)

    def _expense(
        self, context: OrderContext, correction: ObservedInvoice | None, refund_id: int
    ) -> ObservedExpense | None:
        """The expense beside a correction: by its id, else by its mark.

        That is looked for on the correction's day, and on any if the ledger did not know that.
        """
        link = context.recorded.expenses.get(refund_id)
        if link is not None and link.deleted:
            return None
        if link is not None:
            return self._books.expenses.standing(link.remote_id)
        if correction is None or BOOKED_AS_EXPENSE not in correction.notes.splitlines():
            return None
        mark, expenses = (
            context.desired.invoice.marker.of(f"refund {refund_id}"),
            self._books.expenses,
        )
        rows = expenses.dated(correction.create_date)
        found = next((row for row in rows if mark in marks_in(row.notes)), None)
        if found is not None or refund_id in context.recorded.corrections:
            return found
        return self._of_refunds.find(expenses, mark)

    def with_overpayments(self, context: OrderContext, observed: Observed) -> Observed:
        """Add the credits that stand of what FreshBooks capped, if the ledger knows of any."""
        invoice, known = observed.invoice, context.recorded.overpayments
        if invoice is None or not known:
            return observed
        overpayment = self._books.credit_notes.overpayment
        credits_left = _read(lambda id_: overpayment(id_, invoice.customer_id), known)
        return replace(observed, overpayments=credits_left)

    def anew(self, mark: Mark, recorded: Recorded, listed: Observed) -> Observed:
        """What lists show of an order, read again record by record.

        A list of many pages is older, and can skip a row.
        """
        own_id = recorded.invoice_id or (None if listed.invoice is None else listed.invoice.id)
        own = None if own_id is None else self._books.invoices.standing(own_id)
        others = [self._books.invoices.standing(row.id) for row in listed.others]
        observed = Observed() if own is None else self._paid(recorded, own)
        notes = {note.id for note in listed.credit_notes} | set(recorded.credit_note_ids.values())
        return replace(
            observed,
            corrections=_read(
                self._books.invoices.standing, _ids(recorded.corrections, listed.corrections)
            ),
            expenses=_read(self._books.expenses.standing, _ids(recorded.expenses, listed.expenses)),
            credit_notes=tuple(
                _read(self._books.credit_notes.standing, _by_itself(sorted(notes))).values()
            ),
            others=tuple(row for row in others if row is not None and _names(row, mark)),
        )

    def _paid(self, recorded: Recorded, invoice: ObservedInvoice) -> Observed:
        """The invoice's payments; what a search may show late is read by its id.

        That is one we know of that it does not show, and all if they are not what the invoice
        says was paid: a search may still show the amount from before a change.
        """
        payments = {payment.id: payment for payment in self._books.payments.of_invoice(invoice.id)}
        if total(payment.amount for payment in payments.values()) != invoice.paid:
            payments = _read(self._books.payments.standing, _by_itself(payments))
        late = set(recorded.payment_ids.values()) - set(payments)
        payments |= _read(self._books.payments.standing, _by_itself(late))
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
            if refund_named(note, mark) is not None or note.id in known
        }
        if context.recorded.may_lack_parts:
            found = {refund_named(row, mark) for row in notes.values()}
            notes |= self._notes_elsewhere(context, found | context.recorded.credit_notes.keys())
        # One we know of but the search does not show yet must not be made again.
        notes |= _read(self._books.credit_notes.standing, _by_itself(known - set(notes)))
        return tuple(notes[remote_id] for remote_id in sorted(notes))

    def _notes_elsewhere(
        self, context: OrderContext, found: AbstractSet[int | None]
    ) -> dict[int, ObservedCreditNote]:
        """The credit notes of the other refunds, which may be of another client by now."""
        desired, notes = context.desired, self._books.credit_notes
        refund_ids = {one.refund_id for one in desired.refunds} | desired.unbooked_refunds
        marks = [desired.invoice.marker.of(f"refund {one}") for one in refund_ids - found]
        rows = [self._of_refunds.find(notes, mark) for mark in marks]
        return {row.id: row for row in rows if row is not None}


def _read(read: Callable[[int], Row | None], ids: Mapping[Key, int]) -> dict[Key, Row]:
    """The records of these ids that stand, each by the name its id has here."""
    records = {key: read(remote_id) for key, remote_id in ids.items()}
    return {key: record for key, record in records.items() if record is not None}


def _by_itself(ids: Iterable[int]) -> dict[int, int]:
    return {remote_id: remote_id for remote_id in ids}


def _names(invoice: ObservedInvoice, mark: Mark) -> bool:
    """Whether the invoice is marked as the order's, or as one that corrects a refund of it."""
    return is_marked(invoice, mark) or refund_named(invoice, mark) is not None


def _ids(
    known: Mapping[int, Link], listed: Mapping[int, ObservedInvoice] | Mapping[int, ObservedExpense]
) -> dict[int, int]:
    """The ids of the records that are listed, and of those that the ledger knows."""
    return ids_of(known) | {key: row.id for key, row in listed.items()}
