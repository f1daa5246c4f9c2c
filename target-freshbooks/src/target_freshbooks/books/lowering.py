"""Off which payments the money of a refund comes: off those it had come in with.

A refund names the transaction it reverses, often through others (a refund of a settlement of a
capture), or only a gateway. What neither explains comes off the last payments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from target_freshbooks.books.desired import Payment
    from target_freshbooks.books.shop import OrderFacts, RefundPayment


def lower(
    left: dict[str, Decimal],
    parts: Sequence[RefundPayment],
    money: Decimal,
    facts: OrderFacts,
    payments: Sequence[Payment],
) -> Decimal:
    """Take the money of a refund off what is left of the payments.

    Args:
        left: What each payment (by key) has, changed in place.
        parts: Those of the refund that went back as money, for where that came from.
        money: How much of it is to be taken off.
        facts: For the transactions.
        payments: All payments, in their order.

    Returns:
        What could be taken off.
    """
    taken = ZERO
    for part in parts:
        wanted = min(part.amount, money - taken)
        for key in _sources(part, facts, payments):
            amount = min(left[key], wanted)
            if amount > 0:
                left[key] -= amount
                wanted -= amount
                taken += amount
    return taken


def raise_again(left: dict[str, Decimal], amount: Decimal, payments: Sequence[Payment]) -> None:
    """Give payments back what a surplus took off them: the last ones, which it did first."""
    for payment in reversed(payments):
        more = min(amount, payment.most - left[payment.key])
        left[payment.key] += more
        amount -= more


def _sources(part: RefundPayment, facts: OrderFacts, payments: Sequence[Payment]) -> list[str]:
    """The payments to lower: the refunded transaction's, then its gateway's, then the last ones."""
    transactions = {row.id: row for row in facts.transactions}
    meant, seen = part.transaction_id, set[int]()
    family = set[int]()
    while meant is not None and meant not in seen:
        seen.add(meant)
        family.add(meant)
        row = transactions.get(meant)
        meant = row.reference_id if row else None
    family |= {row.id for row in facts.transactions if row.reference_id in family}

    def rank(entry: tuple[int, Payment]) -> tuple[bool, bool, int]:
        position, payment = entry
        row = transactions.get(payment.transaction_id or 0)
        same_gateway = row is not None and bool(row.gateway) and row.gateway == part.provider_id
        return (payment.transaction_id not in family, not same_gateway, -position)

    return [payment.key for _, payment in sorted(enumerate(payments), key=rank)]
