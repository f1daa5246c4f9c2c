"""Facts: all that is known of an order, from the shop's records and from what earlier runs kept.

An order that has its invoice keeps the settings and the day it was posted under. Of money without a
transaction the shop tells little, so the ledger keeps the rest: the first run that sees an order
paid after one saw it unpaid gives the day of its payment; and once an order is edited down, only
the books know that more had come in, which a refund then gives back. With the ledger lost, the note
of the payment in FreshBooks still tells what was booked at first.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from target_freshbooks.books.calendar import bookkeeping_day, zone
from target_freshbooks.books.desired import Desired
from target_freshbooks.books.items import catalogued, line_key
from target_freshbooks.books.marketplaces import is_net, marketplace_of
from target_freshbooks.books.money_witnesses import has_transactions
from target_freshbooks.books.payment_methods import is_paid
from target_freshbooks.books.policy import Policy
from target_freshbooks.ledger import Ledger, OrderRow, StoredFacts, Terms
from target_freshbooks.marks import DERIVED, mark_of, received_in
from target_freshbooks.money import ZERO, in_currency, total
from target_freshbooks.posting.apply.fence import Fence
from target_freshbooks.posting.identity import (
    amount_of_note,
    invoice_key,
    part_of,
    part_paid,
    refund_named,
)
from target_freshbooks.posting.state import Observed, Recorded
from target_freshbooks.shop import ReadError, read_facts, read_product
from target_freshbooks.shop.facts import OrderFacts, Product
from target_freshbooks.shop.records import read_timezone

logger = logging.getLogger(__name__)


def gather(ledger: Ledger, stored: StoredFacts) -> OrderFacts:
    """Read an order's records, with its customer, the store and the products it needs.

    Raises:
        ReadError: A record cannot be understood.
    """
    customer_id = stored.order.get("customer_id") or 0
    customer = ledger.inbox.body("customers", (customer_id,)) if customer_id else None
    children = stored.children
    facts = read_facts(
        stored.order,
        children.get("transactions", ()),
        children.get("refunds", ()),
        children.get("order_taxes", ()),
        customer,
        _store(ledger),
    )
    products = (product_of(ledger, product_id) for product_id in catalogued(facts.order))
    return replace(facts, products=tuple(product for product in products if product is not None))


def product_of(ledger: Ledger, product_id: int) -> Product | None:
    """A product of the catalogue; None if it is unknown, or cannot be understood.

    An order says all that its invoice needs: no product of it can keep it from being booked.
    """
    body = ledger.inbox.body("products", (product_id,))
    try:
        return None if body is None else read_product(body)
    except ReadError as unreadable:
        logger.warning("Orders go on without product %s: %s", product_id, unreadable)
        return None


def check_zone(ledger: Ledger, policy: Policy) -> None:
    """Make sure that orders have days, before anything is written for any of them.

    Raises:
        UnknownZone: Neither the setting nor the store names a time zone known here.
    """
    zone(policy.timezone or read_timezone(_store(ledger)))


def fence_of(ledger: Ledger, policy: Policy) -> Fence:
    """The fence around closed days, by the ledger's clock and the store's zone."""
    return Fence(policy, ledger.scope.clock, lambda: read_timezone(_store(ledger)))


def _store(ledger: Ledger) -> Mapping[str, Any] | None:
    return ledger.inbox.shop()


def terms_of(ledger: Ledger, order_id: int) -> Terms | None:
    """The order's terms; None as long as certainly no invoice was made under them.

    What FreshBooks refused, its number for instance, binds nobody to the settings of then. An
    invoice that was sent does, though the order was not booked to the end.
    """
    terms = ledger.terms.of(order_id)
    if terms is None or terms.posted:
        return terms
    if ledger.intents.may_have_made("mark_sent", order_id):
        return replace(terms, posted=True)
    if ledger.links.get("invoice", invoice_key(order_id)):
        return terms
    return terms if ledger.intents.may_have_made("create_invoice", order_id) else None


def policy_of(policy: Policy, facts: OrderFacts, terms: Terms | None, *, current: bool) -> Policy:
    """The settings for an order: those it was posted under, else those of now.

    A Draft that was never finished may be waiting for just the setting that was changed.
    """
    zone = policy.timezone or facts.store_timezone
    now = replace(policy, timezone=zone)
    if terms is None:
        return now
    then = now.under(terms.settings)
    if terms.posted and not current:
        return then
    # What is made has its number, and its day as the zone of then had it.
    return replace(
        now,
        invoice_number_prefix=then.invoice_number_prefix,
        timezone=then.timezone,
        post_as=then.post_as,  # what is kept as a Draft is sent when that is asked for
    )


def worth_of(facts: OrderFacts, policy: Policy, ledger: Ledger) -> Decimal:
    """What the order comes to in the books, without a tax that its marketplace remits."""
    order, worth = facts.order, facts.order.total_inc_tax
    if marketplace_of(order, policy).name:
        then = policy_of(policy, facts, terms_of(ledger, order.id), current=False)
        worth = order.total_ex_tax if is_net(order, then) else worth
    return in_currency(worth, order.currency)


def refunded_on_invoice(desired: Desired, ledger: Ledger) -> Decimal:
    """What the order's refunds take off its invoice: nothing, where a correction takes it back."""
    links = ledger.links.of_order(desired.order_id) if desired.refunds else ()
    apart = {part_of(link) for link in links if link.kind == "correction" and not link.deleted}
    return total(one.money for one in desired.refunds if str(one.refund_id) not in apart)


