"""Orders on account stay open until money comes; money in hand is booked when it came."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from target_freshbooks.books.policy import IN_HAND, ON_ACCOUNT, Policy
from target_freshbooks.ledger import Ledger, OrderRow, ScratchLedger
from target_freshbooks.posting.facts import with_paid_day
from target_freshbooks.shop import read_facts

if TYPE_CHECKING:
    from target_freshbooks.shop.facts import OrderFacts

CASES = Path(__file__).parents[2] / "target-freshbooks" / "tests" / "books_cases"
FORTY = [{"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 4}]


def placed(world: Any, method: str, **order: Any) -> int:
    """An order of 40.00 without transactions."""
    details = {"lines": FORTY, "created": "2026-11-01T16:30:00Z", **order}
    number: int = world.place(pay="offline", payment_method=method, **details)
    return number


def test_a_purchase_order_is_sent_open_and_due_after_thirty_days(world: Any) -> None:
    order = placed(world, "Purchase Order", status_id=2)
    world.sync()
    invoice = world.invoice(order)
    assert (invoice["create_date"], invoice["due_date"]) == ("2026-11-01", "2026-12-01")
    assert invoice["v3_status"] in {"sent", "overdue"}
    assert world.total(order) == 40
    assert Decimal(invoice["outstanding"]["amount"]) == Decimal("40.00")
    assert world.payments(order) == []
    assert world.row(order).state == "posted"
    assert world.writes_of(world.sync) == 0


def test_a_purchase_order_is_found_again_with_the_ledger_lost(world: Any) -> None:
    order = placed(world, "Net 45", status_id=2)
    world.sync()
    assert world.invoice(order)["due_date"] == "2026-12-16"
    world.is_found_again()


def test_an_order_on_account_is_paid_once_money_is_captured(world: Any) -> None:
    order = placed(world, "Purchase Order")
    world.sync()
    world.change_and_sync(order, "edit", payment_status="paid")
    assert world.paid(order) == [40]
    assert world.writes_of(world.sync) == 0


def test_awaiting_payment_bills_only_what_is_on_account(world: Any) -> None:
    world.settings["paid_status_ids"] = [2, 3, 7, 8, 9, 10, 11]
    owed, unpaid = (placed(world, name, status_id=7) for name in ("Purchase Order", "Check"))
    world.sync()
    assert (world.row(owed).state, world.paid(owed)) == ("posted", [])
    assert (world.row(unpaid).state, world.row(unpaid).reason) == ("waiting", "status_7")


def test_money_that_comes_late_is_dated_the_day_a_run_saw_it(world: Any) -> None:
    order = placed(world, "Bank Deposit", status_id=7)
    late = placed(world, "Purchase Order")
    world.sync()
    assert (world.row(order).state, world.paid(late)) == ("waiting", [])
    world.change(order, "status", status_id=11)
    world.change(late, "edit", payment_status="paid")
    began = shop_day()
    world.sync()
    for one in (order, late):
        assert world.invoice(one)["create_date"] == "2026-11-01"
        (payment,) = world.payments(one)
        assert began <= payment["date"] <= shop_day()
        assert str(world.row(one).paid_day) == payment["date"]
    assert world.writes_of(world.sync) == 0
    world.is_found_again()


def test_an_order_that_was_paid_when_first_seen_is_paid_on_its_own_day(world: Any) -> None:
    order = placed(world, "Cash")
    world.sync()
    world.change_and_sync(order, "touch")
    (payment,) = world.payments(order)
    assert payment["date"] == "2026-11-01"
    assert world.row(order).paid_day is None


def test_a_cheque_that_bounced_is_taken_back_and_dated_anew_when_it_came(world: Any) -> None:
    order = placed(world, "Check")
    world.sync()
    assert world.payments(order)[0]["date"] == "2026-11-01"
    world.change_and_sync(order, "status", status_id=7)
    assert world.payments(order) == []
    assert world.invoice(order)["outstanding"]["amount"] == "40.00"
    assert world.row(order).notice == "unpaid_after_posting"
    began = shop_day()
    world.change_and_sync(order, "status", status_id=11)
    (payment,) = world.payments(order)
    assert began <= payment["date"] <= shop_day()


def test_methods_met_are_listed_with_the_settings_that_place_them(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    placed(world, "Cash")
    placed(world, "Net 30")
    klarna = [placed(world, "Klarna"), placed(world, "Klarna")]
    placed(world, "Check", status_id=7)
    world.place()
    in_hand = f"TARGET_FRESHBOOKS_DERIVED_PAYMENT_METHODS='{json.dumps([*IN_HAND, 'Klarna'])}'"
    owed = f"TARGET_FRESHBOOKS_ON_ACCOUNT_METHODS='{json.dumps([*ON_ACCOUNT, 'Klarna'])}'"
    world.settings["dry_run"] = True
    with caplog.at_level("INFO"):
        world.sync()
    assert in_hand in caplog.text
    assert owed in caplog.text
    assert "Klarna: left unpaid" in caplog.text
    del world.settings["dry_run"]
    world.sync()
    told = {row["name"]: row for row in world.ctl("status")["payment_methods"]}
    assert {name: (row["orders"], row["left_open"]) for name, row in told.items()} == {
        "Cash": (1, 0),
        "Credit Card": (1, 0),
        "Klarna": (2, 2),
        "Net 30": (1, 1),
    }
    assert told["Klarna"]["settings"] == [in_hand, owed]
    assert [told[name]["settings"] for name in ("Cash", "Net 30", "Credit Card")] == [[], [], []]
    world.settings["derived_payment_methods"] = [*IN_HAND, "Klarna"]
    world.ctl("replay", *map(str, klarna), "--settings", "current")
    assert [world.paid(order) for order in klarna] == [[40], [40]]
    assert {payment["date"] for order in klarna for payment in world.payments(order)} == {
        "2026-11-01"
    }


@pytest.mark.parametrize("status", [12, 13])
def test_captured_money_in_question_is_billed_and_listed_as_disputed(
    world: Any, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    order = world.place(status_id=status)
    authorised = world.synced(status_id=status, pay="authorize")
    assert caplog.text.count(f"Order {order}: disputed.") == 1
    assert (world.paid(order), world.row(authorised).state) == ([11], "waiting")
    world.change_and_sync(order, "touch")
    world.ctl("replay", str(order))
    assert caplog.text.count(f"Order {order}: disputed.") == 1
    (noticed,) = world.ctl("status")["notices"]
    assert (noticed["order_id"], noticed["notice"]) == (order, "disputed")


@pytest.mark.parametrize("wanted", [False, True])
def test_clients_made_here_are_not_reminded_unless_that_is_wanted(
    world: Any, *, wanted: bool
) -> None:
    world.settings["on_account_reminders"] = wanted
    placed(world, "Net 30")
    world.sync()
    (client,) = world.books()["clients"]
    assert (client["allow_late_notifications"], client["allow_late_fees"]) == (wanted, wanted)


def test_the_month_s_report_shows_open_receivables_apart_from_differences(world: Any) -> None:
    placed(world, "Cash")
    owed = placed(world, "Net 30")
    world.sync()
    told = world.ctl("report", "--month", "2026-11", "--output", str(world.home))
    (sums,) = told["totals"]
    assert (told["agrees"], told["open"]) == (True, 1)
    assert (sums["outstanding"], Decimal(sums["difference"])) == ("40.00", 0)
    page = (world.home / "report-2026-11.html").read_text("utf-8")
    section = page.partition('<table id="debts">')[2].partition("</table>")[0]
    assert f"/manage/orders/{owed}" in section
    assert section.count("<tr>") == 2


def shop_day() -> str:
    return datetime.now(ZoneInfo("America/New_York")).date().isoformat()


def test_the_day_of_a_payment_is_the_first_on_which_a_run_saw_the_order_paid(
    tmp_path: Path,
) -> None:
    now = [datetime(2026, 11, 28, 18, tzinfo=UTC)]
    case = json.loads((CASES / "paid_late.json").read_text("utf-8"))
    unpaid = read_facts(case["order"] | {"status_id": 7}, store=case["store"])
    paid = replace(unpaid, order=replace(unpaid.order, status_id=11))
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    with Ledger.open(url, source="shop", clock=lambda: now[0]) as ledger:
        ledger.orders.record(OrderRow(1001, "waiting"))

        def seen(facts: OrderFacts, *, scratch: bool = False) -> date | None:
            there = ScratchLedger(ledger) if scratch else ledger
            return with_paid_day(facts, there.orders.get(1001), there, Policy()).paid_day

        assert seen(paid) is None
        assert seen(unpaid) is None
        # After midnight in UTC it is still the day before in the shop's zone.
        now[0] = datetime(2026, 12, 6, 2, tzinfo=UTC)
        assert seen(paid, scratch=True) == date(2026, 12, 5)
        now[0] += timedelta(days=1)
        assert seen(paid, scratch=True) == date(2026, 12, 6)
        now[0] -= timedelta(days=1)
        assert seen(paid) == date(2026, 12, 5)
        now[0] += timedelta(days=9)
        assert seen(paid) == date(2026, 12, 5)
        assert seen(unpaid) is None
        assert seen(paid) == date(2026, 12, 14)
