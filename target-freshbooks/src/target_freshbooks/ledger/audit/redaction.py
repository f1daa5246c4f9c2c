"""What of a body may stand in the audit journal: ids, figures, dates and codes, never a person.

The journal is kept for good and shown to many, so it holds no names, e-mails or addresses. Of the
bodies of outside writes only fields known to be harmless are kept; of data the caller composed
itself, fields that name persons are taken out. What remains is searched for e-mail addresses.
FreshBooks' words on a refusal may repeat what was sent, a name or a street, so of a refusal only
status, code and field are kept; the words stand in the order's own row as long as it is parked.
"""

from typing import Any

from connector_credentials.masking import without_emails

from target_freshbooks.ledger.storage.canonical import hash_text

PERSONAL_KINDS = frozenset({"create_client", "update_client"})
"""Writes whose key may be an e-mail address or a name."""

HARMLESS = frozenset(
    {
        "account_id", "action_mark_as_sent", "amount", "body", "client_id", "clientid", "code",
        "content", "create_date", "credit_number", "credit_type", "creditid",
        "creditnote_number", "currency", "currency_code", "customer_id", "customerid", "date",
        "display_status", "errno", "field", "http_status", "id", "invoice_id", "invoice_number",
        "invoiceid", "itemid", "itemids", "lineid", "lines", "number", "outstanding",
        "paid", "payment_status", "paymentid", "qty", "quantity", "reason", "remote_id", "sku",
        "status", "status_code", "taxAmount1", "taxAmount2", "total", "type", "unit_cost",
        "updated", "v3_status", "vis_state", "why",
    }
)  # fmt: skip
"""Fields of FreshBooks' invoices, payments, items and errors which name no person."""

PERSONAL = frozenset(
    {
        "address", "billing_address", "bus_phone", "city", "company", "contacts", "customer",
        "customer_name", "email", "fax", "first_name", "fname", "home_phone", "last_name",
        "lname", "mob_phone", "name", "organization", "p_city", "p_code", "p_street", "p_street2",
        "phone", "postal_code", "recipient", "recipient_name", "recipient_email", "s_city",
        "s_code", "s_street", "s_street2", "sender_name", "sender_email", "shipping_address",
        "street", "street2", "street_1", "street_2", "username", "vat_number", "zip",
    }
)  # fmt: skip
"""Fields that tell who somebody is."""


def of_write(body: dict[str, Any]) -> dict[str, Any]:
    """Keep of a request's or answer's body what names nobody; the body is not changed."""
    return dict(_only(body, HARMLESS))


def of_key(kind: str, key: str) -> str:
    """Give the key, or for a client (an e-mail, a name) a short hash by which it can be told."""
    if kind in PERSONAL_KINDS or kind == "client" or without_emails(key) != key:
        return f"sha256:{hash_text(key)[:16]}"
    return key


def of_data(data: Any) -> Any:  # noqa: ANN401 - a JSON document is any of its types
    """Take out of a document the fields that name persons, and mask e-mail addresses."""
    if isinstance(data, dict):
        return {key: of_data(value) for key, value in data.items() if key not in PERSONAL}
    if isinstance(data, (list, tuple)):
        return [of_data(value) for value in data]
    return without_emails(data) if isinstance(data, str) else data


def _only(value: Any, names: frozenset[str]) -> Any:  # noqa: ANN401 - see of_data
    if isinstance(value, dict):
        # The code beside an amount is a currency; the one of an invoice is a postal code.
        known = names if "amount" in value else names - {"code"}
        return {key: _only(entry, names) for key, entry in value.items() if key in known}
    if isinstance(value, (list, tuple)):
        return [_only(entry, names) for entry in value]
    return without_emails(value) if isinstance(value, str) else value
