"""Invoices (``invoices/invoices``): drafts at first, numbered uniquely, priced from lines."""

from __future__ import annotations

import re
import uuid
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from connector_sandbox.constants import FRESHBOOKS_ACCOUNT_ID
from connector_sandbox.freshbooks import errors, search, settlement, totals, values
from connector_sandbox.freshbooks.lines import read_lines
from connector_sandbox.freshbooks.resource import ACTIVE, DELETED, EASTERN, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector_sandbox.freshbooks.records import Document
    from connector_sandbox.freshbooks.search import Filter, Test

DRAFT, SENT = 1, 2
_WRITABLE_STATUS = frozenset({0, 1, 2, 3})
_STATUS_ON_CREATE = _WRITABLE_STATUS - {0}
_TEXT = (
    *("fname", "lname", "organization", "address", "street", "street2", "city", "province"),
    *("code", "country", "vat_name", "vat_number", "language", "discount_description"),
    *("template", "return_uri"),
)
_INCLUDES = frozenset(
    {"lines", "owner", "presentation", "allowed_gateways", "contacts", "audit_logs"}
    | {"client_audits", "comments", "attachments", "late_fee", "late_reminders", "system"}
    | {"latest_journal_entry", "payment_schedule", "invoice_profile"}
)
_LISTS = frozenset({"allowed_gateways", "contacts", "audit_logs", "client_audits"}) | {
    "comments",
    "attachments",
    "late_reminders",
}
_TAIL = re.compile(r"^(.*?)(\d+)$", re.DOTALL)


