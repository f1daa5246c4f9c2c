"""Orders that the bookkeeper says are no sale: kept out, counted, looked at again when told so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import World

BILL = {"name": "Invoice payment 12", "sku": "B2B-INV", "kind": "digital", "price": "40.00"}


def test_an_order_that_pays_an_invoice_is_kept_out_and_named(world: World) -> None:
    sale = world.place(payment_method="Purchase Order", pay=None, payment_status="")
    paying = world.place(lines=[BILL])
    world.sync(exclude_orders='[{"sku": "B2B-INV", "name": "Invoice *"}]')
    assert (world.row(paying).state, world.row(paying).reason) == ("waiting", "excluded_order")
    assert world.ctl("status")["waiting_orders"] == {"excluded_order": [paying]}
    assert [row["invoice_number"] for row in world.books()["invoices"]] == [str(sale)]
    world.sync(exclude_orders='[{"sku": "OTHER"}]')
    assert world.row(paying).state == "posted"
