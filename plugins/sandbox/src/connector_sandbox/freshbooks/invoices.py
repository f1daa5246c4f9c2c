"""Invoices (``invoices/invoices``): drafts at first, numbered uniquely, priced from lines."""

import re
import uuid
from datetime import date, timedelta
from decimal import Decimal

from connector_sandbox.documents import Document
from connector_sandbox.filters import Filter, compare, exactly, like
from connector_sandbox.freshbooks import errors, search, settlement, totals, values
from connector_sandbox.freshbooks.lines import read_lines
from connector_sandbox.freshbooks.readers import day, percent, text, whole
from connector_sandbox.freshbooks.resource import DELETED, EASTERN, Kind, Resource
from connector_sandbox.freshbooks.templates import BLANK, TEMPLATES

DRAFT, SENT = 1, 2
_WRITABLE_STATUS = frozenset({0, 1, 2, 3})
_STATUS_ON_CREATE = _WRITABLE_STATUS - {0}
_TEXT = (
    *("fname", "lname", "organization", "address", "street", "street2", "city", "province"),
    *("code", "country", "vat_name", "vat_number", "language", "discount_description"),
    *("template", "return_uri"),
)
_LISTS = frozenset({"allowed_gateways", "contacts", "audit_logs", "client_audits"}) | {
    "comments",
    "attachments",
    "late_reminders",
}
_OVERDUE = (
    f"CASE WHEN {search.at('v3_status')} IN ('sent', 'viewed', 'partial') "
    f"AND {search.at('due_date')} < '{{today}}' "
    f"THEN 'overdue' ELSE {search.at('v3_status')} END"
)
_TAIL = re.compile(r"^(.*?)(\d+)$", re.DOTALL)


