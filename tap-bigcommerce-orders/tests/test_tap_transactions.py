"""An order's transactions: none, one, more than a page, or not to be read at all."""

from __future__ import annotations

from typing import Any

import pytest
from tap_bigcommerce_orders.errors import GaveUp, ScopeMissing


@pytest.mark.parametrize("none_is", ["204", "[]", "404"])
def test_an_order_without_transactions_is_not_dropped(shop: Any, run: Any, none_is: str) -> None:
    shop.none_is = none_is
    for number in range(1, 6):
        shop.order(number, number)
        shop.transactions[number] = []
    ran = run(shop)
    assert ran.error is None
    assert ran.ids("orders") == [1, 2, 3, 4, 5]
    assert ran.records("transactions") == []
    assert shop.counts()["/v2/orders/N"] <= 5 * (none_is == "404")


def test_a_404_means_none_only_if_the_order_exists(shop: Any, run: Any) -> None:
    shop.none_is = "404"
    shop.order(1, 1)
    shop.transactions[1] = []
    shop.fault("/v2/orders/1", "404", times=9)
    (order,) = run(shop).records("orders")
    assert order["unreadable_parts"] == ["/v3/orders/1/transactions"]


def test_a_missing_scope_is_named(shop: Any, run: Any) -> None:
    shop.order(1, 1)
    shop.fault("/v3/orders/1/transactions", "403", times=9)
    ran = run(shop)
    assert isinstance(ran.error, ScopeMissing)
    assert "store_v2_transactions_read_only" in str(ran.error)
    assert ran.ids("orders") == []


def test_an_unreachable_payments_service_is_tried_again_then_fails_the_run(
    shop: Any, run: Any
) -> None:
    shop.order(1, 1)
    shop.fault("/v3/orders/1/transactions", "503", times=2)
    assert run(shop).ids("orders") == [1]
    shop.fault("/v3/orders/1/transactions", "503", times=999)
    ran = run(shop, max_retry_seconds=1)
    assert isinstance(ran.error, GaveUp)
    assert ran.ids("orders") == []


@pytest.mark.parametrize("paging", ["works", "repeats", "is not told"])
def test_many_transactions_are_read_and_a_repeated_page_ends_it(
    shop: Any, run: Any, paging: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.order(1, 1)
    rows = [shop.transaction(1, number) for number in range(1, 301)]
    plain = shop.answer

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        if path != "/v3/orders/1/transactions":
            return plain(path, query)
        page = 1 if paging == "repeats" else int(query.get("page", 1))
        found = rows[(page - 1) * 250 : page * 250]
        meta = {"pagination": {"total": 300, "total_pages": 2, "current_page": page}}
        return 200, {"data": found, "meta": {} if paging == "is not told" else meta}

    monkeypatch.setattr(shop, "answer", answer)
    ran = run(shop)
    assert ran.error is None
    assert len(ran.ids("transactions")) == (250 if paging == "repeats" else 300)
    assert len(shop.asked("/v3/orders/1/transactions")) <= 3
    (order,) = ran.records("orders")
    assert order.get("transactions_truncated", False) is (paging == "repeats")


@pytest.mark.parametrize("last", [{"data": [], "meta": {}}, {"data": [], "meta": None}, None])
def test_a_total_that_only_the_first_page_tells_is_held_against_what_came(
    shop: Any, run: Any, monkeypatch: pytest.MonkeyPatch, last: Any
) -> None:
    shop.order(1, 1)
    rows = [shop.transaction(1, number) for number in range(1, 102)]
    plain = shop.answer

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        if path != "/v3/orders/1/transactions":
            return plain(path, query)
        told = {"total": 120, "total_pages": 2, "current_page": 1}
        first = {"data": rows, "meta": {"pagination": told}}
        return (200, first) if query["page"] == "1" else (200 if last else 204, last)

    monkeypatch.setattr(shop, "answer", answer)
    (order,) = run(shop).records("orders")
    assert order["transactions_truncated"] is True


@pytest.mark.parametrize("full", [50, 100, 250])
def test_a_full_page_without_a_total_may_not_be_all_and_the_order_says_so(
    shop: Any, run: Any, monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    shop.order(1, 1)
    shop.order(2, 2)
    rows = [shop.transaction(1, number) for number in range(1, full + 1)]
    plain = shop.answer

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        many = path == "/v3/orders/1/transactions"
        return (200, {"data": rows, "meta": {}}) if many else plain(path, query)

    monkeypatch.setattr(shop, "answer", answer)
    marked = {row["id"]: row.get("transactions_truncated") for row in run(shop).records("orders")}
    assert marked == {1: True, 2: None}


def test_amounts_are_exact_text_and_order_ids_numbers(shop: Any, run: Any) -> None:
    shop.order(1, 1)
    shop.transactions[1] = [shop.transaction(1, 1, amount=5), shop.transaction(1, 2, amount=50.5)]
    rows = run(shop).records("transactions")
    assert [row["amount"] for row in rows] == ["5", "50.5"]
    assert rows[0]["order_id"] == 1
    assert rows[0]["date_created"] == "2026-11-01T00:00:00Z"
    assert rows[0]["reference_transaction_id"] is None
    assert rows[0]["credit_card"] is None
