"""The program as others see it: exit codes, standard output, and a log without anybody's data."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
from target_freshbooks.posting.results import Interrupted
from target_freshbooks.target import TargetFreshBooks

SCHEMA = {
    "type": "SCHEMA",
    "stream": "orders",
    "key_properties": ["id"],
    "schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
}


def lines(*messages: Any) -> str:
    return "".join(f"{m if isinstance(m, str) else json.dumps(m)}\n" for m in messages)


def of(stream: str, **record: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    schema = {**SCHEMA, "stream": stream, "key_properties": ["id"]}
    return schema, {"type": "RECORD", "stream": stream, "record": {"id": 1, **record}}


def person_in(shop: Any, log: str) -> list[str]:
    """What of a customer stands in a log."""
    del shop
    return [
        word
        for word in ("Xaverine", "Quillfeather", "mail.example", "Mulberry", "555 0199")
        if word.lower() in log.lower()
    ]


def test_a_run_that_ends_well_exits_0_and_says_nothing_but_state(shop: Any) -> None:
    order = shop.place()
    ended = shop.run()
    assert ended.code == 0, ended.log
    states = [json.loads(line) for line in ended.out.splitlines()]
    assert states
    assert all(set(state) == {"bookmarks"} for state in states)
    assert [row["invoice_number"] for row in shop.books()["invoices"]] == [str(order)]
    assert "Orders received 1: posted 1" in ended.log
    assert person_in(shop, ended.log) == []
    assert shop.config["refresh_token"] not in ended.log
    assert shop.config["client_secret"] not in ended.log


def test_a_parked_order_gives_one_line_with_its_number_and_reason(shop: Any) -> None:
    nameless = shop.place(billing={"first_name": "Xaverine", "last_name": "Quillfeather"})
    fine = shop.place()
    ended = shop.run()
    assert ended.code == 0
    told = [line for line in ended.log.splitlines() if f"Order {nameless} parked" in line]
    assert len(told) == 1
    assert "no_client" in told[0]
    assert f"1 orders parked: {nameless} (no_client)" in ended.log
    assert [row["invoice_number"] for row in shop.books()["invoices"]] == [str(fine)]
    assert person_in(shop, ended.log) == []


@pytest.mark.parametrize("program", ["target-freshbooks", "tap-bigcommerce-orders"])
@pytest.mark.parametrize("typed", ["--confg=ENV", "--config=ENV sideways"])
def test_a_wrong_command_line_is_no_sign_of_parked_orders(
    shop: Any, program: str, typed: str
) -> None:
    process = shop.start(program, *typed.split())
    _, log = process.communicate("", timeout=60)
    assert (process.returncode, "Usage: " in log) == (1, True), log


def test_with_on_parked_fail_a_run_that_parked_something_exits_2_and_state_leaves(
    shop: Any,
) -> None:
    shop.place(billing={"first_name": "Nobody"})
    said = shop.messages()
    shop.settings = {"on_parked": "fail"}
    first = shop.run(said)
    assert first.code == 2
    assert first.out
    again = shop.run(said)  # parked by an earlier run, not by this one
    assert again.code == 0, again.log


def test_what_freshbooks_refuses_is_parked_without_anybodys_data_in_the_log(shop: Any) -> None:
    order = shop.place()
    refusal = {
        "errno": 1009,
        "field": "email",
        "object": "client",
        "message": "xaverine.q@mail.example is no e-mail address of Quillfeather",
    }
    shop.control(
        "POST",
        "faults",
        {
            "side": "freshbooks",
            "method": "POST",
            "path": "users/clients",
            "kind": "status",
            "status": 422,
            "answer": json.dumps({"response": {"errors": [refusal]}}),
        },
    )
    ended = shop.run()
    assert ended.code == 0, ended.log
    assert f"Order {order} parked: refused_by_freshbooks" in ended.log
    assert person_in(shop, ended.log) == []


@pytest.mark.more
@pytest.mark.parametrize("stream", ["meltano_test_stream", "order_statuses", "currencies"])
def test_a_stream_without_a_place_is_told_once_and_asks_freshbooks_nothing(
    shop: Any, stream: str
) -> None:
    schema, record = of(stream, name="Xaverine")
    given = lines(schema, record, record, schema, record, {"type": "STATE", "value": {"at": 1}})
    ended = shop.run(given)
    assert ended.code == 0, ended.log
    assert json.loads(ended.out) == {"at": 1}
    assert ended.log.count(f"Stream {stream} is not booked") == 1
    assert shop.asked() == []
    assert not (shop.home / "ledger.sqlite").exists()


@pytest.mark.more
@pytest.mark.parametrize(
    ("settings", "times"),
    [
        ({"refund_mode": "credit_note"}, 1),
        ({"refund_mode": "credit_note", "stored_value": "payment"}, 0),
        ({"stored_value": "line"}, 0),
    ],
)
def test_credit_notes_beside_lines_of_stored_value_are_warned_of_once_a_run(
    shop: Any, settings: dict[str, str], times: int
) -> None:
    shop.settings |= settings
    shop.place()
    ended = shop.run()
    assert (ended.code, ended.log.count("kept, by hand")) == (0, times), ended.log


def test_no_input_is_no_work(shop: Any) -> None:
    ended = shop.run("")
    assert (ended.code, ended.out) == (0, "")
    assert shop.asked() == []


ORDER_SCHEMA, ORDER = of("orders", billing_address={"first_name": "Xaverine"})


@pytest.mark.more
@pytest.mark.parametrize(
    "damaged",
    [
        json.dumps(ORDER)[:-9],
        json.dumps(ORDER) + "}",
        '["Xaverine"]',
        '{"record": "Xaverine"}',
        '{"type": "Xaverine", "stream": "orders"}',
        json.dumps({**ORDER, "record": {"billing_address": "Xaverine"}}),
        json.dumps({**ORDER, "record": {"id": "Xaverine"}}),
        json.dumps({**ORDER, "record": {**ORDER["record"], "id": 2**63}}),
        json.dumps({**ORDER, "stream": "products"}),
        '{"type": "RECORD", "stream": "orders"}',
        '{"type": "RECORD", "stream": "orders", "record": "Xaverine"}',
    ],
    ids=[
        "cut off",
        "too long",
        "no message",
        "no type",
        "unknown type",
        "no id",
        "id no number",
        "id beyond the ledger",
        "no schema",
        "no record",
        "record no object",
    ],
)
def test_a_damaged_line_ends_the_run_with_1_and_is_never_quoted(shop: Any, damaged: str) -> None:
    state = {"type": "STATE", "value": {"bookmarks": {"orders": "later"}}}
    ended = shop.run(lines(ORDER_SCHEMA, damaged, state))
    assert ended.code == 1
    assert ended.out == ""
    assert person_in(shop, ended.log) == []
    assert "Traceback" not in ended.log
    assert "defect" not in ended.log


def test_a_refused_token_ends_the_run_with_1_and_says_to_reconnect(shop: Any) -> None:
    shop.place()
    shop.settings = {"refresh_token": "long-gone-token"}
    ended = shop.run()
    assert (ended.code, ended.out) == (1, "")
    assert "target-freshbooks-ctl login" in ended.log
    assert "Traceback" not in ended.log
    assert "long-gone-token" not in ended.log


def test_freshbooks_out_of_reach_ends_the_run_with_1_and_parks_nobody(shop: Any) -> None:
    shop.place()
    said = shop.messages()
    shop.settings = {"api_url": "http://127.0.0.1:9", "max_retry_seconds": 1}
    ended = shop.run(said)
    assert (ended.code, ended.out) == (1, "")
    assert "Traceback" not in ended.log
    assert "parked" not in ended.log


def test_an_unusable_ledger_ends_the_run_with_1(shop: Any) -> None:
    shop.place()
    said = shop.messages()
    (shop.home / "broken.sqlite").write_text("this is no database, but long enough to be read" * 9)
    shop.settings = {"ledger_url": f"sqlite:///{shop.home}/broken.sqlite"}
    ended = shop.run(said)
    assert (ended.code, ended.out) == (1, "")
    assert "broken.sqlite" in ended.log
    assert "Traceback" not in ended.log


def test_a_dry_run_shows_the_plan_writes_nothing_and_lets_no_state_out(shop: Any) -> None:
    order = shop.place()
    shop.settings = {"dry_run": True}
    ended = shop.run()
    assert (ended.code, ended.out) == (0, "")
    assert "Dry run, nothing is written" in ended.log
    assert f"{order}" in ended.log
    assert shop.books()["invoices"] == []
    assert [row for row in shop.asked() if "/accounting/" in row and "GET" not in row] == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
def test_a_signal_ends_the_run_with_128_and_its_number(
    shop: Any, number: signal.Signals, code: int
) -> None:
    process = shop.start("target-freshbooks")
    log: list[str] = []
    seen = threading.Event()

    def follow() -> None:
        for line in process.stderr:
            log.append(line)
            if "is not booked" in line:
                seen.set()

    reader = threading.Thread(target=follow, daemon=True)
    reader.start()
    process.stdin.write(lines(*of("other"), {"type": "STATE", "value": {"at": 1}}))
    process.stdin.flush()
    assert seen.wait(60), log
    first = process.stdout.readline()  # the state: from here on it waits for more input
    process.send_signal(number)
    assert process.wait(60) == code
    reader.join(10)
    process.stdin.close()
    assert json.loads(first) == {"at": 1}
    assert process.stdout.read() == ""
    process.stdout.close()
    process.stderr.close()
    assert "Traceback" not in "".join(log)
    assert "Stopped as asked" in "".join(log)


# What the program does until a signal comes to itself, at a place that no outsider could hit.
SIGNALLED = """
import os, signal, sys
from target_freshbooks import target

