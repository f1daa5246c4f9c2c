"""Serving the application: in the foreground for a person, in a thread for a test."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from connector_sandbox.app import create_app
from connector_sandbox.clock import Clock
from connector_sandbox.constants import DEFAULT_HOST, DEFAULT_SEED, SIDES
from connector_sandbox.context import Context
from connector_sandbox.wire import FaultProtocol

_START_SECONDS = 30
_STOP_SECONDS = 30
_TICK_SECONDS = 0.01


class SandboxServer(uvicorn.Server):
    """uvicorn, which says when it is ready, and ends at once where nothing is being answered."""

    def __init__(self, app: Starlette, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=FaultProtocol,
                lifespan="on",
                access_log=False,
                log_level="warning",
                # A client that times out on purpose must not keep the sandbox from stopping.
                timeout_graceful_shutdown=2,
                server_header=False,
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def main_loop(self) -> None:
        """Serve until told to stop; uvicorn looks for that ten times a second only."""
        for tick in count():
            if await self.on_tick(tick):
                return
            await asyncio.sleep(_TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is idle; only where an answer is on its way, wait for it as uvicorn does."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(_TICK_SECONDS)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
        else:
            await self.lifespan.shutdown()


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that is being served in this process."""

    url: str
    context: Context


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """Bind a port (0 for any that is free) and give its URL."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on, each
    # answer waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    shown = f"[{host}]" if ":" in host else host
    return listener, f"http://{shown}:{listener.getsockname()[1]}"


@contextmanager
def running(
    data_dir: Path,
    *,
    host: str = DEFAULT_HOST,
    port: int = 0,
    clock: Clock | None = None,
    seed: int = DEFAULT_SEED,
    sides: Sequence[str] = SIDES,
    **switches: Any,  # noqa: ANN401 - switch values
) -> Iterator[Running]:
    """Serve a sandbox from a thread of this process for as long as the block lasts.

    Args:
        data_dir: where its database lies.
        host: address to listen on.
        port: 0 for any that is free.
        clock: the clock it goes by.
        seed: for everything random in it.
        sides: which of the two APIs it serves.
        switches: switches to start with, with ``__`` for the dot (``fb__rate_limit=0``).
    """
    app = create_app(data_dir, clock=clock, seed=seed, sides=sides)
    context: Context = app.state.context
    context.switches.start_with(
        {name.replace("__", "."): value for name, value in switches.items()}
    )
    listener, url = listen(host, port)
    ready = threading.Event()
    server = SandboxServer(app, ready.set)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True
    )
    thread.start()
    try:
        if not ready.wait(_START_SECONDS):
            raise RuntimeError("the sandbox did not start; its log says why")
        yield Running(url, context)
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS)
        listener.close()
        context.store.close()
