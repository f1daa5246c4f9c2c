"""With the ledger lost an order's invoice is found by its mark, and before anything is made."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from connector_sandbox.constants import STORE_HASH
from target_freshbooks.ledger import Link
from target_freshbooks.posting.observe.in_bulk import FEWEST

pytestmark = pytest.mark.more

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


def test_marks_are_read_on_once_in_a_run_with_new_orders(world: Any) -> None:
    orders = [world.synced()]
    for new in (1, 3):
        before = lists_read(world)
        orders += [world.place() for _ in range(new)]
        world.sync()
        assert lists_read(world) - before == new + 1  # one look for each
    before = lists_read(world)
    world.change(orders[0], "touch")
    world.sync()
    world.change_and_sync(orders[1], "refund", order_amount="4.00")
    assert lists_read(world) == before
    with world.ledger() as ledger:  # that the invoices of its own orders are theirs it knows
        assert len(list(ledger.links.of_kind("marked"))) == 1


def posted_after_a_backup(world: Any) -> int:
    """An order that a ledger has posted in whose place one of before that is put back."""
    kept = shutil.copy(world.home / "ledger.sqlite", world.home / "kept")
    order = int(world.synced())
    world.lose_ledger()
    shutil.copy(kept, world.home / "ledger.sqlite")
    return order


@pytest.mark.parametrize("by", ["the settings", "a person"])
def test_what_was_posted_after_a_backup_is_found_by_its_mark(world: Any, by: str) -> None:
    orders = [world.synced(), world.synced(), posted_after_a_backup(world)]
    if by == "a person":
        renumbered(world, orders[-1], "INV-7")
    else:
        world.settings["invoice_number_prefix"] = "BC-"
    assert world.writes_of(world.sync) == 0
    assert [world.row(order).state for order in orders] == ["posted"] * 3


@pytest.mark.more
@pytest.mark.parametrize("whose", ["eastern", "utc", "hawaii", "ignored"])
@pytest.mark.parametrize("hour", ["03:30", "05:30"])  # before and after midnight in New York
def test_marks_are_read_on_by_freshbooks_clock_and_by_whatever_days(
    world: Any, whose: str, hour: str
) -> None:
    world.control("POST", "clock", {"set": f"2026-11-03T{hour}:00+00:00"})  # ours is weeks ahead
    world.switch(fb__updated_search=whose)
    orders = [world.synced(), world.synced(), posted_after_a_backup(world)]
    renumbered(world, orders[-1], "INV-7")
    assert world.writes_of(world.sync) == 0
    assert [world.row(order).state for order in orders] == ["posted"] * 3


@pytest.mark.more
def test_what_searches_show_late_is_found_by_its_mark_in_a_later_run(world: Any) -> None:
    orders = [world.synced(), world.synced(), posted_after_a_backup(world)]
    late = orders[-1]
    renumbered(world, late, "INV-7")
    world.change(late, "status", status_id=1)
    world.fault(kind="stale_search", delay_ms=3_600_000, method="GET", path=f"{LIST}$")
    orders.append(world.synced())
    world.control("DELETE", "faults")
    world.change(late, "status", status_id=11)
    assert world.writes_of(world.sync) == 0
    assert [world.row(order).state for order in orders] == ["posted"] * 4


def test_what_was_read_in_another_account_says_nothing_of_this_one(world: Any) -> None:
    order = world.synced()
    renumbered(world, order, "INV-7")
    world.lose_ledger()
    mark = f"BigCommerce order {order} (store {STORE_HASH})"
    with world.ledger() as ledger:
        ledger.links.put(Link("marked", mark, 1))
        other = {"account": "OTHER"}
        ledger.links.put(Link("marked", STORE_HASH, 0, day=date(2099, 1, 1), extra=other))
    assert world.writes_of(world.sync) == 0
    assert world.row(order).state == "posted"


@pytest.mark.parametrize(
    ("more", "told"), [({}, "found"), ({"create_date": "2026-01-15"}, "not_found")]
)
def test_the_draft_of_a_killed_run_is_found_though_a_person_gave_it_another_number(
    world: Any, more: dict[str, str], told: str
) -> None:
    world.synced()
    order = world.place()
    world.killed_in_write(world.messages(), method="POST", path=LIST, when="after")
    draft = world.invoice(order)["id"]
    world.put(f"{LIST}/{draft}", {"invoice": {"invoice_number": "INV-7", **more}})
    world.sync()
    assert len(numbers(world)) == 2
    with world.ledger() as ledger:
        assert ledger.links.get("invoice", str(order)).remote_id == draft
        rows = [row for row in ledger.audit.rows(order) if row.data.get("kind") == "create_invoice"]
    assert [row.event for row in rows] == ["intended", told]


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
