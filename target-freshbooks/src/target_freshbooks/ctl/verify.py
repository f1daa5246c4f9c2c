"""`verify`: is the audit chain whole, and does FreshBooks hold what the ledger says, and no more?

FreshBooks' lists are read once. What they make look wrong is looked at again record by record
before it is told, since a list of many pages is not of one moment.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, cast

from target_freshbooks.books import ReadError
from target_freshbooks.posting.comparing import Finding, Kind, compare, foreseen
from target_freshbooks.posting.holding import HeldBooks, Holding, look_anew
from target_freshbooks.posting.known import Known, known_of
from target_freshbooks.posting.listing import Lists
from target_freshbooks.posting.previewing import Previewer
from target_freshbooks.wiring import open_account

if TYPE_CHECKING:
    from datetime import date

    from target_freshbooks.books.policy import Policy
    from target_freshbooks.ctl.context import Context
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import Ledger


def verify_books(context: Context, *, chain_only: bool, since: date | None) -> int:
    """Check the chain and the orders; returns 1 where anything is found."""
    settings = context.settings
    with context.ledger() as ledger:
        chain = ledger.verify_chain()
        told = Told()
        if not chain_only:
            account = open_account(settings, sleep=time.sleep, rng=random.Random())  # noqa: S311
            told = Verification(account.books, ledger, settings.policy).verify(since)
    document = {
        "chain": {
            "ok": chain.ok,
            "rows": chain.rows,
            "head": chain.head_hash,
            "broken_row": chain.broken_seq,
            "problem": chain.problem,
        },
        "orders_checked": told.checked,
        "orders_in_work": told.in_work,
        "findings": [asdict(finding) for finding in told.findings],
    }
    lines = [
        f"Audit chain: whole, {chain.rows} rows, head {chain.head_hash[:16]}"
        if chain.ok
        else f"Audit chain: BROKEN at row {chain.broken_seq}. {chain.problem}"
    ]
    if not chain_only:
        lines.append(
            f"Orders compared with FreshBooks: {told.checked}, findings: {len(told.findings)}"
        )
        lines += [
            f"  order {finding.order_id}: {finding.kind}: {finding.detail}"
            for finding in told.findings
        ]
        if told.in_work:
            numbers = ", ".join(str(order_id) for order_id in told.in_work)
            lines.append(f"Not compared, since a run is at work on them or was stopped: {numbers}")
    context.show(document, "\n".join(lines))
    return 0 if chain.ok and not told.findings else 1


@dataclass(slots=True)
class Told:
    """What came of it: orders compared, those that a run has in hand, and what was found."""

    checked: int = 0
    in_work: list[int] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Verification:
    """The ledger's orders against FreshBooks, and what FreshBooks holds besides."""

    def __init__(self, books: FreshBooks, ledger: Ledger, policy: Policy) -> None:
        self._books = books
        self._ledger = ledger
        self._policy = policy

    def verify(self, since: date | None) -> Told:
        """Compare the orders of this day and later, or all."""
        told = Told()
        with closing(Lists.read(self._books, since)) as lists:
            for row in self._ledger.orders(since=since):
                known = self._known(row.order_id)
                told.checked += known.state == "posted" or known.memory.known
                self._compare(known, lists.of(known), told)
            # What stands in the name of earlier orders, and of orders the ledger never heard of.
            for order_id in lists.not_looked_at():
                known = self._known(order_id)
                self._compare(known, lists.of(known), told)
        return told

    def _known(self, order_id: int) -> Known:
        return known_of(self._ledger, order_id, self._policy.invoice_number_prefix)

    def _compare(self, known: Known, listed: Holding, told: Told) -> None:
        if listed.whole and not self._findings(known, listed):
            return
        holding = look_anew(self._books, known, listed)
        findings = self._findings(known, holding)
        if self._ledger.open_intents(known.order_id) or self._known(known.order_id) != known:
            told.in_work.append(known.order_id)
        else:
            told.findings += findings

    def _findings(self, known: Known, holding: Holding) -> list[Finding]:
        findings = list(compare(known, holding, self._is_linked))
        if not known.is_in_books or any(found.kind is not Kind.EXTRA for found in findings):
            return findings
        # The figures agree with what was written; now with what the order says, where the ledger
        # still has its record.
        books = cast("FreshBooks", HeldBooks(self._books, holding))
        previewer = Previewer(books, self._ledger, self._policy, threading.Event())
        try:
            preview = previewer.preview(known.order_id)
        except ReadError as unreadable:
            return [*findings, Finding(known.order_id, Kind.UNREADABLE, str(unreadable))]
        return findings if preview is None else [*findings, *foreseen(preview, holding)]

    def _is_linked(self, invoice_id: int) -> bool:
        return self._ledger.is_linked("invoice", invoice_id)
