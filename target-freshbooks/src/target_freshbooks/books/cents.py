"""Whole cents: which lines are floored and which raised, so that FreshBooks is nearest to the shop.

A line's exact net amount is seldom whole cents: 9.99 with 20 % tax in it is 8.325. Each line is its
exact amount floored or raised to the cent, never further away, and an amount of whole cents stays
as it is. Among the lines of the same taxes first those are raised that lost most by flooring; how
many, follows from the sum of what was lost, or is one more, or one less. The choice that is taken
has

1. the least of: the difference of the totals (which becomes a Rounding line), and for each tax the
difference between FreshBooks' amount and the shop's; 2. of equals, no Rounding line; then net
amounts nearest to the exact ones; then earlier lines raised.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import product

from target_freshbooks.books.desired import ExactLine, Lines, LineTax
from target_freshbooks.books.rounding import (
    TaxRounding,
    TaxSums,
    Weighed,
    tax_sums,
    taxes_by_name,
    weigh_taxes,
)
from target_freshbooks.money import HUNDRED, cent, rounded, sum_by_key, total

_MOST_GROUPS = 5
"""Of more groups of taxes than this, only the first are rounded in more than one way."""


_PLACES = 9
"""Of a unit: what lies below is what divisions have left, and would make 10.00 a fraction."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """The lines of one group of taxes, so many of them raised.

    Attributes:
        units: Each line's amount in smallest units of the currency, by its position.
        raised: How many are raised.
        distance: How far they are from their exact amounts.
        net: Their sum, in hundredths.
        sums: Their taxes.
    """

    units: dict[int, int]
    raised: int
    distance: Decimal
    net: int
    sums: TaxSums


def in_whole_cents(
    lines: Sequence[ExactLine],
    wanted_total: Decimal,
    wanted_taxes: Mapping[str, Decimal],
    rounding: TaxRounding,
    decimals: int,
    standing: Sequence[Weighed] = (),
) -> Lines:
    """The lines, each floored or raised to the cent, as comes nearest to what is wanted.

    Args:
        lines: Over their exact amounts.
        wanted_total: What is to be added to the total by the lines.
        wanted_taxes: What the shop charged of each tax.
        rounding: How FreshBooks rounds, as far as is known.
        decimals: Of the currency.
        standing: The lines on the invoice beside which these are put.
    """
    groups: dict[tuple[LineTax, ...], list[int]] = {}
    for i, line in enumerate(lines):
        groups.setdefault(line.taxes, []).append(i)
    ways = [
        list(_choices(members, lines, rounding, decimals, only_nearest=position >= _MOST_GROUPS))
        for position, members in enumerate(groups.values())
    ]
    before = tax_sums(standing, rounding)
    # What FreshBooks should add to the standing taxes, and what it has of them.
    wanted = {name: int(rounded(amount * HUNDRED, 0)) for name, amount in wanted_taxes.items()}
    stood = taxes_by_name(before, rounding)
    net_wanted = int(wanted_total * HUNDRED)

    def misses(chosen: Sequence[_Choice]) -> tuple[int, bool, Decimal, list[int]]:
        sums = sum_by_key(
            item for part in (before, *(choice.sums for choice in chosen)) for item in part.items()
        )
        off, by_tax = sum(choice.net for choice in chosen) - net_wanted, 0
        made = taxes_by_name(sums, rounding)
        for name in made.keys() | wanted.keys():
            tax = made.get(name, 0) - stood.get(name, 0)
            off, by_tax = off + tax, by_tax + abs(tax - wanted.get(name, 0))
        distance = total(choice.distance for choice in chosen)
        return abs(off) + by_tax, bool(off), distance, [-choice.raised for choice in chosen]

    best = min(product(*ways), key=misses)
    units = {i: amount for choice in best for i, amount in choice.units.items()}
    return tuple(line.at(units[i] * cent(decimals)) for i, line in enumerate(lines))


def _choices(
    members: Sequence[int],
    lines: Sequence[ExactLine],
    rounding: TaxRounding,
    decimals: int,
    *,
    only_nearest: bool,
) -> Iterator[_Choice]:
    """The group with the exact number of lines raised, one more, and one less."""
    unit = int(cent(decimals) * HUNDRED)
    exact = {i: rounded(lines[i].net * HUNDRED / unit, _PLACES) for i in members}
    floors = {i: int(amount.to_integral_value(ROUND_FLOOR)) for i, amount in exact.items()}
    odd = sorted(
        (i for i in members if exact[i] != floors[i]), key=lambda i: (floors[i] - exact[i], i)
    )
    taxes = weigh_taxes(lines[members[0]].taxes)
    nearest = int(rounded(total(exact.values()), 0)) - sum(floors.values())
    for count in (nearest,) if only_nearest else (nearest, nearest + 1, nearest - 1):
        if not 0 <= count <= len(odd):
            continue
        raised = set(odd[:count])
        units = {i: floor + (i in raised) for i, floor in floors.items()}
        distance = total(abs(units[i] - exact[i]) for i in odd)
        weighed = [Weighed(amount * unit, taxes) for amount in units.values()]
        net = sum(units.values()) * unit
        yield _Choice(units, count, distance, net, tax_sums(weighed, rounding))
