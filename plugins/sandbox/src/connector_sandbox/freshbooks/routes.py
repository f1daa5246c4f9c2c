"""The FreshBooks routes: OAuth, identity, the accounting family, and what tests ask of it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connector_sandbox import constants
from connector_sandbox.context import Context
from connector_sandbox.control_routes import ControlRoutes
from connector_sandbox.freshbooks import switches as freshbooks_switches
from connector_sandbox.freshbooks import values
from connector_sandbox.freshbooks.account import Account
from connector_sandbox.freshbooks.accounting import Endpoint
from connector_sandbox.freshbooks.expenses import categories
from connector_sandbox.freshbooks.guard import AccountGuard
from connector_sandbox.freshbooks.identity import me
from connector_sandbox.freshbooks.oauth import OAuth, refused
from connector_sandbox.freshbooks.tokens import Tokens


def routes(ctx: Context) -> list[BaseRoute]:
    """Join the FreshBooks side to a sandbox (see ``app``)."""
    freshbooks_switches.declare(ctx.switches)
    account = Account(ctx)
    tokens = Tokens(ctx)
    guard = AccountGuard(ctx, tokens)
    ctx.resets += [account.clear, tokens.reset, guard.reset]
    ctx.inspections["freshbooks"] = account.counts
    return [
        *_oauth_routes(ctx, tokens, guard),
        *_accounting_routes(ctx, account, guard),
        *_control_routes(account, tokens),
    ]


def _oauth_routes(ctx: Context, tokens: Tokens, guard: AccountGuard) -> list[BaseRoute]:
    oauth = OAuth(ctx, tokens)

    async def identity(request: Request) -> Response:
        return JSONResponse(me(ctx.switches, guard.user(request)))

    posted = {
        f"{base}/{name}": guard.metered(refused(handler))
        for base in ("/auth/oauth", "/service/auth/oauth")
        for name, handler in (("token", oauth.token), ("revoke", oauth.revoke))
    }
    consent = ("/oauth/authorize", "/oauth/authorize/", "/service/auth/oauth/authorize")
    return [
        Route("/.well-known/oauth-authorization-server", oauth.metadata),
        Route("/auth/api/v1/users/me", guard.personal(identity)),
        *(Route(path, handler, methods=["POST"]) for path, handler in posted.items()),
        *(Route(path, oauth.authorize, methods=["GET", "POST"]) for path in consent),
    ]


def _accounting_routes(ctx: Context, account: Account, guard: AccountGuard) -> list[BaseRoute]:
    return [
        *(
            route
            for resource in account.resources
            for route in Endpoint(ctx, guard, resource).routes()
        ),
        *_extra_routes(guard),
    ]


def _extra_routes(guard: AccountGuard) -> list[BaseRoute]:
    async def system(request: Request) -> Response:
        account_id = request.path_params["account_id"]
        business = {
            "id": 654654,
            "systemid": 654654,
            "accounting_systemid": account_id,
            "accountid": account_id,
            "company_name": "Sandbox Books",
            "currency_code": values.HOME_CURRENCY,
            "timezone": "America/New_York",
        }
        return JSONResponse({"response": {"result": {"system": business}}})

    async def no_gateways(request: Request) -> Response:
        del request
        empty = {"gateways": [], "page": 1, "pages": 0, "per_page": 15, "total": 0}
        return JSONResponse({"response": {"result": empty}})

    async def expense_categories(request: Request) -> Response:
        guard.need_scope(request, "expenses")
        rows = categories()
        paging = {"page": 1, "pages": 1, "per_page": 100, "total": len(rows)}
        return JSONResponse({"response": {"result": {"categories": rows, **paging}}})

    base = "/accounting/account/{account_id}/systems"
    return [
        Route(
            "/accounting/account/{account_id}/expenses/categories",
            guard.accounting(expense_categories),
        ),
        Route(f"{base}/systems/{{id}}", guard.accounting(system)),
        Route(f"{base}/gateways", guard.accounting(no_gateways)),
    ]


def _control_routes(account: Account, tokens: Tokens) -> list[BaseRoute]:
    control = ControlRoutes()

    @control.on("GET", "books")
    def books(_asked: object, _request: Request) -> dict[str, Any]:
        return account.books()

    @control.on("GET", "freshbooks/tokens")
    def show(_asked: object, _request: Request) -> dict[str, object]:
        return tokens.told()

    @control.on("POST", "freshbooks/tokens/expire")
    def expire(_asked: object, _request: Request) -> dict[str, object]:
        tokens.expire_access()
        return tokens.told()

    @control.on("POST", "freshbooks/tokens/grant")
    def grant(_asked: object, _request: Request) -> dict[str, str]:
        issued = tokens.grant()
        return {
            "access_token": issued.access,
            "refresh_token": issued.refresh,
            "account_id": constants.FRESHBOOKS_ACCOUNT_ID,
        }

    return control.routes
