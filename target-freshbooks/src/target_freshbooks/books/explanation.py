"""How an order's figures hang together: what each thing came to, and which part of that is tax.

The shop states every line before discounts, discounts in up to three places, and totals. Whether a
discount was entered with or without tax, whether the line's tax is before or after it, whether the
discount fell on a line or on the shipping, none of that is stated. What must hold is

    total_inc_tax = everything charged, with tax, after discounts
    total_tax     = the tax in it

So the possible readings are tried in the order of their authority, and the first that gives both
totals exactly is believed. A reading counts as exact when rounding the things to whole cents
explains the difference; one within the tolerance is kept as second best, its difference becoming a
Rounding line. When no reading comes that close, the order's figures contradict each other (totals
overridden through the API) and the order is not bent into shape: it is held for a person.

Discounts are looked for, in this order: in what the shop says the line cost in the end; in the
discounts listed on the lines; in the order's own discount, spread over the lines by price. A part
of the order's discounts that the lines do not show can only have fallen on shipping (a
free-shipping coupon). The tax of a thing is looked for in its tax rows (fees may have none of their
own), in the shop's own figure, and in its rate; failing all these the order's whole tax is spread
as the rates would have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Literal

from target_freshbooks.books.money import HUNDRED, ZERO, cent, is_whole, pro_rata, total
from target_freshbooks.books.taxes import percents
from target_freshbooks.books.things import Thing, ThingKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_freshbooks.books.shop import Order, TaxRow

Side = Literal["inc", "ex"]
Source = Literal["rows", "mixed", "shop", "rate", "spread"]

_OFF = 3
"""Grade of a sum that misses its total by more than the tolerance."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Net and tax of every thing, after discounts, and how well they give the order's totals."""

    nets: tuple[Decimal, ...]
    taxes: tuple[Decimal, ...]
    offs: tuple[Decimal, ...]
    """The discount on each thing, with or without tax as the shop had entered it."""
    grade: int
    """0 exact; up to 2 where rounding explains the rest, more within the tolerance."""


@dataclass(frozen=True, slots=True)
class _Reading:
    offs: tuple[Decimal, ...]
    side: Side
    source: Source


def explain(
    order: Order, things: Sequence[Thing], pool: Sequence[TaxRow], decimals: int, tolerance: Decimal
) -> Explanation | None:
    """The best reading of the order's figures, or None where they contradict each other."""
    if abs(order.total_inc_tax - order.total_ex_tax - order.total_tax) > cent(decimals):
        return None
    best: Explanation | None = None
    for reading in _readings(order, things):
        found = _tried(reading, order, things, pool, (decimals, tolerance))
        if found is not None and (best is None or found.grade < best.grade):
            best = found
            if best.grade == 0:
                break
    return best


def stated(things: Sequence[Thing]) -> Explanation:
    """The things as the shop states them, for an order whose totals contradict them."""
    incs = [t.inc if t.discounted_inc is None else t.discounted_inc for t in things]
    taxes = [min(max(t.inc - t.ex, ZERO), inc) for t, inc in zip(things, incs, strict=True)]
    return Explanation(
        tuple(inc - tax for inc, tax in zip(incs, taxes, strict=True)),
        tuple(taxes),
        tuple(t.inc - inc for t, inc in zip(things, incs, strict=True)),
        _OFF,
    )


def _readings(order: Order, things: Sequence[Thing]) -> Iterator[_Reading]:
    sides: tuple[Side, ...] = ("inc", "ex") if order.tax_inclusive else ("ex", "inc")
    sources: tuple[Source, ...] = ("rows", "mixed", "shop", "rate", "spread")
    for offs, only in _discounts(order, things):
        for side, source in product([only] if only else sides, sources):
            yield _Reading(offs, side, source)


def _discounts(
    order: Order, things: Sequence[Thing]
) -> Iterator[tuple[tuple[Decimal, ...], Side | None]]:
    """The discounts on the things in each way to see them, and their side where it is known."""
    whole = order.discount_amount + order.coupon_discount
    stated_offs = [
        t.inc - t.discounted_inc if t.discounted_inc is not None else None for t in things
    ]
    if all(off is not None for off, t in zip(stated_offs, things, strict=True) if t.is_line):
        known = [off or ZERO for off in stated_offs]
        if any(known):
            yield tuple(known), "inc"
        yield from ((offs, "inc") for offs in _with_shipping(known, whole, things))
    applied = [t.applied for t in things]
    if any(applied):
        yield tuple(applied), None
        yield from ((offs, None) for offs in _with_shipping(applied, whole, things))
    if not whole:
        yield tuple(ZERO for _ in things), None
        return
    shipping = total(t.inc for t in things if t.kind is ThingKind.SHIPPING)
    if not any(applied) and whole == shipping:
        yield from ((offs, None) for offs in _with_shipping(applied, whole, things))
    rest = whole - total(applied)
    if rest > 0:
        goods = [t.kind is ThingKind.PRODUCT for t in things]
        for prices in ([t.inc for t in things], [t.ex for t in things]):
            spread = pro_rata(
                rest, [price if good else ZERO for price, good in zip(prices, goods, strict=True)]
            )
            yield tuple(a + s for a, s in zip(applied, spread, strict=True)), None
    yield from ((offs, None) for offs in _with_shipping(applied, whole, things))


