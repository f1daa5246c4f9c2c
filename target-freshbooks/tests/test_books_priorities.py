"""Taxes applied one after the other, and discounts that only tax rows place: at legal rates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.desired import Desired
from target_freshbooks.books.policy import Policy


def line(ref: int, ex: str, inc: str, **more: Any) -> dict[str, Any]:
    prices = {f"{what}_ex_tax": ex for what in ("price", "total")}
    prices |= {f"{what}_inc_tax": inc for what in ("price", "total")}
    about = {"id": ref, "product_id": ref, "name": f"Thing {ref}", "type": "physical"}
    tax = str(Decimal(inc) - Decimal(ex))
    return about | prices | {"quantity": 1, "total_tax": tax} | more


def rows(ref: int, *rates: tuple[str, str, str], kind: str = "item") -> list[dict[str, Any]]:
    of = {"order_product_id": ref if kind == "item" else None, "line_item_type": kind}
    of |= {"order_address_id": 7, "class": "Taxable"}
    return [
        of
        | {"id": 100 * ref + at, "name": name, "rate": rate, "line_amount": amount}
        # In the order in which they are applied.
        | {"priority": at}
        for at, (name, rate, amount) in enumerate(rates)
    ]


def desire(
    lines: list[dict[str, Any]], taxes: list[dict[str, Any]], total: str, tax: str, **more: Any
) -> Desired:
    order = {"store_hash": "abc", "id": 1001, "customer_id": 0, "status_id": 2}
    order |= {"date_created": "Sun, 01 Nov 2026 12:00:00 +0000", "payment_method": "Stripe"}
    order |= {"total_inc_tax": total, "total_ex_tax": str(Decimal(total) - Decimal(tax))}
    order |= {"total_tax": tax, "line_items": lines, "fees": [], "consignments": {}}
    order |= {"default_currency_code": "USD"}
    order["billing_address"] = {"first_name": "Ann", "last_name": "Lee", "email": "a@x.example"}
    paid = {"id": 1, "event": "purchase", "status": "ok", "method": "credit_card", "amount": total}
    paid |= {"currency": "USD", "date_created": "2026-11-01T12:00:00+00:00", "test": False}
    store = {"timezone": {"name": "UTC"}}
    facts = shop.read_facts(order | more, [paid], [], taxes, None, store)
    desired = books.desire(facts, Policy())
    assert isinstance(desired, Desired), desired
    return desired


def said(desired: Desired) -> list[str]:
    assert (desired.flag, desired.hold) == (None, False), desired.flag
    return [
        " + ".join([f"{one.unit_cost} {one.name}", *(f"{t.name} {t.percent:f}" for t in one.taxes)])
        for one in desired.invoice.lines
    ]


@pytest.mark.parametrize("net", ["100.00", "25.00", "6.00", "1.00"])
def test_taxes_applied_one_after_the_other_are_not_taken_for_taxes_on_taxes(net: str) -> None:
    gst, pst = (Decimal(net) * rate / 100 for rate in (5, 7))
    total = str(Decimal(net) + gst + pst)
    taxes = rows(5, ("GST", "5", str(gst)), ("PST", "7", str(pst)))
    desired = desire([line(5, net, total)], taxes, total, str(gst + pst))
    assert said(desired)[0] == f"{net} Thing 5 + GST 5 + PST 7"


def test_three_taxes_of_new_york_keep_their_rates() -> None:
    taxes = rows(5, ("NY", "4", "1.00"), ("NYC", "4.5", "1.13"), ("MCTD", "0.375", "0.09"))
    desired = desire([line(5, "25.00", "27.22")], taxes, "27.22", "2.22")
    assert said(desired)[0] == "25.00 Thing 5 + NYC 4.5 + MCTD + NY 4.375"


def test_taxes_in_a_price_are_taken_out_at_their_rates() -> None:
    taxes = rows(5, ("GST", "5", "0.60"), ("QST", "9.975", "1.20"))
    desired = desire(
        [line(5, "12.00", "13.80")], taxes, "13.80", "1.80", is_tax_inclusive_pricing=True
    )
    assert said(desired)[0] == "12.00 Thing 5 + GST 5 + QST 9.975"


def test_a_tax_on_a_tax_is_said_as_what_it_comes_to() -> None:
    taxes = rows(5, ("GST", "5", "0.30"), ("PST", "7", "0.44"))
    desired = desire([line(5, "6.00", "6.74")], taxes, "6.74", "0.74")
    assert said(desired)[0] == "6.00 Thing 5 + GST 5 + PST 7.35"


def test_a_tax_on_a_tax_is_told_by_the_lines_where_no_row_names_one() -> None:
    taxes = rows(0, ("GST", "5", "5.00"), ("PST", "7", "7.35"), kind="")
    desired = desire([line(5, "100.00", "112.35")], taxes, "112.35", "12.35")
    assert said(desired) == ["100.00 Thing 5 + GST 5 + PST 7.35"]


SHIPPING = {"base_shipping_cost": "10.0000", "shipping_cost_ex_tax": "10.0000"}


def test_a_discount_of_the_shipping_is_where_the_tax_rows_have_it() -> None:
    taxed = line(5, "100.00", "108.25", discounted_total_inc_tax="108.25")
    free = line(6, "50.00", "50.00", discounted_total_inc_tax="50.00")
    taxes = rows(5, ("T", "8.25", "8.25")) + rows(7, ("T", "8.25", "0.495"), kind="shipping")
    shipping = {**SHIPPING, "shipping_cost_inc_tax": "10.8250", "shipping_cost_tax": "0.8250"}
    desired = desire([taxed, free], taxes, "164.745", "8.745", coupon_discount="4.00", **shipping)
    assert said(desired)[:4] == [
        "100.00 Thing 5 + T 8.25",
        "50.00 Thing 6",
        "10.00 Shipping + T 8.25",
        "-4.00 Discount + T 8.25",
    ]


def test_a_discount_of_shipping_with_two_taxes_is_told_by_the_tax_rows() -> None:
    goods = line(5, "100.00", "105.00", discounted_total_inc_tax="105.00")
    taxes = rows(5, ("GST", "5", "5.00"))
    taxes += rows(7, ("GST", "5", "0.30"), ("QST", "10", "0.60"), kind="shipping")
    shipping = {**SHIPPING, "shipping_cost_inc_tax": "11.5000", "shipping_cost_tax": "1.5000"}
    desired = desire([goods], taxes, "111.90", "5.90", coupon_discount="4.00", **shipping)
    assert said(desired)[1:3] == [
        "10.00 Shipping + GST 5 + QST 10", "-4.00 Discount + GST 5 + QST 10",
    ]  # fmt: skip


def test_a_discount_of_untaxed_shipping_lowers_no_tax() -> None:
    taxes = rows(5, ("T", "8.25", "8.25"))
    shipping = {**SHIPPING, "shipping_cost_inc_tax": "10.0000", "shipping_cost_tax": "0"}
    desired = desire(
        [line(5, "100.00", "108.25")], taxes, "114.25", "8.25", coupon_discount="4.00", **shipping
    )
    assert said(desired)[:3] == ["100.00 Thing 5 + T 8.25", "10.00 Shipping", "-4.00 Discount"]


def test_taxed_shipping_may_be_made_free_by_a_coupon() -> None:
    taxes = rows(5, ("T", "8.25", "8.25")) + rows(7, ("T", "8.25", "0.00"), kind="shipping")
    shipping = {**SHIPPING, "base_shipping_cost": "5", "shipping_cost_ex_tax": "5.00"}
    shipping |= {"shipping_cost_inc_tax": "5.4125", "shipping_cost_tax": "0.4125"}
    desired = desire(
        [line(5, "100.00", "108.25")], taxes, "108.25", "8.25", coupon_discount="5.00", **shipping
    )
    assert said(desired)[0] == "100.00 Thing 5 + T 8.25"
    assert sum(t.percent for one in desired.invoice.lines[1:] for t in one.taxes) in {
        0,
        Decimal("16.5"),
    }


def test_a_line_taken_off_whole_is_told_by_what_it_cost_in_the_end() -> None:
    given = line(6, "30.00", "32.475", discounted_total_inc_tax="0.0000")
    kept = line(5, "100.00", "108.25", discounted_total_inc_tax="108.25")
    taxes = rows(5, ("T", "8.25", "8.25")) + rows(6, ("T", "8.25", "0.00"))
    desired = desire([kept, given], taxes, "108.25", "8.25", discount_amount="30.00")
    assert desired.invoice.total == Decimal("108.25")
    assert said(desired)[0] == "100.00 Thing 5 + T 8.25"


SHARED_OUT = [("100.00", "108.25", "7.98")] * 3
CARRIED = [("100.00", "108.88", "8.88"), ("12.50", "13.60", "1.10")]
RAISED = [("19.33", "20.93", "1.60")]


@pytest.mark.parametrize(
    ("entered", "rate", "discount"),
    [(SHARED_OUT, "8.25", "10.00"), (CARRIED, "8.875", "0"), (RAISED, "8.25", "0")],
    ids=["a discount in thirds", "tax carried over lines", "tax rounded up"],
)
def test_neither_prices_nor_discounts_move_for_a_cent_of_tax(
    entered: list[tuple[str, str, str]], rate: str, discount: str
) -> None:
    lines = [line(at, ex, inc) for at, (ex, inc, _) in enumerate(entered, 1)]
    taxes = [row for at, (*_, tax) in enumerate(entered, 1) for row in rows(at, ("T", rate, tax))]
    prices, tax = [Decimal(ex) for ex, *_ in entered], sum(Decimal(tax) for *_, tax in entered)
    total = sum(prices) - Decimal(discount) + tax
    desired = desire(lines, taxes, str(total), str(tax), discount_amount=discount)
    assert (desired.flag, desired.hold) == (None, False)
    told = [one.unit_cost for one in desired.invoice.lines if one.name != "Rounding"]
    assert told == [*prices, *([-Decimal(discount)] if Decimal(discount) else [])]
