"""Runs killed, stopped, cut off and doubled at their writes; samples of the long sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeps import crash, cut, scenario, stopped, together

if TYPE_CHECKING:
    from pathlib import Path

SEED = 20261001


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the tap says of orders that need every kind of write, in two readings."""
    return scenario.record(tmp_path_factory.mktemp("scenario") / "shop")


def test_killed_at_some_writes_nothing_is_doubled_or_lost(
    tmp_path: Path, messages: list[Path]
) -> None:
    assert (
        crash.sweep(tmp_path, messages, seed=SEED, every=False, some=3, pairs_=1, lost=1, refused=1)
        == []
    )


def test_asked_to_stop_a_run_finishes_its_step_and_its_state_is_true(
    tmp_path: Path, messages: list[Path]
) -> None:
    assert stopped.sweep(tmp_path, messages, seed=SEED, points=3) == []


def test_input_that_breaks_off_is_completed_by_the_next_run(
    tmp_path: Path, messages: list[Path]
) -> None:
    assert cut.sweep(tmp_path, messages, seed=SEED, every=30) == []


def test_of_two_runs_at_once_one_waits(tmp_path: Path, messages: list[Path]) -> None:
    assert together.sweep(tmp_path, messages, databases=("SQLite",), freeze=False) == []


@pytest.mark.sweep
def test_killed_at_every_write_nothing_is_doubled_or_lost(
    tmp_path: Path, messages: list[Path]
) -> None:
    assert (
        crash.sweep(tmp_path, messages, seed=SEED, every=True, pairs_=500, lost=60, refused=40)
        == []
    )


@pytest.mark.sweep
def test_asked_to_stop_at_twenty_points_every_state_is_true(
    tmp_path: Path, messages: list[Path]
) -> None:
    assert stopped.sweep(tmp_path, messages, seed=SEED, points=20) == []


@pytest.mark.sweep
def test_input_cut_at_every_line_is_completed_by_the_next_run(
    tmp_path: Path, messages: list[Path]
) -> None:
    assert cut.sweep(tmp_path, messages, seed=SEED, every=1) == []


@pytest.mark.sweep
def test_two_runs_at_once_and_a_frozen_one_on_both_databases(
    tmp_path: Path, messages: list[Path]
) -> None:
    databases = ("SQLite", "PostgreSQL")
    assert together.sweep(tmp_path, messages, databases=databases, freeze=True) == []
