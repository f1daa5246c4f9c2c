"""The rows of `GET /v2/orders/{id}/taxes`, with details (per line) and without (per rate)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connector_sandbox.bigcommerce.variants import Variants, money
from connector_sandbox.seed.changes import declined, refunded_quantity
from connector_sandbox.seed.model import Order
from connector_sandbox.seed.totals import TaxShare, compute

_CLASS_OF = {
    "shipping": ("Shipping", 3),
    "handling": ("Shipping", 3),
    "gift-wrapping": ("Gift Wrapping", 4),
}
_REFUNDED_AS = {
    "gift-wrapping": "GIFT_WRAPPING",
    "shipping": "SHIPPING",
    "handling": "HANDLING",
}
_OWN_CLASS = frozenset({"Automatic Tax", "API Tax Override"})


def tax_documents(order: Order, variants: Variants, *, details: bool) -> list[dict[str, Any]]:
    """The tax rows of an order.

    Without details the amounts of one rate, class and address are one row. With them each row
    tells its line and kind; its id is its own, or by `tax_detail_ids` the id of the row it is a
    part of. By `refund_tax_rows` a refund leaves of a row what was not refunded.
    """
    summed: dict[tuple[object, ...], dict[str, Any]] = {}
    rows = []
    totals: defaultdict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for position, (kind, line_id, address_id, share) in enumerate(_shown(order, variants)):
        row = _row(order, kind, address_id, share)
        key = (share.tax.id, row["class"], address_id)
        whole = summed.setdefault(key, row | {"id": order.id * 10_000 + len(summed) + 1})
        totals[key] += share.amount
        whole["line_amount"] = whole["priority_amount"] = money(totals[key])
        own = order.id * 10_000 + 1_001 + position
        detail = row | {
            "id": whole["id"] if ("bc.tax_detail_ids", "repeated") in variants.chosen else own,
            "order_product_id": line_id,
            "line_item_type": kind,
        }
        rows.append(variants.apply("tax row", detail))
    return rows if details else list(summed.values())


def _shown(order: Order, variants: Variants) -> Iterator[tuple[str, int | None, int, TaxShare]]:
    if ("bc.refund_tax_rows", "reduced") not in variants.chosen:
        yield from _shares(order, variants)
        return
    refunds = tuple(made for made in order.refunds if not made.override and not declined(made))
    refunded = replace(order, refunds=refunds)
    for kind, line_id, address_id, share in _shares(order, variants):
        charged_id = address_id if kind in {"shipping", "handling"} else line_id or 0
        amount = share.amount * _left(refunded, kind, charged_id)
        yield kind, line_id, address_id, replace(share, amount=amount)


def _shares(order: Order, variants: Variants) -> Iterator[tuple[str, int | None, int, TaxShare]]:
    figures = compute(order)
    first = order.ship_to[0].id if order.ship_to else 0
    for line, made in zip(order.lines, figures.lines, strict=True):
        physical = line.kind == "physical" and line.address < len(order.ship_to)
        address_id = order.ship_to[line.address].id if physical else 0
        for share in made.taxes:
            yield "item", line.id, address_id, share
        for share in made.wrapping.taxes:
            yield "gift-wrapping", line.id, address_id, share
    for position, to in enumerate(order.ship_to):
        for share in figures.shipping[position].taxes:
            yield "shipping", None, to.id, share
        for share in figures.handling[position].taxes:
            yield "handling", None, to.id, share
    if ("bc.fee_tax_rows", True) in variants.chosen:
        for fee in figures.fees:
            for share in fee.taxes:
                yield "item", None, first, share


def _left(order: Order, kind: str, charged_id: int) -> Decimal:
    """The part of a charge that was not refunded."""
    if kind == "item":
        quantity = sum(line.quantity for line in order.lines if line.id == charged_id)
        return 1 - Decimal(refunded_quantity(order, charged_id)) / (quantity or 1)
    gone = {(item.item_type, item.item_id) for made in order.refunds for item in made.items}
    return Decimal((_REFUNDED_AS[kind], charged_id) not in gone)


def _row(order: Order, kind: str, address_id: int, share: TaxShare) -> dict[str, Any]:
    tax = share.tax
    name, class_id = _CLASS_OF.get(kind, (tax.tax_class, tax.tax_class_id))
    if tax.tax_class in _OWN_CLASS:
        name, class_id = tax.tax_class, None
    row: dict[str, Any] = {
        "id": 0,
        "order_id": order.id,
        "order_address_id": address_id,
        "tax_rate_id": tax.id,
        "sales_tax_id": f"TaxId{tax.id}",
        "tax_class_id": class_id,
        "name": tax.name,
        "class": name,
        "rate": money(tax.percent),
        "priority": tax.priority,
        "priority_amount": money(share.amount),
        "line_amount": money(share.amount),
        "order_pickup_method_id": 0,
    }
    if tax.tax_class == "Automatic Tax":
        del row["order_id"], row["order_address_id"]
    return row
