"""Transactions, refunds, taxes and coupons: the parts of orders."""

from tap_bigcommerce_orders.schemas import orders, payments
from tap_bigcommerce_orders.streams.orders import OrdersStream
from tap_bigcommerce_orders.streams.part import OrderPartStream


class TransactionsStream(OrderPartStream):
    """What was authorised, captured, refunded or voided, per order."""

    name = "transactions"
    parent_stream_type = OrdersStream
    path = "/v3/orders/{order_id}/transactions"
    primary_keys = ("id",)
    schema = payments.TRANSACTION


class RefundsStream(OrderPartStream):
    """Refunds, with what they are for and how the money went back.

    Read with their orders, and by a sweep of those made lately; its bookmark is the sweep's.
    """

    name = "refunds"
    parent_stream_type = OrdersStream
    path = "/v3/orders/payment_actions/refunds"
    primary_keys = ("id",)
    replication_key = "created"
    schema = payments.REFUND


class OrderTaxesStream(OrderPartStream):
    """Tax per rate, class, address and line, of orders that have tax."""

    name = "order_taxes"
    parent_stream_type = OrdersStream
    path = "/v2/orders/{order_id}/taxes"
    primary_keys = ("order_id", "id", "row")
    schema = orders.ORDER_TAX


class OrderCouponsStream(OrderPartStream):
    """Coupons used, of orders that have a coupon discount."""

    name = "order_coupons"
    parent_stream_type = OrdersStream
    path = "/v2/orders/{order_id}/coupons"
    primary_keys = ("id",)
    schema = orders.ORDER_COUPON
    selected_by_default = False
