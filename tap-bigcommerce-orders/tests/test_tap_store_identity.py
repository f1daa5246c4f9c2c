"""Whose it is: every record names its store, and a store's bookmark serves no other store."""

from __future__ import annotations

from typing import Any

import pytest
from tap_bigcommerce_orders.errors import SettingError
from tap_bigcommerce_orders.tap import STREAMS, TapBigCommerceOrders

EVERY_STREAM = tuple(stream.name for stream in STREAMS)


@pytest.fixture
def full_shop(shop: Any, at: Any) -> Any:
    """A shop with at least a record for each stream."""
    taxed = {"total_tax": "1.0000", "coupon_discount": "1.0000"}
    shop.order(1, 1, customer_id=1, store_hash="of.the.api", **taxed)
    shop.taxes[1] = [{"id": 1, "name": "GST", "rate": "8.0000"}]
    shop.coupons[1] = [{"id": 1, "coupon_id": 1, "code": "X"}]
    shop.refund(1, 1, 60)
    shop.customers = [{"id": 1, "date_modified": at(1)}]
    shop.products = [{"id": 1, "date_modified": at(1)}]
    return shop


@pytest.mark.parametrize("store_hash", ["abc123", " abc123\n"])
@pytest.mark.parametrize("more", [{}, {"order_ids": [1]}], ids=["incremental", "targeted"])
def test_every_record_of_every_stream_names_the_store_it_was_asked_of(
    full_shop: Any, run: Any, store_hash: str, more: dict[str, Any]
) -> None:
    ran = run(full_shop, streams=EVERY_STREAM, store_hash=store_hash, **more)
    assert ran.error is None
    for stream in EVERY_STREAM:
        assert [row["store_hash"] for row in ran.records(stream)] == ["abc123"], stream


@pytest.mark.parametrize(
    "store_hash",
    [
        "",
        "ABC123",
        "abc 123",
        "abc-123",
        "abc123)",
        "abc/../x",
        "٣",
        "https://store-x.mybigcommerce.com",
        "Canary-Token",
    ],
)
def test_a_store_hash_that_is_none_is_told_before_anything_else(store_hash: str) -> None:
    with pytest.raises(SettingError, match="abc123") as refused:
        TapBigCommerceOrders(config={"store_hash": store_hash, "access_token": "t"})
    assert "Canary" not in str(refused.value)
