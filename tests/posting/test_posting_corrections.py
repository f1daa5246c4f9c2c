"""Refunds of a closed month, booked on their own day beside the invoice: corrections."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.more

D = Decimal
ORDER = 1001
TEXAS = [{"name": "Texas Sales Tax", "percent": "8.25"}]
MUGS = {"name": "Mug", "sku": "MUG-1", "price": "10.00", "quantity": 3, "taxes": TEXAS}


class Shop:
    """An order of November, 37.48, posted and paid; its refund 5 is of 14 December, 10.83."""

    def __init__(self, world: Any) -> None:
        self.world = world
        world.synced(
            id=ORDER,
            created="2026-11-20T18:00:00Z",
            lines=[MUGS],
            ship_to=[{"shipping": {"cost": "5.00"}}],
        )
        assert world.total(ORDER) == D("37.48")
        self.before = self.november()
        world.settings |= {"closed_through": "2026-11-30", "closed_refunds": "correction"}
        world.change(ORDER, "refund", lines=[{"line": 0, "quantity": 1}])

    def messages(self) -> str:
        """What the tap says, the refund's number and day put in."""
        return "".join(map(_dated, self.world.messages().splitlines(keepends=True)))

    def sync(self) -> None:
        self.world.sync(self.messages())

    def november(self) -> tuple[Any, Any]:
        """The invoice as it is, but for when it was looked at; and its payments."""
        return self.world.invoice(ORDER), self.world.payments(ORDER)

    def state(self) -> tuple[str, str | None]:
        row = self.world.row(ORDER)
        return row.state, row.reason

    def expenses(self) -> list[dict[str, Any]]:
        return [row for row in self.world.books()["expenses"] if row["vis_state"] == 0]

    def decline(self) -> None:
        (refund,) = self.world.control("GET", f"shop/orders/{ORDER}")["refunds"]
        self.world.change(ORDER, "decline_refund", refund_id=refund)
        self.world.change(ORDER, "touch")


def _dated(line: str) -> str:
    message = json.loads(line)
    if message.get("stream") != "refunds" or message["type"] != "RECORD":
        return line
    message["record"] |= {"id": 5, "created": "2026-12-14T18:00:00Z"}
    return f"{json.dumps(message)}\n"


@pytest.fixture
def shop(world: Any) -> Shop:
    return Shop(world)


@pytest.fixture
def spending(shop: Shop) -> Shop:
    shop.world.settings["refunds_expense_category"] = "refunds"
    return shop


def sums(world: Any) -> dict[str, dict[str, Decimal]]:
    """What FreshBooks' reports of each month rest on."""
    books = world.books()
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for invoice in books["invoices"]:
        month = found[invoice["create_date"][:7]]
        if invoice["vis_state"] != 1 and invoice["v3_status"] != "draft":
            net = sum(D(one["amount"]["amount"]) for one in invoice["lines"])
            month["income"] += net
            month["tax"] += D(invoice["amount"]["amount"]) - net
    for payment in books["payments"]:
        if payment["vis_state"] == 0:
            found[payment["date"][:7]]["money in"] += D(payment["amount"]["amount"])
    for expense in books["expenses"]:
        if expense["vis_state"] == 0:
            found[expense["date"][:7]]["money out"] += D(expense["amount"]["amount"])
    return {month: dict(figures) for month, figures in found.items()}


