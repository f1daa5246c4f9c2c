"""Answers of no known form: they end as any answer that cannot be read, and no request goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from target_freshbooks.freshbooks import OAuth, Wire, parsing
from target_freshbooks.freshbooks.answers import read
from target_freshbooks.freshbooks.errors import ApiError, Failing, UnknownOutcome
from target_freshbooks.freshbooks.parsing import Unreadable
from target_freshbooks.freshbooks.refusals import RefusalKind, meaning

INVOICE = {"id": 7, "amount": {"amount": "10.00", "code": "USD"}, "create_date": "2026-11-20"}
LONG = "9" * 5_000


@pytest.mark.parametrize(
    "odd",
    [
        {"lines": 5},
        {"lines": "text"},
        {"lines": {"a": 1}},
        {"lines": [None]},
        {"lines": [["a"]]},
        {"amount": {"amount": "1e999999999"}},
        {"paid": {"amount": "-1e-999999999"}},
        {"amount": {"amount": LONG}},
        {"outstanding": LONG},
    ],
)
def test_an_invoice_of_no_known_form_is_unreadable(odd: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        parsing.invoice({**INVOICE, **odd})


@pytest.mark.timeout(30)
def test_a_list_that_gives_one_page_for_ever_comes_to_an_end(bench: Any, reply: Any) -> None:
    row = {"id": 1, "name": "Mug", "unit_cost": {"amount": "1.00"}}
    body = {"response": {"result": {"items": [row], "pages": 10**18, "page": 1}}}
    bench.say(reply(body))
    with pytest.raises(Failing, match="same page twice"):
        list(bench.client.items.rows())
    assert len(bench.server.asked) == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"response": {"errors": [{"errno": "%s", "message": "no"}]}}' % LONG.encode(),
        b'{"details": [{"reason": "%s", "metadata": {}}]}' % LONG.encode(),
        b'{"errno": "%s", "message": "no"}' % LONG.encode(),
    ],
)
def test_a_code_of_thousands_of_digits_is_none(body: bytes) -> None:
    assert [error.errno for error in read(422, body).errors] == [None]


def test_a_limit_of_thousands_of_digits_is_none() -> None:
    error = ApiError(1017, "name", f"longer than {LONG} characters", "client")
    found = meaning("POST /accounting/account/{account_id}/users/clients", 422, [error])
    assert found.kind is RefusalKind.TOO_LONG
    assert found.limit is None


@pytest.mark.timeout(30)
@pytest.mark.parametrize("words", [" 'a" * 50_000, "1 " * 50_000, "up to " * 50_000])
def test_words_without_end_are_read_in_no_time(words: str) -> None:
    body = b'{"response": {"errors": [{"message": "%s"}]}}' % words.encode()
    (error,) = read(422, body).errors
    meaning("POST /accounting/account/{account_id}/items/items", 422, [error])
    assert len(error.message) <= 2_000


def oauth(server: Any, clock: Any) -> OAuth:
    return OAuth(
        client_id="app",
        client_secret="secret",
        redirect_uri="https://localhost/callback",
        auth_url="https://auth.example",
        wire=Wire(server.url, user_agent="test", timeout=5),
        clock=clock,
    )


@pytest.mark.parametrize(
    "odd",
    [
        '"created_at": 99999999999999999999',
        '"created_at": 1e30',
        '"expires_in": 9999999999999999',
        '"created_at": 253402300799, "expires_in": 9999999',
        '"created_at": true, "expires_in": []',
    ],
)
def test_tokens_whose_end_cannot_be_reckoned_last_an_hour(
    server: Any, reply: Any, clock: Any, odd: str
) -> None:
    body = f'{{"access_token": "a", "refresh_token": "r", {odd}}}'
    server.script(reply(body=body.encode()))
    pair = oauth(server, clock).refresh("old")
    assert pair.expires_at == clock() + timedelta(hours=1)


@pytest.mark.parametrize("odd", ["\\u20ac", "\\ud800", "a b", "a\\nb", "\\u0000", " ", ""])
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_what_no_header_takes_is_no_token(
    server: Any, reply: Any, clock: Any, name: str, odd: str
) -> None:
    other = {"access_token": "refresh_token", "refresh_token": "access_token"}[name]
    server.script(reply(body=f'{{"{name}": "{odd}", "{other}": "fine"}}'.encode()))
    with pytest.raises(UnknownOutcome, match="holds no tokens"):
        oauth(server, clock).refresh("old")
