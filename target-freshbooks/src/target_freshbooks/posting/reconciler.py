"""Reconciler: takes one step after the other until FreshBooks holds what the order should be.

Whatever happens between two steps, the next round starts from what FreshBooks holds then.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks.books import assess, client_of_customer, desire, is_cancelled
from target_freshbooks.books.desired import Billable, Desired, Parked, Reason, Waiting
from target_freshbooks.books.expression import has_negative
from target_freshbooks.books.marks import mark_of
from target_freshbooks.freshbooks.errors import Conflict, FreshBooksError, Refused, Throttled
from target_freshbooks.freshbooks.observed import ACTIVE, ARCHIVED, DELETED, DRAFT
from target_freshbooks.freshbooks.refusals import Kind, classify
from target_freshbooks.ledger import Link, Terms
from target_freshbooks.posting import reasons
from target_freshbooks.posting.apply import refusals
from target_freshbooks.posting.apply.cancellation import Cancellation
from target_freshbooks.posting.apply.effects import (
    INVOICE_STEPS,
    PAYMENT_STEPS,
    advance,
    after,
    asked_link,
    links_of,
    without_overpayment,
)
from target_freshbooks.posting.apply.fulfilment import is_fulfilled
from target_freshbooks.posting.apply.retry import RetriesExhausted
from target_freshbooks.posting.apply.writer import OutcomeUnknown, summary
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.digests import content_digest, desired_digest, fingerprint
from target_freshbooks.posting.identity import (
    adopt,
    find_payment,
    invoice_key,
    part_key,
    part_paid,
    payment_link,
)
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import (
    CLIENT,
    PARTS,
    differing,
    due_parts,
    keeps_its_client,
    left_alone,
    part_of,
    remembered,
    was_changed,
)
from target_freshbooks.posting.plan.kept_drafts import DRAFT as KEPT_AS_DRAFT
from target_freshbooks.posting.plan.kept_drafts import is_kept
from target_freshbooks.posting.plan.next_step import next_step
from target_freshbooks.posting.plan.overpayment import (
    capped,
    credit_by_hand,
    credit_left,
    overpaid_by_hand,
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
from target_freshbooks.posting.state.recorded import load_recorded

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import date

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.freshbooks.observed import ObservedInvoice
    from target_freshbooks.ledger import Ledger, OrderRow
    from target_freshbooks.posting.apply.brake import Brake
    from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems
    from target_freshbooks.posting.apply.writer import Writer
    from target_freshbooks.posting.observe.observer import Observer
    from target_freshbooks.posting.state.recorded import Recorded

logger = logging.getLogger(__name__)

MOST_VARIANTS = 4
"""The most ways to word an invoice's lines that are tried in one attempt."""

LOOK_SECONDS = 30.0
"""So old may the look at an invoice be before money is booked on it."""

MOST_THROTTLED = 20
"""How often money is kept waiting by FreshBooks' quota, and looked at again, in one attempt."""

MOST_CONFLICTS = 5
CONFLICT_SECONDS = 0.2
"""How often a record that "is being changed by another request" is tried anew."""


