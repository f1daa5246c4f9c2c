"""What is found of orders, their lines, taxes and fees, and of the store's own tables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.consignments import PAGE_SIZES, WARNING
from tap_bigcommerce_orders.normalize import Json, is_link, whole
from tap_bigcommerce_orders.probe.evidence import Row, fees_of, figure, has, rows_of, within
from tap_bigcommerce_orders.probe.finding import Finding, Found, told_by, unseen

if TYPE_CHECKING:
    from tap_bigcommerce_orders.probe.evidence import Evidence

CENT = Decimal("0.01")
FIFTY = 50
_ENTITY = re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]+);")
_BARE = re.compile(r"[&<>\"']")


def structure(evidence: Evidence) -> Finding:
    """Whether consignments are an object, as asked for."""
    ways = ("ignored" if isinstance(c, list) else "honoured" for _, c in _consignments(evidence))
    return told_by(ways, "orders")


def _consignments(evidence: Evidence) -> Iterator[tuple[Row, Json]]:
    for order in evidence.orders.values():
        inside = order.get("consignments")
        if inside and not is_link(inside):
            yield order, inside


def included_lines(evidence: Evidence) -> Finding:
    """How many line items of a consignment come with the list of orders."""
    sizes: list[int] = []
    warned = 0
    for order, inside in _consignments(evidence):
        if has(order, "items_total"):
            held = list(_parts_with_lines(inside))
            sizes += [len(part["line_items"]) for part in held]
            warned += any(WARNING in part for part in held)
    grounds = f"{len(sizes)} consignments of {max(sizes, default=0)} lines at most"
    if not sizes:
        return (
            Finding("none", "no order came with its lines") if evidence.orders else unseen("order")
        )
    if warned:
        return Finding("fifty", f"{grounds}, {warned} with a __warning__")
    if not any(sizes):
        return Finding("none", grounds)
    if max(sizes) > FIFTY:
        return Finding("all", grounds)
    if max(sizes) in PAGE_SIZES - {10}:
        return Finding("fifty", grounds)
    return unseen(f"consignment of more than {FIFTY} lines ({grounds})")


def _parts_with_lines(node: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(node, Mapping):
        items = node.get("line_items")
        if isinstance(items, list) and not any(map(is_link, items)):
            yield node
        node = [inner for name, inner in node.items() if name != "line_items"]
    for inner in node if isinstance(node, list) else ():
        yield from _parts_with_lines(inner)


def options(evidence: Evidence) -> Finding:
    """What the options of a line are."""
    held = (line.get("product_options") for lines in evidence.lines.values() for line in lines)
    return told_by(("object" if isinstance(o, Mapping) else "list" for o in held if o), "lines")


def currency(evidence: Evidence) -> Finding:
    """Whether orders name the currency of their amounts."""
    codes = (order.get("default_currency_code") for order in evidence.orders.values())
    ways = ("null" if code is None else "code" if code else "empty" for code in codes)
    return told_by(ways, "orders")


def entities(evidence: Evidence) -> Finding:
    """Whether names are written as for a page."""
    texts = [text for order in evidence.orders.values() for text in _texts(order)]
    texts += [str(line.get("name")) for lines in evidence.lines.values() for line in lines]
    written = sum(bool(_ENTITY.search(text)) for text in texts)
    if written:
        return Finding("entities", f"{written} of {len(texts)} texts")
    bare = sum(bool(_BARE.search(text)) for text in texts)
    if not bare:
        return unseen("name with & or a quotation mark")
    return Finding("plain", f"{bare} of {len(texts)} texts have such characters as they are")


def _texts(order: Row) -> Iterator[str]:
    for held in (order, within(order, "billing_address")):
        yield from (value for value in held.values() if isinstance(value, str))


_UNSET = ("payment_provider_id", "staff_notes", "external_source", "external_id")


def empty_texts(evidence: Evidence) -> Finding:
    """What stands for texts that are not set."""
    held = (order.get(name) for order in evidence.orders.values() for name in _UNSET)
    ways = ("null" if one is None else "text" for one in held if one is None or one == "")
    return told_by(ways, "texts", mixed="mixed")


def discount_basis(evidence: Evidence) -> Finding:
    """Whether discounts are stated as prices are entered, or always with tax."""
    return told_by(filter(None, map(_basis, _discounted(evidence))), "orders")


def _discounted(evidence: Evidence) -> Iterator[Row]:
    for order in evidence.orders_with("discount_amount", "coupon_discount"):
        if has(order, "total_tax") and not fees_of(order):
            yield order


def _basis(order: Row) -> str:
    """Which reading gives the order's total; empty where both do, or neither."""
    if order.get("is_tax_inclusive_pricing") is not False:
        return ""
    off = figure(order, "discount_amount") + figure(order, "coupon_discount")
    fits = {
        side: abs(_charged(order, side) - off - figure(order, f"total_{side}_tax")) < CENT
        for side in ("ex", "inc")
    }
    if fits["ex"] == fits["inc"]:
        return ""
    return "as_priced" if fits["ex"] else "included"


