"""Control routes of the shop, under `/_sandbox`: orders, records, tokens, hooks, the truth."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connector_sandbox import constants
from connector_sandbox.bigcommerce.access import Token, put_token
from connector_sandbox.bigcommerce.customers_api import customer_document, put_customer
from connector_sandbox.bigcommerce.dates import iso
from connector_sandbox.bigcommerce.events import FORGERIES, Event, Mischief
from connector_sandbox.bigcommerce.exact_json import loads
from connector_sandbox.bigcommerce.products_api import put_product
from connector_sandbox.bigcommerce.shelf import Numbered, order_of
from connector_sandbox.bigcommerce.shop import Counter
from connector_sandbox.seed import DEFAULT_MONTH, DEFAULT_ORDERS, catalog, seed_shop, truth
from connector_sandbox.seed.model import Address, Order, decode, encode
from connector_sandbox.seed.truth import expected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from connector_sandbox.app import Context
    from connector_sandbox.bigcommerce.delivery import Courier

Document = dict[str, Any]


def routes(ctx: Context, courier: Courier) -> list[BaseRoute]:
    """The control routes of the shop."""
    table: list[tuple[str, str, Callable[[Any, Request], Any]]] = [
        *_order_routes(ctx, courier),
        *_record_routes(ctx, courier),
        *_hook_routes(ctx, courier),
    ]
    return [
        Route(f"/_sandbox/{path}", _endpoint(handler), methods=[method])
        for method, path, handler in table
    ]


def _endpoint(
    handler: Callable[[Any, Request], Any],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            given = handler(loads(body) if body else {}, request)
        except KeyError as missing:
            return JSONResponse({"error": f"there is no {missing}"}, status_code=404)
        except (ValueError, TypeError) as refused:
            return JSONResponse({"error": str(refused)}, status_code=400)
        return JSONResponse(given)

    return endpoint


def _told(order: Order) -> Document:
    return {
        "id": order.id,
        "order": encode(order),
        "truth": expected(order),
        "refunds": [r.id for r in order.refunds],
        "transactions": [t.id for t in order.transactions],
        "lines": [line.id for line in order.lines],
    }


def _order_routes(
    ctx: Context, courier: Courier
) -> list[tuple[str, str, Callable[[Any, Request], Any]]]:
    counter = Counter(ctx, courier.outbox)

    def number(request: Request) -> int:
        return int(request.path_params["order_id"])

    def create(body: Any, _request: Request) -> Any:  # noqa: ANN401  one document or a list
        if isinstance(body, list):
            return [_told(counter.create(one)) for one in body]
        return _told(counter.create(body))

    def show(_body: Document, request: Request) -> Document:
        found = order_of(ctx.store.connect(), number(request))
        if found is None:
            raise KeyError(number(request))
        return _told(found[0])

    def amount(body: Document) -> Decimal | None:
        return Decimal(str(body["amount"])) if body.get("amount") is not None else None

    changes: dict[str, Callable[[int, Document], Order]] = {
        "status": lambda n, body: counter.status(n, int(body["status_id"])),
        "edit": counter.edit,
        "lines": lambda n, body: counter.lines(
            n, body["lines"], keep_discounts=bool(body.get("keep_discounts"))
        ),
        "capture": lambda n, body: counter.capture(n, amount(body)),
        "transactions": counter.transaction,
        "refund": counter.refund,
        "decline_refund": lambda n, body: counter.decline(n, int(body["refund_id"])),
        "cancel": lambda n, _body: counter.cancel(n),
        "archive": lambda n, _body: counter.archive(n),
        "touch": lambda n, body: counter.touch(
            n, datetime.fromisoformat(body["modified"]) if "modified" in body else None
        ),
    }

    def changed(name: str) -> Callable[[Document, Request], Document]:
        return lambda body, request: _told(changes[name](number(request), body))

    def the_truth(_body: Document, request: Request) -> Document:
        wanted = request.query_params.get("order_id")
        rows = truth(ctx)
        return {"orders": [r for r in rows if wanted is None or str(r["order_id"]) == wanted]}

    return [
        ("GET", "truth", the_truth),
        ("POST", "orders", create),
        ("POST", "shop/orders", create),
        ("GET", "shop/orders/{order_id:int}", show),
        *(("POST", f"shop/orders/{{order_id:int}}/{name}", changed(name)) for name in changes),
    ]


def _record_routes(
    ctx: Context, courier: Courier
) -> list[tuple[str, str, Callable[[Any, Request], Any]]]:
    def record(
        kind: str, put: Callable[[Any, Document], None]
    ) -> Callable[[Document, Request], Document]:
        def change(body: Document, request: Request) -> Document:
            number = int(request.path_params["id"])
            with ctx.store.writing() as connection:
                row = connection.execute(
                    f"SELECT document FROM bc_{kind}s WHERE id = ?",  # noqa: S608  kinds below
                    (number,),
                ).fetchone()
                if row is None:
                    raise KeyError(number)
                document: Document = loads(row["document"])
                unknown = set(body) - set(document)
                if unknown:
                    raise ValueError(f"A {kind} has no field {', '.join(sorted(unknown))}.")
                document |= body | {"date_modified": iso(ctx.clock.now())}
                put(connection, document)
                data = {"type": kind, "id": number}
                courier.outbox.put(connection, [Event(f"store/{kind}/updated", data)])
            return {"id": number}

        return change

    def remove(kind: str) -> Callable[[Document, Request], Document]:
        def gone(_body: Document, request: Request) -> Document:
            number = int(request.path_params["id"])
            with ctx.store.writing() as connection:
                connection.execute(f"DELETE FROM bc_{kind}s WHERE id = ?", (number,))  # noqa: S608  kinds below
                data = {"type": kind, "id": number}
                courier.outbox.put(connection, [Event(f"store/{kind}/deleted", data)])
            return {"id": number}

        return gone

    def enrol(body: Document, _request: Request) -> Document:
        who = decode(Address, body)
        with ctx.store.writing() as connection:
            number = Numbered(connection).next("customer")
            customer = catalog.Customer(number, who, (who,))
            put_customer(connection, customer_document(customer, ctx.clock.now()))
            data = {"type": "customer", "id": number}
            courier.outbox.put(connection, [Event("store/customer/created", data)])
        return {"id": number}

    def fill(body: Document, _request: Request) -> Document:
        seed_shop(
            ctx,
            orders=int(body.get("orders", DEFAULT_ORDERS)),
            seed=int(body.get("seed", ctx.seed)),
            month=str(body.get("month", DEFAULT_MONTH)),
        )
        return {"orders": len(truth(ctx))}

    def token(body: Document, _request: Request) -> Document:
        made = Token(
            str(body["token"]),
            str(body.get("client_id", constants.BIGCOMMERCE_CLIENT_ID)),
            str(body.get("client_secret", constants.BIGCOMMERCE_CLIENT_SECRET)),
            frozenset(["store_v2_default", *body["scopes"]]),
        )
        with ctx.store.writing() as connection:
            put_token(connection, made)
        return {"token": made.token, "scopes": sorted(made.scopes)}

    return [
        ("POST", "shop/seed", fill),
        ("POST", "shop/customers", enrol),
        ("POST", "shop/customers/{id:int}", record("customer", put_customer)),
        ("DELETE", "shop/customers/{id:int}", remove("customer")),
        ("POST", "shop/products/{id:int}", record("product", put_product)),
        ("DELETE", "shop/products/{id:int}", remove("product")),
        ("POST", "shop/tokens", token),
    ]


def _hook_routes(
    ctx: Context, courier: Courier
) -> list[tuple[str, str, Callable[[Any, Request], Any]]]:
    outbox = courier.outbox

    def mischief(body: Document, _request: Request) -> Document:
        unknown = set(body) - {field.name for field in fields(Mischief)}
        if unknown:
            raise ValueError(f"Mischief has no {', '.join(sorted(unknown))}.")
        outbox.mischief = Mischief(**body)
        return asdict(outbox.mischief)

    def forge(body: Document, _request: Request) -> Document:
        forgery = str(body.get("forgery", FORGERIES[0]))
        if forgery not in FORGERIES:
            raise ValueError(f"forgery is one of {', '.join(FORGERIES)}.")
        data = {"type": "order", "id": int(body["order_id"])}
        event = Event(str(body.get("scope", "store/order/updated")), data)
        with ctx.store.writing() as connection:
            hooks = connection.execute("SELECT id FROM bc_hooks WHERE is_active = 1").fetchall()
            for hook in hooks:
                outbox.forge(connection, hook["id"], event, forgery)
        return {"forged": len(hooks)}

    def deliveries(_body: Document, _request: Request) -> Document:
        rows = ctx.store.connect().execute("SELECT * FROM bc_deliveries ORDER BY id")
        return {"deliveries": [dict(row) for row in rows]}

    return [
        ("PUT", "shop/mischief", mischief),
        ("POST", "shop/forge", forge),
        ("GET", "shop/deliveries", deliveries),
    ]
