"""FreshBooks' accounting API as the target uses it: one method, one request."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from connector_credentials.backoff import RetryPolicy

from . import parsing
from .collection import Body, Collection, Search, has_text, readable
from .errors import NotFound, UnknownOutcome
from .identity import Identity, parse_identity
from .observed import (
    ACTIVE,
    ARCHIVED,
    DELETED,
    ObservedClient,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedItem,
    ObservedPayment,
)
from .transport import Operation, RequestRecord, Tokens, Transport
from .wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date, datetime
    from random import Random

    from .pacing import Pacer

Row = TypeVar("Row", ObservedClient, ObservedItem)

_LINES: Search = (("include[]", "lines"),)
_ME = "/auth/api/v1/users/me"


class FreshBooks:
    """One FreshBooks account. Thread-safe.

    Bodies are what stands inside the singular key; amounts in them are text. Reads raise
    `Outage` when patience ends; writes may raise `UnknownOutcome`, and then the caller looks.

    Args:
        account_id: The accounting account; "" is enough for `me`.
        request_timeout: Seconds.
        max_retry_seconds: How long one operation may be tried again.
        clock: Aware UTC now.
        on_request: Told of each request, without personal data.
    """

    def __init__(
        self,
        *,
        api_url: str,
        account_id: str,
        tokens: Tokens,
        user_agent: str,
        request_timeout: float,
        max_retry_seconds: float,
        pacer: Pacer,
        random: Random,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self.account_id = account_id
        self._transport = Transport(
            Wire(api_url, user_agent=user_agent, timeout=request_timeout, on_request=on_request),
            tokens=tokens,
            pacer=pacer,
            policy=RetryPolicy(max_retry_seconds, random, sleep),
            clock=clock,
        )
        account = (self._transport, account_id)
        self._clients = Collection(*account, "users/clients", "client", parsing.client)
        self._items = Collection(*account, "items/items", "item", parsing.item)
        self._invoices = Collection(
            *account, "invoices/invoices", "invoice", parsing.invoice, include=_LINES
        )
        # What is booked on an invoice rests on what is outstanding there.
        self._payments = Collection(
            *account, "payments/payments", "payment", parsing.payment, waits_for_quota=False
        )
        self._credit_notes = Collection(
            *account, "credit_notes/credit_notes", "credit_note", parsing.credit_note
        )
        self._catalogue_lock = threading.Lock()
        self._catalogue: dict[int, ObservedItem] | None = None

    def check_before_writes(self, check: Callable[[], None]) -> None:
        """From now on call `check` directly before each write is sent; it raises to forbid it.

        Not an argument, because what is to be checked may come later than this object: the lock
        is over an account, and FreshBooks is asked first which accounts there are.
        """
        self._transport.before_write = check

    # -- who we are

    def me(self) -> Identity:
        """The user behind the tokens, with the accounts it belongs to."""
        operation = Operation("GET", _ME, {})
        return readable(operation, lambda: parse_identity(self._transport.run(operation)))

    # -- invoices

    def find_invoice(
        self, number: str, *, deleted: bool = False, lines: bool = True
    ) -> ObservedInvoice | None:
        """The invoice that bears exactly this number: the deleted one, or the other.

        A number is unique over active, archived and deleted.
        """
        search = (("search[invoice_number]", number), *(_LINES if lines else ()))
        ours = has_text("invoice_number", number)
        rows = self._invoices.rows(search, ours, deleted=deleted)
        return next(iter(rows), None)

    def invoices_dated(self, first: date, last: date) -> list[ObservedInvoice]:
        """All invoices of these days, both included, without their lines.

        FreshBooks documents the upper bound as exclusive, so a day more is asked for.
        """
        search = (
            ("search[date_min]", first.isoformat()),
            ("search[date_max]", (last + timedelta(days=1)).isoformat()),
        )
        rows = self._invoices.rows(search)
        return [row for row in rows if first <= row.create_date <= last]

    def invoices_naming(self, words: str, since: date | None) -> Iterator[ObservedInvoice]:
        """All invoices with these words in notes or purchase order number, with their lines.

        Of any day, or of `since` and later. FreshBooks cannot search for words: all pages of those
        days are read, one at a time.
        """

        def ours(row: Body) -> bool:
            return any(words in parsing.text(row, key) for key in ("notes", "po_number"))

        return self._invoices.rows((*_since(since), *_LINES), ours)

    def get_invoice(self, id: int) -> ObservedInvoice:  # noqa: A002 - FreshBooks' name
        """One invoice with its lines; a deleted one may come with `vis_state` 1 or as NotFound."""
        return self._invoices.get(id)

    def create_invoice(self, body: Body) -> ObservedInvoice:
        """A new invoice; it is a draft."""
        return self._invoices.create(body)

    def update_invoice(self, id: int, body: Body) -> ObservedInvoice:  # noqa: A002
        """Change fields; `lines`, if given, replaces all lines."""
        return self._invoices.update(id, body)

    def mark_sent(self, id: int) -> ObservedInvoice:  # noqa: A002
        """A draft becomes a receivable, without an e-mail to anybody."""
        return self._invoices.act(id, action_mark_as_sent=True)

    def delete_invoice(self, id: int) -> ObservedInvoice:  # noqa: A002
        """Hide it; its number stays taken."""
        return self._invoices.delete(id)

    def archive_invoice(self, id: int) -> ObservedInvoice:  # noqa: A002
        """File it away; it counts as before."""
        return self._invoices.act(id, vis_state=ARCHIVED)

    # -- payments

    def payments_of(self, invoice_id: int) -> list[ObservedPayment]:
        """The payments of one invoice but for deleted ones."""
        search = (("search[invoiceid]", str(invoice_id)),)
        ours = has_text("invoiceid", str(invoice_id))
        return list(self._payments.rows(search, ours))

    def payments_on(
        self, is_wanted: Callable[[int], bool], since: date | None
    ) -> Iterator[ObservedPayment]:
        """All payments, of any day or of `since` and later, on invoices whose ids are wanted."""

        def ours(row: Body) -> bool:
            return is_wanted(parsing.whole(row, "invoiceid", 0))

        return self._payments.rows(_since(since), ours)

    def get_payment(self, id: int) -> ObservedPayment:  # noqa: A002
        """One payment."""
        return self._payments.get(id)

    def create_payment(self, body: Body) -> ObservedPayment:
        """A new payment. Above what is outstanding FreshBooks caps it and makes a credit."""
        return self._payments.create(body)

    def update_payment(self, id: int, body: Body) -> ObservedPayment:  # noqa: A002
        """Change fields of a payment that is not deleted (this would restore a deleted one)."""
        return self._payments.update(id, body)

    def delete_payment(self, id: int) -> ObservedPayment:  # noqa: A002
        """Take it away; the invoice is outstanding again."""
        return self._payments.delete(id)

    # -- clients

    def find_clients(self, email: str) -> list[ObservedClient]:
        """All clients with this e-mail in any case; active before archived, then lowest id.

        The search may or may not heed case: after the given form come the one in lower case and
        the search for a part, which may be more lenient than the exact one.
        """
        wanted = email.strip()

        def ours(row: Body) -> bool:
            return parsing.text(row, "email").strip().casefold() == wanted.casefold()

        exact = [("search[email]", form) for form in dict.fromkeys((wanted, wanted.lower()))]
        for search in (*exact, ("search[email_like]", wanted.lower())):
            clients = _in_order(self._clients.rows((search,), ours))
            if clients:
                return clients
        return []

    def find_clients_named(self, organization: str) -> list[ObservedClient]:
        """All clients of exactly this organisation that have no e-mail; active ones first."""
        wanted = organization.strip()

        def ours(row: Body) -> bool:
            named = parsing.text(row, "organization").strip() == wanted
            return named and not parsing.text(row, "email").strip()

        return _in_order(self._clients.rows((("search[organization_like]", wanted),), ours))

    def count_clients(self, *, at_most: int) -> int:
        """How many clients there are, active and archived, counted to `at_most`."""
        return sum(1 for _ in islice(self._clients.rows(), at_most))

    def get_client(self, id: int) -> ObservedClient:  # noqa: A002
        """One client."""
        return self._clients.get(id)

    def client_with(self, id: int, body: Body) -> ObservedClient | None:  # noqa: A002
        """The client if its fields have these values, else None."""
        return self._clients.holding(id, body)

    def create_client(self, body: Body) -> ObservedClient:
        """A new client; FreshBooks does not mind that the e-mail exists already."""
        return self._clients.create(body)

    def update_client(self, id: int, body: Body) -> ObservedClient:  # noqa: A002
        """Change fields; invoices keep their copies of name and address."""
        return self._clients.update(id, body)

    # -- items

    def find_items_by_sku(self, sku: str) -> list[ObservedItem]:
        """The items with exactly this SKU; active before archived, then lowest id."""
        search = (("search[sku]", sku),)
        ours = has_text("sku", sku)
        return _in_order(self._items.rows(search, ours))

    def find_items_by_name(self, name: str) -> list[ObservedItem]:
        """The items of exactly this name; active before archived, then lowest id.

        FreshBooks cannot search by name. The first call reads the whole catalogue, later ones
        the memory of it, which this object's own writes keep up to date.
        """
        with self._catalogue_lock:
            if self._catalogue is None:
                self._catalogue = {row.id: row for row in self._items.rows()}
            return _in_order(row for row in self._catalogue.values() if row.name == name)

    def forget_items(self) -> None:
        """Read the catalogue anew at the next look by name (after an unknown outcome)."""
        with self._catalogue_lock:
            self._catalogue = None

    def get_item(self, id: int) -> ObservedItem:  # noqa: A002
        """One item."""
        return self._items.get(id)

    def item_with(self, id: int, body: Body) -> ObservedItem | None:  # noqa: A002
        """The item if its fields have these values, else None."""
        return self._items.holding(id, body)

    def create_item(self, body: Body) -> ObservedItem:
        """A new item."""
        return self._remember(lambda: self._items.create(body))

    def update_item(self, id: int, body: Body) -> ObservedItem:  # noqa: A002
        """Change fields."""
        return self._remember(lambda: self._items.update(id, body))

    def _remember(self, write: Callable[[], ObservedItem]) -> ObservedItem:
        try:
            item = write()
        except UnknownOutcome:
            self.forget_items()
            raise
        with self._catalogue_lock:
            if self._catalogue is not None:
                self._catalogue[item.id] = item
        return item

    # -- credit notes

    def credit_notes_of(self, client_id: int) -> list[ObservedCreditNote]:
        """The credit notes of one client but for deleted ones."""
        search = (("search[clientid]", str(client_id)),)
        ours = has_text("clientid", str(client_id))
        return list(self._credit_notes.rows(search, ours))

    def credit_notes_naming(self, words: str, since: date | None) -> Iterator[ObservedCreditNote]:
        """All credit notes with these words in their notes, of any day or of `since` and later."""

        def ours(row: Body) -> bool:
            return words in parsing.text(row, "notes")

        return self._credit_notes.rows(_since(since), ours)

    def get_credit_note(self, id: int) -> ObservedCreditNote:  # noqa: A002
        """One credit note."""
        return self._credit_notes.get(id)

    def overpayment_credit(self, id: int, client_id: int) -> ObservedCreditNote | None:  # noqa: A002
        """The credit that an overpayment made, as long as it stands; None where it does not.

        It is not documented which of a credit note's two ids a payment's `overpaymentid` is, so
        that one of another client, or one that a person made, is not taken for it.

        Args:
            id: `overpayment_id` of the payment.
            client_id: The client of the payment's invoice.
        """

        def fits(note: ObservedCreditNote) -> bool:
            made_by_it = note.credit_type == "overpayment" and note.client_id == client_id
            return made_by_it and note.vis_state != DELETED

        try:
            note = self.get_credit_note(id)
        except NotFound:
            pass
        else:
            if fits(note):
                return note
        rows = [row for row in self.credit_notes_of(client_id) if id in {row.id, row.credit_id}]
        return next(filter(fits, rows), None)

    def create_credit_note(self, body: Body) -> ObservedCreditNote:
        """A new credit note."""
        return self._credit_notes.create(body)

    def delete_credit_note(self, id: int) -> ObservedCreditNote:  # noqa: A002
        """Take it away."""
        return self._credit_notes.delete(id)


def _since(day: date | None) -> Search:
    return () if day is None else (("search[date_min]", day.isoformat()),)


def _in_order(records: Iterable[Row]) -> list[Row]:
    """Active before archived, then lowest id."""
    return sorted(records, key=lambda record: (record.vis_state != ACTIVE, record.id))
