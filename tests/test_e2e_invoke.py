"""What a person meets who calls the programs through `meltano invoke`: questions, hints, jobs."""

from __future__ import annotations

import fcntl
import os
import re
import select
import subprocess
import termios
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from demo.login import landed_at
from demo.project import BIN, ROOT, Project, end_group

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.sandbox import Sandbox

LOOK_SECONDS = 120
"""Longest until something is shown that a person waits for."""

QUESTION = "Paste the whole address"


class Terminal:
    """A program on a terminal of its own, or on pipes, as a person or another program has it."""

    def __init__(self, process: subprocess.Popen[bytes], reads: int, writes: int) -> None:
        self.process, self._reads, self._writes = process, reads, writes
        self.shown = ""

    def until(self, text: str) -> str:
        """Wait until it is shown; all that was shown."""
        give_up = time.monotonic() + LOOK_SECONDS
        while text not in self.shown and time.monotonic() < give_up:
            if select.select([self._reads], [], [], 1)[0]:
                try:
                    more = os.read(self._reads, 65536)
                except OSError:  # a terminal whose last program has ended
                    more = b""
                if not more:
                    break
                self.shown += more.decode()
        assert text in self.shown, self.shown[-4000:]
        return self.shown

    def type(self, line: str) -> None:
        os.write(self._writes, f"{line}\n".encode())


def _take_terminal() -> None:
    """Make standard input the terminal of this session, as `/dev/tty` is a person's."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def called(project: Project, *arguments: str, on_pipes: bool) -> Iterator[Terminal]:
    command = [str(BIN / "meltano"), "--env-file", str(project.home / "no.env")]
    if on_pipes:
        (stdin, writes), (reads, stdout) = os.pipe(), os.pipe()
    else:
        reads, stdin = os.openpty()
        writes, stdout = reads, stdin
    process = subprocess.Popen(
        [*command, "--environment", "sandbox", *arguments],
        cwd=project.folder,
        env=project.environment(),
        stdin=stdin,
        stdout=stdout,
        stderr=stdout,
        start_new_session=True,
        preexec_fn=None if on_pipes else _take_terminal,  # noqa: PLW1509 - a system call, no more
    )
    for end in {stdin, stdout}:
        os.close(end)
    try:
        yield Terminal(process, reads, writes)
    finally:
        end_group(process)
        for end in {reads, writes}:
            os.close(end)


@pytest.fixture
def newcomer(few_orders: Sandbox, tmp_path: Path) -> Project:
    """The project on a sandbox, without a login."""
    home = tmp_path / "project"
    home.mkdir()
    return Project(home=home, url=few_orders.url, settings={"COLUMNS": "500"})


@pytest.mark.more
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["as text", "as JSON"])
@pytest.mark.parametrize("on_pipes", [False, True], ids=["terminal", "pipes"])
def test_login_asks_before_it_reads_the_answer(
    newcomer: Project, options: tuple[str, ...], *, on_pipes: bool
) -> None:
    login = ("invoke", "target-freshbooks:login", *options)
    with called(newcomer, *login, on_pipes=on_pipes) as terminal:
        page = re.search(r"https?://\S+/oauth/authorize\S*", terminal.until(QUESTION))
        assert page is not None
        terminal.type(landed_at(page[0]))
        terminal.until('"missing_scopes"' if options else "Connected.")
        assert terminal.process.wait(LOOK_SECONDS) == 0


@pytest.mark.more
def test_init_asks_each_question_before_it_reads_the_answer(folder: Path, tmp_path: Path) -> None:
    newcomer = Project(home=tmp_path, url="http://127.0.0.1:9", settings={}, folder=folder)
    init = ("invoke", "target-freshbooks:init")
    with called(newcomer, *init, on_pipes=False) as terminal:
        terminal.until("BigCommerce store hash, or API path")
        terminal.type("abc123")
        terminal.until("BigCommerce access token")
        terminal.type("canary-51c2-secret")
        assert "canary" not in terminal.until("FreshBooks client id")


def told(folder: Path, *arguments: str, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LOOK_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


def test_readme_s_function_passes_every_command_on_as_it_was_typed(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    function = next(line for line in readme.splitlines() if line.startswith("ctl() {"))
    meltano = tmp_path / ".venv" / "bin" / "meltano"
    meltano.parent.mkdir(parents=True)
    meltano.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n", encoding="utf-8")
    meltano.chmod(0o755)
    typed = "ctl status; ctl replay 7 --date 2026-12-12; ctl settle 7 --note 'by hand, no. 77'"
    for shell in ("sh", "bash"):
        _, said = told(tmp_path, shell, "-c", f"{function}\n{typed}", environment=dict(os.environ))
        assert said.splitlines() == [
            *("invoke", "target-freshbooks:status"),
            *("invoke", "target-freshbooks:replay", "7", "--date", "2026-12-12"),
            *("invoke", "target-freshbooks:settle", "7", "--note", "by hand, no. 77"),
        ]


OUTLET = """  loaders:
  - name: target-freshbooks--outlet
    inherit_from: target-freshbooks
"""


@pytest.fixture
def nobody(folder: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has not logged in, for a copy of the project with .venv."""
    (folder / ".venv").symlink_to(ROOT / ".venv")
    meltano_yml = folder / "meltano.yml"
    text = meltano_yml.read_text(encoding="utf-8")
    meltano_yml.write_text(text.replace("  loaders:\n  - name", f"{OUTLET}  - name"), "utf-8")
    home = tmp_path / "home"
    home.mkdir()
    return Project(home, "http://127.0.0.1:9", {"COLUMNS": "500"}).environment()


@pytest.mark.more
@pytest.mark.parametrize("plugin", ["target-freshbooks", "target-freshbooks--outlet"])
def test_under_meltano_a_hint_names_the_plugin_s_command_and_it_works(
    folder: Path, nobody: dict[str, str], plugin: str
) -> None:
    meltano = (".venv/bin/meltano", "--environment=sandbox", "invoke")
    code, said = told(folder, *meltano, f"{plugin}:whoami", environment=nobody)
    assert code == 1
    hint = f".venv/bin/meltano --environment=sandbox invoke {plugin}:login"
    assert f"reconnect: {hint}" in said
    code, said = told(folder, *hint.split(), "--help", environment=nobody)
    assert code == 0, said
    assert "Connect to FreshBooks" in said


def test_without_meltano_a_hint_names_the_program_as_it_was_called(
    folder: Path, nobody: dict[str, str]
) -> None:
    code, said = told(folder, ".venv/bin/target-freshbooks-ctl", "whoami", environment=nobody)
    assert code == 1
    assert "reconnect: .venv/bin/target-freshbooks-ctl login\n" in said
    on_path = nobody | {"PATH": f"{ROOT}/.venv/bin:{nobody['PATH']}"}
    code, said = told(folder, "sh", "-c", "target-freshbooks-ctl whoami", environment=on_path)
    assert "reconnect: target-freshbooks-ctl login\n" in said


@pytest.mark.more
def test_the_job_that_checks_the_hooks_ends_well_where_none_are_set_up(
    folder: Path, nobody: dict[str, str]
) -> None:
    (folder / ".meltano" / "utilities").symlink_to(ROOT / ".meltano" / "utilities")
    bare = {name: value for name, value in nobody.items() if not name.startswith("WEBHOOKS_")}
    code, said = told(folder, ".venv/bin/meltano", "run", "hooks-check", environment=bare)
    assert code == 0, said
    assert "No webhooks are set up" in said
