"""`probe`: finds out what the FreshBooks account at hand does where its makers do not say."""

import random
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click
from connector_credentials.commands import ctl
from connector_credentials.output import say_aside
from connector_credentials.stop import STOP

from target_freshbooks.access import open_account
from target_freshbooks.ctl.context import Context, command
from target_freshbooks.freshbooks import FreshBooks, FreshBooksError
from target_freshbooks.ledger import AccountLock, Ledger, PinnedAccount, utc_now
from target_freshbooks.posting.results import Interrupted
from target_freshbooks.probe import run
from target_freshbooks.probe.bench import MOST_NUMBERS, Bench, Requests, new_tag
from target_freshbooks.probe.cleaning import Cleaned, Cleaning
from target_freshbooks.probe.finding import Depth
from target_freshbooks.settings import Settings
from target_freshbooks.wiring import interruptible, open_ledger

PATIENCE = 60.0
"""Seconds that a fresh record is waited for in searches."""

LEAVES = {
    Depth.PLAIN: """\
It makes one client, one item and one Draft, which is never sent and never paid, and deletes them at
the end. Where FreshBooks allows the same e-mail, name, SKU or number twice, there is a second one
for a moment.
It leaves behind: the number {tag}, which stays used, and from which FreshBooks may count on for the
next invoice made by hand; deleted records; and what hooks and logs of the account say of them.""",
    Depth.FULL: """\
It makes the records of a plain probe, and invoices that are marked as sent and paid, with payments
and credit notes, and deletes all of them at the end.
It leaves behind: the number {tag} and some of the {more} after it, which stay used, and from which
FreshBooks may count on; deleted records; what hooks and logs of the account say of them; and a
credit of the deleted client, if FreshBooks does not let it be deleted.""",
}


@dataclass(frozen=True, slots=True)
class Place:
    """The account at hand, held for this process alone."""

    books: FreshBooks
    ledger: Ledger
    lock: AccountLock
    account: PinnedAccount
    run_id: str
    settings: Settings
    requests: Requests

    def clean(self) -> Cleaned:
        """Delete what the probe made, of whichever run."""
        settle_seconds = self.ledger.profile.settle_seconds(self.settings.settle_seconds)
        sleep = interruptible(STOP.event)
        return Cleaning(
            self.books, self.ledger, self.lock, self.run_id, utc_now, sleep, settle_seconds
        ).run()


@command("probe")
@click.option("--full", is_flag=True, help="Send and pay invoices too: on an empty account only.")
@click.option("--clean", is_flag=True, help="Only delete what a broken-off probe has left.")
def probe(context: Context, *, full: bool, clean: bool) -> None:
    """Find out how this FreshBooks account rounds, what it refuses, and what its searches show."""
    if full and clean:
        raise click.UsageError("--clean deletes what a probe of either depth has left: name one.")
    if context.settings.dry_run:
        raise click.ClickException(
            "dry_run is set, and a probe writes to FreshBooks: take dry_run out to probe."
        )
    depth, tag = Depth.FULL if full else Depth.PLAIN, new_tag(random.SystemRandom())
    with ExitStack() as stack:
        place = stack.enter_context(_place(context.settings, ask=None if clean else (depth, tag)))
        stack.enter_context(STOP.critical_section())
        findings: list[run.ProbeFinding] = []
        if not clean:
            _check_place(place, depth)
            findings = _probe(place, depth, tag)
            run.keep(place.ledger, findings, utc_now())
        _tell(context, findings, place.clean())


def _check_place(place: Place, depth: Depth) -> None:
    """See that nothing speaks against a probe, now that no run works on the account.

    Raises:
        click.ClickException: Something does.
    """
    if left := place.ledger.probe.standing():
        raise click.ClickException(
            f"A probe that was broken off has left {len(left)} records: run"
            f" `{ctl('probe', '--clean')}` first."
        )
    if depth is Depth.FULL and (other := run.others(place.books, place.ledger)):
        raise click.ClickException(
            f"This account holds {other}, which is not the probe's. `probe --full` sends and pays"
            " invoices, so it runs only on an account without any invoice, client or payment but"
            " its own: make a trial account for it. `probe` alone may run here."
        )


