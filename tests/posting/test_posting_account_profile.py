"""What the FreshBooks account is like is learnt from it: its taxes, its way of rounding."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.ctl.status import lists_text

pytestmark = pytest.mark.more

JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}


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
    order = world.synced()
    assert taxes_of(world, order) == {("State Tax", "10")}
    assert looks_at_taxes(world) == 0


def test_an_app_that_may_not_read_taxes_parks_only_the_orders_that_need_them(world: Any) -> None:
    world.fault(kind="status", status=403, path="/taxes/taxes$")
    rowless = world.place()
    said = without_tax_rows(world)
    world.sync(said)
    assert world.row(rowless).reason == "tax_unknown"


TEXAS = {"name": "Texas Sales Tax", "percent": "8.25"}
LONDON = {**JANE, "country": "United Kingdom", "country_iso2": "GB"}
VAT = {"name": "VAT", "percent": "20"}


def two_lines(world: Any) -> int:
    """10.00 and 10.00 with 8.25 %: 1.65 of tax in the shop, 1.66 if each line is rounded."""
    lines = [{"name": name, "price": "10.00", "taxes": [TEXAS]} for name in ("Mug", "Bowl")]
    return int(world.place(lines=lines))


def basket(world: Any) -> int:
    """24.81, 21.74 and 51.42 with 20 % in them: 20.68 net of the first, or 20.67 by rate."""
    prices = ("24.81", "21.74", "51.42")
    lines = [{"name": f"Thing of {price}", "price": price, "taxes": [VAT]} for price in prices]
    return int(world.place(lines=lines, tax_inclusive=True, billing=LONDON))


def learnt(world: Any) -> dict[str, Any]:
    with world.ledger() as ledger:
        return dict(ledger.profile.traits())


def rewrites(world: Any, order: int) -> int:
    """How often the invoice's lines were written after its creation."""
    invoice = world.invoice(order)["id"]
    rows = world.control("GET", "history")["history"]
    return sum(
        row["kind"] == "invoice.update" and row["object_id"] == invoice and "lines" in str(row)
        for row in rows
    )


@pytest.mark.parametrize("taxed", ["per_line", "per_tax"])
@pytest.mark.parametrize("mode", ["half_up", "half_even"])
def test_the_account_s_rounding_is_learnt_from_its_answers(
    world: Any, taxed: str, mode: str
) -> None:
    world.switch(fb__tax_rounding=taxed, fb__rounding_mode=mode)
    first = two_lines(world)
    world.sync()
    rounded = {kind[0] for kind in learnt(world)["roundings"]}
    assert ("line" in rounded) == (taxed == "per_line")
    world.place(lines=[{"name": "Cup", "price": "10.00", "taxes": [TEXAS]}])  # 0.825
    world.synced(lines=[{"name": "Pot", "price": "30.00", "taxes": [TEXAS]}])  # 2.475
    kinds = learnt(world)["roundings"]
    assert {even for _, even in kinds} == {mode == "half_even"}
    second = two_lines(world)
    world.sync()
    assert world.total(first) == world.total(second) == Decimal("21.65")
    assert rewrites(world, second) == 0, "the Rounding line is known to be needed, or not"


def test_what_was_chosen_by_a_learnt_rounding_is_found_again_with_the_ledger_lost(
    world: Any,
) -> None:
    world.switch(fb__tax_rounding="per_tax")
    unlearnt = basket(world)
    two_lines(world)
    world.sync()
    assert {kind[0] for kind in learnt(world)["roundings"]} == {"name", "rate"}
    order = basket(world)
    world.sync()
    costs = [
        [line["unit_cost"]["amount"] for line in world.invoice(number)["lines"]]
        for number in (unlearnt, order)
    ]
    assert costs[0] != costs[1], "this basket does not show which rounding it was made for"
    world.is_found_again()
    assert {world.row(number).state for number in (unlearnt, order)} == {"posted"}


def test_an_account_that_is_believed_wrongly_is_learnt_anew(world: Any) -> None:
    world.switch(fb__tax_rounding="per_tax")
    two_lines(world)
    world.sync()
    world.switch(fb__tax_rounding="per_line")
    order = two_lines(world)
    world.sync()
    assert world.total(order) == Decimal("21.65")
    assert {kind[0] for kind in learnt(world)["roundings"]} == {"line"}
    assert world.writes_of(world.sync) == 0


