"""A cancelled order taken out of the books again: its payments, credit notes, then its invoice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books import desire
from target_freshbooks.books.desired import Desired, Parked, Reason
from target_freshbooks.books.marks import mark_of
from target_freshbooks.freshbooks.errors import Conflict, NotFound, Refused
from target_freshbooks.ledger import Link
from target_freshbooks.posting import keys, marks
from target_freshbooks.posting.case import Case
from target_freshbooks.posting.digests import content_digest, fingerprint
from target_freshbooks.posting.effects import payment_link
from target_freshbooks.posting.marks import DELETED
from target_freshbooks.posting.observe import choose
from target_freshbooks.posting.refusals import BUSY_PAUSES
from target_freshbooks.posting.steps import StepKind
from target_freshbooks.posting.verdict import Verdict, refused_verdict
from target_freshbooks.posting.writer import Unanswered, invoice_link, summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_freshbooks.books.marks import Mark
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.freshbooks.observed import (
        ObservedCreditNote,
        ObservedInvoice,
        ObservedPayment,
    )
    from target_freshbooks.ledger import Ledger
    from target_freshbooks.posting.memory import Memory
    from target_freshbooks.posting.simulate import LedgerOverlay, PlanningWriter
    from target_freshbooks.posting.writer import Writer

    _Deletable = ObservedInvoice | ObservedPayment | ObservedCreditNote


class Cancelling:
    """Deletes what was posted of cancelled orders."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger | LedgerOverlay,
        writer: Writer | PlanningWriter,
        settle_unknown: Callable[[Unanswered], bool],
        wait: Callable[[float], object],
    ) -> None:
        self._books = books
        self._ledger = ledger
        self._writer = writer
        self._settle_unknown = settle_unknown
        self._wait = wait

    def adopt(self, facts: OrderFacts, policy: Policy, *, overwrite: bool) -> Verdict | None:
        """Remember an invoice of the cancelled order that the ledger does not know, if any.

        Returns:
            Why an invoice that stands is not adopted: it does not come to the order, so a person
            may have edited it. With `overwrite` it is deleted in spite of that.
        """
        order_id = facts.order.id
        mark = mark_of(facts.order)
        number = f"{policy.invoice_number_prefix}{order_id}"
        invoice = choose(self._books.find_invoices(number), mark)
        if invoice is None or not marks.is_marked(invoice, mark):
            return None
        if self._ledger.is_linked_elsewhere("invoice", invoice.id):
            return None  # another shop's order of the same number
        content = content_digest(facts)
        desired = desire(facts, policy)
        agrees = isinstance(desired, Desired) and Case(desired, content, policy, 0).agrees(invoice)
        if not agrees and not (overwrite and policy.on_cancel == "delete"):
            return _kept(invoice, "it does not come to the order, and the ledger does not know it")
        key = keys.invoice_key(order_id)
        found = [invoice_link(invoice, key=key, order_id=order_id, content=content)]
        for payment in self._books.payments_of(invoice.id):
            paid = marks.part_paid(payment, mark)
            if paid is not None:
                key = keys.payment_key(order_id, paid.part.replace(" ", ":", 1))
                found.append(payment_link(payment, key=key, order_id=order_id))
        for note in self._books.credit_notes_of(invoice.customer_id):
            refund_id = marks.refund_credited(note, mark)
            if refund_id is not None:
                key = keys.credit_note_key(order_id, refund_id)
                found.append(Link("credit_note", key, note.id, order_id=order_id))
        # All at once: where the invoice is known, all that belongs to it is taken to be known.
        self._ledger.adopt(
            found, order_id=order_id, run_id=self._writer.run_id, data=summary(invoice)
        )
        return None

    def delete(self, mark: Mark, memory: Memory, invoice_id: int, *, overwrite: bool) -> Verdict:
        """Delete the order's payments, credit notes and invoice, but for what is deleted already.

        An invoice that a person edited stays unless `overwrite` is asked for, and one that bears
        money which a person recorded stays in any case.
        """
        order_id = mark.order_id
        invoice, payments = self._standing(invoice_id), dict(memory.payments)
        if invoice is not None:
            edited = memory.fingerprint not in (None, fingerprint(invoice))
            if edited and not overwrite:
                return _kept(invoice, "it was changed in FreshBooks since it was posted")
            for found in self._books.payments_of(invoice_id):
                if found.id in payments.values():
                    continue
                if marks.part_paid(found, mark) is None:
                    return _kept(invoice, f"it bears payment {found.id}, which is not ours")
                payments[f"payment:{found.id}"] = found.id
        writes = 0
        try:
            for key, remote_id in payments.items():
                writes += self._gone(StepKind.DELETE_PAYMENT, key, remote_id, order_id)
            for refund_id, remote_id in memory.credit_notes.items():
                key = str(refund_id)
                writes += self._gone(StepKind.DELETE_CREDIT_NOTE, key, remote_id, order_id)
            writes += self._gone(StepKind.DELETE_INVOICE, str(order_id), invoice_id, order_id)
        except Refused as refused:
            return refused_verdict(refused, "deletion of a cancelled order's invoice", writes)
        self._ledger.drop_link("invoice", keys.invoice_key(order_id))
        return Verdict("waiting", why="deleted_after_cancellation", writes=writes)

    def _gone(self, kind: StepKind, key: str, remote_id: int, order_id: int) -> int:
        """Delete it unless it is deleted, by a run that was killed or by a person; the writes."""
        deleted = _deleted_link(kind, key, remote_id, order_id)
        pauses = iter(BUSY_PAUSES)
        while self._stands(kind, remote_id):
            try:
                self._writer.write(
                    kind=kind,
                    key=key,
                    body={"vis_state": DELETED},
                    order_id=order_id,
                    remote_id=remote_id,
                    why=f"delete the {_NAMES[kind]} of the cancelled order",
                    links=lambda _: [deleted] if deleted else [],
                )
            except Unanswered as unknown:
                self._settle_unknown(unknown)
            except NotFound:
                break
            except Conflict:
                pause = next(pauses, None)
                if pause is None:
                    raise
                self._wait(pause)
            else:
                return 1
        if deleted is not None:
            self._ledger.put_link(deleted)
        return 0

    def _standing(self, invoice_id: int) -> ObservedInvoice | None:
        try:
            invoice = self._books.get_invoice(invoice_id)
        except NotFound:
            return None
        return None if invoice.vis_state == DELETED else invoice

    def _stands(self, kind: StepKind, remote_id: int) -> bool:
        readers: dict[StepKind, Callable[[int], _Deletable]] = {
            StepKind.DELETE_PAYMENT: self._books.get_payment,
            StepKind.DELETE_CREDIT_NOTE: self._books.get_credit_note,
            StepKind.DELETE_INVOICE: self._books.get_invoice,
        }
        try:
            return readers[kind](remote_id).vis_state != DELETED
        except NotFound:
            return False


_NAMES = {
    StepKind.DELETE_PAYMENT: "payment",
    StepKind.DELETE_CREDIT_NOTE: "credit note",
    StepKind.DELETE_INVOICE: "invoice",
}


def _deleted_link(kind: StepKind, key: str, remote_id: int, order_id: int) -> Link | None:
    """What is remembered of the deleted record; of an invoice nothing is."""
    if kind is StepKind.DELETE_PAYMENT:
        own = keys.payment_key(order_id, key)
        return Link("payment", own, remote_id, order_id=order_id, deleted=True)
    if kind is StepKind.DELETE_CREDIT_NOTE:
        own = keys.credit_note_key(order_id, key)
        return Link("credit_note", own, remote_id, order_id=order_id, deleted=True)
    return None


def _kept(invoice: ObservedInvoice, why: str) -> Verdict:
    return Verdict(
        "parked",
        parked=Parked(
            Reason.EDITED_IN_FRESHBOOKS,
            f"The order is cancelled, and invoice {invoice.number} is not deleted: {why}.",
            "Decide what is to become of the invoice. Undo the change in FreshBooks and replay the"
            " order, delete the invoice by hand, or replay with --overwrite to have an edited one"
            " deleted.",
        ),
    )
