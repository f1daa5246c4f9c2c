"""OAuth state: authorisation codes, chains of single-use refresh tokens, access tokens.

One refresh token lives per user and application: a refresh or a new authorisation of that user
ends the one before it ("Authentication" page).
"""

# ruff: noqa: S608 - the names in the statements are constants of this module
from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector_sandbox import constants
from connector_sandbox.freshbooks.identity import OWNER

if TYPE_CHECKING:
    import sqlite3

    from connector_sandbox.context import Context

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
CREATE TABLE IF NOT EXISTS fb_tokens(
  token TEXT PRIMARY KEY, kind TEXT, chain INTEGER, user TEXT, scope TEXT, began REAL,
  expires_at REAL, alive INTEGER);
CREATE TABLE IF NOT EXISTS fb_token_counts(name TEXT PRIMARY KEY, n INTEGER);
"""

_ALL = ("fb_codes", "fb_tokens", "fb_token_counts")
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
        self._store = ctx.store
        self._store.create(_TABLES)
        with self._store.writing() as connection:
            if not connection.execute("SELECT 1 FROM fb_tokens LIMIT 1").fetchone():
                self._first_token(connection)

    def reset(self) -> None:
        """Forget everything but the first refresh token, which lives again."""
        with self._store.writing() as connection:
            for table in _ALL:
                connection.execute(f"DELETE FROM {table}")
            self._first_token(connection)

    def authorise(self, redirect_uri: str, scope: str, user: str = OWNER) -> str:
        """Make an authorisation code for the user's consent."""
        code = secrets.token_hex(32)
        with self._store.writing() as connection:
            connection.execute(
                "INSERT INTO fb_codes VALUES(?, ?, ?, ?, ?, 0)",
                (code, redirect_uri, scope, user, self._now() + CODE_SECONDS),
            )
        return code

    def exchange(self, code: str, redirect_uri: str) -> Issued:
        """Take a code for tokens; chains that the user began earlier are dead from then on."""
        with self._store.writing() as connection:
            row = connection.execute(
                "UPDATE fb_codes SET used = 1 WHERE code = ? AND redirect_uri = ? AND NOT used "
                "AND expires_at > ? RETURNING *",
                (code, redirect_uri, self._now()),
            ).fetchone()
            if row is None:
                raise _invalid_grant()
            connection.execute(
                "UPDATE fb_tokens SET alive = 0 WHERE kind = 'refresh' AND user = ?", (row["user"],)
            )
            last = connection.execute("SELECT max(chain) FROM fb_tokens").fetchone()[0]
            self._count(connection, "exchanges")
            chain = _Chain(last + 1, row["user"], row["scope"], self._now())
            return self._issue(connection, chain)

    def refresh(self, token: str) -> Issued:
        """Take a refresh token, which is spent by it, for a new pair."""
        with self._store.writing() as connection:
            row = connection.execute(
                "UPDATE fb_tokens SET alive = 0 WHERE token = ? AND kind = 'refresh' AND alive "
                "RETURNING *",
                (token,),
            ).fetchone()
            self._count(connection, "refused_refreshes" if row is None else "refreshes")
            if row is not None:
                if self._ctx.switches["fb.refresh_ends_access"] == "yes":
                    connection.execute(
                        "UPDATE fb_tokens SET alive = 0 WHERE chain = ?", (row["chain"],)
                    )
                chain = _Chain(row["chain"], row["user"], row["scope"], row["began"])
                return self._issue(connection, chain)
        raise _invalid_grant()

    def revoke(self, token: str) -> None:
        """End the chain that an access or refresh token belongs to."""
        with self._store.writing() as connection:
            connection.execute(
                "UPDATE fb_tokens SET alive = 0 WHERE chain IN "
                "(SELECT chain FROM fb_tokens WHERE token = ?)",
                (token,),
            )

    def scopes_of(self, access: str) -> frozenset[str] | None:
        """The scopes of a living access token, or None."""
        found = self._store.connect().execute(
            "SELECT scope FROM fb_tokens WHERE token = ? AND kind = 'access' AND alive "
            "AND expires_at > ?",
            (access, self._now()),
        )
        row = found.fetchone()
        return None if row is None else frozenset(row["scope"].split())

    def user_of(self, access: str) -> str:
        """Whose an access token is; the owner's where nobody is named."""
        found = self._store.connect().execute(
            "SELECT user FROM fb_tokens WHERE token = ?", (access,)
        )
        row = found.fetchone()
        return OWNER if row is None else str(row["user"])

    def expire_access(self) -> None:
        """End all access tokens, as if twelve hours had passed."""
        with self._store.writing() as connection:
            connection.execute("UPDATE fb_tokens SET alive = 0 WHERE kind = 'access'")

    def grant(self) -> Issued:
        """Begin a chain without anybody's consent, for tests; ends the earlier ones."""
        code = self.authorise(constants.FRESHBOOKS_REDIRECT_URI, " ".join(ALL_SCOPES))
        return self.exchange(code, constants.FRESHBOOKS_REDIRECT_URI)

    def told(self) -> dict[str, object]:
        """Counts, and which refresh token is alive."""
        connection = self._store.connect()
        counts = {
            row["name"]: row["n"] for row in connection.execute("SELECT * FROM fb_token_counts")
        }
        alive = connection.execute(
            "SELECT token FROM fb_tokens WHERE kind = 'refresh' AND alive"
        ).fetchall()
        return {
            "exchanges": counts.get("exchanges", 0),
            "refreshes": counts.get("refreshes", 0),
            "refused_refreshes": counts.get("refused_refreshes", 0),
            "living_refresh_tokens": [row["token"] for row in alive],
        }

    def _first_token(self, connection: sqlite3.Connection) -> None:
        chain = _Chain(1, OWNER, " ".join(ALL_SCOPES), self._now())
        _keep(connection, "refresh", constants.FRESHBOOKS_REFRESH_TOKEN, chain, _ENDLESS)

    def _issue(self, connection: sqlite3.Connection, chain: _Chain) -> Issued:
        access, refresh = _jwt(), secrets.token_hex(32)
        now = int(self._now())
        created_at = now
        # Seen once: the first created_at with an expires_in that is the smaller by what has
        # passed. Only while something is left of the first twelve hours.
        if (
            self._ctx.switches["fb.refresh_created_at"] == "original"
            and 0 <= now - int(chain.began) < ACCESS_SECONDS
        ):
            created_at = int(chain.began)
        expires_at = created_at + ACCESS_SECONDS
        _keep(connection, "access", access, chain, expires_at)
        _keep(connection, "refresh", refresh, chain, _ENDLESS)
        return Issued(access, refresh, chain.scope, created_at, expires_at - now)

    def _count(self, connection: sqlite3.Connection, name: str) -> None:
        connection.execute(
            "INSERT INTO fb_token_counts VALUES(?, 1) ON CONFLICT(name) DO UPDATE SET n = n + 1",
            (name,),
        )

    def _now(self) -> float:
        return self._ctx.clock.now().timestamp()


def _keep(
    connection: sqlite3.Connection, kind: str, token: str, chain: _Chain, expires_at: float
) -> None:
    connection.execute(
        "INSERT INTO fb_tokens VALUES(?, ?, ?, ?, ?, ?, ?, 1)",
        (token, kind, chain.number, chain.user, chain.scope, chain.began, expires_at),
    )


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
