"""Bulk observer: looks for the invoices of many new orders at once, in the lists of their days.

A new order costs a look for its invoice, which nearly always finds nothing. One list of the days
that the orders fall on tells the same of a hundred. That an invoice is not there is believed of it
only where FreshBooks is known to refuse a second one of its number; that one is there, as far as
nothing has to be written to it. Where only the latter can be of use, no list is read while none of
the orders looked for last had an invoice.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from typing_extensions import override

from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.collection import TooManyPages
from target_freshbooks.freshbooks.errors import Failing, Refused
from target_freshbooks.freshbooks.observed import ObservedInvoice, ObservedPayment
from target_freshbooks.posting.account_profile import AccountProfile
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.observe.by_request import RequestObserver
from target_freshbooks.posting.state import Observed, Recorded

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

    def __init__(self, books: FreshBooks, profile: AccountProfile) -> None:
        super().__init__(books)
        self._profile = profile
        self._guard = threading.Lock()
        self._looks: dict[str, _Look] = {}
        self._former: dict[str, _Look] = {}
        self._finds = True

    def prepare(self, days: Mapping[str, date]) -> None:
        """Look for the invoices of orders that the ledger knows none of.

        Args:
            days: Invoice number → about the day it would have.
        """
        looks: dict[str, _Look] = {}
        if len(days) >= FEWEST:
            self._books.clients.expect(len(days))
            self._books.items.expect(len(days))
            if self._finds or self._profile.refuses_taken_numbers:
                looks = self._listed(days)
                self._finds = any(look.observed.invoice is not None for look in looks.values())
        with self._guard:  # of the batch before, some may still be in work
            self._former, self._looks = self._looks, looks

    @override
    def invoice(self, recorded: Recorded, number: str) -> ObservedInvoice | None:
        with self._guard:
            look = self._looks.get(number) or self._former.get(number)
        if recorded.known or look is None or look.observed.invoice is None:
            return super().invoice(recorded, number)
        return look.observed.invoice

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
            look = self._looks.pop(wanted.number, None) or self._former.pop(wanted.number, None)
        if look is None or context.recorded.known or not look.first <= wanted.day <= look.last:
            return None
        invoice = look.observed.invoice
        if invoice is None:
            return look.observed
        # A payment that is emptied, a credit note and a correction come of refunds only, of those
        # too that were declined since.
        desired = context.desired
        is_whole = look.observed.is_whole and not (desired.refunds or desired.unbooked_refunds)
        return look.observed if is_whole and context.is_ours(invoice) else None

    def _listed(self, days: Mapping[str, date]) -> dict[str, _Look]:
        first, last, most = min(days.values()) - DAY, max(days.values()) + DAY, len(days) // 2
        invoices, refuses = self._books.invoices, self._profile.refuses_taken_numbers
        try:
            standing = {
                row.number: row
                for row in invoices.dated(first, last, most_pages=most)
                if row.number in days
            }
            gone = invoices.dated(first, last, deleted=True, lines=False, most_pages=most)
            deleted = {row.number for row in gone} if refuses else set[str]()
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
        absent = days.keys() - standing.keys() - deleted if refuses else set[str]()
        looks = {number: _Look(Observed(), first, last) for number in absent}
        for number, row in standing.items():
            observed = Observed(row, tuple(payments.get(row.id, ())), listed=True)
            looks[number] = _Look(observed, first, last)
        return looks

    def _payments(
        self, standing: Mapping[str, ObservedInvoice], first: date, last: date, most: int
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
