"""How the parts of a run are put together, for the target and for the operator's commands alike."""

import random
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import metadata

from connector_credentials.addresses import is_local
from connector_credentials.settings import SettingError

from target_freshbooks.access import Account, open_account
from target_freshbooks.books.eligibility import BEFORE_START_DATE
from target_freshbooks.ledger import AccountLock, Ledger, ScratchLedger, utc_now
from target_freshbooks.ledger.runs import DRY_RUN
from target_freshbooks.posting.account_profile import AccountProfile
from target_freshbooks.posting.apply.brake import Brake
from target_freshbooks.posting.apply.circuit_breaker import CircuitBreaker
from target_freshbooks.posting.apply.clients_and_items import ClientsAndItems
from target_freshbooks.posting.apply.lock_hearing import LockHearing
from target_freshbooks.posting.apply.outcome_lookup import OutcomeLookup, WriteRetry
from target_freshbooks.posting.apply.parts import Parts
from target_freshbooks.posting.apply.writer import Writer
from target_freshbooks.posting.dryrun.outlook import Outlook
from target_freshbooks.posting.dryrun.simulator import Planner
from target_freshbooks.posting.facts import fence_of
from target_freshbooks.posting.observe.by_mark import MarkedInvoices
from target_freshbooks.posting.observe.in_bulk import BulkObserver
from target_freshbooks.posting.order_work import OrderWork
from target_freshbooks.posting.outcomes import Outcomes
from target_freshbooks.posting.reconciler import Reconciler
from target_freshbooks.posting.results import Interrupted
from target_freshbooks.posting.service import ORDER_BATCH, Service
from target_freshbooks.run import RequestCounter, Run
from target_freshbooks.settings import Settings


def version() -> str:
    """The installed version of this package."""
    return metadata.version("target-freshbooks")


def open_ledger(settings: Settings) -> Ledger:
    """The ledger of the settings, migrated."""
    return Ledger.open(settings.ledger_url, source=settings.source)


