"""What is found of lists: filters, order, limits, ends, quota, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from connector_credentials.quota_headers import header_number

from tap_bigcommerce_orders.normalize import whole
from tap_bigcommerce_orders.pages import MAX_LIMIT
from tap_bigcommerce_orders.probe.evidence import rows_of, within
from tap_bigcommerce_orders.probe.finding import Finding, Found, told_by, unseen

if TYPE_CHECKING:
    from tap_bigcommerce_orders.connection import Seen
    from tap_bigcommerce_orders.probe.evidence import Evidence

ENOUGH_TIES = 3


def filters(evidence: Evidence) -> Finding:
    """Whether bounds of date_modified belong to what is asked for."""
    ids = {name: {whole(row.get("id")) for row in evidence.rows(name)} for name in _BOUNDS}
    if evidence.probed not in ids["around"]:
        return unseen("order that stayed as it was meanwhile")
    if not ids["around"] < evidence.orders.keys() and len(ids["around"]) == len(evidence.orders):
        return Finding(None, "the filters are ignored: the list gave every order")
    low, high = (evidence.probed in ids[name] for name in ("from on", "until"))
    grounds = f"the minimum {_with(low)}, the maximum {_with(high)} an order of that very second"
    return Finding(low if low == high else None, grounds)


_BOUNDS = ("around", "from on", "until")


def _with(included: bool) -> str:
    return "includes" if included else "leaves out"


def ties(evidence: Evidence) -> Finding:
    """How orders stand that are equal in the sort."""
    first, again = (
        [group for group in _tied(evidence, name) if len(group) >= ENOUGH_TIES]
        for name in ("sorted", "sorted again")
    )
    if not first:
        return unseen(f"status with {ENOUGH_TIES} orders")
    grounds = f"{sum(map(len, first))} orders in {len(first)} groups, sorted by status, twice"
    common = {n for group in first for n in group} & {n for group in again for n in group}
    if [n for group in first for n in group if n in common] != [
        n for group in again for n in group if n in common
    ]:
        return Finding("random", grounds)
    if all(group == sorted(group) for group in first):
        return Finding("id", grounds)
    if all(group == sorted(group, reverse=True) for group in first):
        return Finding("id_desc", grounds)
    return Finding("shuffled", grounds)


def _tied(evidence: Evidence, question: str) -> Iterator[list[int]]:
    rows = evidence.rows(question)
    for _, group in groupby(rows, key=lambda row: whole(row.get("status_id"))):
        yield [n for n in (whole(row.get("id")) for row in group) if n is not None]


def sorting(evidence: Evidence) -> Finding:
    """Whether the list is sorted as asked."""
    statuses = [whole(row.get("status_id")) or 0 for row in evidence.rows("sorted")]
    if len(set(statuses)) < 2:  # noqa: PLR2004 - of one status there is no order
        return unseen("second status")
    kept = all(one <= after for one, after in pairwise(statuses))
    return Finding(kept, f"{len(statuses)} orders asked for by status")


def limit(evidence: Evidence) -> Finding:
    """What more than the documented most gets."""
    seen = evidence.asked.get("limit 251")
    if seen is None:
        return unseen("order")
    refused = seen.status >= HTTPStatus.BAD_REQUEST
    grounds = f"limit=251 was answered {seen.status}"
    return Finding(str(seen.status) if refused else "clamp", grounds)


def empty(evidence: Evidence) -> Finding:
    """What stands for no row at all in v2 lists."""
    bare = next((s for s in evidence.of_order["no coupons"].values() if not rows_of(s)), None)
    whole_list = evidence.asked.get("no orders")
    if bare is None or whole_list is None or rows_of(whole_list):
        return unseen("empty list")
    ways = [_nothing(whole_list), _nothing(bare)]
    grounds = f"no orders: {ways[0]}; no coupons of an order: {ways[1]}"
    return Finding(ways[0] if ways[0] == ways[1] else "mixed", grounds)


def _nothing(seen: Seen) -> str:
    return str(seen.status) if seen.body is None else "[]"


def archived_listed(evidence: Evidence) -> Finding:
    """Whether the list has archived orders."""
    archived = sum(row.get("is_deleted") is True for row in evidence.orders.values())
    if archived:
        return Finding(True, f"{archived} orders of the list are archived")
    count = _archived_by_number(evidence)
    if not count:
        return unseen("archived order")
    return Finding(False, f"{count} archived orders are to be had by number only")


def archived_found(evidence: Evidence) -> Finding:
    """What an archived order's own address gives."""
    seen = evidence.of_order["by number"]
    listed = {n for n in seen if n in evidence.orders}
    if count := _archived_by_number(evidence):
        return Finding("found", f"{count} of {len(seen)} numbers asked for gave archived orders")
    if not seen:
        return unseen("missing number in the list")
    gone = sum(one.status == HTTPStatus.NOT_FOUND for one in seen.values())
    if gone == len(seen):
        which = "archived orders" if listed else "numbers missing in the list"
        return Finding("404", f"{gone} of {len(seen)} {which} gave 404")
    return unseen("archived order")


