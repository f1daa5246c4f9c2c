"""A sandbox with an empty shop, and the operator's commands as processes of their own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

pytest.importorskip("connector_sandbox", reason="the sandbox is not installed")
pytest.importorskip("tap_bigcommerce_orders", reason="the tap is not installed")

from connector_credentials import CredentialStore
from connector_sandbox import constants
from connector_sandbox.server import running
from cryptography.fernet import Fernet
from tap_bigcommerce_orders.tap import TapBigCommerceOrders
from target_freshbooks.freshbooks import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path(sys.executable).parent
KEY = Fernet.generate_key().decode()
PERSON = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
LONG_AGO = "2020-01-01T00:00:00+00:00"


@dataclass
class Desk:
    """An operator's place: the settings, the commands, and what FreshBooks saw of them."""

    url: str
    home: Path
    settings: dict[str, Any] = field(default_factory=dict)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.url}/_sandbox/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    @property
    def config(self) -> dict[str, Any]:
        return {
            "client_id": constants.FRESHBOOKS_CLIENT_ID,
            "client_secret": constants.FRESHBOOKS_CLIENT_SECRET,
            "redirect_uri": constants.FRESHBOOKS_REDIRECT_URI,
            "refresh_token": constants.FRESHBOOKS_REFRESH_TOKEN,
            "api_url": self.url,
            "auth_url": self.url,
            "ledger_url": f"sqlite:///{self.home}/ledger.sqlite",
            "credentials_url": f"sqlite:///{self.home}/credentials.sqlite",
            "encryption_key": KEY,
            "settle_seconds": 0,
            "max_retry_seconds": 3,
            **self.settings,
        }

    def start(self, program: str, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        config = self.home / "config.json"
        config.write_text(json.dumps({**self.config, **more}), encoding="utf-8")
        ours = ("TARGET_FRESHBOOKS_", "TAP_BIGCOMMERCE_", "MELTANO_")
        return subprocess.Popen(
            [str(PROGRAMS / program), "--config", str(config), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
            env={name: value for name, value in os.environ.items() if not name.startswith(ours)},
        )

    def ctl(self, *arguments: str, given: str = "", **more: Any) -> tuple[int, str]:
        """Run a command to its end: its code, and all that it said."""
        process = self.start("target-freshbooks-ctl", *arguments, **more)
        out, log = process.communicate(given, timeout=120)
        return process.returncode, out + log

    def park_an_order(self) -> int:
        """Have an order in the ledger that FreshBooks refused once."""
        line = {"name": "Mug", "sku": "MUG", "price": "10.00"}
        document = {"lines": [line], "billing": PERSON}
        order = int(self.control("POST", "shop/orders", document)["id"])
        messages = self.messages()
        refusal = {"response": {"errors": [{"errno": 1004, "field": "x", "message": "no"}]}}
        invoices = {"method": "POST", "path": "invoices/invoices", "times": 1}
        self.fault(kind="status", status=422, answer=json.dumps(refusal), **invoices)
        _, log = self.post(messages)
        assert "1 orders parked" in log, log
        return order

    def messages(self) -> str:
        """What the tap says of the whole shop."""
        tap = {
            "store_hash": constants.STORE_HASH,
            "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
            "api_url": self.url,
        }
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            TapBigCommerceOrders(config=tap).sync_all()
        return said.getvalue()

    def post(self, messages: str, **more: Any) -> tuple[int, str]:
        """Run the target on messages to its end: its code, and its log."""
        target = self.start("target-freshbooks", **more)
        _, log = target.communicate(messages, timeout=120)
        return target.returncode, log

    def writes(self) -> int:
        """Requests that write to the accounting API so far."""
        return sum(
            row["count"]
            for row in self.control("GET", "requests")["requests"]
            if row["path"].startswith("/accounting/") and row["method"] in {"POST", "PUT"}
        )

    def fault(self, **rule: Any) -> str:
        return str(self.control("POST", "faults", {"side": "freshbooks", **rule})["id"])

    def hold(self, path: str, method: str, when: str = "after") -> str:
        """Have FreshBooks keep the next answer, or request, to itself; returns the rule's id."""
        return self.fault(kind="hold", path=path, method=method, when=when, times=1, delay_ms=30000)

    def wait_until_held(self, process: subprocess.Popen[str], rule: str) -> None:
        deadline = time.monotonic() + 30
        while rule not in [str(one["rule"]) for one in self.control("GET", "faults")["held"]]:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    @property
    def store(self) -> CredentialStore:
        return CredentialStore.open(self.config["credentials_url"], KEY)

    @property
    def entry(self) -> str:
        return f"freshbooks:{self.config['client_id']}"

    def expire(self) -> None:
        """Have the stored access token end now, as a clock of hours later sees it."""
        document: dict[str, Any] = self.store.read(self.entry) or {}
        self.store.write(self.entry, {**document, "expires_at": LONG_AGO, "refreshed_at": LONG_AGO})

    def landed(self) -> str:
        """Agree on the consent page: the address that the browser is sent to."""
        query = {
            "client_id": self.config["client_id"],
            "response_type": "code",
            "redirect_uri": self.config["redirect_uri"],
            "scope": " ".join(SCOPES),
            "state": "any",
        }
        answer = self.http.post(f"{self.url}/oauth/authorize", params=query)
        return str(answer.headers["location"])

    def spent(self) -> int:
        """How often the token endpoint was asked."""
        rows = self.control("GET", "requests")["requests"]
        return sum(row["count"] for row in rows if row["path"] == "/auth/oauth/token")


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("sandbox")
    with running(folder, fb__rate_limit=0, bc__plan_quota=0) as sandbox:
        yield sandbox.url


@pytest.fixture
def desk(_served: str, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(_served, tmp_path)
    desk.control("DELETE", "faults")
    desk.control("POST", "reset", {"seed": False})
    desk.control("POST", "requests/reset")
    yield desk
    desk.control("DELETE", "faults")
    desk.http.close()
