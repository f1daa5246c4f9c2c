"""Why an order bears no tax, and the customer's VAT number."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.clients import client_body, client_of_customer
from target_freshbooks.books.desired import Desired
from target_freshbooks.books.exemption import renewed
from target_freshbooks.books.policy import Policy, TaxName
from target_freshbooks.posting.digests import desired_digest
from target_freshbooks.shop.records import read_customer

CASES = Path(__file__).parent / "books_cases"
REVERSE = "Reverse charge: the customer accounts for the VAT; VAT number "
FIELD = "VAT number"


def desired_of(number: Any, case: str = "tax_reverse_charge", **changes: Any) -> Desired:
    body = json.loads((CASES / f"{case}.json").read_text("utf-8"), parse_float=Decimal)
    customer, store = changes.pop("customer", None), changes.pop("store", body["store"])
    taxes = changes.pop("taxes", body["order_taxes"])
    policy = changes.pop("policy", Policy(vat_number_field=FIELD))
    order = body["order"] | changes
    address = order["billing_address"] | {"form_fields": number}
    order |= {"billing_address": address}
    facts = shop.read_facts(order, body["transactions"], (), taxes, customer, store)
    desired = books.desire(facts, policy)
    assert isinstance(desired, Desired)
    return desired


def told(value: Any) -> list[dict[str, Any]]:
    return [{"name": "Delivery", "value": ["a", "b"]}, {"name": "vat NUMBER ", "value": value}]


EXEMPT = "Exempt from tax; VAT number "
ALONE = "Customer's VAT number "


def notes_of(number: str, country: str = "NL", case: str = "tax_reverse_charge", **of: Any) -> Any:
    """What the notes of a store in that country say below the mark."""
    store = {"timezone": {"name": "Europe/Amsterdam"}, "country_code": country}
    invoice = desired_of(told(number), case, store=store, **of).invoice
    mark, *said = invoice.notes.splitlines()
    assert mark == str(invoice.marker)
    return said


@pytest.mark.parametrize(
    ("country", "number", "note"),
    [
        ("NL", "DE123456789", REVERSE),
        ("NL", "el 123.456.789", REVERSE),
        ("NL", "GR123456789", REVERSE),
        ("GR", "DE123456789", REVERSE),
        ("IE", "XI123456789", REVERSE),
        ("NL", "NL123456789B01", EXEMPT),
        ("GR", "EL123456789", EXEMPT),
        ("GR", "GR123456789", EXEMPT),
        ("DE", "12-3456789", EXEMPT),
        ("DE", "US123456789", EXEMPT),
        ("DE", "CHE123456789", EXEMPT),
        ("DE", "GB123456789", EXEMPT),
        ("GB", "DE123456789", EXEMPT),
        ("GB", "GB 123 4567 89", EXEMPT),
        ("XI", "DE123456789", EXEMPT),
        ("US", "DE123456789", EXEMPT),
        ("CH", "DE123456789", EXEMPT),
        ("", "DE123456789", ALONE),
        ("", "12-3456789", ALONE),
    ],
)
def test_a_reverse_charge_is_between_two_members_of_the_eu(
    country: str, number: str, note: str
) -> None:
    assert notes_of(number, country) == [f"{note}{number}"]


@pytest.mark.parametrize("country", ["", "NL", "US"])
def test_whom_the_shop_did_not_tax_is_exempt_wherever_it_is(country: str) -> None:
    said = notes_of("NL123456789B01", country, "tax_exempt_customer")
    assert said == [f"{EXEMPT}NL123456789B01"]
    assert notes_of("", country, "tax_exempt_customer") == ["Exempt from tax"]


def a_row(name: str, line_id: int | None = 1, **changes: Any) -> dict[str, Any]:
    row = {"id": 1, "name": name, "rate": "0", "line_amount": "0", "order_product_id": line_id}
    return row | {"class": "Default Tax Class", "line_item_type": "item"} | changes


@pytest.mark.parametrize(
    "row",
    [
        a_row("Zero rated"),
        a_row("VAT exempt"),
        a_row("Steuerfrei"),
        a_row("btw-nultarief"),
        a_row("TVA", **{"class": "Non-Taxable Goods"}),
        a_row("VAT zero", None, line_item_type=""),
    ],
)
@pytest.mark.parametrize(("country", "number"), [("NL", "DE1234567"), ("", "GB1"), ("GB", "GB1")])
def test_what_nobody_would_tax_is_no_reverse_charge(
    row: dict[str, Any], country: str, number: str
) -> None:
    assert notes_of(number, country, taxes=[row]) == []


@pytest.mark.parametrize(
    "row",
    [
        a_row("VAT"),
        a_row("Reverse charge, zero rated"),
        a_row("Steuerfreie innergemeinschaftliche Lieferung"),
        a_row("Zero rated", 9),
        a_row("Zero rated", None, line_item_type="shipping"),
        a_row("Zero rated", rate="21"),
    ],
)
def test_a_rate_of_zero_is_not_always_the_goods_own(row: dict[str, Any]) -> None:
    assert notes_of("DE123456789", taxes=[row]) == [f"{REVERSE}DE123456789"]


def test_a_zero_rate_of_some_goods_leaves_the_reverse_charge_of_the_others() -> None:
    lines = [a_line(1), a_line(2)]
    assert notes_of("DE1234567", line_items=lines, taxes=[a_row("Zero rated", 2)]) == [
        f"{REVERSE}DE1234567"
    ]
    both = [a_row("Zero rated", 2), a_row("Zero rated")]
    assert notes_of("DE1234567", line_items=lines, taxes=both) == []
    lines[0]["type"] = "giftcertificate"
    assert notes_of("DE1234567", line_items=lines, taxes=both[:1]) == []


def a_line(number: int) -> dict[str, Any]:
    body = json.loads((CASES / "tax_reverse_charge.json").read_text("utf-8"))
    line: dict[str, Any] = body["order"]["line_items"][0]
    return line | {"id": number, "total_ex_tax": "15", "total_inc_tax": "15", "quantity": 1}


def test_a_gift_certificate_bears_no_tax_by_itself() -> None:
    lines = [a_line(1) | {"type": "giftcertificate"}, a_line(2) | {"type": "giftcertificate"}]
    assert notes_of("DE1234567", line_items=lines) == []


def test_what_was_given_away_would_not_have_been_taxed() -> None:
    body = json.loads((CASES / "tax_exempt_customer.json").read_text("utf-8"))
    given = body["order"]["line_items"][0] | {"discounted_total_inc_tax": "0.0000"}
    shipping = {f"shipping_cost_{way}_tax": "5.00" for way in ("ex", "inc")}
    totals = {"total_ex_tax": "5.00", "total_inc_tax": "5.00", "discount_amount": "361.95"}
    order = {"line_items": [given], **shipping, **totals}
    assert notes_of("", "US", "tax_exempt_customer", **order) == []


def test_an_order_of_charges_alone_is_said_like_any_other() -> None:
    assert notes_of("DE1234567", line_items=[]) == [f"{REVERSE}DE1234567"]


def test_a_rate_of_zero_is_known_by_its_name_in_freshbooks_too() -> None:
    policy = Policy(vat_number_field=FIELD, tax_mapping=(TaxName("0", "Zero rated"),))
    assert notes_of("DE1234567", taxes=[a_row("VAT")], policy=policy) == []


@pytest.mark.parametrize(
    ("number", "shipped", "note"),
    [
        ("DE1234567", ["DE"], REVERSE),
        ("DE1234567", ["FR", ""], REVERSE),
        ("FR12345678901", ["GR"], REVERSE),
        ("XI123456789", ["GB"], REVERSE),
        ("DE1234567", ["US"], EXEMPT),
        ("DE1234567", ["GB"], EXEMPT),
        ("DE1234567", ["NL"], ALONE),
        ("NL123456789B01", ["NL", ""], ALONE),
        ("DE1234567", ["NL", "DE"], EXEMPT),
        ("DE1234567", ["DE", "CH"], EXEMPT),
        ("DE1234567", ["", "US"], EXEMPT),
    ],
)
def test_goods_that_leave_the_eu_or_stay_at_home_are_no_reverse_charge(
    number: str, shipped: list[str], note: str
) -> None:
    rows = [
        {"id": place, "country_iso2": code, "state": code and "DE"}
        for place, code in enumerate(shipped, 51)
    ]
    said = notes_of(number, consignments={"shipping": rows})
    assert said == [f"{note}{number}"]


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
    said_of_tax = ("Amazon collected and remits 2.48 tax", "Exempt from tax")
    for said in (*said_of_tax, f"{REVERSE}DE1", f"{ALONE}DE1"):
        stood = f"{mark}\nShipped late\n{said}"
        now = "Amazon collected and remits 1.65 tax"
        assert renewed(stood, f"{mark}\n{now}") == f"{mark}\nShipped late\n{now}"
        assert renewed(stood, mark) == f"{mark}\nShipped late"


def test_what_the_notes_say_makes_no_posted_order_look_changed() -> None:
    desired = desired_of(told("DE123456789"))
    invoice = replace(desired.invoice, notes=f"{desired.invoice.marker}\n{EXEMPT}DE123456789")
    former = replace(desired, invoice=invoice)
    assert former != desired
    assert desired_digest(former, "the order's") == desired_digest(desired, "the order's")
