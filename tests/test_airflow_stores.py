"""The list of stores that the DAGs follow: what it may say, and what is refused."""

from __future__ import annotations

import ast
import json
import re
import runpy
import stat
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orders_into_freshbooks_stores as listed
import pytest
import yaml
from meltano.core.job.job import HEARTBEAT_VALID_MINUTES

from demo.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DAG_FILE = ROOT / "plugins" / "airflow" / "dags" / "orders_into_freshbooks.py"
HASH = "TAP_BIGCOMMERCE_ORDERS_STORE_HASH"
PREFIX = "TARGET_FRESHBOOKS_INVOICE_NUMBER_PREFIX"
LEDGER = "TARGET_FRESHBOOKS_LEDGER_URL"
TOKEN = "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN"


def entry(name: str, account: str | None = None, **env: Any) -> dict[str, Any]:
    """A store of a list, with the ledger of its account."""
    return {
        "name": name,
        **({"account": account} if account else {}),
        "env": {HASH: f"hash-{name}", PREFIX: f"{name.upper()}-", **env},
        "secrets": {LEDGER: f"connection:ledger_{account or name}"},
    }


def read(*entries: Any) -> list[listed.Store]:
    return listed.read(yaml.safe_dump(list(entries)))


def refused(*entries: Any) -> str:
    with pytest.raises(listed.Refused) as caught:
        read(*entries)
    return str(caught.value)


def without(store: dict[str, Any], variable: str) -> dict[str, Any]:
    del store["env"][variable]
    return store


def test_a_list_is_yaml_or_json_and_an_account_is_the_store_s_name_unless_it_says_otherwise() -> (
    None
):
    entries = [entry("north"), entry("south", "acme"), entry("outlet", "acme")]
    stores = read(*entries)
    assert listed.read(json.dumps(entries)) == stores
    assert [(store["name"], store["account"]) for store in stores] == [
        ("north", "north"),
        ("south", "acme"),
        ("outlet", "acme"),
    ]


def test_stores_of_an_account_share_a_pool_in_which_one_runs_at_a_time() -> None:
    pools = listed.pools(read(entry("north"), entry("south", "acme"), entry("outlet", "acme")))
    assert {name: one["slots"] for name, one in pools.items()} == {
        "freshbooks_north": 1,
        "freshbooks_acme": 1,
    }
    assert set(pools) == {listed.pool("north"), listed.pool("acme")}


def test_the_store_of_the_project_itself_keeps_its_settings_its_bookmark_and_needs_no_pool(
    tmp_path: Path,
) -> None:
    assert listed.settings_of(listed.ALONE, tmp_path) == {}
    assert listed.pool(listed.ALONE["account"]) == "default_pool"


def test_each_store_has_a_source_a_bookmark_and_a_folder_of_meltano_s_of_its_own(
    tmp_path: Path,
) -> None:
    for kind in ("extractors", "loaders", "utilities"):
        (tmp_path / kind).mkdir()
    stores = read(entry("north"), entry("south"))
    for _ in range(2):  # as often as a task runs
        north, south = (listed.settings_of(store, tmp_path) for store in stores)
    for name in ("TARGET_FRESHBOOKS_SOURCE", "MELTANO_RUN_STATE_ID_SUFFIX"):
        assert (north[name], south[name]) == ("north", "south")
    folders = [tmp_path / "stores" / name for name in ("north", "south")]
    assert [one["MELTANO_SYS_DIR_ROOT"] for one in (north, south)] == list(map(str, folders))
    for folder in folders:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / "loaders").resolve() == tmp_path / "loaders"


@pytest.mark.parametrize(
    "variable",
    [TOKEN, "TARGET_FRESHBOOKS_ENCRYPTION_KEY", LEDGER, "MELTANO_DATABASE_URI"],
)
def test_a_secret_in_the_list_is_refused_without_being_told(variable: str) -> None:
    message = refused(entry("north", **{variable: "canary-secret"}) | {"secrets": {}})
    assert variable in message
    assert "canary" not in message
    store = entry("north")
    store["secrets"][variable] = "canary-secret"
    assert "canary" not in refused(store)


def test_a_blank_a_file_s_name_and_a_sqlite_file_are_no_secrets() -> None:
    names = {LEDGER: "", f"{LEDGER}_FILE": "/run/secrets/ledger", f"{TOKEN}_FILE": "/run/token"}
    (store,) = read(entry("north", **names) | {"secrets": {}})
    assert store["env"][f"{TOKEN}_FILE"] == "/run/token"
    assert read(entry("north", **{LEDGER: "sqlite:////srv/north.sqlite"}) | {"secrets": {}})


def test_every_setting_that_meltano_counts_as_secret_is_one_here() -> None:
    document = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    secret = [
        re.sub(r"\W", "_", f"{plugin['name']}_{setting['name']}").upper()
        for kind in document["plugins"].values()
        for plugin in kind
        for setting in plugin.get("settings", ())
        if setting.get("sensitive")
    ]
    assert len(secret) > 10
    assert [name for name in secret if not listed.SECRET.fullmatch(name)] == []


