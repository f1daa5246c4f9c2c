"""Circuit breaker: tells an outage (stop, park nothing) from a poison order (park it).

From one record's failures the two cannot be told apart. One rule tells them: a record is to blame
only if the same kind of write went well for another record after it failed first; else FreshBooks
is. `sweeps/outage` shows three things to be needed beside it: the only failure of a run is measured
by what went well before it too, or a poison order at the last place would stop the run; what is to
blame gets another chance, since an outage may have passed before the others had their turn; and
what an earlier run found to blame is believed to be so, or it would stop a run of its own.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.errors import Failing, FreshBooksError
from target_freshbooks.ledger import StoredFacts

READ = Failing.kind
"""The kind of a failure that was no write's; it goes well if an order can be looked at."""

OUTAGE = 3
"""So many records failed, and nothing of their kinds went well since: nobody else is tried."""

NO_NUMBER = "0"
"""A number to look for if it only matters that FreshBooks answers."""


class FreshBooksFails(FreshBooksError):  # noqa: N818 - the sentence is the name
    """FreshBooks kept failing, for all orders alike: an outage, so nobody is parked for it."""

    def __init__(self, records: Iterable[str]) -> None:
        names = ", ".join(sorted(records))
        super().__init__(
            "posting",
            f"FreshBooks kept answering with server errors ({names}). Nothing is lost:"
            " run again when it is well. Where it is the same order each time, settle that order:"
            " the others are booked without it.",
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """A record whose retries are exhausted.

    Attributes:
        record: Its name in messages.
        kind: What was to be written, or `READ`.
        since: When it failed first, on the monotonic clock.
        retry: Has it worked on anew.
        order_id: Its number if it is an order.
        stored: What of the order is in the ledger.
        blamed_before: An earlier run found it to blame.
    """

    record: str
    kind: str
    since: float
    retry: Callable[[], None]
    order_id: int | None = None
    stored: StoredFacts | None = None
    blamed_before: bool = False


class CircuitBreaker:
    """Collects a run's failures and successes, from several threads; evaluated at checkpoints.

    Attributes:
        writes: Writes that FreshBooks has carried out in this run.
        last_chance: Whether what failed is being tried once more, so that few tries are enough.
    """

    def __init__(self, books: FreshBooks) -> None:
        self._books = books
        self._guard = threading.Lock()
        self._failures: list[Failure] = []
        self._latest_success: dict[str, float] = {}
        self.writes = 0
        self.last_chance = False

    def record_success(self, kind: str, began: float | None) -> None:
        """Note what went well.

        Args:
            kind: What was written, or `READ` if an order could be looked at.
            began: When it was begun, on the monotonic clock: what was in hand when an outage
                begins may still end well. None if that is not known.
        """
        with self._guard:
            self.writes += kind != READ
            if began is not None:
                self._latest_success[kind] = max(began, self._latest_success.get(kind, began))

    def record_failure(self, failure: Failure) -> None:
        """Note what was given up; several that nothing speaks against are an outage at once.

        Else a run would try every order that is left for as long before it said so.

        Raises:
            FreshBooksFails: It is an outage.
        """
        with self._guard:
            self._failures.append(failure)
            unexplained = [one for one in self._failures if not self._is_to_blame(one)]
        if len(unexplained) >= OUTAGE and not self.last_chance:
            raise FreshBooksFails(one.record for one in unexplained)

    def evaluate(self, settle: Callable[[], None]) -> list[Failure]:
        """The failures whose records alone were to blame, and whose last chance failed as well.

        Args:
            settle: Returns when all that was handed to the workers is settled.

        Raises:
            FreshBooksError: It is an outage, or FreshBooks' books cannot be read at the end.
        """
        failures = self._taken()
        unexplained = [
            one.record for one in failures if not (one.blamed_before or self._is_to_blame(one))
        ]
        # Nobody comes after the last order of a run: alone, it is measured by those before it.
        alone = len(failures) == 1 and failures[0].kind in self._latest_success
        if unexplained and not alone:
            raise FreshBooksFails(unexplained)
        if not failures:
            return []
        self.last_chance = True
        try:
            for failure in failures:
                failure.retry()
            settle()
        finally:
            self.last_chance = False
        failed_again = self._taken()
        if failed_again:
            self._books.invoices.find(NO_NUMBER, lines=False)
        return failed_again

    def _is_to_blame(self, failure: Failure) -> bool:
        return self._latest_success.get(failure.kind, failure.since) > failure.since

    def _taken(self) -> list[Failure]:
        with self._guard:
            failures, self._failures = self._failures, []
        return failures
