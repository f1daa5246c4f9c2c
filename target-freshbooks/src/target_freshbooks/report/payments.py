"""Reading the month's payments: FreshBooks' list, and what the ledger knows of their orders."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.observed import ObservedPayment
from target_freshbooks.ledger import Ledger, Link, OrderRow
from target_freshbooks.marks import DERIVED, marks_in
from target_freshbooks.money import ZERO
from target_freshbooks.posting.identity import part_of
from target_freshbooks.report.month import Month
from target_freshbooks.report.receipts import BY_HAND, Receipt


@dataclass(frozen=True, slots=True)
class PaymentsOfMonth:
    """The month's payments.

    Attributes:
        receipts: Those on orders' invoices, whichever month those are of.
        others: Those on other invoices.
        of_other_stores: How many bear the marks of other stores that this ledger is of.
    """

    receipts: tuple[Receipt, ...]
    others: tuple[ObservedPayment, ...]
    of_other_stores: int = 0

    @property
    def first_days(self) -> Mapping[int, date]:
        """The day of the first payment of each order."""
        return {
            one.order_id: one.day
            for one in sorted(self.receipts, key=lambda one: one.day, reverse=True)
        }


def read_payments(books: FreshBooks, ledger: Ledger, month: Month) -> PaymentsOfMonth:
    """Read the payments that are dated in the month."""
    receipts, others, stores, elsewhere = [], [], other_stores(ledger), 0
    for payment in books.payments.dated(month.first, month.last):
        order = _order_of(ledger, payment)
        if order is not None:
            receipts.append(_standing(ledger, month, order, payment))
        elif is_of(stores, payment.note):
            elsewhere += 1
        elif payment.amount:
            others.append(payment)
    receipts += _gone(books, ledger, month)
    receipts.sort(key=lambda one: (one.day, one.order_id))
    return PaymentsOfMonth(tuple(receipts), tuple(others), elsewhere)


def other_stores(ledger: Ledger) -> set[str]:
    """The hashes of the ledger's stores other than this source's."""
    return ledger.ownership.store_hashes() - {ledger.ownership.store_hash() or ""}


def is_of(stores: Collection[str], text: str) -> bool:
    """Whether a record's text bears a mark of one of these stores."""
    return any(mark.store in stores for mark in marks_in(text))


def _order_of(ledger: Ledger, payment: ObservedPayment) -> OrderRow | None:
    """The order whose invoice a payment is on."""
    link = ledger.links.of_remote("invoice", payment.invoice_id)
    if link is None or link.order_id is None:
        return None
    return ledger.orders.get(link.order_id)


def _standing(ledger: Ledger, month: Month, order: OrderRow, payment: ObservedPayment) -> Receipt:
    siblings = _payment_links(ledger, order)
    link = next((one for one in siblings if one.remote_id == payment.id), None)
    ours = link is not None or any(mark.part for mark in marks_in(payment.note))
    as_in_shop = order.state == "posted"
    back = _refunded(order, link, siblings, payment.amount, as_in_shop=as_in_shop)
    return Receipt(
        day=payment.date,
        currency=payment.currency or order.currency or "",
        kind=payment.type,
        method=(order.payment_method or "") if ours else BY_HAND,
        order_id=order.order_id,
        invoice_number=order.invoice_number or "",
        booked=payment.amount,
        refunded=back if ours else ZERO,
        earlier=_is_earlier(order, month),
    )


def _refunded(
    order: OrderRow,
    link: Link | None,
    siblings: Sequence[Link],
    booked: Decimal,
    *,
    as_in_shop: bool,
) -> Decimal | None:
    """What was taken off a payment since it came in; None if that is not known.

    Unless the books are `as_in_shop`, it may hold a surplus, and what went back in the shop.
    """
    more = {} if link is None else link.extra  # `received`: there is or was a surplus
    if "received" not in more and not order.refunded:
        return ZERO
    if len(siblings) != 1 or not as_in_shop:
        return None
    if "received" not in more:
        return order.refunded
    return None if more["received"] is None else Decimal(more["received"]) - booked


def _gone(books: FreshBooks, ledger: Ledger, month: Month) -> Iterator[Receipt]:
    """Payments of which everything went back, so that they were deleted."""
    links = ledger.links.deleted("payment", month.first, month.last)
    if not links:
        return
    shown = {one.id: one for one in books.payments.dated(month.first, month.last, deleted=True)}
    for link in links:
        order = None if link.order_id is None else ledger.orders.get(link.order_id)
        if link.day is None or order is None or not order.refunded:
            continue
        siblings = _payment_links(ledger, order)
        if part_of(link) == DERIVED and any(not one.deleted for one in siblings):
            continue  # it gave way to the transactions, which stand
        yield Receipt(
            day=link.day,
            currency=order.currency or "",
            kind=shown[link.remote_id].type if link.remote_id in shown else "",
            method=order.payment_method or "",
            order_id=order.order_id,
            invoice_number=order.invoice_number or "",
            booked=ZERO,
            refunded=_refunded(order, link, siblings, ZERO, as_in_shop=True),
            earlier=_is_earlier(order, month),
        )


def _payment_links(ledger: Ledger, order: OrderRow) -> list[Link]:
    return [one for one in ledger.links.of_order(order.order_id) if one.kind == "payment"]


def _is_earlier(order: OrderRow, month: Month) -> bool:
    day = order.invoice_day or order.order_date
    return day is not None and day < month.first
