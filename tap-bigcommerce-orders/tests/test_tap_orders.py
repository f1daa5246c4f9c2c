"""An order comes after everything that belongs to it, and the bookmark after complete pages."""

from __future__ import annotations

from typing import Any


def test_an_order_comes_after_its_transactions_refunds_and_taxes(shop: Any, run: Any) -> None:
    for number in range(1, 8):
        shop.order(number, number, total_tax="1.0000")
        shop.taxes[number] = [{"id": number, "name": "GST", "rate": "8.0000"}]
        shop.refund(number, number, 60)
    ran = run(shop, page_size=3)
    assert ran.error is None
    said: dict[int, list[str]] = {}
    for message in ran.messages:
        if message["type"] == "RECORD":
            order = message["record"].get("order_id") or message["record"]["id"]
            said.setdefault(order, []).append(message["stream"])
    whole = ["transactions", "refunds", "order_taxes", "orders"]
    assert said == dict.fromkeys(range(1, 8), whole)
