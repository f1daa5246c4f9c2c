"""Putting the parts together from the settings; the commands use it and nothing else does."""

from __future__ import annotations

import logging
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connector_credentials.backoff import Backoff

from connector_webhooks.account import (
    read_secrets,
    require_client_secrets,
    require_store,
    require_token,
)
from connector_webhooks.database import Database
from connector_webhooks.dispatch import Dispatcher, dispatch_until_stopped
from connector_webhooks.inbox import QUIET_PARTS, Inbox
from connector_webhooks.metrics import Metrics
from connector_webhooks.orders import Orders
from connector_webhooks.receiver import Receiver
from connector_webhooks.run import Program
from connector_webhooks.secrecy import Redaction, secrets_of
from connector_webhooks.signature import Verifier
from connector_webhooks.worker import ChildWorker
from connector_webhooks.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from connector_webhooks.account import Secrets
    from connector_webhooks.bigcommerce import HooksApi
    from connector_webhooks.settings import Settings

log = logging.getLogger(__name__)


def clock() -> datetime:
    """Our time, aware."""
    return datetime.now(UTC)


@dataclass
class Assembly:
    """The parts of one process.

    Attributes:
        settings: What the operator asked for.
        environment: The process' environment, for the run.
        stopping: Set when the process is to end.
        hurrying: Set when it is to end without waiting for a run.
    """

    settings: Settings
    environment: Mapping[str, str]
    stopping: threading.Event = field(default_factory=threading.Event)
    hurrying: threading.Event = field(default_factory=threading.Event)

    def secrets(self) -> Secrets:
        """The client secrets and the access token."""
        return read_secrets(self.settings)

    def redaction(self) -> Redaction:
        """What blanks all secrets known from settings, store and environment."""
        secrets, settings = self.secrets(), self.settings
        return Redaction(
            {
                *secrets.client_secrets,
                secrets.access_token,
                settings.shared_header_value,
                settings.encryption_key,
                *secrets_of(self.environment),
            }
        )

    @contextmanager
    def inbox(self) -> Iterator[Inbox]:
        """The inbox, open for as long as the block lasts."""
        database = Database(self.settings.inbox_url, require_store(self.settings))
        try:
            yield Inbox(database, self.collapse)
        finally:
            database.close()

    def api(self) -> HooksApi:
        """BigCommerce's hooks API."""
        # Its HTTP client costs a quarter of a start; receiver and dispatcher ask nobody.
        from connector_webhooks.bigcommerce import HooksApi  # noqa: PLC0415 - see above

        store, token = require_store(self.settings), require_token(self.secrets())
        return HooksApi(self.settings.api_url, store, token)

    def receiver(self, inbox: Inbox, metrics: Metrics) -> Receiver:
        """The receiving side."""
        settings = self.settings
        return Receiver(
            settings=settings,
            verifier=Verifier(
                require_client_secrets(self.secrets()),
                tolerance=timedelta(seconds=settings.timestamp_tolerance_seconds),
                late_limit=timedelta(seconds=settings.late_limit_seconds),
            ),
            inbox=inbox,
            writer=Writer(inbox),
            metrics=metrics,
            quiet=self.collapse / QUIET_PARTS,
            clock=clock,
        )

    @property
    def collapse(self) -> timedelta:
        """Time given to further hooks of an order at most."""
        return timedelta(milliseconds=self.settings.collapse_milliseconds)

    def dispatcher(self, inbox: Inbox, metrics: Metrics | None = None) -> Dispatcher:
        """The dispatching side."""
        settings = self.settings
        worker = ChildWorker(
            Program.of(settings, self.environment),
            self.redaction(),
            monotonic=time.monotonic,
            stopping=self.stopping,
            hurrying=self.hurrying,
            grace=settings.shutdown_seconds,
        )
        return Dispatcher(
            Orders(inbox.database),
            worker,
            backoff=Backoff(settings.retry_base_seconds, settings.retry_max_seconds, least=0.5),
            max_orders=settings.max_orders_per_run,
            clock=clock,
            monotonic=time.monotonic,
            random=random.Random(),  # noqa: S311 - it scatters pauses
            stopping=self.stopping,
            metrics=metrics or Metrics(),
        )

    def dispatching(self, inbox: Inbox, metrics: Metrics) -> Callable[[], None]:
        """What dispatches until the process is to end; the dispatcher itself is made here."""
        dispatcher = self.dispatcher(inbox, metrics)
        return lambda: dispatch_until_stopped(
            dispatcher,
            housekeeping=lambda: self.prune(inbox),
            monotonic=time.monotonic,
            stopping=self.stopping,
        )

    def prune(self, inbox: Inbox) -> None:
        """Forget the ids of hooks that are old enough."""
        if gone := inbox.prune(clock(), timedelta(days=self.settings.retention_days)):
            log.info("Forgot %d hooks.", gone)
