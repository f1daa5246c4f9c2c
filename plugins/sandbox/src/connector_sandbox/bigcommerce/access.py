"""The guard every BigCommerce request goes through: quota, store, token, scope, then the handler.

The quota is the store's, not the token's, and counts in real seconds. Errors look as the two
versions' do: an array in v2, an object in v3, plain text for a catalog 401.
"""

import hmac
import json
import math
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector_sandbox import constants
from connector_sandbox.context import Context
from connector_sandbox.exact_json import dumps, loads
from connector_sandbox.faults import ErrorRenderer
from connector_sandbox.quota import FixedWindow, Verdict
from connector_sandbox.switches import Switches

STATUS_PAGE = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"

ORDERS = ("store_v2_orders_read_only", "store_v2_orders")
TRANSACTIONS = ("store_v2_transactions_read_only", "store_v2_transactions")
REFUNDS = (*ORDERS, *TRANSACTIONS)
CUSTOMERS = ("store_v2_customers_read_only", "store_v2_customers")
PRODUCTS = ("store_v2_products_read_only", "store_v2_products")
INFORMATION = ("store_v2_information_read_only", "store_v2_information")
DEFAULT = ("store_v2_default",)
ALL_SCOPES = (
    "store_v2_default",
    "store_v2_orders",
    "store_v2_transactions",
    "store_v2_customers",
    "store_v2_products",
    "store_v2_information",
)

_TITLES = {
    400: "Bad request.",
    401: "Unauthorized - the v3 Auth client ID or token in the request are not a valid "
    "combination for this store.",
    403: "You don't have a required scope to access the endpoint",
    404: "The requested resource was not found.",
    413: "The limit parameter exceeds the maximum.",
    422: "JSON data is missing or invalid",
    429: "Too many requests.",
    500: "Internal server error.",
    503: "The store is suspended. This may be due to an administrative action, or due to a "
    "billing issue.",
}


