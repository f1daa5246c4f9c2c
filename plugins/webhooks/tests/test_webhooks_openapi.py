"""The receiver against its own OpenAPI description, and a sample of the load programme."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Make = Any
BENCH = Path(__file__).parents[1] / "bench" / "load.py"
# Hypothesis' seed, so that a finding can be looked at again.
SEED = "20261101"


@pytest.mark.more
@pytest.mark.parametrize("port", ["internal", "public"])
def test_schemathesis_finds_no_5xx_and_nothing_undescribed(
    program: Make, start: Make, port: str
) -> None:
    ours = program()
    server = start(ours, "--no-dispatch")
    where = ["--url", server.origin, "--include-method", "POST"] if port == "public" else []
    found = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            "/dev/null",
            "run",
            f"{server.internal_origin}/openapi.json",
            *where,
            "--checks",
            "all",
            "--max-examples",
            "25",
            "--seed",
            SEED,
            "--no-color",
        ],
        cwd=ours.folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]
    assert server.figure('webhooks_requests_total{outcome="forged"}') >= 25, found.stdout
    assert ours.hooks() == [], "nothing it makes up is signed"
    assert "Traceback" not in ours.log


@pytest.mark.more
def test_under_load_every_hook_is_answered_and_stored_while_runs_hang() -> None:
    ended = subprocess.run(
        [sys.executable, str(BENCH), "--rate", "100", "--seconds", "3"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert (found["hooks"], found["inbox_hooks"], found["waiting_hooks"]) == (300, 300, 300)
    assert found["statuses"] == {"200": 300}
