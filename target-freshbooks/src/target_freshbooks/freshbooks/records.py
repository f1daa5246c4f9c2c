"""The collections of FreshBooks' accounting API, with the searches that the target makes."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import islice

from typing_extensions import override

from . import parsing
from .cached_collection import CachedCollection, in_order
from .collection import Body, Collection, Search, since
from .errors import NotFound
from .observed import (
    DELETED,
    ObservedCategory,
    ObservedClient,
    ObservedCreditNote,
    ObservedExpense,
    ObservedInvoice,
    ObservedItem,
    ObservedPayment,
    ObservedTax,
)

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
    marked_in = ("notes", "po_number")

    def find(
        self, number: str, *, deleted: bool = False, lines: bool = True
    ) -> ObservedInvoice | None:
        """The invoice that bears exactly this number: the deleted one, or the other.

        A number is unique over active, archived and deleted.
        """
        return next(self.numbered(number, deleted=deleted, lines=lines), None)

    def numbered(
        self, number: str, *, deleted: bool = False, lines: bool = True
    ) -> Iterator[ObservedInvoice]:
        """The same, where FreshBooks may have let several have the number."""
        more = _LINES if lines else ()
        return self.exactly("invoice_number", number, *more, deleted=deleted)

    def dated(
        self,
        first: date,
        last: date,
        *,
        deleted: bool = False,
        lines: bool = True,
        most_pages: int | None = None,
    ) -> Iterator[ObservedInvoice]:
        """All invoices of these days, both included, a page at a time: deleted, or all others.

        Raises:
            TooManyPages: There are more than `most_pages`.
        """
        search = (*since(first), _until(last), *(_LINES if lines else ()))
        rows = self.rows(search, deleted=deleted, most_pages=most_pages)
        return (row for row in rows if first <= row.create_date <= last)

    def naming_on(self, words: str, day: date) -> Iterator[ObservedInvoice]:
        """All invoices of the day with these words where they are marked."""
        return self.rows((*since(day), _until(day), *_LINES), self.names(words))

    def changed(self, words: str, first: date | None) -> Iterator[ObservedInvoice]:
        """All invoices with these words, of any day or changed on `first` or later, without lines.

        It is not documented whose day it is that a search for changes goes by. Where it is
        ignored, all of them come.
        """
        search = () if first is None else (("search[updated_min]", first.isoformat()),)
        return self.rows(search, self.names(words))

    def until(self, last: date) -> Iterator[ObservedInvoice]:
        """All invoices of the day and of earlier ones, with their lines, a page at a time."""
        return (row for row in self.rows((_until(last), *_LINES)) if row.create_date <= last)


class Payments(Collection[ObservedPayment]):
    """Payments. Above what is outstanding FreshBooks caps a new one and makes a credit.

    An ordinary change restores a deleted one.
    """

    path = "payments/payments"
    singular = "payment"
    parse = staticmethod(parsing.payment)

    def of_invoice(self, invoice_id: int) -> list[ObservedPayment]:
        """The payments of one invoice but for deleted ones."""
        return list(self.exactly("invoiceid", str(invoice_id)))

    def noting(self, words: str, *, deleted: bool = False) -> list[ObservedPayment]:
        """The payments with these words in their notes: the deleted ones, or all others.

        They may be on any invoice.
        """
        search = (("search[notes]", words),)
        ours = self.rows(search, lambda row: words in parsing.text(row, "note"), deleted=deleted)
        return list(ours)

    def dated(
        self, first: date, last: date, *, deleted: bool = False, most_pages: int | None = None
    ) -> list[ObservedPayment]:
        """All payments of these days, both included: the deleted ones, or all others.

        Raises:
            TooManyPages: There are more than `most_pages`.
        """
        rows = self.rows((*since(first), _until(last)), deleted=deleted, most_pages=most_pages)
        return [row for row in rows if first <= row.date <= last]

    def on(self, is_wanted: Callable[[int], bool], first: date | None) -> Iterator[ObservedPayment]:
        """All payments, of any day or of `first` and later, on invoices whose ids are wanted."""
        return self.rows(since(first), lambda row: is_wanted(parsing.whole(row, "invoiceid", 0)))


class Clients(CachedCollection[ObservedClient]):
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
            clients = in_order(self.rows((search,), ours))
            if clients:
                return clients
        return []

    def cached_of_email(self, email: str) -> list[ObservedClient]:
        """Those with this e-mail in the list, where that has paid off; it may be a run old."""
        return self._cached(email.strip().casefold())

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

        return in_order(self.rows((("search[organization_like]", wanted),), ours))

    def deleted_since(self, day: date) -> Iterator[ObservedClient]:
        """The deleted clients that changed on the day or later."""
        return self.rows((("search[updated_min]", day.isoformat()),), deleted=True)

    def count(self, *, at_most: int) -> int:
        """How many clients there are, active and archived, counted to `at_most`."""
        return sum(1 for _ in islice(self.rows(), at_most))

    @override
    def _names(self, row: ObservedClient) -> Iterable[str]:
        return (row.email.strip().casefold(),) if row.email.strip() else ()


class Items(CachedCollection[ObservedItem]):
    """Items of the catalogue."""

    path = "items/items"
    singular = "item"
    parse = staticmethod(parsing.item)

    def of_sku(self, sku: str) -> list[ObservedItem]:
        """The items with exactly this SKU; active before archived, then lowest id."""
        return in_order(self.exactly("sku", sku))

    def cached_of_sku(self, sku: str) -> list[ObservedItem]:
        """Those with exactly this SKU in the list, where that has paid off; it may be a run old."""
        return self._cached(f"sku:{sku}")

    def named(self, name: str) -> list[ObservedItem]:
        """The items of exactly this name; active before archived, then lowest id.

        FreshBooks cannot search by name, so the whole list is read.
        """
        return self._cached(f"name:{name}", at_any_cost=True)

    @override
    def _names(self, row: ObservedItem) -> Iterable[str]:
        return (f"sku:{row.sku}", f"name:{row.name}")


class CreditNotes(Collection[ObservedCreditNote]):
    """Credit notes of clients."""

    path = "credit_notes/credit_notes"
    singular = "credit_note"
    parse = staticmethod(parsing.credit_note)

    def of_client(self, client_id: int) -> list[ObservedCreditNote]:
        """The credit notes of one client but for deleted ones."""
        return list(self.exactly("clientid", str(client_id)))

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


class Expenses(Collection[ObservedExpense]):
    """Expenses, and the categories that they are booked under."""

    path = "expenses/expenses"
    singular = "expense"
    parse = staticmethod(parsing.expense)

    def dated(self, day: date) -> list[ObservedExpense]:
        """The expenses of a day but for deleted ones."""
        return [row for row in self.rows((*since(day), _until(day))) if row.date == day]


class ExpenseCategories(Collection[ObservedCategory]):
    """The categories of expenses, which FreshBooks gives; they are only read."""

    path = "expenses/categories"
    singular = "category"
    parse = staticmethod(parsing.category)

    def id_of(self, name: str) -> int | None:
        """The category of this name in any case, or of this id; None if there is none."""
        wanted = name.strip().casefold()
        rows = (row for row in self.rows() if wanted in {row.name.strip().casefold(), str(row.id)})
        return next((row.id for row in rows), None)


def _until(day: date) -> tuple[str, str]:
    """A search for the day and earlier ones; FreshBooks documents the bound as exclusive."""
    return ("search[date_max]", (day + timedelta(days=1)).isoformat())
