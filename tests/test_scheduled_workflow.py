"""`.github/workflows/sync.yml`, which users copy, needs nothing that only this repository has."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from demo.login import log_in
from demo.project import ROOT, Project

if TYPE_CHECKING:
    from pathlib import Path

    from demo.sandbox import Sandbox

COPIED = ("meltano.yml", "constraints.txt")
RELEASED = ("tap-bigcommerce-orders", "target-freshbooks")


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


def test_the_released_programs_are_installed_at_one_pinned_version(job: dict[str, Any]) -> None:
    install = step_that(job, "run", "pip install")["run"]
    for name in RELEASED:
        assert re.search(rf'[" ]{name}(\[postgres\])?==\$VERSION', install), name
        manifest = tomllib.loads((ROOT / name / "pyproject.toml").read_text(encoding="utf-8"))
        assert job["env"]["VERSION"] == manifest["project"]["version"]
    assert "-c constraints.txt" in install
    assert re.search("^meltano==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)


def test_they_are_installed_only_where_the_cache_has_none_of_this_version(
    job: dict[str, Any],
) -> None:
    cache = step_that(job, "uses", "actions/cache@")
    install = step_that(job, "run", "pip install")
    assert install["if"] == f"steps.{cache['id']}.outputs.cache-hit != 'true'"
    assert cache["with"]["path"] == ".venv"
    python = step_that(job, "uses", "actions/setup-python@")["id"]
    for part in (f"steps.{python}.outputs.python-version", "env.VERSION", "hashFiles('constr"):
        assert part in cache["with"]["key"]
    assert job["steps"].index(cache) < job["steps"].index(install)


def test_no_step_needs_a_file_that_is_not_copied(job: dict[str, Any]) -> None:
    for script in scripts(job):
        assert not re.search(r"\bmake\b|tools/|plugins/|-e \.", script), script
    assert "meltano install" not in "".join(scripts(job))


def test_what_outlives_a_run_is_kept_outside_the_machine(job: dict[str, Any]) -> None:
    for name in ("MELTANO_DATABASE_URI", "TARGET_FRESHBOOKS_LEDGER_URL"):
        assert job["env"][name].startswith("${{ secrets."), name
    meltano = (ROOT / "meltano.yml").read_text(encoding="utf-8")
    known = {
        f"{plugin['name'].replace('-', '_')}_{setting['name']}".upper()
        for kind in yaml.safe_load(meltano)["plugins"].values()
        for plugin in kind
        for setting in plugin.get("settings", [])
    }
    ours = {name for name in job["env"] if name.startswith(("TAP_", "TARGET_"))}
    assert ours - known == set()


@pytest.mark.more
def test_its_steps_bring_orders_into_the_books_beside_the_copied_files_alone(
    job: dict[str, Any], few_orders: Sandbox, tmp_path: Path
) -> None:
    place = tmp_path / "repository"
    place.mkdir()
    for name in COPIED:
        shutil.copy(ROOT / name, place)
    (place / ".venv").symlink_to(ROOT / ".venv")  # as if the programs came from the cache
    home = tmp_path / "project"
    home.mkdir()
    project = Project(home=home, url=few_orders.url, settings={"MELTANO_ENVIRONMENT": "sandbox"})
    log_in(project)
    environment = project.environment() | {"GITHUB_PATH": str(tmp_path / "path")}
    for script in scripts(job):
        if "pip install" in script:
            continue
        added = tmp_path / "path"
        path = added.read_text(encoding="utf-8").strip() + ":" if added.exists() else ""
        done = subprocess.run(
            ["bash", "-e", "-c", re.sub(r"\$\{\{.*?\}\}", "sync", script)],
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
    assert few_orders.ask("books")["invoices"]
    assert list(place.glob(".meltano/*/*/venv")) == []
