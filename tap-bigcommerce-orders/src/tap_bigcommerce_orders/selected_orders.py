"""A run for the orders of ``order_ids`` alone, as a webhook starts it.

The orders are read first, so that the customers and products streams bring just whom and what
the orders name. Such a run keeps no bookmark.
"""

from __future__ import annotations

import logging
from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.normalize import whole
from tap_bigcommerce_orders.order_lines import INCLUDED, OrderLines
from tap_bigcommerce_orders.pages import order_numbered
from tap_bigcommerce_orders.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_bigcommerce_orders.connection import Connection
    from tap_bigcommerce_orders.pages import Row

logger = logging.getLogger("tap-bigcommerce-orders.orders")


class SelectedOrders:
    """The orders asked for by number.

    Args:
        connection: The store's API.
        order_ids: Their numbers; repeats count once.
        max_concurrency: How many to get at once.
    """

    def __init__(
        self, connection: Connection, order_ids: Sequence[int], max_concurrency: int
    ) -> None:
        self._connection = connection
        self._lines = OrderLines(connection)
        self._order_ids = sorted(set(order_ids))
        self._max_concurrency = min(max_concurrency, len(self._order_ids))

    @cached_property
    def rows(self) -> list[Row]:
        """The orders with their lines; one that does not exist is warned of and left out."""
        with closing(Workers(self._max_concurrency)) as workers:
            found = list(workers.in_order(self._fetch, self._order_ids))
        missing = [i for i, row in zip(self._order_ids, found, strict=True) if row is None]
        if missing:
            self._connection.get("/v2/time")  # a wrong store hash would be told here
            logger.warning(
                "BigCommerce has no such orders: %s. They are left out.",
                ", ".join(map(str, missing)),
            )
        return [row for row in found if row is not None]

    def named(self, stream: str) -> set[int]:
        """The ids of customers (guests have none) or catalog products that the orders name."""
        if stream == "customers":
            found = [row.get("customer_id") for row in self.rows]
        else:
            found = [line.get("product_id") for row in self.rows for line in row["line_items"]]
        return {whole(one) or 0 for one in found} - {0}

    def _fetch(self, order_id: int) -> Row | None:
        order = order_numbered(self._connection, order_id, INCLUDED)
        return order and self._lines.complete(order)
