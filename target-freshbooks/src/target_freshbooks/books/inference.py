"""Inference: how an order's figures hang together: what was charged, what taken off, which tax.

The shop states every line before discounts, discounts in up to three places, and totals. Whether a
discount was entered with or without tax, whether it fell on a line or on the shipping, whether
later rates compound, none of that is stated. What must hold is

    total_inc_tax = everything charged, with tax, after discounts
    total_tax     = the tax in it

So the possible readings are tried in the order of their authority, and the first is believed that
gives both totals exactly and every stated tax. Net amounts follow from the rates: a price with tax
is divided by 1 + rates, a price without stands as it is stated. The shop may have rounded the tax
of the whole, of each charge, or otherwise (its tax rows tell); any of these makes a reading exact.
Of those that are exact the one counts whose taxes come nearest to what each charge and its tax rows
state: they tell whether a later rate is charged on earlier ones, and where a discount fell. But
where cents alone speak for the other, prices are with tax or without as the shop says, so that none
is moved. Next best is one that half cents explain, then one within the tolerance. One that gives
the total but another tax than the shop's says what was charged, and the difference is told later,
against the invoice. If no reading comes that close, the order's figures contradict each other
(totals overridden through the API) and the order is not bent into shape: it is held for a person.

Discounts are looked for in those listed on the lines, in what the shop says the line cost in the
end, and in the order's own discount, spread over the lines by price. A part of the order's
discounts that the lines do not show can only have fallen on shipping (a free-shipping coupon).
Where prices are without tax, so are discounts, as a rule; the lines then tell them with it, and the
order's own figure is the exact one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from operator import itemgetter
from typing import Literal

from target_freshbooks.books.charges import Charge, ChargeKind
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.rounding import tolerance
from target_freshbooks.books.taxes import ChargedTax, taxes_at
from target_freshbooks.money import HUNDRED, ONE, ZERO, cent, pro_rata, rounded, total
from target_freshbooks.shop.facts import Order

Side = Literal["inc", "ex"]
Amounts = tuple[Decimal, ...]

UNEXPLAINED_TAX = 3
"""The grade of a reading that gives the order's total, but another tax than the shop's."""
CONTRADICTION = 4
"""The grade of a reading that does not give the order's total."""


@dataclass(frozen=True, slots=True)
class Inference:
    """Net amounts and taxes of every charge, and how well they give the order's totals."""

    list_nets: Amounts
    """Before discounts."""
    nets: Amounts
    """After discounts."""
    taxes: tuple[tuple[ChargedTax, ...], ...]
    """By rate, without what was overridden."""
    grade: int
    """0 exact, 1 but for half cents, 2 within the tolerance, 3 but for the tax, else 4."""
    misfit: Decimal
    """How far the taxes by rate are from what the shop states of each charge, roundings apart."""


@dataclass(frozen=True, slots=True)
class _Reading:
    prices: Side
    offs: Amounts
    offs_side: Side
    compound: bool


