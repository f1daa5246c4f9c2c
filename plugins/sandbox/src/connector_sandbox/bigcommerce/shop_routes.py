"""Control routes of the shop, under `/_sandbox`: orders, records, tokens, hooks, the truth."""

import sqlite3
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Any

from starlette.requests import Request
from starlette.routing import BaseRoute

from connector_sandbox import constants
from connector_sandbox.bigcommerce.access import Token, put_token
from connector_sandbox.bigcommerce.control_panel import CHANGES, ControlPanel
from connector_sandbox.bigcommerce.customers_api import customer_document
from connector_sandbox.bigcommerce.dates import iso
from connector_sandbox.bigcommerce.delivery_queue import DeliveryFaults, DeliveryQueue, Forgery
from connector_sandbox.bigcommerce.events import Event
from connector_sandbox.bigcommerce.repository import Numbered, order_of, put_record, record_of
from connector_sandbox.context import Context
from connector_sandbox.control_routes import ControlRoutes, NotThere
from connector_sandbox.decoding import Matching, Within, decode, encode, value_of
from connector_sandbox.seed import DEFAULT_MONTH, DEFAULT_ORDERS, catalog, seed_shop, truth
from connector_sandbox.seed.model import Address, Id, Order
from connector_sandbox.seed.truth import Rules, expected

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What an empty shop is filled with."""

    orders: Annotated[int, Within(0, 20_000)] = DEFAULT_ORDERS
    seed: int | None = None
    month: Annotated[str, Matching(r"20\d\d-(0[1-9]|1[0-2])", "YYYY-MM")] = DEFAULT_MONTH
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """An API account's token."""

    token: str
    scopes: tuple[str, ...]
    client_id: str = constants.BIGCOMMERCE_CLIENT_ID
    client_secret: str = constants.BIGCOMMERCE_CLIENT_SECRET


@dataclass(frozen=True, slots=True, kw_only=True)
class Forged:
    """A hook that BigCommerce did not send."""

    order_id: Id
    forgery: Forgery = "wrong_secret"
    scope: str = "store/order/updated"


def routes(ctx: Context, queue: DeliveryQueue) -> list[BaseRoute]:
    """The control routes of the shop."""
    control = ControlRoutes()
    _serve_orders(control, ctx, ControlPanel(ctx, queue))
    _serve_records(control, ctx, queue)
    _serve_shop(control, ctx)
    _serve_hooks(control, ctx, queue)
    return control.routes


def _told(order: Order) -> Document:
    return {
        "id": order.id,
        "order": encode(order),
        "truth": expected(order),
        "refunds": [r.id for r in order.refunds],
        "transactions": [t.id for t in order.transactions],
        "lines": [line.id for line in order.lines],
    }


def _serve_orders(control: ControlRoutes, ctx: Context, panel: ControlPanel) -> None:
    @control.on("POST", "orders")
    @control.on("POST", "shop/orders")
    def create(asked: Any, _request: Request) -> Any:  # noqa: ANN401  one document or a list
        if isinstance(asked, list):
            return [_told(panel.create(one)) for one in asked]
        return _told(panel.create(asked))

    @control.on("GET", "shop/orders/{order_id:int}")
    def show(_asked: object, request: Request) -> Document:
        order = order_of(ctx.store.connect(), request.path_params["order_id"])
        if order is None:
            raise NotThere(f"order {request.path_params['order_id']}")
        return _told(order)

    @control.on("GET", "truth")
    def the_truth(_asked: object, request: Request) -> Document:
        asked = dict(request.query_params)
        wanted = asked.pop("order_id", None)
        pairs = (pair.partition(":") for pair in request.query_params.getlist("placed"))
        placed = {place: treatment for place, _, treatment in pairs}
        rows = truth(ctx, decode(Rules, {**asked, "placed": placed}))
        return {"orders": [r for r in rows if wanted in {None, str(r["order_id"])}]}

    def change(name: str, asked: object, request: Request) -> Document:
        return _told(panel.change(request.path_params["order_id"], name, asked))

    for name, (_, takes, _) in CHANGES.items():
        path = f"shop/orders/{{order_id:int}}/{name}"
        control.on("POST", path, takes)(partial(change, name))


