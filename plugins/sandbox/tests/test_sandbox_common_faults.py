"""Faults as a raw client sees them: what comes over the TCP connection, and what was committed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from connector_sandbox.testing import until

if TYPE_CHECKING:
    from collections.abc import Iterator


class Raw:
    """One TCP connection that sends a request and reads to the end."""

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=10)

    def send(self, method: str, path: str, body: Any = None) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
            "Connection: close\r\n\r\n"
        )
        self.socket.sendall(head.encode() + raw)

    def read(self) -> bytes:
        received = b""
        while chunk := self.socket.recv(65536):
            received += chunk
        return received


@pytest.fixture
def raw(sandbox: Any, books: Any) -> Iterator[Raw]:
    token = books.http.headers["authorization"].removeprefix("Bearer ")
    connection = Raw(sandbox.url, token)
    yield connection
    connection.socket.close()


CLIENTS = "/accounting/account/SBX001/users/clients"
BODY = {"client": {"email": "raw@example.com"}}


def order(control: httpx.Client, **rule: Any) -> dict[str, Any]:
    answer = control.post("faults", json={"side": "freshbooks", "path": "users/clients$", **rule})
    assert answer.status_code == 201, answer.text
    return answer.json()


def committed(books: Any) -> int:
    return len(books.rows("client", email="raw@example.com"))


@pytest.mark.parametrize(("kind", "written"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_sends_not_a_single_byte_and_commits_only_when_told_to(
    control: httpx.Client, books: Any, raw: Raw, kind: str, written: int
) -> None:
    order(control, kind=kind, method="POST")
    raw.send("POST", CLIENTS, BODY)
    with pytest.raises(ConnectionResetError):
        raw.read()
    assert committed(books) == written


def test_a_truncated_answer_announces_all_and_sends_half(
    control: httpx.Client, books: Any, raw: Raw
) -> None:
    order(control, kind="truncate", method="POST")
    raw.send("POST", CLIENTS, BODY)
    head, _, body = raw.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    announced = next(
        int(field.split(b":")[1])
        for field in head.split(b"\r\n")
        if field.lower().startswith(b"content-length")
    )
    assert len(body) == announced // 2
    assert committed(books) == 1


@pytest.mark.parametrize(("when", "written"), [("before", 0), ("after", 1)])
def test_a_timeout_never_answers(
    control: httpx.Client, books: Any, raw: Raw, when: str, written: int
) -> None:
    order(control, kind="timeout", method="POST", when=when)
    raw.socket.settimeout(0.5)
    raw.send("POST", CLIENTS, BODY)
    with pytest.raises(TimeoutError):
        raw.read()
    assert committed(books) == written


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_status_comes_before_or_after_the_commit(
    control: httpx.Client, books: Any, when: str
) -> None:
    order(control, kind="status", status=503, when=when, method="POST", times=1)
    answer = books.ask("POST", "client", json=BODY)
    assert answer.status_code == 503
    assert "x-ratelimit-limit" not in answer.headers
    assert committed(books) == (1 if when == "after" else 0)
    assert books.ask("POST", "client", json=BODY).status_code == 200


def test_a_429_can_come_with_the_quota_headers_or_with_others(
    control: httpx.Client, books: Any
) -> None:
    order(control, kind="status", status=429, headers=True, times=1)
    order(control, kind="status", status=429, headers={"Retry-After": "7"}, times=1)
    first, second = (books.ask("GET", "client") for _ in range(2))
    assert first.headers["x-ratelimit-remaining"] == "0"
    assert int(first.headers["retry-after"]) > 0
    assert second.headers["retry-after"] == "7"
    assert "x-ratelimit-remaining" not in second.headers


def test_html_comes_in_place_of_json(control: httpx.Client, books: Any) -> None:
    order(control, kind="html", status=200, times=1)
    answer = books.ask("GET", "client")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_slow_is_slow_and_right(control: httpx.Client, books: Any) -> None:
    order(control, kind="slow", delay_ms=200, times=1)
    began = time.monotonic()
    assert books.rows("client") == []
    assert time.monotonic() - began >= 0.2


def test_skip_and_times_choose_among_the_matches(control: httpx.Client, books: Any) -> None:
    order(control, kind="status", status=500, skip=1, times=2)
    seen = [books.ask("GET", "client").status_code for _ in range(5)]
    assert seen == [200, 500, 500, 200, 200]
    told = control.get("faults").json()["rules"][0]
    assert (told["matches"], told["hits"]) == (5, 2)


def test_probability_is_repeatable_from_its_seed(control: httpx.Client, books: Any) -> None:
    rounds = []
    for _ in range(2):
        control.delete("faults")
        order(control, kind="status", status=500, probability_percent=30, seed=7)
        rounds.append([books.ask("GET", "client").status_code for _ in range(40)])
    assert rounds[0] == rounds[1]
    assert 3 <= rounds[0].count(500) <= 25


def test_a_rule_can_look_into_the_body(control: httpx.Client, books: Any) -> None:
    order(control, kind="status", status=500, body='"vis_state": ?1', path="users/clients")
    client = books.client()
    assert books.put("client", client["id"], fname="Willie")["fname"] == "Willie"
    assert books.ask("PUT", "client", client["id"], json={"client": {"vis_state": 1}}).is_error


def test_a_stale_search_fault_hides_what_is_new(control: httpx.Client, books: Any) -> None:
    client = books.client()
    order(control, kind="stale_search", delay_ms=60_000, method="GET", times=1)
    assert books.rows("client") == []
    assert [row["id"] for row in books.rows("client")] == [client["id"]]


def test_a_rule_that_is_not_understood_is_refused(control: httpx.Client) -> None:
    for rule in (
        {"kind": "explode"},
        {"kind": "slow", "colour": "red"},
        {"kind": "slow", "path": "("},
    ):
        assert control.post("faults", json=rule).status_code == 400
    assert control.get("faults").json()["rules"] == []


_VICTIM = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]))
connection.request("POST", sys.argv[3], sys.argv[4], {
    "Authorization": "Bearer " + sys.stdin.readline().strip(),
    "Content-Type": "application/json"})
print(connection.getresponse().status, flush=True)
"""


