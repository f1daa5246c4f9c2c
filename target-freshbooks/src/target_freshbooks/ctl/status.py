"""`status` and `audit`: where the orders stand, and how one of them came there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from target_freshbooks.ledger.story import tell

if TYPE_CHECKING:
    from target_freshbooks.ctl.context import Context
    from target_freshbooks.ledger import Ledger, OrderRow
    from target_freshbooks.ledger.links import LinkKind


def show_status(context: Context) -> None:
    """Count orders by state, and tell each parked one's reason and next step."""
    with context.ledger() as ledger:
        counts = ledger.counts()
        parked = [_parked(row) for row in ledger.orders(state="parked")]
        left = {"client": _left(ledger, "client"), "item": _left(ledger, "item")}
        runs = [
            {"run_id": run.run_id, "outcome": run.outcome, "started_at": run.started_at}
            for run in ledger.last_runs(3)
        ]
    document = {
        **counts,
        "parked_orders": parked,
        "clients_left": left["client"],
        "items_left": left["item"],
        "last_runs": runs,
    }
    lines = [f"{name:>8}: {counts[name]}" for name in ("posted", "parked", "waiting", "new")]
    if counts["waiting_reasons"]:
        listed = ", ".join(f"{why} {number}" for why, number in counts["waiting_reasons"].items())
        lines.append(f"waiting for: {listed}")
    if counts["open_intents"]:
        lines.append(
            f"{counts['open_intents']} writes were interrupted; the next run looks what came of"
            " them."
        )
    for order in parked:
        lines += _parked_text(order)
    for kind, records in left.items():
        if records:
            lines += ["", f"FreshBooks keeps these fields, which differ from the shop's {kind}:"]
            lines += [f"  {kind} {one['id']}: {', '.join(one['fields'])}" for one in records]
    context.show(document, "\n".join(lines))


def _left(ledger: Ledger, kind: LinkKind) -> list[dict[str, Any]]:
    """The clients or items of which FreshBooks keeps fields that differ from the shop."""
    found: dict[int, set[str]] = {}
    for link in ledger.links(kind):
        if link.extra.get("left"):
            found.setdefault(link.remote_id, set()).update(link.extra["left"])
    return [{"id": one, "fields": sorted(fields)} for one, fields in sorted(found.items())]


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


def show_audit(context: Context, order_id: int) -> None:
    """Tell an order's story, and of a parked one how it stands now; exit 1 if a row was altered.

    The journal holds no words of FreshBooks', which may name a person; the parked order has them.
    """
    with context.ledger() as ledger:
        rows = list(ledger.audit_rows(order_id))
        order = ledger.order(order_id)
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
    told = tell(rows) if rows else [f"The ledger knows nothing of order {order_id}."]
    if order is not None and order.state == "parked":
        told += _parked_text(_parked(order))
    context.show(document, "\n".join(told))
    if any(row.altered for row in rows):
        sys.exit(1)
