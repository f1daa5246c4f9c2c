"""Drift: compares ledger and FreshBooks order by order: missing, extra, edited, wrong amounts.

FreshBooks tells nobody that money counts twice: a second invoice is one more invoice, and what is
paid on a paid invoice silently becomes the client's credit. So whatever stands in an order's name
is either known to the ledger or told.
"""

from collections.abc import Callable, Iterator
from datetime import date

from target_freshbooks.freshbooks.observed import (
    DRAFT,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.ledger import Link
from target_freshbooks.marks import Mark
from target_freshbooks.posting.context import ZERO
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.findings import Finding, FindingKind, invoice_words
from target_freshbooks.posting.identity import is_marked, part_paid
from target_freshbooks.posting.plan.head import CLIENT, is_moved
from target_freshbooks.posting.state import Observed, Recorded, ids_of


def compare(
    mark: Mark, recorded: Recorded, observed: Observed, linked_elsewhere: Callable[[int], bool]
) -> Iterator[Finding]:
    """What the ledger and FreshBooks say differently of an order.

    Of an order that is parked only what is extra is told: all else it is parked for, and a person
    may be mending it. Of one that a person settled, only what bears our own marks is extra.

    Args:
        mark: What the order's invoice is marked with.
        recorded: What the ledger knows.
        observed: What FreshBooks holds.
        linked_elsewhere: Whether an invoice, by its id, is any order's own by the ledger.
    """
    own = observed.invoice
    if recorded.is_in_books:
        yield from _invoice(mark, recorded, observed)
        if own is not None:
            yield from _payments(mark, recorded, observed, own)
        yield from _credit_notes(mark, recorded, observed)
    if own is not None:
        yield from _extra_payments(mark, recorded, observed, own)
    yield from _extra_invoices(mark, recorded, observed, linked_elsewhere)
    yield from _extra_credit_notes(mark, recorded, observed)
    if recorded.is_in_books:
        yield from _corrections(mark, recorded, observed)
    yield from _extra_corrections(mark, recorded, observed)


# -- what we wrote


def _invoice(mark: Mark, recorded: Recorded, observed: Observed) -> Iterator[Finding]:
    own = observed.invoice
    if own is None:
        gone = _invoice_gone(recorded, recorded.invoice)
        yield Finding(mark.order_id, FindingKind.MISSING, gone)
    elif what := _invoice_edited(mark, recorded, observed, own) or _moved_to(recorded, own):
        yield Finding(mark.order_id, FindingKind.EDITED, f"{invoice_words(own)} {what}")


def _moved_to(recorded: Recorded, own: ObservedInvoice) -> str | None:
    """What is said of an invoice with another client than we left it, unless it is listed so.

    A Draft waits to be corrected.
    """
    if recorded.state == "waiting" or CLIENT in recorded.left or not is_moved(recorded, own):
        return None
    return f"is of another client now (id {own.customer_id})"


def _invoice_edited(
    mark: Mark, recorded: Recorded, observed: Observed, own: ObservedInvoice
) -> str | None:
    left, is_draft, waits = recorded.invoice, own.status == DRAFT, recorded.state == "waiting"
    as_left = left is None or left.fingerprint in {None, fingerprint(own)}
    if not as_left and not (is_draft and waits):  # a Draft waits to be corrected and sent
        worth = None if left is None else left.amount
        return f"was changed in FreshBooks{'' if worth is None else f'; we left it at {worth}'}"
    if is_draft and recorded.state == "posted":
        return "is a Draft again, which FreshBooks counts nowhere"
    if waits and all(one.status != DRAFT for one in (own, *observed.corrections.values())):
        return "was sent by hand, and nothing is booked on it: `replay` goes on with its order"
    if not is_marked(own, mark):
        return "no longer names the order, by which it is known to be ours"
    return None


def _invoice_gone(recorded: Recorded, left: Link | None) -> str:
    if left is None:
        return "the ledger knows no invoice of it"
    named = f"invoice {recorded.number}" if recorded.number else "its invoice"
    worth = "" if left.amount is None else f", which we left at {left.amount},"
    return f"{named} (id {left.remote_id}){worth} was deleted in FreshBooks"


def _payments(
    mark: Mark, recorded: Recorded, observed: Observed, own: ObservedInvoice
) -> Iterator[Finding]:
    standing = {row.id: row for row in (*observed.payments, *observed.moved)}
    for key, left in recorded.payments.items():
        if left.deleted:
            continue
        payment = standing.get(left.remote_id)
        ours = f"our payment {left.remote_id} ({key})"
        if payment is None:
            worth = "" if left.amount is None else f" of {left.amount} {own.currency}"
            yield Finding(
                mark.order_id,
                FindingKind.MISSING,
                f"{ours}{worth} on invoice {own.number} was deleted in FreshBooks",
            )
        elif left.amount is not None and payment.amount != left.amount:
            yield Finding(
                mark.order_id,
                FindingKind.WRONG_AMOUNT,
                f"{ours} on invoice {own.number} is now {payment.amount} {own.currency};"
                f" we left it at {left.amount}",
            )
        elif what := _payment_edited(mark, payment, own, left.day):
            yield Finding(
                mark.order_id,
                FindingKind.EDITED,
                f"{ours} of {payment.amount} {own.currency} {what}",
            )


def _payment_edited(
    mark: Mark, payment: ObservedPayment, own: ObservedInvoice, day: date | None
) -> str | None:
    if payment.invoice_id != own.id:
        return f"was moved from invoice {own.number} to the invoice of id {payment.invoice_id}"
    if day is not None and payment.date != day:
        return f"is now dated {payment.date}; we dated it {day}"
    if part_paid(payment, mark) is None:
        return "no longer names the order in its note, by which it is found if the ledger is lost"
    return None


def _credit_notes(mark: Mark, recorded: Recorded, observed: Observed) -> Iterator[Finding]:
    standing = {row.id: row for row in observed.credit_notes}
    for refund_id, left in recorded.credit_notes.items():
        if left.deleted:
            continue
        note = standing.get(left.remote_id)
        if note is None:
            worth = "" if left.amount is None else f" of {left.amount}"
            yield _deleted(mark, f"the credit note {left.remote_id}{worth} of refund {refund_id}")
        elif left.amount is not None and note.amount != left.amount:
            yield Finding(
                mark.order_id,
                FindingKind.WRONG_AMOUNT,
                f"{_note_words(note)} of refund {refund_id}: we left it at {left.amount}",
            )


def _corrections(mark: Mark, recorded: Recorded, observed: Observed) -> Iterator[Finding]:
    for refund_id, left in recorded.corrections.items():
        invoice = observed.corrections.get(refund_id)
        if left.deleted:
            continue
        if invoice is None:
            yield _deleted(mark, f"the correction (id {left.remote_id}) of refund {refund_id}")
        elif left.fingerprint not in {None, fingerprint(invoice)}:
            yield Finding(
                mark.order_id,
                FindingKind.EDITED,
                f"invoice {invoice.number} (id {invoice.id}), which corrects refund {refund_id},"
                " was changed in FreshBooks",
            )
    for refund_id, left in recorded.expenses.items():
        expense = observed.expenses.get(refund_id)
        if left.deleted:
            continue
        if expense is None:
            yield _deleted(mark, f"the expense (id {left.remote_id}) of refund {refund_id}")
        elif (expense.amount, expense.date) != (left.amount, left.day):
            yield Finding(
                mark.order_id,
                FindingKind.WRONG_AMOUNT,
                f"the expense {expense.id} of refund {refund_id} is {expense.amount} of"
                f" {expense.date} now; we left it at {left.amount} of {left.day}",
            )


def _deleted(mark: Mark, record: str) -> Finding:
    return Finding(mark.order_id, FindingKind.MISSING, f"{record} was deleted in FreshBooks")


# -- what stands besides


def _extra_payments(
    mark: Mark, recorded: Recorded, observed: Observed, own: ObservedInvoice
) -> Iterator[Finding]:
    ours = set(recorded.payment_ids.values())
    for payment in observed.payments:
        if payment.id in ours or (payment.amount == ZERO and payment.overpayment_id is None):
            continue
        bears_mark = part_paid(payment, mark) is not None
        if not recorded.known and bears_mark:
            continue  # the invoice itself is not adopted yet
        if recorded.state == "settled" and not bears_mark:
            continue  # booked by the person who settled it
        credited = (
            ""
            if payment.overpayment_id is None
            else "; FreshBooks made what was above the total a credit"
            f" (id {payment.overpayment_id})"
        )
        yield Finding(
            mark.order_id,
            FindingKind.EXTRA,
            f"payment {payment.id} of {payment.amount} {own.currency} of {payment.date} on"
            f" {invoice_words(own)} is none of ours{credited}: the money may count twice",
        )


def _extra_invoices(
    mark: Mark, recorded: Recorded, observed: Observed, linked_elsewhere: Callable[[int], bool]
) -> Iterator[Finding]:
    own = observed.invoice
    # Of an order in these states it may stand though the ledger has no link to it.
    taken_up = recorded.state in {"posted", "parked", "settled"}
    if own is not None and not recorded.known and not taken_up:
        yield Finding(
            mark.order_id, FindingKind.EXTRA, f"{invoice_words(own)} {_why_unknown(recorded)}"
        )
    for invoice in observed.others:
        if linked_elsewhere(invoice.id):
            continue
        beside = (
            _why_unknown(recorded)
            if own is None
            else f"stands beside the order's own {own.number} (id {own.id}): it counts twice"
        )
        yield Finding(
            mark.order_id,
            FindingKind.EXTRA,
            f"{invoice_words(invoice)}, {invoice.paid} of it paid, {beside}",
        )


def _extra_credit_notes(mark: Mark, recorded: Recorded, observed: Observed) -> Iterator[Finding]:
    ours = set(recorded.credit_note_ids.values())
    for note in observed.credit_notes:
        if note.id in ours:
            continue
        if recorded.state in {"parked", "settled"} and not recorded.known:
            continue  # not adopted yet, as its invoice
        beside = (
            _why_unknown(recorded)
            if recorded.row is None
            else "names a refund of the order and is none of ours: the credit may count twice"
        )
        yield Finding(mark.order_id, FindingKind.EXTRA, f"{_note_words(note)} {beside}")


def _extra_corrections(mark: Mark, recorded: Recorded, observed: Observed) -> Iterator[Finding]:
    if not recorded.known:
        return  # not adopted yet, as its invoice
    for refund_id, invoice in observed.corrections.items():
        if ids_of(recorded.corrections).get(refund_id) != invoice.id:
            yield Finding(
                mark.order_id,
                FindingKind.EXTRA,
                f"invoice {invoice.number} (id {invoice.id}) corrects refund {refund_id} and is"
                " none of ours: the refund may count twice",
            )
    for refund_id, expense in observed.expenses.items():
        if ids_of(recorded.expenses).get(refund_id) != expense.id:
            yield Finding(
                mark.order_id,
                FindingKind.EXTRA,
                f"expense {expense.id} of {expense.amount} names refund {refund_id} and is none of"
                " ours: the money may count twice",
            )


def _why_unknown(recorded: Recorded) -> str:
    if recorded.row is None:
        return (
            "names an order that the ledger does not know: reading the shop from the start adopts"
            " it, if the ledger was lost"
        )
    if recorded.row.reason == "deleted_after_cancellation":
        return "stands, though it was deleted when the order was cancelled: somebody restored it"
    why = f" ({recorded.row.reason})" if recorded.row.reason else ""
    return f"stands for an order that by the ledger has no invoice; it is {recorded.state}{why}"


def _note_words(note: ObservedCreditNote) -> str:
    return f"credit note {note.number} (id {note.id}) of {note.amount} {note.currency}"
