"""OAuth over HTTP: the consent page, the token endpoint, revocation."""

import html
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from connector_sandbox import constants
from connector_sandbox.constants import FRESHBOOKS
from connector_sandbox.context import Context
from connector_sandbox.freshbooks.guard import Handler
from connector_sandbox.freshbooks.tokens import ALL_SCOPES, GrantError, Issued, Tokens

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1>{body}</body></html>"""


class OAuth:
    """The authorisation endpoints of one sandbox."""

    def __init__(self, ctx: Context, tokens: Tokens) -> None:
        self._ctx = ctx
        self._tokens = tokens

    async def authorize(self, request: Request) -> Response:
        """Show the consent page; with ``approve=1`` or its button, go back with a code."""
        asked = dict(request.query_params)
        if asked.get("client_id") != constants.FRESHBOOKS_CLIENT_ID:
            return _page("Something went wrong", "<p>Internal server error.</p>", 500)
        wanted = asked.get("scope", "").split() or list(ALL_SCOPES)
        for wrong, words in (
            (asked.get("response_type") != "code", "response_type must be code."),
            (
                asked.get("redirect_uri") not in self._redirect_uris(),
                "The redirect uri included is not valid.",
            ),
            (
                set(wanted) - set(ALL_SCOPES),
                "The requested scope is invalid, unknown, or malformed.",
            ),
            (
                "code_challenge" in asked and asked.get("code_challenge_method") != "S256",
                "The code challenge method must be S256.",
            ),
        ):
            if wrong:
                return _page("Authorization error", f"<p>{words}</p>", 400)
        scopes = sorted({*wanted, "user:profile:read"})
        if request.method == "POST" or asked.get("approve") == "1":
            return self._go_back(asked, " ".join(scopes))
        listed = "".join(f"<li>{html.escape(scope)}</li>" for scope in scopes)
        again = html.escape(f"?{request.url.query}")
        form = (
            f"<p>The sandbox application asks for:</p><ul>{listed}</ul>"
            f'<form method="post" action="{again}"><button id="approve">Authorize</button></form>'
        )
        return _page("Authorize the application", form, 200)

    async def token(self, request: Request) -> Response:
        """Exchange a code, or refresh."""
        asked = await _fields(request)
        issued = self._issue(asked)
        return JSONResponse(
            {
                "access_token": issued.access,
                "token_type": "Bearer",
                "expires_in": issued.expires_in,
                "refresh_token": issued.refresh,
                "scope": issued.scope,
                "created_at": issued.created_at,
                "direct_buy_tokens": {},
            },
            headers={"cache-control": "no-store"},
        )

    async def revoke(self, request: Request) -> Response:
        """Revoke a token and its chain."""
        asked = await _fields(request)
        self._tokens.revoke(asked.get("token", ""))
        return JSONResponse({})

    async def metadata(self, request: Request) -> Response:
        """Tell the endpoints, as the well-known document does."""
        origin = f"{request.url.scheme}://{request.url.netloc}"
        service = f"{origin}/service/auth/oauth"
        return JSONResponse(
            {
                "issuer": origin,
                "authorization_endpoint": f"{service}/authorize",
                "token_endpoint": f"{service}/token",
                "revocation_endpoint": f"{service}/revoke",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": list(ALL_SCOPES),
            }
        )

    def _redirect_uris(self) -> set[str]:
        return {
            constants.FRESHBOOKS_REDIRECT_URI,
            self._ctx.switches["fb.extra_redirect_uri"] or constants.FRESHBOOKS_REDIRECT_URI,
        }

    def _go_back(self, asked: Mapping[str, str], scope: str) -> Response:
        user = self._ctx.switches["fb.user"]
        challenge = asked.get("code_challenge", "")
        answer = {"code": self._tokens.authorise(asked["redirect_uri"], scope, user, challenge)}
        if "state" in asked:
            answer["state"] = asked["state"]
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", status_code=302)

    def _issue(self, asked: Mapping[str, str]) -> Issued:
        grant = asked.get("grant_type")
        if grant == "authorization_code":
            code, redirect_uri = asked.get("code", ""), asked.get("redirect_uri", "")
            issued = self._tokens.exchange(code, redirect_uri, asked.get("code_verifier", ""))
        elif grant == "refresh_token":
            issued = self._tokens.refresh(asked.get("refresh_token", ""))
        else:
            words = "The authorization grant type is not supported by the authorization server."
            raise GrantError(400, "unsupported_grant_type", words)
        with self._ctx.store.writing() as connection:
            self._ctx.history.append(
                connection,
                side=FRESHBOOKS,
                method="POST",
                path="/auth/oauth/token",
                kind="token.refresh" if grant == "refresh_token" else "token.exchange",
                object_id="",
                body={},  # without the tokens
            )
        return issued


def refused(handler: Handler) -> Handler:
    """Answer what the handler refuses in OAuth's words."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except GrantError as error:
            told = {"error": error.error, "error_description": error.words}
            return JSONResponse(told, status_code=error.status)

    return endpoint


async def _fields(request: Request) -> dict[str, str]:
    """Read a body that is either form-encoded or JSON, of our one application."""
    raw = await request.body()
    asked: Any = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    if "json" in request.headers.get("content-type", ""):
        try:
            asked = json.loads(raw)
        except ValueError:
            asked = None
    if not isinstance(asked, dict):
        raise GrantError(400, "invalid_request", "The request body could not be parsed.")
    client = asked.get("client_id"), asked.get("client_secret")
    if client != (constants.FRESHBOOKS_CLIENT_ID, constants.FRESHBOOKS_CLIENT_SECRET):
        words = "Client authentication failed due to unknown client or bad credentials."
        raise GrantError(401, "invalid_client", words)
    return {name: str(value) for name, value in asked.items()}


def _page(title: str, body: str, status: int) -> Response:
    return HTMLResponse(_PAGE.format(title=title, body=body), status_code=status)
