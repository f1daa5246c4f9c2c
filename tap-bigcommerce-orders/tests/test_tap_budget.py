"""Requests per order and memory, with their figures printed."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest


def fill(shop: Any, count: int, *, tax: str) -> None:
    for number in range(1, count + 1):
        shop.order(number, number, total_tax=tax, customer_id=number % 60 + 1)
        if number % 20 == 0:
            shop.refund(number, number, number)
    shop.customers = [{"id": n, "date_modified": "2026-11-01T00:00:00Z"} for n in range(1, 61)]
    shop.products = [{"id": n, "date_modified": "2026-11-01T00:00:00Z"} for n in range(1, 41)]


@pytest.mark.parametrize(("tax", "most"), [("0.0000", 1.1), ("1.0000", 2.1)])
def test_a_month_of_200_orders_stays_within_its_requests(
    shop: Any, run: Any, tax: str, most: float, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(shop, 200, tax=tax)
    ran = run(shop, streams=None)
    assert ran.error is None
    per_order = len(shop.requests) / 200
    with capsys.disabled():
        print(f"\ntotal_tax {tax}: {per_order:.3f} requests per order in all streams")
    assert per_order <= most


@pytest.mark.sweep
def test_memory_does_not_grow_with_the_number_of_orders(
    shop: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Nowhere:
        """Counts what is written and keeps none of it."""

        def __init__(self) -> None:
            self.records = 0

        def write(self, text: str) -> int:
            self.records += '"RECORD"' in text
            return len(text)

        def flush(self) -> None:
            pass

    from tap_bigcommerce_orders.tap import TapBigCommerceOrders  # noqa: PLC0415

    peaks = []
    for count in (40, 200):
        shop.orders.clear()
        fill(shop, count, tax="0.0000")
        shop.requests.clear()
        out = Nowhere()
        monkeypatch.setattr("sys.stdout", out)
        config = {
            "store_hash": "abc123",
            "access_token": "canary-token-9f8e7d",
            "api_url": shop.url,
            "page_size": 20,
        }
        tap = TapBigCommerceOrders(config=config)
        # The shop is in this process: only what the tap's own modules allocate is counted.
        ours = [tracemalloc.Filter(True, "*/tap_bigcommerce_orders/*")]
        tracemalloc.start(1)
        largest = 0
        original = tap.state_writer.write_state

        def measure(state: Any, original: Any = original, ours: Any = ours) -> None:
            nonlocal largest
            found = tracemalloc.take_snapshot().filter_traces(ours).statistics("filename")
            largest = max(largest, sum(entry.size for entry in found))
            original(state)

        monkeypatch.setattr(tap.state_writer, "write_state", measure)
        tap.sync_all()
        tracemalloc.stop()
        monkeypatch.undo()
        tap.connection.close()
        assert out.records >= 2 * count
        peaks.append(largest)
    with capsys.disabled():
        print(f"\nmemory at 40 and 200 orders: {peaks[0]} and {peaks[1]} bytes")
    assert peaks[1] < peaks[0] * 1.5 + 50_000
