"""Digests of one order, pinned: a change of names or forms in the code must not change them."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books.desired import Desired, LineTax
from target_freshbooks.books.policy import GenericClient, LineNames, Policy, TaxName
from target_freshbooks.ledger.storage.canonical import from_text, hash_of, to_text
from target_freshbooks.posting.digests import (
    content_digest,
    desired_digest,
    earlier_digests,
    policy_digest,
)

CASES = Path(__file__).parent / "books_cases"

CONTENT = {
    "tax_exclusive": "44cdf7b282f6297df823d16e7bedb4b843e8fb6782c4eeaec1c1e54fff3fcf17",
    "discount_coupon": "cf5dbe825ef6ebc3a5c2954bbb56fc498f00bc9310ebfdc94c24c613a4378379",
    "discount_two_tax_groups": "0b044644342b42a2b3bf273c016a910c4d476c5bc889334cabc07341842129d0",
}
CONTENT_1 = {
    "tax_exclusive": "01a41907528fe85846e9ee44c105002e6f77d696635628a167a1b009f6da2063",
    "discount_coupon": "8e48d5a108ff6b1fc7f62871447bf3b1d7202aad305e44e6c0b7bd3991453db9",
    "discount_two_tax_groups": "bd4c7c7607accf625463c9a46680a51535776b14b0ca58e8472693808191ad4f",
}
"""As ledgers of before have them, whose posted orders are none that were edited."""
DESIRED = "37b5c637a9f56149785a492733ed4c4b61a3f5e44d7ae626c26a7e1d35eeb583"
POLICY = "3e036d870e9ae4d3014cb6bf015c4765f0a37e79f75dfe42988bc12312915beb"


def facts_of(name: str, **changes: Any) -> Any:
    case = json.loads((CASES / f"{name}.json").read_text("utf-8"), parse_float=Decimal)
    return shop.read_facts(
        case["order"] | changes,
        case["transactions"],
        case["refunds"],
        case["order_taxes"],
        case.get("customer"),
        case.get("store"),
    )


@pytest.mark.parametrize("name", sorted(CONTENT))
def test_an_order_s_content_has_the_digest_it_always_had(name: str) -> None:
    assert content_digest(facts_of(name)) == CONTENT[name]


@pytest.mark.parametrize("name", sorted(CONTENT_1))
def test_and_the_one_that_it_had_before_is_known(name: str) -> None:
    assert earlier_digests(facts_of(name)) == {CONTENT_1[name]}


def test_a_desired_state_has_the_digest_it_always_had() -> None:
    facts = facts_of("tax_exclusive")
    desired = books.desire(facts, Policy())
    assert isinstance(desired, Desired)
    assert desired_digest(desired, content_digest(facts)) == DESIRED


def test_the_settings_have_the_digest_they_always_had() -> None:
    assert policy_digest(Policy()) == POLICY


@pytest.mark.parametrize(
    "changes",
    [
        {"date_created": "2020-01-01T00:00:00Z"},
        {"date_modified": "2030-01-01T00:00:00Z"},
        {"status_id": 10},
        {"payment_method": "Cash"},
        {"external_source": "X"},
    ],
)
def test_what_no_line_follows_from_is_not_content(changes: dict[str, Any]) -> None:
    assert content_digest(facts_of("tax_exclusive", **changes)) == CONTENT["tax_exclusive"]


def test_trailing_zeros_are_no_change() -> None:
    facts = facts_of("tax_exclusive")
    order = dataclasses.replace(facts.order, total_inc_tax=facts.order.total_inc_tax * 1)
    exact = dataclasses.replace(order, total_inc_tax=order.total_inc_tax.quantize(Decimal("1e-6")))
    assert content_digest(dataclasses.replace(facts, order=exact)) == CONTENT["tax_exclusive"]


def test_the_terms_of_an_order_survive_their_way_through_the_ledger() -> None:
    policy = Policy(
        invoice_number_prefix="A-",
        timezone="America/Chicago",
        tax_mode="amount_lines",
        tax_mapping=(TaxName("State Tax", "Sales tax"),),
        account_taxes=(LineTax("GST", Decimal("5.5")),),
        payment_type_mapping=(("square", "Cash"),),
        derived_payment_methods=("twint",),
        on_account_methods=("net #",),
        payment_terms_days=14,
        stored_value="payment",
        refund_mode="credit_note",
        order_refund_tax="share",
        marketplace_sources=(("amazon", "net"),),
        vat_number_field="VAT",
        client_mode="one",
        generic_client=GenericClient("Till", "till@shop.example"),
        names=LineNames(shipping="Freight"),
        rounding_tolerance_cents=1,
        on_cancel="delete",
    )
    stored = from_text(to_text(policy.terms()))
    now = Policy(rounding_tolerance_cents=9, on_order_change="park")
    under = now.under(stored)
    assert hash_of(under.terms()) == hash_of(policy.terms())
    # What shapes no invoice counts as it is now.
    assert (under.rounding_tolerance_cents, under.on_order_change) == (9, "park")
    assert under.on_cancel == "park"
