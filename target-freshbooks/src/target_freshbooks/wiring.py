"""How the parts of a run are put together, for the target and for the operator's commands alike."""

from __future__ import annotations

import random
import threading
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import metadata
from typing import TYPE_CHECKING

from connector_credentials import CredentialStore
from connector_credentials.backoff import RetryPolicy
from connector_credentials.sandbox_guard import is_local

from target_freshbooks.freshbooks import (
    AccountUnclear,
    FreshBooks,
    OAuth,
    Pacer,
    TokenSource,
    choose_account,
)
from target_freshbooks.freshbooks.wire import Wire
from target_freshbooks.ledger import Ledger, PinnedAccount, ScratchLedger
from target_freshbooks.posting.apply.brake import Brake
from target_freshbooks.posting.apply.catalogue import Catalogue
from target_freshbooks.posting.apply.circuit_breaker import CircuitBreaker
from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems
from target_freshbooks.posting.apply.outcome_lookup import OutcomeLookup
from target_freshbooks.posting.apply.retry import WriteRetry
from target_freshbooks.posting.apply.writer import Writer
from target_freshbooks.posting.dryrun.planner import Planner
from target_freshbooks.posting.observe.by_request import RequestObserver
from target_freshbooks.posting.reconciler import Reconciler
from target_freshbooks.posting.results import Interrupted
from target_freshbooks.posting.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_freshbooks.freshbooks import RequestRecord
    from target_freshbooks.ledger import AccountLock
    from target_freshbooks.settings import Settings


def version() -> str:
    """The installed version of this package."""
    return metadata.version("target-freshbooks")


def utc_now() -> datetime:
    """Aware UTC now."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Account:
    """A FreshBooks account one may read and write, with the store behind its tokens."""

    books: FreshBooks
    store: CredentialStore
    account_id: str
    business_name: str = ""

    @property
    def pinned(self) -> PinnedAccount:
        """The account as a ledger pins it."""
        return PinnedAccount(self.account_id, self.business_name)


@dataclass(slots=True)
class Run:
    """All parts of one run.

    Attributes:
        run_id: Its name.
        account: The FreshBooks account.
        ledger: The ledger.
        service: Posts orders.
        reconciler: Posts one.
        dry_run: Nothing is written.
        lacks_start_date: That is so because it is a first run, and nobody has said from which day
            on orders are to be booked.
    """

    run_id: str
    account: Account
    ledger: Ledger
    service: Service
    reconciler: Reconciler
    dry_run: bool
    lacks_start_date: bool = False

    def forget_old_bodies(self, days: int) -> None:
        """Drop what the shop said of orders that are settled for so long; hashes and links stay.

        What came in a dry run so long ago goes too.
        """
        if not self.dry_run:
            for ledger in (self.ledger, ScratchLedger(self.ledger)):
                ledger.prune(timedelta(days=days))


def open_store(settings: Settings) -> CredentialStore:
    """The encrypted credential store of the settings."""
    return CredentialStore.open(settings.credentials_url, settings.encryption_key)


def open_ledger(settings: Settings) -> Ledger:
    """The ledger of the settings, migrated."""
    return Ledger.open(settings.ledger_url, source=settings.source, clock=utc_now)


def interruptible(stop: threading.Event) -> Callable[[float], None]:
    """A sleep that ends at once, with `Interrupted`, when the run is asked to stop."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Interrupted

    return sleep


def open_account(
    settings: Settings,
    *,
    sleep: Callable[[float], None],
    rng: random.Random,
    on_request: Callable[[RequestRecord], None] | None = None,
    ledger: Ledger | None = None,
) -> Account:
    """Connect to FreshBooks and choose the account: the one of the settings, else the only one.

    Args:
        settings: The settings.
        sleep: Waits between tries.
        rng: For jitter.
        on_request: Told of each request.
        ledger: The ledger that remembers ids of the account.

    Raises:
        AuthError: A person has to log in.
        AccountUnclear: There are several accounts; the message lists them.
        AnotherAccount: The ledger belongs to another account.
    """
    store = open_store(settings)
    tokens = token_source(settings, store, sleep=sleep, rng=rng)

    def connect(account_id: str) -> FreshBooks:
        return FreshBooks(
            api_url=settings.api_url,
            account_id=account_id,
            tokens=tokens,
            user_agent=settings.user_agent,
            request_timeout=settings.request_timeout,
            max_retry_seconds=settings.max_retry_seconds,
            pacer=Pacer(clock=utc_now, sleep=sleep, random=rng),
            random=rng,
            clock=utc_now,
            sleep=sleep,
            on_request=on_request,
        )

    account_id, business_name = settings.account_id, ""
    if account_id is None:
        pinned = ledger.account() if ledger is not None else None
        identity = connect("").me()
        chosen = choose_account(identity, preferred=pinned.account_id if pinned else None)
        account_id, business_name = chosen.account_id, chosen.business_name
    if not account_id:
        raise AccountUnclear("GET users/me", "it names no account of this user; set account_id.")
    account = Account(connect(account_id), store, account_id, business_name)
    if ledger is not None:
        ledger.check_account(account.pinned)
    return account


