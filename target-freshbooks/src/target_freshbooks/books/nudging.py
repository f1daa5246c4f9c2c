"""Percents moved by thousandths, so that FreshBooks' tax comes to the cent the shop charged.

A shop that rounds its tax on the whole order may charge 1.65 on two lines of 10.00 at 8.25 %, where
FreshBooks, rounding each line, makes 0.83 and 0.83 of them. The percent is only FreshBooks' way to
the amount: 8.249 % on one of the lines gives 0.82, which is 0.825 rounded down, and the tax in the
books is the tax that was charged. Only a line's own half cent is moved in this way, never a whole
one, on as few lines as it takes, and by no more than a twentieth of a percentage point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from target_freshbooks.books.money import total
from target_freshbooks.books.rounding import Weighed, totals, weigh
from target_freshbooks.books.taxes import FURTHEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_freshbooks.books.desired import Lines

_MILLI = 1000
_FULL = 100 * _MILLI
_FURTHEST = int(FURTHEST * _MILLI)
_NEAREST = 40
"""Moves that are looked at, the smallest first."""
_MOST_MOVES = 4


@dataclass(frozen=True, slots=True)
class _Move:
    line: int
    tax: int
    milli: int
    far: int


def nudge(lines: Lines, wanted: Decimal, decimals: int) -> Lines | None:
    """The lines with as few percents moved as make every rounding give the wanted total."""
    weighed = [weigh(line, decimals) for line in lines]
    moves = sorted(_moves(weighed), key=lambda move: (move.far, move.line, move.tax, move.milli))
    moves = moves[:_NEAREST]
    way: list[_Move] = []
    while moves and len(way) < _MOST_MOVES:
        # The move that leaves the least to be mended, over all roundings; of equals the smallest.
        best = min(moves, key=lambda move: _missing(weighed, [*way, move], wanted, decimals))
        way.append(best)
        if not _missing(weighed, way, wanted, decimals):
            return _written(lines, way)
        moves = [move for move in moves if (move.line, move.tax) != (best.line, best.tax)]
    return None


def _missing(
    weighed: Sequence[Weighed], way: Sequence[_Move], wanted: Decimal, decimals: int
) -> Decimal:
    answers = totals(_moved(weighed, way), decimals)
    return total(abs(answer - wanted) for answer in answers)


def _moves(weighed: Sequence[Weighed]) -> Iterator[_Move]:
    """For each tax the nearest percents that round its amount the other way."""
    for i, line in enumerate(weighed):
        if line.units <= 0:
            continue
        for k, (_, milli) in enumerate(line.taxes):
            below = line.units * milli // _FULL
            # The half cent lies at (2 below + 1) / 2; just under it rounds down, just over it up.
            numerator, denominator = (2 * below + 1) * _FULL, 2 * line.units
            for moved in ((numerator - 1) // denominator, numerator // denominator + 1):
                far = abs(moved - milli)
                if 0 < far <= _FURTHEST and moved > 0:
                    yield _Move(i, k, moved, far)


def _moved(weighed: Sequence[Weighed], way: Sequence[_Move]) -> list[Weighed]:
    tried = list(weighed)
    for move in way:
        taxes = list(tried[move.line].taxes)
        taxes[move.tax] = (taxes[move.tax][0], move.milli)
        tried[move.line] = replace(tried[move.line], taxes=tuple(taxes))
    return tried


def _written(lines: Lines, way: Sequence[_Move]) -> Lines:
    written = list(lines)
    for move in way:
        taxes = list(written[move.line].taxes)
        percent = Decimal(move.milli) / _MILLI
        taxes[move.tax] = replace(taxes[move.tax], percent=percent.normalize())
        written[move.line] = replace(written[move.line], taxes=tuple(taxes))
    return tuple(written)
