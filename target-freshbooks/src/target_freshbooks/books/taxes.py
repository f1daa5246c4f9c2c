"""Taxes: from the shop's rates and amounts to the names and percents FreshBooks computes with.

FreshBooks takes at most two taxes a line, each a name and a percent with three decimals, both on
the line's net amount; nobody can tell it an amount of tax. A shop may have any number of rates on a
line, compounding ones (a later `priority` is charged on net plus earlier tax), and rows whose
amount is not what their rate gives (a provider's own rounding, an override). So every tax on a line
becomes a `Levy`: its name as `tax_mapping` translates it, the percent that applies to the net
amount, and the amount the shop charged. A compounding rate becomes the percent it amounts to on the
net; a rate whose amount contradicts it becomes the percent that gives the amount. Beyond two, the
largest keeps its name and the others are merged under their names joined by " + ", with their
percents added up.

Where the shop names no taxes (rows not fetched, an automatic tax service), the percent is worked
out from the amounts and called "Tax": the roundest percent that gives every amount to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import combinations, groupby
from typing import TYPE_CHECKING

from target_freshbooks.books.desired import LineTax
from target_freshbooks.books.money import HUNDRED, ZERO, pro_rata, rounded, total
from target_freshbooks.books.text import TAX_NAME_LIMIT, clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import TaxRow

UNNAMED = "Tax"
FURTHEST = Decimal("0.05")
"""Percentage points by which a percent may differ from the shop's to give the shop's amount."""
PERCENT_DECIMALS = 3
_AT_MOST = 2
_POOL_LIMIT = 7
"""Of more rates than this, not every combination is tried."""


@dataclass(frozen=True, slots=True)
class Levy:
    """One tax on one thing."""

    name: str
    percent: Decimal
    """On the net amount, as stated by the shop (unrounded)."""
    amount: Decimal
    """What the shop charged; zero or more decimals than a cent."""

    def effective(self, net: Decimal) -> Decimal | None:
        """The percent that gives the amount; None where no percent can."""
        if self.amount == 0:
            return ZERO
        if net <= 0 or self.amount < 0:
            return None
        return self.amount * HUNDRED / net


Levies = tuple[Levy, ...]


def freshbooks_name(row: TaxRow, policy: Policy) -> str:
    """The tax's name in FreshBooks: mapped by name, class or rate, else the shop's own."""
    rate = format(row.rate.normalize(), "f")
    for key in (row.name, row.tax_class, rate):
        for entry in policy.tax_mapping:
            if key and entry.match.casefold() == key.casefold():
                return clean(entry.name, TAX_NAME_LIMIT, UNNAMED)
    return clean(row.name, TAX_NAME_LIMIT, UNNAMED)


def percents(rows: Sequence[TaxRow], *, compound: bool = True) -> list[Decimal]:
    """Each row's percent on the net amount; with `compound`, later priorities tax earlier taxes."""
    if not compound:
        return [row.rate for row in rows]
    found: dict[int, Decimal] = {}
    base = Decimal(1)
    by_priority = sorted(range(len(rows)), key=lambda i: rows[i].priority)
    for _, group in groupby(by_priority, key=lambda i: rows[i].priority):
        level = {i: rows[i].rate * base for i in group}
        found |= level
        base += total(level.values()) / HUNDRED
    return [found[i] for i in range(len(rows))]


def levies_on(
    rows: Sequence[TaxRow], net: Decimal, tax: Decimal, policy: Policy, slack: Decimal
) -> Levies:
    """The levies of a thing whose own rows are known.

    Args:
        rows: The rows that name this thing.
        net: Its net amount.
        tax: Its tax as the order's totals have it; the levies' amounts add up to it.
        policy: For the names.
        slack: How far an amount may be from what its rate gives before the rate is disbelieved.
    """
    simple, compounded = percents(rows, compound=False), percents(rows)
    amounts = [row.amount for row in rows]
    if abs(total(amounts) - tax) > slack:
        weights = amounts if total(amounts) else compounded
        amounts = pro_rata(tax, weights if total(weights) else [Decimal(1)] * len(rows))
    found = []
    for i, row in enumerate(rows):
        stated = min((compounded[i], simple[i]), key=lambda p: abs(net * p / HUNDRED - amounts[i]))
        levy = Levy(freshbooks_name(row, policy), stated, amounts[i])
        if abs(net * stated / HUNDRED - amounts[i]) > slack:
            actual = levy.effective(net)
            if actual is not None:
                levy = Levy(levy.name, rounded(actual, PERCENT_DECIMALS), levy.amount)
        found.append(levy)
    return merged(found)


