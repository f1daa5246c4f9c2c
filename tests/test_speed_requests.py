"""Requests per order: what the quotas turn into time. Counted by the sandbox, never timed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bench import per_order
from bench.scene import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.scene import Scene

MONTH = 240  # the odd orders, whose lines are read apart, are the same four in a month of any size
FEW = 4
OF_RUN = Decimal(1) / FEW  # where there are new orders, what has changed is read once


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("speed")) as stage:
        yield stage


@pytest.fixture(scope="module")
def asked(stage: Scene) -> dict[str, Decimal]:
    """The target's requests per order, by kind of order."""
    return per_order.target_requests(stage, few=FEW)


def test_the_tap_stays_within_its_requests_per_order(stage: Scene) -> None:
    stage.month(MONTH)
    untaxed, taxed, nothing_new = per_order.tap_requests(stage)
    print(f"requests per order: untaxed {untaxed:.3f}, taxed {taxed:.3f}; idle run {nothing_new}")
    assert untaxed <= per_order.MOST_UNTAXED
    assert taxed <= per_order.MOST_TAXED
    assert nothing_new <= per_order.MOST_IDLE  # whatever the number of orders in the shop


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("new, client and items known", 4 + OF_RUN),  # look, create, sent, pay
        ("new, paid offline", 4 + OF_RUN),
        ("unchanged, but touched in the shop", 0),
        ("new, of a new client", 7 + OF_RUN),  # and look for the client in two ways, create it
        ("new, with a new item", 6 + OF_RUN),
        ("refunded after it was posted", 5),  # look at both, lower the payment, add the line, look
        ("new, refunded already", 7 + OF_RUN),
        ("posted already, and the ledger lost", 3),  # found again, nothing written
    ],
)
def test_the_target_asks_no_more_than_it_needs(
    asked: dict[str, Decimal], kind: str, most: Decimal
) -> None:
    of_the_run = 1 if kind.startswith("new") else 0  # which clients were deleted meanwhile
    assert asked[kind] <= most + Decimal(of_the_run) / FEW


@pytest.mark.more
def test_many_orders_at_a_time_are_looked_for_in_lists(stage: Scene) -> None:
    figures = per_order.batch_requests(stage)
    most = dict(zip(figures, map(Decimal, ("4.05", "3.1", "0", "0.1")), strict=True))
    assert {what: figure for what, figure in figures.items() if figure > most[what]} == {}


def test_a_new_order_takes_five_commits(stage: Scene) -> None:
    assert per_order.order_commits(stage) == 5  # received; before, between and after three writes
