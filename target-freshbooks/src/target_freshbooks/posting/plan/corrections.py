"""Steps for refunds of closed months: a correcting invoice each, and its expense.

A correction is proven like every invoice: made as a Draft, and sent only when FreshBooks itself
puts it at 0.00. The expense comes before the sending, so that what is sent has all that belongs to
it. Whether a correction has an expense stands in its notes, so that a later setting, or a lost
ledger, makes no second one.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from target_freshbooks.books.closed import BOOKED_AS_EXPENSE, REFUNDS_PAID
from target_freshbooks.books.desired import Correction, Lines, Parked, Reason
from target_freshbooks.freshbooks.observed import DELETED, DRAFT, ObservedInvoice
from target_freshbooks.posting.context import ZERO, OrderContext
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind
from target_freshbooks.posting.state import Observed

OWNER = 1
"""FreshBooks' id of the account's owner among its staff, whose expense it is."""


def apart(context: OrderContext, observed: Observed) -> frozenset[int]:
    """The refunds that are booked beside the invoice, or have to be.

    What stands on the invoice stays there, and a correction that stands stays one, whatever days
    are closed by now.
    """
    invoice = observed.invoice
    if invoice is None:
        return frozenset()
    closed = invoice.create_date in context.closed and invoice.status != DRAFT
    if closed and context.policy.closed_refunds == "correction":
        return frozenset(_off(context, invoice))
    return frozenset(_off(context, invoice) & observed.corrections.keys())


def to_be_looked_for(context: OrderContext, invoice: ObservedInvoice) -> frozenset[int]:
    """The refunds for which a correction may stand that the ledger does not know."""
    corrected = {one.refund_id for one in context.desired.corrections}
    if not context.recorded.known:
        return frozenset(corrected | _off(context, invoice) | context.desired.unbooked_refunds)
    beside = invoice.create_date in context.closed or (
        # Booked while it was closed, as a ledger of before does not know.
        context.policy.closed_refunds == "correction" and context.recorded.may_lack_parts
    )
    return frozenset(corrected | _off(context, invoice) if beside else corrected)


def _off(context: OrderContext, invoice: ObservedInvoice) -> set[int]:
    """The refunds that do not stand on the invoice."""
    wanted = {one.refund_id for one in context.desired.refunds if one.taken}
    return wanted - wire.refunds_on(invoice).keys()


def correction_step(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    """The next step of the order's corrections; None when they are as desired."""
    for one in context.desired.corrections:
        standing = observed.corrections.get(one.refund_id)
        step = (
            _create(context, observed, one, progress)
            if standing is None
            else _of_standing(context, observed, standing, one, progress)
        )
        if step is not None:
            return step
    wanted = {one.refund_id for one in context.desired.corrections}
    for refund_id, standing in observed.corrections.items():
        if refund_id not in wanted:
            return _take_back(context, observed, standing, refund_id, progress)
    return None


def _create(
    context: OrderContext, observed: Observed, one: Correction, progress: AttemptState
) -> Step | Parked:
    link = context.recorded.corrections.get(one.refund_id)
    if link is not None and not link.deleted and not progress.overwrite:
        return context.edited(f"its correction {one.number} was deleted in FreshBooks.")
    if one.day in context.closed:
        what = f"Refund {one.refund_id} is over {context.wording(one.money)}"
        return _closed(context, one.number, one.day, what)
    if not one.variants:
        return _unfit(context, one)
    invoice = observed.own
    body = {
        **context.head_body,
        "customerid": invoice.customer_id,
        "create_date": one.day.isoformat(),
        "invoice_number": one.number,
        "currency_code": context.desired.invoice.currency,
        "notes": one.notes,
        "po_number": str(one.marker),
        "due_offset_days": 0,
        **context.body_of_lines(_ways(context, one)[0]),
    }
    body.pop(context.unmarked, None)
    return Step(
        StepKind.CREATE_CORRECTION,
        str(one.refund_id),
        body,
        f"create {one.number} of {one.day} as a Draft of 0.00, which takes refund {one.refund_id}"
        f" of {context.wording(one.money)} off invoice {invoice.number} of"
        f" {invoice.create_date} without changing it",
    )


def _of_standing(
    context: OrderContext,
    observed: Observed,
    standing: ObservedInvoice,
    one: Correction,
    progress: AttemptState,
) -> Step | Parked | None:
    if standing.vis_state == DELETED:
        return context.edited(f"its correction {one.number} was deleted in FreshBooks.")
    if _was_edited(context, standing, one.refund_id) and not progress.overwrite:
        return _edited(context, standing)
    if not _is_proven(standing, one):
        return _word(context, standing, one)
    if context.keeps_draft(standing, send=progress.send):
        return None
    step = _expense(context, observed, standing, one, progress)
    if step is not None or standing.status != DRAFT:
        return step
    return Step(
        StepKind.SEND_CORRECTION,
        str(one.refund_id),
        {"action_mark_as_sent": True},
        f"mark {standing.number} as sent if FreshBooks puts it at"
        f" {context.wording(standing.amount)}",
        remote_id=standing.id,
    )


def _is_proven(standing: ObservedInvoice, one: Correction) -> bool:
    """Whether it comes to nothing, and takes back just the money that went back."""
    return standing.amount == ZERO and paid_back(wire.standing(standing)) == one.money


def paid_back(lines: Lines) -> Decimal:
    """The money that a correction of these lines is over."""
    paid = (one.quantity * one.unit_cost for one in lines if one.name == REFUNDS_PAID)
    return sum(paid, start=ZERO)


def _ways(context: OrderContext, one: Correction) -> list[Lines]:
    """Its lines for each total that FreshBooks may make of them, items called as there."""
    return [wire.named(way, context.item_names) for way in one.variants]


