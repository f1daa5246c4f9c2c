"""Message: alerts in words for people; numbers, codes, amounts and times, and nobody's name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from connector_credentials.commands import as_typed, ctl

from target_freshbooks.books.desired import Reason
from target_freshbooks.notify.alerts import SILENCE, WAITING, Alert
from target_freshbooks.notify.failures import failure_of
from target_freshbooks.notify.next_steps import next_step
from target_freshbooks.posting.plan.draft import KEPT_AS_DRAFT
from target_freshbooks.settings import Monitoring
from target_freshbooks.shop.facts import OrderStatus

NAMED = 20
"""How many orders a message names; the rest is counted."""

SCHEDULE = (
    "Next: see whether the schedule (cron, CI, Airflow) still starts the job `sync`, and what its"
    " log says."
)

Kind = Literal["info", "success", "warning", "failure"]

_WAITS_FOR = {
    KEPT_AS_DRAFT: "Drafts to be sent (replay --send)",
    Reason.MONEY_UNCLEAR.value: "money unclear",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What a service is handed.

    Attributes:
        kind: How grave it is, in apprise's words.
        title: One line.
        body: Lines of plain text.
    """

    kind: Kind
    title: str
    body: str


def compose(
    monitoring: Monitoring, due: Sequence[Alert], standing: Sequence[Alert], *, recovered: bool
) -> Message:
    """Put what is due into one message.

    Args:
        monitoring: Whose it is, and the limits it speaks of.
        due: What the service was not told yet, at least one unless it is of a recovery.
        standing: All that stands.
        recovered: Whether runs end well again, of which it was told otherwise.
    """
    runs = [alert for alert in due if alert.is_of_runs]
    waiting = [alert for alert in due if alert.telling.reason == WAITING]
    parked = [alert for alert in due if alert not in runs and alert not in waiting]
    subjects = [
        *(["runs fail"] if any(alert.code != SILENCE for alert in runs) else []),
        *(["no run has ended well for long"] if any(a.code == SILENCE for a in runs) else []),
        *(["runs end well again"] if recovered else []),
        *([f"{_orders(parked)} parked"] if parked else []),
        *([f"{_orders(waiting)} waiting for long"] if waiting else []),
    ]
    lines = ["Runs end well again."] if recovered else []
    lines += [_of_runs(alert, monitoring) for alert in runs]
    if parked:
        total = sum(not one.is_of_runs and one.telling.reason != WAITING for one in standing)
        lines.append(f"{_orders(parked)} newly parked, {total} parked in all:")
        lines += _listed(parked, NAMED)
    if waiting:
        total = sum(one.telling.reason == WAITING for one in standing)
        days = monitoring.notify_waiting_days
        lines.append(f"{_orders(waiting)} not billed {days} days after the order, {total} in all:")
        lines += _listed(waiting, max(NAMED - len(parked), 0))
    if parked or waiting:
        lines.append(f"More by {ctl('status')}.")
    due_kind: Kind = "warning" if parked or waiting else "success"
    return Message(
        "failure" if runs else due_kind,
        f"target-freshbooks ({monitoring.source}): {', '.join(subjects)}",
        as_typed("\n".join(lines)),
    )


def trial(monitoring: Monitoring) -> Message:
    """The message of a test."""
    return Message(
        "info",
        f"target-freshbooks ({monitoring.source}): a test",
        "This is a test. Parked orders, failing runs and the like are told here.",
    )


def _of_runs(alert: Alert, monitoring: Monitoring) -> str:
    since = None if alert.since is None else f"{alert.since:%Y-%m-%d %H:%M} UTC"
    if alert.code == SILENCE:
        hours = monitoring.notify_silence_hours
        if since is None:
            return f"No run has ended well yet. {SCHEDULE}"
        last = f"the last that did ended at {since}"
        return f"No run has ended well for {hours} hours; {last}. {SCHEDULE}"
    failure = failure_of(alert.code)
    begun = "" if since is None else f" since {since}"
    return f"Runs fail{begun} ({failure.kind}): {failure.sentence} Next: {failure.next_step}"


def _orders(alerts: Sequence[Alert]) -> str:
    return f"{len(alerts)} order{'s' if len(alerts) > 1 else ''}"


def _listed(alerts: Iterable[Alert], most: int) -> Iterator[str]:
    """A line for each reason, or what is waited for, that names orders as long as it may."""

    def code(alert: Alert) -> str:
        return alert.code

    for reason, group in groupby(sorted(alerts, key=code), key=code):
        same = list(group)
        named, most = same[:most], max(most - len(same), 0)
        orders = [
            f"{one.telling.order_id} ({one.amount})" if one.amount else str(one.telling.order_id)
            for one in named
        ]
        more = [f"{len(same) - len(named)} more"] if len(named) < len(same) else []
        if same[0].telling.reason == WAITING:
            yield f"- {_waits_for(reason)}: {', '.join(orders + more)}."
        else:
            yield f"- {reason}: {', '.join(orders + more)}. Next: {next_step(reason)}"


def _waits_for(code: str) -> str:
    number = code.removeprefix("status_")
    if number.isdigit() and int(number) in set(OrderStatus):
        return f"{code} ({OrderStatus(int(number)).name.replace('_', ' ').lower()})"
    return _WAITS_FOR.get(code, code)