def test_worked_example_7(spending: Shop) -> None:
    world = spending.world
    spending.sync()
    assert spending.november() == spending.before
    correction = world.invoice("1001-R5")
    assert (correction["create_date"], world.total("1001-R5")) == ("2026-12-14", D("0.00"))
    assert correction["v3_status"] != "draft"
    lines = [
        (line["unit_cost"]["amount"], line["name"], line["taxName1"], line["taxAmount1"])
        for line in correction["lines"]
    ]
    assert lines == [
        ("-10.00", "Refund 5", "Texas Sales Tax", "8.25"),
        ("10.83", "Refunds paid", "", "0"),
    ]
    assert correction["notes"].splitlines() == [
        "Corrects invoice 1001 of 2026-11-20",
        "BigCommerce order 1001, refund 5 (store sandbox)",
        "The money that went back is booked as an expense.",
    ]
    (expense,) = spending.expenses()
    assert expense["notes"] == "BigCommerce order 1001, refund 5 (store sandbox)"
    found = sums(world)
    assert found["2026-11"] == {"income": D("35.00"), "tax": D("2.48"), "money in": D("37.48")}
    december = found["2026-12"]
    assert december["income"] - december["money out"] == D("-10.00")
    assert (december["tax"], december["money out"]) == (D("-0.83"), D("10.83"))
    assert spending.state() == ("posted", None)
    assert world.ctl("verify")["findings"] == []
    assert world.writes_of(spending.sync) == 0
    assert world.writes_of(lambda: world.ctl("replay", str(ORDER))) == 0
    world.lose_ledger()
    assert world.writes_of(spending.sync) == 0
    assert spending.state() == ("posted", None)
    assert world.ctl("verify")["findings"] == []
    assert world.ctl("report", "--month", "2026-11")["agrees"]
    reported = world.ctl("report", "--month", "2026-12", "--output", str(world.home))
    assert reported["corrections"] == [
        {
            "order_id": ORDER,
            "number": "1001-R5",
            "day": "2026-12-14",
            "currency": "USD",
            "given_back": "10.83",
        }
    ]
    page = (world.home / "report-2026-12.html").read_text(encoding="utf-8")
    assert '<table id="corrections">' in page
    assert "<td>1001-R5</td>" in page
    assert 'id="foreign"' not in page


def refunded_in_november(world: Any) -> Decimal:
    """What the report of November takes off the order for refunds."""
    told = world.ctl("report", "--month", "2026-11", "--output", str(world.home))
    (sums,) = told["totals"]
    assert D(sums["difference"]) == D(sums["refunded"])
    return D(sums["refunded"])


def test_the_closed_month_s_report_stays_when_the_order_is_touched_later(spending: Shop) -> None:
    """Looked at without a request, parked before a look at FreshBooks, and looked at again."""
    world = spending.world
    spending.sync()
    assert refunded_in_november(world) == 0
    world.change(ORDER, "status", status_id=10)
    assert world.writes_of(spending.sync) == 0
    assert (spending.state(), refunded_in_november(world)) == (("posted", None), 0)
    world.settings |= {"max_retry_seconds": 0, "max_parallel_orders": 1}
    world.settings["closed_through"] = "2026-11-25"
    other = world.place(id=2001)
    elsewhere = {"first_name": "Ann", "last_name": "Other", "email": "ann@shop.example"}
    world.change(ORDER, "edit", billing=elsewhere)
    world.fault(kind="status", status=500, path=f"/invoices/{world.invoice(ORDER)['id']}$")
    spending.sync()
    assert world.row(other).state == "posted"
    assert spending.state() == ("parked", "freshbooks_error")
    assert refunded_in_november(world) == 0


def test_a_month_that_freshbooks_has_locked_is_corrected_beside_it(
    spending: Shop,
) -> None:
    world = spending.world
    del world.settings["closed_through"]
    world.switch(fb__locked_until="2026-11-30")
    assert world.writes_of(spending.sync) == 4, "one refused, then correction, expense, sending"
    assert spending.november() == spending.before
    assert world.total("1001-R5") == D("0.00")
    assert spending.state() == ("posted", None)
    for until in ("2026-11-30", ""):
        world.switch(fb__locked_until=until)
        assert world.writes_of(spending.sync) == 0
        assert world.writes_of(lambda: world.ctl("replay", str(ORDER))) == 0
        assert world.ctl("verify")["findings"] == []
        world.lose_ledger()
        assert world.writes_of(spending.sync) == 0
        assert spending.state() == ("posted", None)
    assert spending.november() == spending.before