@dataclass(frozen=True, slots=True)
class ReconcileState:
    """Where an order's posting stands between two steps.

    Attributes:
        context: The order's case.
        observed: What FreshBooks holds.
        progress: What this attempt has learnt.
        writes: How many writes it has made.
        conflicts: How often another request was changing the same record.
        throttled: How often FreshBooks' quota kept a payment waiting.
        looked: When the invoice was last looked at, on the monotonic clock.
        unfulfilled: The steps that FreshBooks answered but did not do.
        blocked: How the order comes out once what was lowered is put back.
        given_up: The same where a write was given up.
        told: What a person has to see to once all is done.
    """

    context: OrderContext
    observed: Observed
    progress: AttemptState
    writes: int = 0
    conflicts: int = 0
    throttled: int = 0
    looked: float = 0.0
    unfulfilled: frozenset[str] = frozenset()
    blocked: OrderResult | None = None
    given_up: RetriesExhausted | None = None
    told: Parked | None = None


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
        self._unmarked_field = ""
        self._books = books
        self._observer = observer
        self._ledger = ledger
        self._writer = writer
        self._parties = parties
        self._policy = policy
        self._settle_unknown = settle_unknown
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
        terms = self._ledger.terms_of(order_id)
        policy = self._policy_of(facts, terms, current=wish.current_settings)
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
            desired = self._dated(desired, terms.invoice_day)
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
            self._keep_terms(facts.order.id, policy, terms.invoice_day)
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
            credit = self._books.overpayment_credit(credit_id, invoice.customer_id)
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
            item_names = self._parties.items(desired.items, order_id)
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
            unmarked=self._unmarked_field,
        )
        if recorded.invoice_id is None:
            observed = self._observer.observe(context)
        else:
            observed = Observed() if own is None else self._observer.around(context, own)
        context = self._adopt(context, observed)
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
            outcome = self._blocked(at, step) or self._take(at, step)
            if isinstance(outcome, OrderResult):
                return replace(outcome, writes=at.writes)
            renewed = replace(
                outcome.context, recorded=load_recorded(self._ledger, at.context.desired.order_id)
            )
            at = replace(outcome, context=renewed)
            if renewed.recorded.overpayments:
                at = replace(at, observed=self._observer.observe(renewed))

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
        finished = self._finished(at.context.desired, at)
        return replace(finished, state="parked", parked=at.told) if at.told else finished

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
        return self._parties.client(desired.client, desired.order_id, registered)

    def _blocked(self, at: ReconcileState, step: Step) -> ReconcileState | OrderResult | None:
        """What becomes of a step that must not be made; None where it may be.

        A step that FreshBooks did not fulfil is not asked for again, and an attempt has no more
        writes than its parts can need: whoever else is at work on the records, or whatever
        FreshBooks does with them, nothing is repeated that did not help.
        """
        spent = at.writes >= most_writes(at.context) and not undoes(step, at.observed)
        if not spent and step.identity not in at.unfulfilled:
            return None
        refund_id = step.refund_id if step.kind in REFUND_STEPS else None
        if refund_id is not None and refund_id not in at.progress.refused_refunds:
            return self._refund_refused(at, refund_id, "FreshBooks left it undone")
        parked = OrderResult("parked", parked=reasons.no_progress(at.context, step))
        return self._put_back(at, step, parked)

    def _put_back(
        self, at: ReconcileState, step: Step, result: OrderResult
    ) -> ReconcileState | OrderResult:
        """Where the sale cannot be reworded, what was lowered for it is raised again first."""
        invoice = at.observed.invoice
        if at.blocked is not None or invoice is None or invoice.status == DRAFT:
            return at.blocked or result
        if step.kind is not StepKind.UPDATE_INVOICE or step.refund_id is not None:
            return result
        blocked = replace(at.progress, rewrite_blocked=True)
        return replace(at, progress=blocked, blocked=result)

    def _without_gone_credits(self, at: ReconcileState) -> ReconcileState:
        """Forget the credits of overpayments that do not stand any more.

        Raises:
            AnotherWriter: What was paid instead bears our own note.
        """
        recorded, order_id = at.context.recorded, at.context.desired.order_id
        gone = recorded.overpayments.keys() - at.observed.overpayments.keys()
        gone -= capped(at.context, at.observed).keys()
        for key in gone:
            link = self._ledger.link("payment", part_key(order_id, key))
            if link is not None:
                self._ledger.put_link(without_overpayment(link))
        if not gone:
            return at
        ours = set(recorded.payment_ids.values())
        for found in at.observed.payments:
            if part_paid(found, at.context.desired.invoice.marker) and found.id not in ours:
                raise AnotherWriter(at.context.desired.invoice.number, found.id)
        return replace(
            at, context=replace(at.context, recorded=load_recorded(self._ledger, order_id))
        )

    def _take(self, at: ReconcileState, step: Step) -> ReconcileState | OrderResult:
        """Take one step; after an unknown outcome or a refusal, look where that leaves us."""
        if step.kind in MONEY_STEPS and time.monotonic() - at.looked > LOOK_SECONDS:
            at = self._look_again(at)
            if next_step(at.context, at.observed, at.progress) != step:
                return at
        try:
            observed, fulfilled = self._apply(at.context, step, at.observed)
        except OutcomeUnknown as unknown:
            try:
                happened = self._settle_unknown(unknown)
            except RetriesExhausted as given_up:
                return self._given_up(at, step, given_up)
            progress = advance(at.progress, step) if happened else at.progress
            return replace(self._look_again(at), progress=progress, writes=at.writes + happened)
        except Throttled as throttled:
            if at.throttled >= MOST_THROTTLED:
                raise
            logger.warning("%s; looking again before it is written", throttled)
            return replace(self._look_again(at), throttled=at.throttled + 1)
        except Refused as refused:
            return self._refused(at, step, refused)
        taken = replace(
            at, observed=observed, progress=advance(at.progress, step), writes=at.writes + 1
        )
        if step.kind is StepKind.MARK_SENT:
            taken = replace(taken, looked=time.monotonic())
        taken = self._with_credit_by_hand(at.observed, taken)
        if fulfilled:
            return taken
        logger.warning(
            "Order %s: FreshBooks answered %s but did not do all of it; looking again",
            at.context.desired.order_id,
            step.kind.value.replace("_", " "),
        )
        return replace(self._look_again(taken), unfulfilled=taken.unfulfilled | {step.identity})

    def _with_credit_by_hand(self, before: Observed, at: ReconcileState) -> ReconcileState:
        """Note what somebody paid on a sent invoice just before its total fell."""
        former, invoice = before.invoice, at.observed.invoice
        if former is None or invoice is None or former.status == DRAFT:
            return at
        if invoice.vis_state == DELETED or invoice.amount >= former.amount:
            return at
        seen = self._observer.around(at.context, invoice)
        payment = overpaid_by_hand(at.context, before, seen)
        if payment is None or payment.overpayment_id is None:
            return replace(at, observed=seen)
        credit = self._books.overpayment_credit(payment.overpayment_id, invoice.customer_id)
        told = None if credit is None else credit_by_hand(invoice.number, payment, credit)
        return replace(at, observed=seen, told=told)

    def _look_again(self, at: ReconcileState) -> ReconcileState:
        """Where the order stands by what FreshBooks holds now."""
        context = replace(
            at.context, recorded=load_recorded(self._ledger, at.context.desired.order_id)
        )
        looked = time.monotonic()
        return replace(at, context=context, observed=self._observer.observe(context), looked=looked)

    def _given_up(
        self, at: ReconcileState, step: Step, given_up: RetriesExhausted
    ) -> ReconcileState:
        """A refund whose lines cannot be written is not left half-way: payments first, as before.

        Raises:
            RetriesExhausted: It was no refund's step, or there is nothing to put back.
        """
        if step.refund_id is None or step.kind not in REFUND_STEPS or at.given_up is not None:
            raise given_up
        return replace(self._refund_refused(at, step.refund_id, str(given_up)), given_up=given_up)

    def _refund_refused(self, at: ReconcileState, refund_id: int, words: str) -> ReconcileState:
        refunds = {**at.progress.refused_refunds, refund_id: words}
        progress = replace(at.progress, refused_refunds=refunds)
        return replace(self._look_again(at), progress=progress)

    def _finished(self, desired: Desired, at: ReconcileState) -> OrderResult:
        progress, writes = at.progress, at.writes
        self._remember_the_end(at)
        if is_kept(at.context, at.observed.invoice, progress):
            return OrderResult("waiting", why=KEPT_AS_DRAFT, writes=writes)
        if progress.refused_refunds:
            refund_id, words = next(iter(progress.refused_refunds.items()))
            parked = refusals.refund_refused(desired, refund_id, words)
            return OrderResult("parked", parked=parked, words=words, writes=writes)
        if desired.flag is not None and not desired.hold:
            return OrderResult("parked", parked=desired.flag, writes=writes)
        return OrderResult("posted", writes=writes)

    def _remember_the_end(self, at: ReconcileState) -> None:
        """Nothing is left to write: what a person changed and keeps, stands from now on."""
        context, invoice = at.context, at.observed.invoice
        if invoice is None or not context.recorded.known:
            return
        key = invoice_key(context.desired.order_id)
        link = self._ledger.link("invoice", key)
        if link is None:
            return
        ended = link
        if at.progress.overwrite and context.was_edited(invoice):
            ended = replace(
                ended,
                fingerprint=fingerprint(invoice),
                amount=invoice.amount,
                content_hash=context.content,
            )
        parts = due_parts(context, invoice, at.progress)
        left = {name for name in differing(invoice, context.head_body) if parts}
        changed = {part for part in PARTS if was_changed(context.recorded, invoice, part)}
        if context.keeps_client and "client" in changed and CLIENT not in context.recorded.left:
            parts, left = [*parts, "client"], left | {CLIENT}
        if parts:
            asked = remembered(ended, invoice, context.wanted_head, parts)
            ended = left_alone(asked, left, parts)
            logger.warning(
                "Order %s: %s of invoice %s was changed in FreshBooks and is left as it is",
                context.desired.order_id,
                ", ".join(sorted(left)),
                invoice.number,
            )
        as_asked = [part for part in PARTS if part not in changed and part not in parts]
        ended = remembered(ended, invoice, context.wanted_head, as_asked)
        if ended.extra.get("archived") and invoice.vis_state != ACTIVE:
            ended = replace(ended, extra={**ended.extra, "archived": False})
        if ended != link:
            self._ledger.put_link(ended)
        for payment in context.desired.payments:
            found = find_payment(payment, context.recorded, at.observed)
            if found is not None and payment.key not in context.recorded.payment_ids:
                # Known by its note so far: from now on an edit by hand is told from our own amount.
                known = payment_link(found, context.desired.order_id, payment.key)
                self._ledger.put_link(known)

    # -- applying

    def _apply(
        self, context: OrderContext, step: Step, observed: Observed
    ) -> tuple[Observed, bool]:
        """Make the step; what FreshBooks holds then, and whether it did what was asked."""
        order_id = context.desired.order_id
        content = context.content if step.expression >= 0 else None
        invoice = observed.invoice
        if step.kind is StepKind.CREATE_INVOICE:
            self._keep_terms(order_id, context.policy, context.desired.invoice.day)
        elif step.rewrites and invoice is not None and invoice.status != DRAFT:
            self._brake.before_rewriting(order_id, invoice.number)
        if step.kind in INVOICE_STEPS and invoice is not None and invoice.vis_state == ARCHIVED:
            self._remember_archived(order_id)
            context = replace(context, recorded=load_recorded(self._ledger, order_id))
        known = None
        if step.kind in PAYMENT_STEPS or step.kind is StepKind.DELETE_OVERPAYMENT:
            known = self._ledger.link("payment", part_key(order_id, step.key))
        if known is not None and step.remote_id == known.remote_id:
            found = next((row for row in observed.payments if row.id == step.remote_id), None)
            known = asked_link(known, step, found)
            self._ledger.put_link(known)
        answers = list[Any]()

        def links(answer: Any) -> list[Link]:  # noqa: ANN401 - the Observed record of the kind
            answers.append(self._whole(step, answer))
            return links_of(context, step, answers[-1], known)

        self._writer.write(
            kind=step.kind,
            key=step.key,
            body=step.body,
            order_id=order_id,
            remote_id=step.remote_id,
            content=content,
            why=step.why,
            links=links,
        )
        return after(observed, step, answers[-1]), is_fulfilled(step, answers[-1])

    def _remember_archived(self, order_id: int) -> None:
        """FreshBooks may take the invoice out of the archive for the write that follows."""
        link = self._ledger.link("invoice", invoice_key(order_id))
        if link is not None and not link.extra.get("archived"):
            self._ledger.put_link(replace(link, extra={**link.extra, "archived": True}))

    def _dated(self, desired: Desired, day: date) -> Desired:
        """The desired state with the invoice's day as it was first posted."""
        invoice = desired.invoice
        if invoice.day != day:
            logger.warning(
                "Order %s is of %s in the shop now; its invoice %s stays dated %s.",
                desired.order_id,
                invoice.day,
                invoice.number,
                day,
            )
        return replace(desired, invoice=replace(invoice, day=day))

    def _policy_of(self, facts: OrderFacts, terms: Terms | None, *, current: bool) -> Policy:
        """The settings for an order: those it was posted under, else those of now.

        A Draft that was never finished may be waiting for just the setting that was changed.
        """
        zone = self._policy.timezone or facts.store_timezone
        now = replace(self._policy, timezone=zone)
        if terms is None:
            return now
        then = now.under(terms.settings)
        if terms.posted and not current:
            return then
        # What is made has its number, and its day as the zone of then had it.
        return replace(
            now,
            invoice_number_prefix=then.invoice_number_prefix,
            timezone=then.timezone,
            post_as=then.post_as,  # what is kept as a Draft is sent when that is asked for
        )

    def _keep_terms(self, order_id: int, policy: Policy, day: date) -> None:
        """Whatever the settings say later, the order keeps these."""
        self._ledger.keep_terms(order_id, Terms(policy.terms(), day))

    def _whole(self, step: Step, answer: Any) -> Any:  # noqa: ANN401 - as above
        """The answer; an invoice that was answered without its lines is read."""
        if step.kind in INVOICE_STEPS and answer.lines is None:
            return self._books.get_invoice(answer.id)
        return answer

    def _adopt(self, context: OrderContext, observed: Observed) -> OrderContext:
        """Remember an invoice that is ours though the ledger does not know it."""
        invoice = observed.invoice
        order_id = context.desired.order_id
        if context.recorded.known or invoice is None or not context.is_ours(invoice):
            return context
        if invoice.vis_state == DELETED:
            return context  # as it is now it cannot be known again once it is restored
        if invoice.status != DRAFT and not context.agrees(invoice):
            return context  # sent and different: the plan parks it, and it stays unadopted
        own, *parts = adopt(context.desired.invoice.marker, observed, context.content)
        found = [remembered(own, invoice, context.wanted_head), *parts]
        self._keep_terms(order_id, context.policy, invoice.create_date)
        # All at once: where the invoice is known, all that belongs to it is taken to be known.
        self._ledger.adopt(
            found, order_id=order_id, run_id=self._writer.run_id, data=summary(invoice)
        )
        return replace(context, recorded=load_recorded(self._ledger, order_id))

    # -- refusals

    def _refused(
        self, at: ReconcileState, step: Step, refused: Refused
    ) -> ReconcileState | OrderResult:
        progress, kind = at.progress, step.kind
        if kind is StepKind.CREATE_INVOICE:
            return self._invoice_refused(at, step, refused)
        if isinstance(refused, Conflict) and at.conflicts < MOST_CONFLICTS:
            # Another request is changing the record: it is looked at anew, and tried again.
            self._stop.wait(CONFLICT_SECONDS * 2**at.conflicts)
            return replace(self._look_again(at), conflicts=at.conflicts + 1)
        if kind is StepKind.UPDATE_HEAD:
            return self._head_refused(at, step)
        if kind is StepKind.DELETE_OVERPAYMENT:
            return replace(self._look_again(at), progress=replace(progress, credit_kept=True))
        if kind is StepKind.UPDATE_PAYMENT and _is_zero(step) and not progress.zero_refused:
            return replace(self._look_again(at), progress=replace(progress, zero_refused=True))
        if step.refund_id is not None and kind in REFUND_STEPS:
            if step.refund_id in progress.refused_refunds:
                return refused_result(refused, kind.value, 0)
            return self._refund_refused(at, step.refund_id, refused.words)
        without = self._without_negatives(at, step, refused)
        if without is not None:
            return without
        return self._put_back(at, step, refused_result(refused, kind.value, 0))

    def _head_refused(self, at: ReconcileState, step: Step) -> ReconcileState:
        """FreshBooks does not let the head follow the shop: it is left, and told."""
        context, invoice = at.context, at.observed.invoice
        link = self._ledger.link("invoice", invoice_key(context.desired.order_id))
        if link is not None and invoice is not None:
            part = part_of(step)
            asked = remembered(link, invoice, context.wanted_head, [part])
            self._ledger.put_link(left_alone(asked, step.body, [part]))
        logger.warning(
            "Order %s: FreshBooks refused to change the %s of invoice %s; it is left as it is",
            context.desired.order_id,
            ", ".join(sorted(step.body)),
            step.key,
        )
        return self._look_again(at)

    def _without_negatives(
        self, at: ReconcileState, step: Step, refused: Refused
    ) -> ReconcileState | None:
        """The same with the wordings that have no line below zero, where that may be the cause."""
        if classify(refused).kind not in {Kind.NEGATIVE, Kind.UNKNOWN}:
            return None
        if step.expression < 0 or at.context.negatives_refused:
            return None
        if not at.context.desired.invoice.without_negatives:
            return None
        if not has_negative(wire.from_body(step.body)):
            return None
        progress = replace(at.progress, expression=-1, mended=False)
        return replace(at, context=replace(at.context, negatives_refused=True), progress=progress)

    def _invoice_refused(
        self, at: ReconcileState, step: Step, refused: Refused
    ) -> ReconcileState | OrderResult:
        context = at.context
        if refusals.is_number_too_long(refused):
            return OrderResult(
                "parked", parked=refusals.number_too_long(context, refused), words=refused.words
            )
        if refusals.is_number_taken(refused):
            observed = self._taken(context)
            if observed.invoice is None:
                return OrderResult(
                    "parked", parked=refusals.number_taken(context), words=refused.words
                )
            return replace(at, observed=observed, context=self._adopt(context, observed))
        if isinstance(refused, Conflict) and at.conflicts < MOST_CONFLICTS:
            self._stop.wait(CONFLICT_SECONDS * 2**at.conflicts)
            return replace(self._look_again(at), conflicts=at.conflicts + 1)
        if refusals.is_client_gone(refused):
            self._parties.forget_client(context.desired.client)
            client_id = self._parties.client(context.desired.client, context.desired.order_id, None)
            if client_id != context.client_id:
                return replace(
                    at, context=replace(context, client_id=client_id), observed=Observed()
                )
        without = self._without_negatives(at, step, refused) or self._unmarked(at, refused)
        if without is not None:
            return without
        return refused_result(refused, StepKind.CREATE_INVOICE.value, 0)

    def _unmarked(self, at: ReconcileState, refused: Refused) -> ReconcileState | None:
        """The same without the mark in a field that is too short for it: the other one has it."""
        meant = classify(refused)
        if meant.kind is not Kind.TOO_LONG or at.context.unmarked:
            return None
        if meant.field not in {"notes", "po_number"}:
            return None
        self._unmarked_field = meant.field  # so that later orders need not find out
        return replace(at, context=replace(at.context, unmarked=meant.field))

    def _taken(self, context: OrderContext) -> Observed:
        """Whose the taken number is: looked for among the deleted invoices as well."""
        invoice = refusals.holder_of_number(self._books, context)
        return Observed() if invoice is None else self._observer.around(context, invoice)

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


