"""Simulator: answers writes as FreshBooks would, so that nothing is written and all is foreseen.

A plan is what the reconciler would do, so the reconciler itself makes it: with a writer that
answers each write as FreshBooks would if it computes as expected, an observer that shows what those
writes left, and a ledger whose changes stay in memory.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any, NoReturn

from connector_credentials.output import places
from typing_extensions import override

from target_freshbooks.books import likeliest_total
from target_freshbooks.books.calendar import UnknownZone
from target_freshbooks.books.policy import Policy
from target_freshbooks.capabilities import FRESHBOOKS, Capabilities
from target_freshbooks.freshbooks import FreshBooks, parsing
from target_freshbooks.freshbooks.errors import Refused
from target_freshbooks.freshbooks.observed import (
    ACTIVE,
    ARCHIVED,
    DELETED,
    DRAFT,
    ObservedExpense,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.ledger import Ledger, Link, ScratchLedger
from target_freshbooks.marks import Mark
from target_freshbooks.money import decimals_of
from target_freshbooks.posting.account_profile import AccountProfile
from target_freshbooks.posting.apply.brake import Brake
from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems
from target_freshbooks.posting.apply.deleted_clients import DeletedClients
from target_freshbooks.posting.apply.effects import after
from target_freshbooks.posting.apply.fence import Dated, Fence
from target_freshbooks.posting.apply.parts import Parts
from target_freshbooks.posting.apply.writer import Writer
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.facts import fence_of, gather
from target_freshbooks.posting.observe.by_mark import MarkedInvoices
from target_freshbooks.posting.observe.by_request import Observer, RequestObserver
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import with_head
from target_freshbooks.posting.plan.render import Plan
from target_freshbooks.posting.plan.steps import BOOKS_BESIDE, DELETIONS, Asked, Step, StepKind
from target_freshbooks.posting.reconciler import Reconciler
from target_freshbooks.posting.results import (
    DEFECTS,
    OrderResult,
    defect,
    refused_result,
    unreadable,
)
from target_freshbooks.posting.state import Observed, Recorded
from target_freshbooks.shop.facts import OrderFacts
from target_freshbooks.shop.records import ReadError

logger = logging.getLogger(__name__)

SENT = 2


class Simulator(Writer, Observer):
    """A writer that sends nothing: it answers as FreshBooks would, and shows what that left."""

    def __init__(
        self,
        books: FreshBooks,
        observer: Observer,
        ledger: ScratchLedger,
        fence: Fence,
        capabilities: Capabilities = FRESHBOOKS,
    ) -> None:
        self._capabilities = capabilities
        self.run_id = "plan"
        self.fence = fence
        self._books = books
        self._observer = observer
        self._ledger = ledger
        self._observed = Observed()
        self._at_first = frozenset[int]()
        self._ids = count(-1, -1)
        self.steps: list[Step] = []

    @override
    def invoice(self, recorded: Recorded, number: str) -> ObservedInvoice | None:
        """The order's invoice: as it was read, until it was written."""
        return self._observed.invoice or self._observer.invoice(recorded, number)

    @override
    def find(self, number: str, mark: Mark) -> ObservedInvoice | None:
        return self._observed.invoice or self._observer.find(number, mark)

    @override
    def around(self, context: OrderContext, invoice: ObservedInvoice) -> Observed:
        """All that is held for the order: read once, and since then as it was written."""
        if self._observed.invoice is None:
            self._observed = self._observer.around(context, invoice)
            self._at_first = _on_invoice(self._observed)
        return self._observed

    @property
    def refunds(self) -> frozenset[int]:
        """The refunds that were booked: as lines of the invoice, or beside it."""
        beside = {int(step.key) for step in self.steps if step.kind in BOOKS_BESIDE}
        return _on_invoice(self._observed) - self._at_first | beside

    @override
    def pin(self) -> None:
        """A plan makes no ledger anybody's."""

    @override
    def write(
        self,
        *,
        kind: StepKind,
        key: str,
        body: Mapping[str, Any],
        order_id: int | None,
        remote_id: int | None = None,
        content: str | None = None,
        expression: int | None = None,
        why: str = "",
        standing: Dated | None = None,
        waits: bool = False,
        links: Callable[[Any], list[Link]] = lambda _: [],
    ) -> Any:
        """Foresee the answer; nothing leaves the process."""
        del order_id, content, expression, waits
        self.fence.check(kind, body, standing)
        step = Step(kind, key, body, why or _why(kind, body), remote_id)
        self.steps.append(step)
        new_id = next(self._ids) if remote_id is None else remote_id
        answer = self._answer(kind, body, new_id, standing)
        if kind.record not in {"client", "item"}:
            self._observed = after(self._observed, step, answer)
        for link in links(answer):
            self._ledger.links.put(link)
        return answer

    def _answer(
        self, kind: StepKind, body: Mapping[str, Any], remote_id: int, standing: Dated | None
    ) -> Any:  # noqa: ANN401 - one of the Observed records, by kind
        new = {**body, "id": remote_id}
        match kind.record:
            case "client" | "item":
                return getattr(parsing, kind.record)(new)
            case "payment" | "expense":
                return self._money(kind, new, remote_id, standing)
            case "invoice" | "correction":
                return self._invoice(kind, new, self._observed.record(kind.record, remote_id))
        if "lines" in body:
            return parsing.credit_note(new | {"amount": self._total(body, body["currency_code"])})
        return parsing.credit_note(new | {"amount": "0"})

    def _money(
        self, kind: StepKind, new: Mapping[str, Any], remote_id: int, standing: Dated | None
    ) -> ObservedPayment | ObservedExpense:
        if kind is StepKind.CREATE_PAYMENT:
            return parsing.payment(new)
        if kind is StepKind.CREATE_EXPENSE:
            return parsing.expense(new)
        record: ObservedPayment | ObservedExpense | None
        record = self._observed.record(kind.record, remote_id)
        if record is None and isinstance(standing, ObservedPayment):
            record = standing  # one that is restored may not be shown
        if record is None:
            record = self._books.collections[kind.record].get(remote_id)
        if kind in DELETIONS:
            return replace(record, vis_state=DELETED)
        return replace(record, vis_state=ACTIVE, amount=Decimal(new["amount"]["amount"]))

    def _invoice(
        self, kind: StepKind, new: Mapping[str, Any], known: ObservedInvoice | None
    ) -> ObservedInvoice:
        if kind in {StepKind.CREATE_INVOICE, StepKind.CREATE_CORRECTION}:
            amount = self._total(new, new["currency_code"])
            return parsing.invoice({**new, "status": DRAFT, "amount": amount})
        invoice = known or self._books.invoices.get(new["id"])
        if kind is StepKind.UPDATE_HEAD:
            return with_head(invoice, new)
        if kind in _LEFT_AS:
            return replace(invoice, **_LEFT_AS[kind])
        amount = self._total(new, invoice.currency)
        return replace(
            invoice,
            amount=amount,
            outstanding=amount - invoice.paid,
            lines=tuple(map(parsing.line, new["lines"])),
            create_date=date.fromisoformat(new.get("create_date", str(invoice.create_date))),
        )

    def _total(self, body: Mapping[str, Any], currency: str) -> Decimal:
        """What FreshBooks most likely makes of the body's lines."""
        return likeliest_total(wire.from_body(body), decimals_of(currency), self._capabilities)


