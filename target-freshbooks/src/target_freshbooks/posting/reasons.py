"""Why an order is parked before or beside its plan: unreadable, incomplete, given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books.desired import Parked, Reason

if TYPE_CHECKING:
    from target_freshbooks.books import ReadError
    from target_freshbooks.posting.context import OrderContext
    from target_freshbooks.posting.plan.steps import Step


def failing(kind: str) -> Parked:
    """FreshBooks kept failing at this order alone; `kind` is the write, or `read`."""
    return Parked(
        Reason.FRESHBOOKS_ERROR,
        f"FreshBooks answered {kind.replace('_', ' ')} with a server error each time, while other"
        " orders went well.",
        "Try again with replay; if it lasts, ask FreshBooks' support what it dislikes about this"
        " order.",
    )


def no_progress(context: OrderContext, step: Step) -> Parked:
    """FreshBooks answered a step and did not do it, or somebody else undoes what is done."""
    return Parked(
        Reason.NO_PROGRESS,
        f"FreshBooks answered, but did not do it: {step.why}. It is not asked for again.",
        f"Look at invoice {context.desired.invoice.number} in FreshBooks: whether somebody else"
        " works"
        " on it, or FreshBooks does not allow the change. Then replay the order, or settle it.",
    )


def defect(error: Exception) -> Parked:
    """Our own accounting broke at this order."""
    return Parked(
        Reason.DEFECT,
        f"The connector itself failed at this order ({type(error).__name__}); the log says where.",
        "Please report it with the lines of the log; replay the order with a version that has it"
        " mended.",
    )


def unreadable(error: ReadError) -> Parked:
    """The shop's record cannot be understood."""
    return Parked(
        Reason.UNREADABLE_RECORD,
        f"The shop's record cannot be understood: {error}.",
        "Compare the order in BigCommerce; it is tried again when the shop sends it changed.",
    )


def partly_dropped() -> Parked:
    """The ledger holds only a part of the order."""
    return Parked(
        Reason.FACTS_INCOMPLETE,
        "Some of the order's transactions, refunds or taxes were dropped from the ledger after"
        " ledger_retention_days and did not come again with the order.",
        "Select the streams transactions, refunds and order_taxes in the tap and let it send the"
        " order again (setting order_ids).",
    )
