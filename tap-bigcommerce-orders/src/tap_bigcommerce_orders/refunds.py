"""Reads refunds: all of some orders at once, and those made since a moment.

A refund's payment runs on after the refund is made, and a refund has no modification date. So an
order's refunds are read whenever the order is, and recent ones once more by ``created:min``.
Source: "Get all refunds", BigCommerce v3 orders reference (ordered by id; ``meta`` may be empty).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.errors import OddAnswer
from tap_bigcommerce_orders.normalize import whole
from tap_bigcommerce_orders.pages import Row, check_ids, id_of, pages
from tap_bigcommerce_orders.unreadable_parts import marking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from tap_bigcommerce_orders.connection import Connection
    from tap_bigcommerce_orders.window import Window

ALL_REFUNDS = "/v3/orders/payment_actions/refunds"
ORDERS_AT_ONCE = 125  # keeps the address below 2,000 characters with ids of 12 digits
REMEMBERED = 50_000  # refunds; a swept refund that was forgotten is only read once more

logger = logging.getLogger("tap-bigcommerce-orders.refunds")


class RefundsReader:
    """The store's refunds. Remembers, up to a limit, which ones it has given in this run.

    Args:
        connection: The store's API.
        is_selected: Whether the orders themselves are given, so that they can be marked.
    """

    def __init__(self, connection: Connection, *, is_selected: bool) -> None:
        self._connection = connection
        self._is_selected = is_selected
        self._given: dict[int, None] = {}
        self._bulk = True

    def of_orders(self, rows: Sequence[Row]) -> dict[int, list[Row]]:
        """Read all refunds of these orders; one whose refunds cannot be read is marked.

        Returns:
            Raw refunds by order id, in order of refund id; an order without any has [].
        """
        found: dict[int, list[Row]] = {id_of(row): [] for row in rows}
        for start in range(0, len(rows), ORDERS_AT_ONCE):
            chunk = {id_of(row): row for row in rows[start : start + ORDERS_AT_ONCE]}
            if not (self._bulk and self._read_bulk(chunk.keys(), found)):
                found |= {
                    order_id: self._of_order(order_id, row) for order_id, row in chunk.items()
                }
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
                if whole(refund.get("id")) not in self._given
                and window.holds(refund.get("created"))
            ]
            if fresh:
                yield fresh

    def _of_order(self, order_id: int, order: Row) -> list[Row]:
        path = f"/v3/orders/{order_id}/payment_actions/refunds"
        found: list[Row] = []
        with marking(order, path, is_selected=self._is_selected):
            for page in pages(self._connection, path):
                found += [{**row, "order_id": order_id} for row in check_ids(path, page)]
        return found

    def _read_bulk(self, chunk: AbstractSet[int], found: dict[int, list[Row]]) -> bool:
        """Read a chunk's refunds in bulk; False if they have to be read by order.

        So they have if the filter turns out to be ignored, or if one of them cannot be read.
        """
        ids = ",".join(map(str, chunk))
        try:
            for page in pages(self._connection, ALL_REFUNDS, {"order_id:in": ids}):
                of = [id_of(row, "order_id", path=ALL_REFUNDS) for row in page]
                if not chunk >= set(of):
                    logger.warning(
                        "Refunds are not filtered by order_id:in; reading them by order."
                    )
                    self._bulk = False
                    return False
                for order_id, row in zip(of, check_ids(ALL_REFUNDS, page), strict=True):
                    found[order_id].append(row)
        except OddAnswer as odd:
            logger.warning("%s Reading them by order.", odd.what)
            return False
        return True
