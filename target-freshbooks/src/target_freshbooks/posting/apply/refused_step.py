"""Refused step: what follows when FreshBooks refuses a step of an order's plan."""

import logging
from dataclasses import replace
from decimal import Decimal

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.books.draft_lines import has_negative
from target_freshbooks.freshbooks.errors import Conflict, Refused
from target_freshbooks.freshbooks.observed import DELETED, DRAFT
from target_freshbooks.freshbooks.refusals import CLIENT_FIELDS, RefusalKind, classify
from target_freshbooks.posting.apply.adoption import adopt_invoice
from target_freshbooks.posting.apply.parts import Parts, ReconcileState
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.identity import invoice_key
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import CLIENT, asked, left_alone
from target_freshbooks.posting.plan.payments import is_left_lowered
from target_freshbooks.posting.plan.steps import Step, StepKind
from target_freshbooks.posting.results import (
    OrderResult,
    number_taken,
    number_too_long,
    redeemed_refused,
    refused_result,
)
from target_freshbooks.posting.state import Observed

logger = logging.getLogger(__name__)

MOST_CONFLICTS = 5
CONFLICT_SECONDS = 0.2
"""How often a record that "is being changed by another request" is tried anew."""

NOT_OF_THE_HEAD = frozenset({RefusalKind.BUSY, RefusalKind.CLOSED_PERIOD})
"""Refusals that are not about the head: the same is taken another time."""

REFUND_STEPS = frozenset(
    {StepKind.UPDATE_INVOICE, StepKind.UPDATE_PAYMENT, StepKind.DELETE_PAYMENT}
)


def after_refusal(
    parts: Parts, at: ReconcileState, step: Step, refused: Refused
) -> ReconcileState | OrderResult:
    """Another way to the same end, or how the order comes out without it.

    Whatever follows, the same is asked for again only while another request is at the record.
    """
    if isinstance(refused, Conflict) and at.conflicts < MOST_CONFLICTS:
        # Another request is changing the record: it is looked at anew, and tried again.
        parts.stop.wait(CONFLICT_SECONDS * 2**at.conflicts)
        return replace(parts.look_again(at), conflicts=at.conflicts + 1)
    at = replace(at, unfulfilled=at.unfulfilled | {step.identity})
    progress, kind = at.progress, step.kind
    if kind is StepKind.CREATE_INVOICE:
        return _invoice_refused(parts, at, step, refused)
    if kind.record == "correction":
        return _correction_refused(parts, at, step, refused)
    if kind is StepKind.UPDATE_HEAD and classify(refused).kind not in NOT_OF_THE_HEAD:
        return _head_refused(parts, at, step, refused)
    if kind is StepKind.DELETE_OVERPAYMENT:
        return replace(parts.look_again(at), progress=replace(progress, credit_kept=True))
    if kind is StepKind.UPDATE_PAYMENT and _is_zero(step) and not progress.zero_refused:
        return replace(parts.look_again(at), progress=replace(progress, zero_refused=True))
    if step.refund_id is not None and kind in REFUND_STEPS:
        if step.refund_id in progress.refused_refunds:
            return refused_result(refused, kind.value, 0)
        return parts.after_refused_refund(at, step.refund_id, refused.words)
    without = _without_negatives(at, step, refused)
    if without is not None:
        return without
    return put_back(at, step, refused_result(refused, kind.value, 0))


def _head_refused(parts: Parts, at: ReconcileState, step: Step, refused: Refused) -> ReconcileState:
    """FreshBooks does not let the head follow the shop: it is left, and told."""
    meant = classify(refused)
    if meant.kind is RefusalKind.GONE:
        if meant.field not in CLIENT_FIELDS:
            at = parts.look_again(at)
            if not _stands(at.observed, step):
                return at
        anew = _of_another_client(parts, at) if CLIENT in step.body else None
        if anew is not None:
            return anew
    context = at.context
    head_asked = at.progress.head_asked | step.body.keys()
    at = replace(at, progress=replace(at.progress, head_asked=head_asked))
    link = parts.ledger.links.get("invoice", invoice_key(context.desired.order_id))
    if link is not None:
        tried = asked(link, step.body, context.desired.client.key)
        parts.ledger.links.put(left_alone(tried, step.body))
    logger.warning(
        "Order %s: FreshBooks refused to change the %s of invoice %s; it is left as it is",
        context.desired.order_id,
        ", ".join(sorted(step.body)),
        step.key,
    )
    return parts.look_again(at)


def _stands(observed: Observed, step: Step) -> bool:
    """Whether the invoice that the step was to change is there, so that something else is not."""
    invoice = observed.invoice
    return invoice is not None and invoice.id == step.remote_id and invoice.vis_state != DELETED


