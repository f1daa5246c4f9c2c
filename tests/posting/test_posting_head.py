"""The invoice's head follows the order; what a person changed or FreshBooks keeps is left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from target_freshbooks.ledger.storage.canonical import hash_of
from target_freshbooks.posting.apply import refused_step

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


def test_an_order_moves_to_a_client_made_anew_if_that_one_is_deleted_meanwhile(world: Any) -> None:
    world.switch(fb__deleted_client_invoice="refuse")
    order, former = world.place(billing=JANE), world.place(billing=JO)
    world.sync()
    gone = client_named(world, "jo@shop.example")
    deletion = {"client": {"vis_state": 1}}
    write = {"method": "PUT", "path": f"users/clients/{gone}", "json": deletion}
    world.fault(kind="act", writes=[write], times=1, **PUT)
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


# -- what a person corrected

NAMES = ("fname", "lname", "organization", "street", "street2", "city", "province", "code")
FIELDS = (*NAMES, "country")
CORRECTED = "Doe Holding LLC"


def standing(world: Any, order: int, *names: str) -> list[str]:
    return [world.invoice(order)[name] for name in names]


def correct(world: Any, order: int, **fields: Any) -> None:
    """A bookkeeper changes the head of the order's invoice."""
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": fields})


def fields_left(world: Any, order: int) -> list[str]:
    left = world.ctl("status")["invoices_left"]
    return [name for one in left if one["order_id"] == order for name in one["fields"]]


