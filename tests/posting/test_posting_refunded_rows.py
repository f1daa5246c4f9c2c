"""A shop whose refunds lower the amounts of tax rows: they are refunds, and no edits."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.posting import reconciler
from target_freshbooks.posting.digests import earlier_digests

pytestmark = pytest.mark.more

D = Decimal
ORDER = 1001
TEXAS = [{"name": "Texas Sales Tax", "percent": "8.25"}]
MUGS = {"name": "Mug", "sku": "MUG-1", "price": "10.00", "quantity": 3, "taxes": TEXAS}
BOWL = {"name": "Bowl", "sku": "BOWL-1", "price": "20.00", "taxes": TEXAS}


@pytest.fixture
def lowering(world: Any) -> Any:
    """A shop whose refunds lower the tax rows; its order is posted and paid."""
    world.switch(bc__refund_tax_rows="reduced")
    world.synced(id=ORDER, created="2026-11-20T18:00:00Z", lines=[MUGS, BOWL])
    assert world.total(ORDER) == D("54.13")
    return world


def own_lines(world: Any) -> list[tuple[Any, ...]]:
    lines = world.invoice(ORDER)["lines"]
    return [
        (line["name"], line["qty"], line["unit_cost"]["amount"], line["taxAmount1"])
        for line in lines
        if not line["name"].startswith("Refund")
    ]


def refund(world: Any, quantity: int = 1, line: int = 0) -> int:
    writes: int = world.writes_of(
        lambda: world.change_and_sync(ORDER, "refund", lines=[{"line": line, "quantity": quantity}])
    )
    return writes


@pytest.mark.parametrize("setting", ["update", "park"])
@pytest.mark.parametrize(("quantity", "left"), [(1, "43.30"), (3, "21.65")])
def test_a_refund_is_booked_as_one_and_the_sale_stands(
    lowering: Any, setting: str, quantity: int, left: str
) -> None:
    lowering.settings["on_order_change"] = setting
    before = own_lines(lowering)
    assert refund(lowering, quantity) == 2  # the payment, and the lines of the refund
    assert lowering.row(ORDER).state == "posted"
    assert (lowering.total(ORDER), sum(lowering.paid(ORDER))) == (D(left), D(left))
    assert own_lines(lowering) == before
    lowering.is_found_again()


def test_so_is_a_refund_of_everything_line_by_line(lowering: Any) -> None:
    before = own_lines(lowering)
    refund(lowering, 3)
    refund(lowering, 1, line=1)
    assert lowering.row(ORDER).state == "posted"
    assert (lowering.total(ORDER), sum(lowering.paid(ORDER))) == (D("0.00"), D("0.00"))
    assert own_lines(lowering) == before
    lowering.is_found_again()


@pytest.mark.plans_left
def test_in_a_closed_month_it_is_booked_beside_the_invoice(lowering: Any) -> None:
    lowering.settings |= {"closed_through": "2026-11-30", "closed_refunds": "correction"}
    before = lowering.invoice(ORDER)["lines"]
    lowering.change(ORDER, "refund", lines=[{"line": 0, "quantity": 1}])
    lowering.sync("".join(map(_of_december, lowering.messages().splitlines(keepends=True))))
    assert lowering.row(ORDER).state == "posted"
    assert lowering.invoice(ORDER)["lines"] == before
    (correction,) = (row for row in lowering.books()["invoices"] if "-R" in row["invoice_number"])
    taxes = [(line["unit_cost"]["amount"], line["taxAmount1"]) for line in correction["lines"]]
    assert taxes == [("-10.00", "8.25"), ("10.83", "0")]


def _of_december(line: str) -> str:
    message = json.loads(line)
    if message.get("stream") == "refunds" and message["type"] == "RECORD":
        message["record"]["created"] = "2026-12-14T18:00:00Z"
    return f"{json.dumps(message)}\n"


def test_in_a_closed_month_it_is_told_as_a_refund_to_be_typed(lowering: Any) -> None:
    lowering.settings |= {"closed_through": "2026-11-30"}
    assert refund(lowering) == 0
    row = lowering.row(ORDER)
    assert row.reason == "closed_period"
    assert "is net 10.00, Texas Sales Tax 0.83, money 10.83 USD" in row.detail
    assert "the order changed" not in row.detail


@pytest.mark.parametrize("synced_between", [False, True])
def test_books_of_a_version_that_counted_the_amounts_are_left_so(
    world: Any, monkeypatch: pytest.MonkeyPatch, *, synced_between: bool
) -> None:
    world.switch(bc__refund_tax_rows="reduced")
    with monkeypatch.context() as before:
        before.setattr(reconciler, "content_digest", _earlier)
        world.synced(id=ORDER, created="2026-11-20T18:00:00Z", lines=[MUGS, BOWL])
    lines = own_lines(world)
    if synced_between:
        assert world.writes_of(lambda: world.change_and_sync(ORDER, "touch")) == 0
    world.settings["on_order_change"] = "park"
    assert refund(world, 3) == 2
    assert world.row(ORDER).state == "posted"
    assert own_lines(world) == lines


def _earlier(facts: Any, *, void: bool = False) -> str:
    (digest,) = earlier_digests(facts, void=void)
    return digest


def test_an_order_first_seen_after_its_refund_bears_its_tax(world: Any) -> None:
    world.switch(bc__refund_tax_rows="reduced")
    world.place(id=ORDER, created="2026-11-20T18:00:00Z", lines=[MUGS, BOWL])
    world.change_and_sync(ORDER, "refund", lines=[{"line": 0, "quantity": 3}])
    assert world.row(ORDER).state == "posted"
    assert world.total(ORDER) == D("21.65")


def overridden(world: Any, amount: str | None = None) -> str:
    """What the tap says where the order's tax has no rate; its row may be at another amount."""
    told = []
    for line in world.messages().splitlines(keepends=True):
        message = json.loads(line)
        if message.get("stream") == "order_taxes" and message["type"] == "RECORD":
            lowered = {"line_amount": amount, "priority_amount": amount} if amount else {}
            message["record"] |= {"rate": "0.0000", **lowered}
        told.append(f"{json.dumps(message)}\n")
    return "".join(told)


@pytest.mark.plans_left
@pytest.mark.parametrize("booked", [False, True])
def test_where_no_rate_explains_the_tax_a_refund_is_told_and_nothing_is_touched(
    world: Any, *, booked: bool
) -> None:
    world.place(id=ORDER, created="2026-11-20T18:00:00Z", lines=[MUGS])
    world.sync(overridden(world))
    world.change(ORDER, "refund", lines=[{"line": 0, "quantity": 1}])
    if booked:
        world.sync(overridden(world))
        assert world.row(ORDER).state == "posted"
        world.change(ORDER, "touch")
    before = world.invoice(ORDER)["lines"], world.paid(ORDER)
    assert world.writes_of(lambda: world.sync(overridden(world, "1.6500"))) == 0
    row = world.row(ORDER)
    assert (row.state, row.reason) == ("parked", "total_mismatch")
    assert row.next_step.startswith("The invoice was sent and is left as it is")
    assert (world.invoice(ORDER)["lines"], world.paid(ORDER)) == before
