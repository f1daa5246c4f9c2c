"""Runs as real child processes, through the server and through `drain`."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from connector_sandbox.testing import until
from connector_webhooks import commands
from connector_webhooks.assembly import Assembly
from connector_webhooks.dispatch import Cycle
from connector_webhooks.run import MELTANO_RUN, Program
from connector_webhooks.settings import load

Make = Any


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_hooks_of_an_order_become_one_run_and_later_ones_another(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(collapse_milliseconds=3000)
    server = start(ours)
    for scope in ("created", "updated", "statusUpdated"):
        server.send(signed(250, scope=f"store/order/{scope}"))
    data = {"type": "transaction", "order_id": "250", "transaction_id": "1"}
    server.send(signed(scope="store/order/transaction/created", data=data))
    until(lambda: ours.hooks() and not ours.waiting(), "the run")
    assert ours.runs() == [[250]]
    server.send(signed(250))
    until(lambda: len(ours.runs()) == 2, "another run")
    assert server.figure('webhooks_runs_total{outcome="delivered"}') >= 1


def test_a_run_gets_all_variables_but_those_of_the_receiver(
    program: Make, start: Make, signed: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed_on = {
        "MELTANO_ENVIRONMENT": "prod",
        "TAP_BIGCOMMERCE_ORDERS_ACCESS_TOKEN": "canary-of-the-tap",
        "TARGET_FRESHBOOKS_LEDGER_URL": "postgresql://me:canary-of-the-ledger@db/ledger",
        "CREDENTIALS_URL": "sqlite:///store.sqlite",
        "REQUESTS_CA_BUNDLE": "/etc/ssl/ours.pem",
        "https_proxy": "http://proxy.invalid:3128",
        "TZ": "UTC",
        "AWS_PROFILE": "state",
    }
    doubles = {
        "MELTANO_UTILIZE_CLIENT_SECRET": "canary-client-secret-1",
        "MELTANO_UTILIZE_INBOX_URL": "postgresql://me:canary-password@db/inbox",
    }
    for name, value in {**passed_on, **doubles}.items():
        monkeypatch.setenv(name, value)
    ours = program(
        run_command="env > environment.txt",
        shared_header_name="X-Shared",
        shared_header_value="canary-shared-value",
    )
    server = start(ours)
    server.send(signed(1), **{"X-Shared": "canary-shared-value"})
    until(lambda: ours.hooks() and not ours.waiting(), "the run")
    text = (ours.folder / "environment.txt").read_text()
    given = dict(line.partition("=")[::2] for line in text.splitlines())
    assert passed_on.items() <= given.items()
    assert {"PATH", "HOME"} <= given.keys()
    assert [name for name in given if name.startswith(("WEBHOOKS_", "MELTANO_UTILIZE_"))] == []


def test_a_run_is_told_whose_orders_it_is_to_read(tmp_path: Any) -> None:
    environment = {
        "WEBHOOKS_STORE_HASH": "def456",
        "WEBHOOKS_CLIENT_SECRET": "canary-client-secret",
        "MELTANO_PROJECT_ROOT": str(tmp_path),
        "CONNECTOR_WEBHOOKS_STORE_HASH": "abc123",
    }
    program = Program.of(load(environment), environment)
    assert program.environment["CONNECTOR_WEBHOOKS_STORE_HASH"] == "def456"


def test_a_failing_tap_before_a_target_is_noticed_and_shown(
    program: Make, signed: Make, start: Make
) -> None:
    ours = program(run_command="(echo no luck; exit 1) | cat", retry_base_seconds=600)
    start(ours, "--no-dispatch").send(signed(1))
    drained = ours.call("drain", "--json")
    assert drained.returncode == 1
    assert json.loads(drained.stdout) == {"delivered": 0, "failing": 1}
    shown = "".join(commands.status(assembly_of(ours)).lines)
    assert "order 1:" in shown
    assert "The run exited 1. Its last line: no luck" in shown

    ours.settings["run_command"] = "exit 0"
    inbox = ours.inbox()
    dispatcher = assembly_of(ours).dispatcher(inbox)
    assert dispatcher.cycle() == Cycle(), "it is not due again yet"
    assert commands.retry(assembly_of(ours), [1]).document == {"due": [1], "unknown": []}
    assert "due at once" in "".join(commands.status(assembly_of(ours)).lines)
    assert dispatcher.cycle() == Cycle(delivered=1)
    inbox.database.close()


@pytest.mark.parametrize("run_command", ["exit 2", "bash --no-such-option"])
def test_a_command_line_that_was_wrong_delivers_nothing(
    program: Make, signed: Make, start: Make, run_command: str
) -> None:
    """It ends with 2 in bash, click and Meltano, as a run does that parked something."""
    ours = program(run_command=run_command, retry_base_seconds=600)
    start(ours, "--no-dispatch").send(signed(1))
    drained = json.loads(ours.call("drain", "--json").stdout)
    assert (drained["delivered"], drained["failing"]) == (0, 1)


@pytest.mark.parametrize("run_command", ["", "tap | target --config=ENV"])
def test_a_run_that_parks_something_is_told_to_end_well(tmp_path: Any, run_command: str) -> None:
    environment = {
        "WEBHOOKS_CLIENT_SECRET": "canary-client-secret",
        "WEBHOOKS_RUN_COMMAND": run_command,
        "MELTANO_PROJECT_ROOT": str(tmp_path),
        "TARGET_FRESHBOOKS_ON_PARKED": "fail",
    }
    program = Program.of(load(environment), environment)
    assert program.environment["TARGET_FRESHBOOKS_ON_PARKED"] == "warn"


def assembly_of(ours: Any) -> Assembly:
    environment = ours.environment()
    return Assembly(load(environment), environment)


def test_the_reason_of_a_failed_run_is_the_error_of_tap_or_target_not_meltano_s_last_words(
    program: Make,
) -> None:
    said = (
        "[error    ] tap-bigcommerce-orders--hooks BigCommerce answered 401",
        "[info     ] target-freshbooks Orders received 0",
        "[error    ] meltano      Extractor failed",
        "[info     ] meltano      Run completed",
    )
    ours = program(run_command="; ".join(f"echo '{line}'" for line in said) + "; exit 1")
    inbox = ours.inbox()
    result = assembly_of(ours).dispatcher(inbox)._worker([1], "run-1")
    inbox.database.close()
    assert result.reason.startswith("The run exited 1. Its last error: [error    ] tap-big"), result


@pytest.mark.more
def test_a_run_that_hangs_is_ended_with_all_it_started(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(
        run_timeout_seconds=1,
        run_command="sleep 1000 & echo $! >> pids.txt; sleep 1000 | cat",
    )
    server = start(ours)
    server.send(signed(1))
    until(lambda: "was ended" in ours.waiting()[0].reason, "the end of the run")
    pid = int((ours.folder / "pids.txt").read_text().splitlines()[0])
    until(lambda: not alive(pid), "the end of what it started")
    assert ours.waiting()[0].order_id == 1


def test_sigterm_lets_a_run_finish(program: Make, start: Make, signed: Make) -> None:
    ours = program(run_command='echo "$TAP_BIGCOMMERCE_ORDERS_ORDER_IDS" >> runs.txt; sleep 1')
    server = start(ours)
    server.send(signed(1))
    until(ours.runs, "the run")
    assert server.terminate() == 0
    assert (len(ours.hooks()), ours.waiting()) == (1, [])


@pytest.mark.more
def test_sigterm_ends_a_run_that_takes_too_long_and_its_order_waits_on(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(
        shutdown_seconds=1,
        run_command='echo "$TAP_BIGCOMMERCE_ORDERS_ORDER_IDS" >> runs.txt; echo $$ > pid; '
        "exec sleep 1000",
    )
    server = start(ours)
    server.send(signed(1))
    until((ours.folder / "pid").exists, "the run")
    assert server.terminate() == 0
    row = ours.waiting()[0]
    assert (row.tries, row.reason) == (0, "")
    assert not alive(int((ours.folder / "pid").read_text()))


@pytest.mark.parametrize("ending", ["late", "stopped"])
def test_a_run_that_we_ended_delivered_nothing_however_well_it_says_it_ended(
    program: Make, start: Make, signed: Make, ending: str
) -> None:
    """Many programs, and many a wrapper's trap, exit 0 when they are told to end."""
    ours = program(
        run_command="trap 'exit 0' TERM; echo > begun; sleep 1000 & wait $!",
        run_timeout_seconds=3 if ending == "late" else 900,
        shutdown_seconds=0,
        retry_base_seconds=600,
    )
    server = start(ours)
    server.send(signed(1))
    until((ours.folder / "begun").exists, "the run")
    if ending == "late":
        until(lambda: not ours.waiting() or ours.waiting()[0].reason, "the end of the run")
    else:
        assert server.terminate() == 0
    (row,) = ours.waiting()
    late = "The run took longer than 3 s and was ended without a word."
    assert (row.tries, row.reason) == ((1, late) if ending == "late" else (0, ""))


