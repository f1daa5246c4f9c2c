"""Pages: v2 tells nothing about the whole, v3 tells it in `meta.pagination`."""

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from connector_sandbox.bigcommerce.access import Answer, Call, Problem, answer
from connector_sandbox.bigcommerce.filters import whole_number
from connector_sandbox.filters import Condition

DEFAULT_LIMIT, MOST = 50, 250


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows are wanted."""

    number: int
    limit: int

    @property
    def offset(self) -> int:
        """Rows before the page."""
        return (self.number - 1) * self.limit

    def cut(self, rows: Sequence[Any]) -> list[Any]:
        """The rows of the page."""
        return list(rows[self.offset : self.offset + self.limit])


def page_of(call: Call, most: int = MOST) -> Page:
    """The page a request asks for; above the most it is clamped or refused, by switch."""
    limit = whole_number(call.query.get("limit")) or DEFAULT_LIMIT
    if limit > MOST and call.switches["bc.limit_over_250"] == "413":
        raise Problem(413)
    page = whole_number(call.query.get("page")) or 1
    return Page(max(1, page), max(1, min(limit, most)))


def v2_list(call: Call, texts: Sequence[str], *, of_order: bool) -> Answer:
    """A v2 list of rendered rows; nothing at all is 204 or `[]`, by switch."""
    if texts:
        return Answer("[" + ",".join(texts) + "]")
    form = call.switches["bc.empty"]
    bare = form == "[]" or (form == "mixed" and of_order)
    return Answer("[]") if bare else Answer(None, 204)


def v3_list(call: Call, documents: Sequence[Any]) -> Answer:
    """The page of documents that are all at hand."""
    page = page_of(call)
    shown = page.cut(documents)
    meta = pagination(call.query, page, len(documents), len(shown))
    return answer({"data": shown, "meta": {"pagination": meta}})


def rows_of(
    call: Call, table: str, chosen: Condition, order: str, page: Page
) -> tuple[list[sqlite3.Row], dict[str, Any]]:
    """The rows of a table on a page, and what v3 tells of the page."""
    text, values = chosen
    rows = call.db.execute(
        f"SELECT * FROM {table} WHERE {text} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608  values are bound
        [*values, page.limit, page.offset],
    ).fetchall()
    (total,) = call.db.execute(f"SELECT count(*) FROM {table} WHERE {text}", values).fetchone()  # noqa: S608  as above
    return rows, pagination(call.query, page, total, len(rows))


def pagination(query: QueryParams, page: Page, total: int, count: int) -> dict[str, Any]:
    """`meta.pagination` of v3; links are query strings and missing at the ends."""
    pages = math.ceil(total / page.limit)
    links = {"current": link(query, page=page.number, limit=page.limit)}
    if page.number > 1:
        links["previous"] = link(query, page=page.number - 1, limit=page.limit)
    if page.number < pages:
        links["next"] = link(query, page=page.number + 1, limit=page.limit)
    return {
        "total": total,
        "count": count,
        "per_page": page.limit,
        "current_page": page.number,
        "total_pages": pages,
        "links": links,
    }


def link(query: QueryParams, **values: object) -> str:
    """A link to another page of the same list."""
    kept = {k: v for k, v in query.multi_items() if k not in {"page", "limit", "after", "before"}}
    return "?" + urlencode({**kept, **values})
