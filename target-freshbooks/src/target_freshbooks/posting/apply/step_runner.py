"""Step runner: makes one step of an order's plan, unless it must not be made."""

import logging
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from target_freshbooks.freshbooks.errors import Refused, Throttled
from target_freshbooks.freshbooks.observed import (
    ARCHIVED,
    DELETED,
    DRAFT,
)
from target_freshbooks.freshbooks.refusals import RefusalKind, classify
from target_freshbooks.ledger import Link, Terms
from target_freshbooks.posting.apply.effects import (
    advance,
    after,
    asked_link,
    is_fulfilled,
    links_of,
)
from target_freshbooks.posting.apply.fence import ClosedDay, days_of
from target_freshbooks.posting.apply.outcome_lookup import RetriesExhausted
from target_freshbooks.posting.apply.parts import Parts, ReconcileState, load_recorded, with_links
from target_freshbooks.posting.apply.refused_step import REFUND_STEPS, after_refusal, put_back
from target_freshbooks.posting.apply.writer import MOST_THROTTLED, OutcomeUnknown
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.identity import invoice_key, record_link
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.next_step import next_step
from target_freshbooks.posting.plan.overpayment import credit_by_hand, overpaid_by_hand
from target_freshbooks.posting.plan.steps import RESTS_ON_LOOK, Step, StepKind
from target_freshbooks.posting.results import (
    OrderResult,
    no_progress,
)
from target_freshbooks.posting.state import Observed, Recorded

logger = logging.getLogger(__name__)


LOOK_SECONDS = 2.0
"""So old may the look at an invoice be before it is changed, or money is booked on it."""

LOOKS = frozenset({StepKind.CREATE_INVOICE, StepKind.MARK_SENT})
"""Steps whose answer is as good as a look: nobody else pays what is new, or was a Draft."""

MOST_WORDINGS = 4
"""So many ways to word an invoice's lines are tried in one attempt."""


def run_step(parts: Parts, at: ReconcileState, step: Step) -> ReconcileState | OrderResult:
    """Where the order stands once the step is made, or how it comes out without it."""
    if step.kind is StepKind.DELETE_CORRECTION:
        logger.warning("Order %s: %s", at.context.desired.order_id, step.why)
    return _blocked(parts, at, step) or _take(parts, at, step)


def _blocked(parts: Parts, at: ReconcileState, step: Step) -> ReconcileState | OrderResult | None:
    """What becomes of a step that must not be made; None if it may be.

    A step that FreshBooks did not fulfil is not asked for again, and an attempt has no more
    writes than its parts can need: whoever else is at work on the records, or whatever
    FreshBooks does with them, nothing is repeated that did not help.
    """
    spent = at.writes >= most_writes(at.context) and not undoes(step, at.observed)
    if not spent and step.identity not in at.unfulfilled:
        return None
    refund_id = step.refund_id if step.kind in REFUND_STEPS else None
    if refund_id is not None and refund_id not in at.progress.refused_refunds:
        return parts.after_refused_refund(at, refund_id, "FreshBooks left it undone")
    parked = OrderResult("parked", parked=no_progress(at.context, step))
    return put_back(at, step, parked)


