"""Reconciler: takes one step after the other until FreshBooks holds what the order should be.

Whatever happens between two steps, the next round starts from what FreshBooks holds then.
"""

import logging
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from target_freshbooks.books import assess, client_of_customer
from target_freshbooks.books.closed import ClosedDays, book_apart, on_open_days
from target_freshbooks.books.desired import Billable, Desired, Parked, Reason, Waiting
from target_freshbooks.books.money_witnesses import may_clear_up
from target_freshbooks.books.policy import Policy
from target_freshbooks.freshbooks.errors import Refused
from target_freshbooks.ledger import OrderRow, Terms
from target_freshbooks.marks import mark_of
from target_freshbooks.money import ZERO
from target_freshbooks.posting.apply.adoption import (
    adopt_cancelled,
    adopt_invoice,
    with_head_by_field,
)
from target_freshbooks.posting.apply.cancellation import delete_cancelled, delete_credits
from target_freshbooks.posting.apply.completion import (
    completed,
    forget_gone_credits,
    with_left_to_do,
)
from target_freshbooks.posting.apply.order_parties import with_client_and_items
from target_freshbooks.posting.apply.parts import Parts, ReconcileState, load_recorded
from target_freshbooks.posting.apply.refused_step import is_to_be_put_back
from target_freshbooks.posting.apply.step_runner import run_step
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.digests import content_digest, desired_digest, earlier_digests
from target_freshbooks.posting.facts import (
    dated,
    note_paid_by_hand,
    policy_of,
    received_by_note,
    row_with_received,
    terms_of,
    with_credit_notes,
    with_notes_found,
    with_paid_by_hand,
    with_paid_day,
)
from target_freshbooks.posting.plan.closed import cancelled, day_closed
from target_freshbooks.posting.plan.corrections import apart
from target_freshbooks.posting.plan.next_step import next_step
from target_freshbooks.posting.plan.steps import (
    Asked,
    AttemptState,
    Step,
)
from target_freshbooks.posting.results import Interrupted, OrderResult, refused_result
from target_freshbooks.posting.state import Observed, Recorded
from target_freshbooks.shop.facts import OrderFacts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in the books tells more of an order than was known.

    Attributes:
        facts: The order with the credit notes that stand.
        received: What came in by hand; zero if nothing tells.
    """

    facts: OrderFacts
    received: Decimal = ZERO


class Reconciler:
    """Brings orders about, one call an order; several threads may do so for several orders."""

    def __init__(self, parts: Parts, policy: Policy) -> None:
        self._parts = parts
        self._policy = policy

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
        standing = standing or self._parts.ledger.orders.get(order_id)
        recorded = load_recorded(self._parts.ledger, order_id, standing)
        terms = terms_of(self._parts.ledger, order_id)
        policy = policy_of(self._policy, facts, terms, current=wish.current_settings)
        facts = with_paid_by_hand(facts, standing, recorded, self._parts.ledger)
        facts = with_paid_day(facts, standing, self._parts.ledger, policy)
        if facts.order.is_cancelled and not recorded.known:
            # With the ledger lost, an invoice may stand for an order that is cancelled since.
            kept = adopt_cancelled(self._parts, facts, policy, overwrite=wish.overwrite)
            if kept is not None:
                return kept
            recorded = load_recorded(self._parts.ledger, order_id, standing)
        facts = with_credit_notes(facts, recorded)
        assessed = assess(facts, policy, already_invoiced=recorded.known)
        desired: Desired | Parked | Waiting
        if isinstance(assessed, Billable):
            desired, policy = self._desired(facts, policy)
        else:
            desired = assessed
        if not isinstance(desired, Desired):
            number = f"{policy.invoice_number_prefix}{order_id}"
            left = delete_credits(self._parts, order_id, number, recorded)
            return left or self._not_posted(facts, recorded, desired, overwrite=wish.overwrite)
        chosen = wish.day or (standing and standing.booking_day) or None
        closed = self._parts.writer.fence.closed(chosen)
        ordered = desired.invoice.day
        if terms is not None and recorded.known:
            desired = dated(desired, terms.invoice_day)
        desired = on_open_days(desired, closed, ordered=ordered, has_invoice=recorded.known)
        content = content_digest(facts, void=desired.void)
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
        result = self._bring_about(facts, desired, content, recorded, policy, progress, closed)
        if isinstance(result, Found):
            row = standing or OrderRow(order_id, "new")
            known = row_with_received(row, result.received, self._parts.ledger)
            return self.reconcile(result.facts, standing=known, asked=asked)
        if result.booked:
            note_paid_by_hand(facts, desired, self._parts.ledger)
        renewed = wish.current_settings or (terms is not None and not terms.posted)
        if renewed and terms is not None and result.booked:
            kept_day = (self._parts.ledger.terms.of(order_id) or terms).invoice_day  # perhaps moved
            self._parts.ledger.terms.keep(order_id, Terms(policy.terms(), kept_day))
        number = (result.desired or desired).invoice.number  # that it was made under
        desired = replace(desired, invoice=replace(desired.invoice, number=number))
        wanted = desired_digest(desired, content)
        return replace(result, desired=result.desired or desired, desired_hash=wanted)

    def _desired(
        self, facts: OrderFacts, policy: Policy
    ) -> tuple[Desired | Parked | Waiting, Policy]:
        """What FreshBooks should hold for an order that is to be booked, if its money is clear."""
        desired, policy = self._parts.profile.desire(facts, policy)
        flag = desired.flag if isinstance(desired, Desired) else desired
        if may_clear_up(facts, flag, self._parts.ledger.scope.clock()):
            return Waiting(Reason.MONEY_UNCLEAR.value), policy
        return desired, policy

    def _not_posted(
        self, facts: OrderFacts, recorded: Recorded, why: Waiting | Parked, *, overwrite: bool
    ) -> OrderResult:
        """How an order comes out that has no invoice to be brought about."""
        if isinstance(why, Waiting):
            return OrderResult("waiting", why=why.why)
        if why.reason is Reason.CANCELLED_AFTER_POSTING and recorded.known:
            return self._cancelled(facts, recorded, why, overwrite=overwrite)
        return OrderResult("parked", parked=why)

    def _bring_about(
        self,
        facts: OrderFacts,
        desired: Desired,
        content: str,
        recorded: Recorded,
        policy: Policy,
        progress: AttemptState,
        closed: ClosedDays,
    ) -> OrderResult | Found:
        """Bring it about; or, where what stands tells more of it, say what was found."""
        order_id, wanted = desired.order_id, desired.invoice
        context = OrderContext(
            desired,
            content,
            policy,
            0,
            recorded=recorded,
            earlier=earlier_digests(facts, void=desired.void),
            closed=closed,
            unmarked=self._parts.profile.unmarked_field,
            otherwise=partial(self._parts.profile.otherwise, facts, policy),
        )
        # First of all: no client or item is made for an order that needs none, or is not booked.
        observed = self._parts.observer.observe(context)
        looked = time.monotonic()
        own = observed.invoice
        is_new = own is None or not context.is_ours(own)
        if is_new and not recorded.known and wanted.day in closed:
            return OrderResult("parked", parked=day_closed(wanted.number, wanted.day, closed))
        if not recorded.known:
            noted = with_notes_found(facts, observed)
            if noted != facts:
                return Found(noted)
        context = with_head_by_field(self._parts, context, own)
        customer, field = facts.customer, self._policy.vat_number_field
        registered = client_of_customer(customer, "", field) if customer is not None else None
        try:
            context = with_client_and_items(self._parts, context, registered, own, progress)
        except Refused as refused:
            return refused_result(refused, "client or item", 0)
        context = adopt_invoice(self._parts, context, observed)
        if not context.recorded.known:
            if observed.invoice is None:
                self._parts.brake.made(order_id)
        elif facts.paid_by_hand is None:
            received = received_by_note(desired, observed)
            if received:
                return Found(facts, received)
        context = self._corrected(context, observed)
        at = ReconcileState(context, observed, progress, looked=looked)
        result = self._attempt(at)
        for day in at.locked:  # closed for the rest of the run
            self._parts.writer.fence.lock(day)
        met_lock = bool(at.locked - closed.locked)
        return replace(result, desired=context.desired, met_lock=met_lock)

    def _corrected(self, context: OrderContext, observed: Observed) -> OrderContext:
        """The order with its refunds of closed days as corrections beside the invoice."""
        refund_ids, policy = apart(context, observed), context.policy
        if not refund_ids:
            return context
        desired = book_apart(context.desired, refund_ids, policy, context.closed)
        category = policy.refunds_expense_category
        category_id = self._parts.books.expense_categories.id_of(category) if category else None
        return replace(context, desired=desired, expense_category=category_id or 0)

    def _attempt(self, at: ReconcileState) -> OrderResult:
        """One step after the other, until nothing is left or the order has to wait for a person."""
        while True:
            if self._parts.stop.is_set() and not at.progress.rewriting:
                raise Interrupted
            at = forget_gone_credits(self._parts, at)
            step = next_step(at.context, at.observed, at.progress)
            if isinstance(step, Parked) and is_to_be_put_back(at, step):
                result = OrderResult("parked", parked=step)
                blocked = replace(at.progress, rewriting=True, rewrite_blocked=True)
                at = replace(at, blocked=result, progress=blocked)
                continue
            if not isinstance(step, Step):
                return self._ended(at, step)
            outcome = run_step(self._parts, at, step)
            if isinstance(outcome, OrderResult):
                return with_left_to_do(at, replace(outcome, writes=at.writes))
            is_current = outcome.context.recorded is not at.context.recorded
            at = outcome if is_current else self._parts.with_recorded(outcome)
            if at.context.recorded.overpayments:
                observed = self._parts.observer.observe(at.context)
                at = replace(at, observed=observed, looked=time.monotonic())

    def _ended(self, at: ReconcileState, stop: Parked | None) -> OrderResult:
        """How an attempt comes out that has no further step.

        Raises:
            RetriesExhausted: A write was given up before; the payments have their former amounts
                again.
        """
        if at.given_up is not None:
            raise at.given_up
        if at.blocked is not None:
            return with_left_to_do(at, replace(at.blocked, writes=at.writes))
        if stop is not None:
            return OrderResult("parked", parked=stop, writes=at.writes)
        finished = completed(at, self._parts.ledger)
        return replace(finished, state="parked", parked=at.follow_up) if at.follow_up else finished

    def _cancelled(
        self, facts: OrderFacts, recorded: Recorded, parked: Parked, *, overwrite: bool
    ) -> OrderResult:
        terms = self._parts.ledger.terms.of(facts.order.id)
        closed = self._parts.writer.fence.closed()
        if terms is not None and terms.invoice_day in closed:
            return OrderResult("parked", parked=cancelled(parked, terms.invoice_day, closed))
        if self._policy.on_cancel != "delete" or recorded.invoice_id is None:
            return OrderResult("parked", parked=parked)
        mark = mark_of(facts.order)
        result = delete_cancelled(
            self._parts, mark, recorded, recorded.invoice_id, overwrite=overwrite
        )
        if terms is not None and result.parked is not None and result.is_refused_as_locked:
            self._parts.writer.fence.lock(terms.invoice_day)
            return replace(result, parked=replace(result.parked, locked=terms.invoice_day))
        return result
