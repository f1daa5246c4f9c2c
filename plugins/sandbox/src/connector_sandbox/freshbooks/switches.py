"""The FreshBooks behaviours that its documentation leaves open, each with both of its sides.

The defaults are what public clients and captured answers make likeliest. Names ending in ``_max``
are lengths in characters; 0 means no limit.
"""

from connector_sandbox.decoding import Matching, Within
from connector_sandbox.freshbooks.settled_by import settled_by
from connector_sandbox.switches import Switches, SwitchValue

_Choices = tuple["SwitchValue", ...]

_CHOICES: tuple[tuple[str, _Choices, str], ...] = (
    # name, choices (the first is the default), words
    ("fb.tax_rounding", ("per_line", "per_tax"), "where tax is rounded to cents"),
    ("fb.rounding_mode", ("half_up", "half_even"), "how a half cent is rounded"),
    ("fb.unit_cost_decimals", ("unlimited", 2), "decimals kept of a line's unit_cost"),
    ("fb.currency_decimals", ("two", "iso"), "whether JPY amounts are rounded to cents or to yen"),
    ("fb.payment_zero", ("refuse", "accept"), "POST of a payment of 0 (1025)"),
    ("fb.payment_negative", ("refuse", "accept"), "a negative payment (1025)"),
    ("fb.payment_put_zero", ("accept", "refuse"), "lowering a payment to 0"),
    ("fb.payment_unknown_type", ("refuse", "other"), "a payment type that is not on the list"),
    ("fb.payment_currency", ("refuse", "ignore"), "payment in another currency than its invoice"),
    ("fb.deleted_payment", ("reopens", "still_counts"), "the invoice of a deleted payment"),
    ("fb.draft_payment", ("becomes_paid", "stays_draft", "refuse"), "paying a draft"),
    (
        "fb.negative_line",
        ("accept", "refuse", "refuse_create", "refuse_update"),
        "a line with negative unit_cost (1025), on creation, on update or both",
    ),
    ("fb.negative_line_paid", ("accept", "refuse"), "the same on an invoice that has payments"),
    ("fb.negative_qty", ("refuse", "accept"), "a line with negative qty (1025)"),
    ("fb.zero_qty", ("refuse", "accept"), "a line with qty 0 (1028)"),
    ("fb.negative_total", ("refuse", "accept"), "an invoice total below zero (1040)"),
    ("fb.line_currency", ("refuse", "ignore"), "a line in another currency than its invoice"),
    ("fb.overpaid_after_line", ("keep", "credit"), "paid above a total lowered by an edit"),
    ("fb.edit_paid", ("accept", "refuse"), "changing the lines of an invoice that has payments"),
    ("fb.delete_paid_invoice", ("accept", "refuse"), "deleting an invoice that has payments"),
    ("fb.deleted_get", ("found", "error", "missing"), "GET by id of a deleted record"),
    ("fb.email_search_case", ("insensitive", "exact"), "case in search[email]"),
    ("fb.duplicate_email", ("allow", "refuse"), "a second client with the same e-mail"),
    ("fb.deleted_client_invoice", ("accept", "refuse"), "an invoice for a deleted client (1011)"),
    (
        "fb.item_name_unique",
        ("yes", "409", "no"),
        "item names taken by any item, deleted ones too (422/1029, or 409)",
    ),
    (
        "fb.username_taken",
        ("no", "409", "422"),
        "a client whose user name, made of its names, else its e-mail, any other has",
    ),
    ("fb.client_limit_status", (402, 403, 422), "status where fb.client_limit is reached"),
    ("fb.lock_status", (422, 403), "status for what is dated until fb.locked_until"),
    ("fb.overpayment_deleted", ("credit_stays", "credit_goes"), "credit of a deleted overpayment"),
    ("fb.overpayment_credit", ("deletable", "refuse"), "deleting a credit an overpayment made"),
    ("fb.credit_ids", ("same", "apart"), "apart: creditid, so overpaymentid, is not the note's id"),
    ("fb.archived_put", ("stays", "returns"), "a PUT of fields or an action to an archived record"),
    ("fb.move_invoice", ("accept", "ignore", "refuse"), "another customerid on a sent invoice"),
    ("fb.item_sku_unique", ("no", "yes", "409"), "the same for SKUs"),
    ("fb.credit_number_unique", ("no", "yes"), "the same for credit note numbers"),
    ("fb.number_unique", ("yes", "no"), "whether an invoice number that is taken is refused"),
    ("fb.number_taken_status", (422, 409), "status for an invoice number that is taken"),
    ("fb.number_taken_errno", (1029, 1004), "errno for it"),
    ("fb.number_search", ("exact", "like"), "search[invoice_number]"),
    ("fb.due_date", ("refuse", "ignore"), "writing the read-only due_date (403/1038)"),
    ("fb.create_status", ("honour", "ignore"), "status given on create: 1 to 3, else 8008"),
    ("fb.unknown_include", ("ignore", "refuse"), "include[] of something unknown"),
    ("fb.written_lines", ("shown", "left_out"), "include[]=lines of a POST or PUT"),
    ("fb.error_format", ("header", "old", "new"), "header: new when X-API-VERSION is sent"),
    ("fb.error_status", ("real", "200"), "errors of accounting calls inside HTTP 200"),
    ("fb.non_bmp", ("refuse", "accept"), "characters outside the BMP, such as emoji (1036)"),
    ("fb.date_max", ("exclusive", "inclusive"), "search[..._max] on dates"),
    (
        "fb.updated_search",
        ("eastern", "utc", "hawaii", "ignored"),
        "whose days search[updated_...] goes by, or that it is no filter",
    ),
    ("fb.list_total", ("visible", "all"), "whether a list's total counts hidden rows"),
    ("fb.default_order", ("id_asc", "id_desc"), "order of an unsorted list"),
    ("fb.rate_headers_on_429", ("yes", "no"), "whether a 429 tells when to come back"),
    ("fb.refresh_created_at", ("now", "original"), "created_at in the answer to a refresh"),
    ("fb.refresh_ends_access", ("no", "yes"), "whether a refresh ends older access tokens"),
    ("fb.pkce", ("checked", "ignored"), "the code_challenge of a consent page (S256)"),
    ("fb.user", ("owner", "other"), "who agrees on the consent page; other: has SBX002 alone"),
    ("fb.second_account", ("no", "yes"), "the owner's second business has SBX002 (same books)"),
    ("fb.role", ("owner", "client"), "role of the user; a client's writes are 403"),
    ("fb.write_rights", ("all", "no_clients", "none"), "what the user may write; else 403"),
    ("fb.account_id_null", ("no", "yes"), "account_id null for the own business: see roles"),
    ("fb.subscription", ("active", "cancelled"), "cancelled: errno 1042"),
    ("fb.wrong_account", (404, 401, 403), "status for an account id that is not ours"),
    ("fb.enforce_scopes", ("yes", "no"), "403 for what the token's scope leaves out"),
)

