"""Tables of measured figures: printed row by row as they come, kept as Markdown and as a plot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

WIDTH = 58


class Row(NamedTuple):
    """One thing that was measured, and its figures."""

    what: str
    figures: tuple[str, ...]


def row(what: str, *figures: str) -> Row:
    """Make a row."""
    return Row(what, figures)


@dataclass(slots=True)
class Table:
    """The figures of one part.

    Attributes:
        title: What they are of.
        headings: Of the columns; where there are more figures than headings, the last column has
            the rest of them.
        about: What a reader has to know to read them.
    """

    title: str
    headings: tuple[str, ...]
    about: str
    rows: list[Row] = field(default_factory=list)

    def show(self, rows: Iterator[Row]) -> None:
        """Print rows as they come, and keep them."""
        print(f"\n{self.title}", flush=True)
        for one in rows:
            self.rows.append(one)
            print(f"{one.what:<{WIDTH}} {'  '.join(one.figures)}", flush=True)

    def markdown(self) -> str:
        """The table as Markdown."""
        lines = [self.headings, tuple("---" for _ in self.headings)]
        columns = len(self.headings)
        for what, figures in self.rows:
            cells = [what, *figures]
            cells[columns - 1 :] = [" ".join(cells[columns - 1 :])]
            lines.append(tuple(cells))
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return f"## {self.title}\n\n{self.about}\n\n{table}\n"


class Plot(NamedTuple):
    """What a picture shows: a value of each series at every point, None where there is none."""

    title: str
    points: tuple[str, ...]
    series: Mapping[str, tuple[float | None, ...]]


def draw(plot: Plot, path: Path) -> None:
    """Write a plot as an SVG of its own, that loads nothing."""
    import pygal  # type: ignore[import-untyped] # noqa: PLC0415 - it puts hooks into all imports

    chart = pygal.Bar(
        title=plot.title, x_labels=plot.points, js=(), width=900, height=360, print_values=True
    )
    for name, values in plot.series.items():
        chart.add(name, list(values))
    path.write_bytes(chart.render())
