"""The shop's control panel: changes orders, moves dates, queues what hooks are told."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connector_sandbox.bigcommerce.delivery_queue import DeliveryQueue
from connector_sandbox.bigcommerce.events import between
from connector_sandbox.bigcommerce.repository import Numbered, order_of, put_orders
from connector_sandbox.constants import BIGCOMMERCE
from connector_sandbox.context import Context
from connector_sandbox.control_routes import NotThere
from connector_sandbox.decoding import decode, encode
from connector_sandbox.seed.changes import (
    CANCELLED,
    Numbers,
    RefundRequest,
    assign_ids,
    capture,
    check,
    credit_used,
    decline_refund,
    refund,
)
from connector_sandbox.seed.model import Order, ShipTo, Transaction
from connector_sandbox.seed.totals import compute
from connector_sandbox.switches import Switches

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Now:
    """When a change is made, with which ids and in what shop."""

    at: datetime
    numbers: Numbers
    switches: Switches


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is captured; the rest when None."""

    amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The status to set."""

    status_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The lines in place of those there are."""

    lines: Any
    keep_discounts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The refund that a gateway declines."""

    refund_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """When it was modified; now when None."""

    modified: datetime | None = None


def _status(order: Order, asked: Status, now: Now) -> Order:
    return replace(order, status_id=asked.status_id, modified=now.at)


def _edit(order: Order, asked: Document, now: Now) -> Order:
    """Set any fields of the order, `lines` too; changed lines keep the ids they give."""
    document = encode(order) | asked | {"modified": now.at.isoformat()}
    return assign_ids(decode(Order, document), now.numbers)


def _lines(order: Order, asked: Lines, now: Now) -> Order:
    """Replace the lines. As a PUT does, this clears the discounts unless told otherwise."""
    cleared: Document = {} if asked.keep_discounts else {"discounts": []}
    return _edit(order, {"lines": asked.lines, **cleared}, now)


def _capture(order: Order, asked: Amount, now: Now) -> Order:
    """Capture what was authorised, or a part; moves date_modified by switch."""
    return _money_moved(capture(order, asked.amount, now.at, now.numbers), now)


def _transaction(order: Order, asked: Transaction, now: Now) -> Order:
    """Add a transaction as it is; moves date_modified by the same switch."""
    number = asked.id or now.numbers.next("transaction")
    made = replace(asked, id=number, at=asked.at or now.at)
    return _money_moved(replace(order, transactions=(*order.transactions, made)), now)


def _money_moved(order: Order, now: Now) -> Order:
    moves = now.switches["bc.capture_moves_modified"]
    return replace(order, modified=now.at) if moves else order


def _refund(order: Order, asked: RefundRequest, now: Now) -> Order:
    after = refund(order, asked, now.at, now.numbers)
    if now.switches["bc.refund_objects"]:
        return after
    return replace(order, transactions=after.transactions, modified=now.at)


def _decline(order: Order, asked: Declined, _now: Now) -> Order:
    """The gateway declines a refund afterwards: no date moves and no event tells of it."""
    return decline_refund(order, asked.refund_id)


def _cancel(order: Order, _asked: Document, now: Now) -> Order:
    """Cancel; money stays where it is."""
    return _status(order, Status(status_id=CANCELLED), now)


def _archive(order: Order, _asked: Document, now: Now) -> Order:
    """Archive, as DELETE /v2/orders/{id} does."""
    return replace(order, is_deleted=True, modified=now.at)


def _touch(order: Order, asked: Touch, now: Now) -> Order:
    """Move date_modified and nothing else."""
    return replace(order, modified=asked.modified or now.at)


Change = Callable[[Order, Any, Now], Order]

CHANGES: dict[str, tuple[str, type, Change]] = {
    # the route's end, what the history calls it, what the body is
    "status": ("order.status", Status, _status),
    "edit": ("order.edit", dict, _edit),
    "lines": ("order.edit", Lines, _lines),
    "capture": ("order.capture", Amount, _capture),
    "transactions": ("order.transaction", Transaction, _transaction),
    "refund": ("order.refund", RefundRequest, _refund),
    "decline_refund": ("order.decline", Declined, _decline),
    "cancel": ("order.status", dict, _cancel),
    "archive": ("order.archive", dict, _archive),
    "touch": ("order.touch", Touch, _touch),
}


class ControlPanel:
    """Creates and changes orders.

    Both raise ValueError when the shop would not do what is asked, and NotThere for an order that
    does not exist.
    """

    def __init__(self, ctx: Context, queue: DeliveryQueue) -> None:
        self._ctx = ctx
        self._queue = queue

    def create(self, document: Document) -> Order:
        """Place an order from its compact document.

        Beside the fields of `seed.model.Order` the document may hold `pay`: a gateway's name
        (`stripe` when left out) which captures what is due, `authorize`, `offline`, or null for
        nothing at all. An order with `transactions` is left as it is.
        """
        if not isinstance(document, dict):
            raise ValueError(f"An order is a JSON object, not {document!r}.")  # noqa: TRY004  as below
        given = {"created": self._now().isoformat(), **document}
        pay = given.pop("pay", "stripe")
        given.setdefault("modified", given["created"])
        draft = decode(Order, given)
        if not draft.ship_to and any(line.kind == "physical" for line in draft.lines):
            draft = replace(draft, ship_to=(ShipTo(to=draft.billing),))
        check(draft)
        if "transactions" not in given:
            draft = _paid(draft, pay, given)
        with self._ctx.store.writing() as connection:
            order = assign_ids(draft, Numbered(connection))
            if order_of(connection, order.id) is not None:
                raise ValueError(f"There is an order {order.id} already.")
            self._write(connection, None, order, "order.create", document)
        return order

    def change(self, order_id: int, name: str, asked: object) -> Order:
        """Make one of the `CHANGES`."""
        kind, _, change = CHANGES[name]
        with self._ctx.store.writing() as connection:
            before = order_of(connection, order_id)
            if before is None:
                raise NotThere(f"order {order_id}")
            now = Now(self._now(), Numbered(connection), self._ctx.switches)
            after = change(before, asked, now)
            self._write(connection, before, after, kind, {"order_id": order_id})
        return after

    def _now(self) -> datetime:
        return self._ctx.clock.now().astimezone(UTC).replace(microsecond=0)

    def _write(
        self,
        connection: sqlite3.Connection,
        before: Order | None,
        after: Order,
        kind: str,
        body: Document,
    ) -> None:
        check(after)
        compute(after)  # raises what does not add up before anything is written
        put_orders(connection, [after])
        self._queue.put(connection, between(before, after))
        self._ctx.history.append(
            connection,
            side=BIGCOMMERCE,
            method="POST",
            path=f"/_sandbox/shop/orders/{after.id}",
            kind=kind,
            object_id=after.id,
            body=body,
        )


def _paid(draft: Order, pay: object, given: Document) -> Order:
    due = compute(draft).total_inc - credit_used(draft)
    if pay == "offline":
        method = given.get("payment_method", "Cash")
        return replace(draft, payment_status="", payment_method=method)
    if pay is None or due <= 0:
        return draft
    if not isinstance(pay, str):
        raise ValueError(f"pay takes a gateway, authorize, offline or null, not {pay!r}.")  # noqa: TRY004  callers answer 400 to ValueError
    if pay == "authorize":
        waiting = Transaction(event="authorization", amount=due)
        return replace(draft, transactions=(waiting,), payment_status="authorized")
    return replace(draft, transactions=(Transaction(amount=due, gateway=pay),))
