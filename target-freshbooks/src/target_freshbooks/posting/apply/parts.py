"""Parts: what bringing orders about takes, and where each order stands between two steps."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from target_freshbooks.books.desired import Parked
from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.observed import ObservedCreditNote
from target_freshbooks.ledger import Ledger, Link, LinkKind, OrderRow
from target_freshbooks.posting.account_profile import AccountProfile
from target_freshbooks.posting.apply.brake import Brake
from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems
from target_freshbooks.posting.apply.outcome_lookup import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    RetriesExhausted,
)
from target_freshbooks.posting.apply.writer import OutcomeUnknown, Writer
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.identity import part_of
from target_freshbooks.posting.observe.by_request import Observer
from target_freshbooks.posting.plan.steps import AttemptState
from target_freshbooks.posting.results import Interrupted, OrderResult
from target_freshbooks.posting.state import Observed, Recorded


@dataclass(frozen=True, slots=True)
class ReconcileState:
    """Where the reconciling of an order stands between two steps.

    Attributes:
        context: The order.
        observed: What FreshBooks holds.
        progress: What this attempt has learnt.
        writes: How many writes it has made.
        conflicts: How often another request was changing the same record.
        throttled: How often FreshBooks' quota kept a write waiting.
        looked: When the last look at the invoice had ended, on the monotonic clock.
        seen_credits: The payments of which FreshBooks showed the credit that it made.
        unfulfilled: The steps that FreshBooks refused, or answered but did not do.
        client_anew: Whether its client was found or made anew, since FreshBooks had it no more.
        blocked: How the order comes out once what was lowered is put back.
        given_up: The same if a write was given up.
        follow_up: What a person has to see to once all is done.
        locked: The days that FreshBooks refused as locked, over all steps of the attempt.
    """

    context: OrderContext
    observed: Observed
    progress: AttemptState
    writes: int = 0
    conflicts: int = 0
    throttled: int = 0
    looked: float = 0.0
    seen_credits: frozenset[str] = frozenset()
    unfulfilled: frozenset[str] = frozenset()
    client_anew: bool = False
    blocked: OrderResult | None = None
    given_up: RetriesExhausted | None = None
    follow_up: Parked | None = None
    locked: set[date] = field(default_factory=set)


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
        settle_seconds: So long may searches not show a record that was just made.
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
    settle_seconds: int = 0

    def look_again(self, at: ReconcileState) -> ReconcileState:
        """Where the order stands by what FreshBooks holds now."""
        at = self.with_recorded(at)
        observed = self.observer.observe(at.context)
        return replace(at, observed=observed, looked=time.monotonic())

    def with_recorded(self, at: ReconcileState) -> ReconcileState:
        """Where the order stands by what the ledger knows now."""
        recorded = load_recorded(self.ledger, at.context.desired.order_id, at.context.recorded.row)
        return replace(at, context=replace(at.context, recorded=recorded))

    def overpayment(self, credit_id: int, client_id: int) -> ObservedCreditNote | None:
        """The credit of an overpayment; None once searches have had their time to show it.

        Raises:
            Interrupted: The run was asked to stop meanwhile.
        """
        deadline, pause = time.monotonic() + self.settle_seconds, FIRST_PAUSE
        while True:
            credit = self.books.credit_notes.overpayment(credit_id, client_id)
            if credit is not None or time.monotonic() >= deadline:
                return credit
            if self.stop.wait(pause):
                raise Interrupted
            pause = min(pause * 2, LONGEST_PAUSE)

    def after_refused_refund(
        self, at: ReconcileState, refund_id: int, words: str
    ) -> ReconcileState:
        """The refund is left undone; what was lowered for it is raised again."""
        refunds = {**at.progress.refused_refunds, refund_id: words}
        return self.look_again(replace(at, progress=replace(at.progress, refused_refunds=refunds)))


def load_recorded(ledger: Ledger, order_id: int, row: OrderRow | None = None) -> Recorded:
    """What the ledger knows of the order's records in FreshBooks, besides its row."""
    return with_links(Recorded(row), ledger.links.of_order(order_id))


def with_links(recorded: Recorded, links: Iterable[Link]) -> Recorded:
    """What the ledger knows of the order's records once these links are stored."""
    invoice, payments = recorded.invoice, dict(recorded.payments)
    by_refund: dict[LinkKind, dict[int, Link]] = {
        "credit_note": dict(recorded.credit_notes),
        "correction": dict(recorded.corrections),
        "expense": dict(recorded.expenses),
    }
    for link in links:
        if link.kind == "invoice":
            invoice = link
        elif link.kind == "payment":
            payments[part_of(link)] = link
        elif link.kind in by_refund:
            by_refund[link.kind][int(part_of(link))] = link
    return Recorded(
        recorded.row,
        invoice,
        payments,
        by_refund["credit_note"],
        by_refund["correction"],
        by_refund["expense"],
    )
