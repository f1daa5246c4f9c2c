"""Values that the tap has set apart count as they were said: the order that needs one is parked."""

from __future__ import annotations

import json
from typing import Any

import pytest


def said(world: Any, odd: dict[str, Any]) -> str:
    """The tap's messages, with values of orders set apart."""
    messages = [json.loads(line) for line in world.messages().splitlines()]
    for message in messages:
        if message["type"] == "RECORD" and message["stream"] == "orders":
            message["record"]["odd_values"] = odd
    return "".join(f"{json.dumps(message)}\n" for message in messages)


@pytest.mark.parametrize("pointer", ["/customer_id", "/line_items/0/quantity"])
def test_an_order_that_needs_a_value_set_apart_is_parked(world: Any, pointer: str) -> None:
    order = world.place()
    world.sync(said(world, {pointer: "abc"}))
    row = world.row(order)
    assert (row.state, row.reason) == ("parked", "unreadable_record")
    assert pointer.rpartition("/")[2] in row.detail
    assert world.invoices(order) == []


def test_one_that_nobody_needs_is_in_nobody_s_way(world: Any) -> None:
    order = world.place()
    world.sync(said(world, {"/line_items/0/event~1date": {"a": 1}, "/staff_notes": ["x"]}))
    assert world.row(order).state == "posted"


@pytest.mark.parametrize("pointer", ["/line_items/7/quantity", "", "/line_items/x"])
def test_one_that_leads_nowhere_is_no_output_of_the_tap(world: Any, pointer: str) -> None:
    world.place()
    with pytest.raises(Exception, match="no usable odd_values; the tap's output is damaged"):
        world.sync(said(world, {pointer: 1}))
