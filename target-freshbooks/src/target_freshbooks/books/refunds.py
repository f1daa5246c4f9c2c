"""Refunds: what each takes off the invoice, off the payments, or gives as credit.

FreshBooks knows no refund. Money that went back is booked by lowering the payment it had come in
with and by negative lines "Refund R" on the invoice, which carry the taxes of what was taken back:
revenue, tax and cash all fall by the right amounts, and nothing is left outstanding. What is given
as store credit or on a gift certificate is no money: the same lines take it off, and a line of its
item puts it on again, as what the shop now owes (`stored_value`). Where stored value pays, store
credit becomes a credit note for the client, and the invoice stays whole; so it does with
`refund_mode` `credit_note`.

All amounts are absolute: what the payments have once this refund and all before it are booked. So
it does no harm to apply a refund twice, and a refund that the gateway declines later simply
contributes nothing any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from target_freshbooks.books.breakdown import Breakdown
from target_freshbooks.books.calendar import bookkeeping_day
from target_freshbooks.books.desired import (
    CreditNote,
    Parked,
    Payment,
    Reason,
    RefundEntry,
)
from target_freshbooks.books.money_witnesses import REFUNDED_STATUSES
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.refund_allocation import TakenBack, allocate
from target_freshbooks.books.refund_fit import fit_credit_note
from target_freshbooks.books.refund_lines import Allocation, refund_lines
from target_freshbooks.books.stored_value import name_of
from target_freshbooks.books.surplus import Due, GivenBack
from target_freshbooks.marks import mark_of
from target_freshbooks.money import ONE, ZERO, decimals_of, in_currency, total, with_currency
from target_freshbooks.shop.facts import OrderFacts, OrderStatus, Refund, RefundPayment


@dataclass(frozen=True, slots=True)
class Refunds:
    """The refunds of an order that went through, and what is wrong with them."""

    entries: tuple[RefundEntry, ...]
    flags: tuple[Parked, ...]


def refunds_of(facts: OrderFacts, breakdown: Breakdown, due: Due, policy: Policy) -> Refunds:
    """All refunds of the order in the order of their ids, but for what gave back a surplus."""
    left = {payment.key: payment.amount for payment in due.payments}
    standing, worth = breakdown.total, breakdown.total + breakdown.redeemed
    entries, flags, earlier = list[RefundEntry](), list[Parked](), TakenBack()
    for returned in due.refunds:
        refund, booked = returned.refund, replace(returned, money=min(returned.money, standing))
        flags += _unexplained(facts, refund)
        if returned.money > standing:
            flags.append(_too_much(facts, refund, returned.money, standing))
        given = booked.goods + booked.noted
        if given > worth:
            flags.append(_too_much(facts, refund, given, worth))
        if not given and not booked.credit:
            continue
        standing -= booked.money - booked.kept
        worth -= given
        short = booked.money - _lower(left, booked, facts, due.payments)
        if short:
            flags.append(_unpaid(facts, refund, booked.money, short))
        _raise_again(left, booked.kept, due.payments)
        back = _taken_back(facts, booked, breakdown, earlier, policy)
        entry = _entry(facts, booked, back, policy)
        entries.append(replace(entry, payments_after=tuple(left.items())))
        earlier += back
    flags += _missing(facts, entries, breakdown.total + breakdown.redeemed, due.absorbed)
    return Refunds(tuple(entries), tuple(flags))


def _taken_back(
    facts: OrderFacts,
    booked: GivenBack,
    breakdown: Breakdown,
    earlier: TakenBack,
    policy: Policy,
) -> TakenBack:
    """What the refund took back, as far as it went through."""
    refund, order, went_back = booked.refund, facts.order, booked.goods + booked.noted
    decimals = decimals_of(order.currency)
    allocations = allocate(refund, order, breakdown.parts, policy, decimals, went_back, earlier)
    worth = total(one.gross for one in allocations)
    if not worth and went_back:
        worth, allocations = went_back, (Allocation(went_back),)
    value = refund.total_amount or worth or booked.credit
    whole = total(one.gross for one in allocations if one.item)
    if whole > booked.goods or booked.noted:
        whole = ZERO
    # A certificate is taken back whole: what gave back a surplus was of the rest.
    rest = (booked.goods - whole) / (value - whole) if value > whole else ONE
    return TakenBack(
        tuple(one if whole and one.item else one.times(rest) for one in allocations),
        tuple(one.times(booked.noted / value) for one in allocations),
    )


def _entry(facts: OrderFacts, booked: GivenBack, back: TakenBack, policy: Policy) -> RefundEntry:
    """The entry without its payments."""
    refund, currency = booked.refund, facts.order.currency
    day = bookkeeping_day(refund.created, facts, policy)
    stored = [
        Allocation(-amount, item=name_of(kind, policy)) for kind, amount in booked.stored.items()
    ]
    return RefundEntry(
        refund_id=refund.id,
        money=booked.money - booked.kept,
        payments_after=(),
        day=day,
        taken=refund_lines(refund.id, (*back.taken, *stored), -1, policy),
        credit=booked.credit,
        credit_note=CreditNote(
            refund_id=refund.id,
            notes=str(mark_of(facts.order).of(f"refund {refund.id}")),
            day=day,
            total=booked.noted,
            variants=fit_credit_note(
                refund.id,
                refund_lines(refund.id, back.noted, 1, policy),
                booked.noted,
                policy,
                currency,
            ),
        )
        if booked.noted
        else None,
    )


def _lower(
    left: dict[str, Decimal], booked: GivenBack, facts: OrderFacts, payments: Sequence[Payment]
) -> Decimal:
    """Take the money of a refund off the payments it had come in with.

    A refund names the transaction it reverses, often through others (a refund of a settlement of a
    capture), or only a gateway. What neither explains comes off the last payments.

    Args:
        left: What each payment (by key) has, changed in place.
        booked: The refund.
        facts: For the transactions.
        payments: All payments, in their order.

    Returns:
        What could be taken off.
    """
    taken = ZERO
    for part in booked.parts:
        wanted = min(part.amount, booked.money - taken)
        for key in _sources(part, booked.refund, facts, payments):
            amount = min(left[key], wanted)
            if amount > 0:
                left[key] -= amount
                wanted -= amount
                taken += amount
    return taken


def _raise_again(left: dict[str, Decimal], amount: Decimal, payments: Sequence[Payment]) -> None:
    """Give payments back what a surplus took off them: the last ones, which it did first."""
    for payment in reversed(payments):
        more = min(amount, payment.most - left[payment.key])
        left[payment.key] += more
        amount -= more


def _sources(
    part: RefundPayment, refund: Refund, facts: OrderFacts, payments: Sequence[Payment]
) -> list[str]:
    """The payments to lower: the refunded transaction's, then its gateway's, then the last ones.

    Of captures of one authorization the one that the refund leads to comes before the others, and
    what came in after the refund comes after all that it may have given back.
    """
    transactions = {row.id: row for row in facts.transactions}

    def reversed_by(transaction_id: int | None) -> list[int]:
        """The transaction, what it refers to, and so on."""
        chain = list[int]()
        while transaction_id is not None and transaction_id not in chain:
            chain.append(transaction_id)
            row = transactions.get(transaction_id)
            transaction_id = row.reference_id if row else None
        return chain

    refunded = reversed_by(part.transaction_id)

    def rank(entry: tuple[int, Payment]) -> tuple[int, bool, bool, int]:
        position, payment = entry
        row = transactions.get(payment.transaction_id or 0)
        same_gateway = row is not None and bool(row.gateway) and row.gateway == part.provider_id
        shared = [
            refunded.index(one) for one in reversed_by(payment.transaction_id) if one in refunded
        ]
        later = row is not None and row.created > refund.created
        return (min(shared, default=len(refunded)), later, not same_gateway, -position)

    return [payment.key for _, payment in sorted(enumerate(payments), key=rank)]


def _money(facts: OrderFacts, amount: Decimal) -> str:
    return with_currency(amount, facts.order.currency)


def _unexplained(facts: OrderFacts, refund: Refund) -> list[Parked]:
    """A refund whose payments do not add up to its total."""
    currency = facts.order.currency
    paid = in_currency(total(payment.amount for payment in refund.payments), currency)
    if paid == in_currency(refund.total_amount, currency):
        return []
    how = f"its payments come to {_money(facts, paid)}" if refund.payments else "it has no payment"
    return [
        Parked(
            Reason.REFUND_MISMATCH,
            f"Order {facts.order.id}: refund {refund.id} is over"
            f" {_money(facts, refund.total_amount)}, but {how}; only the payments are booked.",
            "Look up in the shop what went back, and correct the invoice and its payment by hand.",
        )
    ]


def _too_much(facts: OrderFacts, refund: Refund, money: Decimal, standing: Decimal) -> Parked:
    return Parked(
        Reason.REFUND_MISMATCH,
        f"Order {facts.order.id}: refund {refund.id} sent back {_money(facts, money)}, but only"
        f" {_money(facts, standing)} of the invoice are left.",
        "Look up in the shop what went back beyond the order, and book it by hand.",
    )


def _unpaid(facts: OrderFacts, refund: Refund, money: Decimal, short: Decimal) -> Parked:
    return Parked(
        Reason.REFUND_EXCEEDS_PAYMENTS,
        f"Order {facts.order.id}: refund {refund.id} sent back {_money(facts, money)}, which is"
        f" {_money(facts, short)} more than the payments in the books.",
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
    explained = booked + declined >= due if status == OrderStatus.REFUNDED else bool(facts.refunds)
    if status not in REFUNDED_STATUSES or explained:
        return []
    word = "Refunded" if status == OrderStatus.REFUNDED else "Partially Refunded"
    beyond = f" beyond a surplus of {_money(facts, absorbed)}" if absorbed else ""
    return [
        Parked(
            Reason.REFUND_MISSING,
            f"Order {facts.order.id} over {_money(facts, due)} has the status {word}, but its"
            f" refunds come to {_money(facts, booked)}{beyond}.",
            "The money went back outside the shop, or not at all: book the rest by hand in"
            " FreshBooks, or record the refund in the shop and replay the order.",
        )
    ]
