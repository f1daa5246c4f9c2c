"""A small shop and its books in this process: place orders, sync, look what came of it."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from connector_sandbox import constants
from connector_sandbox.server import running
from cryptography.fernet import Fernet
from singer_sdk.sinks.core import DEFAULT_JSONSCHEMA_VALIDATOR
from tap_bigcommerce_orders.tap import TapBigCommerceOrders
from target_freshbooks.ctl.cli import cli
from target_freshbooks.ledger import Ledger
from target_freshbooks.target import TargetFreshBooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_freshbooks.ledger import OrderRow

BIN = Path(sys.executable).parent
TAX = {"name": "State Tax", "percent": "10"}
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}


@dataclass
class World:
    """Both sides of a sandbox, and the connector between them."""

    url: str
    home: Path
    settings: dict[str, Any] = field(default_factory=dict)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    # -- the shop

    def place(self, **order: Any) -> int:
        """Place an order; by default one mug of 10.00 with 10 % tax, paid by card: 11.00."""
        document = {
            "lines": [{"name": "Mug", "sku": "MUG", "price": "10.00", "taxes": [TAX]}],
            "billing": JANE,
            **order,
        }
        return int(self.control("POST", "shop/orders", document)["id"])

    def change(self, order_id: int, what: str, **document: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.control("POST", f"shop/orders/{order_id}/{what}", document)
        return answer

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.url}/_sandbox/{path}", json=body)
        assert answer.is_success, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def switch(self, **switches: Any) -> None:
        self.control("PUT", "switches", {k.replace("__", "."): v for k, v in switches.items()})

    def fault(self, **rule: Any) -> None:
        self.control("POST", "faults", {"side": "freshbooks", **rule})

    # -- the connector

    def messages(self) -> str:
        """What the tap says of the whole shop."""
        config = {
            "store_hash": constants.STORE_HASH,
            "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
            "api_url": self.url,
        }
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            TapBigCommerceOrders(config=config).sync_all()
        return said.getvalue()

    def messages_of(self, store: str) -> str:
        """The same from a store that happens to have the same orders."""
        return re.sub(r'"store_hash": ?"[^"]*"', f'"store_hash": "{store}"', self.messages())

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
            "max_retry_seconds": 2,
            **self.settings,
        }

    def sync(self, messages: str | None = None) -> list[dict[str, Any]]:
        """Read the shop and post; returns the states let out."""
        text = self.messages() if messages is None else messages
        out = io.StringIO()
        self.target = TargetFreshBooks(config=self.config)
        try:
            with contextlib.redirect_stdout(out):
                self.target.listen(io.StringIO(text))
        finally:
            self.target.close()
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def run(self, messages: str | None = None, *options: str) -> tuple[int, str]:
        """The same in processes of their own, as an operator runs them: exit code and log."""
        config = self.home / "target.json"
        config.write_text(json.dumps(self.config), encoding="utf-8")
        done = subprocess.run(
            [str(BIN / "target-freshbooks"), "--config", str(config), *options],
            input=self.messages() if messages is None else messages,
            capture_output=True,
            text=True,
            cwd=self.home,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stderr

    def plans_are_empty(self) -> None:
        """Nothing is left to write for any order that is posted."""
        if not (self.home / "ledger.sqlite").exists():
            return
        with self.ledger() as ledger:
            posted = [row.order_id for row in ledger.orders.all() if row.state == "posted"]
        if not posted:
            return
        self.control("DELETE", "faults")
        plans = self.ctl("plan", *map(str, posted))
        left = [(plan["order_id"], step["why"]) for plan in plans for step in plan["steps"]]
        assert left == []

    def ctl(self, *arguments: str) -> Any:
        """A command of `target-freshbooks-ctl` with `--json`; its answer."""
        config = self.home / "target.json"
        config.write_text(json.dumps(self.config), encoding="utf-8")
        out = io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out):
            try:
                cli.main(["--json", "--config", str(config), *arguments], standalone_mode=False)
            except SystemExit as exit_:
                code = int(exit_.code or 0)
        self.code = code
        return json.loads(out.getvalue())

    def ledger(self) -> Ledger:
        return Ledger.open(self.config["ledger_url"], source="bigcommerce")

    def row(self, order_id: int) -> OrderRow:
        with self.ledger() as ledger:
            row = ledger.orders.get(order_id)
            assert row is not None
            return row

    def lose_ledger(self) -> None:
        for file in self.home.glob("ledger.sqlite*"):
            file.unlink()

    # -- the books

    def books(self) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", "books")
        return found

    def invoices(self, number: int | str) -> list[dict[str, Any]]:
        return [row for row in self.books()["invoices"] if row["invoice_number"] == str(number)]

    def invoice(self, number: int | str) -> dict[str, Any]:
        """The one invoice of that number."""
        (found,) = self.invoices(number)
        return found

    def total(self, number: int | str) -> Decimal:
        return Decimal(self.invoice(number)["amount"]["amount"])

    def payments(self, number: int | str) -> list[dict[str, Any]]:
        """The standing payments of the invoice of that number."""
        invoice_id = self.invoice(number)["id"]
        return [
            row
            for row in self.books()["payments"]
            if row["invoiceid"] == invoice_id and row["vis_state"] == 0
        ]

    def paid(self, number: int | str) -> list[Decimal]:
        return [Decimal(row["amount"]["amount"]) for row in self.payments(number)]

    def put(self, path: str, body: dict[str, Any]) -> None:
        """Change something in FreshBooks by hand, as its owner."""
        self._by_hand("PUT", path, body)

    def post(self, path: str, body: dict[str, Any]) -> None:
        """Make something in FreshBooks by hand, as its owner."""
        self._by_hand("POST", path, body)

    def _by_hand(self, method: str, path: str, body: dict[str, Any]) -> None:
        self.control("POST", "by-hand", {"method": method, "path": path, "json": body})

    def writes(self) -> int:
        """Requests that write to the accounting API, accepted or not, so far."""
        return sum(
            row["count"]
            for row in self.control("GET", "requests")["requests"]
            if row["path"].startswith("/accounting/") and row["method"] in {"POST", "PUT"}
        )

    def writes_of(self, work: Any) -> int:
        """How many writes the work makes."""
        before = self.writes()
        work()
        return self.writes() - before


@pytest.fixture(scope="session", autouse=True)
def _schemas_checked_once() -> Iterator[None]:
    """The SDK checks each stream's schema in each run; here they are always the same ones."""
    check = DEFAULT_JSONSCHEMA_VALIDATOR.check_schema
    checked: set[str] = set()

    def check_once(schema: Any, *more: Any, **named: Any) -> None:
        text = json.dumps(schema, sort_keys=True, default=str)
        if text not in checked:
            check(schema, *more, **named)
            checked.add(text)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DEFAULT_JSONSCHEMA_VALIDATOR, "check_schema", staticmethod(check_once))
        yield


KEY = Fernet.generate_key().decode()


@pytest.fixture(scope="session")
def world_at() -> type[World]:
    """A shop and its books: of a URL, a folder of ours and settings."""
    return World


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A shop and its books; at the end the plan of each posted order is empty."""
    with running(tmp_path / "sandbox", fb__rate_limit=0, bc__plan_quota=0) as sandbox:
        world = World(sandbox.url, tmp_path)
        world.control("POST", "reset", {"seed": False})
        yield world
        try:
            if request.node.get_closest_marker("plans_left") is None:
                world.plans_are_empty()
        finally:
            world.http.close()
