"""Pages: v2 tells nothing about the whole, v3 tells it in `meta.pagination`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from connector_sandbox.bigcommerce.access import Answer, Call, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.datastructures import QueryParams

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


def whole_number(text: str | None) -> int | None:
    """A filter's number, or None when it is none."""
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def page_of(call: Call, most: int = MOST) -> Page:
    """The page a request asks for; above the most it is clamped or refused, by switch."""
    limit = whole_number(call.query.get("limit")) or DEFAULT_LIMIT
    if limit > most:
        if call.switches["bc.limit_over_250"] == "413":
            raise Problem(413)
        limit = most
    return Page(max(1, whole_number(call.query.get("page")) or 1), max(1, limit))


def v2_list(call: Call, texts: Sequence[str], *, of_order: bool) -> Answer:
    """A v2 list of rendered rows; nothing at all is 204 or `[]`, by switch."""
    if texts:
        return Answer("[" + ",".join(texts) + "]")
    form = call.switches["bc.empty"]
    bare = form == "[]" or (form == "mixed" and of_order)
    return Answer("[]") if bare else Answer(None, 204)


def pagination(query: QueryParams, page: Page, total: int, count: int) -> dict[str, Any]:
    """`meta.pagination` of v3; links are query strings and missing at the ends."""
    pages = math.ceil(total / page.limit)
    links = {"current": _link(query, page=page.number, limit=page.limit)}
    if page.number > 1:
        links["previous"] = _link(query, page=page.number - 1, limit=page.limit)
    if page.number < pages:
        links["next"] = _link(query, page=page.number + 1, limit=page.limit)
    return {
        "total": total,
        "count": count,
        "per_page": page.limit,
        "current_page": page.number,
        "total_pages": pages,
        "links": links,
    }


def _link(query: QueryParams, **values: object) -> str:
    kept = {k: v for k, v in query.multi_items() if k not in {"page", "limit", "after", "before"}}
    return "?" + urlencode({**kept, **values})


def cursor_link(query: QueryParams, **values: object) -> str:
    """A link of `meta.cursor_pagination`."""
    return _link(query, **values)
