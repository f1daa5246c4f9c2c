"""Ways an order was paid, or was not."""

from __future__ import annotations

from typing import Any

from connector_sandbox.seed.cases.builders import (
    STATE,
    Case,
    D,
    authorised,
    becomes,
    captures,
    case,
    line,
)
from connector_sandbox.seed.changes import void
from connector_sandbox.seed.model import Transaction


def payments() -> list[Case]:
    """Offline, authorised, captured later and in parts, failed, tests, too much, too little."""
    goods = line("49.00", STATE)  # 50.96
    offline: dict[str, Any] = {"pay": False, "payment_status": ""}
    return [
        case("payment_cash_offline", goods, payment_method="Cash", status_id=10, **offline),
        case("payment_manual", goods, payment_method="Manual", order_source="manual", **offline),
        case(
            "payment_cheque",
            goods,
            payment_method="Check",
            payment_status="",
            transactions=(
                Transaction(
                    event="pending",
                    method="offline",
                    gateway="cheque",
                    amount=D("50.96"),
                    name="Check",
                ),
            ),
        ),
        case(
            "payment_bank_deposit",
            goods,
            payment_method="Bank Deposit",
            payment_status="",
            transactions=(
                Transaction(
                    event="purchase",
                    method="offline",
                    gateway="bankdeposit",
                    amount=D("50.96"),
                    name="Bank Deposit",
                ),
            ),
        ),
        case("payment_awaited", goods, payment_method="Bank Deposit", status_id=7, **offline),
        case(
            "payment_deposit_came_late",
            goods,
            payment_method="Bank Deposit",
            status_id=7,
            then=((100, becomes(status_id=11)),),
            **offline,
        ),
        case(
            "payment_purchase_order", goods, payment_method="Purchase Order", status_id=2, **offline
        ),
        case("payment_net_45", goods, payment_method="Net 45", **offline),
        case(
            "payment_on_account_settled",
            goods,
            payment_method="Purchase Order",
            then=((60, becomes(payment_status="paid")),),
            **offline,
        ),
        case(
            "payment_on_delivery_shipped",
            goods,
            payment_method="Cash on Delivery",
            status_id=2,
            **offline | {"payment_status": "pending"},
        ),
        case(
            "payment_on_delivery_completed",
            goods,
            payment_method="Cash on Delivery",
            status_id=10,
            **offline | {"payment_status": "pending"},
        ),
        case("payment_method_nobody_placed", goods, payment_method="Klarna", **offline),
        case(
            "payment_paypal_without_transactions",
            goods,
            pay=False,
            payment_method="PayPal",
            payment_status="captured",
            payment_provider_id="8XK12345AB678901C",
        ),
        case(
            "payment_authorised_only",
            goods,
            transactions=authorised("50.96"),
            payment_status="authorized",
        ),
        case(
            "payment_captured_later",
            goods,
            transactions=authorised("50.96"),
            payment_status="authorized",
            then=((30, captures()),),
        ),
        case(
            "payment_two_captures",
            goods,
            transactions=authorised("50.96"),
            payment_status="authorized",
            then=((5, captures("20.00")), (40, captures())),
        ),
        case(
            "payment_one_of_two_captures",
            goods,
            transactions=authorised("50.96"),
            payment_status="authorized",
            then=((5, captures("20.00")),),
        ),
        case(
            "payment_failed_then_ok",
            goods,
            transactions=(
                Transaction(amount=D("50.96"), status="error"),
                Transaction(amount=D("50.96")),
            ),
        ),
        case(
            "payment_declined",
            goods,
            status_id=6,
            payment_status="declined",
            transactions=(Transaction(amount=D("50.96"), status="error"),),
        ),
        case(
            "payment_test_transaction",
            goods,
            payment_method="Test Payment Gateway",
            transactions=(Transaction(amount=D("50.96"), gateway="testgateway", test=True),),
        ),
        case(
            "payment_settled_too",
            goods,
            transactions=(
                Transaction(amount=D("50.96"), gateway="adyen"),
                Transaction(amount=D("50.96"), gateway="adyen", event="settled"),
            ),
        ),
        case(
            "payment_authorization_void",
            goods,
            status_id=5,
            payment_status="void",
            transactions=(*authorised("50.96"), Transaction(event="void", amount=D("50.96"))),
        ),
        case("payment_voided", goods, then=((3, void),)),
        case(
            "payment_said_captured",
            goods,
            transactions=authorised("50.96"),
            payment_status="captured",
        ),
        case("payment_overpaid", goods, transactions=(Transaction(amount=D("60.00")),)),
        case("payment_underpaid", goods, transactions=(Transaction(amount=D("45.00")),)),
        case("payment_gateway_outside_enum", goods, pay="squarev2"),
        case("payment_paypal", goods, pay="paypalexpress", payment_method="PayPal"),
        case(
            "payment_held_for_review",
            goods,
            status_id=12,
            payment_status="held for review",
            transactions=authorised("50.96"),
        ),
    ]
