"""Putting the parts together from the settings; the commands use it and nothing else does."""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connector_credentials.backoff import Backoff

from connector_webhooks.claims import Claims
from connector_webhooks.database import Database
from connector_webhooks.dispatch import Dispatcher, DispatchLoop
from connector_webhooks.inbox import Inbox
from connector_webhooks.keys import keys_of, need_secrets, need_store, need_token
from connector_webhooks.receiver import Receiver
from connector_webhooks.run import Program
from connector_webhooks.secrecy import Redaction, secrets_of
from connector_webhooks.signature import Verifier
from connector_webhooks.worker import ChildWorker
from connector_webhooks.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector_webhooks.bigcommerce import HooksApi
    from connector_webhooks.keys import Keys
    from connector_webhooks.metrics import Metrics
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

    def keys(self) -> Keys:
        """The secrets."""
        return keys_of(self.settings)

    def redaction(self) -> Redaction:
        """What blanks all secrets known from settings, store and environment."""
        keys, settings = self.keys(), self.settings
        return Redaction(
            {
                *keys.client_secrets,
                keys.access_token,
                settings.shared_header_value,
                settings.encryption_key,
                *secrets_of(self.environment),
            }
        )

    def inbox(self) -> Inbox:
        """The inbox, opened."""
        return Inbox(Database(self.settings.inbox_url, need_store(self.settings)))

    def api(self) -> HooksApi:
        """BigCommerce's hooks API."""
        # Its HTTP client costs a quarter of a start; receiver and dispatcher ask nobody.
        from connector_webhooks.bigcommerce import HooksApi  # noqa: PLC0415 - see above

        store, token = need_store(self.settings), need_token(self.keys())
        return HooksApi(self.settings.api_url, store, token)

    def receiver(self, inbox: Inbox, metrics: Metrics) -> Receiver:
        """The receiving side."""
        settings = self.settings
        metrics.watch(inbox.census, lambda: clock().timestamp())
        return Receiver(
            settings=settings,
            verifier=Verifier(
                need_secrets(self.keys()),
                tolerance=timedelta(seconds=settings.timestamp_tolerance_seconds),
                late_limit=timedelta(seconds=settings.late_limit_seconds),
            ),
            inbox=inbox,
            writer=Writer(inbox),
            metrics=metrics,
            collapse=self.collapse,
            clock=clock,
        )

    @property
    def collapse(self) -> timedelta:
        """Time given to further hooks of an order."""
        return timedelta(milliseconds=self.settings.collapse_milliseconds)

    def dispatcher(self, inbox: Inbox, metrics: Metrics | None) -> tuple[Dispatcher, Claims]:
        """The dispatching side, with its claims."""
        settings = self.settings
        claims = Claims(inbox.database)
        worker = ChildWorker(
            Program.of(settings, self.environment),
            self.redaction(),
            clock=clock,
            stopping=self.stopping,
            hurrying=self.hurrying,
            grace=timedelta(seconds=settings.shutdown_seconds),
        )
        dispatcher = Dispatcher(
            claims,
            worker,
            backoff=Backoff(settings.retry_base_seconds, settings.retry_max_seconds, least=0.5),
            max_orders=settings.max_orders_per_run,
            max_attempts=settings.max_attempts,
            clock=clock,
            random=random.Random(),  # noqa: S311 - it scatters pauses
            stopping=self.stopping,
            metrics=metrics,
        )
        return dispatcher, claims

    def loop(self, inbox: Inbox, metrics: Metrics | None) -> DispatchLoop:
        """The dispatcher, cycling."""
        dispatcher, claims = self.dispatcher(inbox, metrics)
        return DispatchLoop(
            dispatcher,
            claims,
            clock=clock,
            stopping=self.stopping,
            housekeeping=lambda: self.prune(inbox),
        )

    def prune(self, inbox: Inbox) -> None:
        """Forget finished hooks that are old enough."""
        if gone := inbox.prune(clock(), timedelta(days=self.settings.retention_days)):
            log.info("Forgot %d finished hooks.", gone)
