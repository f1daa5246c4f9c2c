"""Line items and fees of an order, all of them.

They come with the order where the API includes them; where it does not, or gives fewer lines than
there are, or leaves out fields that accounting needs, they are read by themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.consignments import may_be_cut, split_consignments
from tap_bigcommerce_orders.normalize import Json, amount, is_link
from tap_bigcommerce_orders.pages import Row, id_of, pages
from tap_bigcommerce_orders.unreadable_parts import marking

if TYPE_CHECKING:
    from tap_bigcommerce_orders.connection import Connection

NOT_FOUND = (HTTPStatus.NOT_FOUND,)

INCLUDED = {"include": "consignments.line_items,fees", "consignment_structure": "object"}

# What an invoice is made of; an included line without one of these is read again by itself.
ACCOUNTING_FIELDS = frozenset(
    {
        "product_id",
        "name",
        "sku",
        "type",
        "quantity",
        "price_ex_tax",
        "price_inc_tax",
        "total_ex_tax",
        "total_inc_tax",
        "total_tax",
        "discounted_total_inc_tax",
        "applied_discounts",
    }
)

# The API's links to these are replaced by line_items and by streams.
REPLACED = frozenset({"products", "coupons", "shipping_addresses"})


class OrderLines:
    """Completes raw orders. Any number of threads may call it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._never_given: frozenset[str] = frozenset()  # fields that /products lacks as well

    def complete(self, order: Row) -> Row:
        """Put line items and fees into the order, as lists; one that has them stays as it is."""
        if isinstance(order.get("line_items"), list):
            return order
        order_id = id_of(order)
        record = {name: value for name, value in order.items() if name not in REPLACED}
        split = split_consignments(order.get("consignments"))
        rest, lines = split or (None, [])
        if split is None or self._may_lack(lines, order):
            path = f"/v2/orders/{order_id}/products"
            with marking(record, path, is_selected=True):
                lines = [line for page in pages(self._connection, path) for line in page]
                lacking = {field for line in lines for field in ACCOUNTING_FIELDS - line.keys()}
                with self._lock:
                    self._never_given |= lacking
        record["line_items"] = [{**line, "order_id": order_id} for line in lines]
        record["consignments"] = rest
        fees = order.get("fees")
        if fees is None or is_link(fees):
            fees = self._connection.get(f"/v2/orders/{order_id}/fees", absent=NOT_FOUND)
        record["fees"] = [_mend_fee(fee) for fee in _fee_list(fees)]
        return record

    def _may_lack(self, lines: list[Row], order: Row) -> bool:
        """Tell whether the included lines may be fewer or poorer than /products would give."""
        if may_be_cut(order.get("consignments")):
            return True
        stated = amount(order.get("items_total"))
        known = sum(amount(line.get("quantity")) or 0 for line in lines)
        if known < (stated or 0) or (stated is None and not lines):
            return True
        wanted = ACCOUNTING_FIELDS - self._never_given
        return any(not wanted <= line.keys() for line in lines)


def _fee_list(fees: Json) -> list[Row]:
    """Fees come as a list, as ``{"fees": [...]}`` or as one object."""
    if isinstance(fees, Mapping):
        fees = fees.get("fees", [fees] if fees else [])
    rows = fees if isinstance(fees, list) else []
    return [dict(fee) for fee in rows if isinstance(fee, Mapping) and not is_link(fee)]


def _mend_fee(fee: Mapping[str, Any]) -> Row:
    """``cost_ex_tax`` is misspelt ``cost_exc_tax`` in some answers."""
    mended = dict(fee)
    if "cost_exc_tax" in mended:
        misspelt = mended.pop("cost_exc_tax")
        mended.setdefault("cost_ex_tax", misspelt)
    return mended
