"""A sample of the attacks of `make attack`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from attack.__main__ import PARTS
from demo.project import ROOT


@pytest.mark.more
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", PARTS)
def test_a_sample_of_attacks_on_all_programs_is_withstood(part: str) -> None:
    command = [sys.executable, "-m", "attack", "--quick", part]
    environment = {"PYTHONPATH": str(ROOT / "tools")}
    ended = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
