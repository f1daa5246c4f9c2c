"""What a step does: to what FreshBooks holds, to what we remember, to how far the attempt is.

FreshBooks' answer to a write tells what it holds now, so no second request is needed to know.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks.ledger import Link
from target_freshbooks.posting import keys
from target_freshbooks.posting.steps import Actual, Progress, Step, StepKind
from target_freshbooks.posting.writer import invoice_link

if TYPE_CHECKING:
    from target_freshbooks.freshbooks.observed import ObservedPayment
    from target_freshbooks.posting.case import Case

INVOICE_STEPS = frozenset(
    {
        StepKind.CREATE_INVOICE,
        StepKind.UPDATE_INVOICE,
        StepKind.MARK_SENT,
        StepKind.DELETE_INVOICE,
    }
)
PAYMENT_STEPS = frozenset(
    {StepKind.CREATE_PAYMENT, StepKind.UPDATE_PAYMENT, StepKind.DELETE_PAYMENT}
)


def after(actual: Actual, step: Step, answer: Any) -> Actual:  # noqa: ANN401 - by kind of step
    """What FreshBooks holds once it has answered the step: no second request needed to know."""
    if step.kind in INVOICE_STEPS:
        return replace(actual, invoice=answer)
    if step.kind in PAYMENT_STEPS:
        return _after_payment(actual, step, answer)
    others = tuple(note for note in actual.credit_notes if note.id != answer.id)
    gone = step.kind is StepKind.DELETE_CREDIT_NOTE
    return replace(actual, credit_notes=others if gone else (*others, answer))


def _after_payment(actual: Actual, step: Step, answer: ObservedPayment) -> Actual:
    before = next((row.amount for row in actual.payments if row.id == answer.id), Decimal(0))
    gone = step.kind is StepKind.DELETE_PAYMENT
    now = Decimal(0) if gone else answer.amount
    others = tuple(row for row in actual.payments if row.id != answer.id)
    invoice = actual.invoice
    if invoice is not None:
        invoice = replace(
            invoice,
            paid=invoice.paid + now - before,
            outstanding=invoice.outstanding - now + before,
        )
    return replace(actual, invoice=invoice, payments=others if gone else (*others, answer))


def advance(progress: Progress, step: Step) -> Progress:
    """The attempt's progress once the step is taken."""
    if step.kind is StepKind.MARK_SENT or step.kind is StepKind.UPDATE_INVOICE:
        # What follows a proven total is not about the sale's wording any more.
        progress = replace(progress, expression=-1, mended=False)
    if step.expression >= 0:
        progress = replace(progress, expression=step.expression, mended=step.mended)
    if step.refund_id is not None and step.refund_expression >= 0:
        if step.kind in {StepKind.CREATE_CREDIT_NOTE, StepKind.DELETE_CREDIT_NOTE}:
            known = {**progress.credit_expression, step.refund_id: step.refund_expression}
            return replace(progress, credit_expression=known)
        known = {**progress.refund_expression, step.refund_id: step.refund_expression}
        return replace(progress, refund_expression=known)
    return progress


def links_of(case: Case, step: Step, answer: Any) -> list[Link]:  # noqa: ANN401 - by kind of step
    """The links to remember once the step is answered."""
    order_id = case.desired.order_id
    if step.kind in INVOICE_STEPS:
        content = case.content if step.expression >= 0 else case.memory.content
        return [
            invoice_link(answer, key=keys.invoice_key(order_id), order_id=order_id, content=content)
        ]
    if step.kind in PAYMENT_STEPS:
        return [
            replace(
                payment_link(answer, key=keys.payment_key(order_id, step.key), order_id=order_id),
                deleted=step.kind is StepKind.DELETE_PAYMENT,
            )
        ]
    return [
        Link(
            kind="credit_note",
            key=keys.credit_note_key(order_id, step.key),
            remote_id=answer.id,
            order_id=order_id,
            deleted=step.kind is StepKind.DELETE_CREDIT_NOTE,
            fingerprint=str(answer.amount),
            extra={"expression": step.refund_expression},
        )
    ]


def payment_link(payment: ObservedPayment, *, key: str, order_id: int) -> Link:
    """The link to a payment as it stands now."""
    return Link("payment", key, payment.id, fingerprint=str(payment.amount), order_id=order_id)


def asked_link(known: Link, step: Step) -> Link:
    """The link to a payment that is about to get another amount.

    A run that is killed then, or gets no answer, must not take its own change for a person's.
    """
    asked = [*known.extra.get("asked", ()), step.body["amount"]["amount"]]
    return replace(known, extra={**known.extra, "asked": asked})
