"""Saying the invoice so that FreshBooks comes to the order's total, whichever way it rounds.

The candidates, as a reader would prefer them: itemised with Discount lines; the same with odd cents
moved (each line still its true amount rounded down or up); net lines; these with the percents that
the shop's tax amounts come to. Every candidate is computed under all of FreshBooks' possible
roundings (`rounding`). The first that comes to the total under all of them is put first. After
those come the ones that a Rounding line within the tolerance can mend, the smallest difference
first: where all roundings agree the line is put in at once, else FreshBooks' answer decides. Last
stands the form in amounts, which has no percents to round and is right always.

A candidate must also be honest by tax: what FreshBooks will report for each tax may differ from
what the shop charged by no more than half a cent for each line, plus the tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import islice
from typing import TYPE_CHECKING

from target_freshbooks.books import slots as forms
from target_freshbooks.books.desired import Lines
from target_freshbooks.books.money import HUNDRED, ZERO, cent, is_whole, largest_remainder, total
from target_freshbooks.books.rounding import (
    Weighed,
    mending,
    rounding_line,
    tolerance,
    totals,
    weigh,
)
from target_freshbooks.books.slots import Slot, Slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_freshbooks.books.breakdown import Breakdown, Part
    from target_freshbooks.books.policy import Policy

_TRIES = 250
"""Ways to move cents that are tried for one candidate."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    lines: Lines
    totals: tuple[Decimal, ...]
    preference: int


def express(
    breakdown: Breakdown, order_id: int, policy: Policy, decimals: int
) -> tuple[Lines, ...]:
    """The invoice's lines in all the ways that are worth trying, best first."""
    wanted = breakdown.total
    last = in_amounts(breakdown, policy, decimals) or (
        forms.placeholder(f"BigCommerce order {order_id}"),
    )
    if policy.tax_mode == "amount_lines" or not breakdown.parts:
        return (last,)
    limit = tolerance(policy, decimals)
    exact, near = list[Lines](), list[tuple[Decimal, int, Lines]]()
    for candidate in _candidates(breakdown, policy, decimals):
        off = mending(candidate.totals, wanted)
        if not off:
            exact.append(candidate.lines)
            if candidate.preference == 0:
                break
        elif off <= limit:
            lines, agreed = candidate.lines, set(candidate.totals)
            if len(agreed) == 1 and is_whole(off, decimals):
                lines = (*lines, rounding_line(wanted - agreed.pop(), policy))
            near.append((off, candidate.preference, lines))
    near.sort(key=lambda entry: entry[:2])
    found = exact[:1] or [lines for _, _, lines in near[:2]]
    return tuple(dict.fromkeys([*found, last]))


def _candidates(breakdown: Breakdown, policy: Policy, decimals: int) -> Iterator[_Candidate]:
    parts, names = breakdown.parts, policy.names
    ways: list[Slots] = []
    for effective in (False, True):
        for slots in (
            forms.itemised(parts, names, decimals, effective=effective),
            forms.net(parts, decimals, effective=effective),
        ):
            if slots not in ways:
                ways.append(slots)
    preference = 0
    for slots in ways:
        if not _honest(slots, parts, policy, decimals):
            continue
        for units in _cents(slots, breakdown.total, decimals):
            weighed = [
                Weighed(u, weigh(s.line(0, decimals), decimals).taxes)
                for u, s in zip(units, slots, strict=True)
            ]
            yield _Candidate(
                tuple(slot.line(u, decimals) for slot, u in zip(slots, units, strict=True)),
                totals(weighed, decimals),
                preference,
            )
            preference += 1


def _cents(slots: Slots, wanted: Decimal, decimals: int) -> Iterator[list[int]]:
    """The slots' amounts in whole units: each rounded for itself, then with odd cents moved."""
    unit = cent(decimals)
    exact = [slot.net / unit for slot in slots]
    low = [int(amount.to_integral_value(ROUND_FLOOR)) for amount in exact]
    odd = [i for i, amount in enumerate(exact) if amount != low[i]]
    plain = [low[i] + 1 if exact[i] - low[i] >= Decimal("0.5") else low[i] for i in range(len(low))]
    yield plain
    if not odd:
        return
    taxes = [weigh(slot.line(0, decimals), decimals).taxes for slot in slots]

    def found(raised: Sequence[int]) -> tuple[list[int], Decimal]:
        up = set(raised)
        units = [amount + (i in up) for i, amount in enumerate(low)]
        weighed = [Weighed(u, t) for u, t in zip(units, taxes, strict=True)]
        return units, mending(totals(weighed, decimals), wanted)

    odd.sort(key=lambda i: (low[i] - exact[i], i))
    best: tuple[Decimal, list[int]] | None = None
    for raised in islice(_raisings(odd, sum(plain) - sum(low)), _TRIES):
        units, off = found(raised)
        if best is None or off < best[0]:
            best = (off, units)
        if not off:
            break
    if best is not None and best[1] != plain:
        yield best[1]


def _raisings(odd: Sequence[int], usual: int) -> Iterator[tuple[int, ...]]:
    """Which of the odd amounts to round up: by largest remainder for some counts, then swapped."""
    counts = [usual + step for step in (0, 1, -1, 2, -2, 3, -3) if 0 <= usual + step <= len(odd)]
    for count in counts:
        yield tuple(odd[:count])
    for count in counts:
        for given in reversed(range(count)):
            for taken in range(count, len(odd)):
                yield (*odd[:given], *odd[given + 1 : count], odd[taken])


def _honest(slots: Slots, parts: Sequence[Part], policy: Policy, decimals: int) -> bool:
    """Whether each tax comes to what the shop charged, but for the rounding of its lines."""
    shop: dict[str, Decimal] = {}
    for part in parts:
        for levy in part.levies:
            shop[levy.name] = shop.get(levy.name, ZERO) + levy.amount
    said: dict[str, Decimal] = {}
    lines: dict[str, int] = {}
    for slot in slots:
        for tax in slot.taxes:
            said[tax.name] = said.get(tax.name, ZERO) + slot.net * tax.percent / HUNDRED
            lines[tax.name] = lines.get(tax.name, 0) + 1
        if slot.description.startswith("Tax on ") and slot.name in shop:
            said[slot.name] = said.get(slot.name, ZERO) + slot.net
    return all(
        abs(said.get(name, ZERO) - amount)
        <= cent(decimals) / 2 * lines.get(name, 0) + tolerance(policy, decimals)
        for name, amount in shop.items()
    )


def in_amounts(breakdown: Breakdown, policy: Policy, decimals: int) -> Lines:
    """The form without percents: right under every rounding, since there is nothing to round."""
    things, taxes = forms.amounts(breakdown.parts, decimals)
    tax_cents = largest_remainder([slot.net for slot in taxes], breakdown.tax, decimals)
    net_cents = largest_remainder(
        [slot.net for slot in things], breakdown.total - total(tax_cents), decimals
    )
    lines = tuple(
        slot.line(int(amount / cent(decimals)), decimals)
        for slot, amount in zip([*things, *taxes], [*net_cents, *tax_cents], strict=True)
    )
    rest = breakdown.total - total(net_cents) - total(tax_cents)
    if rest and abs(rest) <= tolerance(policy, decimals):
        return (*lines, rounding_line(rest, policy))
    return lines


__all__ = ["Slot", "express", "in_amounts"]
