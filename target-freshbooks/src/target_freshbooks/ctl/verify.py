"""`verify`: is the audit chain whole, and does FreshBooks hold what the ledger says, and no more?

FreshBooks' lists are read once. What they make look wrong is looked at again record by record
before it is reported, since a list of many pages is not of one moment.
"""

import sys
import threading
from collections.abc import Collection
from contextlib import closing
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Self

import click
from connector_credentials import CredentialError

from target_freshbooks.access import Account, open_account
from target_freshbooks.books.policy import Policy
from target_freshbooks.ctl.context import SINCE, Context, command
from target_freshbooks.freshbooks import FreshBooksError
from target_freshbooks.ledger import AuditHead, ChainVerdict, Ledger, LedgerError
from target_freshbooks.marks import Mark
from target_freshbooks.posting.apply.parts import load_recorded
from target_freshbooks.posting.drift import compare
from target_freshbooks.posting.dryrun.simulator import Planner
from target_freshbooks.posting.findings import Finding, FindingKind, foreseen, interrupted
from target_freshbooks.posting.observe.by_listing import BulkListing, ListedObserver, stores_named
from target_freshbooks.posting.observe.by_mark import MarkedInvoices
from target_freshbooks.posting.observe.by_request import RequestObserver
from target_freshbooks.posting.state import Observed, Recorded

FAILURES = (FreshBooksError, CredentialError, LedgerError)
"""What may keep the orders from being compared; the chain's verdict is reported all the same."""


def _noted(_: click.Context, __: click.Parameter, text: str | None) -> AuditHead | None:
    try:
        return None if text is None else AuditHead.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@command("audit-head")
def audit_head(context: Context) -> None:
    """Print where the audit journal ends, for `verify --expect` at any later time."""
    with context.ledger() as ledger:
        head = ledger.audit.head()
    if head is None:
        raise click.ClickException("The head of the audit journal is missing: see verify.")
    context.show({"head": str(head), **asdict(head)}, [str(head)])


@command("verify")
@click.option("--chain-only", is_flag=True, help="Check the audit chain without FreshBooks.")
@click.option(
    "--expect",
    "noted",
    metavar="HEAD",
    callback=_noted,
    help="A head that was noted earlier (audit-head); the audit chain has to hold it.",
)
@SINCE
def verify(
    context: Context, *, chain_only: bool, noted: AuditHead | None, since: datetime | None
) -> None:
    """Check the audit chain, and the ledger against FreshBooks; exit 1 on any finding."""
    settings, day = context.settings, since.date() if since else None
    with context.ledger() as ledger:
        chain = ledger.audit.verify_chain(noted)
        verification, failure = None, None
        if not chain_only:
            try:
                account = open_account(settings, ledger=ledger)
                verification = Verification(account, ledger, settings.policy).verify(day)
            except FAILURES as error:
                failure = error
    context.show(
        {"chain": _chain_document(chain), **_orders_document(verification, failure)},
        [_chain_text(chain), *_orders_text(verification, failure)],
    )
    if failure is not None:
        raise failure  # the orders could not be compared; what the chain is like has been reported
    sys.exit(0 if chain.ok and not (verification and verification.findings) else 1)


def _chain_document(chain: ChainVerdict) -> dict[str, Any]:
    return {
        "ok": chain.ok,
        "rows": chain.rows,
        "head": str(AuditHead(chain.rows, chain.head_hash)),
        "broken_row": chain.broken_seq,
        "problem": chain.problem,
    }


def _orders_document(
    verification: "Verification | None", failure: Exception | None
) -> dict[str, Any]:
    findings = verification.findings if verification else []
    document: dict[str, Any] = {
        "orders_checked": verification.checked if verification else 0,
        "orders_in_work": verification.in_work if verification else [],
        "findings": [asdict(finding) for finding in findings],
    }
    return document if failure is None else {**document, "failure": str(failure)}


def _chain_text(chain: ChainVerdict) -> str:
    if chain.ok:
        return f"Audit chain: whole, {chain.rows} rows, head {chain.rows}:{chain.head_hash}"
    place = "" if chain.broken_seq is None else f" at row {chain.broken_seq}"
    return f"Audit chain: BROKEN{place}. {chain.problem}"


