"""The files at the root agree with the packages they hold together."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from collections import Counter
from typing import Any

import pytest
import yaml
from connector_credentials.cli import FORM as CREDENTIALS_FORM
from connector_webhooks.settings import FORM as WEBHOOKS_FORM
from connector_webhooks.settings import defaults as webhook_defaults

from demo.project import BIN, ROOT

PACKAGES = {
    "tap-bigcommerce-orders": "tap-bigcommerce-orders",
    "target-freshbooks": "target-freshbooks",
    "plugins/credentials": "connector-credentials",
    "plugins/sandbox": "connector-sandbox",
    "plugins/webhooks": "connector-webhooks",
}
# Settings that the SDK adds to every tap or target; Meltano users rarely meet them.
OF_THE_SDK = re.compile(
    r"stream_maps|stream_map_config|faker_config|flattening_|batch_config|add_record_metadata"
    r"|load_method|batch_size_rows|validate_records|sql_options"
)
INDEX_HOST = re.compile(r"https?://|--index-url|--extra-index-url|--find-links|@ file:")


@pytest.fixture(scope="module")
def meltano() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    return document


def _plugin(document: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in document["plugins"][kind] if one["name"] == name)
    return found


@pytest.mark.parametrize(
    ("kind", "name"),
    [("extractors", "tap-bigcommerce-orders"), ("loaders", "target-freshbooks")],
)
def test_meltano_knows_every_setting_as_text_its_default_and_what_is_secret(
    meltano: dict[str, Any], kind: str, name: str
) -> None:
    said = subprocess.run(
        [str(BIN / name), "--about", "--format", "json"], check=True, capture_output=True, text=True
    )
    properties = json.loads(said.stdout)["settings"]["properties"]
    ours = {one: schema for one, schema in properties.items() if not OF_THE_SDK.match(one)}
    described = {one["name"]: one for one in _plugin(meltano, kind, name)["settings"]}
    assert set(described) == set(ours)
    for setting, schema in ours.items():
        entry = described[setting]
        assert entry["kind"] == "string", f"{setting}: Meltano would read it its own way"
        assert "number" not in schema["type"], f"{setting}: no setting is fractional"
        assert entry.get("description"), setting
        if schema.get("secret"):
            assert entry.get("sensitive") is True, setting
        for choice in schema.get("enum", ()):
            assert choice is None or choice in entry["description"], setting
        value = entry.get("value", "")
        assert isinstance(value, str), f"{setting}: its default is not in quotes"
        default = schema.get("default", "")
        if not value.startswith("sqlite:"):
            assert value == (default if isinstance(default, str) else json.dumps(default)), setting


def test_meltano_knows_every_setting_of_the_webhooks(meltano: dict[str, Any]) -> None:
    described = {
        one["name"]: one.get("value", "")
        for one in _plugin(meltano, "utilities", "webhooks")["settings"]
    }
    assert set(described) == set(WEBHOOKS_FORM.properties)
    for setting, default in webhook_defaults().items():
        if not str(default).startswith("sqlite:"):
            assert described[setting] == str(default), setting


def test_meltano_knows_every_setting_of_the_credentials(meltano: dict[str, Any]) -> None:
    described = _plugin(meltano, "utilities", "credentials")["settings"]
    assert {one["name"] for one in described} == set(CREDENTIALS_FORM.properties)


def test_meltano_sends_no_telemetry_and_asks_for_no_newer_version(meltano: dict[str, Any]) -> None:
    assert meltano["send_anonymous_usage_stats"] is False
    assert meltano["cli"]["disable_version_check"] is True


def test_every_schedule_names_a_job_and_every_job_runs_plugins_that_exist(
    meltano: dict[str, Any],
) -> None:
    plugins = {one["name"] for kind in meltano["plugins"].values() for one in kind}
    jobs = {one["name"]: one["tasks"] for one in meltano["jobs"]}
    assert {"sync", "backfill", "deep"} <= set(jobs)
    for name, tasks in jobs.items():
        for task in tasks:
            assert {block.split(":")[0] for block in task.split()} <= plugins, name
    assert {one["job"] for one in meltano["schedules"]} <= set(jobs)


def test_constraints_are_plain_pins_and_name_no_index() -> None:
    for file in (ROOT / "constraints.txt", ROOT / "plugins" / "airflow" / "constraints.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(r"[a-z0-9._-]+==[0-9a-z.+!-]+", line), f"{file.name}: {line}"
            assert not INDEX_HOST.search(line), line


def _version(folder: str) -> str:
    text = (ROOT / folder / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


@pytest.mark.parametrize("folder", PACKAGES)
def test_each_package_says_the_same_version_licence_and_python(folder: str) -> None:
    text = (ROOT / folder / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    assert project["name"] == PACKAGES[folder]
    assert project["version"] == _version("tap-bigcommerce-orders")
    assert project["license"] == "Apache-2.0"
    assert project["requires-python"] == ">=3.11"
    assert (ROOT / folder / "README.md").is_file()
    sources = list((ROOT / folder / "src").glob("*/py.typed"))
    assert len(sources) == 1


def test_the_example_environment_has_every_needed_setting(meltano: dict[str, Any]) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    known = {
        f"{plugin['name'].replace('-', '_')}_{setting['name']}".upper()
        for kind in meltano["plugins"].values()
        for plugin in kind
        for setting in plugin.get("settings", [])
    }
    named = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", example, re.MULTILINE))
    strange = {one for one in named - known if not one.startswith("MELTANO_")}
    assert strange == set()
    for needed in (
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH",
        "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN",
        "TARGET_FRESHBOOKS_CLIENT_ID",
        "TARGET_FRESHBOOKS_CLIENT_SECRET",
        "TARGET_FRESHBOOKS_REDIRECT_URI",
    ):
        assert re.search(rf"^{needed}=", example, re.MULTILINE), needed


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_classes_of_a_package_have_one_name(package: str) -> None:
    names = Counter(
        node.name
        for module in (ROOT / package / "src").rglob("*.py")
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, number in names.items() if number > 1] == []


ONE_FORM = re.compile(
    r"\b(?:target-freshbooks-ctl|connector-credentials) [a-z]|\bmeltano (?:run|invoke|state)\b"
    r"|`webhooks [a-z]|\bRun webhooks\b"
)
IN_NO_FORM = {
    "connector_credentials/commands.py",
    "target_freshbooks/ledger/retention.py",
    "target_freshbooks/notify/failures.py",
    "target_freshbooks/notify/next_steps.py",
}
"""Modules whose texts are made the user's when they are shown, by `as_typed`."""


@pytest.mark.parametrize("package", PACKAGES)
def test_no_message_names_a_command_but_in_the_form_the_user_called(package: str) -> None:
    """Those of `connector_credentials.commands` name the program or plugin that was called."""
    found = []
    source = ROOT / package / "src"
    for module in source.rglob("*.py"):
        if module.relative_to(source).as_posix() in IN_NO_FORM:
            continue
        tree = ast.parse(module.read_text(encoding="utf-8"))
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found += [
            f"{module.name}:{node.lineno}: {node.value}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if id(node) not in prose
            if ONE_FORM.search(node.value)
        ]
    assert found == []
