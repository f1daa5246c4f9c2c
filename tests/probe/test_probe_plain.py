"""A plain probe: what it tells, what it leaves, and when it does nothing."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest
from sides import SIDES
from target_freshbooks.probe.checks import SETTLED_BY

LONGEST_NUMBER = 12


def test_a_probe_tells_each_point_and_leaves_one_used_number(desk: Any) -> None:
    findings = desk.probe()
    assert {name: one["why"] for name, one in findings.items() if one["why"]} == {}
    assert desk.standing() == []
    (number,) = desk.numbers()
    assert len(number) <= LONGEST_NUMBER
    present = {
        row["name"]: row["value"] for row in desk.control("GET", "switches?describe=1")["switches"]
    }
    for switch, (check, by_side) in SIDES.items():
        if check in findings:
            side = present[f"fb.{switch}"]
            told = by_side.get(side)
            assert told is None or told(findings[check]), (switch, side, findings[check])


def test_what_was_found_stands_in_the_account_profile_with_its_day(desk: Any) -> None:
    findings = desk.probe()
    with desk.ledger() as ledger:
        traits = ledger.profile.traits()
    assert traits["roundings"] == [["line", False]]
    assert traits["number_length"] == findings["number_length"]["value"]
    kept = traits["probe"]["duplicate_number"]
    assert kept["value"] == "refused"
    assert kept["at"]
    assert kept["evidence"]["errno"] == findings["duplicate_number"]["evidence"]["errno"]
    assert "@" not in json.dumps(traits)


def test_another_name_than_the_business_s_writes_nothing(desk: Any) -> None:
    with pytest.raises(click.ClickException, match="nothing was written"):
        desk.ctl("probe", given="Another Business\n")
    assert desk.writes() == 0
    with desk.ledger() as ledger:
        assert ledger.probe.all() == []


def test_the_name_is_asked_for_where_the_account_is_set_too(desk: Any) -> None:
    desk.settings["account_id"] = "SBX001"
    with pytest.raises(click.ClickException, match="nothing was written"):
        desk.ctl("probe", given="SBX001\n")
    assert desk.writes() == 0
    assert desk.probe()["quota"]["value"]


def test_a_dry_run_does_not_probe(desk: Any) -> None:
    desk.settings["dry_run"] = True
    with pytest.raises(click.ClickException, match="dry_run is set"):
        desk.ctl("probe", given="Sandbox Books\n")
    assert desk.writes() == 0


def test_each_switch_says_what_settles_it_and_is_put_to_the_test(desk: Any) -> None:
    rows = [
        row
        for row in desk.control("GET", "switches?describe=1")["switches"]
        if "fb." in row["name"]
    ]
    told = {row["name"]: row["settled_by"] for row in rows}
    assert all(told.values()), [name for name, by in told.items() if not by]
    probed = {name: by.removeprefix("probe: ") for name, by in told.items() if "probe: " in by}
    assert probed == SETTLED_BY
    assert {f"fb.{switch}": check for switch, (check, _) in SIDES.items()}.items() <= probed.items()


CLIENT = {"path": "users/clients", "json": {"client": {"email": "own@shop.example"}}}
FIRST_CLIENT = 12345
INVOICE = {
    "path": "invoices/invoices",
    "json": {"invoice": {"customerid": FIRST_CLIENT, "create_date": "2026-10-01"}},
}
GONE = {
    "path": f"users/clients/{FIRST_CLIENT}",
    "method": "PUT",
    "json": {"client": {"vis_state": 1}},
}


@pytest.mark.parametrize(
    "writes", [[CLIENT], [CLIENT, INVOICE], [CLIENT, GONE]], ids=["client", "invoice", "deleted"]
)
def test_a_full_probe_refuses_an_account_with_any_other_record(
    desk: Any, writes: list[dict[str, Any]]
) -> None:
    desk.control("POST", "by-hand", writes)
    desk.control("POST", "requests/reset")
    with pytest.raises(click.ClickException, match="which is not the probe's"):
        desk.ctl("probe", "--full", given="Sandbox Books\n")
    assert desk.writes() == 0


@pytest.mark.more
def test_a_full_probe_may_follow_another_one(desk: Any) -> None:
    desk.probe("--full")
    assert desk.standing() == []
    desk.probe("--full")
    assert desk.standing() == []