def token_source(
    settings: Settings,
    store: CredentialStore,
    *,
    sleep: Callable[[float], None],
    rng: random.Random,
) -> TokenSource:
    """The tokens of the settings' app, kept in the store."""
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


@contextmanager
def open_run(
    settings: Settings,
    stop: threading.Event,
    *,
    on_request: Callable[[RequestRecord], None] | None = None,
    look_first: bool = False,
) -> Iterator[Run]:
    """Open everything a run needs, hold the account's lock, and end the run's row at the end.

    Args:
        settings: The settings.
        stop: Set where the run is asked to stop.
        on_request: Told of each request.
        look_first: Make it a dry run where it would be the first and has no start date.
    """
    rng = random.Random()  # noqa: S311 - jitter
    sleep = interruptible(stop)
    run_id = uuid.uuid4().hex[:12]
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings))
        account = open_account(settings, sleep=sleep, rng=rng, on_request=on_request, ledger=ledger)
        lacks_start_date = look_first and _lacks_start_date(settings, ledger)
        if lacks_start_date:
            settings = replace(settings, dry_run=True)
        lock = stack.enter_context(
            ledger.lock(
                account.account_id,
                f"run {run_id}",
                wait_seconds=settings.lease_wait_seconds,
                sleep=sleep,
            )
        )
        run = assemble(settings, account, ledger, lock, stop, run_id=run_id, rng=rng)
        run.lacks_start_date = lacks_start_date
        stack.callback(run.service.close)
        ledger.start_run(run_id, version())
        outcome = "failed"
        try:
            if not settings.dry_run:
                run.service.start()
            yield run
            outcome = "done"
        except Interrupted:
            outcome = "interrupted"
            raise
        finally:
            run.service.close()
            ledger.end_run(run_id, outcome, _counts(run.service))


def assemble(
    settings: Settings,
    account: Account,
    ledger: Ledger,
    lock: AccountLock,
    stop: threading.Event,
    *,
    run_id: str,
    rng: random.Random,
) -> Run:
    """Put a run's parts together over open connections."""
    if settings.dry_run:
        ledger = ScratchLedger.begin(ledger)
    sleep = interruptible(stop)
    books = account.books
    books.check_before_writes(lock.check)
    lookup = OutcomeLookup(
        books, ledger, clock=utc_now, sleep=sleep, settle_seconds=settings.settle_seconds
    )
    breaker = CircuitBreaker(books)
    retry = WriteRetry(
        lookup, breaker, random=rng, sleep=sleep, max_retry_seconds=settings.max_retry_seconds
    )
    writer = Writer(
        books,
        ledger,
        lock,
        run_id,
        utc_now,
        retry.answered,
        once(lambda: ledger.pin_account(account.pinned)),
    )
    parties = ClientsAndItems(
        books,
        ledger,
        writer,
        retry.settle,
        retry.look,
        follow_emails=settings.client_email_changes == "follow",
        sleep=sleep,
    )
    reconciler = Reconciler(
        books=books,
        observer=RequestObserver(books),
        ledger=ledger,
        writer=writer,
        parties=parties,
        policy=settings.policy,
        settle_unknown=retry.settle,
        stop=stop,
        brake=Brake(settings.max_rewritten_invoices),
    )
    service = Service(
        books=books,
        ledger=ledger,
        reconciler=reconciler,
        catalogue=Catalogue(
            ledger,
            parties,
            all_clients=settings.client_sync == "all",
            all_items=settings.item_sync == "all",
        ),
        breaker=breaker,
        lookup=lookup,
        policy=settings.policy,
        run_id=run_id,
        stop=stop,
        max_parallel_orders=settings.max_parallel_orders,
        planner=Planner(books, ledger, settings.policy, stop) if settings.dry_run else None,
    )
    return Run(run_id, account, ledger, service, reconciler, settings.dry_run)


def _lacks_start_date(settings: Settings, ledger: Ledger) -> bool:
    """Whether a real run would book a real store's whole history without being told to."""
    return (
        not settings.dry_run
        and settings.policy.invoice_start_date is None
        and not is_local(settings.api_url)
        and not ledger.has_posted()
    )


def once(work: Callable[[], None]) -> Callable[[], None]:
    """The work, done at the first call only; several threads may call."""
    guard, done = threading.Lock(), False

    def call() -> None:
        nonlocal done
        with guard:
            if not done:
                work()
                done = True

    return call


def _counts(service: Service) -> dict[str, int]:
    tally = service.tally
    return {
        "received": tally.received,
        "posted": tally.posted,
        "unchanged": tally.unchanged,
        "waiting": tally.waiting,
        "parked": len(tally.parked),
        "writes": service.writes,
    }
