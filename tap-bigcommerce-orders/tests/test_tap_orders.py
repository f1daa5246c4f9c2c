"""An order comes after everything that belongs to it, and the bookmark after complete pages."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from connector_credentials.settings import SettingError


def test_an_order_comes_after_its_transactions_refunds_and_taxes(shop: Any, run: Any) -> None:
    for number in range(1, 8):
        shop.order(number, number, total_tax="1.0000")
        shop.taxes[number] = [{"id": number, "name": "GST", "rate": "8.0000"}]
        shop.refund(number, number, 60)
    ran = run(shop, page_size=3)
    assert ran.error is None
    said: dict[int, list[str]] = {}
    for message in ran.messages:
        if message["type"] == "RECORD":
            order = message["record"].get("order_id") or message["record"]["id"]
            said.setdefault(order, []).append(message["stream"])
    whole = ["transactions", "refunds", "order_taxes", "orders"]
    assert said == dict.fromkeys(range(1, 8), whole)


def test_there_is_one_schema_per_stream_and_one_state_per_page(shop: Any, run: Any) -> None:
    for number in range(1, 61):
        shop.order(number, number)
    ran = run(shop, page_size=20)
    schemas = Counter(m["stream"] for m in ran.messages if m["type"] == "SCHEMA")
    assert schemas == dict.fromkeys(("orders", "transactions", "refunds", "order_taxes"), 1)
    assert len(ran.states) <= 4 + 3  # pages, and beginning, sweep and end
    assert len({len(str(state)) for state in ran.states[1:4]}) == 1


def test_the_state_is_never_ahead_of_the_records(shop: Any, run: Any, at: Any) -> None:
    for number in range(1, 31):
        shop.order(number, number)
    ran = run(shop, page_size=7)
    written: set[int] = set()
    for message in ran.messages:
        if message["type"] == "RECORD" and message["stream"] == "orders":
            written.add(message["record"]["id"])
        if message["type"] == "STATE":
            mark = message["value"]["bookmarks"].get("orders", {}).get("replication_key_value")
            passed = {n for n in range(1, 31) if mark and at(n) <= mark}
            assert passed <= written


def test_a_failed_part_fails_the_run_before_its_order_and_a_rerun_gets_everything(
    shop: Any, run: Any, at: Any
) -> None:
    for number in range(1, 21):
        shop.order(number, number)
    shop.fault("/v3/orders/14/transactions", "500", times=99)
    broken = run(shop, page_size=5, max_retry_seconds=0)
    assert "/v3/orders/14/transactions" in str(broken.error)
    assert at(10) <= broken.bookmark() < at(14)
    assert broken.bookmark("refunds") is None
    assert broken.bookmark("transactions") is None
    assert 14 not in broken.ids("orders")
    with_parts = {row["order_id"] for row in broken.records("transactions")}
    assert set(broken.ids("orders")) <= with_parts
    shop.faults.clear()
    healed = run(shop, page_size=5, state=broken.states[-1])
    assert healed.error is None
    assert set(broken.ids("orders")) | set(healed.ids("orders")) == set(range(1, 21))
    assert healed.bookmark() == at(20)


def test_the_next_run_starts_at_the_bookmark_less_the_lookback(
    shop: Any, run: Any, at: Any
) -> None:
    for number in (1, 500, 900, 1000):
        shop.order(number, number)
    first = run(shop)
    shop.order(2000, 2000)
    again = run(shop, state=first.states[-1], lookback_seconds=100)
    assert again.ids("orders") == [900, 1000, 2000]
    assert again.bookmark() == at(2000)
    only_last = run(shop, state=again.states[-1], lookback_seconds=0)
    assert only_last.ids("orders") == [2000]


def test_a_stream_that_is_to_be_read_in_full_is_whatever_its_bookmark(
    shop: Any, run: Any, at: Any
) -> None:
    for n in range(1, 4):
        shop.order(n, n * 3600)
        shop.refund(n, n, n * 3600)
    shop.customers = [{"id": n, "date_modified": at(n * 3600)} for n in range(1, 4)]
    shop.products = [{"id": n, "date_modified": at(n * 3600)} for n in range(1, 4)]
    streams = ("orders", "refunds", "customers", "products")
    state = run(shop, streams=streams).states[-1]
    assert run(shop, streams=streams, state=state).ids("orders") == [3]
    again = run(shop, streams=streams, state=state, full_table=streams)
    for name in streams:
        assert sorted(set(again.ids(name))) == [1, 2, 3], name
    assert again.bookmark() == at(3 * 3600)


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("where", ["start_date", "end_date", "bookmark"])
def test_a_day_at_the_edge_of_the_calendar_is_a_day_like_any_other(
    shop: Any, run: Any, edge: str, where: str
) -> None:
    shop.order(1, 1)
    shop.refund(1, 1, 1)
    bookmark = {"replication_key_value": edge, "store_hash": "abc123"}
    names = ("orders", "refunds", "customers", "products")
    state = {"bookmarks": {name: dict(bookmark) for name in names}} if where == "bookmark" else None
    more = {} if where == "bookmark" else {where: edge}
    ran = run(shop, streams=None, state=state, lookback_seconds=10 * 365 * 86_400, **more)
    assert ran.error is None
    early = edge.startswith("0001")
    assert ran.ids("orders") == ([1] if early == (where != "end_date") else [])


def test_start_date_and_end_date_bound_the_window(shop: Any, run: Any, at: Any) -> None:
    for number in range(1, 10):
        shop.order(number, number)
    ran = run(shop, start_date=at(3), end_date=at(6))
    assert ran.ids("orders") == [3, 4, 5, 6]
    assert ran.bookmark() == at(6)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("2026-01-01", "2025-12-31T23:59:59Z"),
        ("20260101", "2025-12-31T23:59:59Z"),
        ("2026-01-01T00:00:00", "2025-12-31T23:59:59Z"),
        ("2026-01-01 00:00:00.5Z", "2025-12-31T23:59:59Z"),
        ("2026-01-01T02:00:00+02:00", "2025-12-31T23:59:59Z"),
        ("20260101T053000+0530", "2025-12-31T23:59:59Z"),
        ("", None),
        (None, None),
    ],
)
def test_a_start_date_is_any_iso_8601_date_or_time(
    shop: Any, run: Any, given: str | None, asked: str | None
) -> None:
    assert run(shop, streams=("orders",), start_date=given).error is None
    assert shop.asked("/v2/orders")[0].get("min_date_modified") == asked


@pytest.mark.parametrize(
    ("streams", "asked"),
    [
        (("orders",), {"/v2/orders"}),
        (("transactions",), {"/v2/orders", "/v3/orders/N/transactions"}),
        (("refunds",), {"/v2/orders", "/v3/orders/payment_actions/refunds"}),
        (("store",), {"/v2/store"}),
        (("order_taxes", "order_coupons"), {"/v2/orders", "/v2/orders/N/taxes"}),
        (("tax_classes", "currencies"), {"/v2/tax_classes", "/v2/currencies"}),
    ],
)
def test_only_the_requests_of_selected_streams_are_made(
    shop: Any, run: Any, streams: tuple[str, ...], asked: set[str]
) -> None:
    shop.order(1, 1, total_tax="1.0000")
    ran = run(shop, streams=streams)
    assert ran.error is None
    assert set(shop.counts()) == asked
    assert {m["stream"] for m in ran.messages if m["type"] in ("RECORD", "SCHEMA")} <= set(streams)


def test_taxes_and_coupons_are_asked_only_where_there_are_any(shop: Any, run: Any) -> None:
    shop.order(1, 1)
    shop.order(2, 2, total_tax="0.0100")
    shop.order(3, 3, coupon_discount="5.0000")
    shop.coupons[3] = [{"id": 1, "coupon_id": 1, "code": "X", "amount": 5, "discount": 5}]
    ran = run(shop, streams=("orders", "order_taxes", "order_coupons"))
    assert sorted(path for path, _, _ in shop.requests) == [
        "/v2/orders",
        "/v2/orders/2/taxes",
        "/v2/orders/3/coupons",
    ]
    assert shop.asked("/v2/orders/2/taxes")[0]["details"] == "true"
    assert ran.records("order_coupons")[0]["discount"] == "5"


def test_more_tax_rows_than_a_page_are_all_read_and_repeated_ids_numbered(
    shop: Any, run: Any
) -> None:
    shop.order(1, 1, total_tax="1.0000")
    shop.taxes[1] = [{"id": 5, "order_product_id": str(n)} for n in range(1, 301)]
    ran = run(shop, streams=("order_taxes",))
    rows = ran.records("order_taxes")
    assert len({(row["order_id"], row["id"], row["row"]) for row in rows}) == 300
    last = {"id": 5, "order_product_id": 300, "order_id": 1, "row": 299, "store_hash": "abc123"}
    assert rows[299] == last


def test_order_ids_fetches_just_these_and_leaves_the_state_alone(
    shop: Any, run: Any, at: Any
) -> None:
    for number in range(1, 6):
        shop.order(number, number, customer_id=number)
    shop.customers = [{"id": n, "date_modified": at(1)} for n in range(1, 6)]
    shop.products = [{"id": n, "date_modified": at(1)} for n in (1, 2)]
    shop.refund(9, 4, 60)
    state = {"bookmarks": {"orders": {"replication_key": "date_modified"}, "store": {}}}
    ran = run(shop, streams=None, order_ids=[4, 2, 4], state=state)
    assert ran.error is None
    assert ran.ids("orders") == [2, 4]
    assert ran.ids("transactions") == [200, 400]
    assert ran.ids("refunds") == [9]
    assert ran.ids("customers") == [2, 4]
    assert ran.ids("products") == [1]
    assert all(value == state for value in ran.states)
    assert not shop.asked("/v2/orders")
    assert len(shop.asked("/v2/orders/2")) == 1


def test_order_ids_without_a_state_writes_none(shop: Any, run: Any) -> None:
    shop.order(1, 1)
    assert run(shop, order_ids=[1]).states == []


def test_an_order_that_does_not_exist_is_named_and_left_out(
    shop: Any, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shop.order(1, 1)
    ran = run(shop, order_ids=[1, 99])
    assert ran.error is None
    assert ran.ids("orders") == [1]
    assert "no such orders: 99" in caplog.text


def test_a_page_makes_one_line_of_log_and_an_order_none(
    shop: Any, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for number in range(1, 61):
        shop.order(number, number)
    run(shop, page_size=20)
    lines = [r for r in caplog.records if r.name.startswith("tap-bigcommerce-orders.orders")]
    assert sum("Read " in line.getMessage() for line in lines) == len(shop.asked("/v2/orders"))
    assert len(caplog.records) < 30


def test_an_empty_shop_is_no_error(shop: Any, run: Any) -> None:
    ran = run(shop, streams=None)
    assert ran.error is None
    assert ran.ids("orders") == []


def test_the_page_limit_is_never_above_250(shop: Any, run: Any, at: Any) -> None:
    shop.order(1, 1)
    shop.customers = [{"id": 1, "date_modified": at(1)}]
    run(shop, streams=None, page_size=250)
    limits = [int(query["limit"]) for _, query, _ in shop.requests if "limit" in query]
    assert max(limits) == 250


@pytest.mark.parametrize("name", ["lookback_seconds", "request_timeout", "max_retry_seconds"])
def test_seconds_beyond_all_measure_are_told_with_their_setting(
    shop: Any, run: Any, at: Any, name: str
) -> None:
    bookmark = {"replication_key_value": at(1), "store_hash": "abc123"}
    state = {"bookmarks": {"orders": {"replication_key": "date_modified", **bookmark}}}
    with pytest.raises(SettingError, match=f"{name} is .*: it must be a whole number from"):
        run(shop, state=state, **{name: 99_999_999_999})
