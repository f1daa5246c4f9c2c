"""Marketplace orders: where the tax that the shopper paid is not the shop's.

Amazon, eBay and others sell in the shop's name, but collect the sales tax and remit it themselves,
because the law makes them answerable for it. The order in the shop still bears that tax. Whether
it is the shop's depends on marketplace and country, so the bookkeeper says it for each:

- `net`: the marketplace remits the tax. The sale is booked without: lines, total, payments and
  refunds alike, and the invoice says who remits how much. An order of 37.48 with 2.48 of tax is an
  invoice of 35.00, of its capture of 37.48 the invoice gets 35.00, and a refund of 10.83 takes off
  10.00. What takes all that is left has all the tax that is left. Of stored value that was redeemed
  nothing is tax: that comes off the money beside it.
- `own`: the tax is the shop's, and the order is booked as any other.
- `skip`: the order is booked elsewhere, from the marketplace's own statements.

An order of a marketplace that nobody placed, and that bears tax, waits for that decision. A system
that merely handed the order over (`external`, `manual`, `checkout_api`) is no marketplace, unless
it is placed like one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.books.money_witnesses import captures, credit_of, kind_named
from target_freshbooks.books.policy import Policy
from target_freshbooks.money import (
    ZERO,
    decimals_of,
    in_currency,
    largest_remainder,
    pro_rata,
    rounded,
    total,
    with_currency,
)
from target_freshbooks.shop.facts import Order, OrderFacts, Refund, Transaction

Treatment = Literal["net", "own", "skip"]
TREATMENTS: tuple[Treatment, ...] = ("net", "own", "skip")

KNOWN = {
    "aliexpress": "AliExpress",
    "allegro": "Allegro",
    "amazon": "Amazon",
    "bol": "bol",
    "cdiscount": "Cdiscount",
    "ebay": "eBay",
    "etsy": "Etsy",
    "fruugo": "Fruugo",
    "kaufland": "Kaufland",
    "mercadolibre": "Mercado Libre",
    "newegg": "Newegg",
    "onbuy": "OnBuy",
    "rakuten": "Rakuten",
    "reverb": "Reverb",
    "shein": "SHEIN",
    "temu": "Temu",
    "tiktok": "TikTok",
    "walmart": "Walmart",
    "wayfair": "Wayfair",
    "wish": "Wish",
    "zalando": "Zalando",
}
"""Marketplaces by the word that tells them in an order's source, and how they write themselves."""

_SUFFIX = r"(?:shops?|marketplace|store)?"
"""What some systems hang onto the name, as in `tiktokshop`."""


@dataclass(frozen=True, slots=True)
class Marketplace:
    """Through whom an order was sold, and what the bookkeeper said of such; None: nothing."""

    name: str
    """Empty for the shop's own sales."""
    treatment: Treatment | None


def marketplace_of(order: Order, policy: Policy) -> Marketplace:
    """The marketplace that the order was sold through.

    What the bookkeeper placed comes first: a channel by its number, then a word of the sources.
    """
    sources = (order.source, order.external_source)
    known = next((KNOWN[word] for word in KNOWN if any(_says(one, word) for one in sources)), "")
    for place, treatment in policy.marketplace_sources:
        by_channel = place == f"channel:{order.channel_id}"
        if by_channel or any(_says(one, place) for one in sources):
            called = "The marketplace" if by_channel else place
            return Marketplace(known or called, treatment)
    return Marketplace(known, None)


@lru_cache(maxsize=4096)
def _says(source: str, word: str) -> bool:
    """Whether the word stands in the source by itself, as in `Amazon US` or `tiktok_shop`."""
    folded = source.lower().replace("_", " ")
    pattern = rf"(?<![a-z0-9]){re.escape(word.replace('_', ' '))}{_SUFFIX}(?![a-z0-9])"
    return re.search(pattern, folded) is not None


def is_skipped(order: Order, policy: Policy) -> bool:
    """Whether the order is left to whoever books the marketplace's statements."""
    return marketplace_of(order, policy).treatment == "skip"


def is_net(order: Order, policy: Policy) -> bool:
    """Whether the order's tax is the marketplace's to remit."""
    return marketplace_of(order, policy).treatment == "net"


def undecided(order: Order, policy: Policy) -> Parked | None:
    """What is to be decided before the order can be booked; None for nothing."""
    sold_through = marketplace_of(order, policy)
    if not sold_through.name or sold_through.treatment or not order.total_tax:
        return None
    tax = with_currency(order.total_tax, order.currency)
    return Parked(
        Reason.MARKETPLACE_TAX,
        f"Order {order.id} was sold through {sold_through.name} and bears {tax} of tax,"
        " but nobody said who remits it.",
        f'Name {sold_through.name} in marketplace_sources: "net" if it remits the tax itself, "own"'
        ' if you do, "skip" to book its orders by hand; then replay the order.',
    )


def remitted_note(order: Order, policy: Policy) -> str:
    """Who collected the order's tax and remits it; empty where that is the shop itself."""
    tax = in_currency(order.total_tax, order.currency)
    if not is_net(order, policy) or not tax:
        return ""
    return f"{marketplace_of(order, policy).name} collected and remits {tax} tax"


