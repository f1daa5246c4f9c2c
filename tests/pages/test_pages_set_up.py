"""README's commands, in order and as they stand, lead from a clone to first invoices."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from newcomer import readme_commands, set_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from newcomer import SetUp

MOST_COMMANDS = 8
MOST_SECONDS = 600


def commands_in(lines: list[str]) -> int:
    """How many commands these are, each of a line's by itself."""
    return sum(len(re.split(r"&&|;|\|", line.partition(" #")[0])) for line in lines)


def check(made: SetUp, compared: Callable[[Any, Path], Any]) -> None:
    """Every command ended well, and the books are the shop's."""
    for command, done in made.done.items():
        print(f"{done.seconds:6.1f} s  {command}")
        assert done.code == 0, f"{command}\n{done.screen[-4000:]}"
    commands = readme_commands()
    print(
        f"{commands_in(commands)} commands, {made.seconds:.0f} s from the clone to first invoices"
    )
    assert list(made.done) == commands
    outcome = compared(made.sandbox, made.ledger)
    assert len(outcome.posted) > len(outcome.left)
    assert (outcome.differing, outcome.doubled) == ({}, [])
    assert {sums.difference for sums in outcome.totals.values()} == {Decimal(0)}


def test_a_few_commands_lead_to_first_invoices_and_init_comes_first() -> None:
    commands = readme_commands()
    assert commands_in(commands) <= MOST_COMMANDS
    programs = [one for one in commands if re.match(r"(?:\w+=\S+ )?\.venv/bin/", one)]
    assert programs[0].startswith(".venv/bin/target-freshbooks-ctl init")
    assert any("meltano run sync" in command for command in programs)


@pytest.mark.more
def test_readme_s_commands_lead_to_invoices_that_equal_the_shop_s_orders(
    first_invoices: SetUp, compared: Callable[[Any, Path], Any]
) -> None:
    check(first_invoices, compared)


@pytest.mark.sweep
@pytest.mark.timeout(1800)
def test_so_they_do_within_ten_minutes_on_a_machine_with_nothing_but_python_and_make(
    sandbox: Any, compared: Callable[[Any, Path], Any], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    made = set_up(sandbox, home, lent=False)
    check(made, compared)
    assert made.seconds <= MOST_SECONDS
