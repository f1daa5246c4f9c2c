"""Orders within seconds: signed BigCommerce webhooks, a durable inbox, targeted runs.

A hook says only that something happened to an order. So the path is short: the receiver proves the
signature and commits the hook to the inbox before it answers; the dispatcher collapses what waits
there into one ordinary run for just those orders. A lost hook costs time, never an order, because
the scheduled poll reads the same orders again.

Start reading at :mod:`connector_webhooks.receiver` (in) and
:mod:`connector_webhooks.dispatch` (out).
"""

__version__ = "0.2.0"
