"""Paid by hand: what was booked of an order as paid without a transaction, kept in the ledger.

The shop tells of such money by the order's total alone. Once the order is edited down, only the
books know that more had come in, which a refund then gives back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books.money import ZERO

if TYPE_CHECKING:
    from target_freshbooks.books.desired import Desired
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.ledger import Ledger, OrderRow


def with_paid_by_hand(facts: OrderFacts, standing: OrderRow | None) -> OrderFacts:
    """The facts with what the ledger knows to have been booked so."""
    return replace(facts, paid_by_hand=standing.paid_by_hand if standing else None)


def note_paid_by_hand(facts: OrderFacts, desired: Desired, ledger: Ledger) -> None:
    """Note what is about to be booked so, if it is more than ever before."""
    most = sum((one.most for one in desired.payments if one.key == "derived"), start=ZERO)
    if most > (facts.paid_by_hand or ZERO):
        ledger.orders.note_paid_by_hand(desired.order_id, most)
