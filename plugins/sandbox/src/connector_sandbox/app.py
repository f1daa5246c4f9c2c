"""The application: both APIs and the control routes around one store, clock and set of faults.

How a side joins in: its module ``routes`` has ``routes(ctx) -> list[BaseRoute]``, which may

- create its tables (``ctx.store.create``) and declare its switches (``ctx.switches.declare``);
- say how its errors look when a fault answers in its name (``ctx.faults.renderers[side]``);
- append to ``ctx.resets`` what empties its tables (called within ``store.writing()``),
  to ``ctx.inspections`` what ``/_sandbox/inspect`` should tell, and to ``ctx.startups`` /
  ``ctx.shutdowns`` coroutines functions to be run with the server;
- return routes under ``/_sandbox/...`` too; they come before the common ones.

Request handlers are ``async def`` and do not await within a transaction: the event loop then
makes each of them atomic.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from connector_sandbox import control
from connector_sandbox.bigcommerce.routes import routes as bigcommerce_routes
from connector_sandbox.clock import Clock
from connector_sandbox.constants import BIGCOMMERCE, DEFAULT_SEED, FRESHBOOKS, SIDES
from connector_sandbox.context import Context
from connector_sandbox.faults import Faults
from connector_sandbox.freshbooks.routes import routes as freshbooks_routes
from connector_sandbox.history import History, RequestCounts
from connector_sandbox.store import Store
from connector_sandbox.switches import Switches
from connector_sandbox.wire import FaultLayer

_ROUTES = {BIGCOMMERCE: bigcommerce_routes, FRESHBOOKS: freshbooks_routes}


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
    return ctx, [route for side in sides for route in _ROUTES[side](ctx)]


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
