"""The month's report says the same before and after retention has dropped the orders' bodies."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.report.page import cell

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def world(world: Any) -> Any:
    """Its orders' month is the clock's, also in the last hours of one in the shop."""
    world.settings["timezone"] = "UTC"
    return world


def report(world: Any, order: int) -> tuple[dict[str, Any], dict[str, str]]:
    """What `report` says of the order's month, and the order's row."""
    month = str(world.row(order).order_date)[:7]
    told = world.ctl("report", "--month", month, "--output", str(world.home))
    with (world.home / f"report-{month}.csv").open(encoding="utf-8", newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if row["order_id"] == str(order)]
    return told, row


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *(
            (text, f"'{text}")
            for text in ("=1+1", "+1", "-1", "@A1", " =1", "\N{NO-BREAK SPACE}=1")
        ),
        *((text, f"'{text}") for text in ('"=1', "'=1", "\uff1d1", "-2+3", "-")),
        ("\t=1", r"'\t=1"),
        ("\r1", r"'\r1"),
        ("\t1", r"'\t1"),
        ("\n=1", r"'\n=1"),
        ("a\u202eb\x1b", r"a\u202eb\x1b"),
        ("1-1 = 0", "1-1 = 0"),
        (Decimal("-12.00"), "-12.00"),
        (-7, "-7"),
        (None, ""),
    ],
)
def test_a_spreadsheet_reckons_with_numbers_and_with_no_text(value: Any, shown: str) -> None:
    assert cell(value) == shown


def test_an_invoice_s_number_that_begins_as_a_formula_is_none_in_a_table(world: Any) -> None:
    world.settings["invoice_number_prefix"] = "-"
    order: int = world.place()
    world.sync()
    row = report(world, order)[1]
    assert (row["invoice_number"], row["invoice_total"]) == (f"'-{order}", "11.00")


def test_a_total_of_four_decimals_is_compared_as_it_is_charged(world: Any) -> None:
    order: int = world.place()
    messages = [json.loads(line) for line in world.messages().splitlines()]
    for message in messages:
        if message["type"] == "RECORD" and message["stream"] == "orders":
            message["record"]["total_inc_tax"] = "10.9960"
    world.sync("".join(f"{json.dumps(message)}\n" for message in messages))
    row = report(world, order)[1]
    assert (row["order_total"], row["invoice_total"]) == ("11.00", "11.00")
    assert (row["difference"], row["standing"]) == ("0.00", "agrees")


def refunded(world: Any) -> tuple[int, int]:
    order: int = world.place()
    world.sync()
    world.change_and_sync(order, "refund", order_amount="4.00")
    return order, 0


def refunded_while_edited_by_hand(world: Any) -> tuple[int, int]:
    """The refund is not on the invoice, and the difference says so."""
    order: int = world.place()
    world.sync()
    line = {"name": "Mug", "qty": "1", "unit_cost": {"amount": "11.00", "code": "USD"}}
    path = f"invoices/invoices/{world.invoice(order)['id']}"
    world.put(path, {"invoice": {"lines": [line]}})
    world.change_and_sync(order, "refund", order_amount="4.00")
    assert world.row(order).reason == "edited_in_freshbooks"
    return order, 4


def refunded_while_freshbooks_fails(world: Any) -> tuple[int, int]:
    """Given up before anything was compared: the refund is known of all the same."""
    order: int = world.place()
    world.sync()
    world.change(order, "refund", order_amount="4.00")
    other = world.place()
    world.settings |= {"max_retry_seconds": 0, "max_parallel_orders": 1}
    payment = world.payments(order)[0]["id"]
    world.fault(kind="status", status=500, path=f"/payments/payments/{payment}$")
    world.sync()
    assert world.row(other).state == "posted"
    assert world.row(order).reason == "freshbooks_error"
    world.control("DELETE", "faults")
    return order, 4


def refunded_when_closed(world: Any) -> tuple[int, int]:
    order: int = world.place()
    world.sync()
    world.settings["closed_through"] = world.invoice(order)["create_date"]
    world.change_and_sync(order, "refund", order_amount="4.00")
    assert world.row(order).reason == "closed_period"
    return order, 4


@pytest.mark.parametrize(
    "make", [refunded, refunded_while_edited_by_hand, refunded_while_freshbooks_fails]
)
def test_a_refunded_order_differs_neither_more_nor_less_once_its_bodies_are_dropped(
    world: Any, make: Callable[[Any], tuple[int, int]]
) -> None:
    order, difference = make(world)
    before = report(world, order)
    assert Decimal(before[1]["refunded"]) == 4
    assert Decimal(before[1]["difference"]) == difference
    with world.ledger() as ledger:
        ledger.retention.prune(timedelta(0))
    assert report(world, order) == before


def payments_of(world: Any, month: str) -> list[tuple[str, ...]]:
    """The month's payments: order, what came in, what went back, what stands, earlier invoice."""
    told = world.ctl("report", "--month", month, "--output", str(world.home))
    names = ("order_id", "received", "refunded", "in_the_books", "on_earlier_invoice")
    with Path(told["payments_csv"]).open(encoding="utf-8", newline="") as file:
        return [tuple(row[name] for name in names) for row in csv.DictReader(file)]


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize(
    "make", [refunded_while_edited_by_hand, refunded_while_freshbooks_fails, refunded_when_closed]
)
def test_what_came_in_is_not_guessed_where_a_refund_is_not_booked(
    world: Any, make: Callable[[Any], tuple[int, int]], settled: bool
) -> None:
    order, _ = make(world)
    if settled:
        world.ctl("settle", str(order), "--note", "the refund is typed by hand")
    rows = [row for row in payments_of(world, this_month(world)) if row[0] == str(order)]
    assert rows == [(str(order), "", "", "11.00", "no")]


