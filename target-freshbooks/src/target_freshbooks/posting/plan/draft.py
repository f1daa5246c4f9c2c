"""Draft: only an invoice whose amount FreshBooks itself puts at the order's is sent.

FreshBooks computes tax from percents and rounds in its own way. What its answer differs by from the
order, if it is no more than the tolerance, is taken up by one Rounding line; else the Draft stays.

With `post_as: draft` an invoice stops short of being marked sent: FreshBooks counts a Draft nowhere
and shows it to no customer. The setting is one of the terms that an order is posted under, so it is
known before the invoice is made, and a Draft made under it stays one whatever the setting says
later, until somebody asks for it to be sent.
"""

from dataclasses import replace
from decimal import Decimal

from target_freshbooks.books import mend, predict_totals
from target_freshbooks.books.desired import Lines, Parked, Reason
from target_freshbooks.freshbooks.observed import DRAFT, ObservedInvoice, ObservedPayment
from target_freshbooks.posting.context import ZERO, OrderContext
from target_freshbooks.posting.identity import find_payment, part_paid
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.overpayment import paid_elsewhere
from target_freshbooks.posting.plan.payments import lower_payment
from target_freshbooks.posting.plan.refunds import take_back
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind
from target_freshbooks.posting.state import Observed

KEPT_AS_DRAFT = "draft"
"""Why an order waits whose proven invoice is kept as a Draft."""


