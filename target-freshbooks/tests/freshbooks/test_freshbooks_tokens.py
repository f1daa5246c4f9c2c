"""One refresh at a time, the latest pair, on disk before use; and what is said when it breaks."""

from __future__ import annotations

import random
import sqlite3
import threading
import traceback
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import (
    CredentialError,
    CredentialStore,
    LockedEntry,
    LockTimeout,
)
from connector_credentials.backoff import RetryPolicy
from connector_sandbox.testing import new_database, tell_postgresql
from cryptography.fernet import Fernet
from sqlalchemy import event
from sqlalchemy.engine import make_url
from target_freshbooks.freshbooks import AuthError, OAuth, Outage, TokenSource, UnknownOutcome
from target_freshbooks.freshbooks.oauth import GrantRefused
from target_freshbooks.freshbooks.tokens import fingerprint
from target_freshbooks.freshbooks.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "freshbooks:app"
VERIFIER = "v" * 43
INVALID = {"error": "invalid_grant", "error_description": "expired, revoked, or used"}


@dataclass
class Rotating:
    """FreshBooks' token endpoint: each refresh token works once."""

    reply: Callable[..., Any]
    clock: Any
    alive: str = "seed-0"
    codes: list[str] = field(default_factory=lambda: ["code-0"])
    count: int = 0
    refused: int = 0
    spoil_after: list[str] = field(default_factory=list)
    before: list[Any] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None

    def __call__(self, asked: Any) -> Any:
        if self.before:
            return self.before.pop(0)
        if asked.form.get("client_secret") != "app-secret":
            return self.reply({"error": "invalid_client"}, status=401)
        if asked.form.get("code") in self.codes:
            self.codes.remove(asked.form["code"])
        elif asked.form.get("refresh_token") != self.alive:
            self.refused += 1
            return self.reply(INVALID, status=400)
        self.count += 1
        self.alive = f"refresh-{self.count}"
        if self.meanwhile:
            self.meanwhile()
        document = {
            "access_token": f"access-{self.count}",
            "refresh_token": self.alive,
            "expires_in": 43200,
            "created_at": int(self.clock().timestamp()),
            "scope": "user:profile:read",
        }
        if self.spoil_after:
            return self.reply(document, spoil=self.spoil_after.pop(0))
        return self.reply(document)


@pytest.fixture(autouse=True)
def endpoint(server: Any, reply: Any, clock: Any) -> Rotating:
    server.answer = Rotating(reply, clock)
    return server.answer


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return CredentialStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}", None)


