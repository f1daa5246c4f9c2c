"""The client and its tokens against the sandbox: real HTTP, real processes, rotating tokens."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from connector_credentials import CredentialStore
from connector_credentials.backoff import RetryPolicy
from target_freshbooks.freshbooks import (
    SCOPES,
    FreshBooks,
    NotFound,
    OAuth,
    Pacer,
    Refused,
    RequestRecord,
    TokenSource,
    UnknownOutcome,
    choose_account,
)
from target_freshbooks.freshbooks.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

server = pytest.importorskip("connector_sandbox.server", reason="the sandbox is not installed")
constants = pytest.importorskip("connector_sandbox.constants")

SOURCE = """
import random, sys, time
from datetime import datetime, UTC
from connector_credentials import CredentialStore, LockedEntry
from target_freshbooks.freshbooks import OAuth, TokenSource
from connector_credentials.backoff import RetryPolicy
from target_freshbooks.freshbooks.wire import Wire
sandbox, store, point = sys.argv[1:]
clock = lambda: datetime.now(UTC)
oauth = OAuth(
    client_id="sandbox-client", client_secret="sandbox-client-secret",
    redirect_uri="https://localhost/callback", auth_url=sandbox,
    wire=Wire(sandbox, user_agent="test", timeout=10), clock=clock,
)
tokens = TokenSource(
    store=CredentialStore.open(store, None), oauth=oauth, clock=clock,
    policy=RetryPolicy(20, random.Random(1), time.sleep), seed="sandbox-refresh-0",
)
"""

ROUNDS = """
for line in sys.stdin:
    print(tokens.refresh(line.strip()) if line.strip() else tokens.access_token(), flush=True)
"""

KILLED = """
import os, signal
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
write, ask = LockedEntry.write, OAuth.refresh
def dying_write(self, document):
    new = "access_token" in document and "refreshing_since" not in document
    if point == "before the mark" and not new: die()
    if point == "before the save" and new: die()
    write(self, document)
    if point == "after the mark" and not new: die()
    if point == "after the save" and new: die()
def dying_ask(self, token):
    pair = ask(self, token)
    if point == "after the answer": die()
    return pair
LockedEntry.write, OAuth.refresh = dying_write, dying_ask
tokens.refresh(sys.stdin.readline().strip())
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Any]:
    with server.running(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'credentials.sqlite'}"


@pytest.fixture
def oauth(sandbox: Any) -> OAuth:
    return OAuth(
        client_id=constants.FRESHBOOKS_CLIENT_ID,
        client_secret=constants.FRESHBOOKS_CLIENT_SECRET,
        redirect_uri=constants.FRESHBOOKS_REDIRECT_URI,
        auth_url=sandbox.url,
        wire=Wire(sandbox.url, user_agent="test", timeout=10),
        clock=lambda: datetime.now(UTC),
    )


@pytest.fixture
def tokens(oauth: OAuth, store_url: str) -> TokenSource:
    return TokenSource(
        store=CredentialStore.open(store_url, None),
        oauth=oauth,
        clock=lambda: datetime.now(UTC),
        policy=RetryPolicy(20, random.Random(1), time.sleep),  # noqa: S311 - jitter
        seed=constants.FRESHBOOKS_REFRESH_TOKEN,
    )


@pytest.fixture
def records() -> list[RequestRecord]:
    return []


