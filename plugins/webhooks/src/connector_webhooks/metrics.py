"""Figures for Prometheus: what came in, what the runs did, and how full the inbox is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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


class Metrics:
    """The figures of one process.

    Attributes:
        requests: Requests at the hook paths by outcome: ``stored``, ``duplicate`` (known id),
            ``ignored`` (genuine, without work), ``expired`` (genuine, too late to matter),
            ``forged`` (401), ``too_large`` (413), ``broken`` (the sender hung up), ``slow`` (408),
            ``not_stored`` (503).
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
        self.late = Counter(
            "webhooks_late", "Genuine hooks taken though late", registry=self.registry
        )
        self.answer_seconds = Histogram(
            "webhooks_answer_seconds",
            "From request to answer",
            buckets=_FAST,
            registry=self.registry,
        )
        self.last_genuine = Gauge(
            "webhooks_last_genuine_timestamp_seconds",
            "When this process last took a genuine hook",
            registry=self.registry,
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

    def watch(self, stats: Callable[[], InboxStats], now: Callable[[], float]) -> None:
        """Add the inbox's figures, counted at each scrape."""
        self.registry.register(_InboxFigures(stats, now))


class _InboxFigures(Collector):
    def __init__(self, stats: Callable[[], InboxStats], now: Callable[[], float]) -> None:
        self._stats = stats
        self._now = now

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []  # so that registering does not need the database

    def collect(self) -> Iterable[GaugeMetricFamily]:
        stats = self._stats()
        for name, words, value in (
            ("hooks_remembered", "Hooks whose ids are remembered", stats.hooks),
            ("orders_waiting", "Orders that wait for a run", stats.orders_waiting),
            ("orders_failing", "Orders whose last run failed", stats.orders_failing),
        ):
            yield GaugeMetricFamily(f"webhooks_{name}", words, value=value)
        oldest = stats.oldest_waiting
        yield GaugeMetricFamily(
            "webhooks_oldest_waiting_seconds",
            "Age of the hook that waits longest",
            value=0 if oldest is None else max(0.0, self._now() - oldest.timestamp()),
        )