def called(policy: Policy, item_names: Mapping[str, str]) -> Policy:
    """The settings with the Rounding line called as FreshBooks calls its item."""
    name = policy.names.rounding
    known = item_names.get(line_key(name), name)
    return replace(policy, names=replace(policy.names, rounding=known))


def dated(desired: Desired, day: date) -> Desired:
    """The desired state with the invoice's day as it was first posted."""
    invoice = desired.invoice
    if invoice.day != day:
        logger.warning(
            "Order %s is of %s in the shop now; its invoice %s stays dated %s.",
            desired.order_id,
            invoice.day,
            invoice.number,
            day,
        )
    return replace(desired, invoice=replace(invoice, day=day))


def with_paid_day(
    facts: OrderFacts, standing: OrderRow | None, ledger: Ledger, policy: Policy
) -> OrderFacts:
    """The facts with the day, which is noted before anything is written for the order.

    Args:
        facts: The order.
        standing: Its row in the ledger; None: nothing is known of it yet.
        ledger: Keeps the day.
        policy: Tells what the method of payment means.
    """
    if standing is None or has_transactions(facts):
        return facts
    order_id = facts.order.id
    if not is_paid(facts, policy):
        if not standing.unpaid:
            ledger.orders.note_payment(order_id, None)
        return facts
    day = standing.paid_day
    if standing.unpaid:
        day = bookkeeping_day(ledger.scope.clock(), facts, policy)
        ledger.orders.note_payment(order_id, day)
    return replace(facts, paid_day=day)


def with_paid_by_hand(
    facts: OrderFacts, standing: OrderRow | None, recorded: Recorded, ledger: Ledger
) -> OrderFacts:
    """The facts with what the ledger knows to have been booked so.

    A run that was killed behind a payment that it raised has noted that with the payment alone.
    """
    known = standing.paid_by_hand if standing else None
    link = recorded.payments.get(DERIVED)
    booked = None if link is None or link.deleted else link.amount
    if known is not None and booked is not None and booked > known:
        known = booked
        ledger.orders.note_paid_by_hand(facts.order.id, booked)
    return replace(facts, paid_by_hand=known)


def with_credit_notes(facts: OrderFacts, recorded: Recorded) -> OrderFacts:
    """The facts with the credit notes that the ledger knows to stand."""
    links = recorded.credit_notes.items()
    notes = {refund_id: amount_of_note(link) for refund_id, link in links if not link.deleted}
    return replace(facts, credit_notes={**facts.credit_notes, **notes})


def with_notes_found(facts: OrderFacts, observed: Observed) -> OrderFacts:
    """The facts with the credit notes that were found to stand, as the ledger would know them."""
    mark = mark_of(facts.order)
    named = {refund_named(row, mark): row.amount for row in reversed(observed.credit_notes)}
    found = {refund_id: amount for refund_id, amount in named.items() if refund_id is not None}
    return replace(facts, credit_notes={**found, **facts.credit_notes})


def row_with_received(row: OrderRow, received: Decimal, ledger: Ledger) -> OrderRow:
    """The order's row with what its payments were just found to tell; zero tells nothing."""
    if not received:
        return row
    ledger.orders.note_paid_by_hand(row.order_id, received)
    return replace(row, paid_by_hand=received)


def received_by_note(desired: Desired, observed: Observed) -> Decimal:
    """What came in beyond what is known, by the notes of derived payments; else zero."""
    order = desired.invoice.marker
    marked = [(part_paid(payment, order), payment) for payment in observed.payments]
    received = [
        received_in(row.note) or ZERO for part, row in marked if part and part.key == DERIVED
    ]
    most = max(received, default=ZERO)
    return most if most > _by_hand(desired) else ZERO


def _by_hand(desired: Desired) -> Decimal:
    return sum((one.most for one in desired.payments if one.key == DERIVED), start=ZERO)


def note_paid_by_hand(facts: OrderFacts, desired: Desired, ledger: Ledger) -> None:
    """Note what is booked so, if it is more than ever before.

    Until then the note of the payment tells it: what was only planned never came to the books.
    """
    most = _by_hand(desired)
    if most > (facts.paid_by_hand or ZERO):
        ledger.orders.note_paid_by_hand(desired.order_id, most)
