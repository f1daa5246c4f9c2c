"""Cancellation: takes a cancelled order's payments, credit notes and invoice out of the books."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from target_freshbooks.books.desired import Desired, Parked, Reason
from target_freshbooks.books.marks import Mark, mark_of
from target_freshbooks.freshbooks.errors import Conflict, NotFound, Refused
from target_freshbooks.freshbooks.observed import (
    DELETED,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedPayment,
)
from target_freshbooks.ledger import Terms
from target_freshbooks.posting.apply.refusals import BUSY_PAUSES
from target_freshbooks.posting.apply.writer import OutcomeUnknown, summary
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.digests import content_digest, fingerprint
from target_freshbooks.posting.identity import (
    adopt,
    invoice_key,
    is_marked,
    part_link,
    part_paid,
    payment_link,
    refund_credited,
)
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.results import OrderResult, refused_result
from target_freshbooks.posting.state.observed import Observed

if TYPE_CHECKING:
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.ledger import Link
    from target_freshbooks.posting.apply.parts import Parts
    from target_freshbooks.posting.state.recorded import Recorded

    _Deletable = ObservedInvoice | ObservedPayment | ObservedCreditNote


class Cancellation:
    """Finds, and deletes, what was posted of cancelled orders."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def adopt(self, facts: OrderFacts, policy: Policy, *, overwrite: bool) -> OrderResult | None:
        """Remember an invoice of the cancelled order that the ledger does not know, if any.

        Returns:
            Why an invoice that stands is not adopted: it does not come to the order, so a person
            may have edited it. With `overwrite` it is deleted in spite of that.
        """
        order_id = facts.order.id
        mark = mark_of(facts.order)
        number = f"{policy.invoice_number_prefix}{order_id}"
        invoice = self._parts.books.invoices.find(number)
        if invoice is None or not is_marked(invoice, mark):
            return None
        profile = self._parts.profile
        ways = [profile.desire(facts, way) for way in (policy, replace(policy, on_cancel="park"))]
        agreeing = [
            content_digest(facts, void=desired.void)
            for desired, way in ways
            if isinstance(desired, Desired)
            and OrderContext(
                desired, "", way, 0, otherwise=partial(profile.otherwise, facts, way)
            ).agrees(invoice)
        ]
        if not agreeing and not (overwrite and policy.on_cancel == "delete"):
            return _kept(invoice, "it does not come to the order, and the ledger does not know it")
        content = agreeing[0] if agreeing else content_digest(facts)
        notes = self._parts.books.credit_notes.of_client(invoice.customer_id)
        observed = Observed(
            invoice,
            tuple(self._parts.books.payments.of_invoice(invoice.id)),
            tuple(note for note in notes if refund_credited(note, mark) is not None),
        )
        self._parts.ledger.terms.keep(order_id, Terms(policy.terms(), invoice.create_date))
        # All at once: where the invoice is known, all that belongs to it is taken to be known.
        self._parts.ledger.links.adopt(
            adopt(mark, observed, content),
            order_id=order_id,
            run_id=self._parts.writer.run_id,
            data=summary(invoice),
        )
        return None

    def delete(
        self, mark: Mark, recorded: Recorded, invoice_id: int, *, overwrite: bool
    ) -> OrderResult:
        """Delete the order's payments, credit notes and invoice, but for what is deleted already.

        An invoice that a person edited stays unless `overwrite` is asked for, and one that bears
        money which a person recorded stays in any case.
        """
        order_id = mark.order_id
        invoice, payments = self._parts.books.invoices.standing(invoice_id), recorded.payment_ids
        paid = (
            {row.id: row for row in self._parts.books.payments.of_invoice(invoice_id)}
            if invoice
            else {}
        )
        if invoice is not None:
            edited = recorded.fingerprint not in (None, fingerprint(invoice))
            if edited and not overwrite:
                return _kept(invoice, "it was changed in FreshBooks since it was posted")
            for row in paid.values():
                if row.id in payments.values():
                    continue
                if part_paid(row, mark) is None:
                    return _kept(invoice, f"it bears payment {row.id}, which is not ours")
                payments[f"payment:{row.id}"] = row.id
            self._parts.brake.before_rewriting(order_id, invoice.number)
        parts = [
            *((StepKind.DELETE_PAYMENT, key, remote) for key, remote in payments.items()),
            *(
                (StepKind.DELETE_CREDIT_NOTE, str(refund_id), remote)
                for refund_id, remote in recorded.credit_note_ids.items()
            ),
            *(
                (StepKind.DELETE_EXPENSE, str(refund_id), link.remote_id)
                for refund_id, link in recorded.expenses.items()
                if not link.deleted
            ),
            *(
                (StepKind.DELETE_CORRECTION, str(refund_id), link.remote_id)
                for refund_id, link in recorded.corrections.items()
                if not link.deleted
            ),
            (StepKind.DELETE_INVOICE, str(order_id), invoice_id),
        ]
        return self._delete(parts, paid, order_id)

    def _delete(
        self,
        parts: list[tuple[StepKind, str, int]],
        paid: dict[int, ObservedPayment],
        order_id: int,
    ) -> OrderResult:
        taken: dict[str, ObservedPayment] = {}
        writes = 0
        for kind, key, remote_id in parts:
            try:
                deleted = self._gone(kind, key, remote_id, order_id)
            except Refused as refused:
                failed = refused_result(refused, "deletion of a cancelled order's invoice", 0)
                return self._put_back(taken, order_id, failed, writes)
            except _Ignored:
                failed = OrderResult("parked", parked=_ignored(kind, remote_id))
                return self._put_back(taken, order_id, failed, writes)
            writes += deleted
            if deleted and remote_id in paid and kind is StepKind.DELETE_PAYMENT:
                taken[key] = paid[remote_id]
        self._parts.ledger.links.drop("invoice", invoice_key(order_id))
        return OrderResult("waiting", why="deleted_after_cancellation", writes=writes)

    def _put_back(
        self, taken: dict[str, ObservedPayment], order_id: int, failed: OrderResult, writes: int
    ) -> OrderResult:
        """The invoice stays, so its payments come back: the books are not left half-way.

        An ordinary change of a deleted payment restores it (FreshBooks' published examples).

        Args:
            taken: The payments this attempt deleted, by their keys.
            order_id: The order.
            failed: Why the invoice stays.
            writes: How many writes were made.
        """
        left: list[int] = []
        for key, payment in taken.items():
            amount = {"amount": str(payment.amount), "code": payment.currency}
            try:
                self._parts.writer.write(
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
                self._parts.settle_unknown(unknown)
            except Refused:
                pass  # told below, as a payment that is not there
            if self._standing(StepKind.DELETE_PAYMENT, payment.id) is None:
                left.append(payment.id)
        if left and failed.parked is not None:
            numbers = ", ".join(str(one) for one in left)
            detail = (
                f"{failed.parked.detail} Deleted already, and not to be restored: payment"
                f" {numbers}."
            )
            return replace(failed, parked=replace(failed.parked, detail=detail), writes=writes)
        return replace(failed, writes=writes)

    def _gone(self, kind: StepKind, key: str, remote_id: int, order_id: int) -> int:
        """Delete it unless it is deleted, by a run that was killed or by a person; the writes.

        Raises:
            _Ignored: FreshBooks answered, and it stands as before: asking again would not help.
        """
        deleted = _deleted_link(kind, key, remote_id, order_id)
        pauses = iter(BUSY_PAUSES)
        while (standing := self._standing(kind, remote_id)) is not None:
            try:
                answer = self._parts.writer.write(
                    kind=kind,
                    key=key,
                    body={"vis_state": DELETED},
                    order_id=order_id,
                    remote_id=remote_id,
                    why=f"delete the {_name(kind)} of the cancelled order",
                    standing=standing,
                    links=lambda said: _if_deleted(said, deleted),
                )
            except OutcomeUnknown as unknown:
                self._parts.settle_unknown(unknown)
            except NotFound:
                break
            except Conflict:
                pause = next(pauses, None)
                if pause is None:
                    raise
                self._parts.stop.wait(pause)
            else:
                if answer.vis_state != DELETED and self._standing(kind, remote_id) is not None:
                    raise _Ignored
                return 1
        if deleted is not None:
            self._parts.ledger.links.put(deleted)
        return 0

    def _standing(self, kind: StepKind, remote_id: int) -> Any:  # noqa: ANN401 - by kind
        return self._parts.books.collections[kind.record].standing(remote_id)


class _Ignored(Exception):  # noqa: N818 - it never leaves this module
    """A deletion was answered and did nothing."""


def _restored(key: str, order_id: int, answer: ObservedPayment) -> list[Link]:
    return [payment_link(answer, order_id, key)]


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


def _kept(invoice: ObservedInvoice, why: str) -> OrderResult:
    return OrderResult(
        "parked",
        parked=Parked(
            Reason.EDITED_IN_FRESHBOOKS,
            f"The order is cancelled, and invoice {invoice.number} is not deleted: {why}.",
            "Decide what is to become of the invoice. Undo the change in FreshBooks and replay the"
            " order, delete the invoice by hand, or replay with --overwrite to have an edited one"
            " deleted.",
        ),
    )
