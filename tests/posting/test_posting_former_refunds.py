"""Refunds that were booked by the rules of an earlier version stay as they are."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.books import refund_allocation, refund_fit
from target_freshbooks.books.desired import LineTax

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.more

ORDER = 1001
TEXAS = [{"name": "Texas Sales Tax", "percent": "8.25"}]
VAT = [{"name": "VAT", "percent": "20"}]
MUGS: dict[str, Any] = {
    "lines": [{"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 3, "taxes": TEXAS}],
    "ship_to": [{"shipping": {"cost": "5.00"}}],
}
LAMP: dict[str, Any] = {
    "lines": [
        {"name": "Lamp", "sku": "LAMP", "price": "120.00", "taxes": VAT},
        {"name": "Book", "sku": "BOOK", "price": "10.00"},
    ],
    "tax_inclusive": True,
}
PRINTS: dict[str, Any] = {
    "lines": [{"name": "Print", "sku": "PRINT", "price": "9.99", "quantity": 8, "taxes": VAT}],
    "tax_inclusive": True,
}
PIECE = {"lines": [{"line": 0, "quantity": 1}]}
CREDIT = {"to": [{"provider": "storecredit"}]}


def former(patch: pytest.MonkeyPatch) -> None:
    """The rules of 0.1: each refund by itself, and tax without a rate where no rate explains it."""
    left = refund_allocation.remainder_of_goods
    for module, name, rule in (
        (refund_allocation, "remainder_of_goods", lambda parts, _: left(parts, ())),
        (refund_allocation, "all_that_is_left", lambda *_: ()),
        (refund_allocation, "_in_proportion", lambda *_: ()),
        (refund_allocation, "_by_rate", lambda tax, _: ((LineTax("Tax", Decimal(0)), tax),)),
        (refund_fit, "_to_either_side", lambda *_: ()),
        (refund_fit, "_each_as_it_stands", lambda *_: None),
    ):
        patch.setattr(module, name, rule)


def _as_it_is(message: dict[str, Any]) -> None:
    """Nothing of the message changes."""


def _of_tax_alone(message: dict[str, Any]) -> None:
    if message.get("stream") == "refunds" and message["type"] == "RECORD":
        message["record"] |= {"total_tax": message["record"]["total_amount"], "items": []}


def _of_december(message: dict[str, Any]) -> None:
    if message.get("stream") == "refunds" and message["type"] == "RECORD":
        message["record"] |= {"created": "2026-12-14T18:00:00Z"}


def lines_of(row: dict[str, Any]) -> list[str]:
    """Its lines of refunds, without the number of the refund."""
    found = []
    for line in row["lines"]:
        name = " ".join(word for word in line["name"].split() if not word.rstrip(",").isdigit())
        tax = f" + {line['taxName1']}" if line["taxName1"] else ""
        if name.startswith("Refund"):
            found.append(f"{line['unit_cost']['amount']} {name}{tax}")
    return found


@pytest.mark.parametrize(
    ("order", "refunds", "said", "settings", "booked"),
    [
        pytest.param(
            MUGS, [{"order_amount": "37.48"}], _as_it_is, {}, ["-37.48 Refund"], id="everything"
        ),
        pytest.param(
            MUGS,
            [{"order_amount": "37.48"}],
            _of_december,
            {},
            ["-37.48 Refund", "37.48 Refunds paid"],
            id="correction",
        ),
        pytest.param(
            MUGS,
            [{"order_amount": "37.48"} | CREDIT],
            _as_it_is,
            {"refund_mode": "credit_note"},
            ["37.48 Refund"],
            id="credit note",
        ),
        pytest.param(
            LAMP,
            [PIECE, {"order_amount": "10.00"}],
            _as_it_is,
            {},
            ["-100.00 Refund + VAT", "-7.69 Refund + VAT", "-0.77 Refund untaxed"],
            id="rest",
        ),
        pytest.param(
            MUGS, [{"order_amount": "2.48"}], _of_tax_alone, {}, ["-2.48 Refund Tax"], id="tax"
        ),
        pytest.param(
            PRINTS,
            [PIECE, PIECE, PIECE],
            _as_it_is,
            {},
            ["-8.33 Refund + VAT", "0.01 Refund rounding"] * 3,
            id="pieces",
        ),
        pytest.param(
            MUGS | {"external_source": "Amazon US"},
            [PIECE, {"order_amount": "26.65"}],
            _as_it_is,
            {},
            ["-10.00 Refund", "-25.00 Refund"],
            id="marketplace",
        ),
    ],
)
@pytest.mark.plans_left
def test_a_refund_that_stands_by_a_former_rule_is_left_so(
    world: Any,
    order: dict[str, Any],
    refunds: list[dict[str, Any]],
    said: Callable[[dict[str, Any]], None],
    settings: dict[str, Any],
    booked: list[str],
) -> None:
    def sync() -> None:
        messages = [json.loads(line) for line in world.messages().splitlines()]
        for message in messages:
            said(message)
        world.sync("".join(f"{json.dumps(message)}\n" for message in messages))

    def standing() -> list[str]:
        books = world.books()
        rows = [*books["invoices"], *books["credit_notes"]]
        return [line for row in rows if row["vis_state"] == 0 for line in lines_of(row)]

    world.settings |= {"marketplace_sources": {"amazon": "net"}} | settings
    customer = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    with pytest.MonkeyPatch.context() as patch:
        former(patch)
        made = {"id": ORDER, "created": "2026-11-20T18:00:00Z", "customer_id": customer["id"]}
        world.synced(**made, **order)
        if said is _of_december:
            world.settings |= {"closed_through": "2026-11-30", "closed_refunds": "correction"}
        for one in refunds:
            world.change(ORDER, "refund", **one)
            sync()
        assert standing() == booked
    assert world.writes_of(sync) == 0
    world.change(ORDER, "touch")
    assert world.writes_of(sync) == 0, "the order read again"
    assert world.writes_of(lambda: world.ctl("replay", "--since", "2000-01-01")) == 0
    assert [plan["steps"] for plan in world.ctl("plan", str(ORDER))] == [[]]
    assert world.ctl("verify")["findings"] == []
    world.lose_ledger()
    assert world.writes_of(sync) == 0, "the ledger lost"
    assert standing() == booked
    assert world.row(ORDER).state == "posted"
