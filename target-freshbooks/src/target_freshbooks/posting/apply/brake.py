"""Brake: stops a run that changes many invoices of earlier runs, and asks whether that is meant.

A wrong setting or a wrong store can make every posted order look changed. Whatever the cause, a
person sees it after a few invoices and not after all of them. Payments and refunds do not count:
they come every day.
"""

import threading

from target_freshbooks.freshbooks.errors import FreshBooksError

NAMED = 5
"""How many of the orders a message names."""


class TooManyRewrites(FreshBooksError):  # noqa: N818 - the sentence is the name
    """The run has rewritten as many invoices of earlier runs as it may."""


class Brake:
    """Counts the invoices of earlier runs that this run rewrites or deletes. Thread-safe.

    Args:
        limit: The most of them; None: no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._guard = threading.Lock()
        self._made_here: set[int] = set()
        self._rewritten: set[int] = set()

    @property
    def rewritten(self) -> frozenset[int]:
        """The orders whose invoices were rewritten or deleted."""
        with self._guard:
            return frozenset(self._rewritten)

    def made(self, order_id: int) -> None:
        """The order's invoice was created in this run: whatever becomes of it does not count."""
        with self._guard:
            self._made_here.add(order_id)

    def found(self, order_id: int) -> None:
        """The order's invoice was not created after all: one of its number stood there already."""
        with self._guard:
            self._made_here.discard(order_id)

    def before_rewriting(self, order_id: int, number: str) -> None:
        """Count the order's invoice before it is rewritten or deleted.

        Raises:
            TooManyRewrites: The limit is reached; nothing is written.
        """
        with self._guard:
            if order_id in self._made_here or order_id in self._rewritten:
                return
            if self._limit is not None and len(self._rewritten) >= self._limit:
                named = ", ".join(str(order) for order in sorted(self._rewritten)[:NAMED])
                raise TooManyRewrites(
                    "posting",
                    f"This run has rewritten or deleted {len(self._rewritten)} invoices of earlier"
                    f" runs (of orders {named} and so on), and invoice {number} would be the next"
                    f" one: that is as many as max_rewritten_invoices ({self._limit}) allows. If"
                    " the orders did change in the shop, run again with max_rewritten_invoices set"
                    " higher (in a pipe or with replay: --accept-changes); else look for the"
                    " setting that changed.",
                )
            self._rewritten.add(order_id)
