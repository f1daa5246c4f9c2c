"""Marked invoices: which invoice bears the mark of an order, whatever number it has.

An invoice is looked for by its number. That may have changed since it was made: the prefix in the
settings did, or a person gave it another; a ledger that was lost would then have the order invoiced
a second time. FreshBooks cannot search for marks. So all invoices are read once for each ledger,
before the first order is invoiced that no number leads to; what is made later has its link.
"""

import threading
from collections.abc import Iterable
from itertools import islice

from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.observed import ObservedInvoice
from target_freshbooks.ledger import Ledger, Link
from target_freshbooks.marks import STEM, Mark, marks_in
from target_freshbooks.posting.identity import marked_text

AT_A_TIME = 500


class MarkedInvoices:
    """The invoices that bore marks when this ledger began. Thread-safe.

    Args:
        books: FreshBooks.
        ledger: Keeps their ids, by mark; and that they were read, by store.
    """

    def __init__(self, books: FreshBooks, ledger: Ledger) -> None:
        self._books = books
        self._ledger = ledger
        self._guard = threading.Lock()

    def find(self, mark: Mark) -> ObservedInvoice | None:
        """The one that still stands and bears the mark; None if there is none."""
        with self._guard:
            if self._ledger.links.get("marked", mark.store) is None:
                self._read(mark.store)
        link = self._ledger.links.get("marked", str(mark))
        invoice = None if link is None else self._books.invoices.standing(link.remote_id)
        return invoice if invoice is not None and bears_mark(invoice, mark) else None

    def _read(self, store: str) -> None:
        """Read all, some at a time; that all were read is kept last."""
        invoices = self._books.invoices.naming(STEM, None)
        while some := list(islice(invoices, AT_A_TIME)):
            links = [
                Link("marked", str(mark), invoice.id)
                for invoice in some
                for mark in marks_in(marked_text(invoice))
                if mark.store == store
            ]
            self._keep(links)
        self._keep([Link("marked", store, 0)])

    def _keep(self, found: Iterable[Link]) -> None:
        """Of several that bear one mark, the first is the order's: the others are copies."""
        kept = self._ledger.links
        first = {link.key: link for link in sorted(found, key=_newest_first)}
        for key, link in first.items():
            known = kept.get("marked", key)
            if known is None or link.remote_id < known.remote_id:
                kept.put_soon(link)
        self._ledger.flush()


def _newest_first(link: Link) -> int:
    return -link.remote_id


def bears_mark(invoice: ObservedInvoice, mark: Mark) -> bool:
    """Whether the invoice bears the mark, be it an order's or a refund's."""
    return mark in marks_in(marked_text(invoice))
