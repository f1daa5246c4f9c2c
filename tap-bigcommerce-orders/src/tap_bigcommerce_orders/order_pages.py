"""Pages through the orders that were modified in a window of time, and loses none.

The API can only be paged by number, but an order that is modified while we read leaves its place
and pulls all later ones up by one, across the border of a page. So no page but the first is ever
asked for: each request begins at the last modification time seen (a keyset). Where more orders
than fit on a page share one second, that second is read by id, again with a keyset.

Whether the API's minimum is inclusive is not documented, so one second more is asked for and the
rows are checked here. A filter that the API does not understand it ignores; that is noticed by
rows that do not belong, and the window is then read from the whole list, by id.
Source: "Get all orders", BigCommerce v2 orders reference.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tap_bigcommerce_orders.errors import UnexpectedAnswer
from tap_bigcommerce_orders.normalize import format_time, latest, parse_time
from tap_bigcommerce_orders.pages import id_of, surely_short
from tap_bigcommerce_orders.window import BEGINNING

Row = dict[str, Any]
Fetch = Callable[[dict[str, str | int]], list[Row]]

SECOND = timedelta(seconds=1)

logger = logging.getLogger("tap-bigcommerce-orders.orders")


@dataclass(frozen=True, slots=True)
class Page:
    """Some orders, and how far the reading has come once they are all emitted.

    Attributes:
        rows: Raw orders, none of which was given before with the same modification time.
        through: Every order modified before this has been given; None if that cannot be said yet.
    """

    rows: list[Row]
    through: datetime | None


class OrderPages:
    """The orders modified from ``start`` to ``end``, both included.

    Args:
        fetch: Asks the list of orders with these parameters; [] when there are none.
        start: None for all of the store's past.
        end: The run's start, so that what is modified meanwhile is left to the next run.
        limit: Rows per page, at most 250.
    """

    def __init__(self, fetch: Fetch, *, start: datetime | None, end: datetime, limit: int) -> None:
        self._fetch = fetch
        self._start = start or BEGINNING
        self._end = end
        self._limit = limit
        self._slack = SECOND  # none once a row shows that the minimum is inclusive

    def __iter__(self) -> Iterator[Page]:
        """Yield the pages in order of modification."""
        cursor = self._start
        given: set[int] = set()  # ids given with exactly the cursor's time: at most two pages
        while cursor <= self._end:
            rows = self._fetch(
                {"sort": "date_modified:asc", "page": 1, **self._between(cursor, self._end)}
            )
            times = [modified(row, cursor) for row in rows]
            low = cursor - self._slack
            if times != sorted(times) or any(time < low for time in times):
                yield from self._whole_list()
                return
            if low in times:
                self._slack = timedelta()
            last = max(times, default=cursor)
            fresh = [
                row
                for row, time in zip(rows, times, strict=True)
                if cursor <= time <= self._end and not (time == cursor and id_of(row) in given)
            ]
            if fresh:
                yield Page(fresh, through=max(time for time in times if time <= self._end))
            if surely_short(len(rows), self._limit) or last > self._end:
                return
            at_last = {id_of(row) for row, time in zip(rows, times, strict=True) if time == last}
            if last > cursor:
                cursor, given = last, at_last
            else:
                given |= at_last
                yield from self._by_id(cursor, cursor, given, through=cursor)
                cursor, given = cursor + SECOND, set()

    def _between(self, low: datetime, high: datetime) -> dict[str, str | int]:
        bounds: dict[str, str | int] = {"max_date_modified": format_time(high)}
        if low > BEGINNING:
            bounds["min_date_modified"] = format_time(low - self._slack)
        return bounds

    def _whole_list(self) -> Iterator[Page]:
        logger.warning(
            "The list of orders is not filtered and sorted by date_modified as asked: reading "
            "all of it by id. The bookmark moves only at the end."
        )
        reached: datetime | None = None
        for page in self._by_id(self._start, self._end, set(), through=None):
            reached = latest(reached, *(modified(row, self._start) for row in page.rows))
            yield page
        if reached is not None:
            yield Page([], through=reached)

    def _by_id(
        self, low: datetime, high: datetime, given: set[int], *, through: datetime | None
    ) -> Iterator[Page]:
        """Yield the orders modified from low to high in order of id."""
        after, page = 0, 1
        by_number = False  # once the keyset turns out not to be understood
        step = 0  # 1 once the minimum turns out to be inclusive where a page has one row
        before: set[int] = set()
        while True:
            params = {"sort": "id:asc", "page": page, **self._between(low, high + SECOND)}
            rows = self._fetch(
                params if by_number or not after else {**params, "min_id": after + step}
            )
            ids = [id_of(row) for row in rows]
            fresh = [
                row
                for row in rows
                if low <= modified(row, low) <= high
                and id_of(row) > after
                and id_of(row) not in given
            ]
            if fresh:
                yield Page(fresh, through=through)
            if surely_short(len(rows), self._limit):
                return
            if by_number and before.issuperset(ids):
                raise UnexpectedAnswer(
                    "GET /v2/orders gave the same orders twice: paging is not honoured, so orders "
                    "could be lost. The run stops; please report this to BigCommerce."
                )
            if not (by_number or step) and ids == [after]:
                step = 1
                continue
            by_number = by_number or ids != sorted(ids) or max(ids) <= after
            if by_number:
                page, before = page + 1, before | set(ids)
            else:
                after = max(ids)


def modified(row: Row, otherwise: datetime) -> datetime:
    """When an order was modified; an order that does not tell is never dropped for that."""
    return parse_time(row.get("date_modified")) or otherwise
