"""Outcome lookup: finds out what came of a write whose answer never arrived, before a repeat.

FreshBooks has no idempotency keys, its searches may not show a record for some seconds after it was
made, and a request that we gave up may still be carried out late. So a write counts as "did not
happen" only when a look finds nothing after the settle time has passed since the write.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from target_freshbooks.ledger import Intent, IntentNotOpen, Ledger, Link
from target_freshbooks.posting.apply.evidence import Evidence
from target_freshbooks.posting.apply.writer import summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger.intents import Outcome

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 3.0
HAPPENED = frozenset({"done", "found"})


class OutcomeLookup:
    """Closes open intents by looking at FreshBooks."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger,
        run_id: str,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        settle_seconds: int,
    ) -> None:
        self._evidence = Evidence(books, ledger)
        self._ledger = ledger
        self._run_id = run_id
        self._clock = clock
        self._sleep = sleep
        self._settle = timedelta(seconds=settle_seconds)

    def resolve(
        self, intent: Intent, *, since: datetime | None = None, answered: bool = False
    ) -> bool:
        """Close the intent as found or not found.

        Args:
            intent: What was about to be written.
            since: When the write was last under way; default now.
            answered: Whether the request is known not to be carried out later.

        Returns:
            Whether the write had happened.
        """
        deadline = (since or self._clock()) + self._settle
        # A change is read by its record's id, which shows it as soon as it is carried out.
        waits = not answered or intent.kind.startswith("create_")
        pause = FIRST_PAUSE
        while True:
            evidence = self._evidence.of(intent)
            if evidence is not None:
                record, links = evidence
                answer = summary(record) if record else {"id": intent.payload["remote_id"]}
                return self._closed(intent, "found", answer, links)
            if not waits or self._clock() >= deadline:
                return self._closed(intent, "not_found", {}, [])
            self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _closed(
        self, intent: Intent, outcome: Outcome, answer: dict[str, Any], links: list[Link]
    ) -> bool:
        """Close the intent, and tell whether its write happened."""
        try:
            self._ledger.intents.close(
                intent, outcome, answer=answer, links=links, run_id=self._run_id
            )
        except IntentNotOpen:
            recorded = self._recorded(intent)
            if recorded is None:
                raise
            for link in links:
                # Seen by us, so it is there, even if another's look came too early to see it.
                if self._ledger.links.get(link.kind, link.key) is None:
                    self._ledger.links.put(link)
            return outcome == "found" or recorded in HAPPENED
        return outcome in HAPPENED

    def _recorded(self, intent: Intent) -> str | None:
        """What another worker closed the intent as; None if it is not known to the ledger."""
        for row in self._ledger.audit.rows(intent.order_id):
            if row.data.get("intent") == intent.id and row.event != "intended":
                return row.event
        return None
