"""Closed days in the plan and at the fence: which step may be taken, and which is told instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from plan_notation import DAY, ORDER, Row, rows_in, scene_of
from plan_played import Remembered
from target_freshbooks.books.closed import ClosedDays
from target_freshbooks.books.desired import Parked
from target_freshbooks.books.policy import Policy
from target_freshbooks.freshbooks.observed import ObservedPayment
from target_freshbooks.posting.apply.fence import ClosedDay, Fence
from target_freshbooks.posting.apply.parts import load_recorded
from target_freshbooks.posting.plan.next_step import next_step
from target_freshbooks.posting.plan.steps import Step, StepKind

SCENES = """
An order without an invoice
    order
        Shirt 1 x 30.00
A payment
    order
        Shirt 1 x 30.00
        paid transaction:77 30.00
    freshbooks
        invoice
        Shirt 1 x 30.00
    ledger
        invoice
A credit note
    order
        Shirt 1 x 30.00
        credit 5 30.00
    freshbooks
        invoice
        Shirt 1 x 30.00
    ledger
        invoice
A payment that FreshBooks capped
    order
        Shirt 1 x 30.00
        paid transaction:77 30.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        payment transaction:77 10.00 id 701 credit 907
        payment by hand 20.00 id 702
        overpayment transaction:77 20.00
    ledger
        invoice
        payment transaction:77 10.00 id 701 from 0 asked 30.00 credit 907
A Draft that is to be sent
    order
        Shirt 1 x 30.00
    freshbooks
        invoice draft
        Shirt 1 x 30.00
    ledger
        invoice
A refund whose payment was lowered already
    order
        Shirt 1 x 30.00
        paid transaction:77 30.00
        refund 5 10.00 leaves transaction:77 20.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        payment transaction:77 20.00
    ledger
        invoice
        payment transaction:77 20.00
A refund that did not go through
    order
        Shirt 1 x 30.00
        paid transaction:77 30.00
    freshbooks
        invoice
        Shirt 1 x 30.00
        Refund 5 1 x -10.00
        payment transaction:77 20.00
    ledger
        invoice
        payment transaction:77 20.00
An invoice whose billing address follows the order
    order
        Shirt 1 x 30.00
        billing Ada Other
    freshbooks
        invoice billed to Ann
        Shirt 1 x 30.00
    ledger
        invoice
"""


@pytest.mark.parametrize("row", list(rows_in(SCENES)), ids=lambda row: row.sentence)
def test_what_is_of_a_closed_day_is_told_and_not_done(row: Row) -> None:
    scene = scene_of(row)
    recorded = load_recorded(Remembered(scene.links), ORDER)  # type: ignore[arg-type]
    context = replace(scene.context, recorded=recorded)
    step = next_step(context, scene.observed, scene.progress)
    assert isinstance(step, Step), "it would be done on an open day"
    told = next_step(replace(context, closed=ClosedDays(DAY)), scene.observed, scene.progress)
    assert isinstance(told, Parked)
    assert told.reason == "closed_period"
    assert str(DAY) in told.detail


# -- the fence


def fence(setting: object, now: str) -> Fence:
    moment = datetime.fromisoformat(now).astimezone(UTC)
    policy = Policy(closed_through=setting)  # type: ignore[arg-type]
    return Fence(policy, lambda: moment, lambda: "America/Chicago")


@pytest.mark.parametrize(
    ("now", "last"),
    [("2026-12-11T05:59:00Z", "2026-10-31"), ("2026-12-11T06:01:00Z", "2026-11-30")],
)
def test_by_itself_a_month_is_closed_at_midnight_in_the_store_s_zone(now: str, last: str) -> None:
    assert fence("auto", now).closed().through == date.fromisoformat(last)


def payment(day: date) -> ObservedPayment:
    return ObservedPayment(7, 5, 1, "USD", day, "Cash", "", None)  # type: ignore[arg-type]


def test_both_the_day_that_a_record_has_and_the_one_it_gets_must_be_open() -> None:
    closed, opened = date(2026, 10, 31), date(2026, 11, 1)
    guard = fence(closed, "2026-11-20T12:00:00Z")
    for standing, new in ((closed, opened), (opened, closed), (closed, closed)):
        with pytest.raises(ClosedDay):
            guard.check(StepKind.UPDATE_PAYMENT, {"date": str(new)}, payment(standing))
    assert guard.check(StepKind.UPDATE_PAYMENT, {"date": str(opened)}, payment(opened)) is None
    with pytest.raises(ClosedDay):
        guard.check(StepKind.DELETE_PAYMENT, {"vis_state": 1}, payment(closed))
    guard.check(StepKind.UPDATE_CLIENT, {"fname": "Ada"}, None)


def test_a_locked_day_is_spared_by_the_run_that_met_it_and_by_no_other() -> None:
    day = date(2026, 11, 3)
    met, other = fence(None, "2026-11-20T12:00:00Z"), fence(None, "2026-11-20T12:00:00Z")
    met.lock(day)
    with pytest.raises(ClosedDay):
        met.check(StepKind.DELETE_PAYMENT, {}, payment(day))
    met.check(StepKind.DELETE_PAYMENT, {}, payment(day + timedelta(1)))
    other.check(StepKind.DELETE_PAYMENT, {}, payment(day))


def test_the_earlier_month_that_a_write_changes_is_named_where_none_is_closed() -> None:
    now = "2026-12-01T05:00:00Z"  # still November in the store
    guard = fence(None, now)
    assert guard.check(StepKind.DELETE_PAYMENT, {}, payment(date(2026, 10, 31))) == "2026-10"
    assert guard.check(StepKind.DELETE_PAYMENT, {}, payment(date(2026, 11, 1))) is None
    assert (
        fence(date(2026, 9, 30), now).check(
            StepKind.DELETE_PAYMENT, {}, payment(date(2026, 10, 31))
        )
        is None
    )
