"""The month's report tells whatever is wrong with an order of the month, or dated in it."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.more

EARLIER = "2026-10-05T12:00:00+00:00"


@dataclass
class Report:
    """What `report` says of a month."""

    told: dict[str, Any]

    @property
    def persons(self) -> int:
        """How many orders need a person."""
        return int(self.told["standing"]["person"])

    @property
    def found(self) -> list[tuple[int, str]]:
        """Order and kind of each finding."""
        return [
            (one["order_id"], one["finding"].partition(":")[0]) for one in self.told["findings"]
        ]

    def table(self, name: str) -> str:
        """One of the page's tables."""
        page = Path(self.told["html"]).read_text(encoding="utf-8")
        return page.partition(f'<table id="{name}"')[2].partition("</table>")[0]

    def row(self, order: int) -> dict[str, str]:
        """The order's line in the table of orders."""
        with Path(self.told["csv"]).open(encoding="utf-8", newline="") as file:
            (row,) = [row for row in csv.DictReader(file) if row["order_id"] == str(order)]
        return row


@pytest.fixture
def world(world: Any) -> Any:
    """Its orders' month is the clock's, also in the last hours of one in the shop."""
    world.settings["timezone"] = "UTC"
    return world


def report(world: Any, month: str = "") -> Report:
    month = month or str(world.control("GET", "clock")["now"])[:7]
    return Report(world.ctl("report", "--month", month, "--output", str(world.home)))


def alter(world: Any, order: int, **fields: Any) -> None:
    """What the tap says of an order, some fields put in."""
    messages = [json.loads(line) for line in world.messages().splitlines()]
    for message in messages:
        is_order = message["type"] == "RECORD" and message["stream"] == "orders"
        if is_order and message["record"]["id"] == order:
            message["record"] |= fields
    world.sync("".join(f"{json.dumps(message)}\n" for message in messages))


def copy(world: Any, order: int, **other: Any) -> None:
    """Duplicate an order's invoice in FreshBooks, its notes and all."""
    invoice = world.invoice(order)
    line = {"name": "Mug", "qty": "1", "unit_cost": {"amount": "11.00", "code": "USD"}}
    kept = {key: invoice[key] for key in ("customerid", "create_date", "notes", "po_number")}
    body = {**kept, "invoice_number": "COPY1", "currency_code": "USD", "lines": [line], **other}
    world.post("invoices/invoices", {"invoice": body})


# -- what could not be read


def test_an_order_that_cannot_be_read_needs_a_person_until_one_has_settled_it(world: Any) -> None:
    order, _ = world.place(), world.place()
    alter(world, order, total_inc_tax="much")
    assert world.row(order).state == "parked"
    seen = report(world)
    assert (seen.persons, seen.told["standing"]["agrees"], seen.told["parked"]) == (1, 1, 1)
    assert "unreadable_record" in seen.table("persons")
    assert (seen.row(order)["standing"], seen.row(order)["order_total"]) == ("needs a person", "")
    assert [sums["orders"] for sums in seen.told["totals"]] == [1]
    world.ctl("settle", str(order), "--note", "booked by hand, 40.00")
    seen = report(world)
    assert (seen.persons, seen.told["standing"]["settled"]) == (0, 1)
    assert "booked by hand, 40.00" in seen.table("settled")


def test_a_parked_order_whose_day_cannot_be_read_is_named_beside_every_month(world: Any) -> None:
    order = world.place()
    alter(world, order, date_created="once")
    assert (world.row(order).state, world.row(order).order_date) == ("parked", None)
    seen = report(world)
    assert seen.told["undated"] == [order]
    page = Path(seen.told["html"]).read_text(encoding="utf-8")
    assert f"is not known: {order}" in page


# -- what `verify` finds


def test_an_invoice_that_was_restored_after_its_order_was_cancelled_needs_a_person(
    world: Any,
) -> None:
    world.settings["on_cancel"] = "delete"
    order = world.synced()
    world.change_and_sync(order, "cancel")
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"vis_state": 0}})
    seen = report(world)
    assert (seen.persons, seen.found) == (1, [(order, "extra")])
    assert "somebody restored it" in seen.table("persons")


