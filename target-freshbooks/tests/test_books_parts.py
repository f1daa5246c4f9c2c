"""The books' single rules, where an order's case would hide them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.calendar import UnknownZone
from target_freshbooks.books.desired import (
    Desired,
    ExactLine,
    InvoiceLine,
    LineTax,
    Parked,
    RefundEntry,
)
from target_freshbooks.books.items import catalogued
from target_freshbooks.books.policy import Policy, TaxName
from target_freshbooks.books.refund_fit import mendings
from target_freshbooks.capabilities import clean
from target_freshbooks.marks import is_refund_line
from target_freshbooks.money import decimals_of, largest_remainder

D = Decimal
FOLDER = Path(__file__).parent / "books_cases"
VAT = (LineTax("VAT", D("8.25")),)


def case(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return loaded


def desired_of(body: dict[str, Any], policy: Policy | None = None) -> Desired:
    facts = shop.read_facts(
        body["order"],
        body["transactions"],
        body["refunds"],
        body["order_taxes"],
        body.get("customer"),
        body.get("store"),
    )
    desired = books.desire(facts, policy or Policy())
    assert isinstance(desired, Desired)
    return desired


def line(unit: str, taxes: tuple[LineTax, ...] = (), quantity: str = "1") -> InvoiceLine:
    return InvoiceLine("Thing", "", D(quantity), D(unit), taxes)


# -- rounding


def test_half_a_cent_is_predicted_both_ways() -> None:
    assert books.predict_totals((line("10.00", VAT),), 2) == {D("10.83"), D("10.82")}


def test_tax_of_lines_and_tax_of_the_invoice_are_both_predicted() -> None:
    lines = (line("0.10", VAT), line("0.10", VAT), line("0.10", VAT), line("0.10", VAT))
    assert books.predict_totals(lines, 2) == {D("0.44"), D("0.43")}


def test_lines_without_percents_have_one_total_only() -> None:
    assert books.predict_totals((line("9.99", quantity="3"), line("-0.03")), 2) == {D("29.94")}


def test_yen_are_predicted_whole_and_with_cents() -> None:
    found = books.predict_totals((line("107", (LineTax("Tax", D(10)),)),), 0)
    assert found == {D("117.70"), D(118)}


def test_a_difference_within_the_tolerance_is_mended_by_one_rounding_line() -> None:
    lines = (line("10.00", VAT),)
    mended = books.mend(lines, D("10.82"), D("10.83"), Policy(), 2)
    assert mended is not None
    assert [(found.name, found.unit_cost, found.taxes) for found in mended[1:]] == [
        ("Rounding", D("0.01"), ())
    ]
    again = books.mend(mended, D("10.84"), D("10.83"), Policy(), 2)
    assert again == lines


def test_a_difference_beyond_the_tolerance_is_not_mended() -> None:
    assert books.mend((line("10.00"),), D("10.00"), D("10.06"), Policy(), 2) is None
    assert books.mend((line("100"),), D("106"), D("100"), Policy(), 0) is None


def test_cents_of_a_yen_that_freshbooks_keeps_are_taken_off() -> None:
    mended = books.mend((line("100"),), D("100.40"), D("100"), Policy(), 0)
    assert mended is not None
    assert [found.unit_cost for found in mended] == [D(100), D("-0.40")]


def test_the_rounding_line_never_grows_beyond_the_tolerance() -> None:
    mended = books.mend((line("10.00"),), D("10.00"), D("10.04"), Policy(), 2)
    assert mended is not None
    assert books.mend(mended, D("10.04"), D("10.06"), Policy(), 2) is None


def test_largest_remainder_keeps_every_share_within_a_cent_of_its_value() -> None:
    amounts = [D("3.333"), D("3.333"), D("3.334")]
    shares = largest_remainder(amounts, D("10.00"), 2)
    assert shares == [D("3.33"), D("3.33"), D("3.34")]
    assert largest_remainder([D("1.00"), D("2.00")], D("3.05"), 2) == [D("1.00"), D("2.00")]


def test_currencies_have_their_decimals() -> None:
    assert [decimals_of(code) for code in ("USD", "jpy", "KWD", "XYZ")] == [2, 0, 3, 2]


def test_half_a_cent_is_rounded_away_from_zero_below_it_too() -> None:
    assert books.likeliest_total((line("10.00", VAT),), 2) == D("10.83")
    assert books.likeliest_total((line("-10.00", VAT),), 2) == D("-10.83")


# -- the invoice


def test_an_order_of_three_hundred_lines_is_one_invoice_of_as_many() -> None:
    body = case("price_four_decimals")
    first = body["order"]["line_items"][0]
    body["order"]["line_items"] = [first | {"id": 100 + i} for i in range(300)]
    for name in ("total_ex_tax", "total_inc_tax"):
        body["order"][name] = "8181.8100"
    desired = desired_of(body)
    lines = desired.invoice.lines
    assert len(lines) == 300
    assert sum(found.unit_cost for found in lines) == D("8181.81")
    assert {found.unit_cost for found in lines} == {D("27.27"), D("27.28")}


def test_an_order_without_lines_is_an_invoice_of_one_line_over_nothing() -> None:
    body = case("zero_total")
    body["order"] |= {"line_items": [], "coupon_discount": "0.0000"}
    assert [found.unit_cost for found in desired_of(body).invoice.lines] == [D(0)]


def test_no_invoice_line_has_a_discount_or_more_than_two_taxes() -> None:
    for path in FOLDER.glob("*.json"):
        body = json.loads(path.read_text("utf-8"))
        if body["expected"][0].startswith("invoice") and not body.get("policy"):
            lines = desired_of(body).invoice.lines
            assert all(len(found.taxes) <= 2 for found in lines)
            assert all(found.unit_cost == round(found.unit_cost, 2) for found in lines)


def test_taxes_are_amounts_only_where_the_bookkeeper_chose_so() -> None:
    chosen = desired_of(case("tax_exclusive"), Policy(tax_mode="amount_lines")).invoice.lines
    assert not any(found.taxes for found in chosen)
    assert books.predict_totals(chosen, 2) == {D("37.48")}
    assert any(found.taxes for found in desired_of(case("tax_rounded_by_piece")).invoice.lines)


def test_an_account_that_takes_no_negative_lines_gets_every_charge_at_what_it_came_to() -> None:
    invoice = desired_of(case("discount_coupon")).invoice
    assert [(found.unit_cost, found.description) for found in invoice.without_negatives] == [
        (D("138.95"), "143.95 less 5.00 discount; SKU RUG-1")
    ]
    assert desired_of(case("tax_exclusive")).invoice.without_negatives == ()


def test_an_invoice_bears_its_order_in_notes_and_po_number() -> None:
    invoice = desired_of(case("tax_exclusive")).invoice
    mark = "BigCommerce order 1001 (store teststore)"
    assert {str(invoice.marker), invoice.notes, invoice.po_number} == {mark}


def test_the_same_facts_give_the_same_desired_state() -> None:
    assert desired_of(case("discount_all_at_once")) == desired_of(case("discount_all_at_once"))


def test_refunds_are_fitted_to_the_lines_that_stand_on_the_invoice() -> None:
    entry = desired_of(case("refund_product")).refunds[0]
    # Two lines of 10.00 at 8.25 %: rounded over the invoice, the second takes off 0.82.
    standing = (line("10.00", VAT), line("10.00", VAT))
    per_line = books.fit_refund(entry, standing, D("10.83"), Policy(), "USD")
    assert [found.unit_cost for found in per_line[0]] == [D("-10.00")]
    per_rate = books.fit_refund(entry, standing, D("10.82"), Policy(), "USD")
    assert [sum(found.unit_cost for found in way) for way in per_rate] == [D("-10.00"), D("-10.01")]


def test_what_is_added_to_a_refund_brings_no_possible_total_below_zero() -> None:
    # The likeliest answer is a cent too much; taken off first, the other would be below zero.
    assert list(mendings([D("0.01"), D("-0.01")], D(0))) == [D("0.01"), D("-0.01")]
    assert list(mendings([D("5.01"), D("4.99")], D("5.00"))) == [D("-0.01"), D("0.01")]


def test_a_refund_that_no_rounding_line_can_bring_to_its_money_is_not_fitted() -> None:
    entry = replace(desired_of(case("refund_product")).refunds[0], money=D("11.83"))
    assert books.fit_refund(entry, (line("30.00"),), D("18.17"), Policy(), "USD") == ()


@pytest.mark.parametrize(
    ("sale", "before", "money", "fits"),
    [
        ("-0.03", "0.00", "10.85", True),
        ("-0.04", "0.00", "10.85", False),
        ("-0.02", "-0.02", "10.85", False),
        ("-0.02", "-0.01", "10.85", True),
        ("0.05", "0.00", "10.88", True),
        ("0.05", "0.00", "10.89", False),
        ("0.05", "0.00", "10.83", True),
    ],
)
def test_all_that_an_invoice_takes_up_by_rounding_is_within_the_tolerance(
    sale: str, before: str, money: str, fits: bool
) -> None:
    entry = replace(desired_of(case("refund_product")).refunds[0], money=D(money))
    names = (Policy().names.rounding, "Refund 4, rounding")
    roundings = zip(names, (sale, before), strict=True)
    standing = (
        line("10.00", VAT),
        line("10.00", VAT),
        *(InvoiceLine(name, "", D(1), D(amount)) for name, amount in roundings),
    )
    now = D("21.66") + D(sale) + D(before)  # each line's tax rounded
    ways = books.fit_refund(entry, standing, now - D(money), Policy(), "USD")
    assert [way[-1].unit_cost for way in ways] == (
        [D("10.83") - D(money) or D(-10)] if fits else []
    )


@pytest.mark.parametrize(
    ("setting", "inclusive", "taxed"),
    [(None, True, True), (None, False, False), ("share", False, True), ("none", True, False)],
)
def test_an_amount_of_the_order_takes_its_taxes_as_the_prices_or_the_setting_say(
    setting: Any, inclusive: bool, taxed: bool
) -> None:
    body = case("refund_order_amount_shared" if inclusive else "refund_product")
    body["refunds"][0] |= {
        "total_tax": "0",
        "items": [{"item_type": "ORDER", "item_id": 1, "requested_amount": "10.83"}],
        "total_amount": "10.83",
        "payments": [{"id": 1, "provider_id": "stripe", "amount": "10.83"}],
    }
    (entry,) = desired_of(body, Policy(order_refund_tax=setting)).refunds
    assert any(found.taxes for found in entry.taken) == taxed


@pytest.mark.parametrize(
    ("setting", "amounts", "taken"),
    [
        (None, ["12.00"], ["Refund 5 -10.00"]),
        (None, ["80.00"], ["Refund 5 -45.00", "Gift certificate -26.00"]),
        (None, ["104.00"], ["Refund 5 -45.00", "Gift certificate -50.00"]),
        ("none", ["80.00"], ["Refund 5 -54.00", "Gift certificate -26.00"]),
        (
            None,
            ["40.00", "40.00"],
            ["Refund 5 -33.33", "Refund 6 -11.67", "Gift certificate -26.00"],
        ),
        (None, ["54.00", "20.00"], ["Refund 5 -45.00", "Gift certificate -20.00"]),
    ],
)
def test_amounts_of_an_order_come_off_its_goods_before_its_certificates(
    setting: Any, amounts: list[str], taken: list[str]
) -> None:
    body = case("refund_order_amount_beside_a_certificate")
    (refund,) = body["refunds"]
    (item,), (payment,) = refund["items"], refund["payments"]
    body["refunds"] = [
        refund
        | {
            "id": number,
            "total_amount": amount,
            "items": [item | {"requested_amount": amount}],
            "payments": [payment | {"amount": amount}],
        }
        for number, amount in enumerate(amounts, 5)
    ]
    entries = desired_of(body, Policy(order_refund_tax=setting)).refunds
    lines = [found for entry in entries for found in entry.taken]
    assert [f"{found.name} {found.net:.2f}" for found in lines] == taken
    assert all(bool(found.taxes) != bool(found.item_key or setting) for found in lines)


def refunded(name: str, *refunds: tuple[str, str, list[Any]], **more: Any) -> dict[str, Any]:
    """A case with these refunds: of an amount, a tax in it, and items."""
    body = case(name)
    body["refunds"] = [
        {
            "id": number,
            "order_id": 1001,
            "created": "2026-11-04T15:00:00Z",
            "total_amount": amount,
            "total_tax": tax,
            "items": items,
            "payments": [{"id": number, "provider_id": "stripe", "amount": amount} | more],
        }
        for number, (amount, tax, items) in enumerate(refunds, 5)
    ]
    return body


def of_order(amount: str) -> tuple[str, str, list[Any]]:
    item = {"item_type": "ORDER", "item_id": 1001, "requested_amount": amount}
    return amount, "0", [item]


def taken(body: dict[str, Any], **policy: Any) -> list[str]:
    """What the last refund takes, by its taxes."""
    entry = desired_of(body, Policy(**policy)).refunds[-1]
    taxes = [" + ".join(tax.name for tax in found.taxes) or "untaxed" for found in entry.taken]
    return [f"{found.net:.2f} {tax}" for found, tax in zip(entry.taken, taxes, strict=True)]


SALE = "refund_order_amount"
UNDONE = ["-30.00 Texas Sales Tax", "-5.00 untaxed"]
THE_REST = ["-20.00 Texas Sales Tax", "-5.00 untaxed"]
MUG = {"item_type": "PRODUCT", "item_id": 1, "quantity": 1}


@pytest.mark.parametrize(
    ("refunds", "lines"),
    [
        ([("37.48", "0", [])], UNDONE),
        (
            [("10.83", "0.83", [MUG]), of_order("26.65")],
            ["-20.00 Texas Sales Tax", "-5.00 untaxed"],
        ),
        ([of_order("37.44")], ["-29.97 Texas Sales Tax", "-5.00 untaxed"]),
        ([of_order("37.42")], ["-37.42 untaxed"]),
        ([("2.48", "2.48", []), of_order("35.00")], ["0.06 Texas Sales Tax", "-35.06 untaxed"]),
        (
            [("37.48", "0.83", [MUG, {**MUG, "item_type": "ORDER", "requested_amount": "26.65"}])],
            UNDONE,
        ),
    ],
)
def test_a_refund_of_all_that_is_left_gives_back_just_that_tax_by_tax(
    refunds: list[Any], lines: list[str]
) -> None:
    assert taken(refunded(SALE, *refunds)) == lines


def test_a_part_of_the_order_takes_no_share_of_what_is_back_already() -> None:
    body = refunded(
        "refund_order_amount_after_a_line", ("120.00", "20.00", [MUG]), of_order("5.00")
    )
    assert taken(body) == ["-5.00 untaxed"]


def test_an_amount_of_the_order_bears_no_tax_where_the_bookkeeper_says_so() -> None:
    body = refunded(SALE, of_order("37.48"))
    assert taken(body, order_refund_tax="none") == ["-37.48 untaxed"]
    body["order"]["external_source"] = "Amazon US"
    net: Any = {"marketplace_sources": (("amazon", "net"),)}
    assert desired_of(body, Policy(**net)).flag is None
    assert desired_of(body, Policy(order_refund_tax="none", **net)).flag is not None


def test_an_amount_that_a_surplus_is_part_of_is_not_all_that_is_left() -> None:
    body = refunded(SALE, of_order("37.48"))
    body["transactions"][0]["amount"] = "47.48"
    assert taken(body) == ["-27.48 untaxed"]
    body["order"]["external_source"] = "Amazon US"
    (entry,) = desired_of(body, Policy(marketplace_sources=(("amazon", "net"),))).refunds
    assert entry.money == D("27.48")


def test_what_a_credit_note_gave_is_not_left() -> None:
    body = refunded(SALE, ("10.83", "0.83", [MUG]), of_order("26.65"))
    body["refunds"][0]["payments"][0]["provider_id"] = "storecredit"
    assert taken(body, refund_mode="credit_note") == THE_REST


def test_stored_value_given_back_by_a_marketplace_s_order_stays_as_it_is() -> None:
    body = refunded(SALE, of_order("37.48"), provider_id="storecredit")
    body["order"]["external_source"] = "Amazon US"
    (entry,) = desired_of(body, Policy(marketplace_sources=(("amazon", "net"),))).refunds
    assert entry.credit == D("37.48")


@pytest.mark.parametrize(
    ("name", "refund", "lines"),
    [
        ("rates_canada", ("4.00", "4.00", []), ["GST", "untaxed", "QST", "untaxed"]),
        (SALE, ("1.00", "1.00", [{**MUG, "item_type": "TAX"}]), ["Texas Sales Tax", "untaxed"]),
        ("payment_in_other_currency", ("1.00", "1.00", []), ["untaxed"]),
    ],
)
def test_tax_that_went_back_by_itself_is_said_at_each_rate_that_is_known(
    name: str, refund: tuple[str, str, list[Any]], lines: list[str]
) -> None:
    for item in refund[2]:
        item["requested_amount"] = refund[0]
    body = refunded(name, refund)
    body["transactions"][0] |= {"amount": body["order"]["total_inc_tax"]}
    body["transactions"][0] |= {"currency": body["order"]["default_currency_code"]}
    assert [found.partition(" ")[2] for found in taken(body)] == lines
    (entry,) = desired_of(body).refunds
    nets = sum((found.net for found in entry.taken), D(0))
    tax = sum((f.net * t.percent / 100 for f in entry.taken for t in f.taxes), D(0))
    assert (nets + tax).quantize(D("0.0001")) == -D(refund[0])
    assert not lines[1:] or nets == 0


@pytest.mark.parametrize("pieces", [8, 12, 40])
@pytest.mark.parametrize(("price", "rate"), [("9.99", "20"), ("8.71", "8.25"), ("4.05", "19")])
def test_refunds_piece_by_piece_do_not_use_up_the_tolerance(
    pieces: int, price: str, rate: str
) -> None:
    money, vat = D(price), (LineTax("VAT", D(rate)),)
    net = money / (1 + D(rate) / 100)
    sold = (net * pieces).quantize(D("0.01"))
    standing: tuple[InvoiceLine, ...] = (InvoiceLine("Print", "", D(1), sold, vat),)
    left = books.likeliest_total(standing, 2)
    for number in range(1, pieces):
        left -= money
        one = ExactLine(f"Refund {number}", "", -net, vat)
        entry = RefundEntry(number, money, (), (one,), date(2026, 11, 4))
        ways = books.fit_refund(entry, standing, left, Policy(), "GBP")
        assert ways, number
        standing = (*standing, *ways[0])


# -- taxes


@pytest.mark.parametrize("mapping", [(), (("5", "GST"), ("5.00", "Levy")), (("6", "GST"),)])
def test_without_the_one_rate_that_explains_every_tax_an_order_waits(mapping: Any) -> None:
    body = case("tax_unknown")
    facts = shop.read_facts(body["order"], store=body["store"])
    policy = Policy(tax_mapping=tuple(TaxName(*entry) for entry in mapping))
    parked = books.desire(facts, policy)
    assert isinstance(parked, Parked)
    assert parked.reason == "tax_unknown"
    assert "stream `order_taxes`" in parked.next_step
    assert "tax_mapping" in parked.next_step


@pytest.mark.parametrize(
    ("name", "mapping", "called"),
    [
        ("VAT", (("VAT", "Any"), ("DE/VAT", "VAT DE")), "VAT DE"),
        ("VAT", (("FR/VAT", "VAT FR"), ("20", "Any")), "Any"),
        ("VAT", (("berlin/20", "VAT Berlin"),), "VAT Berlin"),
        ("GST/HST", (("GST/HST", "Both"),), "Both"),
    ],
)
def test_a_tax_is_mapped_by_place_first_and_a_stroke_may_be_in_its_name(
    name: str, mapping: Any, called: str
) -> None:
    body = case("tax_inclusive")
    for row in body["order_taxes"]:
        row["name"] = name
    body["order"]["billing_address"] |= {"country_iso2": "DE", "state": "Berlin"}
    policy = Policy(tax_mapping=tuple(TaxName(*entry) for entry in mapping))
    lines = desired_of(body, policy).invoice.lines
    assert {tax.name for found in lines for tax in found.taxes} == {called}


def test_a_tax_is_mapped_by_the_address_it_was_shipped_to() -> None:
    body = case("tax_inclusive")
    shipped = {"id": 51, "country_iso2": "FR", "state": "", "line_items": []}
    body["order"]["consignments"] = {"shipping": [shipped]}
    policy = Policy(tax_mapping=(TaxName("FR/VAT", "VAT FR"),))
    lines = desired_of(body, policy).invoice.lines
    assert {tax.name for found in lines for tax in found.taxes} == {"VAT FR"}


# -- items and clients


def test_variants_and_products_that_share_a_sku_are_different_items() -> None:
    items = desired_of(case("sku_shared")).items
    assert [(item.key, item.name, item.sku) for item in items] == [
        ("variant:7:71", "Blue Mug", "MUG"),
        ("variant:8:81", "Red Mug", "MUG"),
    ]


def test_certificates_are_one_item_and_a_custom_product_is_one_by_its_name() -> None:
    (item,) = desired_of(case("gift_certificate_sold")).items
    assert (item.key, item.name) == ("line:Gift certificate", "Gift certificate")
    assert desired_of(case("gift_certificate_part")).items[-1] == item
    assert desired_of(case("gift_certificate_sold"), Policy(stored_value="payment")).items == ()
    assert [item.key for item in desired_of(case("custom_product")).items] == ["name:Engraving"]


def test_a_product_that_speaks_of_a_refund_is_no_refund_s_line() -> None:
    body = case("tax_exclusive")
    body["order"]["line_items"][0] |= {
        "sku": "",
        "product_options": [{"display_name": "", "display_value": "Refund 5"}],
    }
    assert desired_of(body).invoice.lines[0].description == "Item Refund 5"


def test_a_renamed_product_keeps_its_item() -> None:
    body = case("tax_exclusive")
    before = desired_of(body).items[0]
    body["order"]["line_items"][0]["name"] = "Cup"
    after = desired_of(body).items[0]
    assert (before.key, before.name, after.name) == (after.key, "Mug", "Cup")


def test_an_item_is_priced_without_tax_and_its_body_is_freshbooks_own() -> None:
    body = books.item_body(desired_of(case("price_four_decimals")).items[0])
    assert body == {
        "name": "Ribbon",
        "description": "",
        "unit_cost": {"amount": "9.09", "code": "USD"},
        "sku": "RIBBON-1",
    }


def test_an_item_of_a_line_without_sku_takes_it_from_the_catalogue() -> None:
    body = case("sku_empty")
    product = {"id": 77, "name": "Poster", "sku": "POST", "price": "9", "variants": []}
    facts = shop.read_facts(body["order"])
    assert catalogued(facts.order) == (77,)
    facts = replace(facts, products=(shop.read_product(product),))
    assert books.items_for(facts, ())[0].sku == "POST"


def test_a_product_of_the_catalogue_is_an_item_for_each_variant() -> None:
    product = shop.read_product(
        {
            "id": 7,
            "name": "Shirt",
            "sku": "SH",
            "price": 20,
            "variants": [
                {"id": 71, "product_id": 7, "sku": "SH-S", "price": None},
                {"id": 72, "product_id": 7, "sku": "", "price": Decimal("22.50")},
            ],
        }
    )
    found = [(i.key, i.sku, i.unit_cost) for i in books.items_of_product(product, "USD")]
    assert found == [("variant:7:71", "SH-S", D("20.00")), ("variant:7:72", "SH", D("22.50"))]


def test_a_client_body_leaves_out_what_is_empty() -> None:
    body = books.client_body(desired_of(case("tax_exclusive")).client)
    assert body["email"] == "jane@example.com"
    assert (body["p_street"], body["p_country"]) == ("555 East Street", "United States")
    assert "organization" not in body
    assert all(body.values())


def test_a_customer_is_named_after_the_customer_record() -> None:
    client = desired_of(case("registered_customer")).client
    assert (client.email, client.address.company) == ("jane@work.example", "Doe Ltd")


# -- texts


def test_texts_lose_what_freshbooks_may_refuse_and_keep_the_rest() -> None:
    assert clean("e\u0301té\u0000 \U0001f49a\r\n x", 100) == "été x"
    assert clean("\U0001f49a", 100, "Item 7") == "Item 7"
    assert clean("a" * 20, 10) == "a" * 9 + "…"


def test_refund_lines_are_told_from_products_called_refund() -> None:
    assert is_refund_line("Refund 5, Shipping") == 5
    assert is_refund_line("Refund 51") == 51
    assert is_refund_line("Refund 5 policy booklet") is None
    assert is_refund_line("Refund") is None


# -- reading


def read_order(**changes: Any) -> Any:
    return shop.read_order(case("tax_exclusive")["order"] | changes)


@pytest.mark.parametrize("nothing", [None, "", {}, []])
def test_nothing_is_spelled_in_many_ways(nothing: object) -> None:
    order = read_order(external_source=nothing, store_credit_amount=nothing, fees=nothing)
    assert (order.external_source, order.store_credit, order.fees) == ("", D(0), ())


@pytest.mark.parametrize("written", ["37.4800", 37, Decimal("37.48"), " 37.48 "])
def test_money_is_read_from_text_and_numbers(written: object) -> None:
    assert read_order(total_inc_tax=written).total_inc_tax == D(str(written).strip())


@pytest.mark.parametrize("wrong", [37.48, True, "abc", "NaN", [1], "Infinity"])
def test_money_that_is_none_makes_the_record_unreadable(wrong: object) -> None:
    with pytest.raises(shop.ReadError) as caught:
        read_order(total_inc_tax=wrong)
    assert caught.value.field == "total_inc_tax"
    assert str(wrong) not in str(caught.value)


@pytest.mark.parametrize("missing", ["id", "status_id", "date_created", "total_inc_tax"])
def test_a_field_the_books_need_must_be_there(missing: str) -> None:
    with pytest.raises(shop.ReadError, match=f"{missing} is missing"):
        read_order(**{missing: None})


def test_an_order_without_its_lines_is_unreadable_and_not_an_empty_invoice() -> None:
    body = case("tax_exclusive")["order"]
    del body["line_items"]
    with pytest.raises(shop.ReadError, match="came without its lines"):
        shop.read_order(body)


def test_a_wrong_field_of_a_line_is_named_with_its_place() -> None:
    body = case("tax_exclusive")["order"]
    body["line_items"][0]["quantity"] = "many"
    with pytest.raises(shop.ReadError) as caught:
        shop.read_order(body)
    assert caught.value.field == "line_items[0].quantity"


def test_dates_are_read_in_every_form_the_shop_uses() -> None:
    wanted = datetime(2019, 3, 5, 21, 40, 11, tzinfo=UTC)
    for written in ("Tue, 05 Mar 2019 21:40:11 +0000", "2019-03-05T16:40:11-05:00"):
        assert read_order(date_created=written).created == wanted


def test_a_line_edited_away_is_no_line() -> None:
    body = case("tax_exclusive")["order"]
    body["line_items"].append(body["line_items"][0] | {"id": 2, "quantity": 0})
    assert [found.id for found in shop.read_order(body).lines] == [1]


def test_a_zone_that_does_not_exist_names_the_setting() -> None:
    with pytest.raises(UnknownZone, match="set `timezone` to an IANA name"):
        desired_of(case("tax_exclusive"), Policy(timezone="Mars/Base"))


def test_without_a_zone_no_order_has_a_day() -> None:
    body = case("tax_exclusive")
    facts = shop.read_facts(body["order"], body["transactions"], (), body["order_taxes"])
    with pytest.raises(UnknownZone, match="select the stream `store` in the tap, or set `timezon"):
        books.desire(facts, Policy())


def test_the_start_date_counts_in_the_stores_zone() -> None:
    body = case("day_before_midnight")
    facts = shop.read_facts(body["order"], store=body["store"])
    july = Policy(invoice_start_date=date(2026, 7, 1))
    assert "before_start_date" in str(books.assess(facts, july, already_invoiced=False))