def chosen_from(
    pool: Sequence[TaxRow], net: Decimal, tax: Decimal, policy: Policy, slack: Decimal
) -> Levies | None:
    """The levies of a thing when rows do not say what they are for: the rates that give its tax.

    Returns:
        None where no combination of the rates gives the tax.
    """
    best: tuple[Decimal, int, list[TaxRow], list[Decimal]] | None = None
    for rows in _subsets(pool):
        for compound in (True, False):
            parts = percents(rows, compound=compound)
            off = abs(net * total(parts) / HUNDRED - tax)
            if off <= slack and (best is None or (off, -len(rows)) < best[:2]):
                best = (off, -len(rows), rows, parts)
    if best is None:
        return None
    _, _, rows, parts = best
    amounts = pro_rata(tax, parts)
    return merged(
        Levy(freshbooks_name(row, policy), part, amount)
        for row, part, amount in zip(rows, parts, amounts, strict=True)
    )


def _subsets(pool: Sequence[TaxRow]) -> Iterable[list[TaxRow]]:
    """Combinations of the pool's different rates, the largest first."""
    rows = list({(row.name, row.tax_class, row.rate, row.priority): row for row in pool}.values())
    rows = [row for row in rows if row.rate > 0]
    sizes = range(len(rows), 0, -1) if len(rows) <= _POOL_LIMIT else (len(rows), 2, 1)
    for size in sizes:
        yield from (list(chosen) for chosen in combinations(rows, size))


def merged(levies: Iterable[Levy]) -> Levies:
    """At most two levies: those of one name together, and beyond two all but the largest."""
    by_name: dict[str, Levy] = {}
    for levy in levies:
        if levy.amount == 0 and levy.percent == 0:
            continue
        by_name[levy.name] = _joined(levy.name, [by_name.get(levy.name), levy])
    found = list(by_name.values())
    if len(found) <= _AT_MOST:
        return tuple(found)
    largest = max(found, key=lambda levy: levy.percent)
    others = [levy for levy in found if levy is not largest]
    name = clean(" + ".join(levy.name for levy in others), TAX_NAME_LIMIT, UNNAMED)
    return (largest, _joined(name, others))


def _joined(name: str, levies: Iterable[Levy | None]) -> Levy:
    kept = [levy for levy in levies if levy is not None]
    return Levy(name, total(levy.percent for levy in kept), total(levy.amount for levy in kept))


def line_taxes(levies: Levies) -> tuple[LineTax, ...]:
    """The levies as FreshBooks takes them: percents of three decimals, zero ones left out."""
    return tuple(
        LineTax(levy.name, percent.normalize() + ZERO)
        for levy in levies
        if (percent := rounded(levy.percent, PERCENT_DECIMALS))
    )


def roundest_percents(
    things: Sequence[tuple[Decimal, Decimal]], slack: Decimal
) -> list[Decimal | None]:
    """For each (net, tax) the percent with the fewest decimals that gives the tax.

    One percent is used for as many as it fits, the largest taxes first, so that a small line does
    not get a rounder rate than its neighbours. None where no percent can give the tax.
    """
    found: list[Decimal | None] = [ZERO if not tax else None for _, tax in things]
    open_ones = sorted(
        (i for i, (net, tax) in enumerate(things) if tax > 0 and net > 0),
        key=lambda i: (-things[i][1], i),
    )
    while open_ones:
        low, high, together = ZERO, Decimal(10) ** 9, list[int]()
        for i in open_ones:
            net, tax = things[i]
            least, most = (tax - slack) * HUNDRED / net, (tax + slack) * HUNDRED / net
            if max(low, least) <= min(high, most):
                low, high = max(low, least), min(high, most)
                together.append(i)
        percent = _roundest_between(low, high)
        for i in together:
            found[i] = percent
        open_ones = [i for i in open_ones if i not in together]
    return found


def _roundest_between(low: Decimal, high: Decimal) -> Decimal:
    middle = (low + high) / 2
    for decimals in range(PERCENT_DECIMALS + 1):
        least = low.quantize(Decimal(1).scaleb(-decimals), ROUND_CEILING)
        if least <= high:
            nearest = rounded(middle, decimals)
            return nearest if low <= nearest <= high else least
    return rounded(middle, PERCENT_DECIMALS)
