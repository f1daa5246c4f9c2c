"""Gift certificates and store credit are lines of an item each, whose balance is what is owed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from target_freshbooks.books import surplus
from target_freshbooks.books.stored_value import KINDS

D = Decimal
MUGS = {"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 4}
CERTIFICATE = {"name": "$50 Gift Certificate", "kind": "giftcertificate", "price": "50.00"}


def used(amount: str) -> list[dict[str, Any]]:
    return [{"code": "GC", "amount": amount, "balance_before": amount}]


def told(world: Any, order: int) -> list[str]:
    """The lines of the order's invoice, as `docs/accounting.md` writes them."""
    found = []
    for line in world.invoice(order)["lines"]:
        taxes = f" + {line['taxAmount1']} %" if line["taxName1"] else ""
        found.append(f"{line['qty']} x {line['unit_cost']['amount']} {line['name']}{taxes}")
    return found


def balances(world: Any, month: str = "2026-11") -> dict[str, str]:
    """What `report` says is owed at the end of the month."""
    owed = world.ctl("report", "--month", month, "--output", str(world.home))["owed"]
    return {one["item"]: one["balance"] for one in owed}


def customer(world: Any) -> int:
    made = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    return int(made["id"])


def money(world: Any, order: int) -> tuple[Decimal, Decimal]:
    return world.total(order), sum(world.paid(order), D(0))


def month_of(world: Any, order: int) -> str:
    return str(world.row(order).order_date)[:7]


def test_two_stores_of_one_account_owe_what_each_has_sold(world: Any) -> None:
    sold = world.place(lines=[CERTIFICATE], ship_to=[])
    world.sync()
    month = month_of(world, sold)
    said = world.messages_of("outlet")
    world.settings |= {"source": "outlet", "invoice_number_prefix": "OUT-"}
    world.sync(said)
    assert world.total(f"OUT-{sold}") == D("50.00")
    assert balances(world, month) == {"Gift certificate": "50.00"}
    told = world.ctl("report", "--month", month, "--output", str(world.home))
    page = Path(told["html"]).read_text(encoding="utf-8")
    assert "of other stores of this account: 1," in page
    assert "on invoices that are of no order" not in page
    world.settings |= {"source": "bigcommerce", "invoice_number_prefix": ""}
    assert balances(world, month) == {"Gift certificate": "50.00"}


def test_a_certificate_sold_and_redeemed_leaves_the_item_s_balance_at_what_is_owed(
    world: Any,
) -> None:
    sold = world.place(lines=[CERTIFICATE], ship_to=[])
    spent = world.synced(lines=[MUGS], gift_certificates=used("15.00"))
    assert told(world, sold) == ["1 x 50.00 Gift certificate"]
    assert money(world, sold) == (D("50.00"), D("50.00"))
    assert told(world, spent) == ["4 x 10.00 Mug", "1 x -15.00 Gift certificate"]
    assert money(world, spent) == (D("25.00"), D("25.00"))
    assert balances(world, month_of(world, sold)) == {"Gift certificate": "35.00"}
    assert world.writes_of(world.sync) == 0
    world.is_found_again()
    assert world.row(spent).state == "posted"


def test_what_is_sold_under_one_name_and_redeemed_under_another_is_one_balance(world: Any) -> None:
    sold = world.place(lines=[CERTIFICATE], ship_to=[])
    world.sync()
    world.settings["gift_certificate_line_name"] = "Voucher"
    spent = world.synced(lines=[MUGS], gift_certificates=used("15.00"))
    assert told(world, spent)[1:] == ["1 x -15.00 Voucher"]
    assert balances(world, month_of(world, sold)) == {"Voucher": "35.00"}


def test_credit_given_for_a_refund_and_redeemed_leaves_a_balance_of_zero(world: Any) -> None:
    who = customer(world)
    tax = [{"name": "Texas Sales Tax", "percent": "8.25"}]
    first = world.synced(
        lines=[{**MUGS, "quantity": 3, "taxes": tax}],
        ship_to=[{"shipping": {"cost": "5.00"}}],
        customer_id=who,
    )
    mug = {"lines": [{"line": 0, "quantity": 1}], "to": [{"provider": "storecredit"}]}
    world.change(first, "refund", **mug)
    spent = world.synced(lines=[MUGS], store_credit="10.83", customer_id=who)
    assert told(world, first)[2:] == ["1 x -10.00 Refund 5 + 8.25 %", "1 x 10.83 Store credit"] or (
        told(world, first)[2].startswith("1 x -10.00 Refund ")
        and told(world, first)[3] == "1 x 10.83 Store credit"
    )
    assert money(world, first) == (D("37.48"), D("37.48"))
    assert told(world, spent) == ["4 x 10.00 Mug", "1 x -10.83 Store credit"]
    assert money(world, spent) == (D("29.17"), D("29.17"))
    assert balances(world, month_of(world, first)) == {"Store credit": "0.00"}
    assert world.books()["credit_notes"] == []
    assert world.writes_of(world.sync) == 0
    world.is_found_again()
    assert world.row(first).state == "posted"


