"""The store itself, its order statuses, tax classes and currencies.

Source: BigCommerce v2 references of store information, orders, tax classes and currencies.
"""

from tap_bigcommerce_orders.schemas.types import (
    FLAG,
    INTEGER,
    KEY,
    MONEY,
    OBJECT,
    TEXT,
    TEXT_KEY,
    TEXTS,
    WHEN,
    of_type,
    part,
    record,
)

STORE = record(
    {
        "id": TEXT_KEY,
        **of_type(
            TEXT,
            "account_uuid domain secure_url control_panel_base_url status name first_name "
            "last_name address country country_code phone admin_email order_email favicon_url "
            "language currency currency_symbol currency_symbol_location decimal_separator "
            "thousands_separator dimension_decimal_token dimension_thousands_token weight_units "
            "dimension_units industry infrastructure_region plan_name plan_level",
        ),
        **of_type(
            INTEGER,
            "store_id default_site_id default_channel_id decimal_places dimension_decimal_places",
        ),
        **of_type(
            FLAG,
            "plan_is_trial is_price_entered_with_tax",
        ),
        "timezone": part(
            {
                "name": TEXT,
                "raw_offset": INTEGER,
                "dst_offset": INTEGER,
                "dst_correction": FLAG,
                "date_format": OBJECT,
            }
        ),
        "logo": part({"url": TEXT}),
        "features": OBJECT,
        "active_comparison_modules": {"type": ["array", "null"], "items": TEXT},
    },
    keys=("id",),
)

ORDER_STATUS = record(
    {
        "id": KEY,
        **of_type(TEXT, "name system_label custom_label system_description"),
        "order": INTEGER,
    },
    keys=("id",),
)

TAX_CLASS = record(
    {"id": KEY, "name": TEXT, **of_type(WHEN, "created_at updated_at")}, keys=("id",)
)

CURRENCY = record(
    {
        "id": KEY,
        **of_type(
            TEXT,
            "country_iso2 currency_code token_location token decimal_token thousands_token name",
        ),
        "currency_exchange_rate": MONEY,
        "decimal_places": INTEGER,
        **of_type(FLAG, "is_default auto_update enabled is_transactional use_default_name"),
        "default_for_country_codes": TEXTS,
        "last_updated": WHEN,
    },
    keys=("id",),
)
