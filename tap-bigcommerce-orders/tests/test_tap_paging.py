"""No order is lost by paging, whatever the API leaves open and whatever moves meanwhile."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tap_bigcommerce_orders.errors import UnexpectedAnswer
from tap_bigcommerce_orders.order_pages import OrderPages

T0 = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("size", [2, 5, 50])
def test_equal_timestamps_are_never_skipped(
    shop: Any, run: Any, inclusive: bool, size: int
) -> None:
    shop.inclusive = inclusive
    shop.rng = random.Random(7)  # noqa: S311 - ties
    for number in range(1, 41):
        shop.order(number, number // 13)
    ran = run(shop, page_size=size, streams=("orders",))
    assert ran.error is None
    assert sorted(ran.ids("orders")) == list(range(1, 41))


@pytest.mark.parametrize("inclusive", [True, False])
def test_an_order_that_is_modified_while_paging_loses_no_other(
    shop: Any, run: Any, inclusive: bool
) -> None:
    shop.inclusive = inclusive
    for number in range(1, 31):
        shop.order(number, number // 4)
    moved = iter(range(1, 31, 3))

    def move_one(path: str, _query: dict[str, str]) -> None:
        if path == "/v2/orders" and (number := next(moved, None)):
            shop.touch(number, 10_000_000)

    shop.before_answer = move_one
    first = run(shop, page_size=4, streams=("orders",))
    shop.before_answer = None
    moved_after = [n for n in range(1, 31) if n not in first.ids("orders")]
    assert all(shop.orders[n]["date_modified"].split()[2] == "Feb" for n in moved_after)
    assert first.error is None


def test_a_date_in_the_future_waits_and_does_not_push_the_bookmark(
    shop: Any, run: Any, at: Any
) -> None:
    shop.order(1, 5)
    shop.order(2, 400_000_000)
    for ignored in (set(), {"max_date_modified"}):
        shop.ignored = ignored
        ran = run(shop, streams=("orders",))
        assert ran.ids("orders") == [1]
        assert ran.bookmark() == at(5)


@pytest.mark.parametrize(
    "ignored",
    [
        {"min_date_modified"},
        {"max_date_modified"},
        {"min_date_modified", "max_date_modified"},
        {"min_date_modified", "max_date_modified", "min_id"},
        {"sort"},
        {"sort", "min_id"},
        {"min_id"},
    ],
    ids=lambda names: "+".join(sorted(names)),
)
def test_a_filter_that_is_ignored_neither_loops_nor_loses(
    shop: Any, run: Any, at: Any, ignored: set[str]
) -> None:
    shop.ignored = ignored
    for number in range(1, 31):
        shop.order(number, (number * 7) % 31 // 3 + 10)
    ran = run(shop, page_size=3, start_date=at(13), streams=("orders",))
    wanted = {n for n in range(1, 31) if (n * 7) % 31 // 3 + 10 >= 13}
    assert ran.error is None
    assert set(ran.ids("orders")) == wanted
    assert ran.bookmark() == at(20)
    assert len(shop.requests) < 150


def test_an_api_that_repeats_one_page_stops_the_run(shop: Any, run: Any) -> None:
    shop.ignored = {"page", "min_date_modified", "max_date_modified", "min_id", "sort"}
    for number in range(1, 31):
        shop.order(number, 31 - number)
    ran = run(shop, page_size=3, streams=("orders",))
    assert isinstance(ran.error, UnexpectedAnswer)
    assert ran.bookmark() is None


def test_an_api_that_caps_the_limit_loses_nothing(shop: Any, run: Any) -> None:
    shop.cap = 60
    for number in range(1, 201):
        shop.order(number, number)
    ran = run(shop, streams=("orders",))
    assert ran.ids("orders") == list(range(1, 201))


def test_an_order_without_a_modification_date_is_not_dropped() -> None:
    api = OrderPages(
        lambda _params: [{"id": 1, "date_modified": ""}], start=None, end=T0, limit=250
    )
    assert [row["id"] for page in api for row in page.rows] == [1]


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_list_that_can_be_paged_in_no_way_stops_the_run(shuffled: bool) -> None:
    rng, asked = random.Random(7), []  # noqa: S311 - an order
    rows = [{"id": n, "date_modified": T0.isoformat()} for n in range(1, 51)]

    def fetch(params: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append(params)
        assert len(asked) < 20, "paging does not end"
        return rng.sample(rows, len(rows)) if shuffled else rows

    with pytest.raises(UnexpectedAnswer, match="the same orders twice"):
        list(OrderPages(fetch, start=T0, end=T0 + timedelta(days=1), limit=50))


@settings(max_examples=150, deadline=None)
@example(times=[3, 3], size=1, inclusive=True, start=3, end=5, moves=[1, 6, 20, 17], seed=8)
@given(
    times=st.lists(st.integers(0, 6), max_size=40),
    size=st.integers(1, 7),
    inclusive=st.booleans(),
    start=st.none() | st.integers(0, 6),
    end=st.integers(0, 6),
    moves=st.lists(st.integers(1, 40), max_size=12),
    seed=st.integers(0, 99),
)
def test_every_order_of_the_window_is_given_once_or_has_moved_out_of_it(
    times: list[int],
    size: int,
    inclusive: bool,
    start: int | None,
    end: int,
    moves: list[int],
    seed: int,
) -> None:
    table = dict(enumerate(times, 1))
    rng = random.Random(seed)  # noqa: S311 - ties
    pending = list(moves)

    def text(offset: int) -> str:
        return (T0 + timedelta(seconds=offset)).isoformat()

    def offset(value: Any) -> int:
        return int((datetime.fromisoformat(value) - T0).total_seconds())

    def fetch(params: dict[str, Any]) -> list[dict[str, Any]]:
        if pending:
            number = pending.pop()
            if number in table:
                table[number] = 100  # modified now: beyond the window's end
        rows = [(time, number) for number, time in table.items()]
        edge = 0 if inclusive else 1
        if low := params.get("min_date_modified"):
            rows = [row for row in rows if row[0] >= offset(low) + edge]
        rows = [row for row in rows if row[0] <= offset(params["max_date_modified"]) - edge]
        rows = [
            row for row in rows if row[1] >= params.get("min_id", 0) + edge * ("min_id" in params)
        ]
        if params["sort"] == "date_modified:asc":
            rows.sort(key=lambda row: (row[0], rng.random()))
        else:
            rows.sort(key=lambda row: row[1])
        first = (params["page"] - 1) * size
        return [{"id": n, "date_modified": text(t)} for t, n in rows[first : first + size]]

    begin = None if start is None else T0 + timedelta(seconds=start)
    pages = OrderPages(fetch, start=begin, end=T0 + timedelta(seconds=end), limit=size)
    given_ids: list[int] = []
    for page in pages:
        given_ids += [row["id"] for row in page.rows]
        assert page.through is not None
        assert page.through <= T0 + timedelta(seconds=end)
        passed = (page.through - T0).total_seconds()
        assert {n for n, t in table.items() if (start or 0) <= t < passed} <= set(given_ids)
    assert len(given_ids) == len(set(given_ids))
    top = (
        end if inclusive else end - 1
    )  # an exclusive maximum leaves the last second to the next run
    assert {n for n, t in table.items() if (start or 0) <= t <= top} <= set(given_ids)
