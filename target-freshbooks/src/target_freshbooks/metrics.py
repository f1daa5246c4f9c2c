"""Metrics: how runs and orders stand, as a text file for Prometheus' node_exporter.

All but the age of the token is read from the ledger, so that whoever writes the file, a run or
`notify`, writes the same. It names no shopper and holds no secret, and so, unlike all other files
of ours, it may be read by everybody: node_exporter is another user.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from connector_credentials import CredentialError
from connector_credentials.private_files import sync_folder
from connector_credentials.read_only import open_store_to_read
from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from target_freshbooks.books.desired import Reason
from target_freshbooks.freshbooks import entry_name
from target_freshbooks.ledger import Ledger, RunRow
from target_freshbooks.settings import Monitoring, Settings

PREFIX = "target_freshbooks"
STATES = ("new", "waiting", "posted", "parked", "settled")
COUNTED = ("received", "posted", "unchanged", "waiting", "parked")
"""What a run counts of orders."""


class Sheet(Collector):
    """The metrics of one source, each with the label `source`.

    Args:
        source: The label's value.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._families: list[Metric] = []

    def gauge(self, name: str, about: str, value: float | None) -> None:
        """Add a figure; none if it is not known."""
        if value is not None:
            family = GaugeMetricFamily(f"{PREFIX}_{name}", about, labels=["source"])
            family.add_metric([self._source], value)
            self._families.append(family)

    def gauges(self, name: str, about: str, label: str, values: Mapping[str, float]) -> None:
        """Add a figure for each value of a further label."""
        family = GaugeMetricFamily(f"{PREFIX}_{name}", about, labels=["source", label])
        self._add(family, values)

    def counters(self, name: str, about: str, label: str, values: Mapping[str, float]) -> None:
        """Add a number that only grows, for each value of a further label."""
        family = CounterMetricFamily(f"{PREFIX}_{name}", about, labels=["source", label])
        self._add(family, values)

    def _add(
        self, family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float]
    ) -> None:
        for key, value in values.items():
            family.add_metric([self._source, key], value)
        self._families.append(family)

    @override
    def collect(self) -> list[Metric]:
        """What was added."""
        return self._families

    def write(self, file: Path) -> None:
        """Put the file in place in one step, for everybody to read; its folder must be there."""
        registry = CollectorRegistry()
        registry.register(self)
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        write_to_textfile(str(draft), registry)
        draft.chmod(0o644)
        draft.replace(file)
        sync_folder(file.parent)


def write(ledger: Ledger, monitoring: Monitoring, settings: Settings | None, now: datetime) -> None:
    """Write the file.

    Args:
        ledger: How things stand.
        monitoring: Where the file is.
        settings: All of them, by which the token is found; None if they cannot be read.
        now: The time.

    Raises:
        LedgerError: The ledger cannot be read.
        OSError: The file cannot be written.
    """
    sheet = _begun(monitoring)
    _orders(sheet, ledger)
    _runs(sheet, ledger)
    head = ledger.audit.head()
    if head is not None:
        sheet.gauge("audit_rows", "Rows of the audit journal, of all sources.", head.seq)
        about = "Where the audit journal ends, for verify --expect."
        sheet.gauges("audit_head_info", about, "head", {str(head): 1})
    if settings is not None:
        about = "Time since the refresh token changed last, when this file was written."
        sheet.gauge("token_age_seconds", about, _token_age(settings, now))
    if monitoring.metrics_file is not None:
        sheet.write(monitoring.metrics_file)


def write_failure(monitoring: Monitoring, ended: datetime | None) -> None:
    """Write the file where the ledger cannot be used: that runs fail is all that is known.

    Args:
        monitoring: Where the file is.
        ended: When the last run ended; None if that is not known.

    Raises:
        OSError: The file cannot be written.
    """
    sheet = _begun(monitoring)
    _last_run(sheet, ended, is_good=False)
    if monitoring.metrics_file is not None:
        sheet.write(monitoring.metrics_file)


def _begun(monitoring: Monitoring) -> Sheet:
    sheet = Sheet(monitoring.source)
    version = metadata.version("target-freshbooks")
    sheet.gauges("build_info", "The version of target-freshbooks.", "version", {version: 1})
    return sheet


def _orders(sheet: Sheet, ledger: Ledger) -> None:
    counts = ledger.orders.counts()
    by_state = {state: counts[state] for state in STATES}
    sheet.gauges("orders", "Orders in the ledger by state.", "state", by_state)
    by_reason = dict.fromkeys(map(str, Reason), 0) | counts["parked_reasons"]
    sheet.gauges("parked_orders", "Parked orders by reason.", "reason", by_reason)


def _runs(sheet: Sheet, ledger: Ledger) -> None:
    about = "Runs by how they ended; those that were killed as none."
    sheet.counters("runs_total", about, "outcome", ledger.runs.outcomes())
    good = ledger.runs.last_good()
    if good is not None and good.ended_at is not None:
        about = "When the last run ended that ended well and heard of the shop."
        sheet.gauge("last_good_run_timestamp_seconds", about, good.ended_at.timestamp())
    latest = ledger.runs.last_ended()
    failed = max((one.last_at for one in ledger.told.failures()), default=None)
    if latest is not None:
        _figures(sheet, latest)
    latest_end = None if latest is None else latest.ended_at
    if failed is not None and (latest_end is None or failed >= latest_end):
        _last_run(sheet, failed, is_good=False)
    elif latest is not None and latest_end is not None:
        _last_run(sheet, latest_end, is_good=latest.outcome == "done")


def _last_run(sheet: Sheet, ended: datetime | None, *, is_good: bool) -> None:
    moment = None if ended is None else ended.timestamp()
    sheet.gauge("last_run_timestamp_seconds", "When the last run ended.", moment)
    sheet.gauge("last_run_success", "Whether the last run ended well.", int(is_good))


def _figures(sheet: Sheet, run: RunRow) -> None:
    counts, figures = run.counts or {}, run.figures or {}
    by_outcome = {name: counts[name] for name in COUNTED if name in counts}
    sheet.gauges("last_run_orders", "Orders of the last run by outcome.", "outcome", by_outcome)
    sheet.gauge("last_run_writes", "Writes that FreshBooks carried out.", counts.get("writes"))
    by_status = {"200": 0, "429": 0} | figures.get("requests", {})
    about = "Requests of the last run to FreshBooks' API by status; none: no answer."
    sheet.gauges("last_run_requests", about, "status", by_status)
    lag = figures.get("lag") or {}
    about = "From paid to booked, of the orders that the last run posted first"
    sheet.gauge("last_run_booking_lag_median_seconds", f"{about}: median.", lag.get("median"))
    sheet.gauge("last_run_booking_lag_max_seconds", f"{about}: longest.", lag.get("max"))


def _token_age(settings: Settings, now: datetime) -> float | None:
    """Seconds since the stored token was refreshed; None if there is none, or it cannot be read."""
    try:
        store = open_store_to_read(settings.credentials_url, settings.encryption_key)
        if store is None:
            return None
        try:
            document: Mapping[str, Any] = store.read(entry_name(settings.client_id)) or {}
        finally:
            store.close()
    except CredentialError:
        return None  # the run itself, and doctor, say so
    refreshed = document.get("refreshed_at")
    return None if not refreshed else (now - datetime.fromisoformat(refreshed)).total_seconds()
