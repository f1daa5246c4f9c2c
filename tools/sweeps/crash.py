"""Killed at every boundary: after each kill the run is repeated, and the books must be the same.

A line is printed per figure. The promise is 0 doubled and 0 lost.
"""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING

from demo import books as demo_books
from sweeps import books, scenario
from sweeps.runner import say, stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweeps.books import Books
    from sweeps.runner import Stage
    from sweeps.scenario import Scenario

PLACES = ("before", "after", "answered")
LAGS = {"fb.stale_search_seconds": 2}
SETTLE_SECONDS = 3
"""Searches do not show a record for two seconds; the target waits for three."""

REFUSES = {"fb.negative_line_paid": "refuse"}
"""No refund can be put on the invoice: the payments that were lowered for it are restored."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A moment to be killed at; with `loses` the ledger is gone afterwards."""

    phase: int
    number: int
    place: str
    loses: bool = False

    def __str__(self) -> str:
        lost = ", ledger lost" if self.loses else ""
        return f"phase {self.phase}, write {self.number}, {self.place}{lost}"


@dataclass(frozen=True, slots=True)
class Reference:
    """What runs come to that nobody disturbs."""

    wanted: Books
    standings: Mapping[int, str]
    counts: tuple[int, ...]
    taken_back: frozenset[str]

    @property
    def boundaries(self) -> list[Kill]:
        """Every write of every phase, at three places."""
        return [
            Kill(phase, number, place)
            for phase, count in enumerate(self.counts)
            for number in range(count)
            for place in PLACES
        ]


@dataclass(slots=True)
class Tally:
    """What a series of trials came to."""

    trials: int = 0
    not_reached: int = 0
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def __add__(self, more: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.trials + more.trials,
            self.not_reached + more.not_reached,
            self.doubled + more.doubled,
            self.lost + more.lost,
            self.other + more.other,
        )

    def compare(self, where: str, standing: Books, wanted: Books) -> None:
        """Note what is there more often than it should be, and what is missing."""
        self.doubled += [f"{where}: {entry}" for entry in books.doubled(standing, wanted)]
        self.lost += [f"{where}: {entry}" for entry in books.lost(standing, wanted)]

    def finish(self, on: Stage, where: str, phase: int, right: Reference) -> None:
        """Run the phases from one on to their ends; count the trial, and what is wrong then."""
        for after in range(phase, len(on.phases)):
            on.run(after)
        self.trials += 1
        standing, standings = on.books(), on.standings()
        self.doubled += [f"{where}: {entry}" for entry in books.repeated(standing)]
        self.compare(where, standing, right.wanted)
        self.other += [f"{where}: {flaw}" for flaw in on.flaws()]
        if standings != right.standings:
            self.other.append(f"{where}: the orders stand {standings}, not {right.standings}")

    def line(self, what: str) -> str:
        """The figure, as printed."""
        return (
            f"{what}: {self.trials} trials, {len(self.doubled)} doubled, {len(self.lost)} lost,"
            f" {len(self.other)} otherwise wrong ({self.not_reached} moments not reached)"
        )

    @property
    def wrong(self) -> list[str]:
        """All that is wrong."""
        return [*self.doubled, *self.lost, *self.other]


