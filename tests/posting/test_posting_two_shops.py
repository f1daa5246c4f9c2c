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
