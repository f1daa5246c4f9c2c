"""What every answer has: the quota's headers, and errors in one of their formats."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest


def test_every_answer_has_the_quota_headers(books: Any) -> None:
    answers = [books.ask("GET", "client"), books.ask("GET", "client", 1)]
    answers.append(books.http.get("/auth/api/v1/users/me"))
    answers.append(httpx.get(f"{books.http.base_url}/auth/api/v1/users/me"))
    assert [answer.status_code for answer in answers] == [200, 404, 200, 401]
    for answer in answers:
        assert int(answer.headers["x-ratelimit-limit"]) > 0
        assert 55 <= int(answer.headers["retry-after"]) <= 60
        assert abs(int(answer.headers["x-ratelimit-reset"]) - time.time()) <= 61


def test_the_quota_is_a_real_window(books: Any, switch: Any) -> None:
    switch(rate_limit=3, rate_window_seconds=1)
    end = time.monotonic() + 10
    while "429" not in (
        seen := "".join(str(books.ask("GET", "client").status_code) for _ in "1234")
    ):
        assert time.monotonic() < end, seen
    refused = books.ask("POST", "client", json={"client": {"email": "a@b.c"}})
    assert refused.status_code == 429
    assert refused.headers["x-ratelimit-remaining"] == "0"
    while books.ask("GET", "client").status_code == 429:
        assert time.monotonic() < end
    switch(rate_limit=0)
    assert books.rows("client") == []


def test_a_429_may_come_without_headers(books: Any, switch: Any) -> None:
    switch(rate_limit=1, rate_headers_on_429="no")
    books.ask("GET", "client")
    refused = books.ask("GET", "client")
    assert refused.status_code == 429
    assert not {"retry-after", "x-ratelimit-limit"} & set(refused.headers)


def test_errors_are_old_unless_a_version_is_asked_for(books: Any, switch: Any) -> None:
    old = books.ask("GET", "client", 12)
    assert old.json() == {
        "response": {
            "errors": [
                {
                    "errno": 1012,
                    "field": "userid",
                    "message": "Client not found.",
                    "object": "client",
                    "value": "12",
                }
            ]
        }
    }
    new = books.ask("GET", "client", 12, headers={"x-api-version": "2023-02-20"})
    assert new.status_code == 404
    assert (new.json()["code"], new.json()["details"][0]["reason"]) == (5, "1012")
    assert new.json()["details"][0]["metadata"]["field"] == "userid"
    switch(error_format="new")
    assert "details" in books.ask("GET", "client", 12).json()


def test_errors_may_come_inside_a_200(books: Any, switch: Any) -> None:
    switch(error_status="200")
    answer = books.ask("POST", "client", json={"client": {}})
    assert answer.status_code == 200
    assert answer.json()["response"]["errors"][0]["errno"] == 1001


def test_a_refused_write_leaves_nothing_behind(books: Any, line: Any, control: Any) -> None:
    books.create("item", name="Bowl", inventory="5")
    body = {"customerid": books.client()["id"], "create_date": "2026-11-02"}
    before = len(control.get("history").json()["history"])
    lines = [line("1.00", name="Bowl"), line("-5.00")]
    # Stock has been moved by the time the total is found to be below zero.
    refused = books.errors("POST", "invoice", **body, currency_code="CAD", lines=lines)
    assert refused.errno == 1040
    assert books.rows("item")[0]["inventory"] == "5"
    assert len(control.get("history").json()["history"]) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"text"'])
def test_a_body_that_is_no_object_is_a_parse_error(books: Any, content: bytes) -> None:
    answer = books.ask("POST", "client", content=content)
    assert answer.status_code == 400
    assert answer.json()["response"]["errors"][0]["errno"] == 1005


def test_the_account_must_be_ours_and_active(books: Any, switch: Any) -> None:
    for status in (404, 401, 403):
        switch(wrong_account=status)
        elsewhere = books.http.get("/accounting/account/OTHER1/users/clients")
        assert elsewhere.status_code == status
    switch(subscription="cancelled")
    assert books.ask("GET", "client").json()["response"]["errors"][0]["errno"] == 1042


def test_a_clients_role_reads_and_does_not_write(books: Any, switch: Any) -> None:
    switch(role="client")
    assert books.rows("client") == []
    refused = books.errors("POST", "client", email="a@b.c")
    assert (refused.status, refused.message) == (403, "Permission Denied")


def test_post_answers_200_and_not_201(books: Any) -> None:
    answer = books.ask("POST", "client", json={"client": {"email": "a@b.c"}})
    assert answer.status_code == 200


def test_timestamps_are_eastern_and_the_version_has_microseconds(books: Any, control: Any) -> None:
    control.post("clock", json={"set": "2026-07-01T18:22:18+00:00", "rate": 0})
    invoice = books.invoice()
    assert invoice["updated"] == invoice["created_at"] == "2026-07-01 14:22:18"
    assert invoice["version"].startswith("2026-07-01 14:22:18.")
