"""Both quotas in virtual time: nearly all of what is allowed is used, and no 429 is caused.

Times are seconds of a clock that only events move, so that nothing here depends on the machine.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from tap_bigcommerce_orders.rate_limiter import RateLimiter
from target_freshbooks.freshbooks.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SEEDS = range(8)
WINDOWS = 12


class AskedToWait(Exception):  # noqa: N818 - what the connector asks its `sleep` for
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass
class World:
    """Clients that ask again as soon as they are answered, and a server with a fixed window."""

    seed: int
    limit: int
    window: float
    others_percent: int = 0
    now: float = 0.0
    refused: int = 0
    opened: list[float] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - not for secrets
        self.now = 1_795_000_000 + self.random.random() * 10

    def sleep(self, seconds: float) -> None:
        raise AskedToWait(seconds)

    def run(
        self,
        take: Callable[[], Any],
        give_back: Callable[[Mapping[str, str]], None],
        headers: Callable[[World, float, int, float], Mapping[str, str]],
        *,
        clients: int,
        requests: int,
    ) -> float:
        """Send so many requests; returns how many a window were served, but for the last one."""
        numbers = count()
        events: list[tuple[float, int, str, Any]] = []

        def later(seconds: float, what: str, about: Any = None) -> None:
            heapq.heappush(events, (self.now + seconds, next(numbers), what, about))

        for _ in range(clients):
            later(0, "ask")
        sent = 0
        while sent < requests:
            self.now, _, what, about = heapq.heappop(events)
            if what == "ask":
                try:
                    take()
                except AskedToWait as wish:
                    later(wish.seconds, "ask")
                    continue
                sent += 1
                later(self.random.uniform(0.02, 0.12), "arrive", self.random.uniform(0.02, 0.3))
            elif what == "arrive":
                later(about, "answer", self._serve(about, headers))
            else:
                give_back(about)
                later(0, "ask")
        return sum(self.used[:-1]) * self.window / (self.opened[-1] - self.opened[0])

    def _serve(
        self, seconds: float, headers: Callable[[World, float, int, float], Mapping[str, str]]
    ) -> Mapping[str, str]:
        if not self.opened or self.now >= self.opened[-1] + self.window:
            self.opened.append(self.now)
            self.used.append(0)
        allowed = self.used[-1] < self.limit
        self.used[-1] += allowed
        self.refused += not allowed
        if self.random.randrange(100) < self.others_percent and self.used[-1] < self.limit:
            self.used[-1] += 1  # another app's request
        ends, left = self.opened[-1] + self.window, self.limit - self.used[-1]
        return headers(self, ends, left, self.now + seconds / 2)


def of_freshbooks(_: World, ends: float, left: int, answered: float) -> Mapping[str, str]:
    """Whole seconds, in `Date` too: an answer can be up to a second wrong in both directions."""
    date = datetime.fromtimestamp(int(answered), UTC)
    return {
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": str(int(ends)),
        "Date": format_datetime(date, usegmt=True),
    }


def of_bigcommerce(world: World, ends: float, left: int, answered: float) -> Mapping[str, str]:
    return {
        "X-Rate-Limit-Requests-Quota": str(world.limit),
        "X-Rate-Limit-Requests-Left": str(left),
        "X-Rate-Limit-Time-Reset-Ms": str(max(0, int((ends - answered) * 1000))),
    }


@pytest.mark.parametrize("clients", [1, 4, 16])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_target_uses_freshbooks_limit_and_causes_no_429(seed: int, clients: int) -> None:
    world = World(seed, limit=100 if clients < 16 else 600, window=60.0)
    pacer = Pacer(
        clock=lambda: datetime.fromtimestamp(world.now, UTC),
        sleep=world.sleep,
        random=world.random,
    )
    served = world.run(
        pacer.acquire,
        pacer.release,
        of_freshbooks,
        clients=clients,
        requests=WINDOWS * world.limit,
    )
    assert world.refused == 0
    assert served >= 0.95 * world.limit


@pytest.mark.parametrize("clients", [2, 8, 16])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_tap_uses_its_part_of_the_quota_and_causes_no_429(seed: int, clients: int) -> None:
    world = World(seed, limit=150, window=30.0)
    quota = RateLimiter(percent=90, now=lambda: world.now, sleep=world.sleep)
    served = world.run(
        quota.acquire,
        quota.release,
        of_bigcommerce,
        clients=clients,
        requests=WINDOWS * 135,
    )
    assert world.refused == 0
    assert max(world.used) <= 135
    assert served >= 0.95 * 135


@pytest.mark.parametrize("percent", [20, 100])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_tap_leaves_what_other_apps_take(seed: int, percent: int) -> None:
    world = World(seed, limit=150, window=30.0, others_percent=percent)
    quota = RateLimiter(percent=90, now=lambda: world.now, sleep=world.sleep)
    world.run(quota.acquire, quota.release, of_bigcommerce, clients=8, requests=600)
    assert world.refused == 0
    assert max(world.used) < world.limit
