"""`..._FILE` variables: each program takes its secrets out of files, as containers hold them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from connector_credentials.cli import FORM as CREDENTIALS
from connector_sandbox import constants
from connector_sandbox.settings import clean_environment
from connector_webhooks.settings import FORM as WEBHOOKS
from cryptography.fernet import Fernet
from tap_bigcommerce_orders.settings import FORM as TAP
from target_freshbooks.settings import FORM as TARGET

from demo.project import BIN

if TYPE_CHECKING:
    from pathlib import Path

    from demo.sandbox import Sandbox

pytestmark = pytest.mark.more

SECONDS = 120
CANARY = "canary-7f3a9c"
HERE = "http://127.0.0.1:9"
PROGRAMS = {
    "tap-bigcommerce-orders --config=ENV": TAP,
    "target-freshbooks --config=ENV": TARGET,
    "target-freshbooks-ctl status": TARGET,
    "webhooks status": WEBHOOKS,
    "connector-credentials list": CREDENTIALS,
}
PLAIN = {
    "TAP_BIGCOMMERCE_ORDERS_API_URL": HERE,
    "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": constants.STORE_HASH,
    "TARGET_FRESHBOOKS_API_URL": HERE,
    "TARGET_FRESHBOOKS_CLIENT_ID": constants.FRESHBOOKS_CLIENT_ID,
    "WEBHOOKS_STORE_HASH": constants.STORE_HASH,
}
SECRETS = [
    (command, form.prefix, name)
    for command, form in PROGRAMS.items()
    for name, schema in form.properties.items()
    if schema.get("secret")
]


def run(home: Path, command: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program, *arguments = command.split()
    done = subprocess.run(
        [str(BIN / program), *arguments],
        cwd=home,
        env=clean_environment() | settings,
        input="",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert CANARY not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize(("command", "prefix", "name"), SECRETS)
def test_a_secret_s_empty_file_stops_each_program_which_names_setting_and_path(
    command: str, prefix: str, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("\n", encoding="utf-8")
    done = run(tmp_path, command, {**PLAIN, f"{prefix}{name.upper()}_FILE": str(file)})
    assert done.returncode == 1
    assert f"The file of the setting {name}_file, {file}, is empty." in done.stderr
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("command", PROGRAMS)
def test_a_secret_given_both_ways_or_not_to_be_read_is_told_without_what_it_is(
    command: str, tmp_path: Path
) -> None:
    prefix = PROGRAMS[command].prefix
    file = tmp_path / "secret"
    file.write_text(CANARY, encoding="utf-8")
    key = f"{prefix}ENCRYPTION_KEY"
    done = run(tmp_path, command, {**PLAIN, key: CANARY, f"{key}_FILE": str(file)})
    assert done.returncode == 1
    assert (
        "The settings encryption_key and encryption_key_file are both given: leave one of them"
        " blank." in done.stderr
    )
    for path, words in (
        (tmp_path / "none", "cannot be read: No such file or directory"),
        (tmp_path, "cannot be read: Is a directory"),
    ):
        done = run(tmp_path, command, {**PLAIN, f"{key}_FILE": str(path)})
        assert done.returncode == 1
        assert f"The file of the setting encryption_key_file, {path}, {words}." in done.stderr
    assert list(tmp_path.iterdir()) == [file]


def test_every_program_works_with_its_secrets_in_files_alone(
    few_orders: Sandbox, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()

    def file(name: str, text: str) -> str:
        (secrets / name).write_text(f"{text}\n", encoding="utf-8")
        return str(secrets / name)

    store = file("store", f"sqlite:///{tmp_path}/store.sqlite")
    key = file("key", Fernet.generate_key().decode())
    token = file("token", constants.BIGCOMMERCE_ACCESS_TOKEN)
    credentials = {"CREDENTIALS_URL_FILE": store, "CREDENTIALS_ENCRYPTION_KEY_FILE": key}
    tap = {
        "TAP_BIGCOMMERCE_ORDERS_API_URL": few_orders.url,
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": constants.STORE_HASH,
        "TAP_BIGCOMMERCE_ORDERS_ORDER_IDS": "100",
    }
    target = {
        "TARGET_FRESHBOOKS_API_URL": few_orders.url,
        "TARGET_FRESHBOOKS_AUTH_URL": few_orders.url,
        "TARGET_FRESHBOOKS_CLIENT_ID": constants.FRESHBOOKS_CLIENT_ID,
        "TARGET_FRESHBOOKS_CLIENT_SECRET_FILE": file(
            "client_secret", constants.FRESHBOOKS_CLIENT_SECRET
        ),
        "TARGET_FRESHBOOKS_REFRESH_TOKEN_FILE": file(
            "refresh_token", constants.FRESHBOOKS_REFRESH_TOKEN
        ),
        "TARGET_FRESHBOOKS_LEDGER_URL_FILE": file("ledger", f"sqlite:///{tmp_path}/ledger.sqlite"),
        "TARGET_FRESHBOOKS_LEDGER_URL": "",
        "TARGET_FRESHBOOKS_CREDENTIALS_URL_FILE": store,
        "TARGET_FRESHBOOKS_ENCRYPTION_KEY_FILE": key,
    }
    webhooks = {
        "WEBHOOKS_API_URL": few_orders.url,
        "WEBHOOKS_STORE_HASH": constants.STORE_HASH,
        "WEBHOOKS_ACCESS_TOKEN_FILE": token,
        "WEBHOOKS_INBOX_URL_FILE": file("inbox", f"sqlite:///{tmp_path}/inbox.sqlite"),
    }
    with_token = {**tap, "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN_FILE": token}
    done = run(tmp_path, "tap-bigcommerce-orders --config=ENV", with_token)
    assert (done.returncode, '"stream":"store"' in done.stdout) == (0, True), done.stderr
    done = run(tmp_path, "target-freshbooks-ctl whoami", target)
    assert done.returncode == 0, done.stderr
    done = run(tmp_path, "target-freshbooks-ctl status", target)
    assert f"There is no ledger at sqlite:///{tmp_path}/ledger.sqlite" in done.stderr
    done = run(tmp_path, "target-freshbooks --config=ENV", target)
    assert done.returncode == 0, done.stderr
    for command in ("webhooks list", "webhooks status"):
        done = run(tmp_path, command, webhooks)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "inbox.sqlite").exists()
    # The store that the target wrote to opens with the same two files, and with a changed key.
    done = run(tmp_path, "connector-credentials list", credentials)
    assert (done.returncode, "freshbooks" in done.stdout) == (0, True), done.stderr
    file("key", f"{Fernet.generate_key().decode()},{(secrets / 'key').read_text().strip()}")
    done = run(tmp_path, "connector-credentials rotate-key", credentials)
    assert (done.returncode, "1 entries encrypted anew" in done.stdout) == (0, True), done.stderr
    file("key", (secrets / "key").read_text().partition(",")[0])
    assert run(tmp_path, "target-freshbooks-ctl whoami", target).returncode == 0