def net_facts(
    facts: OrderFacts, policy: Policy, redeemed: Decimal, *, share_taxes: bool
) -> OrderFacts:
    """What came in and went back without the tax in it.

    Args:
        facts: The order with tax.
        policy: Whether an amount refunded of the whole order is said to have none.
        redeemed: What stored value, of which no tax comes off, has taken off its invoice.
        share_taxes: Such an amount has its share of the order's tax.
    """
    order, refunds = facts.order, list[Refund]()
    left, tax_left = order.total_inc_tax, order.total_tax
    surplus = max(total(row.amount for row in captures(facts)) - left, ZERO)
    for one in facts.refunds:
        back = _moved(one)
        share = tax_left / left if share_taxes and left > 0 else ZERO
        tax = one.total_amount * share if _names_no_tax(one) else one.total_tax
        said_untaxed = policy.order_refund_tax == "none" and _is_of_order(one)
        if back:
            part = back / one.total_amount
            least = back - (left + surplus - tax_left)  # the rest is more than is left without tax
            if _is_money(one) and not said_untaxed:
                tax = max(tax, least / part)
            tax = min(tax, tax_left / part)
            tax_left -= tax * part
        refunds.append(_net_refund(one, tax, redeemed, decimals_of(order.currency)))
        left -= back
    net = tuple(refunds)
    return replace(facts, transactions=_net_transactions(facts, net, redeemed), refunds=net)


def _net_transactions(
    facts: OrderFacts, refunds: Sequence[Refund], redeemed: Decimal
) -> tuple[Transaction, ...]:
    """Captures without the tax in them, by their amounts, and what was sent back as its refunds.

    What came in beyond the order bears no tax, nor do captures of just what it comes to without.
    """
    order = facts.order
    captured = [row for row in captures(facts) if not (redeemed and credit_of(row))]
    came_in, due = total(row.amount for row in captured), order.total_inc_tax - redeemed
    share = order.total_tax / due if due else ZERO
    tax_in = ZERO if came_in == due - order.total_tax else share * min(came_in, due)
    parts = [(captured, came_in - tax_in)]
    for credit in (False, True):
        sent_back = [
            row
            for row in facts.transactions
            if row.event == "refund" and bool(credit_of(row)) == credit
        ]
        went_back = _given_back(facts.refunds, credit=credit)
        left = _given_back(refunds, credit=credit) / went_back if went_back else 1 - share
        parts.append((sent_back, total(row.amount for row in sent_back) * left))
    amounts = dict[int, Decimal]()
    for rows, net in parts:
        wanted = rounded(net, decimals_of(order.currency))
        exact = pro_rata(wanted, [row.amount for row in rows])
        shares = largest_remainder(exact, wanted, decimals_of(order.currency))
        amounts |= {row.id: amount for row, amount in zip(rows, shares, strict=True)}
    return tuple(replace(row, amount=amounts.get(row.id, row.amount)) for row in facts.transactions)


def _given_back(refunds: Sequence[Refund], *, credit: bool) -> Decimal:
    """What refunds gave back as stored value, or as money."""
    as_credit = total(
        part.amount for one in refunds for part in one.payments if kind_named(part.provider_id)
    )
    return as_credit if credit else total(one.total_amount for one in refunds) - as_credit


def _is_of_order(refund: Refund) -> bool:
    return all(item.item_type == "ORDER" for item in refund.items)


def _is_money(refund: Refund) -> bool:
    return not any(kind_named(one.provider_id) for one in refund.payments)


def _moved(refund: Refund) -> Decimal:
    """What of it went through."""
    return total(one.amount for one in refund.payments if not one.declined)


def _names_no_tax(refund: Refund) -> bool:
    """Whether the shop says of it that there is no tax in it, whatever the order bears."""
    return not refund.total_tax and _is_of_order(refund)


def _net_refund(refund: Refund, tax: Decimal, redeemed: Decimal, decimals: int) -> Refund:
    if not tax or not refund.total_amount:
        return refund
    part = (refund.total_amount - tax) / refund.total_amount
    amounts = _less_tax(refund, tax, whole_credit=bool(redeemed))
    net_amounts = largest_remainder(amounts, rounded(total(amounts), decimals), decimals)
    return replace(
        refund,
        total_amount=rounded(refund.total_amount - tax, decimals),
        total_tax=ZERO,
        items=tuple(
            item
            if item.requested_amount is None
            else replace(item, requested_amount=item.requested_amount * part)
            for item in refund.items
        ),
        payments=tuple(
            replace(one, amount=amount)
            for one, amount in zip(refund.payments, net_amounts, strict=True)
        ),
    )


def _less_tax(refund: Refund, tax: Decimal, *, whole_credit: bool) -> list[Decimal]:
    """What each part of a refund comes to without the tax in it.

    With `whole_credit` that comes off the money alone, as long as there is enough.
    """
    whole = [whole_credit and bool(kind_named(one.provider_id)) for one in refund.payments]
    bears = refund.total_amount - total(
        one.amount for one, is_whole in zip(refund.payments, whole, strict=True) if is_whole
    )
    if bears < tax:
        whole, bears = [False] * len(whole), refund.total_amount
    part = (bears - tax) / bears
    return [
        one.amount if is_whole else one.amount * part
        for one, is_whole in zip(refund.payments, whole, strict=True)
    ]
