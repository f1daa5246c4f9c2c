"""A run: its parts, once they are put together, and its figures."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Any

from target_freshbooks.access import Account
from target_freshbooks.freshbooks import RequestRecord
from target_freshbooks.ledger import AuditHead, Ledger, ScratchLedger
from target_freshbooks.posting.apply.circuit_breaker import CircuitBreaker
from target_freshbooks.posting.dryrun.outlook import MOST_CLIENTS
from target_freshbooks.posting.order_work import OrderWork
from target_freshbooks.posting.outcomes import Outcomes
from target_freshbooks.posting.service import Service


@dataclass(slots=True)
class Run:
    """All parts of one run.

    Attributes:
        run_id: Its name.
        account: The FreshBooks account.
        ledger: The ledger.
        service: Takes records in.
        work: Works orders off.
        outcomes: How they came out.
        breaker: Knows how many writes FreshBooks carried out.
        dry_run: Nothing is written.
        lacks_start_date: Why nobody has said from which day on orders are to be booked, if that is
            why nothing is written.
        head: Where the audit journal ends, once the run has.
        requests: FreshBooks' answers by status, those that did not come as `none`.
    """

    run_id: str
    account: Account
    ledger: Ledger
    service: Service
    work: OrderWork
    outcomes: Outcomes
    breaker: CircuitBreaker
    dry_run: bool
    lacks_start_date: str = ""
    head: AuditHead | None = None
    requests: Counter[str] = field(default_factory=Counter)

    def outlook(self) -> Iterator[str]:
        """What this dry run would bring into the books, in a few lines; nothing of a real run."""
        if self.outcomes.outlook is not None:
            clients_now = self.account.books.clients.count(at_most=MOST_CLIENTS + 1)
            yield from self.outcomes.outlook.lines(clients_now)

    def forget_old_bodies(self, days: int) -> None:
        """Drop what the shop said of orders that are settled for so long; hashes and links stay.

        What came in a dry run so long ago goes too.
        """
        if not self.dry_run:
            self.ledger.retention.prune(timedelta(days=days))
            ScratchLedger(self.ledger).inbox.prune(timedelta(days=days))

    def counts(self) -> dict[str, int]:
        """How many orders came out how, and the writes that were carried out."""
        tally = self.outcomes.tally
        return {
            "received": tally.received,
            "posted": tally.posted,
            "unchanged": tally.unchanged,
            "waiting": tally.waiting,
            "parked": len(tally.parked),
            "writes": self.breaker.writes,
        }

    def figures(self) -> dict[str, Any]:
        """Requests by status, and the seconds from the shop to the books."""
        lags = self.outcomes.tally.lags
        lag = {"median": round(median(lags)), "max": round(max(lags))} if lags else None
        return {"requests": dict(self.requests), "lag": lag}


class RequestCounter:
    """Counts requests by the status of their answers, `none` where none came. Thread-safe."""

    def __init__(self) -> None:
        self.by_status: Counter[str] = Counter()
        self._guard = threading.Lock()

    def __call__(self, request: RequestRecord) -> None:
        """Count a request."""
        with self._guard:
            self.by_status["none" if request.status is None else str(request.status)] += 1
