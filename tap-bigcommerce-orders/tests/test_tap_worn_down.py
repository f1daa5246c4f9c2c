"""Answers that would wear the tap down: few bytes that unpack, count or nest beyond all measure."""

from __future__ import annotations

import gzip
import resource
from typing import Any

import pytest
from tap_bigcommerce_orders.connection import Connection
from tap_bigcommerce_orders.errors import GaveUp, Refused

MEBIBYTE = 1024**2
NESTED = b"[" * 500 + b"]" * 500


@pytest.fixture
def connection(shop: Any, token: str) -> Any:
    made = Connection(
        base_url=f"{shop.url}/stores/abc123",
        token=lambda: token,
        user_agent="test",
        request_timeout=10,
        max_retry_seconds=0,
        quota_percent=90,
        max_concurrency=2,
    )
    yield made
    made.close()


def test_an_answer_that_swells_as_it_is_unpacked_is_given_up_at_once(
    shop: Any, connection: Any
) -> None:
    swelling = gzip.compress(b"[" + b" " * 400 * MEBIBYTE + b"]")
    assert len(swelling) < MEBIBYTE
    shop.fault("/v2/store", "body", body=swelling, headers={"Content-Encoding": "gzip"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refused, match=r"GET /v2/store was given up: .* more than 32 MiB"):
        connection.get("/v2/store")
    assert len(shop.requests) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.parametrize("value", [b"{}", b'"ab"'])
def test_an_answer_of_more_values_than_anybody_needs_is_given_up_at_once(
    shop: Any, connection: Any, value: bytes
) -> None:
    number = 31 * MEBIBYTE // (len(value) + 1)
    swelling = gzip.compress(b"[" + b",".join([value] * number) + b"]")
    assert len(swelling) < MEBIBYTE
    shop.fault("/v2/store", "body", body=swelling, headers={"Content-Encoding": "gzip"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refused, match=r"GET /v2/store was given up: .* values.* page_size"):
        connection.get("/v2/store")
    assert len(shop.requests) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.parametrize("field", ["total_tax", "items_total", "id_of_another", "customer_id"])
@pytest.mark.parametrize(
    "written",
    [b"1" * 5_000, b"1e999999999", b"-0e999999999", b'"1e999999999"', b'"' + b"9" * 5_000 + b'"'],
)
def test_a_number_that_wears_its_reader_down_stays_in_its_own_order(
    shop: Any, run: Any, field: str, written: bytes
) -> None:
    for number in (1, 2, 3):
        shop.order(number, number)
    shop.orders[2][field] = "@"
    shop.fault("/v2/orders", "replace", times=99, old=b'"@"', new=written)
    ran = run(shop)
    assert ran.error is None
    assert sorted(ran.ids("orders")) == [1, 2, 3]


def test_what_is_nested_deeply_wears_nobody_down(shop: Any, run: Any) -> None:
    for number in (1, 2, 3):
        shop.order(number, number, odd="@" if number == 2 else None)
    shop.fault("/v2/orders", "replace", times=99, old=b'"@"', new=NESTED)
    ran = run(shop)
    assert ran.error is None
    assert sorted(ran.ids("orders")) == [1, 2, 3]
    assert "(too deeply nested)" in str(ran.records("orders"))


def test_what_cannot_be_decoded_at_all_fails_the_run_in_a_sentence(
    shop: Any, connection: Any
) -> None:
    shop.fault("/v2/store", "replace", old=b'"abc123"', new=b"[" * 100_000)
    with pytest.raises(GaveUp, match="GET /v2/store failed"):
        connection.get("/v2/store")
