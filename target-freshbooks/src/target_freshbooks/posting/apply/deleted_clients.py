"""Deleted clients: whom a person deleted in FreshBooks, or merged away, since a run last asked.

A client that the ledger knows costs no request, and FreshBooks may take an invoice of one that is
deleted. So the first order of a run that needs a known client has the deleted ones listed, and what
the ledger knew of them is dropped: they are found or made anew.
"""

import logging
import threading
from datetime import date, timedelta

from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.errors import Failing, Forbidden, Refused
from target_freshbooks.ledger import Ledger, Link

logger = logging.getLogger(__name__)

ASKED = "deleted clients"

DAY = timedelta(days=1)
"""FreshBooks' days are those of another zone."""


class DeletedClients:
    """The clients found to be deleted in this run. Thread-safe.

    Args:
        books: FreshBooks.
        ledger: Keeps the day on which they were asked for last.
    """

    def __init__(self, books: FreshBooks, ledger: Ledger) -> None:
        self._books = books
        self._ledger = ledger
        self._guard = threading.Lock()
        self._ids: frozenset[int] | None = None

    def has(self, client_id: int) -> bool:
        """Whether the client is one of them; asks FreshBooks at the first call."""
        with self._guard:
            if self._ids is None:
                self._ids = self._read()
            return client_id in self._ids

    def _read(self) -> frozenset[int]:
        """Ask for them, drop all links to them, and keep the day of asking last."""
        links, today = self._ledger.links, self._ledger.scope.clock().date()
        try:
            ids = frozenset(
                client.id for client in self._books.clients.deleted_since(self._since() - DAY)
            )
        except (Failing, Refused, Forbidden) as failure:
            logger.warning(
                "Which clients were deleted in FreshBooks cannot be seen now: %s", failure
            )
            return frozenset()
        for client_id in ids:
            if links.has_remote("client", client_id):
                links.drop_remote("client", client_id)
        links.put_soon(Link("asked", ASKED, 0, day=today))
        return ids

    def _since(self) -> date:
        """The day of asking last; at first that of the ledger's first run, which knew no client."""
        asked = self._ledger.links.get("asked", ASKED)
        if asked is not None and asked.day is not None:
            return asked.day
        began = self._ledger.runs.first_start() or self._ledger.scope.clock()
        return began.date()
