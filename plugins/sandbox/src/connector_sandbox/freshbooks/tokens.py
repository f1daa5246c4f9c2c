"""OAuth state: authorisation codes, chains of single-use refresh tokens, access tokens.

One refresh token lives per user and application: a refresh or a new authorisation of that user
ends the one before it ("Authentication" page).
"""

# ruff: noqa: S608 - the names in the statements are constants of this module

import base64
import hashlib
import json
import secrets
import sqlite3
from dataclasses import dataclass

from connector_sandbox import constants
from connector_sandbox.context import Context
from connector_sandbox.freshbooks.identity import OWNER

ACCESS_SECONDS = 43_200
CODE_SECONDS = 300
_JWT_BYTES = 480

_OBJECTS = (
    *("bill_payments", "bill_vendors", "billable_items", "bills", "business", "clients"),
    *("credit_notes", "estimates", "expenses", "invoices", "journal_entries", "notifications"),
    *("online_payments", "other_income", "payments", "profile", "projects", "reports"),
    *("retainers", "taxes", "teams", "time_entries"),
)
_READ_ONLY = frozenset({"profile", "notifications", "reports"})
ALL_SCOPES = tuple(
    f"user:{name}:{right}"
    for name in _OBJECTS
    for right in ("read", "write")
    if right == "read" or name not in _READ_ONLY
)

_TABLES = """
CREATE TABLE IF NOT EXISTS fb_codes(
  code TEXT PRIMARY KEY, redirect_uri TEXT, scope TEXT, user TEXT, expires_at REAL, used INTEGER);
CREATE TABLE IF NOT EXISTS fb_challenges(code TEXT PRIMARY KEY, challenge TEXT);
CREATE TABLE IF NOT EXISTS fb_tokens(
  token TEXT PRIMARY KEY, kind TEXT, chain INTEGER, user TEXT, scope TEXT, began REAL,
  expires_at REAL, alive INTEGER);
CREATE TABLE IF NOT EXISTS fb_token_counts(name TEXT PRIMARY KEY, n INTEGER);
"""

_ALL = ("fb_codes", "fb_challenges", "fb_tokens", "fb_token_counts")
_ENDLESS = 1e18  # a refresh token ends by use alone


class GrantError(Exception):
    """A token request that is refused.

    Attributes:
        status: HTTP status.
        error: OAuth's error code.
        words: its description.
    """

    def __init__(self, status: int, error: str, words: str) -> None:
        super().__init__(f"{error}: {words}")
        self.status = status
        self.error = error
        self.words = words


@dataclass(frozen=True, slots=True)
class Issued:
    """A new pair of tokens. ``created_at`` is in seconds since the epoch."""

    access: str
    refresh: str
    scope: str
    created_at: int
    expires_in: int


@dataclass(frozen=True, slots=True)
class _Chain:
    """The tokens that follow from one consent."""

    number: int
    user: str
    scope: str
    began: float


