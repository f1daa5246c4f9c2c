"""How payments and an invoice's total make its paid, outstanding and status fields.

``status`` as it was set (draft, sent, viewed, disputed) is kept apart in ``base_status``; what is
answered follows from it and from the payments that count.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from connector_sandbox.freshbooks import values
from connector_sandbox.freshbooks.resource import DELETED

if TYPE_CHECKING:
    from connector_sandbox.freshbooks.account import Account
    from connector_sandbox.freshbooks.records import Document

_DISPUTED, _DRAFT, _SENT, _VIEWED, _PAID = 0, 1, 2, 3, 4
_WORDS = {_DISPUTED: "disputed", _DRAFT: "draft", _SENT: "sent", _VIEWED: "viewed"}


def counting_payments(account: Account, invoice_id: int) -> list[Document]:
    """The payments that count towards an invoice, by id."""
    payments = account.payments.records.documents(invoiceid=invoice_id)
    if account.switches["fb.deleted_payment"] == "still_counts":
        return payments
    return [payment for payment in payments if payment["vis_state"] != DELETED]


def settle(account: Account, invoice: Document) -> None:
    """Set an invoice's paid, outstanding and status fields from its payments."""
    code = invoice["currency_code"]
    payments = counting_payments(account, invoice["id"])
    paid = sum((values.amount_of(payment["amount"]) for payment in payments), Decimal(0))
    amount = values.amount_of(invoice["amount"])
    outstanding = amount - paid
    if (
        paid
        and invoice["base_status"] == _DRAFT
        and account.switches["fb.draft_payment"] == "becomes_paid"
    ):
        invoice["base_status"] = _SENT
    base = invoice["base_status"]
    invoice["paid"] = values.money(paid, code)
    invoice["net_paid_amount"] = values.money(paid, code)
    invoice["outstanding"] = values.money(outstanding, code)
    invoice["date_paid"] = max((payment["date"] for payment in payments if paid), default=None)
    invoice["display_status"] = _WORDS[base] if base != _DISPUTED else "outstanding"
    invoice["dispute_status"] = "disputed" if base == _DISPUTED else None
    if base == _DRAFT:
        invoice["fulfillment_date"] = None
    else:
        invoice["fulfillment_date"] = invoice["fulfillment_date"] or invoice["create_date"]
    if paid and outstanding <= 0:
        invoice["payment_status"] = "paid"
        status, words = _PAID, "paid"
    elif paid:
        invoice["payment_status"] = "partial"
        # A partly paid invoice keeps status 2; 8 is not seen in answers.
        status, words = base, "partial"
    else:
        # A sent invoice of 0.00 stays unpaid, and overdue once it is past due.
        invoice["payment_status"] = "unpaid"
        status, words = base, _WORDS[base]
    if base == _DRAFT:
        status, words = _DRAFT, "draft"
    invoice["status"], invoice["v3_status"] = status, words


def credit_excess(account: Account, invoice: Document) -> None:
    """Turn what is paid above the total into a credit note, when that is switched on."""
    excess = -values.amount_of(invoice["outstanding"])
    if (
        excess <= 0
        or values.amount_of(invoice["paid"]) <= 0
        or account.switches["fb.overpaid_after_line"] != "credit"
    ):
        return
    for payment in reversed(counting_payments(account, invoice["id"])):
        taken = min(excess, values.amount_of(payment["amount"]))
        if taken <= 0:
            continue
        code = payment["amount"]["code"]
        payment["overpaymentid"] = account.credit_notes.overpayment(
            invoice["customerid"], taken, code
        )
        payment["amount"] = values.money(values.amount_of(payment["amount"]) - taken, code)
        account.payments.records.update(payment["id"], payment)
        excess -= taken
    settle(account, invoice)
    account.invoices.records.update(invoice["id"], invoice)
