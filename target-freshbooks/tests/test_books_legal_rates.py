"""Shops of six kinds: the taxes on their invoices are those that their law knows, at its rates.

The orders are computed here by BigCommerce's formula, under both of its rounding strategies, and so
is FreshBooks' arithmetic. What is counted is printed: percents on invoices that no row of the order
has (merged rates are sums of such), Rounding lines, and orders held for a person.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import combinations, product
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.desired import Desired
from target_freshbooks.books.policy import Policy

D = Decimal
ZERO = D(0)
CENT = D("0.01")
STORE = {"timezone": {"name": "UTC"}}
Rate = tuple[str, str]


@dataclass(frozen=True)
class Kind:
    """A kind of shop: its currency, whether prices include tax, and the taxes a line may bear."""

    name: str
    currency: str
    inclusive: bool
    taxes: tuple[tuple[Rate, ...], ...]
    strategy: str = "NO_ROUNDING"


UK = ((("VAT", "20"),),)
EU = tuple(
    ((f"VAT {code}", rate),)
    for code, rate in (
        ("DE", "19"),
        ("DE", "7"),
        ("FR", "20"),
        ("FR", "5.5"),
        ("NL", "21"),
        ("IE", "23"),
    )
)
NY = (("NY State", "4"), ("NYC", "4.5"), ("MCTD", "0.375"))
EXACT = [
    Kind("UK, 20 % incl.", "GBP", True, UK),
    Kind("EU, six rates incl.", "EUR", True, EU),
    Kind("AU, 10 % incl.", "AUD", True, ((("GST", "10"),),)),
    Kind("US, three jurisdictions", "USD", False, (NY,)),
    Kind(
        "US, four jurisdictions",
        "USD",
        False,
        (
            (("State", "6.25"), ("County", "1"), ("City", "0.5"), ("Transit", "0.25")),
            (("State", "6.25"),),
        ),
    ),
    Kind("CA, GST and QST", "CAD", False, ((("GST", "5"), ("QST", "9.975")),)),
    Kind("US, one rate", "USD", False, ((("Texas Sales Tax", "8.25"),),)),
    Kind("US, a rate of four decimals", "USD", False, ((("County Tax", "6.0625"),),)),
]
TOLD = ("applied_discounts", "discounted_total_inc_tax")
"""Where lines tell what was taken off them."""

KINDS = [
    *EXACT,
    *(replace(kind, name=f"{kind.name}, each rounded", strategy="RATE_ROUNDING") for kind in EXACT),
]


def rounded(amount: Decimal, places: str = "0.01") -> Decimal:
    return amount.quantize(D(places), ROUND_HALF_UP)


def figures(kind: Kind, entered: Decimal, off: Decimal, rates: tuple[Rate, ...]) -> dict[str, Any]:
    """What BigCommerce makes of an entered price, before and after a discount."""
    places = "0.01" if kind.strategy == "RATE_ROUNDING" else "0.0001"
    whole = sum((D(rate) for _, rate in rates), ZERO) / 100

    def taxed(amount: Decimal) -> tuple[Decimal, Decimal, list[Decimal]]:
        net = amount / (1 + whole) if kind.inclusive else amount
        taxes = [rounded(net * D(rate) / 100, places) for _, rate in rates]
        tax = sum(taxes, ZERO)
        return (amount - tax, amount, taxes) if kind.inclusive else (amount, amount + tax, taxes)

    ex, inc, _ = taxed(entered)
    after_ex, after_inc, taxes = taxed(entered - off)
    return {"ex": ex, "inc": inc, "after_ex": after_ex, "after_inc": after_inc, "taxes": taxes}


def order_of(kind: Kind, rnd: random.Random, order_id: int = 1000) -> dict[str, Any]:
    """An order with its tax rows, by BigCommerce's totals formula."""
    entered = [
        (D(rnd.randrange(99, 20000)) / 100, rnd.choice([1, 1, 1, 2, 3, 4]), rnd.choice(kind.taxes))
        for _ in range(rnd.choice([1, 1, 2, 3, 4, 5, 8, 12]))
    ]
    goods = sum((price * quantity for price, quantity, _ in entered), ZERO)
    discount = rounded(goods * rnd.choice([0, 0, 0, 5, 10, 15]) / 100)
    lines, rows = list[dict[str, Any]](), list[dict[str, Any]]()
    total = tax = left = ZERO
    left = discount
    for i, (price, quantity, rates) in enumerate(entered):
        share = rounded(discount * price * quantity / goods, "0.0001")
        share = left if i == len(entered) - 1 else share
        left -= share
        made = figures(kind, price * quantity, share, rates)
        lines.append(
            {
                "id": 10 + i,
                "product_id": 50 + i,
                "variant_id": 90 + i,
                "name": f"Thing {i}",
                "type": "physical",
                "quantity": quantity,
                "price_ex_tax": str(rounded(made["ex"] / quantity, "0.0001")),
                "total_ex_tax": str(rounded(made["ex"], "0.0001")),
                "total_inc_tax": str(rounded(made["inc"], "0.0001")),
                "discounted_total_inc_tax": str(rounded(made["after_inc"], "0.0001")),
                "applied_discounts": [{"id": "coupon", "amount": str(share), "target": "order"}]
                if share
                else [],
            }
        )
        rows += [
            _row(name, rate, amount, "item", 10 + i)
            for (name, rate), amount in zip(rates, made["taxes"], strict=True)
        ]
        total, tax = total + made["after_inc"], tax + sum(made["taxes"], ZERO)
    order = dict[str, Any]()
    if rnd.random() < 0.6:
        rates = kind.taxes[0]
        made = figures(kind, D(rnd.randrange(200, 2500)) / 100, ZERO, rates)
        rows += [
            _row(name, rate, amount, "shipping", None)
            for (name, rate), amount in zip(rates, made["taxes"], strict=True)
        ]
        order |= {
            "shipping_cost_ex_tax": str(rounded(made["ex"], "0.0001")),
            "shipping_cost_inc_tax": str(rounded(made["inc"], "0.0001")),
        }
        total, tax = total + made["inc"], tax + sum(made["taxes"], ZERO)
    order |= {
        "id": order_id,
        "store_hash": "teststore",
        "date_created": "2026-11-01T10:00:00Z",
        "status_id": 11,
        "payment_method": "Credit Card",
        "default_currency_code": kind.currency,
        "is_tax_inclusive_pricing": kind.inclusive,
        "total_inc_tax": str(rounded(total)),
        "total_tax": str(rounded(tax)),
        "total_ex_tax": str(rounded(total) - rounded(tax)),
        "discount_amount": "0",
        "coupon_discount": str(discount),
        "billing_address": {"email": "jo@example.com"},
        "line_items": lines,
    }
    return {"order": order, "rows": rows}