@pytest.fixture
def books(sandbox: Any, tokens: TokenSource, records: list[RequestRecord]) -> FreshBooks:
    def clock() -> datetime:
        return datetime.now(UTC)

    rng = random.Random(1)  # noqa: S311 - jitter
    return FreshBooks(
        api_url=sandbox.url,
        account_id=constants.FRESHBOOKS_ACCOUNT_ID,
        tokens=tokens,
        user_agent="target-freshbooks/test",
        request_timeout=10,
        max_retry_seconds=20,
        pacer=Pacer(clock=clock, sleep=time.sleep, random=rng),
        random=rng,
        clock=clock,
        sleep=time.sleep,
        on_request=records.append,
    )


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []

    def _start(program: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SOURCE + program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield _start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def told(sandbox: Any) -> dict[str, Any]:
    answer = requests.get(f"{sandbox.url}/_sandbox/freshbooks/tokens", timeout=10)
    found: dict[str, Any] = answer.json()
    return found


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        process.wait(10)
        assert process.stderr is not None
        raise AssertionError(process.stderr.read())
    return line


@pytest.mark.more
@pytest.mark.parametrize("rounds", [15, pytest.param(200, marks=pytest.mark.sweep)])
def test_eight_processes_refresh_exactly_once_a_round(
    sandbox: Any,
    store_url: str,
    start: Callable[..., subprocess.Popen[str]],
    rounds: int,
) -> None:
    processes = [start(ROUNDS, sandbox.url, store_url, "") for _ in range(8)]
    token = ""  # first round: nobody has one, all start from the seed
    for done in range(rounds):
        for process in processes:
            say(process, token)
        answers = {heard(process) for process in processes}
        assert len(answers) == 1
        (token,) = answers
        state = told(sandbox)
        assert (state["refreshes"], state["refused_refreshes"]) == (done + 1, 0)
    stored = CredentialStore.open(store_url, None).read("freshbooks:sandbox-client")
    assert stored is not None
    assert state["living_refresh_tokens"] == [stored["refresh_token"]]


@pytest.mark.parametrize(
    ("point", "lost"),
    [
        ("before the mark", False),
        ("after the mark", False),
        ("after the answer", True),
        ("before the save", True),
        ("after the save", False),
    ],
)
def test_a_kill_round_a_refresh_loses_the_chain_in_one_window_only(
    sandbox: Any,
    store_url: str,
    start: Callable[..., subprocess.Popen[str]],
    tokens: TokenSource,
    point: str,
    *,
    lost: bool,
) -> None:
    token = tokens.access_token()
    killed = start(KILLED, sandbox.url, store_url, point)
    say(killed, token)
    killed.wait(20)
    assert killed.returncode == -signal.SIGKILL
    after = start(ROUNDS, sandbox.url, store_url, "")
    say(after, token)
    if lost:
        _, errors = after.communicate(timeout=20)
        assert "reconnect: target-freshbooks-ctl login" in errors
        assert "was never answered or never stored" in errors
        assert "No order is lost" in errors
    else:
        assert heard(after) not in ("", token)
        assert told(sandbox)["refused_refreshes"] == 0


def test_a_login_through_the_consent_page_gives_a_working_chain(
    sandbox: Any, oauth: OAuth, tokens: TokenSource, books: FreshBooks
) -> None:
    url = oauth.authorize_url("state-1", "v" * 43)
    page = requests.post(url, allow_redirects=False, timeout=10)
    assert page.status_code == 302
    location = urlsplit(page.headers["Location"])
    answer = dict(pair.split("=") for pair in location.query.split("&"))
    assert answer["state"] == "state-1"
    pair = tokens.log_in(answer["code"], "v" * 43)
    assert set(SCOPES) <= set(pair.scope.split())
    assert choose_account(books.me(), constants.FRESHBOOKS_ACCOUNT_ID).role == "owner"
    assert told(sandbox)["refreshes"] == 0  # the seed was not needed


def test_an_access_token_that_ends_early_is_refreshed_and_the_write_done_once(
    sandbox: Any, books: FreshBooks
) -> None:
    books.me()
    requests.post(f"{sandbox.url}/_sandbox/freshbooks/tokens/expire", timeout=10)
    client = books.clients.create({"email": "one@example.com"})
    assert books.clients.of_email("ONE@example.com") == [client]
    assert told(sandbox)["refreshes"] == 2


def line(name: str, price: str, **more: str) -> dict[str, Any]:
    cost = {"amount": price, "code": "CAD"}
    return {"type": 0, "name": name, "qty": "1", "unit_cost": cost, **more}


def test_what_others_make_after_the_list_was_read_is_seen_by_a_search(
    sandbox: Any, books: FreshBooks
) -> None:
    client = books.clients.create({"email": "one@example.com"})
    assert books.clients.cached_of_email("one@example.com") == []  # not worth a list
    books.clients.expect(100)
    assert books.clients.cached_of_email("ONE@example.com") == [client]
    body = {"client": {"email": "one@example.com"}}
    write = {"method": "POST", "path": "users/clients", "json": body}
    requests.post(f"{sandbox.url}/_sandbox/by-hand", json=write, timeout=10).raise_for_status()
    assert books.clients.cached_of_email("one@example.com") == [client]
    assert len(books.clients.of_email("one@example.com")) == 2
    books.clients.forget()
    books.clients.expect(100)
    assert len(books.clients.cached_of_email("one@example.com")) == 2


def test_an_invoice_goes_its_way_in_four_requests_of_a_known_client(
    books: FreshBooks, records: list[RequestRecord]
) -> None:
    client = books.clients.create({"email": "plus+tag@example.com", "currency_code": "CAD"})
    assert books.clients.of_email("plus+tag@example.com") == [client]
    records.clear()
    assert books.invoices.find("BC-1") is None
    draft = books.invoices.create(
        {
            "customerid": client.id,
            "create_date": "2026-11-20",
            "invoice_number": "BC-1",
            "currency_code": "CAD",
            "lines": [line("Cap", "10.00", taxName1="HST", taxAmount1="13"), line("Fee", "1.00")],
        }
    )
    assert (str(draft.amount), draft.status, draft.customer_id) == ("12.30", 1, client.id)
    assert draft.lines is not None
    assert [(one.name, str(one.tax_percent1)) for one in draft.lines] == [
        ("Cap", "13"),
        ("Fee", "0"),
    ]
    sent = books.invoices.update(draft.id, {"action_mark_as_sent": True})
    assert (sent.status, sent.lines) == (2, draft.lines)
    money = {"amount": "12.30", "code": "CAD"}
    payment = books.payments.create(
        {
            "invoiceid": draft.id,
            "amount": money,
            "date": "2026-11-20",
            "type": "Other",
            "note": "BigCommerce order 1, transaction 7",
        }
    )
    assert [record.method for record in records] == ["GET", "POST", "PUT", "POST"]
    assert books.payments.of_invoice(draft.id) == [payment]
    found = books.invoices.find("BC-1")
    assert found is not None
    assert (found.payment_status, str(found.outstanding)) == ("paid", "0.00")
    lowered = books.payments.update(payment.id, {"amount": {"amount": "2.30", "code": "CAD"}})
    assert str(lowered.amount) == "2.30"
    books.payments.update(payment.id, {"vis_state": 1})
    assert books.payments.of_invoice(draft.id) == []
    assert books.payments.get(payment.id).vis_state == 1
    books.invoices.update(draft.id, {"vis_state": 1})
    assert books.invoices.find("BC-1") is None
    gone = books.invoices.find("BC-1", deleted=True)
    assert gone is not None
    assert gone.id == draft.id
    with pytest.raises(Refused) as caught:  # a deleted invoice keeps its number
        books.invoices.create(
            {"customerid": client.id, "create_date": "2026-11-20", "invoice_number": "BC-1"}
        )
    assert caught.value.field == "invoice_number"


def test_items_credit_notes_and_pages(books: FreshBooks, records: list[RequestRecord]) -> None:
    price = {"amount": "5.00", "code": "CAD"}
    for place in range(3):
        books.items.create({"name": f"Item {place}", "sku": f"S-{place}", "unit_cost": price})
    (item,) = books.items.of_sku("S-1")
    assert books.items.named("Item 1") == [item]
    records.clear()
    assert books.items.update(item.id, {"name": "Renamed"}).name == "Renamed"
    assert [one.id for one in books.items.named("Renamed")] == [item.id]
    assert [record.method for record in records] == ["PUT"]
    client = books.clients.create({"email": "credit@example.com"})
    note = books.credit_notes.create(
        {
            "clientid": client.id,
            "create_date": "2026-11-20",
            "credit_number": "CN-1",
            "currency_code": "CAD",
            "credit_type": "goodwill",
            "notes": "BigCommerce order 1, refund 2",
            "lines": [line("Refund", "3.00")],
        }
    )
    assert [one.id for one in books.credit_notes.of_client(client.id)] == [note.id]
    books.credit_notes.update(note.id, {"vis_state": 1})
    assert books.credit_notes.of_client(client.id) == []
    with pytest.raises(NotFound):
        books.clients.get(10**9)


def test_a_hundred_and_one_payments_are_two_pages(
    books: FreshBooks, records: list[RequestRecord]
) -> None:
    client = books.clients.create({"email": "many@example.com"})
    invoice = books.invoices.create(
        {
            "customerid": client.id,
            "create_date": "2026-11-20",
            "invoice_number": "BC-2",
            "currency_code": "CAD",
            "lines": [line("Cap", "101.00")],
        }
    )
    books.invoices.update(invoice.id, {"action_mark_as_sent": True})
    body = {"invoiceid": invoice.id, "date": "2026-11-20", "type": "Cash"}
    for _ in range(101):
        books.payments.create({**body, "amount": {"amount": "1.00", "code": "CAD"}})
    records.clear()
    assert len({one.id for one in books.payments.of_invoice(invoice.id)}) == 101
    assert len(records) == 2


def test_a_write_that_was_done_and_never_answered_is_found_by_looking(
    sandbox: Any, books: FreshBooks
) -> None:
    books.me()
    fault = {"side": "freshbooks", "method": "POST", "path": "clients", "kind": "reset_after"}
    requests.post(f"{sandbox.url}/_sandbox/faults", json={**fault, "times": 1}, timeout=10)
    with pytest.raises(UnknownOutcome):
        books.clients.create({"email": "lost@example.com"})
    assert len(books.clients.of_email("lost@example.com")) == 1


@pytest.mark.parametrize("fault", ["status", "html", "truncate", "reset_before"])
def test_reads_get_through_faults(sandbox: Any, books: FreshBooks, fault: str) -> None:
    client = books.clients.create({"email": "there@example.com"})
    rule = {"side": "freshbooks", "method": "GET", "path": "clients", "kind": fault, "times": 2}
    requests.post(f"{sandbox.url}/_sandbox/faults", json=rule, timeout=10)
    assert books.clients.of_email("there@example.com") == [client]