def test_an_order_paid_wholly_with_a_certificate_is_an_invoice_over_nothing(world: Any) -> None:
    order = world.synced(
        lines=[MUGS],
        gift_certificates=used("40.00"),
        payment_method="Gift Certificate",
        payment_status="",
    )
    assert world.row(order).state == "posted"
    assert money(world, order) == (D("0.00"), D("0.00"))
    assert world.invoice(order)["v3_status"] != "draft"
    assert world.writes_of(world.sync) == 0


@pytest.mark.parametrize("rounding", ["per_line", "per_tax"])
def test_no_version_of_such_an_invoice_comes_below_zero_however_taxes_round(
    world: Any, rounding: str
) -> None:
    world.switch(fb__tax_rounding=rounding)
    half = [{"name": "Tax", "percent": "8.25"}]
    lines = [{"name": name, "price": "10.00", "taxes": half} for name in ("Mug", "Bowl")]
    for shop, due in (("RATE_ROUNDING", "21.66"), ("NO_ROUNDING", "21.65")):
        order = world.synced(
            lines=lines, rounding_strategy=shop, gift_certificates=used(due), payment_status=""
        )
        assert world.row(order).state == "posted"
        assert money(world, order) == (D("0.00"), D("0.00"))


def test_what_two_sources_tell_differently_is_not_booked(world: Any) -> None:
    spent = {"method": "store_credit", "gateway": "storecredit", "amount": "12.00"}
    card = {"amount": "25.00"}
    order = world.synced(
        lines=[MUGS],
        store_credit="15.00",
        customer_id=customer(world),
        credit_transactions=False,
        transactions=[spent, card],
    )
    assert world.row(order).reason == "money_unclear"
    assert world.invoices(order) == []


def test_a_refund_gives_back_what_an_order_was_paid_with(world: Any) -> None:
    order = world.synced(lines=[MUGS], store_credit="15.00", customer_id=customer(world))
    world.change_and_sync(
        order,
        "refund",
        everything=True,
        to=[{"amount": "25.00"}, {"provider": "storecredit"}],
    )
    assert world.row(order).state == "posted"
    assert money(world, order) == (D("0.00"), D("0.00"))
    assert balances(world, month_of(world, order)) == {"Store credit": "0.00"}
    assert world.writes_of(world.sync) == 0


def test_an_order_edited_after_a_refund_to_store_credit_keeps_the_credit(world: Any) -> None:
    order = world.synced(lines=[MUGS], customer_id=customer(world))
    credit = {"lines": [{"line": 0, "quantity": 1}], "to": [{"provider": "storecredit"}]}
    world.change_and_sync(order, "refund", **credit)
    world.change_and_sync(
        order, "lines", lines=[MUGS, {"name": "Tea", "sku": "TEA", "price": "5.00"}]
    )
    assert world.total(order) == D("45.00")
    lines = told(world, order)
    assert lines[:2] == ["4 x 10.00 Mug", "1 x 5.00 Tea"]
    assert lines[3] == "1 x 10.00 Store credit"
    assert balances(world, month_of(world, order)) == {"Store credit": "10.00"}
    assert world.writes_of(world.sync) == 0


def test_credit_that_a_surplus_was_given_for_is_booked_with_the_surplus(world: Any) -> None:
    order = world.synced(
        lines=[MUGS],
        customer_id=customer(world),
        transactions=[{"amount": "40.00"}, {"amount": "10.00"}],
    )
    assert world.row(order).reason == "overpaid"
    world.change_and_sync(order, "refund", order_amount="10.00", to=[{"provider": "storecredit"}])
    assert world.row(order).state == "posted"
    assert money(world, order) == (D("50.00"), D("50.00"))
    assert balances(world, month_of(world, order)) == {"Store credit": "10.00"}
    assert world.writes_of(world.sync) == 0


