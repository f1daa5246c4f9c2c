"""Drift: compares ledger and FreshBooks order by order: missing, extra, edited, wrong amounts.

FreshBooks tells nobody that money counts twice: a second invoice is one more invoice, and what is
paid on a paid invoice silently becomes the client's credit. So whatever stands in an order's name
is either known to the ledger or told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Reason
from target_freshbooks.freshbooks.observed import (
    DRAFT,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.posting.context import ZERO
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.identity import is_marked, part_paid
from target_freshbooks.posting.plan.steps import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from target_freshbooks.books.marks import Mark
    from target_freshbooks.ledger import Intent
    from target_freshbooks.posting.plan.render import Plan
    from target_freshbooks.posting.state.observed import Observed
    from target_freshbooks.posting.state.recorded import Recorded


class FindingKind(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    EXTRA = "extra"
    EDITED = "edited"
    WRONG_AMOUNT = "wrong_amount"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the ledger and FreshBooks.

    Attributes:
        order_id: The order.
        kind: What is wrong.
        detail: One sentence with figures and ids; no personal data.
    """

    order_id: int
    kind: FindingKind
    detail: str


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


def interrupted(order_id: int, intent: Intent) -> Finding:
    """What a run that is no longer at work left without an answer."""
    sentence = (
        f"a run was interrupted at {intent.kind.replace('_', ' ')} (intent {intent.id}) and nobody"
        " has looked since what came of it: run again"
    )
    return Finding(order_id, FindingKind.INTERRUPTED, sentence)


def foreseen(plan: Plan, observed: Observed) -> Iterator[Finding]:
    """What a replay of a posted order would mend, or be stopped by."""
    result, own = plan.result, observed.invoice
    if result.parked is not None:
        kind = _OF_REASON.get(result.parked.reason, FindingKind.DIFFERS)
        yield Finding(plan.order_id, kind, result.parked.detail)
        return
    wanted = None
    if result.desired is not None:
        refunded = sum((entry.money for entry in result.desired.refunds), start=ZERO)
        wanted = result.desired.invoice.total - refunded
    for step in plan.steps:
        kind = _OF_STEP.get(step.kind, FindingKind.DIFFERS)
        sentence = f"a replay would {step.why}"
        if step.kind is StepKind.UPDATE_INVOICE and own is not None and own.amount != wanted:
            kind = FindingKind.WRONG_AMOUNT
            sentence = (
                f"{_invoice_words(own)}; the order, less its refunds, comes to {wanted}: {sentence}"
            )
        yield Finding(plan.order_id, kind, sentence)


_OF_REASON = {
    Reason.DELETED_IN_FRESHBOOKS: FindingKind.MISSING,
    Reason.EDITED_IN_FRESHBOOKS: FindingKind.EDITED,
    Reason.NUMBER_TAKEN: FindingKind.EDITED,
    Reason.PAYMENT_UNEXPLAINED: FindingKind.EXTRA,
    Reason.REFUND_MISMATCH: FindingKind.WRONG_AMOUNT,
    Reason.TOTAL_MISMATCH: FindingKind.WRONG_AMOUNT,
    Reason.UNREADABLE_RECORD: FindingKind.UNREADABLE,
}

_OF_STEP = {
    StepKind.CREATE_INVOICE: FindingKind.MISSING,
    StepKind.CREATE_PAYMENT: FindingKind.MISSING,
    StepKind.CREATE_CREDIT_NOTE: FindingKind.MISSING,
    StepKind.DELETE_INVOICE: FindingKind.EXTRA,
    StepKind.DELETE_PAYMENT: FindingKind.EXTRA,
    StepKind.DELETE_CREDIT_NOTE: FindingKind.EXTRA,
    StepKind.UPDATE_PAYMENT: FindingKind.WRONG_AMOUNT,
}


# -- what we wrote


