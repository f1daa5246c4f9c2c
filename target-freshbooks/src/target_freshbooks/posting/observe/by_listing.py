"""Observer by listing: reads FreshBooks' lists once, and finds the part of each order in them.

Asking about each order costs two or three requests an order; the lists cost one for a hundred
records. They are kept in a database of their own, which SQLite holds in memory as long as it is
small and else in a file without a name, so memory does not grow with the books, and nothing stays
behind.
"""

import pickle  # nosec B403
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Self

from target_freshbooks.books.closed import BOOKED_AS_EXPENSE
from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.observed import (
    ObservedCreditNote,
    ObservedExpense,
    ObservedInvoice,
)
from target_freshbooks.marks import STEM, Mark, marks_in
from target_freshbooks.posting.context import OrderContext
from target_freshbooks.posting.identity import marked_text, marks_of, refund_named
from target_freshbooks.posting.observe.by_request import Observer, RequestObserver
from target_freshbooks.posting.state import Observed, Recorded

_TABLES = """
CREATE TABLE invoices (order_id INTEGER, id INTEGER, record BLOB, PRIMARY KEY (order_id, id));
CREATE INDEX invoices_id ON invoices (id);
CREATE TABLE payments (invoice_id INTEGER, id INTEGER, record BLOB, PRIMARY KEY (invoice_id, id));
CREATE TABLE credit_notes (order_id INTEGER, id INTEGER, record BLOB, PRIMARY KEY (order_id, id));
CREATE TABLE corrections (order_id INTEGER, id INTEGER, record BLOB, PRIMARY KEY (order_id, id));
CREATE TABLE expenses (order_id INTEGER, id INTEGER, record BLOB, PRIMARY KEY (order_id, id));
CREATE TABLE looked_at (order_id INTEGER PRIMARY KEY);
"""


def stores_named(books: FreshBooks, since: date | None) -> set[str]:
    """The hashes of the stores whose orders have an invoice."""
    invoices = books.invoices.naming(STEM, since)
    return {mark.store for invoice in invoices for mark in marks_of(invoice)}


class BulkListing:
    """All invoices and credit notes that name an order of a shop, and the payments on them."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")  # one transaction, never committed: nobody else reads it

    @classmethod
    def read(cls, books: FreshBooks, store: str, since: date | None) -> Self:
        """Read the lists: a request for each hundred invoices, payments and credit notes.

        Args:
            books: FreshBooks.
            store: The hash of the store whose orders are meant.
            since: Only what is dated this day or later.
        """
        lists, spent = cls(store), False
        for invoice in books.invoices.naming(STEM, since):
            for order_id in _orders_named_by(invoice, store):
                lists._put("invoices", order_id, invoice.id, invoice)
            corrected = _order_of_refund(invoice, store)
            if corrected is not None:
                spent |= BOOKED_AS_EXPENSE in invoice.notes.splitlines()
                lists._put("corrections", corrected, invoice.id, invoice)
        # Their scope is needed only if expenses are written.
        for expense in books.expenses.naming(STEM, since) if spent else ():
            order_spent = _order_of_refund(expense, store)
            if order_spent is not None:
                lists._put("expenses", order_spent, expense.id, expense)
        for payment in books.payments.on(lists._has_invoice, since):
            lists._put("payments", payment.invoice_id, payment.id, payment)
        for note in books.credit_notes.naming(STEM, since):
            credited = _order_of_refund(note, store)
            if credited is not None:
                lists._put("credit_notes", credited, note.id, note)
        return lists

    def close(self) -> None:
        """Forget all."""
        self._database.close()

    def of(self, order_id: int, recorded: Recorded, prefix: str) -> Observed:
        """What the lists have of an order; it counts as looked at from now on.

        Args:
            order_id: The order.
            recorded: What the ledger knows of it.
            prefix: What this shop's invoice numbers begin with.
        """
        self._database.execute("INSERT OR IGNORE INTO looked_at VALUES (?)", (order_id,))
        marked: list[ObservedInvoice] = self._get("invoices", "order_id", order_id)
        number, own_id = recorded.number or f"{prefix}{order_id}", recorded.invoice_id
        own = next(
            (
                row
                for row in marked
                if (row.number == number if own_id is None else row.id == own_id)
            ),
            None,
        )
        mark = Mark(order_id, self._store)
        correcting: list[ObservedInvoice] = self._get("corrections", "order_id", order_id)
        spent: list[ObservedExpense] = self._get("expenses", "order_id", order_id)
        corrections = {refund_named(row, mark): row for row in reversed(correcting)}
        expenses = {refund_named(row, mark): row for row in reversed(spent)}
        more = [row for row in correcting if row not in corrections.values()]
        return Observed(
            own,
            () if own is None else tuple(self._get("payments", "invoice_id", own.id)),
            tuple(self._get("credit_notes", "order_id", order_id)),
            others=tuple(row for row in (*marked, *more) if row is not own),
            corrections={key: row for key, row in corrections.items() if key is not None},
            expenses={key: row for key, row in expenses.items() if key is not None},
        )

    def not_looked_at(self) -> Iterator[int]:
        """The orders the lists name that nobody has asked for yet, by id."""
        rows = self._database.execute(
            "SELECT order_id FROM invoices UNION SELECT order_id FROM credit_notes"
            " UNION SELECT order_id FROM corrections"
            " EXCEPT SELECT order_id FROM looked_at ORDER BY order_id"
        ).fetchall()
        yield from (int(row[0]) for row in rows)

    def _has_invoice(self, invoice_id: int) -> bool:
        row = self._database.execute(
            "SELECT 1 FROM invoices WHERE id = ? LIMIT 1", (invoice_id,)
        ).fetchone()
        return row is not None

    def _put(self, table: str, group: int, id_: int, record: object) -> None:
        self._database.execute(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)",  # noqa: S608 - a name of ours
            (group, id_, pickle.dumps(record)),
        )

    def _get(self, table: str, column: str, group: int) -> list[Any]:
        rows = self._database.execute(
            f"SELECT record FROM {table} WHERE {column} = ? ORDER BY id",  # noqa: S608 - ours
            (group,),
        )
        # Nobody but this process can have put anything there.
        return [pickle.loads(row[0]) for row in rows]  # nosec B301 # noqa: S301


def _orders_named_by(invoice: ObservedInvoice, store: str) -> set[int]:
    """The store's orders whose mark the invoice bears."""
    return {mark.order_id for mark in marks_of(invoice) if mark.store == store}


def _order_of_refund(
    record: ObservedCreditNote | ObservedInvoice | ObservedExpense, store: str
) -> int | None:
    """The store's order whose refund the record is marked with."""
    marks = [mark for mark in marks_in(marked_text(record)) if mark.store == store]
    return next((mark.order_id for mark in marks if mark.refund_id is not None), None)


class ListedObserver(Observer):
    """Knows from lists what FreshBooks holds for one order; asks for what no list shows."""

    def __init__(self, listed: Observed, requests: RequestObserver) -> None:
        self._listed = listed
        self._requests = requests

    def invoice(self, recorded: Recorded, number: str) -> ObservedInvoice | None:
        """The one that was found in the lists."""
        del recorded, number
        return self._listed.invoice

    def find(self, number: str, mark: Mark) -> ObservedInvoice | None:
        """The same."""
        del number, mark
        return self._listed.invoice

    def around(self, context: OrderContext, invoice: ObservedInvoice) -> Observed:
        """The same with the credits that stand of what FreshBooks capped."""
        listed = replace(self._listed, invoice=invoice)
        return self._requests.with_overpayments(context, listed)
