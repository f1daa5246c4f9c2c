"""Carrying faults out below HTTP: connections are really reset, bodies really cut short.

``FaultProtocol`` puts the TCP transport of each request into its ASGI scope; ``FaultLayer`` sits
around both APIs, counts every request, and spoils those that fall to a rule.
"""

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote_plus

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from connector_sandbox import acting
from connector_sandbox.constants import side_of
from connector_sandbox.faults import FaultKind, Faults, Rule
from connector_sandbox.history import RequestCounts

TRANSPORT = "connector_sandbox.transport"
STALE_SECONDS = "connector_sandbox.stale_seconds"

_HTML = (
    b"<html>\r\n<head><title>%d Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>%d Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n"
    b"</body>\r\n</html>\r\n"
)


_HANDLED = frozenset({FaultKind.RESET_AFTER, FaultKind.TRUNCATE})
_NOT = frozenset({FaultKind.RESET_BEFORE, FaultKind.IGNORED})
"""Kinds of which requests are handled first, and never, whatever ``when`` says."""


class FaultProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, whose scopes know their TCP transport."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[TRANSPORT] = self.transport


class _Seen:
    """A ``send`` that remembers the status its client was given (0 for none)."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


class _Answer:
    """A ``send`` that keeps the answer instead of sending it."""

    def __init__(self) -> None:
        self.start: Message = {"type": "http.response.start", "status": 500, "headers": []}
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def pass_on(self, send: Send) -> None:
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})


class FaultLayer:
    """ASGI middleware around both APIs."""

    def __init__(self, app: ASGIApp, faults: Faults, counts: RequestCounts) -> None:
        self._app = app
        self._faults = faults
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, spoiled or not."""
        side = side_of(scope["path"]) if scope["type"] == "http" else None
        if side not in self._faults.renderers or acting.is_by_hand():
            await self._app(scope, receive, send)
            return
        seen = _Seen(send)
        query = scope["query_string"].decode("latin-1")
        try:
            if self._faults.none:
                await self._app(scope, receive, seen)
            else:
                await self._apply_if_matched(side, query, scope, receive, seen)
        except ClientDisconnect:
            pass  # killed while it was sending: nothing was handled, and nobody is left to answer
        finally:
            self._counts.count(side, scope["method"], scope["path"], query, seen.status)

    async def _apply_if_matched(
        self, side: str, query: str, scope: Scope, receive: Receive, send: _Seen
    ) -> None:
        body = b""
        if self._faults.read_bodies:
            body = await _whole_body(receive)
            receive = _replay(body, receive)
        call = {
            "method": scope["method"],
            "path": scope["path"],
            "query": unquote_plus(query),
            "body": body.decode("utf-8", "replace"),
        }
        rule = self._faults.match(side, call)
        if rule is not None and rule.kind is FaultKind.STALE_SEARCH:
            scope[STALE_SECONDS], rule = _seconds(rule), None
        if rule is None:
            await self._app(scope, receive, send)
        else:
            await self._apply(rule, side, scope, receive, send)

    async def _apply(
        self, rule: Rule, side: str, scope: Scope, receive: Receive, send: _Seen
    ) -> None:
        body = await _whole_body(receive)
        answer = _Answer()
        if handled := rule.kind in _HANDLED or (rule.when == "after" and rule.kind not in _NOT):
            await self._app(scope, _replay(body, receive), answer)
        match rule.kind:
            case FaultKind.IGNORED:
                await self._app({**scope, "method": "GET"}, _replay(b"", receive), send)
            case FaultKind.HOLD | FaultKind.ACT | FaultKind.SLOW:
                goes_on = await self._meanwhile(rule, scope, body, answer, receive)
                if handled:
                    await answer.pass_on(send)
                elif goes_on:
                    await self._app(scope, _replay(body, receive), send)
            case FaultKind.TRUNCATE:
                await _truncate(answer, scope, receive, send)
            case FaultKind.RESET_BEFORE | FaultKind.RESET_AFTER:
                await _reset(scope, receive)
            case FaultKind.TIMEOUT:
                if not await _gone_within(receive, _seconds(rule)):
                    await _reset(scope, receive)
            case _:
                await self._answer_for(rule, side, send)

    async def _meanwhile(
        self, rule: Rule, scope: Scope, body: bytes, answer: _Answer, receive: Receive
    ) -> bool:
        """What goes on before the request is handled, or answered; whether it still is to be."""
        if rule.kind is FaultKind.SLOW:
            await asyncio.sleep(_seconds(rule) or 0)
        elif rule.kind is FaultKind.ACT:
            known = acting.known_of(scope["path"], body, answer.body)
            rule.outcomes.append(await acting.act(self._app, rule.writes, known))
        else:
            return await self._hold(rule, scope, receive) or rule.handle_gone
        return True

    async def _hold(self, rule: Rule, scope: Scope, receive: Receive) -> bool:
        """Hold the request until it is let go; whether its client is still there."""
        hold = self._faults.hold(rule, scope["method"], scope["path"])
        gone = asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda _: setattr(hold, "client_gone", True))
        try:
            async with asyncio.timeout(_seconds(rule) or 0):
                await hold.released.wait()
        except TimeoutError:
            pass  # the limit of a hold is its ordinary end when nobody releases it
        finally:
            self._faults.let_go(hold)
            was_gone = gone.done()
            gone.cancel()
        return not was_gone

    async def _answer_for(self, rule: Rule, side: str, send: _Seen) -> None:
        renderer = self._faults.renderers[side]
        status = rule.status or HTTPStatus.INTERNAL_SERVER_ERROR
        headers: dict[str, str] = {}
        if rule.kind is FaultKind.HTML:
            body, content_type = _HTML % (status, status), "text/html"
        elif rule.kind is FaultKind.REFUSED:
            body = renderer.refusal(rule.errno, rule.field_name, rule.words)
            content_type = "application/json"
        else:
            body, content_type = renderer.body(status)
        if rule.headers is True:
            headers.update(renderer.quota_headers(status == HTTPStatus.TOO_MANY_REQUESTS))
        elif isinstance(rule.headers, dict):
            headers.update(rule.headers)
        if rule.answer is not None:
            body = rule.answer.encode()
        headers = {"content-type": content_type, **headers, "content-length": str(len(body))}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


def _seconds(rule: Rule) -> float | None:
    return None if rule.delay_ms is None else rule.delay_ms / 1000


async def _whole_body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect  # half a body is no request
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already once more, then what the client does next."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


async def _gone(receive: Receive) -> None:
    """Wait until the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _gone_within(receive: Receive, seconds: float | None) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await _gone(receive)
    except TimeoutError:
        return False
    return True


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport | None = scope.get(TRANSPORT)
    if transport is None:
        raise RuntimeError("faults on the wire need the sandbox's own server (see `server`)")
    return transport


async def _reset(scope: Scope, receive: Receive) -> None:
    """Close the connection with a TCP reset and without an answer."""
    transport = _transport(scope)
    raw = transport.get_extra_info("socket")
    # Lingering for zero seconds makes the kernel send RST in place of FIN.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _gone(receive)


async def _truncate(answer: _Answer, scope: Scope, receive: Receive, send: _Seen) -> None:
    """Announce the whole body, send half of it, and end the connection in good order."""
    transport = _transport(scope)
    headers = [
        (name, value) for name, value in answer.start["headers"] if name != b"content-length"
    ]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({**answer.start, "headers": headers})
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    transport.close()
    await _gone(receive)
