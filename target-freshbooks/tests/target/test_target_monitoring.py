"""Settings of monitoring, what a message says, and what is noted as told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from apprise.manager_plugins import NotificationManager
from connector_credentials.settings import SettingError
from target_freshbooks import metrics
from target_freshbooks.books.desired import Reason
from target_freshbooks.freshbooks import AuthError, Outage
from target_freshbooks.freshbooks.oauth import AppUnknown
from target_freshbooks.ledger import RUNS, Ledger, LockHeld, OrderRow, Telling
from target_freshbooks.ledger.runs import DRY_RUN
from target_freshbooks.notify import telling
from target_freshbooks.notify.alerts import SILENCE, WAITING
from target_freshbooks.notify.delivery import Delivery, services_of
from target_freshbooks.notify.failures import kind_of
from target_freshbooks.notify.next_steps import NEXT_STEPS
from target_freshbooks.notify.spare_notes import SpareNotes
from target_freshbooks.settings import read_monitoring
from target_freshbooks.settings.monitoring import UNENCRYPTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_freshbooks.notify.message import Message
    from target_freshbooks.settings import Monitoring

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
PASSWORD = "canary-password"


@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # apprise's own
def test_every_scheme_of_apprise_that_has_an_encrypted_twin_is_known() -> None:
    def names(schemes: Any) -> set[str]:
        return {schemes} if isinstance(schemes, str) else set(schemes or ())

    plain = set()
    for plugin in NotificationManager().plugins():
        if names(plugin.secure_protocol):
            plain |= names(plugin.protocol)
    assert plain == UNENCRYPTED


def test_every_reason_has_a_next_step() -> None:
    assert set(NEXT_STEPS) == set(Reason)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("a@b.example", "the 1st is none"),
        (f"mailtos://me:{PASSWORD}@x.example?to=a@x.example,b@x.example", "the 2nd is none"),
        (f"json://me:{PASSWORD}@x.example", "goes out by json://, unencrypted"),
        (["slack://a/b/c", f"mailto://me:{PASSWORD}@x.example"], "The 2nd of notify_urls goes out"),
    ],
)
def test_a_url_that_is_none_or_goes_out_in_clear_stops_and_is_not_shown(
    given: Any, words: str
) -> None:
    with pytest.raises(SettingError) as raised:
        read_monitoring({"notify_urls": given})
    assert words in str(raised.value)
    assert PASSWORD not in str(raised.value)
    assert "x.example" not in str(raised.value)


def test_urls_are_read_from_lines_of_a_file_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "urls"
    file.write_text(f"json://me:{PASSWORD}@127.0.0.1:8/x\njsons://x.example\n", encoding="utf-8")
    monitoring = read_monitoring({"notify_urls_file": str(file)})
    assert len(monitoring.notify_urls) == 2
    assert PASSWORD not in repr(monitoring)
    assert PASSWORD not in repr(services_of(monitoring.notify_urls))
    insecure = {"notify_urls": "json://x.example", "allow_insecure_http": "true"}
    assert read_monitoring(insecure).notify_urls == ("json://x.example",)


def test_a_service_is_known_by_its_url_without_password_and_options() -> None:
    keys = [one.key for one in services_of(["json://a:b@h/p?x=1", "json://a:c@h/p", "json://h/p"])]
    assert len(set(keys)) == 3
    assert services_of(["json://a:other@h/p?x=2"])[0].key == keys[0]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AuthError("refresh", "no"), "login"),
        (AppUnknown("refresh"), "app"),
        (Outage("GET x", "no"), "freshbooks"),
        (LockHeld("a", "b", waited=1), "another_run"),
        (SettingError("x"), "settings"),
        (ZeroDivisionError(), "defect"),
    ],
)
def test_a_failure_is_told_by_its_kind(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


class Board:
    """A ledger, and a service that notes what it is told."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        self.ledger = Ledger.open(url, source="bigcommerce", clock=lambda: self.now)
        self.monitoring: Monitoring = read_monitoring({"notify_urls": "json://127.0.0.1:9/"})
        self.told: list[Message] = []
        self.failure = ""
        monkeypatch.setattr(telling, "deliver", self.deliver)

    def deliver(self, messages: Any) -> list[Delivery]:
        self.told += [message for _, message in messages if not self.failure]
        return [Delivery(service, self.failure) for service, _ in messages]

    def run(self, outcome: str = "done") -> None:
        run_id = self.now.isoformat()
        self.ledger.runs.start(run_id, "1")
        self.ledger.runs.end(run_id, outcome, {})

    def stands(self, state: Any, reason: str | None = None, number: int = 7) -> None:
        total = {"order_total": Decimal("10.0000"), "currency": "USD"}
        row = OrderRow(number, state, reason=reason, order_date=date(2026, 10, 1), **total)
        self.ledger.orders.record(row)

    def tell(self) -> list[str]:
        """What is told of the next round, an hour later."""
        self.now += timedelta(hours=1)
        before = len(self.told)
        telling.tell(self.ledger, self.monitoring, self.now)
        return [f"{one.title}\n{one.body}" for one in self.told[before:]]


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Board]:
    board = Board(f"sqlite:///{tmp_path}/ledger.sqlite", monkeypatch)
    board.run()
    yield board
    board.ledger.dispose()


