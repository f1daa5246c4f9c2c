"""Steps for an invoice that is sent: payments, then refunds one at a time, then credit notes."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

from target_freshbooks.books import fit_refund, predict_totals
from target_freshbooks.books.desired import CreditNote, Lines, Parked, Reason, RefundEntry
from target_freshbooks.books.refund_fit import rounding_on
from target_freshbooks.books.rounding import tolerance
from target_freshbooks.freshbooks.observed import ObservedInvoice
from target_freshbooks.posting.context import ZERO, OrderContext
from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.identity import find_note
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.corrections import correction_step
from target_freshbooks.posting.plan.overpayment import paid_elsewhere
from target_freshbooks.posting.plan.payments import (
    drop_unexplained,
    lower_payment,
    record_payment,
)
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind
from target_freshbooks.posting.state import Observed


def settle_step(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    """The next step of a sent invoice; None when payments and refunds are as desired."""
    invoice = observed.own
    standing = wire.refunds_on(invoice)
    wanted = [entry for entry in context.desired.refunds if entry.taken]
    booked = [entry for entry in wanted if entry.refund_id in standing]
    fitting = {one.refund_id for one in booked if not _noted_too(one, standing[one.refund_id])}
    if set(standing) - fitting:
        return take_back(context, invoice, set(standing) - fitting)
    expected = context.desired.invoice.total - sum((entry.money for entry in booked), start=ZERO)
    if invoice.amount != expected:
        return _unfit(context, invoice, booked, expected, progress)
    missing = [entry for entry in wanted if entry.refund_id not in standing]
    later = {
        entry.refund_id for entry in booked if missing and entry.refund_id > missing[0].refund_id
    }
    if later:
        # What is left of the payments is said for all refunds so far: they are booked in order.
        return take_back(context, invoice, later)
    coming = _next_refund(context, invoice, missing, expected, progress)
    at = booked[-1] if booked else None
    step = drop_unexplained(context, observed) or (
        lower_payment(context, observed, context.payments_at(at), None, progress)
        if coming is None
        else None
    )
    step = step or record_payment(context, observed, at, coming.ahead if coming else None, progress)
    if step is not None:
        return step
    if coming is not None:
        lowered = lower_payment(context, observed, coming.ahead, coming.entry.refund_id, progress)
        if lowered is None and invoice.paid > max(coming.lowest, ZERO):
            # FreshBooks would make a credit of what somebody else paid.
            entry = coming.entry
            return paid_elsewhere(context, observed, entry.value, f"refund {entry.refund_id}")
        return lowered or _add_refund(context, invoice, coming)
    if missing:
        return _blocked(context, invoice, missing[0], progress)
    return correction_step(context, observed, progress) or credit_step(context, observed, progress)


def _noted_too(entry: RefundEntry, lines: Lines) -> bool:
    """Whether lines of other settings give as stored value what is to be a credit note by now."""
    note = entry.credit_note
    return note is not None and wire.stored_on(lines) - entry.stored > note.total / 2


@dataclass(frozen=True, slots=True)
class Coming:
    """The refund to book next.

    Attributes:
        entry: The refund.
        expression: Which of its wordings is up.
        lines: That wording.
        ahead: Payment key → amount before the lines are added. However FreshBooks rounds them, the
            invoice must not be overpaid for a moment: if its total may fall by some cents more,
            so do the payments, and they are raised again when the total is known.
        lowest: What the invoice may come to, at the least, with the lines.
    """

    entry: RefundEntry
    expression: int
    lines: Lines
    ahead: dict[str, Decimal]
    lowest: Decimal


def _next_refund(
    context: OrderContext,
    invoice: ObservedInvoice,
    missing: list[RefundEntry],
    expected: Decimal,
    progress: AttemptState,
) -> Coming | None:
    """The first missing refund; None when there is none, or it cannot be booked.

    Those behind one that cannot be booked wait as well: what is left of the payments is said for
    all refunds so far.
    """
    if not missing or missing[0].refund_id in progress.refused_refunds:
        return None
    entry, standing = missing[0], wire.standing(invoice)
    total = expected - entry.money
    ways = fit_refund(entry, standing, total, context.policy, invoice.currency)
    expression = progress.refund_expression.get(entry.refund_id, -1) + 1
    if expression >= len(ways):
        return None
    lowest = min(predict_totals((*standing, *ways[expression]), context.decimals))
    ahead = context.payments_at(entry)
    margin = max(total - lowest, ZERO)
    before = context.payments_at(None)
    # Those first that the refund lowers; one of stored value alone lowers none.
    for key in sorted(ahead, key=lambda key: ahead[key] == before[key]):
        taken = min(margin, ahead[key])
        ahead[key] -= taken
        margin -= taken
    return Coming(entry, expression, ways[expression], ahead, lowest)


def _blocked(
    context: OrderContext, invoice: ObservedInvoice, entry: RefundEntry, progress: AttemptState
) -> Parked | None:
    if entry.refund_id in progress.refused_refunds:
        return None  # the reconciler tells FreshBooks' words
    rounding = rounding_on(wire.standing(invoice), context.policy, context.decimals)
    most = tolerance(context.policy, context.decimals)
    return Parked(
        Reason.REFUND_MISMATCH,
        f"Refund {entry.refund_id} of {context.wording(entry.value)} cannot be put on invoice"
        f" {invoice.number} to the cent: its lines for rounding, {context.wording(rounding)} so"
        f" far, may come to {context.wording(most)} together. Invoice and payment are as before"
        " the refund.",
        "Book this refund by hand in FreshBooks.",
    )


def _add_refund(context: OrderContext, invoice: ObservedInvoice, coming: Coming) -> Step:
    entry = coming.entry
    return _write_lines(
        context,
        invoice,
        (*wire.standing(invoice), *wire.named(coming.lines, context.item_names)),
        f"put refund {entry.refund_id} of {context.wording(entry.value)} on invoice"
        f" {invoice.number}, {context.wording(entry.credit)} of it as stored value"
        if entry.credit
        else f"take refund {entry.refund_id} of {context.wording(entry.money)} off invoice"
        f" {invoice.number}",
        refund_id=entry.refund_id,
        refund_expression=coming.expression,
    )


def _unfit(
    context: OrderContext,
    invoice: ObservedInvoice,
    booked: list[RefundEntry],
    expected: Decimal,
    progress: AttemptState,
) -> Step | Parked:
    """The invoice's amount is not what its order and booked refunds come to."""
    if booked and (
        booked[-1].refund_id in progress.refund_expression
        or context.recorded.fingerprint == fingerprint(invoice)
    ):
        # FreshBooks computed our refund lines otherwise than foreseen: off again, then another way.
        # As we left it and not as it should be means that a run was interrupted at just that.
        return take_back(context, invoice, {booked[-1].refund_id})
    return context.edited(
        f"FreshBooks puts it at {context.wording(invoice.amount)}, order and refunds come to"
        f" {context.wording(expected)}."
    )


