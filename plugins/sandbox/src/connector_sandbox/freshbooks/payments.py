"""Payments (``payments/payments``): never more than is outstanding; the rest becomes credit."""

from decimal import Decimal

from connector_sandbox.documents import Document
from connector_sandbox.filters import Filter, compare, like
from connector_sandbox.freshbooks import errors, search, settlement, values
from connector_sandbox.freshbooks.readers import day, flag, text, unread
from connector_sandbox.freshbooks.resource import ACTIVE, DELETED, Kind, Resource
from connector_sandbox.freshbooks.templates import BLANK

_TYPES = (
    *("Check", "Credit", "Cash", "Bank Transfer", "Credit Card", "Debit", "PayPal", "2Checkout"),
    *("VISA", "MASTERCARD", "DISCOVER", "AMEX", "DINERS", "JCB", "ACH", "Other", "Nova"),
    "Eurocard",
)
_BY_LOWER = {name.lower(): name for name in _TYPES}


def _type(of: Resource, name: str, sent: object) -> str:
    """Normalise a payment type ("Visa" becomes "VISA"), or refuse it."""
    known = _BY_LOWER.get(str(sent).lower())
    refuses = known is None and of.switches["fb.payment_unknown_type"] == "refuse"
    of.refuse(refuses, name, sent, "Invalid payment type.")
    return known or "Other"


class Payments(Resource):
    """The payments of the account."""

    kind = Kind(
        singular="payment",
        path="payments/payments",
        scope="payments",
        id_field="logid",
        first_id=235435,
        day_field="date",
        indexed=("invoiceid", "clientid"),
        includes=frozenset({"client", "invoice", "credit_note", "order", "gateway"}),
        blank=BLANK["payment"],
        fields={
            "date": day,
            "type": _type,
            "note": text("fb.payment_note_max"),
            **dict.fromkeys(("orderid", "transactionid", "creditid", "bulk_paymentid"), unread),
            **dict.fromkeys(("send_client_notification", "from_credit"), flag),
        },
    )
    _moved_from: int | None = None

    def fill(self, document: Document, body: Document, *, creating: bool) -> None:
        """Take the writable fields; an ordinary PUT to a deleted payment restores it."""
        self.require(body, "invoiceid", "amount", "date", "type", creating=creating)
        former = document["invoiceid"]
        if "invoiceid" in body:
            kind = self.kind.singular
            document["invoiceid"] = values.whole(kind, "invoiceid", body["invoiceid"])
        invoice = self._invoice(document, creating=creating)
        document["clientid"] = invoice["customerid"]
        self.take(document, body)
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
                self.account.invoices.save(invoice)

    def state_changes(self, document: Document, state: int) -> None:
        """Take the credit of an overpayment away with it, if so switched."""
        goes = self.switches["fb.overpayment_deleted"] == "credit_goes"
        if state == DELETED and goes and document["overpaymentid"] is not None:
            self.account.credit_notes.take_away(document["overpaymentid"])

    def filters(self) -> dict[str, Filter]:
        """The documented keys."""
        return {
            **super().filters(),
            **self.ids("id", "logid"),
            "invoiceid": search.ids("invoiceid", "invoiceid"),
            **self.ids("clientid", "clientid", "customerid"),
            **self.days("date", "date"),
            "type": search.same_text("type"),
            "currency": search.same_text("amount.code"),
            "notes": like(search.at("note")),
            "from_credit": search.truth(search.at("from_credit"), "from_credit"),
            "amount_min": search.amount("amount.amount", ">=", "amount_min"),
            "amount_max": search.amount("amount.amount", "<=", "amount_max"),
            "number": like(self._of_invoice("invoice_number")),
            "client_name": like(self._of_invoice("organization")),
            "payment_or_credit": compare(
                f"iif({search.at('creditid')} IS NULL, 'payment', 'credit')", "="
            ),
        }

    def shown(self, document: Document, includes: frozenset[str]) -> Document:
        """Add the client and invoice when asked for."""
        shown = dict(document)
        for name in includes & self.kind.includes:
            if name == "invoice":
                invoice = self.account.invoices.records.get(document["invoiceid"])
                shown[name] = invoice and self.account.invoices.shown(invoice, frozenset())
            elif name == "client":
                shown[name] = self.account.clients.records.get(document["clientid"])
            else:
                shown.setdefault(name, None)
        return shown

    def _invoice(self, document: Document, *, creating: bool) -> Document:
        invoice = self.account.invoices.existing(document["invoiceid"])
        gone = creating and invoice["vis_state"] == DELETED
        kind, number = self.kind.singular, invoice["id"]
        errors.refuse(gone, errors.deleted(kind, "invoiceid", number, "Invoice"))
        refuses = creating and self.switches["fb.draft_payment"] == "refuse"
        draft = refuses and invoice["base_status"] == 1
        self.refuse(draft, "invoiceid", number, "A draft cannot be paid.")
        return invoice

    def _take_amount(
        self, document: Document, sent: object, invoice: Document, *, stays: bool
    ) -> None:
        code = invoice["currency_code"]
        other_currency = self.switches["fb.payment_currency"]
        amount = values.sum_of_money(
            self.kind.singular, "amount", sent, code, other_currency=other_currency
        )
        before = document["amount"]
        zero = "fb.payment_zero" if before is None else "fb.payment_put_zero"
        refuses = (amount < 0 and self.switches["fb.payment_negative"] == "refuse") or (
            amount == 0 and self.switches[zero] == "refuse"
        )
        self.refuse(refuses, "amount", amount, "Invalid negative value.", errors.NEGATIVE)
        payments = settlement.counting_payments(self.account, invoice["id"])
        others = [one["amount"] for one in payments if one["id"] != document["id"]]
        paid = sum(map(values.amount_of, others), Decimal(0))
        room = max(Decimal(0), values.amount_of(invoice["amount"]) - paid)
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

    def _of_invoice(self, field: str) -> str:
        invoices = self.account.invoices.records.table
        wanted = f"json_extract(i.document, '$.{field}')"
        return f"(SELECT {wanted} FROM {invoices} i WHERE i.id = invoiceid)"  # noqa: S608  constants
