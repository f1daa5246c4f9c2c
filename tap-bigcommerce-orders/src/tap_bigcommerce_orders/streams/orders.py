"""Orders, each after everything that belongs to it.

A page of orders is read, then its refunds in bulk and its orders' parts on several threads; the
records are written in the page's order, an order's parts first. The bookmark moves when a page is
complete, so it never passes an order whose parts could not be read. The SDK's own parents and
children would go one order at a time, with a SCHEMA, a STATE and log lines for each.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.connection import list_of
from tap_bigcommerce_orders.order_lines import INCLUDED
from tap_bigcommerce_orders.order_pages import OrderPages
from tap_bigcommerce_orders.order_parts import PartsReader
from tap_bigcommerce_orders.refunds import RefundsReader
from tap_bigcommerce_orders.schemas import orders
from tap_bigcommerce_orders.shape import format_time, parse_time
from tap_bigcommerce_orders.streams.base import BigCommerceStream, window_start
from tap_bigcommerce_orders.streams.part import OrderPartStream
from tap_bigcommerce_orders.workers import Workers

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context, Record

Row = dict[str, Any]

# A gateway may decline a refund after it was made; the refund's order is then read again.
REFUND_LOOKBACK = timedelta(hours=1)


class OrdersStream(BigCommerceStream):
    """Orders with their line items, fees and consignments."""

    name = "orders"
    path = "/v2/orders"
    primary_keys = ("id",)
    replication_key = "date_modified"
    schema = orders.ORDER

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        parts = self._selected_parts()
        for part in parts.values():
            part.open()
        selected = {*parts, *([self.name] if self.selected else [])}
        workers = Workers(int(self.config["max_concurrency"]))
        try:
            run = _OrderRun(self, parts, PartsReader(self.connection, selected), workers)
            if self._tap.targeted is not None:
                yield from run.emit(self._tap.targeted.rows)
            else:
                yield from self._incremental(run)
            run.log_end()
        finally:
            workers.close()

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        return ()  # the parts have been emitted already

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Leave the bookmark alone: it moves page by page, in `_bookmark`."""

    def fetch(self, params: dict[str, str | int]) -> list[Row]:
        """Ask the list of orders."""
        size: dict[str, str | int] = {"limit": self.page_size}
        return list_of(self.connection.get("/v2/orders", {**params, **size, **self._include()}))

    def fetch_one(self, order_id: int) -> Row | None:
        """Get one order; None if there is none."""
        answer = self.connection.get(f"/v2/orders/{order_id}", self._include(), absent=(404,))
        return answer if isinstance(answer, dict) else None

    def _include(self) -> dict[str, str]:
        return INCLUDED if self.selected else {}

    def _selected_parts(self) -> dict[str, OrderPartStream]:
        return {
            stream.name: stream
            for stream in self.child_streams
            if isinstance(stream, OrderPartStream) and stream.selected
        }

    def _incremental(self, run: _OrderRun) -> Iterator[Row]:
        pages = OrderPages(
            self.fetch, start=self.window_start, end=self.window_end, limit=self.page_size
        )
        for page in pages:
            yield from run.emit(page.rows)
            if page.through is not None:
                self._bookmark(self, page.through)
            run.log_page(page.through)
        if "refunds" in run.parts:
            yield from self._swept(run, run.parts["refunds"])

    def _swept(self, run: _OrderRun, refunds: OrderPartStream) -> Iterator[Row]:
        """Bring in the refunds made lately that did not come with a modified order."""
        lookback = timedelta(seconds=int(self.config["lookback_seconds"]))
        start = window_start(
            refunds.stream_state.get("replication_key_value"),
            start_date=self.config.get("start_date"),
            lookback=max(lookback, REFUND_LOOKBACK),
        )
        reached: datetime | None = run.last_refund
        for page in run.refunds.made_since(start, self.window_end):
            made = [parse_time(refund.get("created")) for refund in page]
            reached = max([moment for moment in [reached, *made] if moment], default=None)
            order_ids = sorted({int(refund["order_id"]) for refund in page})
            found = list(run.workers.in_order(self.fetch_one, order_ids))
            gone = {i for i, row in zip(order_ids, found, strict=True) if row is None}
            if gone:
                numbers = ", ".join(map(str, sorted(gone)))
                self.logger.warning("Refunds of orders that are not to be had: %s", numbers)
                refunds.emit(refund for refund in page if int(refund["order_id"]) in gone)
            yield from run.emit([row for row in found if row is not None])
        if reached is not None:
            self._bookmark(refunds, min(reached, self.window_end))

    def _bookmark(self, stream: BigCommerceStream, through: datetime) -> None:
        """Move a bookmark forward and say so: all that came before has been written."""
        before = parse_time(stream.stream_state.get("replication_key_value"))
        if stream.replication_method == "INCREMENTAL" and (before is None or through > before):
            stream.stream_state.update(
                replication_key=stream.replication_key, replication_key_value=format_time(through)
            )
        self._tap.state_writer.write_state(self.tap_state)


class _OrderRun:
    """One run over the orders: what it reads with, and what it has counted."""

    def __init__(
        self,
        stream: OrdersStream,
        parts: dict[str, OrderPartStream],
        reader: PartsReader,
        workers: Workers,
    ) -> None:
        self.parts = parts
        self.workers = workers
        self.refunds = RefundsReader(stream.connection)
        self.last_refund: datetime | None = None
        self._stream = stream
        self._reader = reader
        self._counts: Counter[str] = Counter()

    def emit(self, rows: list[Row]) -> Iterator[Row]:
        """Write the parts of these orders, and yield each order when its parts are written."""
        refunds: dict[int, list[Row]] = {}
        if "refunds" in self.parts and rows:
            refunds = self.refunds.of_orders([int(row["id"]) for row in rows])
            self._note_refunds(refunds)
        for found in self.workers.in_order(self._reader, rows):
            self._write("transactions", found.transactions)
            self._write("refunds", refunds.get(int(found.order["id"]), []))
            self._write("order_taxes", found.taxes)
            self._write("order_coupons", found.coupons)
            self._counts["orders"] += 1
            yield found.order

    def log_page(self, through: datetime | None) -> None:
        """Tell how far the reading has come."""
        self._stream.logger.info(
            "Read %d orders%s with %d requests so far",
            self._counts["orders"],
            f", modified until {format_time(through)}," if through else "",
            self._stream.connection.request_count,
        )

    def log_end(self) -> None:
        """Tell what was read in all."""
        counted = ", ".join(f"{count} {name}" for name, count in self._counts.items())
        self._stream.logger.info(
            "Finished: %s, with %d requests",
            counted or "nothing new",
            self._stream.connection.request_count,
        )

    def _write(self, name: str, rows: list[Row]) -> None:
        if rows:
            self._counts[name] += self.parts[name].emit(rows)

    def _note_refunds(self, refunds: dict[int, list[Row]]) -> None:
        made = [parse_time(row.get("created")) for rows in refunds.values() for row in rows]
        latest = [moment for moment in [self.last_refund, *made] if moment is not None]
        self.last_refund = max(latest, default=None)
