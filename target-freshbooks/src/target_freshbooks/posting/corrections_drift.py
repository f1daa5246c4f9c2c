"""Drift of corrections: what takes refunds of closed months back, and the expenses beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.posting.digests import fingerprint
from target_freshbooks.posting.drift import Finding, FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_freshbooks.books.marks import Mark
    from target_freshbooks.ledger import Link
    from target_freshbooks.posting.state.observed import Observed
    from target_freshbooks.posting.state.recorded import Recorded


def compare_corrections(mark: Mark, recorded: Recorded, observed: Observed) -> Iterator[Finding]:
    """What the ledger and FreshBooks say differently of an order's corrections.

    Of an order that is parked only what is extra is told.
    """
    if recorded.is_in_books:
        yield from _left(mark, recorded, observed)
    for refund_id, invoice in observed.corrections.items():
        if not _knows(recorded.corrections.get(refund_id), invoice.id) and recorded.known:
            said = f"invoice {invoice.number} (id {invoice.id}) corrects refund {refund_id}"
            yield _extra(mark, f"{said} and is none of ours: the refund may count twice")
    for refund_id, expense in observed.expenses.items():
        if not _knows(recorded.expenses.get(refund_id), expense.id) and recorded.known:
            said = f"expense {expense.id} of {expense.amount} names refund {refund_id}"
            yield _extra(mark, f"{said} and is none of ours: the money may count twice")


def _left(mark: Mark, recorded: Recorded, observed: Observed) -> Iterator[Finding]:
    for refund_id, left in recorded.corrections.items():
        invoice = observed.corrections.get(refund_id)
        if left.deleted:
            continue
        if invoice is None:
            yield _missing(mark, f"the correction (id {left.remote_id}) of refund {refund_id}")
        elif left.fingerprint not in {None, fingerprint(invoice)}:
            said = f"invoice {invoice.number} (id {invoice.id}), which corrects refund {refund_id},"
            yield Finding(mark.order_id, FindingKind.EDITED, f"{said} was changed in FreshBooks")
    for refund_id, left in recorded.expenses.items():
        expense = observed.expenses.get(refund_id)
        if left.deleted:
            continue
        if expense is None:
            yield _missing(mark, f"the expense (id {left.remote_id}) of refund {refund_id}")
        elif (expense.amount, expense.date) != (left.amount, left.day):
            said = f"the expense {expense.id} of refund {refund_id} is {expense.amount} of"
            then = f"{expense.date} now; we left it at {left.amount} of {left.day}"
            yield Finding(mark.order_id, FindingKind.WRONG_AMOUNT, f"{said} {then}")


def _knows(link: Link | None, remote_id: int) -> bool:
    return link is not None and not link.deleted and link.remote_id == remote_id


def _missing(mark: Mark, what: str) -> Finding:
    return Finding(mark.order_id, FindingKind.MISSING, f"{what} was deleted in FreshBooks")


def _extra(mark: Mark, said: str) -> Finding:
    return Finding(mark.order_id, FindingKind.EXTRA, said)
