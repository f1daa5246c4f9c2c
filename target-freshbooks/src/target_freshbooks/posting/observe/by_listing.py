"""What FreshBooks holds in an order's name, and a FreshBooks that answers from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from target_freshbooks.books.marks import marks_in
from target_freshbooks.freshbooks.errors import Refused
from target_freshbooks.freshbooks.refusals import Kind, classify
from target_freshbooks.posting.marks import DELETED, is_marked, marks_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_freshbooks.books.marks import Mark
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.freshbooks.observed import (
        ObservedCreditNote,
        ObservedInvoice,
        ObservedPayment,
    )
    from target_freshbooks.posting.state.recorded import Recorded

Record = TypeVar("Record", "ObservedInvoice", "ObservedPayment", "ObservedCreditNote")


@dataclass(frozen=True, slots=True)
class Holding:
    """What FreshBooks holds in an order's name.

    Attributes:
        own: The invoice the ledger says is the order's, if it stands; where the ledger says none,
            the one of the order's number.
        others: Other standing invoices that bear the order's marker.
        payments: The standing payments on `own`, and those of ours that stand elsewhere.
        credit_notes: The standing credit notes whose notes name a refund of the order, and those
            the ledger says are ours.
        whole: False where something on the invoice was paid by what `payments` does not show.
    """

    own: ObservedInvoice | None = None
    others: tuple[ObservedInvoice, ...] = ()
    payments: tuple[ObservedPayment, ...] = ()
    credit_notes: tuple[ObservedCreditNote, ...] = ()
    whole: bool = True


def orders_named_by(invoice: ObservedInvoice, store: str) -> set[int]:
    """The store's orders whose mark the invoice bears."""
    return {mark.order_id for mark in marks_of(invoice) if mark.store == store}


def order_credited_by(note: ObservedCreditNote, store: str) -> int | None:
    """The store's order whose refund the credit note is marked with."""
    marks = [mark for mark in marks_in(note.notes) if mark.store == store]
    return next((mark.order_id for mark in marks if mark.refund_id is not None), None)


def choose_own(
    marked: list[ObservedInvoice], recorded: Recorded, number: str
) -> tuple[ObservedInvoice | None, tuple[ObservedInvoice, ...]]:
    """The order's own invoice among those that bear its marker, and the others."""
    wanted = recorded.invoice_id
    own = next(
        (row for row in marked if (row.number == number if wanted is None else row.id == wanted)),
        None,
    )
    return own, tuple(row for row in marked if row is not own)


def look_anew(books: FreshBooks, mark: Mark, recorded: Recorded, listed: Holding) -> Holding:
    """The same read again record by record: a list of many pages is older, and can skip a row."""
    own = None
    own_id = recorded.invoice_id or (listed.own.id if listed.own is not None else None)
    if own_id is not None:
        own = _standing(books.get_invoice, own_id)
    others = [_standing(books.get_invoice, row.id) for row in listed.others]
    payments: dict[int, ObservedPayment] = {}
    if own is not None:
        payments = {row.id: row for row in books.payments_of(own.id)}
        for remote_id in recorded.payment_ids.values():
            if remote_id not in payments:
                elsewhere = _standing(books.get_payment, remote_id)
                payments |= {} if elsewhere is None else {remote_id: elsewhere}
    ids = {row.id for row in listed.credit_notes} | set(recorded.credit_note_ids.values())
    notes = [_standing(books.get_credit_note, remote_id) for remote_id in sorted(ids)]
    return Holding(
        own,
        tuple(row for row in others if row is not None and is_marked(row, mark)),
        tuple(payments.values()),
        tuple(row for row in notes if row is not None),
    )


def _standing(read: Callable[[int], Record], remote_id: int) -> Record | None:
    """The record; None where it was deleted, in whichever way FreshBooks says so."""
    try:
        found = read(remote_id)
    except Refused as refused:
        if classify(refused).kind is not Kind.GONE:
            raise
        return None
    return None if found.vis_state == DELETED else found


class HeldBooks:
    """FreshBooks as a planner asks it about one order, without a request for what is held."""

    def __init__(self, books: FreshBooks, holding: Holding) -> None:
        self._books = books
        self._holding = holding

    def get_invoice(self, id: int) -> ObservedInvoice:  # noqa: A002 - FreshBooks' name
        """The order's own invoice; any other is asked for."""
        own = self._holding.own
        return own if own is not None and own.id == id else self._books.get_invoice(id)

    def payments_of(self, invoice_id: int) -> list[ObservedPayment]:
        """The payments on the order's own invoice; those on any other are asked for."""
        own = self._holding.own
        if own is None or own.id != invoice_id:
            return self._books.payments_of(invoice_id)
        return [row for row in self._holding.payments if row.invoice_id == invoice_id]

    def credit_notes_of(self, client_id: int) -> list[ObservedCreditNote]:
        """The order's credit notes: a planner looks at no others of the client."""
        return [row for row in self._holding.credit_notes if row.client_id == client_id]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever FreshBooks has there
        """All else as FreshBooks does it."""
        return getattr(self._books, name)
