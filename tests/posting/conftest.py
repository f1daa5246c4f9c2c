"""A small shop and its books in this process: place orders, sync, look what came of it."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from connector_sandbox.server import running
from connector_sandbox.testing import Harness
from target_freshbooks.ctl.cli import cli
from target_freshbooks.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from target_freshbooks.ledger import OrderRow

TAX = {"name": "State Tax", "percent": "10"}


@dataclass
class World(Harness):
    """A shop and its books in this process; an order is a mug with 10 % tax by default: 11.00."""

    ORDER: ClassVar[Mapping[str, Any]] = {
        **Harness.ORDER,
        "lines": [{"name": "Mug", "sku": "MUG", "price": "10.00", "taxes": [TAX]}],
    }

    # -- the shop

    def change(self, order_id: int, what: str, **document: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.control("POST", f"shop/orders/{order_id}/{what}", document)
        return answer

    def synced(self, **order: Any) -> int:
        """Place an order and sync."""
        number = self.place(**order)
        self.sync()
        return number

    def change_and_sync(self, order_id: int, what: str, **document: Any) -> None:
        self.change(order_id, what, **document)
        self.sync()

    def switch(self, **switches: Any) -> None:
        self.control("PUT", "switches", {k.replace("__", "."): v for k, v in switches.items()})

    # -- the connector

    def messages_of(self, store: str) -> str:
        """The same from a store that happens to have the same orders."""
        return re.sub(r'"store_hash": ?"[^"]*"', f'"store_hash": "{store}"', self.messages())

    def killed_in_write(self, messages: str, **rule: Any) -> None:
        """Post in a process of its own, killed while FreshBooks holds a request or its answer."""
        self.fault(kind="hold", times=1, **rule)
        with self.start("target-freshbooks") as process:
            assert process.stdin is not None
            process.stdin.write(messages)
            process.stdin.close()
            self.wait_until_held(process)
            process.kill()
        self.control("DELETE", "faults")

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
        arguments = ("--json", "--config", self.config_file(), *arguments)
        out = io.StringIO()
        code = 0
        with contextlib.redirect_stdout(out):
            try:
                cli.main(arguments, standalone_mode=False)
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

    def is_found_again(self) -> None:
        """With the ledger lost everything is found again, and nothing is written."""
        self.lose_ledger()
        assert self.writes_of(self.sync) == 0

    # -- the books

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

    def writes_of(self, work: Any) -> int:
        """How many writes the work makes."""
        before = self.writes()
        work()
        return self.writes() - before


@pytest.fixture(scope="session")
def world_at() -> type[World]:
    """A shop and its books: of a URL, a folder of ours and settings."""
    return World


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A shop and its books; at the end the plan of each posted order is empty."""
    with (
        running(tmp_path / "sandbox", fb__rate_limit=0, bc__plan_quota=0) as sandbox,
        World(sandbox.url, tmp_path) as world,
    ):
        yield world
        if request.node.get_closest_marker("plans_left") is None:
            world.plans_are_empty()
