"""What FreshBooks will make of the lines: the invoice's total, in every way it may round.

FreshBooks takes quantity, unit cost and tax percents, and computes the rest itself; only the total
it answers counts. How it rounds is not published. It may round

- the tax of each line, or the sum of each tax over the invoice (each rate, or each name);
- half a cent up (away from zero), or to the even cent;
- an amount to two decimals in every currency, or to those of the currency (yen have none).

Lines that come to the same total in all of these ways need no mending whatever FreshBooks does.
Unit costs are always sent in whole cents and tax comes after the discount lines, so that neither
the decimals of unit costs nor percentage discounts can matter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Literal

from target_freshbooks.books.desired import InvoiceLine
from target_freshbooks.books.money import ZERO, cent, is_whole, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_freshbooks.books.desired import Lines
    from target_freshbooks.books.policy import Policy

SumTax = Literal["line", "rate", "name"]

_MILLI = 1000
"""Percents have at most three decimals; they are computed in thousandths of a percent."""
_FULL = 100 * _MILLI
_LEAST_PLACES = 2


@dataclass(frozen=True, slots=True)
class RoundingVariant:
    """One way of rounding."""

    taxed: SumTax
    """What the tax is rounded for: each line, each rate of a name, or each name."""
    half_even: bool
    places: int
    """Decimals that an amount of tax is rounded to."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A line reduced to its arithmetic: whole smallest units, thousandths of percents."""

    units: int
    taxes: tuple[tuple[str, int], ...] = ()


@cache
def variants(decimals: int) -> tuple[RoundingVariant, ...]:
    """All ways of rounding for a currency; the likeliest (per line, half up) first."""
    places = (decimals,) if decimals >= _LEAST_PLACES else (decimals, _LEAST_PLACES)
    taxed: tuple[SumTax, ...] = ("line", "rate", "name")
    return tuple(
        RoundingVariant(what, half_even, place)
        for what in taxed
        for half_even in (False, True)
        for place in places
    )


def weigh(line: InvoiceLine, decimals: int) -> Weighed:
    """The line's amount in whole smallest units and its taxes."""
    amount = rounded(line.quantity * line.unit_cost, decimals)
    return Weighed(
        int(amount / cent(decimals)),
        tuple((tax.name, int(tax.percent * _MILLI)) for tax in line.taxes),
    )


def _divided(numerator: int, denominator: int, *, half_even: bool) -> int:
    whole, rest = divmod(abs(numerator), denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and not (half_even and whole % 2 == 0)):
        whole += 1
    return whole if numerator >= 0 else -whole


def units_of(lines: Sequence[Weighed], variant: RoundingVariant, decimals: int) -> int:
    """The invoice's total in whole units of the variant's places."""
    scale: int = 10 ** (variant.places - decimals)
    net = sum(line.units for line in lines) * scale
    sums: dict[object, int] = {}
    for position, line in enumerate(lines):
        for place, (name, milli) in enumerate(line.taxes):
            key: object = (
                (position, place)
                if variant.taxed == "line"
                else (name, milli)
                if variant.taxed == "rate"
                else name
            )
            sums[key] = sums.get(key, 0) + line.units * scale * milli
    tax = sum(_divided(value, _FULL, half_even=variant.half_even) for value in sums.values())
    return net + tax


def totals(lines: Sequence[Weighed], decimals: int) -> tuple[Decimal, ...]:
    """The invoice's total under each of `variants(decimals)`, in their order."""
    if not any(line.taxes for line in lines):
        net = sum(line.units for line in lines) * cent(decimals)
        return (net,) * len(variants(decimals))
    return tuple(
        units_of(lines, variant, decimals) * cent(variant.places) for variant in variants(decimals)
    )


def likeliest_total(lines: Lines, decimals: int) -> Decimal:
    """The total FreshBooks will most likely answer: what a plan foresees."""
    return totals([weigh(line, decimals) for line in lines], decimals)[0]


def predict_totals(lines: Lines, decimals: int) -> frozenset[Decimal]:
    """The totals FreshBooks may answer; a single one where rounding makes no difference."""
    return frozenset(totals([weigh(line, decimals) for line in lines], decimals))


def rounding_line(amount: Decimal, policy: Policy) -> InvoiceLine:
    """The untaxed line that takes up a difference of cents."""
    return InvoiceLine(
        name=policy.names.rounding,
        description="Difference between the shop's rounding and FreshBooks'",
        quantity=Decimal(1),
        unit_cost=amount,
    )


def mend(
    lines: Lines, answered: Decimal, wanted: Decimal, policy: Policy, decimals: int
) -> Lines | None:
    """The lines with one Rounding line that turns FreshBooks' total into the wanted one.

    A Rounding line that is there already takes up the difference, so that there is never a second.

    Returns:
        None where that line would be more than `rounding_tolerance_cents`, or no amount of the
        currency (half a yen).
    """
    standing = next((line for line in lines if is_rounding(line, policy)), None)
    before = standing.unit_cost * standing.quantity if standing else ZERO
    amount = before + wanted - answered
    if abs(amount) > tolerance(policy, decimals) or not is_whole(amount, decimals):
        return None
    rest = tuple(line for line in lines if line is not standing)
    if not amount:
        return rest
    if standing is None:
        return (*rest, rounding_line(amount, policy))
    return tuple(
        replace(line, quantity=Decimal(1), unit_cost=amount) if line is standing else line
        for line in lines
    )


def is_rounding(line: InvoiceLine, policy: Policy) -> bool:
    """Whether the line is the one that takes up cents."""
    return line.name == policy.names.rounding and not line.taxes and not line.item_key


def tolerance(policy: Policy, decimals: int) -> Decimal:
    """The most a Rounding line may take up, in the currency (5 cents, or 5 yen)."""
    return policy.rounding_tolerance_cents * cent(decimals)


def mending(found: Iterable[Decimal], wanted: Decimal) -> Decimal:
    """The largest difference that would have to be mended."""
    return max(abs(total - wanted) for total in found)
