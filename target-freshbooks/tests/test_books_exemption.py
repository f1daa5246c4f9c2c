"""Why an order bears no tax, and the customer's VAT number."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.clients import client_body, client_of_customer
from target_freshbooks.books.desired import Desired
from target_freshbooks.books.exemption import renewed
from target_freshbooks.books.policy import Policy
from target_freshbooks.shop.records import read_customer

CASES = Path(__file__).parent / "books_cases"
REVERSE = "Reverse charge: the customer accounts for the VAT; VAT number "
FIELD = "VAT number"


def desired_of(number: Any, case: str = "tax_reverse_charge", **changes: Any) -> Desired:
    body = json.loads((CASES / f"{case}.json").read_text("utf-8"), parse_float=Decimal)
    order = body["order"]
    address = order["billing_address"] | {"form_fields": number}
    facts = shop.read_facts(
        order | {"billing_address": address},
        body["transactions"],
        (),
        body["order_taxes"],
        changes.get("customer"),
        changes.get("store", body["store"]),
    )
    desired = books.desire(facts, Policy(vat_number_field=FIELD))
    assert isinstance(desired, Desired)
    return desired


def told(value: Any) -> list[dict[str, Any]]:
    return [{"name": "Delivery", "value": ["a", "b"]}, {"name": "vat NUMBER ", "value": value}]


@pytest.mark.parametrize(
    ("number", "note"),
    [
        ("DE123456789", f"{REVERSE}DE123456789"),
        ("EL123456789", f"{REVERSE}EL123456789"),
        ("GB 123 4567 89", "Exempt from tax; VAT number GB 123 4567 89"),
        ("12-3456789", "Exempt from tax; VAT number 12-3456789"),
        ("US123456789", "Exempt from tax; VAT number US123456789"),
    ],
)
def test_a_vat_number_of_another_country_is_a_reverse_charge(number: str, note: str) -> None:
    invoice = desired_of(told(number)).invoice
    assert invoice.notes.splitlines() == [str(invoice.marker), note]


@pytest.mark.parametrize("forms", [None, [], "none", told(""), told(None), told(["DE1"]), [7]])
def test_what_nobody_would_tax_needs_no_reason(forms: Any) -> None:
    assert desired_of(forms).invoice.notes == str(desired_of(forms).invoice.marker)


def test_a_taxed_order_says_nothing_though_a_number_is_known() -> None:
    desired = desired_of(told("DE123456789"), "tax_exclusive")
    assert desired.invoice.notes == str(desired.invoice.marker)
    assert desired.client.vat == (FIELD, "DE123456789")


def test_the_number_of_the_account_is_taken_where_the_order_tells_none() -> None:
    account = {"id": 5, "email": "j@x.example", "form_fields": told("FR12345678901")}
    desired = desired_of([], customer=account)
    assert desired.invoice.notes.endswith("FR12345678901")
    own = client_of_customer(read_customer(account), "EUR", FIELD)
    for draft in (desired.client, own):
        assert draft is not None
        body = client_body(draft)
        assert (body["vat_name"], body["vat_number"]) == (FIELD, "FR12345678901")


def test_the_notes_follow_the_order_and_keep_what_a_person_added() -> None:
    mark = "BigCommerce order 7 (store abc)"
    for said in ("Amazon collected and remits 2.48 tax", "Exempt from tax", f"{REVERSE}DE1"):
        stood = f"{mark}\nShipped late\n{said}"
        now = "Amazon collected and remits 1.65 tax"
        assert renewed(stood, f"{mark}\n{now}") == f"{mark}\nShipped late\n{now}"
        assert renewed(stood, mark) == f"{mark}\nShipped late"
