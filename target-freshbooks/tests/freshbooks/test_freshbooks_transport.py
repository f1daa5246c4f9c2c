"""What is tried again, what is not, and what the caller is told."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.freshbooks import (
    AuthError,
    Conflict,
    Forbidden,
    FreshBooksError,
    NotFound,
    Outage,
    Refused,
    UnknownOutcome,
)
from target_freshbooks.freshbooks.errors import Throttled

if TYPE_CHECKING:
    from collections.abc import Callable

INVOICE = {
    "id": 7,
    "invoice_number": "BC-1",
    "amount": {"amount": "12.50", "code": "CAD"},
    "create_date": "2026-11-20",
    "status": 1,
}
FOUND = {"response": {"result": {"invoice": INVOICE}}}
NONE = {"response": {"result": {"invoices": [], "page": 1, "pages": 0, "total": 0}}}
EMAIL = "person+shop@example.com"
NAME = "Zoe Quux"


def errors(errno: int, message: str, field: str = "", obj: str = "invoice") -> dict[str, Any]:
    entry = {"errno": errno, "field": field, "message": message, "object": obj, "value": EMAIL}
    return {"response": {"errors": [entry]}}


HTML = b"<html><body>Bad gateway</body></html>"
PASSING = {
    "429 without headers": {"status": 429, "body": b""},
    "429 with HTML": {"status": 429, "body": HTML},
    "500": {"status": 500, "body": b"{}"},
    "502 HTML": {"status": 502, "body": HTML},
    "503": {"status": 503, "body": b""},
    "504": {"status": 504, "body": HTML},
    "408": {"status": 408, "body": b""},
    "reset": {"spoil": "reset"},
    "time-out": {"spoil": "hang"},
    "truncated": {"document": FOUND, "spoil": "truncate"},
    "HTML inside 200": {"body": HTML},
    "empty 200": {"body": b""},
    "200 without a response": {"document": {"hello": 1}},
    "200 with a list": {"document": [1]},
    "errno 500 inside 200": {"document": errors(500, "unexpected")},
    "404 of a proxy": {"status": 404, "body": HTML},
}
UNCLEAR = {name: reply for name, reply in PASSING.items() if not name.startswith("429")}


@pytest.mark.parametrize("name", PASSING)
def test_a_read_is_tried_again_after_what_may_pass(bench: Any, reply: Any, name: str) -> None:
    bench.say(reply(**PASSING[name]), reply(**PASSING[name]), reply(FOUND))
    assert bench.client.invoices.get(7).number == "BC-1"
    assert len(bench.server.asked) == 3
    assert len(bench.clock.slept) == 2


@pytest.mark.parametrize("name", UNCLEAR)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_write_with_an_unclear_outcome_is_never_repeated(
    bench: Any, reply: Any, name: str, method: str
) -> None:
    bench.say(reply(**UNCLEAR[name]), reply(FOUND))
    writes = {
        "POST": lambda: bench.client.invoices.create({"invoice_number": "BC-1"}),
        "PUT": lambda: bench.client.invoices.update(7, {"notes": "x"}),
    }
    with pytest.raises(UnknownOutcome):
        writes[method]()
    assert [asked.method for asked in bench.server.asked] == [method]
    assert bench.clock.slept == []


@pytest.mark.parametrize("name", ["429 without headers", "429 with HTML"])
def test_a_write_is_repeated_after_429_for_it_was_not_handled(
    bench: Any, reply: Any, name: str
) -> None:
    bench.say(reply(**PASSING[name]), reply(FOUND))
    assert bench.client.invoices.create({"invoice_number": "BC-1"}).id == 7
    assert len(bench.server.asked) == 2


@pytest.mark.parametrize(
    ("what", "encoding"), [("drip", None), ("drip", "gzip"), ("drip headers", None)]
)
def test_an_answer_that_drips_is_given_up_and_counts_as_sent(
    bench: Any, reply: Any, what: str, encoding: str | None
) -> None:
    body = json.dumps(FOUND).encode()
    spoilt: dict[str, Any] = {"body": body, "spoil": what}
    if encoding is not None:
        spoilt = {**spoilt, "body": gzip.compress(body), "headers": {"Content-Encoding": encoding}}
    bench.say(reply(**spoilt), reply(FOUND))
    started = time.monotonic()
    with pytest.raises(UnknownOutcome, match="in time"):
        bench.client.invoices.create({"invoice_number": "BC-1"})
    assert 2 <= time.monotonic() - started < 6  # the time-out is 1 s; the whole would take 20 s
    assert [record.outcome for record in bench.records] == ["lost"]
    assert bench.client.invoices.get(7).number == "BC-1"  # by a connection of its own


def test_answers_leave_their_connection_to_the_next_request(bench: Any, reply: Any) -> None:
    packed = {"body": gzip.compress(json.dumps(FOUND).encode())}
    bench.say(reply(FOUND), reply(**packed, headers={"Content-Encoding": "gzip"}), reply(FOUND))
    for _ in range(4):
        assert bench.client.invoices.get(7).number == "BC-1"
    assert len({asked.port for asked in bench.server.asked}) == 1


def test_a_connection_that_was_closed_while_idle_makes_a_post_unknown(
    bench: Any, reply: Any
) -> None:
    bench.say(reply(FOUND), reply(spoil="reset"))
    bench.client.invoices.get(7)
    with pytest.raises(UnknownOutcome):
        bench.client.invoices.create({})
    assert len(bench.server.asked) == 2


@pytest.mark.parametrize(("method", "argument"), [("create", {}), ("get", 7)])
def test_where_nothing_listens_nothing_was_sent(bench: Any, method: str, argument: Any) -> None:
    bench.server.listening.close()
    with pytest.raises(Outage, match="nothing sent"):
        getattr(bench.client.invoices, method)(argument)
    assert sum(bench.clock.slept) == pytest.approx(60, abs=1)  # tried all through the budget
    assert {record.outcome for record in bench.records} == {"not_sent"}


def test_an_earlier_failure_being_handled_does_not_make_a_lost_write_unsent(
    bench: Any, reply: Any
) -> None:
    """The caller may write while it handles a refused connection of something else."""
    bench.say(reply(spoil="reset"))
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))
    port = dead.getsockname()[1]
    dead.close()
    import requests  # noqa: PLC0415 - only this test makes a failure of its own

    try:
        requests.get(f"http://127.0.0.1:{port}", timeout=1)
    except requests.ConnectionError:
        with pytest.raises(UnknownOutcome):
            bench.client.invoices.create({})
    assert len(bench.server.asked) == 1


def test_an_unknown_host_is_an_outage(bench: Any) -> None:
    bench.client._transport._wire._base_url = "http://no-such-host.invalid"
    with pytest.raises(Outage, match="NameResolutionError"):
        bench.client.invoices.create({})


def test_patience_ends_and_is_an_outage(bench: Any, reply: Any) -> None:
    bench.say(reply(status=503, body=b""))
    with pytest.raises(Outage, match="HTTP 503"):
        bench.client.invoices.get(7)
    assert sum(bench.clock.slept) == pytest.approx(60, abs=1)


def test_waits_grow_and_are_jittered_over_their_whole_range(bench: Any, reply: Any) -> None:
    waits: list[list[float]] = []
    for _ in range(30):
        bench.clock.slept.clear()
        bench.say(*[reply(status=503, body=b"")] * 3, reply(FOUND))
        bench.client.invoices.get(7)
        waits.append(list(bench.clock.slept))
    for place, limit in enumerate((0.5, 1.0, 2.0)):
        column = [wait[place] for wait in waits]
        assert max(column) <= limit
        assert min(column) < limit * 0.4
        assert max(column) > limit * 0.6


def test_a_429_waits_for_the_longer_of_its_two_headers(bench: Any, reply: Any) -> None:
    reset = str(int(bench.clock.now.timestamp()) + 40)
    date = "Fri, 20 Nov 2026 12:00:00 GMT"
    headers = {"Retry-After": "7", "X-RateLimit-Reset": reset, "Date": date}
    bench.say(reply(status=429, headers=headers), reply(FOUND))
    bench.client.invoices.create({})
    assert 40 <= sum(bench.clock.slept) <= 41


def test_a_429_that_asks_for_more_than_our_patience_is_an_outage_at_once(
    bench: Any, reply: Any
) -> None:
    bench.say(reply(status=429, headers={"Retry-After": "61"}))
    with pytest.raises(Outage, match="429"):
        bench.client.invoices.create({})
    assert bench.clock.slept == []


@pytest.mark.parametrize(("asked", "error"), [("59", Throttled), ("61", Outage)])
def test_no_write_that_rests_on_a_look_has_a_run_wait_for_longer_than_our_patience(
    bench: Any, reply: Any, asked: str, error: type[Outage]
) -> None:
    bench.say(reply(status=429, headers={"Retry-After": asked}))
    with pytest.raises(Outage, match="429") as outage:
        bench.client.invoices.update(7, {"notes": "x"}, impatient=True)
    assert type(outage.value) is error
    assert bench.clock.slept == []


def test_retry_after_on_a_success_means_nothing(bench: Any, reply: Any) -> None:
    headers = {"Retry-After": "57", "X-RateLimit-Remaining": "500"}
    bench.say(reply(FOUND, headers=headers))
    for _ in range(3):
        bench.client.invoices.get(7)
    assert bench.clock.slept == []


def test_a_401_is_refreshed_once_and_repeated_once(bench: Any, reply: Any) -> None:
    bench.say(reply(errors(1003, "no"), status=401), reply(FOUND))
    assert bench.client.invoices.create({}).id == 7
    assert [asked.headers["Authorization"] for asked in bench.server.asked] == [
        "Bearer token-0",
        "Bearer token-1",
    ]


def test_a_401_also_after_a_refresh_says_reconnect(bench: Any, reply: Any) -> None:
    bench.say(reply({"error": "unauthenticated"}, status=401))
    with pytest.raises(AuthError, match="reconnect: target-freshbooks-ctl login"):
        bench.client.invoices.get(7)
    assert len(bench.server.asked) == 2
    assert len(bench.tokens.rejected) == 1


NEW_FORMAT = {
    "code": 5,
    "message": "Request failed with status_code: 404",
    "details": [
        {"reason": "1012", "metadata": {"object": "client", "message": "No.", "field": "userid"}}
    ],
}
REFUSALS: dict[str, tuple[dict[str, Any], type[FreshBooksError], str]] = {
    "422": ({"document": errors(1001, "required", "clientid"), "status": 422}, Refused, "1001"),
    "errors inside 200": ({"document": errors(1004, "invalid", "type")}, Refused, "type: invalid"),
    "old 404": ({"document": errors(1012, "Client not found."), "status": 404}, NotFound, "1012"),
    "new 404": ({"document": NEW_FORMAT, "status": 404}, NotFound, "userid: No."),
    "1012 inside 200": ({"document": errors(1012, "gone")}, NotFound, "gone"),
    "plain 404": ({"document": {"error": "not found"}, "status": 404}, NotFound, "not found"),
    "409": ({"document": errors(409, "being changed"), "status": 409}, Conflict, "being changed"),
    "409 inside 200": ({"document": errors(409, "being changed")}, Conflict, "being changed"),
    "number taken 409": (
        {"document": errors(1029, "taken", "invoice_number"), "status": 409},
        Refused,
        "taken",
    ),
    "number taken 422": (
        {"document": errors(1029, "taken", "invoice_number"), "status": 422},
        Refused,
        "taken",
    ),
    "read-only field": (
        {"document": errors(1038, "read-only", "due_date"), "status": 403},
        Refused,
        "read-only",
    ),
    "409 that says it exists": (
        {"document": errors(409, "It already exists.", "name"), "status": 409},
        Refused,
        "exists",
    ),
    "403 of a write": (
        {"document": {"message": "Permission Denied"}, "status": 403},
        Refused,
        "403, errno None.: Permission Denied",
    ),
    "locked period": (
        {"document": errors(1003, "In a locked period."), "status": 403},
        Refused,
        "locked period",
    ),
    "access denied inside 200": ({"document": errors(1003, "no")}, Forbidden, "errno 1003"),
    "403 HTML": ({"body": HTML, "status": 403}, Refused, "403, errno None"),
    "no access to items": ({"document": errors(12001, "no access")}, Forbidden, "errno 12001"),
    "inactive account": ({"document": errors(1042, "inactive"), "status": 422}, Forbidden, "1042"),
    "413 HTML": ({"body": HTML, "status": 413}, Refused, "413, errno None"),
    "redirect": ({"body": b"", "status": 302}, Outage, "api_url"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_told_for_what_it_is_and_not_repeated(
    bench: Any, reply: Any, name: str
) -> None:
    answer, kind, words = REFUSALS[name]
    listed = {"response": {"result": {"invoices": [], "pages": 1}}}
    looks_again = kind is NotFound or name == "403 HTML"
    bench.say(reply(**answer), reply(listed if looks_again else FOUND))
    with pytest.raises(FreshBooksError, match=words) as caught:
        bench.client.invoices.update(7, {"notes": "x"})
    assert type(caught.value) is kind
    # Before a record counts as missing or blocked, others are seen to be read.
    methods = [asked.method for asked in bench.server.asked]
    assert methods == (["PUT", "GET"] if looks_again else ["PUT"])


def test_a_write_that_is_blocked_as_all_else_is_stops_the_run(bench: Any, reply: Any) -> None:
    bench.say(*(reply(body=HTML, status=403) for _ in range(2)))
    with pytest.raises(Forbidden, match=r"GET .*check role and scopes"):
        bench.client.invoices.update(7, {"notes": "x"})


def test_a_refusal_gives_errno_field_and_words(bench: Any, reply: Any) -> None:
    document = errors(1001, f"'clientid' of {EMAIL} is required", "clientid")
    document["response"]["errors"].append({"errno": "1017", "message": "too long"})
    bench.say(reply(document, status=422))
    with pytest.raises(Refused) as caught:
        bench.client.payments.create({})
    refused = caught.value
    assert (refused.status, refused.errno, refused.field) == (422, 1001, "clientid")
    assert refused.words == "clientid: 'clientid' of [e-mail] is required; too long"
    assert [error.errno for error in refused.errors] == [1001, 1017]


def test_a_record_that_is_not_found_with_its_whole_list_means_a_wrong_account(
    bench: Any, reply: Any
) -> None:
    missing = reply(errors(1012, "Account not found."), status=404)
    bench.say(missing, missing)
    with pytest.raises(Forbidden, match="check account_id"):
        bench.client.invoices.create({})


@pytest.mark.parametrize(
    ("status", "call", "words"),
    [
        (402, "of_email", "check role and scopes"),
        (403, "of_email", "check role and scopes"),
        (404, "create", "check account_id"),
        (404, "of_email", "check account_id"),
    ],
)
def test_what_freshbooks_says_of_a_person_is_left_out_of_what_it_does_not_allow(
    bench: Any, reply: Any, status: int, call: str, words: str
) -> None:
    document = errors(1004, f"Invalid name {NAME}, {EMAIL}, 1 Canary Road", "fname", "client")
    bench.say(reply(document, status=status))
    given = EMAIL if call == "of_email" else {"email": EMAIL, "fname": NAME}
    with pytest.raises(Forbidden, match=words) as caught:
        getattr(bench.client.clients, call)(given)
    told = str(caught.value)
    assert f"(HTTP {status}, errno 1004, field fname)" in told
    for secret in (NAME, "Zoe", EMAIL, "Canary"):
        assert secret not in told


def test_a_server_that_quotes_the_token_does_not_have_us_keep_it(bench: Any, reply: Any) -> None:
    token = bench.tokens.access_token()
    bench.say(reply(errors(1001, f"bad header: Bearer {token}", "notes"), status=422))
    with pytest.raises(Refused, match=r"Bearer \[token\]") as caught:
        bench.client.invoices.create({})
    assert token not in str(caught.value) + str(caught.value.errors)


def test_a_list_that_is_not_found_means_a_wrong_account(bench: Any, reply: Any) -> None:
    bench.say(reply(errors(1012, "Account not found."), status=404))
    with pytest.raises(Forbidden, match="check account_id"):
        bench.client.invoices.find("BC-1")


def test_an_answer_to_a_write_without_the_record_is_unknown(bench: Any, reply: Any) -> None:
    bench.say(reply({"response": {"result": {}}}))
    with pytest.raises(UnknownOutcome, match="no invoice"):
        bench.client.invoices.create({})
    bench.say(reply({"response": {"result": {"invoice": {"id": 1, "amount": "abc"}}}}))
    with pytest.raises(UnknownOutcome, match="amount is no number"):
        bench.client.invoices.create({})


def test_amounts_leave_as_text_only(bench: Any) -> None:
    with pytest.raises(TypeError, match="as text"):
        bench.client.payments.create({"amount": {"amount": 1.1}})
    assert bench.server.asked == []


def test_records_and_logs_and_tracebacks_hold_no_personal_data(
    bench: Any, reply: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bench.say(reply({"response": {"result": {"clients": [], "pages": 1}}}))
    with caplog.at_level(logging.DEBUG):
        bench.client.clients.of_email(EMAIL)
        bench.say(reply(spoil="reset"))
        shown = shown_by(lambda: bench.client.clients.of_email(EMAIL))
        bench.say(reply(errors(1004, f"bad {EMAIL}"), status=422))
        shown += shown_by(lambda: bench.client.clients.create({"email": EMAIL, "fname": NAME}))
        bench.server.listening.close()
        shown += shown_by(lambda: bench.client.clients.of_email(EMAIL))
    everything = shown + caplog.text + repr(bench.records)
    for secret in (EMAIL, "person", "token-0", NAME):
        assert secret not in everything
    assert bench.records[0].path == "/accounting/account/{account_id}/users/clients"
    assert (bench.records[0].method, bench.records[0].status) == ("GET", 200)
    assert "answered 200" in caplog.text


def shown_by(call: Callable[[], object]) -> str:
    with pytest.raises(FreshBooksError) as caught:
        call()
    assert caught.value.__context__ is None  # the library's own holds the address
    return "".join(traceback.format_exception(caught.value))


def test_a_netrc_entry_does_not_replace_the_token(
    bench: Any, reply: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    bench.say(reply(FOUND))
    bench.client.invoices.get(7)
    assert bench.server.asked[0].headers["Authorization"] == "Bearer token-0"
    assert bench.server.asked[0].headers["User-Agent"] == "target-freshbooks/test"
