"""Intents: committed before the write, closed together with what the write made."""

from __future__ import annotations

import traceback
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from target_freshbooks.ledger import Intent, IntentNotOpen, Ledger, LedgerUnavailable, Link
from target_freshbooks.ledger.audit import chain

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from conftest import SteppingClock

ADA = {
    "fname": "Ada",
    "lname": "Lovelace",
    "email": "ada@example.com",
    "p_street": "12 St James Square",
    "currency_code": "USD",
}
INVOICE = {
    "invoice_number": "7",
    "notes": "For Lovelace",
    "lines": [{"name": "Card for Lovelace", "qty": "1", "unit_cost": {"amount": "5.00"}}],
}


def intend(ledger: Ledger, **fields: Any) -> Intent:
    write: dict[str, Any] = {
        "order_id": 7,
        "kind": "create_invoice",
        "key": "7",
        "request_hash": "h",
        "payload": {"body": INVOICE},
        "run_id": "run-1",
    }
    with ledger.locks.hold("ACC1", "run-1", wait_seconds=0) as lock:
        return ledger.intents.open(lock=lock, **{**write, **fields})


def rows(ledger: Ledger, table: str) -> list[dict[str, Any]]:
    with ledger.scope.database.read() as connection:
        return [dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608 - a table of ours


def test_an_intent_is_open_with_its_payload_until_it_is_closed(ledger: Ledger) -> None:
    intent = intend(ledger)
    assert ledger.intents.still_open() == [intent]
    assert (intent.order_id, intent.kind, intent.key) == (7, "create_invoice", "7")
    assert intent.payload == {"body": INVOICE}
    ledger.intents.close(intent, "done", answer={"id": 555, "amount": "69.84"})
    assert ledger.intents.still_open() == []
    assert rows(ledger, "ledger_intents")[0]["payload"] is None


def test_open_intents_are_asked_for_by_order(ledger: Ledger) -> None:
    of_seven, of_eight = intend(ledger), intend(ledger, order_id=8)
    of_none = intend(ledger, order_id=None, kind="create_item")
    assert ledger.intents.still_open() == [of_seven, of_eight, of_none]
    assert ledger.intents.still_open(8) == [of_eight]
    assert ledger.intents.still_open(None) == [of_none]


def test_closing_stores_links_and_audit_row_too(ledger: Ledger) -> None:
    intent = intend(ledger)
    link = Link("invoice", "7", 555, order_id=7)
    ledger.intents.close(intent, "found", answer={"id": 555}, links=[link], run_id="run-2")
    assert ledger.links.of_order(7) == [link]
    begun, ended = ledger.audit.rows(7)
    assert (begun.event, begun.run_id, ended.event, ended.run_id) == (
        "intended",
        "run-1",
        "found",
        "run-2",
    )
    assert ended.data["links"] == [{"kind": "invoice", "key": "7", "remote_id": 555}]
    assert begun.data["request_hash"] == ended.data["request_hash"] == "h"


def test_a_run_that_closes_another_s_intent_is_named_with_it(ledger: Ledger) -> None:
    ledger.intents.close(intend(ledger), "not_found", run_id="run-2")
    ledger.intents.close(intend(ledger), "done")
    closings = [row.run_id for row in ledger.audit.rows(7) if row.event != "intended"]
    assert closings == ["run-2", "run-1"]


def test_an_intent_is_closed_once_and_a_second_closing_stores_nothing(ledger: Ledger) -> None:
    intent = intend(ledger)
    ledger.intents.close(intent, "done")
    with pytest.raises(IntentNotOpen, match="closed already as done"):
        ledger.intents.close(intent, "not_found", links=[Link("invoice", "7", 1, order_id=7)])
    with pytest.raises(IntentNotOpen, match="does not exist"):
        ledger.intents.close(replace(intent, id=intent.id + 1), "done")
    assert ledger.links.of_order(7) == []
    assert [row.event for row in ledger.audit.rows()] == ["intended", "done"]


def test_a_failing_audit_row_undoes_the_closing_and_its_links(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = intend(ledger)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(chain, "append", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        ledger.intents.close(intent, "done", links=[Link("invoice", "7", 555, order_id=7)])
    assert ledger.intents.still_open() == [intent]
    assert ledger.links.of_order(7) == []


def test_the_journal_names_nobody(ledger: Ledger) -> None:
    client = intend(ledger, kind="create_client", key="ada@example.com", payload={"body": ADA})
    refusal = {"status": 422, "errno": 1011, "words": "Lovelace: ada@example.com is taken"}
    ledger.intents.close(client, "refused", answer=refusal)
    invoice = intend(ledger)
    link = Link("client", "ada@example.com", 9)
    ledger.intents.close(
        invoice, "done", answer={"id": 555, "email": "ada@example.com"}, links=[link]
    )
    paid = intend(ledger, kind="create_payment", key="7:transaction:9", payload={})
    ledger.intents.close(paid, "refused", answer={"words": "ada@example.com may not pay"})
    ledger.audit.add(
        event="parked",
        order_id=7,
        run_id="run-1",
        data={
            "detail": "ada@example.com",
            "billing_address": {"first_name": "Ada"},
            "fname": "Ada",
        },
    )
    told = str(rows(ledger, "ledger_audit"))
    for personal in ("Ada", "ada@", "Lovelace", "James"):
        assert personal not in told
    assert "currency_code" in told
    assert "5.00" in told
    assert "may not pay" not in told
    assert '"errno":1011' in told


def test_personal_data_leaves_the_intent_when_it_is_closed(ledger: Ledger) -> None:
    ledger.intents.close(
        intend(ledger, kind="create_client", key="12", payload={"body": ADA}), "done"
    )
    assert "Lovelace" not in str(rows(ledger, "ledger_intents"))


def test_the_last_write_of_other_sources_counts_from_its_answer_and_an_open_one_is_of_now(
    ledger: Ledger, ledger_url: str, clock: SteppingClock
) -> None:
    late = clock.now + timedelta(minutes=5)
    intend(ledger, order_id=None, kind="create_item")
    with Ledger.open(ledger_url, source="other", clock=clock) as other:
        intent = intend(other, order_id=None, kind="create_client")
        clock.now = late
        seen = ledger.intents.last_of_others("create_client")
        assert seen is not None
        assert seen >= late, "its answer is not in yet"
        other.intents.close(intent, "done")
        answered = ledger.intents.last_of_others("create_client")
        clock.now += timedelta(minutes=5)
        assert ledger.intents.last_of_others("create_client") == answered
        assert answered is not None
        assert answered >= late, "it may have waited for the quota since it was intended"
    assert ledger.intents.last_of_others("create_item") is None


def test_an_intent_outlives_the_process_that_committed_it(
    ledger: Ledger, ledger_url: str, start_program: Callable[..., subprocess.Popen[str]]
) -> None:
    writer = start_program(
        """
        import sys
        from target_freshbooks.ledger import Ledger
        ledger = Ledger.open(sys.argv[1], source="shop")
        with ledger.locks.hold("ACC1", "killed", wait_seconds=0) as lock:
            ledger.intents.open(lock=lock, order_id=7, kind="create_payment", key="7:transaction:9",
                          request_hash="h", payload={"amount": "69.84"}, run_id="killed")
            print("committed", flush=True)
            sys.stdin.read()
        """,
        ledger_url,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "committed\n"
    writer.kill()
    writer.wait()
    (intent,) = ledger.intents.still_open(7)
    assert (intent.run_id, intent.payload) == ("killed", {"amount": "69.84"})
    assert ledger.audit.verify_chain().ok


def test_an_error_of_the_database_shows_no_values(ledger: Ledger) -> None:
    with pytest.raises(LedgerUnavailable, match="could not be used") as failure:
        intend(ledger, kind=None, payload={"body": ADA})
    shown = "".join(traceback.format_exception(failure.value))
    assert "ada@" not in shown
    assert "null" in shown.lower()
