"""Orders, each after everything that belongs to it.

A page of orders is read, then its refunds in bulk and its orders' children on several threads; the
records are written in the page's order, an order's children first. The bookmark moves when a page
is complete, so it never passes an order whose children could not be read. The SDK's own parents and
children would go one order at a time, with a SCHEMA, a STATE and log lines for each.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_bigcommerce_orders.child_reader import ChildReader
from tap_bigcommerce_orders.normalize import format_time, latest, parse_time
from tap_bigcommerce_orders.order_lines import INCLUDED
from tap_bigcommerce_orders.order_pages import OrderPages
from tap_bigcommerce_orders.pages import Row, check_ids, id_of, order_numbered, rows_of
from tap_bigcommerce_orders.refunds import ALL_REFUNDS, RefundsReader
from tap_bigcommerce_orders.schemas import orders
from tap_bigcommerce_orders.streams.base import BigCommerceStream
from tap_bigcommerce_orders.streams.child_stream import OrderChildStream
from tap_bigcommerce_orders.window import Window
from tap_bigcommerce_orders.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk.helpers.types import Context, Record

# A gateway may decline a refund after it was made; the refund's order is then read again.
REFUND_LOOKBACK = timedelta(hours=1)


class OrdersStream(BigCommerceStream):
    """Orders with their line items, fees and consignments."""

    name = "orders"
    path = "/v2/orders"
    replication_key = "date_modified"
    bookmark_by_record = False  # it moves page by page
    schema = orders.ORDER

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        children = {
            stream.name: stream
            for stream in self.child_streams
            if isinstance(stream, OrderChildStream) and stream.selected
        }
        for child in children.values():
            child.write_schema()
        selected = {*children, *([self.name] if self.selected else [])}
        with closing(Workers(self.config["max_concurrency"])) as workers:
            run = _OrderRun(self, children, ChildReader(self.connection, selected), workers)
            if self.source.selected_orders is not None:
                yield from run.emit(self.source.selected_orders.rows)
            else:
                yield from self._incremental(run)
            run.log_end()

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        return ()  # the children have been emitted already

    def fetch(self, params: dict[str, str | int]) -> list[Row]:
        """Ask the list of orders."""
        limited = {**params, "limit": self.config["page_size"], **self._include()}
        return check_ids(self.path, rows_of(self.path, self.connection.get(self.path, limited)))

    def fetch_one(self, order_id: int) -> Row | None:
        """Get one order; None if there is none."""
        return order_numbered(self.connection, order_id, self._include())

    def _include(self) -> dict[str, str]:
        return INCLUDED if self.selected else {}

    def _incremental(self, run: _OrderRun) -> Iterator[Row]:
        start, end, limit = self.window_start(), self.window_end, self.config["page_size"]
        for page in OrderPages(self.fetch, start=start, end=end, limit=limit):
            yield from run.emit(page.rows)
            if page.through is not None:
                _bookmark(self, page.through)
            run.log_page(page.through)
        if "refunds" in run.children:
            yield from self._swept(run, run.children["refunds"])

    def _swept(self, run: _OrderRun, refunds: OrderChildStream) -> Iterator[Row]:
        """Bring in the refunds made lately that did not come with a modified order."""
        window = Window(refunds.window_start(REFUND_LOOKBACK), self.window_end)
        for made in run.refunds.made_in(window):
            # One that a run gave as it is, when it was an hour old, has brought its order already.
            run.note_refunds([refund for refund in made if run.given.holds(refund)])
            page = [refund for refund in made if not run.given.holds(refund)]
            of = {id_of(refund, "order_id", path=ALL_REFUNDS) for refund in page}
            order_ids = sorted(of)
            found = list(run.workers.in_order(self.fetch_one, order_ids))
            gone = {i for i, row in zip(order_ids, found, strict=True) if row is None}
            if gone:
                numbers = ", ".join(map(str, sorted(gone)))
                self.logger.warning("Refunds of orders that are not to be had: %s", numbers)
                alone = [refund for refund in page if id_of(refund, "order_id") in gone]
                refunds.emit(check_ids(ALL_REFUNDS, alone))
                run.note_made(alone)  # not as given, for their orders are still to come
            yield from run.emit([row for row in found if row is not None])
        if run.last_refund is not None:
            refunds.remember(run.given)
            _bookmark(refunds, min(run.last_refund, self.window_end))


def _bookmark(stream: BigCommerceStream, through: datetime) -> None:
    """Move a bookmark forward and say so: all that came before has been written."""
    before = parse_time(stream.stream_state.get("replication_key_value"))
    if stream.replication_method == "INCREMENTAL" and (before is None or through > before):
        stream.stream_state.update(
            replication_key=stream.replication_key, replication_key_value=format_time(through)
        )
    stream.write_state()


class _OrderRun:
    """One run over the orders: what it reads with, and what it has counted."""

    def __init__(
        self,
        stream: OrdersStream,
        children: dict[str, OrderChildStream],
        reader: ChildReader,
        workers: Workers,
    ) -> None:
        self.children = children
        self.workers = workers
        self.refunds = RefundsReader(stream.connection, is_selected=stream.selected)
        self.last_refund: datetime | None = None
        self.given = children.get("refunds", stream).given_rows(REFUND_LOOKBACK)
        self._stream = stream
        self._reader = reader
        self._counts: Counter[str] = Counter()

    def emit(self, rows: list[Row]) -> Iterator[Row]:
        """Write the children of these orders, and yield each order when its own are written."""
        refunds: dict[int, list[Row]] = {}
        if "refunds" in self.children and rows:
            refunds = self.refunds.of_orders(rows)
        for order, children in self.workers.in_order(self._reader, rows):
            children["refunds"] = refunds.get(id_of(order), [])
            self.note_refunds(children["refunds"])
            for name, stream in self.children.items():
                stream.emit(children[name])
                self._counts[name] += len(children[name])
            self._counts["orders"] += 1
            yield order

    def note_refunds(self, refunds: list[Row]) -> None:
        """Remember that they are given with their orders, and when the last one was made."""
        self.note_made(refunds)
        for refund in refunds:
            self.given.note(refund, parse_time(refund.get("created")))

    def note_made(self, refunds: list[Row]) -> None:
        """Remember the latest moment at which one of them was made."""
        for refund in refunds:
            self.last_refund = latest(self.last_refund, parse_time(refund.get("created")))

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
        counted = ", ".join(f"{count} {name}" for name, count in self._counts.items() if count)
        self._stream.logger.info(
            "Finished: %s, with %d requests",
            counted or "nothing new",
            self._stream.connection.request_count,
        )