def reference(on: Stage, scene: Scenario) -> Reference:
    """Run the phases undisturbed.

    Raises:
        RuntimeError: Some kind of write did not occur: the scenario proves less than it should.
    """
    on.begin()
    counts = []
    for phase in range(len(on.phases)):
        before = len(on.writes())
        on.run(phase)
        counts.append(len(on.writes()) - before)
    kinds = on.kinds()
    missing = {kind.value for kind in scene.needs} - set(kinds)
    if missing:
        raise RuntimeError(f"the scenario needs no {', '.join(sorted(missing))}")
    say("kinds of writes: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    wanted = books.read(on.sandbox.ask("books"))
    return Reference(wanted, on.standings(), tuple(counts), scene.taken_back)


def unlike_the_shop(on: Stage, right: Reference) -> list[str]:
    """Where the books of an undisturbed run are not what the shop's own account comes to."""
    truth = json.loads(scenario.truth_beside(on.phases[-1]).read_text(encoding="utf-8"))
    parked = {order for order, state in right.standings.items() if state == "parked"}
    outcome = demo_books.compare(truth, on.sandbox.ask("books"), parked)
    differing = [f"undisturbed: order {order}: {how}" for order, how in outcome.differing.items()]
    return differing + [
        f"undisturbed: order {order} is {right.standings.get(order)}, not posted"
        for order, row in outcome.left.items()
        if row["expect"] == "posted"
    ]


def attempt(on: Stage, kills: Sequence[Kill], right: Reference, tally: Tally) -> None:
    """One trial: the phases in order, killed at the given moments and repeated after each."""
    on.begin()
    for phase in range(len(on.phases)):
        for kill in kills:
            if kill.phase != phase:
                continue
            if not on.killed_at(phase, kill.number, kill.place):
                tally.not_reached += 1
            if kill.loses:
                on.lose_ledger()
        on.run(phase)
    _judge(on, kills, right, tally)


def _judge(on: Stage, kills: Sequence[Kill], right: Reference, tally: Tally) -> None:
    tally.trials += 1
    where = "; ".join(map(str, kills))
    standing, wanted, standings = on.books(), right.wanted, on.standings()
    tally.doubled += [f"{where}: {entry}" for entry in books.repeated(standing)]
    if any(kill.loses for kill in kills):
        # What the ledger does not know to be ours is used and never renamed.
        standing, wanted = map(books.without_item_names, (standing, wanted))
    if any(kill.loses and kill.phase > 0 for kill in kills):
        # An order that was taken back while nobody remembered its invoice is parked or waits.
        known = {str(order) for order in standings} - right.taken_back
        standing, wanted = books.of_orders(standing, known), books.of_orders(wanted, known)
        tally.lost += [
            f"{where}: order {order} stands {state}"
            for order, state in standings.items()
            if state == "new" or (state != right.standings[order] and str(order) in known)
        ]
    elif standings != right.standings:
        tally.other.append(f"{where}: the orders stand {standings}, not {right.standings}")
    tally.compare(where, standing, wanted)
    tally.other += [f"{where}: {flaw}" for flaw in on.flaws()]


def singles(right: Reference) -> list[tuple[Kill, ...]]:
    """Every boundary by itself."""
    return [(kill,) for kill in right.boundaries]


def pairs(right: Reference, number: int, rng: random.Random) -> list[tuple[Kill, ...]]:
    """Random ordered pairs of moments, of one phase or of two."""
    kills = right.boundaries
    return [(rng.choice(kills), rng.choice(kills)) for _ in range(number)]


def losses(right: Reference, number: int, rng: random.Random) -> list[tuple[Kill, ...]]:
    """Random moments at which the ledger is lost too."""
    picked = rng.choices(right.boundaries, k=number)
    return [(Kill(kill.phase, kill.number, kill.place, loses=True),) for kill in picked]


def sweep(
    home: Path,
    messages: Sequence[Path],
    *,
    scene: Scenario = scenario.SALES,
    seed: int,
    every: bool,
    some: int = 0,
    pairs_: int = 0,
    lost: int = 0,
    lagging: int = 0,
    refused: int = 0,
    at_once: int = 1,
) -> list[str]:
    """Run the series; returns what went wrong.

    Args:
        home: An empty folder.
        messages: Those of the scene.
        scene: The orders and how their books are kept.
        seed: Of the random choices.
        every: Kill at every boundary.
        some: Kill at so many random boundaries besides.
        pairs_: Number of random pairs.
        lost: Number of kills at which the ledger is lost too.
        lagging: Number of kills where searches lag behind.
        refused: Number of kills where FreshBooks refuses the lines of refunds.
        at_once: Number of trials at a time, each on a stage of its own.
    """
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice
    wrong: list[str] = []
    with ExitStack() as stack:
        stages = [
            stack.enter_context(
                stage(
                    home / str(number),
                    messages,
                    switches=scene.switches,
                    later=scene.later,
                    **scene.settings,
                )
            )
            for number in range(at_once)
        ]
        first = stages[0]
        right = reference(first, scene)
        wrong += unlike_the_shop(first, right)
        say(f"seed {seed}; writes of the readings: {', '.join(map(str, right.counts))}")
        series = {
            "killed at every write": singles(right) if every else [],
            "killed at some write": rng.sample(singles(right), some),
            "killed at two writes": pairs(right, pairs_, rng),
            "killed and the ledger lost": losses(right, lost, rng),
        }
        for what, trials in series.items():
            if trials:
                wrong += _series(stages, what, trials, right)
        if lagging:
            # Only what was made can be missed: the moments at which nothing was yet are no trial.
            late = [(kill,) for kill in right.boundaries if kill.place != "before"]
            for on in stages:
                on.switches.update(LAGS)
                on.settings["settle_seconds"] = SETTLE_SECONDS
            what = "killed while searches lag behind"
            wrong += _series(stages, what, rng.sample(late, lagging), right)
            for on in stages:
                on.switches.update({"fb.stale_search_seconds": 0})
        if refused:
            for on in stages:
                on.switches.update(REFUSES)
            right = reference(first, scene)
            trials = rng.choices(singles(right), k=refused)
            wrong += _series(stages, "killed where FreshBooks refuses refund lines", trials, right)
    return wrong


def _series(
    stages: Sequence[Stage], what: str, trials: Sequence[Sequence[Kill]], right: Reference
) -> list[str]:
    free: SimpleQueue[Stage] = SimpleQueue()
    for on in stages:
        free.put(on)

    def one(kills: Sequence[Kill]) -> Tally:
        on, tally = free.get(), Tally()
        try:
            attempt(on, kills, right, tally)
        except (RuntimeError, TimeoutError) as failure:  # the other trials go on
            tally.other.append(f"{'; '.join(map(str, kills))}: {failure}")
            say(tally.other[-1])
        finally:
            free.put(on)
        return tally

    with ThreadPoolExecutor(len(stages)) as pool:
        tally = sum(pool.map(one, trials), Tally())
    say(tally.line(what))
    return tally.wrong
