"""Faults on both sides, outages, poison orders, kills in a month; samples of the long sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeps import faults, month, outage

if TYPE_CHECKING:
    from pathlib import Path

SOME_OUTAGES = ("500 to all writes after the fortieth",)


@pytest.mark.more
def test_with_faults_on_both_sides_the_books_equal_the_truth(tmp_path: Path) -> None:
    assert faults.sweep(tmp_path, seeds=1, first=1, orders=20) == []


@pytest.mark.more
def test_an_outage_parks_nobody_and_a_poison_order_stops_nobody(tmp_path: Path) -> None:
    some = {"connection refused": None} | {name: outage.OUTAGES[name] for name in SOME_OUTAGES}
    assert outage.sweep(tmp_path, orders=24, outages=some, poisons=1) == []


@pytest.mark.sweep
def test_an_outage_that_only_two_orders_met_parks_neither(tmp_path: Path) -> None:
    some = {name: outage.OUTAGES[name] for name in ("500 to all writes",)}
    assert outage.sweep(tmp_path, orders=2, outages=some, poisons=0) == []


@pytest.mark.sweep
def test_killed_at_random_moments_the_orders_come_out_right(tmp_path: Path, seed: int) -> None:
    assert month.sweep(tmp_path, kills=4, seed=seed, orders=40, longest=0.5) == []


@pytest.mark.sweep
def test_with_ten_seeds_of_faults_the_books_equal_the_truth(tmp_path: Path) -> None:
    assert faults.sweep(tmp_path, seeds=10, first=1, orders=faults.ORDERS) == []


@pytest.mark.sweep
def test_of_a_hundred_orders_outages_park_none_and_poison_parks_one(tmp_path: Path) -> None:
    every = {"connection refused": None, **outage.OUTAGES}
    assert outage.sweep(tmp_path, orders=outage.ORDERS, outages=every, poisons=3) == []


@pytest.mark.sweep
def test_a_month_killed_at_fifty_random_moments_comes_out_right(tmp_path: Path, seed: int) -> None:
    assert month.sweep(tmp_path, kills=50, seed=seed, orders=month.ORDERS, longest=0.5) == []
