"""The tap piped into the target, beside the time that the slower of both APIs leaves them.

An API that answers after so many milliseconds, asked by so many at once, gives so many answers a
second and no more. What a pipe needs beyond that is its own.
"""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from connector_sandbox.settings import tap_settings

from bench import programs
from bench.tables import row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.scene import Scene
    from bench.tables import Row

SHOP_MS, BOOKS_MS = 50, 80
TAP_AT_ONCE, TARGET_AT_ONCE = 8, 4
HEADINGS = (
    "orders",
    "requests to BigCommerce",
    "requests to FreshBooks",
    "the slower side's limit",
    "the pipe",
    "of the limit",
)


def measure(scene: Scene, orders: int) -> Iterator[Row]:
    """One row."""
    scene.month(orders)
    for side, delay in (("bigcommerce", SHOP_MS), ("freshbooks", BOOKS_MS)):
        late = {"side": side, "kind": "slow", "delay_ms": delay, "times": None}
        scene.sandbox.tell("POST", "faults", late)
    reading = tap_settings(scene.sandbox.url, max_concurrency=TAP_AT_ONCE)
    posting = scene.settings(max_parallel_orders=TARGET_AT_ONCE)
    tap_words = programs.configured(scene, "tap-bigcommerce-orders", reading)
    target_words = programs.configured(scene, "target-freshbooks", posting)
    scene.sandbox.count_anew()
    started = time.perf_counter()
    with (
        (scene.home / "pipe.log").open("wb") as log,
        subprocess.Popen(tap_words, stdout=subprocess.PIPE, stderr=log) as tap,
        subprocess.Popen(
            target_words, stdin=tap.stdout, stdout=subprocess.DEVNULL, stderr=log
        ) as target,
    ):
        if tap.stdout is not None:
            tap.stdout.close()  # the target alone has it, so that a tap without a reader ends
    seconds = time.perf_counter() - started
    scene.sandbox.tell("DELETE", "faults")
    if tap.returncode or target.returncode:
        raise RuntimeError(f"tap: {tap.returncode}, target: {target.returncode}")
    shop, books = scene.sandbox.requests("bigcommerce"), scene.sandbox.requests("freshbooks")
    limit = max(shop * SHOP_MS / TAP_AT_ONCE, books * BOOKS_MS / TARGET_AT_ONCE) / 1000
    yield row(
        f"{orders:,}",
        f"{shop:,} of {SHOP_MS} ms, {TAP_AT_ONCE} at once",
        f"{books:,} of {BOOKS_MS} ms, {TARGET_AT_ONCE} at once",
        f"{limit:.0f} s",
        f"{seconds:.0f} s",
        f"{seconds / limit:.2f}",
    )
