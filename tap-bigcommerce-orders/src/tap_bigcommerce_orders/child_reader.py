"""Brings what belongs to one order and needs requests of its own.

Line items and fees come with the order or are read by themselves (`order_lines`). Transactions are
one request an order, taxes one for an order with tax, coupons one with a coupon discount.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.consignments import PAGE_SIZES
from tap_bigcommerce_orders.errors import StoreNotFound
from tap_bigcommerce_orders.normalize import amount, whole
from tap_bigcommerce_orders.order_lines import OrderLines
from tap_bigcommerce_orders.pages import (
    MAX_LIMIT,
    Row,
    answers,
    check_ids,
    id_of,
    pages,
    total_of,
)
from tap_bigcommerce_orders.unreadable_parts import marking

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tap_bigcommerce_orders.connection import Connection

NOT_FOUND = (HTTPStatus.NOT_FOUND,)
FULL_PAGES = PAGE_SIZES - {10}  # fewer than a default page are all

logger = logging.getLogger("tap-bigcommerce-orders.orders")


class ChildReader:
    """Reads the children that the selected streams need. Any number of threads may call it.

    Args:
        connection: The store's API.
        streams: Names of the selected streams.
    """

    def __init__(self, connection: Connection, streams: Collection[str]) -> None:
        self._connection = connection
        self._streams = frozenset(streams)
        self._is_selected = "orders" in self._streams
        self._lines = OrderLines(connection)
        self._not_found_is_none = False

    def __call__(self, order: Row) -> tuple[Row, dict[str, list[Row]]]:
        """Read what belongs to this raw order.

        Returns:
            The order, with its lines if its own stream is selected, and raw rows by stream.
        """
        readers = {
            "transactions": self._transactions,
            "order_taxes": self._taxes,
            "order_coupons": self._coupons,
        }
        children = {name: read(order) for name, read in readers.items() if name in self._streams}
        return (self._lines.complete(order) if self._is_selected else order), children

    def _transactions(self, order: Row) -> list[Row]:
        """All transactions of an order that the list of orders has given.

        The order itself is told where BigCommerce does not give them all.
        """
        order_id = id_of(order)
        path = f"/v3/orders/{order_id}/transactions"
        found: dict[int, Row] = {}
        total = 0
        with marking(order, path, is_selected=self._is_selected), self._none_if_not_found(order_id):
            for answer, rows in answers(self._connection, path):
                sound = check_ids(path, rows)
                fresh = {id_of(row): row for row in sound if id_of(row) not in found}
                total = max(total, total_of(answer))  # a last page may tell none
                if not fresh:
                    break
                found |= fresh
        # Without a total, a full last page is all that tells of more.
        count = len(found)
        at_limit = not total and (count in FULL_PAGES or (count > 0 and count % MAX_LIMIT == 0))
        if total > count or at_limit:
            order["transactions_truncated"] = True
            logger.warning(
                "Order %d has %s transactions, of which BigCommerce gives %d.",
                order_id,
                total or "maybe more",
                len(found),
            )
        return [{**found[key], "order_id": order_id} for key in sorted(found)]

    @contextmanager
    def _none_if_not_found(self, order_id: int) -> Iterator[None]:
        """Take 404 for no transactions, if an order that has its own address (once a run) does so.

        Raises:
            StoreNotFound: The order's own address answers 404 too.
        """
        try:
            yield
        except StoreNotFound:
            if not self._not_found_is_none:
                self._connection.get(f"/v2/orders/{order_id}")
            self._not_found_is_none = True

    def _taxes(self, order: Row) -> list[Row]:
        if amount(order.get("total_tax")) == 0:
            return []
        return _number_repeats(self._rows(order, "taxes", {"details": "true"}))

    def _coupons(self, order: Row) -> list[Row]:
        if amount(order.get("coupon_discount")) == 0:
            return []
        return self._rows(order, "coupons", {})

    def _rows(self, order: Row, kind: str, params: dict[str, str]) -> list[Row]:
        order_id = id_of(order)
        path = f"/v2/orders/{order_id}/{kind}"
        rows: list[Row] = []
        with marking(order, path, is_selected=self._is_selected):
            for page in pages(self._connection, path, params, absent=NOT_FOUND):
                sound = page if kind == "taxes" else check_ids(path, page)  # those are numbered
                rows += [{**row, "order_id": order_id} for row in sound]
        return rows


def _number_repeats(rows: list[Row]) -> list[Row]:
    """Give each tax row a ``row`` number among those of the order that share its id."""
    rows.sort(
        key=lambda row: (
            whole(row.get("id")) or 0,
            str(row.get("line_item_type") or ""),
            whole(row.get("order_product_id")) or 0,
        )
    )
    seen: dict[int, int] = {}
    for row in rows:
        row["id"] = whole(row.get("id")) or 0
        row["row"] = seen[row["id"]] = seen.get(row["id"], -1) + 1
    return rows