def test_an_order_posted_with_stored_value_as_payment_keeps_it_so(world: Any) -> None:
    who = customer(world)
    world.settings["stored_value"] = "payment"
    order = world.synced(lines=[MUGS], store_credit="15.00", customer_id=who)
    assert money(world, order) == (D("40.00"), D("40.00"))
    del world.settings["stored_value"]
    assert world.writes_of(world.sync) == 0
    credit = {"lines": [{"line": 0, "quantity": 1}], "to": [{"provider": "storecredit"}]}
    world.change_and_sync(order, "refund", **credit)
    (note,) = world.books()["credit_notes"]
    assert D(note["amount"]["amount"]) == D("10.00")
    assert money(world, order) == (D("40.00"), D("40.00"))
    world.ctl("replay", "--settings", "current", str(order))
    assert world.row(order).state == "posted"
    assert money(world, order) == (D("25.00"), D("25.00"))


def test_a_refund_to_store_credit_that_is_taken_back_leaves_no_line(world: Any) -> None:
    order = world.place(lines=[MUGS], customer_id=customer(world))
    credit = {"lines": [{"line": 0, "quantity": 1}], "to": [{"provider": "storecredit"}]}
    refund = world.change(order, "refund", **credit)["refunds"][0]
    world.sync()
    assert len(told(world, order)) == 3
    world.change(order, "decline_refund", refund_id=refund)
    world.change_and_sync(order, "touch")
    assert told(world, order) == ["4 x 10.00 Mug"]
    assert world.writes_of(world.sync) == 0


def test_an_account_that_takes_no_negative_lines_parks_an_order_with_redeemed_value(
    world: Any,
) -> None:
    world.switch(fb__negative_line="refuse")
    order = world.synced(lines=[MUGS], gift_certificates=used("15.00"))
    assert world.row(order).state == "parked"
    assert "stored_value" in str(world.row(order).next_step)


def test_a_refund_to_store_credit_makes_no_overpayment_however_its_taxes_round(
    world: Any,
) -> None:
    """Two taxes of a half cent each: the total may fall by cents before it is what it was."""
    taxes = [{"name": "State", "percent": "4"}, {"name": "City", "percent": "4.5"}]
    line = {"name": "Mug", "price": "31.99", "quantity": 3, "taxes": taxes}
    order = world.synced(lines=[line], customer_id=customer(world))
    paid = money(world, order)
    credit = {"lines": [{"line": 0, "quantity": 1}], "to": [{"provider": "storecredit"}]}
    world.change_and_sync(order, "refund", **credit)
    assert world.row(order).state == "posted"
    assert money(world, order) == paid
    assert world.books()["credit_notes"] == []
    assert world.writes_of(world.sync) == 0


def test_drafts_owe_nothing(world: Any) -> None:
    world.settings["post_as"] = "draft"
    order = world.synced(lines=[CERTIFICATE], ship_to=[])
    assert balances(world, month_of(world, order)) == {}
    del world.settings["post_as"]
    world.ctl("replay", str(order), "--send")
    assert balances(world, month_of(world, order)) == {"Gift certificate": "50.00"}


def test_what_went_back_of_an_order_of_certificates_alone_is_taken_back_from_them(
    world: Any,
) -> None:
    sold = world.place(lines=[CERTIFICATE], ship_to=[])
    world.change(sold, "refund", order_amount="5.00")
    world.sync()
    assert balances(world, month_of(world, sold)) == {"Gift certificate": "45.00"}
    world.change(sold, "refund", everything=True)
    world.sync()
    assert balances(world, month_of(world, sold)) == {"Gift certificate": "0.00"}
    assert money(world, sold) == (D("0.00"), D("0.00"))


def test_with_credit_notes_a_certificate_filled_again_is_a_line_all_the_same(world: Any) -> None:
    world.settings["refund_mode"] = "credit_note"
    order = world.synced(lines=[MUGS], customer_id=customer(world))
    to = [{"provider": "giftcertificate", "amount": "4.00"}, {"provider": "storecredit"}]
    world.change_and_sync(order, "refund", lines=[{"line": 0, "quantity": 1}], to=to)
    assert world.row(order).state == "posted"
    assert told(world, order)[2:] == ["1 x 4.00 Gift certificate"]
    assert money(world, order) == (D("40.00"), D("40.00"))
    (note,) = world.books()["credit_notes"]
    assert D(note["amount"]["amount"]) == D("6.00")
    assert world.writes_of(world.sync) == 0
    world.is_found_again()


