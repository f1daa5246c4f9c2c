"""Five in a hundred requests go wrong, on both sides and in every way: the books come out right.

Fills a shop for each seed, lets tap and target run while the sandbox answers with 429, 5xx, resets,
silence, halves, HTML and stale searches, runs again what ended with 1, and compares with the shop's
truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweeps.month import judge, open_month
from sweeps.runner import say, stage

if TYPE_CHECKING:
    from pathlib import Path

    from sweeps.runner import Stage

PERCENT = 5
ORDERS = 120
SETTLE_SECONDS = 3
STALE_MS = 2_000
MOST_RUNS = 12
FRESHBOOKS_PATH = "^/accounting/"
"""Not the token endpoint: its one window cannot be closed, and has tests of its own."""

KINDS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 429, "headers": True},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 504},
    {"kind": "status", "status": 500, "when": "after"},
    {"kind": "status", "status": 502, "when": "after"},
    {"kind": "status", "status": 503, "when": "after"},
    {"kind": "status", "status": 504, "when": "after"},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "timeout", "when": "before"},
    {"kind": "timeout", "when": "after"},
    {"kind": "truncate"},
    {"kind": "html", "status": 502},
    {"kind": "html", "status": 200, "when": "after"},
    {"kind": "slow", "delay_ms": 300},
)


def rules(seed: int, percent: float) -> list[dict[str, Any]]:
    """Rules that together spoil so many of a hundred requests, and searches that lag behind."""
    share = percent / len(KINDS)
    mixed = [
        {**kind, **side, "probability_percent": share, "seed": seed * 1000 + number}
        for number, (kind, side) in enumerate(
            (kind, side)
            for kind in KINDS
            for side in (
                {"side": "bigcommerce"},
                {"side": "freshbooks", "path": FRESHBOOKS_PATH},
            )
        )
    ]
    stale = {
        "side": "freshbooks",
        "method": "GET",
        "path": FRESHBOOKS_PATH,
        "query": "search",
        "kind": "stale_search",
        "delay_ms": STALE_MS,
        "probability_percent": 4 * percent,
        "seed": seed,
    }
    return [*mixed, stale]


def trial(on: Stage, *, seed: int, orders: int, percent: float = PERCENT) -> list[str]:
    """One seed: run until both end with 0, then compare."""
    open_month(on, orders=orders, seed=seed)
    on.sandbox.tell("POST", "faults", rules(seed, percent))
    messages = on.home / "messages.jsonl"
    runs = 0
    while True:
        runs += 1
        tapped = on.read(messages, max_retry_seconds=10, request_timeout=2)
        booked = on.feed(messages)
        if (tapped, booked) == (0, 0):
            break
        if tapped not in {0, 1} or booked not in {0, 1}:
            return [f"seed {seed}: ended with {tapped} and {booked}:\n{on.log()[-2000:]}"]
        if runs == MOST_RUNS:
            return [f"seed {seed}: not through after {runs} runs:\n{on.log()[-2000:]}"]
    told = on.sandbox.ask("faults")["rules"]
    hits = sum(rule["hits"] for rule in told if rule["kind"] != "stale_search")
    stale = sum(rule["hits"] for rule in told if rule["kind"] == "stale_search")
    on.sandbox.tell("DELETE", "faults")
    line, wrong = judge(on)
    say(f"seed {seed}: {hits} faults, {stale} stale searches, {runs} runs; {line}")
    return [f"seed {seed}: {entry}" for entry in wrong]


def sweep(home: Path, *, seeds: int, first: int, orders: int) -> list[str]:
    """So many seeds."""
    wrong = []
    with stage(
        home,
        [],
        max_parallel_orders=4,
        max_retry_seconds=10,
        request_timeout=2,
        settle_seconds=SETTLE_SECONDS,
    ) as on:
        for seed in range(first, first + seeds):
            wrong += trial(on, seed=seed, orders=orders)
    say(f"{PERCENT} % mixed faults: {seeds} seeds of {orders} orders, {len(wrong)} wrong")
    return wrong
