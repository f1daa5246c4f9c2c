"""What a step does: to what FreshBooks to what we remember, to how far the attempt is.

FreshBooks' answer to a write tells what it holds now, so no second request is needed to know. But
an answer of 200 proves nothing: FreshBooks caps a payment at what is outstanding, and may leave out
fields that it will not change. What was not fulfilled is not asked for again in the same attempt.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from target_freshbooks.freshbooks.observed import DELETED, DRAFT, ObservedInvoice, ObservedPayment
from target_freshbooks.ledger import Link
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.identity import (
    invoice_link,
    part_link,
    record_link,
)
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import (
    CLIENT,
    differing,
    head_of,
    left_alone,
    written,
)
from target_freshbooks.posting.plan.steps import DELETIONS, AttemptState, Step, StepKind
from target_freshbooks.posting.state import Observed


def after(observed: Observed, step: Step, answer: Any) -> Observed:  # noqa: ANN401 - by kind of step
    """What FreshBooks holds once it has answered the step: no second request needed to know."""
    if step.kind.record == "invoice":
        return replace(observed, invoice=answer)
    if step.kind.record == "payment":
        return _after_payment(observed, step, answer)
    if step.kind.record == "correction":
        return replace(observed, corrections=_by_refund(observed.corrections, step, answer))
    if step.kind.record == "expense":
        return replace(observed, expenses=_by_refund(observed.expenses, step, answer))
    if step.kind is StepKind.DELETE_OVERPAYMENT:
        left = {key: note for key, note in observed.overpayments.items() if key != step.key}
        return replace(observed, overpayments=left)
    others = tuple(note for note in observed.credit_notes if note.id != answer.id)
    gone = step.kind is StepKind.DELETE_CREDIT_NOTE
    return replace(observed, credit_notes=others if gone else (*others, answer))


def _by_refund(before: Mapping[int, Any], step: Step, answer: Any) -> dict[int, Any]:  # noqa: ANN401 - as above
    left = {key: row for key, row in before.items() if key != int(step.key)}
    return left if step.kind in DELETIONS else {**left, int(step.key): answer}


def _after_payment(observed: Observed, step: Step, answer: ObservedPayment) -> Observed:
    before = next((row.amount for row in observed.payments if row.id == answer.id), Decimal(0))
    gone = step.kind is StepKind.DELETE_PAYMENT
    now = Decimal(0) if gone else answer.amount
    others = tuple(row for row in observed.payments if row.id != answer.id)
    invoice = observed.invoice
    if invoice is not None:
        invoice = replace(
            invoice,
            paid=invoice.paid + now - before,
            outstanding=invoice.outstanding - now + before,
        )
    return replace(observed, invoice=invoice, payments=others if gone else (*others, answer))


def advance(progress: AttemptState, step: Step) -> AttemptState:
    """The attempt's progress once the step is taken."""
    if step.kind in {StepKind.MARK_SENT, StepKind.UPDATE_INVOICE}:
        # What follows a proven total is not about the sale's lines any more.
        progress = replace(progress, written=False, mended=False)
    if step.kind is StepKind.UPDATE_HEAD:
        progress = replace(progress, head_asked=progress.head_asked | step.body.keys())
    if step.rewriting:
        progress = replace(progress, rewriting=not step.writes_sale)
    if step.writes_sale:
        progress = replace(progress, written=True, mended=step.mended)
    if step.refund_id is not None and step.refund_expression >= 0:
        if step.kind in {StepKind.CREATE_CREDIT_NOTE, StepKind.DELETE_CREDIT_NOTE}:
            known = {**progress.credit_expression, step.refund_id: step.refund_expression}
            return replace(progress, credit_expression=known)
        known = {**progress.refund_expression, step.refund_id: step.refund_expression}
        return replace(progress, refund_expression=known)
    return progress


def links_of(context: OrderContext, step: Step, answer: Any, known: Link | None) -> list[Link]:  # noqa: ANN401 - by kind of step
    """The links to remember once the step is answered.

    Args:
        context: The order's case.
        step: The step.
        answer: The Observed record that FreshBooks answered.
        known: The link to the payment that the step is about, if there was one.
    """
    order_id = context.desired.order_id
    if step.kind.record == "invoice":
        return [_invoice_link(context, step, answer)]
    if step.kind.record == "payment":
        return [_payment_link(context, step, answer, known)]
    if step.kind is StepKind.DELETE_OVERPAYMENT:
        return []  # the next look shows whether the credit is gone, and what was paid instead
    gone = step.kind in DELETIONS
    if step.kind.record in {"correction", "expense"}:
        return [record_link(step.kind.record, order_id, step.key, answer, deleted=gone)]
    link = part_link("credit_note", order_id, step.key, answer.id, deleted=gone)
    return [replace(link, amount=answer.amount, extra={"expression": step.refund_expression})]


