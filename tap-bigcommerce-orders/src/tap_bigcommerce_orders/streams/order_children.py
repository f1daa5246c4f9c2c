"""Transactions, refunds, taxes and coupons: what belongs to orders."""

from tap_bigcommerce_orders.schemas import orders, payments
from tap_bigcommerce_orders.streams.child_stream import OrderChildStream
from tap_bigcommerce_orders.streams.orders import OrdersStream


class TransactionsStream(OrderChildStream):
    """What was authorised, captured, refunded or voided, per order."""

    name = "transactions"
    parent_stream_type = OrdersStream
    schema = payments.TRANSACTION


class RefundsStream(OrderChildStream):
    """Refunds, with what they are for and how the money went back.

    Read with their orders, and by a sweep of those made lately; its bookmark is the sweep's.
    """

    name = "refunds"
    parent_stream_type = OrdersStream
    replication_key = "created"
    schema = payments.REFUND


class OrderTaxesStream(OrderChildStream):
    """Tax per rate, class, address and line, of orders that have tax."""

    name = "order_taxes"
    parent_stream_type = OrdersStream
    primary_keys = ("order_id", "id", "row")
    schema = orders.ORDER_TAX


class OrderCouponsStream(OrderChildStream):
    """Coupons used, of orders that have a coupon discount."""

    name = "order_coupons"
    parent_stream_type = OrdersStream
    schema = orders.ORDER_COUPON
    selected_by_default = False
