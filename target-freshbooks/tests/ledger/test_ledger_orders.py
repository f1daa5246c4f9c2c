"""Orders and links: what was decided, and which FreshBooks id stands for what."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.ledger import Ledger, Link, OrderRow, Record
from target_freshbooks.ledger.audit import chain
from target_freshbooks.ledger.storage import database


def settle(ledger: Ledger, number: int, **fields: Any) -> None:
    audited = {name: fields.pop(name) for name in ("event", "data") if name in fields}
    result = OrderRow(number, "posted", facts_hash="f", policy_hash="p", run_id="run")
    ledger.orders.record(replace(result, **fields), **audited)


def test_a_verdict_is_read_back_as_it_was_given(ledger: Ledger) -> None:
    settle(
        ledger,
        7,
        state="parked",
        reason="total_mismatch",
        detail="69.84 wanted, 69.85 made",
        words="Nul \0 and half \ud83d",
        next_step="Look at the taxes.",
        desired_hash="d",
        invoice_number="BC-7",
        order_total=Decimal("69.840"),
        currency="USD",
        order_date=date(2026, 11, 2),
    )
    row = ledger.orders.get(7)
    assert row is not None
    assert (row.state, row.reason, row.invoice_number) == ("parked", "total_mismatch", "BC-7")
    assert str(row.order_total) == "69.840"
    assert row.order_date == date(2026, 11, 2)
    assert row.words == "Nul \\x00 and half \\ud83d"
    assert row.posted_at is None


def test_a_later_verdict_keeps_what_is_known_and_drops_the_old_reason(ledger: Ledger) -> None:
    known = {"order_total": Decimal("69.84"), "currency": "USD"}
    settle(ledger, 7, **known, invoice_number="7", desired_hash="d")
    first = ledger.orders.get(7)
    settle(ledger, 7, state="parked", reason="refund_refused", next_step="Refund by hand.")
    settle(ledger, 7, desired_hash="e")
    row = ledger.orders.get(7)
    assert first is not None
    assert row is not None
    assert (row.reason, row.next_step) == (None, None)
    assert (row.desired_hash, row.order_total, row.invoice_number) == ("e", Decimal("69.84"), "7")
    assert row.posted_at == first.posted_at
    assert row.updated_at is not None
    assert first.updated_at is not None
    assert row.updated_at > first.updated_at


def test_a_record_that_comes_again_does_not_change_the_standing(ledger: Ledger) -> None:
    settle(ledger, 7)
    ledger.inbox.receive([Record("orders", (7,), 7, {"id": 7, "status_id": 4})])
    row = ledger.orders.get(7)
    assert row is not None
    assert row.state == "posted"


def test_a_verdict_and_its_audit_row_are_one_transaction(ledger: Ledger) -> None:
    settle(ledger, 7, event="posted", data={"amount": "69.84", "email": "ada@example.com"})
    (row,) = ledger.audit.rows(7)
    assert (row.event, row.data) == ("posted", {"amount": "69.84"})


def test_orders_are_listed_by_state_and_day_over_many_pages(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PAGE", 5)
    for number in range(1, 25):
        settle(ledger, number, order_date=date(2026, 11, 1 + number % 2))
    settle(ledger, 700, state="parked", reason="no_rate")
    assert [row.order_id for row in ledger.orders.all()] == [*range(1, 25), 700]
    assert [row.order_id for row in ledger.orders.all(state="parked")] == [700]
    late = [row.order_id for row in ledger.orders.all(since=date(2026, 11, 2))]
    assert late == [*range(1, 25, 2), 700], "one of unknown day is rather looked at"


def test_counts_tell_states_reasons_and_streams(ledger: Ledger) -> None:
    ledger.inbox.receive(
        [Record("orders", (1,), 1, {"id": 1}), Record("refunds", (1,), 1, {"id": 1})]
    )
    settle(ledger, 2)
    settle(ledger, 3, state="parked", reason="total_mismatch")
    settle(ledger, 4, state="parked", reason="total_mismatch")
    settle(ledger, 5, state="waiting", reason="not_paid")
    with ledger.locks.hold("ACC1", "r", wait_seconds=0) as lock:
        ledger.intents.open(
            lock=lock,
            order_id=2,
            kind="mark_sent",
            key="2",
            request_hash="h",
            payload={},
            run_id="r",
        )
    settle(ledger, 2)
    counts = ledger.counts()
    assert {name: counts[name] for name in ("new", "waiting", "posted", "parked")} == {
        "new": 1,
        "waiting": 1,
        "posted": 1,
        "parked": 2,
    }
    assert counts["parked_reasons"] == {"total_mismatch": 2}
    assert counts["waiting_reasons"] == {"not_paid": 1}
    assert counts["open_intents"] == 1
    assert counts["inbox"] == {"orders": 1, "refunds": 1}


def test_an_order_counts_as_new_while_it_is_written_to(ledger: Ledger) -> None:
    settle(ledger, 2)
    with ledger.locks.hold("ACC1", "r", wait_seconds=0) as lock:
        ledger.intents.open(
            lock=lock,
            order_id=2,
            kind="mark_sent",
            key="2",
            request_hash="h",
            payload={},
            run_id="r",
        )
    row = ledger.orders.get(2)
    assert row is not None
    assert row.state == "new"


def test_links_are_put_read_replaced_listed_and_dropped(ledger: Ledger) -> None:
    paid = Link("payment", "7:transaction:9", 44, order_id=7, extra={"amount": Decimal("69.84")})
    ledger.links.put(Link("invoice", "7", 555, fingerprint="f", content_hash="c", order_id=7))
    ledger.links.put(paid)
    ledger.links.put(Link("client", "customer:12", 9))
    assert ledger.links.get("payment", "7:transaction:9") == paid
    assert [link.remote_id for link in ledger.links.of_order(7)] == [555, 44]
    ledger.links.put(Link("invoice", "7", 556, order_id=7, deleted=True))
    replaced = ledger.links.get("invoice", "7")
    assert replaced is not None
    assert (replaced.remote_id, replaced.fingerprint, replaced.deleted) == (556, None, True)
    assert [link.key for link in ledger.links.of_kind("client")] == ["customer:12"]
    ledger.links.drop("client", "customer:12")
    assert ledger.links.get("client", "customer:12") is None


def test_what_is_adopted_is_linked_with_its_audit_row_or_not_at_all(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Link("invoice", "7", 555, order_id=7), Link("payment", "7:x", 44, order_id=7)]

    def adopt() -> None:
        ledger.links.adopt(found, order_id=7, run_id="run", data={"id": 555})

    def break_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(chain, "append", break_off)
        with pytest.raises(KeyboardInterrupt):
            adopt()
    assert ledger.links.of_order(7) == []
    adopt()
    assert ledger.links.of_order(7) == found
    assert [row.event for row in ledger.audit.rows(7)] == ["adopted"]


def test_links_are_listed_over_many_pages(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PAGE", 5)
    for number in range(20):
        ledger.links.put(Link("item" if number % 2 else "client", f"{number:04}", number))
    assert [link.remote_id for link in ledger.links.of_kind("client")] == list(range(0, 20, 2))
    assert [link.remote_id for link in ledger.links.of_kind("item")] == list(range(1, 20, 2))


def test_personal_data_is_in_no_repr(ledger: Ledger) -> None:
    record = Record("orders", (7,), 7, {"email": "ada@example.com"})
    ledger.inbox.receive([record])
    link = Link("client", "ada@example.com", 9, extra={"email": "ada@example.com"})
    assert "ada" not in f"{record} {ledger.inbox.facts_of(7)} {link}"


def test_runs_are_remembered_with_version_and_outcome(ledger: Ledger) -> None:
    ledger.runs.start("run-1", "0.1.0")
    ledger.runs.end("run-1", "done", {"posted": 3})
    ledger.runs.start("run-2", "0.1.1")
    second, first = ledger.runs.latest()
    assert (first.code_version, first.outcome, first.counts) == ("0.1.0", "done", {"posted": 3})
    assert (second.run_id, second.ended_at, second.outcome) == ("run-2", None, None)
    assert [row.event for row in ledger.audit.rows()] == ["run_started", "run_ended", "run_started"]