def test_a_copy_of_a_settled_order_s_invoice_needs_a_person(world: Any) -> None:
    order = world.synced()
    world.ctl("settle", str(order), "--note", "typed by hand")
    assert report(world).told["standing"]["settled"] == 1
    copy(world, order)
    seen = report(world)
    assert (seen.persons, seen.found) == (1, [(order, "extra")])
    assert "counts twice" in seen.table("persons")


def test_a_copy_dated_in_the_month_of_an_earlier_month_s_invoice_needs_a_person(
    world: Any,
) -> None:
    order = world.synced(created=EARLIER)
    copy(world, order, create_date="2030-02-03")
    assert (report(world, "2030-01").found, report(world, "2030-03").found) == ([], [])
    seen = report(world, "2030-02")
    assert (seen.persons, seen.found) == (1, [(order, "extra")])
    assert "COPY1" in seen.table("persons")


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"vis_state": 1}, "missing"), ({"amount": {"amount": "7.00"}}, "wrong_amount")],
)
def test_a_payment_of_the_month_that_was_changed_needs_a_person_though_its_invoice_is_earlier(
    world: Any, change: dict[str, Any], kind: str
) -> None:
    order = world.synced(created=EARLIER, pay="authorize")
    world.change_and_sync(order, "capture", amount="11.00")
    assert report(world).persons == 0
    world.put(f"payments/payments/{world.payments(order)[0]['id']}", {"payment": change})
    seen = report(world)
    assert (seen.persons, seen.found) == (1, [(order, kind)])


@pytest.mark.parametrize("left_alone", ["parked", "settled"])
def test_a_payment_by_hand_on_an_earlier_order_s_invoice_is_told_whatever_its_state(
    world: Any, left_alone: str
) -> None:
    order = world.synced(created=EARLIER, pay="authorize")
    world.change_and_sync(order, "capture", amount="11.00")
    note = world.payments(order)[0]["note"]
    if left_alone == "settled":
        world.ctl("settle", str(order), "--note", "typed by hand")
    else:
        world.change_and_sync(order, "cancel")
    assert (world.row(order).state, report(world).found) == (left_alone, [])
    day = f"{str(world.control('GET', 'clock')['now'])[:7]}-01"
    paid = {"invoiceid": world.invoice(order)["id"], "date": day, "type": "Cash", "note": note}
    world.post("payments/payments", {"payment": {**paid, "amount": {"amount": "5.00"}}})
    assert report(world).found == [(order, "extra")]


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"vis_state": 1}, "missing"), ({"create_date": "2026-11-29"}, "edited")],
)
def test_a_correction_that_was_changed_needs_a_person_in_its_month(
    world: Any, change: dict[str, Any], kind: str
) -> None:
    order = world.synced(created=EARLIER)
    world.settings |= {"closed_through": "2026-10-31", "closed_refunds": "correction"}
    world.change_and_sync(order, "refund", order_amount="4.00")
    (correction,) = [row for row in world.books()["invoices"] if "-R" in row["invoice_number"]]
    seen = report(world)
    assert (len(seen.told["corrections"]), seen.persons) == (1, 0)
    world.put(f"invoices/invoices/{correction['id']}", {"invoice": change})
    seen = report(world)
    assert (seen.persons, seen.found) == (1, [(order, kind)])


@pytest.mark.plans_left
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/invoices/invoices$"), ("PUT", "/invoices/invoices/")]
)
def test_an_order_whose_first_posting_was_killed_half_way_needs_a_person(
    world: Any, method: str, path: str
) -> None:
    order = world.place()
    world.killed_in_write(world.messages(), method=method, path=path)
    seen = report(world)
    assert (seen.persons, seen.told["standing"]["absent"]) == (1, 0)
    assert seen.found[0] == (order, "interrupted")
    assert "run again" in seen.table("persons")
    world.sync()
    assert (report(world).persons, report(world).told["standing"]["agrees"]) == (0, 1)
