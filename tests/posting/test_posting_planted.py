"""A fault of each kind, planted in a copy: the state machine finds it and shrinks its history."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from mutate import copies
from mutate.planted import PLANTED

if TYPE_CHECKING:
    from pathlib import Path

    from mutate.lines import Mutation

MACHINE = "tests/posting/test_posting_machine.py"
SHARDS = " or ".join(f"[{number}]" for number in range(16))
SECONDS = 3_000
BROKEN = re.compile(r"broken after (\d+) steps, the shortest history has (\d+)")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copies.copy(tmp_path_factory.mktemp("planted"))


@pytest.mark.sweep
@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_and_its_history_shrunk(place: Path, fault: Mutation) -> None:
    with copies.changed(place, fault):
        code, failed, output = copies.run(place, (MACHINE, "-m", "sweep", "-k", SHARDS), SECONDS)
    assert code == 1, output[-3000:]
    assert failed, output[-3000:]
    broken = BROKEN.search(output)
    assert broken, output[-3000:]
    steps = re.findall(r"state\.(?!counted|begin|teardown)(\w+)\(", output)[-int(broken[2]) :]
    print(f"{fault.name}: after {broken[1]} steps, shrunk to {broken[2]}: {', '.join(steps)}")