def _orders_text(verification: "Verification | None", failure: Exception | None) -> list[str]:
    if failure is not None:
        return ["The orders could not be compared with FreshBooks."]
    if verification is None:
        return []
    checked, findings = verification.checked, verification.findings
    lines = [f"Orders compared with FreshBooks: {checked}, findings: {len(findings)}"]
    lines += [f"  order {one.order_id}: {one.kind}: {one.detail}" for one in findings]
    if verification.in_work:
        numbers = ", ".join(map(str, verification.in_work))
        lines.append(f"Not compared, since a run is at work on them: {numbers}")
    return lines


class Verification:
    """The ledger's orders against FreshBooks, and what FreshBooks holds besides.

    Attributes:
        checked: How many orders were compared.
        in_work: Those that a run has in hand, so that nothing is said of them.
        findings: What does not agree.
    """

    def __init__(self, account: Account, ledger: Ledger, policy: Policy) -> None:
        self.checked = 0
        self.in_work: list[int] = []
        self.findings: list[Finding] = []
        self._account = account
        self._books = account.books
        self._requests = RequestObserver(account.books, MarkedInvoices(account.books, ledger))
        self._ledger = ledger
        self._policy = policy
        self._half_way = {intent.order_id for intent in ledger.intents.still_open()}

    def verify(self, since: date | None, also: Collection[int] = ()) -> Self:
        """Compare the orders of this day and later, or all.

        Args:
            since: The day.
            also: Earlier orders that are to be compared too.
        """
        for store in self._stores(since):
            self._verify_store(store, since, also)
        return self

    def _stores(self, since: date | None) -> list[str]:
        """The source's store; if it is not bound yet, those that no other source is bound to."""
        bound = self._ledger.ownership.store_hash()
        if bound is not None:
            return [bound]
        return sorted(stores_named(self._books, since) - self._ledger.ownership.store_hashes())

    def _verify_store(self, store: str, since: date | None, also: Collection[int]) -> None:
        with closing(BulkListing.read(self._books, store, since)) as lists:
            for row in self._ledger.orders.all(since=since):
                self.checked += self._compare(Mark(row.order_id, store), lists)
            for order_id in sorted(also):
                self._compare(Mark(order_id, store), lists)
            # What stands in the name of other orders, which the ledger may never have heard of.
            for order_id in lists.not_looked_at():
                self._compare(Mark(order_id, store), lists)

    def _recorded(self, order_id: int) -> Recorded:
        return load_recorded(self._ledger, order_id, self._ledger.orders.get(order_id))

    def _compare(self, mark: Mark, lists: BulkListing) -> bool:
        """Compare one order; whether it is one in the books whose state could be reported.

        A run that changes it keeps it from being reported.
        """
        order_id, recorded = mark.order_id, self._recorded(mark.order_id)
        in_books = recorded.state == "posted" or recorded.known
        listed = lists.of(order_id, recorded, self._policy.invoice_number_prefix)
        shown = listed.invoice is not None or not recorded.known
        complete = order_id not in self._half_way and listed.is_whole and shown
        if complete and not self._findings(mark, recorded, listed):
            return in_books
        while True:
            findings = self._findings(mark, recorded, self._requests.anew(mark, recorded, listed))
            intents = self._ledger.intents.still_open(order_id)
            now = self._recorded(order_id)
            may_change = bool(intents) or now != recorded or now.state == "new"
            if may_change and self._ledger.locks.is_held(self._account.pinned.account_id):
                self.in_work.append(order_id)
                return False
            if now == recorded:
                self.findings += [*(interrupted(order_id, intent) for intent in intents), *findings]
                return in_books
            recorded = now  # the run that changed it has ended since: what it left is looked at

    def _findings(self, mark: Mark, recorded: Recorded, observed: Observed) -> list[Finding]:
        findings = list(compare(mark, recorded, observed, self._is_linked))
        if not recorded.is_in_books or any(
            finding.kind is not FindingKind.EXTRA for finding in findings
        ):
            return findings
        # The figures agree with what was written; now with what the order says, if the ledger
        # still has its record.
        observer = ListedObserver(observed, self._requests)
        planner = Planner(self._books, self._ledger, self._policy, threading.Event(), observer)
        plan = planner.plan(mark.order_id)
        return findings if plan is None else [*findings, *foreseen(plan, observed)]

    def _is_linked(self, invoice_id: int) -> bool:
        return self._ledger.links.has_remote("invoice", invoice_id)