class Invoices(Resource):
    """The invoices of the account."""

    kind = Kind(
        singular="invoice",
        path="invoices/invoices",
        scope="invoices",
        id_field="invoiceid",
        first_id=987654,
        day_field="create_date",
        indexed=("invoice_number", "customerid"),
        deletes_over_http="soft",
        actions=("action_mark_as_sent", "action_email"),
        sorts={"invoice_date": search.at("create_date")},
        includes=_LISTS
        | {"lines", "owner", "presentation", "late_fee", "system", "latest_journal_entry"}
        | {"payment_schedule", "invoice_profile"},
        blank=BLANK["invoice"],
        fields={
            "create_date": day,
            "due_offset_days": whole,
            **dict.fromkeys(_TEXT, text()),
            **dict.fromkeys(("notes", "terms"), text("fb.notes_max")),
            "po_number": text("fb.po_number_max"),
            "discount_value": percent,
        },
    )

    def blank(self, record_id: int) -> Document:
        """A draft without lines."""
        return {
            **super().blank(record_id),
            "created_at": self.eastern_now(),
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.ctx.seed}/invoice/{record_id}")),
        }

    def stamp(self, document: Document) -> None:
        """Note the write; ``version`` has microseconds."""
        super().stamp(document)
        local = self.ctx.clock.now().astimezone(EASTERN)
        document["version"] = f"{local:%Y-%m-%d %H:%M:%S.%f}"

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields, then price the invoice anew."""
        read_only = "due_date" in body and self.switches["fb.due_date"] == "refuse"
        due = body.get("due_date")
        self.refuse(read_only, "due_date", due, "Write access denied.", errors.READ_ONLY)
        self.require(body, "customerid", "create_date", creating=creating)
        if "customerid" in body:
            self._fill_client(document, body["customerid"])
        if body.get("currency_code"):
            document["currency_code"] = str(body["currency_code"]).upper()
        self.take(document, body)
        created = date.fromisoformat(document["create_date"])
        document["due_date"] = f"{created + timedelta(days=document['due_offset_days'])}"
        self._fill_number(document, body, creating=creating)
        if "status" in body:
            self._fill_status(document, body["status"], creating=creating)
        if body.get("lines") is not None:
            self._fill_lines(document, body["lines"], creating=creating)
        self._price(document)

    def act(self, document: Document, body: Document) -> str:
        """Mark as sent, or send by e-mail (which nobody receives here)."""
        email = "action_email" in body
        wanted = body["action_email"] if email else body["action_mark_as_sent"]
        unaddressed = email and wanted and not body.get("email_recipients")
        errors.refuse(unaddressed, errors.required(self.kind.singular, "email_recipients"))
        if wanted and document["base_status"] == DRAFT:
            document["base_status"] = SENT
            settlement.settle(self.account, document)
        return "email" if email else "mark_sent"

    def state_changes(self, document: Document, state: int) -> None:
        """Refuse to delete what was paid, if so switched."""
        refuses = state == DELETED and self.switches["fb.delete_paid_invoice"] == "refuse"
        paid = refuses and values.amount_of(document["paid"])
        self.refuse(paid, "vis_state", state, "The invoice has payments.")

    def after_write(self, document: Document) -> None:
        """Turn what is paid above the total into credit, if so switched."""
        settlement.credit_excess(self.account, document)

    def filters(self) -> dict[str, Filter]:
        """The keys that work; ``create_date_*``, ``status`` and ``payment_status`` do not."""
        exact = self.switches["fb.number_search"] == "exact"
        number = exactly("invoice_number")
        return {
            **super().filters(),
            **self.ids("id", "invoiceid"),
            **self.ids("customerid", "customerid"),
            **self.days("create_date", "date"),
            "invoice_number": number if exact else like("invoice_number"),
            "v3_status": compare(_OVERDUE.format(today=self.eastern_today()), "="),
            "paid": search.truth(f"{search.at('payment_status')} = 'paid'", "paid"),
            "outstanding": search.truth(
                f"CAST({search.at('outstanding.amount')} AS REAL) > 0", "outstanding"
            ),
        }

    def shown(self, document: Document, includes: frozenset[str]) -> Document:
        """Leave out what was not asked for; say whether it is overdue as of today."""
        shown = {
            name: value for name, value in document.items() if name not in {"lines", "base_status"}
        }
        if document["v3_status"] in {"sent", "viewed", "partial"} and (
            document["due_date"] < self.eastern_today()
        ):
            shown["v3_status"] = "overdue"
        belongs = {"invoiceid": document["id"]}
        made = {
            **{name: [] for name in _LISTS},
            "lines": [{**line, **TEMPLATES["shown_line"], **belongs} for line in document["lines"]],
            "presentation": TEMPLATES["presentation"] | belongs,
        }
        return shown | {name: made.get(name) for name in includes & self.kind.includes}

    def _fill_client(self, document: Document, sent: object) -> None:
        client = self.account.clients.named(self.kind.singular, "customerid", sent)
        refuses = self.switches["fb.deleted_client_invoice"] == "refuse"
        gone = client["vis_state"] == DELETED and refuses
        self.refuse(gone, "customerid", client["id"], "Client was deleted.", errors.DELETED)
        moves = client["id"] != document["customerid"] and document["base_status"] != DRAFT
        switch = self.switches["fb.move_invoice"]
        words = "The client of a sent invoice cannot be changed."
        self.refuse(moves and switch == "refuse", "customerid", client["id"], words)
        if not moves or switch == "accept":
            self.account.clients.copy_client(document, "customerid", sent, self.kind.singular)

    def _fill_number(self, document: Document, body: Document, *, creating: bool) -> None:
        if body.get("invoice_number") not in (None, ""):
            read = text("fb.invoice_number_max")
            document["invoice_number"] = read(self, "invoice_number", body["invoice_number"])
        elif creating:
            document["invoice_number"] = self._next_number()
        if creating or "invoice_number" in body:
            self._refuse_taken_number(document)

    def _refuse_taken_number(self, document: Document) -> None:
        """Numbers are unique among active, archived and deleted invoices."""
        if self.switches["fb.number_unique"] == "no":
            return
        number = document["invoice_number"]
        same = "invoice_number = ? AND invoice_number COLLATE BINARY = ? AND id != ?"
        entry = errors.Entry(
            self.switches.number("fb.number_taken_errno"),
            "Invoice number is already in use.",
            "invoice_number",
            self.kind.singular,
            number,
        )
        errors.refuse(
            self.records.count(same, (number, number, document["id"])),
            errors.Refusal(entry, status=self.switches.number("fb.number_taken_status")),
        )

    def _next_number(self) -> str:
        """The number after that of the latest invoice: ``0006`` after ``0005``."""
        latest = self.records.latest()
        number = following(latest["invoice_number"]) if latest else "0000001"
        while self.records.documents(invoice_number=number):
            number = following(number)
        return number

    def _fill_status(self, document: Document, sent: object, *, creating: bool) -> None:
        if creating and self.switches["fb.create_status"] == "ignore":
            return
        numeric = isinstance(sent, int) and not isinstance(sent, bool)
        words = "The field 'status' must be a number."
        self.refuse(not numeric, "status", sent, words, errors.NOT_A_NUMBER)
        unknown = sent not in (_STATUS_ON_CREATE if creating else _WRITABLE_STATUS)
        words = "Status must be one of 'draft', 'sent', 'viewed' or 'disputed'."
        errno = errors.BAD_STATUS if creating else errors.INVALID
        self.refuse(unknown, "status", sent, words, errno)
        document["base_status"] = sent

    def _fill_lines(self, document: Document, sent: object, *, creating: bool) -> None:
        before = document["lines"]
        paid = values.amount_of(document["paid"])
        fixed = paid and self.switches["fb.edit_paid"] == "refuse"
        self.refuse(fixed, "lines", "", "A paid invoice cannot be changed.")
        after = read_lines(self.account, self.kind.singular, document, sent, creating=creating)
        refuses = paid and self.switches["fb.negative_line_paid"] == "refuse"
        negative = refuses and any(values.amount_of(line["amount"]) < 0 for line in after)
        self.refuse(negative, "unit_cost", "", "Invalid negative value.", errors.NEGATIVE)
        now = self.eastern_now()
        document["lines"] = [{**line, "updated": now} for line in after]
        self.account.items.move_stock(before, after)

    def _price(self, document: Document) -> None:
        code = document["currency_code"]
        discount = Decimal(document["discount_value"])
        total = totals.total(document["lines"], discount, code, self.switches)
        negative = total.amount < 0 and self.switches["fb.negative_total"] == "refuse"
        self.refuse(negative, "amount", total.amount, "Invalid total.", errors.BAD_TOTAL)
        document["amount"] = values.money(total.amount, code)
        document["discount_total"] = values.money(-total.discount, code)
        document["description"] = totals.first_description(document["lines"])
        settlement.settle(self.account, document)


def following(number: str) -> str:
    """The number after this one, with its prefix and zeros: ``BC-0009`` -> ``BC-0010``."""
    match = _TAIL.match(number)
    if match:
        digits = match[2]
        return f"{match[1]}{int(digits) + 1:0{len(digits)}d}"
    if number and number[-1].isalpha() and number[-1] not in "zZ":
        return number[:-1] + chr(ord(number[-1]) + 1)
    return f"{number}1"
