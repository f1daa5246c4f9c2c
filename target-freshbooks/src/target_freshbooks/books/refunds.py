"""Refunds: what each takes off the invoice, off the payments, or gives as credit.

FreshBooks knows no refund. Money that went back is booked by lowering the payment it had come in
with and by negative lines "Refund R" on the invoice, which carry the taxes of what was taken back:
revenue, tax and cash all fall by the right amounts, and nothing is left outstanding. What is given
as store credit or on a gift certificate is no money: the same lines take it off, and a line of its
item puts it on again, as what the shop now owes (`stored_value`). Where stored value pays, store
credit becomes a credit note for the client, and the invoice stays whole. So it
does with `refund_mode` `credit_note`.

All amounts are absolute: what the payments have once this refund and all before it are booked. So
it does no harm to apply a refund twice, and a refund that the gateway declines later simply
contributes nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from target_freshbooks.books.calendar import bookkeeping_day
from target_freshbooks.books.desired import CreditNote, Parked, Reason, RefundEntry
from target_freshbooks.books.lowering import lower, raise_again
from target_freshbooks.books.marks import mark_of
from target_freshbooks.books.money import ZERO, decimals_of, rounded, total
from target_freshbooks.books.refund_allocation import Allocation, allocate, refund_lines
from target_freshbooks.books.refund_fit import fit_credit_note
from target_freshbooks.books.stored_value import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from target_freshbooks.books.breakdown import Breakdown
    from target_freshbooks.books.desired import ExactLine
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts, Refund
    from target_freshbooks.books.surplus import Due, GivenBack

REFUNDED = 4
PARTIALLY_REFUNDED = 14


@dataclass(frozen=True, slots=True)
class Refunds:
    """The refunds of an order that went through, and what is wrong with them."""

    entries: tuple[RefundEntry, ...]
    flags: tuple[Parked, ...]


def refunds_of(facts: OrderFacts, breakdown: Breakdown, due: Due, policy: Policy) -> Refunds:
    """All refunds of the order in the order of their ids, but for what gave back a surplus."""
    decimals = decimals_of(facts.order.currency)
    left = {payment.key: payment.amount for payment in due.payments}
    standing, worth = breakdown.total, breakdown.total + breakdown.redeemed
    entries, flags = list[RefundEntry](), list[Parked]()
    for given in due.refunds:
        refund, booked = given.refund, _booked(given, policy)
        flags += _unexplained(facts, refund, decimals)
        if booked.money > standing:
            flags.append(_too_much(facts, refund, booked.money, standing))
            booked = replace(booked, money=standing)
        if booked.goods > worth:
            flags.append(_too_much(facts, refund, booked.goods, worth))
        if not booked.goods and not booked.noted and not booked.credit:
            continue
        standing -= booked.money - booked.kept
        worth -= booked.goods
        short = booked.money - lower(left, given.parts, booked.money, facts, due.payments)
        if short:
            flags.append(_unpaid(facts, refund, booked.money, short))
        raise_again(left, booked.kept, due.payments)
        allocations = allocate(refund, facts.order, breakdown.parts, policy, decimals)
        entry = _entry(facts, refund, allocations, booked, policy)
        entries.append(replace(entry, payments_after=tuple(left.items())))
    flags += _missing(facts, entries, breakdown.total + breakdown.redeemed, due.absorbed)
    return Refunds(tuple(entries), tuple(flags))


@dataclass(frozen=True, slots=True)
class _Booked:
    """How a refund is booked.

    Attributes:
        money: Off payments and invoice.
        noted: As a credit note.
        stored: As lines of the items of stored value, by kind.
        kept: What of those was given for a surplus, and raises payments and invoice.
    """

    money: Decimal
    noted: Decimal
    stored: Mapping[str, Decimal]
    kept: Decimal

    @property
    def credit(self) -> Decimal:
        return total(self.stored.values())

    @property
    def goods(self) -> Decimal:
        """What is taken off for what was sold."""
        return self.money + self.credit - self.kept


def _booked(given: GivenBack, policy: Policy) -> _Booked:
    if policy.credit_is_a_line:
        return _Booked(given.money, ZERO, given.stored, given.kept)
    return _Booked(given.money, given.credit - given.kept, {}, ZERO)


def _entry(
    facts: OrderFacts,
    refund: Refund,
    allocations: tuple[Allocation, ...],
    booked: _Booked,
    policy: Policy,
) -> RefundEntry:
    """The entry without its payments."""
    goods, noted = booked.goods, booked.noted
    whole = (
        refund.total_amount
        or total(one.gross for one in allocations)
        or goods + noted
        or booked.credit
    )
    given = [
        Allocation(-amount, item=name_of(kind, policy)) for kind, amount in booked.stored.items()
    ]

    def lines(amount: Decimal, sign: int, more: Sequence[Allocation] = ()) -> tuple[ExactLine, ...]:
        parts = [one.times(amount / whole) for one in allocations]
        return refund_lines(refund.id, (*parts, *more), sign, policy)

    return RefundEntry(
        refund_id=refund.id,
        money=booked.money - booked.kept,
        payments_after=(),
        day=bookkeeping_day(refund.created, facts, policy),
        taken=lines(goods, -1, given) if goods or given else (),
        credit=booked.credit,
        credit_note=_credit_note(facts, refund, noted, lines(noted, 1), policy) if noted else None,
    )


def _credit_note(
    facts: OrderFacts,
    refund: Refund,
    credit: Decimal,
    lines: tuple[ExactLine, ...],
    policy: Policy,
) -> CreditNote:
    return CreditNote(
        refund_id=refund.id,
        notes=str(mark_of(facts.order).of(f"refund {refund.id}")),
        day=bookkeeping_day(refund.created, facts, policy),
        total=credit,
        variants=fit_credit_note(refund.id, lines, credit, policy, facts.order.currency),
    )


def _said(facts: OrderFacts, amount: Decimal) -> str:
    return f"{rounded(amount, decimals_of(facts.order.currency))} {facts.order.currency}"


def _unexplained(facts: OrderFacts, refund: Refund, decimals: int) -> list[Parked]:
    """A refund whose payments do not add up to its total."""
    paid = rounded(total(payment.amount for payment in refund.payments), decimals)
    if paid == rounded(refund.total_amount, decimals):
        return []
    how = f"its payments come to {_said(facts, paid)}" if refund.payments else "it has no payment"
    return [
        Parked(
            Reason.REFUND_MISMATCH,
            f"Order {facts.order.id}: refund {refund.id} is over"
            f" {_said(facts, refund.total_amount)}, but {how}; only the payments are booked.",
            "Look up in the shop what went back, and correct the invoice and its payment by hand.",
        )
    ]


def _too_much(facts: OrderFacts, refund: Refund, money: Decimal, standing: Decimal) -> Parked:
    return Parked(
        Reason.REFUND_MISMATCH,
        f"Order {facts.order.id}: refund {refund.id} sent back {_said(facts, money)}, but only"
        f" {_said(facts, standing)} of the invoice are left.",
        "Look up in the shop what went back beyond the order, and book it by hand.",
    )


def _unpaid(facts: OrderFacts, refund: Refund, money: Decimal, short: Decimal) -> Parked:
    return Parked(
        Reason.REFUND_EXCEEDS_PAYMENTS,
        f"Order {facts.order.id}: refund {refund.id} sent back {_said(facts, money)}, which is"
        f" {_said(facts, short)} more than the payments in the books.",
        "Enter the payment that is missing, or correct the refund's lines, in FreshBooks.",
    )


def _missing(
    facts: OrderFacts, entries: list[RefundEntry], due: Decimal, absorbed: Decimal
) -> list[Parked]:
    """A status that speaks of refunds which nothing shows."""
    status = facts.order.status_id
    booked = total(
        entry.money + entry.credit + (entry.credit_note.total if entry.credit_note else ZERO)
        for entry in entries
    )
    declined = total(p.amount for r in facts.refunds for p in r.payments if p.declined)
    explained = booked + declined >= due if status == REFUNDED else bool(facts.refunds)
    if status not in (REFUNDED, PARTIALLY_REFUNDED) or explained:
        return []
    word = "Refunded" if status == REFUNDED else "Partially Refunded"
    beyond = f" beyond a surplus of {_said(facts, absorbed)}" if absorbed else ""
    return [
        Parked(
            Reason.REFUND_MISSING,
            f"Order {facts.order.id} over {_said(facts, due)} has the status {word}, but its"
            f" refunds come to {_said(facts, booked)}{beyond}.",
            "The money went back outside the shop, or not at all: book the rest by hand in"
            " FreshBooks, or record the refund in the shop and replay the order.",
        )
    ]
