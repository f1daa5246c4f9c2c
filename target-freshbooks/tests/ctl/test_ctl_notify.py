"""Being told, by real processes: of a parked order, a revoked login, a run that did not come."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.testing import Asked, Reply, answering
from connector_sandbox.testing.answers import HANG
from prometheus_client.parser import text_string_to_metric_families
from target_freshbooks.access import open_oauth
from target_freshbooks.notify import delivery
from target_freshbooks.notify.message import Message
from target_freshbooks.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PASSWORD = "canary-notify-password-77"
NAMELESS = {"first_name": "Xaverine", "last_name": "Quillfeather", "city": "Mulberry"}
OLD = "2020-01-01T00:00:00.000000Z"


class Receiver:
    """A service that takes messages as apprise's json:// sends them."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.asked: list[Asked] = []
        self.status = 200
        self.before_answer: Callable[[], object] = lambda: None

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if self.status == 200:
            self.told.append(asked.json)
        self.before_answer()
        return Reply({}, status=self.status)

    @property
    def texts(self) -> list[str]:
        return [f"{one['title']}\n{one['message']}" for one in self.told]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    with answering(receiver.answer) as url:
        receiver.url = f"json://me:{PASSWORD}@{url.removeprefix('http://')}/in"  # type: ignore[attr-defined]
        yield receiver


@pytest.fixture
def told_desk(desk: Any, receiver: Any) -> Any:
    """An operator's place where a receiver is told."""
    desk.settings = {"notify_urls": [receiver.url], "max_retry_seconds": 0}
    return desk


def ledger(desk: Any) -> sqlite3.Connection:
    return sqlite3.connect(desk.home / "ledger.sqlite")


def told_rows(desk: Any) -> list[tuple[int, str]]:
    with closing(ledger(desk)) as connection:
        return connection.execute("SELECT order_id, reason FROM ledger_told").fetchall()


def revoke(desk: Any) -> None:
    """End the login at FreshBooks, as its user may at any time."""
    settings = read_settings(desk.config)
    open_oauth(settings).revoke(desk.store.read(desk.entry)["refresh_token"])
    desk.expire()


def metrics(file: Path) -> dict[tuple[str, ...], float]:
    """Each figure by its name and its labels but the source."""
    families = text_string_to_metric_families(file.read_text(encoding="utf-8"))
    found = {}
    for family in families:
        assert family.documentation, family.name
        for one in family.samples:
            assert one.labels["source"] == "bigcommerce"
            more = [value for name, value in one.labels.items() if name != "source"]
            found[one.name, *more] = one.value
    return found


def test_a_parked_order_is_told_once_without_anybodys_name(told_desk: Any, receiver: Any) -> None:
    order = told_desk.place(billing=NAMELESS)
    said = told_desk.messages()
    code, log = told_desk.post(said)
    assert code == 0, log
    (text,) = receiver.texts
    assert f"no_client: {order} (10.00 USD). Next: Set generic_client" in text
    assert "1 order newly parked, 1 parked in all" in text
    assert not any(word in text for word in NAMELESS.values())
    assert PASSWORD not in log
    assert told_desk.post(said)[0] == 0
    assert told_desk.ctl("notify")[0] == 0
    assert len(receiver.told) == 1
    assert told_rows(told_desk) == [(order, "no_client")]


@pytest.mark.more
def test_orders_that_a_run_parks_are_told_in_one_message(told_desk: Any, receiver: Any) -> None:
    for _ in range(22):
        told_desk.place(billing=NAMELESS)
    assert told_desk.post(told_desk.messages())[0] == 0
    (text,) = receiver.texts
    assert "22 orders newly parked" in text
    assert text.count("(10.00 USD)") == 20
    assert "and 2 more" in text or "2 more." in text


@pytest.mark.more
def test_an_order_that_was_posted_in_between_is_told_anew(told_desk: Any, receiver: Any) -> None:
    order = told_desk.place(billing=NAMELESS)
    said = told_desk.messages()
    told_desk.post(said)
    code, log = told_desk.ctl("replay", str(order), "--settings", "current", generic_client="Shop")
    assert code == 0, log
    told_desk.post(said, generic_client="Shop")
    assert told_rows(told_desk) == []
    assert len(receiver.told) == 1


