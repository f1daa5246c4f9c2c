"""Orders of marketplaces: where the tax that the shopper paid is not the shop's.

Amazon, eBay and others sell in the shop's name, but collect the sales tax and remit it themselves,
because the law makes them answerable for it. The order in the shop still bears that tax. Whether
it is the shop's depends on marketplace and country, so the bookkeeper says it for each:

- `net`: the marketplace remits the tax. The sale is booked without: lines, total, payments and
  refunds alike, and the invoice says who remits how much.
- `own`: the tax is the shop's, and the order is booked as any other.
- `skip`: the order is booked elsewhere, from the marketplace's own statements.

An order of a marketplace that nobody placed, and that bears tax, waits for that decision. A system
that merely handed the order over (`external`, `manual`, `checkout_api`) is no marketplace, unless
it is placed like one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from target_freshbooks.books.desired import Parked, Reason
from target_freshbooks.books.money import decimals_of, rounded

if TYPE_CHECKING:
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import Order

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
    """Whose order it is, and what the bookkeeper said of such; None: nothing."""

    name: str
    treatment: Treatment | None


def marketplace_of(order: Order, policy: Policy) -> Marketplace | None:
    """The marketplace that the order was sold through; None for the shop's own sales.

    What the bookkeeper placed comes first: a channel by its number, then a word of the sources.
    """
    sources = (order.source, order.external_source)
    known = next((KNOWN[word] for word in KNOWN if any(_says(one, word) for one in sources)), "")
    for place, treatment in policy.marketplace_sources:
        by_channel = place == f"channel:{order.channel_id}"
        if by_channel or any(_says(one, place) for one in sources):
            called = "The marketplace" if by_channel else place
            return Marketplace(known or called, treatment)
    return Marketplace(known, None) if known else None


def _says(source: str, word: str) -> bool:
    """Whether the word stands in the source by itself, as in `Amazon US` or `tiktok_shop`."""
    folded = source.lower().replace("_", " ")
    pattern = rf"(?<![a-z0-9]){re.escape(word.replace('_', ' '))}{_SUFFIX}(?![a-z0-9])"
    return re.search(pattern, folded) is not None


def is_skipped(order: Order, policy: Policy) -> bool:
    """Whether the order is left to whoever books the marketplace's statements."""
    sold_through = marketplace_of(order, policy)
    return sold_through is not None and sold_through.treatment == "skip"


def is_net(order: Order, policy: Policy) -> bool:
    """Whether the order's tax is the marketplace's to remit."""
    sold_through = marketplace_of(order, policy)
    return sold_through is not None and sold_through.treatment == "net"


def undecided(order: Order, policy: Policy) -> Parked | None:
    """What is to be decided before the order can be booked; None for nothing."""
    sold_through = marketplace_of(order, policy)
    if sold_through is None or sold_through.treatment or not order.total_tax:
        return None
    tax = rounded(order.total_tax, decimals_of(order.currency))
    return Parked(
        Reason.MARKETPLACE_TAX,
        f"Order {order.id} was sold through {sold_through.name} and bears {tax} {order.currency} of"
        " tax, but nobody said who remits it.",
        f'Name {sold_through.name} in marketplace_sources: "net" if it remits the tax itself, "own"'
        ' if you do, "skip" to book its orders by hand; then replay the order.',
    )


def remitted_note(order: Order, policy: Policy) -> str:
    """Who collected the order's tax and remits it; empty where that is the shop itself."""
    sold_through = marketplace_of(order, policy)
    tax = rounded(order.total_tax, decimals_of(order.currency))
    if sold_through is None or sold_through.treatment != "net" or not tax:
        return ""
    return f"{sold_through.name} collected and remits {tax} tax"
