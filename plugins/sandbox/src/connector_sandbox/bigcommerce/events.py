"""What changed, as the events hooks subscribe to, queued for each hook that wants them.

Mischief on demand: events dropped, doubled, shuffled, late, or joined by forged ones. All copies
carry one `webhook-id`, as a real repeated delivery does.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connector_sandbox.bigcommerce.dates import epoch
from connector_sandbox.bigcommerce.store_api import STORE_ID

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from random import Random

    from connector_sandbox.app import Context
    from connector_sandbox.seed.model import Order, Transaction

HUNDRED = 100
FORGERIES = ("wrong_secret", "unsigned", "old_timestamp", "tampered")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `store/order/updated` with its thin data."""

    scope: str
    data: Mapping[str, Any]


@dataclass(slots=True)
class Mischief:
    """What goes wrong on the way; percentages, and seconds of the sandbox's clock.

    A doubled event comes two to `most_copies` times.
    """

    drop_percent: int = 0
    double_percent: int = 0
    most_copies: int = 2
    forge_percent: int = 0
    late_seconds: int = 0
    shuffle_seconds: int = 0


@dataclass(slots=True)
class Outbox:
    """Queues events as deliveries."""

    ctx: Context
    random: Random
    mischief: Mischief = field(default_factory=Mischief)

    def put(self, connection: sqlite3.Connection, events: Iterable[Event]) -> int:
        """Queue events inside the caller's transaction; gives back how many deliveries."""
        count = 0
        hooks = connection.execute("SELECT * FROM bc_hooks WHERE is_active = 1").fetchall()
        for event in events:
            for hook in hooks:
                if wants(hook["scope"], event.scope):
                    count += self._queue(connection, hook["id"], event)
        return count

    def _queue(self, connection: sqlite3.Connection, hook_id: int, event: Event) -> int:
        body = self.body(event)
        webhook_id = f"msg_{self.random.getrandbits(128):032x}"
        if self._happens(self.mischief.drop_percent):
            self._row(connection, hook_id, webhook_id, event.scope, body, state="dropped")
            return 0
        doubled = self._happens(self.mischief.double_percent)
        copies = self.random.randint(2, self.mischief.most_copies) if doubled else 1
        for _ in range(copies):
            self._row(connection, hook_id, webhook_id, event.scope, body)
        if self._happens(self.mischief.forge_percent):
            self.forge(connection, hook_id, event, self.random.choice(FORGERIES))
        return copies

    def forge(
        self, connection: sqlite3.Connection, hook_id: int, event: Event, forgery: str
    ) -> None:
        """Queue a delivery that did not come from BigCommerce."""
        webhook_id = f"msg_{self.random.getrandbits(128):032x}"
        number = FORGERIES.index(forgery) + 1
        self._row(connection, hook_id, webhook_id, event.scope, self.body(event), forged=number)

    def _happens(self, percent: int) -> bool:
        return self.random.random() * HUNDRED < percent

    def _row(
        self,
        connection: sqlite3.Connection,
        hook_id: int,
        webhook_id: str,
        scope: str,
        body: str,
        *,
        state: str = "waiting",
        forged: int = 0,
    ) -> None:
        due = self.ctx.clock.now().timestamp() + self.mischief.late_seconds
        due += self.random.random() * self.mischief.shuffle_seconds
        connection.execute(
            "INSERT INTO bc_deliveries"
            "(hook_id, webhook_id, scope, body, attempts, due, state, forged) "
            "VALUES(?,?,?,?,0,?,?,?)",
            (hook_id, webhook_id, scope, body, due, state, forged),
        )

    def body(self, event: Event) -> str:
        """The JSON BigCommerce posts. What its `hash` covers is a switch."""
        now = epoch(self.ctx.clock.now())
        hashed = json.dumps(event.data)
        if self.ctx.switches["bc.webhook_hash"] == "data_and_time":
            hashed += str(now)
        return json.dumps(
            {
                "scope": event.scope,
                "store_id": str(STORE_ID),
                "data": event.data,
                "hash": hashlib.sha1(hashed.encode()).hexdigest(),  # noqa: S324  BigCommerce's own
                "created_at": now,
                "producer": f"stores/{self.ctx.switches['bc.store_hash']}",
            },
            separators=(",", ":"),
        )


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
