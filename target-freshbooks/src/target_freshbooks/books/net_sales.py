"""A sale without the tax that the marketplace remits: lines, money that came in, money sent back.

The order is taken apart like any other, at the shop's rates; then the tax is left out everywhere by
the same measure, so that what remains is whole: an order of 37.48 with 2.48 of tax is an invoice of
35.00, of its capture of 37.48 the invoice gets 35.00, and a refund of 10.83 takes off 10.00.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books.money import (
    ZERO,
    decimals_of,
    largest_remainder,
    pro_rata,
    rounded,
    total,
)
from target_freshbooks.books.money_witnesses import captures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from target_freshbooks.books.breakdown import Breakdown
    from target_freshbooks.books.shop import Order, OrderFacts, Refund, Transaction


def net_breakdown(breakdown: Breakdown, order: Order) -> Breakdown:
    """The order's parts as they are without tax."""
    return replace(
        breakdown,
        parts=tuple(replace(part, taxes=()) for part in breakdown.parts),
        total=rounded(order.total_ex_tax, decimals_of(order.currency)),
        taxes={},
    )


def net_facts(facts: OrderFacts, *, share_taxes: bool) -> OrderFacts:
    """What came in and went back without the tax in it.

    Args:
        facts: The order with tax.
        share_taxes: An amount refunded of the whole order has its share of the order's tax.
    """
    refunds = tuple(_net_refund(one, facts.order, share_taxes=share_taxes) for one in facts.refunds)
    return replace(facts, transactions=_net_transactions(facts, refunds), refunds=refunds)


def _net_transactions(facts: OrderFacts, refunds: Sequence[Refund]) -> tuple[Transaction, ...]:
    """Captures without the tax in them, by their amounts, and what was sent back as its refunds.

    What came in beyond the order bears no tax.
    """
    order, captured = facts.order, captures(facts)
    came_in = total(row.amount for row in captured)
    taxed = min(came_in, order.total_inc_tax)
    share = order.total_tax / order.total_inc_tax if order.total_inc_tax else ZERO
    went_back = total(one.total_amount for one in facts.refunds)
    left = total(one.total_amount for one in refunds) / went_back if went_back else 1 - share
    sent_back = [row for row in facts.transactions if row.event == "refund"]
    amounts: dict[int, Decimal] = {}
    for rows, net in (
        (captured, came_in - share * taxed),
        (sent_back, total(row.amount for row in sent_back) * left),
    ):
        whole = rounded(net, decimals_of(order.currency))
        parts = pro_rata(whole, [row.amount for row in rows])
        shares = largest_remainder(parts, whole, decimals_of(order.currency))
        amounts |= {row.id: amount for row, amount in zip(rows, shares, strict=True)}
    return tuple(replace(row, amount=amounts.get(row.id, row.amount)) for row in facts.transactions)


def _net_refund(refund: Refund, order: Order, *, share_taxes: bool) -> Refund:
    tax = refund.total_tax
    of_order = all(item.item_type == "ORDER" for item in refund.items)
    if not tax and of_order and share_taxes and order.total_inc_tax:
        tax = refund.total_amount * order.total_tax / order.total_inc_tax
    if not tax or not refund.total_amount:
        return refund
    decimals = decimals_of(order.currency)
    part = (refund.total_amount - tax) / refund.total_amount
    amounts = [one.amount * part for one in refund.payments]
    whole = largest_remainder(amounts, rounded(total(amounts), decimals), decimals)
    return replace(
        refund,
        total_amount=rounded(refund.total_amount - tax, decimals),
        total_tax=ZERO,
        items=tuple(
            item
            if item.requested_amount is None
            else replace(item, requested_amount=item.requested_amount * part)
            for item in refund.items
        ),
        payments=tuple(
            replace(one, amount=amount) for one, amount in zip(refund.payments, whole, strict=True)
        ),
    )
