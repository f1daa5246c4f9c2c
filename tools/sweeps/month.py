"""A month of orders, killed at random moments again and again: the books equal the shop's truth.

Reads the sandbox's month once with the tap, then kills the target, with four orders in work, at
random moments after it has begun to write, until it is through.
"""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING

from demo import books as demo_books
from sweeps import books
from sweeps.runner import KILLED, alive, say, stage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from demo.books import Comparison
    from sweeps.runner import Stage

GLANCE_SECONDS = 0.05
MOST_RUNS = 400
ORDERS = 440


def open_month(on: Stage, *, orders: int, seed: int) -> None:
    """Fill the shop with a month of orders, the books empty."""
    on.begin()
    on.sandbox.tell("POST", "shop/seed", {"orders": orders, "seed": seed})


def compare(on: Stage) -> Comparison:
    """Both sides next to each other."""
    parked = {order for order, state in on.standings().items() if state == "parked"}
    return demo_books.compare(on.sandbox.ask("truth")["orders"], on.sandbox.ask("books"), parked)


def judge(on: Stage) -> tuple[str, list[str]]:
    """The figure of a month that is through, and what is wrong with it."""
    truth = {row["order_id"]: row for row in on.sandbox.ask("truth")["orders"]}
    outcome, standings = compare(on), on.standings()
    wanted = {order for order, row in truth.items() if row["expect"] == "posted"}
    doubled = books.repeated(on.books())
    lost = [f"order {order} was not posted" for order in sorted(wanted - outcome.posted)]
    wrong = [f"order {order}: {words}" for order, words in outcome.differing.items()]
    wrong += [f"order {order} should not be posted" for order in sorted(outcome.posted - wanted)]
    wrong += [
        f"order {order} is {standings.get(order)}, not parked"
        for order, row in truth.items()
        if row["expect"] == "parked" and standings.get(order) != "parked"
    ]
    cents = _difference(outcome)
    line = (
        f"{len(outcome.posted)} of {len(wanted)} orders posted, difference {cents},"
        f" {len(doubled)} doubled, {len(lost)} lost, {len(wrong)} otherwise wrong"
    )
    return line, [*doubled, *lost, *wrong, *on.flaws()]


def _difference(outcome: Comparison) -> str:
    totals: Mapping[str, demo_books.Totals] = outcome.totals
    return " ".join(
        f"{one.difference + one.paid_difference:.2f} {currency}"
        for currency, one in sorted(totals.items())
    )


def sweep(home: Path, *, kills: int, seed: int, orders: int, longest: float) -> list[str]:
    """Read the month, kill, run again, compare."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice
    messages = home / "month.jsonl"
    with stage(home, [messages], max_parallel_orders=4, lease_wait_seconds=60) as on:
        open_month(on, orders=orders, seed=seed)
        if on.read(messages) != 0:
            raise RuntimeError("the tap could not read the month")
        done, runs = 0, 0
        while runs < MOST_RUNS:
            runs += 1
            code = _killed_in_the_middle(on, rng.uniform(0, longest)) if done < kills else None
            if code is None:
                on.start(0)
                code = on.ended()
            if code == 0:
                break
            if code != KILLED:
                return [f"the target ended with {code}:\n{on.log()[-2000:]}"]
            done += 1
        line, wrong = judge(on)
    say(f"a month killed at random moments: {done} kills of {kills}, {line}")
    return wrong


def _killed_in_the_middle(on: Stage, seconds: float) -> int | None:
    """Start a run and kill it so long after its first write; its exit code."""
    before = _writes(on)
    pid = on.start(0)
    while alive(pid) and _writes(on) == before:
        time.sleep(GLANCE_SECONDS)
    time.sleep(seconds)  # the moment is the trial: there is nothing to wait for
    if alive(pid):
        os.kill(pid, signal.SIGKILL)
    return on.ended()


def _writes(on: Stage) -> int:
    return sum(on.sandbox.writes().values())
