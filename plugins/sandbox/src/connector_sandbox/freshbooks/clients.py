"""Clients (``users/clients``): told apart by id alone, so that e-mails may repeat."""

import random
import string
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from http import HTTPStatus

from connector_sandbox.documents import Document
from connector_sandbox.filters import Condition, Filter, compare, exactly, like, one_of
from connector_sandbox.freshbooks import errors, search, values
from connector_sandbox.freshbooks.readers import flag, text
from connector_sandbox.freshbooks.resource import DELETED, Kind, Resource
from connector_sandbox.freshbooks.templates import BLANK

_PARTS = ("street", "street2", "city", "province", "code", "country")
_ADDRESS = tuple(f"{side}_{part}" for side in "ps" for part in _PARTS)
_NAMES = ("fname", "lname", "organization", *_ADDRESS)
_TEXT = (
    *("bus_phone", "email", "fax", "mob_phone", "home_phone", "note", "vat_name", "vat_number"),
    *("company_industry", "company_size", "language", "currency_code"),
)
_BALANCES = ("outstanding_balance", "overdue_balance", "draft_balance", "grand_total_balance")
_COPIED = ("organization", "fname", "lname", "vat_name", "vat_number")


class Clients(Resource):
    """The clients of the account."""

    kind = Kind(
        singular="client",
        path="users/clients",
        scope="clients",
        id_field="userid",
        first_id=12345,
        indexed=("email", "username"),
        sorts={
            "organization_name": f"lowered({search.at('organization')})",
            "organization": f"lowered({search.at('organization')})",
            "fullname": f"lowered({search.at('fname')} || ' ' || {search.at('lname')})",
            "email": f"lowered({search.at('email')})",
            "updated": search.at("updated"),
            "client_id": "id",
        },
        includes=frozenset({*_BALANCES, "credit_balance", "last_activity", "late_reminders"})
        | {"late_fee", "recent_contacts"},
        blank=BLANK["client"],
        fields={
            **dict.fromkeys(_NAMES, text("fb.client_name_max")),
            **dict.fromkeys(_TEXT, text()),
            **dict.fromkeys(("allow_late_fees", "allow_late_notifications"), flag),
            **dict.fromkeys(("pref_email", "pref_gmail"), flag),
        },
    )

    def blank(self, record_id: int) -> Document:
        """A client without a name."""
        drawn = random.Random(f"{self.ctx.seed}/{record_id}")  # noqa: S311 - a made-up user name
        return {
            **super().blank(record_id),
            # UTC, though `updated` is Eastern.
            "signup_date": f"{self.ctx.clock.now():%Y-%m-%d %H:%M:%S}",
            "username": "".join(drawn.choices(string.ascii_letters + string.digits, k=10)),
            "uuid": str(uuid.UUID(int=drawn.getrandbits(128), version=4)),
        }

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields."""
        self.take(document, body)
        names = [document[field] or "" for field in ("fname", "lname", "organization", "email")]
        nameless = not any(name.strip() for name in names)
        errors.refuse(nameless, errors.required(self.kind.singular, "organization"))
        if not document["organization"]:
            document["organization"] = f"{names[0]} {names[1]}".strip() or document["email"]
        email = document["email"]
        if email and self.switches["fb.duplicate_email"] == "refuse":
            standing = f"email = ? AND id != ? AND vis_state != {DELETED}"
            others = self.records.count(standing, (email, document["id"]))
            words = "A client with this e-mail exists already."
            self.refuse(others, "email", email, words, errors.DUPLICATE)
        if creating:
            self._refuse_above_limit()
            self._take_username(document)

    def copy_client(self, document: Document, field: str, sent: object, kind: str) -> None:
        """Give a document of another kind the client it names: copies of what it is now."""
        client = self.named(kind, field, sent)
        if client["id"] != document[field]:
            document |= {
                field: client["id"],
                "current_organization": client["organization"],
                "currency_code": document["currency_code"] or client["currency_code"],
                **{name: client[name] for name in _COPIED},
                **{part: client[f"p_{part}"] for part in _PARTS},
            }

    def named(self, kind: str, field: str, sent: object) -> Document:
        """The client that a document of another kind names, or a refusal."""
        client_id = values.whole(kind, field, sent)
        client = self.records.get(client_id)
        if client is None:
            entry = errors.not_found(self.kind.singular, field, client_id).entries[0]
            raise errors.Refusal(entry, status=422)
        return client

    def filters(self) -> dict[str, Filter]:
        """The documented keys; ``fname`` and ``organization`` are ignored, as on the live API."""
        exact = self.switches["fb.email_search_case"] == "exact"
        likes = {
            **{field: (field,) for field in ("email", "fname", "lname", "organization", "note")},
            "address": _ADDRESS,
            "phone": ("bus_phone", "home_phone", "mob_phone"),
            "user": ("fname", "lname", "organization", "email"),
        }
        having = {balance.removesuffix("_balance"): balance for balance in _BALANCES[:3]}
        return {
            **super().filters(),
            **self.ids("id", "userid"),
            "clientids": search.ids("userid", "id"),
            "email": exactly("email") if exact else compare("email", "="),
            "username": search.same_text("username"),
            **{f"{name}_like": like(*map(search.at, fields)) for name, fields in likes.items()},
            **{
                f"has_{name}": partial(self._having, f"has_{name}", balance)
                for name, balance in (having | {"credit": "credit_balance"}).items()
            },
        }

    def shown(self, document: Document, includes: frozenset[str]) -> Document:
        """Add the balances that were asked for."""
        shown = dict(document)
        for name in includes & self.kind.includes:
            if name.endswith("_balance"):
                shown[name] = self._balance(document, name)
            else:
                shown.setdefault(name, None)
        return shown

    def _refuse_above_limit(self) -> None:
        """Plans allow so many billable clients; deleted ones are none."""
        most = self.switches.number("fb.client_limit")
        words = "You have reached the maximum number of clients on your plan. Upgrade to add more."
        status = self.switches.number("fb.client_limit_status")
        errno = errors.ACCESS_DENIED if status == HTTPStatus.FORBIDDEN else errors.INVALID
        errors.refuse(
            most and self.records.count(f"vis_state != {DELETED}") >= most,
            errors.Refusal(errors.Entry(errno, words, "", self.kind.singular), status=status),
        )

    def _take_username(self, document: Document) -> None:
        """A user name made of the client's names, else of its e-mail; of neither it is drawn."""
        switch = self.switches["fb.username_taken"]
        made = f"{document['fname']}{document['lname']}" or document["email"]
        if switch != "no" and made:
            document["username"] = made.casefold().replace(" ", "")
            words = "A user with this username already exists."
            self.refuse_taken(document, "username", words, switch)

    def _having(self, name: str, balance: str, texts: Sequence[str]) -> Condition:
        wanted = search.yes(name, texts[-1])
        clients = self.records.documents()
        return one_of("id", [c["id"] for c in clients if bool(self._balance(c, balance)) is wanted])

    def _balance(self, document: Document, name: str) -> list[Document]:
        sums: defaultdict[str, Decimal] = defaultdict(Decimal)
        for code, amount in self._amounts(document["id"], name):
            sums[code] += amount
        return [
            {"amount": values.money(amount, code)}
            for code, amount in sorted(sums.items())
            if amount
        ]

    def _amounts(self, client_id: int, name: str) -> Iterator[tuple[str, Decimal]]:
        """The amounts that a balance is the sum of, each with its currency."""
        if name == "credit_balance":
            for note in self.account.credit_notes.records.documents(clientid=client_id):
                if note["vis_state"] != DELETED:
                    left = values.amount_of(note["amount"]) - values.amount_of(note["paid"])
                    yield note["currency_code"], left
            return
        today = self.eastern_today()
        for invoice in self.account.invoices.records.documents(customerid=client_id):
            draft = invoice["v3_status"] == "draft"
            belongs = {
                "outstanding_balance": not draft,
                "overdue_balance": not draft and invoice["due_date"] < today,
                "draft_balance": draft,
                "grand_total_balance": True,
            }
            if invoice["vis_state"] != DELETED and belongs[name]:
                yield invoice["currency_code"], values.amount_of(invoice["outstanding"])
