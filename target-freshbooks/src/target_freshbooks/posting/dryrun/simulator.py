"""Simulator: answers writes as FreshBooks would, so that nothing is written and all is foreseen.

A plan is what the reconciler would do, so the reconciler itself makes it: with a writer that
answers each write as FreshBooks would if it computes as expected, and a ledger whose changes stay
in memory.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

from target_freshbooks.books import likeliest_total
from target_freshbooks.books.money import decimals_of
from target_freshbooks.freshbooks import parsing
from target_freshbooks.freshbooks.observed import (
    ARCHIVED,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedItem,
    ObservedLine,
    ObservedPayment,
)
from target_freshbooks.posting.marks import DRAFT
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import with_head
from target_freshbooks.posting.plan.steps import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_freshbooks.books.desired import InvoiceLine
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import Link, ScratchLedger

SENT, PAID = 2, 4
CREDIT_STEPS = frozenset(
    {
        StepKind.CREATE_CREDIT_NOTE,
        StepKind.DELETE_CREDIT_NOTE,
        StepKind.DELETE_OVERPAYMENT,
    }
)


class SimulatedWriter:
    """Answers writes as FreshBooks would, and keeps them as the plan."""

    run_id = "plan"
    simulates = True

    def __init__(self, books: FreshBooks, ledger: ScratchLedger) -> None:
        self._books = books
        self._ledger = ledger
        self._invoices: dict[int, ObservedInvoice] = {}
        self._payments: dict[int, ObservedPayment] = {}
        self._paid: defaultdict[int, Decimal] = defaultdict(Decimal)
        self._ids = count(-1, -1)
        self.steps: list[Step] = []

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
    ) -> Any:  # noqa: ANN401 - one of the Observed records, by kind
        """Foresee the answer; nothing leaves the process."""
        del order_id, content
        self.steps.append(Step(kind, key, body, why or _why(kind, body), remote_id))
        answer = self._answer(kind, body, remote_id)
        for link in links(answer):
            self._ledger.put_link(link)
        return answer

    def _answer(self, kind: StepKind, body: Mapping[str, Any], remote_id: int | None) -> Any:  # noqa: ANN401 - one of the Observed records, by kind
        new = next(self._ids) if remote_id is None else remote_id
        if kind in {StepKind.CREATE_CLIENT, StepKind.UPDATE_CLIENT}:
            return parsing.client({**body, "id": new})
        if kind in {StepKind.CREATE_ITEM, StepKind.UPDATE_ITEM}:
            return ObservedItem(new, body["name"], body.get("sku", ""), "", None, None, 0)
        if kind in {StepKind.CREATE_PAYMENT, StepKind.UPDATE_PAYMENT, StepKind.DELETE_PAYMENT}:
            return self._payment(kind, body, new)
        if kind in CREDIT_STEPS:
            return self._credit_note(body, new)
        return self._invoice(kind, body, new)

    def _payment(self, kind: StepKind, body: Mapping[str, Any], remote_id: int) -> ObservedPayment:
        if kind is StepKind.CREATE_PAYMENT:
            payment = ObservedPayment(
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
        else:
            payment = self._payments.get(remote_id) or self._books.get_payment(remote_id)
            self._paid[payment.invoice_id] -= payment.amount
        if kind is StepKind.DELETE_PAYMENT:
            payment = replace(payment, vis_state=1)
        else:
            payment = replace(payment, amount=Decimal(body["amount"]["amount"]))
            self._paid[payment.invoice_id] += payment.amount
        self._payments[remote_id] = payment
        return payment

    def _credit_note(self, body: Mapping[str, Any], remote_id: int) -> ObservedCreditNote:
        if "lines" not in body:
            return ObservedCreditNote(remote_id, 0, "", Decimal(0), "", "", 1)
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

    def _invoice(self, kind: StepKind, body: Mapping[str, Any], remote_id: int) -> ObservedInvoice:
        if kind is StepKind.CREATE_INVOICE:
            lines = wire.from_body(body)
            amount = likeliest_total(lines, decimals_of(body["currency_code"]))
            invoice = ObservedInvoice(
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
        else:
            invoice = self._invoices.get(remote_id) or self._books.get_invoice(remote_id)
            paid = invoice.paid + self._paid.pop(remote_id, Decimal(0))
            invoice = replace(invoice, paid=paid, outstanding=invoice.amount - paid)
            if kind is StepKind.UPDATE_HEAD:
                invoice = with_head(invoice, body)
            elif kind is StepKind.ARCHIVE_INVOICE:
                invoice = replace(invoice, vis_state=ARCHIVED)
            elif kind is StepKind.MARK_SENT:
                invoice = replace(invoice, status=SENT)
            elif kind is StepKind.DELETE_INVOICE:
                invoice = replace(invoice, vis_state=1)
            elif kind is StepKind.UPDATE_INVOICE:
                lines = wire.from_body(body)
                amount = likeliest_total(lines, decimals_of(invoice.currency))
                invoice = replace(
                    invoice,
                    amount=amount,
                    outstanding=amount - invoice.paid,
                    lines=tuple(map(_observed, lines)),
                )
        self._invoices[invoice.id] = invoice
        return invoice


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
