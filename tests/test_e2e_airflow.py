"""The DAG file runs the main job in a real Airflow, the utility that `make setup` installs."""

from __future__ import annotations

import shutil
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from demo.login import log_in
from demo.project import ROOT, Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from demo.sandbox import Sandbox


@pytest.fixture
def scheduler(folder: Path, few_orders: Sandbox, tmp_path: Path) -> Project:
    """A copy of the project with its Airflow, on a sandbox with few orders."""
    (folder / ".meltano" / "utilities").symlink_to(ROOT / ".meltano" / "utilities")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    shutil.copytree(ROOT / "plugins" / "airflow", folder / "plugins" / "airflow")
    home = tmp_path / "home"
    home.mkdir()
    # Whoever has an Airflow of his own besides: ours must not touch it.
    settings = {"AIRFLOW_HOME": str(tmp_path / "another"), "PYTHONDONTWRITEBYTECODE": "1"}
    return Project(home=home, url=few_orders.url, settings=settings, folder=folder)


@pytest.mark.more
@pytest.mark.timeout(1800)
def test_airflow_invoked_by_meltano_runs_the_sync_dag_and_keeps_its_files_in_data(
    scheduler: Project,
    few_orders: Sandbox,
    compared: Callable[[Any, Path], Any],
    tmp_path: Path,
) -> None:
    log_in(scheduler)

    def invoke(*arguments: str) -> str:
        log = tmp_path / "airflow.log"
        with log.open("w", encoding="utf-8") as output:
            code = scheduler.meltano("invoke", *arguments, output=output)
        said = log.read_text(encoding="utf-8")
        assert code == 0, said[-4000:]
        return said

    invoke("airflow:migrate")
    assert (scheduler.folder / "data" / "airflow" / "airflow.db").is_file()
    assert not (tmp_path / "another").exists()

    said = invoke("airflow:test-sync")
    assert "state=success" in said, said[-4000:]
    books = compared(few_orders, scheduler.ledger)
    assert books.posted
    assert books.differing == {}
    assert {sums.difference for sums in books.totals.values()} == {Decimal(0)}
