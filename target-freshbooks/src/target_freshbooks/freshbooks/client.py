"""FreshBooks' accounting API as the target uses it: one method, one request.

Three habits of FreshBooks shape this file. Unknown search keys are ignored and the whole list
comes back, so every row is checked again. Lists hide deleted records unless asked for them. And a
PUT runs in phases: one that holds `vis_state` or an action drops all its other fields without a
word, so those are methods of their own. (FreshBooks "parameters" and "active/deleted" pages.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from . import parsing
from .errors import Failing, FreshBooksError, NotFound, UnknownOutcome
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
from .retrying import Patience
from .transport import Operation, RequestRecord, Tokens, Transport
from .wire import Wire

if TYPE_CHECKING:
    from datetime import date, datetime
    from random import Random

    from .pacing import Pacer

T = TypeVar("T")
Body = Mapping[str, Any]
Search = tuple[tuple[str, str], ...]

PER_PAGE = 100  # the most FreshBooks gives; more is silently cut to it
_LINES: Search = (("include[]", "lines"),)
_PHASES = ("vis_state", "ext_vis_state")
_ME = "/auth/api/v1/users/me"


class Collection:
    """One kind of record: where it lives and what it is called in bodies."""

    def __init__(self, path: str, singular: str, plural: str) -> None:
        self.template = f"/accounting/account/{{account_id}}/{path}"
        self.singular = singular
        self.plural = plural


CLIENTS = Collection("users/clients", "client", "clients")
CREDIT_NOTES = Collection("credit_notes/credit_notes", "credit_note", "credit_notes")
INVOICES = Collection("invoices/invoices", "invoice", "invoices")
ITEMS = Collection("items/items", "item", "items")
PAYMENTS = Collection("payments/payments", "payment", "payments")


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
            patience=Patience(max_retry_seconds, random, sleep),
            clock=clock,
        )
        self._items_lock = threading.Lock()
        self._items: dict[int, ObservedItem] | None = None

    def check_before_writes(self, check: Callable[[], None]) -> None:
        """From now on call `check` directly before each write is sent; it raises to forbid it.

        Not an argument, because what is to be checked may come later than this object: the lease
        is over an account, and FreshBooks is asked first which accounts there are.
        """
        self._transport.before_write = check

    # -- who we are

    def me(self) -> Identity:
        """The user behind the tokens, with the accounts it belongs to."""
        operation = Operation("GET", _ME, {})
        return _readable(operation, lambda: parse_identity(self._transport.run(operation)))

    # -- invoices

    def find_invoice(
        self, number: str, *, deleted: bool = False, lines: bool = True
    ) -> ObservedInvoice | None:
        """The invoice that bears exactly this number: the deleted one, or the other.

        A number is unique over active, archived and deleted.
        """
        search = (("search[invoice_number]", number), *(_LINES if lines else ()))
        ours = _holding("invoice_number", number)
        rows = self._rows(INVOICES, search, parsing.invoice, ours, deleted=deleted)
        return next(iter(rows), None)

    def invoices_dated(self, first: date, last: date) -> list[ObservedInvoice]:
        """All invoices of these days, both included, without their lines.

        FreshBooks documents the upper bound as exclusive, so a day more is asked for.
        """
        search = (
            ("search[date_min]", first.isoformat()),
            ("search[date_max]", (last + timedelta(days=1)).isoformat()),
        )
        rows = self._rows(INVOICES, search, parsing.invoice)
        return [row for row in rows if first <= row.create_date <= last]

    def invoices_naming(self, words: str, since: date | None) -> Iterator[ObservedInvoice]:
        """All invoices with these words in notes or purchase order number, with their lines.

        Of any day, or of `since` and later. FreshBooks cannot search for words: all pages of those
        days are read, one at a time.
        """

        def ours(row: Body) -> bool:
            return any(words in parsing.text(row, key) for key in ("notes", "po_number"))

        return self._rows(INVOICES, (*_since(since), *_LINES), parsing.invoice, ours)

    def get_invoice(self, id: int) -> ObservedInvoice:  # noqa: A002 - FreshBooks' name
        """One invoice with its lines; a deleted one may come with `vis_state` 1 or as NotFound."""
        return self._get(INVOICES, id, parsing.invoice, _LINES)

    def create_invoice(self, body: Body) -> ObservedInvoice:
        """A new invoice; it is a draft."""
        return self._create(INVOICES, body, parsing.invoice, _LINES)

    def update_invoice(self, id: int, body: Body) -> ObservedInvoice:  # noqa: A002
        """Change fields; `lines`, if given, replaces all lines."""
        return self._update(INVOICES, id, body, parsing.invoice, _LINES)

    def mark_sent(self, id: int) -> ObservedInvoice:  # noqa: A002
        """A draft becomes a receivable, without an e-mail to anybody."""
        body = {"action_mark_as_sent": True}
        return self._put(INVOICES, id, body, parsing.invoice, _LINES)

    def delete_invoice(self, id: int) -> ObservedInvoice:  # noqa: A002
        """Hide it; its number stays taken."""
        return self._put(INVOICES, id, {"vis_state": DELETED}, parsing.invoice, _LINES)

    def archive_invoice(self, id: int) -> ObservedInvoice:  # noqa: A002
        """File it away; it counts as before."""
        return self._put(INVOICES, id, {"vis_state": ARCHIVED}, parsing.invoice, _LINES)

    # -- payments

    def payments_of(self, invoice_id: int) -> list[ObservedPayment]:
        """The payments of one invoice but for deleted ones."""
        search = (("search[invoiceid]", str(invoice_id)),)
        ours = _holding("invoiceid", str(invoice_id))
        return list(self._rows(PAYMENTS, search, parsing.payment, ours))

    def payments_on(
        self, is_wanted: Callable[[int], bool], since: date | None
    ) -> Iterator[ObservedPayment]:
        """All payments, of any day or of `since` and later, on invoices whose ids are wanted."""

        def ours(row: Body) -> bool:
            return is_wanted(parsing.whole(row, "invoiceid", 0))

        return self._rows(PAYMENTS, _since(since), parsing.payment, ours)

    def get_payment(self, id: int) -> ObservedPayment:  # noqa: A002
        """One payment."""
        return self._get(PAYMENTS, id, parsing.payment)

    def create_payment(self, body: Body) -> ObservedPayment:
        """A new payment. Above what is outstanding FreshBooks caps it and makes a credit."""
        return self._create(PAYMENTS, body, parsing.payment)

    def update_payment(self, id: int, body: Body) -> ObservedPayment:  # noqa: A002
        """Change fields of a payment that is not deleted (this would restore a deleted one)."""
        return self._update(PAYMENTS, id, body, parsing.payment)

    def delete_payment(self, id: int) -> ObservedPayment:  # noqa: A002
        """Take it away; the invoice is outstanding again."""
        return self._put(PAYMENTS, id, {"vis_state": DELETED}, parsing.payment)

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
        for key_and_form in (*exact, ("search[email_like]", wanted.lower())):
            search = (key_and_form,)
            found = list(self._rows(CLIENTS, search, parsing.client, ours))
            if found:
                return sorted(found, key=lambda row: (row.vis_state != ACTIVE, row.id))
        return []

    def find_clients_named(self, organization: str) -> list[ObservedClient]:
        """All clients of exactly this organisation that have no e-mail; active ones first."""
        wanted = organization.strip()

        def ours(row: Body) -> bool:
            named = parsing.text(row, "organization").strip() == wanted
            return named and not parsing.text(row, "email").strip()

        search = (("search[organization_like]", wanted),)
        found = self._rows(CLIENTS, search, parsing.client, ours)
        return sorted(found, key=lambda row: (row.vis_state != ACTIVE, row.id))

    def count_clients(self, *, at_most: int) -> int:
        """How many clients there are, active and archived, counted to `at_most`."""
        return sum(1 for _ in islice(self._rows(CLIENTS, (), parsing.client), at_most))

    def get_client(self, id: int) -> ObservedClient:  # noqa: A002
        """One client."""
        return self._get(CLIENTS, id, parsing.client)

    def client_with(self, id: int, body: Body) -> ObservedClient | None:  # noqa: A002
        """The client if its fields have these values, else None."""
        return self._get(CLIENTS, id, _if_it_holds(body, parsing.client))

    def create_client(self, body: Body) -> ObservedClient:
        """A new client; FreshBooks does not mind that the e-mail exists already."""
        return self._create(CLIENTS, body, parsing.client)

    def update_client(self, id: int, body: Body) -> ObservedClient:  # noqa: A002
        """Change fields; invoices keep their copies of name and address."""
        return self._update(CLIENTS, id, body, parsing.client)

    # -- items

    def find_items_by_sku(self, sku: str) -> list[ObservedItem]:
        """The items with exactly this SKU; active before archived, then lowest id."""
        search = (("search[sku]", sku),)
        ours = _holding("sku", sku)
        return _in_order(self._rows(ITEMS, search, parsing.item, ours))

    def find_items_by_name(self, name: str) -> list[ObservedItem]:
        """The items of exactly this name; active before archived, then lowest id.

        FreshBooks cannot search by name. The first call reads the whole catalogue, later ones
        the memory of it, which this object's own writes keep up to date.
        """
        with self._items_lock:
            if self._items is None:
                self._items = {row.id: row for row in self._rows(ITEMS, (), parsing.item)}
            return _in_order(row for row in self._items.values() if row.name == name)

    def forget_items(self) -> None:
        """Read the catalogue anew at the next look by name (after an unknown outcome)."""
        with self._items_lock:
            self._items = None

    def get_item(self, id: int) -> ObservedItem:  # noqa: A002
        """One item."""
        return self._get(ITEMS, id, parsing.item)

    def item_with(self, id: int, body: Body) -> ObservedItem | None:  # noqa: A002
        """The item if its fields have these values, else None."""
        return self._get(ITEMS, id, _if_it_holds(body, parsing.item))

    def create_item(self, body: Body) -> ObservedItem:
        """A new item."""
        return self._remember(lambda: self._create(ITEMS, body, parsing.item))

    def update_item(self, id: int, body: Body) -> ObservedItem:  # noqa: A002
        """Change fields."""
        return self._remember(lambda: self._update(ITEMS, id, body, parsing.item))

    def _remember(self, write: Callable[[], ObservedItem]) -> ObservedItem:
        try:
            item = write()
        except UnknownOutcome:
            self.forget_items()
            raise
        with self._items_lock:
            if self._items is not None:
                self._items[item.id] = item
        return item

    # -- credit notes

    def credit_notes_of(self, client_id: int) -> list[ObservedCreditNote]:
        """The credit notes of one client but for deleted ones."""
        search = (("search[clientid]", str(client_id)),)
        ours = _holding("clientid", str(client_id))
        return list(self._rows(CREDIT_NOTES, search, parsing.credit_note, ours))

    def credit_notes_naming(self, words: str, since: date | None) -> Iterator[ObservedCreditNote]:
        """All credit notes with these words in their notes, of any day or of `since` and later."""

        def ours(row: Body) -> bool:
            return words in parsing.text(row, "notes")

        return self._rows(CREDIT_NOTES, _since(since), parsing.credit_note, ours)

    def get_credit_note(self, id: int) -> ObservedCreditNote:  # noqa: A002
        """One credit note."""
        return self._get(CREDIT_NOTES, id, parsing.credit_note)

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
        return self._create(CREDIT_NOTES, body, parsing.credit_note)

    def delete_credit_note(self, id: int) -> ObservedCreditNote:  # noqa: A002
        """Take it away."""
        return self._put(CREDIT_NOTES, id, {"vis_state": DELETED}, parsing.credit_note)

    # -- one request each

    def _get(
        self,
        kind: Collection,
        id: int,  # noqa: A002
        parse: Callable[[Body], T],
        query: Search = (),
    ) -> T:
        return self._one(kind, "GET", parse, query, id=id)

    def _create(
        self, kind: Collection, body: Body, parse: Callable[[Body], T], query: Search = ()
    ) -> T:
        return self._one(kind, "POST", parse, query, body=body)

    def _update(
        self,
        kind: Collection,
        id: int,  # noqa: A002
        body: Body,
        parse: Callable[[Body], T],
        query: Search = (),
    ) -> T:
        dropping = [key for key in body if key in _PHASES or key.startswith("action_")]
        if dropping:
            raise ValueError(f"{dropping} would make FreshBooks drop every other field")
        return self._put(kind, id, body, parse, query)

    def _put(
        self,
        kind: Collection,
        id: int,  # noqa: A002
        body: Body,
        parse: Callable[[Body], T],
        query: Search = (),
    ) -> T:
        return self._one(kind, "PUT", parse, query, id=id, body=body)

    def _one(
        self,
        kind: Collection,
        method: str,
        parse: Callable[[Body], T],
        query: Search,
        *,
        id: int | None = None,  # noqa: A002
        body: Body | None = None,
    ) -> T:
        template = kind.template if id is None else f"{kind.template}/{{id}}"
        operation = Operation(
            method,
            template,
            self._account() if id is None else {**self._account(), "id": id},
            query,
            None if body is None else {kind.singular: body},
            # What is booked on an invoice rests on what is outstanding there.
            impatient=kind is PAYMENTS and body is not None and "amount" in body,
        )

        def read() -> T:
            row = self._answered(kind, operation).get(kind.singular)
            if not isinstance(row, Mapping):
                raise parsing.Unreadable(f"no {kind.singular}")
            return parse(row)

        return _readable(operation, read)

    def _answered(self, kind: Collection, operation: Operation) -> Mapping[str, Any]:
        """The result; before a record counts as missing, the account is seen to be there.

        Raises:
            Forbidden: It is the account that is missing.
        """
        try:
            return _result(self._transport.run(operation))
        except NotFound:
            self._page(kind, (), 1)
            raise

    # -- lists

    def _rows(
        self,
        kind: Collection,
        search: Search,
        parse: Callable[[Body], T],
        ours: Callable[[Body], bool] | None = None,
        *,
        deleted: bool = False,
    ) -> Iterator[T]:
        """The rows of all pages that are ours, the deleted ones or all others, each id once.

        A row is checked before it is read in full, so that one which is none of our business
        cannot stop us, whatever state it is in.
        """
        query = (*search, ("search[vis_state]", str(DELETED))) if deleted else search
        seen: set[str] = set()
        page = 1
        while True:
            rows, pages = self._page(kind, query, page)
            for row in rows:
                hidden = parsing.text(row, "vis_state") == str(DELETED)
                id_ = parsing.text(row, "id")
                # A row may slip to the next page while we read, and come again.
                if (
                    hidden == deleted
                    and (ours is None or ours(row))
                    and (not id_ or id_ not in seen)
                ):
                    seen.add(id_)
                    yield self._parsed(kind, row, parse)
            # `total` may count rows that cannot be read, so it does not end the list.
            if not rows or page >= pages:
                return
            page += 1

    def _page(self, kind: Collection, query: Search, page: int) -> tuple[list[Body], int]:
        paging = (("page", str(page)), ("per_page", str(PER_PAGE)))
        operation = Operation("GET", kind.template, self._account(), (*query, *paging))

        def read() -> tuple[list[Body], int]:
            result = _result(self._transport.run(operation))
            rows = result.get(kind.plural)
            if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
                raise parsing.Unreadable(f"no {kind.plural}")
            return rows, parsing.whole(result, "pages", 1)

        return _readable(operation, read)

    def _parsed(self, kind: Collection, row: Body, parse: Callable[[Body], T]) -> T:
        return _readable(Operation("GET", kind.template, {}), lambda: parse(row))

    def _account(self) -> dict[str, str | int]:
        if not self.account_id:
            raise ValueError("no account_id: ask me() and choose_account() first")
        return {"account_id": self.account_id}


def _holding(key: str, wanted: str) -> Callable[[Body], bool]:
    """Whether a row has exactly this text at the key: filters may be ignored, or be "like"."""
    return lambda row: parsing.text(row, key) == wanted


def _since(day: date | None) -> Search:
    return () if day is None else (("search[date_min]", day.isoformat()),)


def _if_it_holds(body: Body, parse: Callable[[Body], T]) -> Callable[[Body], T | None]:
    return lambda row: parse(row) if parsing.holds(row, body) else None


def _result(response: Mapping[str, Any]) -> Mapping[str, Any]:
    result = response.get("result")
    if not isinstance(result, Mapping):
        raise parsing.Unreadable("no result")
    return result


def _readable(operation: Operation, read: Callable[[], T]) -> T:
    """What `read` gives; an answer that lacks the record is as good as no answer."""
    try:
        return read()
    except parsing.Unreadable as exc:
        problem = f"an answer that cannot be read: {exc}"
    error: FreshBooksError = (
        UnknownOutcome(operation.name, problem, answered=True)
        if operation.writes
        else Failing(operation.name, problem)
    )
    raise error


def _in_order(items: Iterable[ObservedItem]) -> list[ObservedItem]:
    return sorted(items, key=lambda row: (row.vis_state != ACTIVE, row.id))
