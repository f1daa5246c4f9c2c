"""The tap takes its part of the store's quota, all of it, and never more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials.quota_headers import LONGEST_WINDOW, bigcommerce_reset, seconds_asked
from tap_bigcommerce_orders.rate_limiter import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Mapping


class Api:
    """BigCommerce's quota by windows, on a clock that only waiting moves."""

    def __init__(self, quota: int = 150, window: float = 30.0) -> None:
        self.time, self.quota, self.window = 0.0, quota, window
        self.started, self.used, self.refused, self.mine = 0.0, 0, 0, [0]

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def request(self, *, by_other: bool = False) -> dict[str, str]:
        while self.time >= self.started + self.window:
            self.started, self.used = self.started + self.window, 0
            self.mine.append(0)
        self.used += 1
        self.refused += self.used > self.quota
        if not by_other:
            self.mine[-1] += 1
        return {
            "X-Rate-Limit-Time-Window-Ms": str(int(self.window * 1000)),
            "X-Rate-Limit-Time-Reset-Ms": str(
                round((self.started + self.window - self.time) * 1000)
            ),
            "X-Rate-Limit-Requests-Quota": str(self.quota),
            "X-Rate-Limit-Requests-Left": str(max(0, self.quota - self.used)),
        }


@pytest.mark.parametrize("percent", [50, 90, 100])
def test_each_window_is_used_up_to_its_part_and_never_beyond(
    percent: int, capsys: pytest.CaptureFixture[str]
) -> None:
    api = Api()
    quota = RateLimiter(percent=percent, now=api.now, sleep=api.sleep)
    for _ in range(1000):
        quota.acquire()
        api.time += 0.01
        quota.release(api.request())
    allowed = 150 * percent // 100
    full = api.mine[:-1]
    with capsys.disabled():
        used = f"{min(full)} to {max(full)} of {allowed} allowed"
        print(f"\nquota_percent {percent}: {used} requests a window")
    assert max(full) <= allowed
    assert min(full) >= 0.95 * allowed
    assert api.refused == 0


def test_what_other_apps_take_is_not_taken_by_us() -> None:
    api = Api()
    quota = RateLimiter(percent=90, now=api.now, sleep=api.sleep)
    for number in range(600):
        quota.acquire()
        api.time += 0.01
        if number % 2:
            api.request(by_other=True)
        quota.release(api.request())
    assert api.refused == 0


def test_requests_in_flight_count_though_no_answer_has_told_of_them() -> None:
    api = Api(quota=40)
    quota = RateLimiter(percent=90, now=api.now, sleep=api.sleep)
    for _ in range(10):
        quota.acquire()
    quota.release(api.request())  # 39 left, of which 9 are under way
    for _ in range(26):
        quota.acquire()
    assert api.time == 0
    quota.acquire()  # the 37th of 36 allowed
    assert api.time >= 30


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Rate-Limit-Requests-Quota": "150"},
        {"X-Rate-Limit-Requests-Left": "x", "X-Rate-Limit-Requests-Quota": "150"},
        {
            "X-Rate-Limit-Requests-Quota": "0",
            "X-Rate-Limit-Requests-Left": "0",
            "X-Rate-Limit-Time-Reset-Ms": "9",
        },
    ],
)
def test_without_usable_headers_nothing_is_held_back(headers: dict[str, str]) -> None:
    api = Api()
    quota = RateLimiter(percent=90, now=api.now, sleep=api.sleep)
    for _ in range(500):
        quota.acquire()
        quota.release(headers)
    assert api.time == 0


def test_a_pause_holds_everybody() -> None:
    api = Api()
    quota = RateLimiter(percent=90, now=api.now, sleep=api.sleep)
    quota.pause(7)
    quota.acquire()
    assert api.time == 7


DAY: Mapping[str, str] = {
    "X-Rate-Limit-Requests-Quota": "150",
    "X-Rate-Limit-Requests-Left": "0",
    "X-Rate-Limit-Time-Reset-Ms": "86400000",
}


def test_a_window_that_ends_tomorrow_is_not_waited_out_and_the_wait_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = Api()
    quota = RateLimiter(percent=90, now=api.now, sleep=api.sleep)
    quota.acquire()
    quota.release(DAY)
    waits = [quota._try_acquire() for _ in range(4)]  # four threads at once
    assert max(waits) <= LONGEST_WINDOW + 1
    quota.acquire()
    assert 30 < api.time <= LONGEST_WINDOW + 1
    assert [record.getMessage() for record in caplog.records] == [
        "Waiting 60 s for the store's request quota."
    ]


def test_a_429_that_says_its_window_ends_tomorrow_is_not_believed() -> None:
    assert seconds_asked(DAY, bigcommerce_reset(DAY)) == LONGEST_WINDOW
    longer = {**DAY, "X-Retry-After": "3600"}  # asked for in so many words
    assert seconds_asked(longer, bigcommerce_reset(longer)) == 3600


def test_the_wait_for_an_ordinary_window_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    api = Api(quota=10)
    quota = RateLimiter(percent=100, now=api.now, sleep=api.sleep)
    for _ in range(40):
        quota.acquire()
        quota.release(api.request())
    assert api.time >= 90
    assert caplog.records == []


def test_a_late_answer_of_the_last_window_does_not_spoil_this_one() -> None:
    api = Api()
    quota = RateLimiter(percent=100, now=api.now, sleep=api.sleep)
    quota.acquire()
    quota.acquire()
    late = api.request()
    late["X-Rate-Limit-Requests-Left"] = "0"
    api.time = 31
    quota.release(api.request())
    quota.release({**late, "X-Rate-Limit-Time-Reset-Ms": "1"})
    before = api.time
    quota.acquire()
    assert api.time == before


def test_a_run_against_a_small_quota_causes_no_429(shop: Any, run: Any) -> None:
    import time  # noqa: PLC0415 - the server's window is real time

    quota, window = 40, 1.0
    state = {"start": 0.0, "used": 0, "most": 0}

    def headers() -> dict[str, str]:
        now = time.monotonic()
        if now >= state["start"] + window:
            state.update(start=now, used=0)
        state["used"] += 1
        state["most"] = max(state["most"], state["used"])
        return {
            "X-Rate-Limit-Requests-Quota": str(quota),
            "X-Rate-Limit-Requests-Left": str(max(0, quota - state["used"])),
            "X-Rate-Limit-Time-Reset-Ms": str(round((state["start"] + window - now) * 1000)),
            "X-Rate-Limit-Time-Window-Ms": "1000",
        }

    shop.rate_headers = headers
    for number in range(1, 121):
        shop.order(number, number)
    assert run(shop, streams=("orders", "transactions"), page_size=50).error is None
    assert state["most"] <= quota
