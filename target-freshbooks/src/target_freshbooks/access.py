"""Access: how FreshBooks is reached, with the login and for the account of the settings."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from connector_credentials import CredentialStore
from connector_credentials.backoff import RetryPolicy

from target_freshbooks.freshbooks import (
    AccountUnclear,
    FreshBooks,
    OAuth,
    Pacer,
    RequestRecord,
    Tokens,
    TokenSource,
    Wire,
    choose_account,
)
from target_freshbooks.ledger import Ledger, PinnedAccount, utc_now
from target_freshbooks.settings import Settings


@dataclass(frozen=True, slots=True)
class Account:
    """A FreshBooks account that may be read and written, and what a ledger pins of it."""

    books: FreshBooks
    pinned: PinnedAccount


def open_store(settings: Settings) -> CredentialStore:
    """The encrypted credential store of the settings."""
    return CredentialStore.open(settings.credentials_url, settings.encryption_key)


def open_account(
    settings: Settings,
    *,
    sleep: Callable[[float], None] = time.sleep,
    on_request: Callable[[RequestRecord], None] | None = None,
    ledger: Ledger,
) -> Account:
    """Connect to FreshBooks and choose the account: the one of the settings, else the only one.

    Args:
        settings: The settings.
        sleep: Waits between tries.
        on_request: Told of each request.
        ledger: The ledger that remembers ids of the account.

    Raises:
        AuthError: A person has to log in.
        AccountUnclear: There are several accounts; the message lists them.
        AnotherAccount: The ledger belongs to another account.
    """
    tokens = token_source(settings, open_store(settings), sleep=sleep)
    account = PinnedAccount(settings.account_id or "", "")
    if settings.account_id is None:
        known = ledger.ownership.account()
        identity = connect(settings, tokens, sleep=sleep, on_request=on_request).me()
        chosen = choose_account(identity, preferred=known.account_id if known else None)
        account = PinnedAccount(chosen.account_id or "", chosen.business_name)
    if not account.account_id:
        raise AccountUnclear("GET users/me", "it names no account of this user; set account_id.")
    ledger.ownership.check_account(account)
    books = connect(settings, tokens, account.account_id, sleep=sleep, on_request=on_request)
    return Account(books, account)


def connect(
    settings: Settings,
    tokens: Tokens,
    account_id: str = "",
    *,
    most_seconds: float = math.inf,
    sleep: Callable[[float], None] = time.sleep,
    on_request: Callable[[RequestRecord], None] | None = None,
) -> FreshBooks:
    """FreshBooks; without an account it is enough to ask who we are.

    Args:
        settings: The settings.
        tokens: Whose words count.
        account_id: The account.
        most_seconds: How long to try, if that is shorter than `max_retry_seconds`.
        sleep: Waits between tries.
        on_request: Told of each request.
    """
    rng = random.Random()  # noqa: S311 - jitter
    return FreshBooks(
        api_url=settings.api_url,
        account_id=account_id,
        tokens=tokens,
        user_agent=settings.user_agent,
        request_timeout=settings.request_timeout,
        max_retry_seconds=min(settings.max_retry_seconds, most_seconds),
        pacer=Pacer(clock=utc_now, sleep=sleep, random=rng),
        random=rng,
        clock=utc_now,
        sleep=sleep,
        on_request=on_request,
    )


def token_source(
    settings: Settings, store: CredentialStore, *, sleep: Callable[[float], None] = time.sleep
) -> TokenSource:
    """The tokens of the settings' app, kept in the store."""
    rng = random.Random()  # noqa: S311 - jitter
    return TokenSource(
        store=store,
        oauth=open_oauth(settings),
        clock=utc_now,
        policy=RetryPolicy(settings.max_retry_seconds, rng, sleep),
        seed=settings.refresh_token,
    )


def open_oauth(settings: Settings) -> OAuth:
    """The token endpoints of the settings' app."""
    return OAuth(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        redirect_uri=settings.redirect_uri,
        auth_url=settings.auth_url,
        wire=Wire(
            settings.api_url, user_agent=settings.user_agent, timeout=settings.request_timeout
        ),
        clock=utc_now,
    )
