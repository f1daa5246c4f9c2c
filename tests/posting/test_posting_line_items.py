"""Lines that are no product's are items of FreshBooks as well, since income accounts are on items.

Each item is found by its name before it is made, and made once for the account.
"""

from __future__ import annotations

from typing import Any

import pytest

TAX = {"name": "State Tax", "percent": "8.25"}
TENTH = {"name": "State Tax", "percent": "10"}
FULL = {
    "lines": [
        {
            "name": "Mug",
            "sku": "MUG",
            "price": "10.00",
            "taxes": [TENTH],
            "wrapping": {"cost": "2.00", "taxes": [TENTH], "name": "Red paper"},
        }
    ],
    "ship_to": [{"shipping": {"cost": "5.00"}, "handling": {"cost": "1.00"}}],
    "fees": [{"cost": "0.50", "name": "Rush"}],
    "discounts": [{"amount": "1.00"}],
    "payment_method": "Cash",
    "payment_status": "",
}
NAMES = ["Discount", "Gift wrapping", "Handling", "Mug", "Rush", "Shipping"]
# Half a cent of tax on each of two lines: whether a Rounding line is due the answer tells.
HALVES = [{"name": name, "sku": name, "price": "10.00", "taxes": [TAX]} for name in ("Mug", "Bowl")]


def item_names(world: Any) -> list[str]:
    return sorted(row["name"] for row in world.books()["items"])


def test_each_line_that_is_no_product_s_is_of_an_item_made_once_for_the_account(
    world: Any,
) -> None:
    world.synced(**FULL)
    assert item_names(world) == NAMES
    world.place(**FULL)
    assert world.writes_of(world.sync) == 3  # the invoice, sent, paid
    assert item_names(world) == NAMES


def test_the_items_of_lines_are_found_again_by_name_with_the_ledger_lost(world: Any) -> None:
    first = world.synced(**FULL)
    world.is_found_again()
    assert world.row(first).state == "posted"
    assert item_names(world) == NAMES


@pytest.mark.parametrize("sku", ["", "POST"])
def test_an_item_that_the_bookkeeper_made_for_a_line_is_used_as_it_is(world: Any, sku: str) -> None:
    world.post("items/items", {"item": {"name": "Shipping", "sku": sku, "description": "Parcels"}})
    (own,) = world.books()["items"]
    world.synced(**FULL)
    assert [row for row in world.books()["items"] if row["name"].startswith("Shipping")] == [own]


PRINT = {"name": "Print", "sku": "P", "price": "9.99", "taxes": [{"name": "VAT", "percent": "20"}]}


@pytest.mark.parametrize(
    "order",
    [{"lines": [PRINT], "tax_inclusive": True}, {"lines": HALVES}],
    ids=["sure", "answered"],
)
def test_the_rounding_line_is_of_an_item(world: Any, order: dict[str, Any]) -> None:
    number = world.synced(**order)
    assert "Rounding" in item_names(world)
    assert world.invoice(number)["lines"][-1]["name"] == "Rounding"
    world.is_found_again()


def test_a_line_is_called_as_its_item_where_a_deleted_one_has_the_name(world: Any) -> None:
    """An account may want names unique, deleted items counted; the Rounding line is known still."""
    world.switch(fb__item_name_unique="yes")
    for name in ("Rounding", "Shipping"):
        world.post("items/items", {"item": {"name": name}})
    for row in world.books()["items"]:
        world.put(f"items/items/{row['id']}", {"item": {"vis_state": 1}})
    order = world.synced(lines=HALVES, ship_to=[{"shipping": {"cost": "5.00"}}])
    assert world.row(order).state == "posted"
    names = [line["name"] for line in world.invoice(order)["lines"]]
    assert names == ["Mug", "Bowl", "Shipping (line:Shipping)", "Rounding (line:Rounding)"]
    world.lose_ledger()
    world.sync()
    assert world.row(order).state == "posted"
    assert [line["name"] for line in world.invoice(order)["lines"]] == names
    assert len(world.invoices(order)) == 1
