"""What is found of transactions and refunds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.normalize import Json, amount, parse_time, whole
from tap_bigcommerce_orders.probe.evidence import Row, figure, has
from tap_bigcommerce_orders.probe.finding import Finding, Found, told_by

if TYPE_CHECKING:
    from tap_bigcommerce_orders.probe.evidence import Evidence

AT_ONCE = timedelta(seconds=5)
LATER = timedelta(minutes=1)
CENT = Decimal("0.01")
_OBJECTS = ("avs_result", "cvv_result", "credit_card", "gift_certificate", "store_credit")
_CREDITS = {"store_credit": "store_credit_amount", "gift_certificate": "gift_certificate_amount"}


def not_applicable(evidence: Evidence) -> Finding:
    """What stands for objects that do not apply."""
    held = (row.get(name) for row in _transactions(evidence) for name in _OBJECTS)
    ways = ("null" if one is None else "{}" for one in held if not one)
    return told_by(ways, "objects of transactions", mixed="mixed")


def _transactions(evidence: Evidence) -> Iterator[Row]:
    for _, rows in evidence.of("transactions"):
        yield from rows


def _good(rows: list[Row], *events: str) -> list[Row]:
    return [row for row in rows if row.get("status") == "ok" and row.get("event") in events]


def failed(evidence: Evidence) -> Finding:
    """Whether a transaction that failed says of how much."""
    held = [row for row in _transactions(evidence) if row.get("status") == "error"]
    ways = ("null" if row.get("amount") is None else "number" for row in held)
    return told_by(ways, "failed transactions")


def voids(evidence: Evidence) -> Finding:
    """What a void says of what it voids."""
    return told_by(
        (_void(row) for row in _transactions(evidence) if row.get("event") == "void"), "voids"
    )


def _void(row: Row) -> str:
    if not whole(row.get("reference_transaction_id")):
        return "unnamed"
    return "named" if amount(row.get("amount")) else "no_amount"


def authorized(evidence: Evidence) -> Finding:
    """What orders say whose money was authorized and not captured."""
    ways = []
    for order, rows in evidence.of("transactions"):
        taken = _good(rows, "purchase", "capture", "void", "refund")
        if _good(rows, "authorization") and not taken:
            ways.append(str(order.get("payment_status")))
    return told_by(ways, "orders")


def credit_rows(evidence: Evidence) -> Finding:
    """Whether redeemed store credit and gift certificates are transactions."""
    ways: list[Found] = []
    for order, rows in evidence.of("transactions"):
        methods = {str(row.get("method")) for row in rows}
        ways += [method in methods for method, spent in _CREDITS.items() if has(order, spent)]
    return told_by(ways, "orders that redeemed some")


def captures(evidence: Evidence) -> Finding:
    """Whether a capture moves the order's date_modified."""
    ways: list[Found] = []
    for order, rows in evidence.of("transactions"):
        modified = parse_time(order.get("date_modified"))
        times = [parse_time(row.get("date_created")) for row in _good(rows, "capture")]
        made = max(filter(None, times), default=None)
        begun = parse_time(order.get("date_created"))
        if made is None or modified is None or begun is None or made - begun < LATER:
            continue
        if modified < made:
            ways.append(False)
        elif modified - made <= AT_ONCE:
            ways.append(True)
    return (
        Finding(False, told_by(ways, "orders").grounds)
        if False in ways
        else told_by(ways, "orders captured later")
    )


def refund_objects(evidence: Evidence) -> Finding:
    """Whether each refund by a gateway is an object too."""
    known = set(_refunds(evidence))
    ways = [
        whole(order.get("id")) in known
        for order, rows in evidence.of("transactions")
        if _good(rows, "refund")
    ]
    grounds = told_by(ways, "orders with a transaction of a refund").grounds
    return Finding(False, grounds) if False in ways else told_by(ways, "orders refunded")


def refund_transactions(evidence: Evidence) -> Finding:
    """Whether a refund through a gateway makes a transaction too."""
    refunds = _refunds(evidence)
    ways = [
        bool(_good(rows, "refund"))
        for order, rows in evidence.of("transactions")
        if any(map(_by_gateway, refunds.get(whole(order.get("id")) or 0, ())))
    ]
    grounds = told_by(ways, "orders refunded by a gateway").grounds
    return Finding(True, grounds) if True in ways else told_by(ways, "orders")


def _refunds(evidence: Evidence) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in evidence.rows("refunds of orders"):
        found.setdefault(whole(row.get("order_id")) or 0, []).append(row)
    return found


def _by_gateway(refund: Row) -> bool:
    payments = refund.get("payments")
    return any(
        not (part.get("offline") or part.get("is_declined"))
        for part in (payments if isinstance(payments, list) else ())
        if isinstance(part, Mapping) and part.get("provider_id") not in ("storecredit", "custom")
    )


def requested(evidence: Evidence) -> Finding:
    """What the requested amount of a refunded product is."""
    prices = {whole(line.get("id")): line for lines in evidence.lines.values() for line in lines}
    rows = [*evidence.rows("refunds"), *evidence.rows("refunds of orders")]
    items = (item for row in rows for item in _products(row.get("items")))
    return told_by(filter(None, (_side(item, prices) for item in items)), "refunded products")


def _products(items: Json) -> Iterator[Row]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and item.get("item_type") == "PRODUCT":
            yield item


def _side(item: Row, prices: dict[int | None, Row]) -> str:
    """Null, or the side of the price that the amount is; empty where both are, or neither."""
    asked, line = amount(item.get("requested_amount")), prices.get(whole(item.get("item_id")))
    if asked is None:
        return "null"
    if line is None:
        return ""
    quantity = figure(item, "quantity")
    ex, inc = (figure(line, f"price_{side}_tax") * quantity for side in ("ex", "inc"))
    fits = {"ex": abs(asked - ex) < CENT, "inc": abs(asked - inc) < CENT}
    return "" if fits["ex"] == fits["inc"] else next(side for side, fit in fits.items() if fit)