def infer(order: Order, charges: Sequence[Charge], policy: Policy, decimals: int) -> Inference:
    """The best reading of the order's figures; of those that contradict them the first."""
    sides: tuple[Side, ...] = ("inc", "ex") if order.tax_inclusive else ("ex", "inc")
    tiers = any(len({row.priority for row in charge.rows}) > 1 for charge in charges)
    discounts = list(_discounts(order, charges, sides))
    slight = max(len(charges), 1) * cent(decimals)
    tried = list[tuple[tuple[int, Decimal, bool, Decimal], Inference]]()
    for prices, compound, discount in product(
        sides, (False, True) if tiers else (False,), discounts
    ):
        reading = _Reading(prices, *discount, compound)
        read = _read(reading, order, charges, policy, decimals)
        rank = (read.grade, read.misfit // slight, prices != sides[0], read.misfit)
        tried.append((rank, read))
        if not any(rank):
            break
    return min(tried, key=itemgetter(0))[1]


def _discounts(
    order: Order, charges: Sequence[Charge], sides: tuple[Side, ...]
) -> Iterator[tuple[Amounts, Side]]:
    """The discount on each charge in each way to see it, with or without tax."""
    discount = order.discount_amount + order.coupon_discount
    applied = tuple(charge.applied for charge in charges)
    ends = tuple(
        ZERO if charge.discounted_inc is None else charge.inc - charge.discounted_inc
        for charge in charges
    )
    ended = all(charge.discounted_inc is not None for charge in charges if charge.is_line)
    shipping = total(charge.inc for charge in charges if charge.kind is ChargeKind.SHIPPING)
    for offs, is_stated in ((applied, any(applied)), (ends, ended)):
        # The lines' ends are with tax, the order's may be without: then free shipping shows in no
        # difference of the two.
        rests = (discount - total(offs), shipping) if offs == ends else (discount - total(offs),)
        on_shipping = [
            more for rest in rests if is_stated for more in _on_shipping(offs, rest, charges)
        ]
        for more in ([offs] if any(offs) else []) + on_shipping:
            # What a line cost in the end is told with tax.
            yield from ((more, side) for side in (("inc",) if offs == ends else sides))
    none = tuple(ZERO for _ in charges)
    if not discount:
        yield none, sides[0]
        return
    if discount == shipping and not any(applied):
        yield from ((offs, sides[0]) for offs in _on_shipping(none, discount, charges))
    rest = discount - total(applied)
    for prices in ([c.inc for c in charges], [c.ex for c in charges]) if rest > 0 else ():
        goods = [
            price if charge.kind is ChargeKind.PRODUCT else ZERO
            for price, charge in zip(prices, charges, strict=True)
        ]
        spread = pro_rata(rest, goods)
        offs = tuple(a + s for a, s in zip(applied, spread, strict=True))
        yield from ((offs, side) for side in sides)
    yield from ((offs, sides[0]) for offs in _on_shipping(applied, rest, charges))


def _on_shipping(offs: Amounts, rest: Decimal, charges: Sequence[Charge]) -> Iterator[Amounts]:
    """The discounts on the lines, and a rest not shown there on the shipping, if it costs that.

    On all of it, and on that of each address.
    """
    shipping = [c.inc if c.kind is ChargeKind.SHIPPING else ZERO for c in charges]
    if 0 < rest <= total(shipping):
        spread = pro_rata(rest, shipping)
        yield tuple(off + share for off, share in zip(offs, spread, strict=True))
        for at, cost in enumerate(shipping):
            if rest <= cost < total(shipping):
                yield (*offs[:at], offs[at] + rest, *offs[at + 1 :])


def _read(
    reading: _Reading, order: Order, charges: Sequence[Charge], policy: Policy, decimals: int
) -> Inference:
    taxes = tuple(taxes_at(charge, policy, compound=reading.compound) for charge in charges)
    factors = [1 + total(tax.percent for tax in of_charge) / HUNDRED for of_charge in taxes]
    list_nets, offs = _nets(reading, order, charges, factors, cent(decimals))
    nets = tuple(price - off for price, off in zip(list_nets, offs, strict=True))
    with_tax = reading.prices == reading.offs_side == "inc"
    grosses = [
        charge.inc - off if with_tax else net * factor + charge.override
        for charge, off, net, factor in zip(charges, reading.offs, nets, factors, strict=True)
    ]
    by_rate = [gross - net for gross, net in zip(grosses, nets, strict=True)]
    by_charge = [rounded(tax, decimals) for tax in by_rate]
    stated = [charge.stated_tax for charge in charges]
    misses = []
    for amounts in (by_rate, by_charge, stated):
        sums = grosses if with_tax else [n + t for n, t in zip(nets, amounts, strict=True)]
        misses.append(
            (abs(total(sums) - order.total_inc_tax), abs(total(amounts) - order.total_tax))
        )
    limits = (tolerance(policy, decimals), cent(decimals) / 2, len(charges))
    misfit = _misfit(charges, list_nets, nets, factors, cent(decimals) / 2)
    return Inference(list_nets, nets, taxes, _grade(misses, *limits), misfit)


def _misfit(
    charges: Sequence[Charge],
    list_nets: Amounts,
    nets: Amounts,
    factors: Sequence[Decimal],
    half: Decimal,
) -> Decimal:
    """How far the taxes by rate are from those stated: by each charge, and by its own tax rows."""
    misfit = ZERO
    for charge, listed, net, factor in zip(charges, list_nets, nets, factors, strict=True):
        slack = half * max(charge.quantity, ONE) * max(len(charge.rows), 1)
        by_price = listed * (factor - 1) + charge.override - (charge.inc - charge.ex)
        misfit += max(abs(by_price) - slack, ZERO)
        if charge.own:
            by_row = net * (factor - 1) + charge.override - charge.stated_tax
            misfit += max(abs(by_row) - slack, ZERO)
    return misfit


def _nets(
    reading: _Reading,
    order: Order,
    charges: Sequence[Charge],
    factors: Sequence[Decimal],
    unit: Decimal,
) -> tuple[Amounts, Amounts]:
    """Prices and discounts without tax."""
    prices = tuple(
        (charge.inc - charge.override) / factor if reading.prices == "inc" else charge.ex
        for charge, factor in zip(charges, factors, strict=True)
    )
    if reading.offs_side == "ex":
        return prices, reading.offs
    offs = [off / factor for off, factor in zip(reading.offs, factors, strict=True)]
    discount = order.discount_amount + order.coupon_discount
    if reading.prices == "ex" and abs(total(offs) - discount) <= len(offs) * unit:
        offs = pro_rata(discount, offs)
    return prices, tuple(offs)


def _grade(
    misses: Sequence[tuple[Decimal, Decimal]], most: Decimal, half: Decimal, charges: int
) -> int:
    """How near the totals and the taxes come to the order's, in the way that comes nearest."""
    for grade, limit in enumerate((half, half * (1 + charges), most)):
        if any(max(miss) <= limit for miss in misses):
            return grade
    total_fits = any(gross <= half * (1 + charges) for gross, _ in misses)
    return UNEXPLAINED_TAX if total_fits else CONTRADICTION
