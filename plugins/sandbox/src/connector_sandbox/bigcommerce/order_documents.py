"""The v2 documents of an order itself and of its products; money is text with four decimals."""

from decimal import Decimal

from connector_sandbox.bigcommerce.dates import rfc2822
from connector_sandbox.bigcommerce.variants import Document, Variants, money
from connector_sandbox.seed import catalog
from connector_sandbox.seed.changes import refunded_quantity
from connector_sandbox.seed.model import Address, Line, Order
from connector_sandbox.seed.money import ZERO
from connector_sandbox.seed.totals import ChargeFigures, Figures, LineFigures, compute, together

SHIPPED_STATUSES = frozenset({2, 10})
CUSTOM_LABELS = {11: "Ready to pack"}


def order_document(order: Order, variants: Variants) -> Document:
    """The order without anything included: links stand for its parts."""
    figures = compute(order)
    wrapping = figures.wrapping()
    shipping, handling = together(list(figures.shipping)), together(list(figures.handling))
    inside = together(
        list(figures.fees) if ("bc.fees_in_subtotal", True) in variants.chosen else []
    )
    unset = _unset(variants)
    status = catalog.STATUS_NAMES[order.status_id]
    quantity = sum(line.quantity for line in order.lines)
    shipped = order.shipped or (order.modified if order.status_id in SHIPPED_STATUSES else None)
    rate = catalog.CURRENCY_RATES[order.currency]
    currency_id = catalog.CURRENCY_IDS[order.currency]
    shown = order.display_currency or order.currency
    discount_amount, coupon_discount = _discounts(order, figures, variants)
    subtotal_tax = figures.subtotal_tax
    if _before_discounts(variants):
        subtotal_tax = figures.subtotal_inc - figures.subtotal_ex
    gifts = sum((use.amount for use in order.gift_certificates), ZERO)
    document = {
        "id": order.id,
        "customer_id": order.customer_id,
        "date_created": rfc2822(order.created),
        "date_modified": rfc2822(order.modified),
        "date_shipped": rfc2822(shipped) if shipped else "",
        "cart_id": f"7e48f7ef-2e88-4817-aea4-{order.id:012d}",
        "status_id": order.status_id,
        "status": status,
        "custom_status": CUSTOM_LABELS.get(order.status_id, status),
        "subtotal_ex_tax": money(figures.subtotal_ex + inside.ex),
        "subtotal_inc_tax": money(figures.subtotal_inc + inside.inc),
        "subtotal_tax": money(subtotal_tax + inside.tax),
        **costs("shipping_cost", shipping),
        "shipping_cost_tax_class_id": 3 if shipping.taxes else 0,
        **costs("handling_cost", handling),
        "handling_cost_tax_class_id": 3 if handling.taxes else 0,
        **costs("wrapping_cost", wrapping),
        "wrapping_cost_tax_class_id": 4 if wrapping.taxes else 0,
        "total_ex_tax": money(figures.total_ex),
        "total_inc_tax": money(figures.total_inc),
        "total_tax": money(figures.total_tax),
        "items_total": quantity,
        "items_shipped": quantity if order.status_id in SHIPPED_STATUSES else 0,
        "payment_method": order.payment_method,
        "payment_provider_id": order.payment_provider_id or unset["number"],
        "payment_status": order.payment_status,
        "refunded_amount": "0.0000",
        "order_is_digital": bool(order.lines) and all(x.kind != "physical" for x in order.lines),
        "store_credit_amount": money(order.store_credit),
        "gift_certificate_amount": money(gifts),
        "ip_address": "203.0.113.7",
        "ip_address_v6": "",
        "geoip_country": "United States",
        "geoip_country_iso2": "US",
        # The currency shown; the order's amounts are in `default_currency_code`.
        "currency_id": catalog.CURRENCY_IDS[shown],
        "currency_code": shown,
        "currency_exchange_rate": (
            "1.0000000000" if shown == order.currency else catalog.CURRENCY_RATES[shown]
        ),
        "default_currency_id": currency_id,
        "default_currency_code": order.currency,
        "staff_notes": order.staff_notes or unset["note"],
        "customer_message": order.customer_message,
        "discount_amount": money(discount_amount),
        "coupon_discount": money(coupon_discount),
        "shipping_address_count": len(order.ship_to),
        "is_deleted": order.is_deleted,
        "is_tax_inclusive_pricing": order.tax_inclusive,
        "ebay_order_id": "0",
        "billing_address": address_document(order.billing)
        | {"form_fields": [{"name": x.name, "value": x.value} for x in order.form_fields]},
        "is_email_opt_in": False,
        "credit_card_type": None,
        "order_source": order.order_source,
        "channel_id": order.channel_id,
        "external_source": order.external_source or unset["external"],
        "external_id": order.external_id or unset["external"],
        "external_merchant_id": unset["external"],
        "external_order_id": order.external_order_id,
        "tax_provider_id": order.tax_provider_id,
        "customer_locale": "en",
        "store_default_currency_code": catalog.STORE_CURRENCY,
        "store_default_to_transactional_exchange_rate": rate,
        **_links(order, variants),
    }
    return variants.apply("order", document)


