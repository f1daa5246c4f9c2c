"""The webhook dispatcher: posts queued events to the hooks' destinations, and tries again.

A delivery is done when the receiver answers 2xx in time. Else it is tried again after 60, 180, 300
... 86400 seconds of the sandbox's clock (11 times, about two days); then the hook is switched off.
`webhook-id` stays the same over all attempts. `webhook-timestamp` is the real time of the attempt,
whatever the sandbox's clock says, since receivers judge it by their own clock.
"""

import asyncio
import contextlib
import http.client
import json
import sqlite3
import ssl
import time
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from connector_sandbox.bigcommerce.delivery_queue import FORGERIES, DeliveryQueue
from connector_sandbox.bigcommerce.events import Event
from connector_sandbox.bigcommerce.signing import signature
from connector_sandbox.constants import BIGCOMMERCE_CLIENT_SECRET
from connector_sandbox.context import Context

RETRY_AFTER = (60, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 50400, 86400)
AT_ONCE = 8
LOOK_EVERY = 0.05  # real seconds
HOUR = 3600
WILL_RETRY, EXHAUSTED = 90001, 90002


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to be made."""

    number: int
    hook_id: int
    destination: str
    headers: dict[str, str]
    body: bytes


class WebhookDispatcher:
    """Delivers what the queue holds, in the background of the server."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.queue = DeliveryQueue(ctx, Random(ctx.seed))  # noqa: S311  not for secrets
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to deliver."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop; what waits stays queued."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        while True:
            attempts = self._due()
            if attempts:
                timeout = self._ctx.switches.number("bc.webhook_timeout_seconds")
                statuses = await asyncio.gather(
                    *(asyncio.to_thread(_post, attempt, timeout) for attempt in attempts)
                )
                for attempt, status in zip(attempts, statuses, strict=True):
                    self._note(attempt, status)
            else:
                await asyncio.sleep(LOOK_EVERY)

    def _due(self) -> list[Attempt]:
        rows = self._ctx.store.connect().execute(
            "SELECT d.*, h.destination, h.headers, h.is_active, t.client_secret "
            "FROM bc_deliveries d LEFT JOIN bc_hooks h ON h.id = d.hook_id "
            "LEFT JOIN bc_tokens t ON t.client_id = h.client_id "
            "WHERE d.state = 'waiting' AND d.due <= ? GROUP BY d.id ORDER BY d.due LIMIT ?",
            (self._ctx.clock.now().timestamp(), AT_ONCE),
        )
        return [attempt for row in rows.fetchall() if (attempt := self._wrap(row)) is not None]

    def _wrap(self, row: sqlite3.Row) -> Attempt | None:
        if not row["is_active"]:
            with self._ctx.store.writing() as connection:
                connection.execute(
                    "UPDATE bc_deliveries SET state = 'discarded' WHERE id = ?", (row["id"],)
                )
            return None
        secret = row["client_secret"] or BIGCOMMERCE_CLIENT_SECRET
        body = str(row["body"]).encode()
        forgery = FORGERIES[row["forged"] - 1] if row["forged"] else None
        now = int(time.time()) - (HOUR if forgery == "old_timestamp" else 0)
        if forgery == "wrong_secret":
            secret = "not-the-client-secret"  # noqa: S105  a forger's guess
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "connector-sandbox",
            "webhook-id": row["webhook_id"],
            "webhook-timestamp": str(now),
            **json.loads(row["headers"]),
        }
        if self._ctx.switches["bc.webhook_signed"] and forgery != "unsigned":
            headers["webhook-signature"] = signature(secret, row["webhook_id"], now, body)
        if forgery == "tampered":
            body = body.replace(b'"created_at":', b'"created_at": ')
        return Attempt(row["id"], row["hook_id"], row["destination"], headers, body)

    def _note(self, attempt: Attempt, status: int) -> None:
        """Write down how an attempt ended, and what follows from it."""
        with self._ctx.store.writing() as connection:
            row = connection.execute(
                "SELECT attempts, forged FROM bc_deliveries WHERE id = ?", (attempt.number,)
            ).fetchone()
            if row is None:
                return  # the sandbox was reset meanwhile
            attempts = row["attempts"] + 1
            delivered = 200 <= status < 300  # noqa: PLR2004  HTTP's
            due = self._ctx.clock.now().timestamp()
            if delivered:
                state = "delivered"
            elif row["forged"]:
                state = "refused"  # a forger does not come back
            elif attempts > len(RETRY_AFTER):
                state = "failed"
                self._switch_off(connection, attempt)
            else:
                state = "waiting"
                due += RETRY_AFTER[attempts - 1]
                if attempts == 1:
                    self._complain(connection, attempt, WILL_RETRY, "Delivery will be tried again.")
            connection.execute(
                "UPDATE bc_deliveries SET attempts = ?, state = ?, due = ?, last_status = ? "
                "WHERE id = ?",
                (attempts, state, due, status, attempt.number),
            )

    def _switch_off(self, connection: sqlite3.Connection, attempt: Attempt) -> None:
        connection.execute(
            "UPDATE bc_hooks SET is_active = 0, updated = ? WHERE id = ?",
            (int(self._ctx.clock.now().timestamp()), attempt.hook_id),
        )
        self._complain(connection, attempt, EXHAUSTED, "Retries are exhausted, hook disabled.")

    def _complain(
        self, connection: sqlite3.Connection, attempt: Attempt, code: int, message: str
    ) -> None:
        scope = "store/hook/deliveryException"
        own = connection.execute(
            "SELECT scope FROM bc_hooks WHERE id = ?", (attempt.hook_id,)
        ).fetchone()
        if own is None or own["scope"] == scope:
            return
        data = {"type": "webhook", "id": attempt.hook_id, "error_code": code, "message": message}
        self.queue.put(connection, [Event(scope, data)])


def _post(attempt: Attempt, timeout: int) -> int:
    """Post one body; 0 stands for no answer at all."""
    parts = urlsplit(attempt.destination)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(
            host, parts.port or 443, timeout=timeout, context=ssl.create_default_context()
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port or 80, timeout=timeout)
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, attempt.body, attempt.headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        return 0  # ValueError: a destination that cannot be written into a request
    finally:
        connection.close()
