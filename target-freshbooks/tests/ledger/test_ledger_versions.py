"""A later version stays, what others share reopens parked orders, dry runs keep to themselves."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from target_freshbooks.ledger import Ledger, Link, OrderRow, Record, ScratchLedger
from target_freshbooks.ledger.inbox import inbox as kept
from target_freshbooks.ledger.inbox import precedence as versions
from target_freshbooks.ledger.inbox import requeue as retries

if TYPE_CHECKING:
    from conftest import SteppingClock

EARLY, LATE = "2026-11-01T10:00:00Z", "2026-11-01T10:00:01Z"


def order(number: int, modified: Any = EARLY, **fields: Any) -> Record:
    return Record("orders", (number,), number, {"id": number, "date_modified": modified, **fields})


def part(stream: str, number: int, of: int, **fields: Any) -> Record:
    return Record(stream, (number,), of, {"id": number, **fields})


def other(stream: str, number: int, modified: Any = EARLY, **fields: Any) -> Record:
    body = {"id": number, "date_modified": modified, **fields}
    return Record(stream, (number,), None, body)


def said(ledger: Ledger, stream: str, number: int) -> Any:
    body = ledger.inbox.body(stream, (number,))
    return None if body is None else body.get("says")


def parts(ledger: Ledger, order_id: int) -> dict[str, dict[int, Any]]:
    facts = ledger.inbox.facts_of(order_id)
    assert facts is not None
    return {
        stream: {row["id"]: row.get("says") for row in rows}
        for stream, rows in facts.children.items()
    }


def park(ledger: Ledger, number: int, state: Any = "parked") -> None:
    facts = ledger.inbox.facts_of(number)
    assert facts is not None
    ledger.orders.record(
        OrderRow(
            number,
            state,
            reason="no_client",
            detail="of it",
            facts_hash=facts.hash,
            policy_hash="p",
            run_id="r",
        )
    )


def states(ledger: Ledger) -> dict[int, str]:
    return {row.order_id: row.state for row in ledger.orders.all()}


# -- versions


@pytest.mark.parametrize("stream", ["orders", "customers", "products"])
def test_an_older_version_that_comes_later_is_left_out_and_told(
    ledger: Ledger, stream: str, caplog: pytest.LogCaptureFixture
) -> None:
    def version(modified: str, says: str) -> Record:
        if stream == "orders":
            return order(7, modified, says=says)
        return other(stream, 7, modified, says=says)

    caplog.set_level(logging.INFO)
    new, old = version(LATE, "new"), version(EARLY, "old")
    assert ledger.inbox.receive([new]) == [new]
    assert ledger.inbox.receive([old]) == []
    assert said(ledger, stream, 7) == "new"
    assert f"{stream} 7 came in late" in caplog.text
    newer = version("2026-11-01T10:00:02Z", "newer")
    assert ledger.inbox.receive([newer]) == [newer]
    assert said(ledger, stream, 7) == "newer"


def test_of_two_versions_in_one_batch_the_later_stays(ledger: Ledger) -> None:
    new, old = other("customers", 7, LATE, says="new"), other("customers", 7, says="old")
    assert ledger.inbox.receive([new, old]) == [new]
    assert said(ledger, "customers", 7) == "new"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LATE, LATE),
        (LATE, None),
        (None, EARLY),
        (LATE, "yesterday"),
        ("soon", EARLY),
        ("0001-01-01T00:00:00+05:00", EARLY),
        (LATE, 5),
        (LATE, ""),
    ],
)
def test_without_two_different_dates_the_record_that_comes_last_is_taken(
    ledger: Ledger, before: Any, after: Any
) -> None:
    ledger.inbox.receive([order(7, before, says="first")])
    ledger.inbox.receive([order(7, after, says="last")])
    assert said(ledger, "orders", 7) == "last"


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("2026-11-01T09:00:00-05:00", "2026-11-01T13:00:00Z"),
        ("Sun, 01 Nov 2026 10:00:00 +0000", "2026-11-01T09:59:59Z"),
        ("Sun, 01 Nov 2026 10:00:00 +0000", "Sat, 31 Oct 2026 23:00:00 +0000"),
        ("2026-11-01T10:00:00", "2026-11-01T09:59:59Z"),
    ],
)
def test_dates_are_compared_as_times_and_not_as_text(
    ledger: Ledger, later: str, earlier: str
) -> None:
    ledger.inbox.receive([order(7, later, says="late")])
    ledger.inbox.receive([order(7, earlier, says="early")])
    assert said(ledger, "orders", 7) == "late"


def test_parts_that_come_with_an_older_version_only_add(ledger: Ledger) -> None:
    ledger.inbox.receive(
        [
            part("transactions", 1, 7, says="captured"),
            part("refunds", 3, 7, says="declined"),
            part("order_taxes", 5, 7, says="of the edited lines"),
            order(7, LATE),
        ],
        complete=["order_taxes"],
    )
    ledger.inbox.receive(
        [
            part("transactions", 1, 7, says="authorised"),
            part("transactions", 2, 7, says="unknown so far"),
            part("refunds", 3, 7, says="ok"),
            part("order_taxes", 6, 7, says="of the former lines"),
            part("transactions", 8, 9, says="of another order"),
            order(7, EARLY),
            order(9, EARLY),
        ],
        complete=["order_taxes"],
    )
    assert parts(ledger, 7) == {
        "transactions": {1: "captured", 2: "unknown so far"},
        "refunds": {3: "declined"},
        "order_taxes": {5: "of the edited lines"},
    }
    assert parts(ledger, 9) == {"transactions": {8: "of another order"}}


def test_an_older_version_does_not_stand_for_all_of_its_order(ledger: Ledger) -> None:
    ledger.inbox.receive([part("order_taxes", 5, 7, says="kept"), order(7, LATE)])
    ledger.inbox.receive([order(7, EARLY)], complete=["order_taxes"])
    assert parts(ledger, 7) == {"order_taxes": {5: "kept"}}


def test_an_order_given_in_both_versions_is_taken_with_its_parts(ledger: Ledger) -> None:
    ledger.inbox.receive([part("transactions", 1, 7, says="authorised"), order(7, LATE)])
    latest = order(7, "2026-11-01T10:00:02Z")
    ledger.inbox.receive([order(7, EARLY), part("transactions", 1, 7, says="captured"), latest])
    assert parts(ledger, 7) == {"transactions": {1: "captured"}}


def test_an_older_version_is_left_out_also_where_retention_dropped_the_body(
    ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.inbox.receive([order(7, LATE, says="new"), part("transactions", 1, 7)])
    park(ledger, 7, "posted")
    clock.now += timedelta(days=100)
    ledger.retention.prune(timedelta(days=90))
    assert ledger.inbox.receive([order(7, EARLY, says="old")]) == []
    assert said(ledger, "orders", 7) is None
    ledger.inbox.receive([order(7, LATE, says="new")])
    assert said(ledger, "orders", 7) == "new"


def test_a_date_that_an_earlier_version_of_the_ledger_did_not_keep_is_read_from_the_body(
    ledger: Ledger,
) -> None:
    ledger.inbox.receive([order(7, LATE, says="new")])
    with ledger.scope.database.write() as connection:
        connection.execute(text("UPDATE ledger_inbox SET modified = NULL"))
    ledger.inbox.receive([order(7, EARLY, says="old")])
    assert said(ledger, "orders", 7) == "new"


def test_an_older_version_brings_back_the_parts_that_retention_dropped(
    ledger: Ledger, clock: SteppingClock
) -> None:
    payment = part("transactions", 1, 7, says="captured")
    ledger.inbox.receive([payment, order(7, EARLY)])
    park(ledger, 7, "posted")
    clock.now += timedelta(days=100)
    ledger.retention.prune(timedelta(days=90))
    ledger.inbox.receive([order(7, LATE)])
    assert ledger.inbox.facts_of(7) is None
    ledger.inbox.receive([payment, order(7, EARLY, says="old")])
    assert parts(ledger, 7) == {"transactions": {1: "captured"}}
    assert said(ledger, "orders", 7) is None


def test_versions_of_more_records_than_one_question_takes_are_compared(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "PORTION", 2)
    ledger.inbox.receive([other("customers", n, LATE, says="new") for n in range(5)])
    assert ledger.inbox.receive([other("customers", n, EARLY, says="old") for n in range(5)]) == []


# -- parked orders


def test_a_changed_customer_reopens_its_own_parked_orders_and_no_others(ledger: Ledger) -> None:
    ledger.inbox.receive([order(n, customer_id=5) for n in (1, 2, 3)])
    ledger.inbox.receive([order(4, customer_id=6), order(5, customer_id=0)])
    for number in (1, 4, 5):
        park(ledger, number)
    park(ledger, 2, "posted")
    park(ledger, 3, "waiting")
    ledger.inbox.receive([other("customers", 5, says="a@b.example")])
    assert states(ledger) == {1: "new", 2: "posted", 3: "waiting", 4: "parked", 5: "parked"}
    row = ledger.orders.get(1)
    assert row is not None
    assert (row.reason, row.detail, row.next_step) == (None, None, None)


def test_a_customer_that_comes_again_unchanged_or_older_reopens_nothing(ledger: Ledger) -> None:
    ledger.inbox.receive([other("customers", 5, LATE, says="new"), order(1, customer_id=5)])
    park(ledger, 1)
    ledger.inbox.receive([other("customers", 5, LATE, says="new")])
    ledger.inbox.receive([other("customers", 5, EARLY, says="old")])
    assert states(ledger) == {1: "parked"}
    ledger.inbox.receive([other("customers", 5, LATE, says="newer")])
    assert states(ledger) == {1: "new"}


def store(zone: str, **fields: Any) -> Record:
    return Record("store", ("s",), None, {"id": "s", "timezone": {"name": zone}, **fields})


def test_another_time_zone_of_the_store_reopens_what_is_parked(ledger: Ledger) -> None:
    ledger.inbox.receive([store("Mars/Base"), order(1), order(2)])
    park(ledger, 1)
    park(ledger, 2, "posted")
    ledger.inbox.receive([store("Mars/Base", phone="123")])
    assert states(ledger) == {1: "parked", 2: "posted"}
    ledger.inbox.receive([store("America/Chicago", phone="123")])
    assert states(ledger) == {1: "new", 2: "posted"}


def test_many_parked_orders_are_all_found(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "PORTION", 2)
    ledger.inbox.receive(order(n, customer_id=5) for n in range(1, 6))
    for number in range(1, 6):
        park(ledger, number)
    ledger.inbox.receive([other("customers", 5)])
    assert set(states(ledger).values()) == {"new"}


def test_parked_orders_are_found_without_a_walk_over_the_inbox(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.inbox.receive(order(n, customer_id=5) for n in range(1, 200))
    park(ledger, 7)
    read: list[str] = []

    def reading(body: str) -> dict[str, Any]:
        read.append(body)
        return {}

    monkeypatch.setattr(retries, "from_text", reading)
    ledger.inbox.receive([other("customers", 5)])
    assert len(read) == 1


def test_a_shop_s_customer_does_not_reopen_another_shop_s_orders(
    ledger_url: str, ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.inbox.receive([order(1, customer_id=5)])
    park(ledger, 1)
    with Ledger.open(ledger_url, source="other", clock=clock) as another:
        another.inbox.receive([order(1, customer_id=5)])
        park(another, 1)
        another.inbox.receive([other("customers", 5)])
        assert states(another) == {1: "new"}
    assert states(ledger) == {1: "parked"}


# -- dry runs


def inbox_rows(ledger: Ledger, source: str) -> list[Any]:
    query = text(
        "SELECT stream, key, order_id, body, hash, received_at FROM ledger_inbox"
        " WHERE source = :source ORDER BY stream, key"
    )
    with ledger.scope.database.read() as connection:
        return [tuple(row) for row in connection.execute(query, {"source": source})]


def test_a_scratch_ledger_leaves_the_inbox_and_the_orders_as_they_were(ledger: Ledger) -> None:
    ledger.inbox.receive(
        [part("transactions", 1, 7), order(7, customer_id=5), other("customers", 5)]
    )
    ledger.inbox.receive([order(8, customer_id=5)])
    park(ledger, 8)
    before, standings = inbox_rows(ledger, "shop"), list(ledger.orders.all())
    scratch = ScratchLedger.begin(ledger)
    scratch.inbox.receive([other("customers", 5, LATE, says="changed")])
    scratch.inbox.receive([order(7, LATE, says="changed")], complete=["order_taxes"])
    scratch.inbox.receive([part("transactions", 2, 9), order(9)])
    assert inbox_rows(ledger, "shop") == before
    assert list(ledger.orders.all()) == standings
    assert ledger.inbox.facts_of(9) is None


def test_a_scratch_ledger_goes_on_from_what_is_known(ledger: Ledger) -> None:
    ledger.inbox.receive(
        [part("transactions", 1, 7, says="known"), part("order_taxes", 2, 7), order(7)]
    )
    ledger.inbox.receive(
        [other("customers", 5, LATE, says="known"), other("customers", 6, says="known")]
    )
    scratch = ScratchLedger.begin(ledger)
    assert parts(scratch, 7) == {"transactions": {1: "known"}, "order_taxes": {2: None}}
    scratch.inbox.receive([part("refunds", 3, 7), order(7, LATE)], complete=["order_taxes"])
    assert parts(scratch, 7) == {"transactions": {1: "known"}, "refunds": {3: None}}
    scratch.inbox.receive([part("transactions", 4, 7, says="too")])
    assert parts(scratch, 7) == {
        "transactions": {1: "known", 4: "too"},
        "refunds": {3: None},
    }
    scratch.inbox.receive([other("customers", 5, EARLY, says="old")])
    assert said(scratch, "customers", 5) == "known"
    assert said(scratch, "customers", 6) == "known"


def test_a_scratch_ledger_has_the_hash_of_facts_that_a_real_run_would_have(ledger: Ledger) -> None:
    records = [part("transactions", 1, 7), order(7)]
    ledger.inbox.receive(records)
    scratch = ScratchLedger.begin(ledger)
    scratch.inbox.receive(records)
    rehearsed, known = scratch.inbox.facts_of(7), ledger.inbox.facts_of(7)
    assert rehearsed is not None
    assert known is not None
    assert rehearsed.hash == known.hash


def test_of_the_store_s_record_the_one_that_came_last_counts(ledger: Ledger) -> None:
    ledger.inbox.receive([other("store", 1, says="known")])
    scratch = ScratchLedger.begin(ledger)
    assert scratch.inbox.body("store") == ledger.inbox.body("store")
    scratch.inbox.receive([other("store", 1, says="new")])
    assert [
        one and one["says"] for one in (scratch.inbox.body("store"), ledger.inbox.body("store"))
    ] == ["new", "known"]
    ledger.inbox.receive([other("store", 1, says="newer")])
    assert [
        one and one["says"] for one in (scratch.inbox.body("store"), ledger.inbox.body("store"))
    ] == ["newer"] * 2


def test_what_was_rehearsed_is_readable_afterwards_until_the_next_dry_run(ledger: Ledger) -> None:
    ledger.inbox.receive([order(7)])
    ScratchLedger.begin(ledger).inbox.receive([order(7, LATE), order(8), order(9)])
    later = ScratchLedger.of_last_dry_run(ledger)
    assert later.inbox.facts_of(8) is not None
    assert later.inbox.unknown_orders() == [8, 9]
    assert ScratchLedger.begin(ledger).inbox.unknown_orders() == []
    assert ScratchLedger.of_last_dry_run(ledger).inbox.facts_of(8) is None
    assert ledger.inbox.facts_of(7) is not None


def test_what_comes_in_earnest_takes_the_place_of_what_was_rehearsed(ledger: Ledger) -> None:
    scratch = ScratchLedger.begin(ledger)
    scratch.inbox.receive(
        [part("transactions", 1, 7), order(7, LATE, says="rehearsed"), order(8, says="rehearsed")]
    )
    scratch.inbox.receive([other("customers", 5, says="rehearsed")])
    ledger.inbox.receive([order(7, EARLY, says="real"), other("customers", 5, says="real")])
    assert said(ledger, "orders", 7) == "real"
    assert parts(ScratchLedger.of_last_dry_run(ledger), 7) == {}
    assert said(ScratchLedger.of_last_dry_run(ledger), "orders", 7) == "real"
    assert said(ScratchLedger.of_last_dry_run(ledger), "customers", 5) == "real"
    assert said(ScratchLedger.of_last_dry_run(ledger), "orders", 8) == "rehearsed"
    # What nobody reads any more does not name shoppers twice.
    assert [(stream, key) for stream, key, *_ in inbox_rows(ledger, "shop (dry run)")] == [
        ("orders", "[8]")
    ]


def test_what_an_earlier_version_left_of_a_dry_run_counts_no_more(
    ledger: Ledger, clock: SteppingClock
) -> None:
    ledger.inbox.receive([order(7, says="real")])
    rehearsed, before = [order(7, says="rehearsed")], clock.now - timedelta(days=1)
    with ledger.scope.database.write() as connection:
        kept.store(connection, kept.apart_from("shop"), rehearsed, (), before)
    facts = ScratchLedger.of_last_dry_run(ledger).inbox.facts_of(7)
    assert facts is not None
    assert facts.order["says"] == "real"


def test_retention_drops_what_was_rehearsed(ledger: Ledger, clock: SteppingClock) -> None:
    ScratchLedger.begin(ledger).inbox.receive([order(7), other("customers", 5)])
    assert ledger.retention.prune(timedelta(days=90)) == 0
    assert len(inbox_rows(ledger, "shop (dry run)")) == 2
    clock.now += timedelta(days=100)
    ScratchLedger(ledger).inbox.prune(timedelta(days=101))
    assert len(inbox_rows(ledger, "shop (dry run)")) == 2
    ScratchLedger(ledger).inbox.prune(timedelta(days=90))
    assert inbox_rows(ledger, "shop (dry run)") == []


def test_what_a_plan_changes_goes_with_it(ledger: Ledger) -> None:
    ledger.links.put(Link("invoice", "7", 70, order_id=7))
    ledger.links.put(Link("payment", "7:1", 71, order_id=7))
    standing = ledger.links.of_order(7)
    scratch = ScratchLedger(ledger)
    scratch.links.put(Link("invoice", "7", -1, order_id=7))
    scratch.links.drop_remote("payment", 71)
    scratch.links.adopt(
        [Link("client", "email:ada@mail.example", -2)], order_id=7, run_id="", data={}
    )
    assert [link.remote_id for link in scratch.links.of_order(7)] == [-1]
    assert scratch.links.get("payment", "7:1") is None
    assert scratch.links.get("client", "email:ada@mail.example") is not None
    assert ledger.links.of_order(7) == ScratchLedger(scratch).links.of_order(7) == standing
    assert ledger.links.get("client", "email:ada@mail.example") is None


def test_a_plan_cannot_write_to_the_real_ledger(ledger: Ledger) -> None:
    scratch = ScratchLedger.begin(ledger)
    with pytest.raises(AssertionError, match="a plan changes nothing in the ledger"):
        scratch.audit.add(event="posted", order_id=7, run_id="r", data={})
    assert list(ledger.audit.rows()) == []
