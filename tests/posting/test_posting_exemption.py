"""Notes that say why an invoice bears no tax, as this version and as a former one says it."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import pytest

D = Decimal
DESIRE = "target_freshbooks.books.desire"
FORMER = "Reverse charge: the customer accounts for the VAT; VAT number DE123456789"
NOW = "Customer's VAT number DE123456789"
MUG = {"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 3}
SALE: dict[str, Any] = {
    "lines": [MUG],
    "form_fields": [{"name": "VAT number", "value": "DE123456789"}],
}


def told(world: Any, order: int) -> list[str]:
    mark, *said = world.invoice(order)["notes"].splitlines()
    assert mark == f"BigCommerce order {order} (store sandbox)"
    return list(said)


@pytest.mark.parametrize("post_as", ["sent", "draft"])
def test_what_a_former_version_said_stands_until_the_order_is_edited(
    world: Any, monkeypatch: pytest.MonkeyPatch, post_as: str
) -> None:
    world.settings |= {"vat_number_field": "VAT number", "post_as": post_as}
    with monkeypatch.context() as former:
        former.setattr(sys.modules[DESIRE], "exemption_note", lambda *_: FORMER)
        order = world.synced(**SALE)
    new = world.synced(**SALE)
    assert (told(world, order), told(world, new)) == ([FORMER], [NOW])
    before = world.row(order)
    assert world.writes_of(world.sync) == 0
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0
    assert world.writes_of(lambda: world.ctl("replay", str(order), "--overwrite")) == 0
    assert world.ctl("verify")["findings"] == []
    assert world.row(order).state == before.state
    world.is_found_again()
    assert (world.row(order).state, world.row(order).reason) == (before.state, before.reason)
    world.change_and_sync(order, "touch")
    assert told(world, order) == [FORMER]
    world.change_and_sync(order, "lines", lines=[MUG | {"quantity": 4}])
    assert (world.total(order), told(world, order)) == (D("40.00"), [NOW])
    assert world.row(order).state == before.state


def test_a_refund_leaves_what_a_former_version_said(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.settings["vat_number_field"] = "VAT number"
    with monkeypatch.context() as former:
        former.setattr(sys.modules[DESIRE], "exemption_note", lambda *_: FORMER)
        order = world.synced(**SALE)
    world.change_and_sync(order, "refund", lines=[{"line": 0, "quantity": 1}])
    assert (world.total(order), told(world, order)) == (D("20.00"), [FORMER])
    assert world.row(order).state == "posted"
    world.is_found_again()
