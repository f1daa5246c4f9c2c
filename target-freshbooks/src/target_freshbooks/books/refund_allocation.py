"""Refund allocation: what a refund took back, as net amounts by tax, from what it names.

A refund names items: a number of pieces of an order line, wrapping of a line, shipping or handling
to an address, a fee, or an amount "of the order". What they cost after discounts is known from the
order's parts. BigCommerce leaves open whether a requested amount is with or without tax, so both
are tried, and believed if they give the refund's own total and tax.

BigCommerce says of an amount of the order that there is no tax in it, whatever the order bears.
Where prices include tax that cannot be: such an amount takes its share of each group of the order's
taxes. Where prices are without, it takes none. `order_refund_tax` settles it otherwise. Gift
certificates that were sold have no part in it, as long as the goods come to so much: what goes
beyond them, or beyond what earlier refunds left of them, is taken back from the certificates.

Where the items do not explain the amounts (the merchant typed them, only a tax was corrected, a row
is missing) the refund's `total_amount` and `total_tax` decide: taxed with a rate of the order if
one fits, or with those of all that was sold together, else as an untaxed amount and an amount for
the tax; of that no more than earlier refunds have left of the taxes that were charged.

There is nothing to guess about a refund that takes all that is left, of everything or of the goods,
whatever it says: it gives back exactly what the refunds before it have left, tax by tax (but for an
amount of the order where `order_refund_tax` says `none`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Literal, Self

from target_freshbooks.books.breakdown import Part
from target_freshbooks.books.charges import ChargeKind
from target_freshbooks.books.desired import LineTax
from target_freshbooks.books.draft_lines import TIMES
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.refund_lines import Allocation, gross_of
from target_freshbooks.books.refund_remainder import (
    Remainder,
    all_that_is_left,
    certificate_item,
    remainder,
    remainder_of_goods,
)
from target_freshbooks.books.taxes import UNNAMED
from target_freshbooks.money import HUNDRED, ZERO, cent, plain, pro_rata, sum_by_key, total
from target_freshbooks.shop.facts import Order, Refund, RefundItem

Side = Literal["inc", "ex"]

_KINDS = {
    "PRODUCT": (ChargeKind.PRODUCT, ChargeKind.GIFT_CERTIFICATE),
    "GIFT_WRAPPING": (ChargeKind.WRAPPING,),
    "SHIPPING": (ChargeKind.SHIPPING,),
    "HANDLING": (ChargeKind.HANDLING,),
    "FEE": (ChargeKind.FEE,),
}


@dataclass(frozen=True, slots=True)
class _Shares:
    """What an amount of the whole order has a share of."""

    groups: Mapping[tuple[LineTax, ...], Decimal]
    """What is left of the goods with tax, by their taxes; empty where the amount bears none."""
    left: Decimal
    """What earlier refunds have left of all the goods."""
    item: str
    """The item of the certificates that were sold with them; empty if none was."""
    least: Decimal
    """The least amount there is of the currency."""

    @classmethod
    def of(
        cls, parts: Sequence[Part], earlier: Iterable[Allocation], least: Decimal, *, taxed: bool
    ) -> Self:
        nets = remainder_of_goods(parts, earlier)
        goods = {taxes: gross_of(taxes, net) for taxes, net in nets.items()}
        left = max(total(goods.values()), ZERO)
        groups = {taxes: max(gross, ZERO) for taxes, gross in goods.items()}
        item = next(filter(None, map(certificate_item, parts)), "")
        return cls(groups if taxed else {}, left, item, least)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What refunds took back.

    Attributes:
        taken: Off the invoice.
        noted: By credit notes.
    """

    taken: tuple[Allocation, ...] = ()
    noted: tuple[Allocation, ...] = ()

    def __add__(self, other: Self) -> Self:
        """What both took back."""
        return replace(self, taken=self.taken + other.taken, noted=self.noted + other.noted)


def allocate(
    refund: Refund,
    order: Order,
    parts: Sequence[Part],
    policy: Policy,
    decimals: int,
    went_back: Decimal,
    earlier: TakenBack,
) -> tuple[Allocation, ...]:
    """What the refund took back, adding up to its `total_amount`.

    Args:
        refund: The refund.
        order: Its order.
        parts: What the order charged for.
        policy: Whether an amount of the order shares its taxes.
        decimals: Of the currency.
        went_back: What of it went back for what was sold.
        earlier: What the refunds before it took back.
    """
    parts = [part for part in parts if part.kind is not ChargeKind.REDEEMED]
    taxed = shares_taxes(order, policy)
    shares = _Shares.of(parts, earlier.taken, cent(decimals), taxed=taxed)
    left = remainder(parts, (*earlier.taken, *earlier.noted))
    goods = {key: net for key, net in left.items() if not key[0]}
    allocations = _explained(refund, parts, shares, goods, decimals)
    if policy.order_refund_tax == "none" and any(one.of_order for one in allocations):
        return allocations
    part = went_back / refund.total_amount if refund.total_amount else ZERO
    return (
        all_that_is_left(allocations, left, part, cent(decimals))
        or all_that_is_left(allocations, goods, part, cent(decimals))
        or allocations
    )


def _explained(
    refund: Refund,
    parts: Sequence[Part],
    shares: _Shares,
    left: Remainder,
    decimals: int,
) -> tuple[Allocation, ...]:
    """What the refund's items tell, else what its amounts do."""
    sides: tuple[Side, ...] = ("inc", "ex")
    for by_quantity, side in product((True, False), sides) if refund.items else ():
        allocations = _by_items(refund, parts, shares, by_quantity=by_quantity, side=side)
        if allocations is not None and _agree(allocations, refund, decimals):
            return allocations
    return _by_totals(refund, parts, left, decimals)


