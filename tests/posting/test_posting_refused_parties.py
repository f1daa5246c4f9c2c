"""Clients and items that FreshBooks refuses: told apart, made otherwise, or the plan is full."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.more


SMITHS = [
    {"first_name": "John", "last_name": "Smith", "email": f"john{n}@smith.example"}
    for n in range(3)
]
FULL = {"fb__client_limit": 1}


def standings(world: Any) -> list[tuple[str, str | None]]:
    with world.ledger() as ledger:
        return [(row.state, row.reason) for row in ledger.orders.all()]


def made(world: Any, path: str) -> int:
    """How often something was asked to be made below that path."""
    return sum(
        row["count"]
        for row in world.control("GET", "requests")["requests"]
        if row["path"].endswith(path) and row["method"] == "POST"
    )


# -- a user name that another client has


@pytest.mark.parametrize("status", ["409", "422"])
def test_two_people_of_one_name_both_get_their_invoice(world: Any, status: str) -> None:
    world.switch(fb__username_taken=status)
    orders = [world.place(billing=smith) for smith in SMITHS[:2]]
    world.sync()
    assert standings(world) == [("posted", None)] * 2
    clients = {row["id"]: row for row in world.books()["clients"]}
    for order, smith in zip(orders, SMITHS, strict=False):
        invoice = world.invoice(order)
        whose = clients[invoice["customerid"]]
        assert (whose["organization"], whose["email"]) == ("John Smith", smith["email"])
        assert (invoice["fname"], invoice["lname"]) == ("John", "Smith")


@pytest.mark.more
def test_a_client_refused_without_names_is_an_organisation_that_is_found_again(world: Any) -> None:
    refusal = {"errno": 1029, "field_name": "username", "words": "Username already exists."}
    rule = {"method": "POST", "path": "/users/clients$", "body": '"email"'}
    world.fault(kind="refused", **rule, **refusal)
    orders = [world.place(billing=SMITHS[0])]
    world.sync()
    world.lose_ledger()
    orders.append(world.place(billing=SMITHS[0]))
    world.sync()
    (client,) = world.books()["clients"]
    assert client["organization"] == "John Smith (john0@smith.example)"
    assert {world.invoice(order)["customerid"] for order in orders} == {client["id"]}


@pytest.mark.more
@pytest.mark.parametrize("kind", ["reset_after", "reset_before"])
def test_a_client_made_without_names_is_found_though_the_answer_was_lost(
    world: Any, kind: str
) -> None:
    world.switch(fb__username_taken="422")
    world.synced(billing=SMITHS[0])
    order = world.place(billing=SMITHS[1])
    world.fault(kind=kind, method="POST", path="/users/clients$", skip=1, times=1)
    world.sync()
    assert world.row(order).state == "posted"
    assert len(world.books()["clients"]) == 2


@pytest.mark.more
def test_a_profile_s_new_name_that_another_has_is_left_and_the_rest_written(world: Any) -> None:
    customer = world.control("POST", "shop/customers", SMITHS[0])["id"]
    world.synced(customer_id=customer)
    refusal = {"errno": 1029, "field_name": "username", "words": "Username already exists."}
    world.fault(kind="refused", method="PUT", path="/users/clients/", body="fname", **refusal)
    moved = [{"id": 1, "customer_id": customer, "city": "Troy"}]
    changed = {"first_name": "Jack", "addresses": moved}
    world.control("POST", f"shop/customers/{customer}", changed)
    said = world.messages()
    world.sync(said)
    (client,) = world.books()["clients"]
    assert (client["fname"], client["p_city"]) == ("John", "Troy")
    (left,) = world.ctl("status")["clients_left"]
    assert left["fields"] == ["fname"]
    assert world.writes_of(lambda: world.sync(said)) == 0


# -- an item's name that another item has


@pytest.mark.parametrize("unique", ["yes", "409"])
def test_an_item_whose_name_is_taken_bears_its_sku_as_well(world: Any, unique: str) -> None:
    world.switch(fb__item_name_unique=unique)
    world.post("items/items", {"item": {"name": "Mug", "sku": "OTHER"}})
    order = world.synced()
    assert world.row(order).state == "posted"
    assert [row["name"] for row in world.books()["items"]] == ["Mug", "Mug (MUG)"]


@pytest.mark.more
def test_an_item_made_by_somebody_else_meanwhile_is_used(world: Any) -> None:
    """The look finds nothing; as we make it, it is there."""
    world.switch(fb__item_name_unique="409")
    act = {"path": "items/items", "json": {"item": {"name": "Mug", "sku": "MUG"}}}
    world.fault(kind="act", method="POST", path="/items/items$", writes=[act], times=1)
    order = world.synced()
    assert world.row(order).state == "posted"
    (item,) = world.books()["items"]
    assert item["sku"] == "MUG"


# -- the plan's limit of clients, and the right to make some


@pytest.mark.parametrize("status", [402, 403, 422])
def test_above_the_plan_s_limit_new_clients_are_parked_and_known_ones_go_on(
    world: Any, status: int
) -> None:
    world.synced()
    world.switch(**FULL, fb__client_limit_status=status)
    world.settings["max_parallel_orders"] = 1
    parked = [world.place(billing=smith) for smith in SMITHS]
    known = world.place()
    before = made(world, "/users/clients")
    world.sync()
    assert made(world, "/users/clients") - before == 1
    assert {world.row(order).reason for order in parked} == {"client_limit"}
    assert all("Upgrade to add more" in str(world.row(order).words) for order in parked)
    assert world.row(known).state == "posted"
    world.switch(fb__client_limit=0)
    world.ctl("replay", "--parked")
    assert {state for state, _ in standings(world)} == {"posted"}


@pytest.mark.more
def test_above_the_limit_a_client_that_freshbooks_has_is_used(world: Any) -> None:
    world.post("users/clients", {"client": {"email": SMITHS[1]["email"]}})
    world.switch(**FULL)
    world.settings["max_parallel_orders"] = 1
    refused, found = (world.place(billing=smith) for smith in SMITHS[:2])
    world.sync()
    assert world.row(refused).reason == "client_limit"
    assert world.row(found).state == "posted"


def test_without_the_right_to_make_clients_known_ones_go_on(world: Any) -> None:
    world.synced()
    world.switch(fb__write_rights="no_clients")
    world.settings["max_parallel_orders"] = 1
    parked = [world.place(billing=smith) for smith in SMITHS]
    known = world.place()
    before = made(world, "/users/clients")
    world.sync()
    assert made(world, "/users/clients") - before == 1
    assert {world.row(order).reason for order in parked} == {"refused_by_freshbooks"}
    assert world.row(known).state == "posted"


def test_a_client_refused_for_its_own_sake_keeps_no_other_from_being_made(world: Any) -> None:
    refusal = {"errno": 1017, "field_name": "fname", "words": "Too long, the limit is 3."}
    rule = {"method": "POST", "path": "/users/clients$", "body": "john0"}
    world.fault(kind="refused", **rule, **refusal)
    refused, other = (world.place(billing=smith) for smith in SMITHS[:2])
    world.sync()
    assert world.row(refused).reason == "refused_by_freshbooks"
    assert world.row(other).state == "posted"


@pytest.mark.more
def test_all_customers_of_a_full_plan_are_not_asked_for_one_by_one(world: Any) -> None:
    world.synced()
    world.switch(**FULL)
    world.settings |= {"client_sync": "all", "max_parallel_orders": 1}
    for smith in SMITHS:
        world.control("POST", "shop/customers", smith)
    before = made(world, "/users/clients")
    world.sync()
    assert made(world, "/users/clients") - before == 1


def test_a_client_that_freshbooks_does_not_know_is_made_anew_once(world: Any) -> None:
    """Searches that lag do not show the one made before."""
    world.switch(fb__stale_search_seconds=60)
    gone = {"errno": 1012, "field_name": "customerid", "words": "Client not found."}
    world.fault(kind="refused", method="POST", path="/invoices/invoices$", times=4, **gone)
    order = world.synced()
    assert world.row(order).reason == "refused_by_freshbooks"
    assert len(world.books()["clients"]) == 2
