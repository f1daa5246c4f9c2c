"""A few orders that need every kind of write in open months, told by the real tap in two readings.

First the orders are paid, and one already has some of its money back as store credit. Then money
goes back, an order is edited, another gets a new billing address, an authorisation is captured, a
cheque turns out to be a card payment, an order is cancelled, a credit is declined, and a customer
and a product change. The messages are kept in files and fed to many runs.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants
from target_freshbooks.posting.plan.steps import StepKind

from demo import sandbox as sandboxes
from demo.sandbox import BIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from demo.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Scenario:
    """Orders told in several readings, and how their books are kept.

    Attributes:
        record: Plays them in a folder; returns the tap's messages of each reading.
        settings: Of the target.
        later: Settings that change with a reading, by its number.
        switches: Of the sandbox that keeps the books.
        rules: What `truth` has to know of the settings.
        taken_back: Invoices of which something stood in the books before and should not any more:
            that is known from the ledger alone.
        needs: Kinds of writes that must occur.
    """

    record: Callable[[Path], list[Path]]
    settings: Mapping[str, Any]
    needs: frozenset[StepKind]
    later: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    switches: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, str | list[str]] = field(default_factory=dict)
    taken_back: frozenset[str] = frozenset()


TAX = {"name": "State Tax", "percent": "8.875"}
ADA = {"first_name": "Ada", "last_name": "Shopper", "email": "ada@shop.example"}
BEN = {"first_name": "Ben", "last_name": "Guest", "email": "ben+guest@shop.example"}
PRODUCT = {"product_id": 102, "variant_id": 502, "name": "Stoneware Mug", "sku": "SM-002"}
"""Of the sandbox's catalogue: its item follows the product when that is renamed."""

SETTINGS: dict[str, Any] = {"on_cancel": "delete", "refund_mode": "credit_note"}
"""What the target needs besides, so that invoices are deleted and credit notes given too."""

RULES = {"refund_mode": "credit_note"}

SWITCHES = {"fb.tax_rounding": "per_tax"}
"""FreshBooks rounds otherwise than the shop here, so that a Draft has to be mended."""


def _line(name: str, price: str, quantity: int = 1, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"name": name, "sku": name.upper()[:8], "price": price, "quantity": quantity, **more}


def _orders(customer_id: int, product: dict[str, Any]) -> list[dict[str, Any]]:
    mugs = [{**product, "price": "12.50", "quantity": 2, "taxes": [TAX]}, _line("Card", "3.00")]
    small = [_line(name, "0.99", taxes=[TAX]) for name in ("Bead", "Hook", "Clasp")]
    return [
        {"lines": mugs, "billing": ADA, "customer_id": customer_id},
        {"lines": [_line("Lamp", "49.99", taxes=[TAX])], "billing": ADA, "pay": "offline"},
        {"lines": [_line("Print", "20.00")], "billing": BEN, "pay": "authorize"},
        {"lines": [_line("Shirt", "15.95", 3, taxes=[TAX])], "billing": BEN},
        {"lines": small, "billing": BEN, "rounding_strategy": "RATE_ROUNDING"},
        {"lines": [_line("Print", "20.00")], "billing": BEN},
        {"lines": [_line("Print", "20.00", 2)], "billing": ADA, "customer_id": customer_id},
    ]


