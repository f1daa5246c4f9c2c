"""Payments (``payments/payments``): never more than is outstanding; the rest becomes credit."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from connector_sandbox.freshbooks import errors, search, settlement, values
from connector_sandbox.freshbooks.resource import ACTIVE, DELETED, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector_sandbox.freshbooks.records import Document
    from connector_sandbox.freshbooks.search import Filter

_TYPES = (
    *("Check", "Credit", "Cash", "Bank Transfer", "Credit Card", "Debit", "PayPal", "2Checkout"),
    *("VISA", "MASTERCARD", "DISCOVER", "AMEX", "DINERS", "JCB", "ACH", "Other", "Nova"),
    "Eurocard",
)
_BY_LOWER = {name.lower(): name for name in _TYPES}
_INCLUDES = frozenset({"client", "invoice", "credit_note", "order", "gateway"})


class Payments(Resource):
    """The payments of the account."""

    singular = "payment"
    plural = "payments"
    path = "payments/payments"
    scope = "payments"
    id_field = "logid"
    first_id = 235435
    day_field = "date"
    columns: ClassVar[Sequence[str]] = ("invoiceid", "clientid")
    known_includes: ClassVar = _INCLUDES

    def blank(self, record_id: int) -> Document:
        """A payment of nothing."""
        return {
            **self.base(record_id),
            "amount": None,
            "bulk_paymentid": None,
            "clientid": None,
            "creditid": None,
            "date": "",
            "from_credit": False,
            "gateway": None,
            "invoiceid": None,
            "note": "",
            "orderid": None,
            "overpaymentid": None,
            "send_client_notification": None,
            "transactionid": None,
            "type": "",
            "vis_state": ACTIVE,
        }

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields; an ordinary PUT to a deleted payment restores it."""
        for field in ("invoiceid", "amount", "date", "type"):
            if (creating or field in body) and body.get(field) in (None, ""):
                raise errors.required(self.singular, field)
        former = document["invoiceid"]
        if "invoiceid" in body:
            document["invoiceid"] = values.whole(self.singular, "invoiceid", body["invoiceid"])
        invoice = self._invoice(document, creating=creating)
        document["clientid"] = invoice["customerid"]
        if "date" in body:
            document["date"] = values.day(self.singular, "date", body["date"])
        if "type" in body:
            document["type"] = self._type(body["type"])
        self._take_particulars(document, body)
        document["vis_state"] = ACTIVE
        moved = former not in {None, document["invoiceid"]}
        if "amount" in body or moved:
            amount = body.get("amount", document["amount"])
            self._take_amount(document, amount, invoice, stays=not (creating or moved))
        if moved:
            self._moved_from = former

    def after_write(self, document: Document) -> None:
        """Settle the invoice anew, and the one that the payment was moved from."""
        former, self._moved_from = self._moved_from, None
        for invoice_id in {document["invoiceid"], former} - {None}:
            invoice = self.account.invoices.records.get(invoice_id)
            if invoice is not None:
                settlement.settle(self.account, invoice)
                self.account.invoices.stamp(invoice)
                self.account.invoices.records.update(invoice_id, invoice)

    def state_changes(self, document: Document, state: int) -> None:
        """Take the credit of an overpayment away with it, if so switched."""
        if (
            state == DELETED
            and document["overpaymentid"] is not None
            and self.switches["fb.overpayment_deleted"] == "credit_goes"
        ):
            self.account.credit_notes.take_away(document["overpaymentid"])

    def own_filters(self) -> dict[str, Filter]:
        """The documented keys."""
        return {
            "logid": search.same_number("logid", column="id"),
            "logids": search.same_number("logid", column="id"),
            "invoiceid": search.same_number("invoiceid", column="invoiceid"),
            "clientid": search.same_number("clientid", column="clientid"),
            "clientids": search.same_number("clientid", column="clientid"),
            "customerid": search.same_number("clientid", column="clientid"),
            "customerids": search.same_number("clientid", column="clientid"),
            "type": search.same_text("type"),
            "currency": search.Filter(
                lambda wanted: lambda row: row["amount"]["code"] == wanted[-1]
            ),
            "notes": search.like("note"),
            "from_credit": search.truth(lambda row: bool(row["from_credit"]), "from_credit"),
            "date_min": search.day_from("date"),
            "date_max": search.day_until("date", inclusive=self.max_is_inclusive),
            "amount_min": search.number_from(_amount, "amount_min"),
            "amount_max": search.number_until(_amount, "amount_max"),
            "number": search.Filter(
                lambda wanted: (
                    lambda row: wanted[-1].lower() in self._of_invoice(row, "invoice_number")
                )
            ),
            "client_name": search.Filter(
                lambda wanted: (
                    lambda row: wanted[-1].lower() in self._of_invoice(row, "organization")
                )
            ),
            "payment_or_credit": search.Filter(
                lambda wanted: lambda row: (row["creditid"] is not None) is (wanted[-1] == "credit")
            ),
        }

    def shown(self, document: Document, includes: frozenset[str]) -> Document:
        """Add the client and invoice when asked for."""
        asked = includes & _INCLUDES
        if not asked:
            return document
        shown = dict(document)
        for name in asked:
            if name == "invoice":
                invoice = self.account.invoices.records.get(document["invoiceid"])
                shown[name] = invoice and self.account.invoices.shown(invoice, frozenset())
            elif name == "client":
                shown[name] = self.account.clients.records.get(document["clientid"])
            else:
                shown.setdefault(name, None)
        return shown

    _moved_from: int | None = None

    def _take_particulars(self, document: Document, body: Document) -> None:
        self.take_text(document, body, ("note",), "fb.payment_note_max")
        for field in ("orderid", "transactionid", "creditid", "bulk_paymentid"):
            if field in body:
                document[field] = body[field]
        for field in ("send_client_notification", "from_credit"):
            if field in body:
                document[field] = bool(body[field])

    def _invoice(self, document: Document, *, creating: bool) -> Document:
        invoice = self.account.invoices.existing(document["invoiceid"])
        if creating and invoice["vis_state"] == DELETED:
            entry = errors.Entry(
                errors.DELETED,
                "Invoice was deleted.",
                "invoiceid",
                self.singular,
                str(invoice["id"]),
            )
            raise errors.Refusal(entry)
        if (
            creating
            and invoice["base_status"] == 1
            and self.switches["fb.draft_payment"] == "refuse"
        ):
            words = "A draft cannot be paid."
            raise errors.invalid(self.singular, "invoiceid", invoice["id"], words)
        return invoice

    def _type(self, sent: object) -> str:
        """Normalise a payment type ("Visa" becomes "VISA"), or refuse it."""
        known = _BY_LOWER.get(str(sent).lower())
        if known is not None:
            return known
        if self.switches["fb.payment_unknown_type"] == "other":
            return "Other"
        raise errors.invalid(self.singular, "type", sent, "Invalid payment type.")

    def _take_amount(
        self, document: Document, sent: object, invoice: Document, *, stays: bool
    ) -> None:
        code = invoice["currency_code"]
        amount = values.sum_of_money(
            self.singular, "amount", sent, code, other_currency=self.switches["fb.payment_currency"]
        )
        before = document["amount"]
        zero = "fb.payment_zero" if before is None else "fb.payment_put_zero"
        if (amount < 0 and self.switches["fb.payment_negative"] == "refuse") or (
            amount == 0 and self.switches[zero] == "refuse"
        ):
            words = "Invalid negative value."
            raise errors.invalid(self.singular, "amount", amount, words, errno=errors.NEGATIVE)
        others = sum(
            (
                values.amount_of(other["amount"])
                for other in settlement.counting_payments(self.account, invoice["id"])
                if other["id"] != document["id"]
            ),
            Decimal(0),
        )
        room = max(Decimal(0), values.amount_of(invoice["amount"]) - others)
        if stays:
            # An invoice lowered below what was paid leaves its payments as they are: an edit
            # that lowers one of them is not an overpayment.
            room = max(room, values.amount_of(before))
        stored = min(amount, room)
        if amount > stored:
            document["overpaymentid"] = self.account.credit_notes.overpayment(
                invoice["customerid"], amount - stored, code
            )
        document["amount"] = values.money(stored, code)

    def _of_invoice(self, row: Document, field: str) -> str:
        invoice = self.account.invoices.records.get(row["invoiceid"])
        return "" if invoice is None else str(invoice[field] or "").lower()


def _amount(row: Document) -> str:
    return str(row["amount"]["amount"])
