"""A stream of what belongs to orders, which the orders stream speaks for.

It reads nothing by itself: the orders stream reads an order's children and emits them before the
order. In the catalog it is a stream like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_bigcommerce_orders.streams.base import BigCommerceStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from tap_bigcommerce_orders.pages import Row


class OrderChildStream(BigCommerceStream):
    """Records that the orders stream emits on this stream's behalf."""

    state_partitioning_keys = ()  # one bookmark at most, never one per order

    def emit(self, rows: Iterable[Row]) -> None:
        """Write raw rows as records."""
        for row in rows:
            self.write_record(self.post_process(row))

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        return ()