def test_tax_that_was_given_back_is_not_declared_where_taxes_are_lines(world: Any) -> None:
    world.settings |= {"tax_mode": "amount_lines", "order_refund_tax": "share"}
    order = world.synced()
    world.change_and_sync(order, "refund", order_amount="4.00")
    told = world.ctl("report", "--month", this_month(world), "--output", str(world.home))
    (statement,) = told["statements"]
    assert (statement["net_sales"], statement["tax"]) == ("6.36", "0.64")


def this_month(world: Any) -> str:
    return str(world.control("GET", "clock")["now"])[:7]


def test_a_payment_is_of_the_month_it_came_in_though_its_invoice_is_of_an_earlier_one(
    world: Any,
) -> None:
    order = world.synced(created="2026-10-05T12:00:00+00:00", pay="authorize")
    world.change_and_sync(order, "capture", amount="11.00")
    assert payments_of(world, "2026-10") == []
    assert payments_of(world, this_month(world)) == [(str(order), "11.00", "0.00", "11.00", "yes")]
    told = world.ctl("report", "--month", this_month(world), "--output", str(world.home))
    assert told["statements"] == []
    assert [one["month"] for one in told["earlier_months"]] == ["2026-10"]


@pytest.mark.parametrize("lowered", ["accept", "refuse"])
def test_a_payment_of_which_all_went_back_still_tells_what_came_in(
    world: Any, lowered: str
) -> None:
    world.switch(fb__payment_put_zero=lowered)
    order = world.synced()
    world.change_and_sync(order, "refund", order_amount="11.00")
    (payment,) = payments_of(world, this_month(world))
    assert payment == (str(order), "11.00", "11.00", "0.00", "no")


def test_a_payment_is_the_order_s_though_somebody_emptied_its_note(world: Any) -> None:
    order = world.synced()
    world.change_and_sync(order, "refund", order_amount="4.00")
    path = f"payments/payments/{world.payments(order)[0]['id']}"
    world.put(path, {"payment": {"note": ""}})
    assert payments_of(world, this_month(world)) == [(str(order), "11.00", "4.00", "7.00", "no")]


def overpaid(world: Any, *captures: str) -> int:
    """An order of 11.00 that more money came in for."""
    order: int = world.synced(transactions=[{"amount": amount} for amount in captures])
    assert (world.row(order).reason, world.paid(order)) == ("overpaid", [11])
    return order


def test_what_came_in_of_one_payment_is_more_than_was_ever_booked(world: Any) -> None:
    order, month = overpaid(world, "15.00"), this_month(world)
    assert payments_of(world, month) == [(str(order), "", "", "11.00", "no")]
    world.change_and_sync(order, "refund", order_amount="4.00")
    assert payments_of(world, month) == [(str(order), "15.00", "4.00", "11.00", "no")]
    world.change_and_sync(order, "refund", order_amount="3.00")
    assert payments_of(world, month) == [(str(order), "15.00", "7.00", "8.00", "no")]


