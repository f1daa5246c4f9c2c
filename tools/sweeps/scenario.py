"""A few orders that between them need every kind of write, told by the real tap in two readings.

First the orders are paid; then money goes back, an order is edited, an authorisation is captured,
and a customer and a product change. The messages are kept in files and fed to many runs.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from connector_sandbox import constants

from demo import sandbox as sandboxes
from demo.sandbox import BIN

if TYPE_CHECKING:
    from pathlib import Path

    from demo.sandbox import Sandbox

TAX = {"name": "State Tax", "percent": "8.875"}
ADA = {"first_name": "Ada", "last_name": "Shopper", "email": "ada@shop.example"}
BEN = {"first_name": "Ben", "last_name": "Guest", "email": "ben+guest@shop.example"}


def _line(name: str, price: str, quantity: int = 1, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"name": name, "sku": name.upper()[:8], "price": price, "quantity": quantity, **more}


def _orders(customer_id: int) -> list[dict[str, Any]]:
    mugs = [_line("Mug", "12.50", 2, taxes=[TAX]), _line("Card", "3.00")]
    return [
        {"lines": mugs, "billing": ADA, "customer_id": customer_id},
        {"lines": [_line("Lamp", "49.99", taxes=[TAX])], "billing": ADA, "pay": "offline"},
        {"lines": [_line("Print", "20.00")], "billing": BEN, "pay": "authorize"},
        {"lines": [_line("Shirt", "15.95", 3, taxes=[TAX])], "billing": BEN},
    ]


def record(home: Path) -> list[Path]:
    """Play the two scenes on a shop of its own; returns the tap's messages of each reading."""
    home.mkdir(parents=True, exist_ok=True)
    with sandboxes.up(home / "shop", "--empty") as sandbox:
        customer_id = sandbox.tell("POST", "shop/customers", ADA)["id"]
        placed = sandbox.tell("POST", "shop/orders", _orders(customer_id))
        first, second, third, fourth = (row["id"] for row in placed)
        before = _tell(sandbox, home / "first.jsonl")
        refund = {"lines": [{"line": 0, "quantity": 1}]}
        sandbox.tell("POST", f"shop/orders/{first}/refund", refund)
        credit = {"order_amount": "5.00", "to": [{"provider": "storecredit"}]}
        sandbox.tell("POST", f"shop/orders/{first}/refund", credit)
        sandbox.tell("POST", f"shop/orders/{second}/transactions", {"amount": "54.43"})
        sandbox.tell("POST", f"shop/orders/{third}/capture", {})
        lines = [_line("Shirt", "15.95", 2, taxes=[TAX]), _line("Socks", "4.20", taxes=[TAX])]
        sandbox.tell("POST", f"shop/orders/{fourth}/lines", {"lines": lines})
        sandbox.tell("POST", f"shop/customers/{customer_id}", {"company": "Ada & Co"})
        after = _tell(sandbox, home / "second.jsonl")
    return [before, after]


def _tell(sandbox: Sandbox, path: Path) -> Path:
    """Let the tap read the whole shop into a file."""
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
    with path.open("w", encoding="utf-8") as output:
        subprocess.run(
            [str(BIN / "tap-bigcommerce-orders"), "--config", str(config)],
            stdout=output,
            stderr=subprocess.PIPE,
            check=True,
        )
    return path
