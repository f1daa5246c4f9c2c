"""The catalog is a reviewed file per stream: a change of schema shows as a diff.

After a wanted change run this file with UPDATE_SNAPSHOTS=1 in the environment.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tap_bigcommerce_orders.tap import STREAMS, TapBigCommerceOrders

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("name", [stream.name for stream in STREAMS])
def test_a_streams_catalog_entry_is_the_reviewed_one(name: str) -> None:
    tap = TapBigCommerceOrders(config={"store_hash": "abc123"}, validate_config=False)
    entry = next(s for s in tap.catalog_dict["streams"] if s["tap_stream_id"] == name)
    text = json.dumps(entry, indent=1, sort_keys=True) + "\n"
    path = SNAPSHOTS / f"{name}.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_no_snapshot_is_left_of_a_stream_that_is_gone() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == {stream.name for stream in STREAMS}


def test_the_streams_are_read_with_the_orders_last() -> None:
    tap = TapBigCommerceOrders(config={"store_hash": "abc123"}, validate_config=False)
    names = list(tap.streams)
    assert names[0] == "store"
    assert names[-1] == "orders"
    assert not tap.streams["order_coupons"].selected
