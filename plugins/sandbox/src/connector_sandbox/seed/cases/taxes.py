"""Tax exclusive and inclusive, one rate to four, on goods and on every charge."""

from __future__ import annotations

from connector_sandbox.seed import catalog
from connector_sandbox.seed.cases.builders import (
    CITY,
    LUXURY,
    STATE,
    TEXAS,
    TRANSIT,
    VAT,
    VAT_REDUCED,
    Case,
    D,
    case,
    line,
    ship,
)
from connector_sandbox.seed.model import Charge, Fee, Tax


def taxes() -> list[Case]:
    """Tax exclusive and inclusive, none to four rates, charges, classes, exemption."""
    wrap = Charge(cost=D("3.95"), taxes=(STATE,), name="Red paper")
    four = (STATE, CITY, TRANSIT, LUXURY)
    taxed_all = ship("12.00", STATE, CITY, handling="2.50", handling_tax=STATE)
    return [
        case("tax_none", line("24.00", quantity=2)),
        case("tax_one_rate", line("24.00", STATE, quantity=3)),
        case("tax_two_rates", line("14.95", STATE, CITY, quantity=3)),
        case("tax_three_rates", line("38.50", STATE, CITY, TRANSIT)),
        case("tax_four_rates", line("88.88", *four, quantity=3)),
        case("tax_untaxed_beside_taxed", line("4.80", quantity=5), line("24.00", STATE, CITY)),
        case("tax_different_rates_per_line", line("31.99", STATE), line("12.49", STATE, CITY)),
        case("tax_on_shipping", line("24.00", TEXAS), ship_to=(ship("12.00", TEXAS),)),
        case("tax_not_on_shipping", line("24.00", TEXAS), ship_to=(ship("7.95"),)),
        case("tax_on_all_charges", line("49.00", STATE, CITY, wrapping=wrap), ship_to=(taxed_all,)),
        case(
            "tax_on_fee",
            line("49.00", STATE),
            fees=(Fee(cost=D("3.33"), taxes=(STATE, CITY), name="Assembly"),),
        ),
        case("fee_untaxed", line("49.00", STATE), fees=(Fee(cost=D("1.50"), name="Protection"),)),
        case("tax_compound", line("99.99", catalog.GST, catalog.PST_COMPOUND, quantity=3)),
        case("tax_exempt", line("64.00", STATE, quantity=2), tax_exempt=True, customer_id=18),
        case(
            "tax_exempt_inclusive",
            line("120.65", VAT, quantity=3),
            tax_inclusive=True,
            tax_exempt=True,
            currency="GBP",
            customer_id=18,
        ),
        case(
            "tax_automatic_rows", line("57.30", catalog.AUTOMATIC), tax_provider_id="AvaTaxProvider"
        ),
        case("tax_api_override_rows", line("57.30", catalog.API_OVERRIDE), tax_provider_id=""),
        case("tax_inclusive_one_rate", line("10.00", VAT, quantity=3), tax_inclusive=True),
        case(
            "tax_inclusive_two_classes",
            line("9.99", VAT, quantity=7),
            line("3.49", VAT_REDUCED, quantity=5),
            tax_inclusive=True,
            currency="GBP",
            ship_to=(ship("4.99", VAT),),
        ),
        case("tax_inclusive_two_rates", line("19.95", STATE, CITY, quantity=3), tax_inclusive=True),
        case(
            "tax_inclusive_all_charges",
            line("33.33", VAT, quantity=3, wrapping=Charge(cost=D("2.99"), taxes=(VAT,))),
            tax_inclusive=True,
            currency="EUR",
            fees=(Fee(cost=D("1.99"), taxes=(VAT,)),),
            ship_to=(ship("5.99", VAT, handling="1.01", handling_tax=VAT),),
        ),
        case(
            "tax_inclusive_compound",
            line("114.55", catalog.GST, catalog.PST_COMPOUND),
            tax_inclusive=True,
            currency="CAD",
        ),
        case(
            "tax_rounded_per_line",
            *(line(price, STATE, CITY) for price in ("13.33", "26.67", "3.75")),
            rounding_strategy="RATE_ROUNDING",
        ),
        case("tax_zero_percent", line("24.00", Tax(name="Zero rated", percent=D(0), id=13))),
    ]
