"""Voiding: the invoice of a cancelled order stays, at 0.00, and says what was sold.

Deleting it would leave a gap in the numbers that nobody can explain to an auditor. With `on_cancel:
void` its lines stand at no price instead, and its payments at nothing. That is right only where all
that came in went back, money as money and credit as credit; else a person has to say where the rest
is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.books.money import ZERO, decimals_of, rounded, total
from target_freshbooks.books.money_witnesses import captures, credit_of, kind_named
from target_freshbooks.books.payments import receipts

if TYPE_CHECKING:
    from decimal import Decimal

    from target_freshbooks.books.desired import Desired
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts


def not_to_be_voided(facts: OrderFacts) -> Parked | None:
    """Why the cancelled order's invoice cannot be voided; None if it can."""
    came, went = _came_in(facts), _went_back(facts)
    if came == went:
        return None
    order = facts.order
    (money, credit), (returned, restored) = came, went
    told = f"{money} {order.currency} came in and {returned} {order.currency} went back"
    if credit != restored:
        told += f", and {credit} of credit were spent and {restored} given back"
    return Parked(
        Reason.CANCELLED_AFTER_POSTING,
        f"Order {order.id} was cancelled or declined after it was invoiced, but {told}.",
        "Refund the rest in the shop: the order is voided with it. If the money is to stay, book"
        " that by hand and settle the order.",
    )


def void(desired: Desired, facts: OrderFacts, policy: Policy) -> Desired:
    """The order's invoice with its lines at no price, and nothing of its payments left."""
    # A capture that was voided in the shop since may stand in the books.
    kept = tuple(row for row in facts.transactions if row.event != "void")
    unvoided = replace(facts, transactions=kept)
    received = receipts(unvoided, desired.invoice.total, policy).payments
    # Nothing shows that money went back which no transaction tells of.
    payments = [one for one in received if one.key != "derived"]
    nothing = _whole(facts, ZERO)
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


def _came_in(facts: OrderFacts) -> tuple[Decimal, Decimal]:
    """The money that was captured, and the credit that was spent."""
    order, taken = facts.order, captures(facts)
    money = total(row.amount for row in taken if credit_of(row) is None)
    by_rows = total(row.amount for row in taken if credit_of(row) is not None)
    credit = max(by_rows, order.store_credit + order.gift_certificate)
    return _whole(facts, money), _whole(facts, credit)


def _went_back(facts: OrderFacts) -> tuple[Decimal, Decimal]:
    good = [part for one in facts.refunds for part in one.payments if not part.declined]
    credit = total(part.amount for part in good if kind_named(part.provider_id))
    return _whole(facts, total(part.amount for part in good) - credit), _whole(facts, credit)


def _whole(facts: OrderFacts, amount: Decimal) -> Decimal:
    return rounded(amount, decimals_of(facts.order.currency))
