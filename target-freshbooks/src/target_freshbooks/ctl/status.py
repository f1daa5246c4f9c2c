"""`status`: the orders by state, with what is parked, waits, was noticed, or is left."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from itertools import chain
from typing import Any

import click
from connector_credentials.commands import as_typed, ctl

from target_freshbooks.books.desired import Reason
from target_freshbooks.books.policy import Policy
from target_freshbooks.capabilities import Taxed
from target_freshbooks.ctl.context import Context, command
from target_freshbooks.ledger import EarlierMonth, Ledger, LinkKind, OrderRow
from target_freshbooks.ledger.orders import CHANGED
from target_freshbooks.posting.methods_met import MethodMet, methods_met
from target_freshbooks.posting.methods_met import text as methods_text
from target_freshbooks.posting.plan.draft import KEPT_AS_DRAFT
from target_freshbooks.posting.tally import WORKED_OUT, sentences

STATES = ("posted", "parked", "waiting", "settled", "new")

STATUSES = {
    0: "Incomplete",
    1: "Pending",
    2: "Shipped",
    3: "Partially Shipped",
    4: "Refunded",
    5: "Cancelled",
    6: "Declined",
    7: "Awaiting Payment",
    8: "Awaiting Pickup",
    9: "Awaiting Shipment",
    10: "Completed",
    11: "Awaiting Fulfillment",
    12: "Manual Verification Required",
    13: "Disputed",
    14: "Partially Refunded",
}
"""BigCommerce's order statuses, by id."""

ROUNDED_FOR: dict[Taxed, str] = {
    "line": "each line",
    "rate": "each rate of an invoice",
    "name": "each tax of an invoice",
}

NAMED = 20
"""How many numbers of a list a line of text shows; --json has all."""


EXIT_PARKED = 2


@command("status")
@click.option("--fail-if-parked", is_flag=True, help="End with 2 if any order is parked.")
def status(context: Context, *, fail_if_parked: bool) -> None:
    """Count orders by state; list the parked ones with reason and next step."""
    with context.ledger() as ledger:
        counts = ledger.counts()
        parked = [parked_document(row) for row in ledger.orders.all(state="parked")]
        others = _lists(ledger, context.settings.policy)
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
    lines += lists_text(others)
    for order in parked:
        lines += parked_text(order)
    context.show(document, lines)
    if fail_if_parked and parked:
        sys.exit(EXIT_PARKED)


def parked_document(row: OrderRow) -> dict[str, Any]:
    """A parked order with its reason, as JSON."""
    return {
        "order_id": row.order_id,
        "reason": row.reason,
        "detail": row.detail,
        "words": row.words,
        "next_step": as_typed(row.next_step or "") or None,
        "invoice_number": row.invoice_number,
        "total": None if row.order_total is None else str(row.order_total),
        "currency": row.currency,
        "since": row.updated_at,
    }


def parked_text(order: dict[str, Any]) -> list[str]:
    """A parked order with its reason, as lines for a terminal."""
    lines = ["", f"Order {order['order_id']} is parked: {order['reason']}", f"  {order['detail']}"]
    if order["words"]:
        lines.append(f"  FreshBooks says: {order['words']}")
    return [*lines, f"  Next: {order['next_step']}"]


def waiting_orders(ledger: Ledger) -> dict[str, list[int]]:
    """The orders that wait, by the name of their status or what else keeps them; Drafts apart.

    Those whose money is not clear yet among them, though they count as new.
    """
    names: dict[str, str] = {}
    orders_by_name: dict[str, list[int]] = {}
    unclear = (r for r in ledger.orders.all(state="new") if r.reason == Reason.MONEY_UNCLEAR)
    for row in chain(ledger.orders.all(state="waiting"), unclear):
        reason = row.reason or "unknown"
        if reason == KEPT_AS_DRAFT:
            continue
        if reason not in names:
            names[reason] = _name(ledger, reason, row.order_id)
        orders_by_name.setdefault(names[reason], []).append(row.order_id)
    return orders_by_name


def _name(ledger: Ledger, reason: str, order_id: int) -> str:
    """A status by its name: as the shop's records have it, else as BigCommerce does."""
    number = reason.removeprefix("status_")
    if number == reason or not number.isdigit():
        return reason
    body = ledger.inbox.body("orders", (order_id,)) or {}
    status = body.get("status") if body.get("status_id") == int(number) else None
    return str(status or STATUSES.get(int(number), reason))


def drafts(ledger: Ledger) -> list[dict[str, Any]]:
    """The orders whose invoices are Drafts until somebody sends them."""
    return [
        {
            "order_id": row.order_id,
            "invoice_number": row.invoice_number,
            "total": None if row.order_total is None else str(row.order_total),
            "currency": row.currency,
        }
        for row in ledger.orders.all(state="waiting")
        if row.reason == KEPT_AS_DRAFT
    ]


def settled_orders(ledger: Ledger) -> list[dict[str, Any]]:
    """The orders that a person booked by hand, with what was done."""
    return [
        {
            "order_id": row.order_id,
            "note": row.detail,
            "since": row.updated_at,
            "changed_since": row.notice == CHANGED,
        }
        for row in ledger.orders.all(state="settled")
    ]


