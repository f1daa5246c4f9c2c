"""Receipts: the month's payments, as they are laid beside the payout of a payment processor.

FreshBooks knows no refund: one lowers the payment that it takes money back from, and removes it
where nothing is left. So a payment in the books is what came in less what went back since. What
came in is both together, which is what a processor says of that day. It is known for orders with
one payment; where an order was paid in several, the ledger does not say which of them a refund
lowered, and they are told apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from target_freshbooks.money import ZERO, total

BY_HAND = "entered by hand"
"""The method of a payment that no order of the shop explains."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment of the month on an order's invoice.

    Attributes:
        day: FreshBooks' date of it.
        currency: ISO code.
        kind: FreshBooks' type of payment; "" where it was refunded whole and FreshBooks does not
            show it any more.
        method: The order's method of payment, as the shop calls it.
        order_id: The order.
        invoice_number: Of the order.
        booked: What stands in the books.
        refunded: What was taken off it since; None: the order has several payments, or it is not
            known whether anything was.
        earlier: Whether the invoice is of an earlier month.
    """

    day: date
    currency: str
    kind: str
    method: str
    order_id: int
    invoice_number: str
    booked: Decimal
    refunded: Decimal | None
    earlier: bool

    @property
    def received(self) -> Decimal | None:
        """What came in; None if that is not known."""
        return None if self.refunded is None else self.booked + self.refunded


@dataclass(frozen=True, slots=True)
class ReceiptSum:
    """The receipts of one currency, type and method; of one day, or of the month (None)."""

    day: date | None
    currency: str
    kind: str
    method: str
    count: int
    received: Decimal
    refunded: Decimal
    booked: Decimal
    unclear: int
    """Receipts of which it is not known what was taken off: counted as they stand."""


def sums_by_day(receipts: Iterable[Receipt]) -> tuple[ReceiptSum, ...]:
    """Sum up by day, currency, type and method."""
    return _sums(receipts, by_day=True)


def sums_by_method(receipts: Iterable[Receipt]) -> tuple[ReceiptSum, ...]:
    """Sum up the month by currency, type and method."""
    return _sums(receipts, by_day=False)


def _sums(receipts: Iterable[Receipt], *, by_day: bool) -> tuple[ReceiptSum, ...]:
    groups: dict[tuple[date | None, str, str, str], list[Receipt]] = {}
    for one in receipts:
        at = (one.day if by_day else None, one.currency, one.kind, one.method)
        groups.setdefault(at, []).append(one)
    return tuple(
        ReceiptSum(
            *at,
            count=len(ones),
            received=total(one.booked + (one.refunded or ZERO) for one in ones),
            refunded=total(one.refunded or ZERO for one in ones),
            booked=total(one.booked for one in ones),
            unclear=sum(one.refunded is None for one in ones),
        )
        for at, ones in sorted(
            groups.items(), key=lambda item: (item[0][0] or date.min, item[0][1:])
        )
    )
