"""Simulator: answers writes as FreshBooks would, so that nothing is written and all is foreseen.

A plan is what the reconciler would do, so the reconciler itself makes it: with a writer that
answers each write as FreshBooks would if it computes as expected, an observer that shows what those
writes left, and a ledger whose changes stay in memory.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from target_freshbooks.books import likeliest_total
from target_freshbooks.books.capabilities import FRESHBOOKS, Capabilities
from target_freshbooks.books.money import decimals_of
from target_freshbooks.freshbooks import FreshBooks, parsing
from target_freshbooks.freshbooks.observed import (
    ARCHIVED,
    DELETED,
    DRAFT,
    ObservedExpense,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.posting.apply.effects import after
from target_freshbooks.posting.apply.writer import Writer
from target_freshbooks.posting.observe.observer import Observer
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import with_head
from target_freshbooks.posting.plan.steps import Step, StepKind
from target_freshbooks.posting.state.observed import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_freshbooks.ledger import Link, ScratchLedger
    from target_freshbooks.posting.apply.fence import Dated, Fence
    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.state.recorded import Recorded

SENT = 2

Row = TypeVar("Row", ObservedInvoice, ObservedExpense)


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
        self._ids = count(-1, -1)
        self.steps: list[Step] = []

    @override
    def invoice(self, recorded: Recorded, number: str) -> ObservedInvoice | None:
        """The order's invoice: as it was read, until it was written."""
        return self._observed.invoice or self._observer.invoice(recorded, number)

    @override
    def around(self, context: OrderContext, invoice: ObservedInvoice) -> Observed:
        """All that is held for the order: read once, and since then as it was written."""
        if self._observed.invoice is None:
            self._observed = self._observer.around(context, invoice)
        return self._observed

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
        why: str = "",
        standing: Dated | None = None,
        links: Callable[[Any], list[Link]] = lambda _: [],
    ) -> Any:
        """Foresee the answer; nothing leaves the process."""
        del order_id, content
        self.fence.check(kind, body, standing)
        step = Step(kind, key, body, why or _why(kind, body), remote_id)
        self.steps.append(step)
        answer = self._answer(kind, body, next(self._ids) if remote_id is None else remote_id)
        if kind.record not in {"client", "item"}:
            self._observed = after(self._observed, step, answer)
        for link in links(answer):
            self._ledger.links.put(link)
        return answer

    def _answer(self, kind: StepKind, body: Mapping[str, Any], remote_id: int) -> Any:  # noqa: ANN401 - one of the Observed records, by kind
        new = {**body, "id": remote_id}
        match kind.record:
            case "client":
                return parsing.client(new)
            case "item":
                return parsing.item(new)
            case "payment":
                return self._payment(kind, new, remote_id)
            case "invoice":
                return self._invoice(kind, new, self._observed.invoice)
            case "correction":
                return self._invoice(kind, new, _of_id(self._observed.corrections, remote_id))
            case "expense" if kind is StepKind.CREATE_EXPENSE:
                return parsing.expense(new)
            case "expense":
                known = _of_id(self._observed.expenses, remote_id)
                expense = known or self._books.expenses.get(remote_id)
                if kind is StepKind.DELETE_EXPENSE:
                    return replace(expense, vis_state=DELETED)
                return replace(expense, amount=Decimal(new["amount"]["amount"]))
        if "lines" in body:
            return parsing.credit_note(new | {"amount": self._total(body, body["currency_code"])})
        return parsing.credit_note(new | {"amount": "0"})

    def _payment(self, kind: StepKind, new: Mapping[str, Any], remote_id: int) -> ObservedPayment:
        if kind is StepKind.CREATE_PAYMENT:
            return parsing.payment(new)
        paid = (row for row in self._observed.payments if row.id == remote_id)
        payment = next(paid, None) or self._books.payments.get(remote_id)
        if kind is StepKind.DELETE_PAYMENT:
            return replace(payment, vis_state=DELETED)
        return replace(payment, amount=Decimal(new["amount"]["amount"]))

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


def _of_id(records: Mapping[int, Row], remote_id: int) -> Row | None:
    return next((row for row in records.values() if row.id == remote_id), None)


def _why(kind: StepKind, body: Mapping[str, Any]) -> str:
    verb, _, what = kind.value.partition("_")
    name = f" {body['name']!r}" if what == "item" else ""
    return f"{verb} the {what.replace('_', ' ')}{name}"
