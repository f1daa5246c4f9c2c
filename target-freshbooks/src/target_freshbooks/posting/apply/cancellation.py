"""Cancellation: takes out of the books what was posted of an order that is not to be in them."""

from dataclasses import replace
from functools import partial
from typing import Any

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.freshbooks.errors import Conflict, NotFound, Refused
from target_freshbooks.freshbooks.observed import (
    DELETED,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.ledger import Link
from target_freshbooks.marks import Mark
from target_freshbooks.posting.apply.parts import Parts
from target_freshbooks.posting.apply.writer import BUSY_PAUSES, OutcomeUnknown
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.identity import (
    invoice_key,
    part_link,
    part_paid,
    record_link,
)
from target_freshbooks.posting.plan.overpayment import credit_left
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.results import OrderResult, kept_invoice, refused_result
from target_freshbooks.posting.state import Recorded, ids_of

_Deletable = ObservedInvoice | ObservedPayment | ObservedCreditNote


def delete_cancelled(
    parts: Parts, mark: Mark, recorded: Recorded, invoice_id: int, *, overwrite: bool
) -> OrderResult:
    """Delete the order's payments, credit notes and invoice, but for what is deleted already.

    An invoice that a person edited stays unless `overwrite` is asked for, and one that bears
    money which a person recorded stays in any case.
    """
    order_id = mark.order_id
    invoice, payments = parts.books.invoices.standing(invoice_id), recorded.payment_ids
    paid: dict[int, ObservedPayment] = {}
    if invoice is not None:
        paid = {row.id: row for row in parts.books.payments.of_invoice(invoice_id)}
        edited = recorded.fingerprint not in (None, fingerprint(invoice))
        if edited and not overwrite:
            return kept_invoice(invoice, "it was changed in FreshBooks since it was posted")
        for row in paid.values():
            if row.id in payments.values():
                continue
            if part_paid(row, mark) is None:
                return kept_invoice(invoice, f"it bears payment {row.id}, which is not ours")
            payments[f"payment:{row.id}"] = row.id
        parts.brake.before_rewriting(order_id, invoice.number)
    ids: dict[StepKind, dict[Any, int]] = {
        StepKind.DELETE_PAYMENT: payments,
        StepKind.DELETE_CREDIT_NOTE: recorded.credit_note_ids,
        StepKind.DELETE_EXPENSE: ids_of(recorded.expenses),
        StepKind.DELETE_CORRECTION: ids_of(recorded.corrections),
        StepKind.DELETE_INVOICE: {order_id: invoice_id},
    }
    records = [(kind, str(key), remote_id) for kind in ids for key, remote_id in ids[kind].items()]
    return _delete(parts, records, paid, order_id)


def _delete(
    parts: Parts,
    records: list[tuple[StepKind, str, int]],
    paid: dict[int, ObservedPayment],
    order_id: int,
) -> OrderResult:
    taken: dict[str, ObservedPayment] = {}
    writes = 0
    for kind, key, remote_id in records:
        try:
            deleted = _gone(parts, kind, key, remote_id, order_id)
        except Refused as refused:
            failed = refused_result(refused, "deletion of a cancelled order's invoice", 0)
            return _put_back(parts, taken, order_id, failed, writes)
        except _Ignored:
            failed = OrderResult("parked", parked=_ignored(kind, remote_id))
            return _put_back(parts, taken, order_id, failed, writes)
        writes += deleted
        if deleted and remote_id in paid and kind is StepKind.DELETE_PAYMENT:
            taken[key] = paid[remote_id]
    parts.ledger.links.drop("invoice", invoice_key(order_id))
    return OrderResult("waiting", why="deleted_after_cancellation", writes=writes)


def _put_back(
    parts: Parts, taken: dict[str, ObservedPayment], order_id: int, failed: OrderResult, writes: int
) -> OrderResult:
    """The invoice stays, so its payments come back: the books are not left half-way.

    An ordinary change of a deleted payment restores it (FreshBooks' published examples).

    Args:
        parts: What it takes.
        taken: The payments this attempt deleted, by their keys.
        order_id: The order.
        failed: Why the invoice stays.
        writes: How many writes were made.
    """
    left: list[int] = []
    for key, payment in taken.items():
        amount = {"amount": str(payment.amount), "code": payment.currency}
        try:
            parts.writer.write(
                kind=StepKind.UPDATE_PAYMENT,
                key=key,
                body={"amount": amount},
                order_id=order_id,
                remote_id=payment.id,
                why="restore the payment of an invoice that cannot be deleted",
                standing=payment,
                links=partial(_restored, key, order_id),
            )
            writes += 1
        except OutcomeUnknown as unknown:
            parts.settle_unknown(unknown)
        except Refused:
            pass  # told below, as a payment that is not there
        if _standing(parts, StepKind.DELETE_PAYMENT, payment.id) is None:
            left.append(payment.id)
    if left and failed.parked is not None:
        numbers = ", ".join(str(one) for one in left)
        detail = (
            f"{failed.parked.detail} Deleted already, and not to be restored: payment {numbers}."
        )
        return replace(failed, parked=replace(failed.parked, detail=detail), writes=writes)
    return replace(failed, writes=writes)


def _gone(parts: Parts, kind: StepKind, key: str, remote_id: int, order_id: int) -> int:
    """Delete it unless it is deleted, by a run that was killed or by a person; the writes.

    Raises:
        _Ignored: FreshBooks answered, and it stands as before: asking again would not help.
    """
    deleted = _deleted_link(kind, key, remote_id, order_id)
    pauses = iter(BUSY_PAUSES)
    while (standing := _standing(parts, kind, remote_id)) is not None:
        try:
            answer = parts.writer.write(
                kind=kind,
                key=key,
                body={"vis_state": DELETED},
                order_id=order_id,
                remote_id=remote_id,
                why=f"delete the {_name(kind)} of the cancelled order",
                standing=standing,
                links=lambda answer: _if_deleted(answer, deleted),
            )
        except OutcomeUnknown as unknown:
            parts.settle_unknown(unknown)
        except NotFound:
            break
        except Conflict:
            pause = next(pauses, None)
            if pause is None:
                raise
            parts.stop.wait(pause)
        else:
            if answer.vis_state != DELETED and _standing(parts, kind, remote_id) is not None:
                raise _Ignored
            return 1
    if deleted is not None:
        parts.ledger.links.put(deleted)
    return 0


def _standing(parts: Parts, kind: StepKind, remote_id: int) -> Any:  # noqa: ANN401 - by kind
    return parts.books.collections[kind.record].standing(remote_id)


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


class _Ignored(Exception):  # noqa: N818 - it never leaves this module
    """A deletion was answered and did nothing."""


def _restored(key: str, order_id: int, answer: ObservedPayment) -> list[Link]:
    return [record_link("payment", order_id, key, answer)]


def _if_deleted(answer: _Deletable, link: Link | None) -> list[Link]:
    return [link] if link is not None and answer.vis_state == DELETED else []


def _name(kind: StepKind) -> str:
    return kind.record.replace("_", " ")


def _ignored(kind: StepKind, remote_id: int) -> Parked:
    return Parked(
        Reason.NO_PROGRESS,
        f"The order is cancelled, and FreshBooks answered the deletion of its {_name(kind)}"
        f" {remote_id} without deleting it; it is not asked again.",
        "Look at the record in FreshBooks; delete it by hand, or replay the order.",
    )


def _deleted_link(kind: StepKind, key: str, remote_id: int, order_id: int) -> Link | None:
    """What is remembered of the deleted record; of an invoice nothing is."""
    if kind is StepKind.DELETE_INVOICE:
        return None
    return part_link(kind.record, order_id, key, remote_id, deleted=True)
