"""The books' seldom branches: records that cannot be, clients in several forms, odd refunds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.clients import client_forms, client_of_customer, email_key
from target_freshbooks.books.closed import ClosedDays, book_apart, on_open_days
from target_freshbooks.books.desired import (
    ClientDraft,
    Desired,
    ExactLine,
    InvoiceLine,
    LineTax,
    Parked,
    Reason,
    RefundEntry,
)
from target_freshbooks.books.eligibility import Notice, notice_after_posting
from target_freshbooks.books.policy import Policy, TaxName
from target_freshbooks.books.refund_fit import fit_refund
from target_freshbooks.books.taxes import ChargedTax, merged, roundest_percents
from target_freshbooks.money import ZERO, pro_rata, sum_by_key, total
from target_freshbooks.shop.facts import Address, Cost, Customer
from target_freshbooks.shop.fields import Fields, ReadError
from target_freshbooks.shop.records import read_transaction

FOLDER = Path(__file__).parent / "books_cases"
D = Decimal


def facts_of(name: str, refund: dict[str, Any] | None = None, **changes: Any) -> Any:
    case = json.loads((FOLDER / f"{name}.json").read_text("utf-8"), parse_float=Decimal)
    refunds = [{**row, **(refund or {})} for row in case["refunds"]]
    return shop.read_facts(
        case["order"] | changes,
        case["transactions"],
        refunds,
        case["order_taxes"],
        case.get("customer"),
        case.get("store"),
    )


def desired_of(facts: Any, policy: Policy | None = None) -> Desired:
    desired = books.desire(facts, policy or Policy())
    assert isinstance(desired, Desired)
    return desired


def test_no_percent_is_worked_out_for_a_tax_that_a_marketplace_remits() -> None:
    facts = facts_of("marketplace_net")
    (row,) = facts.taxes
    facts = replace(facts, taxes=(replace(row, name="API Override", rate=D(0)),))
    own, net = (
        desired_of(facts, Policy(marketplace_sources=(("amazon", one),))) for one in ("own", "net")
    )
    assert [tax.name for tax in own.worked_out] == ["API Override"]
    assert (net.worked_out, net.invoice.lines[0].taxes) == ((), ())


def test_no_rate_is_found_for_a_tax_that_a_marketplace_remits() -> None:
    facts = replace(facts_of("marketplace_net"), taxes=())
    found = {"tax_mapping": (TaxName("8.25", "Sales tax"),)}
    own, net = (
        desired_of(facts, Policy(marketplace_sources=(("amazon", one),), **found))
        for one in ("own", "net")
    )
    assert own.found_rate is not None
    assert net.found_rate is None


# -- records that cannot be


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        ("money", "1e99", "a number of too many digits"),
        ("integer", None, "is missing"),
        ("integer", "1.5", "is no whole number"),
        ("text", True, "is no text but a"),
        ("text", ["a"], "is no text but a"),
        ("flag", "perhaps", "is neither true nor false"),
        ("moment", "", "is missing"),
        ("moment", "yesterday", "is no date and time"),
        ("moment", "0001-01-01T00:00:00+23:59", "is no date and time"),
        ("moment", "9999-12-31T23:59:59-23:59", "is no date and time"),
        ("inside", "words", "is no object but a"),
        ("rows", "words", "is no list but a"),
        ("rows", ["words"], "is no object but a"),
        ("rows", "[broken", "is no list but a"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(read: str, value: Any, words: str) -> None:
    with pytest.raises(ReadError) as refused:
        getattr(Fields({"field": value}), read)("field")
    assert "field" in str(refused.value)
    assert words in str(refused.value)


def test_a_gateway_s_own_id_of_any_length_is_no_transaction() -> None:
    payment = {"amount": "1", "transaction_id": "9" * 5_000}
    body = {"id": 1, "created": "2026-11-01", "total_amount": "1", "payments": [payment]}
    assert shop.read_refund(body).payments[0].transaction_id is None


@pytest.mark.parametrize("value", ["true", "1", 1])
def test_a_flag_may_come_as_text(value: Any) -> None:
    assert Fields({"field": value}).flag("field") is True


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ({"17": {"id": 1}, "18": {"id": 2}}, [1, 2]),  # a list as PHP writes one with gaps
        ({"id": 1, "name": "Size"}, [1]),
        ({}, []),
    ],
)
def test_an_object_in_the_place_of_a_list_holds_its_rows(value: object, ids: list[int]) -> None:
    assert [row.integer("id") for row in Fields({"rows": value}).rows("rows")] == ids


def test_a_list_of_one_in_the_place_of_an_object_is_that_object() -> None:
    assert Fields({"inside": [{"id": 1}]}).inside("inside").integer("id") == 1


def test_what_is_nested_may_come_as_json_text() -> None:
    fields = Fields({"inside": '{"a": "1"}', "rows": '[{"a": "2"}]', "none": None})
    assert fields.inside("inside").text("a") == "1"
    assert [row.text("a") for row in fields.rows("rows")] == ["2"]
    assert fields.rows("none") == []
    assert fields.inside("none").text("a") == ""


@pytest.mark.parametrize(
    "name", ["store_hash", "default_currency_code", "total_inc_tax", "date_created"]
)
def test_an_order_without_a_field_it_needs_is_refused(name: str) -> None:
    with pytest.raises(ReadError, match=name):
        facts_of("registered_customer", **{name: None})


def test_a_field_that_no_rule_reads_is_not_looked_at() -> None:
    odd = {"reason": ["too", "big"], "order_id": None}
    assert facts_of("refund_product", odd) == facts_of("refund_product")


def test_totals_that_are_not_told_follow_from_those_that_are() -> None:
    without_tax = facts_of("tax_exclusive", total_tax=None)
    assert without_tax.order.total_tax == facts_of("tax_exclusive").order.total_tax
    only_inc = facts_of("tax_exclusive", total_tax=None, total_ex_tax=None)
    assert only_inc.order.total_tax == 0
    assert only_inc.order.total_ex_tax == only_inc.order.total_inc_tax


def test_a_charge_told_with_tax_only_has_the_rest_without() -> None:
    facts = facts_of(
        "registered_customer",
        shipping_cost_ex_tax=None,
        shipping_cost_inc_tax="12.00",
        shipping_cost_tax="2.00",
    )
    assert (facts.order.shipping.ex_tax, facts.order.shipping.tax) == (D(10), D(2))


# -- what cannot be an invoice


def test_an_order_of_less_than_nothing_is_parked() -> None:
    facts = facts_of("registered_customer", total_inc_tax="-5.0000", total_ex_tax="-5.0000")
    parked = books.desire(facts, Policy())
    assert isinstance(parked, Parked)
    assert parked.reason is Reason.TOTAL_MISMATCH
    assert "negative" in parked.detail


# -- clients


def test_a_customer_without_an_e_mail_has_no_client() -> None:
    customer = facts_of("registered_customer").customer
    assert client_of_customer(replace(customer, email=" "), "USD") is None
    draft = client_of_customer(replace(customer, email="Jane@Example.com "), "USD")
    assert draft is not None
    assert (draft.key, draft.email) == (f"customer:{customer.id}", "jane@example.com")
    assert email_key("Jane@Example.com") == "email:jane@example.com"


def test_a_customer_without_an_address_is_a_client_all_the_same() -> None:
    known = facts_of("registered_customer").customer
    customer = Customer(**{name: getattr(known, name) for name in known.__slots__})
    draft = client_of_customer(replace(customer, address=None), "USD")
    assert draft is not None
    assert draft.address.first_name == known.first_name


def test_a_client_is_tried_whole_then_without_names_then_as_an_organisation() -> None:
    address = Address(first_name="John", last_name="Smith", city="Austin")
    whole, nameless, alone = client_forms(ClientDraft("k", "john@x.example", address, "USD"))
    assert (whole["fname"], whole["lname"], whole["email"]) == ("John", "Smith", "john@x.example")
    assert "fname" not in nameless
    assert nameless["organization"] == "John Smith"
    assert "email" not in alone
    assert alone["organization"] == "John Smith (john@x.example)"


def test_a_client_with_neither_names_nor_e_mail_has_one_form() -> None:
    (only,) = client_forms(ClientDraft("generic", "", Address(company="Till"), "USD"))
    assert only["organization"] == "Till"


def test_an_e_mail_that_leaves_no_room_for_a_name_stands_alone() -> None:
    email = "a" * 99 + "@x.example"
    *_, alone = client_forms(ClientDraft("k", email, Address(last_name="Smith"), "USD"))
    assert alone["organization"] == email


# -- what becomes of posted orders


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        ({"status_id": 7}, Notice.UNPAID),
        ({"status_id": 13}, Notice.DISPUTED),
        ({"is_deleted": True}, Notice.ARCHIVED),
        ({}, None),
    ],
)
def test_what_became_of_a_posted_order_is_told(
    changes: dict[str, Any], notice: Notice | None
) -> None:
    facts = facts_of("registered_customer", **changes)
    assert notice_after_posting(facts, Policy()) is notice
    assert notice is None or notice.sentence


# -- money and taxes


def test_nothing_is_shared_out_by_weights_of_nothing() -> None:
    assert pro_rata(D(5), [D(0), D(0)]) == [D(0), D(0)]


def test_an_override_of_nothing_or_on_nothing_has_no_percent() -> None:
    amounts = [(D(10), D(0)), (D(0), D(2)), (D(10), D(-2)), (D(50), D("3.10"))]
    assert roundest_percents(amounts, D("0.005"), 3) == [D(0), D(0), D(0), D("6.2")]


def test_a_zero_rate_is_named_unless_another_tax_is() -> None:
    zero, vat = ChargedTax("Zero", D(0)), ChargedTax("VAT", D(20), D(2))
    assert merged([zero, vat], Policy()) == (vat,)
    assert merged([zero], Policy()) == (zero,)


def test_taxes_beyond_two_are_one_of_their_sorted_names_cut_at_thirty_characters() -> None:
    taxes = [ChargedTax(f"{name} Jurisdiction", D(1), D(3)) for name in ("Wide", "Near", "Long")]
    state = ChargedTax("State", D("6.25"), D(9))
    assert merged([*taxes, state], Policy()) == (
        state,
        ChargedTax("Long Jurisdiction + Near Juri…", D(3), D(9)),
    )
    (_, other) = merged([*taxes, state], Policy())
    assert len(other.name) == 30


def test_a_tax_too_small_to_have_an_amount_is_merged_as_on_other_lines() -> None:
    order = json.loads((FOLDER / "tax_three_rates.json").read_text("utf-8"))["order"]
    small = order["line_items"][0] | {
        "id": 2,
        "price_ex_tax": "0.3200",
        "total_ex_tax": "0.3200",
        "total_inc_tax": "0.3400",
        "discounted_total_inc_tax": "0.3400",
    }
    facts = facts_of(
        "tax_three_rates",
        line_items=[*order["line_items"], small],
        total_ex_tax="100.3200",
        total_inc_tax="109.2200",
        total_tax="8.9000",
    )
    rows = [
        replace(row, line_id=2, amount=D("0.01") if row.rate > 1 else D(0)) for row in facts.taxes
    ]
    desired = desired_of(replace(facts, taxes=(*facts.taxes, *rows)))
    assert len({line.taxes for line in desired.invoice.lines if line.taxes}) == 1


@pytest.mark.parametrize(
    ("refunded", "left"),
    [(55, ["0.00", "20.00"]), (56, ["15.00", "5.00"]), (57, ["0.00", "20.00"]), (50, ["15", "5"])],
    ids=["the first capture", "the second", "a refund of the first", "the authorization"],
)
def test_of_captures_of_one_authorization_the_refunded_one_is_lowered_first(
    refunded: int, left: list[str]
) -> None:
    facts = facts_of("refund_of_one_capture")
    first, second = (replace(row, event="capture", reference_id=50) for row in facts.transactions)
    authorization = replace(first, id=50, event="authorization", reference_id=None, amount=D(40))
    back = replace(first, id=57, event="refund", reference_id=55, amount=D(20))
    (refund,) = facts.refunds
    sent = tuple(replace(payment, transaction_id=refunded) for payment in refund.payments)
    facts = replace(
        facts,
        transactions=(authorization, first, second, back),
        refunds=(replace(refund, payments=sent),),
    )
    (entry,) = desired_of(facts).refunds
    assert [amount for _, amount in entry.payments_after] == [D(one) for one in left]


def test_a_refund_takes_no_more_tax_back_than_is_left_of_it() -> None:
    facts = facts_of("refund_override", {"total_tax": "9.00"})
    desired = desired_of(facts)
    (entry,) = desired.refunds
    sold = [(line.taxes, line.quantity * line.unit_cost) for line in desired.invoice.lines]
    lines = [*sold, *((line.taxes, line.net) for line in entry.taken)]
    assert total(net for taxes, net in sold if taxes)
    assert abs(total(net for taxes, net in lines if taxes)) < D("0.01")
    assert entry.money == D(10)


def test_a_refund_of_all_that_is_left_of_goods_and_certificates_leaves_nothing_of_either() -> None:
    facts = facts_of("refund_order_amount_beside_a_certificate")
    lamp = {"item_type": "PRODUCT", "item_id": facts.order.lines[0].id, "quantity": 1}
    typed, product, rest = (
        {"id": 5, "total_amount": "40.00", "total_tax": "0", "items": []},
        {"id": 6, "total_amount": "54.00", "total_tax": "9.00", "items": [lamp]},
        {"id": 7, "total_amount": "10.00", "items": [{"item_type": "ORDER", "item_id": 1001}]},
    )
    rest["items"][0]["requested_amount"] = "10.00"
    refunds = [
        shop.read_refund(
            body
            | {"order_id": 1001, "created": "2026-11-14T10:00:00Z"}
            | {"payments": [{"id": 9, "provider_id": "stripe", "amount": body["total_amount"]}]}
        )
        for body in (typed, product, rest)
    ]
    desired = desired_of(replace(facts, refunds=tuple(refunds)))

    def of(line: Any) -> Any:
        return line.name == "Gift certificate", line.taxes

    left = sum_by_key(
        [
            *((of(line), line.quantity * line.unit_cost) for line in desired.invoice.lines),
            *((of(line), line.net) for entry in desired.refunds for line in entry.taken),
        ]
    )
    assert not any(left.values()), left
    assert desired.unbooked_refunds == frozenset()


ODD_FEE = {"id": 9, "display_name_customer": "Assembly", "cost_ex_tax": "10.00"}


@pytest.mark.parametrize("known", ["mapping", "account"])
def test_a_fee_whose_tax_no_rate_of_the_order_gives_has_the_one_known_rate_that_does(
    known: str,
) -> None:
    policy = (
        Policy(tax_mapping=(TaxName("10", "Services"),))
        if known == "mapping"
        else Policy(account_taxes=(LineTax("Services", D(10)), LineTax("Other", D(7))))
    )
    lines = desired_of(with_odd_fee(), policy).invoice.lines
    assert [line.taxes for line in lines if line.name == "Assembly"] == [
        (LineTax("Services", D(10)),)
    ]


def test_a_fee_whose_tax_no_known_rate_gives_has_the_roundest_percent() -> None:
    two = (TaxName("10", "Services"), TaxName("10.0", "Other"))
    for policy in (Policy(), Policy(tax_mapping=two)):
        desired = desired_of(with_odd_fee(), policy)
        (fee,) = (line for line in desired.invoice.lines if line.name == "Assembly")
        assert [tax.percent for tax in fee.taxes] == [D(10)]
        assert desired.worked_out == fee.taxes


def test_a_fee_whose_taxes_are_rounded_one_by_one_has_the_rates_of_the_order() -> None:
    facts = facts_of(
        "tax_three_rates",
        fees=[
            {"id": 9, "display_name_customer": "Rush", "cost_ex_tax": "6.11"}
            | {"cost_inc_tax": "6.64", "cost_tax": "0.53"}
        ],
    )
    assert desired_of(facts).worked_out == ()


def with_odd_fee() -> Any:
    return facts_of(
        "tax_exclusive",
        fees=[ODD_FEE | {"cost_inc_tax": "11.00", "cost_tax": "1.00"}],
        total_ex_tax="45.0000",
        total_inc_tax="48.4800",
        total_tax="3.4800",
    )


def test_amounts_of_a_shop_that_rounds_each_piece_add_up_to_its_total() -> None:
    facts = facts_of(
        "tax_inclusive",
        total_ex_tax="44.0000",
        total_tax="10.0000",
    )
    rows = tuple(replace(row, amount=row.amount * 10 / 9) for row in facts.taxes)
    policy = Policy(tax_mode="amount_lines")
    desired = desired_of(replace(facts, taxes=rows), policy)
    assert not desired.hold
    assert books.likeliest_total(desired.invoice.lines, 2) == D("54.00")


def test_a_tax_may_be_mapped_by_its_rate() -> None:
    policy = Policy(tax_mapping=(TaxName("nothing", "X"), TaxName("8.25", "Sales")))
    facts = facts_of("tax_exclusive")
    names = {tax.name for line in desired_of(facts, policy).invoice.lines for tax in line.taxes}
    assert names == {"Sales"}


def test_a_rounding_line_that_stands_takes_up_a_further_cent() -> None:
    lines = (InvoiceLine("Thing", "", D(1), D(10)), books.mend((), D(0), D("0.01"), Policy(), 2)[0])
    (_, rounding) = books.mend(lines, D("10.01"), D("10.03"), Policy(), 2) or ()
    assert rounding.unit_cost == D("0.03")


# -- refunds


def test_a_refund_whose_payments_do_not_come_to_it_is_parked() -> None:
    desired = desired_of(facts_of("refund_product", {"total_amount": "11.83"}))
    assert desired.flag is not None
    assert desired.flag.reason is Reason.REFUND_MISMATCH
    assert "payments come to 10.83 USD" in desired.flag.detail


def test_a_refund_without_a_payment_is_parked() -> None:
    desired = desired_of(facts_of("refund_product", {"payments": []}))
    assert desired.flag is not None
    assert desired.flag.reason is Reason.REFUND_MISMATCH
    assert "it has no payment" in desired.flag.detail


def test_a_refund_of_an_item_that_the_order_has_not_is_one_amount() -> None:
    item = {"item_type": "PRODUCT", "item_id": 999, "quantity": 1, "requested_amount": None}
    desired = desired_of(facts_of("refund_product", {"items": [item]}))
    (entry,) = desired.refunds
    assert entry.money == D("10.83")


def test_a_refund_of_tax_alone_takes_off_tax_and_nothing_else() -> None:
    item = {"item_type": "TAX", "item_id": 1, "quantity": None, "requested_amount": "10.83"}
    desired = desired_of(facts_of("refund_product", {"items": [item], "total_tax": "10.83"}))
    (entry,) = desired.refunds
    assert [bool(line.taxes) for line in entry.taken] == [True, False]
    assert sum(line.net for line in entry.taken) == 0


def test_a_refund_that_the_merchant_adjusted_takes_that_much_less() -> None:
    item = {
        "item_type": "PRODUCT",
        "item_id": 1,
        "quantity": 1,
        "requested_amount": None,
        "adjustments": [{"amount": "-1.08", "description": "worn"}],
    }
    payment = {"id": 1, "provider_id": "", "amount": "9.75", "offline": False}
    refund = {"items": [item], "total_amount": "9.75", "total_tax": "0.74", "payments": [payment]}
    (entry,) = desired_of(facts_of("refund_product", refund)).refunds
    assert entry.money == D("9.75")
    assert all(line.taxes for line in entry.taken)


def test_a_tax_on_something_free_is_held_since_no_rate_gives_it() -> None:
    body = json.loads((FOLDER / "tax_exclusive.json").read_text("utf-8"), parse_float=Decimal)
    order = body["order"]
    free = order["line_items"][0] | {
        "id": 2,
        "name": "Sample",
        "sku": "FREE",
        "variant_id": 178,
        "total_ex_tax": "0.0000",
        "total_inc_tax": "1.0000",
        "total_tax": "1.0000",
        "discounted_total_inc_tax": "1.0000",
    }
    facts = facts_of(
        "tax_exclusive",
        line_items=[*order["line_items"], free],
        total_inc_tax="38.4800",
        total_tax="3.4800",
    )
    desired = desired_of(facts)
    assert desired.hold
    assert desired.flag is not None
    assert "come to 37.48 USD (Texas Sales Tax 2.48)" in desired.flag.detail
    assert "charged 38.48 USD (Texas Sales Tax 3.48)" in desired.flag.detail


def test_a_transaction_that_failed_may_have_no_amount_and_any_other_needs_one() -> None:
    made = {"id": 1, "date_created": "2026-10-05T10:00:00+00:00", "amount": None}
    assert read_transaction({**made, "status": "error"}).amount == 0
    with pytest.raises(ReadError, match="amount is missing"):
        read_transaction({**made, "status": "ok"})


# -- what came in, and what went back of it


def test_a_refund_takes_nothing_off_what_came_in_after_it() -> None:
    """Of 40.00 authorised 25.00 were captured, 10.00 of it went back, then 15.00 were captured."""
    facts = facts_of("refund_half_of_all")
    (paid,) = facts.transactions
    (refund,) = facts.refunds
    most = paid.amount - D(15)
    rows = [
        replace(paid, id=1, event="authorization"),
        replace(paid, id=2, event="capture", reference_id=1, amount=most),
        replace(paid, id=3, event="capture", reference_id=1, amount=D(15)),
    ]
    rows[2] = replace(rows[2], created=paid.created.replace(month=12, day=3))
    (part,) = refund.payments
    back = replace(refund, payments=(replace(part, transaction_id=1),))
    desired = desired_of(replace(facts, transactions=tuple(rows), refunds=(back,)))
    (entry,) = desired.refunds
    assert [left for _, left in entry.payments_after] == [most - back.total_amount, D(15)]


def test_store_credit_for_the_surplus_of_a_payment_by_hand_keeps_its_money() -> None:
    facts = facts_of("edited_down_by_hand_refunded")
    (refund,) = facts.refunds
    (part,) = refund.payments
    credit = replace(refund, payments=(replace(part, provider_id="storecredit"),))
    desired = desired_of(replace(facts, refunds=(credit,), paid_by_hand=D(100)))
    assert desired.flag is None
    (entry,) = desired.refunds
    assert entry.payments_after == (("derived", D(100)),)
    assert desired.invoice.total - entry.money == D(100)


@pytest.mark.parametrize(("inc", "ex"), [("9.99", "8.33"), ("9.99", "8.32")])
def test_a_known_rate_explains_what_a_shop_rounded_within_the_price(inc: str, ex: str) -> None:
    facts = facts_of("tax_inclusive_odd_cent")
    (line, *_) = facts.order.lines
    tax = D(inc) - D(ex)
    line = replace(line, total_inc_tax=D(inc), total_ex_tax=D(ex), total_tax=tax, quantity=D(1))
    line = replace(line, discounts=(), discounted_total_inc_tax=None)
    nothing = Cost(ZERO, ZERO, ZERO)
    order = replace(facts.order, lines=(line,), total_inc_tax=D(inc), total_ex_tax=D(ex))
    order = replace(order, total_tax=tax, shipping=nothing, addresses=(), discount_amount=ZERO)
    facts = replace(facts, order=order, taxes=(), refunds=())
    desired = desired_of(facts, Policy(tax_mapping=(TaxName("20", "VAT"),)))
    assert desired.found_rate == LineTax("VAT", D(20))
    assert desired.invoice.total == D(inc)


def test_the_name_for_the_order_s_place_is_taken_before_the_one_for_all() -> None:
    facts = replace(facts_of("tax_exclusive"), taxes=())
    rate = format(facts_of("tax_exclusive").taxes[0].rate.normalize(), "f")
    (place, *_) = facts.order.places
    names = (TaxName(rate, "Tax"), TaxName(f"{place}/{rate}", "Tax here"))
    desired = desired_of(facts, Policy(tax_mapping=names))
    assert desired.found_rate is not None
    assert desired.found_rate.name == "Tax here"


@pytest.mark.parametrize("amount", ["0.05", "0.06"])
def test_a_correction_of_some_cents_takes_its_tax_back(amount: str) -> None:
    net = D(amount) / D("1.2")
    taken = (ExactLine("Refund 5", "", -net, (LineTax("VAT", D(20)),)),)
    entry = RefundEntry(5, D(amount), (), taken, date(2026, 11, 4))
    desired = replace(desired_of(facts_of("tax_exclusive")), payments=(), refunds=())
    desired = replace(desired, refunds=(entry,), flag=Parked(Reason.REFUND_MISSING, "", ""))
    (correction,) = book_apart(desired, [5], Policy(), ClosedDays()).corrections
    taxed = [line.unit_cost for line in correction.variants[0] if line.taxes]
    assert taxed == [-net.quantize(D("0.01"))]


def test_credit_spent_with_an_order_paid_late_moves_with_it_also_once_its_invoice_stands() -> None:
    """As it did before a run was killed behind the invoice."""
    ordered, paid = date(2026, 11, 28), date(2026, 12, 5)
    closed, desired = ClosedDays(date(2026, 11, 30)), desired_of(facts_of("captured_later"))
    (money, *_) = desired.payments
    money = replace(money, amount=money.amount / 2)
    credit = replace(money, key="store_credit", transaction_id=None, day=ordered)
    payments = (credit, replace(money, day=paid))
    invoice = replace(desired.invoice, day=ordered)
    first = replace(desired, invoice=invoice, payments=payments)
    again = replace(first, invoice=replace(invoice, day=paid))
    for one, stands in ((first, False), (again, True)):
        moved = on_open_days(one, closed, ordered=ordered, has_invoice=stands)
        assert {moved.invoice.day, *(payment.day for payment in moved.payments)} == {paid}


def test_a_refund_without_a_total_takes_off_what_its_payments_gave_back() -> None:
    facts = facts_of("refund_half_of_all")
    (refund,) = facts.refunds
    nothing = replace(refund, total_amount=ZERO, total_tax=ZERO, items=())
    desired = desired_of(replace(facts, refunds=(nothing,)))
    (entry,) = desired.refunds
    (part,) = refund.payments
    assert entry.money == part.amount == -sum(line.net for line in entry.taken)
    assert desired.flag is not None
    assert desired.flag.reason is Reason.REFUND_MISMATCH


@pytest.mark.parametrize(
    ("redeemed", "given", "left"), [("67.47", "67.45", "0"), ("67.44", "67.47", "0.03")]
)
def test_what_is_given_on_a_certificate_takes_up_no_cents(
    redeemed: str, given: str, left: str
) -> None:
    vat = (LineTax("VAT", D(5)),)
    sold = InvoiceLine("Thing", "", D(1), D("64.26"), vat)
    spent = InvoiceLine("Gift certificate", "", D(1), -D(redeemed))
    back = ExactLine("Gift certificate", "", D(given), item_key="line:Gift certificate")
    taken = (ExactLine("Refund 5", "", (D("67.47") - D(given)) / D("1.05") - D("64.26"), vat), back)
    entry = RefundEntry(5, ZERO, (), taken, date(2026, 11, 4))
    (lines,) = fit_refund(entry, (sold, spent), D(left), Policy(), "USD")
    assert [line.unit_cost for line in lines if line.item_key] == [D(given)]


def test_value_that_two_sources_call_by_two_names_is_not_counted_twice() -> None:
    facts = facts_of("refund_half_of_all")
    (paid,) = facts.transactions
    credit = replace(paid, method="store_credit", gateway="", amount=D(15))
    order = replace(facts.order, gift_certificate=D(15))
    parked = books.desire(replace(facts, order=order, transactions=(credit,)), Policy())
    assert isinstance(parked, Parked)
    assert parked.reason is Reason.MONEY_UNCLEAR
    for one in (replace(order, store_credit=D(15)), replace(order, gift_certificate=ZERO)):
        assert isinstance(desired_of(replace(facts, order=one, transactions=(credit,))), Desired)
