"""An order's row: its state, and what is known of it whatever is dropped of its records."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

OrderState = Literal["new", "waiting", "posted", "parked", "settled"]


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order's standing.

    Attributes:
        order_id: The shop's order id.
        state: `new` (to be looked at, for the first time or once more), `waiting` (not billable
            yet), `posted` (the books agree), `parked` (needs somebody), `settled` (a person booked
            it by hand).
        reason: Code of the reason for waiting or parking.
        detail: The figures behind the reason.
        words: The other side's own words.
        next_step: What to do about it.
        facts_hash: `StoredFacts.hash` the state rests on.
        policy_hash: Hash of the settings it rests on.
        desired_hash: Hash of the desired state.
        invoice_number: The invoice's number.
        order_total: The order's total, in `currency`.
        currency: ISO code.
        order_date: Day of the order in the shop's time zone.
        posted_at: When it was first posted.
        updated_at: When this row last changed.
        run_id: The run that did.
        terms: Hash of the settings its invoice was posted under, see `terms`.
        invoice_day: The day its invoice is dated.
        notice: Code of what became of the order in the shop after it was posted.
        refunded: What of the order went back as money, in `currency`; None before that was known.
        redeemed: What of it was paid with stored value that is no payment, likewise.
        payment_method: The shop's name of the method of payment.
        left_open: Whether the invoice is open since no transaction and no method tells of money.
        unpaid: Whether a run saw the order unpaid, and none has seen it paid since.
        paid_day: The day on which a run saw it go from unpaid to paid.
        paid_by_hand: The most that was booked as paid without a transaction, in `currency`.
        booking_day: The open day that a person chose for what of it belongs on closed ones.
        worked_out: The taxes on its invoice whose percents were worked out; "" for none.
        locked_day: The day that FreshBooks holds locked, for which the order is parked.
    """

    order_id: int
    state: OrderState
    reason: str | None = None
    detail: str | None = None
    words: str | None = field(default=None, repr=False)
    next_step: str | None = None
    facts_hash: str | None = None
    policy_hash: str | None = None
    desired_hash: str | None = None
    invoice_number: str | None = None
    order_total: Decimal | None = None
    currency: str | None = None
    order_date: date | None = None
    posted_at: datetime | None = None
    updated_at: datetime | None = None
    run_id: str | None = None
    terms: str | None = None
    invoice_day: date | None = None
    notice: str | None = None
    refunded: Decimal | None = None
    redeemed: Decimal | None = None
    payment_method: str | None = None
    left_open: bool | None = None
    unpaid: bool | None = None
    paid_day: date | None = None
    paid_by_hand: Decimal | None = None
    booking_day: date | None = None
    worked_out: str | None = None
    locked_day: date | None = None
