"""The named cases: one order for each thing that goes wrong when orders are booked by hand.

A case is the order as entered and what happened to it afterwards. Figures are chosen so that
rounding shows. The order's `case` is the name that `GET /_sandbox/truth` gives back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connector_sandbox.seed import catalog
from connector_sandbox.seed.changes import (
    CANCELLED,
    Numbers,
    RefundLine,
    RefundRequest,
    RefundTo,
    capture,
    credit_used,
    decline_refund,
    refund,
)
from connector_sandbox.seed.model import (
    Address,
    Charge,
    Discount,
    Fee,
    GiftUse,
    Line,
    Option,
    Order,
    Override,
    ShipTo,
    Tax,
    Transaction,
)
from connector_sandbox.seed.totals import compute

UNSET = datetime(2000, 1, 1, tzinfo=UTC)
D = Decimal
Later = Callable[[Order, datetime, Numbers], Order]

STATE, CITY, TRANSIT, LUXURY = catalog.STATE, catalog.CITY, catalog.TRANSIT, catalog.LUXURY
VAT, VAT_REDUCED, TEXAS = catalog.VAT, catalog.VAT_REDUCED, catalog.TEXAS

GUEST = Address(
    first_name="Gail", last_name="Guest", phone="555-0100", email="gail.guest@example.com"
)


@dataclass(frozen=True, slots=True)
class Case:
    """An order and what happened to it: `then` holds (hours after placing, change)."""

    order: Order
    then: tuple[tuple[int, Later], ...] = ()
    created: str | None = None  # a fixed moment, ISO UTC; else somewhere in the month


def line(  # the fields of a line that cases vary
    price: str,
    *taxes: Tax,
    quantity: int = 1,
    name: str = "Linen Towel",
    **more: Any,  # noqa: ANN401  Line's own fields
) -> Line:
    """A product line; by default the catalogue's first product."""
    given = {"product_id": 101, "variant_id": 501, "sku": "LT-001"} | more
    return Line(name=name, price=D(price), taxes=taxes, quantity=quantity, **given)


def ship(
    cost: str = "0", *taxes: Tax, handling: str = "0", handling_tax: Tax | None = None
) -> ShipTo:
    """A shipping address with its costs."""
    return ShipTo(
        to=GUEST,
        shipping=Charge(cost=D(cost), taxes=taxes),
        handling=Charge(cost=D(handling), taxes=(handling_tax,) if handling_tax else ()),
    )


def case(
    name: str,
    *lines: Line,
    then: tuple[tuple[int, Later], ...] = (),
    created: str | None = None,
    pay: bool | str = True,
    **more: Any,  # noqa: ANN401  Order's own fields
) -> Case:
    """Make a case; `pay` is the gateway that captured everything, False for no transaction."""
    given: dict[str, Any] = {"billing": GUEST, "ship_to": (ship(),)} | more
    order = Order(case=name, created=UNSET, modified=UNSET, lines=lines, **given)
    if pay and not order.transactions:
        due = compute(order).total_inc - credit_used(order)
        gateway = pay if isinstance(pay, str) else "stripe"
        if due > 0:
            order = replace(order, transactions=(Transaction(amount=due, gateway=gateway),))
    return Case(order, then, created)


def manual(amount: str, **more: Any) -> Discount:  # noqa: ANN401  Discount's own fields
    """A discount given by hand on the order."""
    return Discount(kind="manual", amount=D(amount), name="Manual Discount", **more)


def automatic(amount: str, **more: Any) -> Discount:  # noqa: ANN401  as above
    """A promotion without a code."""
    return Discount(kind="automatic", amount=D(amount), name="Autumn promotion", **more)


def coupon(amount: str, code: str = "S2549JM0Y", **more: Any) -> Discount:  # noqa: ANN401  as above
    """A coupon with a code."""
    return Discount(kind="coupon", amount=D(amount), name=f"Coupon {code}", code=code, **more)


def refunds(request: RefundRequest) -> Later:
    """Refund so."""
    return lambda order, at, numbers: refund(order, request, at, numbers)


def captures(amount: str | None = None) -> Later:
    """Capture so much, or the rest."""

    def later(order: Order, at: datetime, numbers: Numbers) -> Order:
        taken = capture(order, None if amount is None else D(amount), at, numbers)
        return replace(taken, modified=at)

    return later


