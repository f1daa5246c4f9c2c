"""The inbox keeps what the shop last said, exactly, and knows whether it changed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from target_freshbooks.ledger import Ledger, Record, inbox

if TYPE_CHECKING:
    from conftest import SteppingClock


def order(number: int, **fields: Any) -> Record:
    body = {"id": number, "date_created": "2026-11-01T10:00:00Z", "total_inc_tax": "69.84"}
    return Record("orders", (number,), number, {**body, **fields})


def transaction(number: int, of: int, amount: str = "69.84") -> Record:
    return Record("transactions", (number,), of, {"id": number, "amount": amount})


def received_at(ledger: Ledger, stream: str) -> list[str]:
    query = text("SELECT received_at FROM ledger_inbox WHERE stream = :stream ORDER BY key")
    with ledger._database.read() as connection:
        return list(connection.execute(query, {"stream": stream}).scalars())


def test_an_order_s_facts_are_its_record_and_its_children_by_key(ledger: Ledger) -> None:
    ledger.receive([transaction(100, 7), transaction(9, 7, "1.00"), order(7), transaction(5, 8)])
    facts = ledger.facts_of(7)
    assert facts is not None
    assert facts.order["total_inc_tax"] == "69.84"
    assert [row["id"] for row in facts.children["transactions"]] == [9, 100]


def test_facts_are_not_given_before_the_order_s_own_record(ledger: Ledger) -> None:
    ledger.receive([transaction(9, 7)])
    assert ledger.facts_of(7) is None
    assert ledger.order(7) is None


def test_numbers_keep_their_digits(ledger: Ledger) -> None:
    ledger.receive([order(7, weight=Decimal("1.500"), big=Decimal("0.10000000000000000001"))])
    body = ledger.body("orders", (7,))
    assert body is not None
    assert str(body["weight"]) == "1.500"
    assert body["big"] == Decimal("0.10000000000000000001")


def test_text_that_databases_refuse_is_kept(ledger: Ledger) -> None:
    ledger.receive([Record("customers", ("a\0b\ud800",), None, {"note": "nul \0, half \ud83d"})])
    assert ledger.body("customers", ("a\0b\ud800",)) == {"note": "nul \0, half \ud83d"}


def test_an_unchanged_record_keeps_the_time_it_came_and_a_changed_one_does_not(
    ledger: Ledger,
) -> None:
    ledger.receive([order(7)])
    first = received_at(ledger, "orders")
    ledger.receive([order(7)])
    assert received_at(ledger, "orders") == first
    ledger.receive([order(7, status="changed")])
    assert received_at(ledger, "orders") > first


def test_of_two_records_with_one_key_the_later_stays(ledger: Ledger) -> None:
    ledger.receive([order(7, status_id=1), order(7, status_id=2)])
    body = ledger.body("orders", (7,))
    assert body is not None
    assert body["status_id"] == 2


def test_the_hash_of_facts_tells_whether_anything_changed(ledger: Ledger) -> None:
    def facts_hash() -> str:
        facts = ledger.facts_of(7)
        assert facts is not None
        return facts.hash

    ledger.receive([order(7), transaction(9, 7)])
    before = facts_hash()
    ledger.receive([transaction(9, 7), order(7)])
    assert facts_hash() == before
    ledger.receive([transaction(9, 7, "69.85")])
    assert facts_hash() != before
    ledger.receive([transaction(9, 7)])
    assert facts_hash() == before
    ledger.replace_children("transactions", 7, [])
    assert facts_hash() != before


def test_children_the_shop_has_no_more_are_dropped(ledger: Ledger) -> None:
    ledger.receive([order(7), *(transaction(n, 7) for n in (1, 2, 3)), transaction(4, 8)])
    ledger.replace_children("transactions", 7, [(2,)])
    facts = ledger.facts_of(7)
    assert facts is not None
    assert [row["id"] for row in facts.children["transactions"]] == [2]
    assert ledger.body("transactions", (4,)) is not None


def test_a_complete_batch_drops_what_it_does_not_hold_in_the_same_transaction(
    ledger: Ledger,
) -> None:
    refund = Record("refunds", (1,), 7, {"id": 1})
    ledger.receive([order(7), transaction(1, 7), transaction(2, 7), refund, transaction(3, 8)])
    ledger.receive([order(7), transaction(2, 7)], complete=["transactions"])
    facts = ledger.facts_of(7)
    assert facts is not None
    assert [row["id"] for row in facts.children["transactions"]] == [2]
    assert facts.children["refunds"] == [{"id": 1}]
    assert ledger.body("transactions", (3,)) is not None


def test_bodies_come_all_and_once_over_many_pages(ledger: Ledger) -> None:
    ledger.receive(Record("products", (n,), None, {"id": n}) for n in range(1203))
    assert sorted(body["id"] for body in ledger.bodies("products")) == list(range(1203))


def test_an_order_s_record_makes_it_known_as_new_with_its_day(ledger: Ledger) -> None:
    ledger.receive([order(7), order(8, date_created="Sun, 01 Nov 2026 10:00:00 +0000")])
    known = {row.order_id: row for row in ledger.orders(state="new")}
    assert known[7].order_date == date(2026, 11, 1)
    assert known[8].order_date is None


def test_shops_do_not_see_each_other(ledger_url: str, ledger: Ledger, clock: SteppingClock) -> None:
    ledger.receive([order(7)])
    with Ledger.open(ledger_url, source="other", clock=clock) as other:
        assert other.facts_of(7) is None
        other.receive([order(7, total_inc_tax="1.00")])
    body = ledger.body("orders", (7,))
    assert body is not None
    assert body["total_inc_tax"] == "69.84"


def settle(ledger: Ledger, number: int, state: Any = "posted") -> None:
    facts = ledger.facts_of(number)
    assert facts is not None
    ledger.settle(number, state=state, facts_hash=facts.hash, policy_hash="p", run_id="r")


@pytest.mark.parametrize("done", ["posted", "settled"])
def test_retention_drops_the_bodies_of_orders_that_are_done_with_only(
    ledger: Ledger, clock: SteppingClock, done: str
) -> None:
    ledger.receive([*(order(n) for n in (1, 2, 3, 4)), transaction(10, 1), transaction(20, 2)])
    settle(ledger, 1, done)
    settle(ledger, 2, "parked")
    settle(ledger, 4)
    clock.now += timedelta(days=100)
    settle(ledger, 4)  # looked at again since
    assert ledger.prune(timedelta(days=90)) == 1
    assert ledger.facts_of(1) is None
    assert ledger.body("transactions", (10,)) is None
    assert all(ledger.facts_of(n) is not None for n in (2, 3, 4))
    assert ledger.prune(timedelta(days=90)) == 0
    row = ledger.order(1)
    assert row is not None
    assert row.state == done


def test_retention_goes_through_many_orders(
    ledger: Ledger, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "PAGE", 3)
    ledger.receive(order(n) for n in range(1, 12))
    for number in range(1, 12):
        ledger.settle(number, state="posted", facts_hash="f", policy_hash="p", run_id="r")
    clock.now += timedelta(days=100)
    assert ledger.prune(timedelta(days=90)) == 11


def test_a_fact_that_came_after_posting_keeps_the_order_s_bodies(
    ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.receive([order(1)])
    settle(ledger, 1)
    ledger.receive([transaction(10, 1)])
    clock.now += timedelta(days=100)
    assert ledger.prune(timedelta(days=90)) == 0
    assert ledger.facts_of(1) is not None


def test_a_pruned_order_that_comes_again_unchanged_has_the_hash_it_was_settled_with(
    ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.receive([order(1), transaction(10, 1)])
    settle(ledger, 1)
    clock.now += timedelta(days=100)
    ledger.prune(timedelta(days=90))
    ledger.receive([order(1)])
    assert ledger.facts_of(1) is None, "a part of the facts must not pass for all of them"
    ledger.receive([transaction(10, 1)])
    facts, row = ledger.facts_of(1), ledger.order(1)
    assert facts is not None
    assert row is not None
    assert facts.hash == row.facts_hash
