"""The shop's arithmetic, over hand-made figures, the seeded month, and generated orders."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.currencies import decimal_places
from connector_sandbox.decoding import decode, encode
from connector_sandbox.seed import catalog
from connector_sandbox.seed.cases import cases
from connector_sandbox.seed.model import Charge, Discount, Line, Order, ShipTo, Tax
from connector_sandbox.seed.month import Month, simulate_month
from connector_sandbox.seed.totals import compute
from connector_sandbox.seed.truth import expected
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from connector_sandbox.seed.totals import Figures

D = Decimal
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)


def an_order(*lines: Line, **more: object) -> Order:
    return Order(created=NOW, modified=NOW, lines=lines, **more)  # type: ignore[arg-type]  # test input


def a_month(seed: int = 2026, orders: int = 220) -> Month:
    customers = catalog.customers(random.Random(seed))  # noqa: S311  not for secrets
    return simulate_month(orders=orders, seed=seed, month="2026-10", customers=customers)


@pytest.fixture(scope="module")
def month() -> Month:
    return a_month()


def holds_the_total_formula(order: Order, figures: Figures) -> None:
    charges = [*figures.shipping, *figures.handling, *figures.fees, figures.wrapping()]
    assert figures.total_inc == (
        figures.subtotal_inc
        + sum(charge.inc for charge in charges)
        - figures.discount_amount
        - figures.coupon_discount
    )
    assert figures.total_tax == figures.subtotal_tax + sum(charge.tax for charge in charges)
    assert figures.total_ex == figures.total_inc - figures.total_tax
    assert figures.discount_amount >= 0
    assert figures.coupon_discount >= 0
    quantum = D(1).scaleb(-decimal_places(order.currency))
    for amount in (figures.total_inc, figures.total_tax, figures.subtotal_tax):
        assert amount % quantum == 0, "totals are what can be paid"


def test_a_discount_of_an_exclusive_shop_lowers_the_tax_and_is_told_with_tax() -> None:
    tax = Tax(name="Tax", percent=D(10))
    line = Line(name="Bowl", price=D("100.00"), taxes=(tax,))
    figures = compute(an_order(line, discounts=(Discount(amount=D("10.00")),)))
    assert figures.subtotal_ex == D("100.00")
    assert figures.subtotal_inc == D("110.00")
    assert figures.subtotal_tax == D("9.00"), "after the discount"
    assert figures.discount_amount == D("11.00"), "10.00 and the tax saved on it"
    assert figures.total_inc == D("99.00")


def test_tax_of_an_inclusive_price_is_taken_out_of_the_discounted_price() -> None:
    tax = Tax(name="VAT", percent=D(20))
    line = Line(name="Bowl", price=D("12.00"), quantity=2, taxes=(tax,))
    order = an_order(line, tax_inclusive=True, discounts=(Discount(amount=D("6.00")),))
    figures = compute(order)
    assert figures.subtotal_inc == D("24.00")
    assert figures.subtotal_ex == D("20.00")
    assert figures.total_inc == D("18.00")
    assert figures.total_tax == D("3.00")


def test_a_higher_priority_is_charged_on_the_taxed_amount() -> None:
    gst = Tax(name="GST", percent=D(5))
    pst = Tax(name="PST", percent=D(10), priority=1)
    figures = compute(an_order(Line(name="Bowl", price=D("100.00"), taxes=(pst, gst))))
    assert [share.amount for share in figures.lines[0].taxes] == [D("5.0000"), D("10.5000")]
    assert figures.total_inc == D("115.50")


def test_four_decimal_prices_end_in_whole_cents() -> None:
    tax = Tax(name="Tax", percent=D(10))
    figures = compute(an_order(Line(name="Ribbon", price=D("9.0909"), quantity=3, taxes=(tax,))))
    assert figures.subtotal_ex == D("27.2727")
    assert figures.total_inc == D("30.00")


def test_an_exempt_buyer_of_an_inclusive_shop_pays_the_same_price_without_tax() -> None:
    tax = Tax(name="VAT", percent=D("7.62"))
    line = Line(name="Bowl", price=D("361.95"), taxes=(tax,))
    figures = compute(an_order(line, tax_inclusive=True, tax_exempt=True))
    assert figures.subtotal_inc == figures.total_inc == figures.total_ex == D("361.95")
    assert figures.subtotal_ex == D("336.3222")
    assert figures.total_tax == 0


def test_applied_discounts_are_the_same_money_as_the_orders_discounts() -> None:
    tax = Tax(name="Tax", percent=D("8.875"))
    lines = tuple(Line(name=n, price=D(p), taxes=(tax,)) for n, p in (("a", "31.99"), ("b", "7")))
    discounts = (
        Discount(kind="coupon", amount=D("5.00"), code="C"),
        Discount(kind="manual", amount=D("3.33")),
        Discount(kind="automatic", amount=D("1.00"), lines=(1,)),
    )
    figures = compute(an_order(*lines, discounts=discounts))
    applied = sum(amount for line in figures.lines for _, amount in line.applied)
    assert abs(applied - figures.discount_amount - figures.coupon_discount) < D("0.01")
    for line in figures.lines:
        off = sum(amount for _, amount in line.applied)
        assert line.discounted_inc == line.total_inc - off


def test_a_shipping_discount_on_taxed_shipping_is_refused() -> None:
    tax = Tax(name="Tax", percent=D(10))
    to = ShipTo(shipping=Charge(cost=D(10), taxes=(tax,)))
    line = Line(name="Bowl", price=D(10))
    free = Discount(kind="coupon", amount=D(10), on_shipping=True)
    with pytest.raises(ValueError, match="untaxed shipping"):
        compute(an_order(line, ship_to=(to,), discounts=(free,)))


def test_every_order_of_the_month_holds_the_total_formula(month: Month) -> None:
    for order in month.orders:
        if not order.override:
            holds_the_total_formula(order, compute(order))


money = st.decimals(min_value="0.01", max_value="500", places=2)
rate = st.decimals(min_value="0", max_value="25", places=3)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    taxes = tuple(
        Tax(name=f"T{n}", percent=draw(rate), priority=draw(st.integers(0, 1)), id=n)
        for n in range(draw(st.integers(0, 4)))
    )
    charge = st.builds(Charge, cost=money, taxes=st.sampled_from([(), taxes]))
    lines = tuple(
        Line(
            name=f"L{n}",
            price=draw(money),
            quantity=draw(st.integers(1, 30)),
            taxes=draw(st.sampled_from([(), taxes])),
            wrapping=draw(st.none() | charge),
        )
        for n in range(draw(st.integers(1, 6)))
    )
    worth = sum(line.price * line.quantity for line in lines)
    part = st.integers(0, 30).map(lambda p: (worth * p / 100).quantize(D("0.01")))
    discounts = tuple(
        Discount(kind=kind, amount=draw(part)) for kind in ("coupon", "manual", "automatic")
    )
    return an_order(
        *lines,
        tax_inclusive=draw(st.booleans()),
        rounding_strategy=draw(st.sampled_from(["NO_ROUNDING", "RATE_ROUNDING"])),
        discounts=discounts,
        ship_to=(ShipTo(shipping=draw(charge), handling=draw(charge)),),
    )


@settings(max_examples=150, deadline=None)
@given(orders())
def test_any_order_holds_the_total_formula(order: Order) -> None:
    holds_the_total_formula(order, compute(order))


def test_an_order_is_the_same_after_it_was_written_and_read(month: Month) -> None:
    for order in month.orders:
        assert decode(Order, encode(order)) == order


def test_what_an_order_document_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="no field colour"):
        decode(Line, {"name": "Bowl", "price": "1", "colour": "red"})
    with pytest.raises(ValueError, match="amount as text"):
        decode(Line, {"name": "Bowl", "price": 1.5})


def test_one_seed_gives_one_month(month: Month) -> None:
    assert a_month() == month
    assert a_month(seed=5) != month


def test_the_month_has_every_case_and_is_mostly_ordinary_at_its_default_size() -> None:
    month = a_month(orders=440)
    named = Counter(order.case for order in month.orders)
    assert len(month.orders) == 440
    assert named["ordinary"] >= 0.65 * 440
    wanted = {one.order.case for one in cases()}
    assert len(wanted) == len(cases()), "names are unique"
    assert wanted <= set(named)


def test_many_orders_share_one_second(month: Month) -> None:
    most = Counter(order.modified for order in month.orders).most_common(1)[0][1]
    assert most >= 10


def test_ids_follow_time_but_for_the_migrated_order(month: Month) -> None:
    created = [order.created for order in month.orders if order.case != "state_migrated"]
    assert created == sorted(created)
    ids = [r.id for o in sorted(month.orders, key=lambda o: o.id) for r in o.refunds]
    by_time = sorted((r.created, r.id) for o in month.orders for r in o.refunds)
    assert sorted(ids) == [number for _, number in by_time]


# What a bookkeeper would write down for these cases, by hand.
BOOKS: dict[str, dict[str, Any]] = {
    "tax_two_rates": {"expect": "posted", "total": "48.66", "paid": "48.66"},
    "gift_certificate_part": {"invoice_total": "30.96", "paid": "30.96", "outstanding": "0.00"},
    "store_credit_full": {"total": "50.96", "invoice_total": "0.00", "paid": "0.00"},
    "gift_certificate_sold": {
        "stored_value": {"gift_certificate": "50.00", "store_credit": "0.00"}
    },
    "gift_certificate_taken_back": {
        "paid": "0.00",
        "stored_value": {"gift_certificate": "0.00", "store_credit": "0.00"},
    },
    "gift_certificate_told_in_two_ways": {"expect": "parked", "reason": "money_unclear"},
    "payment_authorised_only": {"expect": "posted", "paid": "0.00", "outstanding": "50.96"},
    "payment_captured_later": {"paid": "50.96"},
    "payment_two_captures": {"paid": "50.96"},
    "payment_one_of_two_captures": {"paid": "20.00", "outstanding": "30.96"},
    "client_without_email": {"expect": "parked", "reason": "no_client", "books": "none"},
    "client_without_billing_email": {"expect": "posted"},
    "payment_overpaid": {
        "expect": "parked",
        "reason": "overpaid",
        "books": "full",
        "captured": "60.00",
        "paid": "50.96",
        "outstanding": "0.00",
    },
    "payment_underpaid": {"paid": "45.00", "outstanding": "5.96"},
    "payment_test_transaction": {"paid": "0.00"},
    "payment_settled_too": {"paid": "50.96"},
    "payment_cash_offline": {"paid": "50.96", "captured": "0.00"},
    "payment_awaited": {"expect": "waiting"},
    "payment_deposit_came_late": {"expect": "posted", "paid": "50.96"},
    "payment_purchase_order": {"expect": "posted", "paid": "0.00", "outstanding": "50.96"},
    "payment_net_45": {"paid": "0.00", "outstanding": "50.96"},
    "payment_on_account_settled": {"paid": "50.96", "outstanding": "0.00"},
    "payment_on_delivery_shipped": {"paid": "0.00", "outstanding": "50.96"},
    "payment_on_delivery_completed": {"paid": "50.96", "outstanding": "0.00"},
    "payment_method_nobody_placed": {"expect": "posted", "paid": "0.00"},
    "payment_held_for_review": {"expect": "waiting"},
    "refund_order_amount": {"total": "135.22", "invoice_total": "127.45", "paid": "127.45"},
    "refund_full": {"invoice_total": "0.00", "paid": "0.00", "status_id": 4},
    "refund_store_credit": {
        "invoice_total": "135.22",
        "paid": "135.22",
        "stored_value": {"gift_certificate": "0.00", "store_credit": "34.71"},
    },
    "refund_mixed": {
        "invoice_total": "125.22",
        "stored_value": {"gift_certificate": "0.00", "store_credit": "24.71"},
    },
    "refund_declined": {"invoice_total": "135.22", "paid": "135.22"},
    "refund_declined_later": {"invoice_total": "135.22", "paid": "135.22"},
    "refund_missing": {"expect": "parked", "reason": "refund_missing"},
    "state_overridden_totals": {"expect": "parked", "reason": "total_mismatch"},
    "currency_three_decimals": {"expect": "parked", "reason": "unsupported_currency"},
    "currency_jpy": {"expect": "posted", "total": "4829.00"},
    "state_migrated": {"expect": "waiting"},
    "state_archived": {"expect": "waiting"},
    "state_incomplete": {"expect": "waiting"},
    "state_disputed": {"expect": "posted", "paid": "24.96"},
    "total_zero": {"expect": "posted", "total": "0.00", "payments": []},
    "date_last_minute_of_month": {"date": "2026-10-31"},
    "date_before_month_in_store": {"date": "2026-09-30"},
    "date_just_before_midnight": {"date": "2026-10-15"},
    "date_just_after_midnight": {"date": "2026-10-16"},
    "date_after_clock_change": {"date": "2026-11-01"},
}


@pytest.mark.parametrize("name", BOOKS)
def test_the_truth_of_a_case_is_what_a_bookkeeper_expects(name: str, month: Month) -> None:
    order = next(order for order in month.orders if order.case == name)
    row = expected(order)
    assert {key: row[key] for key in BOOKS[name]} == BOOKS[name]


@pytest.mark.parametrize(
    ("name", "days"),
    [("payment_purchase_order", 30), ("payment_net_45", 45), ("payment_cash_offline", 0)],
)
def test_what_is_on_account_is_due_later(name: str, days: int, month: Month) -> None:
    row = expected(next(order for order in month.orders if order.case == name))
    assert date.fromisoformat(row["due"]) - date.fromisoformat(row["date"]) == timedelta(days)


def test_declined_refunds_give_no_money_back(month: Month) -> None:
    order = next(order for order in month.orders if order.case == "refund_product")
    assert expected(order)["invoice_total"] != expected(order)["total"]
    refund = order.refunds[0]
    declined = tuple(replace(p, is_declined=True) for p in refund.payments)
    kept = replace(order, refunds=(replace(refund, payments=declined),))
    assert expected(kept)["invoice_total"] == expected(kept)["total"]


def test_each_lines_tax_is_rounded_where_prices_include_it_too() -> None:
    lines = tuple(Line(name=f"Card {n}", price=D("0.99"), taxes=(catalog.VAT,)) for n in range(3))
    when = datetime(2026, 10, 5, tzinfo=UTC)
    order = Order(created=when, modified=when, lines=lines, tax_inclusive=True)
    exact, rounded = compute(order), compute(replace(order, rounding_strategy="RATE_ROUNDING"))
    assert [line.tax for line in exact.lines] == [D("0.1650")] * 3
    assert (exact.total_inc, exact.total_tax) == (D("2.97"), D("0.50"))
    assert [line.tax for line in rounded.lines] == [D("0.17")] * 3
    assert (rounded.total_inc, rounded.total_tax) == (D("2.97"), D("0.51"))
    assert [line.total_ex for line in rounded.lines] == [D("0.82")] * 3
