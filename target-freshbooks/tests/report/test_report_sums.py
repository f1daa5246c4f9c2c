"""The sums of a month's report, from values alone."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.freshbooks.observed import (
    DRAFT,
    BillingAddress,
    ObservedInvoice,
    ObservedLine,
)
from target_freshbooks.ledger import Link, OrderRow
from target_freshbooks.report.addresses import Addresses
from target_freshbooks.report.charts import chart_counts, chart_days, scale
from target_freshbooks.report.corrections import corrections_among
from target_freshbooks.report.delays import delays
from target_freshbooks.report.figures import (
    DayFigures,
    LineKind,
    LineKinds,
    days,
    figures_of,
    statements,
)
from target_freshbooks.report.month import (
    Absent,
    Month,
    Row,
    Standing,
    debts,
    headline,
    make_row,
    total_up,
)
from target_freshbooks.report.page import exact, money, percent
from target_freshbooks.report.receipts import Receipt, sums_by_day, sums_by_method
from target_freshbooks.report.stored import StoredValue
from target_freshbooks.report.tables import orders_table, payments_table

D = Decimal
DAY = date(2026, 11, 5)
SENT = 2


def line(name: str, price: str, *taxes: tuple[str, str], about: str = "", qty: str = "1") -> Any:
    (name1, percent1), (name2, percent2) = [*taxes, (None, "0"), (None, "0")][:2]
    amount = D(qty) * D(price)
    return ObservedLine(
        name, about, D(qty), D(price), amount, name1, D(percent1), name2, D(percent2)
    )


def invoice(amount: str, *lines: Any, **more: Any) -> ObservedInvoice:
    given = {
        "id": 7,
        "number": "101",
        "customer_id": 3,
        "status": SENT,
        "payment_status": "paid",
        "amount": D(amount),
        "paid": D(amount),
        "outstanding": D(0),
        "currency": "USD",
        "create_date": DAY,
        "notes": "",
        "po_number": "",
        "lines": lines,
        "updated": "",
    }
    return ObservedInvoice(**(given | more))


STATE, CITY = ("State Tax", "10"), ("City Tax", "2.5")


def kinds(*lines: Any, **more: Any) -> dict[str, str]:
    made = figures_of(invoice("0", *lines), LineKinds(**more))
    return {kind.name: str(amount) for kind, amount in made.by_kind.items()}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (line("Mug", "10"), "SALES"),
        (line("Discount", "-10"), "DISCOUNTS"),
        (line("Gift wrapping", "10"), "WRAPPING"),
        (line("Shipping", "10", STATE), "SHIPPING"),
        (line("Handling", "10"), "HANDLING"),
        (line("Fee", "10"), "FEES"),
        (line("Rounding", "0.01"), "ROUNDING"),
        (line("Refund 5", "-10", STATE), "REFUNDS"),
        (line("Refund 5, rounding", "-0.01"), "REFUNDS"),
        (line("Gift certificate", "50", about="ABC"), "GIFT_CERTIFICATES"),
        (line("Store credit", "4", about="Refund 5"), "STORE_CREDIT"),
        (line("Refunds paid", "10"), "REFUNDS_PAID"),
        (line("VAT", "2", about="Tax"), "TAX"),
        (line("VAT", "2", STATE, about="Tax"), "SALES"),
        (line("Refund 5, VAT", "-2", about="Tax"), "TAX"),
    ],
    ids=lambda one: getattr(one, "name", one),
)
def test_a_line_is_what_its_name_says(given: Any, kind: str) -> None:
    assert kinds(given) == {kind: str(given.amount)}


def test_a_line_is_known_by_what_freshbooks_calls_its_item_and_a_fee_by_its_own_name() -> None:
    called = {"Shipping": "Shipping (S1)"}
    assert kinds(line("Shipping (S1)", "4"), called=called) == {"SHIPPING": "4"}
    assert kinds(line("Shipping", "4"), called=called) == {"SALES": "4"}
    assert kinds(line("Eco levy", "4"), fees=frozenset({"Eco levy"})) == {"FEES": "4"}


def taxes(made: Any) -> list[tuple[str | None, ...]]:
    return [
        (
            one.name,
            None if one.percent is None else str(one.percent),
            str(one.net),
            str(one.charged),
            str(one.refunded),
        )
        for one in made.taxes
    ]


@pytest.mark.parametrize(
    ("amount", "lines", "found"),
    [
        pytest.param(
            "22.50",
            [line("Mug", "10", STATE, qty="2"), line("Book", "0.50")],
            [("State Tax", "10", "20", "2.00", "0.00")],
            id="one tax, and a line without",
        ),
        pytest.param(
            "11.25",
            [line("Mug", "10", STATE, CITY)],
            [("State Tax", "10", "10", "1.00", "0.00"), ("City Tax", "2.5", "10", "0.25", "0.00")],
            id="two taxes on one line",
        ),
        pytest.param(
            "16.50",
            [line("Mug", "10", STATE, qty="2"), line("Refund 5", "-5", STATE)],
            [("State Tax", "10", "15", "2.00", "0.50")],
            id="a refund takes its tax back",
        ),
        pytest.param(
            "0.36",  # three times 0.105 rounded up by line is 0.33; by rate it is 0.315, so 0.32
            [line("A", "0.01", ("T", "50"))] * 24,
            [("T", "50", "0.24", "0.12", "0.00")],
            id="rounded over the invoice, as the total says",
        ),
        pytest.param(
            "0.48",
            [line("A", "0.01", ("T", "50"))] * 24,
            [("T", "50", "0.24", "0.24", "0.00")],
            id="rounded on each line, as the total says",
        ),
        pytest.param(
            "12.00",
            [line("Mug", "10", STATE)],
            [("State Tax", "10", "10", "1.00", "0.00"), ("", None, "0", "1.00", "0")],
            id="what no tax explains is told as that",
        ),
        pytest.param(
            "12.00",
            [line("Mug", "10"), line("VAT", "2.00", about="Tax")],
            [("VAT", None, "0", "2.00", "0")],
            id="taxes that are lines",
        ),
        pytest.param(
            "26.65",
            [
                line("Mug", "35"),
                line("VAT", "2.48", about="Tax"),
                line("Refund 5", "-10", about="Mug"),
                line("Refund 5, VAT", "-0.83", about="Tax"),
            ],
            [("VAT", None, "0", "2.48", "0.83")],
            id="a refund takes back a tax that is a line",
        ),
        pytest.param(
            "19.00",
            [
                line("Mug", "20"),
                line("Refund 5, State Tax", "-10", STATE, about="Tax"),
                line("Refund 5, State Tax", "10", about="Tax"),
            ],
            [("State Tax", "10", "-10", "0", "1.00")],
            id="a refund takes back a tax alone, said at its rate",
        ),
        pytest.param("10.00", [line("Mug", "10")], [], id="none"),
    ],
)
def test_the_tax_of_an_invoice_is_told_by_name_and_rate(
    amount: str, lines: list[Any], found: list[Any]
) -> None:
    assert taxes(figures_of(invoice(amount, *lines), LineKinds())) == found


def test_a_statement_adds_up_to_what_is_invoiced() -> None:
    sale = invoice(
        "64.30",
        line("Mug", "20", STATE),
        line("Discount", "-2", STATE),
        line("Shipping", "5"),
        line("Refund 5", "-5", STATE),
        line("Gift certificate", "50"),
        line("Store credit", "-5"),
        paid=D("60"),
        outstanding=D("4.30"),
    )
    other = invoice("10.00", line("Book", "10"), create_date=date(2026, 11, 6))
    yen = invoice("1100", line("Mug", "1000", STATE), currency="JPY")
    made = [figures_of(one, LineKinds()) for one in (sale, other, yen)]
    japan, dollars = statements(made)
    assert (japan.currency, japan.net_sales, japan.tax) == ("JPY", D(1000), D(100))
    assert (dollars.invoices, dollars.net_sales, dollars.tax) == (2, D(28), D("1.30"))
    beside = dollars.of(LineKind.GIFT_CERTIFICATES) + dollars.of(LineKind.STORE_CREDIT)
    assert dollars.net_sales + dollars.tax + beside == dollars.invoiced == D("74.30")
    assert (dollars.paid, dollars.outstanding) == (D(70), D("4.30"))
    by_day = [(one.currency, one.day.day, one.sold, one.refunded) for one in days(made)]
    assert by_day == [
        ("JPY", 5, D(1000), D(0)),
        ("USD", 5, D(23), D(5)),
        ("USD", 6, D(10), D(0)),
    ]


# -- payments


def receipt(day: int, booked: str, **more: Any) -> Receipt:
    given = {
        "day": date(2026, 11, day),
        "currency": "USD",
        "kind": "VISA",
        "method": "Stripe",
        "order_id": 101,
        "invoice_number": "101",
        "booked": D(booked),
        "refunded": D(0),
        "earlier": False,
    }
    return Receipt(**(given | more))


RECEIPTS = [
    receipt(5, "10.00"),
    receipt(5, "4.00", refunded=D("6.00")),
    receipt(5, "0.00", refunded=D("3.00")),
    receipt(5, "7.00", kind="PayPal", method="PayPal"),
    receipt(6, "8.00", refunded=None),
    receipt(6, "900", currency="JPY"),
]


def test_what_came_in_on_a_day_is_what_stands_and_what_went_back_since() -> None:
    told = [
        (str(one.day), one.currency, one.kind, one.count, one.received, one.refunded, one.booked)
        for one in sums_by_day(RECEIPTS)
    ]
    assert told == [
        ("2026-11-05", "USD", "PayPal", 1, D("7.00"), D(0), D("7.00")),
        ("2026-11-05", "USD", "VISA", 3, D("23.00"), D("9.00"), D("14.00")),
        ("2026-11-06", "JPY", "VISA", 1, D(900), D(0), D(900)),
        ("2026-11-06", "USD", "VISA", 1, D("8.00"), D(0), D("8.00")),
    ]


def test_the_month_s_payments_are_summed_by_type_and_method() -> None:
    told = [
        (one.currency, one.kind, one.count, one.booked, one.unclear)
        for one in sums_by_method(RECEIPTS)
    ]
    assert told == [
        ("JPY", "VISA", 1, D(900), 0),
        ("USD", "PayPal", 1, D("7.00"), 0),
        ("USD", "VISA", 4, D("22.00"), 1),
    ]


# -- orders


def row(order_id: int = 101, **more: Any) -> Row:
    order = OrderRow(
        order_id,
        "posted",
        order_total=D("11.00"),
        currency="USD",
        order_date=DAY,
        invoice_number=str(order_id),
    )
    made = make_row(order, invoice("11.00"))
    assert made is not None
    return Row(**{name: getattr(made, name) for name in Row.__slots__} | more)


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ({}, Standing.AGREES),
        ({"outstanding": D(5)}, Standing.AGREES),
        ({"state": "parked"}, Standing.PERSON),
        ({"draft": True}, Standing.PERSON),
        ({"state": "waiting"}, Standing.PERSON),
        ({"invoice_total": None}, Standing.PERSON),
        ({"order_total": None}, Standing.PERSON),
        ({"invoice_total": D("10.99")}, Standing.PERSON),
        ({"findings": ("edited: …",)}, Standing.PERSON),
        ({"state": "new"}, Standing.PENDING),
        ({"state": "settled", "invoice_total": D(1)}, Standing.SETTLED),
        ({"state": "settled", "order_total": None}, Standing.SETTLED),
        ({"state": "settled", "findings": ("extra: …",)}, Standing.PERSON),
    ],
)
def test_an_order_agrees_only_if_nothing_speaks_against_it(
    changes: dict[str, Any], standing: Standing
) -> None:
    assert row(**changes).standing is standing


ABSENT = Absent(104, DAY, "USD", D(5), "Pending")


@pytest.mark.parametrize(
    ("rows", "absent", "words", "still_open"),
    [
        ([], [], "No order of this month is known.", 0),
        ([row()], [], "1 order agrees; 0 need a person; 0 are not in the books.", 0),
        (
            [row(), row(102), row(103, state="parked", outstanding=D(4))],
            [ABSENT],
            "2 orders agree; 1 needs a person; 1 is not in the books.",
            1,
        ),
        (
            [row(state="settled"), row(102, state="new")],
            [ABSENT] * 2,
            (
                "0 orders agree; 0 need a person; 2 are not in the books;"
                " 1 settled by hand; 1 waits for the next run."
            ),
            0,
        ),
    ],
)
def test_the_headline_tells_how_many_orders_stand_how(
    rows: list[Row], absent: list[Absent], words: str, still_open: int
) -> None:
    told = headline(rows, absent)
    assert (str(told), told.open) == (words, still_open)


def test_an_order_nobody_looked_at_has_no_row() -> None:
    assert make_row(OrderRow(101, "new"), None) is None


def test_what_is_open_is_told_by_client_the_largest_first() -> None:
    ann = {"client_id": 3, "client": "Ann"}
    rows = [
        row(outstanding=D("5.00"), **ann),
        row(102, outstanding=D("6.00"), day=date(2026, 11, 2), **ann),
        row(103, outstanding=D("20.00"), client_id=4, client="Bob Ltd"),
        row(104, outstanding=D("9.00"), client_id=4, client="Bob Ltd", draft=True),
        row(105, outstanding=D(0)),
    ]
    told = [(one.client, one.orders, str(one.oldest), one.outstanding) for one in debts(rows)]
    assert told == [
        ("Bob Ltd", (103,), "2026-11-05", D("20.00")),
        ("Ann", (101, 102), "2026-11-02", D("11.00")),
    ]
    assert "Ann" not in repr(rows[0]) + repr(debts(rows))


@pytest.mark.parametrize(
    ("billing", "name"),
    [
        (BillingAddress(organization="Bob Ltd", fname="Bob"), "Bob Ltd"),
        (BillingAddress(fname="Ann", lname="Lee"), "Ann Lee"),
        (BillingAddress(), "client 3"),
    ],
)
def test_a_client_is_called_as_its_invoice_is_made_out(billing: BillingAddress, name: str) -> None:
    order = OrderRow(101, "posted", order_total=D(1), order_date=DAY)
    made = make_row(order, invoice("1", billing=billing))
    assert made is not None
    assert made.client == name


def test_drafts_and_orders_without_invoice_are_in_no_total() -> None:
    rows = [row(), row(102, draft=True), row(103, invoice_total=None)]
    (sums,) = total_up(rows)
    assert (sums.orders, sums.order_total, sums.difference) == (1, D("11.00"), D(0))


# -- stored value, delays, charts, addresses


def test_stored_value_is_told_by_how_it_moved() -> None:
    stored = StoredValue({"Gift certificate (G)": "Gift certificate"}, date(2026, 11, 1))
    old = date(2026, 10, 3)
    for one in (
        invoice("50", line("Gift certificate (G)", "50"), create_date=old),
        invoice("0", line("Gift certificate (G)", "-20"), create_date=old),
        invoice("25", line("Gift certificate (G)", "25")),
        invoice("5", line("Mug", "15"), line("Gift certificate (G)", "-10")),
        invoice("99", line("Gift certificate (G)", "99"), status=DRAFT),
        invoice("99", line("Gift certificate", "99")),
    ):
        stored.add(one)
    (owed,) = stored.owed()
    assert (owed.item, owed.currency) == ("Gift certificate", "USD")
    assert (owed.opening, owed.added, owed.taken, owed.balance) == (D(30), D(25), D(10), D(45))


def test_delays_are_counted_in_all_spans_or_not_at_all() -> None:
    booked = [date(2026, 11, day) for day in (4, 5, 5, 6, 7, 8, 12, 30)] + [date(2027, 1, 1)]
    assert delays((DAY, one) for one in booked) == {
        "same day": 2,
        "next day": 1,
        "2 to 3 days": 2,
        "4 to 7 days": 1,
        "8 to 30 days": 1,
        "later": 1,
    }
    assert delays([]) == {}


@pytest.mark.parametrize(
    ("least", "most", "levels"),
    [
        ("0", "0", ["0", "0.5", "1"]),
        ("0", "97", ["0", "50", "100"]),
        ("-12", "88", ["-50", "0", "50", "100"]),
        ("0", "0.3", ["0", "0.1", "0.2", "0.3"]),
    ],
)
def test_a_scale_has_round_levels_around_its_values(
    least: str, most: str, levels: list[str]
) -> None:
    made = scale(D(least), D(most))
    assert made[0] <= D(least)
    assert made[-1] >= D(most)
    assert [f"{level.normalize():f}" for level in made][: len(levels)] == levels


def test_a_month_s_chart_has_sales_above_the_axis_and_refunds_below_it() -> None:
    month = Month.parse("2026-11")
    figures = [DayFigures("USD", DAY, 2, D(80), D(20)), DayFigures("EUR", DAY, 1, D(7), D(0))]
    chart = chart_days(month.first, month.last, figures, "USD")
    (sold,), (refunded,) = chart.above, chart.below
    assert (sold.name, sold.amount, refunded.amount) == ("5 November", D(80), D(-20))
    assert sold.y + sold.height == pytest.approx(chart.axis, abs=0.2)
    assert refunded.y == chart.axis
    assert sold.height == pytest.approx(4 * refunded.height, abs=0.5)
    assert [one.amount for one in chart_counts({"same day": 3, "later": 0}).above] == [D(3)]


def test_addresses_are_made_of_nothing_but_plain_words() -> None:
    known = Addresses("abc123", "xZ9")
    assert known.order(5) == "https://store-abc123.mybigcommerce.com/manage/orders/5"
    assert known.invoice(7) == "https://my.freshbooks.com/#/invoice/xZ9-7"
    assert known.invoice(None) is None
    for strange in (None, "", "a/b", 'x" onclick="', "a.evil.example/"):
        assert Addresses(strange, "xZ9").order(5) is None
        assert Addresses("abc", strange or "").invoice(7) is None


# -- files


@pytest.mark.parametrize(
    ("amount", "currency", "shown", "plain"),
    [
        ("1234.5", "USD", "1,234.50", "1234.50"),
        ("1234", "JPY", "1,234", "1234"),
        ("1234.50", "JPY", "1,234.5", "1234.5"),
        ("1.5", "KWD", "1.500", "1.500"),
        ("-0.00", "USD", "0.00", "0.00"),
        ("10.005", "USD", "10.005", "10.005"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency_and_loses_none(
    amount: str, currency: str, shown: str, plain: str
) -> None:
    assert (money(D(amount), currency), str(exact(D(amount), currency))) == (shown, plain)


def test_a_rate_is_shown_as_people_write_it() -> None:
    assert [percent(one) for one in (D("8.8750"), D("20"), None)] == ["8.875 %", "20 %", ""]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_tables_have_plain_numbers_and_no_formulas() -> None:
    sold = figures_of(invoice("11.00", line("Mug", "10", STATE)), LineKinds())
    posted, absent = read(orders_table([row(invoice_number="=1+1")], [ABSENT], [sold]))
    assert (posted["invoice_number"], posted["standing"]) == ("'=1+1", "agrees")
    assert (posted["net_sales"], posted["tax"], posted["difference"]) == ("10.00", "1.00", "0.00")
    assert (absent["order_id"], absent["order_total"]) == ("104", "5.00")
    assert (absent["standing"], absent["reason"]) == ("not in the books", "Pending")
    draft, _ = read(orders_table([row(draft=True, outstanding=D(11))], [ABSENT], []))
    assert (draft["invoice_total"], draft["paid"], draft["outstanding"]) == ("11.00", "", "")
    first, *_, unclear, yen = read(payments_table(RECEIPTS))
    assert (first["received"], first["on_earlier_invoice"]) == ("10.00", "no")
    assert (unclear["received"], unclear["in_the_books"]) == ("", "8.00")
    assert yen["in_the_books"] == "900"


@pytest.mark.parametrize(
    ("lines", "given_back"),
    [
        ([line("Refund 5", "-10", STATE), line("Refunds paid", "11")], "11"),
        ([line("Refund 5", "-10"), line("Store credit", "10", about="Refund 5")], "10"),
        ([line("Gift certificate", "-50", about="Refund 5"), line("Refunds paid", "50")], "50"),
        (
            [
                line("Refund 5", "-10"),
                line("Gift certificate", "-50", about="Refund 5"),
                line("Store credit", "20", about="Refund 5"),
                line("Refunds paid", "40"),
            ],
            "60",
        ),
    ],
)
def test_a_correction_says_what_it_takes_back(lines: list[Any], given_back: str) -> None:
    link = Link("correction", "101/5", 7, order_id=101)
    made = corrections_among([link], {7: invoice("0.00", *lines)})[7]
    assert made is not None
    assert made.given_back == D(given_back)
