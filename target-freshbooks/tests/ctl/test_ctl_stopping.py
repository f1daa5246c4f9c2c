"""Signals at the operator's commands, and failures told in one line."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.more

ENDS = pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)


@ENDS
def test_a_signal_during_a_refresh_lets_the_new_tokens_be_stored_first(
    desk: Any, number: signal.Signals, code: int
) -> None:
    assert desk.ctl("whoami")[0] == 0
    desk.expire()
    before = desk.store.read(desk.entry)["refresh_token"]
    rule = desk.hold("/auth/oauth/token", "POST")
    process = desk.start("target-freshbooks-ctl", "whoami")
    desk.wait_until_held(process)
    process.send_signal(number)
    time.sleep(0.5)  # it must not end in this while; there is nothing to wait for
    process.send_signal(number)
    desk.control("POST", f"faults/{rule}/release")
    _, log = process.communicate(timeout=20)
    assert (process.returncode, log.strip()) == (code, "Stopped.")
    kept = desk.store.read(desk.entry)
    assert kept["refresh_token"] != before
    assert "refreshing_since" not in kept
    assert desk.ctl("whoami")[0] == 0


def test_a_signal_during_a_login_lets_its_tokens_be_stored_first(desk: Any) -> None:
    landed = desk.landed()
    rule = desk.hold("/auth/oauth/token", "POST")
    process = desk.start("target-freshbooks-ctl", "login", "--code", landed, refresh_token=None)
    desk.wait_until_held(process)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)  # it must not end in this while; there is nothing to wait for
    desk.control("POST", f"faults/{rule}/release")
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert desk.ctl("whoami", refresh_token=None)[0] == 0


@ENDS
def test_a_command_that_looks_ends_at_once(desk: Any, number: signal.Signals, code: int) -> None:
    assert desk.ctl("whoami")[0] == 0
    desk.hold("users/me", "GET")
    process = desk.start("target-freshbooks-ctl", "whoami")
    desk.wait_until_held(process)
    process.send_signal(number)
    _, log = process.communicate(timeout=15)  # the answer is held for twice as long
    assert (process.returncode, log.strip()) == (code, "Stopped.")


def wait_until_it_heeds(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Until the process has a handler of its own for the signal, as the kernel tells."""
    status = Path(f"/proc/{process.pid}/status")
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        caught = next(line for line in status.read_text().splitlines() if "SigCgt" in line)
        if int(caught.split()[1], 16) >> (number - 1) & 1:
            return
        time.sleep(0.05)  # between two looks of a bounded poll
    pytest.fail("the process does not heed the signal")


def test_a_command_that_waits_for_anothers_refresh_ends_at_once(desk: Any) -> None:
    assert desk.ctl("whoami")[0] == 0
    desk.expire()
    with desk.store.exclusive(desk.entry, 1):
        process = desk.start("target-freshbooks-ctl", "whoami")
        wait_until_it_heeds(process, signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
    assert process.returncode == 143


@ENDS
def test_a_replay_finishes_the_step_in_hand(desk: Any, number: signal.Signals, code: int) -> None:
    order = desk.park_an_order()
    rule = desk.hold("invoices/invoices", "POST")
    process = desk.start("target-freshbooks-ctl", "replay", "--parked")
    desk.wait_until_held(process)
    process.send_signal(number)
    time.sleep(0.5)  # it must not end in this while; there is nothing to wait for
    assert process.poll() is None
    desk.control("POST", f"faults/{rule}/release")
    _, log = process.communicate(timeout=20)
    assert process.returncode == code, log
    assert "Traceback" not in log
    status = json.loads(desk.ctl("status", "--json")[1])
    assert status["open_intents"] == 0
    assert status["last_runs"][0]["outcome"] == "interrupted"
    assert desk.ctl("replay", str(order))[0] == 0
    assert len(desk.control("GET", "books")["invoices"]) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[1]", "is no JSON object"),
        (b'{"client_secret": "CANARY\xff"}', "is no JSON object"),
        (b'{"client_secret": "CANARY"', "is no JSON object"),
        (None, "cannot be read: No such file or directory"),
    ],
    ids=["list", "no UTF-8", "cut off", "missing"],
)
def test_a_configuration_that_is_none_is_one_line(
    desk: Any, content: bytes | None, told: str
) -> None:
    path = desk.home / "wrong.json"
    if content is not None:
        path.write_bytes(content)
    code, said = desk.ctl("status", "--config", str(path))
    assert (code, said.count("\n")) == (1, 1)
    assert said == f"Error: The configuration {path} {told}.\n"


@pytest.mark.parametrize(
    ("command", "name"), [("notify", "ledger_url"), ("whoami", "credentials_url")]
)
def test_an_impossible_folder_is_one_line_that_names_it(desk: Any, command: str, name: str) -> None:
    code, said = desk.ctl(command, **{name: "sqlite:////dev/null/deep/x.sqlite"})
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("Error: ")
    assert "/dev/null" in said
    assert "Not a directory" in said


def test_a_report_into_an_impossible_folder_is_one_line(desk: Any) -> None:
    desk.sync()
    code, said = desk.ctl("report", "--month", "2026-11", "--output", "/dev/null/x")
    assert (code, said.count("\n")) == (1, 1)
    assert "/dev/null/x cannot be used" in said
