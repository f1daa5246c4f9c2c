"""A refund of everything leaves nothing: neither net amounts, nor tax, nor what is owed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.desired import Desired, InvoiceLine
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.rounding import roundings, tax_amounts, totals
from target_freshbooks.money import decimals_of
from target_freshbooks.shop.fields import ReadError

D = Decimal
LINE = {"type": "physical", "quantity": 1}
TEXAS = ("Texas", "8.25")


def sold(ref: int, ex: str, tax: str = "0", rate: tuple[str, str] = TEXAS, **more: Any) -> Any:
    """A line with its tax row, if it bears a tax."""
    inc = str(D(ex) + D(tax))
    prices = {"price_ex_tax": ex, "total_ex_tax": ex, "price_inc_tax": inc, "total_inc_tax": inc}
    line = LINE | prices | {"id": ref, "product_id": ref, "name": f"Thing {ref}", "total_tax": tax}
    row = {"id": ref, "order_product_id": ref, "line_item_type": "item", "name": rate[0]}
    row |= {"rate": rate[1], "line_amount": tax, "priority": 1, "class": "Taxable"}
    return line | more, [row] if D(tax) else []


def refund(ref: int, amount: str, tax: str, to: str, *items: int, **more: Any) -> dict[str, Any]:
    """A refund of whole lines."""
    payment = {"id": ref, "provider_id": to, "amount": amount, "is_declined": False}
    named = [{"item_type": "PRODUCT", "item_id": item, "quantity": 1} for item in items]
    body = {"id": ref, "order_id": 1001, "created": "2026-11-05T12:00:00+00:00", "items": named}
    return body | {"total_amount": amount, "total_tax": tax, "payments": [payment]} | more


def facts_of(
    lines: list[Any], *refunds: dict[str, Any], captured: str | None = None, **more: Any
) -> Any:
    order: dict[str, Any] = {"store_hash": "abc", "id": 1001, "customer_id": 0, "status_id": 2}
    order |= {"date_created": "Sun, 01 Nov 2026 12:00:00 +0000", "payment_method": "Stripe"}
    tax = sum(D(line["total_tax"]) for line, _ in lines)
    total = sum(D(line["total_inc_tax"]) for line, _ in lines)
    order |= {"total_inc_tax": str(total), "total_tax": str(tax), "default_currency_code": "USD"}
    order |= {"total_ex_tax": str(total - tax), "fees": [], "consignments": {}}
    order |= {
        "line_items": [line for line, _ in lines],
        "billing_address": {"email": "a@b.example"},
    }
    paid = {"id": 1, "event": "purchase", "status": "ok", "method": "credit_card", "test": False}
    paid |= {"amount": captured or str(total), "date_created": "2026-11-01T12:00:00+00:00"}
    rows = [row for _, its in lines for row in its]
    store = {"timezone": {"name": "UTC"}}
    return shop.read_facts(order | more, [paid], list(refunds), rows, None, store)


def end_of(facts: Any) -> list[InvoiceLine]:
    """The invoice's lines once all refunds are booked."""
    desired = books.desire(facts, Policy())
    assert isinstance(desired, Desired), desired
    lines, total = desired.invoice.lines, desired.invoice.total
    for entry in desired.refunds:
        total -= entry.money
        lines += books.fit_refund(entry, lines, total, Policy(), facts.order.currency)[0]
    return list(lines)


def left(lines: list[InvoiceLine], currency: str = "USD") -> tuple[Decimal, Decimal]:
    """What is left of the taxes, as FreshBooks most likely rounds, and of what bears them."""
    way, *_ = roundings(decimals_of(currency))
    taxes = tax_amounts(tuple(lines), way).values()
    return sum(map(abs, taxes), D(0)), sum((one.unit_cost for one in lines if one.taxes), D(0))


@pytest.mark.parametrize("to", ["stripe", "storecredit", "giftcertificate"])
@pytest.mark.parametrize("number", [2, 6, 12, 40])
def test_a_refund_of_all_of_many_lines_leaves_no_tax(number: int, to: str) -> None:
    lines = [sold(ref, "10.00", "0.83") for ref in range(1, number + 1)]
    amount, tax = D("10.83") * number, D("0.83") * number
    facts = facts_of(lines, refund(5, str(amount), str(tax), to, *range(1, number + 1)))
    end = end_of(facts)
    assert left(end) == (0, 0)
    owed = sum(line.unit_cost for line in end if line.name in {"Store credit", "Gift certificate"})
    assert owed == sum(line.unit_cost for line in end) == (0 if to == "stripe" else amount)


def test_the_last_of_several_refunds_leaves_no_tax() -> None:
    lines = [sold(1, "9.99", "0.82"), sold(2, "7.77", "0.64"), sold(3, "5.55", "0.46")]
    first = refund(5, "8.41", "0.64", "stripe", 2)
    last = refund(6, "16.82", "1.28", "stripe", 1, 3)
    assert left(end_of(facts_of(lines, first, last))) == (0, 0)


