"""Saying the invoice so that FreshBooks comes to the order's total, whichever way it rounds.

The candidates, as a reader would prefer them: itemised with Discount lines; the same with odd cents
moved (each line still its true amount rounded down or up); net lines; then these with the percents
that the shop's tax amounts come to, for a shop that rounds the tax of every piece or overrides it.
Every candidate is computed under all of FreshBooks' possible roundings (`rounding`), and they are
put in this order:

1. at the shop's percents, right under every rounding;
2. at the shop's percents, right under the likeliest rounding (each line, half up);
3. at the percents that give the shop's tax, or moved to it by thousandths (`nudging`), right under
   every rounding;
4. within the tolerance of a Rounding line, the smallest difference first. Where all roundings agree
   on the difference, the line is put in at once; else FreshBooks' answer decides;
5. within the tolerance under some roundings only (an order of hundreds of lines);
6. in amounts, without percents: nothing is left to round, so it is right always.

A candidate must also be honest by tax: what FreshBooks will report for each tax may differ from
what the shop charged by no more than half a cent for each line, plus the tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from itertools import islice
from typing import TYPE_CHECKING

from target_freshbooks.books import slots as forms
from target_freshbooks.books.money import (
    HUNDRED,
    ZERO,
    cent,
    is_whole,
    largest_remainder,
    rounded,
    total,
)
from target_freshbooks.books.nudging import nudge
from target_freshbooks.books.rounding import (
    Weighed,
    is_rounding,
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
    from target_freshbooks.books.desired import Lines
    from target_freshbooks.books.policy import Policy

# Ranks of candidates, after 0 and 1 for the shop's percents.
_OWN_PERCENTS = 2
_MENDED = 3
_PERHAPS = 4
_TRIES = 250
"""Ways to move cents that are tried for one candidate, fewer for one of very many lines."""
_LINES_TRIED = 20_000


@dataclass(frozen=True, slots=True)
class _Candidate:
    lines: Lines
    totals: tuple[Decimal, ...]
    """FreshBooks' answer under each rounding, the likeliest first."""
    preference: tuple[int, Decimal, int]
    """At first (1 with percents of our own, nothing, form); lower is better."""


def has_negative(lines: Lines) -> bool:
    """Whether FreshBooks would have to take a line below zero."""
    return any(line.quantity * line.unit_cost < 0 for line in lines)


def express_without_negatives(
    breakdown: Breakdown, policy: Policy, decimals: int
) -> tuple[Lines, ...]:
    """The ways that have no line below zero: net lines, for an account that takes no others."""
    last = in_amounts(breakdown, policy, decimals)
    ranked = sorted(
        _ranked(breakdown, policy, decimals, net_only=True),
        key=lambda candidate: candidate.preference,
    )
    kept = () if policy.tax_mode == "amount_lines" else ranked[:2]
    tried = [*(candidate.lines for candidate in kept), last]
    return tuple(dict.fromkeys(lines for lines in tried if lines and not has_negative(lines)))


def express(
    breakdown: Breakdown, order_id: int, policy: Policy, decimals: int
) -> tuple[Lines, ...]:
    """The invoice's lines in all the ways that are worth trying, best first."""
    last = in_amounts(breakdown, policy, decimals) or (
        forms.placeholder(f"BigCommerce order {order_id}"),
    )
    if policy.tax_mode == "amount_lines" or not breakdown.parts:
        return (last,)
    ranked = sorted(
        _ranked(breakdown, policy, decimals), key=lambda candidate: candidate.preference
    )
    best = ranked[:1] if ranked and ranked[0].preference[0] == 0 else ranked[:2]
    if best and best[0].preference[0] > _OWN_PERCENTS:
        nudged = nudge(_plain(best[0], policy), breakdown.total, decimals)
        best = best if nudged is None else [replace(best[0], lines=nudged), *best[:1]]
    return tuple(dict.fromkeys([*(candidate.lines for candidate in best), last]))


def _ranked(
    breakdown: Breakdown, policy: Policy, decimals: int, *, net_only: bool = False
) -> Iterator[_Candidate]:
    """The candidates worth trying with their final preference: rank, cents to mend, form."""
    wanted = breakdown.total
    for candidate in _candidates(breakdown, policy, decimals, net_only=net_only):
        effective, _, form = candidate.preference
        lines, answers = candidate.lines, candidate.totals
        off, limit = mending(answers, wanted), tolerance(policy, decimals)
        if not off:
            rank = _OWN_PERCENTS if effective else 0
        elif answers[0] == wanted and not effective:
            rank = 1
        elif off <= limit:
            rank = _MENDED
            if len(set(answers)) == 1 and is_whole(off, decimals):
                lines = (*lines, rounding_line(wanted - answers[0], policy))
        elif any(abs(answer - wanted) <= limit for answer in answers):
            rank = _PERHAPS
        else:
            continue
        yield _Candidate(lines, answers, (rank, off, form))
        if rank == 0:
            return


def _plain(candidate: _Candidate, policy: Policy) -> Lines:
    """The candidate's lines without the Rounding line it was given."""
    return tuple(line for line in candidate.lines if not is_rounding(line, policy))


def _candidates(
    breakdown: Breakdown, policy: Policy, decimals: int, *, net_only: bool
) -> Iterator[_Candidate]:
    parts, names = breakdown.parts, policy.names
    seen = set[Slots]()
    form = 0
    for effective in (False, True):
        ways = [] if net_only else [forms.itemised(parts, names, decimals, effective=effective)]
        for slots in (*ways, forms.net(parts, decimals, effective=effective)):
            if slots in seen or not _honest(slots, parts, policy, decimals):
                continue
            seen.add(slots)
            for units in _cents(slots, breakdown, decimals):
                lines = tuple(slot.line(u, decimals) for slot, u in zip(slots, units, strict=True))
                answers = totals([weigh(line, decimals) for line in lines], decimals)
                yield _Candidate(lines, answers, (int(effective), ZERO, form))
                form += 1


def _cents(slots: Slots, breakdown: Breakdown, decimals: int) -> Iterator[list[int]]:
    """The slots' amounts in whole units: adding up to the shop's net, then with cents moved."""
    unit, wanted = cent(decimals), breakdown.total
    exact = [slot.net / unit for slot in slots]
    low = [int(amount.to_integral_value(ROUND_FLOOR)) for amount in exact]
    odd = [i for i, amount in enumerate(exact) if amount != low[i]]
    net = rounded(total(slot.net for slot in slots), decimals)
    if abs(net - (wanted - breakdown.tax)) <= unit:
        net = wanted - breakdown.tax
    nearest = largest_remainder([slot.net for slot in slots], net, decimals)
    plain = [int(amount / unit) for amount in nearest]
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
    tries = min(_TRIES, _LINES_TRIED // len(slots) + 1)
    for raised in islice(_raisings(odd, sum(plain) - sum(low)), tries):
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


__all__ = ["Slot", "express", "express_without_negatives", "has_negative", "in_amounts"]
