"""Paid by hand: what was booked of an order as paid without a transaction, kept in the ledger.

The shop tells of such money by the order's total alone. Once the order is edited down, only the
books know that more had come in, which a refund then gives back. With the ledger lost, the note of
the payment in FreshBooks still tells what was booked at first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books.marks import DERIVED, received_in
from target_freshbooks.books.money import ZERO
from target_freshbooks.posting.identity import part_paid

if TYPE_CHECKING:
    from decimal import Decimal

    from target_freshbooks.books.desired import Desired
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.ledger import Ledger, OrderRow
    from target_freshbooks.posting.state.observed import Observed


def with_paid_by_hand(facts: OrderFacts, standing: OrderRow | None) -> OrderFacts:
    """The facts with what the ledger knows to have been booked so."""
    return replace(facts, paid_by_hand=standing.paid_by_hand if standing else None)


def told_by_note(desired: Desired, observed: Observed) -> Decimal:
    """What the notes of derived payments tell to have come in beyond what is known; else zero."""
    order = desired.invoice.marker
    marked = [(part_paid(payment, order), payment) for payment in observed.payments]
    told = [received_in(row.note) or ZERO for part, row in marked if part and part.key == DERIVED]
    most = max(told, default=ZERO)
    return most if most > _by_hand(desired) else ZERO


def _by_hand(desired: Desired) -> Decimal:
    return sum((one.most for one in desired.payments if one.key == DERIVED), start=ZERO)


def note_paid_by_hand(facts: OrderFacts, desired: Desired, ledger: Ledger) -> None:
    """Note what is about to be booked so, if it is more than ever before."""
    most = _by_hand(desired)
    if most > (facts.paid_by_hand or ZERO):
        ledger.orders.note_paid_by_hand(desired.order_id, most)