def _invoice_link(context: OrderContext, step: Step, invoice: ObservedInvoice) -> Link:
    link = invoice_link(
        invoice,
        context.desired.order_id,
        content=context.content if step.writes_sale else context.recorded.content,
        extra=context.recorded.extra,
    )
    key = context.desired.client.key
    if step.kind is StepKind.CREATE_INVOICE:
        return written(replace(link, extra={}), invoice, head_of(step.body), key)
    if step.kind is StepKind.UPDATE_HEAD:
        ours = written(link, invoice, step.body, key)
        return left_alone(ours, differing(invoice, step.body), step.body)
    if step.kind is StepKind.ARCHIVE_INVOICE:
        return replace(link, extra={**link.extra, "archived": False})
    return link


def _payment_link(
    context: OrderContext, step: Step, payment: ObservedPayment, known: Link | None
) -> Link:
    gone = step.kind is StepKind.DELETE_PAYMENT
    link = record_link("payment", context.desired.order_id, step.key, payment)
    kept = {} if known is None else known.extra
    names = ("wanted", "overpayment")
    extra: dict[str, Any] = {name: kept[name] for name in names if name in kept}
    if step.kind is StepKind.CREATE_PAYMENT:
        extra = asked_first(step.body, payment)
    elif not gone:
        extra |= _capped(payment, Decimal(step.body["amount"]["amount"]))
    if known is not None and known.remote_id == payment.id and known.day is not None:
        link = replace(link, day=known.day)  # a day that was changed by hand stays to be told
    return replace(link, deleted=gone, extra=extra)


def asked_first(body: Mapping[str, Any], payment: ObservedPayment) -> dict[str, Any]:
    """What is remembered of a payment just made: the amount asked for, and a credit made of it."""
    asked = body["amount"]["amount"]
    return {"wanted": ["0", asked], **_capped(payment, Decimal(asked))}


def _capped(payment: ObservedPayment, asked: Decimal) -> dict[str, Any]:
    capped = payment.overpayment_id is not None and payment.amount < asked
    return {"overpayment": payment.overpayment_id} if capped else {}


def is_raise_capped(known: Link, body: Mapping[str, Any], payment: ObservedPayment) -> bool:
    """Whether FreshBooks raised the payment by less than asked and made the rest a new credit.

    Args:
        known: Its link as of before the write, see `asked_link`.
        body: What was asked for.
        payment: As it stands.
    """
    before = Decimal(known.extra.get("wanted", ["0"])[0])
    credit = _capped(payment, Decimal(body["amount"]["amount"])).get("overpayment")
    is_new = credit is not None and credit != known.extra.get("overpayment")
    return payment.vis_state != DELETED and is_new and before <= payment.amount


def asked_link(known: Link, step: Step, standing: ObservedPayment | None) -> Link:
    """The link to a payment that is about to get another amount, or to go.

    A run that is killed then, or gets no answer, must not take its own change for a person's, and
    must know which credit FreshBooks made of it.
    """
    extra = dict(known.extra)
    if standing is not None and standing.overpayment_id is not None:
        extra["overpayment"] = standing.overpayment_id
    if step.kind is StepKind.UPDATE_PAYMENT:
        amount = step.body["amount"]["amount"]
        extra["asked"] = [*extra.get("asked", ()), amount]
        if standing is not None:
            extra["wanted"] = [str(standing.amount), amount]
    return replace(known, extra=extra)


def without_overpayment(link: Link) -> Link:
    """The link to a payment once the credit that FreshBooks made of it is gone."""
    return replace(
        link, extra={name: value for name, value in link.extra.items() if name != "overpayment"}
    )


def is_fulfilled(kind: StepKind, body: Mapping[str, Any], answer: Any) -> bool:  # noqa: ANN401 - the Observed record of the kind
    """Whether the answer shows what a write of the body was to bring about."""
    if kind in DELETIONS:
        return bool(answer.vis_state == DELETED)
    if kind in {StepKind.MARK_SENT, StepKind.SEND_CORRECTION}:
        return bool(answer.status != DRAFT)
    if kind.record in {"payment", "expense"}:
        stands = answer.vis_state != DELETED  # a deleted one keeps its amount
        return bool(stands and answer.amount == Decimal(body["amount"]["amount"]))
    creates = kind in {StepKind.CREATE_INVOICE, StepKind.CREATE_CORRECTION}
    if creates and answer.number != body["invoice_number"]:
        return False
    if creates and answer.customer_id != body[CLIENT]:
        return False
    if kind is StepKind.UPDATE_HEAD:
        return not differing(answer, body)
    if "lines" in body and kind.record in {"invoice", "correction"}:
        return wire.agree(wire.from_body(body), wire.standing(answer))
    return True
