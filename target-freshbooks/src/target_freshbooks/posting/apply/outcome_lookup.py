"""Outcome lookup: finds out what came of a write whose answer never arrived, before a repeat.

FreshBooks has no idempotency keys, its searches may not show a record for some seconds after it was
made, and a request that we gave up may still be carried out late. So a write counts as "did not
happen" only when a look finds nothing after the settle time has passed since the write.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from target_freshbooks.books.marks import marks_in
from target_freshbooks.freshbooks.errors import NotFound
from target_freshbooks.freshbooks.observed import ARCHIVED, DELETED, DRAFT
from target_freshbooks.ledger import IntentNotOpen, Link
from target_freshbooks.posting.apply import ownership
from target_freshbooks.posting.apply.effects import asked_first
from target_freshbooks.posting.apply.writer import client_links, item_links, summary
from target_freshbooks.posting.identity import (
    bears,
    invoice_key,
    invoice_link,
    is_marked,
    part_key,
    part_link,
    payment_link,
)
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.posting.plan.head import head_of, holds, remembered, wanted_head
from target_freshbooks.posting.plan.steps import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.freshbooks.observed import (
        ObservedClient,
        ObservedCreditNote,
        ObservedInvoice,
        ObservedItem,
        ObservedPayment,
    )
    from target_freshbooks.ledger import Intent, Ledger
    from target_freshbooks.ledger.intents import Outcome
    from target_freshbooks.ledger.link import LinkKind

T = TypeVar("T")
Row = TypeVar("Row", "ObservedClient", "ObservedItem")

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 3.0
HAPPENED = frozenset({"done", "found"})


class OutcomeLookup:
    """Closes open intents by looking at FreshBooks."""

    def __init__(
        self,
        books: FreshBooks,
        ledger: Ledger,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        settle_seconds: int,
    ) -> None:
        self._books = books
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._settle = timedelta(seconds=settle_seconds)

    def resolve(self, intent: Intent, *, since: datetime, answered: bool = False) -> bool:
        """Close the intent as found or not found.

        Args:
            intent: What was about to be written.
            since: When the write was last under way.
            answered: Whether the request is known not to be carried out later.

        Returns:
            Whether the write had happened.
        """
        deadline = since + self._settle
        # A change is read by its record's id, which shows it as soon as it is carried out.
        waits = not answered or intent.kind.startswith("create_")
        pause = FIRST_PAUSE
        while True:
            found = self._look(intent)
            if found is not None:
                answer, links = found
                return self._closed(intent, "found", answer, links)
            if not waits or self._clock() >= deadline:
                return self._closed(intent, "not_found", {}, [])
            self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _closed(
        self, intent: Intent, outcome: Outcome, answer: dict[str, Any], links: list[Link]
    ) -> bool:
        """Close the intent, and tell whether its write happened."""
        try:
            self._ledger.close(intent.id, outcome, answer=answer, links=links)
        except IntentNotOpen:
            recorded = self._recorded(intent)
            if recorded is None:
                raise
            for link in links:
                # Seen by us, so it is there, even if another's look came too early to see it.
                if self._ledger.link(link.kind, link.key) is None:
                    self._ledger.put_link(link)
            return outcome == "found" or recorded in HAPPENED
        return outcome in HAPPENED

    def _recorded(self, intent: Intent) -> str | None:
        """What another worker closed the intent as; None where it is not known to the ledger."""
        for row in self._ledger.audit_rows(intent.order_id):
            if row.data.get("intent") == intent.id and row.event != "intended":
                return row.event
        return None

    def _look(self, intent: Intent) -> tuple[dict[str, Any], list[Link]] | None:
        lookers: dict[str, Callable[[Intent], tuple[Any, list[Link]] | None]] = {
            StepKind.CREATE_CLIENT: self._client,
            StepKind.CREATE_ITEM: self._item,
            StepKind.CREATE_INVOICE: self._created_invoice,
            StepKind.CREATE_PAYMENT: self._payment,
            StepKind.CREATE_CREDIT_NOTE: self._credit_note,
            StepKind.UPDATE_INVOICE: self._changed_lines,
            StepKind.UPDATE_HEAD: self._changed_head,
            StepKind.ARCHIVE_INVOICE: self._archived,
            StepKind.MARK_SENT: self._sent,
            StepKind.UPDATE_PAYMENT: self._changed_payment,
            StepKind.DELETE_PAYMENT: self._deleted_payment,
            StepKind.DELETE_INVOICE: self._deleted_invoice,
            StepKind.DELETE_CREDIT_NOTE: self._deleted_credit_note,
            StepKind.DELETE_OVERPAYMENT: self._deleted_overpayment,
            StepKind.UPDATE_CLIENT: self._changed_client,
            StepKind.UPDATE_ITEM: self._changed_item,
        }
        found = lookers[intent.kind](intent)
        if found is None:
            return None
        record, links = found
        # Of a deleted record FreshBooks may show nothing any more.
        return {"id": intent.payload["remote_id"]} if record is None else summary(record), links

    def _client(self, intent: Intent) -> tuple[ObservedClient, list[Link]] | None:
        body = intent.payload["body"]
        email = body.get("email", "")
        if email:
            rows = self._books.find_clients(email)
        else:
            rows = self._books.find_clients_named(body["organization"])
        found, extra = _found(rows, intent)
        if found is None:
            return None
        content = intent.payload.get("content")
        own = Link("client", intent.key, found.id, content_hash=content, extra=extra)
        return found, client_links(self._ledger, own, email)

    def _item(self, intent: Intent) -> tuple[ObservedItem, list[Link]] | None:
        body = intent.payload["body"]
        if body.get("sku"):
            rows = self._books.find_items_by_sku(body["sku"])
        else:
            self._books.forget_items()
            rows = [row for row in self._books.find_items_by_name(body["name"]) if not row.sku]
        found, extra = _found(rows, intent)
        if found is None:
            return None
        content = intent.payload.get("content")
        sku = body.get("sku", "")
        return found, item_links(found, key=intent.key, sku=sku, content=content, extra=extra)

    def _changed_client(self, intent: Intent) -> tuple[ObservedClient, list[Link]] | None:
        remote_id, body = int(intent.payload["remote_id"]), intent.payload["body"]
        client = self._standing(lambda: self._books.client_with(remote_id, body))
        if client is None:
            return None
        own = self._changed(intent, client, "client")
        return client, client_links(self._ledger, own, client.email)

    def _changed_item(self, intent: Intent) -> tuple[ObservedItem, list[Link]] | None:
        remote_id, body = int(intent.payload["remote_id"]), intent.payload["body"]
        item = self._standing(lambda: self._books.item_with(remote_id, body))
        if item is None:
            return None
        own = self._changed(intent, item, "item")
        return item, item_links(
            item, key=own.key, sku=item.sku, content=own.content_hash, extra=own.extra
        )

    def _changed(
        self, intent: Intent, record: ObservedClient | ObservedItem, kind: LinkKind
    ) -> Link:
        """The link to a record of ours that holds what was written."""
        known = self._ledger.link(kind, intent.key) or Link(kind, intent.key, record.id)
        after = ownership.fields_of(record)
        extra = ownership.written(known, intent.payload["body"], after)
        return replace(
            known, remote_id=record.id, content_hash=intent.payload.get("content"), extra=extra
        )

    def _created_invoice(self, intent: Intent) -> tuple[ObservedInvoice, list[Link]] | None:
        body = intent.payload["body"]
        mark = marks_in(body.get("notes", ""), body.get("po_number", ""))[0]
        found = self._books.find_invoice(body["invoice_number"])
        if found is None or not is_marked(found, mark):
            return None
        return found, self._invoice_links(intent, found)

    def _changed_lines(self, intent: Intent) -> tuple[ObservedInvoice, list[Link]] | None:
        """Read by id and compare: only lines that are ours may renew the fingerprint."""
        invoice = self._invoice_of(intent)
        if invoice is None:
            return None
        if not wire.agree(wire.from_body(intent.payload["body"]), wire.standing(invoice)):
            return None
        return invoice, self._invoice_links(intent, invoice)

    def _changed_head(self, intent: Intent) -> tuple[ObservedInvoice, list[Link]] | None:
        """The next run compares the head by itself: what it finds agrees with the shop's."""
        invoice = self._invoice_of(intent)
        held = invoice is not None and holds(invoice, intent.payload["body"])
        return (invoice, self._invoice_links(intent, invoice)) if invoice and held else None

    def _archived(self, intent: Intent) -> tuple[ObservedInvoice, list[Link]] | None:
        invoice = self._invoice_of(intent)
        return None if invoice is None or invoice.vis_state != ARCHIVED else (invoice, [])

    def _deleted_overpayment(
        self, intent: Intent
    ) -> tuple[ObservedCreditNote | None, list[Link]] | None:
        """The payment's link keeps the credit until the next look shows that it is gone."""
        remote_id = int(intent.payload["remote_id"])
        note = self._standing(lambda: self._books.get_credit_note(remote_id))
        return None if note is not None and note.vis_state != DELETED else (note, [])

    def _sent(self, intent: Intent) -> tuple[ObservedInvoice, list[Link]] | None:
        invoice = self._invoice_of(intent)
        return None if invoice is None or invoice.status == DRAFT else (invoice, [])

    def _deleted_invoice(self, intent: Intent) -> tuple[ObservedInvoice | None, list[Link]] | None:
        invoice = self._invoice_of(intent)
        return None if invoice is not None and invoice.vis_state != DELETED else (invoice, [])

    def _invoice_of(self, intent: Intent) -> ObservedInvoice | None:
        return self._standing(lambda: self._books.get_invoice(int(intent.payload["remote_id"])))

    def _invoice_links(self, intent: Intent, invoice: ObservedInvoice) -> list[Link]:
        if intent.order_id is None:
            return []
        known = self._ledger.link("invoice", invoice_key(intent.order_id))
        content = intent.payload.get("content") or (known.content_hash if known else None)
        extra = known.extra if known else None
        link = invoice_link(invoice, intent.order_id, content=content, extra=extra)
        body = intent.payload["body"]
        if intent.kind == StepKind.CREATE_INVOICE:
            link = remembered(link, invoice, wanted_head(head_of(body), None))
        return [link]

    def _changed_payment(self, intent: Intent) -> tuple[ObservedPayment, list[Link]] | None:
        payment = self._payment_of(intent)
        wanted = Decimal(intent.payload["body"]["amount"]["amount"])
        if payment is None or payment.amount != wanted:
            return None
        return payment, [replace(self._payment_link(intent, payment.id), amount=wanted)]

    def _deleted_payment(self, intent: Intent) -> tuple[ObservedPayment | None, list[Link]] | None:
        payment = self._payment_of(intent)
        if intent.order_id is None or (payment is not None and payment.vis_state != DELETED):
            return None
        known = self._payment_link(intent, int(intent.payload["remote_id"]))
        return payment, [replace(known, deleted=True)]

    def _payment_link(self, intent: Intent, remote_id: int) -> Link:
        """What is remembered of the payment: a credit that FreshBooks made of it may stand."""
        known = self._ledger.link("payment", part_key(intent.order_id or 0, intent.key))
        new = part_link("payment", intent.order_id or 0, intent.key, remote_id)
        return replace(known or new, remote_id=remote_id)

    def _payment_of(self, intent: Intent) -> ObservedPayment | None:
        return self._standing(lambda: self._books.get_payment(int(intent.payload["remote_id"])))

    def _standing(self, read: Callable[[], T | None]) -> T | None:
        try:
            return read()
        except NotFound:
            return None

    def _payment(self, intent: Intent) -> tuple[ObservedPayment, list[Link]] | None:
        body = intent.payload["body"]
        for payment in self._books.payments_of(int(body["invoiceid"])):
            if bears(payment.note, body["note"]) and intent.order_id is not None:
                link = payment_link(payment, intent.order_id, intent.key)
                return payment, [replace(link, extra=asked_first(body, payment))]
        return None

    def _credit_note(self, intent: Intent) -> tuple[Any, list[Link]] | None:
        body = intent.payload["body"]
        for note in self._books.credit_notes_of(int(body["clientid"])):
            if bears(note.notes, body["notes"]) and intent.order_id is not None:
                link = part_link("credit_note", intent.order_id, intent.key, note.id)
                return note, [replace(link, amount=note.amount)]
        return None

    def _deleted_credit_note(
        self, intent: Intent
    ) -> tuple[ObservedCreditNote | None, list[Link]] | None:
        remote_id = int(intent.payload["remote_id"])
        note = self._standing(lambda: self._books.get_credit_note(remote_id))
        if intent.order_id is None or (note is not None and note.vis_state != DELETED):
            return None
        link = part_link("credit_note", intent.order_id, intent.key, remote_id, deleted=True)
        return note, [link]


def _found(rows: list[Row], intent: Intent) -> tuple[Row | None, dict[str, Any]]:
    """What an unanswered create made, with what the link says of it.

    Else what stands in its place, as something that a person made.
    """
    standing = [row for row in rows if row.vis_state != DELETED]
    body, since = intent.payload["body"], intent.opened_at
    ours = [row for row in standing if ownership.is_of_write(row, body, since)]
    if len(ours) == 1:
        return ours[0], ownership.made(ours[0])
    return next(iter(standing), None), {}