def _invoice(mark: Mark, recorded: Recorded, observed: Observed) -> Iterator[Finding]:
    own, left = observed.invoice, recorded.invoice
    if own is None:
        sentence = "the ledger knows no invoice of it"
        if left is not None:
            named = f"invoice {recorded.number}" if recorded.number else "its invoice"
            worth = "" if left.amount is None else f", which we left at {left.amount},"
            sentence = f"{named} (id {left.remote_id}){worth} was deleted in FreshBooks"
        yield Finding(mark.order_id, FindingKind.MISSING, sentence)
    elif left is not None and left.fingerprint not in {None, fingerprint(own)}:
        then = "" if left.amount is None else f"; we left it at {left.amount}"
        sentence = f"{_invoice_words(own)} was changed in FreshBooks{then}"
        yield Finding(mark.order_id, FindingKind.EDITED, sentence)
    elif own.status == DRAFT and recorded.state == "posted":
        sentence = f"{_invoice_words(own)} is a Draft again, which FreshBooks counts nowhere"
        yield Finding(mark.order_id, FindingKind.EDITED, sentence)
    elif not is_marked(own, mark):
        sentence = (
            f"{_invoice_words(own)} no longer names the order, by which it is known to be ours"
        )
        yield Finding(mark.order_id, FindingKind.EDITED, sentence)


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
            sentence = f"{ours}{worth} on invoice {own.number} was deleted in FreshBooks"
            yield Finding(mark.order_id, FindingKind.MISSING, sentence)
        elif left.amount is not None and payment.amount != left.amount:
            sentence = (
                f"{ours} on invoice {own.number} is now {payment.amount} {own.currency};"
                f" we left it at {left.amount}"
            )
            yield Finding(mark.order_id, FindingKind.WRONG_AMOUNT, sentence)
        else:
            what = _payment_edited(mark, payment, own, left.day)
            if what is not None:
                sentence = f"{ours} of {payment.amount} {own.currency} {what}"
                yield Finding(mark.order_id, FindingKind.EDITED, sentence)


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
            sentence = f"the credit note {left.remote_id}{worth} of refund {refund_id} was deleted"
            yield Finding(mark.order_id, FindingKind.MISSING, f"{sentence} in FreshBooks")
        elif left.amount is not None and note.amount != left.amount:
            sentence = f"{_note_words(note)} of refund {refund_id}: we left it at {left.amount}"
            yield Finding(mark.order_id, FindingKind.WRONG_AMOUNT, sentence)


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
        sentence = (
            f"payment {payment.id} of {payment.amount} {own.currency} of {payment.date} on"
            f" {_invoice_words(own)} is none of ours{credited}: the money may count twice"
        )
        yield Finding(mark.order_id, FindingKind.EXTRA, sentence)


def _extra_invoices(
    mark: Mark, recorded: Recorded, observed: Observed, linked_elsewhere: Callable[[int], bool]
) -> Iterator[Finding]:
    own = observed.invoice
    # Of an order in these states it may stand though the ledger has no link to it.
    taken_up = recorded.state in {"posted", "parked", "settled"}
    if own is not None and not recorded.known and not taken_up:
        yield Finding(
            mark.order_id, FindingKind.EXTRA, f"{_invoice_words(own)} {_why_unknown(recorded)}"
        )
    for invoice in observed.others:
        if linked_elsewhere(invoice.id):
            continue
        beside = (
            _why_unknown(recorded)
            if own is None
            else f"stands beside the order's own {own.number} (id {own.id}): it counts twice"
        )
        sentence = f"{_invoice_words(invoice)}, {invoice.paid} of it paid, {beside}"
        yield Finding(mark.order_id, FindingKind.EXTRA, sentence)


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


def _invoice_words(invoice: ObservedInvoice) -> str:
    return f"invoice {invoice.number} (id {invoice.id}) of {invoice.amount} {invoice.currency}"


def _note_words(note: ObservedCreditNote) -> str:
    return f"credit note {note.number} (id {note.id}) of {note.amount} {note.currency}"
