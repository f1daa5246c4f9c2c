"""Stored value: gift certificates and store credit, for which the shop owes goods.

Money for a certificate is no sale yet, and credit given for returned goods is no money that went
back: both are owed to the customer until they are redeemed. With `stored_value` `line` each kind is
one item, and its lines bear no tax: plus where the debt grows (a certificate sold, a refund given
as credit), minus where it falls (redeemed, or a sold certificate taken back). So the item's balance
over all invoices is what is owed. An invoice comes to the order's total less what was redeemed, and
payments are money alone: after a certificate of 50.00 was sold, an order of 40.00 on which 15.00 of
it are redeemed is an invoice over 25.00, paid with 25.00, and 35.00 are owed.

The shop tells what was redeemed by amounts of the order, and by transactions of such methods. Where
only one of both tells it, that one is believed; where they differ nothing is booked.

With `stored_value` `payment` stored value pays for orders as money does, and is no item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from target_freshbooks.books.breakdown import Breakdown, Part
from target_freshbooks.books.charges import ChargeKind
from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.books.items import line_key
from target_freshbooks.books.money_witnesses import (
    GIFT_CERTIFICATE,
    STORE_CREDIT,
    captures,
    credit_of,
    kind_named,
)
from target_freshbooks.books.policy import Policy
from target_freshbooks.money import ONE, in_currency, total, with_currency
from target_freshbooks.shop.facts import Order, OrderFacts, Refund, RefundPayment

KINDS = (GIFT_CERTIFICATE, STORE_CREDIT)


def given_as(part: RefundPayment, policy: Policy) -> str | None:
    """The kind of stored value that a part of a refund was given as; None for money.

    Where stored value pays, filling a certificate again counts as money.
    """
    kind = kind_named(part.provider_id)
    return kind if policy.stored_value == "line" or kind == STORE_CREDIT else None


def noted_kinds(
    stored: Mapping[str, Decimal], refund: Refund, facts: OrderFacts, policy: Policy
) -> Sequence[str]:
    """The kinds of what a refund gave as stored value that are a credit note, and no lines.

    Store credit alone can be one, as credit of the client; but a note that stands stays, for a
    certificate too, whatever the settings are by now.
    """
    if refund.id not in facts.credit_notes:
        by_lines = policy.stored_value == "line" and policy.refund_mode != "credit_note"
        return () if by_lines else (STORE_CREDIT,)
    over_all = facts.credit_notes[refund.id] in {None, total(stored.values())}
    return KINDS if over_all or not stored[STORE_CREDIT] else (STORE_CREDIT,)


def name_of(kind: str, policy: Policy) -> str:
    """What the item of the kind, and each of its lines, is called."""
    names = policy.names
    return names.gift_certificate if kind == GIFT_CERTIFICATE else names.store_credit


def redeemed(facts: OrderFacts) -> dict[str, Decimal]:
    """What was redeemed of each kind, by whichever source tells it."""
    by_rows, by_order = _by_transactions(facts), _by_order(facts.order)
    return {kind: by_order[kind] or by_rows[kind] for kind in KINDS}


def redeem(facts: OrderFacts, breakdown: Breakdown, policy: Policy) -> Breakdown | Parked:
    """The order less what was redeemed on it, which becomes parts of its own, below zero.

    `Parked` if it cannot be told, or is more than the order comes to.
    """
    if policy.stored_value == "payment":
        return breakdown
    order, by_rows, by_order = facts.order, _by_transactions(facts), _by_order(facts.order)
    differ = any(
        by_rows[kind] and by_order[kind] and by_rows[kind] != by_order[kind] for kind in KINDS
    )
    # One kind that only the order tells and one that only the transactions do may be the same.
    alone = {bool(by_order[kind]) - bool(by_rows[kind]) for kind in KINDS}
    if differ or {-1, 1} <= alone:
        return _contradiction(order, by_order, by_rows)
    amounts = [
        (name_of(kind, policy), in_currency(amount, order.currency))
        for kind, amount in redeemed(facts).items()
    ]
    spent = total(amount for _, amount in amounts)
    if spent > breakdown.total:
        return _too_much(order, spent, breakdown.total)
    parts = (
        Part(
            kind=ChargeKind.REDEEMED,
            ref=0,
            name=name,
            description="",
            item_key=line_key(name),
            quantity=ONE,
            list_net=-amount,
            net=-amount,
            taxes=(),
        )
        for name, amount in amounts
        if amount
    )
    return replace(
        breakdown,
        parts=(*breakdown.parts, *parts),
        total=breakdown.total - spent,
        redeemed=spent,
    )


def _by_order(order: Order) -> dict[str, Decimal]:
    """What the order's own amounts say."""
    return {GIFT_CERTIFICATE: order.gift_certificate, STORE_CREDIT: order.store_credit}


def _by_transactions(facts: OrderFacts) -> dict[str, Decimal]:
    """What the transactions say."""
    rows = captures(facts)
    return {kind: total(row.amount for row in rows if credit_of(row) == kind) for kind in KINDS}


def _contradiction(
    order: Order, by_order: Mapping[str, Decimal], by_rows: Mapping[str, Decimal]
) -> Parked:
    def by_kind(amounts: Mapping[str, Decimal]) -> str:
        return " and ".join(
            f"{with_currency(amount, order.currency)} of {kind.replace('_', ' ')}"
            for kind, amount in amounts.items()
            if by_order[kind] or by_rows[kind]
        )

    return Parked(
        Reason.MONEY_UNCLEAR,
        f"By its amounts {by_kind(by_order)} were redeemed on order {order.id}, by its transactions"
        f" {by_kind(by_rows)}.",
        "Look up in the shop what was redeemed; put the order right and replay it, or book it by"
        " hand and settle it.",
    )


def _too_much(order: Order, spent: Decimal, due: Decimal) -> Parked:
    return Parked(
        Reason.MONEY_UNCLEAR,
        f"On order {order.id} {spent} {order.currency} of gift certificates and store credit were"
        f" redeemed, but it comes to {due} {order.currency}.",
        "Give the customer the rest back in the shop and book the order by hand, or put it right"
        " and replay it.",
    )
