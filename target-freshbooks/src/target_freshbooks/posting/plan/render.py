"""Plan: what a run would do for an order, as a bookkeeper reads it: invoice, money, steps."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks.books.rounding import tax_amounts, ways_of_rounding
from target_freshbooks.capabilities import FRESHBOOKS, Capabilities
from target_freshbooks.money import decimals_of, total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_freshbooks.books.desired import Desired, Invoice, InvoiceLine
    from target_freshbooks.posting.plan.steps import Step
    from target_freshbooks.posting.results import OrderResult

NAME_WIDTH = 44
AGREE = "The books agree: nothing would be done."


@dataclass(frozen=True, slots=True)
class Plan:
    """What would come of an order: dry runs, `plan`, `replay` and `verify` go by it.

    Attributes:
        order_id: The order.
        result: How it would come out.
        steps: The writes that would be made, in their order.
        rewrites: Whether an invoice of an earlier run is rewritten or deleted, which is what the
            brake counts.
        refunds: The refunds that would be booked.
        account: What is known of how the account rounds.
    """

    order_id: int
    result: OrderResult
    steps: tuple[Step, ...] = ()
    rewrites: bool = False
    refunds: frozenset[int] = frozenset()
    account: Capabilities = FRESHBOOKS

    @property
    def taxes(self) -> dict[str, Decimal]:
        """What FreshBooks would most likely put each tax of the invoice at, by name."""
        desired = self.result.desired
        return {} if desired is None else _taxes(desired.invoice, self.account)

    def document(self) -> dict[str, Any]:
        """The plan as JSON: amounts as text, no personal data."""
        result, desired = self.result, self.result.desired
        return {
            "order_id": self.order_id,
            "outcome": result.state,
            "reason": result.parked.reason.value if result.parked else result.why,
            "detail": result.parked.detail if result.parked else None,
            "next_step": result.parked.next_step if result.parked else None,
            "invoice": _invoice(desired, self.taxes) if desired else None,
            "steps": [{"kind": step.kind.value, "why": step.why} for step in self.steps],
            "rewrites": self.rewrites,
        }

    def lines(self) -> list[str]:
        """The plan for a terminal."""
        desired = self.result.desired
        out = [f"Order {self.order_id}"]
        if desired is not None:
            out += _invoice_text(desired, self.taxes)
        if self.result.parked is not None:
            parked = self.result.parked
            out += [
                f"  Would be parked as {parked.reason.value}, which would say:",
                f"    {parked.detail}",
                f"    Next: {parked.next_step}",
            ]
        elif self.result.state == "waiting":
            out.append(f"  Would wait: {self.result.why}")
        elif self.result.state == "settled":
            out.append(f"  Settled by hand, and would be left alone: {self.result.why}")
        if self.steps:
            out.append("  Would take these steps:")
            out += [f"    {sign(step.kind.value)} {step.why}" for step in self.steps]
        elif self.result.state == "posted":
            out.append(f"  {AGREE}")
        return out


def sign(kind: str) -> str:
    """`+` creates, `~` changes, `-` deletes."""
    return {"create": "+", "delete": "-"}.get(kind.split("_", maxsplit=1)[0], "~")


def _taxes(invoice: Invoice, account: Capabilities) -> dict[str, Decimal]:
    return tax_amounts(invoice.lines, ways_of_rounding(account, decimals_of(invoice.currency))[0])


def _difference(invoice: Invoice, taxes: dict[str, Decimal]) -> Decimal:
    """By how much the order's total exceeds its lines and their taxes: cents, or no sum at all."""
    net = total(line.quantity * line.unit_cost for line in invoice.lines)
    return invoice.total - net - total(taxes.values())


