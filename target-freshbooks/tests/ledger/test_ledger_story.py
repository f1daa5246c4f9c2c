"""An order's story reads as sentences, leaves nothing out, and knows what a run did not finish."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.ctl.audit import DEEDS, tell
from target_freshbooks.ledger import AuditRow, Link

if TYPE_CHECKING:
    from target_freshbooks.ledger import Ledger

RUN = "3f2a91c0-5d1e-4c6b-9a53-0123456789ab"


def row(event: str, run_id: str = RUN, **data: Any) -> AuditRow:
    return AuditRow(
        seq=1,
        source="shop",
        at=datetime(2026, 11, 2, 9, 14, 5, tzinfo=UTC),
        event=event,
        order_id=1042,
        run_id=run_id,
        who="clerk@office",
        data=data,
        prev_hash="",
        hash="",
    )


def said(event: str, **data: Any) -> str:
    (line,) = tell([row(event, **data)])
    return line.partition("run 3f2a91c0  ")[2]


INVOICE = {"intent": 1, "kind": "create_invoice", "key": "1042"}
APP_UNKNOWN = "FreshBooks did not know the app by its client_id and client_secret"
AWAY = "FreshBooks turned it away or could not be reached"
LOOKED = "looked, and found that an attempt to record the payment for transaction 77"
PAYMENT = {"intent": 2, "kind": "create_payment", "key": "1042:transaction:77"}


def test_a_line_has_time_run_and_sentence() -> None:
    answer = {"id": 555, "number": "1042", "amount": "69.84", "currency": "USD"}
    (line,) = tell([row("done", **INVOICE, answer=answer)])
    assert line == (
        "2026-11-02 09:14:05 UTC  run 3f2a91c0  created the invoice 1042 as a Draft in FreshBooks"
        " (id 555), 69.84 USD"
    )
    assert " run nightly  posted" in tell([row("posted", run_id="nightly")])[0]


@pytest.mark.parametrize(
    ("event", "data", "sentence"),
    [
        (
            "done",
            {"kind": "mark_sent", "key": "1042", "answer": {"id": 555}},
            "marked the invoice 1042 as sent in FreshBooks (id 555)",
        ),
        (
            "done",
            {**PAYMENT, "answer": {"id": 9, "amount": "69.84", "currency": "USD"}},
            "recorded the payment for transaction 77 in FreshBooks (id 9), 69.84 USD",
        ),
        (
            "done",
            {"kind": "create_client", "key": "sha256:00ff", "links": [{"remote_id": 12}]},
            "created the client in FreshBooks (id 12)",
        ),
        (
            "done",
            {"kind": "create_credit_note", "key": "1042:3", "answer": {"id": 4}},
            "created the credit note for refund 3 in FreshBooks (id 4)",
        ),
        (
            "refused",
            {**INVOICE, "answer": {"status": 422, "errno": 1011, "field": "number"}},
            "was refused to create the invoice 1042 (status 422, errno 1011, field number)",
        ),
        (
            "refused",
            {**INVOICE, "answer": {"errno": 1011, "words": "Number is taken"}},
            "was refused to create the invoice 1042: Number is taken (errno 1011)",
        ),
        (
            "not_sent",
            {**INVOICE, "answer": {"why": "Outage"}},
            f"could not create the invoice 1042: {AWAY}; nothing was written",
        ),
        (
            "not_sent",
            {**INVOICE, "answer": {"why": "Forbidden"}},
            "was not allowed to create the invoice 1042",
        ),
        (
            "not_sent",
            {**INVOICE, "answer": {"why": "AuthError"}},
            "could not create the invoice 1042: the login was refused",
        ),
        (
            "not_sent",
            {**INVOICE, "answer": {"why": "AppUnknown"}},
            f"could not create the invoice 1042: {APP_UNKNOWN}",
        ),
        ("not_sent", INVOICE, "could not create the invoice 1042: nothing was written"),
        (
            "found",
            {**PAYMENT, "answer": {"id": 9, "amount": {"amount": "5.00", "code": "USD"}}},
            f"{LOOKED} had succeeded (id 9), 5.00 USD",
        ),
        (
            "not_found",
            PAYMENT,
            f"{LOOKED} had no effect",
        ),
        ("intended", INVOICE, "is about to create the invoice 1042; the outcome is not known yet"),
        (
            "posted",
            {"order_total": "69.84", "currency": "USD"},
            "posted the order: the books agree with it, 69.84 USD",
        ),
        (
            "parked",
            {
                "reason": "total_mismatch",
                "detail": "off by 0.07",
                "words": "no",
                "next_step": "Look",
            },
            "parked the order: total_mismatch; off by 0.07; FreshBooks said: no; next step: Look",
        ),
        ("waiting", {"reason": "not_paid"}, "left the order waiting: not_paid"),
        ("unchanged", {}, "found nothing to do: the books agree already"),
        (
            "adopted",
            {"invoice_id": 555, "amount": "69.84"},
            "took up the invoice that was in FreshBooks already (id 555), 69.84",
        ),
        ("replayed", {}, "replayed the order on the word of clerk@office"),
        (
            "run_started",
            {"code_version": "0.1.0"},
            "began, version 0.1.0, as clerk@office",
        ),
        (
            "run_ended",
            {"outcome": "done", "counts": {"posted": 3, "parked": 1}},
            "ended: done: parked 1, posted 3",
        ),
        (
            "key_rotated",
            {},
            "encrypted the credentials with a new key, on the word of clerk@office",
        ),
        ("cash_counted", {"till": 3}, "cash counted: till 3"),
        ("done", {"kind": "send_postcard", "key": "1"}, "carried out send postcard in FreshBooks"),
    ],
)
def test_each_event_has_its_sentence(event: str, data: dict[str, Any], sentence: str) -> None:
    assert said(event, **data) == sentence


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"total": "43.3000", "currency": "USD"}, "43.30 USD"),
        ({"total": "43.3000"}, "43.30"),
        ({"total": 43}, "43.00"),
        ({"total": "0.0000", "currency": "EUR"}, "0.00 EUR"),
        ({"total": "5000.0000", "currency": "JPY"}, "5000 JPY"),
        ({"total": "1.5000", "currency": "KWD"}, "1.500 KWD"),
        ({"total": "43.3050", "currency": "USD"}, "43.3050 USD"),
        ({"amount": {"amount": "12345678.9", "code": "CAD"}}, "12345678.90 CAD"),
        ({"total": "much", "currency": "USD"}, "much USD"),
        ({"total": "9" * 40, "currency": "USD"}, f"{'9' * 40} USD"),
    ],
)
def test_an_amount_has_its_currency_s_decimals_and_hides_no_odd_ones(
    data: dict[str, Any], told: str
) -> None:
    assert said("posted", **data) == f"posted the order: the books agree with it, {told}"


def test_a_total_without_a_currency_is_in_that_of_the_order_s_other_amounts() -> None:
    invoice = row("done", **INVOICE, answer={"id": 5, "amount": "4330.00", "currency": "JPY"})
    other = replace(row("posted", total="43.3000"), order_id=1043)
    *_, posted, elsewhere = tell([invoice, row("posted", total="4330.0000"), other])
    assert posted.endswith("the books agree with it, 4330 JPY")
    assert elsewhere.endswith("the books agree with it, 43.30")


@pytest.mark.parametrize("kind", sorted(DEEDS))
@pytest.mark.parametrize("event", ["intended", "done", "refused", "not_sent", "found", "not_found"])
def test_every_kind_of_write_can_be_told_with_nothing_known_but_its_kind(
    kind: str, event: str
) -> None:
    assert DEEDS[kind][2] in said(event, kind=kind)


def test_an_intent_that_was_closed_by_its_run_is_told_once() -> None:
    assert len(tell([row("intended", **INVOICE), row("done", **INVOICE)])) == 1


def test_an_intent_of_a_killed_run_is_told_with_what_the_next_run_found() -> None:
    lines = tell([row("intended", **INVOICE), row("found", run_id="next", **INVOICE)])
    assert "is about to create the invoice 1042" in lines[0]
    assert "run next  looked, and found" in lines[1]


def test_an_altered_row_is_marked_and_ends_no_story() -> None:
    forged = replace(row("done", **INVOICE, answer=7), altered=True, at=None, seq=9)
    begun, told = tell([row("intended", **INVOICE), forged])
    assert "the outcome is not known yet" in begun
    assert "THIS ROW WAS ALTERED (audit row 9:" in told
    assert told.startswith("at an unreadable time  run")
    assert "answer 7" in told


def test_a_ledger_s_own_rows_are_told(ledger: Ledger) -> None:
    with ledger.locks.hold("ACC1", "run", wait_seconds=0) as lock:
        intent = ledger.intents.open(
            lock=lock,
            order_id=1042,
            kind="create_invoice",
            key="1042",
            request_hash="h",
            payload={"body": {"invoice_number": "BC-1042"}},
            run_id=RUN,
        )
    answer = {"id": 555, "number": "BC-1042", "amount": "69.84", "currency": "USD"}
    ledger.intents.close(
        intent, "done", answer=answer, links=[Link("invoice", "1042", 555, order_id=1042)]
    )
    (line,) = tell(ledger.audit.rows(1042))
    assert line.endswith("created the invoice BC-1042 as a Draft in FreshBooks (id 555), 69.84 USD")