def redated(spending: Shop) -> None:
    """A person gives the expense another day."""
    (expense,) = spending.expenses()
    spending.world.put(f"expenses/expenses/{expense['id']}", {"expense": {"date": "2026-12-28"}})


def test_an_expense_that_was_given_another_day_is_found_with_the_ledger_lost(
    spending: Shop,
) -> None:
    spending.sync()
    redated(spending)
    spending.world.lose_ledger()
    assert spending.world.writes_of(spending.sync) == 0
    assert spending.state() == ("posted", None)
    assert len(spending.expenses()) == 1


def test_so_it_is_where_its_outcome_is_not_known_yet(spending: Shop) -> None:
    expenses = {"when": "after", "method": "POST", "path": "expenses/expenses"}
    spending.world.killed_in_write(spending.messages(), **expenses)
    redated(spending)
    spending.sync()
    assert spending.state() == ("posted", None)
    assert len(spending.expenses()) == 1


def test_without_a_category_the_bank_feed_brings_the_expense(shop: Shop) -> None:
    shop.sync()
    assert (shop.world.total("1001-R5"), shop.expenses()) == (D("0.00"), [])
    shop.world.settings["refunds_expense_category"] = "Refunds"
    assert shop.world.writes_of(lambda: shop.world.ctl("replay", str(ORDER))) == 0
    assert shop.expenses() == []


def test_a_category_that_is_not_there_leaves_the_correction_a_draft(spending: Shop) -> None:
    spending.world.settings["refunds_expense_category"] = "Nothing of the kind"
    spending.sync()
    assert spending.world.invoice("1001-R5")["v3_status"] == "draft"
    assert spending.state() == ("parked", "refused_by_freshbooks")
    spending.world.settings["refunds_expense_category"] = "3436003"
    spending.sync()
    assert spending.state() == ("posted", None)
    assert len(spending.expenses()) == 1


def test_what_is_booked_stays_booked_when_days_open_or_the_setting_changes(spending: Shop) -> None:
    spending.sync()
    world = spending.world
    for settings in ({"closed_refunds": "park"}, {"closed_through": ""}):
        world.settings |= settings
        assert world.writes_of(lambda: world.ctl("replay", str(ORDER))) == 0
        world.lose_ledger()
        assert world.writes_of(spending.sync) == 0
        assert spending.state() == ("posted", None)
    assert spending.november() == spending.before


def test_a_refund_that_is_on_its_invoice_stays_there_when_the_month_is_closed(shop: Shop) -> None:
    shop.world.settings["closed_through"] = ""
    shop.sync()
    assert shop.world.total(ORDER) == D("26.65")
    shop.world.settings["closed_through"] = "2026-11-30"
    assert shop.world.writes_of(lambda: shop.world.ctl("replay", str(ORDER))) == 0
    shop.world.lose_ledger()
    assert shop.world.writes_of(shop.sync) == 0
    assert shop.state() == ("posted", None)