def most_writes(context: OrderContext) -> int:
    """The most writes that one attempt at an order may need, its client and items apart."""
    wanted = context.desired
    variants = min(len(context.expressions), MOST_VARIANTS)
    return 3 + 2 * len(wanted.payments) + 3 * len(wanted.refunds) + variants


def undoes(step: Step, observed: Observed) -> bool:
    """Whether a step only brings back what was: such steps end by themselves, and are never spared.

    A payment that is raised or taken back, a credit that FreshBooks made, the archive.
    """
    if step.kind is StepKind.UPDATE_PAYMENT:
        before = [row.amount for row in observed.payments if row.id == step.remote_id]
        return any(Decimal(step.body["amount"]["amount"]) > amount for amount in before)
    return step.kind in {
        StepKind.DELETE_PAYMENT,
        StepKind.DELETE_OVERPAYMENT,
        StepKind.ARCHIVE_INVOICE,
    }


MONEY_STEPS = frozenset({StepKind.CREATE_PAYMENT, StepKind.UPDATE_PAYMENT})

REFUND_STEPS = frozenset(
    {StepKind.UPDATE_INVOICE, StepKind.UPDATE_PAYMENT, StepKind.DELETE_PAYMENT}
)


def _is_zero(step: Step) -> bool:
    amount = step.body.get("amount")
    return isinstance(amount, dict) and Decimal(amount["amount"]) == 0
