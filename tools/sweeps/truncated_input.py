"""The tap killed in the middle of the pipe: whatever the target got of it, a rerun completes.

Feeds the target the first lines of what the tap said, cut at every line, and some of them within a
line; then everything. A cut line ends the run with 1; nothing is lost.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from sweeps import scenario
from sweeps.crash import Tally, reference
from sweeps.runner import say, stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweeps.crash import Reference
    from sweeps.runner import Stage


def attempt(on: Stage, phase: int, kept: int, half: bool, right: Reference, tally: Tally) -> None:
    """Feed the beginning of a phase, then all of it, and the phases after."""
    on.begin()
    for before in range(phase):
        on.run(before)
    lines = on.phases[phase].read_text(encoding="utf-8").splitlines(keepends=True)
    rest = lines[kept][: len(lines[kept]) // 2] if half else ""
    part = on.home / "trial" / "part.jsonl"
    part.write_text("".join(lines[:kept]) + rest, encoding="utf-8")
    where = f"reading {phase}, cut {'within' if half else 'before'} line {kept + 1}"
    since = len(on.states())
    code = on.feed(part)
    if code != int(half):
        tally.other.append(f"{where}: the run ended with {code}")
    tally.other += [f"{where}: {entry}" for entry in ahead(on.states()[since:], lines[:kept])]
    tally.finish(on, where, phase, right)


def ahead(let_out: Sequence[Any], lines: Sequence[str]) -> list[str]:
    """States that were let out without having come in."""
    came = map(json.loads, lines)
    states = [message["value"] for message in came if message["type"] == "STATE"]
    return ["a state left that had not come" for state in let_out if state not in states]


def sweep(home: Path, messages: Sequence[Path], *, seed: int, every: int) -> list[str]:
    """Cut at each line (or each so many) of both readings."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice
    tally = Tally()
    with stage(home, messages, switches=scenario.SWITCHES, **scenario.SETTINGS) as on:
        right = reference(on, scenario.SALES)
        for phase, file in enumerate(messages):
            count = len(file.read_text(encoding="utf-8").splitlines())
            for kept in range(rng.randrange(every), count, every):
                attempt(on, phase, kept, rng.random() < 1 / 2, right, tally)
    say(tally.line("the tap cut off"))
    return tally.wrong
