"""Payment steps: each captured payment once, never above what is outstanding."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from target_freshbooks.books.desired import Parked, Payment, Reason, RefundEntry
from target_freshbooks.freshbooks.observed import ObservedPayment
from target_freshbooks.ledger.link import Link
from target_freshbooks.posting.context import ZERO, OrderContext
from target_freshbooks.posting.identity import bears, find_payment, part_paid, payment_key
from target_freshbooks.posting.plan.overpayment import paid_elsewhere
from target_freshbooks.posting.plan.steps import AttemptState, Step, StepKind
from target_freshbooks.posting.state import Observed


def altered_by_hand(
    context: OrderContext, observed: Observed, progress: AttemptState
) -> Parked | None:
    """A payment of ours has an amount that we never gave it: a person has to say what holds.

    Also of one that the shop no longer explains, which would be deleted.
    """
    if progress.overwrite:
        return None
    recorded, desired = context.recorded, context.desired
    by_id = {row.id: row for row in observed.payments}
    ours = {key: by_id.get(remote_id) for key, remote_id in recorded.payment_ids.items()}
    ours |= {one.key: find_payment(one, recorded, observed) for one in desired.payments}
    wanted = [(one.key, one.amount) for one in desired.payments]
    wanted += [after for entry in desired.refunds for after in entry.payments_after]
    for key, standing in ours.items():
        known = recorded.amounts_of(key)
        if standing is None or not known or standing.amount in known:
            continue
        if (key, standing.amount) in wanted:
            continue
        return context.edited(
            f"the payment {key} was changed in FreshBooks to {context.wording(standing.amount)}."
        )
    return None


def drop_unexplained(context: OrderContext, observed: Observed) -> Step | Parked | None:
    """Take away a payment of ours that the shop no longer explains.

    A payment derived from the order's fields gives way to the transaction that came later. One
    that stands for a transaction is never deleted: if the shop shows the transaction no more
    (perhaps it was not asked for it), a person has to say what that means.
    """
    wanted = [
        find_payment(payment, context.recorded, observed) for payment in context.desired.payments
    ]
    for candidate in observed.payments:
        part = part_paid(candidate, context.desired.invoice.marker)
        if part is not None and candidate not in wanted and candidate.amount > ZERO:
            key = payment_key(candidate, context.recorded)
            no_money = context.desired.no_money  # a payment only under other settings
            if part.part.startswith("transaction ") and part.part not in no_money:
                return _unexplained(context, candidate)
            return Step(
                StepKind.DELETE_PAYMENT,
                key,
                {"vis_state": 1},
                f"delete the payment of {context.wording(candidate.amount)} ({key}):"
                " the shop no longer has it",
                remote_id=candidate.id,
            )
    return None


def _unexplained(context: OrderContext, candidate: ObservedPayment) -> Parked:
    if any(bears(candidate.note, payment.note) for payment in context.desired.payments):
        return Parked(
            Reason.PAYMENT_UNEXPLAINED,
            f"FreshBooks has a second payment of {context.wording(candidate.amount)} for one"
            " transaction.",
            "Delete the one that is too much in FreshBooks and replay the order. See that no other"
            " project, and no copy of the ledger, writes to this account.",
        )
    return Parked(
        Reason.PAYMENT_UNEXPLAINED,
        f"FreshBooks has a payment of {context.wording(candidate.amount)} for a transaction that"
        " the shop no longer shows as captured.",
        "See that the tap reads transactions (stream and scope). If the money did not come,"
        " delete the payment in FreshBooks and replay the order.",
    )


def lower_payment(
    context: OrderContext,
    observed: Observed,
    amounts: Mapping[str, Decimal],
    refund_id: int | None,
    progress: AttemptState,
) -> Step | None:
    """Lower the first payment that is above its amount in `amounts` (by payment key)."""
    for payment in context.desired.payments:
        standing = find_payment(payment, context.recorded, observed)
        if standing is not None and standing.amount > amounts[payment.key]:
            return _set_amount(
                context, standing, payment, amounts[payment.key], refund_id, progress
            )
    return None


def lacks_payment(context: OrderContext, observed: Observed) -> bool:
    """Whether a payment of the order that should stand is not on its invoice."""
    booked = context.refunds_on(observed.own)
    wanted = context.payments_at(booked[-1] if booked else None)
    return any(
        wanted[payment.key] != ZERO and find_payment(payment, context.recorded, observed) is None
        for payment in context.desired.payments
    )


def moved_away(context: OrderContext, observed: Observed) -> Parked | None:
    """Payments of ours stand on another invoice: what is booked beside them counts twice."""
    if not observed.moved:
        return None
    number, moved = context.desired.invoice.number, observed.moved
    which = "; ".join(
        f"its payment {row.id} of {context.wording(row.amount)} of {row.date}"
        f" ({payment_key(row, context.recorded)}) was moved in FreshBooks to the invoice of id"
        f" {row.invoice_id}"
        for row in moved
    )
    return Parked(
        Reason.EDITED_IN_FRESHBOOKS,
        f"Invoice {number}: {which}. It is not booked a second time.",
        f"Move it back to invoice {number} in FreshBooks and replay the order; or, if the money"
        " is to stay where it is, settle the order with a note of that. Not even replay"
        " --overwrite books it again as long as it stands.",
    )


def record_payment(
    context: OrderContext,
    observed: Observed,
    booked: RefundEntry | None,
    ahead: Mapping[str, Decimal] | None,
    progress: AttemptState,
) -> Step | Parked | None:
    """Record or raise the first payment that is below its amount after the refund `booked`.

    A payment that already has the lower amount `ahead` of the next refund is left so: its lowering
    was interrupted before the refund's lines were added.
    """
    amounts = context.payments_at(booked)
    ahead = amounts if ahead is None else ahead
    for payment in context.desired.payments:
        wanted = amounts[payment.key]
        standing = find_payment(payment, context.recorded, observed)
        if standing is None:
            link = context.recorded.payments.get(payment.key)
            lowered_away = link is not None and link.deleted and ahead[payment.key] == 0
            if wanted == ZERO or lowered_away:
                continue
            moved = moved_away(context, observed)
            if moved is not None:
                return moved
            if link is not None and not link.deleted and not progress.overwrite:
                return context.edited(
                    f"the payment of {context.wording(wanted)} ({payment.key}) was deleted in"
                    " FreshBooks."
                )
            step = _create(context, observed, payment, wanted)
            return _if_outstanding(context, observed, wanted, step)
        if standing.amount < wanted and not _lowered_ahead(standing, payment, amounts, ahead):
            step = _set_amount(context, standing, payment, wanted, None, progress)
            return _if_outstanding(context, observed, wanted - standing.amount, step)
    return None


def _lowered_ahead(
    standing: ObservedPayment,
    payment: Payment,
    amounts: Mapping[str, Decimal],
    ahead: Mapping[str, Decimal],
) -> bool:
    return standing.amount == ahead[payment.key] and ahead[payment.key] < amounts[payment.key]


def _create(context: OrderContext, observed: Observed, payment: Payment, wanted: Decimal) -> Step:
    return Step(
        StepKind.CREATE_PAYMENT,
        payment.key,
        context.payment_body(observed.own.id, payment, wanted),
        f"record the payment of {context.wording(wanted)} of {payment.day.isoformat()}"
        f" ({payment.type}, {payment.key})",
    )


def _if_outstanding(
    context: OrderContext, observed: Observed, more: Decimal, step: Step
) -> Step | Parked:
    """The step that books so much more, if so much is outstanding; else somebody else paid."""
    if observed.own.outstanding < more:
        return paid_elsewhere(context, observed, more, "a payment")
    return step


def is_left_lowered(context: OrderContext, observed: Observed) -> bool:
    """Whether a run lowered a payment for the lines of an edited order and never wrote them."""
    left, invoice = context.recorded.invoice, observed.invoice
    if left is None or left.amount is None or invoice is None or left.amount <= invoice.paid:
        return False
    return context.is_edited and any(
        asked == (ZERO if standing is None else standing.amount)
        for payment, standing, _ in _received(context, observed)
        for before, asked in [_asked(context.recorded.payments.get(payment.key))]
        if asked < before
    )


def _asked(link: Link | None) -> tuple[Decimal, Decimal]:
    """The amount that a payment had, also one that is deleted, and the one it was asked for."""
    before, asked = map(Decimal, (link.extra if link else {}).get("wanted", (0, 0)))
    return before, asked


def put_back(context: OrderContext, observed: Observed, progress: AttemptState) -> Step | None:
    """Raise what was lowered for a rewriting that did not come about, up to what came in.

    One that was deleted for it, since FreshBooks takes no zero, is recorded anew.
    """
    return next(steps_back(context, observed, progress), None)


def steps_back(context: OrderContext, observed: Observed, progress: AttemptState) -> Iterator[Step]:
    """All that would put the payments back, each as if it were the only one."""
    for payment, standing, received in _received(context, observed):
        now = ZERO if standing is None else standing.amount
        most = min(received, now + observed.own.outstanding)
        if now >= most:
            continue
        if standing is None:
            yield _create(context, observed, payment, most)
        else:
            yield _set_amount(context, standing, payment, most, None, progress)


def _received(
    context: OrderContext, observed: Observed
) -> Iterator[tuple[Payment, ObservedPayment | None, Decimal]]:
    """Our payments, those that we deleted too, with what came in less what refunds on it took.

    What a person deleted, or gave another amount, is left out.
    """
    booked = context.refunds_on(observed.own)
    left = context.payments_at(booked[-1] if booked else None)
    for payment in context.desired.payments:
        standing = find_payment(payment, context.recorded, observed)
        link = context.recorded.payments.get(payment.key)
        if standing is None and (link is None or not link.deleted):
            continue
        ours = context.recorded.amounts_of(payment.key)
        if standing is not None and ours and standing.amount not in ours:
            continue
        yield payment, standing, payment.most - (payment.amount - left[payment.key])


def _set_amount(
    context: OrderContext,
    standing: ObservedPayment,
    payment: Payment,
    wanted: Decimal,
    refund_id: int | None,
    progress: AttemptState,
) -> Step:
    direction = "lower" if wanted < standing.amount else "raise"
    if wanted == ZERO and progress.zero_refused:
        return Step(
            StepKind.DELETE_PAYMENT,
            payment.key,
            {"vis_state": 1},
            f"delete the payment {payment.key}, of which nothing is left",
            remote_id=standing.id,
            refund_id=refund_id,
        )
    return Step(
        StepKind.UPDATE_PAYMENT,
        payment.key,
        {"amount": context.money(wanted)},
        f"{direction} the payment {payment.key} from {context.wording(standing.amount)}"
        f" to {context.wording(wanted)}",
        remote_id=standing.id,
        refund_id=refund_id,
    )
