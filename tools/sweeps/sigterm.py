"""Asked to stop at many points: the step in hand is finished, and no state was ever ahead.

Gives the target a STATE after each order, holds one of its writes, looks at the states that have
left, sends SIGTERM, lets the write go on and looks again; then it runs the messages once more and
compares the books.
"""

from __future__ import annotations

import json
import os
import random
import signal
from typing import TYPE_CHECKING

from sweeps import scenario
from sweeps.crash import Tally, reference
from sweeps.runner import WRITES, say, stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweeps.crash import Reference
    from sweeps.runner import Stage

WORKERS = 3
TERMINATED = 128 + signal.SIGTERM


def with_states(messages: Path) -> Path:
    """The messages with a STATE after each order, which says how many orders came before it."""
    lines, orders = [], 0
    for line in messages.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        if message["type"] == "STATE":
            continue
        lines.append(line)
        if message["type"] == "RECORD" and message["stream"] == "orders":
            orders += 1
            lines.append(json.dumps({"type": "STATE", "value": {"orders": orders}}))
    path = messages.with_suffix(".states.jsonl")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def orders_of(messages: Path) -> list[int]:
    """The orders in the sequence in which they come."""
    every = map(json.loads, messages.read_text(encoding="utf-8").splitlines())
    return [
        one["record"]["id"]
        for one in every
        if one["type"] == "RECORD" and one["stream"] == "orders"
    ]


def ahead(on: Stage, orders: list[int], since: int) -> list[str]:
    """Orders before the last state that left in this run, that the run has not settled."""
    let_out = on.states()[since:]
    if not let_out:
        return []
    settled = on.settled()
    return [
        f"order {order} is not settled, but the state says it is"
        for order in orders[: let_out[-1]["orders"]]
        if order not in settled
    ]


def attempt(on: Stage, phase: int, number: int, right: Reference, tally: Tally) -> None:
    """Stop at one write of one phase."""
    on.begin()
    for before in range(phase):
        on.run(before)
    orders, since = orders_of(on.phases[phase]), len(on.states())
    where = f"reading {phase}, write {number}"
    rule = {**WRITES, "kind": "hold", "when": "before", "skip": number, "times": 1}
    on.sandbox.tell("POST", "faults", rule)
    on.forget_settled()
    pid = on.start(phase)
    written = 0
    if on.until_held(pid):
        written = len(on.writes())
        tally.other += [f"{where}, held: {entry}" for entry in ahead(on, orders, since)]
        os.kill(pid, signal.SIGTERM)
    else:
        tally.not_reached += 1
    on.sandbox.tell("DELETE", "faults")
    code = on.ended()
    if code == TERMINATED and len(on.writes()) > written + WORKERS:
        tally.other.append(f"{where}: it went on writing")
    if code not in {TERMINATED, 0}:
        tally.other.append(f"{where}: ended with {code}")
    tally.other += [f"{where}, ended: {entry}" for entry in ahead(on, orders, since)]
    if on.flaws():
        tally.other.append(f"{where}: the step in hand was not finished: {on.flaws()}")
    tally.finish(on, where, phase, right)


def sweep(home: Path, messages: Sequence[Path], *, seed: int, points: int) -> list[str]:
    """Stop at so many random writes."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice
    phases = [with_states(file) for file in messages]
    tally = Tally()
    with stage(home, phases, switches=scenario.SWITCHES, **scenario.SETTINGS) as on:
        right = reference(on, scenario.SALES)
        on.settings["max_parallel_orders"] = WORKERS
        writes = [(phase, n) for phase, count in enumerate(right.counts) for n in range(count)]
        for phase, number in rng.sample(writes, points):
            attempt(on, phase, number, right, tally)
    say(tally.line("asked to stop at a write"))
    return tally.wrong
