"""Brings what belongs to one order and needs requests of its own.

Line items and fees come with the order or are read by themselves (`order_lines`). Transactions are
one request an order, taxes one for an order with tax, coupons one with a coupon discount.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.connection import Connection, data_of
from tap_bigcommerce_orders.errors import StoreNotFound, UnexpectedAnswer
from tap_bigcommerce_orders.order_lines import OrderLines
from tap_bigcommerce_orders.pages import MAX_LIMIT, Row, more_v3_pages, read_v2

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_bigcommerce_orders.shape import Json

NOT_FOUND = (HTTPStatus.NOT_FOUND,)

logger = logging.getLogger("tap-bigcommerce-orders.orders")


@dataclass(frozen=True, slots=True)
class OrderParts:
    """An order and its parts, raw; a part that was not asked for is empty."""

    order: Row
    transactions: list[Row] = field(default_factory=list)
    taxes: list[Row] = field(default_factory=list)
    coupons: list[Row] = field(default_factory=list)


class PartsReader:
    """Reads the parts that the selected streams need. Any number of threads may call it.

    Args:
        connection: The store's API.
        streams: Names of the selected streams.
    """

    def __init__(self, connection: Connection, streams: Collection[str]) -> None:
        self._connection = connection
        self._streams = frozenset(streams)
        self._lines = OrderLines(connection)
        self._not_found_is_none = False

    def __call__(self, order: Row) -> OrderParts:
        """Read what belongs to this raw order."""
        order_id = int(order["id"])
        return OrderParts(
            order=self._lines.complete(order) if "orders" in self._streams else order,
            transactions=self._transactions(order_id) if "transactions" in self._streams else [],
            taxes=self._taxes(order) if "order_taxes" in self._streams else [],
            coupons=self._coupons(order) if "order_coupons" in self._streams else [],
        )

    def _transactions(self, order_id: int) -> list[Row]:
        """All transactions of an order that the list of orders has given."""
        path = f"/v3/orders/{order_id}/transactions"
        found: dict[int, Row] = {}
        answer: Json = None
        page = 1
        while True:
            try:
                answer = self._connection.get(path, {"limit": MAX_LIMIT, "page": page})
            except StoreNotFound:
                self._check_exists(order_id)
                break
            rows = data_of(answer)
            fresh = [row for row in rows if int(row["id"]) not in found]
            found.update((int(row["id"]), row) for row in fresh)
            if not fresh or not more_v3_pages(answer, len(rows), MAX_LIMIT):
                break
            page += 1
        total = (((answer or {}).get("meta") or {}).get("pagination") or {}).get("total") or 0
        if int(total) > len(found):
            logger.warning(
                "Order %d has %s transactions, of which BigCommerce gives %d.",
                order_id,
                total,
                len(found),
            )
        return [{**found[key], "order_id": order_id} for key in sorted(found)]

    def _check_exists(self, order_id: int) -> None:
        """Make sure, once a run, that 404 means no transactions and not a wrong address."""
        if self._not_found_is_none:
            return
        if self._connection.get(f"/v2/orders/{order_id}", absent=NOT_FOUND) is None:
            raise UnexpectedAnswer(
                f"BigCommerce lists order {order_id}, but answers 404 for it and for its "
                "transactions. Check api_url; run again, the order was not passed over."
            )
        self._not_found_is_none = True

    def _taxes(self, order: Row) -> list[Row]:
        if _is_zero(order.get("total_tax")):
            return []
        order_id = int(order["id"])
        path = f"/v2/orders/{order_id}/taxes"
        rows = list(read_v2(self._connection, path, {"details": "true"}, absent=NOT_FOUND))
        return _number_repeats([{**row, "order_id": order_id} for row in rows])

    def _coupons(self, order: Row) -> list[Row]:
        if _is_zero(order.get("coupon_discount")):
            return []
        order_id = int(order["id"])
        path = f"/v2/orders/{order_id}/coupons"
        rows = read_v2(self._connection, path, absent=NOT_FOUND)
        return [{**row, "order_id": order_id} for row in rows]


def _number_repeats(rows: list[Row]) -> list[Row]:
    """Give each tax row a ``row`` number among those of the order that share its id."""
    rows.sort(
        key=lambda row: (
            int(row.get("id") or 0),
            str(row.get("line_item_type") or ""),
            int(row.get("order_product_id") or 0),
        )
    )
    seen: dict[int, int] = {}
    for row in rows:
        row["id"] = int(row.get("id") or 0)
        row["row"] = seen[row["id"]] = seen.get(row["id"], -1) + 1
    return rows


def _is_zero(value: Json) -> bool:
    """Tell whether an amount is surely zero; one that is not given may be anything."""
    try:
        return value not in (None, "") and Decimal(str(value)) == 0
    except InvalidOperation:
        return False