def _of_another_client(parts: Parts, at: ReconcileState) -> ReconcileState | None:
    """The same with the client found or made anew, since FreshBooks no longer has the one we met.

    None if that is the same one, or was done before: what is refused then is not the client.
    """
    if at.client_anew:
        return None
    clients, desired = parts.parties.clients, at.context.desired
    clients.forget(desired.client, at.context.client_id)
    client_id = clients.id_of(desired.client, desired.order_id, None)
    if client_id == at.context.client_id:
        return None
    return replace(at, context=replace(at.context, client_id=client_id), client_anew=True)


def _without_negatives(at: ReconcileState, step: Step, refused: Refused) -> ReconcileState | None:
    """The same with lines that are not below zero, if that may be the cause."""
    if classify(refused).kind not in {RefusalKind.NEGATIVE, RefusalKind.UNKNOWN}:
        return None
    if not step.writes_sale or at.context.negatives_refused:
        return None
    if not at.context.desired.invoice.without_negatives:
        return None
    if not has_negative(wire.from_body(step.body)):
        return None
    progress = replace(at.progress, written=False, mended=False)
    return replace(at, context=replace(at.context, negatives_refused=True), progress=progress)


def _invoice_refused(
    parts: Parts, at: ReconcileState, step: Step, refused: Refused
) -> ReconcileState | OrderResult:
    context, meant = at.context, classify(refused)
    of_number = meant.field == "invoice_number"
    if of_number and meant.kind is RefusalKind.TOO_LONG:
        return OrderResult("parked", parked=number_too_long(context, refused), words=refused.words)
    if of_number and meant.kind is RefusalKind.TAKEN:
        observed = _taken(parts, context)
        if observed.invoice is None:
            return OrderResult(
                "parked",
                parked=number_taken(context.desired.invoice.number),
                words=refused.words,
            )
        parts.brake.found(context.desired.order_id)
        if observed.invoice.vis_state != DELETED:
            parts.profile.learn("refuses_taken_numbers", value=True)
        return replace(
            at,
            observed=observed,
            context=adopt_invoice(parts, context, observed),
        )
    if meant.kind is RefusalKind.GONE:
        anew = _of_another_client(parts, at)
        if anew is not None:
            return replace(anew, observed=Observed())
    without = _without_negatives(at, step, refused) or _unmarked(parts, at, refused)
    if without is not None:
        return without
    result = refused_result(refused, StepKind.CREATE_INVOICE.value, 0)
    if meant.kind is RefusalKind.NEGATIVE and context.desired.redeemed and result.parked:
        return replace(result, parked=redeemed_refused(result.parked))
    return result


def _correction_refused(
    parts: Parts, at: ReconcileState, step: Step, refused: Refused
) -> ReconcileState | OrderResult:
    """A correction that stands already is gone on with; else the order is parked."""
    if classify(refused).kind is not RefusalKind.TAKEN:
        return refused_result(refused, step.kind.value, 0)
    again = parts.look_again(at)
    if int(step.key) in again.observed.corrections:
        return again
    taken = number_taken(step.body["invoice_number"])
    return OrderResult("parked", parked=taken, words=refused.words)


def _unmarked(parts: Parts, at: ReconcileState, refused: Refused) -> ReconcileState | None:
    """The same without the mark in a field that is too short for it: the other one has it."""
    meant = classify(refused)
    if meant.kind is not RefusalKind.TOO_LONG or at.context.unmarked:
        return None
    if meant.field not in {"notes", "po_number"}:
        return None
    parts.profile.learn("unmarked_field", meant.field)
    return replace(at, context=replace(at.context, unmarked=meant.field))


def _taken(parts: Parts, context: OrderContext) -> Observed:
    """Whose the taken number is: looked for among the deleted invoices as well."""
    find, number = parts.books.invoices.find, context.desired.invoice.number
    invoice = find(number) or find(number, deleted=True)
    return Observed() if invoice is None else parts.observer.around(context, invoice)


def put_back(at: ReconcileState, step: Step, result: OrderResult) -> ReconcileState | OrderResult:
    """If the sale cannot be reworded, what was lowered for it is raised again first."""
    invoice = at.observed.invoice
    if at.blocked is not None or invoice is None or invoice.status == DRAFT:
        return at.blocked or result
    if not step.rewriting:
        return result
    blocked = replace(at.progress, rewrite_blocked=True)
    return replace(at, progress=blocked, blocked=result)


def is_to_be_put_back(at: ReconcileState, stop: Parked) -> bool:
    """Whether payments may be lowered for a wording that does not come about, given this stop."""
    invoice = at.observed.invoice
    if at.blocked is not None or invoice is None or invoice.status == DRAFT:
        return False
    begun = at.progress.rewriting or stop.reason is Reason.TOTAL_MISMATCH
    return begun or is_left_lowered(at.context, at.observed)  # by a run that was killed


def _is_zero(step: Step) -> bool:
    amount = step.body.get("amount")
    return isinstance(amount, dict) and Decimal(amount["amount"]) == 0
