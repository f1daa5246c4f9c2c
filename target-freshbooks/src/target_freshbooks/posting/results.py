"""Results: how an order comes out, and of one that is parked why, with what a bookkeeper can do."""

from dataclasses import dataclass, replace

from target_freshbooks.books.desired import Desired, Parked, Reason
from target_freshbooks.freshbooks.errors import Refused
from target_freshbooks.freshbooks.observed import ObservedInvoice
from target_freshbooks.freshbooks.refusals import RefusalKind, classify, speaks_of_a_lock
from target_freshbooks.ledger import OrderState
from target_freshbooks.posting.apply.fence import ClosedDay
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.plan.steps import Step
from target_freshbooks.shop import ReadError

DEFECTS = (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError)
"""What a defect of ours shows itself as; all other kinds of errors have a meaning of their own."""


class Interrupted(Exception):  # noqa: N818 - it is no error to be asked to stop
    """The run was asked to stop; the step in hand was finished."""


@dataclass(frozen=True, slots=True)
class OrderResult:
    """How an order came out.

    Attributes:
        state: `posted`, `parked` or `waiting`; in a plan also `settled`.
        parked: Why, if it is parked.
        why: Code of the reason, if it is waiting; the person's note, if it is settled.
        words: FreshBooks' own words, if it refused something.
        desired: The desired state, if there is one.
        desired_hash: Its digest.
        writes: Number of outside writes made.
        unchanged: Nothing had to be looked at: what is desired is what was posted before.
        met_lock: FreshBooks refused a day as locked that was taken to be open.
        booked: The books hold it as far as it goes; a person may have to see to the rest.
    """

    state: OrderState
    parked: Parked | None = None
    why: str | None = None
    words: str | None = None
    desired: Desired | None = None
    desired_hash: str | None = None
    writes: int = 0
    unchanged: bool = False
    met_lock: bool = False
    booked: bool = False

    @property
    def is_refused_as_locked(self) -> bool:
        """Whether the order is parked since FreshBooks itself said that a day is locked."""
        closed = self.parked is not None and self.parked.reason is Reason.CLOSED_PERIOD
        return closed and self.words is not None


def refused_result(refused: Refused, what: str, writes: int) -> OrderResult:
    """The order is parked since FreshBooks refused something, with its words."""
    words = None if isinstance(refused, ClosedDay) else refused.words
    return OrderResult("parked", parked=parked_for(refused, what), words=words, writes=writes)


def kept_invoice(invoice: ObservedInvoice, why: str) -> OrderResult:
    """The order is cancelled, and its invoice is not deleted."""
    return kept(f"invoice {invoice.number}", why)


def kept(what: str, why: str) -> OrderResult:
    """The order is cancelled, and this record of it is not deleted."""
    return OrderResult(
        "parked",
        parked=Parked(
            Reason.EDITED_IN_FRESHBOOKS,
            f"The order is cancelled, and {what} is not deleted: {why}.",
            "Decide what is to become of the invoice. Undo the change in FreshBooks and replay the"
            " order, delete the invoice by hand, or replay with --overwrite to have an edited one"
            " deleted.",
        ),
    )


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
        "Compare it in BigCommerce; it is tried again when the shop sends it changed, or when"
        " the tap is asked for it again (order_ids) and can read all of it.",
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
                "Give this user the right in FreshBooks, or log in as another that has it; then"
                " replay the order.",
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