def _row(name: str, rate: str, amount: Decimal, kind: str, line: int | None) -> dict[str, Any]:
    return {
        "name": name,
        "class": "Default",
        "rate": rate,
        "priority": 1,
        "line_amount": str(amount),
        "line_item_type": kind,
        "order_product_id": line,
    }


def lawful(kind: Kind) -> set[tuple[str, Decimal]]:
    """Names and percents that may stand on an invoice of the shop."""
    found = set[tuple[str, Decimal]]()
    for rates in kind.taxes:
        for size in range(1, len(rates) + 1):
            for some in combinations(rates, size):
                name = " + ".join(sorted(name for name, _ in some))
                found.add((name, sum((D(rate) for _, rate in some), ZERO)))
    return found


def booked(made: dict[str, Any], policy: Policy) -> Desired:
    desired = books.desire(
        shop.read_facts(made["order"], (), (), made["rows"], store=STORE), policy
    )
    assert isinstance(desired, Desired), desired
    return desired


def test_the_taxes_on_an_invoice_are_the_shop_s_and_its_total_is_exact() -> None:
    policy, told = Policy(), list[str]()
    for kind in KINDS:
        tally = Counter[str]()
        rnd, known = random.Random(kind.name), lawful(kind)  # noqa: S311 - made-up orders
        for _ in range(100):
            made = order_of(kind, rnd)
            desired = booked(made, policy)
            tally["orders"] += 1
            pairs = {(t.name, t.percent) for line in desired.invoice.lines for t in line.taxes}
            tally["invented percents"] += len(pairs - known)
            tally["held"] += desired.hold
            assert not desired.hold, desired.flag
            _proven(desired, tally, policy)
        assert tally["invented percents"] == 0
        told.append(f"{kind.name}: {dict(sorted(tally.items()))}")
    print("\n".join(told))