_LEFT_AS: dict[StepKind, dict[str, Any]] = {
    StepKind.ARCHIVE_INVOICE: {"vis_state": ARCHIVED},
    StepKind.DELETE_INVOICE: {"vis_state": DELETED},
    StepKind.MARK_SENT: {"status": SENT},
    StepKind.SEND_CORRECTION: {"status": SENT},
    StepKind.DELETE_CORRECTION: {"vis_state": DELETED},
}
"""What the steps that say all with their kind leave of an invoice."""


def _on_invoice(observed: Observed) -> frozenset[int]:
    """The refunds that the invoice has lines of."""
    return frozenset(wire.refunds_on(observed.invoice) if observed.invoice else ())


def _why(kind: StepKind, body: Mapping[str, Any]) -> str:
    verb, _, what = kind.value.partition("_")
    name = f" {body['name']!r}" if what == "item" else ""
    return f"{verb} the {what.replace('_', ' ')}{name}"


class Planner:
    """Plans orders over the ledger and FreshBooks as they are; writes to neither."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger,
        policy: Policy,
        stop: threading.Event,
        observer: Observer | None = None,
    ) -> None:
        self._books = books
        scratch = ScratchLedger(ledger)
        marked = MarkedInvoices(books, scratch)
        self._deleted = DeletedClients(books, scratch)
        self._observer = observer or RequestObserver(books, marked)
        self._ledger = ledger
        self._policy = policy
        self._stop = stop
        self._profile = AccountProfile(books, ledger, learns=False)

    def plan(self, order_id: int, asked: Asked | None = None) -> Plan | None:
        """The plan of an order in the ledger; None if its record is not there.

        Raises:
            Outage, AuthError, Forbidden: FreshBooks cannot be looked at; `Failing`: or this order.
        """
        row = self._ledger.orders.get(order_id)
        if row is not None and row.state == "settled":
            return Plan(order_id, OrderResult("settled", why=row.detail))
        stored = self._ledger.inbox.facts_of(order_id)
        if stored is None:
            return None
        try:
            return self.of_facts(gather(self._ledger, stored), asked)
        except ReadError as error:
            return Plan(order_id, OrderResult("parked", parked=unreadable(error)))
        except UnknownZone:
            raise
        except DEFECTS as error:
            # Without the error's words, which may quote a record.
            logger.error("Order %s: %s at %s", order_id, type(error).__name__, places(error))  # noqa: TRY400
            return Plan(order_id, OrderResult("parked", parked=defect(error)))

    def of_facts(self, facts: OrderFacts, asked: Asked | None = None) -> Plan:
        """The plan of an order whose facts are at hand."""
        ledger = ScratchLedger(self._ledger)
        fence, brake = fence_of(ledger, self._policy), Brake(None)
        simulator = Simulator(
            self._books, self._observer, ledger, fence, self._profile.capabilities
        )
        parts = Parts(
            self._books,
            simulator,
            ledger,
            simulator,
            ClientsAndItems(self._books, ledger, simulator, _never, _never, deleted=self._deleted),
            _never,
            self._stop,
            brake,
            self._profile,
        )
        try:
            result = Reconciler(parts, self._policy).reconcile(facts, asked=asked or Asked())
        except Refused as refused:
            result = refused_result(refused, "posting", 0)
        steps, account = tuple(simulator.steps), self._profile.capabilities
        rewrites = bool(brake.rewritten)
        return Plan(facts.order.id, result, steps, rewrites, simulator.refunds, account)


def _never(unanswered: object) -> NoReturn:
    raise AssertionError(f"a planning writer always answers, but: {unanswered!r}")