class Outpost:
    """A store in PostgreSQL, and the administrator who can shut everybody out of it."""

    def __init__(self, server: str) -> None:
        self.server = server
        url = new_database(server)
        self.name = make_url(url).database
        self.store = CredentialStore.open(url, Fernet.generate_key().decode())

    def tell(self, command: str, *values: str) -> None:
        tell_postgresql(self.server, command, *values)

    def end_sessions(self) -> None:
        """End all sessions of the store; they have gone when this returns."""
        self.tell(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            self.name,
        )

    def restart(self) -> None:
        """All sessions end, and no new one is let in until `let_in`."""
        self.tell(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self.end_sessions()

    def let_in(self) -> None:
        self.tell(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")


@pytest.fixture
def outpost(postgresql_server: str) -> Outpost:
    return Outpost(postgresql_server)


@pytest.fixture
def source(
    server: Any, clock: Any, store: CredentialStore, seed: int
) -> Callable[..., TokenSource]:
    def _source(
        refresh_token: str | None = "seed-0",  # noqa: S107 - a made-up seed
        secret: str = "app-secret",  # noqa: S107 - as above
        kept_in: CredentialStore = store,
        sleep: Callable[[float], None] = clock.sleep,
        pause: Callable[[float], None] = clock.sleep,
        budget: float = 30,
    ) -> TokenSource:
        oauth = OAuth(
            client_id="app",
            client_secret=secret,
            redirect_uri="https://localhost/callback",
            auth_url=server.url,
            wire=Wire(server.url, user_agent="test", timeout=1),
            clock=clock,
        )
        policy = RetryPolicy(budget, random.Random(seed), sleep)  # noqa: S311 - jitter
        return TokenSource(
            store=kept_in,
            oauth=oauth,
            clock=clock,
            policy=policy,
            seed=refresh_token,
            pause=pause,
        )

    return _source


def test_the_seed_starts_the_chain_and_is_not_used_again(
    endpoint: Rotating, source: Any, store: CredentialStore, clock: Any
) -> None:
    assert source().access_token() == "access-1"
    clock.sleep(13 * 3600)
    assert source().access_token() == "access-2"  # by refresh-1, not by the seed
    assert (endpoint.count, endpoint.refused) == (2, 0)
    document = store.read(NAME)
    assert document is not None
    assert document["refresh_token"] == "refresh-2"
    assert document["seed_sha256"] == fingerprint("seed-0")
    assert "refreshing_since" not in document


def test_the_request_has_what_freshbooks_wants(source: Any, server: Any) -> None:
    source().access_token()
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/auth/oauth/token")
    assert asked.form == {
        "grant_type": "refresh_token",
        "client_id": "app",
        "client_secret": "app-secret",
        "refresh_token": "seed-0",
        "redirect_uri": "https://localhost/callback",
    }
    assert "Authorization" not in asked.headers


def test_a_token_is_refreshed_minutes_before_it_ends(
    endpoint: Rotating, source: Any, clock: Any
) -> None:
    tokens = source()
    assert tokens.access_token() == "access-1"
    clock.sleep(43200 - 400)
    assert tokens.access_token() == "access-1"
    clock.sleep(101)
    assert tokens.access_token() == "access-2"
    assert endpoint.count == 2


def test_a_login_by_another_process_is_used_instead_of_a_refresh(
    endpoint: Rotating, source: Any
) -> None:
    one, other = source(), source()
    assert (one.access_token(), other.access_token()) == ("access-1", "access-1")
    assert one.refresh("access-1") == "access-2"
    assert other.refresh("access-1") == "access-2"
    assert endpoint.count == 2
    # A late 401 for a token that has been replaced since is no reason to refresh either.
    assert one.refresh("access-1") == "access-2"
    assert endpoint.count == 2


def test_an_access_token_that_no_header_takes_is_refreshed(
    source: Any, store: CredentialStore, clock: Any
) -> None:
    end = (clock() + timedelta(hours=12)).isoformat()
    tokens = {"access_token": "a\u20ac", "refresh_token": "seed-0", "expires_at": end}
    store.write(NAME, tokens)
    assert source().access_token() == "access-1"


def test_eight_threads_refresh_once(endpoint: Rotating, source: Any) -> None:
    tokens = source()
    first = tokens.access_token()
    got: list[str] = []
    threads = [
        threading.Thread(target=lambda: got.append(tokens.refresh(first)), daemon=True)
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["access-2"] * 8
    assert endpoint.count == 2


def test_the_new_pair_is_on_disk_before_it_is_used(
    endpoint: Rotating, source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = source()
    written: list[str] = []
    write = LockedEntry.write

    def failing(self: LockedEntry, document: Any) -> None:
        if document.get("access_token") == "access-1":
            raise CredentialError("the disk is full")
        written.append(document["refresh_token"])
        write(self, document)

    monkeypatch.setattr(LockedEntry, "write", failing)
    with pytest.raises(AuthError, match=r"cannot be stored \(the disk is full\); reconnect"):
        tokens.access_token()
    assert endpoint.count == 1
    assert tokens._known == {}


def test_a_full_disk_is_tried_for_five_minutes_in_growing_pauses(
    source: Any, clock: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = LockedEntry.write

    def failing(self: LockedEntry, document: Any) -> None:
        if document.get("access_token"):
            raise CredentialError("the disk is full")
        write(self, document)

    monkeypatch.setattr(LockedEntry, "write", failing)
    with pytest.raises(AuthError, match=r"stored \(the disk is full\); reconnect"):
        source().access_token()
    assert sum(clock.slept) == pytest.approx(300)
    assert all(0 <= wait <= min(30, 0.5 * 2**n) for n, wait in enumerate(clock.slept))
    assert len(set(clock.slept)) == len(clock.slept)
    assert len(caplog.messages) == len(clock.slept)
    assert all("new tokens" in said and "the disk is full" in said for said in caplog.messages)


def test_a_pair_is_kept_until_a_busy_sqlite_takes_it_though_the_run_is_to_stop(
    endpoint: Rotating,
    source: Any,
    store: CredentialStore,
    clock: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    event.listen(store._engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 0"))
    writer = sqlite3.connect(
        tmp_path / "store.sqlite", isolation_level=None, check_same_thread=False
    )
    endpoint.meanwhile = lambda: writer.execute("BEGIN IMMEDIATE")  # a VACUUM, a backup

    def pause(seconds: float) -> None:
        clock.sleep(seconds)
        if sum(clock.slept) > 120:  # four times what the refresh may take
            writer.execute("ROLLBACK")

    def stopped(_: float) -> None:
        raise AssertionError("the run's own sleep ends with the run")

    assert source(sleep=stopped, pause=pause).access_token() == "access-1"
    writer.close()
    endpoint.meanwhile = None
    assert (store.read(NAME) or {})["refresh_token"] == "refresh-1"
    assert source().refresh("access-1") == "access-2"
    assert (endpoint.count, endpoint.refused) == (2, 0)
    assert "database is locked" in caplog.text
    for secret in ("seed-0", "refresh-1", "access-1"):
        assert secret not in caplog.text


def test_a_pair_is_kept_until_a_restarted_postgresql_takes_it(
    endpoint: Rotating,
    source: Any,
    outpost: Outpost,
    clock: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint.meanwhile = outpost.restart

    def pause(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.slept) == 3:
            outpost.let_in()

    assert source(kept_in=outpost.store, pause=pause).access_token() == "access-1"
    endpoint.meanwhile = None
    assert len(clock.slept) == 3
    assert "not currently accepting connections" in caplog.text
    assert "refresh-1" not in caplog.text
    assert source(kept_in=outpost.store).refresh("access-1") == "access-2"
    assert (endpoint.count, endpoint.refused) == (2, 0)
    assert "refreshing_since" not in (outpost.store.read(NAME) or {})


def test_a_lost_postgresql_session_gives_way_to_a_login_made_meanwhile(
    endpoint: Rotating, source: Any, outpost: Outpost
) -> None:
    source(kept_in=outpost.store).access_token()

    def log_in() -> None:
        outpost.end_sessions()
        document = {**(outpost.store.read(NAME) or {}), "access_token": "access-9"}
        document["refreshed_at"] = document["expires_at"] = "2030-01-01T00:00:00+00:00"
        outpost.store.write(NAME, {**document, "refresh_token": "refresh-9"})

    endpoint.meanwhile = log_in
    assert source(kept_in=outpost.store).refresh("access-1") == "access-9"
    assert (outpost.store.read(NAME) or {})["refresh_token"] == "refresh-9"


def test_a_lost_postgresql_session_does_not_give_way_to_one_who_found_the_old_token_used_up(
    endpoint: Rotating, source: Any, outpost: Outpost
) -> None:
    source(kept_in=outpost.store).access_token()

    def refresh_elsewhere() -> None:
        outpost.end_sessions()
        document = outpost.store.read(NAME) or {}
        assert document["refresh_token"] == "refresh-1"
        outpost.store.write(NAME, {**document, "refreshing_since": "2026-11-20T12:01:00+00:00"})

    endpoint.meanwhile = refresh_elsewhere
    assert source(kept_in=outpost.store).refresh("access-1") == "access-2"
    document = outpost.store.read(NAME) or {}
    assert document["refresh_token"] == "refresh-2"
    assert "refreshing_since" not in document


def test_a_lost_postgresql_session_waits_for_the_next_holder_of_the_lock(
    endpoint: Rotating, source: Any, outpost: Outpost, clock: Any
) -> None:
    source(kept_in=outpost.store).access_token()
    holding = outpost.store.exclusive(NAME, 5)

    def take_over() -> None:
        outpost.end_sessions()
        # It takes another seed, which FreshBooks has not answered yet.
        holding.__enter__().write({"refresh_token": "seed-1"})

    def pause(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.slept) == 2:
            holding.__exit__(None, None, None)

    endpoint.meanwhile = take_over
    tokens = source(kept_in=outpost.store, pause=pause)
    tokens._chain = replace(tokens._chain, lock_seconds=0.1)
    assert tokens.refresh("access-1") == "access-2"
    assert len(clock.slept) == 2
    assert (outpost.store.read(NAME) or {})["refresh_token"] == "refresh-2"


def test_a_login_is_stored_whatever_came_while_its_postgresql_session_was_lost(
    endpoint: Rotating, source: Any, outpost: Outpost
) -> None:
    source(kept_in=outpost.store).access_token()

    def refresh_elsewhere() -> None:
        outpost.end_sessions()
        document = outpost.store.read(NAME) or {}
        outpost.store.write(NAME, {**document, "access_token": "a", "refresh_token": "r"})

    endpoint.meanwhile = refresh_elsewhere
    source(kept_in=outpost.store).log_in("code-0", VERIFIER)
    document = outpost.store.read(NAME) or {}
    assert document["refresh_token"] == "refresh-2"
    assert "refreshing_since" not in document


def test_a_store_that_cannot_be_written_spends_no_token(
    endpoint: Rotating, source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any) -> None:
        raise CredentialError("the disk is full")

    monkeypatch.setattr(LockedEntry, "write", failing)
    with pytest.raises(Outage, match="the disk is full"):
        source().access_token()
    assert endpoint.count == 0


def test_a_lost_answer_says_reconnect_and_that_no_order_is_lost(
    endpoint: Rotating, source: Any
) -> None:
    tokens = source()
    tokens.access_token()
    endpoint.spoil_after = ["reset"]
    with pytest.raises(AuthError, match="reconnect: target-freshbooks-ctl login") as caught:
        tokens.refresh("access-1")
    assert "never answered" in str(caught.value)
    assert "No order is lost" in str(caught.value)
    # Later runs say the same, as long as nobody logs in.
    with pytest.raises(AuthError, match="never answered"):
        source().refresh("access-1")


def test_a_request_lost_before_it_was_handled_costs_nothing(
    endpoint: Rotating, source: Any, reply: Any
) -> None:
    endpoint.before = [
        reply(spoil="reset"),
        reply(status=502, body=b"<html>"),
        reply(status=429, body=b"", headers={"Retry-After": "2"}),
        reply(status=503, body=b""),
    ]
    assert source().access_token() == "access-1"
    assert endpoint.refused == 0


def test_a_kill_after_the_answer_was_lost_is_told_by_the_next_process(
    endpoint: Rotating, source: Any, store: CredentialStore
) -> None:
    source().access_token()
    document = store.read(NAME)
    # What a process that was killed in the middle of a refresh leaves behind.
    store.write(NAME, {**document, "refreshing_since": "2026-11-20T11:59:00+00:00"})
    endpoint.alive = "refresh-that-nobody-stored"
    with pytest.raises(AuthError, match="begun at 2026-11-20T11:59:00"):
        source().refresh("access-1")


def test_a_kill_before_the_request_was_sent_costs_nothing(
    source: Any, store: CredentialStore
) -> None:
    store.write(
        NAME,
        {
            "refresh_token": "seed-0",
            "seed_sha256": fingerprint("seed-0"),
            "refreshing_since": "2026-11-20T11:59:00+00:00",
        },
    )
    assert source().access_token() == "access-1"


def test_a_dead_chain_without_doubt_does_not_claim_a_lost_answer(
    endpoint: Rotating, source: Any
) -> None:
    source().access_token()
    endpoint.alive = "of somebody who logged in elsewhere"
    for _ in range(2):
        with pytest.raises(AuthError, match="reconnect") as caught:
            source().refresh("access-1")
        assert "never answered" not in str(caught.value)


def test_a_token_that_freshbooks_refused_is_not_offered_again(
    endpoint: Rotating, source: Any
) -> None:
    source().access_token()
    endpoint.alive = "of somebody who logged in elsewhere"
    workers_own = source()
    for _ in range(3):
        with pytest.raises(AuthError, match="reconnect"):
            workers_own.refresh("access-1")
    assert endpoint.refused == 1


def test_a_new_seed_is_taken_when_the_chain_is_dead(
    endpoint: Rotating, source: Any, store: CredentialStore
) -> None:
    source().access_token()
    with store.exclusive(NAME, timeout=5) as entry:
        entry.write({**(entry.read() or {}), "user_id": 1, "account_id": "A", "business": "B"})
    endpoint.alive = "seed-1"
    assert source("seed-1").refresh("access-1") == "access-2"
    document = store.read(NAME)
    assert document is not None
    assert document["seed_sha256"] == fingerprint("seed-1")
    assert not {"user_id", "account_id", "business"} & document.keys()  # whose it is, nobody said


def test_a_new_seed_is_left_alone_while_the_chain_lives(endpoint: Rotating, source: Any) -> None:
    source().access_token()
    assert source("seed-1").refresh("access-1") == "access-2"
    assert endpoint.refused == 0


def test_a_used_seed_is_never_sent_twice(endpoint: Rotating, source: Any) -> None:
    endpoint.alive = "another"
    with pytest.raises(AuthError):
        source("seed-0").access_token()
    assert endpoint.refused == 1
    with pytest.raises(AuthError):
        source("seed-0").access_token()
    # The second time it is the chain's own head that is asked for, not the seed once more.
    assert endpoint.refused == 2


def test_without_login_and_seed_it_says_log_in(source: Any) -> None:
    with pytest.raises(AuthError, match="no FreshBooks login is stored; reconnect"):
        source(None).access_token()


def test_a_wrong_client_secret_is_said_so_and_leaves_the_chain(source: Any) -> None:
    with pytest.raises(AuthError, match="client_id with this client_secret"):
        source(secret="wrong").access_token()
    assert source().access_token() == "access-1"


def test_an_outage_of_the_token_endpoint_keeps_the_chain(
    endpoint: Rotating, source: Any, reply: Any
) -> None:
    endpoint.before = [reply(status=503, body=b"")] * 1000
    with pytest.raises(Outage, match="HTTP 503"):
        source().access_token()
    endpoint.before = []
    assert source().access_token() == "access-1"


def test_a_login_replaces_the_chain_and_outdates_the_seed(
    source: Any, store: CredentialStore, clock: Any
) -> None:
    tokens = source()
    tokens.access_token()
    assert (
        tokens.log_in("code-0", VERIFIER, lambda _: {"account_id": "ACM123"}).refresh_token
        == "refresh-2"
    )
    assert source("seed-9").access_token() == "access-2"
    document = store.read(NAME)
    assert document is not None
    assert document["account_id"] == "ACM123"
    clock.sleep(13 * 3600)
    assert tokens.access_token() == "access-3"
    assert (store.read(NAME) or {})["account_id"] == "ACM123"  # a refresh keeps what else is there


@pytest.mark.parametrize("before", [False, True], ids=["first", "again"])
def test_a_login_that_cannot_be_stored_spends_no_code(
    endpoint: Rotating,
    source: Any,
    store: CredentialStore,
    server: Any,
    monkeypatch: pytest.MonkeyPatch,
    before: bool,
) -> None:
    if before:
        source().access_token()
    asked = len(server.asked)
    tokens = source()
    tokens._chain = replace(tokens._chain, lock_seconds=0.1)
    with store.exclusive(NAME, 1), pytest.raises(LockTimeout):
        tokens.log_in("code-0", VERIFIER)
    with monkeypatch.context() as patch:

        def failing(*_: Any) -> None:
            raise CredentialError("the disk is full")

        patch.setattr(LockedEntry, "write", failing)
        with pytest.raises(CredentialError, match="the disk is full"):
            tokens.log_in("code-0", VERIFIER)
    assert (len(server.asked), endpoint.codes) == (asked, ["code-0"])
    assert source().log_in("code-0", VERIFIER).access_token == f"access-{1 + before}"


def test_a_refused_code_leaves_the_chain_as_it_was(
    endpoint: Rotating, source: Any, store: CredentialStore
) -> None:
    source().access_token()
    before = store.read(NAME)
    with pytest.raises(GrantRefused):
        source().log_in("a code of yesterday", VERIFIER)
    assert store.read(NAME) == before
    assert source().refresh("access-1") == "access-2"
    assert endpoint.refused == 1


def test_a_login_whose_answer_is_lost_is_told_by_who_finds_the_chain_broken(
    endpoint: Rotating, source: Any
) -> None:
    source().access_token()
    endpoint.spoil_after = ["reset"]
    with pytest.raises(UnknownOutcome):
        source().log_in("code-0", VERIFIER)
    with pytest.raises(AuthError, match="never answered"):
        source().refresh("access-1")


def test_a_stop_of_the_run_ends_the_wait_for_another_who_holds_the_entry(
    source: Any, store: CredentialStore, server: Any
) -> None:
    def stopped(_: float) -> None:
        raise InterruptedError

    tokens = source(sleep=stopped)
    tokens._lock_seconds = 0.5
    with store.exclusive(NAME, 1), pytest.raises(InterruptedError):
        tokens.access_token()
    assert server.asked == []


def test_the_time_that_tries_take_counts_as_time_of_trying_again(
    source: Any, server: Any, reply: Any
) -> None:
    server.answer = None
    server.script(reply(spoil="hang"))
    tokens = source(budget=2)  # and each try waits for a second
    with pytest.raises(Outage, match="no whole answer"):
        tokens.access_token()
    assert len(server.asked) <= 2


def test_clocks_that_disagree_do_not_refresh_for_ever(
    endpoint: Rotating, source: Any, clock: Any
) -> None:
    endpoint.clock = lambda: clock() - timedelta(days=30)
    tokens = source()
    for _ in range(5):
        assert tokens.access_token() == "access-1"


def test_no_token_shows_in_messages_logs_or_reprs(
    endpoint: Rotating, source: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        tokens = source()
        tokens.access_token()
        endpoint.spoil_after = ["truncate"]
        with pytest.raises(AuthError) as caught:
            tokens.refresh("access-1")
        pair = None
        endpoint.alive = "refresh-9"
        pair = tokens._chain.oauth.refresh("refresh-9")
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(pair)
    for secret in ("seed-0", "refresh-1", "refresh-2", "app-secret", "access-2", "refresh-3"):
        assert secret not in shown
