"""Credit notes (``credit_notes/credit_notes``), whose body key is singular."""

from decimal import Decimal

from connector_sandbox.documents import Document
from connector_sandbox.filters import Filter
from connector_sandbox.freshbooks import errors, search, totals, values
from connector_sandbox.freshbooks.invoices import following
from connector_sandbox.freshbooks.lines import read_lines
from connector_sandbox.freshbooks.readers import text
from connector_sandbox.freshbooks.resource import DELETED, Kind, Resource
from connector_sandbox.freshbooks.templates import BLANK

_TEXT = (
    *("fname", "lname", "organization", "street", "street2", "city", "province", "code"),
    *("country", "vat_name", "vat_number", "language"),
)
_APART = 500_000


class CreditNotes(Resource):
    """The credit notes of the account."""

    kind = Kind(
        singular="credit_note",
        path="credit_notes/credit_notes",
        scope="credit_notes",
        id_field="creditid",
        first_id=10320,
        day_field="create_date",
        indexed=("clientid", "credit_number", "creditid"),
        includes=frozenset({"lines"}),
        blank=BLANK["credit_note"],
        fields={
            **dict.fromkeys(_TEXT, text()),
            **dict.fromkeys(("notes", "terms"), text("fb.notes_max")),
        },
    )

    def blank(self, record_id: int) -> Document:
        """A credit note without lines."""
        apart = _APART if self.switches["fb.credit_ids"] == "apart" else 0
        return {
            **super().blank(record_id),
            "creditid": record_id + apart,
            "create_date": self.eastern_today(),
        }

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields and add up the lines."""
        kind = self.kind.singular
        self.require(body, "clientid", creating=creating)
        if "clientid" in body:
            self.account.clients.copy_client(document, "clientid", body["clientid"], kind)
        if body.get("currency_code"):
            document["currency_code"] = str(body["currency_code"]).upper()
        if body.get("create_date"):
            document["create_date"] = values.day(kind, "create_date", body["create_date"])
        asked = body.get("credit_type") or document["credit_type"]
        unknown = asked not in {"goodwill", "prepayment", document["credit_type"]}
        self.refuse(unknown, "credit_type", asked)
        document["credit_type"] = asked
        self._fill_number(document, body)
        self.take(document, body)
        if body.get("lines") is not None:
            document["lines"] = [
                {**line, "lineid": f"{document['id']}-{str(line['lineid']).rpartition('-')[2]}"}
                for line in read_lines(
                    self.account, kind, document, body["lines"], creating=creating
                )
            ]
        code = document["currency_code"]
        amount = totals.total(document["lines"], Decimal(0), code, self.switches).amount
        self.refuse(amount < 0, "amount", amount, "Invalid total.", errors.BAD_TOTAL)
        document["amount"] = values.money(amount, code)
        document["paid"] = values.money(Decimal(0), code)
        document["description"] = totals.first_description(document["lines"])

    def filters(self) -> dict[str, Filter]:
        """The keys that work; ``create_date`` and ``client_id`` do not."""
        return {
            **super().filters(),
            **self.days("create_date", "date"),
            "clientid": search.ids("clientid", "clientid"),
        }

    def shown(self, document: Document, includes: frozenset[str]) -> Document:
        """Leave the lines out unless they were asked for."""
        return {k: v for k, v in document.items() if k != "lines" or "lines" in includes}

    def overpayment(self, client_id: int, amount: Decimal, code: str) -> int:
        """Make the credit note for what was paid too much; give its ``creditid``."""
        record_id = self.records.next_id()
        document = self.blank(record_id)
        self.account.clients.copy_client(document, "clientid", client_id, self.kind.singular)
        document |= {
            "currency_code": code,
            "credit_type": "overpayment",
            "amount": values.money(amount, code),
            "paid": values.money(Decimal(0), code),
        }
        self._fill_number(document, {})
        self.stamp(document)
        self.records.insert(record_id, document)
        made = {"clientid": client_id, "amount": document["amount"]}
        self.note("", "", "overpayment", record_id, made)
        return int(document["creditid"])

    def state_changes(self, document: Document, state: int) -> None:
        """Refuse to delete what an overpayment made, if so switched."""
        refuses = state == DELETED and self.switches["fb.overpayment_credit"] == "refuse"
        made = refuses and document["credit_type"] == "overpayment"
        words = "A credit made by an overpayment cannot be deleted."
        self.refuse(made, "vis_state", state, words)

    def take_away(self, credit_id: int) -> None:
        """Delete the note that an overpayment made."""
        for note in self.records.documents(creditid=credit_id):
            self.save(note | {"vis_state": DELETED})

    def _fill_number(self, document: Document, body: Document) -> None:
        if body.get("credit_number"):
            read = text("fb.credit_number_max")
            document["credit_number"] = read(self, "credit_number", body["credit_number"])
        elif not document["credit_number"]:
            latest = self.records.latest()
            made = following(latest["credit_number"]) if latest else "CN-0000001"
            document["credit_number"] = made
        words = "Credit note number is already in use."
        switch = self.switches["fb.credit_number_unique"]
        self.refuse_taken(document, "credit_number", words, switch)
