"""What messages tell a person to type: the form in which the program itself was called."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from connector_credentials.commands import credentials, ctl, dry_run, meltano, run_of_both, webhooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROJECT = """default_environment: prod
plugins:
  extractors:
  - name: tap-bigcommerce-orders--deep
  - name: tap-bigcommerce-orders--outlet
  loaders:
  - name: target-freshbooks--outlet
"""


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [one for one in os.environ if one.startswith("MELTANO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name in ("meltano", "target-freshbooks-ctl"):
        program = tmp_path / ".venv" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(mode=0o755)
    (tmp_path / "meltano.yml").write_text(PROJECT, encoding="utf-8")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def call(*words: str) -> None:
        monkeypatch.setattr("sys.argv", list(words))

    return call


@pytest.fixture
def invoked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    def invoke(kind: str, name: str, environment: str = "prod") -> None:
        monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
        monkeypatch.setenv("MELTANO_ENVIRONMENT", environment)
        monkeypatch.setenv(f"MELTANO_{kind}_NAME", name)
        program = tmp_path / ".meltano" / "loaders" / "x" / "venv" / "bin" / "target-freshbooks-ctl"
        monkeypatch.setattr("sys.argv", [str(program), "login"])

    return invoke


@pytest.mark.parametrize(
    ("called", "told"),
    [
        (".venv/bin/target-freshbooks-ctl", ".venv/bin/target-freshbooks-ctl login"),
        (".venv/bin/target-freshbooks", ".venv/bin/target-freshbooks-ctl login"),
        ("./target-freshbooks", "./target-freshbooks-ctl login"),
        ("/my books/bin/webhooks", "'/my books/bin/target-freshbooks-ctl' login"),
        ("/usr/lib/python3/dist-packages/pytest/__main__.py", "target-freshbooks-ctl login"),
        ("-c", "target-freshbooks-ctl login"),
    ],
)
def test_a_program_is_named_by_the_path_that_was_typed(
    typed: Callable[..., None], called: str, told: str
) -> None:
    typed(called, "status")
    assert ctl("login") == told


def test_a_program_that_was_found_on_the_path_is_named_without_it(
    typed: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / ".venv" / "bin"
    monkeypatch.setenv("PATH", str(folder))
    typed(str(folder / "target-freshbooks-ctl"), "status")
    assert ctl("login") == "target-freshbooks-ctl login"
    assert meltano("run", "sync") == "meltano run sync"


def test_the_file_of_the_settings_is_named_as_it_was(typed: Callable[..., None]) -> None:
    typed("bin/target-freshbooks-ctl", "--config=a b.json", "status", "--config", "c.json", "7")
    assert ctl("login") == "bin/target-freshbooks-ctl login --config 'a b.json' --config c.json"
    assert webhooks("check") == "bin/webhooks check"
    typed("bin/tap-bigcommerce-orders", "--config", "tap.json")
    assert ctl("login") == "bin/target-freshbooks-ctl login"
    typed("bin/target-freshbooks", "--config=ENV")
    assert ctl("login") == "bin/target-freshbooks-ctl login"


def test_where_the_credentials_are_is_named_as_they_can_be_typed(
    typed: Callable[..., None], invoked: Callable[..., None]
) -> None:
    typed("target-freshbooks-ctl", "status")
    assert credentials("delete", "a", url="sqlite:////srv/data/x.sqlite") == (
        "connector-credentials --url sqlite:////srv/data/x.sqlite delete a"
    )
    assert credentials("delete", "a", url="postgresql+psycopg://me:***@host/x") == (
        "connector-credentials --url 'postgresql+psycopg://me:***@host/x' delete a"
    )
    invoked("LOADER", "target-freshbooks")
    told = ".venv/bin/meltano invoke credentials:delete a"
    assert credentials("delete", "a", url="sqlite:////srv/data/x.sqlite") == told


def test_under_meltano_it_is_the_plugin_that_meltano_runs(invoked: Callable[..., None]) -> None:
    invoked("LOADER", "target-freshbooks")
    assert ctl("login") == ".venv/bin/meltano invoke target-freshbooks:login"
    assert ctl("replay", "--send") == ".venv/bin/meltano invoke target-freshbooks:replay --send"
    told = ".venv/bin/meltano invoke credentials:delete a"
    assert credentials("delete", "a") == told
    assert meltano("run", "sync") == ".venv/bin/meltano run sync"


def test_an_inherited_plugin_is_named_by_its_own_name_and_so_is_its_other_half(
    invoked: Callable[..., None],
) -> None:
    invoked("LOADER", "target-freshbooks--outlet")
    assert ctl("login") == ".venv/bin/meltano invoke target-freshbooks--outlet:login"
    pair = "tap-bigcommerce-orders--outlet target-freshbooks--outlet"
    assert run_of_both() == f".venv/bin/meltano run {pair}"
    assert webhooks("check") == ".venv/bin/meltano invoke webhooks:check"


def test_a_tap_without_a_target_of_its_own_feeds_the_one_there_is(
    invoked: Callable[..., None],
) -> None:
    invoked("EXTRACTOR", "tap-bigcommerce-orders--deep")
    pair = "tap-bigcommerce-orders--deep target-freshbooks"
    assert dry_run() == f"TARGET_FRESHBOOKS_DRY_RUN=true .venv/bin/meltano run {pair}"


def test_another_utility_that_has_started_it_is_not_taken_for_the_plugin(
    invoked: Callable[..., None],
) -> None:
    invoked("UTILITY", "doctor")
    assert webhooks("check") == ".venv/bin/meltano invoke webhooks:check"
    invoked("UTILITY", "webhooks--outlet")
    assert webhooks("check") == ".venv/bin/meltano invoke webhooks--outlet:check"


@pytest.mark.parametrize(
    ("environment", "told"), [("sandbox", "--environment=sandbox"), ("", "--no-environment")]
)
def test_another_environment_than_the_usual_is_named(
    invoked: Callable[..., None], environment: str, told: str
) -> None:
    invoked("LOADER", "target-freshbooks", environment)
    assert ctl("login") == f".venv/bin/meltano {told} invoke target-freshbooks:login"


def test_from_another_folder_the_whole_path_is_named(
    invoked: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    invoked("LOADER", "target-freshbooks")
    monkeypatch.chdir("/")
    assert ctl("login") == f"{tmp_path}/.venv/bin/meltano invoke target-freshbooks:login"


def test_where_setup_has_not_made_meltano_it_is_the_one_on_the_path(
    invoked: Callable[..., None], tmp_path: Path
) -> None:
    invoked("LOADER", "target-freshbooks")
    (tmp_path / ".venv" / "bin" / "meltano").unlink()
    assert ctl("login") == "meltano invoke target-freshbooks:login"
