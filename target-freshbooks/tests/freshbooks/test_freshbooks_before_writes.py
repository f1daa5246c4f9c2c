"""Whether we still may write is looked at directly before each write leaves."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.books.policy import Policy
from target_freshbooks.ledger import Ledger, LockLost, lock, utc_now
from target_freshbooks.posting.apply.fence import Fence
from target_freshbooks.posting.apply.writer import Writer
from target_freshbooks.posting.plan.steps import StepKind
from target_freshbooks.settings import read_settings
from target_freshbooks.wiring import open_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INVOICE = {
    "id": 7,
    "invoice_number": "BC-1",
    "amount": {"amount": "12.50", "code": "CAD"},
    "create_date": "2026-11-20",
    "status": 1,
}
FOUND = {"response": {"result": {"invoice": INVOICE}}}
REJECTED = {"response": {"errors": [{"errno": 1003, "message": "no", "object": "", "field": ""}]}}
TOKEN = {
    "access_token": "access",
    "refresh_token": "refresh",
    "expires_in": 43200,
    "created_at": 1_795_000_000,
    "scope": "",
}

WRITES: dict[str, Callable[[Any], Any]] = {
    "POST": lambda client: client.invoices.create({"invoice_number": "BC-1"}),
    "PUT": lambda client: client.invoices.update(7, {"notes": "x"}),
}


OPEN = Fence(Policy(), utc_now, lambda: "America/Chicago")


class ForbiddenError(Exception):
    """What the check raises here."""


class Check:
    """A check that forbids from the given call on, and looks what was sent by then."""

    def __init__(self, bench: Any, *, allowed: int = 99) -> None:
        self.bench = bench
        self.allowed = allowed
        self.sent: list[int] = []
        self.slept: list[int] = []

    def __call__(self) -> None:
        self.sent.append(len(self.bench.server.asked))
        self.slept.append(len(self.bench.clock.slept))
        if len(self.sent) > self.allowed:
            raise ForbiddenError


@pytest.mark.parametrize("method", WRITES)
def test_a_write_that_is_forbidden_is_not_sent(bench: Any, reply: Any, method: str) -> None:
    bench.say(reply(FOUND))
    bench.client.check_before_writes(Check(bench, allowed=0))
    with pytest.raises(ForbiddenError):
        WRITES[method](bench.client)
    assert bench.server.asked == []


def test_a_read_is_not_checked(bench: Any, reply: Any) -> None:
    bench.say(reply(FOUND))
    bench.client.check_before_writes(Check(bench, allowed=0))
    assert bench.client.invoices.get(7).id == 7


@pytest.mark.parametrize("method", WRITES)
def test_each_try_after_a_429_is_checked_when_its_wait_is_over(
    bench: Any, reply: Any, method: str
) -> None:
    bench.say(reply(status=429, headers={"Retry-After": "8"}), reply(FOUND))
    check = Check(bench, allowed=1)
    bench.client.check_before_writes(check)
    with pytest.raises(ForbiddenError):
        WRITES[method](bench.client)
    assert check.sent == [0, 1]
    assert check.slept[-1] == len(bench.clock.slept) >= 1, "after the wait, not before it"
    assert len(bench.server.asked) == 1


@pytest.mark.parametrize("method", WRITES)
def test_the_repetition_with_a_fresh_token_is_checked_too(
    bench: Any, reply: Any, method: str
) -> None:
    bench.say(reply(REJECTED, status=401), reply(FOUND))
    bench.client.check_before_writes(Check(bench, allowed=1))
    with pytest.raises(ForbiddenError):
        WRITES[method](bench.client)
    assert len(bench.tokens.rejected) == 1
    assert len(bench.server.asked) == 1


def test_the_check_comes_after_the_wait_for_the_window(bench: Any, reply: Any) -> None:
    now = int(bench.clock.now.timestamp())
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(now + 50)}
    bench.say(reply(FOUND, headers=used_up), reply(FOUND))
    bench.client.invoices.get(7)
    check = Check(bench)
    bench.client.check_before_writes(check)
    WRITES["POST"](bench.client)
    assert sum(bench.clock.slept) >= 50
    assert check.slept == [len(bench.clock.slept)]


def test_the_check_comes_after_the_wait_for_a_token(
    bench: Any, reply: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.say(reply(FOUND))
    check = Check(bench)
    bench.client.check_before_writes(check)

    def access_token() -> str:
        bench.clock.sleep(100)
        return "late"

    monkeypatch.setattr(bench.tokens, "access_token", access_token)
    WRITES["POST"](bench.client)
    assert check.slept == [1]


def test_a_forbidden_write_leaves_its_place_to_others(bench: Any, reply: Any) -> None:
    bench.say(reply(FOUND))
    check = Check(bench, allowed=0)
    bench.client.check_before_writes(check)
    for write in WRITES.values():
        with pytest.raises(ForbiddenError):
            write(bench.client)
    assert bench.client._transport._pacer._in_flight == 0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite", source="shop") as opened:
        yield opened


def another_takes_over(folder: Path) -> None:
    """Another run has the account, and this one does not know."""
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        connection.execute("UPDATE ledger_locks SET token = 'x', holder = 'run-2'")
        connection.commit()


def write_invoice(writer: Writer) -> Any:
    return writer.write(
        kind=StepKind.CREATE_INVOICE,
        key="BC-1",
        body={"invoice_number": "BC-1"},
        order_id=None,
    )


def test_a_write_that_waits_is_not_sent_once_another_run_has_the_account(
    bench: Any, reply: Any, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever took over looks what became of it; to close it here would hide it from them."""
    bench.say(reply(status=429, headers={"Retry-After": "8"}), reply(FOUND))
    monkeypatch.setattr(lock, "_uptime", lambda: sum(bench.clock.slept))
    with ledger.locks.hold("ACM123", "run-1", wait_seconds=0) as held:
        checked: list[int] = []

        def check() -> None:
            held.check()
            checked.append(len(bench.server.asked))
            another_takes_over(tmp_path)

        bench.client.check_before_writes(check)
        writer = Writer(bench.client, ledger, held, "run-1", OPEN)
        with pytest.raises(LockLost, match="no longer holds FreshBooks account ACM123"):
            write_invoice(writer)
    assert checked == [0]
    assert [asked.method for asked in bench.server.asked] == ["POST"]
    assert [intent.key for intent in ledger.intents.still_open()] == ["BC-1"]


