"""The receiver: prove, store, answer; nothing else happens while the sender waits.

A hook is answered 200 with an empty body once it is committed to the inbox. What carries no
signature of ours is answered 401 and leaves nothing but a count. Genuine hooks are never refused
for what they say or for their age: BigCommerce blocks a domain that fails too often, so a hook
that leads to no work is answered all the same (docs/webhooks.md has the table).
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connector_webhooks import hook as hooks
from connector_webhooks.errors import InboxError
from connector_webhooks.inbox import IncomingHook
from connector_webhooks.openapi import description
from connector_webhooks.signature import Age, VerifiedHook, Verifier
from connector_webhooks.writer import Overfull

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime, timedelta

    from starlette.types import ASGIApp, Receive, Scope, Send

    from connector_webhooks.inbox import Inbox
    from connector_webhooks.metrics import Metrics
    from connector_webhooks.settings import Settings
    from connector_webhooks.writer import Writer

log = logging.getLogger(__name__)

# What is read of a request that is too large, so that its sender sees the answer, not a reset.
MOST_DISCARDED = 1_048_576
SECONDS_BETWEEN_WARNINGS = 60.0


@dataclass
class Receiver:
    """What the endpoints share.

    Attributes:
        settings: The limits, the store, the shared header.
        quiet: Time from the last hook of an order to its run.
        clock: Aware time.
    """

    settings: Settings
    verifier: Verifier
    inbox: Inbox
    writer: Writer
    metrics: Metrics
    quiet: timedelta
    clock: Callable[[], datetime]
    _warned_at: float = -SECONDS_BETWEEN_WARNINGS
    _forged_since: int = 0

    async def take(self, request: Request) -> Response:
        """Answer one hook."""
        began = time.perf_counter()
        outcome, status = await self._take(request)
        self.metrics.requests.labels(outcome).inc()
        self.metrics.answer_seconds.observe(time.perf_counter() - began)
        return Response(status_code=status)

    async def _take(self, request: Request) -> tuple[str, int]:
        try:
            async with asyncio.timeout(self.settings.request_timeout_seconds):
                body = await self._body(request)
        except TimeoutError:
            return "slow", 408
        except ClientDisconnect:
            return "broken", 400
        if body is None:
            return "too_large", 413
        now = self.clock()
        verified = self._verified(request, body, now)
        if verified is None:
            self._count_forged()
            return "forged", 401
        self.metrics.last_genuine.set(now.timestamp())
        if verified.age is Age.EXPIRED:
            log.warning(
                "A genuine hook signed at %s came too late to be queued; the poll has read "
                "its order since.",
                verified.signed_at.isoformat(),
            )
            return "expired", 200
        return await self._store(verified, body, now)

    async def _body(self, request: Request) -> bytes | None:
        limit, size = self.settings.max_body_bytes, 0
        body = bytearray()
        async for part in request.stream():
            size += len(part)
            if size <= limit:
                body += part
            elif size > MOST_DISCARDED:
                break
        return bytes(body) if size <= limit else None

    def _verified(self, request: Request, body: bytes, now: datetime) -> VerifiedHook | None:
        headers = request.headers
        verified = self.verifier.verify(
            headers.get("webhook-id", ""),
            headers.get("webhook-timestamp", ""),
            " ".join(headers.getlist("webhook-signature")),
            body,
            now,
        )
        name, value = self.settings.shared_header_name, self.settings.shared_header_value
        shared = not name or hmac.compare_digest(
            headers.get(name, "").encode("latin-1"), value.encode()
        )
        return verified if shared else None

    def _count_forged(self) -> None:
        """Warn once a minute at most: whoever forges must not be able to fill our log."""
        self._forged_since += 1
        if time.monotonic() - self._warned_at >= SECONDS_BETWEEN_WARNINGS:
            log.warning(
                "%d request(s) without a valid signature or shared header refused. If these are "
                "BigCommerce's own, client_secret is not that of the API account that registered "
                "the hooks.",
                self._forged_since,
            )
            self._warned_at, self._forged_since = time.monotonic(), 0

    async def _store(self, verified: VerifiedHook, body: bytes, now: datetime) -> tuple[str, int]:
        hook = hooks.read(body, self.settings.store_hash)
        if hook.notice:
            self.metrics.notices.inc()
            log.warning("%s %s", hook.ignored, hook.notice)
        elif hook.other_store:
            log.warning("A hook of another store came here; its destination should be changed.")
        incoming = IncomingHook(
            webhook_id=verified.webhook_id,
            scope=hook.scope,
            order_id=hook.order_id,
            reason=hook.ignored,
            received_at=now,
            due_at=now + self.quiet,
        )
        try:
            future = asyncio.wrap_future(self.writer.submit(incoming))
            async with asyncio.timeout(self.settings.request_timeout_seconds):
                new = await future
        except Overfull:
            return "not_stored", 503
        except Exception as error:  # noqa: BLE001 - whatever it was, the sender is to repeat the hook
            log.warning("A hook was not stored in time (%s); answered 503.", type(error).__name__)
            return "not_stored", 503
        if verified.age is Age.LATE and new:
            self.metrics.late.inc()
        if not new:
            return "duplicate", 200
        return ("ignored" if hook.ignored else "stored"), 200

    def health(self, _request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    def ready(self, _request: Request) -> Response:
        """Hooks can be stored: the inbox can be read, and no commit failed just now."""
        self.inbox.look()
        if self.writer.failed_lately():
            raise InboxError("The last hooks could not be stored in the inbox.")
        return JSONResponse({"status": "ready"})

    def figures(self, _request: Request) -> Response:
        """The figures in Prometheus' text form."""
        self.metrics.count(self.inbox.stats(), self.clock())
        text = generate_latest(self.metrics.registry)
        return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})

    def openapi(self, _request: Request) -> Response:
        """The description of these endpoints."""
        return JSONResponse(description(self.settings))


def _unusable(_request: Request, error: Exception) -> Response:
    """Answer where the inbox cannot be used."""
    log.error("%s", error)
    return JSONResponse({"status": "the inbox cannot be used; see the log"}, status_code=503)


def application(receiver: Receiver, internal_port: int) -> ASGIApp:
    """The ASGI application; its lifespan starts the writer and lets it finish.

    What is not for the internet answers only connections that came to ``internal_port``.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        receiver.writer.start()
        try:
            yield
        finally:
            await asyncio.to_thread(receiver.writer.stop)

    settings = receiver.settings
    # Plain functions: Starlette runs them in threads, so that the database is not waited for where
    # hooks are taken.
    for_all = [
        *(
            Route(unquote(path), receiver.take, methods=["POST"])  # as the server decodes it
            for path in (settings.hook_path, settings.exceptions_path)
        ),
        Route("/healthz", receiver.health, methods=["GET"]),
    ]
    public = Starlette(routes=for_all, lifespan=lifespan)
    internal = Starlette(
        routes=[
            *for_all,
            Route("/readyz", receiver.ready, methods=["GET"]),
            Route("/metrics", receiver.figures, methods=["GET"]),
            Route("/openapi.json", receiver.openapi, methods=["GET"]),
        ],
        exception_handlers={InboxError: _unusable},
    )

    async def by_port(scope: Scope, receive: Receive, send: Send) -> None:
        is_internal = scope["type"] == "http" and scope["server"][1] == internal_port
        await (internal if is_internal else public)(scope, receive, send)

    return by_port
