"""What the FreshBooks account is like is learnt from it: its taxes, its way of rounding."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.more


def without_tax_rows(world: Any) -> str:
    """What the tap says where the stream of tax rows is not selected."""
    said = [json.loads(line) for line in world.messages().splitlines()]
    return "\n".join(json.dumps(one) for one in said if one.get("stream") != "order_taxes")


def tax(world: Any, name: str, percent: str, **more: Any) -> None:
    world.post("taxes/taxes", {"tax": {"name": name, "amount": percent, **more}})


def looks_at_taxes(world: Any) -> int:
    rows = world.control("GET", "requests")["requests"]
    return sum(row["count"] for row in rows if "/taxes/taxes" in row["path"])


def taxes_of(world: Any, order: int) -> set[tuple[str, str]]:
    return {(line["taxName1"], line["taxAmount1"]) for line in world.invoice(order)["lines"]}


def test_a_rate_of_freshbooks_stands_in_for_missing_tax_rows(world: Any) -> None:
    tax(world, "HST", "13")
    tax(world, "Sales", "10")
    tax(world, "Compound", "10", compound=True)
    first, second = world.place(), world.place()
    world.sync(without_tax_rows(world))
    assert taxes_of(world, first) == taxes_of(world, second) == {("Sales", "10")}
    assert world.row(first).state == world.row(second).state == "posted"
    assert looks_at_taxes(world) == 1


def test_the_rate_is_kept_with_the_order(world: Any) -> None:
    tax(world, "Sales", "10")
    order = world.place()
    said = without_tax_rows(world)
    world.sync(said)
    tax(world, "Another", "10")
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0
    assert world.row(order).state == "posted"
    changed = world.place(
        lines=[{"name": "Cup", "price": "3.00", "taxes": [{"name": "T", "percent": "10"}]}]
    )
    world.sync(without_tax_rows(world))
    assert world.row(changed).reason == "tax_unknown"
    assert "Sales 10 % and Another 10 %" in world.row(changed).detail


def test_orders_with_tax_rows_need_no_look_at_freshbooks_taxes(world: Any) -> None:
    tax(world, "Sales", "10")
    order = world.place()
    world.sync()
    assert taxes_of(world, order) == {("State Tax", "10")}
    assert looks_at_taxes(world) == 0


def test_an_app_that_may_not_read_taxes_parks_only_the_orders_that_need_them(world: Any) -> None:
    world.fault(kind="status", status=403, path="/taxes/taxes$")
    rowless = world.place()
    said = without_tax_rows(world)
    world.sync(said)
    assert world.row(rowless).reason == "tax_unknown"
