"""Corrections: a refund whose invoice is of a closed month, booked on its own day beside it.

The invoice and its payment have been reported, and stay as they are. An invoice of total 0.00, with
the refund's day, takes the sale and its tax back: it has the negative lines that the refund would
have put on the old invoice, and an untaxed line "Refunds paid" over the money, which balances them.
FreshBooks counts that line as income, so the money that left has to be an expense: one that the
bank feed brings in, or, with `refunds_expense_category`, one that is written beside the correction.

    invoice 1001-R5 of 2026-12-14:  -10.00 Refund 5 + 8.25 %,  +10.83 Refunds paid;  tax -0.83
    expense of 2026-12-14:           10.83

In December income falls by 10.00, tax by 0.83, and 10.83 leave the bank. November does not change.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Correction, InvoiceLine, RefundEntry
from target_freshbooks.books.draft_lines import ONE
from target_freshbooks.books.money import ZERO
from target_freshbooks.books.refund_fit import fit_refund

if TYPE_CHECKING:
    from collections.abc import Collection

    from target_freshbooks.books.closed import ClosedDays
    from target_freshbooks.books.desired import Desired
    from target_freshbooks.books.policy import Policy

REFUNDS_PAID = "Refunds paid"
"""The line that balances a correction: the money that left."""

BOOKED_AS_EXPENSE = "The money that went back is booked as an expense."
"""Stands in the notes of a correction that has an expense beside it."""


def book_apart(
    desired: Desired, refund_ids: Collection[int], policy: Policy, closed: ClosedDays
) -> Desired:
    """The desired state with these refunds as corrections, so that invoice and payments stay.

    What the others leave of the payments is said anew: these take nothing off them.
    """
    before = {payment.key: payment.amount for payment in desired.payments}
    left, kept, apart = dict(before), list[RefundEntry](), list[Correction]()
    for entry in desired.refunds:
        after, standing = dict(entry.payments_after), entry
        if entry.refund_id in refund_ids:
            apart.append(_correction(desired, entry, policy, closed))
            standing = replace(entry, money=ZERO, taken=())
        else:
            left = {key: left[key] + after[key] - before[key] for key in left}
        before = after
        if standing.taken or standing.credit_note is not None:
            kept.append(replace(standing, payments_after=tuple(left.items())))
    return replace(desired, refunds=tuple(kept), corrections=tuple(apart))


def _correction(
    desired: Desired, entry: RefundEntry, policy: Policy, closed: ClosedDays
) -> Correction:
    invoice = desired.invoice
    marker = invoice.marker.of(f"refund {entry.refund_id}")
    expense = bool(policy.refunds_expense_category and entry.money)
    says = [f"Corrects invoice {invoice.number} of {invoice.day}", str(marker)]
    paid = (InvoiceLine(REFUNDS_PAID, "", ONE, entry.money),) if entry.money else ()
    # Together they come to nothing: they are fitted onto the line of the money.
    ways = fit_refund(entry, paid, ZERO, policy, invoice.currency)
    return Correction(
        refund_id=entry.refund_id,
        number=f"{invoice.number}-R{entry.refund_id}",
        day=closed.open_day(entry.day),
        money=entry.money,
        marker=marker,
        notes="\n".join([*says, BOOKED_AS_EXPENSE] if expense else says),
        expense=expense,
        variants=tuple((*lines, *paid) for lines in ways),
    )