class Tokens:
    """What the authorisation server knows."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        ctx.store.create(_TABLES)
        with ctx.store.writing():
            if not self._run("SELECT 1 FROM fb_tokens LIMIT 1").fetchone():
                self._first_token()

    def reset(self) -> None:
        """Forget everything but the first refresh token, which lives again."""
        with self._ctx.store.writing():
            for table in _ALL:
                self._run(f"DELETE FROM {table}")
            self._first_token()

    def authorise(
        self, redirect_uri: str, scope: str, user: str = OWNER, challenge: str = ""
    ) -> str:
        """Make an authorisation code for the user's consent."""
        code, ends = secrets.token_hex(32), self._now() + CODE_SECONDS
        with self._ctx.store.writing():
            insert = "INSERT INTO fb_codes VALUES(?, ?, ?, ?, ?, 0)"
            self._run(insert, code, redirect_uri, scope, user, ends)
            if challenge:
                self._run("INSERT INTO fb_challenges VALUES(?, ?)", code, challenge)
        return code

    def exchange(self, code: str, redirect_uri: str, verifier: str = "") -> Issued:
        """Take a code for tokens; chains that the user began earlier are dead from then on."""
        with self._ctx.store.writing():
            if not self._is_met(code, verifier):
                raise _invalid_grant()
            row = self._run(
                "UPDATE fb_codes SET used = 1 WHERE code = ? AND redirect_uri = ? AND NOT used "
                "AND expires_at > ? RETURNING user, scope",
                *(code, redirect_uri, self._now()),
            ).fetchone()
            if row is None:
                raise _invalid_grant()
            self._run(
                "UPDATE fb_tokens SET alive = 0 WHERE kind = 'refresh' AND user = ?", row["user"]
            )
            (last,) = self._run("SELECT max(chain) FROM fb_tokens").fetchone()
            self._count("exchanges")
            return self._issue(_Chain(last + 1, row["user"], row["scope"], self._now()))

    def refresh(self, token: str) -> Issued:
        """Take a refresh token, which is spent by it, for a new pair."""
        with self._ctx.store.writing():
            row = self._run(
                "UPDATE fb_tokens SET alive = 0 WHERE token = ? AND kind = 'refresh' AND alive "
                "RETURNING chain, user, scope, began",
                token,
            ).fetchone()
            self._count("refused_refreshes" if row is None else "refreshes")
            if row is not None:
                if self._ctx.switches["fb.refresh_ends_access"] == "yes":
                    self._run("UPDATE fb_tokens SET alive = 0 WHERE chain = ?", row["chain"])
                return self._issue(_Chain(*row))
        raise _invalid_grant()

    def revoke(self, token: str) -> None:
        """End the chain that an access or refresh token belongs to."""
        self._run(
            "UPDATE fb_tokens SET alive = 0 WHERE chain IN "
            "(SELECT chain FROM fb_tokens WHERE token = ?)",
            token,
        )

    def scopes_of(self, access: str) -> frozenset[str] | None:
        """The scopes of a living access token, or None."""
        row = self._run(
            "SELECT scope FROM fb_tokens WHERE token = ? AND kind = 'access' AND alive "
            "AND expires_at > ?",
            *(access, self._now()),
        ).fetchone()
        return None if row is None else frozenset(row["scope"].split())

    def user_of(self, access: str) -> str:
        """Whose an access token is; the owner's where nobody is named."""
        row = self._run("SELECT user FROM fb_tokens WHERE token = ?", access).fetchone()
        return OWNER if row is None else str(row["user"])

    def expire_access(self) -> None:
        """End all access tokens, as if twelve hours had passed."""
        self._run("UPDATE fb_tokens SET alive = 0 WHERE kind = 'access'")

    def grant(self) -> Issued:
        """Begin a chain without anybody's consent, for tests; ends the earlier ones."""
        code = self.authorise(constants.FRESHBOOKS_REDIRECT_URI, " ".join(ALL_SCOPES))
        return self.exchange(code, constants.FRESHBOOKS_REDIRECT_URI)

    def told(self) -> dict[str, object]:
        """Counts, and which refresh token is alive."""
        alive = self._run("SELECT token FROM fb_tokens WHERE kind = 'refresh' AND alive")
        return {
            **dict.fromkeys(("exchanges", "refreshes", "refused_refreshes"), 0),
            **dict(map(tuple, self._run("SELECT name, n FROM fb_token_counts"))),
            "living_refresh_tokens": [row["token"] for row in alive],
        }

    def _is_met(self, code: str, verifier: str) -> bool:
        """Whether the verifier is that of the code's challenge, if there is one (RFC 7636)."""
        row = self._run("SELECT challenge FROM fb_challenges WHERE code = ?", code).fetchone()
        if row is None or self._ctx.switches["fb.pkce"] == "ignored":
            return True
        digest = hashlib.sha256(verifier.encode()).digest()
        return bool(base64.urlsafe_b64encode(digest).decode().rstrip("=") == row["challenge"])

    def _first_token(self) -> None:
        chain = _Chain(1, OWNER, " ".join(ALL_SCOPES), self._now())
        self._keep("refresh", constants.FRESHBOOKS_REFRESH_TOKEN, chain, _ENDLESS)

    def _issue(self, chain: _Chain) -> Issued:
        access, refresh = _jwt(), secrets.token_hex(32)
        now, began = int(self._now()), int(chain.began)
        # Seen once: the first created_at with an expires_in that is the smaller by what has
        # passed. Only while something is left of the first twelve hours.
        original = self._ctx.switches["fb.refresh_created_at"] == "original"
        created_at = began if original and 0 <= now - began < ACCESS_SECONDS else now
        expires_at = created_at + ACCESS_SECONDS
        self._keep("access", access, chain, expires_at)
        self._keep("refresh", refresh, chain, _ENDLESS)
        return Issued(access, refresh, chain.scope, created_at, expires_at - now)

    def _keep(self, kind: str, token: str, chain: _Chain, expires_at: float) -> None:
        self._run(
            "INSERT INTO fb_tokens VALUES(?, ?, ?, ?, ?, ?, ?, 1)",
            *(token, kind, chain.number, chain.user, chain.scope, chain.began, expires_at),
        )

    def _count(self, name: str) -> None:
        self._run(
            "INSERT INTO fb_token_counts VALUES(?, 1) ON CONFLICT(name) DO UPDATE SET n = n + 1",
            name,
        )

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._ctx.store.connect().execute(statement, values)

    def _now(self) -> float:
        return self._ctx.clock.now().timestamp()


def _jwt() -> str:
    """A token of the length and look of FreshBooks' (about 1,000 characters)."""
    header = json.dumps({"kid": secrets.token_hex(16), "alg": "RS256"}).encode()
    payload = json.dumps({"jti": secrets.token_hex(16), "pad": "0" * 250}).encode()
    parts = (header, payload, secrets.token_bytes(_JWT_BYTES // 2 + 80))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _invalid_grant() -> GrantError:
    return GrantError(
        400,
        "invalid_grant",
        "The provided authorization grant is invalid, expired, revoked, does not match the "
        "redirection URI used in the authorization request, or was issued to another client.",
    )
