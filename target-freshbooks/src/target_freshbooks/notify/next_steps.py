"""Next steps by reason: what to do about a parked order, in words that quote nobody.

The order's own next step, which may name figures and records, is told by `status`.
"""

from target_freshbooks.books.desired import Reason

NEXT_STEPS = {
    Reason.TOTAL_MISMATCH: "Correct the Draft in FreshBooks so that its total agrees, then replay.",
    Reason.TAX_UNKNOWN: "Select the tap's stream order_taxes, or name the rate in tax_mapping; then"
    " replay.",
    Reason.NUMBER_TAKEN: "Give the other invoice another number, or set invoice_number_prefix; then"
    " replay.",
    Reason.NUMBER_TOO_LONG: "Shorten invoice_number_prefix, then replay.",
    Reason.UNSUPPORTED_CURRENCY: "Book it by hand and settle it.",
    Reason.REFUND_MISSING: "Record the refund in the shop, or book it by hand and settle it.",
    Reason.REFUND_REFUSED: "Book the refund by hand and settle the order.",
    Reason.REFUND_MISMATCH: "Book the refund by hand and settle the order.",
    Reason.REFUND_EXCEEDS_PAYMENTS: "Compare the order's payments in the shop, then replay.",
    Reason.OVERPAID: "Refund the surplus in the shop.",
    Reason.NO_CLIENT: "Set generic_client, then replay.",
    Reason.CANCELLED_AFTER_POSTING: "Refund or void it in the shop and replay with on_cancel set to"
    " void, or settle it.",
    Reason.CHANGED_AFTER_POSTING: "Change the invoice by hand, or replay with --overwrite.",
    Reason.EDITED_IN_FRESHBOOKS: "Undo the change in FreshBooks and replay, or replay with"
    " --overwrite, or settle it.",
    Reason.DELETED_IN_FRESHBOOKS: "Restore the invoice and replay, or leave it deleted.",
    Reason.PAYMENT_CURRENCY: "Book the payment by hand and settle the order.",
    Reason.PAYMENT_UNEXPLAINED: "See that the tap reads transactions; delete a payment that is too"
    " much, then replay.",
    Reason.MONEY_UNCLEAR: "Put the order's money right in the shop, or book it by hand and settle"
    " it.",
    Reason.PAID_ELSEWHERE: "Delete the payment made by hand and replay, or settle the order.",
    Reason.OVERPAYMENT_CREDIT_LEFT: "Delete the credit in FreshBooks by hand, then replay.",
    Reason.NO_PROGRESS: "Look at the invoice in FreshBooks, then replay or settle.",
    Reason.CLOSED_PERIOD: "Replay with --date on an open day, or book it by hand and settle it.",
    Reason.MARKETPLACE_TAX: "Say in marketplace_sources who remits the tax, then replay.",
    Reason.UNREADABLE_RECORD: "Compare it in BigCommerce; it is tried again when it comes changed"
    " (order_ids).",
    Reason.FACTS_INCOMPLETE: "Have the tap send the order again (order_ids).",
    Reason.CLIENT_LIMIT: "Choose a larger FreshBooks plan, or client_mode one; then replay.",
    Reason.REFUSED_BY_FRESHBOOKS: "Read FreshBooks' words in status, correct the cause, replay.",
    Reason.FRESHBOOKS_ERROR: "Replay; if it lasts, ask FreshBooks' support.",
    Reason.DEFECT: "Report what the run's log says of it.",
}

STATUS = "See target-freshbooks-ctl status."
"""For a reason that another version has noted."""


def next_step(reason: str) -> str:
    """What to do about an order that is parked for a reason."""
    return NEXT_STEPS[Reason(reason)] if reason in set(Reason) else STATUS
