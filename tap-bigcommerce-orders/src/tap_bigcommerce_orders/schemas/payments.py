"""Transactions and refunds. Source: BigCommerce v3 orders reference."""

from tap_bigcommerce_orders.schemas.types import (
    FLAG,
    INTEGER,
    KEY,
    MONEY,
    NUMBER,
    TEXT,
    WHEN,
    of_type,
    part,
    parts,
    record,
)

TRANSACTION = record(
    {
        "id": KEY,
        "order_id": INTEGER,
        "date_created": WHEN,
        "amount": MONEY,
        "reference_transaction_id": INTEGER,
        **of_type(
            TEXT,
            "event method currency gateway gateway_transaction_id status payment_method_id "
            "provider_customer_id",
        ),
        **of_type(FLAG, "test fraud_review"),
        "avs_result": part(of_type(TEXT, "code message street_match postal_match")),
        "cvv_result": part(of_type(TEXT, "code message")),
        "credit_card": part(
            {
                **of_type(TEXT, "card_type card_iin card_last4"),
                **of_type(INTEGER, "card_expiry_month card_expiry_year"),
            }
        ),
        "gift_certificate": part(
            {
                **of_type(TEXT, "code status"),
                **of_type(MONEY, "original_balance starting_balance remaining_balance"),
            }
        ),
        "store_credit": part({"remaining_balance": MONEY}),
        "offline": part({"display_name": TEXT}),
        "custom": part({"payment_method": TEXT}),
        "payment_instrument_token": TEXT,
        "provider_instrument_token": TEXT,
        "custom_provider_field_result": part(
            {
                **of_type(TEXT, "receipt_number authorization_code fraud_response"),
                "amount_received": MONEY,
            }
        ),
    },
    keys=("id",),
)

REFUND = record(
    {
        "id": KEY,
        "order_id": INTEGER,
        "user_id": INTEGER,
        "created": WHEN,
        "reason": TEXT,
        **of_type(MONEY, "total_amount total_tax"),
        "uses_merchant_override_values": FLAG,
        "items": parts(
            {
                **of_type(TEXT, "item_type reason"),
                "item_id": INTEGER,
                "quantity": NUMBER,
                "requested_amount": MONEY,
                "adjustments": parts({"amount": MONEY, "description": TEXT}),
            }
        ),
        "payments": parts(
            {
                "id": INTEGER,
                **of_type(TEXT, "provider_id transaction_id declined_message"),
                "amount": MONEY,
                **of_type(FLAG, "offline is_declined"),
            }
        ),
    },
    keys=("id",),
)
