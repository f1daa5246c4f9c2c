"""What a start costs: programs load what they use, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from target_freshbooks.settings import schema, table

SLOW = (
    "singer_sdk",
    "jinja2",
    "apprise",
    "alembic",
    "prometheus_client",
    "target_freshbooks.report",
)


def test_the_settings_are_written_as_the_sdk_would_write_them() -> None:
    text = Path(table.__file__).read_text(encoding="utf-8")
    ours, theirs = "from . import property_types as th", "from singer_sdk import typing as th"
    assert text.count(ours) == 1
    beside = ModuleType("settings_of_the_sdk")
    exec(compile(text.replace(ours, theirs), table.__file__, "exec"), vars(beside))  # noqa: S102 - ours
    assert vars(beside)["schema"] == schema


@pytest.mark.parametrize(
    ("module", "used"),
    [
        ("target_freshbooks.target", {"singer_sdk"}),
        ("target_freshbooks.ctl", set()),
        ("tap_bigcommerce_orders.tap", {"singer_sdk"}),
    ],
)
def test_a_program_starts_without_what_few_of_its_runs_need(module: str, used: set[str]) -> None:
    probing = ("tap_bigcommerce_orders.probe", "tap_bigcommerce_orders.doctor")
    slow = {*SLOW, *probing, *(("sqlalchemy",) if module.startswith("tap") else ())}
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )
    assert slow.intersection(done.stdout.split()) == used
