"""What grows with the number of orders, and what must not: time an order, memory, an idle run.

Tap and target are processes of their own, one after the other, so that each has its own time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from connector_sandbox.settings import tap_settings

from bench import programs
from bench.tables import row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.programs import Run
    from bench.scene import Scene
    from bench.tables import Row

BILLABLE, PENDING = 11, 1
HEADINGS = (
    "orders in the shop",
    "tap, ms an order",
    "tap, MB",
    "target, ms an order",
    "target, MB",
    "ledger, kB an order",
    "a run with nothing new",
)


class Size(NamedTuple):
    """What a shop of so many orders needs."""

    orders: int
    tap: Run
    target: Run
    ledger_bytes: int
    idle_seconds: float
    idle_requests: int

    def row(self) -> Row:
        """As a row of the table."""
        return row(
            f"{self.orders:,}",
            f"{self.tap.seconds / self.orders * 1000:.1f}",
            f"{self.tap.megabytes:.0f}",
            f"{self.target.seconds / self.orders * 1000:.1f}",
            f"{self.target.megabytes:.0f}",
            f"{self.ledger_bytes / self.orders / 1000:.1f}",
            f"{self.idle_seconds:.1f} s, {self.idle_requests} requests",
        )


def measure(scene: Scene, sizes: Sequence[int]) -> Iterator[Row]:
    """A row for each number of orders, and the last in parts of the first."""
    measured: list[Size] = []
    for orders in sizes:
        measured.append(_of_size(scene, orders))
        yield measured[-1].row()
    first, last = measured[0], measured[-1]
    yield row(
        "last ÷ first",
        f"{last.tap.seconds / last.orders / (first.tap.seconds / first.orders):.2f}",
        f"{last.tap.megabytes / first.tap.megabytes:.2f}" if first.tap.megabytes else "",
        f"{last.target.seconds / last.orders / (first.target.seconds / first.orders):.2f}",
        f"{last.target.megabytes / first.target.megabytes:.2f}" if first.target.megabytes else "",
        f"{last.ledger_bytes / last.orders / (first.ledger_bytes / first.orders):.2f}",
        f"{last.idle_seconds / first.idle_seconds:.2f}",
    )


def _of_size(scene: Scene, orders: int) -> Size:
    scene.month(orders)
    output, idle_output = scene.home / "output.jsonl", scene.home / "idle.jsonl"
    tap, target = tap_run(scene, output), target_run(scene, output)
    size = sum(file.stat().st_size for file in scene.home.glob("ledger*.sqlite*"))
    idle = [tap_run(scene, idle_output, state_of(output)), target_run(scene, idle_output)]
    return Size(
        orders,
        tap,
        target,
        size,
        sum(run.seconds for run in idle),
        sum(run.requests for run in idle),
    )


def tap_run(
    scene: Scene, kept: Path | None = None, state: object = None, **settings: object
) -> Run:
    """Let the tap read the whole shop, or what is new since a state."""
    config = tap_settings(scene.sandbox.url, **settings)
    command = programs.configured(scene, "tap-bigcommerce-orders", config)
    if state is not None:
        command += ["--state", str(programs.private(scene.home / "state.json", state))]
    return programs.run(scene, command, kept=kept)


def target_run(scene: Scene, given: Path, label: str = "") -> Run:
    """Let the target post what a file says."""
    command = programs.configured(scene, "target-freshbooks", scene.settings(label))
    return programs.run(scene, command, given=given)


def state_of(output: Path) -> object:
    """The last state that a tap has said."""
    with output.open(encoding="utf-8") as file:
        state_messages = (json.loads(line) for line in file if '"STATE"' in line)
        states = [message["value"] for message in state_messages if message["type"] == "STATE"]
    return states[-1]


def messages(sample: list[str], orders: int, status_id: int) -> Iterator[str]:
    """Make a stream of so many orders, all like one of a sample, a state every 100.

    Args:
        sample: The tap's messages of some shop.
        orders: How many.
        status_id: The status of all of them.
    """
    said = [json.loads(text) for text in sample]
    model = next(
        message
        for message in said
        if message["type"] == "RECORD"
        and message["stream"] == "orders"
        and message["record"]["status_id"] == BILLABLE
        and message["record"]["customer_id"]
    )
    order_id = model["record"]["id"]
    parts = [
        message
        for message in said
        if message["type"] == "RECORD" and message["record"].get("order_id") == order_id
    ]
    yield from (text for text, one in zip(sample, said, strict=True) if one["type"] == "SCHEMA")
    yield from (
        text
        for text, one in zip(sample, said, strict=True)
        if one["type"] == "RECORD" and one["stream"] in {"store", "customers"}
    )
    for number in range(1, orders + 1):
        for part in parts:
            own = {"id": 900_000_000 + number * 100 + part["record"]["id"] % 100}
            record = {**part["record"], **own, "order_id": 900_000 + number}
            yield json.dumps({**part, "record": record})
        record = {**model["record"], "id": 900_000 + number, "status_id": status_id}
        yield json.dumps({**model, "record": record})
        if number % 100 == 0:
            yield json.dumps({"type": "STATE", "value": {"at": number}})
