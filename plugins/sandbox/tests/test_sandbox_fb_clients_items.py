"""Clients, items and taxes: defaults, uniqueness, text that is refused, balances, stock."""

from __future__ import annotations

from typing import Any

import pytest


def test_the_organization_defaults_to_the_name_and_then_to_the_email(books: Any) -> None:
    assert books.create("client", email="a@b.c")["organization"] == "a@b.c"
    named = books.create("client", email="a@b.c", fname="Gordon", lname="Shumway")
    assert named["organization"] == "Gordon Shumway"
    assert books.create("client", organization="Melmac")["organization"] == "Melmac"


def test_a_client_without_any_name_is_refused(books: Any) -> None:
    for body in ({}, {"fname": " ", "p_city": "Toronto"}):
        refused = books.errors("POST", "client", **body)
        assert (refused.status, refused.errno) == (422, 1001)


def test_emails_may_repeat_unless_switched(books: Any, switch: Any) -> None:
    first, second = books.client(), books.client()
    assert first["id"] != second["id"]
    assert len(books.rows("client", email="gordon@example.com")) == 2
    switch(duplicate_email="refuse")
    assert books.errors("POST", "client", email="Gordon@Example.com").field == "email"


def test_an_email_search_minds_case_or_not(books: Any, switch: Any) -> None:
    books.client(email="Gordon@Example.com")
    assert len(books.rows("client", email="gordon@example.com")) == 1
    switch(email_search_case="exact")
    assert books.rows("client", email="gordon@example.com") == []
    assert len(books.rows("client", email="Gordon@Example.com")) == 1


def test_the_like_keys_find_parts(books: Any) -> None:
    client = books.client(organization="American Cyanamid", p_city="Toronto", bus_phone="416-867")
    for search in (
        {"organization_like": "cyan"},
        {"address_like": "toron"},
        {"phone_like": "867"},
        {"email_like": "gordon@"},
        {"user_like": "gord"},
        {"userids": [client["id"]]},
    ):
        assert [row["id"] for row in books.rows("client", **search)] == [client["id"]], search
    assert books.rows("client", organization_like="nobody") == []


def test_emoji_are_refused_unless_switched(books: Any, switch: Any) -> None:
    refused = books.errors("POST", "client", email="a@b.c", note="thanks \U0001f600")
    assert (refused.status, refused.errno, refused.field) == (422, 1036, "note")
    assert books.create("client", email="a@b.c", note="Grüße, 你好")["note"] == "Grüße, 你好"
    switch(non_bmp="accept")
    assert books.create("client", email="a@b.c", note="\U0001f600")["note"] == "\U0001f600"


def test_emoji_deep_in_a_body_are_found(books: Any, line: Any) -> None:
    body = {"customerid": books.client()["id"], "create_date": "2026-11-02"}
    refused = books.errors("POST", "invoice", **body, lines=[line("1.00", name="\U0001f600")])
    assert (refused.errno, refused.field) == (1036, "name")


def test_balances_are_told_on_request(books: Any) -> None:
    invoice = books.sent()
    books.pay(invoice, "40.00")
    answer = books.ask(
        "GET",
        "client",
        invoice["customerid"],
        params=[("include[]", "outstanding_balance"), ("include[]", "draft_balance")],
    )
    client = answer.json()["response"]["result"]["client"]
    assert client["outstanding_balance"] == [{"amount": {"amount": "60.00", "code": "CAD"}}]
    assert client["draft_balance"] == []
    assert len(books.rows("client", has_outstanding="true")) == 1
    assert books.rows("client", has_credit="true") == []


@pytest.mark.parametrize(
    ("limit", "kind", "body"),
    [
        ("client_name_max", "client", {"fname": "12345678901"}),
        ("item_name_max", "item", {"name": "12345678901"}),
        ("item_sku_max", "item", {"name": "x", "sku": "12345678901"}),
    ],
)
def test_lengths_are_limited_when_switched(
    books: Any, switch: Any, limit: str, kind: str, body: dict[str, str]
) -> None:
    books.create(kind, **body)
    switch(**{limit: 10})
    assert books.errors("POST", kind, **body).errno == 1017


def test_an_item_needs_a_name(books: Any) -> None:
    refused = books.errors("POST", "item", sku="S-1")
    assert (refused.status, refused.errno, refused.field) == (422, 1001, "name")


def test_item_fields_are_strings_or_null(books: Any) -> None:
    item = books.create("item", name="Bowl", qty=2, unit_cost={"amount": "5", "code": "CAD"})
    assert (item["qty"], item["sku"], item["inventory"]) == ("2", None, None)
    assert item["unit_cost"] == {"amount": "5.00", "code": "CAD"}
    assert item["id"] == item["itemid"]


def test_items_are_found_by_sku_and_not_by_name(books: Any) -> None:
    bowl = books.create("item", name="Bowl", sku="B-1")
    mug = books.create("item", name="Mug", sku="M-1")
    assert [row["id"] for row in books.rows("item", sku="M-1")] == [mug["id"]]
    assert [row["id"] for row in books.rows("item", name="Mug")] == [bowl["id"], mug["id"]]


@pytest.mark.parametrize("field", ["name", "sku"])
def test_names_and_skus_may_repeat_or_not(books: Any, switch: Any, field: str) -> None:
    body = {"name": "Bowl", "sku": "B-1"}
    deleted = books.create("item", **body)
    books.put("item", deleted["id"], vis_state=1)
    other = body | {"sku" if field == "name" else "name": "other"}
    switch(item_name_unique="no")
    books.create("item", **body)
    switch(**{f"item_{field}_unique": "yes"})
    refused = books.errors("POST", "item", **other)
    assert (refused.status, refused.errno, refused.field) == (422, 1029, field)


def test_a_name_of_an_item_is_taken_for_good_and_a_sku_is_not(books: Any) -> None:
    deleted = books.create("item", name="Bowl", sku="B-1")
    books.put("item", deleted["id"], vis_state=1)
    assert books.errors("POST", "item", name="Bowl", sku="B-2").errno == 1029
    assert books.create("item", name="Other bowl", sku="B-1")["sku"] == "B-1"


def test_stock_follows_invoice_lines_of_the_items_name(books: Any, line: Any) -> None:
    item = books.create("item", name="Bowl", inventory="50")
    untracked = books.create("item", name="Mug")
    invoice = books.invoice(line("5.00", "4", name="Bowl"), line("5.00", name="Mug"))
    assert books.get("item", item["id"])["inventory"] == "46"
    books.put("invoice", invoice["id"], lines=[line("5.00", "6", name="Bowl")])
    assert books.get("item", item["id"])["inventory"] == "44"
    assert books.get("item", untracked["id"])["inventory"] is None


def test_tax_names_are_unique_and_taxes_have_no_vis_state(books: Any) -> None:
    tax = books.create("tax", name="HST", amount="13")
    assert "vis_state" not in tax
    assert books.create("tax", name="Named only")["amount"] == "0"
    refused = books.errors("POST", "tax", name="HST", amount="5")
    assert (refused.status, refused.errno) == (422, 1026)
    assert [row["id"] for row in books.rows("tax", name="hs")] == [tax["id"]]
