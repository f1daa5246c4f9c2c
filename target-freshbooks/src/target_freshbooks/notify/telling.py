"""Telling: each service hears once of each thing, as soon as it can be reached.

First delivered, then noted: a kill between the two has the message told once more, and never lost.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from target_freshbooks.ledger import RUNS, Ledger, Telling
from target_freshbooks.ledger.told import WELL_AGAIN
from target_freshbooks.notify.alerts import WAITING, Alert, Overview, look
from target_freshbooks.notify.courier import SECONDS
from target_freshbooks.notify.delivery import Delivery, Recipient, deliver, services_of
from target_freshbooks.notify.message import Message, compose
from target_freshbooks.settings import Monitoring

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What a round of telling came to.

    Attributes:
        standing: How things stand.
        due: What some service had not been told.
        deliveries: What came of each message.
    """

    standing: Overview
    due: tuple[Alert, ...]
    deliveries: tuple[Delivery, ...]


def tell(ledger: Ledger, monitoring: Monitoring, now: datetime) -> Round:
    """Tell each service what it has not been told, in one message.

    Raises:
        LedgerError: The ledger cannot be used.
        LockTimeout: Another process has been telling all the time: the next one tells the rest.
    """
    services = services_of(monitoring.notify_urls)
    with ledger.told.alone(2 * SECONDS):
        standing = look(ledger, monitoring, now)
        _forget_what_is_over(ledger, standing)
        ledger.told.recover(standing.over)
        again = Telling(RUNS, WELL_AGAIN)
        messages: list[tuple[Recipient, Message]] = []
        due: dict[str, list[Alert]] = {}
        for service in services:
            known = ledger.told.of(service.key)
            due[service.key] = [one for one in standing.alerts if one.telling not in known]
            recovered = standing.are_runs_well and again in known
            if due[service.key] or recovered:
                message = compose(
                    monitoring, due[service.key], standing.alerts, recovered=recovered
                )
                messages.append((service, message))
        deliveries = deliver(messages) if messages else []
        for one in deliveries:
            if not one.failure:
                ledger.told.note(one.service.key, [a.telling for a in due[one.service.key]])
                if standing.are_runs_well:
                    ledger.told.forget([again], one.service.key)
    new = {alert: None for alerts in due.values() for alert in alerts}
    return Round(standing, tuple(new), tuple(deliveries))


def warn(deliveries: Iterable[Delivery]) -> None:
    """Log which services could not be told."""
    for one in deliveries:
        if one.failure:
            logger.warning(
                "Notification: %s was not told, %s. The next run tells it.",
                one.service.name,
                one.failure,
            )


def _forget_what_is_over(ledger: Ledger, standing: Overview) -> None:
    """Forget that orders were told which are posted since, settled, or wait for something else."""
    stands = {alert.telling for alert in standing.alerts}
    over = []
    for telling in ledger.told.all() - stands:
        if telling.order_id == RUNS:
            continue
        row = ledger.orders.get(telling.order_id)
        same = {"new", "waiting" if telling.reason == WAITING else "parked"}
        if row is None or row.state not in same:
            over.append(telling)
    ledger.told.forget(over)