def _serve_records(control: ControlRoutes, ctx: Context, queue: DeliveryQueue) -> None:
    def tell(connection: sqlite3.Connection, kind: str, what: str, number: int) -> Document:
        queue.put(connection, [Event(f"store/{kind}/{what}", {"type": kind, "id": number})])
        return {"id": number}

    def change(kind: str, asked: Document, request: Request) -> Document:
        number = request.path_params["id"]
        with ctx.store.writing() as connection:
            document = record_of(connection, kind, number)
            if document is None:
                raise NotThere(f"{kind} {number}")
            modified = {"date_modified": iso(ctx.clock.now())}
            put_record(connection, kind, _altered(kind, document, asked) | modified)
            return tell(connection, kind, "updated", number)

    def remove(kind: str, _asked: object, request: Request) -> Document:
        number = request.path_params["id"]
        with ctx.store.writing() as connection:
            connection.execute(f"DELETE FROM bc_{kind}s WHERE id = ?", (number,))  # noqa: S608  kinds below
            return tell(connection, kind, "deleted", number)

    for kind in ("customer", "product"):
        path = f"shop/{kind}s/{{id:int}}"
        control.on("POST", path, dict)(partial(change, kind))
        control.on("DELETE", path)(partial(remove, kind))

    @control.on("POST", "shop/customers", Address)
    def enrol(who: Address, _request: Request) -> Document:
        with ctx.store.writing() as connection:
            number = Numbered(connection).next("customer")
            customer = catalog.Customer(number, who, (who,))
            put_record(connection, "customer", customer_document(customer, ctx.clock.now()))
            return tell(connection, "customer", "created", number)


def _altered(kind: str, document: Document, asked: Document) -> Document:
    """The document with the fields asked for, each of the type it has."""
    unknown = asked.keys() - (document.keys() - {"id"})
    if unknown:
        raise ValueError(f"A {kind} has no field {', '.join(sorted(unknown))} to be changed.")
    for name, value in asked.items():
        before = document[name]
        loose = before is None or type(before) in {dict, list}
        wanted = type(before) if before is not None else object
        if loose and not isinstance(value, wanted):
            raise ValueError(f"{name} wants {wanted.__name__}, got {value!r}.")
        document[name] = value if loose else value_of(wanted, value, name)
    return document


def _serve_shop(control: ControlRoutes, ctx: Context) -> None:
    @control.on("POST", "shop/seed", Filling)
    def fill(asked: Filling, _request: Request) -> Document:
        seed = ctx.seed if asked.seed is None else asked.seed
        seed_shop(ctx, orders=asked.orders, seed=seed, month=asked.month, only=asked.only)
        return {"orders": len(truth(ctx))}

    @control.on("POST", "shop/tokens", NewToken)
    def token(asked: NewToken, _request: Request) -> Document:
        scopes = frozenset(["store_v2_default", *asked.scopes])
        with ctx.store.writing() as connection:
            put_token(connection, Token(asked.token, asked.client_id, asked.client_secret, scopes))
        return {"token": asked.token, "scopes": sorted(scopes)}


def _serve_hooks(control: ControlRoutes, ctx: Context, queue: DeliveryQueue) -> None:
    @control.on("PUT", "shop/mischief", DeliveryFaults)
    def mischief(asked: DeliveryFaults, _request: Request) -> Document:
        queue.faults = asked
        return asdict(asked)

    @control.on("POST", "shop/forge", Forged)
    def forge(asked: Forged, _request: Request) -> Document:
        event = Event(asked.scope, {"type": "order", "id": asked.order_id})
        with ctx.store.writing() as connection:
            hooks = connection.execute("SELECT id FROM bc_hooks WHERE is_active = 1").fetchall()
            for hook in hooks:
                queue.forge(connection, hook["id"], event, asked.forgery)
        return {"forged": len(hooks)}

    @control.on("GET", "shop/deliveries")
    def deliveries(_asked: object, _request: Request) -> Document:
        rows = ctx.store.connect().execute("SELECT * FROM bc_deliveries ORDER BY id")
        return {"deliveries": [dict(row) for row in rows]}
