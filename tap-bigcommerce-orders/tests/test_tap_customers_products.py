"""Customers and products are read to the end, with every address and variant."""

from __future__ import annotations

import logging
from typing import Any

import pytest


@pytest.mark.parametrize("end", ["no link", "empty"])
@pytest.mark.parametrize("count", [0, 3, 100, 250, 501])
def test_customers_follow_the_cursor_to_either_ending(
    shop: Any, run: Any, at: Any, end: str, count: int
) -> None:
    shop.cursor_end = end
    shop.customers = [{"id": n, "date_modified": at(n)} for n in range(1, count + 1)]
    ran = run(shop, streams=("customers",))
    assert ran.error is None
    assert ran.ids("customers") == list(range(1, count + 1))
    assert ran.bookmark("customers") == (at(count) if count else None)
    assert len(shop.requests) <= count // 250 + 2


def test_customers_without_a_cursor_are_paged_by_number(
    shop: Any, run: Any, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.customers = [{"id": n, "date_modified": at(n)} for n in range(1, 301)]
    monkeypatch.setattr(
        shop, "_customers", lambda query: shop._v3_page(shop.customers, query, meta=True)
    )
    assert len(run(shop, streams=("customers",)).ids("customers")) == 300


def test_addresses_beyond_the_ten_included_are_read(shop: Any, run: Any, at: Any) -> None:
    def addresses(owner: int, count: int) -> list[dict[str, Any]]:
        return [{"id": owner * 1000 + n, "customer_id": owner, "city": ""} for n in range(count)]

    shop.addresses = addresses(1, 300) + addresses(2, 2)
    shop.customers = [
        {"id": 1, "date_modified": at(1), "address_count": 300, "addresses": addresses(1, 10)},
        {"id": 2, "date_modified": at(1), "address_count": 2, "addresses": addresses(2, 2)},
    ]
    rows = run(shop, streams=("customers",)).records("customers")
    assert [len(row["addresses"]) for row in rows] == [300, 2]
    assert {query["customer_id:in"] for query in shop.asked("/v3/customers/addresses")} == {"1"}


def test_addresses_that_came_with_a_customer_stay_where_the_list_of_them_is_empty(
    shop: Any, run: Any, at: Any
) -> None:
    included = [{"id": n, "customer_id": 1, "city": "Rome"} for n in range(10)]
    shop.customers = [{"id": 1, "date_modified": at(1), "address_count": 12, "addresses": included}]
    (row,) = run(shop, streams=("customers",)).records("customers")
    assert [address["id"] for address in row["addresses"]] == list(range(10))
    shop.addresses = [{"id": n, "customer_id": 1, "city": "Oslo"} for n in range(5, 12)]
    (row,) = run(shop, streams=("customers",)).records("customers")
    cities = {address["id"]: address["city"] for address in row["addresses"]}
    assert cities == {**dict.fromkeys(range(5), "Rome"), **dict.fromkeys(range(5, 12), "Oslo")}


@pytest.mark.parametrize("stream", ["customers", "products"])
def test_rows_without_a_date_of_modification_make_no_line_of_log_each(
    shop: Any, run: Any, at: Any, caplog: pytest.LogCaptureFixture, stream: str
) -> None:
    rows = [{"id": n} for n in range(1, 21)]
    setattr(shop, stream, [*rows[:10], {"id": 50, "date_modified": at(7)}, *rows[10:]])
    caplog.set_level(logging.WARNING)
    ran = run(shop, streams=(stream,))
    assert len(ran.ids(stream)) == 21
    assert ran.bookmark(stream) == at(7)
    assert caplog.messages == []


def test_customers_before_the_bookmark_are_not_written_even_if_the_filter_is_ignored(
    shop: Any, run: Any, at: Any
) -> None:
    shop.customers = [{"id": n, "date_modified": at(n)} for n in range(1, 11)]
    bookmark = {"replication_key_value": at(8), "store_hash": "abc123"}
    state = {"bookmarks": {"customers": bookmark}}
    ran = run(shop, streams=("customers",), state=state, lookback_seconds=2)
    assert ran.ids("customers") == [6, 7, 8, 9, 10]
    assert shop.asked("/v3/customers")[0]["date_modified:min"] == at(6)


@pytest.mark.parametrize("paging", ["cursor", "number"])
@pytest.mark.parametrize("stream", ["customers", "products"])
def test_a_page_of_old_rows_alone_does_not_end_the_reading_where_the_filter_is_ignored(
    shop: Any, run: Any, at: Any, monkeypatch: pytest.MonkeyPatch, stream: str, paging: str
) -> None:
    rows = [{"id": n, "date_modified": at(n)} for n in range(1, 601)]
    setattr(shop, stream, rows)
    shop.ignored = {"date_modified:min"} | ({"id:greater"} if paging == "number" else set())
    if paging == "number":
        monkeypatch.setattr(
            shop, "_customers", lambda query: shop._v3_page(shop.customers, query, meta=True)
        )
    bookmark = {"replication_key_value": at(590), "store_hash": "abc123"}
    ran = run(shop, streams=(stream,), state={"bookmarks": {stream: bookmark}}, lookback_seconds=0)
    assert ran.error is None
    assert ran.ids(stream) == list(range(590, 601))


@pytest.mark.parametrize("ignored", [set(), {"id:greater"}])
@pytest.mark.parametrize("count", [0, 49, 250, 260, 501])
def test_products_are_paged_by_id(
    shop: Any, run: Any, at: Any, ignored: set[str], count: int
) -> None:
    shop.ignored = ignored
    shop.products = [
        {"id": n, "date_modified": at(n), "price": 9.5, "variants": [{"id": n, "price": None}]}
        for n in range(1, count + 1)
    ]
    ran = run(shop, streams=("products",))
    assert ran.error is None
    assert sorted(set(ran.ids("products"))) == list(range(1, count + 1))
    assert all(row["price"] == "9.5" for row in ran.records("products"))


def test_a_product_deleted_while_paging_hides_no_other(shop: Any, run: Any, at: Any) -> None:
    shop.products = [{"id": n, "date_modified": at(n)} for n in range(1, 31)]
    seen: list[int] = []

    def delete_one(_path: str, _query: dict[str, str]) -> None:
        seen.append(1)
        if len(seen) == 2:
            shop.products = [p for p in shop.products if p["id"] != 1]

    shop.before_answer = delete_one
    ran = run(shop, streams=("products",), page_size=10)
    assert ran.ids("products") == list(range(1, 31))


def test_products_are_asked_with_full_timestamps(shop: Any, run: Any) -> None:
    run(shop, streams=("products",), start_date="2026-11-01")
    assert shop.asked("/v3/catalog/products")[0]["date_modified:min"] == "2026-11-01T00:00:00Z"


def test_a_customer_dated_in_the_future_does_not_push_the_bookmark(shop: Any, run: Any) -> None:
    shop.customers = [{"id": 1, "date_modified": "2999-01-01T00:00:00+00:00"}]
    assert run(shop, streams=("customers",)).bookmark("customers") < "2999"


def test_small_tables_are_typed(shop: Any, run: Any) -> None:
    ran = run(shop, streams=("store", "tax_classes", "currencies", "order_statuses"))
    tax_class = {"id": 1, "name": "Default", "created_at": None, "updated_at": None}
    assert ran.records("tax_classes") == [{**tax_class, "store_hash": "abc123"}]
    assert ran.records("currencies")[0]["currency_exchange_rate"] == "1.00"
    assert ran.records("store")[0]["timezone"]["name"] == "UTC"


def test_streams_whose_bookmark_moves_at_their_end_raise_no_alarm(
    shop: Any, run: Any, at: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shop.customers = [{"id": n, "date_modified": at(n)} for n in (2, 1)]
    assert run(shop, streams=("customers",)).error is None
    assert "resumable" not in caplog.text
    logging.getLogger("singer_sdk").warning("New replication value is null")
    assert "New replication value is null" in caplog.text
