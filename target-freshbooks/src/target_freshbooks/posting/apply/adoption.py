"""Adoption: an invoice that is ours though the ledger does not know it is known from now on."""

from dataclasses import replace
from functools import partial

from target_freshbooks.books.desired import Desired
from target_freshbooks.books.policy import Policy
from target_freshbooks.freshbooks.observed import DELETED, DRAFT, ObservedInvoice
from target_freshbooks.ledger import Link, Terms
from target_freshbooks.marks import STEM, mark_of
from target_freshbooks.posting.apply.parts import Parts, load_recorded
from target_freshbooks.posting.apply.writer import summary
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.digests import content_digest
from target_freshbooks.posting.identity import adopt, elsewhere, is_marked, refund_named
from target_freshbooks.posting.plan.head import adopted, by_field
from target_freshbooks.posting.results import OrderResult, kept_invoice
from target_freshbooks.posting.state import Observed
from target_freshbooks.shop.facts import OrderFacts


def adopt_invoice(parts: Parts, context: OrderContext, observed: Observed) -> OrderContext:
    """Remember an invoice that is ours though the ledger does not know it."""
    invoice = observed.invoice
    if context.recorded.known or invoice is None or not context.is_ours(invoice):
        return context
    if invoice.vis_state == DELETED:
        return context  # as it is now it cannot be known again once it is restored
    if invoice.status != DRAFT and not context.agrees(invoice):
        return context  # sent and different: the plan parks it, and it stays unadopted
    context = _as_numbered(context, invoice.number)
    own, *others = adopt(context.desired.invoice.marker, observed, context.content)
    links = [adopted(own, invoice, context.head_body, context.desired.client.key), *others]
    _keep(parts, context.desired.order_id, context.policy, observed, links)
    return replace(
        context,
        recorded=load_recorded(parts.ledger, context.desired.order_id, context.recorded.row),
    )


def with_head_by_field(
    parts: Parts, context: OrderContext, invoice: ObservedInvoice | None
) -> OrderContext:
    """Remember field by field how we left the head, where a version before did so by parts.

    Before anything is written: what FreshBooks holds afterwards tells no more whose it was.
    """
    link = context.recorded.invoice
    if link is None or invoice is None or invoice.id != link.remote_id:
        return context
    known = by_field(link, invoice, context.head_body)
    if known == link:
        return context
    parts.ledger.links.put(known)
    return replace(
        context,
        recorded=load_recorded(parts.ledger, context.desired.order_id, context.recorded.row),
    )


def adopt_cancelled(
    parts: Parts, facts: OrderFacts, policy: Policy, *, overwrite: bool
) -> OrderResult | None:
    """Remember an invoice of a cancelled order that the ledger does not know, if any.

    Returns:
        Why an invoice that stands is not adopted: it does not come to the order, so a person may
        have edited it. With `overwrite` it is deleted in spite of that.
    """
    order_id, mark = facts.order.id, mark_of(facts.order)
    invoice = parts.observer.find(f"{policy.invoice_number_prefix}{order_id}", mark)
    if invoice is None or not is_marked(invoice, mark):
        return None
    profile = parts.profile
    ways = [profile.desire(facts, way) for way in (policy, replace(policy, on_cancel="park"))]
    agreeing = [
        content_digest(facts, void=desired.void)
        for desired, way in ways
        if isinstance(desired, Desired)
        and OrderContext(
            desired, "", way, 0, otherwise=partial(profile.otherwise, facts, way)
        ).agrees(invoice)
    ]
    if not agreeing and not (overwrite and policy.on_cancel == "delete"):
        return kept_invoice(
            invoice, "it does not come to the order, and the ledger does not know it"
        )
    content = agreeing[0] if agreeing else content_digest(facts)
    notes = parts.books.credit_notes.of_client(invoice.customer_id)
    # A person may have moved a payment from it: that stays, and the invoice with it.
    payments = parts.books.payments
    noting = payments.noting(f"{STEM}{order_id}, ") if invoice.outstanding else []
    observed = Observed(
        invoice,
        tuple(payments.of_invoice(invoice.id)),
        tuple(note for note in notes if refund_named(note, mark) is not None),
        moved=elsewhere(noting, mark, invoice),
    )
    policy = _with_prefix(policy, order_id, invoice.number)
    _keep(parts, order_id, policy, observed, adopt(mark, observed, content))
    return None


def _as_numbered(context: OrderContext, number: str) -> OrderContext:
    """The order with the number that its invoice was made under, whatever the prefix is now."""
    policy = _with_prefix(context.policy, context.desired.order_id, number)
    made_under = f"{policy.invoice_number_prefix}{context.desired.order_id}"
    invoice = replace(context.desired.invoice, number=made_under)
    return replace(context, policy=policy, desired=replace(context.desired, invoice=invoice))


def _with_prefix(policy: Policy, order_id: int, number: str) -> Policy:
    """The settings with the prefix of the number, unless a person made up another number."""
    if not number.endswith(str(order_id)):
        return policy
    return replace(policy, invoice_number_prefix=number.removesuffix(str(order_id)))


def _keep(
    parts: Parts, order_id: int, policy: Policy, observed: Observed, links: list[Link]
) -> None:
    """All at once: if the invoice is known, all that belongs to it is taken to be known."""
    parts.writer.pin()
    parts.ledger.terms.keep(order_id, Terms(policy.terms(), observed.own.create_date))
    parts.ledger.links.adopt(
        links, order_id=order_id, run_id=parts.writer.run_id, data=summary(observed.own)
    )
