"""Whatever happens in whatever order, the books come out right: `histories`, a thousand steps each.

A history that breaks a promise is shrunk to its shortest form and printed.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from typing import Any

import pytest
from histories import Histories
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from target_freshbooks.ledger import Ledger

STEPS, A_SHARD, AT_ONCE = 25, 1_000, 8
SHARDS = 50
"""Of the long proof; each has choices of its own."""

SAMPLES = 2
"""Further ones, of every run of CI."""


@pytest.fixture
def machine(world: Any) -> Any:
    """A machine on a world of its own, which tells at the end what happened to it."""
    Ledger.open(f"sqlite:///{world.home}/empty.sqlite", source="bigcommerce").dispose()
    Histories.world, Histories.tally = world, Counter()
    Histories.steps, Histories.failed = 0, []
    logging.disable(logging.WARNING)  # pytest would keep all of it
    yield Histories
    logging.disable(logging.NOTSET)
    counts = ", ".join(f"{name} {n}" for name, n in sorted(Histories.tally.items()))
    print(f"{Histories.steps} steps: {counts}")
    if Histories.failed:
        steps, shortest = Histories.failed[0][0], min(own for _, own in Histories.failed)
        print(f"broken after {steps} steps, the shortest history has {shortest}")


@pytest.mark.plans_left
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "shard",
    [
        *(
            pytest.param(shard, marks=(pytest.mark.more, pytest.mark.in_each_part))
            for shard in range(SHARDS, SHARDS + SAMPLES)
        ),
        *(pytest.param(shard, marks=pytest.mark.sweep) for shard in range(SHARDS)),
    ],
)
def test_whatever_happens_in_whatever_order_the_books_come_out_right(
    machine: type[Histories], shard: int, request: pytest.FixtureRequest
) -> None:
    seeds = itertools.count(request.config.getoption("--seed") + shard, 1_000)
    histories = settings(
        max_examples=AT_ONCE,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    while machine.steps < A_SHARD:
        run_state_machine_as_test(seed(next(seeds))(machine), settings=histories)
