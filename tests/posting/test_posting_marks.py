"""With the ledger lost an order's invoice is found by its mark, and before anything is made."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.posting.observe.in_bulk import FEWEST

D = Decimal
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
LIST = "invoices/invoices"


def numbers(world: Any) -> list[str]:
    """The numbers of all invoices that stand."""
    return [row["invoice_number"] for row in world.books()["invoices"] if row["vis_state"] == 0]


def renumbered(world: Any, order: int, number: str) -> None:
    """A person gives the order's invoice another number."""
    world.put(f"{LIST}/{world.invoice(order)['id']}", {"invoice": {"invoice_number": number}})


def lists_read(world: Any) -> int:
    """Requests for lists of invoices."""
    rows = [row for row in world.requests() if row["path"].endswith(LIST)]
    return int(sum(row["count"] for row in rows if row["method"] == "GET"))


def test_an_order_is_found_though_the_prefix_changed(world: Any) -> None:
    order = world.synced()
    world.settings["invoice_number_prefix"] = "BC-"
    world.is_found_again()
    assert numbers(world) == [str(order)]
    assert world.row(order).invoice_number == str(order)
    world.change_and_sync(order, "refund", order_amount="4.00")
    assert (world.total(order), world.paid(order)) == (D("7.00"), [D("7.00")])
    before = lists_read(world)
    world.change(order, "touch")
    assert world.writes_of(world.sync) == 0
    assert lists_read(world) == before


def test_an_order_is_found_though_a_person_gave_its_invoice_another_number(world: Any) -> None:
    order = world.synced()
    renumbered(world, order, "INV-7")
    world.is_found_again()
    world.change(order, "touch")
    assert world.writes_of(world.sync) == 0
    assert numbers(world) == ["INV-7"]


def test_one_that_has_only_the_number_is_not_taken_for_it(world: Any) -> None:
    order = world.synced()
    renumbered(world, order, "INV-7")
    world.lose_ledger()
    client = world.books()["clients"][0]["id"]
    theirs = {"customerid": client, "create_date": "2026-10-01", "invoice_number": str(order)}
    world.post(LIST, {"invoice": theirs})
    assert world.writes_of(world.sync) == 0
    assert world.row(order).state == "posted"


def test_a_copy_of_an_invoice_is_not_taken_for_it(world: Any) -> None:
    order = world.synced()
    own = world.invoice(order)
    renumbered(world, order, "INV-7")
    copy = {name: own[name] for name in ("customerid", "create_date", "notes", "lines")}
    world.post(LIST, {"invoice": {**copy, "invoice_number": "INV-8"}})
    world.is_found_again()
    with world.ledger() as ledger:
        assert ledger.links.get("invoice", str(order)).remote_id == own["id"]


def test_an_order_that_comes_long_after_the_ledger_was_lost_is_found(world: Any) -> None:
    first = world.synced()
    renumbered(world, first, "INV-7")
    world.lose_ledger()
    world.change(first, "status", status_id=1)
    second = world.synced()  # the ledger has posted something now, and nothing of the first
    world.change(first, "status", status_id=11)
    assert world.writes_of(world.sync) == 0
    assert sorted(numbers(world)) == [str(second), "INV-7"]


def test_a_cancelled_order_is_found_by_its_mark(world: Any) -> None:
    order = world.synced()
    renumbered(world, order, "INV-7")
    world.lose_ledger()
    world.change_and_sync(order, "cancel")
    assert world.row(order).reason == "cancelled_after_posting"


def test_a_plan_finds_it_too_and_keeps_nothing(world: Any) -> None:
    order = world.synced()
    renumbered(world, order, "INV-7")
    world.lose_ledger()
    world.settings["dry_run"] = True
    world.sync()
    (plan,) = world.ctl("plan")
    assert plan["steps"] == []
    with world.ledger() as ledger:
        assert list(ledger.links.of_kind("marked")) == []


def test_marks_are_read_once_for_a_ledger(world: Any) -> None:
    world.synced()
    before = lists_read(world)
    for _ in range(3):
        world.synced()
    assert lists_read(world) - before == 3  # one look for each


@pytest.mark.more
@pytest.mark.parametrize("refusing", [False, True])
def test_many_are_found_in_lists_though_the_prefix_changed(world: Any, refusing: bool) -> None:
    orders = [world.place() for _ in range(FEWEST + 1)]
    world.sync()
    world.put(
        f"{LIST}/{world.invoice(orders[0])['id']}", {"invoice": {"create_date": "2026-01-15"}}
    )
    world.lose_ledger()
    if refusing:
        with world.ledger() as ledger:
            ledger.profile.learn("refuses_taken_numbers", value=True)
    world.settings["invoice_number_prefix"] = "BC-"
    before = lists_read(world)
    assert world.writes_of(world.sync) == 0
    assert lists_read(world) - before < FEWEST / 2
    assert sorted(numbers(world)) == sorted(map(str, orders))


# -- nothing is made before the look


@pytest.fixture
def moved(world: Any) -> tuple[Any, int]:
    """A customer whose e-mail changed after an order, and a ledger that was lost."""
    customer = world.control("POST", "shop/customers", JANE)["id"]
    order = world.synced(customer_id=customer)
    world.control("POST", f"shop/customers/{customer}", {"email": "new@shop.example"})
    world.sync()
    return world, order


def test_no_client_is_made_for_an_invoice_that_stands(moved: tuple[Any, int]) -> None:
    world, order = moved
    world.is_found_again()
    assert [row["email"] for row in world.books()["clients"]] == [JANE["email"]]
    assert world.row(order).state == "posted"


def test_a_plan_s_limit_of_clients_keeps_no_invoice_from_being_found(
    moved: tuple[Any, int],
) -> None:
    world, order = moved
    world.lose_ledger()
    world.switch(fb__client_limit=1)
    world.sync()
    assert world.row(order).state == "posted"


def test_no_item_is_made_for_an_invoice_that_stands(world: Any) -> None:
    order = world.synced()
    (item,) = world.books()["items"]
    world.put(f"items/items/{item['id']}", {"item": {"sku": "OTHER", "name": "Other"}})
    world.is_found_again()
    assert world.row(order).state == "posted"


def test_nothing_is_made_where_the_number_is_somebody_else_s(world: Any) -> None:
    order = world.place()
    world.post("users/clients", {"client": {"organization": "Theirs"}})
    client = world.books()["clients"][0]["id"]
    theirs = {"customerid": client, "create_date": "2026-10-01", "invoice_number": str(order)}
    world.post(LIST, {"invoice": theirs})
    assert world.writes_of(world.sync) == 0
    assert world.row(order).reason == "number_taken"


def test_an_invoice_whose_mark_a_person_removed_is_told_so_and_gone_on_with(world: Any) -> None:
    order = world.synced()
    path = f"{LIST}/{world.invoice(order)['id']}"
    world.put(path, {"invoice": {"notes": "Thanks", "po_number": "PO 4711"}})
    world.change(order, "refund", order_amount="4.00")
    assert world.writes_of(world.sync) == 0
    row = world.row(order)
    assert (row.state, row.reason) == ("parked", "edited_in_freshbooks")
    assert "no longer names the order" in row.detail
    mark = f"BigCommerce order {order} (store sandbox)"
    assert f'"{mark}"' in row.next_step

    world.put(path, {"invoice": {"notes": f"Thanks\n{mark}"}})
    world.ctl("replay", str(order))
    assert world.row(order).state == "posted"
    assert (world.total(order), world.paid(order)) == (D("7.00"), [D("7.00")])
    assert world.invoice(order)["po_number"] == "PO 4711"
