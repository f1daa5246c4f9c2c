"""A sample of the fuzzing of `make fuzz`."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from demo.project import ROOT

SECONDS = 1


@pytest.mark.more
@pytest.mark.timeout(900)
def test_a_sample_of_odd_text_makes_no_parser_fail_and_loses_no_order() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "fuzz", "--seconds", str(SECONDS)],
        env={"PYTHONPATH": str(ROOT / "tools"), "PATH": ""},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    tried = re.findall(r"^(.+): (\d+) examples in", ended.stdout, re.MULTILINE)
    assert len(tried) >= 15
    assert all(int(examples) for _, examples in tried), ended.stdout
