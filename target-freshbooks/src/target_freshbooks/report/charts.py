"""Charts: amounts and counts as bars of an inline SVG; pure geometry, the template draws it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from target_freshbooks.money import ZERO
from target_freshbooks.report.figures import DayFigures

DRAWN = 4
"""On how many days a currency is sold in, at the least, for a chart to show more than a table."""

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 8, 12, 24
STEPS = (1, 2, 5, 10)
"""What the leading digit of a scale's step may be."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its place, what it is of, and the amount that it stands for."""

    x: float
    y: float
    width: float
    height: float
    name: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, with what stands there."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars above an axis, and those below it.

    Attributes:
        currency: ISO code; "" for counts.
        above: The bars above.
        below: The bars below.
        axis: Where the axis runs.
        levels: The scale, from the bottom up.
        names: What stands under the bars.
    """

    currency: str
    above: tuple[Bar, ...]
    below: tuple[Bar, ...]
    axis: float
    levels: tuple[Tick, ...]
    names: tuple[Tick, ...]


def scale(least: Decimal, most: Decimal, *, marks: int = 4) -> list[Decimal]:
    """Round levels from at or below `least` to at or above `most`, about so many."""
    most = least + 1 if most == least else most
    step = (most - least) / marks
    power = Decimal(1).scaleb(step.adjusted())
    step = next(power * digit for digit in STEPS if power * digit >= step)
    level = (least / step).to_integral_value("ROUND_FLOOR") * step
    levels = [level]
    while levels[-1] < most:
        levels.append(levels[-1] + step)
    return levels


def chart_days(first: date, last: date, figures: Sequence[DayFigures], currency: str) -> Chart:
    """Sales above the axis and refunds below it, a bar for each day of the month."""
    of_day = {one.day: one for one in figures if one.currency == currency}
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    rows = [
        (f"{day.day}", f"{day:%-d %B}", *((one.sold, one.refunded) if one else (ZERO, ZERO)))
        for day in days
        for one in (of_day.get(day),)
    ]
    return _chart(rows, currency, every=3)


def chart_month(first: date, last: date, figures: Sequence[DayFigures]) -> list[Chart]:
    """A chart for each currency of several days, or else for the one of most days."""
    counts = Counter(one.currency for one in figures)
    drawn = [name for name, count in counts.most_common() if count >= DRAWN]
    return [
        chart_days(first, last, figures, name)
        for name in drawn or [name for name, _ in counts.most_common(1)]
    ]


def chart_counts(counts: Mapping[str, int]) -> Chart:
    """A bar for each name's count."""
    return _chart([(name, name, Decimal(n), ZERO) for name, n in counts.items()], "", every=1)


def _chart(
    rows: Iterable[tuple[str, str, Decimal, Decimal]], currency: str, *, every: int
) -> Chart:
    rows = list(rows)
    # Corrections may bring a day's sales below zero: its bar hangs from the axis then.
    values = [value for _, _, up, down in rows for value in (up, -down)]
    levels = scale(min(ZERO, *values), max(ZERO, *values))
    span = float(levels[-1] - levels[0])

    def height(amount: Decimal) -> float:
        return float(amount) / span * (HEIGHT - TOP - BOTTOM)

    axis = HEIGHT - BOTTOM + height(levels[0])
    slot = (WIDTH - LEFT - RIGHT) / len(rows)

    def bar(place: int, amount: Decimal, name: str) -> Bar:
        x, tall = LEFT + slot * (place + 0.15), height(abs(amount))
        y = axis - tall if amount > 0 else axis
        return Bar(round(x, 1), round(y, 1), round(slot * 0.7, 1), round(tall, 1), name, amount)

    return Chart(
        currency=currency,
        above=tuple(bar(i, row[2], row[1]) for i, row in enumerate(rows) if row[2]),
        below=tuple(bar(i, -row[3], row[1]) for i, row in enumerate(rows) if row[3]),
        axis=round(axis, 1),
        levels=tuple(Tick(round(axis - height(level), 1), f"{level:,f}") for level in levels),
        names=tuple(
            Tick(round(LEFT + slot * (i + 0.5), 1), row[0])
            for i, row in enumerate(rows)
            if i % every == 0
        ),
    )