def interruptible(stop: threading.Event) -> Callable[[float], None]:
    """A sleep that ends at once, with `Interrupted`, when the run is asked to stop."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Interrupted

    return sleep


@contextmanager
def open_run(
    settings: Settings,
    stop: threading.Event,
    *,
    look_first: bool = False,
) -> Iterator[Run]:
    """Open everything a run needs, hold the account's lock, and end the run's row at the end.

    Args:
        settings: The settings.
        stop: Set if the run is asked to stop.
        look_first: Make it a dry run if it lacks a start date.

    Raises:
        SettingError: It lacks one, and cannot look first.
    """
    sleep = interruptible(stop)
    run_id = uuid.uuid4().hex[:12]
    with ExitStack() as stack:
        ledger = stack.enter_context(open_ledger(settings))
        requests = RequestCounter()
        account = open_account(settings, sleep=sleep, on_request=requests, ledger=ledger)
        lacks_start_date = _lacks_start_date(settings, ledger)
        if lacks_start_date and not look_first:
            raise SettingError(without_start_date(lacks_start_date))
        if lacks_start_date:
            settings = replace(settings, dry_run=True)
        lock = stack.enter_context(
            ledger.locks.hold(
                account.pinned.account_id,
                f"run {run_id}",
                wait_seconds=settings.lease_wait_seconds,
                sleep=sleep,
            )
        )
        run = assemble(settings, account, ledger, lock, stop, run_id=run_id)
        run.lacks_start_date = lacks_start_date
        run.requests = requests.by_status
        stack.callback(run.work.workers.close)
        ledger.runs.start(run_id, version())
        outcome = "failed"
        try:
            if not settings.dry_run:
                run.work.start()
            yield run
            outcome = "done"
        except Interrupted:
            outcome = "interrupted"
            raise
        finally:
            run.work.workers.close()
            outcome = DRY_RUN if settings.dry_run else outcome
            heard, figures = run.service.heard, run.figures()
            ledger.runs.end(run_id, outcome, run.counts(), heard=heard, figures=figures)
            run.head = ledger.audit.head()


def assemble(
    settings: Settings,
    account: Account,
    ledger: Ledger,
    lock: AccountLock,
    stop: threading.Event,
    *,
    run_id: str,
) -> Run:
    """Put a run's parts together over open connections."""
    if settings.dry_run:
        ledger = ScratchLedger.begin(ledger)
    sleep = interruptible(stop)
    books = account.books
    books.check_before_writes(lock.check)
    settle_seconds = ledger.profile.settle_seconds(settings.settle_seconds)
    lookup = OutcomeLookup(
        books,
        ledger,
        run_id,
        clock=utc_now,
        sleep=sleep,
        settle_seconds=settle_seconds,
    )
    breaker = CircuitBreaker(books)
    retry = WriteRetry(
        lookup,
        breaker,
        random=random.Random(),  # noqa: S311 - jitter
        sleep=sleep,
        max_retry_seconds=settings.max_retry_seconds,
    )
    writer = Writer(
        books,
        ledger,
        lock,
        run_id,
        fence_of(ledger, settings.policy),
        retry.answered,
        once(lambda: ledger.ownership.pin_account(account.pinned)),
    )
    parties = ClientsAndItems(
        books,
        ledger,
        writer,
        retry.settle,
        lookup.resolve,
        sleep,
        settle_seconds=settle_seconds,
        follow_emails=settings.client_email_changes == "follow",
        reminders=settings.on_account_reminders,
        all_clients=settings.client_sync == "all" and settings.policy.client_mode == "customer",
        all_items=settings.item_sync == "all",
        vat_field=settings.policy.vat_number_field,
    )
    profile = AccountProfile(books, ledger)
    observer = BulkObserver(books, MarkedInvoices(books, ledger), profile)
    parts = Parts(
        books,
        observer,
        ledger,
        writer,
        parties,
        retry.settle,
        stop,
        Brake(settings.max_rewritten_invoices),
        profile,
        settle_seconds,
    )
    outlook = Outlook(settings.policy, bool(settings.plan_file)) if settings.dry_run else None
    outcomes = Outcomes(ledger, settings.policy, run_id, outlook)
    work = OrderWork(
        ledger=ledger,
        reconciler=Reconciler(parts, settings.policy),
        parties=parties,
        breaker=breaker,
        lookup=lookup,
        outcomes=outcomes,
        hearing=LockHearing(parts),
        stop=stop,
        max_parallel_orders=settings.max_parallel_orders,
        observer=observer,
        invoice_number_prefix=settings.policy.invoice_number_prefix,
        planner=Planner(books, ledger, settings.policy, stop) if settings.dry_run else None,
    )
    # Lists show many new orders at once: where they are believed, and where nothing is known yet.
    in_bulk = profile.refuses_taken_numbers or not ledger.has_posted()
    batch = ORDER_BATCH if in_bulk and not settings.dry_run else 1
    service = Service(
        ledger, work, outcomes, settings.policy, dry_run=settings.dry_run, order_batch=batch
    )
    return Run(run_id, account, ledger, service, work, outcomes, breaker, settings.dry_run)


def may_look_first(settings: Settings) -> bool:
    """Whether a run may turn out to lack a start date, once its ledger is open."""
    return settings.policy.invoice_start_date is None and not is_local(settings.api_url)


def _lacks_start_date(settings: Settings, ledger: Ledger) -> str:
    """Why a real run might book orders that a real shop's books have already; empty: it cannot."""
    if settings.dry_run or not may_look_first(settings):
        return ""
    if not ledger.has_posted():
        return (
            f"This is the first run of source {settings.source!r} at {settings.api_url}, and"
            " invoice_start_date is not set"
        )
    if ledger.orders.any_waiting(BEFORE_START_DATE):
        return (
            f"Orders of source {settings.source!r} were left out by its invoice_start_date, which"
            " is not set now"
        )
    return ""


def without_start_date(why: str) -> str:
    """What is said of a run that lacks a start date."""
    return (
        f"{why}, so nothing was written. Set invoice_start_date to the first day whose orders are"
        " to be booked (orders before it stay out of the books) and run again."
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
