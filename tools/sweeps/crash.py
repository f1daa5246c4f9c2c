"""Killed at every boundary: after each kill the run is repeated, and the books must be the same.

`python -m sweeps.crash` prints a line per figure. The promise is 0 doubled and 0 lost.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps import books, scenario
from sweeps.runner import stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sweeps.books import Books
    from sweeps.runner import Stage

PLACES = ("before", "after", "answered")


@dataclass(frozen=True, slots=True)
class Kill:
    """A moment to be killed at."""

    phase: int
    number: int
    place: str

    def __str__(self) -> str:
        return f"phase {self.phase}, write {self.number}, {self.place}"


@dataclass(slots=True)
class Tally:
    """What a series of trials came to."""

    trials: int = 0
    not_reached: int = 0
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def note(self, kills: Sequence[Kill], found: Books, wanted: Books) -> None:
        """Count a trial."""
        self.trials += 1
        where = "; ".join(map(str, kills))
        self.doubled += [f"{where}: {entry}" for entry in books.doubled(found, wanted)]
        self.lost += [f"{where}: {entry}" for entry in books.lost(found, wanted)]

    def line(self, what: str) -> str:
        """The figure, as printed."""
        return (
            f"{what}: {self.trials} trials, {len(self.doubled)} doubled, {len(self.lost)} lost"
            f" ({self.not_reached} kill points not reached)"
        )


def reference(on: Stage) -> tuple[Books, list[int]]:
    """The books of runs nobody disturbs, and the number of writes of each phase."""
    on.begin()
    counts = []
    for phase in range(len(on.phases)):
        before = len(on.writes())
        on.run(phase)
        counts.append(len(on.writes()) - before)
    return books.read(on.sandbox.ask("books")), counts


def try_kills(on: Stage, kills: Sequence[Kill], wanted: Books, tally: Tally) -> None:
    """One trial: the phases in order, killed at the given moments and repeated after each."""
    on.begin()
    for phase in range(len(on.phases)):
        for kill in kills:
            if kill.phase == phase and not on.killed_at(phase, kill.number, kill.place):
                tally.not_reached += 1
        on.run(phase)
    tally.note(kills, books.read(on.sandbox.ask("books")), wanted)


def boundaries(counts: Sequence[int]) -> list[Kill]:
    """Every write of every phase, at three places."""
    return [
        Kill(phase, number, place)
        for phase, count in enumerate(counts)
        for number in range(count)
        for place in PLACES
    ]


def pairs(kills: Sequence[Kill], number: int, rng: random.Random) -> list[tuple[Kill, Kill]]:
    """Random ordered pairs of moments, of one phase or of two."""
    return [(rng.choice(kills), rng.choice(kills)) for _ in range(number)]


def sweep(home: Path, trials: Iterable[Sequence[Kill]] | None, number: int, seed: int) -> list[str]:
    """Run the series; returns what went wrong."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice
    messages = scenario.record(home / "shop")
    with stage(home, messages) as on:
        wanted, counts = reference(on)
        kills = boundaries(counts)
        _say(f"seed {seed}; writes of the phases: {counts}")
        singles = Tally()
        for trial in trials if trials is not None else [[kill] for kill in kills]:
            try_kills(on, trial, wanted, singles)
        _say(singles.line("killed at a write"))
        doubles = Tally()
        for pair in pairs(kills, number, rng):
            try_kills(on, pair, wanted, doubles)
        _say(doubles.line("killed at two writes"))
    return [*singles.doubled, *singles.lost, *doubles.doubled, *doubles.lost]


def sample(home: Path, number: int, seed: int) -> list[str]:
    """A few moments of the sweep, one pair among them."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice
    messages = scenario.record(home / "shop")
    with stage(home, messages) as on:
        wanted, counts = reference(on)
        kills = boundaries(counts)
        tally = Tally()
        _say(f"seed {seed}; writes of the phases: {counts}")
        for kill in rng.sample(kills, number):
            try_kills(on, [kill], wanted, tally)
        for pair in pairs(kills, 1, rng):
            try_kills(on, pair, wanted, tally)
        _say(tally.line("killed at a sample of writes"))
    return [*tally.doubled, *tally.lost]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261001)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--sample", type=int, default=0, help="only so many kills and one pair")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        home = Path(folder)
        if options.sample:
            wrong = sample(home, options.sample, options.seed)
        else:
            wrong = sweep(home, None, options.pairs, options.seed)
    for entry in wrong:
        _say(entry)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