def test_status_tells_what_was_learnt(world: Any) -> None:
    two_lines(world)
    world.sync()
    status = world.ctl("status")
    assert status["account_profile"] == learnt(world)
    status["account_profile"] |= {"percent_decimals": 3, "unmarked_field": "po_number"}
    *_, told = lists_text(status)
    assert told == (
        "Learnt of FreshBooks from its answers: it rounds tax for each line, a half up; it keeps 3"
        " decimals of a tax's percent; the mark of an order is too long for po_number."
    )


RATE = {"name": "County", "percent": "6.0625"}


def test_a_rate_of_four_decimals_is_booked_as_it_is(world: Any) -> None:
    order = world.synced(lines=[{"name": "Boat", "price": "10000.00", "taxes": [RATE]}])
    assert taxes_of(world, order) == {("County", "6.0625")}
    assert (world.total(order), world.row(order).state) == (Decimal("10606.25"), "posted")
    assert rewrites(world, order) == 0


def test_an_account_that_keeps_three_decimals_of_a_percent_is_learnt(world: Any) -> None:
    world.switch(fb__tax_percent_decimals=3)
    first = world.synced(lines=[{"name": "Boat", "price": "5000.00", "taxes": [RATE]}])
    assert learnt(world)["percent_decimals"] == 3
    second = world.synced(lines=[{"name": "Raft", "price": "3000.00", "taxes": [RATE]}])
    for order, total in ((first, "5303.13"), (second, "3181.88")):
        assert (world.row(order).state, world.total(order)) == ("posted", Decimal(total))
        assert ("County", "6.063") in taxes_of(world, order)
    assert world.writes_of(world.sync) == 0
    world.is_found_again()
    # At 6.063 % its tax would be 3031.50; the shop charged 3031.25.
    ship = world.synced(lines=[{"name": "Ship", "price": "50000.00", "taxes": [RATE]}])
    assert world.row(ship).reason == "total_mismatch"
    assert world.writes_of(world.sync) == 0


def test_a_plan_teaches_nothing(world: Any) -> None:
    order = two_lines(world)
    world.sync(dry_run=True)
    (plan,) = world.ctl("plan", str(order))
    assert len(plan["steps"]) > 3, "the plan did not come to its end"
    assert learnt(world) == {}
    world.sync(dry_run=False)
    known = learnt(world)
    world.switch(fb__tax_rounding="per_tax")
    world.ctl("plan", str(order))
    assert learnt(world) == known


def test_percents_that_were_worked_out_are_counted_apart(world: Any) -> None:
    world.place()
    order = world.place(lines=[{"name": "Boots", "price": "50.00", "taxes": []}])
    messages = [json.loads(line) for line in world.messages().splitlines()]
    records = [one for one in messages if one["type"] == "RECORD"]
    row = next(one for one in records if one["stream"] == "order_taxes")
    override = {
        **row,
        "record": row["record"]
        | {"id": 900, "order_id": order, "name": "API Tax Override", "class": "API Tax Override"}
        | {"rate": "0.0000", "priority_amount": "3.1000", "line_amount": "3.1000"},
    }
    said = []
    for one in messages:
        record = one.get("record", {})
        if one.get("stream") == "orders" and record.get("id") == order:
            line = record["line_items"][0]
            override["record"]["order_product_id"] = line["id"]
            for figures in (record, line):
                for name, figure in (("total_inc_tax", "53.1000"), ("total_tax", "3.1000")):
                    figures[name] = figure
            line["discounted_total_inc_tax"] = line["price_inc_tax"] = "53.1000"
            said.append(override)
        said.append(one)
    code, _, log = world.run("\n".join(map(json.dumps, said)))
    assert code == 0
    assert ("API Tax Override", "6.2") in taxes_of(world, order)
    told = f"{order} (API Tax Override 6.2 %)"
    assert "1 with taxes that the shop states without a rate" in log
    assert told in log
    status = world.ctl("status")
    assert status["worked_out_taxes"] == [{"order_id": order, "taxes": "API Tax Override 6.2 %"}]
    day = world.row(order).order_date
    report = world.ctl("report", "--month", f"{day:%Y-%m}", "--output", str(world.home / "out"))
    assert report["worked_out_taxes"] == 1
    (page,) = (world.home / "out").glob("*.html")
    assert told in page.read_text("utf-8")
