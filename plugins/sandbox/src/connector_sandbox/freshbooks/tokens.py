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
  code TEXT PRIMARY KEY, redirect_uri TEXT, scope TEXT, expires_at REAL, used INTEGER);
CREATE TABLE IF NOT EXISTS fb_refresh(
  token TEXT PRIMARY KEY, chain INTEGER, scope TEXT, alive INTEGER, chain_began REAL);
CREATE TABLE IF NOT EXISTS fb_access(
  token TEXT PRIMARY KEY, chain INTEGER, scope TEXT, expires_at REAL, alive INTEGER);
CREATE TABLE IF NOT EXISTS fb_consents(code TEXT PRIMARY KEY, user TEXT);
CREATE TABLE IF NOT EXISTS fb_chains(chain INTEGER PRIMARY KEY, user TEXT);
CREATE TABLE IF NOT EXISTS fb_token_counts(name TEXT PRIMARY KEY, n INTEGER);
"""

_ALL = ("fb_codes", "fb_refresh", "fb_access", "fb_consents", "fb_chains", "fb_token_counts")


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


class Tokens:
    """What the authorisation server knows."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._store = ctx.store
        self._store.create(_TABLES)
        with self._store.writing() as connection:
            if not connection.execute("SELECT 1 FROM fb_refresh LIMIT 1").fetchone():
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
                "INSERT INTO fb_codes VALUES(?, ?, ?, ?, 0)",
                (code, redirect_uri, scope, self._now() + CODE_SECONDS),
            )
            connection.execute("INSERT INTO fb_consents VALUES(?, ?)", (code, user))
        return code

    def exchange(self, code: str, redirect_uri: str) -> Issued:
        """Take a code for tokens; chains that the user began earlier are dead from then on."""
        with self._store.writing() as connection:
            row = connection.execute("SELECT * FROM fb_codes WHERE code = ?", (code,)).fetchone()
            if (
                row is None
                or row["used"]
                or row["expires_at"] <= self._now()
                or row["redirect_uri"] != redirect_uri
            ):
                raise _invalid_grant()
            connection.execute("UPDATE fb_codes SET used = 1 WHERE code = ?", (code,))
            consent = connection.execute("SELECT user FROM fb_consents WHERE code = ?", (code,))
            user = consent.fetchone()["user"]
            connection.execute(
                "UPDATE fb_refresh SET alive = 0 WHERE chain NOT IN "
                "(SELECT chain FROM fb_chains WHERE user != ?)",
                (user,),
            )
            last = connection.execute("SELECT max(chain) AS n FROM fb_refresh").fetchone()["n"]
            chain = (last or 0) + 1
            connection.execute("INSERT INTO fb_chains VALUES(?, ?)", (chain, user))
            self._count(connection, "exchanges")
            return self._issue(connection, chain, row["scope"], self._now())

    def refresh(self, token: str) -> Issued:
        """Take a refresh token, which is spent by it, for a new pair."""
        with self._store.writing() as connection:
            row = connection.execute(
                "SELECT * FROM fb_refresh WHERE token = ?", (token,)
            ).fetchone()
            if row is None or not row["alive"]:
                self._count(connection, "refused_refreshes")
                refused = True
            else:
                refused = False
                connection.execute("UPDATE fb_refresh SET alive = 0 WHERE token = ?", (token,))
                if self._ctx.switches["fb.refresh_ends_access"] == "yes":
                    connection.execute(
                        "UPDATE fb_access SET alive = 0 WHERE chain = ?", (row["chain"],)
                    )
                self._count(connection, "refreshes")
                issued = self._issue(connection, row["chain"], row["scope"], row["chain_began"])
        if refused:
            raise _invalid_grant()
        return issued

    def revoke(self, token: str) -> None:
        """End the chain that an access or refresh token belongs to."""
        with self._store.writing() as connection:
            for table in ("fb_access", "fb_refresh"):
                row = connection.execute(
                    f"SELECT chain FROM {table} WHERE token = ?",
                    (token,),
                ).fetchone()
                if row is not None:
                    for each in ("fb_access", "fb_refresh"):
                        connection.execute(
                            f"UPDATE {each} SET alive = 0 WHERE chain = ?",
                            (row["chain"],),
                        )

    def scopes_of(self, access: str) -> frozenset[str] | None:
        """The scopes of a living access token, or None."""
        row = (
            self._store.connect()
            .execute("SELECT scope, expires_at, alive FROM fb_access WHERE token = ?", (access,))
            .fetchone()
        )
        if row is None or not row["alive"] or row["expires_at"] <= self._now():
            return None
        return frozenset(row["scope"].split())

    def user_of(self, access: str) -> str:
        """Whose an access token is; the planted chain is the owner's."""
        row = (
            self._store.connect()
            .execute(
                "SELECT user FROM fb_access JOIN fb_chains USING (chain) WHERE token = ?", (access,)
            )
            .fetchone()
        )
        return OWNER if row is None else str(row["user"])

    def expire_access(self) -> None:
        """End all access tokens, as if twelve hours had passed."""
        with self._store.writing() as connection:
            connection.execute("UPDATE fb_access SET alive = 0")

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
        alive = connection.execute("SELECT token FROM fb_refresh WHERE alive = 1").fetchall()
        return {
            "exchanges": counts.get("exchanges", 0),
            "refreshes": counts.get("refreshes", 0),
            "refused_refreshes": counts.get("refused_refreshes", 0),
            "living_refresh_tokens": [row["token"] for row in alive],
        }

    def _first_token(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO fb_refresh VALUES(?, 1, ?, 1, ?)",
            (constants.FRESHBOOKS_REFRESH_TOKEN, " ".join(ALL_SCOPES), self._now()),
        )

    def _issue(
        self, connection: sqlite3.Connection, chain: int, scope: str, chain_began: float
    ) -> Issued:
        access, refresh = _jwt(), secrets.token_hex(32)
        now = int(self._now())
        created_at = now
        if self._ctx.switches["fb.refresh_created_at"] == "original":
            # Seen once: the first created_at with an expires_in that is the smaller by what has
            # passed. Only while something is left of the first twelve hours.
            passed = now - int(chain_began)
            created_at = int(chain_began) if 0 <= passed < ACCESS_SECONDS else now
        expires_in = created_at + ACCESS_SECONDS - now
        connection.execute(
            "INSERT INTO fb_access VALUES(?, ?, ?, ?, 1)", (access, chain, scope, now + expires_in)
        )
        connection.execute(
            "INSERT INTO fb_refresh VALUES(?, ?, ?, 1, ?)", (refresh, chain, scope, chain_began)
        )
        return Issued(access, refresh, scope, created_at, expires_in)

    def _count(self, connection: sqlite3.Connection, name: str) -> None:
        connection.execute(
            "INSERT INTO fb_token_counts VALUES(?, 1) ON CONFLICT(name) DO UPDATE SET n = n + 1",
            (name,),
        )

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
