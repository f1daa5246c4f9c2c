"""What came in for an order, and what went back: as money, or out of what the shop owes.

Captures tell of money, else the shop's word or a method that means money in hand; gift certificates
and store credit are told by the order's fields, by transactions, or by both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from connector_sandbox.seed.catalog import PAID_STATUSES
from connector_sandbox.seed.changes import PARTIALLY_REFUNDED, REFUNDED, brought_money, captured
from connector_sandbox.seed.money import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from connector_sandbox.seed.model import Order, Refund, Transaction

COMPLETED = 10
IN_HAND = {
    *("cash", "check", "cheque", "money order", "bank deposit", "bank transfer"),
    *("pay in store", "manual"),
}
ON_DELIVERY = {"cash on delivery", "cod"}
ON_ACCOUNT = re.compile(r"\b(purchase order|terms|invoice|on account|net (?P<days>\d{1,3}))\b")
TERMS_DAYS = 30
STORED_VALUE = ("gift_certificate", "store_credit")
"""Methods of transactions that spend what the shop owes, and bring in no money."""
PROVIDERS = {kind.replace("_", ""): kind for kind in STORED_VALUE}
"""Providers of refunds that give it."""


def _told(order: Order) -> dict[str, Decimal]:
    """What the order's own fields say was redeemed."""
    used = sum((use.amount for use in order.gift_certificates), ZERO)
    return {"gift_certificate": used, "store_credit": order.store_credit}


def _shown(order: Order) -> dict[str, Decimal]:
    """What its transactions say was redeemed, those apart that say again what the fields say."""
    rows = _captures(order)
    return {kind: sum((t.amount for t in rows if t.method == kind), ZERO) for kind in STORED_VALUE}


def redeemed(order: Order) -> dict[str, Decimal]:
    """By kind: gift certificates and store credit that the order was paid with."""
    shown = _shown(order)
    return {kind: told or shown[kind] for kind, told in _told(order).items()}


def tells_two_stories(order: Order) -> bool:
    """Whether fields and transactions differ on it."""
    shown = _shown(order)
    return any(told and shown[kind] not in (told, 0) for kind, told in _told(order).items())


def _captures(order: Order) -> list[Transaction]:
    return [t for t in order.transactions if brought_money(order, t)]


def received(order: Order, due: Decimal) -> list[dict[str, Any]]:
    """Money in the order it came: captures, else what was paid offline."""
    payments: list[dict[str, Any]] = [
        {"transaction": t.id, "kind": "gateway", "amount": t.amount, "date": t.at or order.created}
        for t in _captures(order)
        if t.method not in STORED_VALUE
    ]
    if not payments and due > 0 and _paid_by_word(order):
        derived = {"transaction": None, "kind": "offline", "amount": due, "date": order.created}
        payments.append(derived)
    return payments


def surplus_of(order: Order, due: Decimal) -> Decimal:
    """Money that came in beyond what the invoice comes to."""
    return max(sum((payment["amount"] for payment in received(order, due)), ZERO) - due, ZERO)


def money_came(order: Order) -> bool:
    """Whether money was captured, given back, or is said to be here."""
    back = any(not p.is_declined for r in order.refunds for p in r.payments)
    return captured(order) > 0 or back or (_untold(order) and _said_captured(order))


def _paid_by_word(order: Order) -> bool:
    """Paid outside of any gateway that would have left a transaction."""
    method = order.payment_method.lower()
    given_back = order.status_id in {REFUNDED, PARTIALLY_REFUNDED}
    paid = given_back or order.status_id in PAID_STATUSES
    delivered = given_back or order.status_id == COMPLETED
    in_hand = (method in IN_HAND and paid) or (method in ON_DELIVERY and delivered)
    denied = order.payment_status in {"declined", "void", "void pending"}
    return _untold(order) and (_said_captured(order) or (in_hand and not denied))


def _untold(order: Order) -> bool:
    """No gateway says how the order's money came."""
    rows = (t for t in order.transactions if t.method not in STORED_VALUE and t.event != "refund")
    return all(t.event == "pending" or t.status != "ok" for t in rows)


def _said_captured(order: Order) -> bool:
    on_account = ON_ACCOUNT.search(order.payment_method.lower())
    back = order.payment_status in {"refunded", "partially refunded"} and not on_account
    return order.payment_status in {"captured", "paid"} or back


def days_until_due(order: Order) -> int:
    """Days until an order on account is due; 0 for others."""
    told = ON_ACCOUNT.search(order.payment_method.lower())
    return 0 if told is None else int(told["days"] or TERMS_DAYS)


def money_back(refund: Refund) -> Decimal:
    """What of a refund was paid back."""
    return sum(
        (p.amount for p in refund.payments if not p.is_declined and p.provider_id not in PROVIDERS),
        ZERO,
    )


def credit_back(refund: Refund) -> Decimal:
    """What of a refund was given as gift certificate or store credit."""
    return sum(
        (p.amount for p in refund.payments if not p.is_declined and p.provider_id in PROVIDERS),
        ZERO,
    )