def test_what_came_in_is_told_where_store_credit_was_given_for_the_surplus(world: Any) -> None:
    jane = {"email": "jane@shop.example", "first_name": "Jane"}
    customer = world.control("POST", "shop/customers", jane)["id"]
    order = world.synced(customer_id=customer, transactions=[{"amount": "15.00"}])
    credit = {"order_amount": "4.00", "to": [{"provider": "storecredit"}]}
    world.change_and_sync(order, "refund", **credit)
    assert (world.row(order).state, world.paid(order)) == ("posted", [15])
    assert payments_of(world, this_month(world)) == [(str(order), "15.00", "0.00", "15.00", "no")]


@pytest.mark.parametrize("settled", [False, True])
def test_what_came_in_is_not_guessed_where_a_surplus_stands_or_was_of_another_payment(
    world: Any, settled: bool
) -> None:
    order = overpaid(world, "11.00", "4.00")
    if settled:
        world.ctl("settle", str(order), "--note", "4.00 are a tip")
    else:
        world.change_and_sync(order, "refund", order_amount="4.00")
        assert world.row(order).state == "posted"
    assert payments_of(world, this_month(world)) == [(str(order), "", "", "11.00", "no")]


@pytest.mark.parametrize("lowered", ["accept", "refuse"])
def test_a_part_of_an_order_s_money_that_went_back_whole_has_its_line(
    world: Any, lowered: str
) -> None:
    world.switch(fb__payment_put_zero=lowered)
    order = world.synced(transactions=[{"amount": "5.00"}, {"amount": "6.00"}])
    world.change_and_sync(order, "refund", order_amount="6.00")
    assert sum(world.paid(order)) == 5
    told = payments_of(world, this_month(world))
    assert sorted(told) == [(str(order), "", "", amount, "no") for amount in ("0.00", "5.00")]


def test_an_invoice_typed_by_hand_and_its_payment_are_told_beside_all_sums(world: Any) -> None:
    order = world.synced()
    client = world.invoice(order)["customerid"]
    line = {"name": "Advice", "qty": "1", "unit_cost": {"amount": "70.00", "code": "USD"}}
    day = f"{this_month(world)}-01"
    typed = {"customerid": client, "create_date": day, "invoice_number": "typed-1"}
    world.post("invoices/invoices", {"invoice": {**typed, "lines": [line]}})
    paid = {"invoiceid": world.invoice("typed-1")["id"], "date": day, "type": "Cash"}
    world.post("payments/payments", {"payment": {**paid, "amount": {"amount": "70.00"}}})
    told = world.ctl("report", "--month", this_month(world), "--output", str(world.home))
    (statement,) = told["statements"]
    assert (statement["invoices"], statement["invoiced"]) == (1, "11.00")
    assert [one["booked"] for one in told["payments"]] == ["11.00"]
    page = Path(told["html"]).read_text(encoding="utf-8")
    assert "typed-1" in page.partition('id="foreign"')[2].partition("</table>")[0]
    assert "70.00 USD of" in page


def test_what_was_changed_in_freshbooks_since_needs_a_person(world: Any) -> None:
    order = world.synced()
    payment = world.payments(order)[0]["id"]
    world.put(f"payments/payments/{payment}", {"payment": {"vis_state": 1}})
    told = world.ctl("report", "--month", this_month(world), "--output", str(world.home))
    assert told["standing"]["person"] == 1
    (found,) = told["findings"]
    assert (found["order_id"], found["finding"].partition(":")[0]) == (order, "missing")
    assert "was deleted in FreshBooks" in Path(told["html"]).read_text(encoding="utf-8")


def test_the_page_does_not_say_that_a_settled_order_s_invoice_equals_it(world: Any) -> None:
    order, _ = refunded_while_edited_by_hand(world)
    world.ctl("settle", str(order), "--note", "the refund is typed by hand")
    told = world.ctl("report", "--month", this_month(world), "--output", str(world.home))
    page = Path(told["html"]).read_text(encoding="utf-8")
    assert "equals its order, but for those of orders that were settled by hand" in page
