"""What methods of payment mean, by the names that merchants give them."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.books.payment_methods import (
    Meaning,
    brought_money,
    days_until_due,
    meaning_of,
)
from target_freshbooks.books.policy import Policy
from target_freshbooks.shop import read_facts

if TYPE_CHECKING:
    from target_freshbooks.shop.facts import OrderFacts

CASES = Path(__file__).parent / "books_cases"

IN_HAND = ["Cash", "CASH", "Cheque", "Check", "Money Order", "Bank Deposit", "bankdeposit"]
IN_HAND += ["Bank Transfer", "Pay in Store", "Manual", " manual "]
ON_ACCOUNT = ["Purchase Order", "Net 30", "NET-60", "Net30", "Payment terms", "Invoice (14 days)"]
ON_ACCOUNT += ["On Account", "Trade account, on account", "Purchase Order #", "2/10 net 30"]
UNKNOWN = ["", "Credit Card", "Authorize.Net", "Authorize.Net 30", "Netbanking 30", "Net 2026"]
UNKNOWN += ["Cash App", "Checkout.com", "Manually", "Invoices", "PayPal", "Internet 30", "Net"]


@pytest.mark.parametrize("method", IN_HAND)
def test_cash_and_what_is_like_it_is_money_in_hand(method: str) -> None:
    assert meaning_of(method, Policy()) is Meaning.IN_HAND


@pytest.mark.parametrize("method", ["Cash on Delivery", "cashondelivery", "COD"])
def test_cash_on_delivery_is_in_hand_once_the_order_is_completed(method: str) -> None:
    assert meaning_of(method, Policy()) is Meaning.ON_DELIVERY


@pytest.mark.parametrize("method", ON_ACCOUNT)
def test_words_in_the_name_of_a_method_put_it_on_account(method: str) -> None:
    assert meaning_of(method, Policy()) is Meaning.ON_ACCOUNT


@pytest.mark.parametrize("method", UNKNOWN)
def test_a_part_of_a_word_or_of_another_name_places_no_method(method: str) -> None:
    assert meaning_of(method, Policy()) is Meaning.UNKNOWN
    assert days_until_due(method, Policy()) == 0


@pytest.mark.parametrize(
    ("method", "days"),
    [
        ("Purchase Order", 30),
        ("Net 45", 45),
        ("Net60", 60),
        ("Invoice 14 days", 14),
        ("2/10 net 45", 45),
        ("Terms of 2026", 30),
        ("net 0", 0),
        ("Cash", 0),
    ],
)
def test_a_number_of_days_in_the_name_wins_over_the_setting(method: str, days: int) -> None:
    assert days_until_due(method, Policy()) == days


def test_a_whole_name_in_either_list_places_a_method_before_words_do() -> None:
    assert meaning_of("Invoice", Policy(derived_payment_methods=("invoice",))) is Meaning.ON_ACCOUNT
    till = Policy(derived_payment_methods=("Invoice at the till",))
    assert meaning_of("Invoice at the till", till) is Meaning.IN_HAND
    assert meaning_of("Cash", Policy(on_account_methods=("cash",))) is Meaning.ON_ACCOUNT


@pytest.mark.parametrize("entry", ["", " ", "-"])
def test_an_entry_without_a_word_places_nothing(entry: str) -> None:
    policy = Policy(derived_payment_methods=(entry,), on_account_methods=(entry,))
    assert {meaning_of(name, policy) for name in ("", "-", "Klarna")} == {Meaning.UNKNOWN}


def facts_of(
    method: str, payment_status: str, status_id: int = 11, *refunds: dict[str, Any]
) -> OrderFacts:
    body = json.loads((CASES / "purchase_order.json").read_text("utf-8"))["order"]
    told = {"payment_method": method, "payment_status": payment_status, "status_id": status_id}
    return read_facts(body | told, [], refunds, [], None, {"timezone": {"name": "UTC"}})


def refund_by(provider: str, *, declined: bool = False) -> dict[str, Any]:
    payment = {"id": 1, "provider_id": provider, "amount": "10.00", "is_declined": declined}
    body = {"id": 5, "created": "2026-11-05T12:00:00+00:00", "total_amount": "10.00"}
    return body | {"total_tax": "0", "items": [], "payments": [payment]}


@pytest.mark.parametrize("status_id", [4, 14])
def test_cash_on_delivery_came_where_money_of_it_went_back(status_id: int) -> None:
    def came(*refunds: dict[str, Any], booked: str | None = None) -> bool:
        facts = facts_of("COD", "pending", status_id, *refunds)
        paid_by_hand = None if booked is None else Decimal(booked)
        return brought_money(replace(facts, paid_by_hand=paid_by_hand), Policy())

    assert came(refund_by("custom"))
    assert came(booked="40.00")
    assert not came()
    assert not came(refund_by("custom", declined=True))
    assert not came(refund_by("storecredit"))


@pytest.mark.parametrize("told", ["refunded", "partially refunded"])
def test_a_refund_says_that_money_came_but_for_what_is_on_account(told: str) -> None:
    assert brought_money(facts_of("PayPal", told), Policy())
    assert not brought_money(facts_of("Net 30", told), Policy())


@pytest.mark.parametrize("told", ["declined", "void", "void pending"])
def test_a_void_or_declined_payment_by_hand_never_came(told: str) -> None:
    assert not brought_money(facts_of("Cash", told), Policy())
    assert brought_money(facts_of("Cash", "pending"), Policy())


@pytest.mark.parametrize("told", ["captured", "paid", " Paid "])
def test_captured_money_came_whatever_the_method_or_the_status(told: str) -> None:
    assert all(
        brought_money(facts_of(one, told, 7), Policy()) for one in ("Net 30", "Klarna", "COD")
    )
