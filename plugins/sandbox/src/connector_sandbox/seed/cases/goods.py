"""Currencies, and products that are hard to name, count or spell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connector_sandbox.seed import catalog
from connector_sandbox.seed.cases.builders import CITY, GUEST, STATE, VAT, Case, D, case, line, ship
from connector_sandbox.seed.model import Line, Option


def currencies_and_shapes() -> list[Case]:
    """Currencies, odd products, sizes and texts."""
    ribbon: dict[str, Any] = {
        "name": "Decimal Ribbon",
        "product_id": 146,
        "variant_id": 746,
        "sku": "DR-146",
    }
    many = tuple(
        line("3.75", STATE, name=f"Garden Twine {n}", product_id=124, variant_id=532, sku="GT-024")
        for n in range(1, 261)
    )
    bundle = (
        line("39.00", STATE, name="Breakfast Bundle", product_id=144, variant_id=744, sku="BB-144"),
        line(
            "0", name="Stoneware Mug", product_id=102, variant_id=502, sku="SM-002", parent_line=0
        ),
        line("0", name="Herbal Tea", product_id=122, variant_id=530, sku="HT-022", parent_line=0),
    )
    return [
        case(
            "currency_jpy",
            line("1280", catalog.JAPAN, quantity=3),
            currency="JPY",
            ship_to=(ship("550", catalog.JAPAN),),
        ),
        case(
            "currency_jpy_inclusive",
            line("999", catalog.JAPAN, quantity=7),
            currency="JPY",
            tax_inclusive=True,
        ),
        case("currency_three_decimals", line("12.345", catalog.GST, quantity=3), currency="BHD"),
        case("currency_eur", line("33.33", VAT, quantity=3), currency="EUR", customer_id=20),
        case("currency_shown_in_another", line("33.33", STATE), display_currency="CAD"),
        case("currency_usd_same_customer", line("33.33", STATE), customer_id=20),
        case(
            "item_custom_product",
            Line(name="Engraved plaque, as agreed", price=D("75.00"), taxes=(STATE,)),
        ),
        case(
            "ship_to_two_addresses",
            line("24.00", STATE),
            line("14.95", STATE, name="Stoneware Mug", product_id=102, variant_id=502, address=1),
            ship_to=(ship("6.95", STATE), ship("9.95")),
        ),
        case("item_bundle", *bundle),
        case(
            "item_variants",
            line(
                "134.00",
                STATE,
                name="Wool Throw",
                product_id=104,
                variant_id=505,
                sku="WT-004-M",
                options=(Option(name="Size", value="M"),),
            ),
            line(
                "139.00",
                STATE,
                name="Wool Throw",
                product_id=104,
                variant_id=506,
                sku="WT-004-L",
                options=(Option(name="Size", value="L"),),
            ),
        ),
        case(
            "item_empty_sku",
            line("5.00", STATE, name="Nameless Sample", product_id=141, variant_id=741, sku=""),
        ),
        case(
            "item_same_sku_twice",
            line(
                "33.00", STATE, name="Twin Vase, left", product_id=142, variant_id=742, sku="TWIN-1"
            ),
            line(
                "33.00",
                STATE,
                name="Twin Vase, right",
                product_id=143,
                variant_id=743,
                sku="TWIN-1",
            ),
        ),
        case(
            "item_old_name",
            line("54.00", STATE, name="Footrest", product_id=148, variant_id=748, sku="ST-148"),
        ),
        case(
            "item_deleted_product",
            line("17.00", STATE, name="Sold-out Lamp", product_id=99, variant_id=499, sku="OLD-99"),
        ),
        case(
            "item_digital",
            line(
                "7.50",
                STATE,
                name="Pattern Download",
                product_id=140,
                variant_id=740,
                sku="PD-140",
                kind="digital",
            ),
            ship_to=(),
        ),
        case("lines_more_than_250", *many),
        case("lines_sixty", *many[:60]),
        case(
            "quantity_thousand",
            line(
                "0.1234",
                STATE,
                CITY,
                quantity=1000,
                name="Bulk Screw",
                product_id=145,
                variant_id=745,
                sku="SCR-145",
            ),
        ),
        case("price_four_decimals", line("9.0909", catalog.JAPAN, quantity=3, **ribbon)),
        case(
            "price_four_decimals_mixed",
            line("9.0909", STATE, quantity=7, **ribbon),
            line(
                "0.1234",
                quantity=13,
                name="Bulk Screw",
                product_id=145,
                variant_id=745,
                sku="SCR-145",
            ),
        ),
        case(
            "total_zero",
            line("0.00", name="Free Catalogue", product_id=147, variant_id=747, sku="CAT-147"),
            payment_status="",
            payment_method="",
        ),
        case(
            "line_zero_beside_paid",
            line(
                "0.00", STATE, name="Free Catalogue", product_id=147, variant_id=747, sku="CAT-147"
            ),
            line("24.00", STATE),
        ),
        case(
            "text_long_and_non_bmp",
            Line(
                name="Mug \N{HOT BEVERAGE} \U0001f980 " + "very long name " * 25,
                price=D("14.95"),
                taxes=(STATE,),
                sku="EMOJI-\U0001f980",
            ),
            customer_message="\U0001f389 thanks!\n\tTab & <b>tags</b>",
            billing=replace(
                GUEST,
                first_name="Zo\u00eb \U0001f33b",
                last_name="O'Hara & S\u00f8n",
                company="\u682a\u5f0f\u4f1a\u793e" * 60,
                email="zoe@example.com",
            ),
        ),
        case(
            "text_control_characters",
            Line(name="Bell\u0007 and\u200b zero width \u202e", price=D("3.00")),
        ),
    ]
