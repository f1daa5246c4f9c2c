"""One order brought about: facts → desired state → one step after the other, until nothing is left.

Whatever happens between two steps, the next round starts from what FreshBooks holds then.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks.books import assess, client_of_customer, desire, is_cancelled
from target_freshbooks.books.desired import Billable, Desired, Parked, Reason, Waiting
from target_freshbooks.books.marks import mark_of
from target_freshbooks.freshbooks.errors import Conflict, Refused
from target_freshbooks.ledger import Link, Terms
from target_freshbooks.posting import keys, refusals
from target_freshbooks.posting.cancelling import Cancelling
from target_freshbooks.posting.case import Case
from target_freshbooks.posting.digests import content_digest, desired_digest
from target_freshbooks.posting.effects import (
    INVOICE_STEPS,
    advance,
    after,
    asked_link,
    links_of,
    payment_link,
)
from target_freshbooks.posting.marks import DELETED, DRAFT
from target_freshbooks.posting.observe import around, observe
from target_freshbooks.posting.patience import GivenUp
from target_freshbooks.posting.payments import bears
from target_freshbooks.posting.plan import next_step
from target_freshbooks.posting.recall import recall
from target_freshbooks.posting.settlement import find_note
from target_freshbooks.posting.steps import Actual, Asked, Progress, Step, StepKind, Stop
from target_freshbooks.posting.verdict import Interrupted, Verdict, refused_verdict
from target_freshbooks.posting.writer import Unanswered, invoice_link, summary

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import date

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import Ledger, OrderRow
    from target_freshbooks.posting.memory import Memory
    from target_freshbooks.posting.parties import Parties
    from target_freshbooks.posting.simulate import LedgerOverlay, PlanningWriter
    from target_freshbooks.posting.writer import Writer

logger = logging.getLogger(__name__)

MOST_STEPS = 2000
"""More than any order's parts need: an endless plan is a defect, and is stopped."""

MOST_CONFLICTS = 5
CONFLICT_SECONDS = 0.2
"""How often a record that "is being changed by another request" is tried anew."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order's posting stands between two steps."""

    case: Case
    actual: Actual
    progress: Progress
    writes: int = 0
    conflicts: int = 0
    given_up: GivenUp | None = None