@contextmanager
def _place(settings: Settings, *, ask: tuple[Depth, str] | None) -> Iterator[Place]:
    """The account, held from the moment that the business's name was typed, if it is asked for."""
    sleep, requests, run_id = interruptible(STOP.event), Requests(), uuid.uuid4().hex[:12]
    with open_ledger(settings) as ledger:
        account = open_account(settings, sleep=sleep, on_request=requests.note, ledger=ledger)
        pinned = account.pinned
        if not pinned.business_name:
            names = {one.account_id: one.business_name for one in account.books.me().memberships}
            pinned = replace(pinned, business_name=names.get(pinned.account_id, ""))
        if ask:
            _ask(pinned, *ask)
        wait = settings.lease_wait_seconds
        holder = f"probe {run_id}"
        held = ledger.locks.hold(pinned.account_id, holder, wait_seconds=wait, sleep=sleep)
        with held as lock:
            account.books.check_before_writes(lock.check)
            yield Place(account.books, ledger, lock, pinned, run_id, settings, requests)


def _ask(account: PinnedAccount, depth: Depth, tag: str) -> None:
    """Show what the probe will leave behind, and have the business's name typed."""
    name = account.business_name or account.account_id
    say_aside(
        f"This probe writes to the FreshBooks account {account}.",
        *LEAVES[depth].format(tag=tag, more=MOST_NUMBERS).split("\n"),
        f"Type the name of the business to begin ({name}):",
    )
    if sys.stdin.readline().strip() != name:
        raise click.ClickException(
            "That is not the name of the business of this account: nothing was written."
        )


def _probe(place: Place, depth: Depth, tag: str) -> list[run.ProbeFinding]:
    settings = place.settings
    bench = Bench(
        books=place.books,
        ledger=place.ledger,
        lock=place.lock,
        run_id=place.run_id,
        tag=tag,
        today=utc_now().date(),
        sleep=interruptible(STOP.event),
        seconds=time.monotonic,
        patience=max(PATIENCE, settings.settle_seconds),
        requests=place.requests,
    )
    place.ledger.ownership.pin_account(place.account)
    try:
        return run.probe(bench, depth, _check_stop)
    except (FreshBooksError, Interrupted):
        say_aside(f"The probe cannot go on; `{ctl('probe', '--clean')}` deletes what it has made.")
        raise


def _check_stop() -> None:
    if STOP.event.is_set():
        raise Interrupted


def _tell(context: Context, findings: list[run.ProbeFinding], cleaned: Cleaned) -> None:
    document = {
        "findings": [_document(one) for one in findings],
        "removed": cleaned.removed,
        "numbers_used": cleaned.numbers,
        "left": cleaned.left,
        "strange": cleaned.strange,
    }
    numbers = ", ".join(cleaned.numbers)
    used = f"; the number stays used: {numbers}" if numbers else ""
    lines = [line for one in findings for line in _text(one)]
    lines.append(f"Deleted what was made: {cleaned.removed} records{used}.")
    lines += [f"FreshBooks keeps {one}. Delete it there by hand." for one in cleaned.left]
    if cleaned.strange:
        lines.append(
            f"Left alone, since no probe of this ledger made it: {', '.join(cleaned.strange)}. Run"
            " `probe --clean` with a login to the account that was probed."
        )
    context.show(document, lines)
    if cleaned.left or cleaned.strange:
        raise click.exceptions.Exit(1)


def _document(finding: run.ProbeFinding) -> dict[str, Any]:
    check = finding.check
    return {
        "check": check.name,
        "assumed": check.assumed,
        "value": finding.value,
        "why": finding.why,
        "changes": finding.change,
        "evidence": finding.evidence,
    }


def _text(finding: run.ProbeFinding) -> Iterable[str]:
    check = finding.check
    value = f"could not be told: {finding.why}" if finding.why else str(finding.value)
    evidence = "; ".join(f"{name} {_said(fact)}" for name, fact in finding.evidence.items() if fact)
    yield check.name.replace("_", " ")
    yield f"  assumed: {check.assumed}"
    yield f"  is so:   {value}" + (f" ({evidence})" if evidence else "")
    yield f"  changes: {finding.change}"


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
