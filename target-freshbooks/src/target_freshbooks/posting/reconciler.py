"""Reconciler: takes one step after the other until FreshBooks holds what the order should be.

Whatever happens between two steps, the next round starts from what FreshBooks holds then.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books import assess, client_of_customer, desire, is_cancelled
from target_freshbooks.books.desired import Billable, Desired, Parked, Reason, Waiting
from target_freshbooks.books.marks import mark_of
from target_freshbooks.freshbooks.errors import FreshBooksError, Refused
from target_freshbooks.freshbooks.observed import DELETED, DRAFT, ObservedInvoice
from target_freshbooks.ledger import Ledger, OrderRow, Terms
from target_freshbooks.posting.apply.adoption import adopt_invoice
from target_freshbooks.posting.apply.cancellation import Cancellation
from target_freshbooks.posting.apply.completion import completed
from target_freshbooks.posting.apply.effects import (
    without_overpayment,
)
from target_freshbooks.posting.apply.refused_step import RefusedSteps
from target_freshbooks.posting.apply.step_runner import StepRunner
from target_freshbooks.posting.apply.writer import OutcomeUnknown, Writer
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.digests import content_digest, desired_digest
from target_freshbooks.posting.identity import (
    part_key,
    part_paid,
)
from target_freshbooks.posting.order_terms import dated, policy_of
from target_freshbooks.posting.plan.head import (
    keeps_its_client,
)
from target_freshbooks.posting.plan.next_step import next_step
from target_freshbooks.posting.plan.overpayment import (
    capped,
    credit_left,
)
from target_freshbooks.posting.plan.steps import (
    Asked,
    AttemptState,
    Blocked,
    Step,
    StepKind,
)
from target_freshbooks.posting.results import Interrupted, OrderResult, refused_result
from target_freshbooks.posting.state.observed import Observed
from target_freshbooks.posting.state.reconcile_state import Look, ReconcileState
from target_freshbooks.posting.state.recorded import Recorded, load_recorded

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.posting.apply.brake import Brake
    from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems
    from target_freshbooks.posting.observe.observer import Observer

logger = logging.getLogger(__name__)


class Reconciler:
    """Brings orders about, one call an order; several threads may do so for several orders."""

    def __init__(
        self,
        *,
        books: FreshBooks,
        observer: Observer,
        ledger: Ledger,
        writer: Writer,
        parties: ClientsAndItems,
        policy: Policy,
        settle_unknown: Callable[[OutcomeUnknown], bool],
        stop: threading.Event,
        brake: Brake,
    ) -> None:
        self._stop = stop
        self._brake = brake
        self._books = books
        self._observer = observer
        self._ledger = ledger
        self._writer = writer
        self._parties = parties
        self._policy = policy
        self._settle_unknown = settle_unknown
        self._look = Look(observer, ledger)
        self._refusals = RefusedSteps(books, self._look, parties, writer.run_id, stop.wait)
        self._steps = StepRunner(books, self._look, writer, self._refusals, settle_unknown, brake)
        self._cancelling = Cancellation(books, ledger, writer, settle_unknown, stop.wait, brake)

    def reconcile(
        self,
        facts: OrderFacts,
        *,
        standing: OrderRow | None = None,
        asked: Asked | None = None,
    ) -> OrderResult:
        """Bring the order about, as far as it goes.

        Args:
            facts: All that is known of the order.
            standing: Its row in the ledger.
            asked: What a person asked for; FreshBooks is looked at even if nothing changed.

        Raises:
            Outage, AuthError, Forbidden, LockLost: The run cannot go on now.
            RetriesExhausted: This order cannot go on now.
        """
        order_id = facts.order.id
        wish = asked or Asked()
        recorded = load_recorded(self._ledger, order_id)
        terms = self._ledger.terms.of(order_id)
        policy = policy_of(self._policy, facts, terms, current=wish.current_settings)
        if is_cancelled(facts.order) and not recorded.known:
            # With the ledger lost, an invoice may stand for an order that is cancelled since.
            kept = self._cancelling.adopt(facts, policy, overwrite=wish.overwrite)
            if kept is not None:
                return kept
            recorded = load_recorded(self._ledger, order_id)
        assessed = assess(facts, policy, already_invoiced=recorded.known)
        desired = desire(facts, policy) if isinstance(assessed, Billable) else assessed
        if not isinstance(desired, Desired):
            number = f"{policy.invoice_number_prefix}{order_id}"
            left = self._credits_left(order_id, number, recorded)
            return left or self._not_posted(facts, recorded, desired, overwrite=wish.overwrite)
        if terms is not None:
            desired = dated(desired, terms.invoice_day)
        content = content_digest(facts)
        wanted = desired_digest(desired, content)
        if (
            asked is None
            and standing is not None
            and standing.state == "posted"
            and standing.desired_hash == wanted
            and recorded.known
        ):
            return OrderResult("posted", None, None, None, desired, wanted, unchanged=True)
        progress = AttemptState(
            overwrite=wish.overwrite, reword=wish.current_settings, send=wish.send
        )
        result = self._bring_about(facts, desired, content, recorded, policy, progress)
        renewed = wish.current_settings or (terms is not None and not terms.posted)
        if renewed and terms is not None and result.state == "posted":
            self._ledger.terms.keep(order_id, Terms(policy.terms(), terms.invoice_day))
        return replace(result, desired=desired, desired_hash=wanted)

    def _not_posted(
        self, facts: OrderFacts, recorded: Recorded, why: Waiting | Parked, *, overwrite: bool
    ) -> OrderResult:
        """How an order comes out that has no invoice to be brought about."""
        if isinstance(why, Waiting):
            return OrderResult("waiting", why=why.why)
        if why.reason is Reason.CANCELLED_AFTER_POSTING and recorded.known:
            return self._cancelled(facts, recorded, why, overwrite=overwrite)
        return OrderResult("parked", parked=why)

    def _credits_left(self, order_id: int, number: str, recorded: Recorded) -> OrderResult | None:
        """Delete the credits of an undoing that broke off, of an order that cannot be posted now.

        Returns:
            How the order comes out where FreshBooks keeps one; else None.
        """
        if recorded.invoice_id is None or not recorded.overpayments:
            return None
        invoice = self._observer.invoice(recorded, number)
        if invoice is None:
            return None
        for key, credit_id in recorded.overpayments.items():
            credit = self._books.credit_notes.overpayment(credit_id, invoice.customer_id)
            if credit is None:
                continue
            try:
                self._writer.write(
                    kind=StepKind.DELETE_OVERPAYMENT,
                    key=key,
                    body={"vis_state": DELETED},
                    order_id=order_id,
                    remote_id=credit.id,
                    why=f"delete the credit that FreshBooks made of payment {key}",
                )
            except OutcomeUnknown as unknown:
                self._settle_unknown(unknown)
            except Refused:
                return OrderResult("parked", parked=credit_left(number, key, credit))
        return None

    def _bring_about(
        self,
        facts: OrderFacts,
        desired: Desired,
        content: str,
        recorded: Recorded,
        policy: Policy,
        progress: AttemptState,
    ) -> OrderResult:
        order_id = desired.order_id
        own = None
        if recorded.invoice_id is not None:
            own = self._observer.invoice(recorded, desired.invoice.number)
        try:
            keeps = self._keeps_client(recorded, own, progress, desired.client.key)
            client_id = own.customer_id if own and keeps else self._client(facts, desired)
            item_names = self._parties.items.names_of(desired.items, order_id)
        except Refused as refused:
            return refused_result(refused, "client or item", 0)
        context = OrderContext(
            desired,
            content,
            policy,
            client_id,
            item_names,
            recorded,
            keeps_client=keeps,
            unmarked=self._refusals.unmarked_field,
        )
        if recorded.invoice_id is None:
            observed = self._observer.observe(context)
        else:
            observed = Observed() if own is None else self._observer.around(context, own)
        context = adopt_invoice(context, observed, self._ledger, self._writer.run_id)
        if not context.recorded.known:
            self._brake.made(order_id)
        return self._attempt(ReconcileState(context, observed, progress, looked=time.monotonic()))

    def _attempt(self, at: ReconcileState) -> OrderResult:
        """One step after the other, until nothing is left or the order has to wait for a person."""
        while True:
            if self._stop.is_set():
                raise Interrupted
            at = self._without_gone_credits(at)
            step = next_step(at.context, at.observed, at.progress)
            if isinstance(step, Blocked) and self._is_to_be_put_back(at, step):
                result = OrderResult("parked", parked=step.parked)
                blocked = replace(at.progress, rewrite_blocked=True)
                at = replace(at, blocked=result, progress=blocked)
                continue
            if not isinstance(step, Step):
                return self._ended(at, step)
            outcome = self._steps.run(at, step)
            if isinstance(outcome, OrderResult):
                return replace(outcome, writes=at.writes)
            at = self._look.recorded(outcome)
            if at.context.recorded.overpayments:
                at = replace(at, observed=self._observer.observe(at.context))

    def _is_to_be_put_back(self, at: ReconcileState, stop: Blocked) -> bool:
        """Whether payments may be lowered for a wording that did not come about."""
        invoice = at.observed.invoice
        sent = invoice is not None and invoice.status != DRAFT
        return sent and at.blocked is None and stop.parked.reason is Reason.TOTAL_MISMATCH

    def _ended(self, at: ReconcileState, stop: Blocked | None) -> OrderResult:
        """How an attempt comes out that has no further step.

        Raises:
            RetriesExhausted: A write was given up before; the payments have their former amounts
                again.
        """
        if at.given_up is not None:
            raise at.given_up
        if at.blocked is not None:
            return replace(at.blocked, writes=at.writes)
        if stop is not None:
            return OrderResult("parked", parked=stop.parked, writes=at.writes)
        finished = completed(at, self._ledger)
        return replace(finished, state="parked", parked=at.follow_up) if at.follow_up else finished

    def _keeps_client(
        self,
        recorded: Recorded,
        own: ObservedInvoice | None,
        progress: AttemptState,
        client_key: str,
    ) -> bool:
        """Whether the order's invoice is left with the client that it has."""
        if own is None or own.vis_state == DELETED or progress.overwrite:
            return False
        return keeps_its_client(recorded, own, client_key)

    def _client(self, facts: OrderFacts, desired: Desired) -> int:
        """FreshBooks' id of the client that the order's invoice should be of."""
        customer = facts.customer
        registered = client_of_customer(customer, "") if customer is not None else None
        return self._parties.clients.id_of(desired.client, desired.order_id, registered)

    def _without_gone_credits(self, at: ReconcileState) -> ReconcileState:
        """Forget the credits of overpayments that do not stand any more.

        Raises:
            AnotherWriter: What was paid instead bears our own note.
        """
        recorded, order_id = at.context.recorded, at.context.desired.order_id
        gone = recorded.overpayments.keys() - at.observed.overpayments.keys()
        gone -= capped(at.context, at.observed).keys()
        for key in gone:
            link = self._ledger.links.get("payment", part_key(order_id, key))
            if link is not None:
                self._ledger.links.put(without_overpayment(link))
        if not gone:
            return at
        ours = set(recorded.payment_ids.values())
        for found in at.observed.payments:
            if part_paid(found, at.context.desired.invoice.marker) and found.id not in ours:
                raise AnotherWriter(at.context.desired.invoice.number, found.id)
        return self._look.recorded(at)

    def _cancelled(
        self, facts: OrderFacts, recorded: Recorded, parked: Parked, *, overwrite: bool
    ) -> OrderResult:
        if self._policy.on_cancel != "delete" or recorded.invoice_id is None:
            return OrderResult("parked", parked=parked)
        mark = mark_of(facts.order)
        return self._cancelling.delete(mark, recorded, recorded.invoice_id, overwrite=overwrite)


class AnotherWriter(FreshBooksError):  # noqa: N818 - it names the situation
    """Somebody else books the same orders into the same account, with our own notes."""

    def __init__(self, number: str, payment_id: int) -> None:
        super().__init__(
            "posting",
            f"Another writer is at work: while a payment of invoice {number} was recorded, payment"
            f" {payment_id} with our own note appeared on it. Ours was taken back. One FreshBooks"
            " account has one ledger: stop the other run, let both use the same ledger_url, and"
            " run again.",
        )