class Poster:
    """Brings orders about, one call an order; several threads may do so for several orders."""

    def __init__(
        self,
        *,
        books: FreshBooks,
        ledger: Ledger | LedgerOverlay,
        writer: Writer | PlanningWriter,
        parties: Parties,
        policy: Policy,
        settle_unknown: Callable[[Unanswered], bool],
        stop: threading.Event,
    ) -> None:
        self._stop = stop
        self._books = books
        self._ledger = ledger
        self._writer = writer
        self._parties = parties
        self._policy = policy
        self._settle_unknown = settle_unknown
        self._cancelling = Cancelling(books, ledger, writer, settle_unknown, stop.wait)

    def post(
        self,
        facts: OrderFacts,
        *,
        standing: OrderRow | None = None,
        asked: Asked | None = None,
    ) -> Verdict:
        """Bring the order about, as far as it goes.

        Args:
            facts: All that is known of the order.
            standing: Its row in the ledger.
            asked: What a person asked for; FreshBooks is looked at even if nothing changed.

        Raises:
            Outage, AuthError, Forbidden, LeaseLost: The run cannot go on now.
            GivenUp: This order cannot go on now.
        """
        order_id = facts.order.id
        wish = asked or Asked()
        memory = recall(self._ledger, order_id)
        terms = self._ledger.terms_of(order_id)
        policy = self._policy_of(facts, terms, current=wish.current_settings)
        if is_cancelled(facts.order) and not memory.known:
            # With the ledger lost, an invoice may stand for an order that is cancelled since.
            kept = self._cancelling.adopt(facts, policy, overwrite=wish.overwrite)
            if kept is not None:
                return kept
            memory = recall(self._ledger, order_id)
        assessed = assess(facts, policy, already_invoiced=memory.known)
        if isinstance(assessed, Waiting):
            return Verdict("waiting", why=assessed.why)
        if isinstance(assessed, Parked):
            if assessed.reason is Reason.CANCELLED_AFTER_POSTING and memory.known:
                return self._cancelled(facts, memory, assessed, overwrite=wish.overwrite)
            return Verdict("parked", parked=assessed)
        assert isinstance(assessed, Billable)  # noqa: S101 - the three cases of assess
        desired = desire(facts, policy)
        if isinstance(desired, Parked):
            return Verdict("parked", parked=desired)
        if terms is not None:
            desired = self._dated(desired, terms.invoice_day)
        content = content_digest(facts)
        wanted = desired_digest(desired, content)
        if (
            asked is None
            and standing is not None
            and standing.state == "posted"
            and standing.desired_hash == wanted
            and memory.known
        ):
            return Verdict("posted", None, None, None, desired, wanted, content, unchanged=True)
        progress = Progress(overwrite=wish.overwrite, reword=wish.current_settings)
        verdict = self._bring_about(facts, desired, content, memory, policy, progress)
        if wish.current_settings and terms is not None and verdict.state == "posted":
            self._keep_terms(facts.order.id, policy, terms.invoice_day)
        return replace(verdict, desired=desired, desired_hash=wanted, content=content)

    def _bring_about(
        self,
        facts: OrderFacts,
        desired: Desired,
        content: str,
        memory: Memory,
        policy: Policy,
        progress: Progress,
    ) -> Verdict:
        order_id = desired.order_id
        customer = facts.customer
        registered = client_of_customer(customer, "") if customer is not None else None
        try:
            client_id = self._parties.client(desired.client, order_id, registered)
            item_names = self._parties.items(desired.items, order_id)
        except Refused as refused:
            return refused_verdict(refused, "client or item", 0)
        case = Case(desired, content, policy, client_id, item_names, memory)
        actual = observe(self._books, case)
        if self._is_of_another_shop(case, actual):
            return Verdict("parked", parked=refusals.of_another_shop(case))
        at = Standing(self._adopt(case, actual), actual, progress)
        for _ in range(MOST_STEPS):
            if self._stop.is_set():
                raise Interrupted
            step = next_step(at.case, at.actual, at.progress)
            if (step is None or isinstance(step, Stop)) and at.given_up is not None:
                raise at.given_up  # the payments have their amounts of before again
            if step is None:
                self._accept(at)
                return self._finished(desired, at)
            if isinstance(step, Stop):
                return Verdict("parked", parked=step.parked, writes=at.writes)
            outcome = self._take(at, step)
            if isinstance(outcome, Verdict):
                return replace(outcome, writes=at.writes)
            renewed = replace(outcome.case, memory=recall(self._ledger, order_id))
            at = replace(outcome, case=renewed)
        raise RuntimeError(f"Order {order_id}: the plan does not come to an end.")

    def _take(self, at: Standing, step: Step) -> Standing | Verdict:
        """Take one step; after an unknown outcome or a refusal, look where that leaves us."""
        order_id = at.case.desired.order_id
        try:
            return replace(
                at,
                actual=self._apply(at.case, step, at.actual),
                progress=advance(at.progress, step),
                writes=at.writes + 1,
            )
        except Unanswered as unknown:
            try:
                happened = self._settle_unknown(unknown)
            except GivenUp as given_up:
                return self._given_up(at, step, given_up)
            known = replace(at.case, memory=recall(self._ledger, order_id))
            progress = advance(at.progress, step) if happened else at.progress
            return replace(at, actual=observe(self._books, known), progress=progress)
        except Refused as refused:
            return self._refused(at, step, refused)

    def _given_up(self, at: Standing, step: Step, given_up: GivenUp) -> Standing:
        """A refund whose lines cannot be written is not left half-way: payments first, as before.

        Raises:
            GivenUp: It was no refund's step, or there is nothing to put back.
        """
        if step.refund_id is None or step.kind not in REFUND_STEPS or at.given_up is not None:
            raise given_up
        refunds = {**at.progress.refused_refunds, step.refund_id: str(given_up)}
        return replace(
            at,
            actual=observe(self._books, at.case),
            progress=replace(at.progress, refused_refunds=refunds),
            given_up=given_up,
        )

    def _accept(self, at: Standing) -> None:
        """A person asked to overwrite, and nothing is left to write: so it stands from now on."""
        invoice = at.actual.invoice
        if at.progress.overwrite and invoice is not None and at.case.was_edited(invoice):
            key = keys.invoice_key(at.case.desired.order_id)
            self._ledger.put_link(
                invoice_link(
                    invoice,
                    key=key,
                    order_id=at.case.desired.order_id,
                    content=at.case.content,
                )
            )

    def _finished(self, desired: Desired, at: Standing) -> Verdict:
        progress, writes = at.progress, at.writes
        if progress.refused_refunds:
            refund_id, words = next(iter(progress.refused_refunds.items()))
            parked = refusals.refund_refused(desired, refund_id, words)
            return Verdict("parked", parked=parked, words=words, writes=writes)
        if desired.flag is not None and not desired.hold:
            return Verdict("parked", parked=desired.flag, writes=writes)
        return Verdict("posted", writes=writes)

    # -- applying

    def _apply(self, case: Case, step: Step, actual: Actual) -> Actual:
        order_id = case.desired.order_id
        content = case.content if step.expression >= 0 else None

        if step.kind is StepKind.CREATE_INVOICE:
            self._keep_terms(order_id, case.policy, case.desired.invoice.day)
        if step.kind is StepKind.UPDATE_PAYMENT:
            known = self._ledger.link("payment", keys.payment_key(order_id, step.key))
            if known is not None:
                self._ledger.put_link(asked_link(known, step))
        answers = list[Any]()

        def links(answer: Any) -> list[Link]:  # noqa: ANN401 - the Observed record of the kind
            answers.append(self._whole(step, answer))
            return links_of(case, step, answers[-1])

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
        return after(actual, step, answers[-1])

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
        """The settings for an order: those it was posted under, else those of now."""
        zone = self._policy.timezone or facts.store_timezone
        now = replace(self._policy, timezone=zone)
        if terms is None:
            return now
        then = now.under(terms.settings)
        if not current:
            return then
        # What is posted has its number, and its day as the zone of then had it.
        return replace(
            now, invoice_number_prefix=then.invoice_number_prefix, timezone=then.timezone
        )

    def _keep_terms(self, order_id: int, policy: Policy, day: date) -> None:
        """Whatever the settings say later, the order keeps these."""
        self._ledger.keep_terms(order_id, Terms(policy.terms(), day))

    def _whole(self, step: Step, answer: Any) -> Any:  # noqa: ANN401 - as above
        """The answer; an invoice that was answered without its lines is read."""
        if step.kind in INVOICE_STEPS and answer.lines is None:
            return self._books.get_invoice(answer.id)
        return answer

    def _is_of_another_shop(self, case: Case, actual: Actual) -> bool:
        """Whether the invoice of that number is known to belong to another source's order."""
        invoice = actual.invoice
        return (
            invoice is not None
            and not case.memory.known
            and self._ledger.is_linked_elsewhere("invoice", invoice.id)
        )

    def _adopt(self, case: Case, actual: Actual) -> Case:
        """Remember an invoice that is ours though the ledger does not know it."""
        invoice = actual.invoice
        order_id = case.desired.order_id
        if case.memory.known or invoice is None or not case.is_ours(invoice):
            return case
        if invoice.vis_state == DELETED:
            return case  # as it is now it cannot be known again once it is restored
        if invoice.status != DRAFT and not case.agrees(invoice):
            return case  # sent and different: the plan parks it, and it stays unadopted
        key = keys.invoice_key(order_id)
        found = [invoice_link(invoice, key=key, order_id=order_id, content=case.content)]
        for payment in case.desired.payments:
            made = next((row for row in actual.payments if bears(row, payment)), None)
            if made is not None:
                key = keys.payment_key(order_id, payment.key)
                found.append(payment_link(made, key=key, order_id=order_id))
        for entry in case.desired.refunds:
            note = entry.credit_note
            given = find_note(case, actual, note) if note is not None else None
            if given is not None:
                key = keys.credit_note_key(order_id, entry.refund_id)
                found.append(Link("credit_note", key, given.id, order_id=order_id))
        self._keep_terms(order_id, case.policy, invoice.create_date)
        # All at once: where the invoice is known, all that belongs to it is taken to be known.
        self._ledger.adopt(
            found, order_id=order_id, run_id=self._writer.run_id, data=summary(invoice)
        )
        return replace(case, memory=recall(self._ledger, order_id))

    # -- refusals

    def _refused(self, at: Standing, step: Step, refused: Refused) -> Standing | Verdict:
        case, progress, kind = at.case, at.progress, step.kind
        if kind is StepKind.CREATE_INVOICE:
            return self._invoice_refused(at, refused)
        if isinstance(refused, Conflict) and at.conflicts < MOST_CONFLICTS:
            # Another request is changing the record: it is looked at anew, and tried again.
            self._stop.wait(CONFLICT_SECONDS * 2**at.conflicts)
            return replace(at, actual=observe(self._books, case), conflicts=at.conflicts + 1)
        if kind is StepKind.UPDATE_PAYMENT and _is_zero(step) and not progress.zero_refused:
            refreshed = replace(progress, zero_refused=True)
            return replace(at, actual=observe(self._books, case), progress=refreshed)
        if step.refund_id is not None and kind in REFUND_STEPS:
            if step.refund_id in progress.refused_refunds:
                return refused_verdict(refused, kind.value, 0)
            refunds = {**progress.refused_refunds, step.refund_id: refused.words}
            refreshed = replace(progress, refused_refunds=refunds)
            return replace(at, actual=observe(self._books, case), progress=refreshed)
        return refused_verdict(refused, kind.value, 0)

    def _invoice_refused(self, at: Standing, refused: Refused) -> Standing | Verdict:
        case = at.case
        if refusals.is_number_too_long(refused):
            return Verdict(
                "parked", parked=refusals.number_too_long(case, refused), words=refused.words
            )
        if refusals.is_number_taken(refused):
            actual = self._taken(case)
            if actual.invoice is None:
                return Verdict("parked", parked=refusals.number_taken(case), words=refused.words)
            return replace(at, actual=actual, case=self._adopt(case, actual))
        if isinstance(refused, Conflict) and at.conflicts < MOST_CONFLICTS:
            self._stop.wait(CONFLICT_SECONDS * 2**at.conflicts)
            return replace(at, actual=observe(self._books, case), conflicts=at.conflicts + 1)
        if refusals.is_client_gone(refused):
            self._parties.forget_client(case.desired.client)
            client_id = self._parties.client(case.desired.client, case.desired.order_id, None)
            if client_id != case.client_id:
                return replace(at, case=replace(case, client_id=client_id), actual=Actual())
        return refused_verdict(refused, StepKind.CREATE_INVOICE.value, 0)

    def _taken(self, case: Case) -> Actual:
        """Whose the taken number is: looked for among the deleted invoices as well."""
        invoice = refusals.holder_of_number(self._books, case)
        return Actual() if invoice is None else around(self._books, case, invoice)

    def _cancelled(
        self, facts: OrderFacts, memory: Memory, parked: Parked, *, overwrite: bool
    ) -> Verdict:
        if self._policy.on_cancel != "delete" or memory.invoice_id is None:
            return Verdict("parked", parked=parked)
        mark = mark_of(facts.order)
        return self._cancelling.delete(mark, memory, memory.invoice_id, overwrite=overwrite)


REFUND_STEPS = frozenset(
    {StepKind.UPDATE_INVOICE, StepKind.UPDATE_PAYMENT, StepKind.DELETE_PAYMENT}
)


def _is_zero(step: Step) -> bool:
    amount = step.body.get("amount")
    return isinstance(amount, dict) and Decimal(amount["amount"]) == 0
