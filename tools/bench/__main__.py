"""Prints figures of speed, one a line; `docs/performance.md` says how to read them.

make bench                         all of it
PYTHONPATH=tools .venv/bin/python -m bench quota     one part: requests, quota, throughput, memory,
                                                              lines
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
from typing import TYPE_CHECKING

from connector_sandbox.constants import DEFAULT_SEED

from bench import long_order, memory, per_order, quota, throughput
from bench.scene import line, scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.scene import Scene

FSYNCS = 50


def main() -> None:
    """Measure the parts asked for, each on a fresh sandbox."""
    parser = argparse.ArgumentParser(prog="make bench", description="Prints figures of speed.")
    parser.add_argument("--orders", type=int, default=200, help="orders of the seeded month")
    parser.add_argument("--few", type=int, default=500, help="orders of the small memory run")
    parser.add_argument("--many", type=int, default=5000, help="orders of the large memory run")
    parts: dict[str, Callable[[Scene, argparse.Namespace], None]] = {
        "requests": lambda stage, asked: per_order.measure(stage, asked.orders),
        "quota": lambda stage, _: quota.measure(stage),
        "throughput": lambda stage, _: throughput.measure(stage),
        "lines": lambda _stage, _asked: long_order.measure(),
        "memory": lambda stage, asked: memory.measure(stage, asked.few, asked.many),
    }
    parser.add_argument("parts", nargs="*", choices=[*parts, []], help="default: all")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)  # orders that are parked on purpose
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _machine(Path(folder))
        for name in asked.parts or parts:
            with scene(Path(folder) / name) as stage:
                parts[name](stage, asked)


def _machine(folder: Path) -> None:
    now = datetime.now(UTC).date().isoformat()
    load = f"load {os.getloadavg()[0]:.1f}"
    line(
        "measured",
        now,
        f"{os.cpu_count()} cores ({platform.machine()}), {load}",
        f"Python {platform.python_version()}",
        f"seed {DEFAULT_SEED}",
    )
    with (folder / "fsync").open("wb") as file:
        started = time.perf_counter()
        for _ in range(FSYNCS):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        seconds = time.perf_counter() - started
    line("the disk makes a write durable in", f"{seconds / FSYNCS * 1000:.1f} ms")


if __name__ == "__main__":
    main()
