"""A plain probe: what it tells, what it leaves, and when it does nothing."""

from __future__ import annotations

from typing import Any

import click
import pytest
from sides import SIDES

DEFAULTS = {check: next(iter(by_side.values())) for check, by_side in SIDES.values()}


def test_a_probe_tells_each_point_and_leaves_one_used_number(desk: Any) -> None:
    findings = desk.probe()
    untold = {name: one["why"] for name, one in findings.items() if one["why"]}
    assert not untold
    assert desk.standing() == []
    (number,) = desk.numbers()
    assert len(number) <= 12
    assert [name for name, one in findings.items() if not DEFAULTS.get(name, bool)(one)] == []


def test_another_name_than_the_business_s_writes_nothing(desk: Any) -> None:
    with pytest.raises(click.ClickException, match="nothing was written"):
        desk.ctl("probe", given="Another Business\n")
    assert desk.writes() == 0
    with desk.ledger() as ledger:
        assert ledger.probe.all() == []
