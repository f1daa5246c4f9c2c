"""Closed days: what is dated on them has been reported, and is never created or changed again.

A month that an auditor has signed, or whose tax is declared, must not move. `closed_through` says
until which day the books are closed: a date, or `auto`, which keeps last month open for the first
ten days of a month, as long as it takes to finish it, and then closes it. A day that FreshBooks
refuses as locked counts as closed as well, for the run that met it: whoever unlocks it is heard by
the next.

What belongs on a closed day waits for a person, who may choose an open day for it.

A refund whose invoice is of a closed month can be booked on its own day beside it, by a correction.
The invoice and its payment have been reported, and stay as they are. An invoice of total 0.00, with
the refund's day, takes the sale and its tax back: it has the negative lines that the refund would
have put on the old invoice, and an untaxed line "Refunds paid" over the money, which balances them.
FreshBooks counts that line as income, so the money that left has to be an expense: one that the
bank feed brings in, or, with `refunds_expense_category`, one that is written beside the correction.

    invoice 1001-R5 of 2026-12-14:  -10.00 Refund 5 + 8.25 %,  +10.83 Refunds paid;  tax -0.83
    expense of 2026-12-14:           10.83

In December income falls by 10.00, tax by 0.83, and 10.83 leave the bank. November does not change.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from target_freshbooks.books.desired import (
    Correction,
    Desired,
    InvoiceLine,
    Lines,
    Payment,
    RefundEntry,
)
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.refund_fit import fit_refund
from target_freshbooks.books.rounding import roundings, tax_amounts
from target_freshbooks.marks import is_refund_line
from target_freshbooks.money import ONE, ZERO, rounded

REFUNDS_PAID = "Refunds paid"
"""The line that balances a correction: the money that left."""

BOOKED_AS_EXPENSE = "The money that went back is booked as an expense."
"""Stands in the notes of a correction that has an expense beside it."""

TAX_LINE = "Tax"
"""The description of a line whose amount is a tax."""

LAST_DAY_TO_FINISH = 10
"""Of a month: until then the month before is open with `auto`."""


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """The days that are closed now; `day in closed` tells of one.

    Attributes:
        through: The last of them; None: none is.
        locked: Days that FreshBooks has refused as locked.
        chosen: The open day on which a person has what belongs on a closed one booked.
    """

    through: date | None = None
    locked: frozenset[date] = frozenset()
    chosen: date | None = None

    def __contains__(self, day: date) -> bool:
        return day in self.locked or (self.through is not None and day <= self.through)

    def open_day(self, own: date) -> date:
        """The day on which something is booked: its own, else the one that was chosen.

        It is closed still where neither is open.
        """
        return own if own not in self or self.chosen is None else self.chosen


def last_closed_day(setting: date | Literal["auto"] | None, today: date) -> date | None:
    """The last day that is closed.

    Args:
        setting: `closed_through`.
        today: In the store's zone.
    """
    if setting != "auto":
        return setting
    end_of_last_month = today.replace(day=1) - timedelta(days=1)
    if today.day > LAST_DAY_TO_FINISH:
        return end_of_last_month
    return end_of_last_month.replace(day=1) - timedelta(days=1)


def in_words(
    lines: Lines, total: Decimal | None, currency: str, decimals: int, *, whole: str = "together"
) -> str:
    """Net, each tax and stored value by its name, and the whole: as a person types them.

    Args:
        lines: Taxed by rates, or with their taxes as lines called "Tax" in the description.
        total: What they come to, where that is known; the net then takes up what rounding leaves.
        currency: ISO code.
        decimals: Of the currency.
        whole: What the whole is called.
    """
    apart = tax_amounts(lines, roundings(decimals)[0])
    net = ZERO
    for line in lines:
        amount = line.quantity * line.unit_cost
        name = line.name
        if line.description == TAX_LINE:
            name = name.partition(", ")[2] or name
        elif is_refund_line(line.description) is None:
            net += amount
            continue
        apart[name] = apart.get(name, ZERO) + amount
    others = sum(apart.values(), start=ZERO)
    comes_to = rounded(net, decimals) + others if total is None else total
    amounts = {"net": comes_to - others} | {name: one for name, one in apart.items() if one}
    named = [f"{name} {rounded(amount, decimals):f}" for name, amount in amounts.items()]
    return ", ".join([*named, f"{whole} {rounded(comes_to, decimals):f} {currency}"])


def on_open_days(
    desired: Desired, closed: ClosedDays, *, ordered: date, has_invoice: bool
) -> Desired:
    """The desired state with what is still to be booked on days that are open, where it has any.

    An order that was paid late takes the day of its first capture; whatever else belongs on a
    closed day takes the day that a person chose. What is booked already keeps its day, whatever
    stands here: nothing is ever moved.

    Args:
        desired: The desired state; its invoice on the day that it was posted under, if any.
        closed: The days that are closed.
        ordered: The order's own day.
        has_invoice: Whether its invoice is known.
    """
    own = desired.invoice.day
    day = own
    if not has_invoice:
        first = min((one.day for one in desired.payments if _is_money(one)), default=own)
        day = first if own in closed and closed.chosen is None else closed.open_day(own)
        day = own if day in closed else day
    return replace(
        desired,
        invoice=replace(desired.invoice, day=day),
        payments=tuple(
            replace(one, day=_paid_on(one, ordered, day, closed)) for one in desired.payments
        ),
    )


def _is_money(payment: Payment) -> bool:
    """Whether it came in by itself, and is no credit that was spent with the order."""
    return payment.amount > 0 and (payment.transaction_id is not None or payment.key == "derived")


def _paid_on(payment: Payment, ordered: date, invoiced: date, closed: ClosedDays) -> date:
    """Credit spent with an order moves with it; money has a day of its own."""
    if payment.day == ordered and payment.transaction_id is None and ordered in closed:
        return closed.open_day(invoiced)
    return closed.open_day(payment.day)


def book_apart(
    desired: Desired, refund_ids: Collection[int], policy: Policy, closed: ClosedDays
) -> Desired:
    """The desired state with these refunds as corrections, so that invoice and payments stay.

    What the others leave of the payments is said anew: these take nothing off them. One that gave a
    surplus as stored value is no correction: it takes nothing back, but raises the invoice.
    """
    before = {payment.key: payment.amount for payment in desired.payments}
    left, kept, apart = dict(before), list[RefundEntry](), list[Correction]()
    for entry in desired.refunds:
        after, standing = dict(entry.payments_after), entry
        if entry.refund_id in refund_ids and entry.money >= 0:
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
    ways = fit_refund(entry, paid, ZERO, policy, invoice.currency, takes_all=False)
    return Correction(
        refund_id=entry.refund_id,
        number=f"{invoice.number}-R{entry.refund_id}",
        day=closed.open_day(entry.day),
        money=entry.money,
        marker=marker,
        notes="\n".join([*says, BOOKED_AS_EXPENSE] if expense else says),
        expense=expense,
        variants=tuple((*lines, *paid) for lines in ways),
        entry=entry,
    )
