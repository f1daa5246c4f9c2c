"""`verify`: is the audit chain whole, and does FreshBooks hold what the ledger says was posted?"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from target_freshbooks.books import ReadError
from target_freshbooks.posting.previewing import Previewer
from target_freshbooks.posting.steps import StepKind
from target_freshbooks.wiring import open_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from target_freshbooks.ctl.context import Context
    from target_freshbooks.ledger import OrderRow
    from target_freshbooks.posting.preview import Preview


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between the ledger and FreshBooks.

    Attributes:
        order_id: The order.
        kind: `missing`, `edited`, `differs` or `unreadable`.
        detail: One sentence.
    """

    order_id: int
    kind: str
    detail: str


def verify_books(context: Context, *, chain_only: bool, since: date | None) -> int:
    """Check the chain and the posted orders; returns 1 where anything is found."""
    settings = context.settings
    with context.ledger() as ledger:
        chain = ledger.verify_chain()
        findings: list[Finding] = []
        checked = 0
        if not chain_only:
            account = open_account(settings, sleep=time.sleep, rng=random.Random())  # noqa: S311
            previewer = Previewer(account.books, ledger, settings.policy, threading.Event())
            for row in ledger.orders(state="posted", since=since):
                checked += 1
                findings += _compare(previewer, row)
    document = {
        "chain": {
            "ok": chain.ok,
            "rows": chain.rows,
            "head": chain.head_hash,
            "broken_row": chain.broken_seq,
            "problem": chain.problem,
        },
        "orders_checked": checked,
        "findings": [asdict(finding) for finding in findings],
    }
    lines = [
        f"Audit chain: whole, {chain.rows} rows, head {chain.head_hash[:16]}"
        if chain.ok
        else f"Audit chain: BROKEN at row {chain.broken_seq}. {chain.problem}"
    ]
    if not chain_only:
        lines.append(f"Orders compared with FreshBooks: {checked}, findings: {len(findings)}")
        lines += [
            f"  order {finding.order_id}: {finding.kind}: {finding.detail}" for finding in findings
        ]
    context.show(document, "\n".join(lines))
    return 0 if chain.ok and not findings else 1


def _compare(previewer: Previewer, row: OrderRow) -> Iterator[Finding]:
    try:
        preview = previewer.preview(row.order_id)
    except ReadError as unreadable:
        yield Finding(row.order_id, "unreadable", str(unreadable))
        return
    if preview is None:
        # Retention has dropped the order's body: its invoice is compared by its fingerprint.
        problem = previewer.compare_fingerprint(row.order_id)
        if problem is not None:
            yield Finding(row.order_id, *problem)
        return
    yield from _findings(preview)


def _findings(preview: Preview) -> Iterator[Finding]:
    verdict = preview.verdict
    if verdict.parked is not None:
        gone = verdict.parked.reason.value == "deleted_in_freshbooks"
        kind = "missing" if gone else "edited"
        yield Finding(preview.order_id, kind, verdict.parked.detail)
        return
    for step in preview.steps:
        kind = "missing" if step.kind is StepKind.CREATE_INVOICE else "differs"
        yield Finding(preview.order_id, kind, f"a replay would {step.why}")
