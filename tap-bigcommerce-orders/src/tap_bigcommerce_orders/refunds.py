"""Reads refunds: all of some orders at once, and those made since a moment.

A refund's payment runs on after the refund is made, and a refund has no modification date. So an
order's refunds are read whenever the order is, and recent ones once more by ``created:min``.
Source: "Get all refunds", BigCommerce v3 orders reference (ordered by id; ``meta`` may be empty).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.pages import Row, id_of, pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_bigcommerce_orders.connection import Connection
    from tap_bigcommerce_orders.window import Window

ALL_REFUNDS = "/v3/orders/payment_actions/refunds"
ORDERS_AT_ONCE = 125  # keeps the address below 2,000 characters with ids of 12 digits
REMEMBERED = 50_000  # refunds; a swept refund that was forgotten is only read once more

logger = logging.getLogger("tap-bigcommerce-orders.refunds")


class RefundsReader:
    """The store's refunds. Remembers, up to a limit, which ones it has given in this run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._given: dict[int, None] = {}
        self._bulk = True

    def of_orders(self, order_ids: Sequence[int]) -> dict[int, list[Row]]:
        """Read all refunds of these orders.

        Returns:
            Raw refunds by order id, in order of refund id; an order without any has [].
        """
        found: dict[int, list[Row]] = {order_id: [] for order_id in order_ids}
        for start in range(0, len(order_ids), ORDERS_AT_ONCE):
            chunk = order_ids[start : start + ORDERS_AT_ONCE]
            if not (self._bulk and self._read_bulk(chunk, found)):
                for order_id in chunk:
                    path = f"/v3/orders/{order_id}/payment_actions/refunds"
                    found[order_id] = [
                        refund for page in pages(self._connection, path) for refund in page
                    ]
        for refunds in found.values():
            refunds.sort(key=id_of)
            self._given |= dict.fromkeys(map(id_of, refunds))
        while len(self._given) > REMEMBERED:
            del self._given[next(iter(self._given))]
        return found

    def made_in(self, window: Window) -> Iterator[list[Row]]:
        """Yield pages of refunds created in a window, without those given before in this run."""
        for page in pages(self._connection, ALL_REFUNDS, window.bounds("created")):
            fresh = [
                refund
                for refund in page
                if id_of(refund) not in self._given and window.holds(refund.get("created"))
            ]
            if fresh:
                yield fresh

    def _read_bulk(self, chunk: Sequence[int], found: dict[int, list[Row]]) -> bool:
        """Read a chunk's refunds in bulk; False if the filter turns out to be ignored."""
        ids = ",".join(map(str, chunk))
        for page in pages(self._connection, ALL_REFUNDS, {"order_id:in": ids}):
            if any(id_of(refund, "order_id") not in chunk for refund in page):
                logger.warning("Refunds are not filtered by order_id:in; reading them by order.")
                self._bulk = False
                return False
            for refund in page:
                found[id_of(refund, "order_id")].append(refund)
        return True
