"""Customers with their addresses. Source: BigCommerce v3 customers reference."""

from tap_bigcommerce_orders.schemas.types import (
    FLAG,
    INTEGER,
    INTEGERS,
    KEY,
    MONEY,
    OBJECTS,
    TEXT,
    TEXTS,
    WHEN,
    of_type,
    part,
    parts,
    record,
)

CUSTOMER = record(
    {
        "id": KEY,
        "date_modified": WHEN,
        "date_created": WHEN,
        **of_type(
            TEXT,
            "email first_name last_name company phone registration_ip_address notes "
            "tax_exempt_category shopper_profile_id",
        ),
        **of_type(INTEGER, "customer_group_id address_count attribute_count origin_channel_id"),
        "accepts_product_review_abandoned_cart_emails": FLAG,
        "authentication": part({"force_password_reset": FLAG}),
        "addresses": parts(
            {
                **of_type(INTEGER, "id customer_id"),
                **of_type(
                    TEXT,
                    "first_name last_name company address1 address2 city state_or_province "
                    "postal_code country country_code phone address_type",
                ),
                "form_fields": OBJECTS,
            }
        ),
        "attributes": OBJECTS,
        "form_fields": OBJECTS,
        "store_credit_amounts": parts({"amount": MONEY}),
        "channel_ids": INTEGERS,
        "segment_ids": TEXTS,
    },
    keys=("id",),
)
