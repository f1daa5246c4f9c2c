"""The inbox keeps what the shop last said, exactly, and knows whether it changed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from target_freshbooks.ledger import Ledger, Link, OrderRow, Record, retention

if TYPE_CHECKING:
    from conftest import SteppingClock


def order(number: int, **fields: Any) -> Record:
    body = {"id": number, "date_created": "2026-11-01T10:00:00Z", "total_inc_tax": "69.84"}
    return Record("orders", (number,), number, {**body, **fields})


def transaction(number: int, of: int, amount: str = "69.84") -> Record:
    return Record("transactions", (number,), of, {"id": number, "amount": amount})


def received_at(ledger: Ledger, stream: str) -> list[str]:
    query = text("SELECT received_at FROM ledger_inbox WHERE stream = :stream ORDER BY key")
    with ledger.scope.database.read() as connection:
        return list(connection.execute(query, {"stream": stream}).scalars())


def test_an_order_s_facts_are_its_record_and_its_children_by_key(ledger: Ledger) -> None:
    ledger.inbox.receive(
        [transaction(100, 7), transaction(9, 7, "1.00"), order(7), transaction(5, 8)]
    )
    facts = ledger.inbox.facts_of(7)
    assert facts is not None
    assert facts.order["total_inc_tax"] == "69.84"
    assert [row["id"] for row in facts.children["transactions"]] == [9, 100]


def test_facts_are_not_given_before_the_order_s_own_record(ledger: Ledger) -> None:
    ledger.inbox.receive([transaction(9, 7)])
    assert ledger.inbox.facts_of(7) is None
    assert ledger.orders.get(7) is None


def test_numbers_keep_their_digits(ledger: Ledger) -> None:
    ledger.inbox.receive([order(7, weight=Decimal("1.500"), big=Decimal("0.10000000000000000001"))])
    body = ledger.inbox.body("orders", (7,))
    assert body is not None
    assert str(body["weight"]) == "1.500"
    assert body["big"] == Decimal("0.10000000000000000001")


def test_text_that_databases_refuse_is_kept(ledger: Ledger) -> None:
    ledger.inbox.receive(
        [Record("customers", ("a\0b\ud800",), None, {"note": "nul \0, half \ud83d"})]
    )
    assert ledger.inbox.body("customers", ("a\0b\ud800",)) == {"note": "nul \0, half \ud83d"}


def test_an_unchanged_record_keeps_the_time_it_came_and_a_changed_one_does_not(
    ledger: Ledger,
) -> None:
    ledger.inbox.receive([order(7)])
    first = received_at(ledger, "orders")
    ledger.inbox.receive([order(7)])
    assert received_at(ledger, "orders") == first
    ledger.inbox.receive([order(7, status="changed")])
    assert received_at(ledger, "orders") > first


def test_of_two_records_with_one_key_the_later_stays(ledger: Ledger) -> None:
    ledger.inbox.receive([order(7, status_id=1), order(7, status_id=2)])
    body = ledger.inbox.body("orders", (7,))
    assert body is not None
    assert body["status_id"] == 2


def test_the_hash_of_facts_tells_whether_anything_changed(ledger: Ledger) -> None:
    def facts_hash() -> str:
        facts = ledger.inbox.facts_of(7)
        assert facts is not None
        return facts.hash

    ledger.inbox.receive([order(7), transaction(9, 7)])
    before = facts_hash()
    ledger.inbox.receive([transaction(9, 7), order(7)])
    assert facts_hash() == before
    ledger.inbox.receive([transaction(9, 7, "69.85")])
    assert facts_hash() != before
    ledger.inbox.receive([transaction(9, 7)])
    assert facts_hash() == before


def test_a_complete_batch_drops_what_it_does_not_hold_in_the_same_transaction(
    ledger: Ledger,
) -> None:
    refund = Record("refunds", (1,), 7, {"id": 1})
    ledger.inbox.receive(
        [order(7), transaction(1, 7), transaction(2, 7), refund, transaction(3, 8)]
    )
    ledger.inbox.receive([order(7), transaction(2, 7)], complete=["transactions"])
    facts = ledger.inbox.facts_of(7)
    assert facts is not None
    assert [row["id"] for row in facts.children["transactions"]] == [2]
    assert facts.children["refunds"] == [{"id": 1}]
    assert ledger.inbox.body("transactions", (3,)) is not None


def test_an_order_s_record_makes_it_known_as_new_with_its_day(ledger: Ledger) -> None:
    ledger.inbox.receive([order(7), order(8, date_created="Sun, 01 Nov 2026 10:00:00 +0000")])
    known = {row.order_id: row for row in ledger.orders.all(state="new")}
    assert known[7].order_date == date(2026, 11, 1)
    assert known[8].order_date is None


def test_shops_do_not_see_each_other(ledger_url: str, ledger: Ledger, clock: SteppingClock) -> None:
    ledger.inbox.receive([order(7)])
    with Ledger.open(ledger_url, source="other", clock=clock) as other:
        assert other.inbox.facts_of(7) is None
        other.inbox.receive([order(7, total_inc_tax="1.00")])
    body = ledger.inbox.body("orders", (7,))
    assert body is not None
    assert body["total_inc_tax"] == "69.84"


def settle(ledger: Ledger, number: int, state: Any = "posted") -> None:
    facts = ledger.inbox.facts_of(number)
    assert facts is not None
    ledger.orders.record(OrderRow(number, state, facts_hash=facts.hash, run_id="r"))


@pytest.mark.parametrize("state", ["posted", "settled", "parked", "waiting"])
def test_retention_drops_the_bodies_of_orders_to_which_nothing_happened_for_so_long(
    ledger: Ledger, clock: SteppingClock, state: str
) -> None:
    ledger.inbox.receive([*(order(n) for n in (1, 2, 3)), transaction(10, 1), transaction(20, 2)])
    settle(ledger, 1, state)
    settle(ledger, 3, state)
    clock.now += timedelta(days=100)
    settle(ledger, 3, state)  # looked at again since
    assert ledger.retention.prune(timedelta(days=90)) == 1
    assert ledger.inbox.facts_of(1) is None
    assert ledger.inbox.body("transactions", (10,)) is None
    assert ledger.inbox.facts_of(2) is not None, "no run has looked at it yet"
    assert ledger.inbox.facts_of(3) is not None
    assert ledger.retention.prune(timedelta(days=90)) == 0
    row = ledger.orders.get(1)
    assert row is not None
    assert row.state == state


def test_retention_has_a_parked_order_asked_for_anew_once_only(
    ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.inbox.receive([order(1)])
    facts = ledger.inbox.facts_of(1)
    assert facts is not None
    words = "Jane Doe is refused"
    parked = OrderRow(1, "parked", words=words, next_step="Replay it.", facts_hash=facts.hash)
    ledger.orders.record(parked)
    for _ in range(2):
        clock.now += timedelta(days=100)
        assert ledger.retention.prune(timedelta(days=90)) == 1
        row = ledger.orders.get(1)
        assert row is not None
        assert row.words is None
        assert row.next_step == retention.ASK_AGAIN.format(order_id=1) + "Replay it."
        ledger.inbox.receive([order(1)])
        ledger.orders.note_look(1)


def test_what_came_again_unchanged_is_kept_until_it_was_looked_at_and_so_long_after(
    ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.inbox.receive([order(1)])
    settle(ledger, 1)
    clock.now += timedelta(days=100)
    assert ledger.retention.prune(timedelta(days=90)) == 1
    ledger.inbox.receive([order(1)])
    clock.now += timedelta(days=100)
    assert ledger.retention.prune(timedelta(days=90)) == 0
    ledger.orders.note_look(1)
    assert ledger.retention.prune(timedelta(days=90)) == 0
    clock.now += timedelta(days=100)
    assert ledger.retention.prune(timedelta(days=90)) == 1


def test_retention_drops_customers_of_whom_no_order_is_here(
    ledger: Ledger, clock: SteppingClock
) -> None:
    people = [Record("customers", (n,), None, {"id": n, "email": "a@b.example"}) for n in (7, 8, 9)]
    ledger.inbox.receive([*people, order(1, customer_id=7), order(2, customer_id=8)])
    settle(ledger, 1)
    clock.now += timedelta(days=100)
    settle(ledger, 2)
    ledger.inbox.receive([Record("customers", (9,), None, {"id": 9, "email": "new@b.example"})])
    ledger.retention.prune(timedelta(days=90))
    assert ledger.inbox.body("customers", (7,)) is None
    assert ledger.inbox.body("customers", (8,)) is not None, (
        "an order of theirs may be planned again"
    )
    assert ledger.inbox.body("customers", (9,)) is not None, "it came a moment ago"


def test_retention_drops_parts_whose_order_is_not_here(
    ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.inbox.receive([transaction(10, 1)])
    ledger.retention.prune(timedelta(days=90))
    assert ledger.inbox.body("transactions", (10,)) is not None
    clock.now += timedelta(days=100)
    ledger.retention.prune(timedelta(days=90))
    assert ledger.inbox.body("transactions", (10,)) is None


def test_a_client_is_known_by_its_e_mail_which_the_ledger_does_not_hold(ledger: Ledger) -> None:
    ledger.links.put(Link("client", "email:jane@shop.example", 5))
    found = ledger.links.get("client", "email:jane@shop.example")
    assert found is not None
    assert found.remote_id == 5
    assert "jane" not in found.key
    assert ledger.links.get("client", found.key) == found
    ledger.links.put(found)
    assert [link.key for link in ledger.links.of_kind("client")] == [found.key]
    ledger.links.drop("client", "email:jane@shop.example")
    assert ledger.links.get("client", found.key) is None


@pytest.mark.parametrize(
    ("stream", "is_whole"),
    [("order_coupons", True), ("transactions", False), ("refunds", False), ("order_taxes", False)],
)
def test_only_a_part_that_is_booked_keeps_an_order_from_being_whole_again(
    ledger: Ledger, clock: SteppingClock, stream: str, *, is_whole: bool
) -> None:
    ledger.inbox.receive([Record(stream, (9,), 7, {"id": 9}), order(7)])
    ledger.orders.record(OrderRow(7, "posted"))
    clock.now += timedelta(days=91)
    ledger.retention.prune(timedelta(days=90))
    ledger.inbox.receive([order(7, status_id=4)])  # the stream is not selected any more
    assert (ledger.inbox.facts_of(7) is not None) == is_whole


def test_retention_goes_through_many_orders(
    ledger: Ledger, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGE", 3)
    ledger.inbox.receive(order(n) for n in range(1, 12))
    for number in range(1, 12):
        ledger.orders.record(OrderRow(number, "posted", facts_hash="f", run_id="r"))
    clock.now += timedelta(days=100)
    assert ledger.retention.prune(timedelta(days=90)) == 11


def test_a_fact_that_came_after_posting_keeps_the_order_s_bodies(
    ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.inbox.receive([order(1)])
    settle(ledger, 1)
    ledger.inbox.receive([transaction(10, 1)])
    clock.now += timedelta(days=100)
    assert ledger.retention.prune(timedelta(days=90)) == 0
    assert ledger.inbox.facts_of(1) is not None


def test_a_pruned_order_that_comes_again_unchanged_has_the_hash_it_was_settled_with(
    ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.inbox.receive([order(1), transaction(10, 1)])
    settle(ledger, 1)
    clock.now += timedelta(days=100)
    ledger.retention.prune(timedelta(days=90))
    ledger.inbox.receive([order(1)])
    assert ledger.inbox.facts_of(1) is None, "a part of the facts must not pass for all of them"
    ledger.inbox.receive([transaction(10, 1)])
    facts, row = ledger.inbox.facts_of(1), ledger.orders.get(1)
    assert facts is not None
    assert row is not None
    assert facts.hash == row.facts_hash
