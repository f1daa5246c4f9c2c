"""After a run: whoever is named in `notify_urls` is told, and the metrics are written.

Whatever goes wrong here is a warning in the log: a run's exit code is about its orders.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from connector_credentials import LockTimeout
from connector_credentials.output import places
from connector_credentials.settings import SettingError
from sqlalchemy.exc import SQLAlchemyError

from target_freshbooks.ledger import RUNS, Ledger, LedgerError, Telling, utc_now
from target_freshbooks.notify.alerts import Alert
from target_freshbooks.notify.delivery import deliver, services_of
from target_freshbooks.notify.failures import kind_of
from target_freshbooks.notify.message import compose
from target_freshbooks.notify.spare_notes import SpareNotes
from target_freshbooks.notify.telling import tell, warn
from target_freshbooks.posting.results import Interrupted
from target_freshbooks.settings import Monitoring, Settings, read_monitoring, read_settings

logger = logging.getLogger(__name__)

UNUSABLE = (LedgerError, SQLAlchemyError)


def after_run(
    config: Mapping[str, Any],
    environment: Mapping[str, str],
    failure: BaseException | None,
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Tell of a run that has ended, and write the metrics.

    Args:
        config: The settings as they were given.
        environment: The process'.
        failure: What stopped the run; None if it went to its end.
        clock: Aware UTC now.
    """
    with _as_a_warning():
        monitoring, settings = _settings(config, environment)
        if monitoring is None or not monitoring.is_on:
            return
        interrupted = isinstance(failure, Interrupted)
        kind = None if failure is None or interrupted else kind_of(failure)
        ledger = _open(monitoring, kind, clock)
        if ledger is None:
            with _as_a_warning():
                write_metrics(None, monitoring, settings, clock())
            if monitoring.notify_urls and not interrupted:
                tell_without_ledger(monitoring, kind or "ledger", clock())
            return
        with ledger:
            if monitoring.notify_urls and not interrupted:
                with _as_a_warning():
                    SpareNotes(monitoring.source).hand_over(ledger)
                    warn(tell(ledger, monitoring, clock()).deliveries)
            write_metrics(ledger, monitoring, settings, clock())


def write_metrics(
    ledger: Ledger | None,
    monitoring: Monitoring,
    settings: Settings | None,
    now: datetime,
    *,
    ended: bool = True,
) -> None:
    """Write the metrics, if there is a file for them; without a ledger, that runs fail.

    `ended` says whether a run has ended now.
    """
    if monitoring.metrics_file is None:
        return
    from target_freshbooks import metrics  # noqa: PLC0415 - who has none does without its library

    if ledger is None:
        metrics.write_failure(monitoring, now if ended else None)
    else:
        metrics.write(ledger, monitoring, settings, now)


def tell_without_ledger(monitoring: Monitoring, kind: str, now: datetime) -> bool:
    """Tell that runs fail where the ledger cannot be used; whether nobody was missed."""
    notes = SpareNotes(monitoring.source)
    alert = Alert(Telling(RUNS, kind), kind, since=now)
    message = compose(monitoring, [alert], [alert], recovered=False)
    services = services_of(monitoring.notify_urls)
    deliveries = deliver([(one, message) for one in services if not notes.told(one.key, kind)])
    warn(deliveries)
    for one in deliveries:
        if not one.failure:
            notes.note(one.service.key, kind, now)
    return not any(one.failure for one in deliveries)


def _settings(
    config: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[Monitoring | None, Settings | None]:
    """The settings of monitoring, and all, as far as they can be read."""
    try:
        settings = read_settings(config, environment=environment)
    except SettingError:
        pass  # that has stopped the run, and was told by it
    else:
        return settings.monitoring, settings
    try:
        return read_monitoring(config, environment, leniently=True), None
    except SettingError as error:
        if any(name.startswith(("notify_urls", "metrics_file")) for name in config):
            logger.warning("Nobody was told of this run: %s", error)
        return None, None


def _open(monitoring: Monitoring, kind: str | None, clock: Callable[[], datetime]) -> Ledger | None:
    """The ledger, with the failure noted; None if it cannot be used."""
    try:
        ledger = Ledger.open(monitoring.ledger_url, source=monitoring.source, clock=clock)
    except UNUSABLE as error:
        logger.warning("Notification: the ledger cannot be used (%s).", type(error).__name__)
        return None
    try:
        if kind is not None:
            ledger.told.fail(kind)
    except UNUSABLE as error:
        ledger.dispose()
        logger.warning("Notification: the ledger cannot be written (%s).", type(error).__name__)
        return None
    return ledger


@contextmanager
def _as_a_warning() -> Iterator[None]:
    """What goes wrong within is told in the log, without words that may quote a URL."""
    try:
        yield
    except LockTimeout:
        logger.warning("Notification: another process is telling; the next run tells the rest.")
    except Exception as error:  # noqa: BLE001 - the run itself has ended, well or not
        logger.warning(
            "Notification, or metrics: not done (%s: %s).", type(error).__name__, places(error)
        )
