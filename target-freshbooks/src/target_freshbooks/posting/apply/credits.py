"""Credits that FreshBooks made of overpayments: deleted with what made them, then forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.freshbooks.errors import FreshBooksError, Refused
from target_freshbooks.freshbooks.observed import DELETED
from target_freshbooks.posting.apply.effects import without_overpayment
from target_freshbooks.posting.apply.writer import OutcomeUnknown
from target_freshbooks.posting.identity import part_key, part_paid
from target_freshbooks.posting.plan.overpayment import capped, credit_left
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.results import OrderResult

if TYPE_CHECKING:
    from target_freshbooks.posting.apply.parts import Parts
    from target_freshbooks.posting.state.reconcile_state import ReconcileState
    from target_freshbooks.posting.state.recorded import Recorded


def delete_credits(
    parts: Parts, order_id: int, number: str, recorded: Recorded
) -> OrderResult | None:
    """Delete the credits of an undoing that broke off, of an order that cannot be posted now.

    Returns:
        How the order comes out if FreshBooks keeps one; else None.
    """
    if recorded.invoice_id is None or not recorded.overpayments:
        return None
    invoice = parts.observer.invoice(recorded, number)
    if invoice is None:
        return None
    for key, credit_id in recorded.overpayments.items():
        credit = parts.books.credit_notes.overpayment(credit_id, invoice.customer_id)
        if credit is None:
            continue
        try:
            parts.writer.write(
                kind=StepKind.DELETE_OVERPAYMENT,
                key=key,
                body={"vis_state": DELETED},
                order_id=order_id,
                remote_id=credit.id,
                standing=credit,
                why=f"delete the credit that FreshBooks made of payment {key}",
            )
        except OutcomeUnknown as unknown:
            parts.settle_unknown(unknown)
        except Refused:
            return OrderResult("parked", parked=credit_left(number, key, credit))
    return None


def forget_gone_credits(parts: Parts, at: ReconcileState) -> ReconcileState:
    """Forget the credits of overpayments that do not stand any more.

    Raises:
        AnotherWriter: What was paid instead bears our own note.
    """
    recorded, order_id = at.context.recorded, at.context.desired.order_id
    gone = recorded.overpayments.keys() - at.observed.overpayments.keys()
    gone -= capped(at.context, at.observed).keys()
    for key in gone:
        link = parts.ledger.links.get("payment", part_key(order_id, key))
        if link is not None:
            parts.ledger.links.put(without_overpayment(link))
    if not gone:
        return at
    ours = set(recorded.payment_ids.values())
    for payment in at.observed.payments:
        if part_paid(payment, at.context.desired.invoice.marker) and payment.id not in ours:
            raise AnotherWriter(at.context.desired.invoice.number, payment.id)
    return parts.with_recorded(at)


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
