"""Discounts of every kind, alone and together."""

from __future__ import annotations

from connector_sandbox.seed.cases.builders import (
    CITY,
    STATE,
    VAT,
    VAT_REDUCED,
    Case,
    automatic,
    case,
    coupon,
    line,
    manual,
    ship,
)


def discounts() -> list[Case]:
    """Every kind of discount, alone and together."""
    two = (line("31.99", STATE, CITY, quantity=2), line("12.49", STATE))
    return [
        case("discount_line", *two, discounts=(automatic("5.00", lines=(0,)),)),
        case("discount_coupon", *two, discounts=(coupon("7.65", coupon_type=1),)),
        case(
            "discount_coupon_per_item", *two, discounts=(coupon("3.00", lines=(1,), coupon_type=0),)
        ),
        case("discount_automatic", *two, discounts=(automatic("10.00"),)),
        case("discount_manual", *two, discounts=(manual("8.88"),)),
        case(
            "discount_all_at_once",
            *two,
            discounts=(
                automatic("4.00", lines=(0,)),
                coupon("5.00"),
                automatic("2.50"),
                manual("1.11"),
            ),
            ship_to=(ship("9.95", STATE),),
        ),
        case(
            "discount_two_coupons",
            *two,
            discounts=(coupon("5.00"), coupon("2.00", "AUTUMN2", coupon_id=2)),
        ),
        case(
            "discount_all_at_once_inclusive",
            line("31.99", VAT, quantity=2),
            line("12.49", VAT_REDUCED),
            tax_inclusive=True,
            currency="GBP",
            discounts=(automatic("4.00", lines=(0,)), coupon("5.00"), manual("1.11")),
            ship_to=(ship("9.95", VAT),),
        ),
        case(
            "discount_untaxed_beside_taxed",
            line("22.00"),
            line("22.00", STATE),
            discounts=(coupon("10.00"),),
        ),
        case(
            "discount_free_shipping_coupon",
            line("24.00", STATE),
            ship_to=(ship("9.95"),),
            discounts=(coupon("9.95", "FREESHIP", coupon_type=4, on_shipping=True),),
        ),
        case(
            "discount_shipping_amount_coupon",
            line("24.00", STATE),
            ship_to=(ship("9.95"),),
            discounts=(coupon("5.00", "SHIP5", coupon_type=3, on_shipping=True),),
        ),
        case(
            "discount_whole_order",
            line("24.00", STATE),
            discounts=(coupon("24.00", "FREE100"),),
            payment_status="",
        ),
        case(
            "discount_spread_over_thirds",
            line("10.00", STATE),
            line("10.00", STATE),
            line("10.00", STATE),
            discounts=(manual("10.00"),),
        ),
    ]
