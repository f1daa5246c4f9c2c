"""One order brought about: facts → desired state → one step after the other, until nothing is left.

Whatever happens between two steps, the next round starts from what FreshBooks holds then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks.books import assess, client_of_customer, desire
from target_freshbooks.books.desired import Billable, Desired, Parked, Reason, Waiting
from target_freshbooks.freshbooks.errors import Conflict, NotFound, Refused
from target_freshbooks.ledger import Link
from target_freshbooks.posting import keys, refusals
from target_freshbooks.posting.case import Case
from target_freshbooks.posting.marks import DRAFT
from target_freshbooks.posting.memory import Memory, content_digest, desired_digest
from target_freshbooks.posting.observe import around, observe
from target_freshbooks.posting.plan import next_step
from target_freshbooks.posting.settlement import find_note
from target_freshbooks.posting.steps import Actual, Progress, Step, StepKind, Stop
from target_freshbooks.posting.writer import Unanswered, invoice_link

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.freshbooks.observed import ObservedPayment
    from target_freshbooks.ledger import Ledger, OrderRow
    from target_freshbooks.posting.parties import Parties
    from target_freshbooks.posting.simulate import LedgerOverlay, PlanningWriter
    from target_freshbooks.posting.writer import Writer

MOST_STEPS = 2000
"""More than any order's parts need: an endless plan is a defect, and is stopped."""

MOST_CONFLICTS = 5
CONFLICT_SECONDS = 0.2
"""How often a record that "is being changed by another request" is tried anew."""


