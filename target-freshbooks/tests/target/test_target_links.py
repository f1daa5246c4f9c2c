"""One FreshBooks item may stand for two products of one SKU: only the first gives it its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.ledger import Ledger, Link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite", source="shop") as ledger:
        yield ledger


def test_a_record_of_freshbooks_is_linked_once_something_of_ours_stands_for_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    assert not ledger.links.has_remote("item", 7)
    ledger.links.put(Link(kind="item", key="variant:1:1", remote_id=7))
    assert ledger.links.has_remote("item", 7)
    assert not ledger.links.has_remote("item", 8)
    assert not ledger.links.has_remote("client", 7)
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite", source="other") as other:
        assert not other.links.has_remote("item", 7)


def test_the_second_product_of_an_sku_shares_the_item_and_never_renames_it(shop: Any) -> None:
    for product, name in ((901, "Mug"), (902, "Cup")):
        line = {"name": name, "sku": "ONE", "price": "10.00", "product_id": product}
        shop.place(lines=[{**line, "variant_id": product}])
        assert shop.run().code == 0
    (item,) = shop.books()["items"]
    assert item["name"] == "Mug"
    with Ledger.open(shop.config["ledger_url"], source="bigcommerce") as ledger:
        found = {link.key: link.extra.get("shared", False) for link in ledger.links.of_kind("item")}
    del found["sku:ONE"]  # under which the second one finds it
    assert sorted(found.values()) == [False, True], found
