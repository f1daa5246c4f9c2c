"""Gift certificates and store credit, which are means of payment and no discounts."""

from __future__ import annotations

from dataclasses import replace

from connector_sandbox.seed.cases.builders import STATE, Case, D, case, coupon, line, refunds
from connector_sandbox.seed.changes import RefundLine, RefundRequest, RefundTo
from connector_sandbox.seed.model import GiftUse, Line, Transaction


def credits_() -> list[Case]:
    """Gift certificates and store credit: means of payment, seen as transactions or not."""
    card = Line(
        name="$50.00 Gift Certificate",
        kind="giftcertificate",
        price=D(50),
        gift_certificate_id=52,
        recipient="friend@example.com",
    )
    goods = line("49.00", STATE)
    part = (GiftUse(code="GC-PART-1", amount=D("20.00"), balance_before=D("50.00")),)
    full = (GiftUse(code="GC-FULL-1", amount=D("50.96"), balance_before=D("100.00")),)
    two = (
        GiftUse(code="GC-TWO-1", amount=D("10.00"), balance_before=D("10.00")),
        GiftUse(code="GC-TWO-2", amount=D("15.00"), balance_before=D("15.00")),
    )
    certificate = Transaction(
        method="gift_certificate", gateway="giftcertificate", amount=D("20.00")
    )
    back = RefundRequest(lines=(RefundLine(line=0, quantity=1),))
    return [
        case("gift_certificate_sold", card, ship_to=()),
        case("gift_certificate_sold_beside_goods", card, goods),
        case("gift_certificate_sold_with_coupon", card, goods, discounts=(coupon("9.00"),)),
        case("gift_certificate_part", goods, gift_certificates=part),
        case(
            "gift_certificate_full",
            goods,
            gift_certificates=full,
            payment_status="captured",
            payment_method="Gift Certificate",
        ),
        case("gift_certificate_two", goods, gift_certificates=two, credit_transactions=True),
        case("store_credit_part", goods, store_credit=D("15.00"), customer_id=15),
        case(
            "store_credit_full",
            goods,
            store_credit=D("50.96"),
            customer_id=15,
            payment_method="Store Credit",
            payment_status="",
        ),
        case(
            "store_credit_and_gift_certificate",
            goods,
            store_credit=D("5.00"),
            gift_certificates=part,
            customer_id=15,
        ),
        case(
            "store_credit_as_transactions",
            goods,
            store_credit=D("15.00"),
            customer_id=25,
            credit_transactions=True,
        ),
        case(
            "store_credit_only_as_fields",
            goods,
            store_credit=D("15.00"),
            customer_id=25,
            credit_transactions=False,
        ),
        case(
            "gift_certificate_only_as_transactions",
            goods,
            transactions=(certificate, Transaction(amount=D("30.96"))),
        ),
        case(
            "gift_certificate_told_in_two_ways",
            goods,
            gift_certificates=(GiftUse(code="GC-LESS", amount=D("15.00"), balance_before=D(15)),),
            transactions=(certificate, Transaction(amount=D("30.96"))),
            credit_transactions=False,
        ),
        case("gift_certificate_taken_back", card, ship_to=(), then=((20, refunds(back)),)),
        case(
            "refund_to_gift_certificate",
            goods,
            then=((20, refunds(replace(back, to=(RefundTo(provider="giftcertificate"),)))),),
        ),
    ]
