"""The month's corrections: invoices of 0.00 that take refunds of closed months back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from target_freshbooks.freshbooks.observed import DRAFT, ObservedInvoice
from target_freshbooks.ledger import Link
from target_freshbooks.marks import is_refund_line
from target_freshbooks.money import total
from target_freshbooks.posting.plan import lines as wire


@dataclass(frozen=True, slots=True)
class Corrected:
    """A refund that is booked beside the invoice of an earlier month.

    Attributes:
        order_id: The order, whose own invoice is left as it was.
        number: Of the correction.
        day: The refund's.
        currency: ISO code.
        given_back: Money and credit, tax included.
    """

    order_id: int
    number: str
    day: date
    currency: str
    given_back: Decimal


def corrections_among(
    links: Iterable[Link], listed: Mapping[int, ObservedInvoice]
) -> dict[int, Corrected | None]:
    """Ours among a month's invoices, by their ids; None for one that is not sent yet."""
    return {
        link.remote_id: _corrected(link.order_id or 0, listed[link.remote_id])
        for link in links
        if link.remote_id in listed
    }


def _corrected(order_id: int, invoice: ObservedInvoice) -> Corrected | None:
    if invoice.status == DRAFT:
        return None
    beside = (line for line in wire.standing(invoice) if is_refund_line(line.name) is None)
    amounts = [line.quantity * line.unit_cost for line in beside]
    given_back = total(amount for amount in amounts if amount > 0)  # what is less was taken back
    return Corrected(order_id, invoice.number, invoice.create_date, invoice.currency, given_back)
