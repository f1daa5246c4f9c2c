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
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from target_freshbooks.books import likeliest_total
from target_freshbooks.books.money import decimals_of
from target_freshbooks.freshbooks import parsing
from target_freshbooks.freshbooks.observed import (
    ARCHIVED,
    DELETED,
    DRAFT,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedItem,
    ObservedLine,
    ObservedPayment,
)
from target_freshbooks.posting.apply.effects import INVOICE_STEPS, PAYMENT_STEPS, after
from target_freshbooks.posting.apply.writer import Writer
from target_freshbooks.posting.observe.observer import Observer
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import with_head
from target_freshbooks.posting.plan.steps import Step, StepKind
from target_freshbooks.posting.state.observed import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_freshbooks.books.desired import InvoiceLine
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import Link, ScratchLedger
    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.state.recorded import Recorded

SENT = 2
PARTY_STEPS = frozenset(
    {
        StepKind.CREATE_CLIENT,
        StepKind.UPDATE_CLIENT,
        StepKind.CREATE_ITEM,
        StepKind.UPDATE_ITEM,
    }
)


class Simulator(Writer, Observer):
    """A writer that sends nothing: it answers as FreshBooks would, and shows what that left."""

    def __init__(self, books: FreshBooks, observer: Observer, ledger: ScratchLedger) -> None:
        self.run_id = "plan"
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
        links: Callable[[Any], list[Link]] = lambda _: [],
    ) -> Any:
        """Foresee the answer; nothing leaves the process."""
        del order_id, content
        step = Step(kind, key, body, why or _why(kind, body), remote_id)
        self.steps.append(step)
        answer = self._answer(kind, body, next(self._ids) if remote_id is None else remote_id)
        if kind not in PARTY_STEPS:
            self._observed = after(self._observed, step, answer)
        for link in links(answer):
            self._ledger.put_link(link)
        return answer

    def _answer(self, kind: StepKind, body: Mapping[str, Any], remote_id: int) -> Any:  # noqa: ANN401 - one of the Observed records, by kind
        if kind in {StepKind.CREATE_CLIENT, StepKind.UPDATE_CLIENT}:
            return parsing.client({**body, "id": remote_id})
        if kind in PARTY_STEPS:
            return ObservedItem(remote_id, body["name"], body.get("sku", ""), "", None, None, 0)
        if kind in PAYMENT_STEPS:
            return self._payment(kind, body, remote_id)
        if kind in INVOICE_STEPS:
            return self._invoice(kind, body, remote_id)
        return _credit_note(body, remote_id)

    def _payment(self, kind: StepKind, body: Mapping[str, Any], remote_id: int) -> ObservedPayment:
        if kind is StepKind.CREATE_PAYMENT:
            return ObservedPayment(
                remote_id,
                body["invoiceid"],
                Decimal(body["amount"]["amount"]),
                body["amount"]["code"],
                date.fromisoformat(body["date"]),
                body["type"],
                body["note"],
                0,
                None,
            )
        paid = (row for row in self._observed.payments if row.id == remote_id)
        payment = next(paid, None) or self._books.get_payment(remote_id)
        if kind is StepKind.DELETE_PAYMENT:
            return replace(payment, vis_state=DELETED)
        return replace(payment, amount=Decimal(body["amount"]["amount"]))

    def _invoice(self, kind: StepKind, body: Mapping[str, Any], remote_id: int) -> ObservedInvoice:
        if kind is StepKind.CREATE_INVOICE:
            lines = wire.from_body(body)
            amount = likeliest_total(lines, decimals_of(body["currency_code"]))
            return ObservedInvoice(
                remote_id,
                body["invoice_number"],
                body["customerid"],
                DRAFT,
                "unpaid",
                amount,
                Decimal(0),
                amount,
                body["currency_code"],
                date.fromisoformat(body["create_date"]),
                body.get("notes", ""),
                body.get("po_number", ""),
                0,
                tuple(map(_observed, lines)),
                "",
                parsing.billing(body),
            )
        invoice = self._observed.invoice or self._books.get_invoice(remote_id)
        if kind is StepKind.UPDATE_HEAD:
            return with_head(invoice, body)
        if kind is not StepKind.UPDATE_INVOICE:
            return replace(invoice, **_LEFT_AS[kind])
        lines = wire.from_body(body)
        amount = likeliest_total(lines, decimals_of(invoice.currency))
        return replace(
            invoice,
            amount=amount,
            outstanding=amount - invoice.paid,
            lines=tuple(map(_observed, lines)),
        )


_LEFT_AS: dict[StepKind, dict[str, Any]] = {
    StepKind.ARCHIVE_INVOICE: {"vis_state": ARCHIVED},
    StepKind.DELETE_INVOICE: {"vis_state": DELETED},
    StepKind.MARK_SENT: {"status": SENT},
}
"""What the steps that say all with their kind leave of an invoice."""


def _credit_note(body: Mapping[str, Any], remote_id: int) -> ObservedCreditNote:
    if "lines" not in body:
        return ObservedCreditNote(remote_id, 0, "", Decimal(0), "", "", DELETED)
    lines = wire.from_body(body)
    amount = likeliest_total(lines, decimals_of(body["currency_code"]))
    return ObservedCreditNote(
        remote_id,
        body["clientid"],
        body["credit_number"],
        amount,
        body["currency_code"],
        body["notes"],
        0,
    )


def _why(kind: StepKind, body: Mapping[str, Any]) -> str:
    verb, _, what = kind.value.partition("_")
    name = f" {body['name']!r}" if what == "item" else ""
    return f"{verb} the {what.replace('_', ' ')}{name}"


def _observed(line: InvoiceLine) -> ObservedLine:
    taxes = [*line.taxes, None, None]
    first, second = taxes[0], taxes[1]
    return ObservedLine(
        line.name,
        line.description,
        line.quantity,
        line.unit_cost,
        line.quantity * line.unit_cost,
        first.name if first else None,
        first.percent if first else Decimal(0),
        second.name if second else None,
        second.percent if second else Decimal(0),
    )
