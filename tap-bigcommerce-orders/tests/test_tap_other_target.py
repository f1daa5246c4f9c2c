"""The tap feeds a target that nobody here wrote: target-jsonl, in a venv of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TARGET = "target-jsonl==0.1.4"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Install the target as Meltano would; skip where the registry cannot be reached."""
    pytest.importorskip("uv", reason="uv makes the target's venv")
    uv = [sys.executable, "-m", "uv"]
    venv = tmp_path / "venv"
    subprocess.run([*uv, "venv", "-q", str(venv)], check=True, timeout=120)
    python = str(venv / "bin" / "python")
    done = subprocess.run(
        [*uv, "pip", "install", "-q", "--python", python, TARGET],
        env={"UV_SYSTEM_CERTS": "1", **os.environ},  # as tools/setup.sh: a proxy may open TLS
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"{TARGET} cannot be installed here: {done.stderr.strip()[-200:]}")
    return venv / "bin" / "target-jsonl"


def test_another_target_gets_every_record_and_hands_back_the_state(
    shop: Any, target: Path, tmp_path: Path, config_for: Any, at: Any
) -> None:
    for number in range(1, 61):
        shop.order(number, number, total_tax="1.0000")
        shop.taxes[number] = [{"id": number, "name": "GST", "rate": "8.0000"}]
    shop.refund(1, 7, 60)
    shop.products = [{"id": 1, "date_modified": at(1), "price": 9.5}]
    (tmp_path / "tap.json").write_text(json.dumps(config_for(shop, page_size=25)))
    (tmp_path / "out").mkdir()
    (tmp_path / "target.json").write_text(json.dumps({"destination_path": str(tmp_path / "out")}))
    tap = subprocess.Popen(
        [sys.executable, "-m", "tap_bigcommerce_orders", "--config", "tap.json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    done = subprocess.run(
        [str(target), "--config", "target.json"],
        stdin=tap.stdout,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=True,
    )
    assert tap.stdout is not None
    tap.stdout.close()
    assert tap.wait(timeout=30) == 0
    files = {path.name.rsplit("-", 1)[0]: path for path in (tmp_path / "out").iterdir()}
    rows = {
        name: [json.loads(line) for line in path.read_text().splitlines()]
        for name, path in files.items()
    }
    assert [row["id"] for row in rows["orders"]] == list(range(1, 61))
    assert {row["total_inc_tax"] for row in rows["orders"]} == {"10.0000"}
    assert len(rows["transactions"]) == len(rows["order_taxes"]) == 60
    assert rows["products"][0]["price"] == "9.5"
    state = json.loads(done.stdout.splitlines()[-1])
    assert state["bookmarks"]["orders"]["replication_key_value"] == at(60)
