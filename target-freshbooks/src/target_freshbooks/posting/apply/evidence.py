"""Evidence: what FreshBooks holds that shows whether a write without an answer was carried out.

Between a write and the look there may lie a night. So what is linked is what we asked for, and
never what a person made of it since: that is told like every change by hand.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar

from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.errors import NotFound
from target_freshbooks.freshbooks.observed import (
    ARCHIVED,
    DELETED,
    ObservedClient,
    ObservedCreditNote,
    ObservedExpense,
    ObservedInvoice,
    ObservedItem,
    ObservedPayment,
)
from target_freshbooks.ledger import Intent, Ledger, Link
from target_freshbooks.marks import STEM, Mark, marks_in
from target_freshbooks.posting.apply import as_asked, ownership
from target_freshbooks.posting.apply.effects import is_fulfilled, is_raise_capped
from target_freshbooks.posting.apply.writer import client_links, item_links
from target_freshbooks.posting.identity import (
    invoice_key,
    invoice_link,
    marked_text,
    part_key,
    part_link,
    record_link,
)
from target_freshbooks.posting.observe.by_mark import bears_mark
from target_freshbooks.posting.plan.head import head_of, with_head, written
from target_freshbooks.posting.plan.steps import DELETIONS, StepKind

Found = tuple[Any, list[Link]]
"""The Observed record, None if it is shown no more, and the links to remember."""


Row = TypeVar("Row", ObservedClient, ObservedItem)
Marked = TypeVar("Marked", ObservedInvoice, ObservedPayment, ObservedCreditNote, ObservedExpense)

MONTH = timedelta(days=31)
"""So much earlier than it was made out an expense is still looked for."""


class Evidence:
    """Looks for what a write left: a creation by its natural key, a change by the record's id."""

    def __init__(self, books: FreshBooks, ledger: Ledger) -> None:
        self._books = books
        self._ledger = ledger

    def of(self, intent: Intent) -> Found | None:
        """What the intent's write left; None if it is not to be seen."""
        makers: dict[StepKind, Callable[[Intent], Found | None]] = {
            StepKind.CREATE_CLIENT: self._client,
            StepKind.CREATE_ITEM: self._item,
            StepKind.CREATE_INVOICE: self._invoice,
            StepKind.CREATE_PAYMENT: self._payment,
            StepKind.CREATE_CREDIT_NOTE: self._credit_note,
            StepKind.CREATE_CORRECTION: self._correction,
            StepKind.CREATE_EXPENSE: self._expense,
        }
        kind = StepKind(intent.kind)
        return makers[kind](intent) if kind in makers else self._changed(intent, kind)

    # -- what was created

    def _client(self, intent: Intent) -> Found | None:
        body = intent.payload["body"]
        client, extra = _made(self._books.clients.matching(body), intent)
        if client is None:
            return None
        content = intent.payload.get("content")
        own = Link("client", intent.key, client.id, content_hash=content, extra=extra)
        return client, client_links(self._ledger, own, body.get("email", ""))

    def _item(self, intent: Intent) -> Found | None:
        body = intent.payload["body"]
        sku = body.get("sku", "")
        if sku:
            rows = self._books.items.of_sku(sku)
        else:
            self._books.items.forget()
            rows = [row for row in self._books.items.named(body["name"]) if not row.sku]
        item, extra = _made(rows, intent)
        if item is None:
            return None
        content = intent.payload.get("content")
        return item, item_links(item, key=intent.key, sku=sku, content=content, extra=extra)

    def _invoice(self, intent: Intent) -> Found | None:
        body = intent.payload["body"]
        invoice = self._of_mark(intent, body)
        if invoice is None:
            return None
        link = as_asked.invoice(self._invoice_link(intent, invoice), invoice, body)
        head, link = head_of(body), replace(link, extra={})
        return invoice, [written(link, with_head(invoice, head), head, None)]

    def _of_mark(self, intent: Intent, body: Mapping[str, Any]) -> ObservedInvoice | None:
        """The invoice of the body's mark; a person may have given it another number since."""
        mark = marks_in(body.get("notes", ""), body.get("po_number", ""))[0]
        day, invoices = date.fromisoformat(body["create_date"]), self._books.invoices
        numbered = invoices.find(body["invoice_number"])
        if numbered is not None and bears_mark(numbered, mark):
            return numbered
        rows = (row for row in invoices.naming_on(STEM, day) if bears_mark(row, mark))
        found = min(rows, key=lambda row: row.id, default=None)
        deleted = invoices.numbered(body["invoice_number"], deleted=True)
        return found or self._deleted(intent, mark, deleted)

    def _deleted(self, intent: Intent, mark: Mark, rows: Iterable[Marked]) -> Marked | None:
        """The deleted record that bears the mark and that no earlier write of ours was about."""
        for row in (row for row in rows if mark in marks_in(marked_text(row))):
            if row.id not in self._known(intent):
                return row
        return None

    def _known(self, intent: Intent) -> set[int]:
        """The ids of its order's records of the kind, as the ledger has them and ever had them."""
        order_id, record = _order_of(intent), StepKind(intent.kind).record
        kinds = {kind.value for kind in StepKind if kind.record == record}
        rows = (row.data for row in self._ledger.audit.rows(order_id))
        written_to = {row.get("answer", {}).get("id") for row in rows if row.get("kind") in kinds}
        links = self._ledger.links.of_order(order_id)
        return written_to | {link.remote_id for link in links if link.kind == record}

    def _payment(self, intent: Intent) -> Found | None:
        body, payments = intent.payload["body"], self._books.payments
        mark = marks_in(body["note"])[0]
        payment = _bearing(mark, payments.of_invoice(int(body["invoiceid"])))
        # Since it was made a person may have moved it.
        payment = payment or _bearing(mark, payments.noting(str(mark)))
        payment = payment or self._deleted(intent, mark, payments.noting(str(mark), deleted=True))
        if payment is None:
            return None
        link = record_link("payment", _order_of(intent), intent.key, payment)
        return payment, [as_asked.payment(link, payment, body)]

    def _credit_note(self, intent: Intent) -> Found | None:
        body, notes = intent.payload["body"], self._books.credit_notes
        mark, day = marks_in(body["notes"])[0], date.fromisoformat(body["create_date"])
        note = _bearing(mark, notes.of_client(int(body["clientid"])))
        # Since it was made a person may have given it, or its client's records, to another client.
        note = note or _bearing(mark, notes.naming(STEM, day))
        note = note or self._deleted(intent, mark, notes.naming(STEM, day, deleted=True))
        if note is None:
            return None
        link = part_link("credit_note", _order_of(intent), intent.key, note.id)
        return note, [replace(as_asked.credit_note(link, note, body), extra=_expression(intent))]

    def _correction(self, intent: Intent) -> Found | None:
        body = intent.payload["body"]
        invoice = self._of_mark(intent, body)
        if invoice is None:
            return None
        link = record_link("correction", _order_of(intent), intent.key, invoice)
        # A number or a day that a person gave it changes nothing of what it corrects.
        return invoice, [as_asked.invoice(link, invoice, {"lines": body["lines"]})]

    def _expense(self, intent: Intent) -> Found | None:
        body, expenses = intent.payload["body"], self._books.expenses
        mark, day = marks_in(body["notes"])[0], date.fromisoformat(body["date"])
        expense = _bearing(mark, expenses.dated(day))
        # Since it was made a person may have given it another day.
        expense = expense or _bearing(mark, expenses.naming(STEM, day - MONTH))
        expense = expense or self._deleted(
            intent, mark, expenses.naming(STEM, day - MONTH, deleted=True)
        )
        if expense is None:
            return None
        link = record_link("expense", _order_of(intent), intent.key, expense)
        return expense, [as_asked.dated(link, body)]

    # -- what was changed

    def _changed(self, intent: Intent, kind: StepKind) -> Found | None:
        remote_id = int(intent.payload["remote_id"])
        try:
            record = self._books.collections[kind.record].get(remote_id)
        except NotFound:
            record = None
        capped = kind is StepKind.UPDATE_PAYMENT and self._is_capped(intent, record)
        if not capped and not _shows(kind, intent.payload["body"], record):
            return None
        return record, self._links(intent, kind, remote_id, record)

    def _is_capped(self, intent: Intent, payment: ObservedPayment | None) -> bool:
        if payment is None:
            return False
        return is_raise_capped(
            self._payment_link(intent, payment.id), intent.payload["body"], payment
        )

    def _links(
        self,
        intent: Intent,
        kind: StepKind,
        remote_id: int,
        record: Any,  # noqa: ANN401 - the Observed record of the kind
    ) -> list[Link]:
        body = intent.payload["body"]
        match kind:
            case StepKind.UPDATE_CLIENT:
                return client_links(self._ledger, self._own(intent, kind, record), record.email)
            case StepKind.UPDATE_ITEM:
                own = self._own(intent, kind, record)
                return item_links(
                    record, key=own.key, sku=record.sku, content=own.content_hash, extra=own.extra
                )
            case StepKind.UPDATE_INVOICE if "lines" in body:
                named = {"invoice_number": intent.key, **body}
                return [as_asked.invoice(self._invoice_link(intent, record), record, named)]
            case StepKind.UPDATE_HEAD:
                known = self._ledger.links.get("invoice", invoice_key(_order_of(intent)))
                return [] if known is None else [written(known, record, body, None)]
            case StepKind.UPDATE_PAYMENT:
                return [as_asked.changed(self._payment_link(intent, remote_id), record, body)]
            case StepKind.DELETE_PAYMENT:
                return [replace(self._payment_link(intent, remote_id), deleted=True)]
            case StepKind.DELETE_CREDIT_NOTE | StepKind.DELETE_CORRECTION | StepKind.DELETE_EXPENSE:
                link = part_link(kind.record, _order_of(intent), intent.key, remote_id)
                return [replace(link, deleted=True, extra=_expression(intent))]
            case StepKind.UPDATE_CORRECTION | StepKind.UPDATE_EXPENSE:
                return [record_link(kind.record, _order_of(intent), intent.key, record)]
            case _:
                # A lone state or day is no part of what is remembered, and of an overpayment's
                # credit the next look shows that it is gone.
                return []

    def _own(self, intent: Intent, kind: StepKind, record: ObservedClient | ObservedItem) -> Link:
        """The link to a client or item of ours that holds what was written."""
        known = self._ledger.links.get(kind.record, intent.key)
        known = known or Link(kind.record, intent.key, record.id)
        after = ownership.fields_of(record)
        extra = ownership.written(known, intent.payload["body"], after)
        content = intent.payload.get("content")
        return replace(known, remote_id=record.id, content_hash=content, extra=extra)

    def _invoice_link(self, intent: Intent, invoice: ObservedInvoice) -> Link:
        known = self._ledger.links.get("invoice", invoice_key(_order_of(intent)))
        content = intent.payload.get("content") or (known.content_hash if known else None)
        extra = known.extra if known else None
        return invoice_link(invoice, _order_of(intent), content=content, extra=extra)

    def _payment_link(self, intent: Intent, remote_id: int) -> Link:
        """What is remembered of the payment: a credit that FreshBooks made of it may stand."""
        known = self._ledger.links.get("payment", part_key(_order_of(intent), intent.key))
        new = part_link("payment", _order_of(intent), intent.key, remote_id)
        return replace(known or new, remote_id=remote_id)


