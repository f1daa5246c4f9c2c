"""What may still be done about an order that reaches into closed days, and what a person is told.

An invoice of a closed day stays as it is: an edit, a cancellation, a refund of its order are told
with their figures, ready to be typed. Money goes by its own day: what is captured on an open day is
recorded on an invoice of any day, for no sum of a closed month moves by that. A Draft is in
nobody's books; it is moved to the open day that a person chose, and else waits for that choice.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from target_freshbooks.books.closed import ClosedDays, in_words
from target_freshbooks.books.desired import Parked, Payment, Reason, RefundEntry
from target_freshbooks.freshbooks.observed import DRAFT, ObservedInvoice
from target_freshbooks.posting.context import ZERO, OrderContext
from target_freshbooks.posting.identity import find_payment
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.corrections import correction_step
from target_freshbooks.posting.plan.draft import prove_draft, says_the_order
from target_freshbooks.posting.plan.head import head_step
from target_freshbooks.posting.plan.payments import (
    altered_by_hand,
    drop_unexplained,
    lower_payment,
    moved_away,
    put_back,
    record_payment,
)
from target_freshbooks.posting.plan.refunds import credit_step
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind
from target_freshbooks.posting.state import Observed

WITH_DATE = (
    "Have it booked on an open day with replay ORDER --date YYYY-MM-DD, or book it by hand and"
    " settle the order; or open the day: with closed_through, and replay the order, or in"
    " FreshBooks (Financial Lock), which the next run hears of."
)
BY_HAND = (
    "Enter it in FreshBooks by hand on an open day and settle the order with a note; or open the"
    " day: with closed_through, and replay the order, or in FreshBooks (Financial Lock), which the"
    " next run hears of."
)


def day_closed(number: str, day: date, closed: ClosedDays) -> Parked:
    """The order has no invoice yet, and its day is closed."""
    return _parked(f"Invoice {number} would be dated {day}", day, closed, WITH_DATE)


def cancelled(parked: Parked, day: date, closed: ClosedDays) -> Parked:
    """The order was cancelled, and its invoice is of a closed day.

    Args:
        parked: What is told of the cancellation otherwise.
        day: The invoice's.
        closed: The closed days.
    """
    detail = f"{parked.detail} Its invoice of {day} is left as it is"
    return _parked(detail, day, closed, BY_HAND)


def closed_step(
    context: OrderContext, observed: Observed, progress: AttemptState, *, rewritten: bool
) -> Step | Parked | None:
    """The next step of an order whose invoice is of a closed day, or what a person has to enter.

    Args:
        context: The order.
        observed: What FreshBooks holds.
        progress: What the attempt has learnt.
        rewritten: Whether the invoice's own lines are not what the order now has.
    """
    invoice = observed.own
    if invoice.status == DRAFT:
        return _draft(context, observed, progress)
    if progress.rewrite_blocked:
        return put_back(context, observed, progress)
    stop = altered_by_hand(context, observed, progress)
    if stop is not None:
        return stop
    changes = list(_sale(context, invoice, rewritten=rewritten))
    if changes:
        # What else came meanwhile waits with it, and is told: whoever enters one enters all.
        unpaid = list(_left_beside(context, observed, progress))
    else:
        step, unpaid = _money(context, observed, progress)
        step = step or correction_step(context, observed, progress)
        if step is not None:
            return step
    changes += _refunds(context, observed)
    if head_step(context, invoice, progress) is not None:
        changes.append("its client or billing address changed in the shop")
    credit = credit_step(context, observed, progress)
    if not changes and not unpaid:
        return credit
    left = "; ".join([*changes, *unpaid, *([] if credit is None else [_told(credit)])])
    detail = f"Invoice {invoice.number} of {invoice.create_date} is left as it is: {left}"
    next_step = BY_HAND if changes else WITH_DATE
    return _parked(detail, invoice.create_date, context.closed, next_step)


def on_open_day(context: OrderContext, observed: Observed, step: Step) -> Step | Parked:
    """The step, if it is a payment's or credit note's of an open day; else what it would do."""
    days = [row.date for row in observed.payments if row.id == step.remote_id]
    if step.kind.record != "payment":
        notes = (*observed.credit_notes, *observed.overpayments.values())
        days = [note.day for note in notes if note.id == step.remote_id and note.day]
    if step.kind is StepKind.CREATE_PAYMENT:
        days = [next(p.day for p in context.desired.payments if p.key == step.key)]
    if step.kind is StepKind.CREATE_CREDIT_NOTE:
        notes_due = (entry.credit_note for entry in context.desired.refunds)
        days = [note.day for note in notes_due if note and note.refund_id == step.refund_id]
    for day in days:
        if day in context.closed:
            next_step = WITH_DATE if step.kind is StepKind.CREATE_PAYMENT else BY_HAND
            return _parked(f"It is left to {step.why}", day, context.closed, next_step)
    return step


def _draft(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    """A Draft that a run left behind, or that waits for a person, whose day was closed since."""
    invoice, chosen = observed.own, context.closed.chosen
    step = prove_draft(context, observed, progress)
    if not isinstance(step, Step):
        return step
    if chosen is None or chosen in context.closed:
        detail = f"Invoice {invoice.number} of {invoice.create_date} stands as a Draft, not sent"
        return _parked(detail, invoice.create_date, context.closed, WITH_DATE)
    return Step(
        StepKind.UPDATE_INVOICE,
        invoice.number,
        {
            "create_date": chosen.isoformat(),
            **context.body_of_lines(wire.standing(invoice)),
        },
        f"move the Draft {invoice.number} from {invoice.create_date} to {chosen}",
        remote_id=invoice.id,
    )


def _sale(context: OrderContext, invoice: ObservedInvoice, *, rewritten: bool) -> Iterator[str]:
    """How the order's own lines, and the refunds on the invoice, are not as they should be."""
    currency = context.desired.invoice.currency
    if rewritten and not _says_the_same(context, invoice):
        now = in_words(context.lines, context.desired.invoice.total, currency, context.decimals)
        before = wire.sale_on(invoice)
        stood = in_words(before, None, currency, context.decimals)
        cancelled = "was cancelled" if context.desired.void else "changed"
        yield f"the order {cancelled} and comes to {now} now, where the invoice has {stood}"
    wanted = {entry.refund_id for entry in context.desired.refunds if entry.taken}
    gone = sorted(set(wire.refunds_on(invoice)) - wanted)
    if gone:
        yield f"refund {', '.join(map(str, gone))} on it did not go through"
    elif not rewritten and invoice.amount != context.total_with_refunds_on(invoice):
        yield (
            f"it comes to {context.wording(invoice.amount)}, order and refunds to"
            f" {context.wording(context.total_with_refunds_on(invoice))}"
        )


