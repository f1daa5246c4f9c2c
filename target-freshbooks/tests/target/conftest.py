"""A sandbox with an empty shop, the shop's messages, and the target as a process or in this one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

pytest.importorskip("connector_sandbox", reason="the sandbox is not installed")
pytest.importorskip("tap_bigcommerce_orders", reason="the tap is not installed")

from connector_sandbox import constants
from connector_sandbox.server import running
from cryptography.fernet import Fernet
from tap_bigcommerce_orders.tap import TapBigCommerceOrders

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(sys.executable).parent / "target-freshbooks"
KEY = Fernet.generate_key().decode()
PERSON = {
    "first_name": "Xaverine",
    "last_name": "Quillfeather",
    "email": "xaverine.q@mail.example",
    "street_1": "77 Mulberry Passage",
    "city": "Albany",
    "phone": "+1 555 0199",
}


@dataclass
class Shop:
    """The shop and the books, and the target's settings for them."""

    url: str
    home: Path
    settings: dict[str, Any] = field(default_factory=dict)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.url}/_sandbox/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def place(self, **order: Any) -> int:
        line = {"name": "Mug", "sku": "MUG", "price": "10.00"}
        document = {"lines": [line], "billing": PERSON, **order}
        return int(self.control("POST", "shop/orders", document)["id"])

    def messages(self) -> str:
        config = {
            "store_hash": constants.STORE_HASH,
            "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
            "api_url": self.url,
        }
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            TapBigCommerceOrders(config=config).sync_all()
        return said.getvalue()

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
            "settle_seconds": 1,
            "max_retry_seconds": 3,
            **self.settings,
        }

    def start(self, *arguments: str, environment: dict[str, str] | None = None) -> Any:
        """Start the program, with a configuration file unless there are arguments."""
        if not arguments:
            path = self.home / "config.json"
            path.write_text(json.dumps(self.config), encoding="utf-8")
            arguments = ("--config", str(path))
        return subprocess.Popen(
            [str(PROGRAM), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
            env=clean_environment() | (environment or {}),
        )

    def run(
        self, given: str = "", *arguments: str, environment: dict[str, str] | None = None
    ) -> Ended:
        """Run the program to its end."""
        process = self.start(*arguments, environment=environment)
        out, log = process.communicate(given, timeout=120)
        return Ended(process.returncode, out, log)

    def asked(self) -> list[str]:
        """What FreshBooks was asked since the last `requests/reset`, token requests included."""
        rows = self.control("GET", "requests")["requests"]
        return [f"{row['method']} {row['path']}" for row in rows if row["side"] == "freshbooks"]

    def books(self) -> Any:
        return self.control("GET", "books")


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended."""

    code: int
    out: str
    log: str


def clean_environment() -> dict[str, str]:
    ours = ("TARGET_FRESHBOOKS_", "TAP_BIGCOMMERCE_", "MELTANO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("sandbox")
    with running(folder, fb__rate_limit=0, bc__plan_quota=0) as sandbox:
        yield sandbox.url


@pytest.fixture
def shop(_served: str, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(_served, tmp_path)
    shop.control("POST", "reset", {"seed": False})
    shop.control("POST", "requests/reset")
    yield shop
    shop.http.close()
