"""Orders a second of the target without any quota, by orders at a time and by FreshBooks' time.

The sandbox answers at once and works on the same cores, so a real network is imitated: each answer
is held back for a while. Ways are measured in turns, and the best of each counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.tables import row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.scene import Posted, Scene
    from bench.tables import Row

PARALLEL = (1, 2, 4, 8)
TURNS_WITHOUT_DELAY = 2
HEADINGS = (
    "FreshBooks answers after",
    "orders at a time",
    "orders a second",
    "of one at a time",
    "ms of processor an order",
)


def measure(scene: Scene, orders: int, delays: Sequence[int]) -> Iterator[Row]:
    """A row for each delay in milliseconds and each number of orders at a time."""
    for delay in delays:
        yield from _at(scene, orders, delay)


def _at(scene: Scene, orders: int, delay: int) -> Iterator[Row]:
    best: dict[int, Posted] = {}
    for _ in range(1 if delay else TURNS_WITHOUT_DELAY):
        for parallel in PARALLEL:
            done = _posted(scene, orders, delay, parallel)
            if parallel not in best or done.rate > best[parallel].rate:
                best[parallel] = done
    for parallel, done in best.items():
        yield row(
            f"{delay} ms",
            str(parallel),
            f"{done.rate:.2f}",
            f"{done.rate / best[1].rate:.2f}",
            f"{done.cpu_seconds / done.orders * 1000:.0f}",
        )


def _posted(scene: Scene, orders: int, delay: int, parallel: int) -> Posted:
    """The month in books that hold it once already, under other numbers."""
    scene.month(orders)
    output = scene.read()
    scene.post(output, "W")  # from now on all clients and items are known
    if delay:
        late = {"side": "freshbooks", "kind": "slow", "delay_ms": delay, "times": None}
        scene.sandbox.tell("POST", "faults", late)
    done = scene.post(output, "X-", max_parallel_orders=parallel)
    scene.sandbox.tell("DELETE", "faults")
    return done
