"""Parts: what bringing orders about takes, shared by all orders of a run."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from target_freshbooks.posting.state.recorded import load_recorded

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import Ledger
    from target_freshbooks.posting.account_profile import AccountProfile
    from target_freshbooks.posting.apply.brake import Brake
    from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems
    from target_freshbooks.posting.apply.writer import OutcomeUnknown, Writer
    from target_freshbooks.posting.observe.observer import Observer
    from target_freshbooks.posting.state.reconcile_state import ReconcileState


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a run that an order's reconciling uses.

    Attributes:
        books: FreshBooks, for what the observer does not read.
        observer: Reads what FreshBooks holds of an order.
        ledger: What is known of its records.
        writer: Writes to FreshBooks.
        parties: Clients and items.
        settle_unknown: Finds out what came of a write without an answer.
        stop: Set if the run is asked to stop.
        brake: Counts the invoices of earlier runs that are rewritten.
        profile: What the account is like.
    """

    books: FreshBooks
    observer: Observer
    ledger: Ledger
    writer: Writer
    parties: ClientsAndItems
    settle_unknown: Callable[[OutcomeUnknown], bool]
    stop: threading.Event
    brake: Brake
    profile: AccountProfile

    def look_again(self, at: ReconcileState) -> ReconcileState:
        """Where the order stands by what FreshBooks holds now."""
        at = self.with_recorded(at)
        looked = time.monotonic()
        return replace(at, observed=self.observer.observe(at.context), looked=looked)

    def with_recorded(self, at: ReconcileState) -> ReconcileState:
        """Where the order stands by what the ledger knows now."""
        recorded = load_recorded(self.ledger, at.context.desired.order_id)
        return replace(at, context=replace(at.context, recorded=recorded))

    def after_refused_refund(
        self, at: ReconcileState, refund_id: int, words: str
    ) -> ReconcileState:
        """The refund is left undone; what was lowered for it is raised again."""
        refunds = {**at.progress.refused_refunds, refund_id: words}
        return self.look_again(replace(at, progress=replace(at.progress, refused_refunds=refunds)))
