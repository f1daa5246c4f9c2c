"""Paid day: the day on which a run saw an order go from unpaid to paid, kept in the ledger.

No transaction tells when cash came or when an order on account was settled. The first run that sees
the order paid after one saw it unpaid gives the day of its payment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books.calendar import bookkeeping_day
from target_freshbooks.books.money_witnesses import has_transactions
from target_freshbooks.books.payment_methods import is_paid

if TYPE_CHECKING:
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.ledger import Ledger, OrderRow


def with_paid_day(
    facts: OrderFacts, standing: OrderRow | None, ledger: Ledger, policy: Policy
) -> OrderFacts:
    """The facts with the day, which is noted before anything is written for the order.

    Args:
        facts: The order.
        standing: Its row in the ledger; None: nothing is known of it yet.
        ledger: Where the day is kept.
        policy: Tells what the method of payment means.
    """
    if standing is None or has_transactions(facts):
        return facts
    order_id = facts.order.id
    if not is_paid(facts.order, policy):
        if not standing.unpaid:
            ledger.orders.note_payment(order_id, None)
        return facts
    day = standing.paid_day
    if standing.unpaid:
        day = bookkeeping_day(ledger.scope.clock(), facts, policy)
        ledger.orders.note_payment(order_id, day)
    return replace(facts, paid_day=day)