def amount_of(lines: Any, *, per_line: bool, mode: str) -> Decimal:
    """FreshBooks' total: the tax of each line, or of each rate, rounded half up or to even."""
    net, sums = ZERO, dict[Any, Decimal]()
    for position, line in enumerate(lines):
        amount = line.quantity * line.unit_cost
        net += amount
        for tax in line.taxes:
            key = (tax.name, tax.percent, position if per_line else 0)
            sums[key] = sums.get(key, ZERO) + amount * tax.percent / 100
    return net + sum((tax.quantize(CENT, mode) for tax in sums.values()), ZERO)


def _proven(desired: Desired, tally: Counter[str], policy: Policy) -> None:
    total = desired.invoice.total
    for per_line, mode in product((True, False), (ROUND_HALF_UP, ROUND_HALF_EVEN)):
        answer = amount_of(desired.invoice.lines, per_line=per_line, mode=mode)
        lines = books.mend(desired.invoice.lines, answer, total, policy, 2) or ()
        assert amount_of(lines, per_line=per_line, mode=mode) == total
        rounding = [line.unit_cost for line in lines if line.name == "Rounding"]
        assert all(abs(cents) <= D("0.05") for cents in rounding)
        if per_line and mode == ROUND_HALF_UP:
            tally["Rounding lines"] += len(rounding)
            tally["cents in them"] += int(sum(map(abs, rounding), ZERO) * 100)


@pytest.mark.parametrize("untold", [(), ("applied_discounts",), TOLD], ids=["both", "end", "none"])
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not kind.inclusive], ids=lambda kind: kind.name
)
def test_prices_without_tax_are_never_moved(kind: Kind, untold: tuple[str, ...]) -> None:
    rnd = random.Random(7)  # noqa: S311 - made-up orders
    for _ in range(50):
        made = order_of(kind, rnd)
        stated = [D(line["total_ex_tax"]) for line in made["order"]["line_items"]]
        for line in made["order"]["line_items"]:
            for name in untold:
                del line[name]
        lines = booked(made, Policy()).invoice.lines
        assert [line.quantity * line.unit_cost for line in lines[: len(stated)]] == stated
        taken = [line.unit_cost for line in lines if line.name == "Discount"]
        if len(taken) == 1:  # of several groups of taxes the shares are no whole cents
            assert taken == [-D(made["order"]["coupon_discount"])]


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[1]], ids=["one rate", "six rates"])
def test_two_hundred_lines_take_less_than_twenty_milliseconds(kind: Kind) -> None:
    rnd = random.Random(3)  # noqa: S311 - made-up orders
    made = order_of(kind, rnd)
    first, rows = made["order"]["line_items"][0], list[dict[str, Any]]()
    lines, total, tax = list[dict[str, Any]](), ZERO, ZERO
    for i in range(200):
        rates = kind.taxes[i % len(kind.taxes)]
        found = figures(kind, D(rnd.randrange(99, 9999)) / 100, ZERO, rates)
        lines.append(
            first
            | {
                "id": 10 + i,
                "quantity": 1,
                "applied_discounts": [],
                "total_ex_tax": str(rounded(found["ex"], "0.0001")),
                "total_inc_tax": str(found["inc"]),
                "discounted_total_inc_tax": str(found["inc"]),
            }
        )
        rows.append(_row(*rates[0], found["taxes"][0], "item", 10 + i))
        total, tax = total + found["inc"], tax + found["taxes"][0]
    order = made["order"] | {
        "line_items": lines,
        "shipping_cost_inc_tax": "0",
        "shipping_cost_ex_tax": "0",
        "coupon_discount": "0",
        "total_inc_tax": str(total),
        "total_tax": str(rounded(tax)),
        "total_ex_tax": str(total - rounded(tax)),
    }
    facts = shop.read_facts(order, (), (), rows, store=STORE)
    parts = books.break_down(facts, Policy())
    spent = []
    for _ in range(5):
        before = time.process_time()
        drafted = books.draft_lines(parts, 1000, Policy(), (kind.currency, 2))
        spent.append(time.process_time() - before)
    assert len(drafted.lines) >= 200
    assert min(spent) < 0.02, spent
