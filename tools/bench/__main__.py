"""Measures, prints as it goes, and writes docs/benchmarks.md with its picture.

make bench                                                  all of it
PYTHONPATH=tools .venv/bin/python -m bench peers growth     some parts, only printed
PYTHONPATH=tools .venv/bin/python -m bench --quick          all but peers, small, only printed
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from connector_sandbox.constants import DEFAULT_SEED

from bench import growth, ledger_cost, long_order, peers, per_order, pipe, processor, quota, workers
from bench.scene import scene
from bench.tables import Plot, Table, draw, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.scene import Scene
    from bench.tables import Row

Part = tuple[Table, "Callable[[Scene], Iterator[Row]]"]

FSYNCS = 50
FIGURES = ("figure", "value")
PICTURE = "benchmarks.svg"
ABOUT = """# Benchmarks

`make bench` has written this page; nothing in it was copied by hand. What the figures mean, and
what to do about them, is in [performance.md](performance.md). Only ratios of one run say anything:
the sandbox works on the same cores as what is measured.
"""


class Amount(NamedTuple):
    """How much is measured: numbers of orders, and milliseconds that answers are late."""

    month: int
    peers: int
    peer_delays: tuple[int, ...]
    workers: int
    worker_delays: tuple[int, ...]
    pipe: int
    sizes: tuple[int, ...]


WHOLE = Amount(200, 300, (0, 50), 160, (0, 80, 300), 2000, (1000, 5000, 20_000))
QUICK = Amount(40, 60, (0,), 8, (0,), 40, (20, 40))


def parts(amount: Amount, before: Path | None) -> dict[str, Part]:
    """Each part's empty table, and what fills it on a fresh sandbox."""
    return {
        "machine": (
            Table("The machine", FIGURES, "Seconds mean something beside its own only."),
            lambda stage: _machine(stage.home),
        ),
        "peers": (
            Table(
                "The tap beside others",
                peers.HEADINGS,
                f"One shop of {amount.peers} orders, each tap a process of its own, from its start"
                " to its end. A row is a record, or an object with a number in a list of it. What"
                " each reads is said; none of the others reads transactions and refunds here.",
            ),
            lambda stage: peers.measure(stage, amount.peers, amount.peer_delays),
        ),
        "requests": (
            Table("Requests an order", FIGURES, "What the quotas turn into time."),
            lambda stage: per_order.measure(stage, amount.month),
        ),
        "quota": (
            Table("Use of the quotas", FIGURES, "In short windows; 429 is what came too early."),
            quota.measure,
        ),
        "workers": (
            Table(
                "The target by orders at a time",
                workers.HEADINGS,
                f"{amount.workers} orders of clients and items that FreshBooks has, each time with"
                " a new ledger; no quota.\n\n"
                f"![Orders a second by orders at a time]({PICTURE})",
            ),
            lambda stage: workers.measure(stage, amount.workers, amount.worker_delays),
        ),
        "pipe": (
            Table(
                "The whole pipe",
                pipe.HEADINGS,
                "The limit is what one API's answers take, asked by as many at once as are"
                " allowed: requests by milliseconds, divided by at once, of the slower side.",
            ),
            lambda stage: pipe.measure(stage, amount.pipe),
        ),
        "growth": (
            Table(
                "From few orders to many",
                growth.HEADINGS,
                "Tap and target one after the other, answers at once.",
            ),
            lambda stage: growth.measure(stage, amount.sizes),
        ),
        "ledger": (
            Table("What the ledger costs", FIGURES, "Its commits of an order, by database."),
            ledger_cost.measure,
        ),
        "processor": (
            Table("Processor time", FIGURES, "Of the target, apart from all waiting."),
            lambda _: processor.measure(before),
        ),
        "lines": (
            Table("A long order", FIGURES, "Its accounting, apart from all requests."),
            lambda _: long_order.measure(),
        ),
    }


def main() -> None:
    """Measure the parts asked for, each on a fresh sandbox."""
    parser = argparse.ArgumentParser(prog="make bench", description="Prints figures of speed.")
    parser.add_argument("--quick", action="store_true", help="few orders, and no peers")
    parser.add_argument("--before", type=Path, help="another checkout, set up, to compare with")
    parser.add_argument("--write", type=Path, help="folder that gets benchmarks.md and its picture")
    every = parts(WHOLE, None)
    parser.add_argument("parts", nargs="*", choices=[*every, []], help="default: all")
    asked = parser.parse_args()
    every = parts(QUICK if asked.quick else WHOLE, asked.before)
    chosen = asked.parts or [name for name in every if not (asked.quick and name == "peers")]
    logging.disable(logging.WARNING)  # orders that are parked on purpose
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in chosen:
            table, measured = every[name]
            with scene(Path(folder) / name) as stage:
                table.show(measured(stage))
    if asked.write:
        _write(asked.write, [every[name][0] for name in chosen])


def _machine(folder: Path) -> Iterator[Row]:
    yield row("day", datetime.now(UTC).date().isoformat())
    yield row("cores", f"{os.cpu_count()} ({platform.machine()})")
    yield row("others' work when it began, as load", f"{os.getloadavg()[0]:.1f}")
    yield row("Python", platform.python_version())
    yield row("seed of the orders", str(DEFAULT_SEED))
    with (folder / "fsync").open("wb") as file:
        started = time.perf_counter()
        for _ in range(FSYNCS):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        seconds = time.perf_counter() - started
    yield row("the disk makes a write durable in", f"{seconds / FSYNCS * 1000:.1f} ms")


def _write(folder: Path, tables: list[Table]) -> None:
    """Write the page, and its picture where the target was measured by orders at a time."""
    page = [ABOUT, *(table.markdown() for table in tables)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.md").write_text("\n".join(page), encoding="utf-8")
    for table in tables:
        if table.headings == workers.HEADINGS:
            draw(_plot(table), folder / PICTURE)


def _plot(table: Table) -> Plot:
    rates: dict[str, dict[str, float]] = {}
    for delay, (parallel, rate, *_) in table.rows:
        rates.setdefault(f"answers after {delay}", {})[parallel] = float(rate)
    points = tuple(map(str, workers.PARALLEL))
    series = {name: tuple(of.get(point) for point in points) for name, of in rates.items()}
    return Plot("Target: orders a second, by orders at a time", points, series)


if __name__ == "__main__":
    main()
