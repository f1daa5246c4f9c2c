"""Token chain: uses a refresh token up, and has the pair that comes for it on disk before its use.

From FreshBooks' answer on, that pair is the only one that lives: a store that cannot take it at
once is tried again for minutes.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector_credentials import CredentialError, CredentialStore, LockedEntry
from connector_credentials.backoff import RetryPolicy
from connector_credentials.stop import STOP

from .errors import AuthError, FreshBooksError, Outage, UnknownOutcome, Unreachable
from .oauth import GrantRefused, OAuth, TokenPair, TokenThrottled, reconnect
from .pacing import pause_asked

logger = logging.getLogger(__name__)

SAVE_SECONDS = 300.0
"""Of pauses; what each try waits for a busy database comes on top."""

OPERATION = "refresh"


def entry_name(client_id: str) -> str:
    """The name of the app's entry in the store."""
    return f"freshbooks:{client_id}"


@dataclass(frozen=True, slots=True)
class TokenChain:
    """The app's tokens, of which each refresh token brings the next pair. Its entry must be held.

    Attributes:
        store: Where the pair lives.
        oauth: The token endpoint.
        clock: Aware UTC now.
        policy: How long a refresh may be tried again.
        lock_seconds: How long to wait for another who holds the entry.
        pause: Waits between tries to store a new pair.
    """

    store: CredentialStore
    oauth: OAuth
    clock: Callable[[], datetime]
    policy: RetryPolicy
    lock_seconds: float
    pause: Callable[[float], None]

    @property
    def name(self) -> str:
        """The name of the app's entry in the store."""
        return entry_name(self.oauth.client_id)

    def mark(self, entry: LockedEntry, document: Mapping[str, Any]) -> None:
        """Write down that something is spent now.

        It proves that the store can be written before that happens, and it tells a later reader
        that an answer may have been lost.
        """
        entry.write({**document, "refreshing_since": self.clock().isoformat()})

    def spend(self, entry: LockedEntry, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Use the refresh token up and store what comes for it.

        Returns:
            The entry as stored; None if FreshBooks says that the token is used up already.
        """
        self.mark(entry, document)
        attempts = self.policy.begin()
        in_doubt = False
        while True:
            started = time.monotonic()
            with STOP.critical_section():
                try:
                    pair = self.oauth.refresh(str(document["refresh_token"]))
                except GrantRefused:
                    final: FreshBooksError | None = None
                except UnknownOutcome as exc:
                    # Asking again with the same token is safe: it works, or it is told to be used.
                    final, asked, in_doubt = Outage(OPERATION, exc.message), 0.0, True
                except (AuthError, Outage) as exc:
                    final, asked = exc, self._pause_asked(exc)
                else:
                    return self.save(entry, document, pair)
            attempts.spend(time.monotonic() - started)
            if final is not None and attempts.wait(final, asked):
                continue
            if not in_doubt:
                entry.write(document)  # takes this try's mark away, not an older one
            if final is None:
                return None
            raise final

    def _pause_asked(self, failure: AuthError | Outage) -> float:
        """Seconds to let pass before the token is sent again."""
        if isinstance(failure, TokenThrottled):
            return pause_asked(failure.headers, self.clock())
        # The app's id or secret, or what bars the way: the token was not looked at.
        if isinstance(failure, AuthError | Unreachable):
            return math.inf
        return 0.0

    def save(
        self, entry: LockedEntry, document: Mapping[str, Any], pair: TokenPair
    ) -> Mapping[str, Any]:
        """Put the pair on disk; only then may it be used.

        Raises:
            AuthError: The store took it in none of many tries, so the pair is lost.
        """
        renewed = {
            **{key: value for key, value in document.items() if key != "refreshing_since"},
            "access_token": pair.access_token,
            "refresh_token": pair.refresh_token,
            "expires_at": pair.expires_at.isoformat(),
            "refreshed_at": self.clock().isoformat(),
            "scope": pair.scope,
        }
        attempts = RetryPolicy(SAVE_SECONDS, self.policy.random, self.pause).begin()
        while True:
            try:
                stored = self._put(entry, renewed, spent=document.get("refresh_token"))
            except CredentialError as exc:
                problem = str(exc)
            else:
                logger.info("the FreshBooks tokens are good until %s", stored.get("expires_at"))
                return stored
            warning = (
                "FreshBooks gave new tokens, and until they are stored this process must not be"
                f" killed: {problem}"
            )
            if not attempts.wait(warning):
                break
        message = f"FreshBooks gave new tokens but they cannot be stored ({problem}); {reconnect()}"
        raise AuthError(OPERATION, message)

    def _put(
        self, entry: LockedEntry, renewed: Mapping[str, Any], spent: str | None
    ) -> Mapping[str, Any]:
        """Write the pair that took the place of the token `spent`; returns what is stored then.

        Where the session that held the lock is gone, others may have been at the entry. They
        cannot have refreshed, for we have used the token up: at most they have left another
        mark, and ours goes over it. A pair of another chain is a login made meanwhile, which has
        ended ours (FreshBooks keeps one refresh token per user and app).
        """
        if not entry.lost:
            entry.write(renewed)
            return renewed
        with self.store.exclusive(self.name, self.lock_seconds) as again:
            stored: Mapping[str, Any] = again.read() or {}
            if spent and stored.get("access_token") and stored.get("refresh_token") != spent:
                return stored  # or it is ours, and only the word of its commit was lost
            again.write(renewed)
            return renewed
