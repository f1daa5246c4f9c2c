"""Whose it is: every record names its store, and a store's bookmark serves no other store."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from connector_credentials.settings import SettingError
from tap_bigcommerce_orders.errors import StateUnusable, UnexpectedAnswer
from tap_bigcommerce_orders.tap import STREAMS, TapBigCommerceOrders

pytestmark = pytest.mark.more

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


@pytest.mark.parametrize("answers_as", ["old456", "ABC123", "", None])
def test_an_answer_for_another_store_stops_the_tap(
    full_shop: Any, run: Any, answers_as: str | None
) -> None:
    full_shop.answers_as = answers_as
    ran = run(full_shop, streams=EVERY_STREAM)
    assert isinstance(ran.error, UnexpectedAnswer)
    assert "another store than abc123" in str(ran.error)
    assert not any(message["type"] == "RECORD" for message in ran.messages)


def test_the_store_stream_is_not_said_to_be_one_that_can_be_left_out(
    full_shop: Any, run: Any
) -> None:
    for path, words in [("store", "time zone"), ("currencies", "deselect the stream")]:
        full_shop.fault(f"/v2/{path}", "403")
        told = str(run(full_shop, streams=(path,)).error)
        assert words in told
        assert ("deselect" in told) == (path != "store")


def test_every_bookmark_names_its_store_and_only_beside_its_position(
    full_shop: Any, run: Any
) -> None:
    ran = run(full_shop, streams=EVERY_STREAM)
    for state in ran.states:
        for bookmark in state["bookmarks"].values():
            placed = bookmark.get("replication_key_value") is not None
            assert bookmark.get("store_hash") == ("abc123" if placed else None)
    told = {name for name, row in ran.states[-1]["bookmarks"].items() if "store_hash" in row}
    assert told == {"orders", "refunds", "customers", "products"}


POSITION = {"replication_key": "date_modified", "replication_key_value": "2026-11-01T00:00:00Z"}


@pytest.mark.parametrize("more", [{}, {"order_ids": [1]}], ids=["incremental", "targeted"])
@pytest.mark.parametrize(
    ("bookmarks", "words"),
    [
        ({"orders": {**POSITION, "store_hash": "old456"}}, "orders is of store old456"),
        ({"customers": {**POSITION, "store_hash": "old456"}}, "customers is of store old456"),
        ({"orders": {"store_hash": "old456"}}, "orders is of store old456"),
        ({"refunds": POSITION}, "refunds names no store"),
        (
            {"orders": {**POSITION, "store_hash": "abc123"}, "products": {**POSITION}},
            "products names no store",
        ),
    ],
)
def test_a_bookmark_of_another_store_stops_the_tap_before_any_request(
    shop: Any, start: Any, config_for: Any, tmp_path: Any, bookmarks: Any, words: str, more: Any
) -> None:
    shop.order(1, 1)
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"bookmarks": bookmarks}))
    process = start(config_for(shop, **more), "--state", str(path))
    out, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert (out, shop.requests) == ("", [])
    (sentence,) = [line for line in log.splitlines() if words in line]
    for told in ("store_hash is abc123", "--state-id-suffix", "meltano state clear"):
        assert told in sentence
    assert "Traceback" not in log


def test_after_a_merge_of_two_stores_states_the_first_store_s_positions_are_found_out(
    full_shop: Any, run: Any
) -> None:
    """Meltano can merge what a run says into what it has stored, key by key."""
    merge = pytest.importorskip("meltano.core.utils").merge
    first = run(full_shop, streams=EVERY_STREAM).states[-1]
    former = {
        name: {**row, "store_hash": "old456"} if "store_hash" in row else row
        for name, row in first["bookmarks"].items()
    }
    full_shop.fault("/v2/orders", "400", times=9)
    cut_off = run(full_shop, streams=EVERY_STREAM)
    assert cut_off.error is not None
    for state in cut_off.states:
        merged = merge(state, {"bookmarks": copy.deepcopy(former)})
        with pytest.raises(StateUnusable, match="is of store old456"):
            run(full_shop, state=merged)


def test_orders_that_another_store_s_hooks_named_are_not_read(
    full_shop: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTOR_WEBHOOKS_STORE_HASH", "def456")
    for more in ({"order_ids": [1]}, {"order_ids": []}, {}):
        with pytest.raises(SettingError, match="hooks of another store than abc123"):
            run(full_shop, **more)
    assert full_shop.requests == []
    monkeypatch.setenv("CONNECTOR_WEBHOOKS_STORE_HASH", "abc123")
    assert run(full_shop, order_ids=[1]).ids("orders") == [1]


@pytest.mark.parametrize("more", [{}, {"order_ids": []}, {"order_ids": None}])
def test_a_run_for_hooks_that_does_not_hear_of_their_orders_says_so(
    full_shop: Any, start: Any, config_for: Any, monkeypatch: pytest.MonkeyPatch, more: Any
) -> None:
    monkeypatch.setenv("CONNECTOR_WEBHOOKS_STORE_HASH", "abc123")
    monkeypatch.setenv("TAP_BIGCOMMERCE_ORDERS_ORDER_IDS", "[1]")
    process = start(config_for(full_shop, **more))
    out, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "--config=ENV" in log
    assert '"RECORD"' in out


def test_the_store_s_own_bookmark_is_used(full_shop: Any, run: Any) -> None:
    first = run(full_shop, streams=("orders",))
    full_shop.requests.clear()
    again = run(full_shop, streams=("orders",), state=first.states[-1])
    assert again.error is None
    assert "min_date_modified" in full_shop.asked("/v2/orders")[0]
    assert again.states[-1] == first.states[-1]


def test_a_bookmark_later_than_this_machine_s_clock_is_told(
    shop: Any, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    for position, told in ((later, True), (later - timedelta(days=1), False)):
        caplog.clear()
        text = position.strftime("%Y-%m-%dT%H:%M:%SZ")
        bookmark = {"store_hash": "abc123", "replication_key_value": text}
        run(shop, state={"bookmarks": {"orders": bookmark}})
        assert (f"The bookmark of orders is {text}" in caplog.text) is told
