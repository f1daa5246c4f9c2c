"""Payment steps: each captured payment once, never above what is outstanding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.books.marks import marks_in
from target_freshbooks.posting.case import ZERO
from target_freshbooks.posting.elsewhere import paid_elsewhere
from target_freshbooks.posting.marks import part_paid
from target_freshbooks.posting.steps import Step, StepKind, Stop

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from target_freshbooks.books.desired import Payment, RefundEntry
    from target_freshbooks.freshbooks.observed import ObservedPayment
    from target_freshbooks.posting.case import Case
    from target_freshbooks.posting.steps import Actual, Progress


def find_payment(payment: Payment, case: Case, actual: Actual) -> ObservedPayment | None:
    """The payment in FreshBooks: by the id we remember, else by its note."""
    remembered = case.memory.payments.get(payment.key)
    for found in actual.payments:
        if found.id == remembered:
            return found
    return next((found for found in actual.payments if bears(found, payment)), None)


def bears(found: ObservedPayment, payment: Payment) -> bool:
    """Whether the payment in FreshBooks has the note of ours, on a line of its own."""
    return marks_in(payment.note)[0] in marks_in(found.note)


def altered_by_hand(case: Case, actual: Actual, progress: Progress) -> Stop | None:
    """A payment of ours has an amount that we never gave it: a person has to say what holds."""
    if progress.overwrite:
        return None
    for payment in case.desired.payments:
        found = find_payment(payment, case, actual)
        ours = case.memory.payment_amounts.get(payment.key)
        if found is None or ours is None or found.amount in ours:
            continue
        after = [dict(entry.payments_after).get(payment.key) for entry in case.desired.refunds]
        if found.amount not in (payment.amount, *after):
            return Stop(
                case.edited(
                    f"the payment {payment.key} was changed in FreshBooks to"
                    f" {case.wording(found.amount)}."
                )
            )
    return None


def drop_unexplained(case: Case, actual: Actual) -> Step | Stop | None:
    """Take away a payment of ours that the shop no longer explains.

    A payment derived from the order's fields gives way to the transaction that came later. One
    that stands for a transaction is never deleted: if the shop shows the transaction no more
    (perhaps it was not asked for it), a person has to say what that means.
    """
    wanted = [find_payment(payment, case, actual) for payment in case.desired.payments]
    for found in actual.payments:
        part = part_paid(found, case.desired.invoice.marker)
        if part is not None and found not in wanted and found.amount > ZERO:
            key = _key_of(found, case)
            if part.part.startswith("transaction "):
                return _unexplained(case, found)
            return Step(
                StepKind.DELETE_PAYMENT,
                key,
                {"vis_state": 1},
                f"delete the payment of {case.wording(found.amount)} ({key}):"
                " the shop no longer has it",
                remote_id=found.id,
            )
    return None


def _unexplained(case: Case, found: ObservedPayment) -> Stop:
    return Stop(
        Parked(
            Reason.PAYMENT_UNEXPLAINED,
            f"FreshBooks has a payment of {case.wording(found.amount)} for a transaction that the"
            " shop no longer shows as captured.",
            "See that the tap reads transactions (stream and scope). If the money did not come,"
            " delete the payment in FreshBooks and replay the order.",
        )
    )


def _key_of(found: ObservedPayment, case: Case) -> str:
    return next(
        (key for key, remote in case.memory.payments.items() if remote == found.id),
        f"payment:{found.id}",
    )


def lower_payment(
    case: Case,
    actual: Actual,
    amounts: Mapping[str, Decimal],
    refund_id: int | None,
    progress: Progress,
) -> Step | None:
    """Lower the first payment that is above its amount in `amounts` (by payment key)."""
    for payment in case.desired.payments:
        found = find_payment(payment, case, actual)
        if found is not None and found.amount > amounts[payment.key]:
            return _set_amount(case, found, payment, amounts[payment.key], refund_id, progress)
    return None


def record_payment(
    case: Case,
    actual: Actual,
    booked: RefundEntry | None,
    ahead: Mapping[str, Decimal] | None,
    progress: Progress,
) -> Step | Stop | None:
    """Record or raise the first payment that is below its amount after the refund `booked`.

    A payment that already has the lower amount `ahead` of the next refund is left so: its lowering
    was interrupted before the refund's lines were added.
    """
    amounts = case.payments_at(booked)
    ahead = amounts if ahead is None else ahead
    for payment in case.desired.payments:
        wanted = amounts[payment.key]
        found = find_payment(payment, case, actual)
        if found is None:
            lowered_away = payment.key in case.memory.deleted_payments and ahead[payment.key] == 0
            if wanted == ZERO or lowered_away:
                continue
            if payment.key in case.memory.payments and not progress.overwrite:
                return Stop(
                    case.edited(
                        f"the payment of {case.wording(wanted)} ({payment.key}) was deleted in"
                        " FreshBooks."
                    )
                )
            return _create(case, actual, payment, wanted)
        if found.amount < wanted and not _lowered_ahead(found, payment, amounts, ahead):
            return _raise(case, actual, found, payment, wanted, progress)
    return None


def _lowered_ahead(
    found: ObservedPayment,
    payment: Payment,
    amounts: Mapping[str, Decimal],
    ahead: Mapping[str, Decimal],
) -> bool:
    return found.amount == ahead[payment.key] and ahead[payment.key] < amounts[payment.key]


def _create(case: Case, actual: Actual, payment: Payment, wanted: Decimal) -> Step | Stop:
    invoice = actual.invoice
    assert invoice is not None  # noqa: S101 - payments are planned for an invoice only
    if invoice.outstanding < wanted:
        return _foreign_money(case, actual, wanted)
    return Step(
        StepKind.CREATE_PAYMENT,
        payment.key,
        case.payment_body(invoice.id, payment, wanted),
        f"record the payment of {case.wording(wanted)} of {payment.day.isoformat()}"
        f" ({payment.type}, {payment.key})",
    )


def _raise(
    case: Case,
    actual: Actual,
    found: ObservedPayment,
    payment: Payment,
    wanted: Decimal,
    progress: Progress,
) -> Step | Stop:
    invoice = actual.invoice
    assert invoice is not None  # noqa: S101 - payments are planned for an invoice only
    if invoice.outstanding < wanted - found.amount:
        return _foreign_money(case, actual, wanted - found.amount)
    return _set_amount(case, found, payment, wanted, None, progress)


def put_back(case: Case, actual: Actual, progress: Progress) -> Step | None:
    """Raise what was lowered for a rewriting that did not come about, up to what came in."""
    invoice = actual.invoice
    assert invoice is not None  # noqa: S101 - payments are planned for an invoice only
    for payment in case.desired.payments:
        found = find_payment(payment, case, actual)
        if found is None or case.desired.refunds:
            continue
        most = min(payment.most, found.amount + invoice.outstanding)
        if found.amount < most:
            return _set_amount(case, found, payment, most, None, progress)
    return None


def _foreign_money(case: Case, actual: Actual, wanted: Decimal) -> Stop:
    return paid_elsewhere(case, actual, wanted, "a payment")


def _set_amount(
    case: Case,
    found: ObservedPayment,
    payment: Payment,
    wanted: Decimal,
    refund_id: int | None,
    progress: Progress,
) -> Step:
    direction = "lower" if wanted < found.amount else "raise"
    if wanted == ZERO and progress.zero_refused:
        return Step(
            StepKind.DELETE_PAYMENT,
            payment.key,
            {"vis_state": 1},
            f"delete the payment {payment.key}, of which nothing is left",
            remote_id=found.id,
            refund_id=refund_id,
        )
    return Step(
        StepKind.UPDATE_PAYMENT,
        payment.key,
        {"amount": case.money(wanted)},
        f"{direction} the payment {payment.key} from {case.wording(found.amount)}"
        f" to {case.wording(wanted)}",
        remote_id=found.id,
        refund_id=refund_id,
    )
