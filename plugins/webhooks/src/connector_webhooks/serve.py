"""The long-running process: receiver, dispatcher, or both, and an orderly end.

SIGTERM or SIGINT: no new connection is accepted, requests in work are committed and answered, the
run in work may finish within ``shutdown_seconds`` or is ended and its orders wait on. A
second signal does not wait for the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn
from connector_credentials.output import OutputClosed, json_lines, say

from connector_webhooks.connections import ConnectionLimits, protocol_under
from connector_webhooks.errors import WebhooksError
from connector_webhooks.receiver import application

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from connector_webhooks.receiver import Receiver

log = logging.getLogger(__name__)

# What the system keeps for us, and what is taken of it at once: fewer than the limits leave room
# for, since a process out of files cannot even refuse a connection.
BACKLOG = 2048
ACCEPTED_AT_ONCE = 64
# In all, and of one address, beside those of the settings.
INTERNAL_CONNECTIONS = (50, 50)
ANSWER_GRACE_SECONDS = 10


class _Server(uvicorn.Server):
    """Uvicorn without handlers of its own: one signal must reach receiver and dispatcher both."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            for listener in sockets:
                listener.listen(BACKLOG)
            _announce(*sockets)


async def serve(
    receiver: Receiver,
    dispatch: Callable[[], None] | None,
    *,
    stopping: threading.Event,
    hurry: Callable[[], None],
) -> None:
    """Serve until a signal.

    Args:
        receiver: Takes hooks.
        dispatch: Runs orders until ``stopping``; None leaves that to another process. If it ends
            before, so does this, with what it raised.
        stopping: Set at the first signal.
        hurry: Called at the second: do not wait for the run.
    """
    settings = receiver.settings
    listener = _listener(settings.host, settings.port)
    # Port 0 asks for any free one, and then the other port is to be no trouble either.
    internal = _listener(settings.internal_host, settings.port and settings.internal_port)
    ports = [one.getsockname()[1] for one in (listener, internal)]
    most = (settings.max_connections, settings.max_connections_per_address)
    seconds, metrics = settings.header_timeout_seconds, receiver.metrics
    limits = [ConnectionLimits(*each, seconds, metrics) for each in (most, INTERNAL_CONNECTIONS)]
    server = _Server(
        uvicorn.Config(
            application(receiver, ports[1]),
            http=protocol_under(dict(zip(ports, limits, strict=True))),
            backlog=ACCEPTED_AT_ONCE,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="on",
            timeout_graceful_shutdown=ANSWER_GRACE_SECONDS,
        )
    )

    def on_signal() -> None:
        if stopping.is_set():
            log.warning("Second signal: the run in work is ended, its orders wait on.")
            hurry()
            return
        log.info("Stopping: commits are finished, the run in work has time to end.")
        stopping.set()
        server.should_exit = True

    def on_end(_: asyncio.Task[None]) -> None:
        server.should_exit = True  # without its dispatcher it would take hooks for nobody

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    dispatching = asyncio.create_task(asyncio.to_thread(dispatch)) if dispatch else None
    if dispatching is not None:
        dispatching.add_done_callback(on_end)
    try:
        await server.serve(sockets=[listener, internal])
    finally:
        stopping.set()
        if dispatching is not None:
            await dispatching
    log.info("Stopped.")


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise WebhooksError(
            f"Cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}."
        ) from None
    listener.setblocking(False)
    return listener


def _announce(listener: socket.socket, internal: socket.socket) -> None:
    """Print one line of JSON once requests are taken, for whoever started us with port 0."""
    url, internal_url = (origin(*one.getsockname()[:2]) for one in (listener, internal))
    log.info("Listening on %s for hooks, on %s for figures and readiness.", url, internal_url)
    try:
        say(*json_lines({"url": url, "internal_url": internal_url}))
    except OutputClosed:
        log.warning("Nobody reads the standard output; hooks are taken all the same.")


def origin(host: str, port: int) -> str:
    """The address of a host, which may be one of IPv6, and a port."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
