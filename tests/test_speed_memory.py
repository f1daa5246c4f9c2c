"""Memory does not grow with the number of orders: real processes, ten times the orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import growth, programs
from bench.scene import scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.scene import Scene

FEW, MANY = 400, 4000
ALLOWED = 1.3  # noise of the allocator; ten times the orders would be far more

pytestmark = [
    pytest.mark.sweep,
    pytest.mark.skipif(not programs.is_peak_known(), reason="there is no /proc here"),
]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as stage:
        yield stage


def test_the_tap_needs_as_much_memory_for_ten_times_the_orders(stage: Scene) -> None:
    peaks = []
    for orders in (FEW, MANY):
        stage.month(orders)
        peaks.append(growth.tap_run(stage).megabytes)
    print(f"tap, {FEW} and {MANY} orders: {peaks[0]:.1f} and {peaks[1]:.1f} MB")
    assert peaks[1] <= peaks[0] * ALLOWED


@pytest.mark.parametrize(
    ("status", "few", "many"),
    [(growth.PENDING, FEW, MANY), (growth.BILLABLE, FEW // 10, MANY // 10)],
    ids=["waiting", "posted"],
)
def test_the_target_needs_as_much_memory_for_ten_times_the_orders(
    stage: Scene, status: int, few: int, many: int
) -> None:
    stage.month(60)
    said = stage.read()
    stage.post(said)  # clients and items are known
    sample = said.text.splitlines()
    peaks = []
    for orders in (few, many):
        stage.lose_ledger()
        path = stage.home / "messages.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in growth.messages(sample, orders, status))
        peaks.append(growth.target_run(stage, path, f"M{orders}-").megabytes)
    print(f"target, {few} and {many} orders: {peaks[0]:.1f} and {peaks[1]:.1f} MB")
    assert peaks[1] <= peaks[0] * ALLOWED
