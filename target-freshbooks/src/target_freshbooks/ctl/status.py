"""`status` and `audit`: where the orders stand, and how one of them came there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from target_freshbooks.ctl import standing
from target_freshbooks.ctl.command import command
from target_freshbooks.ctl.story import tell

if TYPE_CHECKING:
    from target_freshbooks.ctl.context import Context
    from target_freshbooks.ledger import OrderRow

STATES = ("posted", "parked", "waiting", "settled", "new")


@command("status")
def status(context: Context) -> None:
    """Count orders by state; list the parked ones with reason and next step."""
    with context.ledger() as ledger:
        counts = ledger.counts()
        parked = [_parked(row) for row in ledger.orders.all(state="parked")]
        others = standing.document(ledger, context.settings.policy)
        runs = [
            {"run_id": run.run_id, "outcome": run.outcome, "started_at": run.started_at}
            for run in ledger.runs.latest(3)
        ]
    document = {**counts, "parked_orders": parked, **others, "last_runs": runs}
    lines = [f"{name:>8}: {counts[name]}" for name in STATES]
    if counts["open_intents"]:
        lines.append(
            f"{counts['open_intents']} writes were interrupted; the next run looks what came of"
            " them."
        )
    lines += standing.text(others)
    for order in parked:
        lines += _parked_text(order)
    context.show(document, "\n".join(lines))


def _parked(row: OrderRow) -> dict[str, Any]:
    return {
        "order_id": row.order_id,
        "reason": row.reason,
        "detail": row.detail,
        "words": row.words,
        "next_step": row.next_step,
        "invoice_number": row.invoice_number,
        "total": None if row.order_total is None else str(row.order_total),
        "currency": row.currency,
        "since": row.updated_at,
    }


def _parked_text(order: dict[str, Any]) -> list[str]:
    lines = ["", f"Order {order['order_id']} is parked: {order['reason']}", f"  {order['detail']}"]
    if order["words"]:
        lines.append(f"  FreshBooks says: {order['words']}")
    return [*lines, f"  Next: {order['next_step']}"]


@command("audit")
@click.argument("order", type=int)
def audit(context: Context, *, order: int) -> None:
    """Tell an order's story from the audit journal, in plain sentences."""
    with context.ledger() as ledger:
        rows = list(ledger.audit.rows(order))
        row = ledger.orders.get(order)
    document = [
        {
            "seq": row.seq,
            "at": row.at,
            "event": row.event,
            "run_id": row.run_id,
            "who": row.who,
            "data": row.data,
            "hash": row.hash,
            "altered": row.altered,
        }
        for row in rows
    ]
    lines = tell(rows) if rows else [f"The ledger knows nothing of order {order}."]
    if row is not None and row.state == "parked":
        # The journal holds no words of FreshBooks', which may name a person; this row has them.
        lines += _parked_text(_parked(row))
    context.show(document, "\n".join(lines))
    if any(row.altered for row in rows):
        sys.exit(1)
