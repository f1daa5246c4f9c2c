"""The next step between what the books should hold and what FreshBooks holds: pure, one at a time.

The order of the steps is an accounting matter. An invoice is created as a Draft, and only when
FreshBooks' own total equals the order's is it marked sent; then payments are recorded; then refunds
are booked one by one, each by lowering the payments first (so that the invoice is never overpaid,
which FreshBooks would turn into a credit) and adding the negative lines after. Since each step is
derived anew from what FreshBooks holds, an interrupted plan goes on where it stood.
"""

from dataclasses import replace

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.freshbooks.observed import ACTIVE, ARCHIVED, DELETED, DRAFT, ObservedInvoice
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.identity import is_marked, marks_of
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.closed import closed_step, day_closed, on_open_day
from target_freshbooks.posting.plan.draft import (
    comes_to_its_total,
    left_as_sent,
    prove_draft,
    rewrite_content,
    says_the_order,
)
from target_freshbooks.posting.plan.head import head_step
from target_freshbooks.posting.plan.overpayment import undo_overpayment
from target_freshbooks.posting.plan.payments import altered_by_hand, put_back
from target_freshbooks.posting.plan.refunds import settle_step
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind
from target_freshbooks.posting.state import Observed


def next_step(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    """The next outside write for the order; None when the books are as desired."""
    step = _next(context, observed, progress)
    if isinstance(step, Step) and step.kind.record != "invoice":
        return on_open_day(context, observed, step)
    return step


def _next(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    invoice = observed.invoice
    if invoice is None:
        return _create(context, progress)
    if is_marked(invoice, context.desired.invoice.marker):
        # Before any stop: whatever became of the invoice, no credit of ours is left.
        undo = undo_overpayment(context, observed, progress)
        if undo is not None:
            return undo
    stop = _not_ours_to_touch(context, invoice, progress)
    if stop is not None:
        begun = progress.rewriting and progress.rewrite_blocked and invoice.vis_state != DELETED
        return (put_back(context, observed, progress) if begun else None) or stop
    held = left_as_sent(context, invoice)
    if held is not None and wire.refunds_on(invoice):
        return held
    step: Step | Parked | None
    if invoice.create_date in context.closed:
        rewritten = _is_to_be_rewritten(context, invoice, progress)
        step = closed_step(context, observed, progress, rewritten=rewritten)
    else:
        step = (
            head_step(context, invoice, progress)
            or _next_of_ours(context, observed, invoice, progress)
            or _archive_again(context, invoice)
        )
    return step or (held if context.desired.unbooked_refunds else None)


def _next_of_ours(
    context: OrderContext, observed: Observed, invoice: ObservedInvoice, progress: AttemptState
) -> Step | Parked | None:
    if invoice.status == DRAFT:
        return prove_draft(context, observed, progress)
    if progress.rewrite_blocked:
        return put_back(context, observed, progress)
    stop = altered_by_hand(context, observed, progress)
    if stop is not None:
        return stop
    if _is_to_be_rewritten(context, invoice, progress):
        step = rewrite_content(context, observed, progress)
        if step is not None:
            return replace(step, rewriting=True) if isinstance(step, Step) else step
    return settle_step(context, observed, progress)


def _is_to_be_rewritten(
    context: OrderContext, invoice: ObservedInvoice, progress: AttemptState
) -> bool:
    """Whether the sent invoice's own lines are not what the order now has.

    Also if they were being rewritten: as first written they may not have come to the total, and
    a run that was killed there left just that. And if a person asked to overwrite an edit, even
    one that keeps the total; unless our lines cannot come to it, since the person corrected
    what we could not.
    """
    if context.recorded.known and context.is_edited and not _says_it_all(context, invoice):
        return True
    edited = context.was_edited(invoice)
    if progress.reword and not says_the_order(context, invoice):
        return True
    if invoice.amount == context.total_with_refunds_on(invoice):
        return progress.overwrite and edited and comes_to_its_total(context, invoice)
    left_so = context.recorded.known and not edited
    interrupted = left_so and not wire.refunds_on(invoice)
    overwritten = progress.overwrite and not left_so
    return overwritten or progress.written or interrupted


def _says_it_all(context: OrderContext, invoice: ObservedInvoice) -> bool:
    """Whether the edited order comes to the very lines and total that stand on the invoice."""
    comes_to_it = invoice.amount == context.total_with_refunds_on(invoice)
    if context.desired.hold or not comes_to_it or not says_the_order(context, invoice):
        return False
    rounding = context.policy.names.rounding
    ours, theirs = (
        [line.description.split() for line in lines if line.name != rounding]
        for lines in (context.lines, wire.sale_on(invoice))
    )
    return ours == theirs


def _archive_again(context: OrderContext, invoice: ObservedInvoice) -> Step | None:
    """File an invoice away again that FreshBooks took out of the archive for a write of ours."""
    if not context.recorded.extra.get("archived") or invoice.vis_state != ACTIVE:
        return None
    return Step(
        StepKind.ARCHIVE_INVOICE,
        invoice.number,
        {"vis_state": ARCHIVED},
        f"put invoice {invoice.number} back into the archive",
        remote_id=invoice.id,
    )


def _create(context: OrderContext, progress: AttemptState) -> Step | Parked:
    wanted = context.desired.invoice
    if context.recorded.known and not progress.overwrite:
        return Parked(
            Reason.DELETED_IN_FRESHBOOKS,
            f"Invoice {wanted.number} was posted before and is gone from FreshBooks.",
            "Restore it in FreshBooks and replay the order, or replay it with --overwrite to"
            " post it anew.",
        )
    day = context.closed.open_day(wanted.day)
    if day in context.closed:
        return day_closed(wanted.number, day, context.closed)
    return Step(
        StepKind.CREATE_INVOICE,
        wanted.number,
        context.invoice_body(context.lines) | {"create_date": day.isoformat()},
        f"create invoice {wanted.number} as a Draft, to come to {context.wording(wanted.total)}",
        writes_sale=True,
    )


def _unmarked(context: OrderContext, invoice: ObservedInvoice) -> Parked:
    """The invoice that the ledger knows does not name its order any more."""
    field = "PO number" if context.unmarked == "notes" else "notes"
    return Parked(
        Reason.EDITED_IN_FRESHBOOKS,
        f"Invoice {invoice.number} no longer names the order: the line by which it is known to be"
        " ours was removed from it in FreshBooks. It is left as it is.",
        f'Put "{context.desired.invoice.marker}" on a line of its own into its {field} in'
        " FreshBooks, beside what stands there, and replay the order.",
    )


def _not_ours_to_touch(
    context: OrderContext, invoice: ObservedInvoice, progress: AttemptState
) -> Parked | None:
    wanted = context.desired.invoice
    is_named = is_marked(invoice, wanted.marker)
    marks = dict.fromkeys(marks_of(invoice))
    if not is_named and (marks or invoice.id != context.recorded.invoice_id):
        others = ", ".join(f"order {mark.order_id} of store {mark.store}" for mark in marks)
        whose = f"is of {others}" if others else "is not this order's"
        return Parked(
            Reason.NUMBER_TAKEN,
            f"FreshBooks has an invoice {invoice.number} that {whose}.",
            "Give that invoice another number in FreshBooks, or set invoice_number_prefix;"
            " then replay the order.",
        )
    if invoice.vis_state == DELETED:
        return Parked(
            Reason.DELETED_IN_FRESHBOOKS,
            f"Invoice {invoice.number} was deleted in FreshBooks.",
            "Restore it in FreshBooks and replay the order, or leave it: it is not posted"
            " again by itself.",
        )
    if not is_named:
        return _unmarked(context, invoice)
    if invoice.currency != wanted.currency:
        return context.edited(f"its currency is {invoice.currency}, not {wanted.currency}.")
    unknown = not context.recorded.known and invoice.status != DRAFT  # it was no invoice to adopt
    if progress.overwrite or not (unknown or context.was_edited(invoice)):
        return None
    if unknown:
        return context.edited(
            f"FreshBooks puts it at {context.wording(invoice.amount)}, order and refunds come"
            " to"
            f" {context.wording(context.total_with_refunds_on(invoice))}."
        )
    if invoice.status == DRAFT and invoice.amount == wanted.total:
        return None  # the bookkeeper finished the Draft so that it agrees: that is what we want
    return context.edited(
        f"it was changed in FreshBooks since it was posted"
        f" (it now comes to {context.wording(invoice.amount)})."
    )
