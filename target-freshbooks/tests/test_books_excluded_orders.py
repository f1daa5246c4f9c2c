"""Which orders an entry of `exclude_orders` keeps out, by what fits one line of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.desired import Billable, Waiting
from target_freshbooks.books.policy import ExcludedOrder, Policy

CASES = Path(__file__).parent / "books_cases"
MUG = {"sku": "MUG-1", "name": "Mug [blue]", "product_id": 77}
BILL = {"sku": "B2B-INV", "name": "Invoice payment 12", "product_id": 612}


def assessed(*entries: ExcludedOrder, invoiced: bool = False) -> Billable | Waiting:
    """What becomes of an order of both lines, in channel 3."""
    case: dict[str, Any] = json.loads((CASES / "paid_offline.json").read_text("utf-8"))
    (line,) = case["order"]["line_items"]
    lines = [line | MUG, line | BILL | {"id": 2}]
    order = case["order"] | {"line_items": lines, "channel_id": 3}
    facts = shop.read_facts(order, case["transactions"], (), (), None, case["store"])
    verdict = books.assess(facts, Policy(exclude_orders=entries), already_invoiced=invoiced)
    assert isinstance(verdict, Billable | Waiting)
    return verdict


@pytest.mark.parametrize(
    "entry",
    [
        ExcludedOrder(sku="b2b-inv"),
        ExcludedOrder(name="invoice payment *"),
        ExcludedOrder(name="*payment ??"),
        ExcludedOrder(name="mug [[]blue]"),
        ExcludedOrder(product_id=612),
        ExcludedOrder(channel_id=3),
        ExcludedOrder("MUG-1", "mug*", 77, 3),
    ],
)
def test_an_order_of_which_one_line_fits_all_is_kept_out_and_counted(entry: ExcludedOrder) -> None:
    assert assessed(entry) == Waiting("excluded_order")
    assert assessed(ExcludedOrder(sku="OTHER"), entry) == Waiting("excluded_order")
    assert assessed(entry, invoiced=True) == Billable()


@pytest.mark.parametrize(
    "entry",
    [
        ExcludedOrder(sku="B2B"),
        ExcludedOrder(sku="B2B-*"),
        ExcludedOrder(name="invoice"),
        ExcludedOrder(product_id=613),
        ExcludedOrder(channel_id=1),
        ExcludedOrder(sku="B2B-INV", product_id=77),
        ExcludedOrder(sku="MUG-1", name="Invoice*"),
        ExcludedOrder(product_id=612, channel_id=1),
    ],
)
def test_an_order_of_which_no_line_fits_all_is_booked(entry: ExcludedOrder) -> None:
    assert assessed(entry) == Billable()


def test_without_entries_nothing_is_kept_out() -> None:
    assert assessed() == Billable()
