"""The invariants that every suite checks its states by do notice what cannot be."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from plan_notation import rows_in, scene_of

D = Decimal
SCENE = """A scene
    order
        Shirt 3 x 10.00
        paid transaction:77 30.00
        refund 5 10.00 leaves transaction:77 20.00
    freshbooks
        invoice
        Shirt 3 x 10.00
        payment transaction:77 20.00
        payment by hand 10.00
        credit note 6 10.00"""


def scene() -> Any:
    (row,) = rows_in(SCENE)
    return scene_of(row)


def desired_with(**changes: Any) -> None:
    desired = scene().context.desired
    invoice = {name: changes.pop(name) for name in ("total", "currency") if name in changes}
    replace(desired, invoice=replace(desired.invoice, **invoice), **changes)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda _: {"total": D(-1), "payments": (), "refunds": ()}, "the total is -1"),
        (lambda _: {"total": D(29)}, "payments come to 30.00"),
        (lambda one: {"payments": (*one.payments, replace(one.payments[0], amount=D(0)))}, "key"),
        (lambda one: {"payments": (replace(one.payments[0], amount=D(-1)),)}, "negative"),
        (lambda one: {"refunds": one.refunds * 2}, "a refund stands twice"),
        (lambda _: {"currency": "EUR"}, "currencies"),
        (lambda one: {"refunds": (replace(one.refunds[0], money=D(31)),)}, "refunds come to 31"),
        (lambda one: {"refunds": (replace(one.refunds[0], payments_after=()),)}, "above the total"),
        (lambda _: {"payments": ()}, "a payment that there is not"),
    ],
)
def test_a_desired_state_that_cannot_be_is_noticed(
    change: Any, fault: str, no_state_is_unsound: list[str]
) -> None:
    desired = scene().context.desired
    assert no_state_is_unsound == []
    desired_with(**change(desired))
    assert any(fault in found for found in no_state_is_unsound)
    no_state_is_unsound.clear()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda held: {"payments": held.payments * 2}, "a payment stands twice"),
        (lambda held: {"credit_notes": held.credit_notes * 2}, "a credit note stands twice"),
        (lambda held: {"payments": (replace(held.payments[0], vis_state=1),)}, "deleted"),
        (lambda held: {"payments": (replace(held.payments[0], invoice_id=1),)}, "another invoice"),
        (lambda held: {"payments": (replace(held.payments[0], currency="EUR"),)}, "currencies"),
        (lambda held: {"invoice": replace(held.invoice, paid=D(3))}, "outstanding"),
        (
            lambda held: {"invoice": replace(held.invoice, paid=D(-1), outstanding=D(31))},
            "-1 paid",
        ),
    ],
)
def test_an_observed_state_that_cannot_be_is_noticed(
    change: Any, fault: str, no_state_is_unsound: list[str]
) -> None:
    actual = scene().observed
    assert no_state_is_unsound == []
    replace(actual, **change(actual))
    assert any(fault in found for found in no_state_is_unsound)
    no_state_is_unsound.clear()