def test_a_refund_declined_later_takes_its_correction_back_on_an_open_day(
    spending: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    spending.sync()
    spending.decline()
    spending.world.settings["closed_through"] = "2026-12-31"
    assert spending.world.writes_of(spending.sync) == 0
    assert spending.state() == ("parked", "closed_period")
    spending.world.settings["closed_through"] = "2026-11-30"
    spending.sync()
    assert spending.state() == ("posted", None)
    assert "Order 1001: delete the correction 1001-R5: the shop has refund 5 no more" in caplog.text
    assert spending.world.invoice("1001-R5")["vis_state"] == 1
    assert spending.expenses() == []
    assert spending.november() == spending.before
    assert spending.world.writes_of(spending.sync) == 0


def test_so_it_does_where_the_ledger_was_lost_meanwhile(spending: Shop) -> None:
    spending.sync()
    spending.decline()
    spending.world.lose_ledger()
    spending.sync()
    assert spending.state() == ("posted", None)
    assert spending.world.invoice("1001-R5")["vis_state"] == 1
    assert spending.expenses() == []
    assert spending.november() == spending.before


def test_a_refund_whose_own_day_is_closed_waits_for_a_day(spending: Shop) -> None:
    spending.world.settings["closed_through"] = "2026-12-20"
    assert spending.world.writes_of(spending.sync) == 0
    assert spending.state() == ("parked", "closed_period")
    assert "10.83" in spending.world.row(ORDER).detail


def test_a_correction_that_a_person_changed_is_left(spending: Shop) -> None:
    spending.sync()
    world = spending.world
    line = {"name": "By hand", "qty": "1", "unit_cost": {"amount": "0.00", "code": "USD"}}
    path = f"invoices/invoices/{world.invoice('1001-R5')['id']}"
    world.put(path, {"invoice": {"lines": [line]}})
    assert [one["kind"] for one in world.ctl("verify")["findings"]] == ["edited"]
    assert world.writes_of(lambda: world.ctl("replay", str(ORDER))) == 0
    assert spending.state() == ("parked", "edited_in_freshbooks")


@pytest.mark.parametrize("rounding", ["per_line", "per_tax"])
@pytest.mark.parametrize("mode", ["half_up", "half_even"])
def test_a_correction_comes_to_nothing_however_freshbooks_rounds(
    shop: Shop, rounding: str, mode: str
) -> None:
    shop.world.switch(fb__tax_rounding=rounding, fb__rounding_mode=mode)
    shop.sync()
    assert shop.world.total("1001-R5") == D("0.00")
    assert shop.state() == ("posted", None)


@pytest.mark.more
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("kind", ["reset_after", "reset_before"])
def test_broken_off_at_each_write_nothing_is_doubled(spending: Shop, at: int, kind: str) -> None:
    """The correction, its expense, its sending: each may be lost, or only its answer."""
    path, method = [
        ("/invoices/invoices$", "POST"),
        ("/expenses/expenses$", "POST"),
        ("/invoices/invoices/[0-9]+$", "PUT"),
    ][at]
    world = spending.world
    world.fault(kind=kind, method=method, path=path, times=1)
    spending.sync()
    world.lose_ledger()
    assert world.writes_of(spending.sync) == 0
    assert len(spending.expenses()) == len(world.invoices("1001-R5")) == 1
    assert spending.state() == ("posted", None)


BOWL = {"name": "Bowl", "sku": "BOWL", "price": "20.00"}
REFUND_TOLD = "refund 5 of 2026-12-14 is net 10.00, Texas Sales Tax 0.83, money 10.83 USD"


@pytest.mark.parametrize("mode", ["park", "correction"])
def test_an_edit_does_not_hide_the_refund_of_the_same_order(spending: Shop, mode: str) -> None:
    world = spending.world
    world.settings["closed_refunds"] = mode
    world.change(ORDER, "lines", lines=[MUGS, BOWL])
    spending.sync()
    assert spending.state() == ("parked", "closed_period")
    told = world.row(ORDER).detail
    assert "the order changed" in told
    assert REFUND_TOLD in told
    assert (world.invoices("1001-R5"), spending.expenses()) == ([], [])
    assert spending.november() == spending.before


def test_an_edit_that_does_not_add_up_tells_that_no_refund_of_it_is_told(shop: Shop) -> None:
    shop.world.change(ORDER, "lines", lines=[MUGS, BOWL])
    wrong = []
    for line in shop.messages().splitlines(keepends=True):
        message = json.loads(line)
        if message["type"] == "RECORD" and message["stream"] == "orders":
            message["record"]["total_inc_tax"] = "90.00"
        wrong.append(f"{json.dumps(message)}\n")
    shop.world.sync("".join(wrong))
    assert shop.state() == ("parked", "closed_period")
    told = shop.world.row(ORDER).detail
    assert "comes to" in told
    assert "90.00" in told
    assert ": what was refunded of it is not told" in told


def test_an_edit_tells_what_is_left_of_a_correction_that_was_begun(spending: Shop) -> None:
    world = spending.world
    world.settings["refunds_expense_category"] = "Nothing of the kind"
    spending.sync()
    assert world.invoice("1001-R5")["v3_status"] == "draft"
    world.settings["refunds_expense_category"] = "refunds"
    world.change(ORDER, "lines", lines=[MUGS, BOWL])
    spending.sync()
    assert (world.invoice("1001-R5")["v3_status"], spending.expenses()) == ("draft", [])
    told = world.row(ORDER).detail
    assert "the order changed" in told
    assert "left to book the 10.83 USD that went back as an expense of 2026-12-14" in told


@pytest.mark.parametrize("name", ["Mug", "Mug, blue"])
def test_an_edit_that_changes_no_line_lets_the_refund_be_corrected(
    spending: Shop, name: str
) -> None:
    """The shop gave the line another id, or another name, which is no item's in FreshBooks."""
    spending.world.change(ORDER, "lines", lines=[{**MUGS, "name": name}])
    spending.sync()
    assert spending.state() == ("posted", None)
    assert spending.world.total("1001-R5") == D("0.00")
    assert spending.november() == spending.before
    assert spending.world.writes_of(spending.sync) == 0


# -- of orders of every kind


AT = "2026-10-30T18:00:00Z"
LATER = "2026-11-03T18:00:00Z"


def corrected(world: Any, refund: dict[str, Any], **order: Any) -> tuple[int, str]:
    """An order of October, refunded after October was closed; its number, its correction's."""
    number = world.place(created=AT, **order)
    world.sync()
    world.settings |= {"closed_through": "2026-10-31", "closed_refunds": "correction"}
    world.settings["refunds_expense_category"] = "refunds"
    (one,) = world.change(number, "refund", **refund)["refunds"]
    return number, f"{number}-R{one}"


def amounts(world: Any, number: str) -> list[tuple[str, str]]:
    return [(one["unit_cost"]["amount"], one["taxName1"]) for one in world.invoice(number)["lines"]]


def spent_on(world: Any) -> list[Decimal]:
    rows = world.books()["expenses"]
    return [D(row["amount"]["amount"]) for row in rows if row["vis_state"] == 0]


def test_a_correction_of_a_marketplace_s_sale_is_without_the_tax_it_remits(world: Any) -> None:
    world.settings["marketplace_sources"] = {"etsy": "net"}
    order, number = corrected(
        world, {"lines": [{"line": 0, "quantity": 1}]}, lines=[MUGS], external_source="Etsy Shop"
    )
    assert (world.total(order), world.paid(order)) == (D("30.00"), [D("30.00")])
    world.sync()
    assert amounts(world, number) == [("-10.00", ""), ("10.00", "")]
    assert spent_on(world) == [D("10.00")]
    assert (world.total(order), world.paid(order)) == (D("30.00"), [D("30.00")])
    assert world.writes_of(world.sync) == 0


def test_a_correction_of_an_order_on_account_is_over_the_money_it_was_paid_with(world: Any) -> None:
    order = world.place(created=AT, pay="offline", payment_method="Purchase Order", status_id=2)
    world.sync()
    assert world.paid(order) == []
    world.settings |= {"closed_through": "2026-10-31", "closed_refunds": "correction"}
    world.settings["refunds_expense_category"] = "refunds"
    world.change(order, "transactions", amount="11.00", at=LATER)
    (refund,) = world.change(order, "refund", order_amount="4.00")["refunds"]
    world.sync()
    assert world.row(order).state == "posted"
    assert amounts(world, f"{order}-R{refund}") == [("-4.00", ""), ("4.00", "")]
    assert spent_on(world) == [D("4.00")]
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert world.writes_of(world.sync) == 0


def test_a_correction_of_an_order_captured_in_part_leaves_the_rest_open(world: Any) -> None:
    half = {"amount": "5.00", "at": AT}
    order, number = corrected(world, {"order_amount": "4.00"}, transactions=[half])
    world.sync()
    assert world.row(order).state == "posted"
    assert amounts(world, number) == [("-4.00", ""), ("4.00", "")]
    assert spent_on(world) == [D("4.00")]
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("5.00")])
    assert D(world.invoice(order)["outstanding"]["amount"]) == D("6.00")
    assert world.writes_of(world.sync) == 0