def prove_draft(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    """The Draft's next step: its lines, a Rounding line, or marking it sent.

    None if it is proven and kept as a Draft.
    """
    invoice = observed.own
    desired = context.desired
    agrees = invoice.amount == desired.invoice.total
    if desired.hold and desired.flag is not None and not (agrees and context.was_edited(invoice)):
        return desired.flag  # until a person has made the Draft's total the order's
    outdated = progress.reword or (context.recorded.content is not None and context.is_edited)
    reword = outdated and not context.was_edited(invoice)
    proven = agrees and not (reword and not says_the_order(context, invoice))
    if proven and context.keeps_draft(invoice, send=progress.send):
        return None
    if proven:
        return Step(
            StepKind.MARK_SENT,
            invoice.number,
            {"action_mark_as_sent": True},
            f"mark invoice {invoice.number} as sent if FreshBooks puts it at"
            f" {context.wording(invoice.amount)}, as the order",
            remote_id=invoice.id,
        )
    return _reword(context, invoice, desired.invoice.total, (), progress)


def rewrite_content(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    """The step that follows an order edited in the shop after it was posted."""
    invoice = observed.own
    desired = context.desired
    held = left_as_sent(context, invoice)
    if held is not None:
        return held
    if context.policy.on_order_change == "park" and not desired.void:
        return Parked(
            Reason.CHANGED_AFTER_POSTING,
            f"The order changed after invoice {invoice.number} was posted: it now comes to"
            f" {context.wording(desired.invoice.total)}.",
            "Set on_order_change to update, or change the invoice by hand and replay the"
            " order with --overwrite.",
        )
    total = context.total_with_refunds_on(invoice)
    if progress.written and invoice.amount == total:
        return None
    if desired.void:
        return _void(context, observed, progress)
    outdated = context.outdated_refunds(invoice)
    if outdated:
        # They raise the total, and `settle_step` books anew what is still due.
        return take_back(context, invoice, outdated)
    step = _reword(context, invoice, total, wire.refund_lines_on(invoice), progress)
    if isinstance(step, Parked):
        return step
    booked = context.refunds_on(invoice)
    amounts = context.payments_at(booked[-1] if booked else None)
    return _lower_first(context, observed, amounts, step, progress) or step


def left_as_sent(context: OrderContext, invoice: ObservedInvoice) -> Parked | None:
    """Why a sent invoice is left as it is whose order's figures contradict each other by now."""
    flag = context.desired.flag
    if flag is None or not context.desired.hold or invoice.status == DRAFT:
        return None
    return replace(
        flag,
        next_step="The invoice was sent and is left as it is, and no refund is put on it: correct"
        " the order's totals in the shop and replay the order, or book by hand what changed and"
        " settle the order with a note.",
    )


def _void(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    """Bring the invoice of a cancelled order to 0.00, the lines of its refunds too."""
    wanted = {payment.key for payment in context.desired.payments}
    for payment in observed.payments:
        part = part_paid(payment, context.desired.invoice.marker)
        if part is not None and part.key not in wanted and payment.amount > ZERO:
            return _unreturned(context, payment)
    step = _reword(context, observed.own, ZERO, (), progress)
    if isinstance(step, Parked):
        return step
    return _lower_first(context, observed, context.payments_at(None), step, progress) or step


def _unreturned(context: OrderContext, payment: ObservedPayment) -> Parked:
    return Parked(
        Reason.CANCELLED_AFTER_POSTING,
        f"The order was cancelled after it was invoiced, and its payment of"
        f" {context.wording(payment.amount)} of {payment.date} stands in the books without a"
        " transaction of the shop: nothing shows that the money went back.",
        "If it went back, delete the payment in FreshBooks and replay the order, which is voided"
        " then; else settle the order with a note of what you did.",
    )


def comes_to_its_total(context: OrderContext, invoice: ObservedInvoice) -> bool:
    """Whether the order's lines, with the refunds on the invoice, may come to what it should."""
    lines = (*context.lines, *wire.refund_lines_on(invoice))
    return context.total_with_refunds_on(invoice) in predict_totals(lines, context.decimals)


def _lower_first(
    context: OrderContext,
    observed: Observed,
    amounts: dict[str, Decimal],
    step: Step,
    progress: AttemptState,
) -> Step | Parked | None:
    """A total that falls must not leave the invoice overpaid for a moment: payments first.

    However FreshBooks rounds the lines: if their total may be some cents less, so are the
    payments, and they are raised again when the total is known.
    """
    lowered = lower_payment(context, observed, amounts, None, progress)
    invoice = observed.own
    lowest = min(predict_totals(wire.from_body(step.body), context.decimals))
    if lowered is not None or invoice.paid <= max(lowest, ZERO):
        return lowered
    standing = {
        payment.key: find_payment(payment, context.recorded, observed)
        for payment in context.desired.payments
    }
    paid = {key: row.amount for key, row in standing.items() if row is not None}
    largest = max(paid, key=lambda key: paid[key], default=None)
    if largest is None or not paid[largest]:
        return paid_elsewhere(context, observed, lowest, "a total")
    less = max(paid[largest] - (invoice.paid - lowest), ZERO)
    return lower_payment(context, observed, {**amounts, largest: less}, None, progress)


def _reword(
    context: OrderContext,
    invoice: ObservedInvoice,
    total: Decimal,
    kept: Lines,
    progress: AttemptState,
) -> Step | Parked:
    lines = context.lines
    written, mended_before = (
        (True, progress.mended) if progress.written else _recognise(context, invoice)
    )
    if not progress.written and _lacks_rounding(context, invoice):
        written = False  # it was written before the account's way of rounding was known
    if not written:
        return _write(context, invoice, (*lines, *kept))
    if not mended_before:
        mended = mend(lines, invoice.amount, total, context.policy, context.decimals)
        if mended is not None:
            return _write(context, invoice, (*mended, *kept), mended=True)
    what = "order" if invoice.status == DRAFT else "changed order"
    next_step = (
        "The Draft is left unsent in FreshBooks: compare its lines with the order, correct the"
        " Draft so that its total agrees, and replay the order."
        if invoice.status == DRAFT
        else "Correct the invoice in FreshBooks so that its total agrees, and replay the order with"
        " --overwrite."
    )
    return Parked(
        Reason.TOTAL_MISMATCH,
        f"FreshBooks puts invoice {invoice.number} at {context.wording(invoice.amount)}, the"
        f" {what} at {context.wording(total)}, and no Rounding line within"
        " rounding_tolerance_cents brings them together.",
        next_step,
    )


def says_the_order(context: OrderContext, invoice: ObservedInvoice) -> bool:
    """Whether the invoice's own lines are the order's, a Rounding line apart."""
    return _recognise(context, invoice)[0]


def _recognise(context: OrderContext, invoice: ObservedInvoice) -> tuple[bool, bool]:
    """Whether the order's lines stand on the invoice, and whether a Rounding line was added."""
    rounding = context.policy.names.rounding

    def plain(lines: Lines) -> Lines:
        return tuple(line for line in lines if line.name != rounding)

    lines, standing = context.lines, wire.sale_on(invoice)
    if not wire.agree(plain(lines), plain(standing)):
        return False, False
    return True, len(standing) > len(plain(standing)) and not wire.agree(lines, standing)


def _lacks_rounding(context: OrderContext, invoice: ObservedInvoice) -> bool:
    """Whether a Rounding line is planned that the invoice does not have."""
    rounding = context.policy.names.rounding
    standing = wire.sale_on(invoice)
    return rounding in {line.name for line in context.lines} - {line.name for line in standing}


def _write(
    context: OrderContext,
    invoice: ObservedInvoice,
    lines: Lines,
    *,
    mended: bool = False,
) -> Step:
    how = "with a Rounding line" if mended else "as the order now has them"
    return Step(
        StepKind.UPDATE_INVOICE,
        invoice.number,
        context.day_body(invoice) | context.notes_body(invoice) | context.body_of_lines(lines),
        f"write the lines of invoice {invoice.number} {how}",
        remote_id=invoice.id,
        writes_sale=True,
        mended=mended,
    )
