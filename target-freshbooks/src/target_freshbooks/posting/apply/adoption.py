"""Adoption: an invoice that is ours though the ledger does not know it is known from now on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.freshbooks.observed import DELETED, DRAFT
from target_freshbooks.ledger import Ledger, Terms
from target_freshbooks.posting.apply.writer import summary
from target_freshbooks.posting.identity import adopt
from target_freshbooks.posting.plan.head import remembered
from target_freshbooks.posting.state.recorded import load_recorded

if TYPE_CHECKING:
    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.state.observed import Observed


def adopt_invoice(
    context: OrderContext, observed: Observed, ledger: Ledger, run_id: str
) -> OrderContext:
    """Remember an invoice that is ours though the ledger does not know it."""
    invoice = observed.invoice
    order_id = context.desired.order_id
    if context.recorded.known or invoice is None or not context.is_ours(invoice):
        return context
    if invoice.vis_state == DELETED:
        return context  # as it is now it cannot be known again once it is restored
    if invoice.status != DRAFT and not context.agrees(invoice):
        return context  # sent and different: the plan parks it, and it stays unadopted
    own, *parts = adopt(context.desired.invoice.marker, observed, context.content)
    links = [remembered(own, invoice, context.wanted_head), *parts]
    ledger.terms.keep(order_id, Terms(context.policy.terms(), invoice.create_date))
    # All at once: where the invoice is known, all that belongs to it is taken to be known.
    ledger.links.adopt(links, order_id=order_id, run_id=run_id, data=summary(invoice))
    return replace(context, recorded=load_recorded(ledger, order_id))
