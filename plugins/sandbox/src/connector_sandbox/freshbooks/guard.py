"""What every FreshBooks call passes first: the quota, the bearer token, account and scope.

Each answer carries the quota's headers; ``Retry-After`` among them also on success, where it
tells how long the window lasts and does not mean that anything was refused.
"""

import json
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connector_sandbox import acting, constants
from connector_sandbox.context import Context
from connector_sandbox.faults import ErrorRenderer
from connector_sandbox.freshbooks import errors
from connector_sandbox.freshbooks.identity import accounts_of
from connector_sandbox.freshbooks.tokens import Tokens
from connector_sandbox.quota import FixedWindow, Verdict

Handler = Callable[[Request], Awaitable[Response]]


_NOT_AUTHORISED = (
    "The server could not verify that you are authorized to access the URL requested. You either "
    "supplied the wrong credentials (e.g. a bad password), or your browser doesn't understand how "
    "to supply the credentials required."
)
_BUSY = "The resource is being changed by another request at the same time."
_WORDS = {
    401: {
        "error": "unauthenticated",
        "error_description": "This action requires authentication to continue.",
    },
    429: {"message": "Too many requests."},
}
"""Answers without the accounting family's form."""


class AccountGuard:
    """Lets requests in, or answers in FreshBooks' words."""

    def __init__(self, ctx: Context, tokens: Tokens) -> None:
        self._switches = ctx.switches
        self._tokens = tokens
        self._window = FixedWindow(
            lambda: (
                ctx.switches.number("fb.rate_limit"),
                ctx.switches.number("fb.rate_window_seconds"),
            )
        )
        ctx.faults.renderers[constants.FRESHBOOKS] = ErrorRenderer(
            _fault_body, self._fault_headers, _refusal_body
        )

    def reset(self) -> None:
        """Open new quota windows."""
        self._window.clear()

    def metered(self, handler: Handler) -> Handler:
        """Count a call against the quota and put the headers on its answer."""

        async def pass_through(request: Request) -> Response:
            if acting.is_by_hand():
                return await handler(request)
            verdict = self._window.take()
            if verdict.allowed:
                answer = await handler(request)
            else:
                answer = JSONResponse(_WORDS[429], status_code=429)
            if verdict.allowed or self._switches["fb.rate_headers_on_429"] == "yes":
                answer.headers.update(_headers(verdict))
            return answer

        return pass_through

    def accounting(self, handler: Handler) -> Handler:
        """Let in calls of the accounting family, and word the errors they end in."""

        async def pass_through(request: Request) -> Response:
            try:
                self._admit(request)
                return await handler(request)
            except errors.Refusal as refusal:
                return self._refused(request, refusal)

        return self.metered(pass_through)

    def personal(self, handler: Handler) -> Handler:
        """Let in calls of the auth family."""

        async def pass_through(request: Request) -> Response:
            if self._scopes(request) is None:
                return JSONResponse(_WORDS[401], status_code=401)
            return await handler(request)

        return self.metered(pass_through)

    def need_scope(self, request: Request, name: str) -> None:
        """Refuse what the token's scope does not hold."""
        right = "read" if request.method == "GET" else "write"
        if self._switches["fb.enforce_scopes"] == "no" or acting.is_by_hand():
            return
        scopes = self._scopes(request) or frozenset()
        words = f"Insufficient scope: user:{name}:{right} is needed."
        refusal = errors.Refusal(errors.Entry(errors.ACCESS_DENIED, words), status=403)
        errors.refuse(f"user:{name}:{right}" not in scopes, refusal)

    def _admit(self, request: Request) -> None:
        if acting.is_by_hand():
            return
        denied = errors.Refusal(errors.Entry(errors.ACCESS_DENIED, _NOT_AUTHORISED))
        errors.refuse(self._scopes(request) is None, denied)
        account = request.path_params["account_id"]
        known = account in accounts_of(self._switches, self.user(request))
        entry = errors.Entry(errors.UNKNOWN, "Account not found.", "accountid", "system", account)
        status = self._switches.number("fb.wrong_account")
        errors.refuse(not known, errors.Refusal(entry, status=status))
        own = account == constants.FRESHBOOKS_ACCOUNT_ID
        inactive = errors.Refusal(errors.Entry(errors.INACTIVE, "Account is not active."))
        errors.refuse(own and self._switches["fb.subscription"] == "cancelled", inactive)
        rights = self._switches["fb.write_rights"]
        forbidden = (
            self._switches["fb.role"] == "client"
            or rights == "none"
            or (rights == "no_clients" and "/users/clients" in request.url.path)
        )
        entry = errors.Entry(errors.ACCESS_DENIED, "Permission Denied")
        errors.refuse(request.method != "GET" and forbidden, errors.Refusal(entry, status=403))

    def user(self, request: Request) -> str:
        """Whose the bearer token of a call is."""
        return self._tokens.user_of(_bearer(request) or "")

    def _scopes(self, request: Request) -> frozenset[str] | None:
        token = _bearer(request)
        return None if token is None else self._tokens.scopes_of(token)

    def _refused(self, request: Request, refusal: errors.Refusal) -> Response:
        form = self._switches["fb.error_format"]
        newer = form == "new" or (form == "header" and "x-api-version" in request.headers)
        inside_200 = (
            self._switches["fb.error_status"] == "200" and refusal.status != HTTPStatus.UNAUTHORIZED
        )
        return JSONResponse(
            errors.new_format(refusal) if newer else errors.old_format(refusal),
            status_code=200 if inside_200 else refusal.status,
        )

    def _fault_headers(self, exhausted: bool) -> dict[str, str]:
        headers = _headers(self._window.peek())
        return headers | ({"X-RateLimit-Remaining": "0"} if exhausted else {})


def _headers(verdict: Verdict) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(verdict.limit),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset": str(int(time.time() + verdict.resets_in)),
        "Retry-After": str(verdict.retry_after),
    }


def _refusal_body(errno: int, field: str, words: str) -> bytes:
    """A refusal that a fault makes, in the format that answers have by default."""
    refusal = errors.Refusal(errors.Entry(errno, words, field))
    return json.dumps(errors.old_format(refusal)).encode()


def _fault_body(status: int) -> tuple[bytes, str]:
    """How FreshBooks words an error of its own that says nothing of the request."""
    words = _BUSY if status == HTTPStatus.CONFLICT else "An error occurred."
    plain = _WORDS.get(status)
    body = json.dumps(plain).encode() if plain else _refusal_body(status, "", words)
    return body, "application/json"


def _bearer(request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else None
