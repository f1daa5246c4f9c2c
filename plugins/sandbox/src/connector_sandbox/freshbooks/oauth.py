"""OAuth over HTTP: the consent page, the token endpoint, revocation."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from connector_sandbox import constants
from connector_sandbox.constants import FRESHBOOKS
from connector_sandbox.freshbooks.tokens import ALL_SCOPES, GrantError, Issued, Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from connector_sandbox.context import Context

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
        if asked.get("response_type") != "code":
            return _page("Authorization error", "<p>response_type must be code.</p>", 400)
        if asked.get("redirect_uri") not in self._redirect_uris():
            words = "The redirect uri included is not valid."
            return _page("Authorization error", f"<p>{words}</p>", 400)
        wanted = asked.get("scope", "").split() or list(ALL_SCOPES)
        if set(wanted) - set(ALL_SCOPES):
            words = "The requested scope is invalid, unknown, or malformed."
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
        try:
            asked = await _fields(request)
            self._check_client(asked)
            issued = self._issue(asked)
        except GrantError as error:
            return JSONResponse(
                {"error": error.error, "error_description": error.words},
                status_code=error.status,
            )
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
        try:
            asked = await _fields(request)
            self._check_client(asked)
        except GrantError as error:
            return JSONResponse(
                {"error": error.error, "error_description": error.words},
                status_code=error.status,
            )
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
        answer = {"code": self._tokens.authorise(asked["redirect_uri"], scope, user)}
        if "state" in asked:
            answer["state"] = asked["state"]
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", status_code=302)

    def _check_client(self, asked: Mapping[str, str]) -> None:
        if (
            asked.get("client_id") != constants.FRESHBOOKS_CLIENT_ID
            or asked.get("client_secret") != constants.FRESHBOOKS_CLIENT_SECRET
        ):
            words = "Client authentication failed due to unknown client or bad credentials."
            raise GrantError(401, "invalid_client", words)

    def _issue(self, asked: Mapping[str, str]) -> Issued:
        grant = asked.get("grant_type")
        if grant == "authorization_code":
            return self._recorded(
                self._tokens.exchange(asked.get("code", ""), asked.get("redirect_uri", "")),
                "token.exchange",
            )
        if grant == "refresh_token":
            return self._recorded(
                self._tokens.refresh(asked.get("refresh_token", "")), "token.refresh"
            )
        words = "The authorization grant type is not supported by the authorization server."
        raise GrantError(400, "unsupported_grant_type", words)

    def _recorded(self, issued: Issued, kind: str) -> Issued:
        """Tell the history that tokens were issued, without the tokens."""
        with self._ctx.store.writing() as connection:
            self._ctx.history.append(
                connection,
                side=FRESHBOOKS,
                method="POST",
                path="/auth/oauth/token",
                kind=kind,
                object_id="",
                body={},
                status=200,
            )
        return issued


async def _fields(request: Request) -> dict[str, str]:
    """Read a body that is either form-encoded or JSON."""
    raw = await request.body()
    if "json" in request.headers.get("content-type", ""):
        try:
            parsed: Any = json.loads(raw)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise GrantError(400, "invalid_request", "The request body could not be parsed.")
        return {name: str(value) for name, value in parsed.items()}
    return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))


def _page(title: str, body: str, status: int) -> Response:
    return HTMLResponse(_PAGE.format(title=title, body=body), status_code=status)
