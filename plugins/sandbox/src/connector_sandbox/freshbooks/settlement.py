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
    from connector_sandbox.documents import Document
    from connector_sandbox.freshbooks.account import Account

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
    if paid and outstanding <= 0:
        # A sent invoice of 0.00 stays unpaid, and overdue once it is past due.
        payment_status, status, words = "paid", _PAID, "paid"
    elif paid:
        # A partly paid invoice keeps status 2; 8 is not seen in answers.
        payment_status, status, words = "partial", base, "partial"
    else:
        payment_status, status, words = "unpaid", base, _WORDS[base]
    draft = base == _DRAFT
    invoice |= {
        "paid": values.money(paid, code),
        "net_paid_amount": values.money(paid, code),
        "outstanding": values.money(outstanding, code),
        "date_paid": max((payment["date"] for payment in payments if paid), default=None),
        "display_status": "outstanding" if base == _DISPUTED else _WORDS[base],
        "dispute_status": "disputed" if base == _DISPUTED else None,
        "fulfillment_date": (
            None if draft else invoice["fulfillment_date"] or invoice["create_date"]
        ),
        "payment_status": payment_status,
        "status": _DRAFT if draft else status,
        "v3_status": "draft" if draft else words,
    }


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
