"""Figures for Prometheus: what came in, what the runs did, and how full the inbox is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from datetime import datetime

    from connector_webhooks.inbox import InboxStats

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_SLOW = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800)

OUTCOMES = (
    "stored",
    "duplicate",
    "ignored",
    "expired",
    "forged",
    "too_large",
    "broken",
    "slow",
    "not_stored",
)
DROPPED = ("limit", "slow_header")


class Metrics:
    """The figures of one process.

    Attributes:
        requests: Requests at the hook paths by outcome: ``stored``, ``duplicate`` (known id),
            ``ignored`` (genuine, without work), ``expired`` (genuine, too late to matter),
            ``forged`` (401), ``too_large`` (413), ``broken`` (the sender hung up), ``slow`` (408),
            ``not_stored`` (503).
        connections_dropped: Connections ended by reason: ``limit`` (too many, this one waited for
            longest), ``slow_header`` (its request's header did not come in time).
        late: Genuine hooks outside the tolerance that were taken all the same.
        runs: Runs by outcome.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "webhooks_requests", "Hooks by outcome", ["outcome"], registry=self.registry
        )
        for outcome in OUTCOMES:  # a counter that is absent until it counts cannot be alarmed on
            self.requests.labels(outcome)
        self.connections_dropped = Counter(
            "webhooks_connections_dropped",
            "Connections ended because they held something up",
            ["reason"],
            registry=self.registry,
        )
        for reason in DROPPED:
            self.connections_dropped.labels(reason)
        self.late = Counter(
            "webhooks_late", "Genuine hooks taken though late", registry=self.registry
        )
        self.answer_seconds = Histogram(
            "webhooks_answer_seconds",
            "From request to answer",
            buckets=_FAST,
            registry=self.registry,
        )
        self.last_genuine = self._gauge(
            "last_genuine_timestamp_seconds", "When this process last took a genuine hook"
        )
        self.notices = Counter(
            "webhooks_delivery_exceptions",
            "Complaints by BigCommerce about delivery",
            registry=self.registry,
        )
        self.runs = Counter("webhooks_runs", "Runs by outcome", ["outcome"], registry=self.registry)
        self.run_seconds = Histogram(
            "webhooks_run_seconds", "Length of a run", buckets=_SLOW, registry=self.registry
        )
        self.hooks_remembered = self._gauge("hooks_remembered", "Hooks whose ids are remembered")
        self.orders_waiting = self._gauge("orders_waiting", "Orders that wait for a run")
        self.orders_failing = self._gauge("orders_failing", "Orders whose last run failed")
        self.oldest_waiting = self._gauge(
            "oldest_waiting_seconds", "Age of the hook that waits longest"
        )

    def _gauge(self, name: str, words: str) -> Gauge:
        return Gauge(f"webhooks_{name}", words, registry=self.registry)

    def count(self, stats: InboxStats, now: datetime) -> None:
        """Take the inbox's figures, as they are at a scrape."""
        waits = now - (stats.oldest_waiting or now)
        self.hooks_remembered.set(stats.hooks)
        self.orders_waiting.set(stats.orders_waiting)
        self.orders_failing.set(stats.orders_failing)
        self.oldest_waiting.set(max(0.0, waits.total_seconds()))
