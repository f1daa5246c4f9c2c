"""Customers, with all of their addresses.

The list is paged by a cursor (the only endpoint here that has one); addresses beyond the ten that
are included come from their own endpoint. Source: BigCommerce v3 customers reference.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.pages import V3Paginator, more_v3_pages, read_v3, surely_short
from tap_bigcommerce_orders.schemas import customers
from tap_bigcommerce_orders.shape import decode, format_time, parse_time
from tap_bigcommerce_orders.streams.base import BigCommerceStream

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import requests
    from singer_sdk.helpers.types import Context

Row = dict[str, Any]
Token = dict[str, str | int]

IDS_AT_ONCE = 100  # keeps the address short


class CustomerPaginator(V3Paginator):
    """Follows the cursor to its end, whether that is told by a missing link or an empty page."""

    @override
    def get_next(self, response: requests.Response) -> Token | None:
        body = decode(response.content) if response.content else {}
        meta = body.get("meta") or {}
        count = len(body.get("data") or [])
        cursor = meta.get("cursor_pagination") or {}
        if not count:
            return None
        if not cursor:
            page = int((meta.get("pagination") or {}).get("current_page") or 1)
            return {"page": page + 1} if more_v3_pages(body, count, self._limit) else None
        after = cursor.get("end_cursor")
        more = (cursor.get("links") or {}).get("next") or not surely_short(count, self._limit)
        return {"after": after} if after and more and {"after": after} != self._value else None


class CustomersStream(BigCommerceStream):
    """Registered customers; guests exist only in their orders."""

    name = "customers"
    path = "/v3/customers"
    primary_keys = ("id",)
    replication_key = "date_modified"
    schema = customers.CUSTOMER

    @override
    def get_new_paginator(self) -> CustomerPaginator:
        return CustomerPaginator(self.page_size)

    @override
    def get_url_params(self, context: Context | None, next_page_token: Token | None) -> Token:
        params: Token = {"limit": self.page_size, "include": "addresses"}
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
        ids = sorted(self._tap.targeted.customer_ids)
        for start in range(0, len(ids), IDS_AT_ONCE):
            wanted = ",".join(map(str, ids[start : start + IDS_AT_ONCE]))
            params = {"id:in": wanted, "include": "addresses"}
            for page in read_v3(self.connection, self.path, params):
                yield from self._with_all_addresses([row for row in page if row["id"] in ids])

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Row]:
        rows = list(super().parse_response(response))
        yield from self._with_all_addresses([row for row in rows if self._belongs(row)])

    def _belongs(self, row: Row) -> bool:
        """Tell whether a row satisfies the filter: one that is not understood is ignored."""
        time = parse_time(row.get("date_modified"))
        start = self.window_start
        if time is None:
            return True
        late = self.config.get("end_date") and time > self.window_end
        return not late and (start is None or time >= start)

    def _with_all_addresses(self, rows: list[Row]) -> Iterator[Row]:
        incomplete = {
            int(row["id"]): row
            for row in rows
            if int(row.get("address_count") or 0) > len(row.get("addresses") or [])
        }
        ids = sorted(incomplete)
        for start in range(0, len(ids), IDS_AT_ONCE):
            chunk = ids[start : start + IDS_AT_ONCE]
            for customer_id, addresses in self._addresses(chunk).items():
                incomplete[customer_id]["addresses"] = addresses
        yield from rows

    def _addresses(self, customer_ids: list[int]) -> dict[int, list[Row]]:
        found: dict[int, dict[int, Row]] = {customer_id: {} for customer_id in customer_ids}
        wanted = ",".join(map(str, customer_ids))
        params = {"customer_id:in": wanted}
        for page in read_v3(self.connection, "/v3/customers/addresses", params):
            for address in page:
                owner = int(address["customer_id"])
                if owner in found:
                    found[owner][int(address["id"])] = address
        return {owner: list(addresses.values()) for owner, addresses in found.items()}
