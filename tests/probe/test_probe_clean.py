"""A probe that is killed at a write: `probe --clean` finds and deletes what it had made."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

import click
import pytest
from mortal import Death, Killed, mortal
from target_freshbooks.ctl.cli import cli
from target_freshbooks.ctl.context import run_command
from target_freshbooks.probe import lengths

PLAIN_POSTS = 13
"""Records that a plain probe tries to make, or more."""


def kill_and_clean(desk: Any, write: int, *, is_sent: bool, depth: str = "") -> bool:
    """Kill a probe at a write and clean; whether it was killed at all."""
    options = [depth] if depth else []
    death = Death(write, is_sent)
    with mortal(death), contextlib.suppress(Killed):
        desk.ctl("probe", *options, given="Sandbox Books\n")
    if not death.is_dead:
        return False
    document = json.loads(desk.ctl("probe", "--clean", "--json"))
    assert document["left"] == []
    assert desk.standing() == [], (write, is_sent)
    with desk.ledger() as ledger:
        assert ledger.probe.standing() == []
        tags = {row.key for row in ledger.probe.all() if row.record == "invoice"}
    assert desk.numbers() <= tags
    return True


@pytest.mark.parametrize(
    ("write", "is_sent"), [(1, True), (1, False), (6, True), (8, True), (20, False), (50, True)]
)
def test_killed_at_a_write_a_probe_is_cleaned_up(desk: Any, write: int, is_sent: bool) -> None:
    assert kill_and_clean(desk, write, is_sent=is_sent)


@pytest.mark.sweep
@pytest.mark.parametrize("is_sent", [True, False])
@pytest.mark.parametrize("depth", ["", "--full"])
def test_killed_at_any_write_a_probe_is_cleaned_up(desk: Any, depth: str, is_sent: bool) -> None:
    write = 1
    while kill_and_clean(desk, write, is_sent=is_sent, depth=depth):
        # The sooner ones make records; later there are long rows of changes.
        write += 1 if write < PLAIN_POSTS else 7
    assert write > PLAIN_POSTS


def test_a_number_that_was_being_lengthened_when_the_probe_was_killed_is_given_back(
    desk: Any,
) -> None:
    death = Death(1_000, True)
    with mortal(death), pytest.MonkeyPatch.context() as patched:
        attempt = lengths.longest

        def die_in_it(tried: Any, most: int, least: int = 1) -> Any:
            if least == len("PROBE-123456"):
                tried(20)
                death.is_dead = True
            return attempt(tried, most, least)

        patched.setattr(lengths, "longest", die_in_it)
        with contextlib.suppress(Killed):
            desk.ctl("probe", given="Sandbox Books\n")
    assert death.is_dead
    desk.ctl("probe", "--clean")
    assert desk.standing() == []
    (number,) = desk.numbers()
    assert len(number) == len("PROBE-123456")


def test_a_probe_waits_for_what_a_broken_off_one_has_left(desk: Any) -> None:
    with mortal(Death(9, True)), contextlib.suppress(Killed):
        desk.ctl("probe", given="Sandbox Books\n")
    with pytest.raises(click.ClickException, match="--clean"):
        desk.ctl("probe", given="Sandbox Books\n")


def test_a_client_that_searches_do_not_show_yet_is_waited_for(desk: Any) -> None:
    desk.switch(stale_search_seconds=3)
    desk.settings["settle_seconds"] = 5
    assert kill_and_clean(desk, 1, is_sent=True)


def test_without_anything_left_cleaning_writes_nothing(desk: Any) -> None:
    desk.place()
    desk.sync()
    before = desk.writes()
    desk.ctl("probe", "--clean")
    assert desk.writes() == before


def test_a_record_that_the_probe_did_not_make_is_left_whatever_the_ledger_says(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.place()
    desk.sync()
    (invoice,), (client,), (payment,) = (
        [row["id"] for row in desk.books()[kind]] for kind in ("invoices", "clients", "payments")
    )
    before = desk.books()
    with desk.ledger() as ledger, ledger.locks.hold("SBX001", "probe", wait_seconds=0) as lock:
        for record, key, remote_id in (
            ("client", "Probe-1@shop.example", client),
            ("invoice", "PROBE-123456", invoice),
            ("payment", f"{invoice}:PROBE-123456", payment),
        ):
            row = ledger.probe.intend(lock, record, key, {}, "run-1")
            ledger.probe.close(row, "made", "run-1", remote_id=remote_id)
    said = desk.ctl("probe", "--clean")
    assert (desk.code, "Left alone, since no probe of this ledger made it: " in said) == (1, True)
    assert desk.books() == before
    with desk.ledger() as ledger:
        assert len(ledger.probe.standing()) == 3
    typed = ["target-freshbooks-ctl", "--config", desk.config_file(), "probe", "--clean"]
    monkeypatch.setattr(sys, "argv", typed)
    assert run_command(cli) == 1, "as a process ends, too"
