"""Completion: nothing is left to write, and what a person changed and keeps stands from now on."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.freshbooks.observed import ACTIVE
from target_freshbooks.posting.apply import refusals
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.identity import (
    correction_link,
    expense_link,
    find_payment,
    invoice_key,
    payment_link,
)
from target_freshbooks.posting.plan.head import (
    CLIENT,
    PARTS,
    differing,
    due_parts,
    left_alone,
    remembered,
    was_changed,
)
from target_freshbooks.posting.plan.kept_drafts import DRAFT as KEPT_AS_DRAFT
from target_freshbooks.posting.plan.kept_drafts import is_kept
from target_freshbooks.posting.results import OrderResult

if TYPE_CHECKING:
    from target_freshbooks.ledger import Ledger
    from target_freshbooks.posting.state.reconcile_state import ReconcileState

logger = logging.getLogger(__name__)


def completed(at: ReconcileState, ledger: Ledger) -> OrderResult:
    """How an order comes out of which nothing is left to write."""
    progress, writes, desired = at.progress, at.writes, at.context.desired
    _remember_the_end(at, ledger)
    _remember_corrections(at, ledger)
    if is_kept(at.context, at.observed.invoice, progress):
        return OrderResult("waiting", why=KEPT_AS_DRAFT, writes=writes)
    if progress.refused_refunds:
        refund_id, words = next(iter(progress.refused_refunds.items()))
        parked = refusals.refund_refused(desired, refund_id, words)
        return OrderResult("parked", parked=parked, words=words, writes=writes)
    if desired.flag is not None and not desired.hold:
        return OrderResult("parked", parked=desired.flag, writes=writes)
    return OrderResult("posted", writes=writes)


def _remember_the_end(at: ReconcileState, ledger: Ledger) -> None:
    """Nothing is left to write: what a person changed and keeps, stands from now on."""
    context, invoice = at.context, at.observed.invoice
    if invoice is None or not context.recorded.known:
        return
    key = invoice_key(context.desired.order_id)
    link = ledger.links.get("invoice", key)
    if link is None:
        return
    ended = link
    if at.progress.overwrite and context.was_edited(invoice):
        ended = replace(
            ended,
            fingerprint=fingerprint(invoice),
            amount=invoice.amount,
            content_hash=context.content,
        )
    parts = due_parts(context, invoice, at.progress)
    left = {name for name in differing(invoice, context.head_body) if parts}
    changed = {part for part in PARTS if was_changed(context.recorded, invoice, part)}
    if context.keeps_client and "client" in changed and CLIENT not in context.recorded.left:
        parts, left = [*parts, "client"], left | {CLIENT}
    if parts:
        asked = remembered(ended, invoice, context.wanted_head, parts)
        ended = left_alone(asked, left, parts)
        logger.warning(
            "Order %s: %s of invoice %s was changed in FreshBooks and is left as it is",
            context.desired.order_id,
            ", ".join(sorted(left)),
            invoice.number,
        )
    as_asked = [part for part in PARTS if part not in changed and part not in parts]
    ended = remembered(ended, invoice, context.wanted_head, as_asked)
    if ended.extra.get("archived") and invoice.vis_state != ACTIVE:
        ended = replace(ended, extra={**ended.extra, "archived": False})
    if ended != link:
        ledger.links.put(ended)
    for payment in context.desired.payments:
        standing = find_payment(payment, context.recorded, at.observed)
        if standing is not None and payment.key not in context.recorded.payment_ids:
            # Known by its note so far: from now on an edit by hand is told from our own amount.
            known = payment_link(standing, context.desired.order_id, payment.key)
            ledger.links.put(known)


def _remember_corrections(at: ReconcileState, ledger: Ledger) -> None:
    """Corrections known by their marks so far: from now on an edit by hand is seen."""
    recorded, order_id = at.context.recorded, at.context.desired.order_id
    for refund_id, correction in at.observed.corrections.items():
        if refund_id not in recorded.corrections:
            ledger.links.put(correction_link(correction, order_id, refund_id))
    for refund_id, expense in at.observed.expenses.items():
        if refund_id not in recorded.expenses:
            ledger.links.put(expense_link(expense, order_id, refund_id))
