"""FreshBooks' tokens, shared by all threads, processes and machines that use one store.

An access token lasts twelve hours; the refresh token that brings the next one works once. Two
who refresh at the same time, or one who loses the answer, cut the connection until a person logs
in again. So a refresh happens alone (the store's exclusive lock), from the latest pair (read
again under the lock), and the new pair is on disk before anybody uses it (`token_chain`).

A login spends its code in the same way, for it ends the chain that the same user had. Whose it is
can be asked before it is stored: one that must not take another's place is revoked again.

One window cannot be closed: FreshBooks has used the token up and its answer never reaches our
disk (a kill, a lost connection). Before each refresh the entry is marked, so that whoever finds
the chain broken can say that this is what happened. It costs a login and never an order.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from connector_credentials import CredentialError, CredentialStore, LockedEntry, LockTimeout
from connector_credentials.backoff import RetryPolicy
from connector_credentials.stop import STOP

from .errors import AuthError, FreshBooksError, Outage, UnknownOutcome
from .oauth import OAuth, TokenPair, is_token, reconnect
from .token_chain import OPERATION, TokenChain

Check = Callable[[TokenPair], Mapping[str, Any] | None]

logger = logging.getLogger(__name__)

REFRESH_AHEAD = timedelta(minutes=5)
JUST_REFRESHED = timedelta(minutes=1)
LOCK_SECONDS = 120.0
_TOKEN_KEYS = ("access_token", "refresh_token", "expires_at", "refreshed_at", "scope")
_IDENTITY = frozenset({"user_id", "account_id", "business"})
"""Whose a login is, as `login` found it."""


def fingerprint(seed: str) -> str:
    """By this the entry remembers which seed it took, without holding it."""
    return hashlib.sha256(seed.encode()).hexdigest()


class TokenSource:
    """Access tokens that are good for some minutes at least. Thread-safe.

    Args:
        store: Where the pair lives.
        oauth: The token endpoint.
        clock: Aware UTC now.
        policy: How long a refresh may be tried again. A stop of the run may cut its sleep short,
            also if that waits for another who holds the entry.
        seed: The `refresh_token` setting. It starts the chain if the store has none, and is
            taken a second time only if it is another one than before and the chain is broken:
            then an operator has put it there for that.
        lock_seconds: How long to wait for another who holds the entry.
        pause: Waits between tries to store a new pair. A stop of the run must not cut it short:
            to leave then is to lose the login.
    """

    def __init__(
        self,
        *,
        store: CredentialStore,
        oauth: OAuth,
        clock: Callable[[], datetime],
        policy: RetryPolicy,
        seed: str | None = None,
        lock_seconds: float = LOCK_SECONDS,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._chain = TokenChain(store, oauth, clock, policy, lock_seconds, pause)
        self._seed = seed or None
        self._lock = threading.Lock()
        self._known: Mapping[str, Any] = {}
        self._dead: set[str] = set()

    def access_token(self) -> str:
        """A token to use now; refreshed first if it ends in a few minutes.

        Raises:
            AuthError: A person has to log in (again).
            Outage: FreshBooks or the store cannot be used now.
        """
        with self._lock:
            if not self._usable(self._known):
                with self._store_in_reach():
                    self._known = self._chain.store.read(self._chain.name) or {}
            if not self._usable(self._known):
                self._renew(rejected=None)
            return str(self._known["access_token"])

    def refresh(self, rejected: str) -> str:
        """Another token, since FreshBooks answered 401 to this one.

        If another thread or process has refreshed already, its token is used.
        """
        with self._lock:
            if self._known.get("access_token") in (None, rejected):
                self._renew(rejected)
            return str(self._known["access_token"])

    def log_in(self, code: str, verifier: str, check: Check | None = None) -> TokenPair:
        """Begin a new chain with a code from the consent page; the same user's old one is dead.

        Args:
            code: From the redirect; spent only when its pair can be stored.
            verifier: That of the page the code was given for.
            check: Asked before the pair is stored: what else to remember with it, such as
                `account_id`; or None, and then the pair is revoked and the old chain stays.

        Raises:
            CredentialError: The store cannot be used; nothing was asked for.
            FreshBooksError: FreshBooks did not take the code, or its pair is lost.
        """
        with self._lock, self._alone() as entry:
            document: Mapping[str, Any] = entry.read() or {}
            chain = _without_tokens(document)
            if self._seed:
                # Older than this login, which ended the chain it belongs to.
                chain["seed_sha256"] = fingerprint(self._seed)
            self._chain.mark(entry, document)
            with STOP.critical_section():
                try:
                    pair = self._chain.oauth.exchange(code, verifier)
                except UnknownOutcome:
                    raise  # the old chain may have ended, so the mark stays
                except FreshBooksError:
                    entry.write(document)
                    raise
                more = {} if check is None else check(pair)
                if more is None:
                    entry.write(document)
                    self._give_back(pair)
                else:
                    self._known = self._chain.save(entry, {**chain, **more}, pair)
        return pair

    def log_out(self) -> tuple[bool, FreshBooksError | None]:
        """End the chain, at FreshBooks and here: here also if FreshBooks does not hear of it.

        The token of the setting counts as taken from then on, or the next run would log in with it.

        Returns:
            Whether there was a chain; why FreshBooks may still accept it, if so.

        Raises:
            CredentialError: The store cannot be used.
        """
        unheard: FreshBooksError | None = None
        with self._lock, self._alone() as entry, STOP.critical_section():
            document: Mapping[str, Any] = entry.read() or {}
            chain = document if document.get("refresh_token") else self._seeded(document)
            if chain is not None:
                try:
                    self._chain.oauth.revoke(str(chain["refresh_token"]))
                except FreshBooksError as error:
                    unheard = error
            taken = fingerprint(self._seed) if self._seed else document.get("seed_sha256")
            if taken:
                entry.write({"seed_sha256": taken})
                entry.cut_log()
            else:
                entry.delete()
            self._known = {}
        return chain is not None, unheard

    def _give_back(self, pair: TokenPair) -> None:
        """End a chain that nobody is to use. If FreshBooks cannot be asked, it lives unused."""
        try:
            self._chain.oauth.revoke(pair.refresh_token)
        except FreshBooksError as error:
            logger.warning("The login that was not kept could not be revoked: %s", error)

    def _usable(self, document: Mapping[str, Any]) -> bool:
        """Whether to use this pair without asking FreshBooks."""
        return is_usable(document, self._chain.clock())

    @contextmanager
    def _store_in_reach(self) -> Iterator[None]:
        """A failure of the store as an outage.

        Raises:
            Outage: The store cannot be used now, or another holds the entry.
        """
        try:
            yield
        except LockTimeout:
            seconds = self._chain.lock_seconds
            message = f"another process has been refreshing the token for {seconds:g} s"
            raise Outage(OPERATION, message) from None
        except CredentialError as exc:
            raise Outage(OPERATION, str(exc)) from None

    def _renew(self, rejected: str | None) -> None:
        """Set `_known` to a pair that is fresh, refreshing it if nobody else has."""
        with self._store_in_reach(), self._alone() as entry:
            document: Mapping[str, Any] = entry.read() or {}
            token = document.get("access_token")
            if token and token != rejected and (rejected or self._usable(document)):
                self._known = document  # refreshed by another while we waited for the lock
            else:
                self._known = self._refresh_alone(entry, document)

    def _alone(self) -> AbstractContextManager[LockedEntry]:
        """The entry, held by nobody else; until it is ours, a stop of the run ends the waiting."""
        return self._chain.store.exclusive(
            self._chain.name, self._chain.lock_seconds, self._chain.policy.sleep
        )

    def _refresh_alone(self, entry: LockedEntry, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Under the lock: the next pair, from the chain, else from a seed not yet taken."""
        chain = document if document.get("refresh_token") else self._seeded(document)
        if chain is None:
            raise AuthError(OPERATION, f"no FreshBooks login is stored; {reconnect()}")
        stored = self._renew_once(entry, chain)
        if stored is None:
            marked = entry.read()
            in_doubt_since = marked.get("refreshing_since") if marked else None
            seeded = self._seeded(chain)
            if seeded is not None:
                logger.warning("the stored refresh token is dead; taking the one of the setting")
                stored = self._renew_once(entry, seeded)
            if stored is None:
                raise AuthError(OPERATION, _broken_chain(in_doubt_since))
        return stored

    def _seeded(self, document: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entry with the setting's token at the head of the chain; None if it was taken."""
        if self._seed is None or document.get("seed_sha256") == fingerprint(self._seed):
            return None
        known = _without_tokens(document)
        return {
            # Whose the setting's token is nobody has said yet.
            **{key: value for key, value in known.items() if key not in _IDENTITY},
            "refresh_token": self._seed,
            "seed_sha256": fingerprint(self._seed),
        }

    def _renew_once(
        self, entry: LockedEntry, document: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Like `_spend`, unless another worker of this run was told that the token is used up."""
        token = fingerprint(str(document["refresh_token"]))
        stored = None if token in self._dead else self._chain.spend(entry, document)
        if stored is None:
            self._dead.add(token)
        return stored


def is_usable(document: Mapping[str, Any], now: datetime) -> bool:
    """Whether the access token of a stored pair is good for some minutes at least."""
    if not is_token(document.get("access_token")):
        return False
    # Where clocks disagree, or tokens live for minutes, "soon" would be "always".
    if now - _time(document, "refreshed_at") < JUST_REFRESHED:
        return True
    return _time(document, "expires_at") - now > REFRESH_AHEAD


def _without_tokens(document: Mapping[str, Any]) -> dict[str, Any]:
    gone = {*_TOKEN_KEYS, "refreshing_since"}
    return {key: value for key, value in document.items() if key not in gone}


def _broken_chain(in_doubt_since: str | None) -> str:
    lost = (
        f" A refresh or login begun at {in_doubt_since} was never answered or never stored, which "
        "uses the token up."
        if in_doubt_since
        else ""
    )
    return f"FreshBooks no longer accepts our refresh token.{lost} No order is lost; {reconnect()}"


def _time(document: Mapping[str, Any], key: str) -> datetime:
    """An ISO time of the entry; long ago if there is none."""
    try:
        moment = datetime.fromisoformat(str(document.get(key)))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