def notices(ledger: Ledger) -> list[dict[str, Any]]:
    """What became of orders in the shop after they were posted or settled."""
    return [
        {"order_id": row.order_id, "notice": row.notice, "invoice_number": row.invoice_number}
        for row in ledger.orders.noticed()
    ]


def worked_out(ledger: Ledger) -> list[dict[str, Any]]:
    """The orders with taxes whose percents were worked out."""
    rows = ledger.orders.all()
    return [{"order_id": row.order_id, "taxes": row.worked_out} for row in rows if row.worked_out]


def invoices_left(ledger: Ledger) -> list[dict[str, Any]]:
    """The invoices of which FreshBooks keeps fields of the head that differ from the shop's."""
    return [
        {"order_id": link.order_id, "id": link.remote_id, "fields": sorted(link.extra["left"])}
        for link in ledger.links.of_kind("invoice")
        if link.extra.get("left")
    ]


def parties_left(ledger: Ledger, kind: LinkKind) -> list[dict[str, Any]]:
    """The clients or items of which FreshBooks keeps fields that differ from the shop's."""
    fields_by_id: dict[int, set[str]] = {}
    for link in ledger.links.of_kind(kind):
        if link.extra.get("left"):
            fields_by_id.setdefault(link.remote_id, set()).update(link.extra["left"])
    return [{"id": one, "fields": sorted(fields)} for one, fields in sorted(fields_by_id.items())]


def _lists(ledger: Ledger, policy: Policy) -> dict[str, Any]:
    """What is listed beside the parked orders, as JSON."""
    methods = methods_met(ledger.orders.payment_methods(), policy)
    return {
        "payment_methods": [asdict(method) for method in methods],
        "waiting_orders": waiting_orders(ledger),
        "drafts": drafts(ledger),
        "settled_orders": settled_orders(ledger),
        "notices": notices(ledger),
        "worked_out_taxes": worked_out(ledger),
        "earlier_months": [asdict(one) for one in ledger.intents.of_earlier_months()],
        "invoices_left": invoices_left(ledger),
        "clients_left": parties_left(ledger, "client"),
        "items_left": parties_left(ledger, "item"),
        "account_profile": dict(ledger.profile.traits()),
    }


def lists_text(lists: dict[str, Any]) -> list[str]:
    """What is listed beside the parked orders, as lines for a terminal."""
    lines: list[str] = []
    if lists["waiting_orders"]:
        lines.append("Waiting, by their status in the shop or what keeps them:")
        lines += [
            f"  {name} {len(numbers)}: {_listed(numbers)}"
            for name, numbers in lists["waiting_orders"].items()
        ]
    if lists["drafts"]:
        numbers = [one["order_id"] for one in lists["drafts"]]
        lines.append(
            f"Drafts to be looked at in FreshBooks, {len(numbers)}: {_listed(numbers)}."
            f" `{ctl('replay', '--send')}` marks them sent and records their payments."
        )
    if lists["payment_methods"]:
        lines.append("Orders in the books by method of payment in the shop:")
        lines += methods_text(MethodMet(**one) for one in lists["payment_methods"])
    lines += [f"Order {one['order_id']}: {one['notice']}" for one in lists["notices"]]
    lines += [
        f"Order {one['order_id']} is settled by hand: {one['note']}"
        for one in lists["settled_orders"]
    ]
    if lists["worked_out_taxes"]:
        orders = [f"{one['order_id']} ({one['taxes']})" for one in lists["worked_out_taxes"]]
        lines.append(f"Orders with {WORKED_OUT}, {len(orders)}: {_listed(orders)}.")
    changes = [EarlierMonth(**one) for one in lists["earlier_months"]]
    lines += [f"{change}, after it was over." for change in sentences(changes)]
    left = [
        *((f"order {one['order_id']}, its invoice", one) for one in lists["invoices_left"]),
        *((f"client {one['id']}", one) for one in lists["clients_left"]),
        *((f"item {one['id']}", one) for one in lists["items_left"]),
    ]
    if left:
        lines.append("FreshBooks keeps these fields, which differ from the shop's:")
        lines += [f"  {record}: {', '.join(one['fields'])}" for record, one in left]
    return [*lines, *_profile_text(lists["account_profile"])]


def _profile_text(traits: dict[str, Any]) -> list[str]:
    """What FreshBooks' answers have shown of the account."""
    ways = [
        f"{ROUNDED_FOR[what]}, a half {'to the even cent' if half_even else 'up'}"
        for what, half_even in traits.get("roundings", ())
    ]
    habits = [f"it rounds tax for {', or for '.join(ways)}"] if ways else []
    if "percent_decimals" in traits:
        habits.append(f"it keeps {traits['percent_decimals']} decimals of a tax's percent")
    if "unmarked_field" in traits:
        habits.append(f"the mark of an order is too long for {traits['unmarked_field']}")
    if "number_length" in traits:
        habits.append(f"an invoice's number has at most {traits['number_length']} characters")
    if traits.get("unseen_seconds"):
        habits.append(f"searches show a new record after {traits['unseen_seconds']} s")
    return [f"Learnt of FreshBooks from its answers: {'; '.join(habits)}."] if habits else []


def _listed(numbers: Iterable[object]) -> str:
    known = list(numbers)
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return ", ".join(map(str, known[:NAMED])) + more