def test_a_parked_order_is_told_once_for_each_reason_until_it_was_posted(board: Board) -> None:
    board.stands("parked", "no_client")
    assert "no_client: 7 (10.00 USD)" in board.tell()[0]
    assert board.tell() == []
    board.stands("parked", "overpaid")
    assert "overpaid: 7" in board.tell()[0]
    board.stands("parked", "no_client")
    assert board.tell() == []
    board.stands("new")
    board.tell()
    board.stands("parked", "no_client")
    assert board.tell() == []
    board.stands("posted")
    assert board.tell() == []
    board.stands("parked", "no_client")
    assert "no_client: 7" in board.tell()[0]


def test_what_could_not_be_delivered_is_told_by_the_next_round(board: Board) -> None:
    board.stands("parked", "no_client")
    board.failure = "no"
    assert board.tell() == []
    board.failure = ""
    assert len(board.tell()) == 1
    assert board.tell() == []


@pytest.mark.parametrize(
    ("state", "reason", "is_told"),
    [
        ("waiting", "status_7", True),
        ("waiting", "draft", True),
        ("new", "money_unclear", True),
        ("waiting", "status_0", False),
        ("waiting", "status_5", False),
        ("waiting", "before_start_date", False),
    ],
)
def test_an_order_that_waits_for_something_to_come_is_told_after_its_days(
    board: Board, state: str, reason: str, is_told: bool
) -> None:
    board.stands(state, reason)
    assert bool(board.tell()) is is_told
    board.stands("waiting", "status_1")
    assert bool(board.tell()) is not is_told  # it waits for another thing, and was told already
    assert board.tell() == []


def test_an_order_that_has_not_waited_long_is_not_told(board: Board) -> None:
    board.now = datetime(2026, 10, 30, 1, tzinfo=UTC)
    board.stands("waiting", "status_7")
    assert board.tell() == []
    board.now += timedelta(days=1)
    board.run()
    assert "- status_7 (awaiting payment): 7 (10.00 USD)." in board.tell()[0]
    assert board.ledger.told.all() == {Telling(7, WAITING)}


def test_failing_runs_are_told_once_for_each_kind_and_again_after_a_good_run(board: Board) -> None:
    for _ in range(2):
        board.ledger.told.fail("login")
        board.tell()
    assert len(board.told) == 1
    board.ledger.told.fail("ledger")
    (text,) = board.tell()
    assert "(ledger)" in text
    assert "(login)" not in text
    board.run()
    assert "Runs end well again." in board.tell()[0]
    assert board.tell() == []
    board.ledger.told.fail("login")
    assert "(login)" in board.tell()[0]


def test_a_new_failure_is_told_though_the_recovery_before_it_was_not(board: Board) -> None:
    board.ledger.told.fail("login")
    board.tell()
    board.now += timedelta(hours=1)
    board.run()
    board.failure = "no"
    assert board.tell() == []
    board.failure = ""
    board.ledger.told.fail("login")
    assert "(login)" in board.tell()[0]


def test_that_runs_end_well_again_is_told_to_a_service_once_it_takes_it(board: Board) -> None:
    board.ledger.told.fail("login")
    board.tell()
    board.now += timedelta(hours=1)
    board.run()
    board.failure = "no"
    assert board.tell() == []
    board.failure = ""
    assert "Runs end well again." in board.tell()[0]
    assert board.tell() == []


def test_that_runs_end_well_again_waits_until_all_of_them_do(board: Board) -> None:
    board.ledger.told.fail("login")
    board.tell()
    board.now += timedelta(hours=1)
    board.run()
    board.now += timedelta(hours=1)
    board.ledger.told.fail("ledger")
    (text,) = board.tell()
    assert "well again" not in text
    board.now += timedelta(hours=1)
    board.run()
    assert "Runs end well again." in board.tell()[0]
    assert board.tell() == []


def test_what_was_told_without_the_ledger_is_over_after_a_good_run_and_not_before(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    notes = SpareNotes("bigcommerce")
    (service,) = services_of(board.monitoring.notify_urls)
    board.now += timedelta(hours=1)
    notes.note(service.key, "ledger", board.now)
    notes.hand_over(board.ledger)
    assert not notes.told(service.key, "ledger")
    assert board.tell() == []
    board.run()
    assert "Runs end well again." in board.tell()[0]
    assert board.tell() == []


def test_a_silence_is_told_once_and_anew_after_a_good_run(board: Board) -> None:
    board.now += timedelta(hours=24)
    (text,) = board.tell()
    assert "the last that did ended at 2026-11-29 12:00 UTC" in text
    board.run("failed")
    assert board.tell() == []
    assert Telling(RUNS, SILENCE) in board.ledger.told.all()
    board.run()
    assert "Runs end well again." in board.tell()[0]
    board.now += timedelta(hours=24)
    assert "No run has ended well" in board.tell()[0]


def test_a_dry_run_is_not_the_last_run_of_the_metrics(board: Board, tmp_path: Path) -> None:
    file = tmp_path / "metrics.prom"
    monitoring = read_monitoring({"metrics_file": str(file)})
    board.now += timedelta(hours=1)
    board.run("failed")

    def written() -> str:
        metrics.write(board.ledger, monitoring, None, board.now)
        return file.read_text(encoding="utf-8")

    before = written()
    assert 'last_run_success{source="bigcommerce"} 0.0' in before
    for _ in range(11):
        board.now += timedelta(hours=1)
        board.run(DRY_RUN)
    now = written()
    assert [one for one in now.splitlines() if "audit" not in one] == [
        one for one in before.splitlines() if "audit" not in one
    ]
    board.run()
    assert 'last_run_success{source="bigcommerce"} 1.0' in written()
