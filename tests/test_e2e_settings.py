"""Settings on their way through Meltano: what is wrong is named by the program and writes nothing.

A project of its own: a copy of meltano.yml, which `meltano config set` may write to.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

from demo.login import log_in
from demo.project import BIN, Project

if TYPE_CHECKING:
    from pathlib import Path

    from demo.sandbox import Sandbox

TAP, HOOKS = "tap-bigcommerce-orders", "tap-bigcommerce-orders--hooks"
pytestmark = pytest.mark.more


TARGET = "target-freshbooks"
UNKNOWN = "No setting has this name"
NO_WRITES = {"POST": 0, "PUT": 0, "DELETE": 0}


@dataclass(frozen=True)
class Copy:
    """A Meltano project that is a copy, with the environments of the real one's plugins."""

    folder: Path
    project: Project

    def meltano(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Run Meltano to its end; variables are settings in the environment."""
        command = [str(BIN / "meltano"), "--environment=sandbox", *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.project.environment() | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        assert self.project.environment()["TARGET_FRESHBOOKS_CLIENT_SECRET"] not in done.stdout
        return done.returncode, done.stdout


@pytest.fixture
def copy(few_orders: Sandbox, folder: Path, tmp_path: Path) -> Copy:
    """A copy that is logged in to a sandbox."""
    home = tmp_path / "project"
    home.mkdir()
    project = Project(home=home, url=few_orders.url, settings={})
    log_in(project)
    few_orders.count_anew()
    return Copy(folder, project)


def test_a_boolean_misspelt_stops_the_run_and_writes_nothing(
    copy: Copy, few_orders: Sandbox
) -> None:
    code, log = copy.meltano("config", "set", TARGET, "dry_run", "ture")
    assert code == 0, log
    code, log = copy.meltano("run", TAP, TARGET)
    assert code == 1
    assert "The setting dry_run is 'ture': it must be true or false." in log
    assert few_orders.writes() == NO_WRITES
    code, log = copy.meltano("invoke", f"{TARGET}:status")
    assert code == 1
    assert "The setting dry_run is 'ture': it must be true or false." in log


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "INVOICE_START_DATE",
            "01.02.2026",
            "The setting invoice_start_date is '01.02.2026': it must be a day such as 2026-01-31.",
        ),
        ("ON_PARKED", "explode", "The setting on_parked is 'explode': it must be warn or fail."),
        (
            "INVOICE_NUMER_PREFIX",
            "A-",
            "There is no setting TARGET_FRESHBOOKS_INVOICE_NUMER_PREFIX. If it is",
        ),
    ],
)
def test_a_wrong_variable_is_told_by_the_program_and_not_by_meltano(
    folder: Path, name: str, value: str, words: str
) -> None:
    project = Project(home=folder.parent, url="http://127.0.0.1:1", settings={})
    code, log = Copy(folder, project).meltano(
        "invoke", TARGET, **{f"TARGET_FRESHBOOKS_{name}": value}
    )
    assert code == 1
    assert words in log
    assert "Traceback" not in log


def test_an_inherited_plugin_takes_a_list_and_what_meltano_adds_is_no_name_of_ours(
    copy: Copy, few_orders: Sandbox
) -> None:
    path = copy.folder / "meltano.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    target = next(one for one in document["plugins"]["loaders"] if one["name"] == TARGET)
    # JSON's own types, a list among them, which Meltano gives the commands in Python's notation.
    target["config"] = {"exclude_external_sources": ["M-MIG", "POS"], "dry_run": False}
    document["plugins"]["loaders"].append({"name": f"{TARGET}-eu", "inherit_from": TARGET})
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    expected = [
        one["order_id"] for one in few_orders.ask("truth")["orders"] if one["expect"] == "posted"
    ][:2]
    named = ",".join(map(str, expected))
    code, log = copy.meltano(
        "run", "--force", HOOKS, f"{TARGET}-eu", TAP_BIGCOMMERCE_ORDERS_ORDER_IDS=named
    )
    assert code == 0, log[-4000:]
    numbers = {row["invoice_number"] for row in few_orders.ask("books")["invoices"]}
    assert numbers == set(map(str, expected))
    assert UNKNOWN not in log
    code, log = copy.meltano("invoke", f"{TARGET}:status")
    assert code == 0, log
    assert UNKNOWN not in log
