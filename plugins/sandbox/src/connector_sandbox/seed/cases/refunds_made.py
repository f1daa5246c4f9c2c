"""Refunds of every kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connector_sandbox.seed.cases.builders import (
    CITY,
    STATE,
    Case,
    D,
    becomes,
    case,
    coupon,
    declined_later,
    line,
    manual,
    refunds,
    ship,
)
from connector_sandbox.seed.changes import RefundLine, RefundRequest, RefundTo
from connector_sandbox.seed.model import Charge, Fee


def refund_cases() -> list[Case]:
    """Refunds of every kind."""
    wrap = Charge(cost=D("3.95"), taxes=(STATE,), name="Red paper")
    goods = (
        line("31.99", STATE, CITY, quantity=3, wrapping=wrap),
        line("12.49", STATE, name="Beeswax Candle", product_id=111, variant_id=519, sku="BC-011"),
    )
    full: dict[str, Any] = {
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
        make(
            "refund_product_shipping_wrapping_handling_fee",
            replace(one, shipping=(0,), handling=(0,), wrapping=(0,), fees=(0,)),
        ),
        make("refund_order_amount", RefundRequest(order_amount=D("7.77"), reason="Goodwill")),
        make("refund_tax_adjustment", RefundRequest(tax_adjustment=D("1.23"))),
        make(
            "refund_override",
            RefundRequest(lines=one.lines, override_amount=D("30.00"), override_tax=D("2.40")),
        ),
        make(
            "refund_override_negative_tax",
            RefundRequest(lines=one.lines, override_amount=D("5.00"), override_tax=D("-0.40")),
        ),
        make("refund_several", one, second, replace(one, shipping=(0,))),
        make("refund_full", RefundRequest(everything=True)),
        make("refund_rest_after_part", one, RefundRequest(everything=True)),
        make(
            "refund_store_credit",
            RefundRequest(lines=one.lines, to=(RefundTo(provider="storecredit"),)),
        ),
        make("refund_mixed", RefundRequest(lines=one.lines, to=mixed)),
        make(
            "refund_offline",
            RefundRequest(lines=one.lines, to=(RefundTo(provider="custom", offline=True),)),
        ),
        make("refund_declined", declined),
        case(
            "refund_declined_later", *goods, then=((20, refunds(one)), (44, declined_later)), **full
        ),
        case(
            "refund_missing",
            *goods,
            then=((20, becomes(status_id=4, payment_status="refunded")),),
            **full,
        ),
        case(
            "refund_full_with_store_credit_used",
            line("49.00", STATE),
            store_credit=D("15.00"),
            customer_id=15,
            then=(
                (
                    20,
                    refunds(
                        RefundRequest(
                            everything=True,
                            to=(RefundTo(amount=D("35.96")), RefundTo(provider="storecredit")),
                        )
                    ),
                ),
            ),
        ),
    ]
