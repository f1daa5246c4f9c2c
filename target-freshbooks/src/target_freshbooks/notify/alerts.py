"""Alerts: what somebody should know now, as the ledger has it, told already or not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from target_freshbooks.books.desired import Reason
from target_freshbooks.ledger import RUNS, Ledger, OrderRow, RunFailure, Telling
from target_freshbooks.money import decimals_of, is_whole
from target_freshbooks.posting.plan.draft import KEPT_AS_DRAFT
from target_freshbooks.settings import Monitoring
from target_freshbooks.shop.facts import OrderStatus

WAITING = "waiting"
"""The reason under which a long waiting order is told; of what it waits for may change."""

SILENCE = "no_good_run"
"""The reason under which it is told that no run has ended well."""

AT_REST = frozenset(
    f"status_{status.value}"
    for status in (
        OrderStatus.INCOMPLETE,
        OrderStatus.REFUNDED,
        OrderStatus.CANCELLED,
        OrderStatus.DECLINED,
        OrderStatus.PARTIALLY_REFUNDED,
    )
)
"""Statuses of orders for which nothing more is to come; most of them are abandoned carts."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to be told.

    Attributes:
        telling: By which it is noted as told.
        code: Of what an order waits for; else the telling's reason.
        amount: The order's total with its currency; empty if unknown.
        since: When runs began to fail so, or ended well last; None if never, and for orders.
    """

    telling: Telling
    code: str
    amount: str = ""
    since: datetime | None = None

    @property
    def is_of_runs(self) -> bool:
        """Whether it is of the runs and not of an order."""
        return self.telling.order_id == RUNS


@dataclass(frozen=True, slots=True)
class Overview:
    """How things stand.

    Attributes:
        alerts: What is to be known, of the runs first, then by order.
        over: Reasons of what may have been told of the runs and is so no more.
    """

    alerts: tuple[Alert, ...]
    over: frozenset[str]

    @property
    def are_runs_well(self) -> bool:
        """Whether nothing is to be told of the runs."""
        return not any(alert.is_of_runs for alert in self.alerts)


def look(ledger: Ledger, monitoring: Monitoring, now: datetime) -> Overview:
    """See how things stand with one shop's runs and orders."""
    good = ledger.runs.last_good()
    ended = None if good is None else good.ended_at
    failures = ledger.told.failures()
    failing, over = [], set()
    for one in failures:
        if ended is not None and ended > one.last_at:
            over.add(one.kind)
        else:
            failing.append(Alert(Telling(RUNS, one.kind), one.kind, since=one.since))
    silence = list(_silence(monitoring, ended, _begun(ledger, failures), now))
    if monitoring.notify_silence_hours and not silence:
        over.add(SILENCE)
    alerts = chain(
        failing,
        silence,
        _parked(ledger),
        _waiting(ledger, monitoring, now),
    )
    return Overview(tuple(alerts), frozenset(over))


def _begun(ledger: Ledger, failures: Sequence[RunFailure]) -> datetime | None:
    """When it was tried to run first, as far as is known."""
    tries = (ledger.runs.first_start(), *(one.since for one in failures))
    return min((moment for moment in tries if moment is not None), default=None)


def _silence(
    monitoring: Monitoring, ended: datetime | None, begun: datetime | None, now: datetime
) -> Iterator[Alert]:
    hours, since = monitoring.notify_silence_hours, ended or begun
    if hours and (since is None or now - since >= timedelta(hours=hours)):
        yield Alert(Telling(RUNS, SILENCE), SILENCE, since=ended)


def _parked(ledger: Ledger) -> Iterator[Alert]:
    for row in ledger.orders.all(state="parked"):
        reason = row.reason or "unknown"
        yield Alert(Telling(row.order_id, reason), reason, _amount(row))


def _waiting(ledger: Ledger, monitoring: Monitoring, now: datetime) -> Iterator[Alert]:
    days = monitoring.notify_waiting_days
    if not days:
        return
    latest = now.date() - timedelta(days=days)
    for row in chain(ledger.orders.all(state="waiting"), ledger.orders.all(state="new")):
        code = row.reason or ""
        is_to_come = code in {KEPT_AS_DRAFT, Reason.MONEY_UNCLEAR} or (
            code.startswith("status_") and code not in AT_REST
        )
        if is_to_come and row.order_date is not None and row.order_date <= latest:
            yield Alert(Telling(row.order_id, WAITING), code, _amount(row))


def _amount(row: OrderRow) -> str:
    if row.order_total is None or not row.currency:
        return ""
    decimals = decimals_of(row.currency)
    if not is_whole(row.order_total, decimals):
        return ""
    return f"{row.order_total:.{decimals}f} {row.currency}"
