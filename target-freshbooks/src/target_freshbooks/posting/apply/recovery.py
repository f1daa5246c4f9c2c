"""Recovery: settles writes without an answer, of a killed run or of a look that failed."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Reason
from target_freshbooks.freshbooks.errors import Failing, FreshBooksError, Refused
from target_freshbooks.posting.defects import DEFECTS
from target_freshbooks.posting.plan.steps import StepKind

if TYPE_CHECKING:
    from target_freshbooks.ledger import Ledger
    from target_freshbooks.posting.apply.outcome_lookup import OutcomeLookup

logger = logging.getLogger(__name__)


class Recovery:
    """The open intents of one run's ledger. `settle` may be called by several threads."""

    def __init__(self, ledger: Ledger, lookup: OutcomeLookup) -> None:
        self._ledger = ledger
        self._lookup = lookup
        self._deferred: set[int | None] = set()

    def settle_all(self) -> None:
        """Look what came of them all, before the run does anything else.

        What cannot be seen now is deferred until its order's turn, so that one record that
        FreshBooks cannot show keeps no run from beginning.
        """
        # Not since the intents were opened: their requests may have waited long for their turn.
        since = datetime.now(UTC)
        failing = False
        for intent in self._ledger.intents.still_open():
            if failing or self._was_to_blame(intent.order_id):
                self.defer(intent.order_id)
                continue
            try:
                happened = self._lookup.resolve(intent, since=since)
            except (Failing, Refused, *DEFECTS) as error:
                logger.warning(
                    "What came of an interrupted %s (order %s) cannot be seen now: %s",
                    intent.kind,
                    intent.order_id,
                    error if isinstance(error, FreshBooksError) else type(error).__name__,
                )
                self.defer(intent.order_id)
                failing = isinstance(error, Failing)
                continue
            logger.info(
                "A run before this one was interrupted at %s (order %s): it %s",
                intent.kind,
                intent.order_id,
                "had happened" if happened else "had not happened",
            )

    def defer(self, order_id: int | None) -> None:
        """The order may have a write without an answer: look before it is written to again."""
        self._deferred.add(order_id)

    def settle(self, order_id: int) -> None:
        """Look what came of the order's own, where that was deferred.

        Raises:
            Failing: It cannot be seen now either.
        """
        if order_id not in self._deferred:
            return
        since = datetime.now(UTC)
        for intent in self._ledger.intents.still_open(order_id):
            # Of clients and items another order may see to, and does so under their locks.
            if intent.kind not in (StepKind.CREATE_CLIENT, StepKind.CREATE_ITEM):
                self._lookup.resolve(intent, since=since)
        self._deferred.discard(order_id)

    def _was_to_blame(self, order_id: int | None) -> bool:
        """Whether FreshBooks failed at this order alone, so that it stays parked for now."""
        row = None if order_id is None else self._ledger.orders.get(order_id)
        return row is not None and row.reason == Reason.FRESHBOOKS_ERROR