@pytest.mark.more
def test_a_revoked_login_is_told_once_and_once_that_runs_are_well_again(
    told_desk: Any, receiver: Any
) -> None:
    told_desk.place()
    said = told_desk.messages()
    assert told_desk.post(said)[0] == 0
    assert receiver.told == []
    revoke(told_desk)
    for _ in range(2):
        code, log = told_desk.post(said)
        assert code == 1
        assert PASSWORD not in log
    (text,) = receiver.texts
    assert "(login): FreshBooks does not accept the login" in text
    assert told_desk.ctl("notify")[0] == 0
    assert len(receiver.told) == 1
    seed = told_desk.control("POST", "freshbooks/tokens/grant")["refresh_token"]
    told_desk.settings["refresh_token"] = seed
    code, log = told_desk.post(said)
    assert code == 0, log
    assert len(receiver.told) == 2
    assert "Runs end well again." in receiver.texts[1]
    told_desk.post(said)
    assert len(receiver.told) == 2


@pytest.mark.more
def test_a_run_that_did_not_come_is_told_once(told_desk: Any, receiver: Any) -> None:
    told_desk.place()
    said = told_desk.messages()
    told_desk.post(said)
    with closing(ledger(told_desk)) as connection, connection:
        connection.execute("UPDATE ledger_runs SET started_at = ?, ended_at = ?", (OLD, OLD))
    for _ in range(2):
        code, out = told_desk.ctl("notify", "--json")
        assert code == 0, out
    (text,) = receiver.texts
    assert "No run has ended well for 24 hours; the last that did ended at 2020-01-01" in text
    told_desk.post(said)
    assert "Runs end well again." in receiver.texts[1]
    told_desk.ctl("notify")
    assert len(receiver.told) == 2


@pytest.mark.more
def test_a_run_in_which_the_shop_said_nothing_is_no_good_one(told_desk: Any, receiver: Any) -> None:
    told_desk.place()
    said = told_desk.messages()
    told_desk.post(said)
    with closing(ledger(told_desk)) as connection, connection:
        connection.execute("UPDATE ledger_runs SET started_at = ?, ended_at = ?", (OLD, OLD))
    schemas = "".join(line for line in said.splitlines(True) if '"SCHEMA"' in line)
    assert told_desk.post(schemas)[0] == 0
    assert len(receiver.told) == 1
    assert "No run has ended well for 24 hours" in receiver.texts[0]


