"""What was believed too easily, tried on real processes: whose order, whose client, was it paid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.more

D = Decimal
MUG = {"name": "Mug", "sku": "MUG"}


def by_hand(world: Any, amount: str, note: str = "by hand") -> None:
    """Somebody records a payment between the connector's look and its own payment."""
    payment = {
        "invoiceid": "$invoiceid",
        "amount": {"amount": amount, "code": "USD"},
        "date": "2026-10-01",
        "type": "Cash",
        "note": note,
    }
    write = {"method": "POST", "path": "payments/payments", "json": {"payment": payment}}
    world.fault(kind="act", method="POST", path="payments/payments$", writes=[write], times=1)


def standing_credits(world: Any) -> list[Any]:
    return [note for note in world.books()["credit_notes"] if note["vis_state"] == 0]


def test_the_same_project_with_another_store_ends_with_1_and_rewrites_nothing(world: Any) -> None:
    order = world.place(lines=[MUG | {"price": "1802.39"}])
    assert world.run()[0] == 0
    before = world.invoice(order)
    world.change(order, "lines", lines=[MUG | {"price": "39.35"}])
    code, _, log = world.run(world.messages_of("rebuilt"))
    assert code == 1
    assert "belongs to store sandbox" in log
    assert "source" in log
    assert world.invoice(order) == before
    assert world.ctl("verify")["findings"] == []


@pytest.mark.plans_left
def test_a_login_to_another_account_ends_with_1_before_a_write(world: Any) -> None:
    world.place()
    assert world.run()[0] == 0
    world.place()
    world.settings["account_id"] = "OTHER1"
    before = world.writes()
    code, _, log = world.run()
    assert (code, world.writes()) == (1, before)
    assert "ledger_url" in log
    assert "OTHER1" in log


def test_two_projects_without_prefix_on_one_account_keep_their_orders_apart(world: Any) -> None:
    order = world.place()
    assert world.run(world.messages_of("first"))[0] == 0
    before = world.invoice(order)
    world.settings["ledger_url"] = f"sqlite:///{world.home}/other.sqlite"
    code, _, log = world.run(world.messages_of("second"))
    assert code == 0
    assert f"Order {order} parked: number_taken" in log
    assert world.row(order).detail.count("store first") == 1
    assert world.invoice(order) == before


def test_somebody_else_s_payment_makes_no_invented_credit(world: Any) -> None:
    order = world.place(lines=[MUG | {"price": "85.83"}])
    by_hand(world, "85.83")
    before = world.writes()
    code, _, log = world.run()
    assert code == 0
    assert f"Order {order} parked: paid_elsewhere" in log
    assert (world.paid(order), standing_credits(world)) == ([D("85.83")], [])
    assert world.writes() - before <= 3 + 2 * 2 + 2 * 1 + 4


def test_two_ledgers_on_one_account_stop_instead_of_paying_twice(world: Any) -> None:
    order = world.place()
    by_hand(world, "11.00", note="$note")
    code, _, log = world.run()
    assert code == 1
    assert "One FreshBooks account has one ledger" in log
    assert (world.paid(order), standing_credits(world)) == ([D("11.00")], [])


def test_a_put_that_is_ignored_is_made_once(world: Any) -> None:
    order = world.place()
    world.fault(kind="ignored", method="PUT", path="/invoices/", body="mark_as_sent")
    before = world.writes()
    code, _, log = world.run()
    assert code == 0
    assert f"Order {order} parked: no_progress" in log
    assert world.writes() - before == 4  # client, item, invoice, and one try to mark it sent


def test_many_rewritten_invoices_stop_the_run_until_a_person_accepts_it(world: Any) -> None:
    orders = [world.place() for _ in range(4)]
    assert world.run()[0] == 0
    for order in orders:
        world.change(order, "lines", lines=[MUG | {"price": "8.00"}])
    world.settings |= {"max_rewritten_invoices": 2, "max_parallel_orders": 1}
    code, _, log = world.run()
    assert code == 1
    assert "--accept-changes" in log
    assert sum(world.total(order) == D("8.00") for order in orders) == 2
    assert world.run(None, "--accept-changes")[0] == 0
    assert [world.total(order) for order in orders] == [D("8.00")] * 4


@pytest.mark.parametrize("setting", [{"dry_run": "ture"}, {"tax_mode": "rate"}])
def test_a_setting_that_cannot_be_read_writes_nothing(world: Any, setting: dict[str, Any]) -> None:
    world.place()
    world.settings |= setting
    code, _, log = world.run()
    assert code == 1
    assert next(iter(setting)) in log
    assert world.books()["invoices"] == []