def becomes(**fields: Any) -> Later:  # noqa: ANN401  Order's own fields
    """Set fields, as the control panel does."""
    return lambda order, at, _numbers: replace(order, modified=at, **fields)


def declined_later(order: Order, at: datetime, _numbers: Numbers) -> Order:
    """The gateway declines the last refund; `date_modified` does not move."""
    del at
    return decline_refund(order, order.refunds[-1].id)


def authorised(amount: str) -> tuple[Transaction, ...]:
    """An authorization only."""
    return (Transaction(event="authorization", amount=D(amount)),)


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
        case("tax_automatic_rows", line("57.30", catalog.AUTOMATIC), tax_provider_id="AvaTaxProvider"),
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
            tax_rounding="line",
        ),
        case("tax_zero_percent", line("24.00", Tax(name="Zero rated", percent=D(0), id=13))),
    ]  # fmt: skip


def discounts() -> list[Case]:
    """Every kind of discount, alone and together."""
    two = (line("31.99", STATE, CITY, quantity=2), line("12.49", STATE))
    return [
        case("discount_line", *two, discounts=(automatic("5.00", lines=(0,)),)),
        case("discount_coupon", *two, discounts=(coupon("7.65", coupon_type=1),)),
        case("discount_coupon_per_item", *two, discounts=(coupon("3.00", lines=(1,), coupon_type=0),)),
        case("discount_automatic", *two, discounts=(automatic("10.00"),)),
        case("discount_manual", *two, discounts=(manual("8.88"),)),
        case(
            "discount_all_at_once",
            *two,
            discounts=(automatic("4.00", lines=(0,)), coupon("5.00"), automatic("2.50"), manual("1.11")),
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
        case("discount_untaxed_beside_taxed", line("22.00"), line("22.00", STATE), discounts=(coupon("10.00"),)),
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
        case("discount_whole_order", line("24.00", STATE), discounts=(coupon("24.00", "FREE100"),), payment_status=""),
        case(
            "discount_spread_over_thirds",
            line("10.00", STATE),
            line("10.00", STATE),
            line("10.00", STATE),
            discounts=(manual("10.00"),),
        ),
    ]  # fmt: skip


def credits_() -> list[Case]:
    """Gift certificates and store credit: means of payment, seen as transactions or not."""
    card = Line(
        name="$50.00 Gift Certificate", kind="giftcertificate", price=D(50),
        gift_certificate_id=52, recipient="friend@example.com",
    )  # fmt: skip
    goods = line("49.00", STATE)
    part = (GiftUse(code="GC-PART-1", amount=D("20.00"), balance_before=D("50.00")),)
    full = (GiftUse(code="GC-FULL-1", amount=D("50.96"), balance_before=D("100.00")),)
    two = (
        GiftUse(code="GC-TWO-1", amount=D("10.00"), balance_before=D("10.00")),
        GiftUse(code="GC-TWO-2", amount=D("15.00"), balance_before=D("15.00")),
    )
    return [
        case("gift_certificate_sold", card, ship_to=()),
        case("gift_certificate_sold_beside_goods", card, goods),
        case("gift_certificate_sold_with_coupon", card, goods, discounts=(coupon("9.00"),)),
        case("gift_certificate_part", goods, gift_certificates=part),
        case("gift_certificate_full", goods, gift_certificates=full, payment_status="captured",
             payment_method="Gift Certificate"),
        case("gift_certificate_two", goods, gift_certificates=two, credit_transactions=True),
        case("store_credit_part", goods, store_credit=D("15.00"), customer_id=15),
        case("store_credit_full", goods, store_credit=D("50.96"), customer_id=15,
             payment_method="Store Credit", payment_status=""),
        case("store_credit_and_gift_certificate", goods, store_credit=D("5.00"),
             gift_certificates=part, customer_id=15),
        case("store_credit_as_transactions", goods, store_credit=D("15.00"), customer_id=25,
             credit_transactions=True),
        case("store_credit_only_as_fields", goods, store_credit=D("15.00"), customer_id=25,
             credit_transactions=False),
    ]  # fmt: skip


def payments() -> list[Case]:
    """Offline, authorised, captured later and in parts, failed, tests, too much, too little."""
    goods = line("49.00", STATE)  # 50.96
    offline = {"pay": False, "payment_status": ""}
    return [
        case("payment_cash_offline", goods, payment_method="Cash", status_id=10, **offline),
        case("payment_manual", goods, payment_method="Manual", order_source="manual", **offline),
        case("payment_cheque", goods, payment_method="Check", payment_status="",
             transactions=(Transaction(event="pending", method="offline", gateway="cheque",
                                       amount=D("50.96"), name="Check"),)),
        case("payment_bank_deposit", goods, payment_method="Bank Deposit", payment_status="",
             transactions=(Transaction(event="purchase", method="offline", gateway="bankdeposit",
                                       amount=D("50.96"), name="Bank Deposit"),)),
        case("payment_awaited", goods, payment_method="Bank Deposit", status_id=7, **offline),
        case("payment_paypal_without_transactions", goods, pay=False, payment_method="PayPal",
             payment_status="captured", payment_provider_id="8XK12345AB678901C"),
        case("payment_authorised_only", goods, transactions=authorised("50.96"),
             payment_status="authorized"),
        case("payment_captured_later", goods, transactions=authorised("50.96"),
             payment_status="authorized", then=((30, captures()),)),
        case("payment_two_captures", goods, transactions=authorised("50.96"),
             payment_status="authorized", then=((5, captures("20.00")), (40, captures()))),
        case("payment_one_of_two_captures", goods, transactions=authorised("50.96"),
             payment_status="authorized", then=((5, captures("20.00")),)),
        case("payment_failed_then_ok", goods, transactions=(
            Transaction(amount=D("50.96"), status="error"), Transaction(amount=D("50.96")))),
        case("payment_declined", goods, status_id=6, payment_status="declined",
             transactions=(Transaction(amount=D("50.96"), status="error"),)),
        case("payment_test_transaction", goods, payment_method="Test Payment Gateway",
             transactions=(Transaction(amount=D("50.96"), gateway="testgateway", test=True),)),
        case("payment_settled_too", goods, transactions=(
            Transaction(amount=D("50.96"), gateway="adyen"),
            Transaction(amount=D("50.96"), gateway="adyen", event="settled"))),
        case("payment_authorization_void", goods, status_id=5, payment_status="void", transactions=(
            *authorised("50.96"), Transaction(event="void", amount=D("50.96")))),
        case("payment_overpaid", goods, transactions=(Transaction(amount=D("60.00")),)),
        case("payment_underpaid", goods, transactions=(Transaction(amount=D("45.00")),)),
        case("payment_gateway_outside_enum", goods, pay="squarev2"),
        case("payment_paypal", goods, pay="paypalexpress", payment_method="PayPal"),
        case("payment_held_for_review", goods, status_id=12, payment_status="held for review",
             transactions=authorised("50.96")),
    ]  # fmt: skip


def refund_cases() -> list[Case]:
    """Refunds of every kind."""
    wrap = Charge(cost=D("3.95"), taxes=(STATE,), name="Red paper")
    goods = (
        line("31.99", STATE, CITY, quantity=3, wrapping=wrap),
        line("12.49", STATE, name="Beeswax Candle", product_id=111, variant_id=519, sku="BC-011"),
    )
    full = {
        "ship_to": (ship("9.95", STATE, handling="2.00", handling_tax=STATE),),
        "fees": (Fee(cost=D("1.50"), taxes=(STATE,)),),
        "customer_id": 16,
    }
    one = RefundRequest(lines=(RefundLine(line=0, quantity=1),), reason="Damaged")
    second = RefundRequest(lines=(RefundLine(line=1, quantity=1),))
    mixed = (RefundTo(amount=D("10.00")), RefundTo(provider="storecredit"))
    declined = RefundRequest(lines=one.lines, to=(RefundTo(declined=True),))
    discounted = (coupon("6.00"), manual("2.22"))

    def make(name: str, *requests: RefundRequest, **more: Any) -> Case:  # noqa: ANN401  Order's fields
        then = tuple((20 + 24 * i, refunds(r)) for i, r in enumerate(requests))
        return case(name, *goods, then=then, **(full | more))

    return [
        make("refund_product", one),
        make("refund_product_discounted", one, discounts=discounted),
        make("refund_product_inclusive", one, tax_inclusive=True),
        make("refund_shipping", RefundRequest(shipping=(0,))),
        make("refund_product_shipping_wrapping_handling_fee",
             replace(one, shipping=(0,), handling=(0,), wrapping=(0,), fees=(0,))),
        make("refund_order_amount", RefundRequest(order_amount=D("7.77"), reason="Goodwill")),
        make("refund_tax_adjustment", RefundRequest(tax_adjustment=D("1.23"))),
        make("refund_override", RefundRequest(lines=one.lines, override_amount=D("30.00"),
                                              override_tax=D("2.40"))),
        make("refund_override_negative_tax", RefundRequest(lines=one.lines,
             override_amount=D("5.00"), override_tax=D("-0.40"))),
        make("refund_several", one, second, replace(one, shipping=(0,))),
        make("refund_full", RefundRequest(everything=True)),
        make("refund_rest_after_part", one, RefundRequest(everything=True)),
        make("refund_store_credit", RefundRequest(lines=one.lines, to=(RefundTo(provider="storecredit"),))),
        make("refund_mixed", RefundRequest(lines=one.lines, to=mixed)),
        make("refund_offline", RefundRequest(lines=one.lines, to=(RefundTo(provider="custom", offline=True),))),
        make("refund_declined", declined),
        case("refund_declined_later", *goods, then=((20, refunds(one)), (44, declined_later)), **full),
        case("refund_missing", *goods, then=((20, becomes(status_id=4, payment_status="refunded")),), **full),
        case("refund_full_with_store_credit_used", line("49.00", STATE), store_credit=D("15.00"),
             customer_id=15, then=((20, refunds(RefundRequest(everything=True, to=(
                 RefundTo(amount=D("35.96")), RefundTo(provider="storecredit"))))),)),
    ]  # fmt: skip


def currencies_and_shapes() -> list[Case]:
    """Currencies, odd products, sizes and texts."""
    ribbon = {"name": "Decimal Ribbon", "product_id": 146, "variant_id": 746, "sku": "DR-146"}
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
        case("currency_jpy", line("1280", catalog.JAPAN, quantity=3), currency="JPY",
             ship_to=(ship("550", catalog.JAPAN),)),
        case("currency_jpy_inclusive", line("999", catalog.JAPAN, quantity=7), currency="JPY",
             tax_inclusive=True),
        case("currency_three_decimals", line("12.345", catalog.GST, quantity=3), currency="BHD"),
        case("currency_eur", line("33.33", VAT, quantity=3), currency="EUR", customer_id=20),
        case("currency_shown_in_another", line("33.33", STATE), display_currency="CAD"),
        case("currency_usd_same_customer", line("33.33", STATE), customer_id=20),
        case("item_custom_product", Line(name="Engraved plaque, as agreed", price=D("75.00"), taxes=(STATE,))),
        case("item_bundle", *bundle),
        case("item_variants",
             line("134.00", STATE, name="Wool Throw", product_id=104, variant_id=505, sku="WT-004-M",
                  options=(Option(name="Size", value="M"),)),
             line("139.00", STATE, name="Wool Throw", product_id=104, variant_id=506, sku="WT-004-L",
                  options=(Option(name="Size", value="L"),))),
        case("item_empty_sku", line("5.00", STATE, name="Nameless Sample", product_id=141, variant_id=741, sku="")),
        case("item_same_sku_twice",
             line("33.00", STATE, name="Twin Vase, left", product_id=142, variant_id=742, sku="TWIN-1"),
             line("33.00", STATE, name="Twin Vase, right", product_id=143, variant_id=743, sku="TWIN-1")),
        case("item_old_name", line("54.00", STATE, name="Footrest", product_id=148, variant_id=748, sku="ST-148")),
        case("item_deleted_product", line("17.00", STATE, name="Sold-out Lamp", product_id=99, variant_id=499, sku="OLD-99")),
        case("item_digital", line("7.50", STATE, name="Pattern Download", product_id=140, variant_id=740,
                                  sku="PD-140", kind="digital"), ship_to=()),
        case("lines_more_than_250", *many),
        case("lines_sixty", *many[:60]),
        case("quantity_thousand", line("0.1234", STATE, CITY, quantity=1000, name="Bulk Screw",
                                       product_id=145, variant_id=745, sku="SCR-145")),
        case("price_four_decimals", line("9.0909", catalog.JAPAN, quantity=3, **ribbon)),
        case("price_four_decimals_mixed", line("9.0909", STATE, quantity=7, **ribbon),
             line("0.1234", quantity=13, name="Bulk Screw", product_id=145, variant_id=745, sku="SCR-145")),
        case("total_zero", line("0.00", name="Free Catalogue", product_id=147, variant_id=747, sku="CAT-147"),
             payment_status="", payment_method=""),
        case("line_zero_beside_paid", line("0.00", STATE, name="Free Catalogue", product_id=147,
                                           variant_id=747, sku="CAT-147"), line("24.00", STATE)),
        case("text_long_and_non_bmp",
             Line(name="Mug \N{HOT BEVERAGE} \U0001f980 " + "very long name " * 25, price=D("14.95"), taxes=(STATE,),
                  sku="EMOJI-\U0001f980"), customer_message="\U0001f389 thanks!\n\tTab & <b>tags</b>",
             billing=replace(GUEST, first_name="Zo\u00eb \U0001f33b", last_name="O'Hara & S\u00f8n",
                             company="\u682a\u5f0f\u4f1a\u793e" * 60, email="zoe@example.com")),
        case("text_control_characters", Line(name="Bell\u0007 and\u200b zero width \u202e", price=D("3.00"))),
    ]  # fmt: skip


