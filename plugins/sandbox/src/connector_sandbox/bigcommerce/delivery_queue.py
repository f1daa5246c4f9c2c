"""Deliveries that wait: each event for each hook that wants it.

Faults on demand: events dropped, doubled, shuffled, late, or joined by forged ones. All copies
carry one `webhook-id`, as a real repeated delivery does.
"""

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Annotated, Literal, get_args

from connector_sandbox.bigcommerce.dates import epoch
from connector_sandbox.bigcommerce.events import Event, wants
from connector_sandbox.bigcommerce.store_api import STORE_ID
from connector_sandbox.context import Context
from connector_sandbox.decoding import Within

HUNDRED = 100
Forgery = Literal["wrong_secret", "unsigned", "old_timestamp", "tampered"]
FORGERIES: tuple[Forgery, ...] = get_args(Forgery)
_Percent = Annotated[int, Within(0, HUNDRED)]
_Seconds = Annotated[int, Within(0, 10**8)]


@dataclass(frozen=True, slots=True)
class DeliveryFaults:
    """What goes wrong on the way; percentages, and seconds of the sandbox's clock.

    A doubled event comes two to `most_copies` times.
    """

    drop_percent: _Percent = 0
    double_percent: _Percent = 0
    most_copies: Annotated[int, Within(2, 100)] = 2
    forge_percent: _Percent = 0
    late_seconds: _Seconds = 0
    shuffle_seconds: _Seconds = 0


@dataclass(slots=True)
class DeliveryQueue:
    """Queues events as deliveries; `random` is for the faults alone."""

    ctx: Context
    random: Random
    faults: DeliveryFaults = DeliveryFaults()

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
        webhook_id = _new_id()
        if self._happens(self.faults.drop_percent):
            self._row(connection, hook_id, webhook_id, event.scope, body, state="dropped")
            return 0
        doubled = self._happens(self.faults.double_percent)
        copies = self.random.randint(2, self.faults.most_copies) if doubled else 1
        for _ in range(copies):
            self._row(connection, hook_id, webhook_id, event.scope, body)
        if self._happens(self.faults.forge_percent):
            self.forge(connection, hook_id, event, self.random.choice(FORGERIES))
        return copies

    def forge(
        self, connection: sqlite3.Connection, hook_id: int, event: Event, forgery: Forgery
    ) -> None:
        """Queue a delivery that did not come from BigCommerce."""
        webhook_id = _new_id()
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
        due = self.ctx.clock.now().timestamp() + self.faults.late_seconds
        due += self.random.random() * self.faults.shuffle_seconds
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
                "hash": hashlib.sha1(hashed.encode(), usedforsecurity=False).hexdigest(),
                "created_at": now,
                "producer": f"stores/{self.ctx.switches['bc.store_hash']}",
            },
            separators=(",", ":"),
        )


def _new_id() -> str:
    """An id that was never given before, by this process or one before it."""
    return f"msg_{uuid.uuid4().hex}"
