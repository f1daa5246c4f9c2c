"""`notify`: tells what is due beside the runs, above all that none came; for a schedule."""

import sys
from collections.abc import Sequence

import click
from connector_credentials import LockTimeout
from connector_credentials.settings import SettingError

from target_freshbooks.ctl.context import Context, command
from target_freshbooks.ledger import Ledger, utc_now
from target_freshbooks.notify.after_run import UNUSABLE, tell_without_ledger, write_metrics
from target_freshbooks.notify.alerts import Alert
from target_freshbooks.notify.delivery import Delivery, deliver, services_of
from target_freshbooks.notify.message import compose, trial
from target_freshbooks.notify.spare_notes import SpareNotes
from target_freshbooks.notify.telling import tell
from target_freshbooks.settings import Monitoring

NOBODY = "Nobody is told: notify_urls is not set."


@command("notify")
@click.option("--test", "is_test", is_flag=True, help="Send one test message to each service.")
def notify(context: Context, *, is_test: bool) -> None:
    """Tell what was not told yet: parked and long waiting orders, failing runs, none for long."""
    monitoring = context.settings.monitoring
    if is_test:
        _test(context, monitoring)
        return
    if monitoring.dry_run:
        context.show({"due": [], "services": []}, ["Nobody is told in a dry run."])
        return
    try:
        ledger = Ledger.open(monitoring.ledger_url, source=monitoring.source)
    except UNUSABLE:
        try:
            write_metrics(None, monitoring, context.settings, utc_now(), ended=False)
        finally:
            if monitoring.notify_urls:
                tell_without_ledger(monitoring, "ledger", utc_now())
        raise
    with ledger:
        try:
            SpareNotes(monitoring.source).hand_over(ledger)
            outcome = tell(ledger, monitoring, utc_now())
        except LockTimeout as error:
            raise click.ClickException(f"{error}; it tells what is due.") from None
        write_metrics(ledger, monitoring, context.settings, utc_now())
    due = outcome.due if monitoring.notify_urls else outcome.standing.alerts
    text = compose(monitoring, due, outcome.standing.alerts, recovered=False) if due else None
    lines = ["Nothing is to be told."] if text is None else [text.title, *text.body.split("\n")]
    document = {
        "due": [_document(alert) for alert in due],
        "services": _services(outcome.deliveries),
    }
    unset = [] if monitoring.notify_urls else [NOBODY]
    context.show(document, [*lines, *_outcomes(outcome.deliveries), *unset])
    _end(outcome.deliveries)


def _test(context: Context, monitoring: Monitoring) -> None:
    if not monitoring.notify_urls:
        raise SettingError(f"{NOBODY} Set TARGET_FRESHBOOKS_NOTIFY_URLS.")
    services = services_of(monitoring.notify_urls)
    deliveries = deliver([(service, trial(monitoring)) for service in services])
    context.show({"services": _services(deliveries)}, _outcomes(deliveries))
    _end(deliveries)


def _end(deliveries: Sequence[Delivery]) -> None:
    if any(one.failure for one in deliveries):
        sys.exit(1)


def _document(alert: Alert) -> dict[str, object]:
    return {
        "order_id": None if alert.is_of_runs else alert.telling.order_id,
        "reason": alert.telling.reason,
        "code": alert.code,
        "amount": alert.amount or None,
        "since": alert.since,
    }


def _services(deliveries: Sequence[Delivery]) -> list[dict[str, object]]:
    return [
        {"service": one.service.name, "told": not one.failure, "failure": one.failure or None}
        for one in deliveries
    ]


def _outcomes(deliveries: Sequence[Delivery]) -> list[str]:
    return [
        f"{one.service.name}: {one.failure}" if one.failure else f"{one.service.name}: told"
        for one in deliveries
    ]
