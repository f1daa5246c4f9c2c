"""Reads an endpoint page by page to its end, where the end is told in several ways.

v2 ends with 204, an empty list or a short page; v3 tells pages in ``meta.pagination``, but not
everywhere (refunds may have an empty ``meta``). An endpoint may also cap ``limit`` below what we
asked for, or ignore ``page``: so a page is "short" only below the smallest documented default, and
a page that repeats the one before ends the reading.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.pagination import BaseAPIPaginator

from tap_bigcommerce_orders.connection import Connection, Params, data_of, list_of

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tap_bigcommerce_orders.shape import Json

Row = dict[str, Any]
Token = dict[str, str | int]

MAX_LIMIT = 250  # more is an error (413) by the general documentation
SMALLEST_CAP = 50  # the default page; an endpoint that caps `limit` gives at least so many


class V3Paginator(BaseAPIPaginator[Token]):
    """Paging of a v3 list; rows that are sorted out on our side do not end it."""

    def __init__(self, limit: int) -> None:
        super().__init__({})
        self._limit = limit

    @override
    def continue_if_empty(self, response: requests.Response) -> bool:
        return True  # the SDK asks it of the rows that are left; `get_next` looks at all


def surely_short(count: int, limit: int) -> bool:
    """Tell whether a page of so many rows must be the last one."""
    return count < min(limit, SMALLEST_CAP)


def read_v2(
    connection: Connection, path: str, params: Params | None = None, *, absent: tuple[int, ...] = ()
) -> Iterator[Row]:
    """Yield the rows of a paged v2 list."""
    before: Json = None
    page = 1
    while True:
        answer = connection.get(
            path, {**(params or {}), "limit": MAX_LIMIT, "page": page}, absent=absent
        )
        rows = list_of(answer)
        if rows == before:
            return
        yield from rows
        if surely_short(len(rows), MAX_LIMIT):
            return
        before, page = rows, page + 1


def read_v3(
    connection: Connection,
    path: str,
    params: Params | None = None,
    *,
    absent: tuple[int, ...] = (),
) -> Iterator[list[Row]]:
    """Yield the pages of a paged v3 list."""
    before: list[Row] | None = None
    page = 1
    while True:
        answer = connection.get(
            path, {**(params or {}), "limit": MAX_LIMIT, "page": page}, absent=absent
        )
        rows = data_of(answer)
        if not rows or rows == before:
            return
        yield rows
        if not more_v3_pages(answer, len(rows), MAX_LIMIT):
            return
        before, page = rows, page + 1


def more_v3_pages(answer: Json, count: int, limit: int) -> bool:
    """Tell from a v3 answer whether to ask for the next page."""
    pagination = ((answer or {}).get("meta") or {}).get("pagination") or {}
    total, current = pagination.get("total_pages"), pagination.get("current_page")
    if total is not None and current is not None:
        return int(current) < int(total)
    return not surely_short(count, limit)
