"""What the orders of the sample are, in counts: what the accounting will meet in this shop."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.normalize import whole
from tap_bigcommerce_orders.probe.evidence import Row, fees_of, has, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_bigcommerce_orders.probe.evidence import Evidence

MIGRATED = "M-MIG"


def counts(evidence: Evidence) -> dict[str, dict[str, int]]:
    """How many orders of the sample there are of each kind, by subject; the most first.

    Of those whose transactions were read, methods of payment without any are counted apart: their
    name alone says then whether the money came in.
    """
    orders = list(evidence.orders.values())
    transactions = [row for _, rows in evidence.of("transactions") for row in rows]
    return {
        "orders by status": _by(orders, _status),
        "orders by method of payment": _by(orders, _text("payment_method")),
        "orders by method of payment, without transactions": _by(_unpaid(evidence), _paid_how),
        "orders by source": _by(orders, _text("order_source")),
        "orders by source, with tax": _by(
            (o for o in orders if has(o, "total_tax")), _text("order_source")
        ),
        "orders by external source": _by(
            (order for order in orders if order.get("external_source")), _text("external_source")
        ),
        "orders by currency": _by(orders, _text("default_currency_code")),
        "orders by provider of tax": _by(orders, _text("tax_provider_id")),
        "orders of a kind": {
            kind: sum(map(is_one, orders))
            for kind, is_one in _KINDS.items()
            if any(map(is_one, orders))
        },
        "orders that need a decision or wait": {
            kind: sum(map(is_one, orders))
            for kind, is_one in _HELD.items()
            if any(map(is_one, orders))
        },
        "orders whose tax rows were read": _tax_rows(evidence),
        "transactions read, by gateway": _by(transactions, _text("gateway")),
        "transactions read, by event": _by(transactions, _event),
    }


def _by(orders: Iterable[Row], kind_of: Callable[[Row], str]) -> dict[str, int]:
    return dict(Counter(map(kind_of, orders)).most_common())


def _text(name: str) -> Callable[[Row], str]:
    return lambda order: str(order.get(name) or "(none)")


def _status(order: Row) -> str:
    return f"{order.get('status_id')} {order.get('status') or ''}".strip()


def _event(row: Row) -> str:
    test = ", a test" if row.get("test") is True else ""
    return f"{row.get('event')} {row.get('status')}{test}"


def _paid_how(order: Row) -> str:
    return f"{order.get('payment_method') or '(none)'}: {order.get('payment_status') or '(none)'}"


def _unpaid(evidence: Evidence) -> list[Row]:
    return [order for order, rows in evidence.of("transactions") if not rows]


def _tax_rows(evidence: Evidence) -> dict[str, int]:
    taxed = [bool(rows) for _, rows in evidence.of("taxes")]
    counts = {"have them": sum(taxed), "bear tax without one": len(taxed) - sum(taxed)}
    return {words: count for words, count in counts.items() if count}


def _anonymous(order: Row) -> bool:
    return not whole(order.get("customer_id")) and not within(order, "billing_address").get("email")


_KINDS: dict[str, Callable[[Row], bool]] = {
    "guests": lambda order: not whole(order.get("customer_id")),
    "with tax": lambda order: has(order, "total_tax"),
    "with prices that include tax": lambda order: order.get("is_tax_inclusive_pricing") is True,
    "with a discount": lambda order: has(order, "discount_amount"),
    "with a coupon": lambda order: has(order, "coupon_discount"),
    "with fees": lambda order: bool(fees_of(order)),
    "paid with store credit": lambda order: has(order, "store_credit_amount"),
    "paid with a gift certificate": lambda order: has(order, "gift_certificate_amount"),
    "sent to several addresses": lambda order: (
        (whole(order.get("shipping_address_count")) or 0) > 1
    ),
    "shown in another currency": lambda order: (
        len({order.get(f"{one}currency_code") or None for one in ("", "default_")} - {None}) > 1
    ),
    "of 0.00": lambda order: not has(order, "total_inc_tax"),
}

_HELD: dict[str, Callable[[Row], bool]] = {
    "archived: never booked": lambda order: order.get("is_deleted") is True,
    "migrated (M-MIG): not booked": lambda order: order.get("external_source") == MIGRATED,
    "without a currency code: parked unless both currency ids agree": lambda order: (
        not order.get("default_currency_code")
    ),
    "of a guest without e-mail: parked unless generic_client is set": _anonymous,
}
