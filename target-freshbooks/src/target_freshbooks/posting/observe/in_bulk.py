"""Bulk observer: looks for the invoices of many new orders at once, in the lists of their days.

A new order costs a look for its invoice, which nearly always finds nothing. One list of the days
that the orders fall on tells the same of a hundred. That an invoice is not there is believed of it
only where FreshBooks is known to refuse a second one of its number; that one is there, as far as
nothing has to be written to it. Where only the latter can be of use, no list is read while none of
the orders looked for last had an invoice.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from typing_extensions import override

from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.collection import TooManyPages
from target_freshbooks.freshbooks.errors import Failing, Refused
from target_freshbooks.freshbooks.observed import ObservedInvoice, ObservedPayment
from target_freshbooks.marks import Mark
from target_freshbooks.posting.account_profile import AccountProfile
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.identity import is_marked, marks_of
from target_freshbooks.posting.observe.by_mark import MarkedInvoices
from target_freshbooks.posting.observe.by_request import RequestObserver
from target_freshbooks.posting.plan.payments import lacks_payment
from target_freshbooks.posting.state import Observed

logger = logging.getLogger(__name__)

FEWEST = 20
"""New orders that lists are read for; fewer are cheaper looked for one by one."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Look:
    """What the lists of some days show of an order.

    Attributes:
        observed: Nothing, or its invoice with the payments of those days.
        first: The first day.
        last: The last one.
    """

    observed: Observed
    first: date
    last: date


class BulkObserver(RequestObserver):
    """Asks for an order's records one by one, unless a list has just shown them. Thread-safe."""

    def __init__(self, books: FreshBooks, marked: MarkedInvoices, profile: AccountProfile) -> None:
        super().__init__(books, marked)
        self._profile = profile
        self._guard = threading.Lock()
        self._looks: dict[Mark, _Look] = {}
        self._former: dict[Mark, _Look] = {}
        self._finds = True

    def prepare(self, days: Mapping[Mark, date], prefix: str) -> None:
        """Look for the invoices of orders that the ledger knows none of.

        Args:
            days: The order's mark → about the day its invoice would have.
            prefix: What the numbers of invoices begin with.
        """
        looks: dict[Mark, _Look] = {}
        if len(days) >= FEWEST:
            self._books.clients.expect(len(days))
            self._books.items.expect(len(days))
            if self._finds or self._profile.refuses_taken_numbers:
                looks = self._listed(days, {f"{prefix}{mark.order_id}": mark for mark in days})
                self._finds = any(look.observed.invoice is not None for look in looks.values())
        with self._guard:  # of the batch before, some may still be in work
            self._former, self._looks = self._looks, looks

    @override
    def observe(self, context: OrderContext) -> Observed:
        observed = self._shown(context) or super().observe(context)
        if observed.invoice is not None and not context.recorded.known:
            self._finds = True
        return observed

    def _shown(self, context: OrderContext) -> Observed | None:
        """What lists show of the order, once; None if they do not tell all of it."""
        wanted = context.desired.invoice
        with self._guard:
            look = self._looks.pop(wanted.marker, None) or self._former.pop(wanted.marker, None)
        if look is None or context.recorded.known or not look.first <= wanted.day <= look.last:
            return None
        invoice = look.observed.invoice
        if invoice is None:  # of that number: the order's may have another
            return look.observed if self._marked.find(wanted.marker) is None else None
        # A payment that is emptied, a credit note and a correction come of refunds only, of those
        # too that were declined since.
        desired = context.desired
        is_whole = look.observed.is_whole and not (desired.refunds or desired.unbooked_refunds)
        if not is_whole or not context.is_ours(invoice) or lacks_payment(context, look.observed):
            return None
        return look.observed

    def _listed(self, days: Mapping[Mark, date], numbers: Mapping[str, Mark]) -> dict[Mark, _Look]:
        first, last, most = min(days.values()) - DAY, max(days.values()) + DAY, len(days) // 2
        invoices, refuses = self._books.invoices, self._profile.refuses_taken_numbers
        try:
            standing = _of_orders(invoices.dated(first, last, most_pages=most), numbers)
            gone = invoices.dated(first, last, deleted=True, lines=False, most_pages=most)
            deleted = {numbers.get(row.number) for row in gone} if refuses else set()
            payments = self._payments(standing, first, last, most)
        except TooManyPages as too_many:
            logger.info(
                "From %s to %s there are %d pages of records: each order is looked for by itself",
                first,
                last,
                too_many.pages,
            )
            return {}
        except (Failing, Refused) as failure:
            logger.warning("%s; each order is looked for by itself", failure)
            return {}
        absent = days.keys() - standing.keys() - deleted if refuses else set[Mark]()
        looks = {mark: _Look(Observed(), first, last) for mark in absent}
        for mark, row in standing.items():
            observed = Observed(row, tuple(payments.get(row.id, ())), listed=True)
            looks[mark] = _Look(observed, first, last)
        return looks

    def _payments(
        self, standing: Mapping[Mark, ObservedInvoice], first: date, last: date, most: int
    ) -> dict[int, list[ObservedPayment]]:
        """The payments of these days on the invoices, by invoice."""
        by_invoice: dict[int, list[ObservedPayment]] = {
            row.id: [] for row in standing.values() if row.paid != 0
        }
        if by_invoice:
            for payment in self._books.payments.dated(first, last, most_pages=most):
                if payment.invoice_id in by_invoice:
                    by_invoice[payment.invoice_id].append(payment)
        return by_invoice


def _of_orders(
    rows: Iterable[ObservedInvoice], numbers: Mapping[str, Mark]
) -> dict[Mark, ObservedInvoice]:
    """Of each order the invoice that bears its mark or, if none does, its number."""
    found: dict[Mark, ObservedInvoice] = {}
    orders = set(numbers.values())
    for row in rows:
        numbered = numbers.get(row.number)
        for mark in orders.intersection((*marks_of(row), numbered)):

            def fit(one: ObservedInvoice, mark: Mark = mark) -> tuple[bool, bool, int]:
                return is_marked(one, mark), numbers.get(one.number) == mark, -one.id

            found[mark] = max(found.get(mark, row), row, key=fit)
    return found
