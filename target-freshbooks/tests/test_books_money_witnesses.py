"""What transactions, refunds and the order itself say of its money, and where they contradict.

An order over 40.00 in each row. A transaction is told as `event amount`, with the number of the
row it refers to (`void 0 of 1`), its method where that is not a card, and `error` or `test`.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from target_freshbooks import books, shop
from target_freshbooks.books import money_witnesses
from target_freshbooks.books.desired import Desired
from target_freshbooks.books.eligibility import Notice, notice_after_posting
from target_freshbooks.books.policy import Policy

CASES = Path(__file__).parent / "books_cases"
PAYLOADS = Path(__file__).parents[3] / "shared" / "reference" / "bigcommerce" / "payloads"
METHODS = {"offline", "custom", "store_credit", "gift_certificate"}
PROVIDERS = {"credit": "storecredit", "certificate": "giftcertificate"}


def facts_of(told: str, says: str, gave: str = "") -> Any:
    """The facts of an order, of transactions, `status payment_status`, and refunds."""
    case: dict[str, Any] = json.loads((CASES / "cash_called_authorized.json").read_text("utf-8"))
    status, _, payment_status = says.partition(" ")
    order = case["order"] | {
        "status_id": int(status),
        "payment_status": payment_status,
        "payment_method": "Credit Card",
    }
    rows = [
        _transaction(number, row) for number, row in enumerate(filter(None, told.split(", ")), 1)
    ]
    refunds = [_refund(number, row) for number, row in enumerate(filter(None, gave.split(", ")), 5)]
    return shop.read_facts(order, rows, refunds, [], None, case["store"])


def _transaction(number: int, told: str) -> dict[str, Any]:
    event, amount, *more = told.split()
    return {
        "id": number,
        "order_id": 1001,
        "event": event,
        "amount": None if amount == "-" else amount,
        "method": next((word for word in more if word in METHODS), "credit_card"),
        "gateway": "stripe",
        "currency": "USD",
        "date_created": "2026-11-01T16:31:00Z",
        "status": "error" if "error" in more else "ok",
        "test": "test" in more,
        "reference_transaction_id": int(more[more.index("of") + 1]) if "of" in more else {},
    }


def _refund(number: int, told: str) -> dict[str, Any]:
    amount, *more = told.split()
    provider = next((PROVIDERS[word] for word in more if word in PROVIDERS), "stripe")
    payment = {"id": number, "provider_id": provider, "amount": amount, "transaction_id": "1"}
    return {
        "id": number,
        "order_id": 1001,
        "created": "2026-11-04T15:00:00Z",
        "total_amount": amount,
        "total_tax": "0",
        "items": [{"item_type": "ORDER", "item_id": 1001, "requested_amount": amount}],
        "payments": [payment | {"is_declined": "declined" in more}],
    }


@pytest.mark.parametrize(
    ("told", "says", "gave", "paid"),
    [
        ("purchase 40", "11 captured", "", "40"),
        ("authorization 40, capture 40 of 1", "11 captured", "", "40"),
        ("authorization 40, capture 15 of 1", "11 authorized", "", "15"),
        ("authorization 40, capture 15 of 1, void 25", "11 captured", "", "15"),
        ("authorization 40, capture 15 of 1, void 0", "11 captured", "", "15"),
        ("authorization 40", "11 authorized", "", "0"),
        ("authorization 40, void 40", "11 void", "", "0"),
        ("authorization 40 of 9, void - of 1, purchase 40", "11 captured", "", "40"),
        ("purchase 40, void 40 of 1", "11 void", "", "0"),
        ("purchase 40, void 0 of 1", "11 void", "", "0"),
        ("purchase 40, void 0", "11 void", "", "0"),
        ("purchase 40, void -", "11 void", "", "0"),
        ("purchase 15, purchase 25, void 25", "11 captured", "", "15"),
        ("purchase 20, purchase 20, void 20", "11 captured", "", "20"),
        ("purchase 15, purchase 25, void 0", "11 void", "", "0"),
        ("purchase 40, settled 40 of 1, void 0 of 1", "11 void", "", "0"),
        ("settled 40", "11 captured", "", "40"),
        ("settled 40", "11 ", "", "40"),
        ("purchase 15 gift_certificate, settled 25", "11 captured", "", "40"),
        ("purchase 15 store_credit, settled 25", "11 ", "", "40"),
        ("purchase 15 gift_certificate, purchase 25, settled 25", "11 captured", "", "40"),
        ("settled 15 gift_certificate, purchase 25", "11 captured", "", "40"),
        ("purchase 0, settled 40", "11 captured", "", "40"),
        ("purchase 40, void 0 of 1, settled 40", "11 captured", "", "40"),
        ("purchase 40, void 0 of 1, authorization 40, settled 40 of 3", "11 ", "", "40"),
        ("purchase 40, settled 40, void 0 of 1", "11 void", "", "0"),
        ("purchase 40, settled 40 of 1, void 0 of 1", "11 ", "", "0"),
        ("settled 40, void 40", "11 void", "", "0"),
        ("purchase 40 error, purchase 40", "11 captured", "", "40"),
        ("purchase 40 offline", "11 ", "", "40"),
        ("purchase 40 offline", "11 void", "", "40"),
        ("pending 40 offline, purchase 40 offline", "11 refunded", "", "40"),
        ("purchase 40 store_credit, void 0 of 9", "11 captured", "", "40"),
        ("purchase 40 test", "11 captured", "", "0"),
        ("purchase 25", "11 captured", "", "25"),
        ("purchase 40, refund 10 of 1", "14 partially refunded", "10", "40"),
        ("purchase 40, refund -10 of 1", "14 partially refunded", "10", "40"),
        ("purchase 40, refund 10 of 1 error", "11 captured", "", "40"),
        ("purchase 40, refund 10 of 1, void 0 of 2", "11 captured", "", "40"),
        ("purchase 40", "14 partially refunded", "10", "40"),
        ("purchase 40", "14 refunded", "10 declined", "40"),
        ("purchase 40, refund 10 of 1", "14 partially refunded", "10 declined", "40"),
        ("purchase 40", "14 partially refunded", "10 credit", "40"),
        ("purchase 40, refund 10 of 1 store_credit", "14 partially refunded", "10 credit", "40"),
        (
            "purchase 40, refund 10 of 1, refund 5 of 1 store_credit",
            "14 partially refunded",
            "10, 5 credit",
            "40",
        ),
        (
            "purchase 40, refund 10 of 1 gift_certificate",
            "14 partially refunded",
            "10 certificate",
            "40",
        ),
        ("purchase 40", "4 refunded", "", "40"),
        ("purchase 40", "14 void", "10", "40"),
        ("purchase 40, void 40 of 1", "5 captured", "", "0"),
    ],
)
def test_one_story_is_told_and_the_money_is_known(
    told: str, says: str, gave: str, paid: str
) -> None:
    facts = facts_of(told, says, gave)
    assert money_witnesses.unclear(facts) is None
    assert sum(row.amount for row in money_witnesses.captures(facts)) == Decimal(paid)
    assert money_witnesses.denied(facts) == 0


@pytest.mark.parametrize(
    ("told", "says", "gave", "paid", "words"),
    [
        ("authorization 40", "11 captured", "", "0", "authorization 1 over 40.00 USD"),
        ("pending 40", "11 paid", "", "0", "the shop says paid"),
        ("purchase 40, void 0 of 1", "11 captured", "", "0", "purchase 1 over 40.00 USD"),
        ("purchase 40", "11 void", "", "40", "says void, but 40.00 USD were captured"),
        ("authorization 40, capture 40 of 1, void 0 of 1", "11 void", "", "40", "says void"),
        ("purchase 40", "2 refunded", "", "40", "says refunded, but 40.00 USD were captured"),
        ("purchase 40", "2 partially refunded", "", "40", "nothing went back"),
        ("purchase 15, purchase 25, void 0", "11 captured", "", "40", "void 3 does not say"),
        ("purchase 15, purchase 25, void 7", "11 captured", "", "40", "void 3 does not say"),
        ("purchase 40, refund 10 of 1", "11 captured", "", "40", "sent back 10.00 USD"),
        ("purchase 40, refund -10 of 1", "11 captured", "", "40", "its refunds come to 0.00 USD"),
        ("purchase 40, refund 10, refund 5", "14 captured", "10", "35", "sent back 15.00 USD"),
        ("purchase 40, refund 40", "11 refunded", "", "0", "refunds come to 0.00 USD"),
        ("purchase 15, purchase 25, refund 20", "14 ", "", "20", "of 40.00 USD captured"),
        ("refund 10", "14 partially refunded", "", "30", "sent back 10.00 USD"),
        (
            "purchase 40, refund 10 of 1",
            "14 partially refunded",
            "10 credit",
            "30",
            "but its refunds come to 0.00 USD beside 10.00 USD of store credit",
        ),
        (
            "purchase 40, refund 15 of 1",
            "14 ",
            "10, 10 certificate",
            "35",
            "but its refunds come to 10.00 USD beside 10.00 USD of gift certificate",
        ),
        (
            "purchase 40, refund 10 of 1 store_credit",
            "14 ",
            "10",
            "40",
            "gave back 10.00 USD of store credit, but its refunds come to 0.00 USD of it",
        ),
        ("purchase 40, settled 40, void 0 of 1", "11 ", "", "40", "settled 2 over 40.00 USD does"),
        ("purchase 40, void 0 of 1, settled 40 of 1", "11 captured", "", "0", "purchase 1 over"),
        ("settled 40, void 0", "11 captured", "", "0", "settled 1 over 40.00 USD"),
        ("purchase 15 store_credit, settled 25, void 0", "11 ", "", "25", "void 3 does not say"),
    ],
)
def test_two_stories_are_told_with_figures_and_what_both_deny_is_not_booked(
    told: str, says: str, gave: str, paid: str, words: str
) -> None:
    desired = books.desire(facts_of(told, says, gave), Policy())
    assert isinstance(desired, Desired)
    assert sum(payment.amount for payment in desired.payments) == Decimal(paid)
    assert desired.flag is not None
    assert words in desired.flag.detail
    assert not desired.hold


def test_of_an_order_with_more_transactions_than_are_given_nothing_is_concluded() -> None:
    case: dict[str, Any] = json.loads((CASES / "paid_manually.json").read_text("utf-8"))
    order = case["order"] | {"transactions_truncated": True}
    facts = shop.read_facts(order, [], [], [], None, case["store"])
    desired = books.desire(facts, Policy())
    assert isinstance(desired, Desired)
    assert desired.payments == ()
    assert desired.flag is not None
    assert desired.flag.reason == "money_unclear"
    assert not money_witnesses.may_clear_up(facts, desired.flag, facts.order.modified)


@pytest.mark.parametrize(
    ("minutes", "waits"), [(-61, False), (-59, True), (0, True), (59, True), (60, False)]
)
def test_what_changed_within_the_hour_may_clear_up(minutes: int, waits: bool) -> None:
    now = datetime.fromisoformat("2026-11-01T16:31:00Z") + timedelta(minutes=minutes)
    unclear, clear = (
        facts_of("authorization 40", "11 captured"),
        facts_of("purchase 40", "11 captured"),
    )
    assert money_witnesses.may_clear_up(unclear, None, now) is waits
    assert not money_witnesses.may_clear_up(clear, None, now)


def test_tests_alone_are_no_money_and_none_is_made_up_for_them() -> None:
    facts = facts_of("purchase 40 error, purchase 40 test", "11 captured")
    assert money_witnesses.only_tests(facts)
    desired = books.desire(facts, Policy())
    assert isinstance(desired, Desired)
    assert desired.payments == ()
    assert notice_after_posting(facts, Policy()) is Notice.TEST_MODE
    assert not money_witnesses.only_tests(facts_of("purchase 40 test, purchase 1", "11 captured"))
    assert not money_witnesses.only_tests(facts_of("", "11 captured"))


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the payloads are not shipped")
@pytest.mark.parametrize(
    "path", sorted(PAYLOADS.glob("[!r]*.json")), ids=lambda path: str(path.stem)
)
def test_no_order_that_was_really_captured_has_two_stories_of_its_money(path: Path) -> None:
    body = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    captured = body["order"] | {"store_hash": "abc", "line_items": body["products"], "fees": []}
    captured |= {"consignments": {}, "default_currency_code": "USD"}
    facts = shop.read_facts(captured, [], [], [], None, {"timezone": {"name": "Europe/London"}})
    assert money_witnesses.unclear(facts) is None


@pytest.mark.parametrize(
    ("says", "gave", "reason"),
    [
        ("10 refunded", "", "money_unclear"),
        ("10 partially refunded", "", "money_unclear"),
        ("4 refunded", "", "refund_missing"),
        ("10 partially refunded", "10", None),
    ],
)
def test_the_word_that_money_went_back_makes_none_up(
    says: str, gave: str, reason: str | None
) -> None:
    facts = facts_of("", says, gave)
    desired = books.desire(facts, Policy())
    assert isinstance(desired, Desired)
    assert (desired.flag and desired.flag.reason) == reason
    assert bool(desired.payments) is (reason != "money_unclear")
    waits = money_witnesses.may_clear_up(facts, desired.flag, facts.order.modified)
    assert waits is (reason == "money_unclear")
