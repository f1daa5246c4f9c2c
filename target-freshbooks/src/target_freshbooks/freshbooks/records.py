"""The collections of FreshBooks' accounting API, with the searches that the target makes."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from typing_extensions import override

from . import parsing
from .collection import Body, Collection, Search, has_text
from .errors import NotFound, UnknownOutcome
from .observed import (
    ACTIVE,
    DELETED,
    ObservedClient,
    ObservedCreditNote,
    ObservedInvoice,
    ObservedItem,
    ObservedPayment,
    ObservedTax,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .transport import Transport

Row = TypeVar("Row", ObservedClient, ObservedItem)

_LINES: Search = (("include[]", "lines"),)


class Invoices(Collection[ObservedInvoice]):
    """Invoices. Their numbers are unique over active, archived and deleted ones.

    A new one is a Draft. `lines`, if given in a change, replaces all lines. A deleted one may be
    answered with `vis_state` 1 or as `NotFound`.
    """

    path = "invoices/invoices"
    singular = "invoice"
    parse = staticmethod(parsing.invoice)
    include = _LINES

    def find(
        self, number: str, *, deleted: bool = False, lines: bool = True
    ) -> ObservedInvoice | None:
        """The invoice that bears exactly this number: the deleted one, or the other.

        A number is unique over active, archived and deleted.
        """
        search = (("search[invoice_number]", number), *(_LINES if lines else ()))
        ours = has_text("invoice_number", number)
        rows = self.rows(search, ours, deleted=deleted)
        return next(iter(rows), None)

    def dated(self, first: date, last: date) -> list[ObservedInvoice]:
        """All invoices of these days, both included, without their lines.

        FreshBooks documents the upper bound as exclusive, so a day more is asked for.
        """
        search = (
            ("search[date_min]", first.isoformat()),
            ("search[date_max]", (last + timedelta(days=1)).isoformat()),
        )
        rows = self.rows(search)
        return [row for row in rows if first <= row.create_date <= last]

    def until(self, last: date) -> Iterator[ObservedInvoice]:
        """All invoices of the day and of earlier ones, with their lines, a page at a time."""
        search = ("search[date_max]", (last + timedelta(days=1)).isoformat())
        return (row for row in self.rows((search, *_LINES)) if row.create_date <= last)

    def naming(self, words: str, since: date | None) -> Iterator[ObservedInvoice]:
        """All invoices with these words in notes or purchase order number, with their lines.

        Of any day, or of `since` and later. FreshBooks cannot search for words: all pages of those
        days are read, one at a time.
        """

        def ours(row: Body) -> bool:
            return any(words in parsing.text(row, key) for key in ("notes", "po_number"))

        return self.rows((*_since(since), *_LINES), ours)


class Payments(Collection[ObservedPayment]):
    """Payments. Above what is outstanding FreshBooks caps a new one and makes a credit.

    An ordinary change restores a deleted one.
    """

    path = "payments/payments"
    singular = "payment"
    parse = staticmethod(parsing.payment)
    waits_for_quota = False  # what is booked on an invoice rests on what is outstanding there

    def of_invoice(self, invoice_id: int) -> list[ObservedPayment]:
        """The payments of one invoice but for deleted ones."""
        search = (("search[invoiceid]", str(invoice_id)),)
        ours = has_text("invoiceid", str(invoice_id))
        return list(self.rows(search, ours))

    def on(self, is_wanted: Callable[[int], bool], since: date | None) -> Iterator[ObservedPayment]:
        """All payments, of any day or of `since` and later, on invoices whose ids are wanted."""

        def ours(row: Body) -> bool:
            return is_wanted(parsing.whole(row, "invoiceid", 0))

        return self.rows(_since(since), ours)


class Clients(Collection[ObservedClient]):
    """Clients. FreshBooks does not mind that an e-mail exists already.

    Invoices keep their copies of a client's name and address.
    """

    path = "users/clients"
    singular = "client"
    parse = staticmethod(parsing.client)

    def of_email(self, email: str) -> list[ObservedClient]:
        """All clients with this e-mail in any case; active before archived, then lowest id.

        The search may or may not heed case: after the given form come the one in lower case and
        the search for a part, which may be more lenient than the exact one.
        """
        wanted = email.strip()

        def ours(row: Body) -> bool:
            return parsing.text(row, "email").strip().casefold() == wanted.casefold()

        exact = [("search[email]", form) for form in dict.fromkeys((wanted, wanted.lower()))]
        for search in (*exact, ("search[email_like]", wanted.lower())):
            clients = _in_order(self.rows((search,), ours))
            if clients:
                return clients
        return []

    def matching(self, body: Body) -> list[ObservedClient]:
        """Those that a client made of the body would be a second one of."""
        email = body.get("email")
        return self.of_email(email) if email else self.named(body["organization"])

    def named(self, organization: str) -> list[ObservedClient]:
        """All clients of exactly this organisation that have no e-mail; active ones first."""
        wanted = organization.strip()

        def ours(row: Body) -> bool:
            named = parsing.text(row, "organization").strip() == wanted
            return named and not parsing.text(row, "email").strip()

        return _in_order(self.rows((("search[organization_like]", wanted),), ours))

    def count(self, *, at_most: int) -> int:
        """How many clients there are, active and archived, counted to `at_most`."""
        return sum(1 for _ in islice(self.rows(), at_most))


class Items(Collection[ObservedItem]):
    """Items of the catalogue."""

    path = "items/items"
    singular = "item"
    parse = staticmethod(parsing.item)

    def __init__(self, transport: Transport, account_id: str) -> None:
        super().__init__(transport, account_id)
        self._catalogue_lock = threading.Lock()
        self._catalogue: dict[int, ObservedItem] | None = None

    def of_sku(self, sku: str) -> list[ObservedItem]:
        """The items with exactly this SKU; active before archived, then lowest id."""
        search = (("search[sku]", sku),)
        ours = has_text("sku", sku)
        return _in_order(self.rows(search, ours))

    def named(self, name: str) -> list[ObservedItem]:
        """The items of exactly this name; active before archived, then lowest id.

        FreshBooks cannot search by name. The first call reads the whole catalogue, later ones
        the memory of it, which this object's own writes keep up to date.
        """
        with self._catalogue_lock:
            if self._catalogue is None:
                self._catalogue = {row.id: row for row in self.rows()}
            return _in_order(row for row in self._catalogue.values() if row.name == name)

    def forget(self) -> None:
        """Read the catalogue anew at the next look by name (after an unknown outcome)."""
        with self._catalogue_lock:
            self._catalogue = None

    @override
    def create(self, body: Body) -> ObservedItem:
        return self._remember(lambda: super(Items, self).create(body))

    @override
    def update(self, id: int, body: Body) -> ObservedItem:
        return self._remember(lambda: super(Items, self).update(id, body))

    def _remember(self, write: Callable[[], ObservedItem]) -> ObservedItem:
        try:
            item = write()
        except UnknownOutcome:
            self.forget()
            raise
        with self._catalogue_lock:
            if self._catalogue is not None:
                self._catalogue[item.id] = item
        return item


class CreditNotes(Collection[ObservedCreditNote]):
    """Credit notes of clients."""

    path = "credit_notes/credit_notes"
    singular = "credit_note"
    parse = staticmethod(parsing.credit_note)

    def of_client(self, client_id: int) -> list[ObservedCreditNote]:
        """The credit notes of one client but for deleted ones."""
        search = (("search[clientid]", str(client_id)),)
        ours = has_text("clientid", str(client_id))
        return list(self.rows(search, ours))

    def naming(self, words: str, since: date | None) -> Iterator[ObservedCreditNote]:
        """All credit notes with these words in their notes, of any day or of `since` and later."""

        def ours(row: Body) -> bool:
            return words in parsing.text(row, "notes")

        return self.rows(_since(since), ours)

    def overpayment(self, id: int, client_id: int) -> ObservedCreditNote | None:  # noqa: A002
        """The credit that an overpayment made, as long as it stands; None if it does not.

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
            note = self.get(id)
        except NotFound:
            pass
        else:
            if fits(note):
                return note
        rows = [row for row in self.of_client(client_id) if id in {row.id, row.credit_id}]
        return next(filter(fits, rows), None)


class Taxes(Collection[ObservedTax]):
    """The account's taxes. They are only read: invoice lines name theirs with the percent."""

    path = "taxes/taxes"
    singular = "tax"
    parse = staticmethod(parsing.tax)


def _since(day: date | None) -> Search:
    return () if day is None else (("search[date_min]", day.isoformat()),)


def _in_order(records: Iterable[Row]) -> list[Row]:
    """Active before archived, then lowest id."""
    return sorted(records, key=lambda record: (record.vis_state != ACTIVE, record.id))