def test_the_last_refund_of_pieces_takes_off_the_net_that_stands() -> None:
    """Three at 1.43 with 20 % in them: 3.58 stand, of which one and then two are taken off."""
    vat = ("VAT", "20")
    prices = {"price_ex_tax": "1.1917", "price_inc_tax": "1.43", "quantity": 3}
    pieces = sold(1, "3.57", "0.72", vat, **prices)
    rest = refund(6, "2.86", "0.48", "stripe", 1)
    rest["items"][0]["quantity"] = 2
    one = refund(5, "1.43", "0.24", "stripe", 1)
    assert left(end_of(facts_of([pieces], one, rest, is_tax_inclusive_pricing=True))) == (0, 0)


def test_a_certificate_that_was_taken_back_is_owed_no_more_whatever_was_paid_too_much() -> None:
    certificate = sold(9, "25.00", type="giftcertificate", product_id=0)
    back = refund(5, "45.00", "0", "stripe", 9, 1)
    end = end_of(facts_of([certificate, sold(1, "20.00")], back, captured="50.00"))
    assert sum(one.unit_cost for one in end if one.name == "Gift certificate") == 0


def test_a_certificate_is_taken_back_whole_though_little_else_was_sold() -> None:
    certificate = sold(9, "50.00", type="giftcertificate", product_id=0)
    end = end_of(facts_of([certificate, sold(1, "0.05")], refund(5, "50.00", "0", "stripe", 9)))
    assert sum(one.unit_cost for one in end if one.name == "Gift certificate") == 0
    assert sum(one.unit_cost for one in end) == D("0.05")


def test_the_tax_of_an_override_that_names_what_bears_none_is_said_at_its_rate() -> None:
    lines = [sold(1, "10.00", "0.83"), sold(2, "20.00")]
    end = end_of(facts_of(lines, refund(5, "10.50", "0.50", "stripe", 2)))
    assert sum(one.unit_cost for one in end if "Texas" in one.name and not one.taxes) != D("-0.50")
    assert tax_amounts(tuple(end), roundings(2)[0])["Texas"] == D("0.33")


def test_free_shipping_to_one_of_two_addresses_is_where_the_tax_rows_have_it() -> None:
    vat = ("VAT", "20")
    lines = [sold(1, "20.00", "4.00", vat), sold(2, "30.00", "6.00", vat)]
    costs = [("7", "10.00", "12.00", "0.00"), ("8", "5.00", "6.00", "1.00")]
    rows = [
        {"id": 70 + at, "order_address_id": address, "line_item_type": "shipping", "name": "VAT"}
        | {"rate": "20", "line_amount": tax, "priority": 1, "class": "Shipping"}
        for at, (address, _, _, tax) in enumerate(costs)
    ]
    addresses = [
        {"id": int(address), "shipping_lines": [], "items": [{"id": int(address) - 6}]}
        | {"cost_ex_tax": ex, "cost_inc_tax": inc, "cost_tax": str(D(inc) - D(ex))}
        | {"base_cost": ex}
        for address, ex, inc, _ in costs
    ]
    facts = facts_of(
        [(lines[0][0], lines[0][1]), (lines[1][0], [*lines[1][1], *rows])],
        coupon_discount="10.00",
        total_inc_tax="66.00",
        total_tax="11.00",
        total_ex_tax="55.00",
        base_shipping_cost="15.00",
        shipping_cost_ex_tax="15.00",
        shipping_cost_inc_tax="18.00",
        shipping_cost_tax="3.00",
        consignments={"shipping": addresses},
        captured="66.00",
    )
    desired = books.desire(facts, Policy())
    assert isinstance(desired, Desired)
    assert not desired.hold, desired.flag


@pytest.mark.parametrize(("value", "words"), [("1" + "0" * 15, "too many digits")])
def test_an_amount_that_leaves_no_room_for_cents_is_unreadable(value: str, words: str) -> None:
    with pytest.raises(ReadError, match=words):
        facts_of([sold(1, value)])


def test_a_refund_s_payment_below_zero_is_unreadable() -> None:
    with pytest.raises(ReadError, match="below zero"):
        facts_of([sold(1, "10.00")], refund(5, "-1.00", "0", "stripe", 1))


def test_yen_redeemed_in_full_are_never_below_zero() -> None:
    line = sold(1, "109", "11", ("CT", "10"))
    facts = facts_of(
        [line], default_currency_code="JPY", gift_certificate_amount="120", captured="0"
    )
    lines = tuple(end_of(facts))
    assert min(totals(lines, roundings(0))) >= 0


def test_a_discount_in_yen_is_what_was_stated() -> None:
    line = sold(1, "180", "18", ("CT", "10"), quantity=4, price_ex_tax="45", price_inc_tax="49.5")
    line[0]["discounted_total_inc_tax"] = "105"
    line[1][0]["line_amount"] = "10"
    facts = facts_of(
        [line],
        default_currency_code="JPY",
        discount_amount="85",
        total_inc_tax="105",
        total_tax="10",
        total_ex_tax="95",
        captured="105",
    )
    told = [one.unit_cost for one in end_of(facts) if one.name == "Discount"]
    assert told == [-85]