@pytest.mark.more
def test_killed_after_the_delivery_it_is_told_once_more_and_not_again(
    told_desk: Any, receiver: Any
) -> None:
    order = told_desk.place(billing=NAMELESS)
    said = told_desk.messages()
    process = told_desk.start("target-freshbooks")
    receiver.before_answer = lambda: os.kill(process.pid, signal.SIGKILL)
    process.communicate(said, timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert len(receiver.told) == 1
    assert told_rows(told_desk) == []
    receiver.before_answer = lambda: None
    for _ in range(2):
        assert told_desk.post(said)[0] == 0
    assert len(receiver.told) == 2
    assert told_rows(told_desk) == [(order, "no_client")]


@pytest.mark.more
def test_a_service_that_does_not_take_it_is_a_warning_and_is_told_by_the_next_run(
    told_desk: Any, receiver: Any
) -> None:
    told_desk.place(billing=NAMELESS)
    said = told_desk.messages()
    receiver.status = 503
    code, log = told_desk.post(said)
    assert code == 0
    assert "the 1st service (json) was not told, it answered 503" in log
    assert PASSWORD not in log
    assert "127.0.0.1" not in log.split("Notification")[1]
    code, out = told_desk.ctl("notify")
    assert code == 1, out
    receiver.status = 200
    told_desk.post(said)
    assert len(receiver.told) == 1


@pytest.mark.more
def test_one_service_is_told_though_another_is_out_of_reach(told_desk: Any, receiver: Any) -> None:
    told_desk.settings["notify_urls"] = ["json://127.0.0.1:9/", receiver.url]
    told_desk.place(billing=NAMELESS)
    said = told_desk.messages()
    for _ in range(2):
        code, log = told_desk.post(said)
        assert code == 0
        assert "the 1st service (json) was not told" in log
    assert len(receiver.told) == 1


@pytest.mark.more
@pytest.mark.parametrize("asked", ["dry_run", "plan_file"])
def test_a_dry_run_tells_nobody_and_writes_no_metrics(
    told_desk: Any, receiver: Any, asked: str
) -> None:
    how = {"dry_run": True, "plan_file": str(told_desk.home / "plans.html")}
    told_desk.place(billing=NAMELESS)
    file = told_desk.home / "target.prom"
    code, log = told_desk.post(told_desk.messages(), metrics_file=str(file), **{asked: how[asked]})
    assert code == 0, log
    assert receiver.asked == []
    assert not file.exists()


@pytest.mark.more
def test_wrong_settings_are_told_once_where_the_urls_can_be_read(
    told_desk: Any, receiver: Any
) -> None:
    for _ in range(2):
        code, log = told_desk.post("", on_parked="explode", notify_silence_hours="x")
        assert code == 1
        assert PASSWORD not in log
    (text,) = receiver.texts
    assert "(settings): A setting is missing, wrong or misspelt." in text


@pytest.mark.more
def test_a_ledger_that_cannot_be_used_is_told_once(told_desk: Any, receiver: Any) -> None:
    told_desk.place()
    said = told_desk.messages()
    (told_desk.home / "ledger.sqlite").write_bytes(b"no database" * 1000)
    state = {"XDG_STATE_HOME": str(told_desk.home / "state")}
    file = told_desk.home / "target.prom"
    for _ in range(2):
        code, log = told_desk.post(said, environment=state, metrics_file=str(file))
        assert code == 1, log
    (text,) = receiver.texts
    assert "(ledger): The ledger cannot be used." in text
    assert metrics(file)["target_freshbooks_last_run_success",] == 0
    (told_desk.home / "ledger.sqlite").unlink()
    assert told_desk.post(said, environment=state)[0] == 0
    assert json.loads((told_desk.home / "state/target-freshbooks/told.json").read_text()) == []
    assert "Runs end well again." in receiver.texts[1]


@pytest.mark.more
def test_without_a_ledger_the_metrics_say_so_whatever_becomes_of_the_message(
    told_desk: Any,
) -> None:
    told_desk.place()
    said = told_desk.messages()
    (told_desk.home / "ledger.sqlite").write_bytes(b"no database" * 1000)
    (told_desk.home / "state").write_text("no folder", encoding="utf-8")
    state = {"XDG_STATE_HOME": str(told_desk.home / "state")}
    file = told_desk.home / "target.prom"
    code, log = told_desk.post(said, environment=state, metrics_file=str(file))
    assert (code, "metrics: not done" in log) == (1, True), log
    assert metrics(file)["target_freshbooks_last_run_success",] == 0


@pytest.mark.more
def test_without_a_ledger_notify_says_that_runs_fail_and_of_no_run_that_it_ended(
    told_desk: Any,
) -> None:
    (told_desk.home / "ledger.sqlite").write_bytes(b"no database" * 1000)
    file = told_desk.home / "target.prom"
    told_desk.settings["metrics_file"] = str(file)
    assert told_desk.ctl("notify")[0] == 1
    told = metrics(file)
    assert told["target_freshbooks_last_run_success",] == 0
    assert ("target_freshbooks_last_run_timestamp_seconds",) not in told


@pytest.mark.more
def test_a_test_says_of_each_service_whether_it_took_the_message(
    told_desk: Any, receiver: Any
) -> None:
    code, out = told_desk.ctl("notify", "--test")
    assert (code, out) == (0, "the 1st service (json): told\n")
    told_desk.settings["notify_urls"].append("nosuchscheme://x")
    code, out = told_desk.ctl("notify", "--test", "--json")
    assert code == 1
    assert [one["told"] for one in json.loads(out)["services"]] == [True, False]
    assert "apprise does not understand its URL" in out
    assert [one["type"] for one in receiver.told] == ["info", "info"]


@pytest.mark.more
def test_without_urls_it_shows_what_is_due_and_a_test_is_refused(desk: Any) -> None:
    desk.place(billing=NAMELESS)
    desk.post(desk.messages())
    code, out = desk.ctl("notify")
    assert code == 0
    assert "1 order newly parked" in out
    assert "Nobody is told: notify_urls is not set." in out
    assert desk.ctl("notify", "--test")[0] == 1


def test_the_metrics_say_how_runs_and_orders_stand(desk: Any) -> None:
    file = desk.home / "target.prom"
    desk.settings = {"metrics_file": str(file)}
    desk.place(billing=NAMELESS)
    desk.place()
    code, log = desk.post(desk.messages())
    assert code == 0, log
    written = metrics(file)
    name = "target_freshbooks"
    assert written[f"{name}_orders", "posted"] == 1
    assert written[f"{name}_parked_orders", "no_client"] == 1
    assert written[f"{name}_parked_orders", "overpaid"] == 0
    assert written[f"{name}_last_run_orders", "posted"] == 1
    assert written[f"{name}_last_run_requests", "200"] > 3
    assert written[f"{name}_last_run_requests", "429"] == 0
    assert written[f"{name}_last_run_success",] == 1
    assert written[f"{name}_runs_total", "done"] == 1
    median, longest = (
        f"{name}_last_run_booking_lag_{which}_seconds" for which in ("median", "max")
    )
    assert 0 <= written[median,] <= written[longest,]
    assert written[f"{name}_token_age_seconds",] >= 0
    good, last = (written[f"{name}_last_{one}_timestamp_seconds",] for one in ("good_run", "run"))
    assert good == last > 1.7e9
    head = next(labels[1] for labels in written if labels[0] == f"{name}_audit_head_info")
    assert head == desk.ctl("audit-head")[1].strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert desk.ctl("notify")[0] == 0
    again = metrics(file)
    assert {key for key in again if key[0] != f"{name}_audit_head_info"} == {
        key for key in written if key[0] != f"{name}_audit_head_info"
    }
    assert [one.name for one in desk.home.glob(".target.prom*")] == []


@pytest.mark.more
def test_a_failed_run_is_told_by_the_metrics_which_keep_the_last_good_one(desk: Any) -> None:
    file = desk.home / "target.prom"
    desk.settings = {"metrics_file": str(file), "max_retry_seconds": 0}
    desk.place()
    said = desk.messages()
    desk.post(said)
    good = metrics(file)
    revoke(desk)
    assert desk.post(said)[0] == 1
    bad = metrics(file)
    key = ("target_freshbooks_last_good_run_timestamp_seconds",)
    assert bad["target_freshbooks_last_run_success",] == 0
    assert bad[key] == good[key]


@pytest.mark.more
def test_metrics_that_cannot_be_written_are_a_warning(desk: Any) -> None:
    desk.place()
    code, log = desk.post(desk.messages(), metrics_file=str(desk.home / "gone" / "target.prom"))
    assert code == 0
    assert "metrics: not done (FileNotFoundError" in log


@pytest.mark.more
def test_a_service_that_hangs_holds_a_run_for_half_a_minute_at_most(desk: Any) -> None:
    desk.place(billing=NAMELESS)
    with answering(lambda _: Reply(spoil=HANG)) as url:
        urls = [f"json://{url.removeprefix('http://')}/?rto=300"]
        code, log = desk.post(desk.messages(), notify_urls=urls)
    assert code == 0
    assert "was not told" in log


TELLS_ITS_ENVIRONMENT = "import json, os; print(json.dumps([0, json.dumps(dict(os.environ))]))"


def test_what_delivers_has_the_machines_variables_and_no_secret_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tells_environment.py").write_text(TELLS_ITS_ENVIRONMENT, encoding="utf-8")
    monkeypatch.setattr(delivery, "COURIER", "tells_environment")
    machine = {
        "PYTHONPATH": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "https_proxy": "http://proxy.example",
        "SSL_CERT_FILE": "/etc/ssl/own.pem",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus",
    }
    ours = {
        "TARGET_FRESHBOOKS_ENCRYPTION_KEY": "canary-key",
        "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": "canary-token",
        "PGPASSWORD": "canary-password",
    }
    for name, value in (machine | ours).items():
        monkeypatch.setenv(name, value)
    (service,) = delivery.services_of(["json://shop.example"])
    (delivered,) = delivery.deliver([(service, Message("info", "a", "b"))])
    environment = json.loads(delivered.failure)
    assert machine.items() <= environment.items()
    assert not ours.keys() & environment.keys()
    assert "canary" not in delivered.failure
