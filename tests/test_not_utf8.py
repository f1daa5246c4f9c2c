"""A setting that is no UTF-8: each program refuses it in a sentence, and asks nobody."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from connector_sandbox import constants
from connector_sandbox.settings import clean_environment

from demo.project import BIN

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 120
NOWHERE = "http://127.0.0.1:9"
SETTINGS = {
    "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": constants.STORE_HASH,
    "TAP_BIGCOMMERCE_ORDERS_API_URL": NOWHERE,
    "TAP_BIGCOMMERCE_ORDERS_START_DATE": "2026-01-01",
    "TARGET_FRESHBOOKS_CLIENT_ID": constants.FRESHBOOKS_CLIENT_ID,
    "TARGET_FRESHBOOKS_CLIENT_SECRET": constants.FRESHBOOKS_CLIENT_SECRET,
    "TARGET_FRESHBOOKS_API_URL": NOWHERE,
    "TARGET_FRESHBOOKS_AUTH_URL": NOWHERE,
    "WEBHOOKS_STORE_HASH": constants.STORE_HASH,
    "WEBHOOKS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
    "WEBHOOKS_DESTINATION": "https://hooks.shop.example/webhooks",
}


@pytest.mark.parametrize(
    ("command", "prefix", "setting"),
    [
        ("tap-bigcommerce-orders --config=ENV", "TAP_BIGCOMMERCE_ORDERS", "access_token"),
        ("target-freshbooks --config=ENV", "TARGET_FRESHBOOKS", "refresh_token"),
        ("target-freshbooks-ctl login", "TARGET_FRESHBOOKS", "client_id"),
        ("target-freshbooks-ctl logout", "TARGET_FRESHBOOKS", "refresh_token"),
        ("webhooks list", "WEBHOOKS", "client_secret"),
    ],
)
def test_what_is_no_utf8_is_refused_in_a_sentence(
    command: str, prefix: str, setting: str, tmp_path: Path
) -> None:
    program, *arguments = command.split()
    variables = clean_environment() | SETTINGS
    variables["TARGET_FRESHBOOKS_LEDGER_URL"] = f"sqlite:///{tmp_path}/ledger.sqlite"
    environment = {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}
    environment[f"{prefix}_{setting.upper()}".encode()] = b"canary-5a1f\xff"
    ended = subprocess.run(
        [str(BIN / program), *arguments],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 1
    assert f"The setting {setting} holds what is no UTF-8: write it again." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stderr + ended.stdout
    assert list(tmp_path.iterdir()) == []
