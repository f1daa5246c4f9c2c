"""Marked invoices: which invoice bears the mark of an order, whatever number it has.

An invoice is looked for by its number. That may have changed since it was made: the prefix in the
settings did, or a person gave it another; what the ledger does not know, since it was lost, put
back from a backup or the run was killed, would then be invoiced a second time. FreshBooks cannot
search for marks. So all invoices are read once, and in each run those that changed since, before
the first order is invoiced that no number leads to. What the run itself makes has its link.
"""

import threading
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice

from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.observed import ObservedInvoice
from target_freshbooks.ledger import Ledger, Link
from target_freshbooks.marks import STEM, Mark, marks_in
from target_freshbooks.posting.identity import invoice_key, marked_text

AT_A_TIME = 500

OVERLAP = timedelta(days=1)
"""What is read again: a search may go by the days of another zone, or show a change late."""


class MarkedInvoices:
    """The invoices that bear marks and that the ledger does not know as its orders'. Thread-safe.

    Args:
        books: FreshBooks.
        ledger: Keeps their ids, by mark; and by store, of which account and how far they were read.
    """

    def __init__(self, books: FreshBooks, ledger: Ledger) -> None:
        self._books = books
        self._ledger = ledger
        self._guard = threading.Lock()
        self._read: set[str] = set()

    def find(self, mark: Mark) -> ObservedInvoice | None:
        """The one that still stands and bears the mark; None if there is none."""
        with self._guard:
            if mark.store not in self._read:
                self._read_on(mark.store)
                self._read.add(mark.store)
        link = self._ledger.links.get("marked", str(mark))
        invoice = None if link is None else self._books.invoices.standing(link.remote_id)
        return invoice if invoice is not None and bears_mark(invoice, mark) else None

    def _read_on(self, store: str) -> None:
        """Read what changed since the last time, some at a time; the day is kept last.

        It is FreshBooks' own day of the latest change that was shown: no other clock says how far
        was read.
        """
        account = {"account": self._books.account_id}
        known = self._ledger.links.get("marked", store)
        day = known.day if known is not None and known.extra == account else None
        if day is None:  # of another account, too, or from before days were kept
            self._ledger.links.drop_kind("marked")
        invoices = self._books.invoices.changed(STEM, day)
        while some := list(islice(invoices, AT_A_TIME)):
            self._keep(link for invoice in some for link in self._links(invoice, store))
            day = max(filter(None, (day, *map(_before, some))), default=None)
        self._ledger.links.put(Link("marked", store, 0, day=day, extra=account))

    def _links(self, invoice: ObservedInvoice, store: str) -> Iterator[Link]:
        """By each mark of the store's, unless the ledger knows which invoice is the order's."""
        for mark in marks_in(marked_text(invoice)):
            if mark.store == store and (mark.part or not self._is_known(mark)):
                yield Link("marked", str(mark), invoice.id)

    def _is_known(self, order: Mark) -> bool:
        return self._ledger.links.get("invoice", invoice_key(order.order_id)) is not None

    def _keep(self, found: Iterable[Link]) -> None:
        """Of several that bear one mark, the first is the order's: the others are copies."""
        kept = self._ledger.links
        first = {link.key: link for link in sorted(found, key=_newest_first)}
        for key, link in first.items():
            known = kept.get("marked", key)
            if known is None or link.remote_id < known.remote_id:
                kept.put_soon(link)
        self._ledger.flush()


def _before(invoice: ObservedInvoice) -> date | None:
    """The day to read on from where this was the latest change; None if it is not told."""
    return None if invoice.updated is None else invoice.updated.date() - OVERLAP


def _newest_first(link: Link) -> int:
    return -link.remote_id


def bears_mark(invoice: ObservedInvoice, mark: Mark) -> bool:
    """Whether the invoice bears the mark, be it an order's or a refund's."""
    return mark in marks_in(marked_text(invoice))
