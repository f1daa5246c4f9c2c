"""Cancellation: takes out of the books what was posted of an order that is not to be in them.

All of it or nothing: all is looked at before the first deletion, and what was deleted is restored
where the invoice stays. The payments go first, since FreshBooks may keep an invoice that was paid,
then the invoice, and then what stands beside it.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.freshbooks.errors import Conflict, NotFound, Refused, Throttled
from target_freshbooks.freshbooks.observed import DELETED, ObservedCreditNote
from target_freshbooks.ledger import Link
from target_freshbooks.marks import Mark
from target_freshbooks.posting.apply.deletions import Deletion, deletions_of, is_theirs, why_kept
from target_freshbooks.posting.apply.outcome_lookup import RetriesExhausted
from target_freshbooks.posting.apply.parts import Parts, load_recorded
from target_freshbooks.posting.apply.restoration import (
    Restored,
    are_all,
    bears_other_money,
    is_taken,
    payments_on,
    restore_payments,
    taken,
)
from target_freshbooks.posting.apply.writer import BUSY_PAUSES, OutcomeUnknown, Patience
from target_freshbooks.posting.identity import invoice_key, part_link, part_of
from target_freshbooks.posting.plan.overpayment import credit_left
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.results import OrderResult, kept, kept_invoice, refused_result
from target_freshbooks.posting.state import Recorded

logger = logging.getLogger(__name__)


class _Ignored(Exception):  # noqa: N818 - it never leaves this module
    """A deletion was answered and did nothing."""


class _Kept(Exception):  # noqa: N818 - as above
    """A record is not deleted; why, as `kept_invoice` says it."""


def delete_cancelled(
    parts: Parts, mark: Mark, recorded: Recorded, invoice_id: int, *, overwrite: bool
) -> OrderResult:
    """Delete the order's payments, its invoice and what stands beside it, but for what is gone.

    What a person edited stays, with all the rest, unless `overwrite` is asked for. An invoice that
    bears money which a person recorded, or is not marked as the order's any more, stays in any
    case, and so does a payment that was moved to another invoice.
    """
    order_id = mark.order_id
    recorded = load_recorded(parts.ledger, order_id)  # with what was restored just now
    invoice = parts.books.invoices.standing(invoice_id)
    payments, moved = payments_on(parts, invoice_id, recorded)
    deletions = deletions_of(parts, recorded, mark, invoice, payments)
    left = set[int]()
    if invoice is not None:
        why = why_kept(recorded, mark, deletions, moved, overwrite=overwrite)
        if why is None and not are_all(payments, invoice, recorded):
            why = "it bears money that its payments do not make up"
        if why is not None:
            return kept_invoice(invoice, why)
    else:  # a person deleted it, and what else they made or changed is theirs
        theirs = [one for one in deletions if is_theirs(one, recorded, mark, overwrite=overwrite)]
        left = {row.id for row in (*moved, *(one.record for one in theirs))}
        deletions = [one for one in deletions if one not in theirs]
    if invoice is not None:
        parts.brake.before_rewriting(order_id, invoice.number)
    return _delete(parts, order_id, deletions, left)


def _delete(parts: Parts, order_id: int, deletions: list[Deletion], left: set[int]) -> OrderResult:
    """Delete all of it, or restore the payments if the invoice stays.

    Raises:
        RetriesExhausted: FreshBooks keeps failing; what it had deleted is restored.
    """
    writes = 0
    for one in deletions:
        try:
            writes += _gone(parts, one, order_id)
        except RetriesExhausted:
            restore_payments(parts, order_id)
            raise
        except Refused as refused:
            failed = refused_result(refused, one.what, 0)
        except _Ignored:
            failed = OrderResult("parked", parked=_ignored(one))
        except _Kept as stays:
            failed = kept(one.title, str(stays))
        else:
            continue
        restored = restore_payments(parts, order_id)
        if one.is_beside:
            failed = _adding(failed, "The order's invoice is deleted already.")
        return replace(_with_left(failed, restored), writes=writes + restored.writes)
    _forget(parts, order_id, left)
    return OrderResult("waiting", why="deleted_after_cancellation", writes=writes)


def _gone(parts: Parts, one: Deletion, order_id: int) -> int:
    """Delete it unless it is deleted, by a run that was killed or by a person; the writes.

    Raises:
        _Kept: A person changed it, or recorded money on the invoice, since it was looked at.
        _Ignored: FreshBooks answered, and it stands as before: asking again would not help.
    """
    kind, remote_id, link = one.kind, one.link.remote_id, one.link
    patience = Patience()
    while (standing := _standing(parts, kind, remote_id)) is not None:
        _check(parts, one, standing, order_id)
        if kind is StepKind.DELETE_PAYMENT and standing.amount:
            link = taken(one.link, standing)
            parts.ledger.links.put_soon(link)  # with the intent, before the write
        deleted = _deleted_link(kind, link, order_id)
        try:
            answer = parts.writer.write(
                kind=kind,
                key=part_of(link) or str(order_id),
                body={"vis_state": DELETED},
                order_id=order_id,
                remote_id=remote_id,
                why=f"delete the {one.name} of the cancelled order",
                standing=standing,
                links=partial(_if_deleted, deleted),
            )
        except OutcomeUnknown as unknown:
            parts.settle_unknown(unknown)
        except NotFound:
            break
        except (Conflict, Throttled) as busy:
            parts.stop.wait(patience.pause_after(busy))
        else:
            return _done(parts, one, answer)
    for known in _deleted_link(kind, link, order_id):
        parts.ledger.links.put(known)
    return 0


def _check(parts: Parts, one: Deletion, standing: Any, order_id: int) -> None:  # noqa: ANN401 - by kind
    """See that the record is what it was, and the invoice without money, right before it goes."""
    if not one.is_as_looked_at(standing):
        raise _Kept("it is being changed in FreshBooks")
    if one.kind is StepKind.DELETE_INVOICE and bears_other_money(parts, order_id, standing):
        raise _Kept("it bears money that was recorded on it meanwhile")


def _done(parts: Parts, one: Deletion, answer: Any) -> int:  # noqa: ANN401 - by kind
    if answer.vis_state != DELETED and _standing(parts, one.kind, one.record.id) is not None:
        raise _Ignored
    return 1


def _if_deleted(deleted: list[Link], answer: Any) -> list[Link]:  # noqa: ANN401 - by kind
    return deleted if answer.vis_state == DELETED else []


def _standing(parts: Parts, kind: StepKind, remote_id: int) -> Any:  # noqa: ANN401 - by kind
    return parts.books.collections[kind.record].standing(remote_id)


def _deleted_link(kind: StepKind, link: Link, order_id: int) -> list[Link]:
    """What is remembered of the deleted record; of an invoice nothing is."""
    if kind is StepKind.DELETE_INVOICE:
        return []
    if kind is StepKind.DELETE_PAYMENT:
        return [replace(link, deleted=True)]  # all of it, as long as it may have to be restored
    return [part_link(kind.record, order_id, part_of(link), link.remote_id, deleted=True)]


def _forget(parts: Parts, order_id: int, left: set[int]) -> None:
    """The order is not in the books any more: its invoice is forgotten, and nothing comes back."""
    if left:
        ids = ", ".join(map(str, sorted(left)))
        logger.warning(
            "Order %s is cancelled, and its invoice was deleted in FreshBooks; what a person"
            " changed, moved or recorded there is left: records %s",
            order_id,
            ids,
        )
    for link in parts.ledger.links.of_order(order_id):
        is_settled = link.kind == "invoice" or (link.deleted and not is_taken(link))
        if not is_settled and link.remote_id not in left:
            gone = part_link(link.kind, order_id, part_of(link), link.remote_id, deleted=True)
            parts.ledger.links.put(gone)
    parts.ledger.links.drop("invoice", invoice_key(order_id))


def delete_credits(
    parts: Parts, order_id: int, number: str, recorded: Recorded
) -> OrderResult | None:
    """Undo what broke off, of an order that is not posted now.

    A deletion is taken back: whether it is to be begun anew is for a later look at the whole. The
    credits of an undoing go.

    Returns:
        How the order comes out if FreshBooks keeps a credit, or a payment has no place any more;
        else None.
    """
    restored = restore_payments(parts, order_id)
    if restored.invoice is not None:
        recorded = load_recorded(parts.ledger, order_id)
    left = _credits_left(parts, order_id, number, recorded)
    if not restored.left or restored.invoice is None:
        return left
    failed = kept_invoice(restored.invoice, "it bears money that was recorded on it meanwhile")
    if restored.refused is not None:
        failed = refused_result(restored.refused, "restoring of a cancelled order's payment", 0)
    return _with_left(failed, restored)


def _credits_left(
    parts: Parts, order_id: int, number: str, recorded: Recorded
) -> OrderResult | None:
    """Delete the credits of an undoing that broke off; the result if FreshBooks keeps one."""
    if recorded.invoice_id is None or not recorded.overpayments:
        return None
    invoice = parts.observer.invoice(recorded, number)
    if invoice is None:
        return None
    for key, credit_id in recorded.overpayments.items():
        look = partial(parts.books.credit_notes.overpayment, credit_id, invoice.customer_id)
        credit = _credit_kept(parts, order_id, key, look)
        if credit is not None:
            return OrderResult("parked", parked=credit_left(number, key, credit))
    return None


def _credit_kept(
    parts: Parts, order_id: int, key: str, look: Callable[[], ObservedCreditNote | None]
) -> ObservedCreditNote | None:
    """Delete the credit that FreshBooks made of a payment; the credit if it is kept.

    Raises:
        RetriesExhausted: FreshBooks keeps failing.
    """
    pauses = iter(BUSY_PAUSES)
    while (credit := look()) is not None:
        try:
            answer = parts.writer.write(
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
        except Refused as refused:
            pause = next(pauses, None) if isinstance(refused, Conflict) else None
            if pause is None:
                return credit
            parts.stop.wait(pause)
        else:
            return None if answer.vis_state == DELETED else look()
    return None


def _with_left(failed: OrderResult, restored: Restored) -> OrderResult:
    """The result, naming the payments that are deleted and stay so."""
    if not restored.left:
        return failed
    numbers = ", ".join(map(str, restored.left))
    return _adding(failed, f"Deleted already, and not to be restored: payment {numbers}.")


def _adding(failed: OrderResult, sentence: str) -> OrderResult:
    assert failed.parked is not None  # noqa: S101 - it is parked for what failed
    detail = f"{failed.parked.detail} {sentence}"
    return replace(failed, parked=replace(failed.parked, detail=detail))


def _ignored(one: Deletion) -> Parked:
    return Parked(
        Reason.NO_PROGRESS,
        f"The order is cancelled, and FreshBooks answered the deletion of its {one.name}"
        f" {one.record.id} without deleting it; it is not asked again.",
        "Look at the record in FreshBooks; delete it by hand, or replay the order.",
    )