def _invoice(desired: Desired, taxes: dict[str, Decimal]) -> dict[str, Any]:
    invoice = desired.invoice
    return {
        "number": invoice.number,
        "date": invoice.day.isoformat(),
        "currency": invoice.currency,
        "lines": [_line(line) for line in invoice.lines],
        "taxes": {name: str(amount) for name, amount in taxes.items()},
        "difference": str(_difference(invoice, taxes)),
        "total": str(invoice.total),
        "payments": [
            {
                "key": payment.key,
                "amount": str(payment.amount),
                "date": payment.day.isoformat(),
                "type": payment.type,
            }
            for payment in desired.payments
        ],
        "refunds": [
            {
                "refund_id": entry.refund_id,
                "money": str(entry.money),
                "stored_value": str(entry.credit),
                "credit_note": str(entry.credit_note.total) if entry.credit_note else None,
            }
            for entry in desired.refunds
        ],
        "corrections": [
            {
                "refund_id": one.refund_id,
                "number": one.number,
                "date": one.day.isoformat(),
                "money": str(one.entry.money),
                "stored_value": str(one.entry.credit),
            }
            for one in desired.corrections
        ],
    }


def _line(line: InvoiceLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "description": line.description,
        "quantity": str(line.quantity),
        "unit_cost": str(line.unit_cost),
        "amount": str(line.quantity * line.unit_cost),
        "taxes": [{"name": tax.name, "percent": str(tax.percent)} for tax in line.taxes],
    }


def _invoice_text(desired: Desired, taxes: dict[str, Decimal]) -> list[str]:
    invoice = desired.invoice
    places = decimals_of(invoice.currency)

    def money(amount: Decimal) -> str:
        return f"{amount:,.{places}f}".rjust(13)

    out = [
        f"  Invoice {invoice.number} of {invoice.day.isoformat()}, {invoice.currency}",
        f"    {'':{NAME_WIDTH}} {'qty':>7} {'price':>13} {'amount':>13}  taxes",
    ]
    for line in invoice.lines:
        rates = ", ".join(f"{tax.name} {tax.percent.normalize():f}%" for tax in line.taxes)
        out.append(
            f"    {line.name[:NAME_WIDTH]:{NAME_WIDTH}} {line.quantity.normalize():>7f}"
            f" {money(line.unit_cost)} {money(line.quantity * line.unit_cost)}  {rates}".rstrip()
        )
    for name, amount in taxes.items():
        out.append(f"    {name[: NAME_WIDTH + 22]:{NAME_WIDTH + 22}} {money(amount)}")
    if difference := _difference(invoice, taxes):
        label = "Difference between the order's total and its lines and taxes"
        out.append(f"    {label:{NAME_WIDTH + 22}} {money(difference)}")
    out.append(f"    {'Total':{NAME_WIDTH + 22}} {money(invoice.total)}")
    paid = Decimal(0)
    for payment in desired.payments:
        paid += payment.amount
        label = f"Payment of {payment.day.isoformat()}, {payment.type} ({payment.key})"
        out.append(f"    {label[: NAME_WIDTH + 22]:{NAME_WIDTH + 22}} {money(payment.amount)}")
    for label, amount in _refunds(desired):
        out.append(f"    {label:{NAME_WIDTH + 22}} {money(amount)}")
    rest = invoice.total - paid
    out.append(f"    {'Outstanding':{NAME_WIDTH + 22}} {money(rest)}")
    return out


def _refunds(desired: Desired) -> Iterator[tuple[str, Decimal]]:
    """What refunds do to invoice and payment, and beside them."""
    for entry in desired.refunds:
        if entry.money:
            yield f"Refund {entry.refund_id}, off invoice and payment", -entry.money
        if entry.credit:
            yield f"Refund {entry.refund_id}, as stored value (in the lines)", entry.credit
        if entry.credit_note is not None:
            yield f"Refund {entry.refund_id}, as a credit note", entry.credit_note.total
    for one in desired.corrections:
        beside = f"beside the invoice, by {one.number} of {one.day}"
        yield f"Refund {one.refund_id}, {beside}", -one.entry.value