def test_what_a_person_corrected_stays_at_every_later_edit_and_is_told_once(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order = world.synced(billing=FLAT)
    correct(world, order, organization=CORRECTED)
    for last_name in ("Dough", "Dow"):
        world.change_and_sync(order, "edit", billing={**FLAT, "last_name": last_name})
        assert standing(world, order, "lname", "organization") == [last_name, CORRECTED]
        assert fields_left(world, order) == ["organization"]
    world.change_and_sync(order, "edit", billing={**FLAT, "last_name": "Dow", "company": ""})
    assert standing(world, order, "lname", "organization") == ["Dow", CORRECTED]
    assert fields_left(world, order) == ["organization"]
    assert caplog.text.count("organization of invoice") == 1
    correct(world, order, organization="")
    world.change_and_sync(order, "edit", billing={**FLAT, "company": ""})
    assert fields_left(world, order) == []


def test_a_corrected_field_is_overwritten_and_ours_again_if_a_person_asks_for_it(
    world: Any,
) -> None:
    order = world.synced(billing=FLAT)
    correct(world, order, organization=CORRECTED)
    world.ctl("replay", str(order), "--overwrite")
    assert standing(world, order, "organization") == ["Doe Ltd"]
    world.change_and_sync(order, "edit", billing={**FLAT, "company": "Doe Inc"})
    assert standing(world, order, "organization") == ["Doe Inc"]


@pytest.mark.parametrize("way", ["ignore", "refuse"])
def test_a_head_that_freshbooks_keeps_is_asked_for_once_where_a_person_wants_it_overwritten(
    world: Any, way: str
) -> None:
    world.switch(fb__move_invoice=way)
    order = world.synced(billing=JANE)
    jane = world.invoice(order)["customerid"]
    world.change_and_sync(order, "edit", billing=JO)
    world.fault(kind="reset_before", method="PUT", path="/invoices/invoices/", skip=2)
    assert world.writes_of(lambda: world.ctl("replay", str(order), "--overwrite")) == 1
    assert world.invoice(order)["customerid"] == jane
    assert (world.row(order).state, fields_left(world, order)) == ("posted", ["customerid"])


def test_what_the_shop_adds_reaches_the_invoice(world: Any) -> None:
    order = world.synced(billing=JANE)
    world.change_and_sync(order, "edit", billing=FLAT)
    assert standing(world, order, "organization", "street2") == ["Doe Ltd", "Flat 4"]
    assert fields_left(world, order) == []


def test_after_a_lost_ledger_what_differs_is_taken_for_a_person_s(world: Any) -> None:
    order = world.synced(billing=FLAT)
    correct(world, order, organization=CORRECTED)
    world.is_found_again()
    assert fields_left(world, order) == ["organization"]
    world.change_and_sync(order, "edit", billing={**FLAT, "last_name": "Dough"})
    assert standing(world, order, "lname", "organization") == ["Dough", CORRECTED]
    world.change_and_sync(order, "edit", billing={**FLAT, "company": "", "street_2": ""})
    assert standing(world, order, "organization", "street2") == [CORRECTED, ""]
    assert fields_left(world, order) == ["organization"]


# -- what our own writes left


def test_what_freshbooks_fills_in_for_another_client_follows_the_order(world: Any) -> None:
    order = world.place(billing={**FLAT, "street_1": "9 Oak"})
    world.place(billing={**JO, "street_1": "1 Main", "company": "Roe Inc"})
    world.sync()
    world.change_and_sync(order, "edit", billing={**JO, "street_1": "9 Oak", "company": ""})
    wanted = ["Jo", "Roe", "", "9 Oak", "", "Austin"]
    assert standing(world, order, *NAMES[:6]) == wanted
    assert fields_left(world, order) == []
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0


def test_a_client_that_freshbooks_does_not_change_makes_no_correction_ours(world: Any) -> None:
    world.switch(fb__move_invoice="ignore")
    order = world.synced(billing=FLAT)
    correct(world, order, organization=CORRECTED)
    world.change_and_sync(order, "edit", billing={**JO, "company": "Roe Inc"})
    assert standing(world, order, "fname", "organization") == ["Jo", CORRECTED]
    assert fields_left(world, order) == ["customerid", "organization"]


PUT = {"method": "PUT", "path": "/invoices/invoices/"}


@pytest.mark.parametrize("killed", [False, True])
def test_a_correction_without_an_answer_is_ours(world: Any, *, killed: bool) -> None:
    order = world.synced(billing=FLAT)
    world.change(order, "edit", billing={**FLAT, "last_name": "Dough"})
    if killed:
        world.killed_in_write(world.messages(), when="after", **PUT)
    else:
        world.fault(kind="reset_after", times=1, **PUT)
    world.sync()
    assert standing(world, order, "lname") == ["Dough"]
    world.change_and_sync(order, "edit", billing={**FLAT, "last_name": "Dow", "company": ""})
    assert standing(world, order, "lname", "organization") == ["Dow", ""]
    assert fields_left(world, order) == []


@pytest.mark.parametrize("killed", [False, True])
def test_a_move_without_an_answer_is_ours(world: Any, *, killed: bool) -> None:
    jim = {"first_name": "Jim", "last_name": "Poe", "email": "jim@shop.example"}
    order = world.place(billing=FLAT)
    for billing in ({**JO, "street_1": "1 Main"}, jim):
        world.place(billing=billing)
    world.sync()
    moved = {**JO, "street_1": "5 Elm"}
    world.change(order, "edit", billing=moved)
    if killed:
        world.killed_in_write(world.messages(), when="after", **PUT)
    else:
        world.fault(kind="reset_after", times=1, **PUT)
    world.sync()
    assert head(world, order) == (client_named(world, "jo@shop.example"), "Jo", "Roe")
    assert standing(world, order, "organization", "street", "street2") == ["", "5 Elm", ""]
    world.change_and_sync(order, "edit", billing=jim)
    assert head(world, order) == (client_named(world, "jim@shop.example"), "Jim", "Poe")
    assert fields_left(world, order) == []
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0


def test_a_field_that_freshbooks_refuses_keeps_no_other_from_following(world: Any) -> None:
    order = world.synced(billing=FLAT)
    world.fault(kind="refused", body="Oak", words="Not this street.", **PUT)
    world.change_and_sync(order, "edit", billing={**FLAT, "street_1": "9 Oak"})
    assert fields_left(world, order) == ["street"]
    changed = {**FLAT, "street_1": "9 Oak", "last_name": "Dough"}
    world.change_and_sync(order, "edit", billing=changed)
    assert standing(world, order, "lname", "street") == ["Dough", "5 Elm"]
    assert fields_left(world, order) == ["street"]


def test_an_edit_of_the_head_that_meets_another_request_waits_for_a_person(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_step, "CONFLICT_SECONDS", 0.01)
    order = world.synced(billing=FLAT)
    busy = {"kind": "refused", "status": 409, "errno": 409, "words": "Being changed."}
    world.fault(**busy, **PUT)
    world.change_and_sync(order, "edit", billing={**FLAT, "street_1": "9 Oak"})
    assert world.row(order).reason == "refused_by_freshbooks"
    world.control("DELETE", "faults")
    world.ctl("replay", str(order))
    assert standing(world, order, "street") == ["9 Oak"]


def test_an_invoice_that_was_deleted_meanwhile_costs_no_client_its_link(world: Any) -> None:
    order = world.place(billing=JANE)
    world.place(billing=JO)
    world.sync()
    own = world.invoice(order)["id"]
    body = {"invoice": {"vis_state": 1}}
    gone = {"method": "PUT", "path": f"invoices/invoices/{own}", "json": body}
    look = {"method": "GET", "path": "/invoices/[0-9]+$", "when": "after"}
    world.fault(kind="act", writes=[gone], times=1, **look)
    world.fault(kind="status", status=404, times=1, **PUT)
    world.change_and_sync(order, "edit", billing=JO)
    assert world.row(order).reason == "deleted_in_freshbooks"
    assert fields_left(world, order) == []
    with world.ledger() as ledger:
        made = [link for link in ledger.links.of_kind("client") if link.extra.get("made")]
    assert len(made) == 2
    world.put(f"invoices/invoices/{own}", {"invoice": {"vis_state": 0}})
    world.ctl("replay", str(order))
    assert head(world, order) == (client_named(world, "jo@shop.example"), "Jo", "Roe")


# -- what versions before remembered


def by_parts(world: Any, order: int, *given: str) -> None:
    """Have the ledger remember the head as versions before 0.2 did: two digests of each part."""
    invoice = world.invoice(order)
    held = {name: str(invoice[name]) for name in FIELDS}
    client = {"customerid": str(invoice["customerid"])}
    with world.ledger() as ledger:
        link = ledger.links.get("invoice", str(order))
        wanted = link.extra["head"]["customerid"][0]
        asked = hash_of({name: held[name] for name in given})
        head = {"client": [wanted, hash_of(client)], "billing": [asked, hash_of(held)]}
        ledger.links.put(replace(link, extra={"head": head}))


GIVEN = tuple(name for name in FIELDS if name not in {"organization", "street2"})


def test_a_head_of_a_version_before_follows_the_shop(world: Any) -> None:
    order = world.synced(billing=FLAT)
    by_parts(world, order, *(name for name in FIELDS if world.invoice(order)[name]))
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0
    by_parts(world, order, *(name for name in FIELDS if world.invoice(order)[name]))
    changed = {**FLAT, "last_name": "Dough", "company": ""}
    world.change_and_sync(order, "edit", billing=changed)
    assert standing(world, order, "lname", "organization") == ["Dough", ""]
    world.change_and_sync(order, "edit", billing=JO)
    assert head(world, order) == (client_named(world, "jo@shop.example"), "Jo", "Roe")
    assert fields_left(world, order) == []


def test_what_freshbooks_filled_in_under_a_version_before_stays(world: Any) -> None:
    order = world.synced(billing=JANE)
    filled_in = world.invoice(order)["organization"]
    stand = [name for name in GIVEN if world.invoice(order)[name]]
    by_parts(world, order, *stand)
    world.change_and_sync(order, "edit", billing={**JANE, "last_name": "Dough"})
    assert standing(world, order, "lname", "organization") == ["Dough", filled_in]
    world.change_and_sync(order, "edit", billing=FLAT)
    assert standing(world, order, "organization", "street2") == ["Doe Ltd", "Flat 4"]


def test_what_a_person_corrected_under_a_version_before_stays(world: Any) -> None:
    order, _ = world.place(billing=FLAT), world.place(billing=JO)
    world.sync()
    by_parts(world, order, *(name for name in FIELDS if world.invoice(order)[name]))
    jo = client_named(world, "jo@shop.example")
    correct(world, order, customerid=jo)
    correct(world, order, fname="Jane", lname="Doe", organization=CORRECTED, street="5 Elm")
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0
    for name in ("Ann", "Sue"):
        changed = {**FLAT, "email": f"{name}@shop.example", "first_name": "Jane"}
        world.change_and_sync(order, "edit", billing={**changed, "street_1": f"9 {name} Street"})
        assert head(world, order) == (jo, "Jane", "Doe")
        assert standing(world, order, "organization") == [CORRECTED]
    assert standing(world, order, "street") == ["9 Sue Street"]
    assert {"customerid", "organization"} <= {*fields_left(world, order)}
