"""The invoice's head follows the order; what a person changed or FreshBooks keeps is left."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.more

JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
JO = {"first_name": "Jo", "last_name": "Roe", "email": "jo@shop.example", "city": "Austin"}


def head(world: Any, order: int) -> tuple[Any, ...]:
    invoice = world.invoice(order)
    return invoice["customerid"], invoice["fname"], invoice["lname"]


def client_named(world: Any, email: str) -> int:
    (found,) = [row["id"] for row in world.books()["clients"] if row["email"] == email]
    return int(found)


def test_a_guest_s_order_whose_e_mail_is_mended_moves_to_the_right_client(world: Any) -> None:
    order = world.synced(billing=JANE)
    world.change_and_sync(order, "edit", billing=JO)
    assert head(world, order) == (client_named(world, "jo@shop.example"), "Jo", "Roe")
    assert world.row(order).state == "posted"
    assert world.ctl("plan", str(order))[0]["steps"] == []
    assert world.writes_of(world.sync) == 0


def test_an_invoice_that_a_person_gave_to_another_client_stays_there(world: Any) -> None:
    order, other = world.place(billing=JANE), world.place(billing=JO)
    world.sync()
    jo = client_named(world, "jo@shop.example")
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"customerid": jo}})
    new = {"first_name": "Ann", "last_name": "Poe", "email": "ann@shop.example"}
    world.change_and_sync(order, "edit", billing=new)
    assert head(world, order)[0] == jo
    assert world.row(order).state == "posted"
    assert [row["email"] for row in world.books()["clients"]].count("ann@shop.example") == 0
    assert world.ctl("plan", str(order))[0]["steps"] == []
    assert world.row(other).state == "posted"


@pytest.mark.parametrize("way", ["ignore", "refuse"])
def test_an_invoice_that_freshbooks_does_not_move_is_left_and_told_once(
    world: Any, way: str
) -> None:
    world.switch(fb__move_invoice=way)
    order = world.synced(billing=JANE)
    jane = world.invoice(order)["customerid"]
    world.change_and_sync(order, "edit", billing=JO)
    assert world.invoice(order)["customerid"] == jane
    assert world.row(order).state == "posted"
    assert world.ctl("plan", str(order))[0]["steps"] == []
    assert world.writes_of(world.sync) == 0
    with world.ledger() as ledger:
        link = ledger.links.get("invoice", str(order))
        assert link is not None
        assert "customerid" in link.extra["left"]


def test_a_corrected_billing_address_reaches_the_invoice(world: Any) -> None:
    order = world.synced(billing=JANE)
    world.change_and_sync(order, "edit", billing={**JANE, "last_name": "Dough"})
    assert world.invoice(order)["lname"] == "Dough"
    assert world.writes_of(world.sync) == 0


FLAT = {**JANE, "company": "Doe Ltd", "street_1": "5 Elm", "street_2": "Flat 4"}


def test_what_the_shop_empties_leaves_the_invoice_if_it_came_from_there(world: Any) -> None:
    order = world.synced(billing=FLAT)
    world.change_and_sync(order, "edit", billing={**FLAT, "company": "", "street_2": ""})
    invoice = world.invoice(order)
    assert [invoice[name] for name in ("organization", "street", "street2")] == ["", "5 Elm", ""]
    assert world.row(order).state == "posted"
    assert world.ctl("plan", str(order))[0]["steps"] == []
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0


def test_what_freshbooks_filled_in_stays_when_the_address_is_corrected(world: Any) -> None:
    order = world.synced(billing=JANE)
    filled_in = world.invoice(order)["organization"]
    world.change_and_sync(order, "edit", billing={**JANE, "last_name": "Dough"})
    assert filled_in
    assert world.invoice(order)["organization"] == filled_in


def test_an_order_moves_to_a_client_made_anew_if_that_one_was_deleted(world: Any) -> None:
    world.switch(fb__deleted_client_invoice="refuse")
    order, former = world.place(billing=JANE), world.place(billing=JO)
    world.sync()
    gone = client_named(world, "jo@shop.example")
    world.put(f"users/clients/{gone}", {"client": {"vis_state": 1}})
    world.change_and_sync(order, "edit", billing=JO)
    client, *names = head(world, order)
    assert names == ["Jo", "Roe"]
    (now,) = [row for row in world.books()["clients"] if row["id"] == client]
    assert (now["email"], now["vis_state"]) == ("jo@shop.example", 0)
    assert client != gone
    assert [world.row(one).state for one in (order, former)] == ["posted"] * 2
    assert world.writes_of(world.sync) == 0


@pytest.mark.parametrize("put", ["stays", "returns"])
def test_an_archived_invoice_is_booked_on_and_stays_in_the_archive(world: Any, put: str) -> None:
    world.switch(fb__archived_put=put)
    order = world.synced()
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"vis_state": 2}})
    assert world.ctl("plan", str(order))[0]["steps"] == []
    world.change_and_sync(order, "refund", order_amount="4.00")
    assert world.row(order).state == "posted"
    assert world.invoice(order)["vis_state"] == 2
    assert str(world.total(order)) == "7.00"
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0
