"""Use of the quotas: how much of the allowed share is used, and whether any 429 is caused.

The windows are shortened, so that a run takes seconds; quota and headers are those of the real
APIs. What each window was used for is read off the answers' headers, as the connector sees them.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.rate_limiter import RateLimiter
from target_freshbooks.freshbooks import Pacer

from bench.tables import row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.scene import Scene
    from bench.tables import Row

TAP_QUOTA, TAP_WINDOW, TAP_PERCENT = 150, 5, 90
TARGET_QUOTA, TARGET_WINDOW = 60, 5
TAP_ORDERS, TARGET_ORDERS = 300, 80


@dataclass(frozen=True, slots=True)
class Use:
    """What became of a quota.

    Attributes:
        windows: Requests used in each window but the last, which the work may have left unfilled.
        allowed: Requests a window that we may use.
        seconds: From the first window's first answer to the last window's.
        window_seconds: Length of a window.
        refused: Requests answered with 429.
    """

    windows: tuple[int, ...]
    allowed: int
    seconds: float
    window_seconds: int
    refused: int

    @property
    def filled(self) -> float:
        """Part of the allowed requests used in the windows there were."""
        return sum(self.windows) / (self.allowed * len(self.windows))

    @property
    def of_time(self) -> float:
        """Part of what is allowed in that much time, the gaps between windows included."""
        return sum(self.windows) / (self.allowed * self.seconds / self.window_seconds)


def measure(scene: Scene) -> Iterator[Row]:
    """The use of both quotas."""
    what = f"tap, quota {TAP_QUOTA} in {TAP_WINDOW} s, quota_percent {TAP_PERCENT}"
    yield _shown(what, tap_use(scene))
    yield _shown(f"target, limit {TARGET_QUOTA} in {TARGET_WINDOW} s", target_use(scene))


def tap_use(scene: Scene) -> Use:
    """Read a month within the quota of most plans, in shorter windows."""
    scene.month(TAP_ORDERS)
    scene.switch(bc__plan_quota=TAP_QUOTA, bc__quota_window_seconds=TAP_WINDOW)
    scene.sandbox.count_anew()
    with _watched(RateLimiter, "release") as answers:
        scene.read(quota_percent=TAP_PERCENT)
    scene.sandbox.tell("PUT", "switches", {"bc.plan_quota": 0})
    seen = [
        (at, int(headers["X-Rate-Limit-Requests-Left"]), at + _tap_seconds(headers))
        for at, headers in answers
        if "X-Rate-Limit-Requests-Left" in headers
    ]
    return _use(
        seen, TAP_QUOTA, TAP_QUOTA * TAP_PERCENT // 100, TAP_WINDOW, _refused(scene, "bigcommerce")
    )


def target_use(scene: Scene) -> Use:
    """Post orders within FreshBooks' limit."""
    scene.month(TARGET_ORDERS)
    said = scene.read()
    scene.switch(fb__rate_limit=TARGET_QUOTA, fb__rate_window_seconds=TARGET_WINDOW)
    scene.sandbox.count_anew()
    with _watched(Pacer, "release") as answers:
        scene.post(said)
    scene.switch(fb__rate_limit=0)
    seen = [
        (at, int(headers["X-RateLimit-Remaining"]), float(headers["X-RateLimit-Reset"]))
        for at, headers in answers
        if "X-RateLimit-Remaining" in headers
    ]
    return _use(seen, TARGET_QUOTA, TARGET_QUOTA, TARGET_WINDOW, _refused(scene, "freshbooks"))


def _tap_seconds(headers: Mapping[str, str]) -> float:
    return int(headers["X-Rate-Limit-Time-Reset-Ms"]) / 1000


def _use(
    seen: list[tuple[float, int, float]], quota: int, allowed: int, window: int, refused: int
) -> Use:
    """Sort answers (time, requests left, window's end) into windows."""
    windows: list[tuple[float, float, int]] = []  # end, first answer, fewest left
    for at, left, end in sorted(seen):
        if not windows or end > windows[-1][0] + window / 2:
            windows.append((end, at, left))
        elif end > windows[-1][0] - window / 2:  # else: the window before, overtaken
            windows[-1] = (windows[-1][0], windows[-1][1], min(windows[-1][2], left))
    used = tuple(quota - left for _, _, left in windows[:-1])
    return Use(used, allowed, windows[-1][1] - windows[0][1], window, refused)


def _refused(scene: Scene, side: str) -> int:
    rows = scene.sandbox.ask("requests")["requests"]
    return sum(row["statuses"].get("429", 0) for row in rows if row["side"] == side)


@contextmanager
def _watched(owner: type, method: str) -> Iterator[list[tuple[float, Mapping[str, str]]]]:
    """Note time and headers of every answer that a quota learns from."""
    answers: list[tuple[float, Mapping[str, str]]] = []
    original = getattr(owner, method)

    def noted(self: Any, headers: Mapping[str, str] | None) -> None:  # noqa: ANN401 - a quota
        if headers is not None:
            answers.append((time.time(), headers))
        original(self, headers)

    setattr(owner, method, noted)
    try:
        yield answers
    finally:
        setattr(owner, method, original)


def _shown(what: str, use: Use) -> Row:
    return row(
        what,
        f"{use.filled:.1%} of the allowed share",
        f"({use.of_time:.1%} with the gaps between windows)",
        f"windows {' '.join(map(str, use.windows))} of {use.allowed}",
        f"429: {use.refused}",
    )