def _says_the_same(context: OrderContext, invoice: ObservedInvoice) -> bool:
    """Whether lines and total of the order are the invoice's, whatever changed in the shop."""
    due = context.total_with_refunds_on(invoice)
    same = invoice.amount == due and not context.was_edited(invoice)
    return same and says_the_order(context, invoice)


def _refunds(context: OrderContext, observed: Observed) -> Iterator[str]:
    """The refunds to be typed, also those that would be corrections but for an edit."""
    standing = wire.refunds_on(observed.own).keys() | observed.corrections.keys()
    apart = (one.entry for one in context.desired.corrections)
    for entry in (*context.desired.refunds, *apart):
        if entry.taken and entry.refund_id not in standing:
            yield _refund(context, entry)


def _refund(context: OrderContext, entry: RefundEntry) -> str:
    lines = tuple(line.at(-line.net) for line in entry.taken)
    currency = context.desired.invoice.currency
    amounts = in_words(lines, entry.money, currency, context.decimals, whole="money")
    surplus = context.wording(-entry.money)
    beyond = f", for {surplus} that came in beyond the invoice" if entry.money < 0 else ""
    return f"refund {entry.refund_id} of {entry.day} is {amounts}{beyond}"


def _left_beside(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Iterator[str]:
    """What is left of the money and of corrections that stand, beside an edit."""
    if context.desired.void:
        return
    if context.desired.hold and context.desired.flag is not None:
        yield f"{context.desired.flag.detail.rstrip('.')}: what was refunded of it is not told"
    amounts = context.payments_at(_last_on(context, observed.own))
    moved = moved_away(context, observed)
    for payment in context.desired.payments:
        standing = find_payment(payment, context.recorded, observed)
        more = amounts[payment.key] - (ZERO if standing is None else standing.amount)
        if more > 0 and standing is None and moved is not None:
            yield moved.detail.rstrip(".")
        elif more > 0:
            how = f"{payment.day} ({payment.type}, {payment.key})"
            yield f"{context.wording(more)} of {how} came in and is not recorded"
    begun = [one for one in context.desired.corrections if one.refund_id in observed.corrections]
    alone = replace(context, desired=replace(context.desired, corrections=tuple(begun)))
    for step in (
        drop_unexplained(context, observed),
        correction_step(alone, observed, progress),
    ):
        if step is not None:
            yield _told(step)


def _told(step: Step | Parked) -> str:
    return f"it is left to {step.why}" if isinstance(step, Step) else step.detail.rstrip(".")


def _last_on(context: OrderContext, invoice: ObservedInvoice) -> RefundEntry | None:
    """The last refund whose lines stand on the invoice."""
    booked = context.refunds_on(invoice)
    return booked[-1] if booked else None


def _money(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> tuple[Step | Parked | None, list[str]]:
    """The next step about money of open days, and what would be left to do in closed ones."""
    at = _last_on(context, observed.own)
    left: list[str] = []
    for step in (
        drop_unexplained(context, observed),
        *(
            step
            for payment in context.desired.payments
            for one in [_with_one_payment(context, payment)]
            for step in (
                lower_payment(one, observed, context.payments_at(at), None, progress),
                record_payment(one, observed, at, None, progress),
            )
        ),
    ):
        if step is None:
            continue
        allowed = on_open_day(context, observed, step) if isinstance(step, Step) else step
        if isinstance(step, Parked) or isinstance(allowed, Step):
            return allowed, left
        left.append(_told(step))
        if step.kind is StepKind.DELETE_PAYMENT:
            break  # what would take its place does not fit beside it
    return None, left


def _with_one_payment(context: OrderContext, payment: Payment) -> OrderContext:
    return replace(context, desired=replace(context.desired, payments=(payment,), refunds=()))


def _parked(detail: str, day: date, closed: ClosedDays, next_step: str) -> Parked:
    locked = day if day in closed.locked else None
    why = "FreshBooks refused it as locked" if locked else "closed_through"
    return Parked(Reason.CLOSED_PERIOD, f"{detail}. {day} is closed ({why}).", next_step, locked)
