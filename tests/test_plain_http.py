"""`http://` to another machine: no program sends its secrets in clear unless it is told to."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from connector_credentials.addresses import require_tls
from connector_credentials.settings import SettingError
from connector_sandbox import constants
from connector_sandbox.settings import clean_environment

from demo.project import BIN

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 120
TAP = "tap-bigcommerce-orders --config=ENV"
TARGET = "target-freshbooks --config=ENV"
CTL = "target-freshbooks-ctl"


@pytest.mark.parametrize(
    "address",
    [
        "http://api.shop.invalid",
        "HTTP://api.shop.invalid:8080/x",
        " http://10.0.0.1",
        "http://0.0.0.0:8787",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@api.shop.invalid",
        "http://api.shop.invalid\\@127.0.0.1",
        "http://localhost.example",
        "http:api.shop.invalid",
        "http://[::1",
    ],
)
def test_plain_http_to_another_machine_is_refused(address: str) -> None:
    with pytest.raises(SettingError, match=r"^api_url leads to .* set allow_insecure_http to true"):
        require_tls({"api_url": address}, allow_insecure_http=False)
    require_tls({"api_url": address}, allow_insecure_http=True)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.shop.invalid",
        "http://127.0.0.1:8787",
        "http://127.9.9.9",
        "http://LOCALHOST/x",
        "http://[::1]:8787",
        "",
        None,
    ],
)
def test_tls_and_this_machine_pass(address: str | None) -> None:
    require_tls({"api_url": address}, allow_insecure_http=False)


def settings(home: Path) -> dict[str, str]:
    return {
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": constants.STORE_HASH,
        "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "TAP_BIGCOMMERCE_ORDERS_MAX_RETRY_SECONDS": "0",
        "TARGET_FRESHBOOKS_CLIENT_ID": constants.FRESHBOOKS_CLIENT_ID,
        "TARGET_FRESHBOOKS_CLIENT_SECRET": constants.FRESHBOOKS_CLIENT_SECRET,
        "TARGET_FRESHBOOKS_REFRESH_TOKEN": constants.FRESHBOOKS_REFRESH_TOKEN,
        "TARGET_FRESHBOOKS_MAX_RETRY_SECONDS": "0",
        "TARGET_FRESHBOOKS_LEDGER_URL": f"sqlite:///{home}/ledger.sqlite",
        "WEBHOOKS_STORE_HASH": constants.STORE_HASH,
        "WEBHOOKS_ACCESS_TOKEN": constants.BIGCOMMERCE_ACCESS_TOKEN,
        "WEBHOOKS_CLIENT_SECRET": constants.BIGCOMMERCE_CLIENT_SECRET,
        "WEBHOOKS_INBOX_URL": f"sqlite:///{home}/inbox.sqlite",
        "WEBHOOKS_DESTINATION": "https://hooks.shop.example/webhooks",
    }


@pytest.mark.more
@pytest.mark.parametrize(
    ("command", "setting", "prefix"),
    [
        (TAP, "api_url", "TAP_BIGCOMMERCE_ORDERS"),
        (f"{TAP} --test", "api_url", "TAP_BIGCOMMERCE_ORDERS"),
        (TARGET, "api_url", "TARGET_FRESHBOOKS"),
        (TARGET, "auth_url", "TARGET_FRESHBOOKS"),
        (f"{CTL} whoami", "api_url", "TARGET_FRESHBOOKS"),
        (f"{CTL} login --code x", "auth_url", "TARGET_FRESHBOOKS"),
        (f"{CTL} login", "redirect_uri", "TARGET_FRESHBOOKS"),
        ("webhooks register", "api_url", "WEBHOOKS"),
        ("webhooks send-test 101 --url http://shop.invalid/webhooks", "--url", "WEBHOOKS"),
    ],
)
def test_each_program_refuses_it_in_a_sentence_unless_it_is_allowed(
    command: str, setting: str, prefix: str, tmp_path: Path
) -> None:
    address = {} if setting == "--url" else {f"{prefix}_{setting.upper()}": "http://shop.invalid"}

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        program, *arguments = command.split()
        return subprocess.run(
            [str(BIN / program), *arguments],
            cwd=tmp_path,
            env=clean_environment() | settings(tmp_path) | address | more,
            input="",
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    refused = run()
    assert refused.returncode == 1
    assert f"{setting} leads to shop.invalid by http://" in refused.stderr
    assert "set allow_insecure_http to true" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []
    allowed = run(**{f"{prefix}_ALLOW_INSECURE_HTTP": "true"})
    assert "by http://" not in allowed.stderr
