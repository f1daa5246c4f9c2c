"""Orders of a month that is closed then, of stored value, on account and of a marketplace.

In November they are sold. In December November is closed: what goes back of it is booked beside its
invoices, an order on account is paid, credit is spent. At last one refund is declined, another goes
through in part, and an order whose money went back is cancelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo import sandbox as sandboxes
from sweeps.scenario import ADA, BEN, OF_CLOSED_MONTHS, Scenario, tell

if TYPE_CHECKING:
    from pathlib import Path

    from demo.sandbox import Sandbox

CLOSED = "2024-11-30"
NOVEMBER, DECEMBER, LATER = (f"2024-{day}T18:00:00Z" for day in ("11-20", "12-14", "12-16"))
TEXAS = {"name": "Texas Sales Tax", "percent": "8.25"}
MUGS = {"name": "Mug", "sku": "MUG-1", "price": "10.00", "quantity": 3, "taxes": [TEXAS]}
PLAIN = {"name": "Mug", "sku": "MUG-1", "price": "10.00", "quantity": 4}
CERTIFICATE = {"name": "$50 Gift Certificate", "kind": "giftcertificate", "price": "50.00"}
AMAZON = {"payment_method": "Marketplace", "order_source": "amazon"}
CREDIT = [{"provider": "storecredit"}]
RULES: dict[str, str | list[str]] = {
    "closed_through": CLOSED,
    "closed_refunds": "expense",
    "on_cancel": "void",
    "placed": ["amazon:net"],
}


def record(home: Path) -> list[Path]:
    """Play the three scenes on a shop of its own; returns the tap's messages of each reading."""
    home.mkdir(parents=True, exist_ok=True)
    with sandboxes.up(home / "shop", "--empty") as sandbox:
        _at(sandbox, NOVEMBER)
        ada = sandbox.tell("POST", "shop/customers", ADA)["id"]
        placed = sandbox.tell("POST", "shop/orders", _sold(ada))
        declined, halved, credited, on_account, amazon, *_ = [row["id"] for row in placed]
        readings = [tell(sandbox, home / "first.jsonl", RULES)]

        _at(sandbox, DECEMBER)
        mug = {"lines": [{"line": 0, "quantity": 1}]}
        by_hand = {"provider": "custom", "offline": True}
        both = [{"provider": "stripe", "amount": "10.83"}, by_hand]
        _change(sandbox, declined, "refund", mug)
        _change(sandbox, halved, "refund", {"lines": [{"line": 0, "quantity": 2}], "to": both})
        _change(sandbox, credited, "refund", {**mug, "to": CREDIT})
        _change(sandbox, amazon, "refund", {**mug, "to": [by_hand]})
        _change(sandbox, on_account, "transactions", {"amount": "40.00"})
        spent = {"lines": [PLAIN], "billing": ADA, "customer_id": ada, "store_credit": "10.83"}
        back = {"lines": [MUGS], "billing": ADA, "customer_id": ada}
        cancelled, given = (
            row["id"] for row in sandbox.tell("POST", "shop/orders", [back, back, spent])[:2]
        )
        _change(sandbox, given, "refund", {**mug, "to": CREDIT})
        readings.append(tell(sandbox, home / "second.jsonl", RULES))

        _at(sandbox, LATER)
        (refund,) = sandbox.ask(f"shop/orders/{declined}")["refunds"]
        _change(sandbox, declined, "decline_refund", {"refund_id": refund})
        _change(sandbox, declined, "touch", {})
        _decline_one_payment(sandbox, halved)
        _change(sandbox, cancelled, "refund", {"everything": True})
        _change(sandbox, cancelled, "cancel", {})
        return [*readings, tell(sandbox, home / "third.jsonl", RULES)]


def _sold(customer: int) -> list[dict[str, Any]]:
    adas = {"billing": ADA, "customer_id": customer}
    unpaid = {"pay": None, "payment_status": "", "status_id": 2}
    used = {"code": "GC", "amount": "15.00", "balance_before": "50.00"}
    return [
        {"lines": [MUGS], **adas},
        {"lines": [MUGS], **adas},
        {"lines": [MUGS], **adas},
        {"lines": [PLAIN], **adas, **unpaid, "payment_method": "Purchase Order"},
        {"lines": [MUGS], "billing": BEN, **unpaid, **AMAZON},
        {"lines": [CERTIFICATE], "ship_to": [], **adas},
        {"lines": [PLAIN], **adas, "gift_certificates": [used]},
    ]


def _decline_one_payment(sandbox: Sandbox, order: int) -> None:
    """Of a refund that went two ways the second did not go through."""
    (refund,) = sandbox.ask(f"shop/orders/{order}")["order"]["refunds"]
    refund["payments"][1]["is_declined"] = True
    _change(sandbox, order, "edit", {"refunds": [refund]})


def _at(sandbox: Sandbox, moment: str) -> None:
    sandbox.tell("POST", "clock", {"set": moment})


def _change(sandbox: Sandbox, order: int, what: str, document: dict[str, Any]) -> None:
    sandbox.tell("POST", f"shop/orders/{order}/{what}", document)


CLOSING = Scenario(
    record,
    {"marketplace_sources": {"amazon": "net"}, "on_cancel": "void"},
    OF_CLOSED_MONTHS,
    later={
        1: {
            "closed_through": CLOSED,
            "closed_refunds": "correction",
            "refunds_expense_category": "Refunds",
        }
    },
    rules=RULES,
    taken_back=frozenset({"1001", "1002"}),
)
