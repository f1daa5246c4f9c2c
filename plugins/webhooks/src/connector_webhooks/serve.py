"""The long-running process: receiver, dispatcher, or both, and an orderly end.

SIGTERM or SIGINT: no new connection is accepted, requests in work are committed and answered, the
run in work may finish within ``shutdown_seconds`` or is ended and its orders wait on. A
second signal does not wait for the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn
from connector_credentials.output import OutputClosed, say

from connector_webhooks.receiver import application

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from connector_webhooks.receiver import Receiver

log = logging.getLogger(__name__)

BACKLOG = 2048
ANSWER_GRACE_SECONDS = 10


class _Server(uvicorn.Server):
    """Uvicorn without handlers of its own: one signal must reach receiver and dispatcher both."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and sockets:
            _announce(sockets[0])


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
        dispatch: Runs orders until ``stopping``; None leaves that to another process.
        stopping: Set at the first signal.
        hurry: Called at the second: do not wait for the run.
    """
    host, port = receiver.settings.host, receiver.settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listener.setblocking(False)
    server = _Server(
        uvicorn.Config(
            application(receiver),
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

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    dispatching = asyncio.create_task(asyncio.to_thread(dispatch)) if dispatch else None
    try:
        await server.serve(sockets=[listener])
    finally:
        stopping.set()
        if dispatching is not None:
            await dispatching
    log.info("Stopped.")


def _announce(listener: socket.socket) -> None:
    """Print one line of JSON once requests are taken, for whoever started us with port 0."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    log.info("Listening on %s port %d.", host, port)
    try:
        say(json.dumps({"url": f"http://{shown}:{port}"}) + "\n")
    except OutputClosed:
        log.warning("Nobody reads the standard output; hooks are taken all the same.")