def people_and_dates() -> list[Case]:
    """Guests, e-mails, days at the edge, states of an order that must not be booked."""
    goods = line("24.00", STATE)
    ada = replace(GUEST, first_name="Ada", last_name="Case")
    fine = {"billing": ada}
    return [
        case("client_guest", goods),
        case("client_email_lower", goods, billing=replace(ada, email="ada.case@example.com")),
        case("client_email_other_case", goods, billing=replace(ada, email="Ada.Case@Example.COM")),
        case("client_email_plus", goods, billing=replace(ada, email="ada.case+shop@example.com")),
        case("client_without_email", goods, billing=replace(ada, email="")),
        case("client_without_name", goods, billing=replace(ada, first_name="", last_name="",
                                                           email="nameless@example.com")),
        case("client_shares_email_with_guest", goods, customer_id=14,
             billing=replace(ada, email="gail.guest@example.com")),
        case("client_deleted_customer", goods, customer_id=9, billing=replace(ada, email="gone@example.com")),
        case("date_just_before_midnight", goods, created="2026-10-16T03:59:59+00:00", **fine),
        case("date_just_after_midnight", goods, created="2026-10-16T04:00:00+00:00", **fine),
        case("date_first_minute_of_month", goods, created="2026-10-01T04:00:30+00:00", **fine),
        case("date_before_month_in_store", goods, created="2026-10-01T03:30:00+00:00", **fine),
        case("date_last_minute_of_month", goods, created="2026-11-01T03:59:30+00:00", **fine),
        case("date_after_clock_change", goods, created="2026-11-02T04:30:00+00:00", **fine),
        case("date_in_repeated_hour", goods, created="2026-11-01T06:30:00+00:00", **fine),
        case("state_migrated", goods, external_source="M-MIG", external_id="OLD-7781",
             created="2024-03-05T15:00:00+00:00", order_source="external"),
        case("state_archived", goods, is_deleted=True),
        case("state_archived_later", goods, then=((50, becomes(is_deleted=True)),)),
        case("state_cancelled", goods, pay=False, status_id=CANCELLED, payment_status=""),
        case("state_cancelled_after_payment", goods, then=((30, becomes(status_id=CANCELLED)),)),
        case("state_disputed", goods, status_id=13),
        case("state_incomplete", goods, status_id=0, pay=False, payment_status=""),
        case("state_pending", goods, status_id=1, pay=False, payment_status="pending"),
        case("state_overridden_totals", goods,
             override=Override(total_inc_tax=D("31.00"), total_ex_tax=D("29.50")),
             transactions=(Transaction(amount=D("31.00")),), order_source="external"),
    ]  # fmt: skip


def cases() -> list[Case]:
    """All named cases."""
    return [
        *taxes(),
        *discounts(),
        *credits_(),
        *payments(),
        *refund_cases(),
        *currencies_and_shapes(),
        *people_and_dates(),
    ]