def _archived_by_number(evidence: Evidence) -> int:
    bodies = (seen.body for seen in evidence.of_order["by number"].values())
    return sum(isinstance(body, Mapping) and body.get("is_deleted") is True for body in bodies)


def deleted_filter(evidence: Evidence) -> Finding:
    """Whether the filter is_deleted, which is in the documentation no more, does something."""
    seen = evidence.asked.get("deleted")
    if seen is None or seen.status >= HTTPStatus.BAD_REQUEST:
        return unseen("answer to is_deleted")
    others = sum(row.get("is_deleted") is not True for row in rows_of(seen))
    return Finding(
        "ignored" if others else "honoured",
        f"is_deleted=true gave {others} orders that are not",
    )


def last_page(evidence: Evidence) -> Finding:
    """How paging by cursor ends."""
    seen = evidence.asked.get("last page")
    if seen is None or not within(seen.body, "meta", "cursor_pagination"):
        return unseen("customer, or no cursor")
    after = evidence.asked.get("after the last page")
    if after is None:
        return Finding("no_next", "the last page has no next link")
    return Finding("count_0", f"the last page leads on to one of {len(rows_of(after))} rows")


def refunds_meta(evidence: Evidence) -> Finding:
    """Whether refunds tell how many there are."""
    return _meta(evidence.asked.get("refunds"), "refunds")


def transactions_meta(evidence: Evidence) -> Finding:
    """Whether transactions tell how many there are."""
    answered = (seen for seen in evidence.of_order["transactions"].values() if rows_of(seen))
    return _meta(next(answered, None), "transactions")


def _meta(seen: Seen | None, what: str) -> Finding:
    if seen is None or seen.status != HTTPStatus.OK:
        return unseen(f"answer with {what}")
    paginated = bool(within(seen.body, "meta", "pagination"))
    return Finding("pagination" if paginated else "empty", f"meta of {len(rows_of(seen))} {what}")


def refund_filters(evidence: Evidence) -> Finding:
    """Whether refunds can be asked for by their orders."""
    every, some = evidence.rows("refunds"), evidence.rows("refunds of orders")
    asked = set(evidence.of_order["transactions"])
    others = sum(whole(row.get("order_id")) not in asked for row in every)
    if not others or not some:
        return unseen("refund of another order")
    kept = all(whole(row.get("order_id")) in asked for row in some)
    return Finding(kept, f"order_id:in gave {len(some)} of at least {len(every)} refunds")


def quota(evidence: Evidence) -> Finding:
    """How many requests a window allows."""
    left = _last(evidence, "X-Rate-Limit-Requests-Left")
    rest = "the answers do not say how many were left" if left is None else f"{left} were left"
    return _of_headers(
        _last(evidence, "X-Rate-Limit-Requests-Quota"), f"requests; {rest} at the end"
    )


def quota_window(evidence: Evidence) -> Finding:
    """How many seconds a window of the quota has."""
    milliseconds = _last(evidence, "X-Rate-Limit-Time-Window-Ms")
    return _of_headers(None if milliseconds is None else milliseconds // 1000, "seconds")


def _last(evidence: Evidence, name: str) -> int | None:
    number = header_number(evidence.seen[-1][1].headers, name)
    return None if number is None else int(number)


def _of_headers(number: int | None, words: str) -> Finding:
    if number is None:
        return Finding(None, "the answers have no quota headers")
    return Finding(number, f"{words}, by the headers of the last answer")


def forbidden(evidence: Evidence) -> Finding:
    """What a refusal for want of a scope looks like in v2."""
    refused = [
        "array" if isinstance(seen.body, list) else "object"
        for path, seen in evidence.seen
        if path.startswith("/v2/") and seen.status == HTTPStatus.FORBIDDEN
    ]
    return told_by(refused, "refusals")


def answers_for(evidence: Evidence) -> Finding:
    """Which store answers."""
    seen = evidence.asked["store"]
    own_id: Found = within(seen.body).get("id") or ""
    return Finding(own_id, "by its own id") if own_id else unseen("answer of the store")


def transactions_none(evidence: Evidence) -> Finding:
    """What an order without transactions gets."""
    seen = evidence.of_order["transactions"].values()
    without = (one for one in seen if one.status != HTTPStatus.FORBIDDEN and not rows_of(one))
    return told_by((str(one.status) for one in without), "orders without transactions")


def transaction_pages(evidence: Evidence) -> Finding:
    """Whether transactions can be paged."""
    for seen in evidence.of_order["one transaction"].values():
        given = len(rows_of(seen))
        return Finding("honoured" if given == 1 else "ignored", f"limit=1 gave {given}")
    return unseen("order with several transactions")


def most_transactions(evidence: Evidence) -> Finding:
    """How many transactions of an order are given at most."""
    most = 0
    for seen in evidence.of_order["transactions"].values():
        given = len(rows_of(seen))
        total = whole(within(seen.body, "meta", "pagination").get("total")) or 0
        if total > given:
            return Finding(given, f"{given} of {total} were given of an order")
        most = max(most, given)
    return unseen(f"order with more than {MAX_LIMIT} transactions (of those read {most} at most)")