def take_back(
    context: OrderContext, invoice: ObservedInvoice, refund_ids: AbstractSet[int]
) -> Step:
    """Take the lines of these refunds off the invoice, which raises its total."""
    kept = tuple(line for line in wire.standing(invoice) if wire.refund_of(line) not in refund_ids)
    names = ", ".join(str(refund_id) for refund_id in sorted(refund_ids))
    return _write_lines(
        context,
        invoice,
        kept,
        f"take the lines of refund {names} off invoice {invoice.number} again",
        refund_id=min(refund_ids),
    )


def _write_lines(
    context: OrderContext,
    invoice: ObservedInvoice,
    lines: Lines,
    why: str,
    *,
    refund_id: int,
    refund_expression: int = -1,
) -> Step:
    return Step(
        StepKind.UPDATE_INVOICE,
        invoice.number,
        context.body_of_lines(lines),
        why,
        remote_id=invoice.id,
        refund_id=refund_id,
        refund_expression=refund_expression,
    )


def credit_step(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Step | Parked | None:
    """The next step about the credit notes of the order's refunds."""
    wanted = {
        entry.credit_note.refund_id: entry.credit_note
        for entry in context.desired.refunds
        if entry.credit_note is not None
    }
    for refund_id, note in wanted.items():
        standing = find_note(note, context.recorded, observed)
        written = progress.credit_expression.get(refund_id, -1)
        link = context.recorded.credit_notes.get(refund_id)
        if link is not None and not progress.overwrite:
            written = max(written, link.extra.get("expression", -1))
        if standing is None:
            if link is not None and not link.deleted and not progress.overwrite:
                return context.edited(
                    f"the credit note of refund {refund_id} was deleted in FreshBooks."
                )
            if written + 1 < len(note.variants):
                return _create_note(context, observed, note, written + 1)
            return _note_mismatch(context, refund_id, note.total, "no wording")
        if standing.amount != note.total:
            # As FreshBooks answered it: our own attempt, which a run that was killed left behind.
            if progress.credit_expression.get(refund_id, -1) >= 0 or (
                link is not None and link.amount == standing.amount and not link.deleted
            ):
                return _delete_note(refund_id, standing.id, "comes to another amount", written)
            return _note_mismatch(context, refund_id, note.total, context.wording(standing.amount))
    for refund_id, remote_id in context.recorded.credit_note_ids.items():
        if refund_id not in wanted and any(note.id == remote_id for note in observed.credit_notes):
            return _delete_note(refund_id, remote_id, "is no longer explained by the shop")
    return None


def _create_note(
    context: OrderContext, observed: Observed, note: CreditNote, expression: int
) -> Step:
    # The order's client may be another by now; the notes are looked for at the invoice's.
    return Step(
        StepKind.CREATE_CREDIT_NOTE,
        str(note.refund_id),
        context.credit_note_body(note, expression, observed.own.customer_id),
        f"give the client a credit note of {context.wording(note.total)} for refund"
        f" {note.refund_id}",
        refund_id=note.refund_id,
        refund_expression=expression,
    )


def _delete_note(refund_id: int, remote_id: int, reason: str, expression: int = -1) -> Step:
    return Step(
        StepKind.DELETE_CREDIT_NOTE,
        str(refund_id),
        {"vis_state": 1},
        f"delete the credit note of refund {refund_id}: it {reason}",
        remote_id=remote_id,
        refund_id=refund_id,
        refund_expression=expression,
    )


def _note_mismatch(context: OrderContext, refund_id: int, total: Decimal, standing: str) -> Parked:
    return Parked(
        Reason.REFUND_MISMATCH,
        f"Refund {refund_id} is a credit of {context.wording(total)}, FreshBooks has {standing}.",
        "Correct the credit note by hand in FreshBooks.",
    )