def test_a_run_that_is_ended_together_with_us_is_not_counted_against_its_orders(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(run_command="echo $$ > pid; sleep 1000")
    server = start(ours)
    server.send(signed(1))
    until((ours.folder / "pid").exists, "the run")
    server.process.terminate()
    until(lambda: "Stopping" in ours.log, "the stop")
    os.killpg(int((ours.folder / "pid").read_text()), 15)
    assert server.process.wait(30) == 0
    row = ours.waiting()[0]
    assert (row.tries, row.reason) == (0, "")


def test_a_command_that_cannot_be_started_is_a_reason(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program()
    start(ours, "--no-dispatch").send(signed(1))
    ours.settings["run_directory"] = str(ours.folder / "none")
    assert ours.call("drain").returncode == 1
    assert "could not be started" in ours.waiting()[0].reason


@pytest.mark.more
def test_a_drain_beside_a_dispatcher_at_work_waits_and_says_so(
    program: Make, start: Make, signed: Make
) -> None:
    ours = program(run_command='echo "$TAP_BIGCOMMERCE_ORDERS_ORDER_IDS" >> runs.txt; sleep 20')
    server = start(ours)
    server.send(signed(1))
    until(ours.runs, "the run")
    beside = ours.call("drain", "--wait", "0")
    assert beside.returncode == 1
    assert "Another dispatcher" in beside.stderr
    assert ours.runs() == [[1]]


def test_a_send_test_hook_goes_the_whole_way(program: Make, start: Make) -> None:
    ours = program(shared_header_name="X-Shared", shared_header_value="canary-shared-value")
    server = start(ours)
    sent = ours.call("send-test", "77", "--url", f"{server.origin}/webhooks")
    assert (sent.returncode, "answered 200" in sent.stdout) == (0, True)
    until(lambda: ours.runs() == [[77]], "the run")
    with_login = server.origin.replace("://", "://me:canary@word@") + "/webhooks"
    said = commands.send_test(assembly_of(ours), 77, with_login)
    assert "://me:***@127.0.0.1" in said.lines[0]
    assert "word" not in str(said)
    ours.settings["client_secret"] = "another-client-secret"
    refused = commands.send_test(assembly_of(ours), 78, f"{server.origin}/webhooks")
    assert (refused.code, refused.document["status"]) == (1, 401)


def test_the_ordinary_run_is_meltano_s_with_a_state_of_its_own(tmp_path: Any) -> None:
    meltano = tmp_path / ".meltano" / "run" / "bin"
    meltano.parent.mkdir(parents=True)
    meltano.touch()
    environment = {
        "MELTANO_PROJECT_ROOT": str(tmp_path),
        "WEBHOOKS_CLIENT_SECRET": "canary-client-secret",
        "TAP_BIGCOMMERCE_ORDERS_STORE_HASH": "abc123",
        "TARGET_FRESHBOOKS_ON_PARKED": "fail",
    }
    program = Program.of(load(environment), environment)
    assert program.arguments == (str(meltano), *MELTANO_RUN)
    assert "tap-bigcommerce-orders" not in program.arguments, "the scheduled run's folder and state"
    assert program.directory == tmp_path
    assert "WEBHOOKS_CLIENT_SECRET" not in program.environment
    assert program.environment["TAP_BIGCOMMERCE_ORDERS_STORE_HASH"] == "abc123"
    assert program.environment["TARGET_FRESHBOOKS_ON_PARKED"] == "warn"


def test_what_a_run_says_acts_on_no_terminal_and_forges_no_line(
    program: Make, signed: Make, start: Make
) -> None:
    forged = "2026-11-28 00:00:00 ERROR all is lost"
    words = rf"printf '\033[2J\342\200\256error\342\200\250{forged}\r{forged}\302\205{forged}\n'"
    ours = program(run_command=f"{words}; exit 1", retry_base_seconds=600)
    start(ours, "--no-dispatch").send(signed(1))
    drained = ours.call("drain")
    told = ours.call("status").stdout
    shown = rf"\x1b[2J\u202eerror\u2028{forged}\r{forged}\x85{forged}"
    assert f": {shown}\n" in drained.stderr
    assert f"Its last error: {shown}" in told
    for text in (drained.stderr, told):
        assert text.replace("\n", "").isprintable()
    assert ours.call("status", "--json").stdout.isascii()
