"""Credit notes (``credit_notes/credit_notes``), whose body key is singular."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from connector_sandbox.constants import FRESHBOOKS, FRESHBOOKS_ACCOUNT_ID
from connector_sandbox.freshbooks import errors, search, totals, values
from connector_sandbox.freshbooks.invoices import following
from connector_sandbox.freshbooks.lines import read_lines
from connector_sandbox.freshbooks.resource import ACTIVE, DELETED, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector_sandbox.freshbooks.records import Document
    from connector_sandbox.freshbooks.search import Filter

_TEXT = (
    *("fname", "lname", "organization", "street", "street2", "city", "province", "code"),
    *("country", "vat_name", "vat_number", "language"),
)


_APART = 500_000


class CreditNotes(Resource):
    """The credit notes of the account."""

    singular = "credit_note"
    plural = "credit_notes"
    path = "credit_notes/credit_notes"
    scope = "credit_notes"
    id_field = "creditid"
    first_id = 10320
    day_field = "create_date"
    columns: ClassVar[Sequence[str]] = ("clientid", "credit_number", "creditid")
    known_includes: ClassVar = frozenset({"lines"})

    def blank(self, record_id: int) -> Document:
        """A credit note without lines."""
        nothing = values.money(Decimal(0), self.account.home_currency)
        apart = _APART if self.switches["fb.credit_ids"] == "apart" else 0
        return {
            **self.base(record_id),
            "creditid": record_id + apart,
            **dict.fromkeys(_TEXT, ""),
            "accountid": FRESHBOOKS_ACCOUNT_ID,
            "amount": nothing,
            "clientid": None,
            "create_date": self.eastern_today(),
            "credit_number": "",
            "credit_type": "goodwill",
            "currency_code": "",
            "current_organization": "",
            "description": "",
            "display_status": "created",
            "ext_archive": 0,
            "language": "en",
            "lines": [],
            "notes": "",
            "paid": nothing,
            "payment_status": "unpaid",
            "payment_type": None,
            "sentid": 1,
            "status": "created",
            "template": "clean-grouped",
            "terms": "",
            "vis_state": ACTIVE,
        }

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields and add up the lines."""
        if (creating or "clientid" in body) and body.get("clientid") in (None, ""):
            raise errors.required(self.singular, "clientid")
        if "clientid" in body:
            self._fill_client(document, body["clientid"])
        if body.get("currency_code"):
            document["currency_code"] = str(body["currency_code"]).upper()
        if body.get("create_date"):
            document["create_date"] = values.day(self.singular, "create_date", body["create_date"])
        if body.get("credit_type"):
            if body["credit_type"] not in {"goodwill", "prepayment"}:
                raise errors.invalid(self.singular, "credit_type", body["credit_type"])
            document["credit_type"] = body["credit_type"]
        self._fill_number(document, body)
        self.take_text(document, body, _TEXT)
        self.take_text(document, body, ("notes", "terms"), "fb.notes_max")
        if body.get("lines") is not None:
            document["lines"] = [
                {**line, "lineid": f"{document['id']}-{str(line['lineid']).rpartition('-')[2]}"}
                for line in read_lines(
                    self.account,
                    self.singular,
                    document,
                    body["lines"],
                    currency=document["currency_code"],
                    creating=creating,
                )
            ]
        code = document["currency_code"]
        amount = totals.total(document["lines"], Decimal(0), code, self.switches).amount
        if amount < 0:
            words = "Invalid total."
            raise errors.invalid(self.singular, "amount", amount, words, errno=errors.BAD_TOTAL)
        document["amount"] = values.money(amount, code)
        document["paid"] = values.money(Decimal(0), code)
        lines = document["lines"]
        document["description"] = lines[0]["description"] if lines else ""

    def own_filters(self) -> dict[str, Filter]:
        """The keys that work; ``create_date`` and ``client_id`` do not."""
        return {
            "clientid": search.same_number("clientid", column="clientid"),
            "date_min": search.day_from("create_date"),
            "date_max": search.day_until("create_date", inclusive=self.max_is_inclusive),
        }

    def shown(self, document: Document, includes: frozenset[str]) -> Document:
        """Leave the lines out unless they were asked for."""
        shown = {name: value for name, value in document.items() if name != "lines"}
        if "lines" in includes:
            shown["lines"] = document["lines"]
        return shown

    def overpayment(self, client_id: int, amount: Decimal, code: str) -> int:
        """Make the credit note for what was paid too much; give its ``creditid``."""
        record_id = self.records.next_id()
        document = self.blank(record_id)
        self._fill_client(document, client_id)
        document["currency_code"] = code
        document["credit_type"] = "overpayment"
        document["amount"] = values.money(amount, code)
        document["paid"] = values.money(Decimal(0), code)
        self._fill_number(document, {})
        self.stamp(document)
        self.records.insert(record_id, document)
        self.ctx.history.append(
            self.ctx.store.connect(),
            side=FRESHBOOKS,
            method="",
            path="",
            kind="credit_note.overpayment",
            object_id=record_id,
            body={"clientid": client_id, "amount": document["amount"]},
            status=200,
        )
        return int(document["creditid"])

    def state_changes(self, document: Document, state: int) -> None:
        """Refuse to delete what an overpayment made, if so switched."""
        if (
            state == DELETED
            and document["credit_type"] == "overpayment"
            and self.switches["fb.overpayment_credit"] == "refuse"
        ):
            words = "A credit made by an overpayment cannot be deleted."
            raise errors.invalid(self.singular, "vis_state", state, words)

    def take_away(self, credit_id: int) -> None:
        """Delete the note that an overpayment made."""
        for note in self.records.documents(creditid=credit_id):
            note["vis_state"] = DELETED
            self.stamp(note)
            self.records.update(note["id"], note)

    def _fill_client(self, document: Document, sent: object) -> None:
        client = self.account.clients.named(self.singular, "clientid", sent)
        if client["id"] != document["clientid"]:
            document["clientid"] = client["id"]
            document.update(self.account.clients.copied(client, document["currency_code"]))

    def _fill_number(self, document: Document, body: Document) -> None:
        if body.get("credit_number"):
            most = self.switches.number("fb.credit_number_max")
            number = values.text(self.singular, "credit_number", body["credit_number"], most)
            document["credit_number"] = number
        elif not document["credit_number"]:
            latest = self.records.latest()
            document["credit_number"] = (
                following(latest["credit_number"]) if latest else "CN-0000001"
            )
        unique = self.switches["fb.credit_number_unique"] == "yes"
        if unique and self.is_taken(document, "credit_number"):
            words, number = "Credit note number is already in use.", document["credit_number"]
            raise errors.exists(self.singular, "credit_number", number, words, 422)