def _word(context: OrderContext, standing: ObservedInvoice, one: Correction) -> Step | Parked:
    """Write its lines for the next total that FreshBooks may make of them."""
    if standing.status != DRAFT and standing.create_date in context.closed:
        what = f"Refund {one.refund_id} is over {context.wording(one.money)} now"
        return _closed(context, standing.number, standing.create_date, what)
    lines = wire.standing(standing)
    ways = _ways(context, one)
    stood = next((i for i, way in enumerate(ways) if wire.agree(way, lines)), -1)
    if stood + 1 >= len(ways):
        return _unfit(context, one)
    return Step(
        StepKind.UPDATE_CORRECTION,
        str(one.refund_id),
        context.body_of_lines(ways[stood + 1]),
        f"write the lines of {standing.number} so that it comes to 0.00",
        remote_id=standing.id,
    )


def _expense(
    context: OrderContext,
    observed: Observed,
    standing: ObservedInvoice,
    one: Correction,
    progress: AttemptState,
) -> Step | Parked | None:
    """The step that brings the expense about, if the correction says that it has one."""
    expense = observed.expenses.get(one.refund_id)
    if BOOKED_AS_EXPENSE not in standing.notes.splitlines():
        return None
    day, link = standing.create_date, context.recorded.expenses.get(one.refund_id)
    if expense is None:
        if link is not None and not link.deleted:
            return context.edited(f"the expense of its correction {one.number} was deleted.")
        if day in context.closed:
            return _closed(context, standing.number, day, "Its expense is not booked")
        if not context.expense_category:
            return _no_category(context, standing)
        body: dict[str, Any] = {
            "categoryid": context.expense_category,
            "staffid": OWNER,
            "amount": context.money(one.money),
            "date": day.isoformat(),
            "notes": str(one.marker),
        }
        return Step(
            StepKind.CREATE_EXPENSE,
            str(one.refund_id),
            body,
            f"book the {context.wording(one.money)} that went back as an expense of {day}",
        )
    if expense.amount == one.money:
        return None
    as_left = link is None or link.amount in {None, expense.amount}
    if not as_left and not progress.overwrite:
        return context.edited(
            f"the expense of its correction {one.number} was changed in FreshBooks to"
            f" {context.wording(expense.amount)}."
        )
    if expense.date in context.closed:
        return _closed(context, standing.number, expense.date, "Its expense is of another amount")
    return Step(
        StepKind.UPDATE_EXPENSE,
        str(one.refund_id),
        {"amount": context.money(one.money)},
        f"change the expense of {standing.number} to {context.wording(one.money)}",
        remote_id=expense.id,
    )


def _take_back(
    context: OrderContext,
    observed: Observed,
    standing: ObservedInvoice,
    refund_id: int,
    progress: AttemptState,
) -> Step | Parked:
    """The refund did not go through after all: its expense goes, then its correction."""
    if _was_edited(context, standing, refund_id) and not progress.overwrite:
        return _edited(context, standing)
    expense = observed.expenses.get(refund_id)
    days = [standing.create_date, *([] if expense is None else [expense.date])]
    for day in days:
        if day in context.closed:
            what = f"Refund {refund_id} did not go through, or is booked elsewhere"
            return _closed(context, standing.number, day, what)
    kind, remote_id = StepKind.DELETE_CORRECTION, standing.id
    if expense is not None:
        kind, remote_id = StepKind.DELETE_EXPENSE, expense.id
    what = kind.record if expense is None else f"expense of {standing.number}"
    known = refund_id in {one.refund_id for one in context.desired.refunds}
    why = f"the shop has refund {refund_id} no more"
    if known:
        why = f"refund {refund_id} is none of what was sold, but gave back a surplus"
    return Step(
        kind,
        str(refund_id),
        {"vis_state": DELETED},
        f"delete the {what} {standing.number if expense is None else ''}".rstrip() + f": {why}",
        remote_id=remote_id,
    )


def _was_edited(context: OrderContext, standing: ObservedInvoice, refund_id: int) -> bool:
    link = context.recorded.corrections.get(refund_id)
    return link is not None and link.fingerprint not in {None, fingerprint(standing)}


def _edited(context: OrderContext, standing: ObservedInvoice) -> Parked:
    return context.edited(
        f"its correction {standing.number} was changed in FreshBooks since it was posted."
    )


def _unfit(context: OrderContext, one: Correction) -> Parked:
    return Parked(
        Reason.REFUND_MISMATCH,
        f"Refund {one.refund_id} of {context.wording(one.money)} cannot be taken back by"
        f" {one.number} to the cent: FreshBooks does not put it at 0.00.",
        "Correct the Draft in FreshBooks so that it comes to 0.00, or book the refund by hand"
        " and settle the order.",
    )


def _no_category(context: OrderContext, standing: ObservedInvoice) -> Parked:
    named = context.policy.refunds_expense_category
    why = f"FreshBooks has no category of expenses called {named}" if named else "none is set"
    return Parked(
        Reason.REFUSED_BY_FRESHBOOKS,
        f"The expense of correction {standing.number} has no category: {why}.",
        "Set refunds_expense_category to the name or the id of a category of expenses in"
        " FreshBooks, and replay the order.",
    )


def _closed(context: OrderContext, number: str, day: date, what: str) -> Parked:
    return Parked(
        Reason.CLOSED_PERIOD,
        f"{what}, but the day of {number}, {day}, is closed.",
        "Have it booked on an open day with replay ORDER --date YYYY-MM-DD, or book it by hand"
        " and settle the order.",
        day if day in context.closed.locked else None,
    )
