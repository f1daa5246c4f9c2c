"""Under each side of each switch that a check settles, the probe tells that side."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sides import MET_UNDER, SIDES
from target_freshbooks.probe.checks import CHECKS

CASES = [(switch, side) for switch, (_, by_side) in SIDES.items() for side in by_side]
SAMPLE = CASES[::15]
COMBINATIONS = 200
DEPTHS = {check.name: check.depth.value for check in CHECKS}


def probe_under(desk: Any, sides: dict[str, object]) -> list[str]:
    """Probe with these sides; what was told wrongly, or left."""
    desk.switch(**sides)
    desk.control("POST", "requests/reset")
    full = any(DEPTHS[SIDES[switch][0]] == "full" for switch in sides)
    findings = desk.probe(*["--full"] * full)
    wrong = []
    for switch, side in sides.items():
        other, needed = MET_UNDER.get(switch, (switch, side))
        if sides.get(other, needed) != needed:
            continue
        check, by_side = SIDES[switch]
        found = findings[check]
        if found["why"] and len(sides) > 1:
            continue  # another switch keeps it from being told
        if found["why"] or not by_side[side](found):
            wrong.append(f"{switch}={side}: {found}")
    # What FreshBooks does not let go is named, each record of it.
    kept = desk.standing()
    return wrong if len(kept) == len(desk.left) else [*wrong, *kept, *desk.left]


@pytest.mark.parametrize(("switch", "side"), SAMPLE)
def test_the_side_of_a_switch_is_told(desk: Any, switch: str, side: object) -> None:
    assert probe_under(desk, {switch: side}) == []


@pytest.mark.sweep
@pytest.mark.parametrize(("switch", "side"), [case for case in CASES if case not in SAMPLE])
def test_the_side_of_each_switch_is_told(desk: Any, switch: str, side: object) -> None:
    assert probe_under(desk, {switch: side}) == []


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(COMBINATIONS))
def test_no_side_is_told_wrongly_in_any_combination(desk: Any, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - sides
    drawn = {switch: rng.choice([*by_side]) for switch, (_, by_side) in SIDES.items()}
    assert probe_under(desk, drawn) == [], f"seed {seed}: {drawn}"