class Problem(Exception):  # noqa: N818  an answer of the API, not a failure of the sandbox
    """A refusal the API would give."""

    def __init__(
        self, status: int, title: str | None = None, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(title or _TITLES.get(status, "Error"))
        self.status = status
        self.title = title or _TITLES.get(status, "Error")
        self.errors = dict(errors or {})


@dataclass(frozen=True, slots=True)
class Token:
    """An API account's token."""

    token: str
    client_id: str
    client_secret: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler gives back: JSON text that is ready, or none for 204."""

    text: str | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that may enter."""

    ctx: Context
    db: sqlite3.Connection
    path: Mapping[str, Any]
    query: QueryParams
    base: str  # https://host/stores/hash/v2
    token: Token
    method: str
    url_path: str
    body: Any = None

    @property
    def switches(self) -> Switches:
        """The switches in force."""
        return self.ctx.switches


Handler = Callable[[Call], Answer]


def answer(document: Any, status: int = 200) -> Answer:  # noqa: ANN401  any JSON document
    """An answer from a document."""
    return Answer(dumps(document), status)


class StoreGuard:
    """Lets requests of one store in."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._window = FixedWindow(
            lambda: (
                ctx.switches.number("bc.plan_quota"),
                ctx.switches.number("bc.quota_window_seconds"),
            )
        )
        ctx.faults.renderers[constants.BIGCOMMERCE] = ErrorRenderer(
            body=lambda status: (problem_text(status, version=3).encode(), "application/json"),
            quota_headers=lambda exhausted: self._quota_headers(self._window.peek(), exhausted),
            refusal=lambda errno, name, words: json.dumps(
                {"status": errno, "title": f"{name}: {words}"}
            ).encode(),
        )

    def forget(self) -> None:
        """Begin new quota windows."""
        self._window.clear()

    def route(
        self,
        path: str,
        handler: Handler,
        scopes: tuple[str, ...],
        methods: tuple[str, ...] = ("GET",),
    ) -> Route:
        """A route of the API below `/stores/{store_hash}`.

        Args:
            path: below the store, as `v2/orders`.
            handler: called with what may enter.
            scopes: any one of these lets in.
            methods: HTTP methods.
        """
        version = 2 if path.startswith("v2") else 3

        async def endpoint(request: Request) -> Response:
            verdict = self._window.take()
            headers = self._quota_headers(verdict, not verdict.allowed)
            try:
                body = await _json(request) if request.method in {"POST", "PUT"} else None
                given = handler(self._admit(request, scopes, body, verdict))
            except Problem as problem:
                if problem.status == 429 and not self._ctx.switches["bc.quota_429_headers"]:  # noqa: PLR2004  HTTP's
                    headers = {}
                return self._refuse(problem, version, request, headers)
            return Response(
                given.text or b"",
                given.status,
                {**headers, **given.headers},
                "application/json" if given.text is not None else None,
            )

        return Route(f"/stores/{{store_hash}}/{path}", endpoint, methods=list(methods))

    def _quota_headers(self, verdict: Verdict, exhausted: bool) -> dict[str, str]:
        window = self._ctx.switches.number("bc.quota_window_seconds")
        headers = {
            "X-Rate-Limit-Time-Window-Ms": str(window * 1000),
            "X-Rate-Limit-Time-Reset-Ms": str(max(1, math.ceil(verdict.resets_in * 1000))),
            "X-Rate-Limit-Requests-Quota": str(verdict.limit),
            "X-Rate-Limit-Requests-Left": str(verdict.remaining),
        }
        if exhausted:
            headers["X-Retry-After"] = str(verdict.retry_after)
        return headers

    def _admit(
        self,
        request: Request,
        scopes: tuple[str, ...],
        body: Any,  # noqa: ANN401  JSON
        verdict: Verdict,
    ) -> Call:
        if not verdict.allowed:
            raise Problem(429)
        store_hash = request.path_params["store_hash"]
        if store_hash != self._ctx.switches["bc.store_hash"]:
            raise Problem(403)
        if self._ctx.switches["bc.suspended"]:
            raise Problem(503)
        db = self._ctx.store.connect()
        token = find_token(db, request.headers.get("x-auth-token", ""))
        if token is None:
            raise Problem(401)
        if not token.scopes.intersection(scopes):
            raise Problem(403)
        return Call(
            ctx=self._ctx,
            db=db,
            path=request.path_params,
            query=request.query_params,
            base=f"{str(request.base_url).rstrip('/')}/stores/{store_hash}/v2",
            token=token,
            method=request.method,
            url_path=request.url.path,
            body=body,
        )

    def _refuse(
        self, problem: Problem, version: int, request: Request, headers: dict[str, str]
    ) -> Response:
        if problem.status == 401 and "/v3/catalog/" in request.url.path:  # noqa: PLR2004  HTTP's
            return Response("Unauthorized", 401, headers, "text/plain")
        as_object = problem.status == 403 and self._ctx.switches["bc.forbidden_v2"] == "object"  # noqa: PLR2004  HTTP's
        if problem.status == 503:  # noqa: PLR2004  a suspended store answers so in both versions
            as_object = True
        text = problem_text(
            problem.status,
            version=3 if as_object else version,
            title=problem.title,
            errors=problem.errors,
        )
        return Response(text, problem.status, headers, "application/json")


async def _json(request: Request) -> Any:  # noqa: ANN401  any JSON document
    try:
        return loads(await request.body() or b"{}")
    except ValueError as unreadable:
        raise Problem(422, errors={".": "error.expected.jsobject"}) from unreadable


def problem_text(
    status: int,
    *,
    version: int,
    title: str | None = None,
    errors: Mapping[str, str] | None = None,
) -> str:
    """The body of an error answer."""
    title = title or _TITLES.get(status, "Error")
    if version == 2:  # noqa: PLR2004  the API's version
        return json.dumps([{"status": status, "message": title}])
    body = {"status": status, "title": title, "type": STATUS_PAGE, "errors": dict(errors or {})}
    return json.dumps(body)


def find_token(db: sqlite3.Connection, given: str) -> Token | None:
    """The token's API account, if there is one."""
    row = db.execute("SELECT * FROM bc_tokens WHERE token = ?", (given,)).fetchone()
    if row is None or not hmac.compare_digest(str(row["token"]).encode(), given.encode()):
        return None
    scopes = frozenset(json.loads(row["scopes"]))
    return Token(row["token"], row["client_id"], row["client_secret"], scopes)


def put_token(db: sqlite3.Connection, token: Token) -> None:
    """Make a token known, or change its scopes."""
    db.execute(
        "INSERT OR REPLACE INTO bc_tokens VALUES(?,?,?,?)",
        (token.token, token.client_id, token.client_secret, json.dumps(sorted(token.scopes))),
    )


def first_token() -> Token:
    """The one every sandbox starts with: all scopes."""
    return Token(
        constants.BIGCOMMERCE_ACCESS_TOKEN,
        constants.BIGCOMMERCE_CLIENT_ID,
        constants.BIGCOMMERCE_CLIENT_SECRET,
        frozenset(ALL_SCOPES),
    )
