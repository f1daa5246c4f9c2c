"""The invoice's lines before their cents are fixed, in the forms an order can be said in.

- itemised: every thing at its price before discounts, then one negative Discount line for each
  group of taxes (FreshBooks' own `discount_value` is a percentage and cannot hold an amount of
  money);
- net: every thing at what it came to after discounts;
- amounts: every thing untaxed at what it came to, and a line for each tax with its amount.

A line is quantity times unit cost only where the unit cost is in whole cents, since FreshBooks may
keep no more of it. Otherwise it is one piece at the line's total, and the description tells
quantity and unit price: 3 x 9.0909 is one line of 27.27.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from target_freshbooks.books.desired import InvoiceLine, LineTax
from target_freshbooks.books.money import HUNDRED, ZERO, cent, is_whole, rounded
from target_freshbooks.books.taxes import FURTHEST, PERCENT_DECIMALS, Levy, line_taxes
from target_freshbooks.books.text import DESCRIPTION_LIMIT, NAME_LIMIT, clean, other_than_refund
from target_freshbooks.books.things import ThingKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_freshbooks.books.breakdown import Part
    from target_freshbooks.books.policy import LineNames

ONE = Decimal(1)
TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Slot:
    """A line whose amount is known exactly but not yet in whole cents."""

    name: str
    description: str
    net: Decimal
    taxes: tuple[LineTax, ...] = ()
    quantity: Decimal = ONE
    """More than one only where the line can be said as quantity times a whole unit cost."""
    item_key: str = ""

    def line(self, units: int, decimals: int) -> InvoiceLine:
        """The line with its amount in whole smallest units."""
        return InvoiceLine(
            other_than_refund(self.name),
            self.description,
            self.quantity,
            units * cent(decimals) / self.quantity,
            self.taxes,
            self.item_key,
        )


Slots = tuple[Slot, ...]


def itemised(
    parts: Sequence[Part], names: LineNames, decimals: int, *, effective: bool = False
) -> Slots:
    """Things at list price, then Discount lines; `effective`: percents that give the amounts."""
    found, groups = [], dict[tuple[LineTax, ...], Decimal]()
    for part in parts:
        taxes, unsaid = _taxes(part, decimals, effective=effective)
        found.append(_slot(part, part.list_net, taxes, decimals))
        found += unsaid
        off = part.net - part.list_net
        if off:
            groups[taxes] = groups.get(taxes, ZERO) + off
    for taxes, off in groups.items():
        on = f"On what bears {' and '.join(tax.name for tax in taxes)}" if taxes else ""
        found.append(Slot(names.discount, on if len(groups) > 1 else "", off, taxes))
    return tuple(found)


def net(parts: Sequence[Part], decimals: int, *, effective: bool = False) -> Slots:
    """Things at what they came to after discounts, one piece each."""
    found = []
    for part in parts:
        taxes, unsaid = _taxes(part, decimals, effective=effective)
        slot = _slot(part, part.net, taxes, decimals)
        off = rounded(part.list_net - part.net, decimals)
        if off:
            less = f"{rounded(part.list_net, decimals):f} less {off:f} discount"
            said = clean(f"{less}; {slot.description}".rstrip("; "), DESCRIPTION_LIMIT)
            slot = replace(slot, description=said)
        found.append(slot)
        found += unsaid
    return tuple(found)


def amounts(parts: Sequence[Part], decimals: int) -> tuple[Slots, Slots]:
    """Things untaxed at what they came to, and one slot for each tax with its amount."""
    taxes: dict[str, Decimal] = {}
    for part in parts:
        for levy in part.levies:
            taxes[levy.name] = taxes.get(levy.name, ZERO) + levy.amount
    things = tuple(_slot(part, part.net, (), decimals) for part in parts)
    return things, tuple(Slot(name, "Tax", amount) for name, amount in taxes.items() if amount)


def _taxes(part: Part, decimals: int, *, effective: bool) -> tuple[tuple[LineTax, ...], list[Slot]]:
    """The part's taxes as percents, and lines for those that no percent can say."""
    said, unsaid = list[Levy](), list[Slot]()
    for levy in part.levies:
        actual = levy.effective(part.net)
        if actual is None:
            unsaid.append(Slot(levy.name, f"Tax on {part.name}", levy.amount))
        else:
            own = effective and not _gives(levy, part.net, decimals)
            own = own and abs(actual - levy.percent) <= FURTHEST
            percent = rounded(actual, PERCENT_DECIMALS) if own else levy.percent
            said.append(Levy(levy.name, percent, levy.amount))
    return line_taxes(tuple(said)), unsaid


def _gives(levy: Levy, net_amount: Decimal, decimals: int) -> bool:
    """Whether the shop's percent gives the shop's amount, as far as a cent can tell."""
    return abs(net_amount * levy.percent / HUNDRED - levy.amount) <= cent(decimals) / 2


def _slot(part: Part, amount: Decimal, taxes: tuple[LineTax, ...], decimals: int) -> Slot:
    unit = amount / part.quantity
    if is_whole(unit, decimals) and is_whole(part.quantity, 0) and unit * part.quantity == amount:
        return Slot(part.name, part.description, amount, taxes, part.quantity, part.item_key)
    said = f"{_plain(part.quantity)} {TIMES} {_plain(rounded(unit, 4))}"
    description = part.description
    if part.quantity != 1 and part.kind in (ThingKind.PRODUCT, ThingKind.GIFT_CERTIFICATE):
        description = clean(f"{said}; {description}".rstrip("; "), DESCRIPTION_LIMIT)
    return Slot(part.name, description, amount, taxes, ONE, part.item_key)


def _plain(number: Decimal) -> str:
    return format(number.normalize() + ZERO, "f")


def placeholder(name: str) -> InvoiceLine:
    """The line of an order without any, since an invoice needs one."""
    return InvoiceLine(clean(name, NAME_LIMIT), "", ONE, ZERO)
