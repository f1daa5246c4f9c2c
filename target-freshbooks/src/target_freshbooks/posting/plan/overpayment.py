"""Overpayment: undoes a payment that FreshBooks capped, since somebody else paid meanwhile.

FreshBooks books a payment above what is outstanding at what is outstanding, and turns the rest into
a credit of the client's: money that nobody ever paid. So the payment is brought back to what it was
before, and the credit, which may or may not go with it, is deleted if it stands. Each step follows
from what FreshBooks holds and the ledger remembers, so that an interrupted undoing goes on.
"""

from collections.abc import Iterator
from decimal import Decimal

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.freshbooks.observed import ObservedCreditNote, ObservedPayment
from target_freshbooks.posting.context import ZERO, OrderContext
from target_freshbooks.posting.identity import bears, find_payment, payment_key
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind
from target_freshbooks.posting.state import Observed


def undo_overpayment(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    """The next step that takes a capped payment or its credit back; None if there is none."""
    for payment in recorded_again(context, observed):
        return Step(
            StepKind.DELETE_PAYMENT,
            payment_key(payment, context.recorded),
            {"vis_state": 1},
            f"take back payment {payment.id}: the same one stands already, and FreshBooks made a"
            " credit of it",
            remote_id=payment.id,
        )
    for key, payment in capped(context, observed).items():
        return _take_back(context, key, payment)
    for key, credit in observed.overpayments.items():
        if progress.credit_kept:
            return credit_left(context.desired.invoice.number, key, credit)
        return Step(
            StepKind.DELETE_OVERPAYMENT,
            key,
            {"vis_state": 1},
            f"delete the credit of {context.wording(credit.amount)} that FreshBooks made of payment"
            f" {key}",
            remote_id=credit.id,
        )
    return None


def capped(context: OrderContext, observed: Observed) -> dict[str, ObservedPayment]:
    """Our payments, by key, of which FreshBooks booked less than asked and made the rest a credit.

    A credit that our own answer did not tell of may come from a run that was killed before it; or
    from a person who lowered the invoice's total. Then our payment is right, and left.
    """
    payments = {
        payment.key: find_payment(payment, context.recorded, observed)
        for payment in context.desired.payments
    }
    asked = {payment.key: payment.amount for payment in context.desired.payments}
    invoice = observed.invoice
    as_written = context.recorded.known and invoice is not None and not context.was_edited(invoice)
    return {
        key: payment
        for key, payment in payments.items()
        if payment is not None
        and payment.overpayment_id is not None
        and payment.amount < (context.recorded.asked_of(key) or (ZERO, asked[key]))[1]
        and (as_written or key in context.recorded.overpayments)
    }


def recorded_again(context: OrderContext, observed: Observed) -> Iterator[ObservedPayment]:
    """Payments with the mark of one of ours that stands, of which FreshBooks made a credit.

    Such a one came after it: a request of a killed run that was carried out late, or another's.
    """
    for payment in context.desired.payments:
        ours = find_payment(payment, context.recorded, observed)
        for row in observed.payments:
            if row != ours and row.overpayment_id is not None and bears(row.note, payment.note):
                yield row


def overpaid_by_hand(
    context: OrderContext, before: Observed, after: Observed
) -> ObservedPayment | None:
    """Somebody else's payment that became a credit in between; None if there is none."""
    ours = set(context.recorded.payment_ids.values())
    known = {row.id for row in before.payments if row.overpayment_id is not None}
    return next(
        (row for row in after.payments if row.overpayment_id and row.id not in ours | known), None
    )


def credit_by_hand(number: str, payment: ObservedPayment, credit: ObservedCreditNote) -> Parked:
    """Why an order is parked while whose invoice fell somebody paid it."""
    return Parked(
        Reason.OVERPAYMENT_CREDIT_LEFT,
        f"While the total of invoice {number} was lowered, somebody recorded payment {payment.id}"
        f" on it by hand, and FreshBooks made {credit.amount} {credit.currency} of it a credit (id"
        f" {credit.id}).",
        "If that payment is of money that the order has already, delete it and its credit in"
        " FreshBooks; then replay the order.",
    )


def _take_back(context: OrderContext, key: str, payment: ObservedPayment) -> Step:
    before, asked = context.recorded.asked_of(key) or (ZERO, payment.amount)
    why = (
        f"take back payment {key}: of {context.wording(asked)} FreshBooks booked"
        f" {context.wording(payment.amount)} and made the rest a credit"
    )
    if before == ZERO:
        return Step(StepKind.DELETE_PAYMENT, key, {"vis_state": 1}, why, remote_id=payment.id)
    body = {"amount": context.money(before)}
    return Step(StepKind.UPDATE_PAYMENT, key, body, why, remote_id=payment.id)


def credit_left(number: str, key: str, credit: ObservedCreditNote) -> Parked:
    """Why an order is parked whose credit FreshBooks does not delete."""
    return Parked(
        Reason.OVERPAYMENT_CREDIT_LEFT,
        f"Somebody else paid invoice {number} while payment {key} was recorded. The payment is"
        f" taken back, but FreshBooks keeps the credit of {credit.amount} {credit.currency} that"
        f" it made of it (id {credit.id}).",
        "Delete that credit in FreshBooks by hand, see which of the payments is right, and"
        " replay the order.",
    )


def paid_elsewhere(context: OrderContext, observed: Observed, wanted: Decimal, what: str) -> Parked:
    """Somebody else's money stands on the invoice, so that ours does not fit."""
    invoice = observed.own
    return Parked(
        Reason.PAID_ELSEWHERE,
        f"Invoice {invoice.number} of {context.wording(invoice.amount)} has"
        f" {context.wording(invoice.outstanding)} outstanding, but {what} of"
        f" {context.wording(wanted)} is to be booked: somebody recorded a payment by hand.",
        "If the payment recorded by hand is of this order's money, delete it in FreshBooks and"
        " replay the order; else settle the order with a note of what you booked.",
    )
