"""FreshBooks' OAuth 2.0: the consent page, and codes or refresh tokens for tokens.

Only the authorisation-code flow exists. A refresh token works once; the answer to its use holds
the next one. (FreshBooks authentication and scopes pages.)

A code is bound to the page it was given for by PKCE (RFC 7636, S256), which FreshBooks takes; a
server that does not know it ignores it.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeGuard
from urllib.parse import urlencode

from connector_credentials.commands import ctl

from .answers import document_of
from .errors import AuthError, Outage, UnknownOutcome, Unreachable
from .wire import Wire, WireFailure, WireReply

SCOPES = (
    "user:profile:read",
    "user:clients:read",
    "user:clients:write",
    "user:billable_items:read",
    "user:billable_items:write",
    "user:invoices:read",
    "user:invoices:write",
    "user:payments:read",
    "user:payments:write",
    "user:taxes:read",
    "user:credit_notes:read",
    "user:credit_notes:write",
)
"""What the target needs. Asking for one that the app does not have fails the whole consent."""

EXPENSE_SCOPES = ("user:expenses:read", "user:expenses:write")
"""What it needs besides if expenses are written (`refunds_expense_category`)."""

TOKEN_PATH = "/auth/oauth/token"  # noqa: S105 - a path
REVOKE_PATH = "/auth/oauth/revoke"
_DEFAULT_LIFETIME = 3600


def reconnect() -> str:
    """What a person has to do where no login works any more."""
    return f"reconnect: {ctl('login')}"


class GrantRefused(AuthError):  # noqa: N818 - the word says it
    """`invalid_grant`: the code or refresh token was used before, was revoked, or is too old."""


class AppUnknown(AuthError):  # noqa: N818 - the word says it
    """`invalid_client`: no login helps before the app's settings are right."""

    def __init__(self, operation: str) -> None:
        super().__init__(
            operation,
            "FreshBooks does not know this client_id with this client_secret: check"
            " TARGET_FRESHBOOKS_CLIENT_ID and TARGET_FRESHBOOKS_CLIENT_SECRET",
        )


class TokenThrottled(Outage):
    """The token endpoint says 429; the grant was not used.

    Attributes:
        headers: Those of the answer, which say how long to wait.
    """

    def __init__(self, operation: str, reply: WireReply) -> None:
        super().__init__(operation, "too many requests (429)")
        self.headers = reply.headers


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token with its successor's key. Neither shows in a repr."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scope: str


def is_token(value: object) -> TypeGuard[str]:
    """Whether it can be a token: a header takes it as it is."""
    if not isinstance(value, str):
        return False
    return bool(value) and value.isascii() and value.isprintable() and " " not in value


class OAuth:
    """The token endpoints of one FreshBooks app. Nothing is retried here.

    Args:
        auth_url: Where the consent page is (`https://auth.freshbooks.com`).
        redirect_uri: Exactly as registered with the app; HTTPS.
        clock: Aware UTC now.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        auth_url: str,
        wire: Wire,
        clock: Callable[[], datetime],
    ) -> None:
        self.client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._auth_url = auth_url.rstrip("/")
        self._wire = wire
        self._clock = clock

    def authorize_url(self, state: str, verifier: str, scopes: tuple[str, ...] = SCOPES) -> str:
        """The page where a person allows the app; FreshBooks then opens the redirect URI.

        Args:
            state: Comes back with the code.
            verifier: Its digest goes into the address; the code is worth nothing without it.
            scopes: What the app is to be allowed.
        """
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self._auth_url}/oauth/authorize?{urlencode(query)}"

    def exchange(self, code: str, verifier: str) -> TokenPair:
        """A code from the redirect (valid five minutes, once) for the first token pair.

        Raises:
            GrantRefused: It was used before, is too old, or is of another page.
            FreshBooksError: As for `refresh`.
        """
        return self._grant(
            "FreshBooks does not accept this code: it was used before, is older than five minutes,"
            f" or is not of the page that login printed; use the new page of {ctl('login')}",
            grant_type="authorization_code",
            code=code,
            redirect_uri=self._redirect_uri,
            code_verifier=verifier,
        )

    def refresh(self, refresh_token: str) -> TokenPair:
        """The next pair. The token given is used up when FreshBooks has handled this.

        Raises:
            GrantRefused: It was used up before.
            AppUnknown: The app's id or secret is wrong; the token was not used.
            TokenThrottled, Outage: It was not used.
            UnknownOutcome: The answer was lost, so it may be used up.
        """
        return self._grant(
            f"FreshBooks no longer accepts the token; {reconnect()}",
            grant_type="refresh_token",
            refresh_token=refresh_token,
            redirect_uri=self._redirect_uri,
        )

    def revoke(self, token: str) -> None:
        """End the token; the app has no access from then on."""
        operation = f"POST {REVOKE_PATH}"
        reply = self._post(REVOKE_PATH, token=token)
        if reply.status != HTTPStatus.OK:
            raise AuthError(operation, f"not revoked (HTTP {reply.status})")

    def _grant(self, refusal: str, **fields: str) -> TokenPair:
        operation = f"POST {TOKEN_PATH}"
        reply = self._post(TOKEN_PATH, **fields)
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise TokenThrottled(operation, reply)
        document = document_of(reply.body) or {}
        if reply.status == HTTPStatus.OK:
            pair = self._pair(document)
            if pair is None:
                raise UnknownOutcome(operation, "the answer holds no tokens, or only a part")
            return pair
        code = document.get("error")
        if code == "invalid_grant":
            raise GrantRefused(operation, refusal)
        if code == "invalid_client":
            raise AppUnknown(operation)
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(code, str):
            raise UnknownOutcome(operation, f"HTTP {reply.status}")
        raise AuthError(operation, f"refused with {code!r} (HTTP {reply.status}); {reconnect()}")

    def _post(self, path: str, **fields: str) -> WireReply:
        form = {"client_id": self.client_id, "client_secret": self._client_secret, **fields}
        reply = self._wire.send(
            "POST",
            path,
            path,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
        )
        if isinstance(reply, WireFailure):
            failure = reply.failure
            if failure.sent:
                raise UnknownOutcome(f"POST {path}", failure.words)
            kind = Outage if failure.passing else Unreachable
            raise kind(f"POST {path}", failure.words)
        return reply

    def _pair(self, document: dict[str, Any]) -> TokenPair | None:
        """The pair of an answer, None if a token is missing or can be none.

        A refresh was once seen to repeat the first `created_at` with a smaller `expires_in`, so
        the end is reckoned from the answer, not from now; unless that end has passed already,
        which a token just given cannot mean.
        """
        access, refresh = document.get("access_token"), document.get("refresh_token")
        if not (is_token(access) and is_token(refresh)):
            return None
        created, lifetime = document.get("created_at"), document.get("expires_in")
        now = self._clock()
        start = created if isinstance(created, int) and created > 0 else now.timestamp()
        seconds = lifetime if isinstance(lifetime, int) and lifetime > 0 else _DEFAULT_LIFETIME
        try:
            end = datetime.fromtimestamp(start + seconds, tz=UTC)
        except (ValueError, OverflowError, OSError):  # no moment that there is
            end, seconds = now, _DEFAULT_LIFETIME
        if end <= now:
            end = now + timedelta(seconds=seconds)
        return TokenPair(access, refresh, end, str(document.get("scope") or ""))