def _with_shipping(
    offs: Sequence[Decimal], whole: Decimal, things: Sequence[Thing]
) -> Iterator[tuple[Decimal, ...]]:
    """The order's discounts that the lines do not show, on the shipping, if it costs as much."""
    rest = whole - total(offs)
    shipping = [t.inc if t.kind is ThingKind.SHIPPING else ZERO for t in things]
    if 0 < rest <= total(shipping):
        spread = pro_rata(rest, shipping)
        yield tuple(off + share for off, share in zip(offs, spread, strict=True))


def _tried(
    reading: _Reading,
    order: Order,
    things: Sequence[Thing],
    pool: Sequence[TaxRow],
    exactness: tuple[int, Decimal],
) -> Explanation | None:
    amounts = [
        (t.inc if reading.side == "inc" else t.ex) - off
        for t, off in zip(things, reading.offs, strict=True)
    ]
    decimals, tolerance = exactness
    taxes = _taxes(reading, order, things, pool, amounts)
    if taxes is None:
        return None
    if reading.side == "ex":
        nets = amounts
    else:
        nets = [amount - tax for amount, tax in zip(amounts, taxes, strict=True)]
        if not order.tax_inclusive:
            nets = [
                t.ex if not off and abs(net - t.ex) < cent(decimals) else net
                for t, off, net in zip(things, reading.offs, nets, strict=True)
            ]
    grosses = [net + tax for net, tax in zip(nets, taxes, strict=True)]
    grades = (
        _grade(grosses, order.total_inc_tax, decimals, tolerance),
        _grade(taxes, order.total_tax, decimals, tolerance),
    )
    if _OFF in grades:
        return None
    return Explanation(tuple(nets), tuple(taxes), reading.offs, sum(grades))


def _taxes(
    reading: _Reading,
    order: Order,
    things: Sequence[Thing],
    pool: Sequence[TaxRow],
    amounts: Sequence[Decimal],
) -> list[Decimal] | None:
    if reading.source in ("rows", "mixed"):
        if not any(t.rows for t in things):
            return None
        unnamed = reading.source == "mixed"
        return [
            t.tax if unnamed and not t.rows else total(row.amount for row in t.rows) for t in things
        ]
    if reading.source == "shop":
        return [t.tax for t in things]
    rates = [_rate(t, pool) for t in things]
    by_rate = [
        amount * rate if reading.side == "ex" else amount * rate / (1 + rate)
        for amount, rate in zip(amounts, rates, strict=True)
    ]
    if reading.source == "rate":
        return by_rate
    weights = by_rate if any(by_rate) else [max(amount, ZERO) for amount in amounts]
    return pro_rata(order.total_tax, weights)


def _rate(thing: Thing, pool: Sequence[TaxRow]) -> Decimal:
    """The part of its net amount that the thing's tax is, from before the discounts."""
    actual = (thing.inc - thing.ex) / thing.ex if thing.ex else ZERO
    rows = thing.rows or tuple(pool)
    if not rows:
        return actual
    options = [
        total(percents(chosen, compound=compound)) / HUNDRED
        for chosen in ([*rows], *([row] for row in rows))
        for compound in (True, False)
    ]
    nearest = min(options, key=lambda rate: abs(rate - actual))
    # Amounts of four decimals (or of cents, on small prices) give the rate away only roughly.
    near = abs(thing.ex * nearest - (thing.inc - thing.ex)) <= Decimal("0.006") * thing.quantity
    return nearest if near else actual


def _grade(amounts: Sequence[Decimal], wanted: Decimal, decimals: int, tolerance: Decimal) -> int:
    """How well the amounts add up: 0 to the cent, 1 by rounding each, 2 within the tolerance."""
    off = abs(total(amounts) - wanted)
    half = cent(decimals) / 2
    if off <= half:
        return 0
    if off <= half * (1 + sum(not is_whole(amount, decimals) for amount in amounts)):
        return 1
    return 2 if off <= tolerance else _OFF
