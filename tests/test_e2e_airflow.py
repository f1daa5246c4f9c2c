"""The DAG file runs the main job in a real Airflow, the utility that `make setup` installs."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from demo.login import log_in
from demo.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLUGIN = ROOT / "plugins" / "airflow"
AIRFLOW = ROOT / ".meltano" / "utilities" / "airflow" / "venv" / "bin" / "airflow"
"""Made by `make setup`; where it could not be, `meltano install airflow` says why."""

RUN_SECONDS = 900


@pytest.mark.sweep
@pytest.mark.timeout(1800)
def test_airflow_runs_the_sync_dag_and_the_month_is_posted(
    project: Any,
    sandbox: Any,
    compared: Callable[[Any, Path], Any],
    tmp_path: Path,
) -> None:
    log_in(project)
    environment = project.environment() | {
        "AIRFLOW_HOME": str(tmp_path / "airflow-home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PLUGIN / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "MELTANO_ENVIRONMENT": "sandbox",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def call(*arguments: str) -> str:
        done = subprocess.run(
            [str(AIRFLOW), *arguments],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    call("db", "migrate")
    said = call("dags", "test", "orders_into_freshbooks_sync")
    assert "state=success" in said, said[-4000:]
    books = compared(sandbox, project.ledger)
    assert books.posted
    assert books.differing == {}
    assert {sums.difference for sums in books.totals.values()} == {Decimal(0)}

    sandbox.count_anew()
    call("dags", "test", "orders_into_freshbooks_sync")
    assert sandbox.writes() == {"POST": 0, "PUT": 0, "DELETE": 0}
