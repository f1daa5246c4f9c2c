"""What follows from a refusal for an order: reasons and next steps a bookkeeper understands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Desired, Parked, Reason
from target_freshbooks.freshbooks.refusals import RefusalKind, classify, speaks_of_a_lock
from target_freshbooks.posting.apply.fence import ClosedDay

if TYPE_CHECKING:
    from target_freshbooks.freshbooks.errors import Refused
    from target_freshbooks.posting.context import OrderContext

BUSY_PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2)
"""Seconds before each new try of what another request is changing."""


def parked_for(refused: Refused, what: str) -> Parked:
    """The order is parked since FreshBooks refused something.

    Args:
        refused: The refusal.
        what: What was refused, as a phrase: "create invoice".
    """
    if isinstance(refused, ClosedDay):
        return refused.parked(what)
    refusal = f"FreshBooks refused the {what.replace('_', ' ')}"
    codes = f"(HTTP {refused.status}, errno {refused.errno})"
    match classify(refused).kind:
        case RefusalKind.CLIENT_LIMIT:
            return Parked(
                Reason.CLIENT_LIMIT,
                f"FreshBooks' plan allows no more clients, and the order's is a new one {codes}.",
                "Choose a larger plan in FreshBooks, delete clients nobody needs there (archived"
                " ones count), or set client_mode to one, so that all orders go to a single client;"
                " then replay the order.",
            )
        case RefusalKind.CLOSED_PERIOD:
            return Parked(
                Reason.CLOSED_PERIOD,
                f"{refusal}: its day is in a period that is locked in FreshBooks {codes}.",
                "Unlock the period in FreshBooks (Financial Lock), which the next run hears of, or"
                " book it on an open day and settle the order.",
            )
        case RefusalKind.NO_RIGHT:
            return Parked(
                Reason.REFUSED_BY_FRESHBOOKS,
                f"{refusal}: the user that is logged in may not do that {codes}.",
                "Give this user the right in FreshBooks, or log in as another with"
                " target-freshbooks-ctl login; then replay the order.",
            )
        case RefusalKind.BUSY:
            return Parked(
                Reason.REFUSED_BY_FRESHBOOKS,
                f"{refusal}: somebody else kept changing the record at the same time {codes}.",
                "Replay the order when nobody is at work on it in FreshBooks.",
            )
        case _:
            return Parked(
                Reason.REFUSED_BY_FRESHBOOKS,
                f"{refusal} {codes}.",
                "Read FreshBooks' words, correct the cause there or in the shop, and replay the"
                " order.",
            )


def number_taken(number: str) -> Parked:
    """The number is taken, by an invoice that cannot be found."""
    return Parked(
        Reason.NUMBER_TAKEN,
        f"FreshBooks says that invoice number {number} is taken, but shows no invoice of the order"
        " with that number.",
        "Look for it among archived, deleted and recurring invoices in FreshBooks; then replay"
        " the order.",
    )


def number_too_long(context: OrderContext, refused: Refused) -> Parked:
    """The number is too long for FreshBooks; the limit is told if FreshBooks tells it."""
    number, limit = context.desired.invoice.number, classify(refused).limit
    takes = f"; FreshBooks takes {limit}" if limit else ", more than FreshBooks takes"
    return Parked(
        Reason.NUMBER_TOO_LONG,
        f"Invoice number {number} has {len(number)} characters{takes}.",
        "Shorten invoice_number_prefix and replay the order.",
    )


def redeemed_refused(parked: Parked) -> Parked:
    """Lines below zero are refused, and what was redeemed can be said by no other line."""
    return replace(
        parked,
        next_step="This account takes no line below zero, so what was redeemed cannot be one: set"
        " stored_value to payment and replay the order.",
    )


def refund_refused(desired: Desired, refund_id: int, words: str) -> Parked:
    """A refund's negative line was refused; the payment has its full amount again.

    Args:
        desired: What the order should come to.
        refund_id: The refund.
        words: What FreshBooks said.
    """
    entry = next(entry for entry in desired.refunds if entry.refund_id == refund_id)
    locked = speaks_of_a_lock(words)
    why = ": its day is in a period that is locked there" if locked else ""
    return Parked(
        Reason.CLOSED_PERIOD if locked else Reason.REFUND_REFUSED,
        f"FreshBooks refused to take refund {refund_id} of {entry.value}"
        f" {desired.invoice.currency} off invoice {desired.invoice.number}{why}; invoice and"
        " payment are as before the refund.",
        "Unlock the period in FreshBooks (Financial Lock), which the next run hears of, or book the"
        " refund by hand on an open day and settle the order."
        if locked
        else "Book the refund by hand in FreshBooks, and settle the order with a note of it.",
    )
