"""Eligibility: which orders belong in the books, which wait, and which invoices are voided.

An order is billable when the shop says it is paid: its status is one of `paid_status_ids` (2
Shipped, 3 Partially Shipped, 8 Awaiting Pickup, 9 Awaiting Shipment, 10 Completed, 11 Awaiting
Fulfillment). BigCommerce counts 4 Refunded and 14 Partially Refunded as neither paid nor unpaid (v2
orders reference), and 12 Manual Verification Required and 13 Disputed are a question about money
that may have come. For these the money decides: something was captured, or a refund that went
through shows that something had been. Stored value that was spent or given back answers no question
about money: for 12 and 13 it does not count. Where 7 Awaiting Payment is named as paid, it bills
what is on account, and nothing that is to be paid before the goods leave. All others wait; they are
counted, not parked, for most of them are carts and authorisations that may still become orders.

What is in the books stays there: once invoiced, an order that is archived, disputed, set back to
unpaid or moved before the start date keeps its invoice; what became of it is told. One that is
cancelled or declined after it was invoiced needs a person, since nobody said where the money went.
With `on_cancel: void` its invoice is voided: deleting it would leave a gap in the numbers that
nobody can explain to an auditor. Its lines stand at no price instead, and its payments at nothing.
That is right only where all that came in went back, money as money and each kind of stored value as
that kind, since another kind's item would say what is owed; else a person has to say where the rest
is.
"""

from dataclasses import replace
from decimal import Decimal
from enum import StrEnum

from target_freshbooks.books.calendar import bookkeeping_day
from target_freshbooks.books.desired import Billable, Desired, Parked, Reason, Waiting
from target_freshbooks.books.marketplaces import is_skipped
from target_freshbooks.books.money_witnesses import (
    REFUNDED_STATUSES,
    captures,
    credit_of,
    has_transactions,
    kind_named,
    only_tests,
)
from target_freshbooks.books.payment_methods import Meaning, meaning_of, was_captured
from target_freshbooks.books.payments import receipts
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.stored_value import KINDS, redeemed
from target_freshbooks.money import ZERO, in_currency, total
from target_freshbooks.shop.facts import OrderFacts, OrderStatus

_QUESTIONED = frozenset({OrderStatus.TO_VERIFY, OrderStatus.DISPUTED})
"""Statuses that ask whether the money came, or will stay."""

BEFORE_START_DATE = "before_start_date"
"""Why an order waits that is older than the books are to be."""


class Notice(StrEnum):
    """What somebody should know of a posted order, mostly what became of it in the shop."""

    ARCHIVED = "archived_after_posting"
    DISPUTED = "disputed_after_posting"
    BILLED_DISPUTED = "disputed"
    UNPAID = "unpaid_after_posting"
    TEST_MODE = "paid_in_test_mode"

    @property
    def sentence(self) -> str:
        """What it means and what to do."""
        return _SENTENCES[self]


_SENTENCES = {
    Notice.ARCHIVED: (
        "It was archived in the shop after it was posted. Its invoice and payments stay; if the"
        " order is void, cancel it in the shop."
    ),
    Notice.DISPUTED: (
        "Its payment is disputed, or to be verified, in the shop. Its invoice and payments stay; if"
        " the money goes back, refund the order in the shop."
    ),
    Notice.BILLED_DISPUTED: (
        "Its payment is disputed, or to be verified, in the shop. It is billed, since the money was"
        " captured; if the money goes back, refund the order in the shop."
    ),
    Notice.UNPAID: (
        "It was set back to an unpaid status in the shop after it was posted. Its invoice stays,"
        " and so do payments by transactions; one that was only the shop's word is taken back. Put"
        " the status right, or refund or cancel the order in the shop."
    ),
    Notice.TEST_MODE: (
        "Its only payment was a test of the gateway's, so that no money came in. Its invoice is"
        " open; if the order is a test too, cancel it in the shop."
    ),
}


def assess(
    facts: OrderFacts, policy: Policy, *, already_invoiced: bool
) -> Billable | Waiting | Parked:
    """Whether the order is to be in the books.

    Args:
        facts: Everything known of the order.
        policy: The bookkeeper's choices.
        already_invoiced: The books hold an invoice for it.

    Returns:
        `Parked` only for an order that was cancelled or declined after it was invoiced.
    """
    order = facts.order
    if already_invoiced and order.is_cancelled:
        if policy.on_cancel == "void":
            return not_to_be_voided(facts) or Billable()
        word = "cancelled" if order.status_id == OrderStatus.CANCELLED else "declined"
        return Parked(
            Reason.CANCELLED_AFTER_POSTING,
            f"Order {order.id} was {word} in the shop after it was invoiced.",
            "If the money went back, refund or void it in the shop; then replay the order with"
            " on_cancel set to void, which keeps the invoice at 0.00 (or to delete, which leaves a"
            " gap in the numbers). Else settle the order with a note of what you did.",
        )
    if already_invoiced:
        return Billable()
    if order.status_id == OrderStatus.INCOMPLETE:
        return Waiting("status_0")
    why = _kept_out(facts, policy)
    if why:
        return Waiting(why)
    return Billable() if _is_due(facts, policy) else Waiting(f"status_{order.status_id}")


