"""What Airflow runs: the main job in a real one, and stores of a list at once without it.

Airflow is the utility that `make setup` installs. Many stores in a real one, with a worker killed,
are in test_sweep_airflow.py.
"""

from __future__ import annotations

import shlex
import shutil
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orders_into_freshbooks_stores as listed
import pytest
import yaml
from connector_sandbox import constants
from connector_sandbox.settings import KEY
from connector_sandbox.testing import new_database

from demo import sandbox as sandboxes
from demo.login import log_in
from demo.project import ROOT, Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from demo.sandbox import Sandbox


SHOPPER = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}


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
    meltano = tmp_path / "meltano"
    names = f"env | cut -d= -f1 >> {shlex.quote(str(tmp_path / 'names'))}"
    meltano.write_text(f"""#!/bin/sh\n{names}\nexec {ROOT / ".venv/bin/meltano"} "$@"\n""")
    meltano.chmod(0o700)
    settings["MELTANO_EXECUTABLE"] = str(meltano)
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
    handed_on = (tmp_path / "names").read_text("utf-8").split()
    assert "TAP_BIGCOMMERCE_ORDERS_STORE_HASH" in handed_on
    assert not [name for name in handed_on if name.startswith(("AIRFLOW_", "_AIRFLOW_"))]


def store_of_a_list(name: str) -> listed.Store:
    entry = {
        "name": name,
        "env": {"TAP_BIGCOMMERCE_ORDERS_STORE_HASH": f"hash{name}"},
        "secrets": {"TARGET_FRESHBOOKS_LEDGER_URL": f"variable:ledger_{name}"},
    }
    (store,) = listed.read(yaml.safe_dump([entry]))
    return store


@pytest.mark.sweep
def test_stores_of_a_list_run_at_once_each_from_a_bookmark_of_its_own(
    folder: Path, tmp_path: Path, postgresql_server: str
) -> None:
    bookmarks = listed.sqlalchemy_url(new_database(postgresql_server))
    names = ("north", "south")

    def project_of(name: str, running: Sandbox) -> Project:
        settings = listed.settings_of(store_of_a_list(name), folder / ".meltano")
        settings |= {
            "MELTANO_DATABASE_URI": bookmarks,
            "MELTANO_ENVIRONMENT": "prod",
            "TARGET_FRESHBOOKS_LEDGER_URL": listed.sqlalchemy_url(new_database(postgresql_server)),
            "TARGET_FRESHBOOKS_ENCRYPTION_KEY": KEY,
            "TARGET_FRESHBOOKS_REFRESH_TOKEN": constants.FRESHBOOKS_REFRESH_TOKEN,
        }
        home = tmp_path / f"home-{name}"
        home.mkdir()
        return Project(home=home, url=running.url, settings=settings, folder=folder)

    def run(project: Project, *arguments: str) -> tuple[int, str]:
        log = project.home / "meltano.log"
        with log.open("w", encoding="utf-8") as output:
            code = project.meltano(*arguments, output=output, environment="prod")
        return code, log.read_text(encoding="utf-8")

    with (
        sandboxes.up(tmp_path / "north", "--empty", "--switch", "bc.store_hash=hashnorth") as north,
        sandboxes.up(tmp_path / "south", "--empty", "--switch", "bc.store_hash=hashsouth") as south,
        ThreadPoolExecutor() as threads,
    ):
        both = [project_of(*one) for one in zip(names, (north, south), strict=True)]
        code, log = run(both[0], "state", "list")
        assert code == 0, log
        for price in ("10.00", "7.00"):
            for shop in (north, south):
                line = {"name": "Mug", "sku": "MUG", "price": price}
                shop.tell("POST", "shop/orders", {"lines": [line], "billing": SHOPPER})
            for code, log in threads.map(lambda project: run(project, "run", "sync"), both):
                assert code == 0, log[-4000:]
        invoices = [len(one.ask("books")["invoices"]) for one in (north, south)]
        former = "prod:tap-bigcommerce-orders-to-target-freshbooks"
        code, log = run(
            both[0], "state", "copy", "--force", f"{former}:north", f"{former}:bigcommerce"
        )
        assert code == 0, log
        code, log = run(both[0], "state", "list")
    assert invoices == [2, 2]
    assert all(f"{former}:{name}" in log for name in (*names, "bigcommerce"))