def _bearing(mark: Mark, rows: Iterable[Marked]) -> Marked | None:
    """The first of the records that bears the mark."""
    return next((row for row in rows if mark in marks_in(marked_text(row))), None)


def _expression(intent: Intent) -> dict[str, Any]:
    """What is remembered of the wording that a write was about; versions before noted none."""
    expression = intent.payload.get("expression")
    return {} if expression is None else {"expression": expression}


def _order_of(intent: Intent) -> int:
    """The order of a write that is an order's: only clients and items are written without one."""
    assert intent.order_id is not None  # noqa: S101 - as above
    return intent.order_id


def _shows(kind: StepKind, body: Mapping[str, Any], record: Any) -> bool:  # noqa: ANN401 - as above
    """Whether the record, None if FreshBooks has none any more, shows that it was changed so."""
    if record is None:
        return kind in DELETIONS
    if kind is StepKind.ARCHIVE_INVOICE:
        return bool(record.vis_state == ARCHIVED)
    if kind in {StepKind.UPDATE_CLIENT, StepKind.UPDATE_ITEM}:
        return ownership.has(record, body)
    return is_fulfilled(kind, body, record)


def _made(rows: list[Row], intent: Intent) -> tuple[Row | None, dict[str, Any]]:
    """What an unanswered create made, with what the link says of it.

    Else what stands in its place, as something that a person made.
    """
    standing = [row for row in rows if row.vis_state != DELETED]
    body, since = intent.payload["body"], intent.opened_at
    ours = [row for row in standing if ownership.is_of_write(row, body, since)]
    if len(ours) == 1:
        return ours[0], ownership.made_of(ours[0], body)
    return next(iter(standing), None), {}