def _take(parts: Parts, at: ReconcileState, step: Step) -> ReconcileState | OrderResult:
    """Take a step; after an unknown outcome or a refusal, look what stands."""
    is_old = step.kind in RESTS_ON_LOOK and time.monotonic() - at.looked > LOOK_SECONDS
    if is_old or at.observed.listed:
        at = parts.look_again(at)
        if next_step(at.context, at.observed, at.progress) != step:
            return at
    _count_rewriting(parts, at, step)
    try:
        observed, recorded, fulfilled = _apply(parts, at.context, step, at.observed)
    except OutcomeUnknown as unknown:
        try:
            happened = parts.settle_unknown(unknown)
        except RetriesExhausted as given_up:
            return _given_up(parts, at, step, given_up)
        progress = advance(at.progress, step) if happened else at.progress
        return replace(parts.look_again(at), progress=progress, writes=at.writes + happened)
    except Throttled as throttled:
        if at.throttled >= MOST_THROTTLED:
            raise
        logger.warning("%s; looking again before it is written", throttled)
        return replace(parts.look_again(at), throttled=at.throttled + 1)
    except Refused as refused:
        _note_lock(at, step, refused)
        return after_refusal(parts, at, step, refused)
    taken = replace(
        at,
        context=replace(at.context, recorded=recorded),
        observed=observed,
        progress=advance(at.progress, step),
        writes=at.writes + 1,
    )
    if step.kind in LOOKS:
        taken = replace(taken, looked=time.monotonic())
    taken = _with_credit_by_hand(parts, at.observed, taken)
    if fulfilled:
        return taken
    logger.warning(
        "Order %s: FreshBooks answered %s but did not do all of it; looking again",
        at.context.desired.order_id,
        step.kind.value.replace("_", " "),
    )
    return replace(parts.look_again(taken), unfulfilled=taken.unfulfilled | {step.identity})


def _count_rewriting(parts: Parts, at: ReconcileState, step: Step) -> None:
    """Count a step that changes what an invoice says, sent or a Draft, since its order changed.

    To bring a Draft's lines to the total of the order that they were made from is none.
    """
    context, invoice = at.context, at.observed.invoice
    edited = context.recorded.content is not None and context.is_edited
    if invoice is not None and (
        step.rewrites or (step.writes_sale and (edited or at.progress.reword))
    ):
        parts.brake.before_rewriting(context.desired.order_id, invoice.number)


def _note_lock(at: ReconcileState, step: Step, refused: Refused) -> None:
    """A day that FreshBooks refused as locked: what was lowered before may still be put back.

    Of the days of a payment and of its invoice the earlier one: which of both is locked is not
    said, but what is locked is all that is before a day.
    """
    if isinstance(refused, ClosedDay):
        if refused.locked:  # by another order of the run, since this one was planned
            at.locked.add(refused.day)
        return
    if classify(refused).kind is not RefusalKind.CLOSED_PERIOD:
        return
    days = days_of(step.body, at.observed.record(step.kind.record, step.remote_id))
    invoice = at.observed.invoice
    if invoice is not None and step.kind.record == "payment":
        days.append(invoice.create_date)
    unknown = [day for day in days if day not in at.context.closed]
    if unknown:
        at.locked.add(min(unknown))


def _with_credit_by_hand(parts: Parts, before: Observed, at: ReconcileState) -> ReconcileState:
    """Note what somebody paid on a sent invoice just before its total fell."""
    former, invoice = before.invoice, at.observed.invoice
    if former is None or invoice is None or former.status == DRAFT:
        return at
    if invoice.vis_state == DELETED or invoice.amount >= former.amount:
        return at
    observed = parts.observer.around(at.context, invoice)
    payment = overpaid_by_hand(at.context, before, observed)
    if payment is None or payment.overpayment_id is None:
        return replace(at, observed=observed)
    credit = parts.overpayment(payment.overpayment_id, invoice.customer_id)
    follow_up = None if credit is None else credit_by_hand(invoice.number, payment, credit)
    return replace(at, observed=observed, follow_up=follow_up)


def _given_up(
    parts: Parts, at: ReconcileState, step: Step, given_up: RetriesExhausted
) -> ReconcileState:
    """Lines that cannot be written leave nothing half-way: first the payments are as before.

    Raises:
        RetriesExhausted: It was no step of a refund or of a rewriting, or there is nothing to put
            back.
    """
    if at.given_up is not None:
        raise given_up
    at = replace(at, given_up=given_up)
    if step.rewriting:
        at = replace(at, progress=replace(at.progress, rewrite_blocked=True))
        return parts.look_again(at)
    if step.refund_id is None or step.kind not in REFUND_STEPS:
        raise given_up
    return parts.after_refused_refund(at, step.refund_id, str(given_up))


