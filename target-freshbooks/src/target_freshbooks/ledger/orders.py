"""Where each order stands: new, waiting, posted or parked, and from which facts that follows."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from itertools import starmap
from typing import Any

from connector_credentials.masking import without_emails
from sqlalchemy import (
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from target_freshbooks.ledger.audit import redaction
from target_freshbooks.ledger.order_row import OrderRow
from target_freshbooks.ledger.section import Section, columns_of
from target_freshbooks.ledger.storage.database import paged
from target_freshbooks.ledger.storage.tables import links, orders

CHANGED = "changed_after_settling"
"""The notice on a settled order that changed in the shop since."""

_KEPT = (
    "terms",
    "invoice_day",
    "desired_hash",
    "invoice_number",
    "order_total",
    "currency",
    "order_date",
    "refunded",
    "redeemed",
    "payment_method",
    "unpaid",
    "paid_day",
    "paid_by_hand",
    "booking_day",
    "worked_out",
)
"""What is known of an order stays known if a later result does not mention it."""


# Made once: building a statement costs more than running it, and each order needs it.
_THIS = and_(orders.c.source == bindparam("of_source"), orders.c.order_id == bindparam("of_order"))
_ONE = select(*columns_of(orders, OrderRow)).where(_THIS)
_REOPEN = update(orders).where(_THIS, orders.c.state != "new").values(state="new")


class Orders(Section):
    """The orders of one shop."""

    def get(self, order_id: int) -> OrderRow | None:
        """Read where an order stands; None if the shop never spoke of it."""
        row = self._row(_ONE, of_source=self._source, of_order=order_id)
        return None if row is None else OrderRow(*row)

    def all(self, *, state: str | None = None, since: date | None = None) -> Iterator[OrderRow]:
        """Read orders by id, page by page.

        Args:
            state: Only those in this state.
            since: Only those of this day (the shop's) or later, and those whose day is unknown.
        """
        statement = self._select()
        if state is not None:
            statement = statement.where(orders.c.state == state)
        if since is not None:
            day = orders.c.order_date
            statement = statement.where(or_(day >= since, day.is_(None)))
        return starmap(OrderRow, paged(self._rows, statement, orders.c.order_id))

    def noticed(self) -> list[OrderRow]:
        """Read the orders of which something was noticed after they were posted or settled."""
        statement = self._select().where(orders.c.notice.is_not(None)).order_by(orders.c.order_id)
        return list(starmap(OrderRow, self._rows(statement)))

    def locked_out(self) -> list[OrderRow]:
        """Read the orders that FreshBooks' lock keeps waiting, those of the latest days first."""
        kept = self._select().where(orders.c.state == "parked", orders.c.locked_day.is_not(None))
        latest_first = kept.order_by(orders.c.locked_day.desc(), orders.c.order_id)
        return list(starmap(OrderRow, self._rows(latest_first)))

    def days_without_invoice(self, order_ids: Collection[int]) -> dict[int, date]:
        """Read the days of those orders that no link to an invoice is kept of, by id."""
        linked = exists().where(
            links.c.source == self._source,
            links.c.kind == "invoice",
            links.c.order_id == orders.c.order_id,
        )
        of_source = orders.c.source == self._source
        some = and_(of_source, orders.c.order_id.in_(order_ids), orders.c.order_date.is_not(None))
        rows = self._rows(select(orders.c.order_id, orders.c.order_date).where(some, ~linked))
        return {row.order_id: row.order_date for row in rows}

    def any_posted(self) -> bool:
        """Whether any order was ever posted."""
        return bool(self._rows(self._select().where(orders.c.posted_at.is_not(None)).limit(1)))

    def any_waiting(self, reason: str) -> bool:
        """Whether any order waits for this reason."""
        waits = and_(orders.c.state == "waiting", orders.c.reason == reason)
        return bool(self._rows(self._select().where(waits).limit(1)))

    def counts(self) -> dict[str, Any]:
        """Count the orders by state (`new`, `waiting`, ...), and by reason.

        The latter are `waiting_reasons` and `parked_reasons`.
        """
        by_state = {"new": 0, "waiting": 0, "posted": 0, "parked": 0, "settled": 0}
        by_reason: dict[str, dict[str, int]] = {"waiting": {}, "parked": {}}
        keys = (orders.c.state, orders.c.reason)
        counted = select(*keys, func.count()).where(orders.c.source == self._source)
        for state, reason, number in self._rows(counted.group_by(*keys).order_by(*keys)):
            by_state[state] += number
            if state in by_reason and reason is not None:
                by_reason[state][reason] = number
        return by_state | {f"{state}_reasons": numbers for state, numbers in by_reason.items()}

    def payment_methods(self) -> dict[tuple[str, bool], int]:
        """Count the orders in the books by method of payment, those left open apart."""
        keys = (orders.c.payment_method, orders.c.left_open)
        counted = select(*keys, func.count()).where(
            orders.c.source == self._source,
            orders.c.payment_method.is_not(None),
            orders.c.posted_at.is_not(None),
        )
        numbers: dict[tuple[str, bool], int] = {}
        for method, left_open, number in self._rows(counted.group_by(*keys).order_by(*keys)):
            at = (method, bool(left_open))
            numbers[at] = numbers.get(at, 0) + number
        return numbers

    def record(
        self,
        result: OrderRow,
        *,
        booked: bool = False,
        event: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Write how an order came out.

        What is None of its figures, terms and hash of the desired state stays as it was; `reason`,
        `detail`, `words`, `next_step`, `locked_day` and `notice` are replaced. The times are the
        ledger's.

        Args:
            result: How it came out; `run_id` names the run.
            booked: The books hold it, though perhaps not all of it: its terms stay from now on.
            event: If given, an audit row of this event is written in the same transaction.
            data: The data of that audit row.

        Raises:
            LockLost: Another run has the account.
        """
        now = self._clock()
        posted_at = now if booked or result.state == "posted" else None
        values = asdict(result) | {"posted_at": posted_at, "updated_at": now}
        with self._database.write_as_holder() as connection:
            row = values | {"source": self._source}
            self._put(connection, orders, row, known=_KEPT, first=("posted_at",))
            if event is not None:
                shown = redaction.of_data(data or {})
                self._note(connection, event, result.order_id, result.run_id or "", shown)

    def note_payment(self, order_id: int, paid_day: date | None) -> None:
        """Note that the order became paid on a day, or is unpaid (None)."""
        self._set(order_id, {"unpaid": paid_day is None, "paid_day": paid_day})

    def note_paid_by_hand(self, order_id: int, amount: Decimal) -> None:
        """Note what is booked of the order as paid without a transaction."""
        self._set(order_id, {"paid_by_hand": amount})

    def note_look(self, order_id: int) -> None:
        """Note that nothing is to be done though the order came again, so that it may be dropped.

        Retention keeps what came in after an order was looked at.
        """
        self._set(order_id, {})

    def choose_day(self, order_id: int, day: date, run_id: str) -> None:
        """Keep the open day that a person chose for an order; with its audit row."""
        data = {"day": day.isoformat()}
        self._set(order_id, {"booking_day": day}, "day_chosen", run_id, data)

    # -- orders that a person has settled: the connector leaves them alone until they are reopened

    def settle_by_hand(
        self, order_id: int, note: str, run_id: str, *, facts_hash: str | None
    ) -> None:
        """Leave an order to a person, whatever its state; with its audit row.

        Args:
            order_id: The order.
            note: What the person did; it takes the place of why.
            run_id: Who writes this.
            facts_hash: What is known of the order now, so that a later change is noticed; None if
                its records are not here: then what the last result rested on stands.
        """
        values = {
            "state": "settled",
            "reason": None,
            "detail": without_emails(note),
            "words": None,
            "next_step": None,
            "notice": None,
            "locked_day": None,
        }
        known = {} if facts_hash is None else {"facts_hash": facts_hash}
        self._set(order_id, values | known, "settled", run_id, redaction.of_data({"note": note}))

    def reopen(self, order_id: int, run_id: str) -> None:
        """Take a settled order up again: it counts as new; with its audit row."""
        self._set(order_id, {"state": "new", "detail": None, "notice": None}, "reopened", run_id)

    def note_change_after_settling(self, order_id: int, facts_hash: str, run_id: str) -> None:
        """Note, with its audit row, that the shop changed a settled order.

        The next change is noticed again.
        """
        self._set(order_id, {"notice": CHANGED, "facts_hash": facts_hash}, CHANGED, run_id)

    def _set(
        self,
        order_id: int,
        values: dict[str, Any],
        event: str | None = None,
        run_id: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Change columns of an order's row; with the run and an audit row, if an event is given."""
        values = values | {"updated_at": self._clock()} | ({"run_id": run_id} if event else {})
        with self._database.write_as_holder() as connection:
            connection.execute(_of(self._source, order_id).values(values))
            if event is not None:
                self._note(connection, event, order_id, run_id, data or {})

    def _select(self) -> Select[Any]:
        return select(*columns_of(orders, OrderRow)).where(orders.c.source == self._source)


def reopen(connection: Connection, source: str, order_id: int) -> None:
    """Make an order's result void: it is being changed, and may stay half-way."""
    connection.execute(_REOPEN, {"of_source": source, "of_order": order_id})


def _of(source: str, order_id: int) -> Update:
    return update(orders).where(orders.c.source == source, orders.c.order_id == order_id)
