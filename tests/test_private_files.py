"""What our programs write is their owner's alone, and a configuration open to others is told."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from connector_sandbox import constants
from connector_sandbox.settings import clean_environment, freshbooks_app

from demo.project import BIN, Project
from demo.receiver import workplace

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.more

SECONDS = 120
HERE = "http://127.0.0.1:9"
CANARY = "canary-7f3a9c"


def configurations(home: Path) -> dict[str, dict[str, object]]:
    """A configuration with secrets, of each program that takes one."""
    target = {
        **freshbooks_app(HERE),
        "client_secret": CANARY,
        "ledger_url": f"sqlite:///{home}/deep/ledger/ledger.sqlite",
    }
    return {
        "tap-bigcommerce-orders": {
            "api_url": HERE,
            "store_hash": constants.STORE_HASH,
            "access_token": CANARY,
            "max_retry_seconds": 0,
        },
        "target-freshbooks": target,
        "target-freshbooks-ctl": target,
        "webhooks": {
            "store_hash": constants.STORE_HASH,
            "client_secret": CANARY,
            "inbox_url": f"sqlite:///{home}/deep/inbox/inbox.sqlite",
        },
    }


def run(home: Path, command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    program, *arguments = command.split()
    return subprocess.run(
        [str(BIN / program), *arguments],
        cwd=home,
        env=clean_environment() | {"CREDENTIALS_URL": f"sqlite:///{home}/deep/store/store.sqlite"},
        input=text,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        umask=0,
    )


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("target-freshbooks-ctl --config FILE rotate-key", "ledger"),
        ("webhooks --config FILE status", "inbox"),
        ("connector-credentials set-bigcommerce abc123", "store"),
    ],
)
def test_databases_keys_and_folders_are_their_owner_s_alone_whatever_the_umask(
    command: str, folder: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.json"
    given = configurations(tmp_path).get(command.split(maxsplit=1)[0], {})
    file.write_text(json.dumps(given), encoding="utf-8")
    file.chmod(0o600)
    done = run(tmp_path, command.replace("FILE", str(file)), f"{CANARY}\n")
    assert done.returncode == 0, done.stderr
    made = list((tmp_path / "deep").rglob("*"))
    assert any(one.parent.name == folder for one in made)
    for one in (tmp_path / "deep", *made):
        assert oct(one.stat().st_mode & 0o777) == ("0o700" if one.is_dir() else "0o600"), one


@pytest.mark.parametrize(
    "command",
    [
        "tap-bigcommerce-orders --config FILE --test",
        "target-freshbooks --config FILE",
        "target-freshbooks-ctl --config FILE status",
        "webhooks --config FILE status",
    ],
)
def test_of_a_configuration_open_to_others_each_program_warns_in_one_line_on_stderr(
    command: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.json"
    file.write_text(
        json.dumps(configurations(tmp_path)[command.split(maxsplit=1)[0]]), encoding="utf-8"
    )
    file.chmod(0o644)
    done = run(tmp_path, command.replace("FILE", str(file)))
    words = f"Others may read the secrets in {file}: chmod 600 it."
    assert sum(words in line for line in done.stderr.splitlines()) == 1, done.stderr
    assert words not in done.stdout
    assert CANARY not in done.stderr + done.stdout
    file.chmod(0o600)
    assert words not in run(tmp_path, command.replace("FILE", str(file))).stderr


def test_the_file_that_meltano_makes_for_a_plugin_is_closed_before_it_can_be_told(
    tmp_path: Path,
) -> None:
    place = workplace(tmp_path)
    project = Project(home=tmp_path, url=HERE, settings={})
    environment = project.environment() | {
        "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": CANARY,
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": constants.STORE_HASH,
        "TAP_BIGCOMMERCE_ORDERS_MAX_RETRY_SECONDS": "0",
    }
    done = subprocess.run(
        [str(BIN / "meltano"), "invoke", "tap-bigcommerce-orders", "--test"],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        umask=0,
    )
    said = done.stdout + done.stderr
    assert "cannot connect to 127.0.0.1:9" in said
    assert "Others may read" not in said