def _charged(order: Row, side: str) -> Decimal:
    parts = ("subtotal_{}", "shipping_cost_{}", "handling_cost_{}", "wrapping_cost_{}")
    return sum((figure(order, f"{part.format(side)}_tax") for part in parts), Decimal())


def subtotal_tax(evidence: Evidence) -> Finding:
    """Whether the tax of lines and subtotals is after discounts, or before."""
    ways = []
    for order in _discounted(evidence):
        full = figure(order, "subtotal_inc_tax") - figure(order, "subtotal_ex_tax")
        if full >= CENT:
            before = abs(full - figure(order, "subtotal_tax")) < CENT
            ways.append("before" if before else "after")
    # A discount of the shipping leaves the subtotal's tax as it is.
    grounds = told_by(ways, "orders").grounds
    return Finding("after", grounds) if "after" in ways else told_by(ways, "orders")


def fees_inside(evidence: Evidence) -> Finding:
    """Whether subtotals hold the order's fees."""
    ways: list[Found] = []
    for order in evidence.orders.values():
        fees = sum((figure(fee, "cost_inc_tax") for fee in fees_of(order)), Decimal())
        if fees and not any(has(order, n) for n in ("discount_amount", "coupon_discount")):
            rest = figure(order, "total_inc_tax") - _charged(order, "inc")
            ways += [way for way, left in ((True, 0), (False, fees)) if abs(rest - left) < CENT]
    return told_by(ways, "orders with fees")


def fees_form(evidence: Evidence) -> Finding:
    """What GET fees gives."""
    ways = []
    for seen in evidence.of_order["fees"].values():
        body = seen.body
        if isinstance(body, Mapping):
            ways.append("wrapped")
        elif rows := rows_of(seen):
            ways.append("misspelt" if "cost_exc_tax" in rows[0] else "array")
    return told_by(ways, "answers")


def fee_money(evidence: Evidence) -> Finding:
    """What amounts of fees are."""
    fees = (fee for order in evidence.orders.values() for fee in fees_of(order))
    return told_by((_form(fee.get("cost_inc_tax")) for fee in fees), "fees")


def coupon_money(evidence: Evidence) -> Finding:
    """What amounts of coupons are."""
    rows = (row for _, rows in evidence.of("coupons") for row in rows)
    return told_by((_form(row.get("discount")) for row in rows), "coupons")


def _form(value: Json) -> str:
    return "text" if isinstance(value, str) else "number"


def fee_taxes(evidence: Evidence) -> Finding:
    """Whether an order's tax rows have those on its fees."""
    ways = []
    for order, rows in evidence.of("taxes"):
        taxed = sum((figure(fee, "cost_tax") for fee in fees_of(order)), Decimal())
        listed = sum((figure(row, "line_amount") for row in rows), Decimal())
        if taxed and rows:
            ways.append(abs(listed - figure(order, "total_tax")) < CENT)
    return told_by(ways, "orders with taxed fees")


def tax_line_ids(evidence: Evidence) -> Finding:
    """What names the line of a tax row."""
    named = (row.get("order_product_id") for _, rows in evidence.of("taxes") for row in rows)
    return told_by((_form(one) for one in named if one), "tax rows")


def tax_row_ids(evidence: Evidence) -> Finding:
    """Whether each tax row has an id of its own."""
    ways = []
    for _, rows in evidence.of("taxes"):
        counts = Counter(str(row.get("id")) for row in rows)
        alike = Counter(
            tuple(str(row.get(name)) for name in ("name", "class", "rate")) for row in rows
        )
        if max(alike.values(), default=0) > 1:
            ways.append("repeated" if max(counts.values()) > 1 else "unique")
    # Rows of one rate at several addresses have ids of their own either way.
    return (
        Finding("repeated", told_by(ways, "orders").grounds)
        if "repeated" in ways
        else told_by(ways, "orders")
    )


def default_class(evidence: Evidence) -> Finding:
    """Whether the default tax class is in the list of tax classes."""
    rows = evidence.rows("tax classes")
    if not rows:
        return unseen("tax class")
    return Finding(any(whole(row.get("id")) == 0 for row in rows), f"{len(rows)} tax classes")


def class_ids(evidence: Evidence) -> Finding:
    """What ids of tax classes are."""
    rows = evidence.rows("tax classes")
    return told_by((_form(row.get("id")) for row in rows), "tax classes")


def channels(evidence: Evidence) -> Finding:
    """What stands for the channels of a customer."""
    rows = evidence.rows("customers")
    ways = ("null" if row.get("channel_ids") is None else "list" for row in rows)
    return told_by(ways, "customers")


def rounding(evidence: Evidence) -> Finding:
    """How the shop rounds tax."""
    seen = evidence.asked["tax settings"]
    strategy = within(seen.body, "data").get("rounding_strategy")
    if not isinstance(strategy, str) or not strategy:
        return Finding(None, f"the tax settings were answered {seen.status} without it")
    return Finding(strategy, "by the tax settings")