def _is_due(facts: OrderFacts, policy: Policy) -> bool:
    """Whether the order's status, or the money where that decides, says that it is a sale."""
    order = facts.order
    if order.status_id in REFUNDED_STATUSES | _QUESTIONED:
        return order.status_id in policy.paid_status_ids or _money_came_in(facts, policy)
    if order.status_id == OrderStatus.AWAITING_PAYMENT and (
        meaning_of(order.payment_method, policy) is not Meaning.ON_ACCOUNT
    ):
        return False
    return order.status_id in policy.paid_status_ids


def _kept_out(facts: OrderFacts, policy: Policy) -> str:
    """What keeps an order out of the books whatever its status; empty for nothing."""
    order, start = facts.order, policy.invoice_start_date
    if order.archived:
        return "archived"
    if order.external_source in policy.exclude_external_sources:
        return "excluded_source"
    if is_skipped(order, policy):
        return "marketplace"
    if any(entry.fits(order) for entry in policy.exclude_orders):
        return "excluded_order"
    if start is not None and bookkeeping_day(order.created, facts, policy) < start:
        return BEFORE_START_DATE
    return ""


def is_to_be_voided(facts: OrderFacts, policy: Policy) -> bool:
    """Whether the shop took the order back, and its invoice is to be kept at 0.00."""
    voids = policy.on_cancel == "void" and facts.order.is_cancelled
    return voids and not_to_be_voided(facts) is None


def notice_after_posting(facts: OrderFacts, policy: Policy) -> Notice | None:
    """What somebody should know of the order who has its invoice."""
    order = facts.order
    unpaid = {
        OrderStatus.INCOMPLETE,
        OrderStatus.PENDING,
        OrderStatus.AWAITING_PAYMENT,
    } - policy.paid_status_ids
    if order.status_id in unpaid:
        return Notice.UNPAID
    if order.status_id in _QUESTIONED:
        return Notice.DISPUTED
    if order.archived:
        return Notice.ARCHIVED
    return Notice.TEST_MODE if only_tests(facts) else None


def _money_came_in(facts: OrderFacts, policy: Policy) -> bool:
    came = [credit_of(row) for row in captures(facts)]
    went = [
        kind_named(part.provider_id)
        for refund in facts.refunds
        for part in refund.payments
        if not part.declined
    ]
    by_word = not has_transactions(facts) and was_captured(facts.order, policy)
    questioned = facts.order.status_id in _QUESTIONED
    return by_word or any(kind is None or not questioned for kind in (*came, *went))


def not_to_be_voided(facts: OrderFacts) -> Parked | None:
    """Why the cancelled order's invoice cannot be voided; None if it can."""
    came, went = _came_in(facts), _went_back(facts)
    if came == went:
        return None
    order = facts.order
    (money, spent), (returned, restored) = came, went
    figures = f"{money} {order.currency} came in and {returned} {order.currency} went back"
    for kind in KINDS:
        if spent[kind] != restored[kind]:
            credit = kind.replace("_", " ")
            figures += f", {spent[kind]} of {credit} were spent and {restored[kind]} given back"
    return Parked(
        Reason.CANCELLED_AFTER_POSTING,
        f"Order {order.id} was cancelled or declined after it was invoiced, but {figures}.",
        "No transaction tells of all that came in: correct the invoice and its payment by hand, and"
        " settle the order."
        if returned > money
        else "Refund the rest in the shop: the order is voided with it. If the money is to stay,"
        " book that by hand and settle the order.",
    )


def void(desired: Desired, facts: OrderFacts, policy: Policy) -> Desired:
    """The order's invoice with its lines at no price, and nothing of its payments left."""
    # A capture that was voided in the shop since may stand in the books.
    kept = tuple(row for row in facts.transactions if row.event != "void")
    unvoided = replace(facts, transactions=kept)
    received = receipts(unvoided, desired.invoice.total, policy).payments
    # Nothing shows that money went back which no transaction tells of.
    payments = [one for one in received if one.key != "derived"]
    nothing = in_currency(ZERO, facts.order.currency)
    lines = tuple(replace(one, unit_cost=nothing, taxes=()) for one in desired.invoice.lines)
    return replace(
        desired,
        invoice=replace(desired.invoice, total=nothing, lines=lines, without_negatives=()),
        payments=tuple(replace(one, amount=nothing, received=one.amount) for one in payments),
        refunds=(),
        flag=None,
        hold=False,
        redeemed=ZERO,
        void=True,
    )


def _came_in(facts: OrderFacts) -> tuple[Decimal, dict[str, Decimal]]:
    """The money that was captured, and what was redeemed of each kind of stored value."""
    currency = facts.order.currency
    money = total(row.amount for row in captures(facts) if credit_of(row) is None)
    spent = {kind: in_currency(amount, currency) for kind, amount in redeemed(facts).items()}
    return in_currency(money, currency), spent


def _went_back(facts: OrderFacts) -> tuple[Decimal, dict[str, Decimal]]:
    good = [part for one in facts.refunds for part in one.payments if not part.declined]

    def given(kind: str | None) -> Decimal:
        parts = (part.amount for part in good if kind_named(part.provider_id) == kind)
        return in_currency(total(parts), facts.order.currency)

    return given(None), {kind: given(kind) for kind in KINDS}
