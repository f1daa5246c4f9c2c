"""``python -m tap_bigcommerce_orders``."""

from tap_bigcommerce_orders.tap import TapBigCommerceOrders

if __name__ == "__main__":
    TapBigCommerceOrders.cli()
