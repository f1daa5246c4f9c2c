"""A client that a person deleted gets no further invoice, though FreshBooks would take one."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from target_freshbooks.ledger import Link
from target_freshbooks.posting.apply.deleted_clients import ASKED

pytestmark = pytest.mark.more

JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
JO = {"first_name": "Jo", "last_name": "Roe", "email": "jo@shop.example"}
CLIENTS = "users/clients"


def delete(world: Any, client: int) -> int:
    """A person deletes the client."""
    world.put(f"{CLIENTS}/{client}", {"client": {"vis_state": 1}})
    return client


def client_of(world: Any, order: int) -> int:
    """The id of the client of the order's invoice, which stands."""
    client: int = world.invoice(order)["customerid"]
    standing = {row["id"] for row in world.books()["clients"] if row["vis_state"] == 0}
    assert client in standing
    return client


def lists_read(world: Any) -> int:
    rows = [row for row in world.requests() if row["path"].endswith(CLIENTS)]
    return int(sum(row["count"] for row in rows if row["method"] == "GET"))


@pytest.mark.parametrize("as_", ["guest", "customer"])
def test_the_next_order_is_of_a_client_that_stands(world: Any, as_: str) -> None:
    of = {"billing": JANE}
    if as_ == "customer":
        of |= {"customer_id": world.control("POST", "shop/customers", JANE)["id"]}
    gone = delete(world, client_of(world, world.synced(**of)))
    orders = [world.place(**of) for _ in range(2)]
    world.sync()
    client, same = (client_of(world, order) for order in orders)
    assert client == same != gone


def test_another_client_of_the_e_mail_is_found(world: Any) -> None:
    gone = client_of(world, world.synced(billing=JANE))
    world.post(CLIENTS, {"client": {"email": JANE["email"], "organization": "Doe Ltd"}})
    (merged,) = (row["id"] for row in world.books()["clients"] if row["id"] != gone)
    delete(world, gone)
    assert client_of(world, world.synced(billing=JANE)) == merged


def test_an_order_moves_to_a_client_that_stands(world: Any) -> None:
    order, former = world.place(billing=JANE), world.place(billing=JO)
    world.sync()
    gone = delete(world, client_of(world, former))
    world.change_and_sync(order, "edit", billing=JO)
    assert client_of(world, order) != gone


def test_it_is_asked_once_a_run_and_only_for_a_known_client(world: Any) -> None:
    for _ in range(3):
        world.place(billing=JANE)
    world.sync()
    before = lists_read(world)
    for _ in range(3):
        world.place(billing=JANE)
    world.sync()
    assert lists_read(world) - before == 1
    world.sync()
    world.change(1001, "touch")
    world.sync()
    assert lists_read(world) - before == 1


def asked_on(world: Any, day: date | None = None) -> date | None:
    """The day that the ledger has of the last asking; with `day` it has that from now on."""
    with world.ledger() as ledger:
        if day is not None:
            ledger.links.put(Link("asked", ASKED, 0, day=day))
        link = ledger.links.get("asked", ASKED)
        return None if link is None else link.day


def test_it_is_asked_for_the_days_since_it_was_asked_last(world: Any) -> None:
    gone = client_of(world, world.synced(billing=JANE))
    delete(world, gone)
    asked_on(world, date(2100, 1, 1))
    assert world.invoice(world.synced(billing=JANE))["customerid"] == gone  # no change so late


def test_a_run_that_does_not_ask_leaves_the_day_of_asking(world: Any) -> None:
    gone = client_of(world, world.synced(billing=JANE))
    assert asked_on(world) is None, "no client was known"
    asked_on(world, date(2026, 1, 1))
    delete(world, gone)
    world.sync()
    assert asked_on(world) == date(2026, 1, 1)
    world.synced(billing=JO)
    assert asked_on(world) == date(2026, 1, 1)
    assert client_of(world, world.synced(billing=JANE)) != gone
    assert asked_on(world) != date(2026, 1, 1)


def test_all_that_were_deleted_are_forgotten_at_the_first_asking(world: Any) -> None:
    orders = [world.synced(billing=billing) for billing in (JANE, JO)]
    gone = [delete(world, client_of(world, order)) for order in orders]
    assert client_of(world, world.synced(billing=JO)) not in gone
    asked_on(world, date(2100, 1, 1))
    assert client_of(world, world.synced(billing=JANE)) not in gone


def test_where_it_cannot_be_seen_all_goes_on_and_the_next_run_asks_again(world: Any) -> None:
    gone = delete(world, client_of(world, world.synced(billing=JANE)))
    world.fault(kind="status", status=403, method="GET", path=CLIENTS)
    order = world.synced(billing=JANE)
    world.control("DELETE", "faults")
    assert (world.row(order).state, world.invoice(order)["customerid"]) == ("posted", gone)
    assert client_of(world, world.synced(billing=JANE)) != gone


def test_where_it_cannot_be_seen_the_next_run_asks_of_the_same_days(world: Any) -> None:
    world.synced(billing=JANE)
    asked_on(world, date(2026, 1, 1))
    world.fault(kind="status", status=403, method="GET", path=CLIENTS)
    world.synced(billing=JANE)
    world.control("DELETE", "faults")
    assert asked_on(world) == date(2026, 1, 1)


def test_a_plan_tells_of_the_client_that_will_be_made(world: Any) -> None:
    delete(world, client_of(world, world.synced(billing=JANE)))
    orders = [world.place(billing=JANE) for _ in range(2)]
    world.sync(dry_run=True)
    before = lists_read(world)
    plans = world.ctl("plan", *map(str, orders))
    assert [plan["steps"][0]["kind"] for plan in plans] == ["create_client"] * 2, json.dumps(plans)
    assert lists_read(world) - before == 1 + 2 * 2  # the deleted ones, and each looked for
    world.sync(dry_run=False)
    for order in orders:
        client_of(world, order)


@pytest.mark.parametrize("deleted_get", ["found", "missing", "error"])
def test_none_is_made_for_an_order_whose_invoice_a_person_deleted(
    world: Any, deleted_get: str
) -> None:
    world.switch(fb__deleted_get=deleted_get)
    order, _ = world.place(billing=JANE), world.synced(billing=JO)
    delete(world, client_of(world, order))
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"vis_state": 1}})
    world.synced(billing=JO)  # a run that hears of the deleted client
    world.change(order, "edit", billing=JANE | {"email": "new@shop.example"})
    before = world.books()["clients"], world.books()["items"]
    (plan,) = world.ctl("plan", str(order))
    assert plan["steps"] == []
    world.sync()
    assert world.row(order).reason == "deleted_in_freshbooks"
    assert (world.books()["clients"], world.books()["items"]) == before
