"""Two shops with prefixes of their own sell things of one name into one account."""

from __future__ import annotations

from typing import Any

import pytest

SHIRT = {"name": "Shirt", "sku": "SHIRT", "price": "10.00"}


@pytest.mark.parametrize("sku", ["SHIRT", "OTHER"])
def test_each_shop_s_orders_stand_and_the_other_s_item_is_never_changed(
    world: Any, sku: str
) -> None:
    world.settings |= {"source": "first", "invoice_number_prefix": "A-", "item_sync": "all"}
    order = world.place(lines=[SHIRT])
    first = world.messages_of("first")
    world.sync(first)
    made = [row for row in world.books()["items"] if row["name"].startswith("Shirt")]

    world.settings |= {"source": "second", "invoice_number_prefix": "B-"}
    second = world.messages_of("second").replace('"SHIRT"', f'"{sku}"')
    world.sync(second)
    items = [row for row in world.books()["items"] if row["name"].startswith("Shirt")]
    assert items[: len(made)] == made, "an item that the other shop made is used, never changed"
    assert len(items) == (1 if sku == "SHIRT" else 2)
    named = {world.invoice(f"{shop}-{order}")["lines"][0]["name"] for shop in "AB"}
    assert named == {row["name"] for row in items}
    for source, prefix, messages in (("first", "A-", first), ("second", "B-", second)):
        world.settings |= {"source": source, "invoice_number_prefix": prefix}
        assert world.writes_of(lambda: world.sync(messages)) == 0  # noqa: B023 - called here
    world.lose_ledger()
    for source, prefix, messages in (("first", "A-", first), ("second", "B-", second)):
        world.settings |= {"source": source, "invoice_number_prefix": prefix}
        assert world.writes_of(lambda: world.sync(messages)) == 0  # noqa: B023 - called here


@pytest.mark.parametrize(
    "killed",
    [pytest.param(False, id="ended"), pytest.param(True, id="killed", marks=pytest.mark.more)],
)
def test_what_the_other_shop_has_just_made_is_found_though_searches_do_not_show_it_yet(
    world: Any, killed: bool
) -> None:
    world.settings |= {"source": "first", "invoice_number_prefix": "A-", "settle_seconds": 3}
    world.switch(fb__stale_search_seconds=2)
    order = world.place(lines=[SHIRT], billing={"email": "jane@shop.example", "last_name": "Lee"})
    first, second = world.messages_of("first"), world.messages_of("second")
    if killed:
        world.config_file()
        world.killed_in_write(first, method="POST", path="/items/items", when="after")
    else:
        world.sync(first)
    world.settings |= {"source": "second", "invoice_number_prefix": "B-"}
    world.sync(second)
    assert world.paid(f"B-{order}") == [world.total(f"B-{order}")]
    books = world.books()
    assert [row["email"] for row in books["clients"]] == ["jane@shop.example"]
    assert sum(row["name"].startswith("Shirt") for row in books["items"]) == 1