def test_a_run_whose_account_another_has_opens_no_intent(
    bench: Any, ledger: Ledger, tmp_path: Path
) -> None:
    with ledger.locks.hold("ACM123", "run-1", wait_seconds=0) as held:
        writer = Writer(bench.client, ledger, held, "run-1", OPEN)
        another_takes_over(tmp_path)
        with pytest.raises(LockLost):
            write_invoice(writer)
    assert bench.server.asked == []
    assert ledger.intents.still_open() == []


def test_a_run_writes_only_while_the_account_is_its_own(
    server: Any, reply: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read_settings(
        {
            "client_id": "app",
            "client_secret": "app-secret",
            "refresh_token": "seed",
            "account_id": "ACM123",
            "api_url": server.url,
            "auth_url": server.url,
            "ledger_url": f"sqlite:///{tmp_path}/ledger.sqlite",
        }
    )
    server.answer = lambda asked: reply(TOKEN if "oauth" in asked.path else FOUND)
    passed = 100.0
    monkeypatch.setattr(lock, "_uptime", lambda: passed)
    with open_run(settings, threading.Event()) as run:
        books = run.account.books
        assert books.invoices.create({"invoice_number": "BC-1"}).id == 7
        another_takes_over(tmp_path)
        passed = 109.0
        with pytest.raises(LockLost):
            books.invoices.create({"invoice_number": "BC-2"})
    assert sum("invoices" in asked.path for asked in server.asked) == 1
