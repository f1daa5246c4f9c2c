"""Products, with their variants.

Paged by id (``id:greater``), not by number: a product that is changed or deleted while we read
moves no other one across a page's border. Source: BigCommerce v3 catalog reference.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.connection import data_of
from tap_bigcommerce_orders.pages import V3Paginator, more_v3_pages, read_v3
from tap_bigcommerce_orders.schemas import catalog
from tap_bigcommerce_orders.shape import decode, format_time, parse_time
from tap_bigcommerce_orders.streams.base import BigCommerceStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests
    from singer_sdk.helpers.types import Context

Row = dict[str, Any]
Token = dict[str, str | int]

IDS_AT_ONCE = 100  # keeps the address short


class ProductPaginator(V3Paginator):
    """Asks for what comes after the highest id seen, or for the next page if that is ignored."""

    @override
    def get_next(self, response: requests.Response) -> Token | None:
        body = decode(response.content) if response.content else {}
        rows = data_of(body)
        if not rows or not more_v3_pages(body, len(rows), self._limit):
            return None
        highest = max(int(row["id"]) for row in rows)
        after = int(self._value.get("id:greater", 0))
        page = int(self._value.get("page", 1))
        if page == 1 and highest > after:
            return {"id:greater": highest}
        return {**self._value, "page": page + 1}


class ProductsStream(BigCommerceStream):
    """The catalog's products."""

    name = "products"
    path = "/v3/catalog/products"
    primary_keys = ("id",)
    replication_key = "date_modified"
    schema = catalog.PRODUCT

    @override
    def get_new_paginator(self) -> ProductPaginator:
        return ProductPaginator(self.page_size)

    @override
    def get_url_params(self, context: Context | None, next_page_token: Token | None) -> Token:
        params: Token = {
            "limit": self.page_size,
            "include": "variants",
            "sort": "id",
            "direction": "asc",
        }
        # Always full timestamps: to a mere date the API adds the time of the request.
        if self.window_start:
            params["date_modified:min"] = format_time(self.window_start)
        if self.config.get("end_date"):
            params["date_modified:max"] = format_time(self.window_end)
        return {**params, **(next_page_token or {})}

    @override
    def get_records(self, context: Context | None) -> Iterable[Row]:
        if self._tap.targeted is None:
            yield from super().get_records(context)
            return
        ids = sorted(self._tap.targeted.product_ids)
        for start in range(0, len(ids), IDS_AT_ONCE):
            wanted = ",".join(map(str, ids[start : start + IDS_AT_ONCE]))
            params = {"id:in": wanted, "include": "variants"}
            for page in read_v3(self.connection, self.path, params):
                yield from (row for row in page if row["id"] in ids)

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Row]:
        for row in super().parse_response(response):
            time = parse_time(row.get("date_modified"))
            start = self.window_start
            late = time and self.config.get("end_date") and time > self.window_end
            if not late and (time is None or start is None or time >= start):
                yield row
