"""Findings: what is wrong with an order, and which findings a replay's steps and stops are."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from target_freshbooks.books.desired import Reason
from target_freshbooks.freshbooks.observed import ObservedInvoice
from target_freshbooks.ledger import Intent
from target_freshbooks.posting.context import ZERO
from target_freshbooks.posting.plan.render import Plan
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.state import Observed


class FindingKind(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    EXTRA = "extra"
    EDITED = "edited"
    WRONG_AMOUNT = "wrong_amount"
    DIFFERS = "differs"
    UNREADABLE = "unreadable"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the ledger and FreshBooks.

    Attributes:
        order_id: The order.
        kind: What is wrong.
        detail: One sentence with figures and ids; no personal data.
    """

    order_id: int
    kind: FindingKind
    detail: str


def interrupted(order_id: int, intent: Intent) -> Finding:
    """What a run that is no longer at work left without an answer."""
    return Finding(
        order_id,
        FindingKind.INTERRUPTED,
        f"a run was interrupted at {intent.kind.replace('_', ' ')} (intent {intent.id}) and nobody"
        " has looked since what came of it: run again",
    )


def foreseen(plan: Plan, observed: Observed) -> Iterator[Finding]:
    """What a replay of a posted order would mend, or be stopped by."""
    result, own = plan.result, observed.invoice
    if result.parked is not None:
        kind = _OF_REASON.get(result.parked.reason, FindingKind.DIFFERS)
        yield Finding(plan.order_id, kind, result.parked.detail)
        return
    wanted = None
    if result.desired is not None:
        refunded = sum((entry.money for entry in result.desired.refunds), start=ZERO)
        wanted = result.desired.invoice.total - refunded
    for step in plan.steps:
        kind = _OF_STEP.get(step.kind, FindingKind.DIFFERS)
        sentence = f"a replay would {step.why}"
        if step.kind is StepKind.UPDATE_INVOICE and own is not None and own.amount != wanted:
            kind = FindingKind.WRONG_AMOUNT
            sentence = (
                f"{invoice_words(own)}; the order, less its refunds, comes to {wanted}: {sentence}"
            )
        yield Finding(plan.order_id, kind, sentence)


_OF_REASON = {
    Reason.DELETED_IN_FRESHBOOKS: FindingKind.MISSING,
    Reason.EDITED_IN_FRESHBOOKS: FindingKind.EDITED,
    Reason.NUMBER_TAKEN: FindingKind.EDITED,
    Reason.PAYMENT_UNEXPLAINED: FindingKind.EXTRA,
    Reason.REFUND_MISMATCH: FindingKind.WRONG_AMOUNT,
    Reason.TOTAL_MISMATCH: FindingKind.WRONG_AMOUNT,
    Reason.UNREADABLE_RECORD: FindingKind.UNREADABLE,
}

_OF_STEP = {
    StepKind.CREATE_INVOICE: FindingKind.MISSING,
    StepKind.CREATE_PAYMENT: FindingKind.MISSING,
    StepKind.CREATE_CREDIT_NOTE: FindingKind.MISSING,
    StepKind.DELETE_INVOICE: FindingKind.EXTRA,
    StepKind.DELETE_PAYMENT: FindingKind.EXTRA,
    StepKind.DELETE_CREDIT_NOTE: FindingKind.EXTRA,
    StepKind.UPDATE_PAYMENT: FindingKind.WRONG_AMOUNT,
}


def invoice_words(invoice: ObservedInvoice) -> str:
    """The invoice in a finding's words."""
    return f"invoice {invoice.number} (id {invoice.id}) of {invoice.amount} {invoice.currency}"
