"""Reads one order, or a list page by page to its end, where the end is told in several ways.

v2 ends with 204, an empty list or a short page; v3 tells pages in ``meta.pagination``, but not
everywhere (refunds may have an empty ``meta``), or gives a cursor. An endpoint may also cap
``limit`` below what we asked for, or ignore ``page``: so a page is "short" only below the smallest
documented default, and a numbered page without any new row ends the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.errors import OddAnswer
from tap_bigcommerce_orders.normalize import whole

if TYPE_CHECKING:
    from tap_bigcommerce_orders.connection import Connection, Params
    from tap_bigcommerce_orders.normalize import Json

Row = dict[str, Any]
Token = dict[str, str | int]
Way = Callable[["Json", list[Row], Token, int], Token | None]
"""What to ask next, after an answer with these rows to this token and limit; None at the end."""

MAX_LIMIT = 250  # more is an error (413) by the general documentation
SMALLEST_CAP = 50  # the default page; an endpoint that caps `limit` gives at least so many
MOST_NAMED = 5  # fields of a row
IDS_AT_ONCE = 100  # keeps the address short


def by_number(answer: Json, rows: list[Row], token: Token, limit: int) -> Token | None:
    """Page by number."""
    more = _more(answer, rows, limit)
    return {**token, "page": int(token.get("page", 1)) + 1} if more else None


def by_id(answer: Json, rows: list[Row], token: Token, limit: int) -> Token | None:
    """Page by id: what comes after the highest id seen, or by number where that is ignored.

    A row that is changed or deleted meanwhile moves no other one across a page's border.
    """
    highest = max(map(id_of, rows))
    if "page" in token or highest <= int(token.get("id:greater", 0)):
        return by_number(answer, rows, token, limit)
    return {"id:greater": highest} if _more(answer, rows, limit) else None


def by_cursor(answer: Json, rows: list[Row], token: Token, limit: int) -> Token | None:
    """Page by cursor to its end, whether a missing link or an empty page tells that."""
    cursor = _meta(answer, "cursor_pagination")
    if not cursor:
        return by_number(answer, rows, token, limit)
    # The first page also says how many there are in all.
    whole_list = not token and 0 < total_of(answer) <= len(rows)
    more = _within(cursor, "links").get("next") or not (
        whole_list or surely_short(len(rows), limit)
    )
    after = cursor.get("end_cursor")
    return {"after": after} if after and more and after != token.get("after") else None


def answers(
    connection: Connection,
    path: str,
    params: Params | None = None,
    *,
    way: Way = by_number,
    absent: Collection[int] = (),
) -> Iterator[tuple[Json, list[Row]]]:
    """Yield the answers of a list, each with its rows; pages are as large as may be."""
    params = {"limit": MAX_LIMIT, **(params or {})}
    if way is by_id:
        params |= {"sort": "id", "direction": "asc"}
    token: Token | None = {"page": 1} if way is by_number else {}
    seen: set[int] = set()  # hashes of the rows of numbered pages
    while token is not None:
        answer = connection.get(path, {**params, **token}, absent=absent)
        rows = rows_of(path, answer)
        if way is by_id:
            check_ids(path, rows)
        if rows and "page" in token:
            hashes = {hash(repr(row)) for row in rows}
            if hashes <= seen:
                return
            seen |= hashes
        yield answer, rows
        token = way(answer, rows, token, int(params["limit"])) if rows else None


def pages(
    connection: Connection,
    path: str,
    params: Params | None = None,
    *,
    way: Way = by_number,
    absent: Collection[int] = (),
) -> Iterator[list[Row]]:
    """Yield the rows of a list, page by page."""
    return (rows for _, rows in answers(connection, path, params, way=way, absent=absent))


def rows_named(
    connection: Connection, path: str, field: str, ids: Collection[int], params: Params
) -> Iterator[list[Row]]:
    """Yield the rows whose field holds one of the ids, some of them at a time."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), IDS_AT_ONCE):
        wanted = ",".join(map(str, ordered[start : start + IDS_AT_ONCE]))
        for rows in pages(connection, path, {**params, f"{field}:in": wanted}):
            yield [row for row in rows if id_of(row, field, path=path) in ids]


def order_numbered(connection: Connection, order_id: int, params: Params) -> Row | None:
    """Get one raw order; None if there is none, which 404 says, or 204.

    Raises:
        OddAnswer: What there is is no order.
    """
    path = f"/v2/orders/{order_id}"
    seen = connection.look(path, params, told=(HTTPStatus.NOT_FOUND,))
    if seen.status in (HTTPStatus.NOT_FOUND, HTTPStatus.NO_CONTENT):
        return None
    if not isinstance(seen.body, dict):
        raise OddAnswer("no order", path)
    return check_ids(path, [seen.body])[0]


def rows_of(path: str, answer: Json) -> list[Row]:
    """The rows of a list's answer; none for 204, ``{"data": null}`` and PHP's ``{}`` for nothing.

    Raises:
        OddAnswer: It is JSON, but no list of objects.
    """
    rows = _listed(path, answer)
    if not all(isinstance(row, dict) for row in rows):
        raise OddAnswer("a row that is no object", path)
    return rows


def id_of(row: Row, field: str = "id", *, path: str = "") -> int:
    """The id in a row, sent as a number or as text.

    Args:
        row: The row.
        field: Which id.
        path: Where the row was asked for, unless it was looked at before.

    Raises:
        OddAnswer: There is none, so nobody can tell what the row is of.
    """
    number = whole(row.get(field))
    if number is None:
        raise OddAnswer(f"a row without a usable {field}", path, f" (it has {_names(row)})")
    return number


def check_ids(path: str, rows: list[Row]) -> list[Row]:
    """The rows, each of which has an id.

    Raises:
        OddAnswer: One has none.
    """
    for row in rows:
        id_of(row, path=path)
    return rows


def _names(row: Row) -> str:
    """What can be told of a row that has no id: which fields there are, and no value."""
    return ", ".join(sorted(row)[:MOST_NAMED]) or "no field"


def _listed(path: str, answer: Json) -> list[Any]:
    if path.startswith("/v3/") and answer is not None:
        if not isinstance(answer, dict) or "data" not in answer:
            raise OddAnswer("no `data`", path)
        rows = answer["data"] or []
        return rows if isinstance(rows, list) else [rows]
    if answer and not isinstance(answer, list):
        raise OddAnswer("no list", path)
    return answer or []


def total_of(answer: Json) -> int:
    """How many rows a list says that it has in all; 0 if it does not say."""
    return whole(_meta(answer, "pagination").get("total")) or 0


def surely_short(count: int, limit: int) -> bool:
    """Tell whether a page of so many rows must be the last one."""
    return count < min(limit, SMALLEST_CAP)


def _more(answer: Json, rows: list[Row], limit: int) -> bool:
    """Tell from an answer whether to ask for the next page."""
    pagination = _meta(answer, "pagination")
    total, current = whole(pagination.get("total_pages")), whole(pagination.get("current_page"))
    if total is not None and current is not None:
        return current < total
    return not surely_short(len(rows), limit)


def _meta(answer: Json, name: str) -> Mapping[str, Json]:
    return _within(_within(answer, "meta"), name)


def _within(value: Json, name: str) -> Mapping[str, Json]:
    """The object of that name inside; an empty one where there is none."""
    inner = value.get(name) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}
