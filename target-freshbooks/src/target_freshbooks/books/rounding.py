"""Rounding: the taxes and total that FreshBooks makes of lines, in every way it may round.

FreshBooks takes quantity, unit cost and tax percents, and computes the rest itself; only the total
it answers counts. How it rounds is not published. It may round

- the tax of each line, or the sum of each tax over the invoice (each rate, or each name);
- half a cent up (away from zero, below it too), or to the even cent;
- an amount to two decimals in every currency, or to those of the currency (yen have none).

Lines that come to the same total in all of these ways need no mending whatever FreshBooks does.
Unit costs are always sent in whole cents and tax comes after the discount lines, so that neither
the decimals of unit costs nor percentage discounts can matter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from target_freshbooks.books.desired import InvoiceLine, Lines, LineTax
from target_freshbooks.books.items import is_of_lines, line_key
from target_freshbooks.books.policy import Policy
from target_freshbooks.capabilities import FRESHBOOKS, Capabilities, RoundingKind, Taxed
from target_freshbooks.money import ZERO, cent, is_whole, rounded, sum_by_key

TaxSums = dict[tuple[str, int], int]
"""Tax by name and percent, before it is rounded as a sum."""

_PERCENT = 10**6
"""Percents are computed in millionths."""
_FULL = 100 * _PERCENT
_PLACES = 2
_CENT = cent(_PLACES)
"""Amounts are computed in hundredths of every currency: FreshBooks may keep them of yen too."""


@dataclass(frozen=True, slots=True)
class TaxRounding:
    """One way of rounding."""

    taxed: Taxed
    half_even: bool
    places: int
    """Decimals that an amount of tax is rounded to."""

    @property
    def kind(self) -> RoundingKind:
        """What of it is the account's in all currencies."""
        return self.taxed, self.half_even


@dataclass(frozen=True, slots=True)
class Weighed:
    """A line reduced to its arithmetic: whole hundredths, and taxes in millionths of percents."""

    hundredths: int
    taxes: tuple[tuple[str, int], ...] = ()


@cache
def roundings(decimals: int) -> tuple[TaxRounding, ...]:
    """All ways of rounding for a currency; the likeliest (per line, half up) first."""
    places = (decimals,) if decimals >= _PLACES else (decimals, _PLACES)
    taxed: tuple[Taxed, ...] = ("line", "rate", "name")
    return tuple(
        TaxRounding(what, half_even, place)
        for what in taxed
        for half_even in (False, True)
        for place in places
    )


KINDS = frozenset(way.kind for way in roundings(_PLACES))
"""All kinds of rounding."""


def ways_of_rounding(capabilities: Capabilities, decimals: int) -> tuple[TaxRounding, ...]:
    """The ways in which the account may round, the likeliest first."""
    known = capabilities.roundings or KINDS
    return tuple(way for way in roundings(decimals) if way.kind in known)


def kinds_that_give(amount: Decimal, lines: Lines, decimals: int) -> frozenset[RoundingKind]:
    """The kinds of rounding by which the lines come to the amount."""
    ways = roundings(decimals)
    answers = zip(ways, totals(lines, ways), strict=True)
    return frozenset(way.kind for way, answer in answers if answer == amount)


def weigh(line: InvoiceLine) -> Weighed:
    """The line's amount and taxes as integers."""
    amount = rounded(line.quantity * line.unit_cost, _PLACES)
    return Weighed(int(amount / _CENT), weigh_taxes(line.taxes))


def weigh_taxes(taxes: Iterable[LineTax]) -> tuple[tuple[str, int], ...]:
    """Names, and percents in millionths."""
    return tuple((tax.name, int(tax.percent * _PERCENT)) for tax in taxes)


def _rounded(value: int, rounding: TaxRounding) -> int:
    """A tax in millionths of hundredths of a percent, as whole units of hundredths."""
    step: int = 10 ** (_PLACES - rounding.places)
    full = _FULL * step
    units, rest = divmod(abs(value), full)
    if 2 * rest > full or (2 * rest == full and not (rounding.half_even and units % 2 == 0)):
        units += 1
    return (units if value >= 0 else -units) * step


def tax_sums(lines: Iterable[Weighed], rounding: TaxRounding) -> TaxSums:
    """The lines' tax by name and percent; rounded if it is each line's that is rounded."""
    sums: TaxSums = {}
    for line in lines:
        for name, percent in line.taxes:
            value = line.hundredths * percent
            if rounding.taxed == "line":
                value = _rounded(value, rounding) * _FULL
            key = (name, 0 if rounding.taxed == "name" else percent)
            sums[key] = sums.get(key, 0) + value
    return sums


def taxes_by_name(sums: Mapping[tuple[str, int], int], rounding: TaxRounding) -> dict[str, int]:
    """Each tax in hundredths."""
    return sum_by_key((name, _rounded(value, rounding)) for (name, _), value in sums.items())


def tax_amounts(lines: Lines, rounding: TaxRounding) -> dict[str, Decimal]:
    """Each tax of an invoice with these lines."""
    sums = tax_sums((weigh(line) for line in lines), rounding)
    return {name: units * _CENT for name, units in taxes_by_name(sums, rounding).items()}


def totals(lines: Lines, ways: Iterable[TaxRounding]) -> tuple[Decimal, ...]:
    """The invoice's total under each way of rounding."""
    weighed = [weigh(line) for line in lines]
    net = sum(line.hundredths for line in weighed)
    return tuple(
        (net + sum(taxes_by_name(tax_sums(weighed, way), way).values())) * _CENT for way in ways
    )


def likeliest_total(
    lines: Lines, decimals: int, capabilities: Capabilities = FRESHBOOKS
) -> Decimal:
    """The total FreshBooks will most likely answer: what a plan foresees."""
    return totals(lines, ways_of_rounding(capabilities, decimals)[:1])[0]


def predict_totals(lines: Lines, decimals: int) -> frozenset[Decimal]:
    """The totals FreshBooks may answer; a single one if rounding makes no difference."""
    return frozenset(totals(lines, roundings(decimals)))


def rounding_line(amount: Decimal, policy: Policy) -> InvoiceLine:
    """The untaxed line that takes up a difference of cents."""
    return InvoiceLine(
        name=policy.names.rounding,
        description="Difference between the shop's rounding and FreshBooks'",
        quantity=Decimal(1),
        unit_cost=amount,
        item_key=line_key(policy.names.rounding),
    )


def mend(
    lines: Lines, answered: Decimal, wanted: Decimal, policy: Policy, decimals: int
) -> Lines | None:
    """The lines with one Rounding line that turns FreshBooks' total into the wanted one.

    A Rounding line that is there already takes up the difference, so that there is never a second.

    Returns:
        None if that line would be more than `rounding_tolerance_cents`, or an amount that
        FreshBooks cannot hold.
    """
    standing = next((line for line in lines if is_rounding(line, policy)), None)
    before = standing.unit_cost * standing.quantity if standing else ZERO
    amount = before + wanted - answered
    places = max(decimals, policy.capabilities.amount_decimals)
    if abs(amount) > tolerance(policy, decimals) or not is_whole(amount, places):
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
    of_product = line.item_key and not is_of_lines(line.item_key)
    return line.name == policy.names.rounding and not line.taxes and not of_product


def tolerance(policy: Policy, decimals: int) -> Decimal:
    """The most a Rounding line may take up, in the currency (5 cents, or 5 yen)."""
    return policy.rounding_tolerance_cents * cent(decimals)
