"""What the command line says and heeds, as whole programs where that matters."""

from __future__ import annotations

import json
import socket
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from connector_credentials import LockUnsafe, locks
from connector_credentials.settings import SettingError
from connector_sandbox.testing import Asked, Reply, answering, until
from connector_webhooks import assembly, commands
from connector_webhooks.assembly import Assembly
from connector_webhooks.cli import main
from connector_webhooks.database import Database, orders
from connector_webhooks.errors import WebhooksError
from connector_webhooks.inbox import Inbox
from connector_webhooks.orders import Orders
from connector_webhooks.settings import FORM, load
from sqlalchemy import create_engine, delete, event, insert, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Make = Any
MALFORMED = "https://[hooks.example.com/x"


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


def test_an_order_that_does_not_wait_cannot_be_retried_and_that_is_said(
    program: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment = program().environment()
    answer = commands.retry(Assembly(load(environment), environment), [999])
    assert answer.code == 1
    assert answer.lines[1].startswith("Order 999 does not wait")
    assert "`webhooks send-test 999` has it read again" in answer.lines[1]
    monkeypatch.setenv("MELTANO_UTILITY_NAME", "webhooks--outlet")
    monkeypatch.delenv("MELTANO_ENVIRONMENT", raising=False)
    monkeypatch.chdir(tmp_path)
    answer = commands.retry(Assembly(load(environment), environment), [999])
    assert "`meltano invoke webhooks--outlet:send-test 999`" in answer.lines[1]


def many_waiting(inbox: Inbox, number: int) -> None:
    """Orders 1 to `number`, of which the last and newest has failed 20 times alone."""
    with inbox.database.write() as connection:
        rows = [
            {"order_id": n, "first_received_at": n, "seen": 1, "due_at": n, "tries": 0}
            | {"reason": f"The run exited {n}."}
            for n in range(1, number + 1)
        ]
        rows[-1]["tries"] = 20
        connection.execute(insert(orders), rows)


def test_status_lists_those_that_fail_first_and_says_how_many_more_wait(program: Make) -> None:
    environment = program().environment()
    ours = Assembly(load(environment), environment)
    with ours.inbox() as inbox:
        many_waiting(inbox, 1_200)
        answer = commands.status(ours)
        _, first, second, *_, last = answer.lines
        assert first.startswith("order 1200: STUCK")
        assert second.startswith("order 1: due")
        assert last == "200 more orders wait."
        listed = [one["order_id"] for one in answer.document["orders"]]
        assert listed == [1200, *range(1, 1_000)]
        assert answer.document["orders_left_out"] == 200
        with inbox.database.write() as connection:
            connection.execute(delete(orders).where(orders.c.order_id > 1_000))
    answer = commands.status(ours)
    assert answer.document["orders_left_out"] == 0
    assert "more orders wait" not in answer.lines[-1]


def test_all_orders_that_wait_are_read_in_little_memory(inbox_url: str) -> None:
    database = Database(inbox_url, "abc123")
    many_waiting(Inbox(database, timedelta(seconds=2)), 10_000)
    waiting, cursors = Orders(database), set[str]()

    def note(_: object, cursor: object, *_more: object) -> None:
        cursors.add(type(cursor).__name__)

    event.listen(database.engine, "after_cursor_execute", note)
    list(waiting.waiting(1))  # what is made once is not counted
    tracemalloc.start()
    try:
        assert sum(1 for _ in waiting.waiting()) == 10_000
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()
        database.close()
    kept_by = {"sqlite": "Cursor", "postgresql": "ServerCursor"}  # what the driver does not hold
    assert cursors == {kept_by[database.dialect]}


@pytest.mark.parametrize(
    ("settings", "command", "told"),
    [
        ({"destination": MALFORMED}, "send-test 5", f"destination is '{MALFORMED}': it must be"),
        ({"destination": MALFORMED}, "register", f"destination is '{MALFORMED}': it must be"),
        ({}, f"send-test 5 --url {MALFORMED}", f"--url is '{MALFORMED}': it must be"),
        ({}, "send-test 5 --url http://m\u2019:p@127.0.0.1:9/x", "letters that no header holds"),
    ],
)
def test_a_malformed_address_is_told_in_a_sentence(
    program: Make, settings: dict[str, str], command: str, told: str
) -> None:
    ended = program(**settings).call(*command.split())
    assert (ended.returncode, ended.stdout) == (1, "")
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "destination", [MALFORMED, "https://hooks.example.com:x/bc", "hooks.example.com", "/bc"]
)
def test_a_destination_that_is_no_web_address_is_refused(program: Make, destination: str) -> None:
    with pytest.raises(SettingError, match=r"destination is '.*': it must be a web address"):
        load(program(destination=destination).environment())
    assert load(program(destination=" https://h.example.com/bc ").environment()).hook_path == "/bc"


@pytest.mark.parametrize(
    "settings",
    [
        {"path": "/hooks/{a}"},
        {"path": "/hooks?a=b"},
        {"path": "/hooks#a"},
        {"destination": "https://hooks.example.com/hooks/%7Ba%7D"},
    ],
    ids=str,
)
def test_a_path_at_which_no_hook_would_be_taken_is_refused(
    program: Make, settings: dict[str, str]
) -> None:
    with pytest.raises(SettingError, match="without braces, query and fragment"):
        load(program(**settings).environment())


def test_a_test_hook_for_this_machine_goes_through_no_proxy(
    program: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def answer_as(name: str) -> Callable[[Asked], Reply]:
        def answer(request: Asked) -> Reply:
            asked.append((name, request.target))
            return Reply({})

        return answer

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with answering(answer_as("proxy")) as proxy, answering(answer_as("receiver")) as receiver:
        monkeypatch.setenv("http_proxy", proxy)
        port = receiver.rpartition(":")[2]
        environment = program(port=port, allow_insecure_http=True).environment()
        ours = Assembly(load(environment), environment)
        for url in ("", f"{receiver}/bc", "http://hooks.invalid/bc"):
            assert commands.send_test(ours, 5, url).code == 0
    assert asked == [
        ("receiver", "/webhooks"),
        ("receiver", "/bc"),
        ("proxy", "http://hooks.invalid/bc"),
    ]


def test_a_test_hook_reaches_a_receiver_at_an_ipv6_address(program: Make, start: Make) -> None:
    if not can_listen("::1"):
        pytest.skip("no IPv6 on this machine")
    ours = program(host="::1")
    ours.settings["port"] = start(ours, "--no-dispatch").origin.rpartition(":")[2]
    sent = ours.call("send-test", "5")
    assert sent.stdout == f"http://[::1]:{ours.settings['port']}/webhooks answered 200.\n"
    assert [one.order_id for one in ours.waiting()] == [5]


def can_listen(host: str) -> bool:
    try:
        socket.create_server((host, 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


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
