"""What a refusal means: FreshBooks' codes read as reasons a bookkeeper understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Desired, Parked, Reason
from target_freshbooks.posting.observe import choose

if TYPE_CHECKING:
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.freshbooks.errors import Refused
    from target_freshbooks.freshbooks.observed import ObservedInvoice
    from target_freshbooks.posting.case import Case

TOO_LONG = 1017
GONE = frozenset({1011, 1012})
CLIENT_FIELDS = frozenset({"customerid", "userid", "clientid"})


def is_number_taken(refused: Refused) -> bool:
    """FreshBooks does not document the code: any complaint about the number but its length."""
    return refused.field == "invoice_number" and refused.errno != TOO_LONG


def is_number_too_long(refused: Refused) -> bool:
    """The number exceeds FreshBooks' limit."""
    return refused.field == "invoice_number" and refused.errno == TOO_LONG


def is_client_gone(refused: Refused) -> bool:
    """The client was deleted in FreshBooks since we met it."""
    return refused.field in CLIENT_FIELDS or refused.errno in GONE


def holder_of_number(books: FreshBooks, case: Case) -> ObservedInvoice | None:
    """The invoice that holds the order's number, wherever it is; None where none shows up (yet)."""
    wanted = case.desired.invoice
    found = choose(books.find_invoices(wanted.number), wanted.marker)
    return found or choose(books.find_invoices(wanted.number, deleted=True), wanted.marker)


def number_taken(case: Case) -> Parked:
    """The number is taken, by an invoice that cannot be found."""
    return Parked(
        Reason.NUMBER_TAKEN,
        f"FreshBooks says that invoice number {case.desired.invoice.number} is taken, but shows no"
        " invoice of that number.",
        "Look for it among archived, deleted and recurring invoices in FreshBooks; then replay"
        " the order.",
    )


def of_another_shop(case: Case) -> Parked:
    """The number belongs to an order of another shop that feeds the same books."""
    number = case.desired.invoice.number
    return Parked(
        Reason.NUMBER_TAKEN,
        f"Invoice {number} belongs to another shop's order of the same number (setting source).",
        "Give each shop an invoice_number_prefix of its own and replay the order.",
    )


def number_too_long(case: Case) -> Parked:
    """The number is too long for FreshBooks."""
    number = case.desired.invoice.number
    return Parked(
        Reason.NUMBER_TOO_LONG,
        f"Invoice number {number} has {len(number)} characters, more than FreshBooks takes.",
        "Shorten invoice_number_prefix and replay the order.",
    )


def refund_refused(desired: Desired, refund_id: int) -> Parked:
    """A refund's negative line was refused; the payment has its full amount again."""
    entry = next(entry for entry in desired.refunds if entry.refund_id == refund_id)
    return Parked(
        Reason.REFUND_REFUSED,
        f"FreshBooks refused to take refund {refund_id} of {entry.money}"
        f" {desired.invoice.currency} off invoice {desired.invoice.number}; invoice and payment"
        " are as before the refund.",
        "Book the refund by hand, or set refund_mode to credit_note and replay the order.",
    )
