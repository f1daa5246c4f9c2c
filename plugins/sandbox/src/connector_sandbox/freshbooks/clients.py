"""Clients (``users/clients``): told apart by id alone, so that e-mails may repeat."""

from __future__ import annotations

import random
import string
import uuid
from collections import defaultdict
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from connector_sandbox.freshbooks import errors, search, values
from connector_sandbox.freshbooks.resource import ACTIVE, DELETED, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector_sandbox.freshbooks.records import Document
    from connector_sandbox.freshbooks.search import Filter, Test

_PARTS = ("street", "street2", "city", "province", "code", "country")
_ADDRESS = tuple(f"{side}_{part}" for side in "ps" for part in _PARTS)
_EMPTY_TEXT = (
    "bus_phone",
    "email",
    "fax",
    "fname",
    "lname",
    "mob_phone",
    "organization",
    *_ADDRESS,
)
_NULL_TEXT = ("home_phone", "note", "vat_name", "vat_number", "company_industry", "company_size")
_BALANCES = ("outstanding_balance", "overdue_balance", "draft_balance", "grand_total_balance")


class Clients(Resource):
    """The clients of the account."""

    singular = "client"
    plural = "clients"
    path = "users/clients"
    scope = "clients"
    id_field = "userid"
    first_id = 12345
    columns: ClassVar[Sequence[str]] = ("email", "username")
    sort_keys: ClassVar = {
        "organization_name": lambda row: (row["organization"] or "").lower(),
        "organization": lambda row: (row["organization"] or "").lower(),
        "fullname": lambda row: f"{row['fname']} {row['lname']}".lower(),
        "email": lambda row: (row["email"] or "").lower(),
        "updated": lambda row: row["updated"],
        "client_id": lambda row: row["id"],
    }
    known_includes: ClassVar = frozenset(
        {*_BALANCES, "credit_balance", "last_activity", "late_reminders", "late_fee"}
        | {"recent_contacts"}
    )

    def blank(self, record_id: int) -> Document:
        """A client without a name."""
        utc = self.ctx.clock.now()
        drawn = random.Random(f"{self.ctx.seed}/{record_id}")  # noqa: S311 - a made-up user name
        return {
            **self.base(record_id),
            **dict.fromkeys(_EMPTY_TEXT, ""),
            **dict.fromkeys(_NULL_TEXT),
            "allow_email_include_pdf": False,
            "allow_late_fees": True,
            "allow_late_notifications": True,
            "currency_code": self.account.home_currency,
            "direct_link_token": None,
            "exceeds_client_limit": False,
            "has_retainer": None,
            "language": "en",
            "last_activity": None,
            "last_login": None,
            "level": 0,
            "notified": False,
            "num_logins": 0,
            "pref_email": True,
            "pref_gmail": False,
            "retainer_id": None,
            "role": "client",
            # UTC, though `updated` is Eastern.
            "signup_date": f"{utc:%Y-%m-%d %H:%M:%S}",
            "statement_token": None,
            "subdomain": None,
            "username": "".join(drawn.choices(string.ascii_letters + string.digits, k=10)),
            "uuid": str(uuid.UUID(int=drawn.getrandbits(128), version=4)),
            "vis_state": ACTIVE,
        }

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields."""
        limited = ("fname", "lname", "organization", *_ADDRESS)
        self.take_text(document, body, limited, "fb.client_name_max")
        others = set(_EMPTY_TEXT + _NULL_TEXT) - set(limited) | {"language", "currency_code"}
        self.take_text(document, body, sorted(others))
        for flag in ("allow_late_fees", "allow_late_notifications", "pref_email", "pref_gmail"):
            if flag in body:
                document[flag] = bool(body[flag])
        names = [document[field] or "" for field in ("fname", "lname", "organization", "email")]
        if not any(name.strip() for name in names):
            raise errors.required(self.singular, "organization")
        if not document["organization"]:
            document["organization"] = f"{names[0]} {names[1]}".strip() or document["email"]
        if document["email"] and self.switches["fb.duplicate_email"] == "refuse":
            for other in self.records.documents(email=document["email"]):
                if other["id"] != document["id"] and other["vis_state"] != DELETED:
                    words = "A client with this e-mail exists already."
                    value = document["email"]
                    raise errors.invalid(
                        self.singular, "email", value, words, errno=errors.DUPLICATE
                    )
        if creating:
            self._refuse_above_limit()
            self._take_username(document)

    def named(self, kind: str, field: str, sent: object) -> Document:
        """The client that a document of another kind names, or a refusal."""
        client_id = values.whole(kind, field, sent)
        client = self.records.get(client_id)
        if client is None:
            entry = errors.not_found(self.singular, field, client_id).entries[0]
            raise errors.Refusal(entry, status=422)
        return client

    def copied(self, client: Document, currency: str) -> Document:
        """What an invoice or credit note keeps of its client: copies, taken when it gets it."""
        return {
            "organization": client["organization"],
            "current_organization": client["organization"],
            "currency_code": currency or client["currency_code"],
            **{field: client[field] for field in ("fname", "lname", "vat_name", "vat_number")},
            **{part: client[f"p_{part}"] for part in _PARTS},
        }

    def own_filters(self) -> dict[str, Filter]:
        """The documented keys; ``fname`` and ``organization`` are ignored, as on the live API."""
        return {
            "email": search.Filter(self._by_email, "email"),
            "email_like": search.like("email"),
            "address_like": search.like(*_ADDRESS),
            "fname_like": search.like("fname"),
            "lname_like": search.like("lname"),
            "organization_like": search.like("organization"),
            "note_like": search.like("note"),
            "phone_like": search.like("bus_phone", "home_phone", "mob_phone"),
            "user_like": search.like("fname", "lname", "organization", "email"),
            "username": search.same_text("username"),
            "userid": search.same_number("userid", column="id"),
            "userids": search.same_number("userid", column="id"),
            "clientids": search.same_number("userid", column="id"),
            "has_outstanding": search.truth(
                lambda row: bool(self._balance(row, "outstanding_balance")), "has_outstanding"
            ),
            "has_overdue": search.truth(
                lambda row: bool(self._balance(row, "overdue_balance")), "has_overdue"
            ),
            "has_draft": search.truth(
                lambda row: bool(self._balance(row, "draft_balance")), "has_draft"
            ),
            "has_credit": search.truth(lambda row: bool(self._credit(row)), "has_credit"),
        }

    def shown(self, document: Document, includes: frozenset[str]) -> Document:
        """Add the balances that were asked for."""
        asked = includes & self.known_includes
        if not asked:
            return document
        shown = dict(document)
        for name in asked:
            if name in _BALANCES:
                shown[name] = self._balance(document, name)
            elif name == "credit_balance":
                shown[name] = self._credit(document)
            else:
                shown.setdefault(name, None)
        return shown

    def _refuse_above_limit(self) -> None:
        """Plans allow so many billable clients; deleted ones are none."""
        most = self.switches.number("fb.client_limit")
        if not most or self.records.count_standing() < most:
            return
        words = "You have reached the maximum number of clients on your plan. Upgrade to add more."
        status = self.switches.number("fb.client_limit_status")
        errno = errors.ACCESS_DENIED if status == HTTPStatus.FORBIDDEN else errors.INVALID
        raise errors.Refusal(errors.Entry(errno, words, "", self.singular), status=status)

    def _take_username(self, document: Document) -> None:
        """A user name made of the client's names, else of its e-mail; of neither it is drawn."""
        switch = self.switches["fb.username_taken"]
        made = f"{document['fname']}{document['lname']}" or document["email"]
        if switch == "no" or not made:
            return
        document["username"] = made.casefold().replace(" ", "")
        if self.records.documents(username=document["username"]):
            words = "A user with this username already exists."
            raise errors.exists(self.singular, "username", document["username"], words, int(switch))

    def _by_email(self, wanted: list[str]) -> Test:
        email = wanted[-1]
        if self.switches["fb.email_search_case"] == "exact":
            return lambda row: row["email"] == email
        return lambda row: (row["email"] or "").lower() == email.lower()

    def _balance(self, document: Document, name: str) -> list[Document]:
        today = self.eastern_today()
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for invoice in self.account.invoices.records.documents(customerid=document["id"]):
            draft = invoice["v3_status"] == "draft"
            belongs = {
                "outstanding_balance": not draft,
                "overdue_balance": not draft and invoice["due_date"] < today,
                "draft_balance": draft,
                "grand_total_balance": True,
            }
            if invoice["vis_state"] != DELETED and belongs[name]:
                sums[invoice["currency_code"]] += values.amount_of(invoice["outstanding"])
        return _per_currency(sums)

    def _credit(self, document: Document) -> list[Document]:
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for note in self.account.credit_notes.records.documents(clientid=document["id"]):
            if note["vis_state"] != DELETED:
                sums[note["currency_code"]] += values.amount_of(note["amount"])
                sums[note["currency_code"]] -= values.amount_of(note["paid"])
        return _per_currency(sums)


def _per_currency(sums: dict[str, Decimal]) -> list[Document]:
    return [
        {"amount": values.money(amount, code)} for code, amount in sorted(sums.items()) if amount
    ]
