"""What the command line says and heeds, as whole programs where that matters."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import LockUnsafe, locks
from connector_credentials.settings import SettingError
from connector_sandbox.testing import until
from connector_webhooks import assembly, commands
from connector_webhooks.assembly import Assembly
from connector_webhooks.cli import main
from connector_webhooks.errors import WebhooksError
from connector_webhooks.settings import FORM, load
from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Make = Any


def test_the_port_on_the_command_line_wins_over_the_file_s(program: Make, start: Make) -> None:
    ours = program()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file = ours.folder / "settings.json"
        file.write_text(json.dumps({"port": port}))
        server = start(ours, "--config", str(file), "--no-dispatch")
    assert not server.origin.endswith(f":{port}")


def test_a_log_level_that_there_is_not_is_told_in_one_sentence(program: Make) -> None:
    ours = program(log_level="LOUD")
    ended = ours.call("status")
    assert ended.returncode == 1
    assert "WEBHOOKS_LOG_LEVEL is 'LOUD': it must be " in ended.stderr
    assert "Traceback" not in ended.stderr
    ours.settings["log_level"] = "warning"
    assert ours.call("status").returncode == 0


def test_a_database_that_is_gone_is_told_in_a_sentence_now_and_then(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(collapse_milliseconds=0)
    server = start(ours)
    engine = create_engine(str(ours.settings["inbox_url"]))
    with engine.begin() as connection:
        tables = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'webhook%'")
        )
        for (name,) in tables.all():
            connection.execute(text(f"DROP TABLE {name}"))
    engine.dispose()
    until(lambda: ours.log.count("no such table") >= 2, "two complaints")
    assert server.send(signed(1)).status_code == 503
    assert server.internal.get("/readyz").status_code == 503
    assert server.internal.get("/metrics").status_code == 503
    assert "The inbox sqlite:///" in ours.log
    assert "Traceback" not in ours.log
    assert server.terminate() == 0


def test_an_order_that_does_not_wait_cannot_be_retried_and_that_is_said(program: Make) -> None:
    environment = program().environment()
    answer = commands.retry(Assembly(load(environment), environment), [999])
    assert answer.code == 1
    assert "Order 999 does not wait" in " ".join(answer.lines)


def no_bash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")


def inbox_on_a_network_s_share(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, _device: int) -> None:
        raise LockUnsafe(f"{path.parent} is on a network's share")

    monkeypatch.setattr(locks, "_refuse_shared", refuse)


@pytest.mark.parametrize(
    ("broken", "told"),
    [(no_bash, "run_command needs bash"), (inbox_on_a_network_s_share, "cannot be locked")],
)
def test_serve_takes_no_hook_where_no_run_could_follow(
    program: Make,
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[pytest.MonkeyPatch], None],
    told: str,
) -> None:
    def listen(*_: object, **__: object) -> None:
        pytest.fail("it listens")

    broken(monkeypatch)
    monkeypatch.setattr(commands, "serve_forever", listen)
    environment = program().environment()
    with pytest.raises((SettingError, WebhooksError), match=told):
        commands.serve(Assembly(load(environment), environment), dispatch=True)


DISPATCHER_THAT_ENDS = """
import sys
from connector_webhooks import assembly
from connector_webhooks.cli import main
from connector_webhooks.errors import WebhooksError

def end(*_, **__):
    raise WebhooksError("The dispatcher cannot go on.")

assembly.dispatch_until_stopped = end
sys.exit(main(sys.argv[1:]))
"""


def test_serve_ends_with_its_dispatcher_and_says_why(program: Make, start: Make) -> None:
    ours = program()
    wrapper = ours.folder / "wrapper.py"
    wrapper.write_text(DISPATCHER_THAT_ENDS)
    assert start(ours, wrapper=[str(wrapper)]).process.wait(30) == 1
    assert "The dispatcher cannot go on." in ours.log


BARE = {"store_hash": "", "client_secret": ""}


def test_where_no_webhooks_are_set_up_the_check_ends_well_and_says_so(program: Make) -> None:
    done = program(**BARE).call("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No webhooks are set up")
    assert done.stdout.count("\n") == 1
    assert not list(program(**BARE).folder.glob("*.sqlite"))
    document = json.loads(program(**BARE).call("check", "--json").stdout)
    assert document == {"mended": [], "remarks": [done.stdout.strip()], "problems": []}


@pytest.mark.parametrize(
    "half",
    [
        {"store_hash": "abc123"},
        {"client_secret": "canary"},
        {"access_token": "canary"},
        {"credentials_url": "sqlite:///none.sqlite"},
        {"destination": "https://hooks.example.com/webhooks"},
    ],
    ids=str,
)
def test_a_half_set_up_receiver_is_told_and_not_passed_over(
    program: Make, half: dict[str, str]
) -> None:
    environment = program(**{**BARE, **half}).environment()
    with pytest.raises(SettingError):
        commands.check(Assembly(load(environment), environment), allow_insecure=False)


@pytest.mark.parametrize(
    "name", sorted(one for one, form in FORM.properties.items() if "minimum" in form)
)
def test_a_number_beyond_all_measure_is_told_with_its_setting(program: Make, name: str) -> None:
    environment = program(**{name: 10**18}).environment()
    with pytest.raises(SettingError, match=f"{name} is .*: it must be a whole number from"):
        load(environment)


@pytest.mark.parametrize("command", ["retry", "send-test"])
@pytest.mark.parametrize("order", ["99999999999999999999", "0", "-5", "1" * 5_000, "x"])
def test_what_is_no_order_s_number_is_told_in_a_line(
    capsys: pytest.CaptureFixture[str], command: str, order: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, order])
    assert ended.value.code == 2
    assert "argument order: it must be a whole number from 1 to" in capsys.readouterr().err


def test_a_wait_beyond_all_measure_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["drain", "--wait", "9" * 30])
    assert "argument --wait: it must be a whole number from 0 to" in capsys.readouterr().err


def test_a_clock_that_stands_still_does_not_lengthen_a_run(
    program: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "clock", lambda: datetime(2026, 11, 1, tzinfo=UTC))
    environment = program(run_command="sleep 6", run_timeout_seconds=1).environment()
    ours = Assembly(load(environment), environment)
    with ours.inbox() as inbox:
        result = ours.dispatcher(inbox)._worker([1], "run-1")
    assert "took longer than 1 s" in result.reason
