"""Orders with their line items, fees and consignments; their coupons and taxes.

Source: BigCommerce v2 orders reference (order_Resp, orderProducts, orderFees_Resp,
orderConsignment_Get, orderCoupons, orderTaxes).
"""

from tap_bigcommerce_orders.schemas.types import (
    FLAG,
    INTEGER,
    KEY,
    MONEY,
    NUMBER,
    OBJECT,
    OBJECTS,
    TEXT,
    TEXTS,
    WHEN,
    Schema,
    of_type,
    part,
    parts,
    record,
)

FORM_FIELDS: Schema = {"type": ["array", "string", "null"], "items": OBJECT}

BILLING_ADDRESS = part(
    {
        **of_type(
            TEXT,
            "first_name last_name company street_1 street_2 city state zip country country_iso2 "
            "phone email",
        ),
        "form_fields": FORM_FIELDS,
    }
)

LINE_ITEM = {
    "id": INTEGER,
    "order_id": INTEGER,
    **of_type(
        INTEGER,
        "product_id variant_id order_address_id order_pickup_method_id quantity "
        "parent_order_product_id gift_certificate_id option_set_id return_id wrapping_id",
    ),
    **of_type(
        TEXT,
        "name name_customer name_merchant sku upc brand type external_id event_name event_date "
        "wrapping_name wrapping_message ebay_item_id ebay_transaction_id bin_picking_number "
        "fulfillment_source",
    ),
    **of_type(
        MONEY,
        "base_price price_ex_tax price_inc_tax price_tax base_total total_ex_tax total_inc_tax "
        "total_tax discounted_total_inc_tax base_cost_price cost_price_ex_tax cost_price_inc_tax "
        "cost_price_tax base_wrapping_cost wrapping_cost_ex_tax wrapping_cost_inc_tax "
        "wrapping_cost_tax fixed_shipping_cost refund_amount weight width height depth",
    ),
    **of_type(NUMBER, "quantity_shipped quantity_refunded"),
    **of_type(FLAG, "is_refunded is_bundled_product"),
    "applied_discounts": parts(
        {"id": TEXT, "amount": MONEY, "name": TEXT, "code": TEXT, "target": TEXT}
    ),
    "product_options": parts(
        {
            **of_type(INTEGER, "id option_id order_product_id product_option_id"),
            **of_type(
                TEXT,
                "display_name display_name_customer display_name_merchant display_value "
                "display_value_customer display_value_merchant value type name display_style",
            ),
        }
    ),
    "configurable_fields": OBJECTS,
    "gift_certificate": part({}),
}

FEE = {
    "id": INTEGER,
    **of_type(TEXT, "type display_name_customer display_name_merchant source"),
    **of_type(MONEY, "base_cost cost_ex_tax cost_inc_tax cost_tax"),
    "tax_class_id": INTEGER,
}

SHIPPING = parts(
    {
        **of_type(INTEGER, "id cost_tax_class_id handling_cost_tax_class_id shipping_zone_id"),
        **of_type(
            TEXT,
            "first_name last_name company street_1 street_2 city state zip country country_iso2 "
            "phone email shipping_method shipping_zone_name",
        ),
        **of_type(NUMBER, "items_total items_shipped"),
        **of_type(
            MONEY,
            "base_cost cost_ex_tax cost_inc_tax cost_tax base_handling_cost "
            "handling_cost_ex_tax handling_cost_inc_tax handling_cost_tax",
        ),
        "form_fields": FORM_FIELDS,
    }
)
CONSIGNMENTS = part(
    {
        "shipping": SHIPPING,
        "pickups": OBJECTS,
        "downloads": OBJECTS,
        "email": part({"gift_certificates": OBJECTS}),
    }
)

ORDER = record(
    {
        "id": KEY,
        "date_modified": WHEN,
        **of_type(WHEN, "date_created date_shipped"),
        **of_type(
            INTEGER,
            "customer_id status_id shipping_cost_tax_class_id handling_cost_tax_class_id "
            "wrapping_cost_tax_class_id currency_id default_currency_id channel_id",
        ),
        **of_type(
            TEXT,
            "status custom_status cart_id payment_method payment_provider_id payment_status "
            "ip_address ip_address_v6 geoip_country geoip_country_iso2 currency_code "
            "default_currency_code store_default_currency_code staff_notes customer_message "
            "ebay_order_id order_source external_source external_id external_merchant_id "
            "external_order_id tax_provider_id customer_locale credit_card_type",
        ),
        **of_type(
            MONEY,
            "subtotal_ex_tax subtotal_inc_tax subtotal_tax base_shipping_cost "
            "shipping_cost_ex_tax shipping_cost_inc_tax shipping_cost_tax base_handling_cost "
            "handling_cost_ex_tax handling_cost_inc_tax handling_cost_tax base_wrapping_cost "
            "wrapping_cost_ex_tax wrapping_cost_inc_tax wrapping_cost_tax total_ex_tax "
            "total_inc_tax total_tax refunded_amount store_credit_amount "
            "gift_certificate_amount discount_amount coupon_discount currency_exchange_rate "
            "store_default_to_transactional_exchange_rate",
        ),
        **of_type(NUMBER, "items_total items_shipped shipping_address_count"),
        **of_type(FLAG, "is_tax_inclusive_pricing order_is_digital is_deleted is_email_opt_in"),
        "transactions_truncated": {
            **FLAG,
            "description": "Set if BigCommerce has more transactions of the order than it gives.",
        },
        "unreadable_parts": {
            **TEXTS,
            "description": "Where parts of the order were asked for that cannot be read.",
        },
        "billing_address": BILLING_ADDRESS,
        "line_items": parts(LINE_ITEM),
        "fees": parts(FEE),
        "consignments": CONSIGNMENTS,
    },
    keys=("id",),
)

ORDER_TAX = record(
    {
        "order_id": KEY,
        "id": KEY,
        "row": {**KEY, "description": "0, or 1, 2, … where one id repeats within an order."},
        **of_type(
            INTEGER,
            "order_address_id tax_rate_id tax_class_id priority order_pickup_method_id "
            "order_product_id",
        ),
        **of_type(TEXT, "sales_tax_id name class line_item_type"),
        **of_type(MONEY, "rate priority_amount line_amount"),
    },
    keys=("order_id", "id", "row"),
)

ORDER_COUPON = record(
    {
        "id": KEY,
        "order_id": INTEGER,
        "coupon_id": INTEGER,
        "code": TEXT,
        "type": INTEGER,
        **of_type(MONEY, "amount discount"),
    },
    keys=("id",),
)