class Invoices(Resource):
    """The invoices of the account."""

    singular = "invoice"
    plural = "invoices"
    path = "invoices/invoices"
    scope = "invoices"
    id_field = "invoiceid"
    first_id = 987654
    day_field = "create_date"
    columns: ClassVar[Sequence[str]] = ("invoice_number", "customerid")
    deletes_over_http = "soft"
    actions: ClassVar[Sequence[str]] = ("action_mark_as_sent", "action_email")
    sort_keys: ClassVar = {"invoice_date": lambda row: row["create_date"]}
    known_includes: ClassVar = _INCLUDES

    def blank(self, record_id: int) -> Document:
        """A draft without lines."""
        now = self.eastern_now()
        nothing = values.money(Decimal(0), self.account.home_currency)
        return {
            **self.base(record_id),
            **dict.fromkeys(_TEXT),
            "accountid": FRESHBOOKS_ACCOUNT_ID,
            "address": "",
            "amount": nothing,
            "auto_bill": False,
            "autobill_status": None,
            "basecampid": 0,
            "create_date": "",
            "created_at": now,
            "currency_code": "",
            "current_organization": "",
            "customerid": 0,
            "date_paid": None,
            "deposit_amount": None,
            "deposit_percentage": None,
            "deposit_status": "none",
            "description": "",
            "discount_total": nothing,
            "discount_value": "0",
            "display_status": "draft",
            "dispute_status": None,
            "due_date": "",
            "due_offset_days": 0,
            "estimateid": 0,
            "ext_archive": 0,
            "fulfillment_date": None,
            "generation_date": None,
            "gmail": False,
            "invoice_number": "",
            "language": "en",
            "last_order_status": None,
            "lines": [],
            "net_paid_amount": nothing,
            "notes": "",
            "outstanding": nothing,
            "ownerid": 1,
            "paid": nothing,
            "parent": 0,
            "payment_details": "",
            "payment_status": "unpaid",
            "po_number": None,
            "sentid": 1,
            "show_attachments": False,
            "status": DRAFT,
            "template": "clean-grouped",
            "terms": None,
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.ctx.seed}/invoice/{record_id}")),
            "v3_status": "draft",
            "version": "",
            "vis_state": ACTIVE,
            # Not answered: the status as it was set, before payments are looked at.
            "base_status": DRAFT,
        }

    def stamp(self, document: Document) -> None:
        """Note the write; ``version`` has microseconds."""
        super().stamp(document)
        local = self.ctx.clock.now().astimezone(EASTERN)
        document["version"] = f"{local:%Y-%m-%d %H:%M:%S.%f}"

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields, then price the invoice anew."""
        if "due_date" in body and self.switches["fb.due_date"] == "refuse":
            words = "Write access denied."
            raise errors.invalid(
                self.singular, "due_date", body["due_date"], words, errno=errors.READ_ONLY
            )
        self._fill_head(document, body, creating=creating)
        self._fill_number(document, body, creating=creating)
        self.take_text(document, body, _TEXT)
        self.take_text(document, body, ("notes", "terms"), "fb.notes_max")
        self.take_text(document, body, ("po_number",), "fb.po_number_max")
        if "discount_value" in body:
            document["discount_value"] = values.percent(
                self.singular, "discount_value", body["discount_value"], self.switches
            )
        if "status" in body:
            self._fill_status(document, body["status"], creating=creating)
        if body.get("lines") is not None:
            self._fill_lines(document, body["lines"], creating=creating)
        self._price(document)

    def act(self, document: Document, body: Document) -> str:
        """Mark as sent, or send by e-mail (which nobody receives here)."""
        email = "action_email" in body
        wanted = body["action_email"] if email else body["action_mark_as_sent"]
        if email and wanted and not body.get("email_recipients"):
            raise errors.required(self.singular, "email_recipients")
        if wanted and document["base_status"] == DRAFT:
            document["base_status"] = SENT
            settlement.settle(self.account, document)
        return "email" if email else "mark_sent"

    def state_changes(self, document: Document, state: int) -> None:
        """Refuse to delete what was paid, if so switched."""
        if (
            state == DELETED
            and self.switches["fb.delete_paid_invoice"] == "refuse"
            and values.amount_of(document["paid"])
        ):
            raise errors.invalid(self.singular, "vis_state", state, "The invoice has payments.")

    def after_write(self, document: Document) -> None:
        """Turn what is paid above the total into credit, if so switched."""
        settlement.credit_excess(self.account, document)

    def own_filters(self) -> dict[str, Filter]:
        """The keys that work; ``create_date_*``, ``status`` and ``payment_status`` do not."""
        return {
            "invoice_number": search.Filter(self._by_number),
            "invoiceid": search.same_number("invoiceid", column="id"),
            "invoiceids": search.same_number("invoiceid", column="id"),
            "customerid": search.same_number("customerid", column="customerid"),
            "customerids": search.same_number("customerid", column="customerid"),
            "date_min": search.day_from("create_date"),
            "date_max": search.day_until("create_date", inclusive=self.max_is_inclusive),
            "v3_status": search.Filter(
                lambda wanted: lambda row: self.shown(row, frozenset())["v3_status"] == wanted[-1]
            ),
            "paid": search.truth(lambda row: row["payment_status"] == "paid", "paid"),
            "outstanding": search.truth(
                lambda row: values.amount_of(row["outstanding"]) > 0, "outstanding"
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
        for name in includes & _INCLUDES:
            if name == "lines":
                shown["lines"] = [_shown_line(document, line) for line in document["lines"]]
            elif name == "presentation":
                shown["presentation"] = _presentation(document["id"])
            else:
                shown[name] = [] if name in _LISTS else None
        return shown

    def search(self, asked: search.ListRequest, stale_seconds: float) -> tuple[list[Document], int]:
        """Narrow an exact search for a number by its column."""
        exact = self.switches["fb.number_search"] == "exact"
        column = "invoice_number" if exact else None
        self.filters["invoice_number"] = search.Filter(self._by_number, column)
        return super().search(asked, stale_seconds)

    def _by_number(self, wanted: list[str]) -> Test:
        number = wanted[-1]
        if self.switches["fb.number_search"] == "exact":
            return lambda row: row["invoice_number"] == number
        return lambda row: number.lower() in row["invoice_number"].lower()

    def _fill_head(self, document: Document, body: Document, *, creating: bool) -> None:
        for field in ("customerid", "create_date"):
            if (creating or field in body) and body.get(field) in (None, ""):
                raise errors.required(self.singular, field)
        if "customerid" in body:
            self._fill_client(document, body["customerid"])
        if body.get("currency_code"):
            document["currency_code"] = str(body["currency_code"]).upper()
        if "create_date" in body:
            document["create_date"] = values.day(self.singular, "create_date", body["create_date"])
        if "due_offset_days" in body:
            offset = values.whole(self.singular, "due_offset_days", body["due_offset_days"] or 0)
            document["due_offset_days"] = offset
        due = date.fromisoformat(document["create_date"])
        due += timedelta(days=document["due_offset_days"])
        document["due_date"] = due.isoformat()

    def _fill_client(self, document: Document, sent: object) -> None:
        client = self.account.clients.named(self.singular, "customerid", sent)
        client_id = client["id"]
        refuses = self.switches["fb.deleted_client_invoice"] == "refuse"
        if client["vis_state"] == DELETED and refuses:
            words = "Client was deleted."
            raise errors.invalid(
                self.singular, "customerid", client_id, words, errno=errors.DELETED
            )
        if client_id != document["customerid"] and self._may_move(document, client_id):
            document["customerid"] = client_id
            document.update(self.account.clients.copied(client, document["currency_code"]))

    def _may_move(self, document: Document, client_id: int) -> bool:
        """Whether it may be given to another client; a draft may."""
        switch = self.switches["fb.move_invoice"]
        if document["base_status"] != DRAFT and switch == "refuse":
            words = "The client of a sent invoice cannot be changed."
            raise errors.invalid(self.singular, "customerid", client_id, words)
        return bool(document["base_status"] == DRAFT or switch == "accept")

    def _fill_number(self, document: Document, body: Document, *, creating: bool) -> None:
        if body.get("invoice_number") not in (None, ""):
            most = self.switches.number("fb.invoice_number_max")
            number = values.text(self.singular, "invoice_number", body["invoice_number"], most)
            document["invoice_number"] = number
        elif creating:
            document["invoice_number"] = self._next_number()
        if creating or "invoice_number" in body:
            self._refuse_taken_number(document)

    def _refuse_taken_number(self, document: Document) -> None:
        """Numbers are unique among active, archived and deleted invoices."""
        number = document["invoice_number"]
        same = self.records.documents(invoice_number=number)
        if any(o["id"] != document["id"] and o["invoice_number"] == number for o in same):
            entry = errors.Entry(
                self.switches.number("fb.number_taken_errno"),
                "Invoice number is already in use.",
                "invoice_number",
                self.singular,
                number,
            )
            raise errors.Refusal(entry, status=self.switches.number("fb.number_taken_status"))

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
        if isinstance(sent, bool) or not isinstance(sent, int):
            words = "The field 'status' must be a number."
            raise errors.invalid(self.singular, "status", sent, words, errno=errors.NOT_A_NUMBER)
        if sent not in (_STATUS_ON_CREATE if creating else _WRITABLE_STATUS):
            words = "Status must be one of 'draft', 'sent', 'viewed' or 'disputed'."
            errno = errors.BAD_STATUS if creating else errors.INVALID
            raise errors.invalid(self.singular, "status", sent, words, errno=errno)
        document["base_status"] = sent

    def _fill_lines(self, document: Document, sent: object, *, creating: bool) -> None:
        before = document["lines"]
        paid = values.amount_of(document["paid"])
        if paid and self.switches["fb.edit_paid"] == "refuse":
            raise errors.invalid(self.singular, "lines", "", "A paid invoice cannot be changed.")
        after = read_lines(
            self.account,
            self.singular,
            document,
            sent,
            currency=document["currency_code"],
            creating=creating,
        )
        if (
            paid
            and self.switches["fb.negative_line_paid"] == "refuse"
            and any(values.amount_of(line["amount"]) < 0 for line in after)
        ):
            words = "Invalid negative value."
            raise errors.invalid(self.singular, "unit_cost", "", words, errno=errors.NEGATIVE)
        now = self.eastern_now()
        for line in after:
            line["updated"] = now
        document["lines"] = after
        self.account.items.move_stock(before, after)

    def _price(self, document: Document) -> None:
        code = document["currency_code"]
        total = totals.total(
            document["lines"], Decimal(document["discount_value"]), code, self.switches
        )
        if total.amount < 0 and self.switches["fb.negative_total"] == "refuse":
            words = "Invalid total."
            raise errors.invalid(
                self.singular, "amount", total.amount, words, errno=errors.BAD_TOTAL
            )
        document["amount"] = values.money(total.amount, code)
        document["discount_total"] = values.money(-total.discount, code)
        lines = document["lines"]
        document["description"] = lines[0]["description"] if lines else ""
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


def _shown_line(document: Document, line: Document) -> Document:
    return {
        **line,
        "basecampid": 0,
        "date": None,
        "invoiceid": document["id"],
        "modern_project_id": None,
        "modern_time_entries": [],
        "retainer_id": None,
        "retainer_period_id": None,
    }


def _presentation(invoice_id: int) -> Document:
    headings = ("description", "hours", "item", "quantity", "rate", "task", "time_entry_notes")
    return {
        **{f"{heading}_heading": None for heading in (*headings, "unit_cost")},
        "date_format": "mm/dd/yyyy",
        "image_banner_position_y": 0,
        "image_banner_src": None,
        "image_logo_src": None,
        "invoiceid": invoice_id,
        "label": None,
        "theme_font_name": "modern",
        "theme_layout": "simple",
        "theme_primary_color": "#663399",
    }
