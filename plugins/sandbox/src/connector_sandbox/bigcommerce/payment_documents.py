"""The v3 documents of an order's money: transactions and refunds. Amounts are JSON numbers."""

from decimal import Decimal
from typing import Any

from connector_sandbox.bigcommerce.dates import iso
from connector_sandbox.seed.model import Order, Refund, RefundItem, Transaction
from connector_sandbox.seed.money import ZERO
from connector_sandbox.seed.totals import compute

Document = dict[str, Any]
CREDIT_IDS = 900_000_000  # above any id of a gateway's transaction


def transaction_documents(order: Order, *, credits_shown: bool, empty: str) -> list[Document]:
    """All transactions of an order.

    Args:
        order: the order.
        credits_shown: redeemed store credit and gift certificates are transactions too; an
            order's own `credit_transactions` goes before this.
        empty: what stands for objects that do not apply: `null`, `{}` or `mixed`.
    """
    rows = [_transaction(order, t, empty) for t in order.transactions]
    if order.credit_transactions is not None:
        credits_shown = order.credit_transactions
    if credits_shown:
        rows += _credits(order, empty)
    return rows


def _nothing(empty: str, position: int) -> Document | None:
    if empty == "mixed":
        return {} if position % 2 else None
    return None if empty == "null" else {}


def _blank(order: Order, number: int, empty: str) -> Document:
    objects = (
        "avs_result", "cvv_result", "credit_card", "gift_certificate", "store_credit", "offline",
        "custom", "payment_instrument_token",
    )  # fmt: skip
    return {
        "id": number,
        "order_id": str(order.id),
        "currency": order.currency,
        "gateway_transaction_id": "",
        "test": False,
        "fraud_review": False,
        "reference_transaction_id": _nothing(empty, 1),
        "status": "ok",
        **{name: _nothing(empty, position) for position, name in enumerate(objects)},
    }


def _transaction(order: Order, made: Transaction, empty: str) -> Document:
    row = _blank(order, made.id, empty) | {
        "event": made.event,
        "method": made.method,
        "amount": made.amount,
        "gateway": made.gateway,
        "gateway_transaction_id": f"ch_{made.id}",
        "status": made.status,
        "test": made.test,
        "date_created": iso(made.at or order.created),
        "payment_method_id": f"{made.gateway}.card"
        if made.method == "credit_card"
        else made.gateway,
    }
    if made.reference is not None:
        row["reference_transaction_id"] = made.reference
    if made.method == "credit_card":
        row["credit_card"] = {
            "card_type": "visa",
            "card_iin": "411111",
            "card_last4": "1111",
            "card_expiry_month": 12,
            "card_expiry_year": 2029,
        }
        row["avs_result"] = {"code": "", "message": "", "street_match": "", "postal_match": ""}
        row["cvv_result"] = {"code": "", "message": ""}
    if made.method == "offline":
        row["offline"] = {"display_name": made.name}
    if made.method == "custom":
        row["custom"] = {"payment_method": made.name}
    return row


def _credits(order: Order, empty: str) -> list[Document]:
    number = CREDIT_IDS + order.id * 10
    rows = []
    if order.store_credit:
        rows.append(
            _blank(order, number, empty)
            | {
                "event": "purchase",
                "method": "store_credit",
                "amount": order.store_credit,
                "gateway": "storecredit",
                "date_created": iso(order.created),
                "payment_method_id": "bigcommerce.store_credit",
                "store_credit": {"remaining_balance": ZERO},
            }
        )
    for position, use in enumerate(order.gift_certificates, 1):
        rows.append(
            _blank(order, number + position, empty)
            | {
                "event": "purchase",
                "method": "gift_certificate",
                "amount": use.amount,
                "gateway": "giftcertificate",
                "date_created": iso(order.created),
                "payment_method_id": "bigcommerce.gift_certificate",
                "gift_certificate": {
                    "code": use.code,
                    "original_balance": use.balance_before,
                    "starting_balance": use.balance_before,
                    "remaining_balance": use.balance_before - use.amount,
                    "status": "active",
                },
            }
        )
    return rows


def refund_document(order: Order, refund: Refund, *, requested: str) -> Document:
    """One refund.

    Args:
        order: its order.
        refund: the refund.
        requested: `requested_amount` of a product: `null`, or the price `ex` or `inc` tax.
    """
    return {
        "id": refund.id,
        "order_id": order.id,
        "user_id": refund.user_id,
        "created": iso(refund.created),
        "reason": refund.reason,
        "total_amount": refund.total_amount,
        "total_tax": refund.total_tax,
        "uses_merchant_override_values": refund.override,
        "payments": [
            {
                "id": payment.id,
                "provider_id": payment.provider_id,
                "amount": payment.amount,
                "offline": payment.offline,
                "is_declined": payment.is_declined,
                "declined_message": payment.declined_message,
                "transaction_id": payment.transaction_id,
            }
            for payment in refund.payments
        ],
        "items": [_item(order, item, requested) for item in refund.items],
    }


def _item(order: Order, item: RefundItem, requested: str) -> Document:
    row: Document = {
        "item_type": item.item_type,
        "item_id": item.item_id,
        "reason": item.reason,
        "requested_amount": item.requested_amount,
    }
    if item.item_type == "PRODUCT":
        row["quantity"] = item.quantity
        row["adjustments"] = []
        if requested != "null" and item.requested_amount is None:
            row["requested_amount"] = _product_amount(order, item, requested)
    return row


def _product_amount(order: Order, item: RefundItem, side: str) -> Decimal:
    figures = compute(order)
    for line, made in zip(order.lines, figures.lines, strict=True):
        if line.id == item.item_id:
            unit = made.price_ex if side == "ex" else made.price_inc
            return unit * item.quantity
    return ZERO
