"""Processor time of an order in the target, with these programs and with those of another checkout.

PYTHONPATH=tools .venv/bin/python tools/bench/processor.py      ms an order, as a number

Of orders whose clients and items are known, without any delay, one at a time. This file runs in
the other checkout too, so it uses only what has been in `bench.scene` for long.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.scene import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.tables import Row

ORDERS, TIMES = 60, 3


def milliseconds() -> float:
    """Milliseconds of processor an order: the least of some times, for other work comes between."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, scene(Path(folder)) as stage:
        stage.month(ORDERS)
        output = stage.read()
        stage.post(output, "W")  # from now on all clients and items are known
        runs = (stage.post(output, f"T{time}-", max_parallel_orders=1) for time in range(TIMES))
        return min(run.cpu_seconds / run.orders for run in runs) * 1000


def measure(before: Path | None) -> Iterator[Row]:
    """One row; with a checkout, set up, to compare with, both are measured in turns."""
    from bench.tables import row  # noqa: PLC0415 - the other checkout may have none

    here = Path(__file__).resolve().parents[2]
    least: dict[Path, float] = {}
    for _ in range(2):
        for place in [here, *([before.resolve()] if before else [])]:
            least[place] = min(least.get(place, float("inf")), _measured_in(place))
    figures = [f"{least[here]:.1f} ms"]
    if before:
        other = least[before.resolve()]
        figures.append(f"({other:.1f} ms with the programs compared: {least[here] / other:.2f})")
    yield row(f"processor time of an order, of {ORDERS}", *figures)


def _measured_in(place: Path) -> float:
    done = subprocess.run(
        [place / ".venv/bin/python", Path(__file__).resolve()],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place / "tools")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # orders that are parked on purpose
    sys.stdout.write(f"{milliseconds()}\n")
