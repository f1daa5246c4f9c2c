"""Refunds come with their orders, and those made since bring their orders along."""

from __future__ import annotations

import random
from typing import Any

import pytest

HOUR = 3600


def test_refunds_are_read_in_bulk_with_short_addresses(shop: Any, run: Any) -> None:
    for number in range(1_000_001, 1_000_201):
        shop.order(number, number - 1_000_000)
    shop.refund(1, 1_000_007, 60)
    ran = run(shop, streams=("orders", "refunds"))
    assert [row["order_id"] for row in ran.records("refunds")] == [1_000_007]
    bulk = [q for q in shop.asked("/v3/orders/payment_actions/refunds") if "order_id:in" in q]
    assert len(bulk) == 2
    assert max(len(query["order_id:in"]) for query in bulk) < 1500


@pytest.mark.parametrize("meta", [True, False])
@pytest.mark.parametrize("cap", [250, 60])
def test_all_refunds_of_a_page_are_read_with_and_without_paging_in_meta(
    shop: Any, run: Any, meta: bool, cap: int
) -> None:
    shop.refund_meta, shop.cap = meta, cap
    for number in range(1, 41):
        shop.order(number, number)
        for extra in range(10):
            shop.refund(number * 10 + extra, number, 60)
    ran = run(shop)
    assert len(set(ran.ids("refunds"))) == len(ran.ids("refunds")) == 400


def test_a_bulk_filter_that_is_ignored_is_noticed(shop: Any, run: Any) -> None:
    shop.ignored = {"order_id:in"}
    for number in range(1, 5):
        shop.order(number, number)
    shop.order(9, 100)
    shop.refund(1, 2, 60)
    shop.refund(2, 9, 60)
    ran = run(shop, page_size=2, streams=("orders", "refunds"))
    assert ran.error is None
    assert sorted(row["order_id"] for row in ran.records("refunds")) == [2, 9]


def test_a_refund_that_does_not_touch_its_order_brings_it_in_again(
    shop: Any, run: Any, at: Any
) -> None:
    for number in range(1, 6):
        shop.order(number, number)
    first = run(shop)
    shop.refund(1, 3, 50)
    shop.refund(2, 3, 2 * HOUR)
    again = run(shop, state=first.states[-1], lookback_seconds=0)
    assert [m["stream"] for m in again.messages if m["type"] == "RECORD"][-4:] == [
        "transactions",
        "refunds",
        "refunds",
        "orders",
    ]
    assert again.ids("orders") == [5, 3]
    assert again.bookmark("refunds") == at(2 * HOUR)
    assert again.bookmark("orders") == at(5)


def test_a_refund_declined_later_is_read_again_within_the_lookback(shop: Any, run: Any) -> None:
    shop.order(1, 1)
    shop.order(2, 100)
    refund = shop.refund(1, 1, HOUR)
    first = run(shop)
    refund["payments"][0]["is_declined"] = True
    again = run(shop, state=first.states[-1], lookback_seconds=0)
    assert again.records("refunds")[-1]["payments"][0]["is_declined"] is True
    assert again.ids("orders")[-1] == 1


def test_refunds_that_came_with_their_orders_are_not_swept_again(shop: Any, run: Any) -> None:
    for number in range(1, 11):
        shop.order(number, number)
        shop.refund(number, number, 60)
    ran = run(shop)
    assert ran.ids("orders") == list(range(1, 11))
    assert shop.counts()["/v2/orders/N"] == 0


def test_the_sweep_alone_works_when_only_refunds_are_selected(shop: Any, run: Any) -> None:
    shop.order(1, 1)
    first = run(shop, streams=("refunds",))
    shop.refund(1, 1, 2 * HOUR)
    shop.touch(1, 0)
    again = run(shop, streams=("refunds",), state=first.states[-1], lookback_seconds=0)
    assert again.ids("refunds") == [1]


def test_the_refunds_bookmark_stands_still_when_a_part_of_a_swept_order_fails(
    shop: Any, run: Any
) -> None:
    shop.order(1, 1)
    shop.order(2, 2)
    first = run(shop)
    shop.refund(1, 1, 2 * HOUR)
    shop.fault("/v3/orders/1/transactions", "500", times=99)
    broken = run(shop, state=first.states[-1], lookback_seconds=0, max_retry_seconds=0)
    assert broken.error is not None
    assert broken.bookmark("refunds") is None
    assert broken.ids("refunds") == []
    shop.faults.clear()
    healed = run(shop, state=broken.states[-1], lookback_seconds=0)
    assert healed.ids("refunds") == [1]


def test_a_created_filter_that_is_ignored_neither_loops_nor_pulls_in_old_orders(
    shop: Any, run: Any, at: Any
) -> None:
    shop.ignored = {"created:min"}
    for number in range(1, 4):
        shop.order(number, number)
        shop.refund(number, number, number)
    shop.order(9, 5 * HOUR)
    shop.refund(9, 9, 5 * HOUR)
    state = {
        "bookmarks": {
            "orders": {"replication_key_value": at(5 * HOUR), "store_hash": "abc123"},
            "refunds": {"replication_key_value": at(4 * HOUR), "store_hash": "abc123"},
        }
    }
    ran = run(shop, state=state)
    assert ran.ids("orders") == [9]
    assert ran.ids("refunds") == [9]


def test_an_empty_created_date_is_no_error(shop: Any, run: Any) -> None:
    shop.order(1, 1)
    shop.refunds.append({"id": 1, "order_id": 1, "created": "", "total_amount": 5})
    assert run(shop, streams=("refunds",)).records("refunds")[0]["created"] is None


def test_a_refund_of_an_order_that_is_gone_is_still_given(
    shop: Any, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    shop.refund(1, 77, 60)
    ran = run(shop)
    assert ran.error is None
    assert ran.ids("refunds") == [1]
    assert "77" in caplog.text


@pytest.mark.parametrize("shuffled", [False, True])
def test_an_endpoint_that_ignores_the_page_is_read_once(
    shop: Any, run: Any, monkeypatch: pytest.MonkeyPatch, shuffled: bool
) -> None:
    plain, rng = shop.answer, random.Random(7)  # noqa: S311 - an order

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        assert len(shop.requests) < 50, "paging does not end"
        status, body = plain(path, query if path == "/v2/orders" else {**query, "page": "1"})
        rows = body.get("data") if isinstance(body, dict) else body
        if shuffled and isinstance(rows, list):
            rng.shuffle(rows)
        return status, body

    monkeypatch.setattr(shop, "answer", answer)
    shop.order(1, 1, total_tax="1.0000")
    shop.taxes[1] = [{"id": number} for number in range(1, 61)]
    for number in range(1, 61):
        shop.refund(number, 1, 60)
    ran = run(shop, max_retry_seconds=0)
    assert ran.error is None
    assert sorted(ran.ids("refunds")) == ran.ids("order_taxes") == list(range(1, 61))


def test_an_order_that_a_refund_brings_in_takes_the_bookmark_past_no_other(
    shop: Any, run: Any, at: Any
) -> None:
    shop.order(1, 10)
    shop.order(2, 3000)
    shop.order(3, 5000)
    shop.refund(1, 3, 20)
    ran = run(shop, end_date=at(100))
    assert ran.ids("orders") == [1, 3]
    assert (ran.bookmark("orders"), ran.bookmark("refunds")) == (at(10), at(20))