def shares_taxes(order: Order, policy: Policy) -> bool:
    """Whether an amount refunded of the whole order has its share of the order's taxes."""
    default = "share" if order.tax_inclusive else "none"
    return (policy.order_refund_tax or default) == "share"


def _agree(allocations: Sequence[Allocation], refund: Refund, decimals: int) -> bool:
    slack = cent(decimals) * len(allocations)
    taxes = total(one.tax for one in allocations if not one.of_order)
    return (
        abs(total(one.gross for one in allocations) - refund.total_amount) <= slack
        and abs(taxes - refund.total_tax) <= slack
    )


def _by_items(
    refund: Refund,
    parts: Sequence[Part],
    shares: _Shares,
    *,
    by_quantity: bool,
    side: Side,
) -> tuple[Allocation, ...] | None:
    allocations = list[Allocation]()
    for item in refund.items:
        asked = item.requested_amount or ZERO
        if item.item_type == "ORDER":
            allocations += _of_order(asked, shares)
        elif item.item_type == "TAX":
            allocations.append(Allocation(ZERO, (), _by_rate(asked, parts)))
        else:
            part = _part_of(item, parts)
            if part is None:
                return None
            allocations.append(_of_part(item, part, by_quantity=by_quantity, side=side))
    return tuple(allocations)


def _of_order(amount: Decimal, shares: _Shares) -> Iterable[Allocation]:
    """An amount of the whole order, by the taxes of its goods, then of the certificates."""
    beyond = amount - shares.left
    if not shares.item or beyond < shares.least:
        beyond = ZERO
    groups = shares.groups if total(shares.groups.values()) else {(): amount}
    of_goods = pro_rata(amount - beyond, list(groups.values()))
    for taxes, gross in zip(groups, of_goods, strict=True) if amount > beyond else ():
        net = gross / (1 + total(tax.percent for tax in taxes) / HUNDRED)
        yield Allocation(net, taxes, what="Amount of the order", of_order=True)
    if beyond:
        yield Allocation(beyond, what="Amount of the order", of_order=True, item=shares.item)


def _part_of(item: RefundItem, parts: Sequence[Part]) -> Part | None:
    kinds = _KINDS.get(item.item_type, ())
    same = [part for part in parts if part.kind in kinds]
    of_one = [part for part in same if part.ref == item.item_id]
    of_all = [part for part in same if part.ref == 0 and part.kind is not ChargeKind.PRODUCT]
    return next(iter(of_one or of_all), None)


def _of_part(item: RefundItem, part: Part, *, by_quantity: bool, side: Side) -> Allocation:
    asked, what = item.requested_amount, part.name
    if asked is None or (by_quantity and item.quantity is not None):
        pieces = part.quantity if item.quantity is None else item.quantity
        fraction = pieces / part.quantity
        if part.quantity != 1:
            what = f"{plain(pieces)} {TIMES} {part.name}"
    else:
        base = part.gross if side == "inc" else part.net
        fraction = asked / base if base else ZERO
    if item.adjustment and part.gross:
        fraction += item.adjustment / part.gross
    return Allocation(part.net * fraction, part.taxes, what=what, item=certificate_item(part))


def _only_item(parts: Iterable[Part]) -> str:
    """The item of stored value, if nothing else was sold."""
    items = {certificate_item(part) for part in parts}
    return items.pop() if len(items) == 1 else ""


def _by_totals(
    refund: Refund,
    parts: Sequence[Part],
    left: Remainder,
    decimals: int,
) -> tuple[Allocation, ...]:
    net, tax = refund.total_amount - refund.total_tax, refund.total_tax
    by_tax = sum_by_key(
        (one, net * one.percent / HUNDRED) for (_, taxes), net in left.items() for one in taxes
    )
    most = total(max(amount, ZERO) for amount in by_tax.values())
    if by_tax and tax > most + cent(decimals):  # more than is left of the taxes
        shares = tuple((one, max(amount, ZERO)) for one, amount in by_tax.items())
        return (Allocation(refund.total_amount - most, (), shares),)
    named = [part for item in refund.items if (part := _part_of(item, parts)) is not None]
    if net > 0 and tax > 0:
        for part in (*named, *parts):
            by_rate = Allocation(net, part.taxes)
            if part.taxes and abs(by_rate.tax - tax) <= cent(decimals):
                return (by_rate,)
        for sold in (named, [part for part in parts if not certificate_item(part)]):
            together = _in_proportion(refund.total_amount, sold)
            if together and abs(total(one.tax for one in together) - tax) <= cent(decimals):
                return together
    bearing = named if any(part.taxes for part in named) else parts
    shares = _by_rate(tax, bearing) if tax else ()
    return (Allocation(net, (), shares, item="" if tax else _only_item(named or parts)),)


def _in_proportion(amount: Decimal, sold: Sequence[Part]) -> tuple[Allocation, ...]:
    """The amount as a part of all that was sold together; empty if certificates are among it."""
    whole = total(part.gross for part in sold)
    if whole <= 0 or any(map(certificate_item, sold)):
        return ()
    return tuple(Allocation(part.net, part.taxes).times(amount / whole) for part in sold)


def _by_rate(tax: Decimal, parts: Sequence[Part]) -> tuple[tuple[LineTax, Decimal], ...]:
    """An amount of tax, shared out among the taxes that were charged."""
    charged = sum_by_key((one, part.net * one.percent) for part in parts for one in part.taxes)
    if not total(charged.values()):
        charged = {LineTax(UNNAMED, ZERO): tax}
    return tuple(zip(charged, pro_rata(tax, list(charged.values())), strict=True))
