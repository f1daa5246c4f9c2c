"""What all streams share: the one connection, the shape of records, the window of time."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from singer_sdk import RESTStream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.pagination import BaseAPIPaginator, SinglePagePaginator

from tap_bigcommerce_orders.connection import data_of, list_of
from tap_bigcommerce_orders.shape import decode, parse_time, read_iso, shape

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import requests
    from singer_sdk.helpers.types import Context, Record

    from tap_bigcommerce_orders.connection import Connection
    from tap_bigcommerce_orders.tap import TapBigCommerceOrders

    Request = Callable[[requests.PreparedRequest, Context | None], requests.Response]


class BigCommerceStream(RESTStream[Any]):
    """A stream of the store, read through the tap's one connection."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # `shape` has done it, unknown fields too

    _tap: TapBigCommerceOrders

    @property
    def connection(self) -> Connection:
        """The store's API, shared by all streams."""
        return self._tap.connection

    @property
    @override
    def url_base(self) -> str:
        return self.connection.base_url

    @property
    def page_size(self) -> int:
        """Rows per page, never above the 250 that BigCommerce documents as the most."""
        return min(int(self.config["page_size"]), 250)

    @override
    def request_decorator(self, func: Request) -> Request:
        return func  # the connection tries again by itself

    @override
    def _request(
        self, prepared_request: requests.PreparedRequest, context: Context | None
    ) -> requests.Response:
        return self.connection.exchange(prepared_request)[0]

    @override
    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        body = decode(response.content) if response.content else None
        if self.path.startswith("/v3/"):
            yield from data_of(body)
        elif isinstance(body, dict) and body:
            yield body
        else:
            yield from list_of(body)

    @override
    def get_new_paginator(self) -> BaseAPIPaginator[Any] | None:
        return SinglePagePaginator()

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        # The last word on whose it is has the setting that it was asked for with.
        record = {**shape(row, self.schema), "store_hash": self._tap.store_hash}
        if self.replication_key:
            record.setdefault(self.replication_key, None)  # the SDK's bookmark looks for it
        return record

    @property
    def window_start(self) -> datetime | None:
        """From when on to read: the bookmark less lookback_seconds, or start_date if later."""
        return window_start(
            self.stream_state.get("replication_key_value"),
            start_date=self.config.get("start_date"),
            lookback=timedelta(seconds=int(self.config["lookback_seconds"])),
        )

    @property
    def window_end(self) -> datetime:
        """Until when to read: the run's start, or end_date if earlier."""
        started = datetime.fromtimestamp(self._tap.initialized_at // 1000, UTC)
        end_date = self.config.get("end_date")
        return min(started, read_iso(end_date)) if end_date else started


def window_start(
    bookmark: str | None, *, start_date: str | None, lookback: timedelta
) -> datetime | None:
    """Decide from when on to read; None for everything there is.

    Look-back covers what was written late with an earlier time. As in all taps on the Singer SDK
    the later one of bookmark and ``start_date`` counts.
    """
    first = read_iso(start_date) if start_date else None
    last = parse_time(bookmark)
    if last is None:
        return first
    again = last - lookback
    return max(again, first) if first else again
