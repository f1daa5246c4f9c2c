"""Joins the BigCommerce side to the sandbox."""

from functools import partial
from typing import Any

from starlette.routing import BaseRoute

from connector_sandbox.bigcommerce import (
    customers_api,
    hooks_api,
    orders_api,
    payments_api,
    products_api,
    repository,
    shop_routes,
    store_api,
    switches,
)
from connector_sandbox.bigcommerce.access import (
    DEFAULT,
    INFORMATION,
    Answer,
    Call,
    Problem,
    StoreGuard,
    first_token,
    put_token,
)
from connector_sandbox.bigcommerce.delivery import WebhookDispatcher
from connector_sandbox.bigcommerce.delivery_queue import DeliveryFaults
from connector_sandbox.context import Context
from connector_sandbox.seed import seed_if_empty

_METHODS = ("GET", "POST", "PUT", "DELETE")


def routes(ctx: Context) -> list[BaseRoute]:
    """All routes of the BigCommerce side, its control routes under `/_sandbox` among them."""
    repository.create(ctx.store)
    switches.declare(ctx.switches)
    with ctx.store.writing() as connection:
        put_token(connection, first_token())
    guard = StoreGuard(ctx)
    dispatcher = WebhookDispatcher(ctx)

    def reset() -> None:
        with ctx.store.writing() as connection:
            repository.clear(connection)
            put_token(connection, first_token())
        guard.forget()
        dispatcher.queue.faults = DeliveryFaults()

    def inspection() -> dict[str, Any]:
        connection = ctx.store.connect()
        return {
            name: connection.execute(f"SELECT count(*) FROM bc_{name}").fetchone()[0]  # noqa: S608  names below
            for name in ("orders", "refunds", "customers", "products", "hooks", "deliveries")
        }

    ctx.seed_if_empty = partial(seed_if_empty, ctx)
    ctx.resets.append(reset)
    ctx.inspections["bigcommerce"] = inspection
    ctx.startups.append(dispatcher.start)
    ctx.shutdowns.append(dispatcher.stop)
    anything = (*DEFAULT, *INFORMATION)
    return [
        *shop_routes.routes(ctx, dispatcher.queue),
        *orders_api.routes(guard),
        *payments_api.routes(guard),
        *customers_api.routes(guard),
        *products_api.routes(guard),
        *store_api.routes(guard),
        *hooks_api.routes(guard),
        guard.route("v2/{rest:path}", _nothing_here, anything, _METHODS),
        guard.route("v3/{rest:path}", _nothing_here, anything, _METHODS),
    ]


def _nothing_here(call: Call) -> Answer:
    del call
    raise Problem(404)
