"""What the probe has to tell under each side of each switch of the sandbox that it settles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Finding = Mapping[str, Any]
    Told = Callable[[Finding], bool]


def so(value: object) -> Told:
    """That is the answer."""
    return lambda found: bool(found["value"] == value)


def has(**evidence: object) -> Told:
    """The answer is a refusal with such codes."""

    def told(found: Finding) -> bool:
        return found["value"] != "accepted" and evidence.items() <= found["evidence"].items()

    return told


def refused(status: int) -> Told:
    """It is refused with that status, unless errors come inside 200."""
    inside = 200

    def told(found: Finding) -> bool:
        return found["value"] == "refused" and found["evidence"]["status"] in {status, inside}

    return told


def within(words: str) -> Told:
    """The answer has these words in it."""
    return lambda found: words in str(found["value"])


ACCEPTED, REFUSED = so("accepted"), so("refused")
TAKEN = {"refuse": REFUSED, "accept": ACCEPTED}

SIDES: dict[str, tuple[str, dict[object, Told]]] = {
    "tax_rounding": (
        "tax_rounding",
        {"per_line": within("per line"), "per_tax": within("per rate")},
    ),
    "rounding_mode": ("tax_rounding", {"half_up": within("half up"), "half_even": within("even")}),
    "unit_cost_decimals": ("unit_cost_decimals", {"unlimited": so(7), 2: so(2)}),
    "tax_percent_decimals": ("percent_decimals", {4: so(4), 2: so(2), 3: so(3), 10: so(10)}),
    "currency_decimals": ("yen_decimals", {"two": so("hundredths"), "iso": so("yen")}),
    "negative_line": (
        "negative_line",
        {
            "accept": ACCEPTED,
            "refuse": REFUSED,
            "refuse_create": so("refused, accepted in a change"),
            "refuse_update": so("accepted, refused in a change"),
        },
    ),
    "negative_qty": ("negative_quantity", TAKEN),
    "zero_qty": ("zero_quantity", TAKEN),
    "negative_total": ("negative_total", TAKEN),
    "line_currency": ("line_currency", {"refuse": REFUSED, "ignore": ACCEPTED}),
    "deleted_get": (
        "deleted_get",
        {"found": so("found"), "error": so("error"), "missing": so("missing")},
    ),
    "email_search_case": (
        "email_search_case",
        {"insensitive": so("insensitive"), "exact": so("exact")},
    ),
    "duplicate_email": ("duplicate_email", {"allow": ACCEPTED, "refuse": REFUSED}),
    "deleted_client_invoice": ("deleted_client", TAKEN),
    "item_name_unique": ("item_name", {"yes": refused(422), "409": refused(409), "no": ACCEPTED}),
    "item_sku_unique": ("item_sku", {"yes": refused(422), "409": refused(409), "no": ACCEPTED}),
    "username_taken": ("username", {"no": ACCEPTED, "409": refused(409), "422": refused(422)}),
    "client_limit": ("client_limit", {0: so("not reached"), 1: so("not reached")}),
    "archived_put": ("archived", {"stays": so("stays"), "returns": so("returns")}),
    "number_unique": ("duplicate_number", {"yes": REFUSED, "no": ACCEPTED}),
    "number_taken_status": ("duplicate_number", {422: refused(422), 409: refused(409)}),
    "number_taken_errno": ("duplicate_number", {1029: has(errno=1029), 1004: has(errno=1004)}),
    "number_search": ("number_search", {"exact": so("exact"), "like": so("like")}),
    "due_date": ("due_date", {"refuse": REFUSED, "ignore": ACCEPTED}),
    "unknown_include": ("unknown_include", {"ignore": ACCEPTED, "refuse": REFUSED}),
    "written_lines": ("written_lines", {"shown": so("shown"), "left_out": so("left out")}),
    "error_status": ("error_status", {"real": so("as HTTP status"), "200": so("inside 200")}),
    "non_bmp": ("beyond_bmp", TAKEN),
    "date_max": ("date_max", {"exclusive": so("exclusive"), "inclusive": so("inclusive")}),
    "stale_search_seconds": ("fresh_records", {0: so("at once"), 1: so("later"), 99: so("longer")}),
    "rate_limit": ("quota", {600: within("600"), 500: within("500")}),
    "locked_until": (
        "financial_lock",
        {"": so("off"), "2024-02-29": so("on, until 2024-02-29")},
    ),
    "invoice_number_max": ("number_length", {0: so("at least 50"), 20: so(20), 12: so(12)}),
    "po_number_max": ("po_number_length", {0: so("at least 100"), 25: so(25)}),
    "notes_max": ("notes_length", {0: so("at least 1000"), 255: so(255)}),
    "line_name_max": ("line_name_length", {0: so("at least 150"), 100: so(100)}),
    "line_description_max": ("line_description_length", {0: so("at least 1000"), 500: so(500)}),
    "item_name_max": ("item_name_length", {0: so("at least 150"), 51: so(51)}),
    "item_sku_max": ("item_sku_length", {0: so("at least 100"), 32: so(32)}),
    "client_name_max": ("client_name_length", {0: so("at least 100"), 40: so(40)}),
    "create_status": ("create_status", {"honour": so("honoured"), "ignore": so("ignored")}),
    "draft_payment": (
        "draft_payment",
        {"becomes_paid": so("is paid"), "stays_draft": so("stays a Draft"), "refuse": REFUSED},
    ),
    "payment_zero": ("payment_zero", TAKEN),
    "payment_negative": ("payment_negative", TAKEN),
    "payment_unknown_type": ("payment_type", {"refuse": REFUSED, "other": ACCEPTED}),
    "payment_currency": ("payment_currency", {"refuse": REFUSED, "ignore": ACCEPTED}),
    "payment_note_max": ("payment_note_length", {0: so("at least 255"), 99: so(99)}),
    "payment_put_zero": ("payment_to_zero", TAKEN),
    "edit_paid": ("lines_of_paid", TAKEN),
    "negative_line_paid": ("negative_line_paid", TAKEN),
    "move_invoice": (
        "client_of_sent",
        {"accept": ACCEPTED, "ignore": so("ignored"), "refuse": REFUSED},
    ),
    "overpaid_after_line": (
        "total_below_paid",
        {"keep": so("stays paid above it"), "credit": so("becomes a credit")},
    ),
    "deleted_payment": (
        "deleted_payment",
        {"reopens": so("reopens"), "still_counts": so("still counts")},
    ),
    "delete_paid_invoice": ("delete_paid", TAKEN),
    "credit_ids": ("overpayment", {"same": so("credit, one id"), "apart": so("credit, two ids")}),
    "overpayment_deleted": (
        "overpayment_deleted",
        {"credit_stays": so("credit stays"), "credit_goes": so("credit goes")},
    ),
    "overpayment_credit": ("overpayment_credit", {"deletable": ACCEPTED, "refuse": REFUSED}),
    "credit_number_unique": ("credit_note", {"no": ACCEPTED, "yes": REFUSED}),
    "credit_number_max": ("credit_number_length", {10: so(10), 0: so("at least 20"), 7: so(7)}),
    "lines_max": ("lines", {0: so("at least 100"), 60: so(60)}),
}
"""Of each switch: the check that settles it, and what is told by each of its (or some) sides."""

MET_UNDER = {
    "number_taken_status": ("number_unique", "yes"),
    "number_taken_errno": ("number_unique", "yes"),
}
"""Switches that no request meets but under that side of another."""