@pytest.mark.parametrize(
    ("where", "written"),
    [(("before", False), 0), (("before", True), 1), (("after", False), 1)],
)
def test_a_client_can_be_killed_exactly_where_its_request_is_held(
    control: httpx.Client, books: Any, raw: Raw, where: tuple[str, bool], written: int
) -> None:
    when, handle_gone = where
    rule = order(control, kind="hold", method="POST", when=when, times=1, handle_gone=handle_gone)
    host, port = raw.socket.getpeername()
    victim = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, host, str(port), CLIENTS, json.dumps(BODY)],
        stdin=subprocess.PIPE,
    )
    assert victim.stdin is not None
    victim.stdin.write(raw.token.encode() + b"\n")
    victim.stdin.flush()
    held = until(lambda: control.get("faults").json()["held"], "the request to be held")
    assert (held[0]["method"], held[0]["when"], held[0]["client_gone"]) == ("POST", when, False)
    assert committed(books) == (1 if when == "after" else 0)

    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()
    until(lambda: control.get("faults").json()["held"][0]["client_gone"], "the client's end")
    assert control.post(f"faults/{rule['id']}/release").json() == {"released": 1}
    until(lambda: not control.get("faults").json()["held"], "the release")
    if written:
        until(lambda: committed(books), "the write")
    assert committed(books) == written


def test_a_held_request_goes_on_when_released(control: httpx.Client, books: Any, raw: Raw) -> None:
    rule = order(control, kind="hold", method="POST", when="before", times=1)
    raw.send("POST", CLIENTS, BODY)
    until(lambda: control.get("faults").json()["held"], "the request to be held")
    control.post(f"faults/{rule['id']}/release")
    assert raw.read().startswith(b"HTTP/1.1 200 ")
    assert committed(books) == 1


def test_a_hold_ends_by_itself(control: httpx.Client, books: Any) -> None:
    order(control, kind="hold", method="POST", when="after", times=1, delay_ms=100)
    assert books.ask("POST", "client", json=BODY).status_code == 200
    assert control.get("faults").json()["held"] == []


def test_faulted_requests_are_counted_with_what_their_client_saw(
    control: httpx.Client, books: Any
) -> None:
    order(control, kind="reset_after", method="POST", times=1)
    control.post("requests/reset")
    with pytest.raises(httpx.TransportError):
        books.ask("POST", "client", json=BODY)
    books.ask("POST", "client", json=BODY)
    rows = control.get("requests").json()["requests"]
    posts = next(row for row in rows if row["method"] == "POST")
    assert posts["path"] == "/accounting/account/{account}/users/clients"
    assert posts["statuses"] == {"0": 1, "200": 1}


@pytest.mark.parametrize("rule", [{"kind": "slow", "delay_ms": 0}, {"kind": "html", "body": "!"}])
def test_a_body_that_broke_off_half_way_is_not_handled(
    control: httpx.Client, books: Any, raw: Raw, rule: dict[str, Any]
) -> None:
    order(control, method="POST", **rule)
    whole = json.dumps(BODY).encode()
    head = (
        f"POST {CLIENTS} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {raw.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(whole) + 40}\r\n\r\n"
    )
    raw.socket.sendall(head.encode() + whole)  # it would be JSON if this were all
    raw.socket.shutdown(socket.SHUT_WR)
    assert raw.read() == b""
    assert committed(books) == 0
