"""What the ledger knows of an order's records in FreshBooks: their ids, and how we left them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_freshbooks.books.marks import Mark
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.posting.state.load import load_recorded
from target_freshbooks.posting.state.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_freshbooks.ledger import Ledger, OrderRow

_ANSWERED = frozenset({"done", "found"})


@dataclass(frozen=True, slots=True)
class Left:
    """How we left a record in FreshBooks; None where that is not known."""

    amount: Decimal | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of an order.

    Attributes:
        order_id: The order.
        row: Where it stands; None where the ledger never heard of it.
        prefix: What this shop's invoice numbers begin with.
        store: The hash of the store.
        recorded: The ids of its records in FreshBooks.
        left: By "invoice", "payment" or "credit_note" and FreshBooks' id. The audit journal tells
            it, which stays when the order's bodies are dropped.
    """

    order_id: int
    row: OrderRow | None
    prefix: str
    store: str
    recorded: Recorded = field(default_factory=Recorded)
    left: Mapping[tuple[str, int], Left] = field(default_factory=dict)

    @property
    def mark(self) -> Mark:
        """What the order's invoice is marked with."""
        return Mark(self.order_id, self.store)

    @property
    def number(self) -> str:
        """The number the order's invoice has."""
        known = None if self.row is None else self.row.invoice_number
        return known or f"{self.prefix}{self.order_id}"

    @property
    def state(self) -> str | None:
        """The order's state; None where the ledger never heard of it."""
        return None if self.row is None else self.row.state

    @property
    def is_in_books(self) -> bool:
        """Whether FreshBooks should hold the order just as we left it.

        One that is parked may be in a person's hands. One that changed in the shop and was not
        looked at yet counts as new again, but what we wrote of it stands.
        """
        return self.state == "posted" or (self.state == "new" and self.recorded.known)

    def how_left(self, kind: str, remote_id: int) -> Left:
        """How we left that record."""
        return self.left.get((kind, remote_id), Left())


def known_of(ledger: Ledger, order_id: int, prefix: str, store: str) -> Known:
    """What the ledger knows of the order."""
    row = ledger.order(order_id)
    recorded = load_recorded(ledger, order_id)
    left = how_left(ledger, order_id) if recorded.known else {}
    return Known(order_id, row, prefix, store, recorded, left)


def how_left(ledger: Ledger, order_id: int) -> dict[tuple[str, int], Left]:
    """How our last writes left the order's invoice, payments and credit notes, by kind and id.

    Nothing where one of the order's audit rows was altered: what it said may be what counts.
    """
    days: dict[int, date] = {}
    left: dict[tuple[str, int], Left] = {}
    for entry in ledger.audit_rows(order_id):
        if entry.altered:
            return {}
        data, kind = entry.data, str(entry.data.get("kind", ""))
        if entry.event == "intended" and kind == StepKind.CREATE_PAYMENT:
            day = _day(data)
            if day is not None:
                days[data["intent"]] = day
        if entry.event not in _ANSWERED:
            continue
        answer = data.get("answer") or {}
        if "id" not in answer or "amount" not in answer:
            continue
        what = (kind.partition("_")[2], int(answer["id"]))
        if kind == StepKind.MARK_SENT:
            what = ("invoice", what[1])
        day = days.get(data["intent"]) or left.get(what, Left()).day
        left[what] = Left(Decimal(answer["amount"]), day)
    return left


def _day(data: Mapping[str, Any]) -> date | None:
    body = (data.get("payload") or {}).get("body") or {}
    try:
        return date.fromisoformat(str(body.get("date")))
    except ValueError:
        return None
