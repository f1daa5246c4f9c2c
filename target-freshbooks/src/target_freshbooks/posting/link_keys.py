"""Link keys: the names under which the ledger keeps an order's records."""

from __future__ import annotations


def invoice_key(order_id: int) -> str:
    """Key of the link to an order's invoice."""
    return str(order_id)


def payment_key(order_id: int, key: str) -> str:
    """Key of the link to a payment: `<order>:transaction:<id>` and so on."""
    return f"{order_id}:{key}"


def credit_note_key(order_id: int, refund_id: int | str) -> str:
    """Key of the link to a refund's credit note."""
    return f"{order_id}:{refund_id}"
