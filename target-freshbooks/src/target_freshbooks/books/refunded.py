"""What a refund took back: net amounts by tax, from the lines, charges and amounts it names.

A refund names items: a number of pieces of an order line, wrapping of a line, shipping or handling
to an address, a fee, or an amount "of the order" that is free of tax. What they cost after
discounts is known from the order's parts. BigCommerce leaves open whether a requested amount is
with or without tax, so both are tried, and believed when they give the refund's own total and tax.

Where the items do not explain the amounts (the merchant typed them, only a tax was corrected, a row
is missing) the refund's `total_amount` and `total_tax` decide: taxed with a rate of the order if
one fits, else as an untaxed amount and an amount for the tax.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Literal

from target_freshbooks.books.desired import InvoiceLine, LineTax
from target_freshbooks.books.money import HUNDRED, ZERO, cent, is_whole, pro_rata, rounded, total
from target_freshbooks.books.slots import ONE, TIMES
from target_freshbooks.books.taxes import UNNAMED, line_taxes
from target_freshbooks.books.text import DESCRIPTION_LIMIT, clean, refund_line
from target_freshbooks.books.things import ThingKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from target_freshbooks.books.breakdown import Part
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import Refund, RefundItem

Side = Literal["inc", "ex"]

_KINDS = {
    "PRODUCT": (ThingKind.PRODUCT, ThingKind.GIFT_CERTIFICATE),
    "GIFT_WRAPPING": (ThingKind.WRAPPING,),
    "SHIPPING": (ThingKind.SHIPPING,),
    "HANDLING": (ThingKind.HANDLING,),
    "FEE": (ThingKind.FEE,),
}


@dataclass(frozen=True, slots=True)
class Take:
    """Money taken back, with the taxes it bore."""

    net: Decimal
    tax: Decimal
    taxes: tuple[LineTax, ...] = ()
    """Percents that give the tax; without any the tax is said as amounts."""
    shares: tuple[tuple[str, Decimal], ...] = field(default=())
    """The tax by name."""
    what: str = ""

    @property
    def gross(self) -> Decimal:
        """What went back for it."""
        return self.net + self.tax


def takes_of(refund: Refund, parts: Sequence[Part], decimals: int) -> tuple[Take, ...]:
    """What the refund took back, adding up to its `total_amount`."""
    if refund.items:
        sides: tuple[Side, ...] = ("inc", "ex")
        for by_quantity, side in product((True, False), sides):
            takes = _by_items(refund, parts, by_quantity=by_quantity, side=side)
            if takes is not None and _agree(takes, refund, decimals):
                return takes
    return _by_totals(refund, parts, decimals)


def _agree(takes: Sequence[Take], refund: Refund, decimals: int) -> bool:
    slack = cent(decimals) * len(takes)
    return (
        abs(total(take.gross for take in takes) - refund.total_amount) <= slack
        and abs(total(take.tax for take in takes) - refund.total_tax) <= slack
    )


def _by_items(
    refund: Refund, parts: Sequence[Part], *, by_quantity: bool, side: Side
) -> tuple[Take, ...] | None:
    found = []
    for item in refund.items:
        if item.item_type == "ORDER":
            found.append(Take(item.requested_amount or ZERO, ZERO, what="Amount of the order"))
        elif item.item_type == "TAX":
            found.append(Take(ZERO, item.requested_amount or ZERO, what="Tax"))
        else:
            part = _part_of(item, parts)
            if part is None:
                return None
            found.append(_of_part(item, part, by_quantity=by_quantity, side=side))
    return tuple(found)


def _part_of(item: RefundItem, parts: Sequence[Part]) -> Part | None:
    kinds = _KINDS.get(item.item_type, ())
    same = [part for part in parts if part.kind in kinds]
    exact = [part for part in same if part.ref == item.item_id]
    whole = [part for part in same if part.ref == 0 and part.kind is not ThingKind.PRODUCT]
    return next(iter(exact or whole), None)


def _of_part(item: RefundItem, part: Part, *, by_quantity: bool, side: Side) -> Take:
    asked = item.requested_amount
    if asked is None or (by_quantity and item.quantity is not None):
        pieces = part.quantity if item.quantity is None else item.quantity
        fraction = pieces / part.quantity
        what = f"{_plain(pieces)} {TIMES} {part.name}" if part.quantity != 1 else part.name
    else:
        base = part.gross if side == "inc" else part.net
        fraction = asked / base if base else ZERO
        what = part.name
    if item.adjustment and part.gross:
        fraction += item.adjustment / part.gross
    return Take(
        net=part.net * fraction,
        tax=part.tax * fraction,
        taxes=line_taxes(part.levies),
        shares=tuple((levy.name, levy.amount * fraction) for levy in part.levies),
        what=what,
    )


def _by_totals(refund: Refund, parts: Sequence[Part], decimals: int) -> tuple[Take, ...]:
    net, tax = refund.total_amount - refund.total_tax, refund.total_tax
    named = [part for item in refund.items if (part := _part_of(item, parts)) is not None]
    if net > 0 and tax > 0:
        for part in (*named, *parts):
            taxes = line_taxes(part.levies)
            if taxes and abs(net * total(t.percent for t in taxes) / HUNDRED - tax) <= cent(
                decimals
            ):
                names = [t.name for t in taxes]
                amounts = pro_rata(tax, [t.percent for t in taxes])
                return (Take(net, tax, taxes, tuple(zip(names, amounts, strict=True))),)
    by_name: dict[str, Decimal] = {}
    for part in named or parts:
        for levy in part.levies:
            by_name[levy.name] = by_name.get(levy.name, ZERO) + levy.amount
    amounts = pro_rata(tax, list(by_name.values())) if total(by_name.values()) else []
    shares = tuple(zip(by_name, amounts, strict=True)) if amounts else ((UNNAMED, tax),)
    return (Take(net, tax, (), shares if tax else ()),)


def scaled(takes: Sequence[Take], part: Decimal) -> tuple[Take, ...]:
    """The takes reduced to a part of the refund (1 is all of it)."""
    return tuple(
        Take(
            take.net * part,
            take.tax * part,
            take.taxes,
            tuple((name, amount * part) for name, amount in take.shares),
            take.what,
        )
        for take in takes
    )


def lines_of(
    refund_id: int, takes: Sequence[Take], sign: int, policy: Policy, decimals: int
) -> tuple[InvoiceLine, ...]:
    """The refund's lines, one for each group of taxes, rounded to cents.

    Args:
        refund_id: For the lines' names.
        takes: What was taken back.
        sign: -1 on an invoice, 1 on a credit note.
        policy: With `tax_mode` `amount_lines` all taxes become amounts.
        decimals: Of the currency.
    """
    groups: dict[tuple[LineTax, ...], tuple[Decimal, list[str]]] = {}
    by_amount: dict[str, Decimal] = {}
    for take in takes:
        taxes = take.taxes if policy.tax_mode == "rates" and _bears(take) else ()
        net, whats = groups.get(taxes, (ZERO, list[str]()))
        groups[taxes] = (net + take.net, [*whats, take.what] if take.what else whats)
        if not taxes:
            for name, amount in take.shares or (((UNNAMED, take.tax),) if take.tax else ()):
                by_amount[name] = by_amount.get(name, ZERO) + amount
    lines = list[InvoiceLine]()
    for taxes, (net, whats) in groups.items():
        amount = rounded(net, decimals) * sign
        if amount:
            extra = " + ".join(tax.name for tax in taxes) or "untaxed"
            name = refund_line(refund_id, extra if lines else "")
            said = clean("; ".join(whats), DESCRIPTION_LIMIT)
            lines.append(InvoiceLine(name, said, ONE, amount, taxes))
    for tax_name, share in by_amount.items():
        amount = rounded(share, decimals) * sign
        if amount:
            name = refund_line(refund_id, tax_name)
            lines.append(InvoiceLine(name, "Tax", ONE, amount))
    return tuple(lines)


def _bears(take: Take) -> bool:
    """Whether the take's percents give its tax (a tax without a net amount has no percent)."""
    return take.net != 0 or take.tax == 0


def _plain(number: Decimal) -> str:
    return format(rounded(number, 0) if is_whole(number, 0) else number.normalize(), "f")
