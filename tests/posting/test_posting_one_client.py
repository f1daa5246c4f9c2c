"""All orders under one client, and what clients are told of a customer."""

from __future__ import annotations

from typing import Any

ANN = {
    "first_name": "Ann",
    "last_name": "Lee",
    "email": "ann@x.example",
    "phone": "555-0123",
    "street_1": "9 Side Street",
}
BOB = {"first_name": "Bob", "company": "Bob Ltd", "email": "bob@x.example"}


def test_all_orders_have_one_client_and_each_invoice_its_shopper(world: Any) -> None:
    world.settings["client_mode"] = "one"
    world.switch(fb__client_limit=1)
    orders = [world.place(billing=who) for who in (ANN, BOB)]
    orders.append(world.place(billing={"email": ""}))
    world.sync()
    assert [world.row(order).state for order in orders] == ["posted"] * 3
    (client,) = world.books()["clients"]
    assert client["organization"] == "Shop customers"
    invoices = [world.invoice(order) for order in orders]
    assert {invoice["customerid"] for invoice in invoices} == {client["id"]}
    ann, bob, _ = invoices
    assert (ann["fname"], ann["lname"], ann["organization"]) == ("Ann", "Lee", "Ann Lee")
    assert ann["street"] == "9 Side Street"
    assert bob["organization"] == "Bob Ltd"
    world.is_found_again()


def test_a_client_gets_the_vat_number_of_a_form_field_and_no_phone_number(world: Any) -> None:
    world.settings["vat_number_field"] = "VAT number"
    field = {"name": "VAT number", "value": "DE123456789"}
    world.place(billing=ANN, form_fields=[field])
    account = world.control("POST", "shop/customers", BOB)["id"]
    told = {"form_fields": [{"name": "vat number", "value": "FR12345678901"}]}
    world.control("POST", f"shop/customers/{account}", told)
    world.synced(customer_id=account, billing=BOB)
    clients = {row["email"]: row for row in world.books()["clients"]}
    ann, bob = clients["ann@x.example"], clients["bob@x.example"]
    assert (ann["vat_name"], ann["vat_number"]) == ("VAT number", "DE123456789")
    assert bob["vat_number"] == "FR12345678901"
    assert not ann["bus_phone"]
    changed = {"form_fields": [{"name": "vat number", "value": "FR99999999999"}]}
    world.control("POST", f"shop/customers/{account}", changed)
    world.sync()
    (bob,) = [row for row in world.books()["clients"] if row["id"] == bob["id"]]
    assert bob["vat_number"] == "FR99999999999"


def test_another_generic_client_is_that_of_the_orders_to_come(world: Any) -> None:
    world.settings["generic_client"] = "Walk-in"
    former = world.synced(billing={"email": ""})
    world.settings["generic_client"] = "Online sales"
    order = world.synced(billing={"email": ""})
    names = {row["id"]: row["organization"] for row in world.books()["clients"]}
    assert names[world.invoice(order)["customerid"]] == "Online sales"
    assert names[world.invoice(former)["customerid"]] == "Walk-in"
    assert world.writes_of(lambda: world.ctl("replay", str(former))) == 0