class Interrupted(Exception):  # noqa: N818 - it is no error to be asked to stop
    """The run was asked to stop; the step in hand was finished."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an order came out.

    Attributes:
        state: `posted`, `parked` or `waiting`.
        parked: Why, where it is parked.
        why: Code of the reason, where it is waiting.
        words: FreshBooks' own words, where it refused something.
        desired: The desired state, where there is one.
        desired_hash: Its digest.
        content: Digest of the order's content.
        writes: Number of outside writes made.
        unchanged: Nothing had to be looked at: what is desired is what was posted before.
    """

    state: str
    parked: Parked | None = None
    why: str | None = None
    words: str | None = None
    desired: Desired | None = None
    desired_hash: str | None = None
    content: str | None = None
    writes: int = 0
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order's posting stands between two steps."""

    case: Case
    actual: Actual
    progress: Progress
    writes: int = 0
    conflicts: int = 0


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
        settle_unknown: Callable[[Unanswered], None],
        stop: threading.Event,
    ) -> None:
        self._stop = stop
        self._books = books
        self._ledger = ledger
        self._writer = writer
        self._parties = parties
        self._policy = policy
        self._settle_unknown = settle_unknown

    def post(
        self, facts: OrderFacts, *, standing: OrderRow | None = None, overwrite: bool = False
    ) -> Verdict:
        """Bring the order about, as far as it goes.

        Args:
            facts: All that is known of the order.
            standing: Its row in the ledger; None looks at FreshBooks even if nothing changed.
            overwrite: Let the order's figures win over edits made in FreshBooks.

        Raises:
            Outage, AuthError, Forbidden, LeaseLost: The run cannot go on now.
            GivenUp: This order cannot go on now.
        """
        order_id = facts.order.id
        memory = recall(self._ledger, order_id)
        assessed = assess(facts, self._policy, already_invoiced=memory.known)
        if isinstance(assessed, Waiting):
            return Verdict("waiting", why=assessed.why)
        if isinstance(assessed, Parked):
            if assessed.reason is Reason.CANCELLED_AFTER_POSTING and memory.known:
                return self._cancelled(facts, memory, assessed)
            return Verdict("parked", parked=assessed)
        assert isinstance(assessed, Billable)  # noqa: S101 - the three cases of assess
        desired = desire(facts, self._policy)
        if isinstance(desired, Parked):
            return Verdict("parked", parked=desired)
        content = content_digest(facts)
        wanted = desired_digest(desired, content)
        if (
            standing is not None
            and standing.state == "posted"
            and standing.desired_hash == wanted
            and memory.known
        ):
            return Verdict("posted", None, None, None, desired, wanted, content, unchanged=True)
        verdict = self._bring_about(facts, desired, content, memory, overwrite=overwrite)
        return replace(verdict, desired=desired, desired_hash=wanted, content=content)

    def _bring_about(
        self,
        facts: OrderFacts,
        desired: Desired,
        content: str,
        memory: Memory,
        *,
        overwrite: bool,
    ) -> Verdict:
        order_id = desired.order_id
        customer = facts.customer
        registered = client_of_customer(customer, "") if customer is not None else None
        try:
            client_id = self._parties.client(desired.client, order_id, registered)
            item_names = self._parties.items(desired.items, order_id)
        except Refused as refused:
            return _refused_verdict(refused, "client or item", 0)
        case = Case(desired, content, self._policy, client_id, item_names, memory)
        actual = observe(self._books, case)
        at = Standing(self._adopt(case, actual), actual, Progress(overwrite=overwrite))
        for _ in range(MOST_STEPS):
            if self._stop.is_set():
                raise Interrupted
            step = next_step(at.case, at.actual, at.progress)
            if step is None:
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
                progress=_advance(at.progress, step),
                writes=at.writes + 1,
            )
        except Unanswered as unknown:
            self._settle_unknown(unknown)
            known = replace(at.case, memory=recall(self._ledger, order_id))
            return replace(at, actual=observe(self._books, known))
        except Refused as refused:
            return self._refused(at, step, refused)

    def _finished(self, desired: Desired, at: Standing) -> Verdict:
        progress, writes = at.progress, at.writes
        if progress.refused_refunds:
            refund_id, words = next(iter(progress.refused_refunds.items()))
            parked = refusals.refund_refused(desired, refund_id)
            return Verdict("parked", parked=parked, words=words, writes=writes)
        if desired.flag is not None and not desired.hold:
            return Verdict("parked", parked=desired.flag, writes=writes)
        return Verdict("posted", writes=writes)

    # -- applying

    def _apply(self, case: Case, step: Step, actual: Actual) -> Actual:
        order_id = case.desired.order_id
        content = case.content if step.expression >= 0 else None

        def links(answer: Any) -> list[Link]:  # noqa: ANN401 - the Observed record of the kind
            return self._links(case, step, answer)

        answer = self._writer.write(
            kind=step.kind,
            key=step.key,
            body=step.body,
            order_id=order_id,
            remote_id=step.remote_id,
            content=content,
            why=step.why,
            links=links,
        )
        return after(actual, step, answer)

    def _links(self, case: Case, step: Step, answer: Any) -> list[Link]:  # noqa: ANN401
        order_id = case.desired.order_id
        if step.kind in INVOICE_STEPS:
            content = case.content if step.expression >= 0 else case.memory.content
            if answer.lines is None:
                return []
            return [
                invoice_link(
                    answer, key=keys.invoice_key(order_id), order_id=order_id, content=content
                )
            ]
        if step.kind in PAYMENT_STEPS:
            return [
                Link(
                    kind="payment",
                    key=keys.payment_key(order_id, step.key),
                    remote_id=answer.id,
                    order_id=order_id,
                    deleted=step.kind is StepKind.DELETE_PAYMENT,
                )
            ]
        return [
            Link(
                kind="credit_note",
                key=keys.credit_note_key(order_id, step.key),
                remote_id=answer.id,
                order_id=order_id,
                deleted=step.kind is StepKind.DELETE_CREDIT_NOTE,
            )
        ]

    def _adopt(self, case: Case, actual: Actual) -> Case:
        """Remember an invoice that is ours though the ledger does not know it."""
        invoice = actual.invoice
        order_id = case.desired.order_id
        if case.memory.known or invoice is None or not case.is_ours(invoice):
            return case
        settled = invoice.amount == case.total_with_refunds_on(invoice)
        if invoice.status != DRAFT and not settled:
            return case  # sent and different: the plan parks it, and it stays unadopted
        self._ledger.put_link(
            invoice_link(
                invoice,
                key=keys.invoice_key(order_id),
                order_id=order_id,
                content=case.content,
            )
        )
        for payment in case.desired.payments:
            found = next((row for row in actual.payments if row.note.strip() == payment.note), None)
            if found is not None:
                self._ledger.put_link(
                    Link(
                        kind="payment",
                        key=keys.payment_key(order_id, payment.key),
                        remote_id=found.id,
                        order_id=order_id,
                    )
                )
        for entry in case.desired.refunds:
            note = entry.credit_note
            given = find_note(case, actual, note) if note is not None else None
            if given is not None:
                self._ledger.put_link(
                    Link(
                        kind="credit_note",
                        key=keys.credit_note_key(order_id, entry.refund_id),
                        remote_id=given.id,
                        order_id=order_id,
                    )
                )
        self._ledger.audit(
            event="adopted",
            order_id=order_id,
            run_id=self._writer.run_id,
            who="target-freshbooks",
            data={"invoice_id": invoice.id, "amount": str(invoice.amount)},
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
                return _refused_verdict(refused, kind.value, 0)
            refunds = {**progress.refused_refunds, step.refund_id: refused.words}
            refreshed = replace(progress, refused_refunds=refunds)
            return replace(at, actual=observe(self._books, case), progress=refreshed)
        return _refused_verdict(refused, kind.value, 0)

    def _invoice_refused(self, at: Standing, refused: Refused) -> Standing | Verdict:
        case = at.case
        if refusals.is_number_too_long(refused):
            return Verdict("parked", parked=refusals.number_too_long(case), words=refused.words)
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
        return _refused_verdict(refused, StepKind.CREATE_INVOICE.value, 0)

    def _taken(self, case: Case) -> Actual:
        """Whose the taken number is: looked for among the deleted invoices as well."""
        invoice = refusals.holder_of_number(self._books, case)
        return Actual() if invoice is None else around(self._books, case, invoice)

    # -- cancelled

    def _cancelled(self, facts: OrderFacts, memory: Memory, parked: Parked) -> Verdict:
        if self._policy.on_cancel != "delete" or memory.invoice_id is None:
            return Verdict("parked", parked=parked)
        order_id = facts.order.id
        writes = 0
        try:
            for key, remote_id in memory.payments.items():
                self._must(StepKind.DELETE_PAYMENT, key, remote_id, order_id)
                writes += 1
            self._must(StepKind.DELETE_INVOICE, str(order_id), memory.invoice_id, order_id)
        except Refused as refused:
            return _refused_verdict(refused, "deletion of a cancelled order's invoice", writes)
        self._ledger.drop_link("invoice", keys.invoice_key(order_id))
        return Verdict("waiting", why="deleted_after_cancellation", writes=writes + 1)

    def _must(self, kind: StepKind, key: str, remote_id: int, order_id: int) -> None:
        deleted = Link(
            kind="payment",
            key=keys.payment_key(order_id, key),
            remote_id=remote_id,
            order_id=order_id,
            deleted=True,
        )
        while True:
            try:
                self._writer.write(
                    kind=kind,
                    key=key,
                    body={"vis_state": 1},
                    order_id=order_id,
                    remote_id=remote_id,
                    links=lambda _: [deleted] if kind is StepKind.DELETE_PAYMENT else [],
                )
            except Unanswered as unknown:
                # Deleting twice is harmless: once it is looked at, it is simply said again.
                self._settle_unknown(unknown)
                continue
            except NotFound:
                return  # deleted before, by a run that was killed or by a person
            return


INVOICE_STEPS = frozenset(
    {
        StepKind.CREATE_INVOICE,
        StepKind.UPDATE_INVOICE,
        StepKind.MARK_SENT,
        StepKind.DELETE_INVOICE,
    }
)
PAYMENT_STEPS = frozenset(
    {StepKind.CREATE_PAYMENT, StepKind.UPDATE_PAYMENT, StepKind.DELETE_PAYMENT}
)


REFUND_STEPS = frozenset(
    {StepKind.UPDATE_INVOICE, StepKind.UPDATE_PAYMENT, StepKind.DELETE_PAYMENT}
)


def after(actual: Actual, step: Step, answer: Any) -> Actual:  # noqa: ANN401 - by kind of step
    """What FreshBooks holds once it has answered the step: no second request needed to know."""
    if step.kind in INVOICE_STEPS:
        lines = answer.lines
        if lines is None and actual.invoice is not None:
            lines = actual.invoice.lines
        return replace(actual, invoice=replace(answer, lines=lines))
    if step.kind in PAYMENT_STEPS:
        return _after_payment(actual, step, answer)
    others = tuple(note for note in actual.credit_notes if note.id != answer.id)
    gone = step.kind is StepKind.DELETE_CREDIT_NOTE
    return replace(actual, credit_notes=others if gone else (*others, answer))


def _after_payment(actual: Actual, step: Step, answer: ObservedPayment) -> Actual:
    before = next((row.amount for row in actual.payments if row.id == answer.id), Decimal(0))
    gone = step.kind is StepKind.DELETE_PAYMENT
    now = Decimal(0) if gone else answer.amount
    others = tuple(row for row in actual.payments if row.id != answer.id)
    invoice = actual.invoice
    if invoice is not None:
        invoice = replace(
            invoice,
            paid=invoice.paid + now - before,
            outstanding=invoice.outstanding - now + before,
        )
    return replace(actual, invoice=invoice, payments=others if gone else (*others, answer))


def _advance(progress: Progress, step: Step) -> Progress:
    if step.expression >= 0:
        progress = replace(progress, expression=step.expression, mended=step.mended)
    if step.refund_id is not None and step.refund_expression >= 0:
        if step.kind is StepKind.CREATE_CREDIT_NOTE:
            known = {**progress.credit_expression, step.refund_id: step.refund_expression}
            return replace(progress, credit_expression=known)
        known = {**progress.refund_expression, step.refund_id: step.refund_expression}
        return replace(progress, refund_expression=known)
    return progress


def _is_zero(step: Step) -> bool:
    amount = step.body.get("amount")
    return isinstance(amount, dict) and Decimal(amount["amount"]) == 0


def _refused_verdict(refused: Refused, what: str, writes: int) -> Verdict:
    return Verdict(
        "parked",
        parked=Parked(
            Reason.REFUSED_BY_FRESHBOOKS,
            f"FreshBooks refused the {what.replace('_', ' ')}"
            f" (HTTP {refused.status}, errno {refused.errno}).",
            "Read FreshBooks' words, correct the cause there or in the shop, and replay the order.",
        ),
        words=refused.words,
        writes=writes,
    )


def recall(ledger: Ledger | LedgerOverlay, order_id: int) -> Memory:
    """What the ledger knows of the order's records in FreshBooks."""
    invoice: Link | None = None
    payments: dict[str, int] = {}
    deleted: set[str] = set()
    notes: dict[int, int] = {}
    for link in ledger.links_of(order_id):
        own = link.key.partition(":")[2]
        if link.kind == "invoice":
            invoice = link
        elif link.kind == "payment" and link.deleted:
            deleted.add(own)
        elif link.kind == "payment":
            payments[own] = link.remote_id
        elif link.kind == "credit_note" and not link.deleted:
            notes[int(own)] = link.remote_id
    return Memory(
        known=invoice is not None,
        invoice_id=invoice.remote_id if invoice else None,
        fingerprint=invoice.fingerprint if invoice else None,
        content=invoice.content_hash if invoice else None,
        payments=payments,
        deleted_payments=frozenset(deleted),
        credit_notes=notes,
    )