def _apply(
    parts: Parts, context: OrderContext, step: Step, observed: Observed
) -> tuple[Observed, Recorded, bool]:
    """Make the step; what FreshBooks holds then, what is known of it, and whether it was done."""
    order_id = context.desired.order_id
    content = context.content if step.writes_sale else None
    invoice = observed.invoice
    if "create_date" in step.body and step.kind.record == "invoice":
        day = date.fromisoformat(step.body["create_date"])
        parts.ledger.terms.keep(order_id, Terms(context.policy.terms(), day))
    if step.kind.record == "invoice" and invoice is not None and invoice.vis_state == ARCHIVED:
        _remember_archived(parts, order_id)
        context = replace(
            context, recorded=load_recorded(parts.ledger, order_id, context.recorded.row)
        )
    known = None
    if step.kind.record == "payment" or step.kind is StepKind.DELETE_OVERPAYMENT:
        known = context.recorded.payments.get(step.key)
    standing = next((row for row in observed.payments if row.id == step.remote_id), None)
    if known is None and standing is not None and step.kind is StepKind.DELETE_PAYMENT:
        known = record_link("payment", order_id, step.key, standing)
    if known is not None and step.remote_id == known.remote_id:
        known = asked_link(known, step, standing)
        parts.ledger.links.put_soon(known)  # with the intent, before the write
    answers, made = list[Any](), [known] if known else []

    def links(answer: Any) -> list[Link]:  # noqa: ANN401 - the Observed record of the kind
        answers.append(_whole(parts, step, answer))
        new = links_of(context, step, answers[-1], known)
        made.extend(new)
        return new

    parts.writer.write(
        kind=step.kind,
        key=step.key,
        body=step.body,
        order_id=order_id,
        remote_id=step.remote_id,
        content=content,
        expression=step.refund_expression if step.kind.record == "credit_note" else None,
        why=step.why,
        standing=observed.record(step.kind.record, step.remote_id),
        links=links,
    )
    if step.kind.record == "invoice" and "lines" in step.body:
        parts.profile.learn_from(wire.from_body(step.body), answers[-1])
    recorded = with_links(context.recorded, made)
    answer = answers[-1]
    return after(observed, step, answer), recorded, is_fulfilled(step.kind, step.body, answer)


def _remember_archived(parts: Parts, order_id: int) -> None:
    """FreshBooks may take the invoice out of the archive for the write that follows."""
    link = parts.ledger.links.get("invoice", invoice_key(order_id))
    if link is not None and not link.extra.get("archived"):
        parts.ledger.links.put(replace(link, extra={**link.extra, "archived": True}))


def _whole(parts: Parts, step: Step, answer: Any) -> Any:  # noqa: ANN401 - as above
    """The answer; an invoice that was answered without its lines is read."""
    if step.kind.record in {"invoice", "correction"} and answer.lines is None:
        return parts.books.invoices.get(answer.id)
    return answer


def most_writes(context: OrderContext) -> int:
    """The most writes that one attempt at an order may need, its client and items apart."""
    wanted = context.desired
    reductions = (wanted.refunds, wanted.corrections, context.recorded.corrections)
    return 3 + MOST_WORDINGS + 2 * len(wanted.payments) + 3 * sum(map(len, reductions))


def undoes(step: Step, observed: Observed) -> bool:
    """Whether a step only brings back what was: such steps end by themselves, and are never spared.

    A payment that is raised or taken back, a credit that FreshBooks made, the archive.
    """
    if step.kind is StepKind.UPDATE_PAYMENT:
        before = [row.amount for row in observed.payments if row.id == step.remote_id]
        return any(Decimal(step.body["amount"]["amount"]) > amount for amount in before)
    return step.kind in {
        StepKind.DELETE_PAYMENT,
        StepKind.DELETE_OVERPAYMENT,
        StepKind.ARCHIVE_INVOICE,
    }