def signalled(place, name, *, after=False):
    work = getattr(place, name)
    def at_the_signal(*given, **named):
        if not after:
            os.kill(os.getpid(), signal.{signal})
        result = work(*given, **named)
        if after:
            os.kill(os.getpid(), signal.{signal})
        return result
    setattr(place, name, at_the_signal)

signalled({place})
sys.argv = ["target-freshbooks", "--config", {config!r}]
target.TargetFreshBooks.cli()
"""


@pytest.mark.more
@pytest.mark.parametrize(
    "place",
    [
        "target.Target, '__init__', after=True",
        "target, 'read_settings'",
        "target.TargetFreshBooks, 'close', after=True",
        "target.TargetFreshBooks, 'report'",
    ],
    ids=["while it is made", "before it reads", "when it closes", "in the report"],
)
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_before_and_after_the_work_ends_the_run_like_any_other(
    shop: Any, place: str, name: str, code: int
) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            SIGNALLED.format(signal=name, place=place, config=shop.config_file()),
        ],
        input=lines(*of("other"), {"type": "STATE", "value": {"at": 1}}),
        capture_output=True,
        text=True,
        cwd=shop.home,
        timeout=60,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    read = "is not booked" in ended.stderr
    assert json.loads(ended.stdout or "{}") == ({"at": 1} if read else {})


def test_a_second_signal_does_not_break_off_what_the_first_lets_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(TargetFreshBooks, "_setup_signal_handlers", lambda _: None)
    target = TargetFreshBooks(config={"client_id": "id", "client_secret": "secret"})
    target._wait()
    with pytest.raises(Interrupted):
        target._handle_termination(signal.SIGTERM, None)
    target._handle_termination(signal.SIGTERM, None)  # on the way out: only noted
    assert target.exit_code(1) == 143


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_reader_of_the_state_that_goes_away_ends_the_run_with_1_and_one_line(
    shop: Any, unbuffered: str
) -> None:
    process = shop.start("target-freshbooks", environment={"PYTHONUNBUFFERED": unbuffered})
    process.stdout.close()
    process.stdin.write(lines(*of("other"), {"type": "STATE", "value": {"at": 1}}))
    process.stdin.close()
    log = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 1, log
    assert "The reader of the state went away. Nothing is lost: run again." in log
    for word in ("Traceback", "defect", "BrokenPipe"):
        assert word not in log


def test_asked_for_a_file_of_plans_the_program_writes_it_and_nothing_to_freshbooks(
    shop: Any,
) -> None:
    order = shop.place()
    ended = shop.run(None, "--config", shop.config_file(), "--plan", "plans.csv")
    assert (ended.code, ended.out, shop.writes()) == (0, "", 0), ended.log
    (row,) = (shop.home / "plans.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert row.startswith(f"{order},posted,")
    assert "The plans of 1 orders are in plans.csv." in ended.log
    assert person_in(shop, ended.log) == []
