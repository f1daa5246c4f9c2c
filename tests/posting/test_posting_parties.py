"""Writes that are carried out late, and clients and items that are made once whatever comes."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from target_freshbooks.ledger import Intent
from target_freshbooks.posting.patience import Patience
from target_freshbooks.posting.resolve import Resolver
from target_freshbooks.posting.writer import Unanswered

D = Decimal
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
GUESTS = [{"first_name": "Jo", "last_name": "Doe", "email": f"jo{n}@x.example"} for n in range(2)]


# -- a change that is carried out late


def test_a_change_carried_out_late_undoes_no_later_step(world: Any) -> None:
    order = world.place()
    world.sync()
    world.change(order, "refund", order_amount="2.00")
    world.change(order, "refund", order_amount="3.00")
    world.settings |= {"request_timeout": 1, "settle_seconds": 10}
    late = {"delay_ms": 2500, "handle_gone": True, "times": 1}
    world.fault(kind="hold", method="PUT", path="/invoices/invoices/", **late)
    world.sync()
    time.sleep(2)  # by then the request that was given up has been carried out
    assert world.row(order).state == "posted"
    assert (world.total(order), world.paid(order)) == (D("6.00"), [D("6.00")])


@pytest.mark.parametrize(
    ("rule", "over"),
    [
        ({"kind": "status", "status": 500}, True),
        ({"kind": "status", "status": 503}, True),
        ({"kind": "html", "status": 200}, True),
        ({"kind": "status", "status": 502}, False),
        ({"kind": "html", "status": 504}, False),
        ({"kind": "reset_before"}, False),
        ({"kind": "truncate"}, False),
    ],
)
def test_a_request_is_over_where_freshbooks_itself_answered(
    world: Any, monkeypatch: pytest.MonkeyPatch, rule: dict[str, Any], over: bool
) -> None:
    known = []
    settle = Patience.settle

    def noted(self: Patience, unknown: Unanswered) -> bool:
        known.append(unknown.over)
        return settle(self, unknown)

    monkeypatch.setattr(Patience, "settle", noted)
    order = world.place()
    world.fault(**rule, method="PUT", path="/invoices/invoices/", times=1)
    world.sync()
    assert (known, world.row(order).state) == ([over], "posted")


@pytest.mark.parametrize(
    ("kind", "over", "waited"),
    [
        ("update_payment", False, True),
        ("delete_invoice", False, True),
        ("update_payment", True, False),
        ("create_payment", True, True),  # lists may not show yet what was made
    ],
)
def test_only_a_change_that_is_over_is_not_waited_for(kind: str, over: bool, waited: bool) -> None:
    standing = SimpleNamespace(amount=D(9), vis_state=0)
    books = SimpleNamespace(
        get_payment=lambda _: standing, get_invoice=lambda _: standing, payments_of=lambda _: []
    )
    outcomes: list[str] = []
    ledger = SimpleNamespace(close=lambda _, outcome, **__: outcomes.append(outcome))
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += timedelta(seconds=seconds)

    resolver = Resolver(books, ledger, clock=lambda: now[0], sleep=sleep, settle_seconds=10)  # type: ignore[arg-type] - just what it uses
    body = {"invoiceid": 3, "amount": {"amount": "5.00"}, "note": "x"}
    intent = Intent(1, 7, kind, "7", "h", {"remote_id": 3, "body": body}, now[0], "run")
    assert resolver.resolve(intent, marker="", over=over) is False
    assert outcomes == ["not_found"]
    assert (sum(slept) >= 10) is waited
    assert waited or not slept