_COUNT = Within(0, 1_000_000)
_DAY = Matching(r"(\d{4}-\d\d-\d\d)?", "a day YYYY-MM-DD or nothing")

_OPEN: tuple[tuple[str, SwitchValue, Within | Matching, str], ...] = (
    # name, default, what it takes, words
    ("fb.tax_percent_decimals", 4, Within(0, 10), "decimals kept of a tax percent"),
    (
        "fb.stale_search_seconds",
        0,
        Within(0, 10**7),
        "searches do not see younger writes",
    ),
    ("fb.rate_limit", 600, _COUNT, "requests per window; 0: no limit"),
    ("fb.rate_window_seconds", 60, Within(1, 86_400), "length of the window, in real seconds"),
    ("fb.extra_redirect_uri", "", Matching(r"\S*", "a URI"), "a second registered redirect URI"),
    ("fb.client_limit", 0, _COUNT, "billable clients, active and archived, of the plan; 0: all"),
    ("fb.locked_until", "", _DAY, "Financial Lock: nothing dated until this day is written"),
)

_LENGTHS: tuple[tuple[str, int, str], ...] = (
    ("fb.invoice_number_max", 20, "invoice_number"),
    ("fb.credit_number_max", 10, "credit_number"),
    ("fb.po_number_max", 0, "po_number"),
    ("fb.notes_max", 0, "notes and terms of an invoice or credit note"),
    ("fb.line_name_max", 0, "name of a line"),
    ("fb.line_description_max", 0, "description of a line"),
    ("fb.item_name_max", 0, "name of an item"),
    ("fb.item_sku_max", 0, "sku of an item"),
    ("fb.client_name_max", 0, "fname, lname, organization and address fields of a client"),
    ("fb.payment_note_max", 0, "note of a payment"),
    ("fb.lines_max", 0, "lines of an invoice"),
)


def declare(switches: Switches) -> None:
    """Make every switch of the FreshBooks side known."""
    for name, choices, words in _CHOICES:
        switches.declare(name, choices[0], choices, words, settled_by=settled_by(name))
    for name, default, takes, words in _OPEN:
        switches.declare(name, default, None, words, takes, settled_by(name))
    for name, length, words in _LENGTHS:
        switches.declare(name, length, None, words, _COUNT, settled_by(name))
