"""The application: both APIs and the control routes around one store, clock and set of faults.

How a side joins in: its module ``routes`` has ``routes(ctx) -> list[BaseRoute]``, which may

- create its tables (``ctx.store.create``) and declare its switches (``ctx.switches.declare``);
- say how its errors look when a fault answers in its name (``ctx.faults.manners[side]``);
- append to ``ctx.resets`` what empties its tables (called within ``store.writing()``),
  to ``ctx.inspections`` what ``/_sandbox/inspect`` should tell, and to ``ctx.startups`` /
  ``ctx.shutdowns`` coroutines functions to be run with the server;
- return routes under ``/_sandbox/...`` too; they come before the common ones.

Request handlers are ``async def`` and do not await within a transaction: the event loop then
makes each of them atomic.
"""

from __future__ import annotations

import importlib
import importlib.util
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware

from connector_sandbox import control
from connector_sandbox.clock import Clock
from connector_sandbox.constants import BIGCOMMERCE, DEFAULT_SEED, SIDES
from connector_sandbox.faults import Faults
from connector_sandbox.history import History, RequestCounts
from connector_sandbox.store import Store
from connector_sandbox.switches import Switches
from connector_sandbox.wire import FaultLayer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from starlette.routing import BaseRoute


@dataclass(slots=True)
class Context:
    """What both sides share.

    Attributes:
        seed: for everything random, so that a run can be repeated.
        resets: called within one write transaction when the sandbox is reset.
        inspections: parts of what ``inspect`` tells, by name.
        plant: fills an empty sandbox with the seeded month; None when there is no seed package.
    """

    data_dir: Path
    store: Store
    clock: Clock
    faults: Faults
    history: History
    switches: Switches
    counts: RequestCounts
    seed: int
    resets: list[Callable[[], None]] = field(default_factory=list)
    inspections: dict[str, Callable[[], Any]] = field(default_factory=dict)
    startups: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    shutdowns: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    plant: Callable[[], Any] | None = None

    def reset(self) -> None:
        """Empty the sandbox: data, history, counts, faults and switches (not the clock)."""
        self.faults.remove()
        self.switches.clear()
        with self.store.writing():
            for reset in self.resets:
                reset()
            self.history.clear()
        self.counts.clear()


def create_context(
    data_dir: Path,
    *,
    clock: Clock | None = None,
    seed: int = DEFAULT_SEED,
    sides: Sequence[str] = SIDES,
) -> tuple[Context, list[BaseRoute]]:
    """Open the data directory and collect both sides' routes."""
    store = Store(data_dir)
    clock = clock or Clock()
    ctx = Context(
        data_dir=data_dir,
        store=store,
        clock=clock,
        faults=Faults(),
        history=History(store, clock),
        switches=Switches(store),
        counts=RequestCounts(),
        seed=seed,
    )
    routes: list[BaseRoute] = []
    for side in sides:
        module = f"connector_sandbox.{side}.routes"
        if _exists(module):
            routes += importlib.import_module(module).routes(ctx)
    if BIGCOMMERCE in sides and _exists("connector_sandbox.seed"):
        plant = getattr(importlib.import_module("connector_sandbox.seed"), "plant", None)
        if plant is not None:
            ctx.plant = lambda: plant(ctx)
    return ctx, routes


def create_app(
    data_dir: Path,
    *,
    clock: Clock | None = None,
    seed: int = DEFAULT_SEED,
    sides: Sequence[str] = SIDES,
) -> Starlette:
    """Make the application on a data directory; ``app.state.context`` is its ``Context``.

    Args:
        data_dir: where its database lies.
        clock: the clock it goes by; the real one when None.
        seed: for everything random in it.
        sides: which of the two APIs it has.
    """
    ctx, routes = create_context(data_dir, clock=clock, seed=seed, sides=sides)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        for startup in ctx.startups:
            await startup()
        yield
        ctx.faults.release()
        for shutdown in ctx.shutdowns:
            await shutdown()

    app = Starlette(
        routes=[*routes, *control.routes(ctx)],
        middleware=[Middleware(FaultLayer, faults=ctx.faults, counts=ctx.counts)],
        lifespan=lifespan,
    )
    app.state.context = ctx
    return app


def _exists(module: str) -> bool:
    """Whether a module is there; its parent package may be missing too."""
    parent, _, _ = module.rpartition(".")
    if parent != "connector_sandbox" and importlib.util.find_spec(parent) is None:
        return False
    return importlib.util.find_spec(module) is not None