def as_priced(variants: Variants) -> bool:
    """Whether discounts are stated as prices are entered."""
    return ("bc.discount_tax", "as_priced") in variants.chosen


def _before_discounts(variants: Variants) -> bool:
    return ("bc.subtotal_tax", "before") in variants.chosen


def _discounts(order: Order, figures: Figures, variants: Variants) -> tuple[Decimal, Decimal]:
    """Discounts without and with a code: as prices are entered, or always with tax."""
    if not as_priced(variants):
        return figures.discount_amount, figures.coupon_discount
    amounts = [(d.kind == "coupon", d.amount) for d in order.discounts]
    without, coupons = (
        sum((amount for coded, amount in amounts if coded is wanted), ZERO)
        for wanted in (False, True)
    )
    return without, coupons


def costs(name: str, charge: ChargeFigures) -> dict[str, str]:
    """The amounts of a charge as text."""
    return {
        f"base_{name}": money(charge.base),
        f"{name}_ex_tax": money(charge.ex),
        f"{name}_inc_tax": money(charge.inc),
        f"{name}_tax": money(charge.tax),
    }


def _unset(variants: Variants) -> dict[str, str | None]:
    if ("bc.empty_texts", "mixed") in variants.chosen:
        return {"number": "", "note": "", "external": None}
    value = None if ("bc.empty_texts", "null") in variants.chosen else ""
    return dict.fromkeys(("number", "note", "external"), value)


def _links(order: Order, variants: Variants) -> Document:
    # The address link is spelt without an underscore, unlike the documented path.
    parts = {
        "products": "products",
        "shipping_addresses": "shippingaddresses",
        "coupons": "coupons",
        "consignments": "consignments",
        "fees": "fees",
    }
    return {
        name: {
            "url": f"{variants.base}/orders/{order.id}/{part}",
            "resource": f"/orders/{order.id}/{part}",
        }
        for name, part in parts.items()
    }


def address_document(address: Address) -> Document:
    """A postal address."""
    return {
        "first_name": address.first_name,
        "last_name": address.last_name,
        "company": address.company,
        "street_1": address.street_1,
        "street_2": address.street_2,
        "city": address.city,
        "state": address.state,
        "zip": address.zip,
        "country": address.country,
        "country_iso2": address.country_iso2,
        "phone": address.phone,
        "email": address.email,
    }


def line_documents(order: Order, variants: Variants) -> list[Document]:
    """The order products, by line id."""
    figures = compute(order)
    parents = {line.parent_line for line in order.lines if line.parent_line is not None}
    rows = [
        variants.apply("line", _line(order, line, made, variants, is_bundle=position in parents))
        for position, (line, made) in enumerate(zip(order.lines, figures.lines, strict=True))
    ]
    return sorted(rows, key=lambda row: int(row["id"]))


