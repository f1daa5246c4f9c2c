"""What must hold after a run that ended well, by what happened to the shop and its books before.

The shop's side is the sandbox's own account of its orders, which knows nothing of the connector.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from sweeps import books, whose

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Iterable

D = Decimal
Document = dict[str, Any]
STORED_VALUE = ("Gift certificate", "Store credit")
REFUNDS_PAID = "Refunds paid"
CLOSED = "2026-10"
"""The month that is closed."""
CANCELLED, REFUNDED = 5, 4
PAID_BY_HAND = ("cash", "marketplace")
"""Kinds of orders whose money no transaction tells."""


def lines_named(names: Collection[str], invoices: Iterable[Document]) -> list[Document]:
    return [line for row in invoices for line in row["lines"] if line["name"] in names]


def amount_of(lines: Iterable[Document]) -> Decimal:
    return sum((D(line["qty"]) * D(line["unit_cost"]["amount"]) for line in lines), D(0))


class Promises:
    """What is known of one history, and whether the books agree with it.

    Attributes:
        world: Both sides of a sandbox.
        tally: How often each thing happened, `= ...` how often an order stood so after a run.
        orders: Their kinds, by id.
        october: Those of the month that is closed.
        cancelled: Those that were cancelled, perhaps taken up again.
        touched: Those whose invoice a person changed, with its lines; None if it was deleted.
        doubtful: Those that the shop changed while nobody remembered their invoice.
        edited: Those whose lines were changed in the shop.
        closed: What the closed month had of its orders when it was closed.
        is_refusing: Whether FreshBooks takes no negative lines on a paid invoice.
        held: The books, when last looked at.
    """

    world: ClassVar[Any]
    tally: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[int, str] = {}
        self.october: set[int] = set()
        self.cancelled: set[int] = set()
        self.touched: dict[int, list[str] | None] = {}
        self.doubtful: set[int] = set()
        self.edited: set[int] = set()
        self.closed: dict[int, Any] | None = None
        self.is_refusing = False
        self.held: dict[str, list[Document]] = {}

    def marked(self, mark: str) -> list[Document]:
        """The standing invoices that bear a mark."""
        line, rows = f"BigCommerce order {mark} (store sandbox)", self.held["invoices"]
        return [row for row in rows if row["vis_state"] == 0 and line in row["notes"].splitlines()]

    def look(self, order: int) -> Document | None:
        """Look into the books; the order's invoice, if it stands."""
        self.held = self.world.books()
        return self.standing(order)

    def standing(self, order: int) -> Document | None:
        """The order's invoice, if it stood when last looked at."""
        return next(iter(self.marked(str(order))), None)

    def paid(self, invoice: Document) -> list[Decimal]:
        """The standing payments of an invoice."""
        return [
            D(row["amount"]["amount"])
            for row in self.held["payments"]
            if row["invoiceid"] == invoice["id"] and row["vis_state"] == 0
        ]

    def figures(self, order: int) -> Any:
        """What the closed month's reports have of an order."""
        invoice = self.standing(order)
        if invoice is None or not invoice["create_date"].startswith(CLOSED):
            return None
        rows = [
            row["amount"]["amount"]
            for row in self.held["payments"]
            if row["invoiceid"] == invoice["id"] and row["date"].startswith(CLOSED)
            if row["vis_state"] == 0
        ]
        if invoice["v3_status"] == "draft":
            return None, rows
        lines = [(line["name"], line["qty"], line["unit_cost"]) for line in invoice["lines"]]
        return (invoice["amount"]["amount"], lines), rows

    def compare(self) -> None:
        """Nothing is twice, each order is as the shop says or says why not, no plan is left."""
        self.held = self.world.books()
        assert books.repeated(books.read(self.held)) == []
        assert whose.doubled(self.held) == []
        if not any(self.touched.values()):  # a person's edit may leave less than was paid
            notes = (row for row in self.held["credit_notes"] if row["vis_state"] == 0)
            assert all(row["credit_type"] != "overpayment" for row in notes), "paid too much"
        told = self.world.control("GET", "truth?placed=amazon:net")["orders"]
        truth = {row["order_id"]: row for row in told}
        with self.world.ledger() as ledger:
            rows = {row.order_id: row for row in ledger.orders.all()}
        for order in self.orders:
            assert order in rows, "an order is lost"
            if order in self.touched:
                self.is_left_alone(order)
            else:
                self.agrees(order, rows[order], truth[order])
                self.is_closed(order)
        self.world.plans_are_empty()

    def is_left_alone(self, order: int) -> None:
        """What a person wrote stands, what a person deleted does not."""
        lines = self.touched[order]
        invoice = self.standing(order)
        if lines is None:
            assert invoice is None, "a deleted invoice is back"
        elif lines and invoice:
            assert [line["name"] for line in invoice["lines"]] == lines

    def is_closed(self, order: int) -> None:
        """What the closed month had of the order is as it was."""
        if self.closed is not None and order in self.closed:
            assert self.figures(order) == self.closed[order], "a closed month was changed"

    def agrees(self, order: int, row: Any, true: Document) -> None:
        """The order is posted with the shop's amounts, parked for a reason, or not to be booked."""
        invoice = self.standing(order)
        self.tally[f"= {row.state} {row.reason or ''}"] += 1
        if row.state == "posted":
            assert invoice is not None, "posted without an invoice"
            beside = self.corrections(true)
            said = self.voided(true) or self.by_its_surplus(true, invoice, beside)
            self.comes_to(invoice, said, beside)
        elif row.state == "parked":
            assert row.reason in self.reasons(order, true), (row.reason, true)
        else:
            # Where nobody remembered the invoice, an order that was taken back waits beside it.
            assert row.state == "waiting"
            assert true["expect"] == "waiting"
            assert invoice is None or order in self.doubtful

    def comes_to(self, invoice: Document, true: Document, beside: list[Document]) -> None:
        """Invoice, payments and lines of stored value are as the shop says, with corrections."""
        back = amount_of(lines_named((REFUNDS_PAID,), beside))
        assert D(invoice["amount"]["amount"]) == D(true["invoice_total"]) + back
        assert sum(self.paid(invoice)) == D(true["paid"]) + back
        owed = amount_of(lines_named(STORED_VALUE, [invoice, *beside]))
        assert owed == sum(map(D, true["stored_value"].values()))

    def by_its_surplus(self, true: Document, invoice: Document, beside: list[Document]) -> Document:
        """What the shop says, or that and what refunds gave back of more that was paid by hand.

        An order that was edited down shows no more what had been paid for it.
        """
        order, total, paid = true["order_id"], D(true["invoice_total"]), D(true["paid"])
        taken_beside = amount_of(lines_named((REFUNDS_PAID,), beside))
        surplus = D(invoice["amount"]["amount"]) - total - taken_beside
        given = (D(one["money"]) + D(one["stored_value"]) for one in true["refunds"])
        back = sum(given)
        if self.orders[order] not in PAID_BY_HAND or order not in self.edited:
            return true
        if not 0 <= surplus <= back:
            return true
        return true | {"invoice_total": total + surplus, "paid": paid + surplus}

    def voided(self, true: Document) -> Document | None:
        """What stands of a cancelled order all of whose money went back."""
        if true["status_id"] != CANCELLED:
            return None
        assert self.world.settings["on_cancel"] == "void"
        assert D(true["captured"]) == sum(D(refund["money"]) for refund in true["refunds"])
        return {"invoice_total": "0.00", "paid": "0.00", "stored_value": {}}

    def corrections(self, true: Document) -> list[Document]:
        """What is booked beside the invoice of a closed month, an invoice over nothing each."""
        marks = [f"{true['order_id']}, refund {one['refund']}" for one in true["refunds"]]
        beside = [row for mark in marks for row in self.marked(mark)]
        assert all(D(row["amount"]["amount"]) == 0 for row in beside), "a correction is owed"
        assert not beside or self.closed is not None
        return beside

    def reasons(self, order: int, true: Document) -> set[str]:
        """Why the order may be parked."""
        may = {true["reason"]}
        if true["status_id"] == REFUNDED:
            may.add("refund_missing")  # edited since, so that less went back than it comes to
        if order in self.cancelled:
            may.add("cancelled_after_posting")
        if order in self.doubtful:
            may.add("edited_in_freshbooks")
        back = sum(D(one["money"]) + D(one["stored_value"]) for one in true["refunds"])
        if D(true["paid"]) < 0 or back > D(true["total"]):  # it was edited down since
            may |= {"refund_exceeds_payments", "refund_mismatch"}
        if self.is_refusing and (true["refunds"] or self.orders[order] in {"redeemed", "credit"}):
            may |= {"refund_refused", "refused_by_freshbooks"}
        if self.closed is not None and order in self.october:
            may.add("closed_period")
        return may