def test_an_account_has_one_ledger_and_a_ledger_one_account() -> None:
    south, outlet = entry("south", "acme"), entry("outlet", "acme")
    outlet["secrets"][LEDGER] = "connection:another"
    assert "different ledgers" in refused(south, outlet)
    north, west = entry("north"), entry("west")
    west["secrets"] = north["secrets"]
    assert "the same ledger" in refused(north, west)
    assert "the same ledger" in refused(north | {"secrets": {}}, west | {"secrets": {}})


def test_a_store_says_which_it_is_and_no_two_are_the_same() -> None:
    assert HASH in refused(without(entry("north"), HASH))
    assert "Two stores have the same name" in refused(entry("north"), entry("north"))
    assert f"the same {HASH}" in refused(entry("north"), entry("south", **{HASH: "hash-north"}))
    one, other = entry("south", "acme"), entry("outlet", "acme", **{PREFIX: "SOUTH-"})
    assert "the same invoice numbers" in refused(one, other)
    both = without(entry("south", "acme"), PREFIX), without(entry("outlet", "acme"), PREFIX)
    assert "the same invoice numbers" in refused(*both)


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("north", "has no name"),
        (entry("North"), "has no name"),
        (entry("a:b"), "has no name"),
        (entry("../north"), "has no name"),
        (entry("north") | {"pool": "one"}, "the key pool"),
        (entry("north", "A b"), "account in small letters"),
        (entry("north") | {"env": ["A"]}, "no mapping"),
        (entry("north", small="x"), "capital letters"),
        (entry("north", TARGET_FRESHBOOKS_DRY_RUN=True), "in quotes"),
        (entry("north", TARGET_FRESHBOOKS_SOURCE="other"), "follows from its name"),
        (entry("north", MELTANO_SYS_DIR_ROOT="/"), "follows from its name"),
        (entry("north", **{LEDGER: ""}), "under env and under secrets"),
    ],
)
def test_an_entry_that_cannot_be_followed_is_refused_with_its_cure(store: Any, words: str) -> None:
    assert words in refused(store)


@pytest.mark.parametrize("text", ["", "[]", "name: north", "north"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(listed.Refused, match="no list, or empty"):
        listed.read(text)


def test_broken_yaml_is_told_by_its_line_alone() -> None:
    with pytest.raises(listed.Refused, match="line 2") as caught:
        listed.read("- name: north\n  env: {canary: [}")
    assert "canary" not in str(caught.value)


def test_a_connection_becomes_a_url_of_sqlalchemy_s_and_only_postgresql_will_do() -> None:
    made = listed.sqlalchemy_url("postgres://u:p%40w@host:5432/ledger?sslmode=require")
    assert made == "postgresql+psycopg://u:p%40w@host:5432/ledger?sslmode=require"
    with pytest.raises(listed.Refused, match="type mysql"):
        listed.sqlalchemy_url("mysql://u:canary@host/ledger")


def test_the_page_s_list_is_followed_and_its_command_makes_the_pools(tmp_path: Path) -> None:
    page = (ROOT / "plugins" / "airflow" / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert block is not None
    stores = tmp_path / "stores.yml"
    stores.write_text(block[1], encoding="utf-8")
    command = [sys.executable, str(DAG_FILE.with_name("orders_into_freshbooks_stores.py"))]
    done = subprocess.run([*command, str(stores)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == listed.pools(listed.read(block[1]))
    stores.write_text("[]", encoding="utf-8")
    done = subprocess.run([*command, str(stores)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The list of stores is no list, or empty")


def test_the_least_airflow_is_said_alike_by_pages_plugin_and_dag_file() -> None:
    installed = re.search(
        r"apache-airflow~=(3\.\d+) ", (ROOT / "meltano.yml").read_text(encoding="utf-8")
    )
    assert installed is not None
    least = f"{installed[1]} or later of 3"
    for page in ("plugins/airflow/README.md", "docs/operations.md"):
        assert least in (ROOT / page).read_text(encoding="utf-8"), page
    # Here, where there is none, as where names are missing in an older one.
    with pytest.raises(ImportError, match=f"needs Airflow {re.escape(least)}"):
        runpy.run_path(str(DAG_FILE))


def constant(name: str) -> ast.expr:
    """What the DAG file, which needs Airflow, gives a name."""
    for one in ast.parse(DAG_FILE.read_text(encoding="utf-8")).body:
        if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == name:
            return one.value
    raise LookupError(name)


def test_a_task_is_tried_again_when_meltano_has_freed_the_lock_of_a_killed_run() -> None:
    call = constant("RETRY_DELAY")
    assert isinstance(call, ast.Call)
    minutes = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert timedelta(**minutes) > timedelta(minutes=HEARTBEAT_VALID_MINUTES)


def test_jobs_of_meltano_yml_run_on_its_schedules() -> None:
    document = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    jobs = constant("JOBS")
    assert isinstance(jobs, ast.Dict)
    schedules = {
        ast.literal_eval(key): ast.literal_eval(value.args[0])
        for key, value in zip(jobs.keys, jobs.values, strict=True)
        if key is not None and isinstance(value, ast.Call)
    }
    assert {one["job"]: one["interval"] for one in document["schedules"]}.items() <= (
        schedules.items()
    )
    assert set(schedules) == {"sync", "deep", "verify", "report", "notify", "hooks-check"}
