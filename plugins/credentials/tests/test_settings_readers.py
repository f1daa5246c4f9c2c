"""Who may read a configuration's secrets: others are warned of, and a run's own file is closed."""

from __future__ import annotations

import json
import logging
import os
import stat
from typing import TYPE_CHECKING

import pytest
from connector_credentials.private_files import make_folder
from connector_credentials.settings import Form

if TYPE_CHECKING:
    from pathlib import Path

FORM = Form("OURS_", {"token": {"type": ["string", "null"], "secret": True}, "port": {}})
LOG = logging.getLogger("settings")
SECRETS = {"token": "canary-token", "port": 1}


def written(path: Path, mode: int, settings: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings), encoding="utf-8")
    path.chmod(mode)
    return path


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.mark.parametrize("rights", [0o644, 0o640, 0o604, 0o620])
def test_of_secrets_that_others_may_read_one_line_warns(
    rights: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = written(tmp_path / "target.json", rights, SECRETS)
    assert FORM.of_file(file, LOG) == SECRETS
    assert caplog.messages == [f"Others may read the secrets in {file}: chmod 600 it."]
    assert mode(file) == oct(rights), "it is the operator's"


@pytest.mark.parametrize(
    ("rights", "settings"),
    [(0o600, SECRETS), (0o400, SECRETS), (0o644, {"port": 1}), (0o644, {"token": ""})],
)
def test_where_others_may_read_no_secret_nothing_is_said(
    rights: int, settings: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert FORM.of_file(written(tmp_path / "target.json", rights, settings), LOG) == settings
    assert caplog.messages == []


def test_of_a_pipe_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    reading, writing = os.pipe()
    os.write(writing, json.dumps(SECRETS).encode())
    os.close(writing)
    assert FORM.of_file(f"/dev/fd/{reading}", LOG) == SECRETS
    os.close(reading)
    assert caplog.messages == []


def test_the_file_that_meltano_makes_for_a_run_is_closed_to_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / ".meltano" / "run"
    ours = written(run / "tap" / "tap.1.config.json", 0o644, SECRETS)
    assert FORM.of_file(ours, LOG) == SECRETS
    assert mode(ours) == "0o600"
    others = written(tmp_path / ".meltano" / "mine" / "run" / "x.json", 0o644, {"port": 1})
    FORM.of_file(others, LOG)
    assert mode(others) == "0o644"
    assert caplog.messages == []


def test_every_folder_that_is_made_is_private_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        make_folder(tmp_path / "there" / "a" / "b")
        make_folder(tmp_path / "there" / "a" / "b")
    finally:
        os.umask(before)
    there = tmp_path / "there"
    assert (mode(there), mode(there / "a"), mode(there / "a" / "b")) == ("0o755", "0o700", "0o700")
