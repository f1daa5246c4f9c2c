"""`make setup` on machines that are not ours, and `make clean`, which must cost nobody a ledger.

The programs that setup calls are stand-ins here: they note how they were called, or fail.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from demo.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

STAND_IN = """#!/bin/sh
echo "{name} $* backend=$MELTANO_VENV_BACKEND system=$UV_SYSTEM_CERTS cert=$PIP_CERT" >> "$CALLS"
case "$*" in
  "-m pip config list") exit 0 ;;
  {failing}) exit 1 ;;
esac
"""
NOTHING = "no-such-arguments"
# Makes an environment in which it is Python itself, with pip at the very end.
INTERPRETER = """#!/bin/sh
echo "{name} $*" >> "$CALLS"
case "$*" in
  "-c import sys"*) [ {minor} -ge 11 ] ;;
  "-m pip --version") [ -e "${{0%/*}}/pip" ] ;;
  "-m venv "*)
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python"
    {ended}
    touch "$3/bin/pip" "$3/bin/uv" "$3/bin/meltano"
    chmod +x "$3"/bin/* ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A clone with stand-ins in its `.venv`."""

    home: Path

    def stand_in(self, name: str, *, failing: str = NOTHING) -> None:
        """Put a program in place that fails where its arguments fit the shell's pattern."""
        program = self.home / ".venv" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(STAND_IN.format(name=name, failing=failing), encoding="utf-8")
        program.chmod(0o755)

    def interpreter(self, name: str, version: str, *, ended: bool = False) -> str:
        """A program that answers as that Python; `ended` kills it while it makes .venv."""
        program = self.home / "interpreters" / name
        program.parent.mkdir(exist_ok=True)
        minor = version.split(".")[1]
        text = INTERPRETER.format(name=name, minor=minor, ended="kill -9 $$" if ended else ":")
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        return str(program)

    def made_by(self, python: str) -> tuple[int, str]:
        """Run `make setup PYTHON=...`; its exit code and what it said on stderr."""
        (self.home / "calls").touch()
        done = subprocess.run(
            ["make", "setup", f"PYTHON={python}"],
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "CALLS": f"{self.home}/calls"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr

    def setup(self, umask: int = 0o022) -> tuple[int, list[str]]:
        """Run the script; its exit code and how the programs were called."""
        calls = self.home / "calls"
        done = subprocess.run(
            ["tools/setup.sh", "plugins/credentials"],
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), "CALLS": str(calls)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            umask=umask,
        )
        return done.returncode, calls.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "setup.sh", tmp_path / "tools")
    made = Machine(tmp_path)
    for name in ("python", "uv", "meltano"):
        made.stand_in(name)
    return made


@pytest.fixture
def clone(tmp_path: Path) -> Machine:
    """A clone in which nothing was made yet."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "setup.sh", tmp_path / "tools")
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "meltano.yml"):
        shutil.copy(ROOT / name, tmp_path)
    return Machine(tmp_path)


def installs(calls: list[str], program: str) -> list[str]:
    return [call for call in calls if call.startswith(program) and "install" in call]


def test_uv_trusts_the_certificates_of_the_machine(machine: Machine) -> None:
    code, calls = machine.setup()
    assert code == 0
    assert all("system=1" in call for call in installs(calls, "uv"))
    assert all("backend= system=1" in call for call in installs(calls, "meltano"))
    assert installs(calls, "python") == []


def test_where_uv_cannot_install_pip_does_also_for_the_plugins(machine: Machine) -> None:
    machine.stand_in("uv", failing='"pip install"*')
    code, calls = machine.setup()
    assert code == 0
    assert any("--group dev" in call for call in installs(calls, "python"))
    plugins = installs(calls, "meltano")
    assert plugins
    assert all("backend=virtualenv" in call for call in plugins)


def test_where_only_the_plugins_fail_with_uv_pip_installs_them(machine: Machine) -> None:
    # A branch of the shell's `case` instead of a pattern: fail unless pip is asked for.
    failing = '*) [ -n "$MELTANO_VENV_BACKEND" ] || exit 1 ;; none'
    machine.stand_in("meltano", failing=failing)
    code, calls = machine.setup()
    assert code == 0
    first, second, *_ = installs(calls, "meltano")
    assert "backend= " in first
    assert "backend=virtualenv" in second
    assert first.split(" backend=")[0] == second.split(" backend=")[0]


def test_airflow_alone_may_fail(machine: Machine) -> None:
    machine.stand_in("meltano", failing='*"install airflow"')
    assert machine.setup()[0] == 0
    machine.stand_in("meltano", failing="*webhooks")
    assert machine.setup()[0] == 1


def test_every_plugin_is_installed_so_that_later_runs_need_no_network(machine: Machine) -> None:
    document: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    plugins = [one for kind in document["plugins"].values() for one in kind]
    named = {one["name"] for one in plugins if "pip_url" in one}
    _, calls = machine.setup()
    words = {word for call in installs(calls, "meltano") for word in call.split()}
    assert named - words == set()


def test_setup_makes_a_folder_for_what_is_the_user_s_and_nobody_else_may_look_into(
    machine: Machine,
) -> None:
    assert machine.setup(umask=0)[0] == 0
    for folder in ("data", ".meltano"):
        assert stat.S_IMODE((machine.home / folder).stat().st_mode) == 0o700


@pytest.mark.parametrize("there_already", [False, True])
def test_an_interpreter_that_is_too_old_is_refused_before_anything_is_made(
    clone: Machine, *, there_already: bool
) -> None:
    if there_already:
        for name in ("python", "uv", "meltano"):
            clone.stand_in(name)
    before = sorted(clone.home.rglob("*"))
    python = clone.interpreter("python3.10", "3.10.12")
    code, said = clone.made_by(python)
    assert code != 0
    assert f"{python} is no Python 3.11 or newer, and nothing was made." in said
    new = set(clone.home.rglob("*")) - set(before)
    assert {one.name for one in new} == {"interpreters", "python3.10", "calls"}


def test_an_interpreter_that_does_not_exist_is_named(clone: Machine) -> None:
    code, said = clone.made_by("3.10")
    assert code != 0
    assert "There is no program 3.10. Name Python 3.11 or newer" in said
    assert not (clone.home / ".venv").exists()


def test_an_environment_whose_making_was_broken_off_is_made_anew(clone: Machine) -> None:
    assert clone.made_by(clone.interpreter("python3.12", "3.12.1", ended=True))[0] != 0
    half = clone.home / ".venv" / "lib" / "half"
    half.parent.mkdir()
    half.touch()
    code, said = clone.made_by(clone.interpreter("python3.12", "3.12.1"))
    assert code == 0, said
    assert not half.exists()
    assert not (clone.home / ".venv" / ".unfinished").exists()


def test_an_environment_without_pip_gets_it_and_keeps_what_it_has(clone: Machine) -> None:
    python = clone.interpreter("python3.12", "3.12.1")
    assert clone.made_by(python)[0] == 0
    (clone.home / ".venv" / "bin" / "pip").unlink()
    (clone.home / ".venv" / ".setup").unlink()
    kept = clone.home / ".venv" / "kept"
    kept.touch()
    code, said = clone.made_by(python)
    assert code == 0, said
    assert kept.exists()
    assert (clone.home / ".venv" / "bin" / "pip").exists()


def test_clean_leaves_what_cannot_be_made_again(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept = ["target-freshbooks.sqlite", "target-freshbooks.sqlite.key", "webhooks.sqlite"]
    for name in (*(f"data/{one}" for one in kept), ".meltano/run/bin", ".venv/x", "out/demo/x"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="utf-8")
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    left = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file()}
    assert left == {"Makefile", *(f"data/{one}" for one in kept)}


def test_what_is_the_user_s_lies_in_the_folder_that_clean_leaves() -> None:
    text = (ROOT / "meltano.yml").read_text(encoding="utf-8")
    files = [word for word in text.split() if word.startswith("sqlite:")]
    assert len(files) > 5
    assert {one.rpartition("/")[0] for one in files} == {
        "sqlite:///$MELTANO_PROJECT_ROOT/data",
        "sqlite:///$MELTANO_PROJECT_ROOT/data/sandbox",
    }
