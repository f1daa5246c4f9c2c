"""The pace: a window is used up, never overdrawn, and a 429 holds everybody."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from connector_credentials.quota_headers import seconds_asked
from target_freshbooks.freshbooks import Pacer
from target_freshbooks.freshbooks.pacing import seconds_to_reset

DATE = "Fri, 20 Nov 2026 12:00:00 GMT"


@pytest.fixture
def pacer(clock: Any, seed: int) -> Pacer:
    return Pacer(clock=clock, sleep=clock.sleep, random=random.Random(seed))  # noqa: S311 - jitter


def headers(clock: Any, remaining: int, seconds: int) -> dict[str, str]:
    reset = int(clock.now.timestamp()) + seconds
    return {"X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": str(reset)}


def test_a_used_up_window_is_waited_out(pacer: Pacer, clock: Any) -> None:
    pacer.acquire()
    pacer.release(headers(clock, 1, 30))
    assert pacer.acquire() == 0
    pacer.release(headers(clock, 0, 30))
    assert 30 <= pacer.acquire() <= 31


def test_nothing_is_waited_for_while_the_window_has_room(pacer: Pacer, clock: Any) -> None:
    for left in range(100, 0, -1):
        assert pacer.acquire() == 0
        pacer.release(headers(clock, left, 60))


def test_requests_on_their_way_are_counted(pacer: Pacer, clock: Any) -> None:
    for _ in range(4):
        pacer.acquire()
    pacer.release(headers(clock, 3, 60))  # three others may not be counted in this yet
    assert pacer.acquire() >= 60


def test_a_late_answer_does_not_give_back_what_was_used(pacer: Pacer, clock: Any) -> None:
    pacer.acquire()
    pacer.acquire()
    early = headers(clock, 1, 60)
    pacer.release(headers(clock, 0, 60))
    pacer.release(early)
    assert pacer.acquire() >= 60


def test_a_429_pauses_all_threads(pacer: Pacer, clock: Any) -> None:
    pacer.pause(20)
    started = clock.now
    ends = []

    def work() -> None:
        pacer.acquire()
        ends.append((clock.now - started).total_seconds())
        pacer.release(None)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(ends) >= 20


@pytest.mark.parametrize("reset", ["", "soon", "0", "1795176000000", "-5"])
def test_a_reset_that_makes_no_sense_is_not_believed(pacer: Pacer, clock: Any, reset: str) -> None:
    pacer.acquire()
    pacer.release({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    assert pacer.acquire() == 0
    assert clock.slept == []


def test_the_servers_clock_counts_where_it_tells_it(pacer: Pacer, clock: Any) -> None:
    reset = int(clock.now.timestamp()) + 10
    clock.sleep(3600)  # our clock is an hour ahead
    clock.slept.clear()
    pacer.acquire()
    told = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset), "Date": DATE}
    pacer.release(told)
    assert 10 <= pacer.acquire() <= 11
    assert seconds_asked({"Retry-After": "3"}, seconds_to_reset(told, clock())) == 10
    assert seconds_asked({"Retry-After": "3"}, None) == 3
    assert seconds_asked({}, seconds_to_reset({}, clock())) is None
