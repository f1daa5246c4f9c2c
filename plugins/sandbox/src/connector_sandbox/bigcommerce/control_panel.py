"""The shop's control panel: changes orders, moves dates, queues what hooks are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connector_sandbox.bigcommerce.events import between
from connector_sandbox.bigcommerce.repository import Numbered, order_of, put_orders
from connector_sandbox.constants import BIGCOMMERCE
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

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from decimal import Decimal

    from connector_sandbox.bigcommerce.delivery_queue import DeliveryQueue
    from connector_sandbox.context import Context

Document = dict[str, Any]


class ControlPanel:
    """Creates and changes orders.

    All methods raise ValueError when the shop would not do what is asked, and NotThere for an
    order that does not exist.
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
        given = dict(document)
        now = self._now()
        pay = given.pop("pay", "stripe")
        given.setdefault("created", now.isoformat())
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

    def status(self, order_id: int, status_id: int) -> Order:
        """Set the status."""
        return self._change(
            order_id,
            lambda order, at, _: replace(order, status_id=status_id, modified=at),
            "order.status",
        )

    def edit(self, order_id: int, fields: Document) -> Order:
        """Set any fields of the order, `lines` too; changed lines keep the ids they give."""

        def change(order: Order, at: datetime, numbers: Numbers) -> Order:
            document = encode(order) | fields | {"modified": at.isoformat()}
            return assign_ids(decode(Order, document), numbers)

        return self._change(order_id, change, "order.edit")

    def lines(self, order_id: int, lines: object, keep_discounts: bool) -> Order:
        """Replace the lines. As a PUT does, this clears the discounts unless told otherwise."""
        fields: Document = {"lines": lines}
        if not keep_discounts:
            fields["discounts"] = []
        return self.edit(order_id, fields)

    def capture(self, order_id: int, amount: Decimal | None) -> Order:
        """Capture what was authorised, or a part; moves date_modified by switch."""

        def change(order: Order, at: datetime, numbers: Numbers) -> Order:
            taken = capture(order, amount, at, numbers)
            moves = self._ctx.switches["bc.capture_moves_modified"]
            return replace(taken, modified=at) if moves else taken

        return self._change(order_id, change, "order.capture")

    def transaction(self, order_id: int, document: Document) -> Order:
        """Add a transaction as it is; moves date_modified by the same switch."""

        def change(order: Order, at: datetime, numbers: Numbers) -> Order:
            made = decode(Transaction, document)
            made = replace(made, id=made.id or numbers.next("transaction"), at=made.at or at)
            moved = at if self._ctx.switches["bc.capture_moves_modified"] else order.modified
            return replace(order, transactions=(*order.transactions, made), modified=moved)

        return self._change(order_id, change, "order.transaction")

    def refund(self, order_id: int, document: Document) -> Order:
        """Refund; the document is a `seed.changes.RefundRequest`."""
        request = decode(RefundRequest, document)

        def change(order: Order, at: datetime, numbers: Numbers) -> Order:
            after = refund(order, request, at, numbers)
            if self._ctx.switches["bc.refund_objects"]:
                return after
            return replace(order, transactions=after.transactions, modified=at)

        return self._change(order_id, change, "order.refund")

    def decline(self, order_id: int, refund_id: int) -> Order:
        """The gateway declines a refund afterwards: no date moves and no event tells of it."""
        return self._change(
            order_id, lambda order, _at, _n: decline_refund(order, refund_id), "order.decline"
        )

    def cancel(self, order_id: int) -> Order:
        """Cancel; money stays where it is."""
        return self.status(order_id, CANCELLED)

    def archive(self, order_id: int) -> Order:
        """Archive, as DELETE /v2/orders/{id} does."""
        return self._change(
            order_id,
            lambda order, at, _: replace(order, is_deleted=True, modified=at),
            "order.archive",
        )

    def touch(self, order_id: int, at: datetime | None = None) -> Order:
        """Move date_modified and nothing else."""
        return self._change(
            order_id, lambda order, now, _: replace(order, modified=at or now), "order.touch"
        )

    def _now(self) -> datetime:
        return self._ctx.clock.now().astimezone(UTC).replace(microsecond=0)

    def _change(
        self, order_id: int, change: Callable[[Order, datetime, Numbers], Order], kind: str
    ) -> Order:
        with self._ctx.store.writing() as connection:
            found = order_of(connection, order_id)
            if found is None:
                raise NotThere(f"order {order_id}")
            before = found[0]
            after = change(before, self._now(), Numbered(connection))
            self._write(connection, before, after, kind, {"order_id": order_id})
        return after

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
            status=200,
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
