"""What is run for the sandbox touches nothing real, whatever `.env` and variables say."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from connector_credentials.sandbox_guard import keep_apart
from connector_credentials.settings import SettingError
from connector_sandbox import constants
from connector_sandbox.settings import PREFIXES, clean_environment

from demo.project import BIN, Project
from demo.receiver import workplace

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.more

REAL = "https://api.shop.invalid"
HERE = "http://127.0.0.1:9"
SECONDS = 120
SANDBOX = {"MELTANO_ENVIRONMENT": "sandbox"}


def settings(home: Path) -> dict[str, str]:
    """Settings of all programs, each of the sandbox: this machine, files in a folder `sandbox`."""
    database = f"sqlite:///{home}/sandbox/one.sqlite"
    return {
        "TAP_BIGCOMMERCE_ORDERS_API_URL": HERE,
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": constants.STORE_HASH,
        "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "TAP_BIGCOMMERCE_ORDERS_MAX_RETRY_SECONDS": "0",
        "TARGET_FRESHBOOKS_API_URL": HERE,
        "TARGET_FRESHBOOKS_AUTH_URL": HERE,
        "TARGET_FRESHBOOKS_CLIENT_ID": constants.FRESHBOOKS_CLIENT_ID,
        "TARGET_FRESHBOOKS_CLIENT_SECRET": constants.FRESHBOOKS_CLIENT_SECRET,
        "TARGET_FRESHBOOKS_LEDGER_URL": database,
        "WEBHOOKS_API_URL": HERE,
        "WEBHOOKS_STORE_HASH": constants.STORE_HASH,
        "WEBHOOKS_CLIENT_SECRET": constants.BIGCOMMERCE_CLIENT_SECRET,
        "WEBHOOKS_INBOX_URL": database,
        "CREDENTIALS_URL": database,
    }


def run(home: Path, command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program, *arguments = command.split()
    return subprocess.run(
        [str(BIN / program), *arguments],
        cwd=home,
        env=clean_environment() | environment,
        input="",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


TAP = "tap-bigcommerce-orders --config=ENV"
TARGET = "target-freshbooks --config=ENV"
CTL = "target-freshbooks-ctl"
WEBHOOKS = "webhooks status"
CREDENTIALS = "connector-credentials rotate-key"
DATABASE = "sqlite:///{home}/real.sqlite"


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [
        (TAP, "TAP_BIGCOMMERCE_ORDERS_API_URL", REAL),
        (TAP, "TAP_BIGCOMMERCE_ORDERS_CREDENTIALS_URL", DATABASE),
        (f"{TAP} --test", "TAP_BIGCOMMERCE_ORDERS_API_URL", REAL),
        (TARGET, "TARGET_FRESHBOOKS_API_URL", REAL),
        (TARGET, "TARGET_FRESHBOOKS_AUTH_URL", REAL),
        (TARGET, "TARGET_FRESHBOOKS_LEDGER_URL", DATABASE),
        (TARGET, "TARGET_FRESHBOOKS_LEDGER_URL", "postgresql+psycopg://me:pw@127.0.0.1:9/sandbox"),
        (TARGET, "TARGET_FRESHBOOKS_CREDENTIALS_URL", DATABASE),
        (TARGET, "TARGET_FRESHBOOKS_NOTIFY_URLS", "slack://127.0.0.1/pw/x"),
        (TARGET, "TARGET_FRESHBOOKS_NOTIFY_URLS", "jsons://me:pw@api.shop.invalid/x"),
        (f"{CTL} notify --test", "TARGET_FRESHBOOKS_NOTIFY_URLS", "mailtos://me:pw@127.0.0.1"),
        (TARGET, "TARGET_FRESHBOOKS_METRICS_FILE", "{home}/real.prom"),
        (f"{CTL} login --code x", "TARGET_FRESHBOOKS_API_URL", REAL),
        (f"{CTL} status", "TARGET_FRESHBOOKS_LEDGER_URL", DATABASE),
        (f"{CTL} logout", "TARGET_FRESHBOOKS_CREDENTIALS_URL", DATABASE),
        ("webhooks list", "WEBHOOKS_API_URL", REAL),
        (WEBHOOKS, "WEBHOOKS_DESTINATION", f"{REAL}/webhooks"),
        (WEBHOOKS, "WEBHOOKS_INBOX_URL", DATABASE),
        (WEBHOOKS, "WEBHOOKS_CREDENTIALS_URL", DATABASE),
        (CREDENTIALS, "CREDENTIALS_URL", DATABASE),
    ],
)
def test_for_the_sandbox_a_program_stops_before_it_opens_anything_real(
    command: str, variable: str, value: str, tmp_path: Path
) -> None:
    wrong = {variable: value.format(home=tmp_path)}
    ended = run(tmp_path, command, settings(tmp_path) | SANDBOX | wrong)
    assert ended.returncode == 1, ended.stderr
    assert f"{variable} leads to" in ended.stderr
    assert "Nothing was read or written" in ended.stderr
    assert "pw" not in ended.stderr.replace(str(tmp_path), "")
    assert ended.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_hook_is_not_sent_to_another_machine(tmp_path: Path) -> None:
    told = run(
        tmp_path, f"webhooks send-test 101 --url {REAL}/webhooks", settings(tmp_path) | SANDBOX
    )
    assert told.returncode == 1
    assert "--url leads to api.shop.invalid" in told.stderr


def test_a_configuration_file_is_held_to_the_same(tmp_path: Path) -> None:
    (tmp_path / "target.json").write_text(
        json.dumps({"client_id": "id", "client_secret": "secret", "api_url": HERE}),
        encoding="utf-8",
    )
    ended = run(tmp_path, "target-freshbooks --config target.json", SANDBOX)
    assert ended.returncode == 1
    assert "TARGET_FRESHBOOKS_AUTH_URL leads to auth.freshbooks.com" in ended.stderr
    assert "TARGET_FRESHBOOKS_LEDGER_URL leads to" in ended.stderr


@pytest.mark.parametrize("command", [f"{CTL} rotate-key", WEBHOOKS, CREDENTIALS, TARGET])
@pytest.mark.parametrize("environment", ["sandbox", "prod", ""])
def test_the_sandbox_s_own_settings_pass_in_every_environment(
    command: str, environment: str, tmp_path: Path
) -> None:
    given = settings(tmp_path) | {"MELTANO_ENVIRONMENT": environment}
    ended = run(tmp_path, command, given)
    assert ended.returncode == 0, ended.stderr


def test_elsewhere_a_ledger_may_lie_in_any_folder(tmp_path: Path) -> None:
    ledger = {"TARGET_FRESHBOOKS_LEDGER_URL": f"sqlite:///{tmp_path}/real.sqlite"}
    ended = run(
        tmp_path, f"{CTL} rotate-key", settings(tmp_path) | ledger | {"MELTANO_ENVIRONMENT": "prod"}
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "real.sqlite").exists()


def passes(
    *,
    addresses: dict[str, str | None] | None = None,
    databases: dict[str, str | None] | None = None,
) -> bool:
    try:
        keep_apart(SANDBOX, addresses=addresses or {}, databases=databases or {})
    except SettingError:
        return False
    return True


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:8787", True),
        ("http://127.9.9.9", True),
        ("http://localhost:8787/x", True),
        ("http://LOCALHOST", True),
        ("http://[::1]:8787", True),
        ("https://api.freshbooks.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://127.0.0.1@api.freshbooks.com", False),
        ("http://api.freshbooks.com\\@127.0.0.1", False),
        ("http://0.0.0.0:8787", False),
        ("http://10.0.0.1", False),
        ("http://[::1", False),
        ("127.0.0.1:8787", False),
    ],
)
def test_only_the_loopback_is_the_sandbox_s_address(address: str, here: bool) -> None:
    assert passes(addresses={"A_URL": address}) is here


def test_only_a_sqlite_file_in_a_folder_of_that_name_is_the_sandbox_s(tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox" / "linked.sqlite").symlink_to(tmp_path / "real.sqlite")
    (tmp_path / "data").mkdir()
    (tmp_path / "alias").mkdir()
    (tmp_path / "alias" / "sandbox").symlink_to(tmp_path / "data")
    assert passes(databases={"A_URL": f"sqlite:///{tmp_path}/sandbox/ledger.sqlite"})
    assert passes(databases={"A_URL": "sqlite:///data/sandbox/ledger.sqlite"})
    for url in (
        f"sqlite:///{tmp_path}/sandbox/linked.sqlite",
        f"sqlite:///{tmp_path}/alias/sandbox/ledger.sqlite",
        f"sqlite:///{tmp_path}/sandbox/deeper/ledger.sqlite",
        f"sqlite:///file:{tmp_path}/sandbox/ledger.sqlite?uri=true",
        "sqlite:///sandbox",
        "sqlite://",
        "postgresql://localhost/sandbox",
        "sandbox/ledger.sqlite",
    ):
        assert not passes(databases={"A_URL": url}), url


def test_meltano_s_dotenv_with_something_real_stops_a_run_for_the_sandbox(tmp_path: Path) -> None:
    place = workplace(tmp_path)
    real = tmp_path / "real.sqlite"
    (place / ".env").write_text(
        f"MELTANO_ENVIRONMENT=prod\nTAP_BIGCOMMERCE_ORDERS_API_URL={REAL}\n"
        f"TARGET_FRESHBOOKS_LEDGER_URL=sqlite:///{real}\n",
        encoding="utf-8",
    )
    project = Project(home=tmp_path, url="", settings={})
    own = {
        name: value
        for name, value in project.environment().items()
        if not name.startswith(PREFIXES) or name == "MELTANO_DATABASE_URI"
    }
    command = "meltano --environment=sandbox run tap-bigcommerce-orders target-freshbooks"
    ended = run(place, command, own)
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert "TAP_BIGCOMMERCE_ORDERS_API_URL leads to api.shop.invalid" in said
    assert not real.exists()

    (place / ".env").write_text(f"TARGET_FRESHBOOKS_LEDGER_URL=sqlite:///{real}\n")
    ended = run(place, "meltano --environment=sandbox invoke target-freshbooks", own)
    assert ended.returncode != 0
    assert f"TARGET_FRESHBOOKS_LEDGER_URL leads to {real}" in ended.stdout + ended.stderr
    assert not real.exists()
