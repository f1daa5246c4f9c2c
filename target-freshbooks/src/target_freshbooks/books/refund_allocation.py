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
one fits, else as an untaxed amount and an amount for the tax.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Literal, Self

from target_freshbooks.books.breakdown import Part
from target_freshbooks.books.charges import ChargeKind
from target_freshbooks.books.desired import ExactLine, LineTax
from target_freshbooks.books.draft_lines import TIMES
from target_freshbooks.books.items import line_key
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.taxes import UNNAMED
from target_freshbooks.capabilities import FRESHBOOKS, clean
from target_freshbooks.marks import refund_line
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
class Allocation:
    """Money taken back, with the taxes it bore."""

    net: Decimal
    taxes: tuple[LineTax, ...] = ()
    shares: tuple[tuple[str, Decimal], ...] = ()
    """The tax by name, if it is an amount that no rate of the order gives."""
    what: str = ""
    of_order: bool = False
    """An amount of the whole order, of whose tax the refund says nothing."""
    item: str = ""
    """The item of stored value that was taken back, or is given; empty for all else."""

    @property
    def by_name(self) -> tuple[tuple[str, Decimal], ...]:
        """The tax by name."""
        by_rate = tuple((tax.name, self.net * tax.percent / HUNDRED) for tax in self.taxes)
        return by_rate + self.shares

    @property
    def tax(self) -> Decimal:
        """The tax in it."""
        return total(amount for _, amount in self.by_name)

    @property
    def gross(self) -> Decimal:
        """What went back for it."""
        return self.net + self.tax

    def times(self, part: Decimal) -> Self:
        """A part of it; 1 is all."""
        shares = tuple((name, amount * part) for name, amount in self.shares)
        return replace(self, net=self.net * part, shares=shares)


@dataclass(frozen=True, slots=True)
class _Shares:
    """What an amount of the whole order has a share of."""

    groups: Mapping[tuple[LineTax, ...], Decimal]
    """What the goods came to with tax, by their taxes; empty where it bears none."""
    left: Decimal
    """What earlier refunds have left of that."""
    item: str
    """The item of the certificates that were sold with them; empty if none was."""
    least: Decimal
    """The least amount there is of the currency."""

    @classmethod
    def of(
        cls, parts: Sequence[Part], earlier: Iterable[ExactLine], least: Decimal, *, taxed: bool
    ) -> Self:
        goods = sum_by_key((part.taxes, part.gross) for part in parts if not _stored(part))
        gone = total(
            Allocation(line.net, line.taxes).gross for line in earlier if not line.item_key
        )
        item = next(filter(None, map(_stored, parts)), "")
        left = max(total(goods.values()) + gone, ZERO)
        return cls(goods if taxed else {}, left, item, least)


def allocate(
    refund: Refund,
    order: Order,
    parts: Sequence[Part],
    policy: Policy,
    decimals: int,
    earlier: Iterable[ExactLine] = (),
) -> tuple[Allocation, ...]:
    """What the refund took back, adding up to its `total_amount`.

    Args:
        refund: The refund.
        order: Its order.
        parts: What the order charged for.
        policy: Whether an amount of the order shares its taxes.
        decimals: Of the currency.
        earlier: The lines of the refunds before it on the invoice.
    """
    parts = [part for part in parts if part.kind is not ChargeKind.REDEEMED]
    shares = _Shares.of(parts, earlier, cent(decimals), taxed=shares_taxes(order, policy))
    sides: tuple[Side, ...] = ("inc", "ex")
    for by_quantity, side in product((True, False), sides) if refund.items else ():
        allocations = _by_items(refund, parts, shares, by_quantity=by_quantity, side=side)
        if allocations is not None and _agree(allocations, refund, decimals):
            return allocations
    return _by_totals(refund, parts, decimals)


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
            allocations.append(Allocation(ZERO, (), (("Tax", asked),), "Tax"))
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
    return Allocation(part.net * fraction, part.taxes, what=what, item=_stored(part))


def _stored(part: Part) -> str:
    """The item of a certificate sold, which is taken back from it again."""
    lined = part.kind is ChargeKind.GIFT_CERTIFICATE and part.item_key and not part.taxes
    return part.name if lined else ""


def _only_item(parts: Iterable[Part]) -> str:
    """The item of stored value, if nothing else was sold."""
    items = {_stored(part) for part in parts}
    return items.pop() if len(items) == 1 else ""


def _by_totals(refund: Refund, parts: Sequence[Part], decimals: int) -> tuple[Allocation, ...]:
    net, tax = refund.total_amount - refund.total_tax, refund.total_tax
    named = [part for item in refund.items if (part := _part_of(item, parts)) is not None]
    if net > 0 and tax > 0:
        for part in (*named, *parts):
            by_rate = Allocation(net, part.taxes)
            if part.taxes and abs(by_rate.tax - tax) <= cent(decimals):
                return (by_rate,)
    by_name = sum_by_key(
        tax for part in named or parts for tax in Allocation(part.net, part.taxes).by_name
    )
    if not total(by_name.values()):
        by_name = {UNNAMED: tax}
    amounts = pro_rata(tax, list(by_name.values()))
    shares = tuple(zip(by_name, amounts, strict=True)) if tax else ()
    return (Allocation(net, (), shares, item="" if tax else _only_item(named or parts)),)


def refund_lines(
    refund_id: int, allocations: Sequence[Allocation], sign: int, policy: Policy
) -> tuple[ExactLine, ...]:
    """The refund's lines, one for each group of taxes, not yet in whole cents.

    Those of stored value are called as its item, and say in the description of which refund.

    Args:
        refund_id: For the lines' names.
        allocations: What was taken back.
        sign: -1 on an invoice, 1 on a credit note.
        policy: With `tax_mode` `amount_lines` all taxes become amounts.
    """
    goods = [
        one if policy.tax_mode == "rates" else replace(one, taxes=(), shares=one.by_name)
        for one in allocations
        if not one.item
    ]
    by_amount = sum_by_key(share for one in goods for share in one.shares)
    by_item = sum_by_key((one.item, one.net) for one in allocations if one.item)
    lines = list[ExactLine]()
    for taxes, net in sum_by_key((one.taxes, one.net) for one in goods).items():
        if net:
            extra = " + ".join(tax.name for tax in taxes) or "untaxed"
            name = refund_line(refund_id, extra if lines else "")
            whats = dict.fromkeys(one.what for one in goods if one.what and one.taxes == taxes)
            about = clean("; ".join(whats), FRESHBOOKS.description_length)
            lines.append(ExactLine(name, about, net * sign, taxes))
    lines += [
        ExactLine(refund_line(refund_id, name), "Tax", amount * sign)
        for name, amount in by_amount.items()
        if amount
    ]
    lines += [
        ExactLine(item, refund_line(refund_id), amount * sign, item_key=line_key(item))
        for item, amount in by_item.items()
        if amount
    ]
    return tuple(lines)
