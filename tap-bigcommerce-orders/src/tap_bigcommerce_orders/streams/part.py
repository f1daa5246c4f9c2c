"""A part of orders as a stream of its own, which the orders stream speaks for.

It has no paging of its own: the orders stream reads an order's parts and emits them before the
order. In the catalog it is a stream like any other.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.streams.base import BigCommerceStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context


class OrderPartStream(BigCommerceStream):
    """Records that the orders stream emits on this stream's behalf."""

    state_partitioning_keys = ()  # one bookmark at most, never one per order

    def open(self) -> None:
        """Announce the schema, once a run, before any record."""
        self._write_schema_message()

    def emit(self, rows: Iterable[dict[str, Any]]) -> int:
        """Write raw rows as records.

        Returns:
            How many.
        """
        count = 0
        for row in rows:
            record = self.post_process(row)
            if record is not None:
                self._write_record_message(record)
                count += 1
        return count

    @override
    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        return ()