def record(home: Path) -> list[Path]:
    """Play the two scenes on a shop of its own; returns the tap's messages of each reading."""
    home.mkdir(parents=True, exist_ok=True)
    with sandboxes.up(home / "shop", "--empty") as sandbox:
        first, second, third, fourth, *rest = open_shop(sandbox)
        _, cancelled, credited = rest
        credit = {"order_amount": "5.00", "to": [{"provider": "storecredit"}]}
        refunds = sandbox.tell("POST", f"shop/orders/{credited}/refund", credit)["refunds"]
        before = tell(sandbox, home / "first.jsonl", RULES)
        refund = {"lines": [{"line": 0, "quantity": 1}]}
        sandbox.tell("POST", f"shop/orders/{first}/refund", refund)
        sandbox.tell("POST", f"shop/orders/{first}/refund", credit)
        sandbox.tell("POST", f"shop/orders/{second}/transactions", {"amount": "54.43"})
        sandbox.tell("POST", f"shop/orders/{third}/capture", {})
        sandbox.tell("POST", f"shop/orders/{third}/edit", {"billing": {**BEN, "last_name": "Host"}})
        lines = [_line("Shirt", "15.95", 2, taxes=[TAX]), _line("Socks", "4.20", taxes=[TAX])]
        sandbox.tell("POST", f"shop/orders/{fourth}/lines", {"lines": lines})
        sandbox.tell("POST", f"shop/orders/{cancelled}/cancel", {})
        declined = {"refund_id": refunds[0]}
        sandbox.tell("POST", f"shop/orders/{credited}/decline_refund", declined)
        sandbox.tell("POST", f"shop/orders/{credited}/touch", {})
        ada = next(row for row in _records(before, "customers") if row["email"] == ADA["email"])
        sandbox.tell("POST", f"shop/customers/{ada['id']}", {"company": "Ada & Co"})
        sandbox.tell("POST", f"shop/products/{PRODUCT['product_id']}", {"name": "Stone Mug"})
        after = tell(sandbox, home / "second.jsonl", RULES)
    return [before, after]


OF_OTHERS = frozenset({StepKind.ARCHIVE_INVOICE, StepKind.DELETE_OVERPAYMENT})
"""Writes that follow from what somebody else does meanwhile: `sweeps.actors` needs them."""

OF_CLOSED_MONTHS = frozenset(kind for kind in StepKind if kind.record in ("correction", "expense"))

SALES = Scenario(
    record,
    SETTINGS,
    frozenset(StepKind) - OF_OTHERS - OF_CLOSED_MONTHS,
    switches=SWITCHES,
    rules=RULES,
    taken_back=frozenset({"1004", "1007"}),
)
"""Orders of an open month. One is edited, and the credit of one is declined."""


def open_shop(sandbox: Sandbox) -> list[int]:
    """Fill an empty shop with the catalogue, a customer and the orders; returns their ids."""
    sandbox.tell("POST", "shop/seed", {"orders": 0})
    customer_id = sandbox.tell("POST", "shop/customers", ADA)["id"]
    placed = sandbox.tell("POST", "shop/orders", _orders(customer_id, PRODUCT))
    return [row["id"] for row in placed]


def tell(sandbox: Sandbox, path: Path, rules: Mapping[str, str | list[str]] | None = None) -> Path:
    """Let the tap read the whole shop into a file; what no order names is left out of it."""
    truth = sandbox.ask("truth", **(rules or {}))["orders"]
    truth_beside(path).write_text(json.dumps(truth), encoding="utf-8")
    config = path.with_suffix(".tap.json")
    config.write_text(
        json.dumps(
            {
                "store_hash": constants.STORE_HASH,
                "access_token": constants.BIGCOMMERCE_ACCESS_TOKEN,
                "api_url": sandbox.url,
            }
        ),
        encoding="utf-8",
    )
    said = subprocess.run(
        [str(BIN / "tap-bigcommerce-orders"), "--config", str(config)],
        capture_output=True,
        check=True,
    ).stdout
    lines = said.decode().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if _is_needed(line)), encoding="utf-8")
    return path


def truth_beside(messages: Path) -> Path:
    """Where the shop's own account of the orders is kept, of the same moment as the messages."""
    return messages.with_suffix(".truth.json")


def _is_needed(line: str) -> bool:
    """The catalogue's other products and customers would only make each run slower."""
    message = json.loads(line)
    if message["type"] != "RECORD":
        return True
    record = message["record"]
    if message["stream"] == "products":
        return bool(record["id"] == PRODUCT["product_id"])
    if message["stream"] == "customers":
        return bool(record["email"] == ADA["email"])
    return True


def _records(path: Path, stream: str) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD" and message["stream"] == stream:
            yield message["record"]
