"""Orders of every kind that is booked in a way of its own, as the sandbox's shop takes them."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
TAX = {"name": "State Tax", "percent": "10"}
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
GUEST = {"first_name": "Gil", "last_name": "Guest", "email": "gil@shop.example"}
ANN = {"first_name": "Ann", "last_name": "Regular", "email": "ann@shop.example"}
CERTIFICATE = {"name": "$50 Gift Certificate", "kind": "giftcertificate", "price": "50.00"}
DAY = "2026-10-30T18:00:00Z"
"""A moment in the month that is closed."""
KINDS: dict[str, Document] = {
    "card": {},
    "authorization": {"pay": "authorize"},
    "cash": {"pay": "offline"},
    "on account": {"pay": "offline", "payment_method": "Net 30"},
    "marketplace": {"pay": None, "payment_status": "", "order_source": "amazon"},
    "redeemed": {"gift_certificates": [{"code": "G", "amount": "1.00", "balance_before": "9.00"}]},
    "credit": {"store_credit": "1.00"},
    "sold": {"lines": [CERTIFICATE], "ship_to": []},
}


def mugs(price: str, quantity: int) -> Document:
    return {"name": "Mug", "sku": "MUG", "price": price, "quantity": quantity, "taxes": [TAX]}


def order_of(kind: str, line: Document, billing: Document, customer: int) -> Document:
    """An order of a kind; that of a customer where `billing` is Ann, who alone has credit."""
    billing = ANN if kind == "credit" else billing
    document = {"lines": [line], "billing": billing} | KINDS[kind]
    return document | {"customer_id": customer} if billing == ANN else document
