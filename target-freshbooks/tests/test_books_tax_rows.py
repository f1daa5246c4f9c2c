"""Tax rows whose amounts are gone, or were lowered by a refund: no tax is lost for that."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.desired import Desired, Reason
from target_freshbooks.books.policy import Policy
from target_freshbooks.posting.digests import content_digest

if TYPE_CHECKING:
    from target_freshbooks.shop.facts import OrderFacts

D = Decimal
ZERO = D(0)
CASES = Path(__file__).parent / "books_cases"
TAXED = ("refund_product", "rates_uk_basket", "tax_two_rates", "discount_two_tax_groups")


def facts_of(name: str) -> OrderFacts:
    case: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    return shop.read_facts(
        case["order"],
        case["transactions"],
        case["refunds"],
        case["order_taxes"],
        case.get("customer"),
        case.get("store"),
    )


def with_amounts(facts: OrderFacts, *factors: str, **changes: Any) -> OrderFacts:
    """The facts with the rows' amounts lowered, the last factor for the others."""
    given = [*factors, *[factors[-1]] * len(facts.taxes)]
    rows = zip(facts.taxes, given, strict=False)
    taxes = tuple(replace(row, amount=row.amount * D(factor), **changes) for row, factor in rows)
    return replace(facts, taxes=taxes)


def desire(facts: OrderFacts, **policy: Any) -> Desired:
    desired = books.desire(facts, Policy(**policy))
    assert isinstance(desired, Desired)
    return desired


@pytest.mark.parametrize("name", TAXED)
@pytest.mark.parametrize("factors", [("0",), ("0", "1"), ("0.5", "1"), ("0.5",)])
def test_an_order_keeps_its_taxes_whatever_its_rows_come_to_by_now(
    name: str, factors: tuple[str, ...]
) -> None:
    facts = facts_of(name)
    before, now = desire(facts), desire(with_amounts(facts, *factors))
    assert not now.hold
    assert now.invoice.total == before.invoice.total
    assert [line.taxes for line in now.invoice.lines] == [
        line.taxes for line in before.invoice.lines
    ]
    assert [entry.taken for entry in now.refunds] == [entry.taken for entry in before.refunds]


@pytest.mark.parametrize(
    ("name", "tax"), [("refund_product", "2.48"), ("rates_uk_basket", "12.37")]
)
def test_lines_with_amounts_of_tax_keep_it_too(name: str, tax: str) -> None:
    desired = desire(with_amounts(facts_of(name), "0"), tax_mode="amount_lines")
    taxes = [line.unit_cost for line in desired.invoice.lines if line.description == "Tax"]
    assert taxes == [D(tax)]


def test_a_tax_that_no_row_explains_is_not_left_out() -> None:
    facts = with_amounts(facts_of("refund_product"), "0", rate=ZERO)
    desired = desire(facts)
    assert desired.hold
    assert desired.flag is not None
    assert desired.flag.reason is Reason.TOTAL_MISMATCH
    assert "37.48 USD (Texas Sales Tax 2.48)" in desired.flag.detail


def test_nor_is_one_where_no_charge_bears_the_rate() -> None:
    facts = facts_of("refund_product")
    order = replace(facts.order, lines=tuple(_untaxed(line) for line in facts.order.lines))
    desired = desire(replace(with_amounts(facts, "0", line_id=99), order=order))
    assert desired.hold
    assert desired.flag is not None
    assert "(no tax), but the shop charged 37.48 USD (Tax 2.48)" in desired.flag.detail


def _untaxed(line: Any) -> Any:
    return replace(line, total_ex_tax=line.total_inc_tax, total_tax=ZERO)


def test_an_exempt_line_stays_exempt_where_the_taxed_ones_are_some_cents_off() -> None:
    facts = facts_of("rates_decided_by_the_draft")
    taxed, exempt = facts.order.lines
    order = replace(
        facts.order,
        lines=(taxed, _without_tax(exempt)),
        total_tax=D("0.85"),
        total_inc_tax=D("20.85"),
    )
    desired = desire(with_amounts(replace(facts, order=order), "1", "0"))
    assert not desired.hold
    assert [bool(line.taxes) for line in desired.invoice.lines[:2]] == [True, False]


def _without_tax(line: Any) -> Any:
    ex = line.total_ex_tax
    ended = None if line.discounted_total_inc_tax is None else ex
    return replace(line, total_inc_tax=ex, total_tax=ZERO, discounted_total_inc_tax=ended)


@pytest.mark.parametrize("name", TAXED)
def test_amounts_of_tax_rows_are_no_content(name: str) -> None:
    facts = facts_of(name)
    assert content_digest(with_amounts(facts, "0.5", "0")) == content_digest(facts)


@pytest.mark.parametrize("change", [{"name": "Other"}, {"rate": D(7)}, {"tax_class": "Food"}])
def test_names_and_rates_of_tax_rows_are(change: dict[str, Any]) -> None:
    facts = facts_of("refund_product")
    assert content_digest(with_amounts(facts, "1", **change)) != content_digest(facts)
