"""Completion: what the ledger remembers once a part of an order, or all of it, is as desired."""

import logging
from dataclasses import replace

from target_freshbooks.freshbooks.errors import FreshBooksError
from target_freshbooks.freshbooks.observed import ACTIVE
from target_freshbooks.ledger import Ledger
from target_freshbooks.posting.apply.effects import without_overpayment
from target_freshbooks.posting.apply.parts import Parts, ReconcileState
from target_freshbooks.posting.apply.restoration import is_taken, left_to_stand
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.identity import (
    bringing_in,
    find_payment,
    leaving,
    part_key,
    part_paid,
    record_link,
)
from target_freshbooks.posting.plan.draft import KEPT_AS_DRAFT
from target_freshbooks.posting.plan.head import (
    asked,
    asked_head,
    staying,
)
from target_freshbooks.posting.plan.overpayment import capped
from target_freshbooks.posting.plan.payments import steps_back
from target_freshbooks.posting.results import (
    OrderResult,
    refund_refused,
)

logger = logging.getLogger(__name__)


class AnotherWriter(FreshBooksError):  # noqa: N818 - it names the situation
    """Somebody else books the same orders into the same account, with our own notes."""

    def __init__(self, number: str, payment_id: int) -> None:
        super().__init__(
            "posting",
            f"Another writer is at work: while a payment of invoice {number} was recorded, payment"
            f" {payment_id} with our own note appeared on it. Ours was taken back. One FreshBooks"
            " account has one ledger: stop the other run, let both use the same ledger_url, and"
            " run again.",
        )


def forget_gone_credits(parts: Parts, at: ReconcileState) -> ReconcileState:
    """Forget the credits of overpayments that do not stand any more.

    One that was never seen may have been made too lately for a search to show it.

    Raises:
        AnotherWriter: What was paid instead bears our own note.
    """
    recorded, order_id = at.context.recorded, at.context.desired.order_id
    standing, invoice = at.observed.overpayments, at.observed.invoice
    at = replace(at, seen_credits=at.seen_credits | standing.keys())
    gone = recorded.overpayments.keys() - standing.keys()
    gone -= capped(at.context, at.observed).keys()
    if invoice is None:
        return at
    for key in gone - at.seen_credits:
        credit = parts.overpayment(recorded.overpayments[key], invoice.customer_id)
        if credit is not None:
            standing = {**standing, key: credit}
    if len(standing) > len(at.observed.overpayments):
        return replace(at, observed=replace(at.observed, overpayments=standing))
    for key in gone:
        link = parts.ledger.links.get("payment", part_key(order_id, key))
        if link is not None:
            parts.ledger.links.put(without_overpayment(link))
    if not gone:
        return at
    ours = set(recorded.payment_ids.values())
    for payment in at.observed.payments:
        if part_paid(payment, at.context.desired.invoice.marker) and payment.id not in ours:
            raise AnotherWriter(at.context.desired.invoice.number, payment.id)
    return parts.with_recorded(at)


def completed(at: ReconcileState, ledger: Ledger) -> OrderResult:
    """How an order comes out of which nothing is left to write."""
    progress, writes, desired = at.progress, at.writes, at.context.desired
    for link in filter(is_taken, at.context.recorded.payments.values()):
        ledger.links.put_soon(left_to_stand(link))
    _remember_the_end(at, ledger)
    _remember_corrections(at, ledger)
    invoices = (at.observed.invoice, *at.observed.corrections.values())
    if any(at.context.keeps_draft(invoice, send=progress.send) for invoice in invoices):
        return OrderResult("waiting", why=KEPT_AS_DRAFT, writes=writes)
    if progress.refused_refunds:
        refund_id, words = next(iter(progress.refused_refunds.items()))
        parked = refund_refused(desired, refund_id, words)
        return OrderResult("parked", parked=parked, words=words, writes=writes, booked=True)
    if desired.flag is not None and not desired.hold:
        return OrderResult("parked", parked=desired.flag, writes=writes, booked=True)
    return OrderResult("posted", writes=writes, booked=True)


def with_left_to_do(at: ReconcileState, result: OrderResult) -> OrderResult:
    """The result, naming what was lowered for a rewriting and could not be put back."""
    if at.blocked is None or result.parked is None or at.observed.invoice is None:
        return result
    left = [step.why for step in steps_back(at.context, at.observed, at.progress)]
    remainder = "".join(f" It is left to {why}." for why in left)
    parked = replace(result.parked, detail=f"{result.parked.detail}{remainder}")
    return replace(result, parked=parked)


def _remember_the_end(at: ReconcileState, ledger: Ledger) -> None:
    """Nothing is left to write: what a person changed and keeps, stands from now on."""
    context, invoice, link = at.context, at.observed.invoice, at.context.recorded.invoice
    if invoice is None or link is None:
        return
    # The lines are the order's, also where they were made from other facts of it.
    ended = replace(link, content_hash=context.content) if link.content_hash else link
    if at.progress.overwrite and context.was_edited(invoice):
        ended = replace(
            ended,
            fingerprint=fingerprint(invoice),
            amount=invoice.amount,
            content_hash=context.content,
        )
    left = staying(context, invoice)
    new = left - {*context.recorded.left}
    if new:
        logger.warning(
            "Order %s: %s of invoice %s was changed in FreshBooks and is left as it is",
            context.desired.order_id,
            ", ".join(sorted(new)),
            invoice.number,
        )
    ended = leaving(asked(ended, asked_head(context), context.desired.client.key), sorted(left))
    if ended.extra.get("archived") and invoice.vis_state != ACTIVE:
        ended = replace(ended, extra={**ended.extra, "archived": False})
    if ended != link:
        ledger.links.put_soon(ended)
    payments = context.desired.payments
    surplus = any(payment.received is not None for payment in payments)
    for payment in payments:
        before = known = context.recorded.payments.get(payment.key)
        standing = find_payment(payment, context.recorded, at.observed)
        if standing is not None and payment.key not in context.recorded.payment_ids:
            # Known by its note so far: from now on an edit by hand is told from our own amount.
            known = record_link("payment", context.desired.order_id, payment.key, standing)
        if known is not None:
            known = bringing_in(
                known, payment.most if len(payments) == 1 else None, surplus=surplus
            )
        if known is not None and known != before:
            ledger.links.put_soon(known)


def _remember_corrections(at: ReconcileState, ledger: Ledger) -> None:
    """Corrections known by their marks so far: from now on an edit by hand is seen."""
    recorded, order_id = at.context.recorded, at.context.desired.order_id
    for kind, refund_id, record in at.observed.beside():
        if not recorded.knows(kind, refund_id):
            ledger.links.put_soon(record_link(kind, order_id, refund_id, record))
