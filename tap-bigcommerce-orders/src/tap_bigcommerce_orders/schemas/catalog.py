"""Products with their variants. Source: BigCommerce v3 catalog reference."""

from tap_bigcommerce_orders.schemas.types import (
    FLAG,
    INTEGER,
    INTEGERS,
    KEY,
    MONEY,
    NUMBER,
    OBJECTS,
    TEXT,
    TEXTS,
    WHEN,
    of_type,
    part,
    parts,
    record,
)

VARIANT = {
    **of_type(INTEGER, "id product_id sku_id inventory_level inventory_warning_level"),
    **of_type(TEXT, "sku upc mpn gtin bin_picking_number image_url purchasing_disabled_message"),
    **of_type(
        MONEY,
        "price cost_price sale_price retail_price map_price calculated_price "
        "fixed_cost_shipping_price weight width depth height calculated_weight",
    ),
    **of_type(FLAG, "purchasing_disabled is_free_shipping"),
    "option_values": parts(
        {**of_type(INTEGER, "id option_id"), **of_type(TEXT, "label option_display_name")}
    ),
}

PRODUCT = record(
    {
        "id": KEY,
        "date_modified": WHEN,
        **of_type(WHEN, "date_created date_last_imported preorder_release_date"),
        **of_type(
            TEXT,
            "name type sku description upc mpn gtin product_tax_code inventory_tracking "
            "availability availability_description bin_picking_number condition warranty "
            "layout_file page_title meta_description search_keywords preorder_message "
            "price_hidden_label brand_name open_graph_type open_graph_title "
            "open_graph_description",
        ),
        **of_type(
            MONEY,
            "price cost_price retail_price sale_price map_price calculated_price weight width "
            "depth height fixed_cost_shipping_price",
        ),
        **of_type(
            INTEGER,
            "tax_class_id brand_id inventory_level inventory_warning_level base_variant_id "
            "option_set_id reviews_count total_sold view_count sort_order "
            "order_quantity_minimum order_quantity_maximum",
        ),
        "reviews_rating_sum": NUMBER,
        **of_type(
            FLAG,
            "is_visible is_featured is_free_shipping is_condition_shown is_preorder_only "
            "is_price_hidden open_graph_use_meta_description open_graph_use_product_name "
            "open_graph_use_image",
        ),
        "option_set_display": TEXT,
        "categories": INTEGERS,
        "channels": INTEGERS,
        "related_products": INTEGERS,
        "meta_keywords": TEXTS,
        "gift_wrapping_options_type": TEXT,
        "gift_wrapping_options_list": INTEGERS,
        "custom_url": part({"url": TEXT, "is_customized": FLAG}),
        "variants": parts(VARIANT),
        **of_type(
            OBJECTS,
            "custom_fields bulk_pricing_rules images videos options modifiers parent_relations",
        ),
        "primary_image": part({}),
    },
    keys=("id",),
)
