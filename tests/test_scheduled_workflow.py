"""`.github/workflows/sync.yml`, which users copy, needs nothing that only this repository has."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from demo.live import ORDER
from demo.login import log_in
from demo.project import ROOT, Project

if TYPE_CHECKING:
    from pathlib import Path

    from demo.sandbox import Sandbox


@pytest.fixture
def job() -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / "sync.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]["sync"]
    return found


def scripts(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def step_that(job: dict[str, Any], key: str, words: str) -> dict[str, Any]:
    (found,) = [step for step in job["steps"] if words in step.get(key, "")]
    return dict(found)


def test_the_released_programs_are_installed_by_their_hashes_alone(job: dict[str, Any]) -> None:
    install = step_that(job, "run", "pip install")["run"]
    assert re.findall("pip install .*", install) == [
        "pip install --require-hashes --only-binary :all: -r requirements.txt"
    ]


def test_they_are_installed_only_where_the_cache_has_none_of_this_release(
    job: dict[str, Any],
) -> None:
    cache = step_that(job, "uses", "actions/cache@")
    install = step_that(job, "run", "pip install")
    assert install["if"] == f"steps.{cache['id']}.outputs.cache-hit != 'true'"
    assert cache["with"]["path"] == ".venv"
    python = step_that(job, "uses", "actions/setup-python@")["id"]
    for part in (f"steps.{python}.outputs.python-version", "hashFiles('requirements.txt')"):
        assert part in cache["with"]["key"]
    assert job["steps"].index(cache) < job["steps"].index(install)


def test_no_step_needs_a_file_that_is_not_copied(job: dict[str, Any]) -> None:
    for script in scripts(job):
        assert not re.search(r"\bmake\b|tools/|plugins/|-e \.", script), script
    assert "meltano install" not in "".join(scripts(job))


def test_what_outlives_a_run_is_kept_outside_the_machine(job: dict[str, Any]) -> None:
    environment = step_that(job, "run", "meltano run")["env"]
    for name in ("MELTANO_DATABASE_URI", "TARGET_FRESHBOOKS_LEDGER_URL"):
        assert environment[name].startswith("${{ secrets."), name
    meltano = (ROOT / "meltano.yml").read_text(encoding="utf-8")
    known = {
        f"{plugin['name'].replace('-', '_')}_{setting['name']}".upper()
        for kind in yaml.safe_load(meltano)["plugins"].values()
        for plugin in kind
        for setting in plugin.get("settings", [])
    }
    ours = {name for name in environment if name.startswith(("TAP_", "TARGET_"))}
    assert ours - known == set()


def test_every_setting_that_is_needed_is_given_and_where_it_comes_from_is_told(
    job: dict[str, Any],
) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    given = step_that(job, "run", "meltano run")["env"]
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) - set(given) == set()
    text = (ROOT / ".github" / "workflows" / "sync.yml").read_text(encoding="utf-8")
    head, _, _ = text.partition("name: Orders")
    used = set(re.findall(r"\b(?:secrets|vars)\.([A-Z_]+)", text))
    assert used - set(re.findall(r"\b[A-Z_]+\b", head)) == set()


def test_what_a_run_says_is_kept_only_where_its_owner_asked_for_it(job: dict[str, Any]) -> None:
    (kept,) = [step for step in job["steps"] if "upload-artifact@" in step.get("uses", "")]
    assert kept["if"] == "always() && vars.KEEP_LOGS == 'true'"
    assert kept["with"]["path"] == "run.log"


def test_no_command_hides_its_errors_from_the_log(job: dict[str, Any]) -> None:
    """Meltano passes on what a plugin says on stderr, its errors too, at the level `info`."""
    assert "--log-level" not in "".join(scripts(job))
    for line in step_that(job, "run", "meltano run")["run"].splitlines():
        if "meltano invoke" in line:
            assert "2>> run.log" in line


@pytest.mark.more
def test_its_steps_bring_orders_into_the_books_beside_the_copied_file_and_print_figures_alone(
    job: dict[str, Any], few_orders: Sandbox, tmp_path: Path
) -> None:
    place = tmp_path / "repository"
    place.mkdir()
    shutil.copy(ROOT / "meltano.yml", place)
    (place / ".venv").symlink_to(ROOT / ".venv")  # as if the programs came from the cache
    home = tmp_path / "project"
    home.mkdir()
    nameless = {**ORDER, "billing": {**ORDER["billing"], "email": ""}}
    parked = few_orders.tell("POST", "shop/orders", nameless)["id"]
    project = Project(home=home, url=few_orders.url, settings={"MELTANO_ENVIRONMENT": "sandbox"})
    log_in(project)
    environment = project.environment() | {"GITHUB_PATH": str(tmp_path / "path"), "JOB": "sync"}
    printed = ""
    for script in scripts(job):
        if "pip install" in script:
            continue
        added = tmp_path / "path"
        path = added.read_text(encoding="utf-8").strip() + ":" if added.exists() else ""
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=place,
            env=environment | {"PATH": path + environment["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout[-4000:]}"
        printed += done.stdout
    assert few_orders.ask("books")["invoices"]
    assert list(place.glob(".meltano/*/*/venv")) == []
    assert f"{parked}" in (place / "run.log").read_text(encoding="utf-8")
    assert re.fullmatch(
        r"The run ended with 0\.\n([a-z_]+: \d+\n)*parked: [1-9]\d*\n([a-z_]+: \d+\n)*"
        r"\d+:[0-9a-f]{64}\n",
        printed,
    )
