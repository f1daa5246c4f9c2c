"""Undoing a payment that FreshBooks capped, since somebody else paid the invoice meanwhile.

FreshBooks books a payment above what is outstanding at what is outstanding, and turns the rest into
a credit of the client's: money that nobody ever paid. So the payment is brought back to what it was
before, and the credit, which may or may not go with it, is deleted if it stands. Each step follows
from what FreshBooks holds and the ledger remembers, so that an interrupted undoing goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.posting.case import ZERO
from target_freshbooks.posting.payments import find_payment
from target_freshbooks.posting.steps import Step, StepKind, Stop

if TYPE_CHECKING:
    from target_freshbooks.books.desired import Payment
    from target_freshbooks.freshbooks.observed import ObservedCreditNote, ObservedPayment
    from target_freshbooks.posting.case import Case
    from target_freshbooks.posting.steps import Actual, Progress


def undo_overpayment(case: Case, actual: Actual, progress: Progress) -> Step | Stop | None:
    """The next step that takes a capped payment or its credit back; None where there is none."""
    for payment in case.desired.payments:
        found = find_payment(payment, case, actual)
        if found is not None and is_capped(case, payment.key, found, payment):
            return _take_back(case, payment.key, found)
    for key, credit in actual.overpayments.items():
        if progress.credit_kept:
            return Stop(credit_left(case.desired.invoice.number, key, credit))
        return Step(
            StepKind.DELETE_OVERPAYMENT,
            key,
            {"vis_state": 1},
            f"delete the credit of {case.wording(credit.amount)} that FreshBooks made of payment"
            f" {key}",
            remote_id=credit.id,
        )
    return None


def is_capped(case: Case, key: str, found: ObservedPayment, payment: Payment) -> bool:
    """Whether FreshBooks booked less than it was asked for last, and made the rest a credit."""
    if found.overpayment_id is None:
        return False
    _, asked = case.memory.payments_asked.get(key, (ZERO, payment.amount))
    return found.amount < asked


def _take_back(case: Case, key: str, found: ObservedPayment) -> Step:
    before, asked = case.memory.payments_asked.get(key, (ZERO, found.amount))
    why = (
        f"take back payment {key}: of {case.wording(asked)} FreshBooks booked"
        f" {case.wording(found.amount)} and made the rest a credit"
    )
    if before == ZERO:
        return Step(StepKind.DELETE_PAYMENT, key, {"vis_state": 1}, why, remote_id=found.id)
    body = {"amount": case.money(before)}
    return Step(StepKind.UPDATE_PAYMENT, key, body, why, remote_id=found.id)


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
