"""What a person changed by hand stays until a person asks for the order's own figures."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.more

D = Decimal
TAX = {"name": "State Tax", "percent": "10"}
UNTAXED = [{"type": 0, "name": "All in all", "qty": "1", "unit_cost": {"amount": "11.00"}}]


def edit(world: Any, order: int, **fields: Any) -> None:
    """Change the order's invoice by hand."""
    invoice = world.invoice(order)
    world.put(f"invoices/invoices/{invoice['id']}", {"invoice": fields})


def lines(world: Any, order: int) -> list[tuple[str, str, str | None]]:
    return [
        (line["name"], line["unit_cost"]["amount"], line["taxName1"] or None)
        for line in world.invoice(order)["lines"]
    ]


@pytest.mark.parametrize("fields", [{"lines": UNTAXED}, {"create_date": "2024-12-31"}])
def test_an_edit_that_keeps_the_total_is_undone_where_a_person_asks_for_it(
    world: Any, fields: dict[str, Any]
) -> None:
    order = world.synced()
    before = (lines(world, order), world.invoice(order)["create_date"])
    edit(world, order, **fields)
    world.ctl("replay", str(order))
    assert world.row(order).reason == "edited_in_freshbooks"
    assert (lines(world, order), world.invoice(order)["create_date"]) != before
    world.ctl("replay", "--overwrite", str(order))
    assert (lines(world, order), world.invoice(order)["create_date"]) == before
    assert (world.row(order).state, world.paid(order)) == ("posted", [D("11.00")])
    assert world.ctl("verify")["findings"] == []
    assert world.writes_of(world.sync) == 0


def test_an_edit_of_the_client_is_undone_where_a_person_asks_for_it(world: Any) -> None:
    order = world.place()
    other = world.synced(billing={"first_name": "Jo", "last_name": "Doe", "email": "jo@s.example"})
    client = world.invoice(order)["customerid"]
    edit(world, order, customerid=world.invoice(other)["customerid"])
    world.ctl("replay", "--overwrite", str(order))
    assert world.invoice(order)["customerid"] == client
    assert world.ctl("verify")["findings"] == []


TAXED = {"taxes": [{"name": "State Tax", "percent": "8.875"}]}
ODD = [
    {"name": "Bead", "sku": "BEAD", "price": "0.99", "quantity": 5, **TAXED},
    {"name": "Hook", "sku": "HOOK", "price": "0.55", "quantity": 5, **TAXED},
]
"""The order comes out right as it is, and a refund of one piece each only in another wording."""


@pytest.mark.parametrize("rounding", ["per_tax", "per_line"])
def test_an_order_first_seen_with_its_refund_is_booked_as_if_the_refund_came_later(
    world: Any, rounding: str
) -> None:
    world.switch(fb__tax_rounding=rounding)
    early, late = (world.place(lines=ODD) for _ in range(2))
    back = [{"line": 0, "quantity": 1}, {"line": 1, "quantity": 1}]
    world.change_and_sync(early, "refund", lines=back)
    world.change_and_sync(late, "refund", lines=back)
    assert world.row(early).state == world.row(late).state == "posted"
    unnumbered = [
        [(re.sub("[0-9]+", "", name), *more) for name, *more in lines(world, order)]
        for order in (early, late)
    ]
    assert unnumbered[0] == unnumbered[1]
    assert world.total(early) == world.total(late) == sum(world.paid(early))


def test_a_payment_that_was_moved_to_another_invoice_is_not_this_order_s_any_more(
    world: Any,
) -> None:
    order = world.place()
    other = world.synced(pay="authorize")
    (payment,) = world.payments(order)
    target = world.invoice(other)["id"]
    world.put(f"payments/payments/{payment['id']}", {"payment": {"invoiceid": target}})
    if world.payments(order):
        pytest.skip("the sandbox does not move payments")
    world.change_and_sync(order, "refund", order_amount="4.00")
    assert world.row(order).reason == "edited_in_freshbooks"
    assert world.paid(other) == [D("11.00")]


def test_another_shop_s_credit_note_of_the_same_refund_is_not_ours(world: Any) -> None:
    """Both shops have an order 1001 with a refund 1, of one customer; the ledger is lost."""
    world.settings["stored_value"] = "payment"
    customer = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
    order = world.place(customer_id=world.control("POST", "shop/customers", customer)["id"])
    world.change(order, "refund", order_amount="4.00", to=[{"provider": "storecredit"}])
    shops = [
        {"source": "first", "invoice_number_prefix": "A-"},
        {"source": "second", "invoice_number_prefix": "B-"},
    ]
    for shop in shops:
        world.settings |= shop
        world.sync(world.messages_of(shop["source"]))
    world.lose_ledger()
    for shop in reversed(shops):
        world.settings |= shop
        told = world.messages_of(shop["source"])
        assert world.writes_of(lambda told=told: world.sync(told)) == 0
        assert world.ctl("verify")["findings"] == []
    numbers = {note["credit_number"] for note in world.books()["credit_notes"]}
    assert numbers == {"A-R1", "B-R1"}
    world.lose_ledger()
    world.change(order, "cancel")
    world.settings |= {**shops[0], "on_cancel": "delete"}
    world.sync(world.messages_of("first"))
    states = {note["credit_number"]: note["vis_state"] for note in world.books()["credit_notes"]}
    assert states == {"A-R1": 1, "B-R1": 0}


def test_a_credit_note_whose_number_would_be_too_long_has_no_prefix(world: Any) -> None:
    """FreshBooks takes ten characters; what makes the note ours stands in its notes."""
    world.settings["stored_value"] = "payment"
    world.settings["invoice_number_prefix"] = "MY-STORE-"
    jane = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
    customer = world.control("POST", "shop/customers", jane)["id"]
    order = world.synced(id=12_345_678, customer_id=customer)
    world.change(order, "refund", order_amount="4.00", to=[{"provider": "storecredit"}])
    assert world.writes_of(world.sync) == 1
    (note,) = world.books()["credit_notes"]
    assert note["notes"] == f"BigCommerce order {order}, refund 1 (store sandbox)"
    assert note["credit_number"] == "R1"
    assert world.row(order).state == "posted"
    world.is_found_again()
