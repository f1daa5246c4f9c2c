"""Others at work in shop and books; a sample of the long sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeps import actors

if TYPE_CHECKING:
    from pathlib import Path


def named(seed: int, trials: int) -> list[str]:
    return [f"{seed}/{number}" for number in range(trials)]


@pytest.mark.more
def test_nothing_of_others_is_changed_whoever_is_at_work(tmp_path: Path, seed: int) -> None:
    assert actors.sweep(tmp_path, named(seed, 3)) == []


@pytest.mark.sweep
def test_in_hundreds_of_trials_nothing_of_others_is_changed(
    tmp_path: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    one = request.config.getoption("--trial")
    names = [one] if one else named(seed, actors.TRIALS)
    assert actors.sweep(tmp_path, names, loud=one is not None) == []
