"""Fitting a refund's lines to the invoice they are put on.

The refund must lower the invoice's total by exactly the money that went back. The tax on its lines
is FreshBooks' to round, and where FreshBooks rounds each tax over the whole invoice, what a new
line adds depends on the lines that stand there. So the lines are computed together with the
standing ones, under every rounding that agrees with the total the invoice has now, and a cent is
moved where that helps; lines that are right under the likeliest are left as they are. Where
percents cannot hit the amount, a line "Refund R, rounding" takes up the cents; and the last form
says the taxes as amounts, which is right under every rounding. FreshBooks takes no total below
zero, so lines that come below it under a possible rounding are not tried: in two refunds of 10.83
and 10.82 the taxes may round to a cent more than the 1.65 they were charged as.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from target_freshbooks.books.desired import InvoiceLine
from target_freshbooks.books.money import HUNDRED, ZERO, cent, decimals_of, is_whole, rounded, total
from target_freshbooks.books.rounding import Weighed, tolerance, totals, weigh
from target_freshbooks.books.slots import ONE
from target_freshbooks.books.text import refund_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from target_freshbooks.books.desired import Lines, RefundEntry
    from target_freshbooks.books.policy import Policy

_MOVED = 3
"""The most cents that are moved on one line."""


def fit_refund(
    entry: RefundEntry, standing: Lines, wanted_total: Decimal, policy: Policy, currency: str
) -> tuple[Lines, ...]:
    """The refund's lines in the ways worth trying, best first.

    Args:
        entry: The refund.
        standing: All lines on the invoice now, refunds booked before included.
        wanted_total: What the invoice must come to with the refund's lines.
        policy: For the tolerance of the rounding line.
        currency: The invoice's.
    """
    change = _Change(entry.refund_id, entry.taken, -entry.money)
    return _fitted(change, standing, wanted_total, policy, currency)


def fit_credit_note(
    refund_id: int, lines: Lines, amount: Decimal, policy: Policy, currency: str
) -> tuple[Lines, ...]:
    """A credit note's lines in the ways worth trying, best first."""
    return _fitted(_Change(refund_id, lines, amount), (), amount, policy, currency)


@dataclass(frozen=True, slots=True)
class _Change:
    """A refund's lines and what they must change the total by."""

    refund_id: int
    lines: Lines
    amount: Decimal


def _fitted(
    change: _Change, standing: Lines, wanted: Decimal, policy: Policy, currency: str
) -> tuple[Lines, ...]:
    decimals = decimals_of(currency)
    refund_id, lines = change.refund_id, change.lines
    last = in_amounts(refund_id, lines, change.amount, decimals)
    if not any(line.taxes for line in lines) or _says_amounts(standing):
        return (last,)
    live = _live(standing, wanted - change.amount, decimals)
    kept = [weigh(line, decimals) for line in standing]
    answers = _answers(kept, lines, live, decimals)
    exact = _moved_to(wanted, kept, lines, live, decimals)
    if exact is not None and (exact == lines or answers[0] != wanted):
        return (exact, last)
    mended = [
        (*lines, _rounding(refund_id, wanted - answer))
        for answer in dict.fromkeys(answers)
        if 0 < abs(wanted - answer) <= tolerance(policy, decimals)
        and is_whole(wanted - answer, decimals)
    ]
    likely = [lines] if wanted in answers else []
    moved = [exact] if exact is not None else []
    ways = [*likely, *moved, *mended]
    return (*(way for way in ways if min(_answers(kept, way, live, decimals)) >= 0), last)


def _answers(
    kept: Sequence[Weighed], lines: Lines, live: Sequence[int], decimals: int
) -> list[Decimal]:
    """FreshBooks' total with the lines added, under each rounding that is possible."""
    found = totals([*kept, *(weigh(line, decimals) for line in lines)], decimals)
    return [found[i] for i in live]


def _moved_to(
    wanted: Decimal, kept: Sequence[Weighed], lines: Lines, live: Sequence[int], decimals: int
) -> Lines | None:
    """The lines with the fewest cents moved that are right under every possible rounding."""
    for moved in _moved(lines, decimals):
        if all(answer == wanted for answer in _answers(kept, moved, live, decimals)):
            return moved
    return None


def _live(standing: Lines, now: Decimal, decimals: int) -> list[int]:
    """The roundings that give the total the invoice has now; all where none does."""
    answers = totals([weigh(line, decimals) for line in standing], decimals)
    agreeing = [i for i, answer in enumerate(answers) if answer == now]
    return agreeing or list(range(len(answers)))


def _says_amounts(standing: Lines) -> bool:
    """Whether the invoice says its taxes as amounts: no line bears a percent."""
    return bool(standing) and not any(line.taxes for line in standing)


def _moved(lines: Lines, decimals: int) -> Iterator[Lines]:
    """The lines as they are, then with a few cents moved on each of the two largest."""
    unit = cent(decimals)
    largest = sorted(range(len(lines)), key=lambda i: -abs(lines[i].unit_cost))[:2]
    steps = sorted(range(-_MOVED, _MOVED + 1), key=lambda step: (abs(step), step))
    ways = sorted(
        product(steps, repeat=len(largest)), key=lambda way: sum(abs(step) for step in way)
    )
    for way in ways:
        moved = list(lines)
        for i, step in zip(largest, way, strict=True):
            moved[i] = replace(moved[i], unit_cost=moved[i].unit_cost + step * unit)
        if all(a.unit_cost * b.unit_cost > 0 for a, b in zip(lines, moved, strict=True)):
            yield tuple(moved)


def _rounding(refund_id: int, amount: Decimal) -> InvoiceLine:
    return InvoiceLine(refund_line(refund_id, "rounding"), "", ONE, amount)


def in_amounts(refund_id: int, lines: Lines, change: Decimal, decimals: int) -> Lines:
    """The lines without percents: an untaxed amount and one for each tax, adding to `change`."""
    taxes: dict[str, Decimal] = {}
    for line in lines:
        for tax in line.taxes:
            amount = line.quantity * line.unit_cost * tax.percent / HUNDRED
            taxes[tax.name] = taxes.get(tax.name, ZERO) + amount
    said = _descriptions(lines)
    tax_lines = [
        InvoiceLine(refund_line(refund_id, name), "Tax", ONE, rounded(amount, decimals))
        for name, amount in taxes.items()
        if rounded(amount, decimals)
    ]
    rest = change - total(line.unit_cost for line in tax_lines)
    untaxed = [line for line in lines if not line.taxes]
    if untaxed and not taxes:
        first = untaxed[0]
        rest -= total(line.unit_cost * line.quantity for line in untaxed[1:])
        return (replace(first, unit_cost=rest, quantity=ONE), *untaxed[1:])
    return (InvoiceLine(refund_line(refund_id), said, ONE, rest), *tax_lines)


def _descriptions(lines: Sequence[InvoiceLine]) -> str:
    return "; ".join(dict.fromkeys(line.description for line in lines if line.description))


__all__ = ["fit_credit_note", "fit_refund"]
