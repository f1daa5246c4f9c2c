"""The v2 documents of an order's parts: consignments, shipping addresses, fees, coupons.

Money is text with four decimals, but for consignments, whose amounts are JSON numbers, and for
fees and coupons, which come either way (BigCommerce v2 orders reference).
"""

from collections.abc import Iterable

from connector_sandbox.bigcommerce.order_documents import (
    SHIPPED_STATUSES,
    address_document,
    address_id_of,
    as_priced,
    costs,
    line_documents,
)
from connector_sandbox.bigcommerce.variants import Document, Variants
from connector_sandbox.seed.model import Line, Order, ShipTo
from connector_sandbox.seed.totals import ChargeFigures, compute

MOST_INCLUDED = 50  # line items of a consignment (bigcommerce/docs issue 960)


def _lines_to(order: Order, address_id: int) -> list[Line]:
    """The lines that go to an address; 0 for what is downloaded."""
    return [
        line
        for line in order.lines
        if line.kind != "giftcertificate" and address_id_of(order, line) == address_id
    ]


def _included(lines: Iterable[Line], rows: list[Document], variants: Variants) -> Document:
    """The line items that are given of a consignment: fifty, all or none, by switch."""
    wanted = {line.id for line in lines}
    held = [row for row in rows if row["id"] in wanted]
    if ("bc.included_lines", "none") in variants.chosen:
        return {"line_items": []}
    if ("bc.included_lines", "fifty") in variants.chosen and len(held) > MOST_INCLUDED:
        words = f"Only the first {MOST_INCLUDED} line items are shown."
        return {"line_items": held[:MOST_INCLUDED], "__warning__": words}
    return {"line_items": held}


def consignments(order: Order, variants: Variants, *, line_items: bool) -> Document:
    """The consignments as an object; their amounts are numbers."""
    figures = compute(order)
    rows = line_documents(order, variants) if line_items else []
    link = _link(variants, f"/orders/{order.id}/products")

    def items(lines: Iterable[Line]) -> Document:
        return _included(lines, rows, variants) if line_items else {"line_items": [link]}

    digital = _lines_to(order, 0)
    gifts: dict[str, list[Line]] = {}
    for line in order.lines:
        if line.kind == "giftcertificate":
            gifts.setdefault(line.recipient, []).append(line)
    quotes = f"/orders/{order.id}/consignments/shipping"
    shipping = [
        variants.apply("address", address_document(to.to))
        | {
            "id": to.id,
            "form_fields": [],
            **items(_lines_to(order, to.id)),
            **_destination(order, to),
            **_numbers("cost", shipping),
            "cost_tax_class_id": 3 if to.shipping.taxes else 0,
            **_numbers("handling_cost", handling),
            "handling_cost_tax_class_id": 3 if to.handling.taxes else 0,
            "shipping_quotes": _link(variants, f"{quotes}/{to.id}/shipping_quotes"),
        }
        for to, shipping, handling in zip(
            order.ship_to, figures.shipping, figures.handling, strict=True
        )
    ]
    downloads = [{"recipient_email": order.billing.email, **items(digital)}] if digital else []
    certificates = [{"recipient_email": who, **items(lines)} for who, lines in gifts.items()]
    return {
        "pickups": [],
        "shipping": shipping,
        "downloads": downloads,
        "email": {"gift_certificates": certificates},
    }


def _link(variants: Variants, path: str) -> Document:
    return {"url": variants.base + path, "resource": path}


def _numbers(name: str, charge: ChargeFigures) -> Document:
    return {
        f"base_{name}": charge.base,
        f"{name}_ex_tax": charge.ex,
        f"{name}_inc_tax": charge.inc,
        f"{name}_tax": charge.tax,
    }


def _destination(order: Order, to: ShipTo) -> Document:
    quantity = sum(line.quantity for line in _lines_to(order, to.id))
    return {
        "items_total": quantity,
        "items_shipped": quantity if order.status_id in SHIPPED_STATUSES else 0,
        "shipping_method": to.method,
        "shipping_zone_id": 1,
        "shipping_zone_name": to.to.country,
    }


def shipping_addresses(order: Order, variants: Variants) -> list[Document]:
    """The shipping addresses with their costs as text."""
    figures = compute(order)
    path = f"/orders/{order.id}/shippingaddresses"
    return [
        {"id": to.id, "order_id": order.id}
        | variants.apply("address", address_document(to.to))
        | _destination(order, to)
        | {
            **costs("cost", shipping),
            "cost_tax_class_id": 3 if shipping.taxes else 0,
            **costs("handling_cost", handling),
            "handling_cost_tax_class_id": 3 if handling.taxes else 0,
            "form_fields": [],
            "shipping_quotes": _link(variants, f"{path}/{to.id}/shippingquotes"),
        }
        for to, shipping, handling in zip(
            order.ship_to, figures.shipping, figures.handling, strict=True
        )
    ]


def fee_documents(order: Order, variants: Variants) -> list[Document]:
    """The fees on the order."""
    figures = compute(order)
    rows = (
        {
            "id": fee.id,
            "type": "custom_fee",
            "display_name_customer": fee.name,
            "display_name_merchant": fee.name,
            "source": "v2",
            "base_cost": made.base,
            "cost_ex_tax": made.ex,
            "cost_inc_tax": made.inc,
            "cost_tax": made.tax,
            "tax_class_id": 0 if made.taxes else None,
        }
        for fee, made in zip(order.fees, figures.fees, strict=True)
    )
    return [variants.apply("fee", row) for row in rows]


def coupon_documents(order: Order, variants: Variants) -> list[Document]:
    """The coupons used and the money each took off."""
    shares = compute(order).coupon_shares
    if as_priced(variants):
        shares = tuple((d, d.amount) for d in order.discounts if d.kind == "coupon")
    rows = (
        {
            "id": order.id * 10 + position,
            "coupon_id": coupon.coupon_id,
            "order_id": order.id,
            "code": coupon.code,
            "amount": coupon.amount,
            "type": coupon.coupon_type,
            "discount": amount,
        }
        for position, (coupon, amount) in enumerate(shares)
    )
    return [variants.apply("coupon", row) for row in rows]
