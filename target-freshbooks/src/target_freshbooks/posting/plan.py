"""The next step between what the books should hold and what FreshBooks holds: pure, one at a time.

The order of the steps is an accounting matter. An invoice is created as a Draft, and only when
FreshBooks' own total equals the order's is it marked sent; then payments are recorded; then refunds
are booked one by one, each by lowering the payments first (so that the invoice is never overpaid,
which FreshBooks would turn into a credit) and adding the negative lines after. Since each step is
derived anew from what FreshBooks holds, an interrupted plan goes on where it stood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.freshbooks.observed import ACTIVE, ARCHIVED
from target_freshbooks.posting import lines as wire
from target_freshbooks.posting.head import head_step
from target_freshbooks.posting.marks import DELETED, DRAFT, is_marked, marks_of
from target_freshbooks.posting.overpayment import undo_overpayment
from target_freshbooks.posting.payments import altered_by_hand, put_back
from target_freshbooks.posting.proof import (
    comes_to_its_total,
    prove_draft,
    rewrite_content,
    stands_in_some_wording,
)
from target_freshbooks.posting.settlement import settle_step
from target_freshbooks.posting.steps import Step, StepKind, Stop

if TYPE_CHECKING:
    from target_freshbooks.freshbooks.observed import ObservedInvoice
    from target_freshbooks.posting.case import Case
    from target_freshbooks.posting.steps import Actual, Progress


def next_step(case: Case, actual: Actual, progress: Progress) -> Step | Stop | None:
    """The next outside write for the order; None when the books are as desired."""
    invoice = actual.invoice
    if invoice is None:
        return _create(case, progress)
    if is_marked(invoice, case.desired.invoice.marker):
        # Before any stop: whatever became of the invoice, no credit of ours is left.
        undo = undo_overpayment(case, actual, progress)
        if undo is not None:
            return undo
    stop = _not_ours_to_touch(case, invoice, progress)
    if stop is not None:
        return stop
    step = head_step(case, invoice, progress)
    if step is not None:
        return step
    return _next_of_ours(case, actual, invoice, progress) or _archive_again(case, invoice)


def _next_of_ours(
    case: Case, actual: Actual, invoice: ObservedInvoice, progress: Progress
) -> Step | Stop | None:
    if invoice.status == DRAFT:
        return prove_draft(case, actual, progress)
    if progress.rewrite_blocked:
        return put_back(case, actual, progress)
    stop = altered_by_hand(case, actual, progress)
    if stop is not None:
        return stop
    if _is_to_be_rewritten(case, invoice, progress):
        step = rewrite_content(case, actual, progress)
        if step is not None:
            return step
    return settle_step(case, actual, progress)


def _is_to_be_rewritten(case: Case, invoice: ObservedInvoice, progress: Progress) -> bool:
    """Whether the sent invoice's own lines are not what the order now has.

    Also where they were being rewritten: the first wording may not have come to the total, and a
    run that was killed there left just that. And where a person asked to overwrite an edit, even
    one that keeps the total; unless none of our wordings comes to it, as where the person corrected
    what we could not.
    """
    if case.memory.known and case.memory.content != case.content:
        return True
    edited = case.was_edited(invoice)
    if progress.reword and not stands_in_some_wording(case, invoice):
        return True
    if invoice.amount == case.total_with_refunds_on(invoice):
        return progress.overwrite and edited and comes_to_its_total(case, invoice)
    left_so = case.memory.known and not edited
    interrupted = left_so and not wire.refunds_on(wire.standing(invoice))
    overwritten = progress.overwrite and not left_so
    return overwritten or progress.expression >= 0 or interrupted


def _archive_again(case: Case, invoice: ObservedInvoice) -> Step | None:
    """File an invoice away again that FreshBooks took out of the archive for a write of ours."""
    if not case.memory.archived or invoice.vis_state != ACTIVE:
        return None
    return Step(
        StepKind.ARCHIVE_INVOICE,
        invoice.number,
        {"vis_state": ARCHIVED},
        f"put invoice {invoice.number} back into the archive",
        remote_id=invoice.id,
    )


def _create(case: Case, progress: Progress) -> Step | Stop:
    wanted = case.desired.invoice
    if case.memory.known and not progress.overwrite:
        return Stop(
            Parked(
                Reason.DELETED_IN_FRESHBOOKS,
                f"Invoice {wanted.number} was posted before and is gone from FreshBooks.",
                "Restore it in FreshBooks and replay the order, or replay it with --overwrite to"
                " post it anew.",
            )
        )
    return Step(
        StepKind.CREATE_INVOICE,
        wanted.number,
        case.invoice_body(case.expressions[0]),
        f"create invoice {wanted.number} as a Draft, to come to {case.wording(wanted.total)}",
        expression=0,
    )


def _not_ours_to_touch(case: Case, invoice: ObservedInvoice, progress: Progress) -> Stop | None:
    wanted = case.desired.invoice
    if not is_marked(invoice, wanted.marker):
        marks = dict.fromkeys(marks_of(invoice))
        others = ", ".join(f"order {mark.order_id} of store {mark.store}" for mark in marks)
        whose = f"is of {others}" if others else "is not this order's"
        return Stop(
            Parked(
                Reason.NUMBER_TAKEN,
                f"FreshBooks has an invoice {invoice.number} that {whose}.",
                "Give that invoice another number in FreshBooks, or set invoice_number_prefix;"
                " then replay the order.",
            )
        )
    if invoice.vis_state == DELETED:
        return Stop(
            Parked(
                Reason.DELETED_IN_FRESHBOOKS,
                f"Invoice {invoice.number} was deleted in FreshBooks.",
                "Restore it in FreshBooks and replay the order, or leave it: it is not posted"
                " again by itself.",
            )
        )
    if invoice.currency != wanted.currency:
        return Stop(case.edited(f"its currency is {invoice.currency}, not {wanted.currency}."))
    unknown = not case.memory.known and invoice.status != DRAFT  # it was no invoice to adopt
    if progress.overwrite or not (unknown or case.was_edited(invoice)):
        return None
    if unknown:
        return Stop(
            case.edited(
                f"FreshBooks puts it at {case.wording(invoice.amount)}, order and refunds come to"
                f" {case.wording(case.total_with_refunds_on(invoice))}."
            )
        )
    if invoice.status == DRAFT and invoice.amount == wanted.total:
        return None  # the bookkeeper finished the Draft so that it agrees: that is what we want
    return Stop(
        case.edited(
            f"it was changed in FreshBooks since it was posted"
            f" (it now comes to {case.wording(invoice.amount)})."
        )
    )
