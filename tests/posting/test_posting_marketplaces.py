"""Orders of marketplaces, from the shop through the tap into FreshBooks and found again there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

D = Decimal
SALES_TAX = {"name": "Texas Sales Tax", "percent": "8.25"}
SALE: dict[str, Any] = {
    "lines": [{"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 3, "taxes": [SALES_TAX]}],
    "ship_to": [{"shipping": {"cost": "5.00"}}],
    "payment_method": "Marketplace",
}
NOTE = "Amazon collected and remits 2.48 tax"


def agrees(world: Any, order: int) -> bool:
    """Whether the month's report has no difference for the order."""
    month = str(world.row(order).order_date)[:7]
    told = world.ctl("report", "--month", month, "--output", str(world.home))
    return bool(told["agrees"]) and told["standing"]["person"] == 0


def test_a_sale_whose_tax_the_marketplace_remits_is_booked_without_it(world: Any) -> None:
    world.settings["marketplace_sources"] = {"Amazon": "net"}
    order = world.synced(**SALE, order_source="amazon", pay=None, payment_status="")
    assert world.row(order).state == "posted"
    invoice = world.invoice(order)
    assert [(line["name"], line["taxName1"] or "") for line in invoice["lines"]] == [
        ("Mug", ""),
        ("Shipping", ""),
    ]
    assert (world.total(order), world.paid(order)) == (D("35.00"), [D("35.00")])
    assert invoice["notes"].splitlines() == [f"BigCommerce order {order} (store sandbox)", NOTE]
    world.is_found_again()
    assert world.row(order).state == "posted"
    assert agrees(world, order)


def test_a_marketplace_that_nobody_placed_waits_for_it_and_keeps_it_once_posted(
    world: Any,
) -> None:
    order = world.synced(**SALE, external_source="Etsy Shop")
    assert (world.row(order).state, world.row(order).reason) == ("parked", "marketplace_tax")
    assert world.books()["invoices"] == []
    world.sync(marketplace_sources={"etsy": "net"})
    assert (world.total(order), world.paid(order)) == (D("35.00"), [D("35.00")])
    world.settings["marketplace_sources"] = {"etsy": "own"}
    world.change_and_sync(order, "refund", lines=[{"line": 0, "quantity": 1}])
    assert (world.total(order), world.paid(order)) == (D("25.00"), [D("25.00")])
    assert agrees(world, order)


@pytest.mark.more
def test_the_note_follows_an_order_edited_after_it_was_posted(world: Any) -> None:
    world.settings["marketplace_sources"] = {"amazon": "net"}
    order = world.synced(**SALE, order_source="amazon", pay=None, payment_status="")
    invoice = world.invoice(order)
    typed = {"notes": invoice["notes"] + "\nShipped late"}
    world.put(f"invoices/invoices/{invoice['id']}", {"invoice": typed})
    line = {**SALE["lines"][0], "quantity": 2}
    world.change_and_sync(order, "edit", lines=[line])
    assert world.total(order) == D("25.00")
    assert world.invoice(order)["notes"].splitlines() == [
        f"BigCommerce order {order} (store sandbox)",
        "Shipped late",
        "Amazon collected and remits 1.65 tax",
    ]
