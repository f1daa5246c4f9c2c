"""What changed, as the events that hooks subscribe to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector_sandbox.seed.model import Order, Transaction


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `store/order/updated` with its thin data."""

    scope: str
    data: Mapping[str, Any]


def wants(subscribed: str, scope: str) -> bool:
    """Whether a subscription covers a scope; `store/order/*` covers what begins with it."""
    if subscribed.startswith("store/channel/1/"):
        subscribed = "store/" + subscribed.removeprefix("store/channel/1/")
    return subscribed == scope or (subscribed.endswith("*") and scope.startswith(subscribed[:-1]))


def order_event(what: str, order: Order, **more: Any) -> Event:  # noqa: ANN401  JSON
    """An event of an order: created, updated, archived, statusUpdated, refund/created."""
    return Event(f"store/order/{what}", {"type": "order", "id": order.id, **more})


def transaction_event(order: Order, made: Transaction) -> Event:
    """An event of a transaction: it has no id of its own, and its ids are texts."""
    return Event(
        "store/order/transaction/created",
        {
            "type": "transaction",
            "order_id": str(order.id),
            "transaction_id": str(made.id),
            "transaction_status": made.status,
            "transaction_type": made.event,
            "result": {"code": "", "message": "", "type": ""},
            "platform_transaction_id": "",
            "provider_transaction_id": f"ch_{made.id}",
        },
    )


def between(before: Order | None, after: Order) -> list[Event]:
    """The events of an order's step from one state to the next."""
    events = []
    old_transactions = {t.id for t in before.transactions} if before else set()
    old_refunds = {r.id for r in before.refunds} if before else set()
    if before is None:
        events.append(order_event("created", after))
    elif after.is_deleted and not before.is_deleted:
        events.append(order_event("archived", after))
    elif after.modified != before.modified:
        events.append(order_event("updated", after))
    previous = before.status_id if before else 0
    if after.status_id != previous:
        status = {"previous_status_id": previous, "new_status_id": after.status_id}
        events.append(order_event("statusUpdated", after, status=status))
    events += [
        transaction_event(after, t) for t in after.transactions if t.id not in old_transactions
    ]
    events += [
        order_event("refund/created", after, refund={"refund_id": r.id})
        for r in after.refunds
        if r.id not in old_refunds
    ]
    return events
