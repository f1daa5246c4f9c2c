"""What is made of FreshBooks' refusals, in both of its formats and in all their statuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from target_freshbooks.freshbooks import ApiError, Refused, answers
from target_freshbooks.freshbooks.refusals import (
    Refusal,
    RefusalKind,
    classify,
    meaning,
    speaks_of_a_lock,
)

ROOT = "/accounting/account/{account_id}"
NEW_CLIENT = f"POST {ROOT}/users/clients"
NEW_ITEM = f"POST {ROOT}/items/items"
ITEM = f"PUT {ROOT}/items/items/{{id}}"
NEW_INVOICE = f"POST {ROOT}/invoices/invoices"
INVOICE = f"PUT {ROOT}/invoices/invoices/{{id}}"
NEW_PAYMENT = f"POST {ROOT}/payments/payments"
PAYMENT = f"PUT {ROOT}/payments/payments/{{id}}"
NEW_NOTE = f"POST {ROOT}/credit_notes/credit_notes"
NOTE = f"PUT {ROOT}/credit_notes/credit_notes/{{id}}"

BUSY, UNKNOWN = Refusal(RefusalKind.BUSY), Refusal(RefusalKind.UNKNOWN)
LIMIT, LOCK, RIGHT = (
    Refusal(RefusalKind.CLIENT_LIMIT),
    Refusal(RefusalKind.CLOSED_PERIOD),
    Refusal(RefusalKind.NO_RIGHT),
)
ACCOUNT = Refusal(RefusalKind.NO_ACCOUNT)


def unknown(field: str) -> Refusal:
    return Refusal(RefusalKind.UNKNOWN, field)


def locked(field: str) -> Refusal:
    return Refusal(RefusalKind.CLOSED_PERIOD, field)


def taken(field: str) -> Refusal:
    return Refusal(RefusalKind.TAKEN, field)


def long(field: str, limit: int | None = None) -> Refusal:
    return Refusal(RefusalKind.TOO_LONG, field, limit)


def read_only(field: str) -> Refusal:
    return Refusal(RefusalKind.READ_ONLY, field)


def gone(field: str = "") -> Refusal:
    return Refusal(RefusalKind.GONE, field)


# operation, status, errno, field, words, meaning
CASES: list[tuple[str, int, int | None, str, str, Refusal]] = [
    # busy
    (INVOICE, 409, 409, "", "The record is being changed at the same time.", BUSY),
    (INVOICE, 409, 409, "", "Concurrent modification.", BUSY),
    (NEW_CLIENT, 409, 409, "", "It conflicts with another change.", BUSY),
    (NEW_CLIENT, 409, 409, "", "This conflicts with another.", BUSY),
    (NEW_INVOICE, 409, None, "", "Being changed by another request.", BUSY),
    (NEW_INVOICE, 200, 409, "", "being changed by another request", BUSY),
    (INVOICE, 422, 1004, "", "It is being changed by another request.", BUSY),
    (INVOICE, 409, 409, "", "Locked while another request is at it", BUSY),
    (PAYMENT, 409, 409, "", "Conflict", BUSY),
    (NEW_PAYMENT, 409, 409, "", "Conflict", BUSY),
    (INVOICE, 409, 409, "", "Conflict", BUSY),
    (NOTE, 409, 409, "", "Conflict", BUSY),
    (NEW_INVOICE, 409, None, "", "", BUSY),
    # taken
    (NEW_INVOICE, 422, 1029, "invoice_number", "In use.", taken("invoice_number")),
    (NEW_INVOICE, 422, 1004, "invoice_number", "Invalid value.", taken("invoice_number")),
    (NEW_INVOICE, 409, 1029, "invoice_number", "", taken("invoice_number")),
    (NEW_INVOICE, 409, 409, "", "Invoice number already exists.", taken("invoice_number")),
    (NEW_INVOICE, 409, 409, "", "Conflict", taken("invoice_number")),
    (NEW_INVOICE, 200, 409, "", "The number is a duplicate", taken("invoice_number")),
    (NEW_INVOICE, 409, 409, "", "Invoice number conflicts with another", taken("invoice_number")),
    (NEW_ITEM, 422, 1029, "name", "Invalid duplicate value.", taken("name")),
    (NEW_ITEM, 422, 1004, "name", "Invalid value for 'name'.", taken("name")),
    (NEW_ITEM, 422, 1029, "sku", "An item with this sku already exists.", taken("sku")),
    (NEW_ITEM, 409, 409, "", "An item with this name already exists.", taken("name")),
    (NEW_ITEM, 409, 409, "name", "taken", taken("name")),
    (NEW_ITEM, 409, 409, "", "An item with this SKU exists already.", taken("sku")),
    (NEW_ITEM, 409, 409, "", "Conflict", taken("name")),
    (NEW_ITEM, 403, 1003, "", "This item already exists.", taken("name")),
    (ITEM, 409, 409, "", "Conflict", taken("name")),
    (ITEM, 422, 1029, "name", "", taken("name")),
    (NEW_CLIENT, 409, 409, "", "A user with this username already exists.", taken("username")),
    (NEW_CLIENT, 409, 409, "", "Client already exists", taken("username")),
    (NEW_CLIENT, 422, 1029, "username", "Invalid duplicate value.", taken("username")),
    (NEW_CLIENT, 422, None, "", "User name is taken.", taken("username")),
    (NEW_CLIENT, 422, 1029, "email", "This e-mail already exists.", taken("email")),
    (NEW_NOTE, 422, 1029, "credit_number", "In use.", taken("credit_number")),
    (NEW_NOTE, 409, 409, "", "It already exists.", taken("credit_number")),
    # too long
    (
        NEW_INVOICE,
        422,
        1017,
        "invoice_number",
        "The field 'invoice_number' must be at most 20 characters long.",
        long("invoice_number", 20),
    ),
    (NEW_INVOICE, 422, 1017, "invoice_number", "Too long.", long("invoice_number")),
    (NEW_INVOICE, 422, 1017, "", "Invoice number: max length is 10", long("invoice_number", 10)),
    (
        NEW_INVOICE,
        422,
        1004,
        "invoice_number",
        "Up to 10 alphanumeric characters.",
        long("invoice_number", 10),
    ),
    (NEW_INVOICE, 409, 1017, "invoice_number", "exceeds 20", long("invoice_number")),
    (NEW_ITEM, 422, 1017, "name", "maximum of 255 characters", long("name", 255)),
    (NEW_CLIENT, 422, 1017, "fname", "limit is 50 characters", long("fname", 50)),
    (INVOICE, 422, 1017, "lines", "At most 100 lines are allowed.", long("lines", 100)),
    # not allowed: limit
    (NEW_CLIENT, 402, 1004, "", "You have reached the maximum number of clients.", LIMIT),
    (NEW_CLIENT, 403, 1003, "", "Your plan allows 5 clients. Upgrade to add more.", LIMIT),
    (NEW_CLIENT, 422, 1004, "", "Client limit exceeded", LIMIT),
    (NEW_CLIENT, 402, None, "", "", LIMIT),
    (NEW_CLIENT, 402, None, "", "Payment required", LIMIT),
    (NEW_CLIENT, 200, 1003, "", "Too many clients.", LIMIT),
    (NEW_INVOICE, 403, 1003, "", "Maximum number of billable clients: upgrade your plan.", LIMIT),
    # not allowed: lock
    (NEW_INVOICE, 422, 1004, "create_date", "In a locked period.", locked("create_date")),
    (NEW_INVOICE, 403, 1003, "", "2026-10-31 is in a locked period.", LOCK),
    (INVOICE, 403, 1003, "", "This accounting period is closed", LOCK),
    (PAYMENT, 422, None, "date", "Closed period", locked("date")),
    (NEW_NOTE, 409, 409, "", "Blocked by the Financial Lock", LOCK),
    (INVOICE, 200, 1003, "", "Books have been closed.", LOCK),
    (INVOICE, 403, 1003, "", "Your account is locked", RIGHT),
    # not allowed: right
    (NEW_CLIENT, 403, 1003, "", "Permission Denied", RIGHT),
    (NEW_CLIENT, 403, None, "", "Permission Denied", RIGHT),
    (NEW_INVOICE, 403, 403, "", "An error occurred.", RIGHT),
    (NEW_PAYMENT, 403, 1003, "", "Insufficient scope: user:payments:write is needed.", RIGHT),
    (NEW_PAYMENT, 200, 1003, "", "Permission Denied", RIGHT),
    # of the account
    (NEW_PAYMENT, 200, 1003, "", "Access denied", ACCOUNT),
    (NEW_INVOICE, 403, 1042, "", "Account is not active.", ACCOUNT),
    (NEW_INVOICE, 422, 1042, "", "inactive", ACCOUNT),
    (NEW_ITEM, 200, 12001, "", "You do not have access to items.", ACCOUNT),
    # the rest
    (NEW_ITEM, 403, None, "", "", UNKNOWN),
    (INVOICE, 403, 1038, "due_date", "Write access denied.", read_only("due_date")),
    (INVOICE, 404, 1012, "invoiceid", "Invoice not found.", gone("invoiceid")),
    (INVOICE, 404, None, "", "Requested resource could not be found.", gone()),
    (NEW_INVOICE, 422, 1012, "customerid", "Client not found.", gone("customerid")),
    (NEW_INVOICE, 422, 1011, "customerid", "Client was deleted.", gone("customerid")),
    (NEW_INVOICE, 422, 1004, "customerid", "Invalid value.", gone("customerid")),
    (NEW_INVOICE, 422, 1025, "unit_cost", "", Refusal(RefusalKind.NEGATIVE, "unit_cost")),
    (NEW_INVOICE, 422, 1040, "amount", "Invalid total.", unknown("amount")),
    (NEW_INVOICE, 422, 1027, "invoice_number", "x", unknown("invoice_number")),
    (NEW_ITEM, 422, 1036, "name", "Only these characters", unknown("name")),
    (INVOICE, 422, 1026, "", "Duplicate tax.", UNKNOWN),
    (INVOICE, 422, 1004, "lines", "The invoice has payments already.", unknown("lines")),
    (NEW_PAYMENT, 422, 1001, "date", "'date' is a required field.", unknown("date")),
    (NEW_PAYMENT, 413, None, "", "", UNKNOWN),
    # what it quotes may be a shopper's
    (NEW_CLIENT, 422, 1004, "fname", "Invalid name 'locked period'.", unknown("fname")),
    (NEW_CLIENT, 422, 1004, "fname", 'Not "limit, upgrade your plan".', unknown("fname")),
    (NEW_CLIENT, 402, 1004, "", "You can't add more clients. You've reached 5.", LIMIT),
]  # fmt: skip


@pytest.mark.parametrize("form", ["old", "new"])
@pytest.mark.parametrize(("operation", "status", "errno", "field", "words", "meant"), CASES)
def test_a_refusal_is_read_by_status_code_field_and_words(
    form: str,
    operation: str,
    status: int,
    errno: int | None,
    field: str,
    words: str,
    meant: Refusal,
) -> None:
    answer = answers.read(status, body_of(form, errno, field, words))
    assert answer.verdict is answers.Verdict.REFUSED
    assert meaning(operation, status, answer.errors) == meant
    entries = answer.errors or (ApiError(None, "", "", ""),)
    assert classify(Refused(operation, status, entries)) == meant


def body_of(form: str, errno: int | None, field: str, words: str) -> bytes:
    if errno is None and not words:
        return b"<html>not of FreshBooks</html>"
    entry: dict[str, Any] = {"field": field, "message": words, "object": "", "value": ""}
    if form == "old":
        entry |= {} if errno is None else {"errno": errno}
        return json.dumps({"response": {"errors": [entry]}}).encode()
    detail = {"metadata": entry} | ({} if errno is None else {"reason": str(errno)})
    return json.dumps({"code": 3, "message": "Request failed", "details": [detail]}).encode()


def test_of_several_entries_the_telling_one_counts() -> None:
    said = (ApiError(1001, "date", "required", ""), ApiError(1017, "notes", "too long", ""))
    assert meaning(NEW_INVOICE, 422, said) == long("notes")


def test_a_bare_message_is_read_like_an_entry() -> None:
    body = json.dumps({"message": "Too many people: conflicts with another edit"}).encode()
    assert meaning(NEW_CLIENT, 409, answers.read(409, body).errors) == BUSY


def test_words_of_a_lock_are_known_again() -> None:
    assert speaks_of_a_lock("create_date: 2026-10-31 is in a locked period.")
    assert not speaks_of_a_lock("unit_cost: Invalid negative value.")
