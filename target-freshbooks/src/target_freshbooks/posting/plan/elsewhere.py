"""Somebody else's money on an invoice of ours, for which ours does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.posting.plan.steps import Blocked

if TYPE_CHECKING:
    from decimal import Decimal

    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.state.observed import Observed


def paid_elsewhere(
    context: OrderContext, observed: Observed, wanted: Decimal, what: str
) -> Blocked:
    """Somebody else's money stands on the invoice, so that ours does not fit."""
    invoice = observed.invoice
    assert invoice is not None  # noqa: S101 - payments are planned for an invoice only
    return Blocked(
        Parked(
            Reason.PAID_ELSEWHERE,
            f"Invoice {invoice.number} of {context.wording(invoice.amount)} has"
            f" {context.wording(invoice.outstanding)} outstanding, but {what} of"
            f" {context.wording(wanted)} is to be booked: somebody recorded a payment by hand.",
            "If the payment recorded by hand is of this order's money, delete it in FreshBooks and"
            " replay the order; else settle the order with a note of what you booked.",
        )
    )