CREDIT = {"order_amount": "10.00", "to": [{"provider": "storecredit"}]}


def sold_to_a_customer(world: Any, *captures: str) -> dict[str, Any]:
    customer = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    money = [{"amount": amount, "at": AT} for amount in captures]
    line = {"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 4}
    return {"lines": [line], "customer_id": customer["id"], "transactions": money}


def test_store_credit_for_a_surplus_of_a_closed_month_is_told_and_no_refund_below_zero(
    world: Any,
) -> None:
    """40.00 and 10.00 came in for 40.00; the 10.00 are given as store credit later."""
    order, number = corrected(world, CREDIT, **sold_to_a_customer(world, "40.00", "10.00"))
    assert world.row(order).reason == "overpaid"
    world.sync()
    assert (world.invoices(number), spent_on(world)) == ([], [])
    row = world.row(order)
    assert (row.state, row.reason) == ("parked", "closed_period")
    told = "Store credit -10.00, money -10.00 USD, for 10.00 USD that came in beyond the invoice"
    assert told in row.detail
    world.lose_ledger()
    assert world.writes_of(world.sync) == 0
    assert world.row(order).detail == row.detail
    world.settings["closed_through"] = ""
    world.ctl("replay", str(order))
    assert world.row(order).state == "posted"
    assert (world.total(order), sum(world.paid(order))) == (D("50.00"), D("50.00"))


def test_a_correction_gives_way_where_a_later_surplus_is_what_the_credit_was_given_for(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order, number = corrected(world, CREDIT, **sold_to_a_customer(world, "40.00"))
    world.sync()
    assert amounts(world, number) == [("-10.00", ""), ("10.00", "")]
    world.change(order, "transactions", amount="10.00", at=LATER)
    world.sync()
    assert world.invoice(number)["vis_state"] == 1
    assert f"delete the correction {number}: refund 1 is none of what was sold" in caplog.text
    assert world.row(order).reason == "closed_period"
    assert "for 10.00 USD that came in beyond the invoice" in world.row(order).detail
    assert world.writes_of(world.sync) == 0


def test_where_invoices_are_kept_as_drafts_a_correction_is_too(world: Any) -> None:
    world.settings["post_as"] = "draft"
    order = world.place(created=AT)
    world.sync()
    world.ctl("replay", str(order), "--send")
    world.settings |= {"closed_through": "2026-10-31", "closed_refunds": "correction"}
    world.settings["refunds_expense_category"] = "refunds"
    (refund,) = world.change(order, "refund", order_amount="4.00")["refunds"]
    number = f"{order}-R{refund}"
    world.sync()
    assert (world.row(order).state, world.row(order).reason) == ("waiting", "draft")
    assert (world.invoice(number)["v3_status"], world.total(number)) == ("draft", D("0.00"))
    assert spent_on(world) == [], "a Draft counts nowhere, and its expense would"
    assert world.writes_of(world.sync) == 0
    assert world.ctl("replay", "--send")["posted"] == 1
    assert world.invoice(number)["v3_status"] != "draft"
    assert spent_on(world) == [D("4.00")]
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert world.writes_of(world.sync) == 0


@pytest.mark.parametrize("more", [{}, {"create_date": "2026-12-01"}])
def test_the_correction_of_a_killed_run_is_found_though_a_person_gave_it_another_number(
    shop: Shop, more: dict[str, str]
) -> None:
    world, path = shop.world, "invoices/invoices"
    world.killed_in_write(shop.messages(), method="POST", path=path, when="after")
    correction = world.invoice(f"{ORDER}-R5")["id"]
    world.put(f"{path}/{correction}", {"invoice": {"invoice_number": "CN-7", **more}})
    shop.sync()
    assert sorted(row["invoice_number"] for row in world.books()["invoices"]) == ["1001", "CN-7"]
    assert shop.state() == ("posted", None)
