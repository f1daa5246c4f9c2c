"""Somebody else's money on an invoice of ours, for which ours does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.posting.steps import Stop

if TYPE_CHECKING:
    from decimal import Decimal

    from target_freshbooks.posting.case import Case
    from target_freshbooks.posting.steps import Actual


def paid_elsewhere(case: Case, actual: Actual, wanted: Decimal, what: str) -> Stop:
    """Somebody else's money stands on the invoice, so that ours does not fit."""
    invoice = actual.invoice
    assert invoice is not None  # noqa: S101 - payments are planned for an invoice only
    return Stop(
        Parked(
            Reason.PAID_ELSEWHERE,
            f"Invoice {invoice.number} of {case.wording(invoice.amount)} has"
            f" {case.wording(invoice.outstanding)} outstanding, but {what} of"
            f" {case.wording(wanted)} is to be booked: somebody recorded a payment by hand.",
            "If the payment recorded by hand is of this order's money, delete it in FreshBooks and"
            " replay the order; else settle the order with a note of what you booked.",
        )
    )