def address_id_of(order: Order, line: Line) -> int:
    """Where a line is shipped to; 0 for nowhere."""
    if line.kind != "physical" or line.address >= len(order.ship_to):
        return 0
    return order.ship_to[line.address].id


def _line(
    order: Order, line: Line, made: LineFigures, variants: Variants, *, is_bundle: bool
) -> Document:
    tax = made.total_inc - made.total_ex if _before_discounts(variants) else made.tax
    refunded = refunded_quantity(order, line.id)
    cost = (line.price / 2).quantize(Decimal("0.01"))
    return {
        "id": line.id,
        "order_id": order.id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "order_pickup_method_id": 0,
        "order_address_id": address_id_of(order, line),
        "name": line.name,
        "name_customer": line.name,
        "name_merchant": line.name,
        "sku": line.sku,
        "upc": "",
        "type": line.kind,
        "base_price": money(line.price),
        "price_ex_tax": money(made.price_ex),
        "price_inc_tax": money(made.price_inc),
        "price_tax": money(made.price_inc - made.price_ex),
        "base_total": money(line.price * line.quantity),
        "total_ex_tax": money(made.total_ex),
        "total_inc_tax": money(made.total_inc),
        "total_tax": money(tax),
        "discounted_total_inc_tax": money(made.discounted_inc),
        "weight": "1.0000" if line.kind == "physical" else 0,
        "width": "0.0000",
        "height": "0.0000",
        "depth": "0.0000",
        "quantity": line.quantity,
        "base_cost_price": money(cost),
        "cost_price_inc_tax": money(cost),
        "cost_price_ex_tax": money(cost),
        "cost_price_tax": "0.0000",
        "is_refunded": refunded == line.quantity,
        "quantity_refunded": refunded,
        "refund_amount": "0.0000",
        "return_id": 0,
        "wrapping_id": 7 if line.wrapping else 0,
        "wrapping_name": line.wrapping.name or "Gift wrapping" if line.wrapping else "",
        **costs("wrapping_cost", made.wrapping),
        "wrapping_message": "",
        "quantity_shipped": line.quantity if order.status_id in SHIPPED_STATUSES else 0,
        "event_name": None,
        "event_date": None,
        "fixed_shipping_cost": "0.0000",
        "ebay_item_id": "",
        "ebay_transaction_id": "",
        "option_set_id": 5 if line.options else None,
        "parent_order_product_id": (
            None if line.parent_line is None else order.lines[line.parent_line].id
        ),
        "is_bundled_product": is_bundle or line.parent_line is not None,
        "bin_picking_number": "",
        "external_id": None,
        "brand": "",
        "gift_certificate_id": line.gift_certificate_id,
        "applied_discounts": [
            {
                "id": "manual-discount" if d.kind == "manual" else f"{d.kind}-{position}"
                if d.kind == "automatic" else "total-coupon",
                "amount": money(amount),
                "name": d.name,
                "code": d.code,
                "target": "product" if d.lines else "order",
            }
            for position, (d, amount) in enumerate(
                made.entered if as_priced(variants) else made.applied
            )
        ],
        "product_options": [
            {
                "id": line.id * 10 + position,
                "option_id": 18,
                "order_product_id": line.id,
                "product_option_id": 120,
                "display_name": option.name,
                "display_name_customer": option.name,
                "display_name_merchant": option.name,
                "display_value": option.value,
                "display_value_customer": option.value,
                "display_value_merchant": option.value,
                "value": str(70 + position),
                "type": "Multiple choice",
                "name": option.name,
                "display_style": "Rectangle",
            }
            for position, option in enumerate(line.options)
        ],
        "configurable_fields": [],
    }  # fmt: skip
