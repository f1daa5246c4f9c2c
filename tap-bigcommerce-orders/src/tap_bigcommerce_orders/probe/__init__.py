"""What the store's API does where its documentation is silent, found out by reading.

`evidence` asks a few questions (GETs only) and keeps the answers; each of `checks` says from them
which way it is here; `tally` counts what the orders are, and `page` tells both. Nothing of an
order leaves this package but counts, and the names of statuses, methods, sources and currencies.
"""

from tap_bigcommerce_orders.probe.command import probe

__all__ = ["probe"]