def test_a_credit_note_that_stands_for_a_certificate_stays_one(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.settings["refund_mode"] = "credit_note"
    world.synced(lines=[CERTIFICATE], ship_to=[])
    order = world.synced(lines=[MUGS], customer_id=customer(world))
    back = {"lines": [{"line": 0, "quantity": 1}], "to": [{"provider": "giftcertificate"}]}
    with monkeypatch.context() as earlier:
        earlier.setattr(surplus, "noted_kinds", lambda *_: KINDS)
        world.change_and_sync(order, "refund", **back)
    assert len(world.books()["credit_notes"]) == 1
    assert world.ctl("plan", str(order))[0]["steps"] == []
    world.change_and_sync(order, "lines", lines=[MUGS, {"name": "Tea", "price": "5.00"}])
    assert told(world, order) == ["4 x 10.00 Mug", "1 x 5.00 Tea"]
    assert [row["vis_state"] for row in world.books()["credit_notes"]] == [0]
    world.is_found_again()
    assert told(world, order) == ["4 x 10.00 Mug", "1 x 5.00 Tea"]


STORE, CARD = {"provider": "storecredit"}, {"amount": "4.00"}
FILLED = {"provider": "giftcertificate", "amount": "4.00"}
NOTES = {"refund_mode": "credit_note"}


def given(world: Any, order: int) -> tuple[list[str], list[Decimal]]:
    """The lines of the order's invoice, and the credit notes that stand."""
    notes = [row for row in world.books()["credit_notes"] if row["vis_state"] == 0]
    return told(world, order), [D(row["amount"]["amount"]) for row in notes]


def refunded(world: Any, settings: dict[str, str], to: list[dict[str, str]]) -> int:
    """An order of which 10.00 went back so under these settings."""
    world.settings |= settings
    order: int = world.synced(lines=[MUGS], customer_id=customer(world))
    world.change_and_sync(order, "refund", lines=[{"line": 0, "quantity": 1}], to=to)
    for name in settings:
        del world.settings[name]
    return order


@pytest.mark.more
@pytest.mark.parametrize("to", [[STORE], [CARD, STORE], [FILLED, STORE]], ids=str)
@pytest.mark.parametrize(
    ("then", "now"), [(NOTES, {}), (NOTES, NOTES), ({"stored_value": "payment"}, {})], ids=str
)
def test_a_credit_note_stays_one_though_ledger_and_settings_are_others(
    world: Any, then: dict[str, str], now: dict[str, str], to: list[dict[str, str]]
) -> None:
    order = refunded(world, then, to)
    before = given(world, order)
    assert len(before[1]) == 1
    world.lose_ledger()
    world.settings |= now
    if FILLED in to and then.get("stored_value") != now.get("stored_value"):
        world.sync()  # what a certificate is, is another matter
    else:
        assert world.writes_of(world.sync) == 0
        assert given(world, order) == before
    assert world.row(order).state == "posted"
    world.change_and_sync(order, "lines", lines=[MUGS, {"name": "Tea", "price": "5.00"}])
    assert not any("Store credit" in line for line in told(world, order))
    assert given(world, order)[1] == before[1]
    world.ctl("replay", "--settings", "current", str(order))
    assert given(world, order)[1] == before[1]
    assert world.row(order).state == "posted"


@pytest.mark.more
@pytest.mark.parametrize("lost", [True, False])
@pytest.mark.parametrize("to", [[STORE], [CARD, STORE], [FILLED, STORE]], ids=str)
def test_lines_of_store_credit_go_before_a_credit_note_is_made_of_it(
    world: Any, to: list[dict[str, str]], *, lost: bool
) -> None:
    order = refunded(world, {}, to)
    assert "Store credit" in told(world, order)[-1]
    world.settings |= NOTES
    if lost:
        world.lose_ledger()
        world.sync()
    else:
        world.ctl("replay", "--settings", "current", str(order))
    lines, notes = given(world, order)
    assert not any("Store credit" in line for line in lines)
    assert notes == [D("10.00") if to == [STORE] else D("6.00")]
    assert world.row(order).state == "posted"
    assert world.writes_of(world.sync) == 0


@pytest.mark.parametrize("now", [NOTES, {}], ids=str)
def test_a_note_of_before_over_a_certificate_and_store_credit_is_found_as_it_is(
    world: Any, monkeypatch: pytest.MonkeyPatch, now: dict[str, str]
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(surplus, "noted_kinds", lambda *_: KINDS)
        order = refunded(world, NOTES, [FILLED, STORE])
    before = given(world, order)
    assert before == (["4 x 10.00 Mug"], [D("10.00")])
    world.lose_ledger()
    world.settings |= now
    assert world.writes_of(world.sync) == 0
    world.change_and_sync(order, "touch")
    assert given(world, order) == before
    assert world.row(order).state == "posted"
