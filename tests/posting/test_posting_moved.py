"""What a person moved in FreshBooks stays where it is, and is never booked a second time."""

from __future__ import annotations

import shutil
from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.posting.observe import by_refund
from target_freshbooks.posting.observe.in_bulk import FEWEST

pytestmark = pytest.mark.more

D = Decimal
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
JO = {"first_name": "Jo", "last_name": "Roe", "email": "jo@shop.example"}
INVOICES = "invoices/invoices"
PAYMENTS = "payments/payments"
STORE_CREDIT = [{"provider": "storecredit"}]


def asked(world: Any, path: str) -> int:
    """How many lists of this kind, and records of it, FreshBooks was asked for."""
    rows = [row for row in world.requests() if path in row["path"]]
    return int(sum(row["count"] for row in rows if row["method"] == "GET"))


def by_hand(world: Any, client: int, number: str = "HAND-1") -> int:
    """The id of an invoice of 11.00 that a person made and sent."""
    line = {"name": "x", "qty": "1", "unit_cost": {"amount": "11.00", "code": "USD"}}
    body = {"customerid": client, "create_date": "2026-11-01", "invoice_number": number}
    world.post(INVOICES, {"invoice": body | {"lines": [line]}})
    invoice_id: int = world.invoice(number)["id"]
    world.put(f"{INVOICES}/{invoice_id}", {"invoice": {"action_mark_as_sent": True}})
    return invoice_id


def moved(world: Any, order: int) -> int:
    """The id of the order's payment, which a person moves to an invoice of theirs."""
    (payment,) = world.payments(order)
    to = by_hand(world, world.invoice(order)["customerid"])
    world.put(f"{PAYMENTS}/{payment['id']}", {"payment": {"invoiceid": to}})
    payment_id: int = payment["id"]
    return payment_id


def paid(world: Any) -> list[D]:
    """The amounts of all payments that stand."""
    rows = world.books()["payments"]
    return [D(row["amount"]["amount"]) for row in rows if row["vis_state"] == 0]


def is_told_as_moved(world: Any, order: int, payment_id: int) -> None:
    row = world.row(order)
    assert (row.state, row.reason) == ("parked", "edited_in_freshbooks")
    assert f"payment {payment_id} of 11.00 USD" in row.detail
    assert f"to the invoice of id {world.invoice('HAND-1')['id']}" in row.detail
    assert "Move it back" in row.next_step


def test_a_payment_that_was_moved_is_not_booked_again_not_even_to_overwrite(world: Any) -> None:
    order = world.synced()
    payment_id = moved(world, order)
    world.change(order, "refund", order_amount="4.00")
    assert world.writes_of(world.sync) == 0
    is_told_as_moved(world, order, payment_id)
    assert world.writes_of(lambda: world.ctl("replay", str(order), "--overwrite")) == 0
    is_told_as_moved(world, order, payment_id)


def test_one_that_is_moved_back_is_gone_on_with(world: Any) -> None:
    order = world.synced()
    payment_id = moved(world, order)
    world.change_and_sync(order, "refund", order_amount="4.00")
    body = {"invoiceid": world.invoice(order)["id"]}
    world.put(f"{PAYMENTS}/{payment_id}", {"payment": body})
    world.ctl("replay", str(order))
    assert world.row(order).state == "posted"
    assert (world.total(order), world.paid(order)) == (D("7.00"), [D("7.00")])


def test_with_the_ledger_lost_a_moved_payment_is_found_by_its_note(world: Any) -> None:
    order = world.synced()
    payment_id = moved(world, order)
    world.is_found_again()
    is_told_as_moved(world, order, payment_id)
    world.change(order, "touch")  # known by now
    assert world.writes_of(world.sync) == 0
    is_told_as_moved(world, order, payment_id)
    world.ctl("replay", str(order), "--overwrite")
    assert paid(world) == [D("11.00")]


def test_an_order_that_stands_as_it_should_is_not_searched_for_moved_payments(world: Any) -> None:
    world.synced()
    world.lose_ledger()
    before = asked(world, PAYMENTS)
    world.sync()
    assert asked(world, PAYMENTS) - before == 1


@pytest.mark.more
def test_among_many_orders_the_one_whose_payment_was_moved_is_searched_for_it(world: Any) -> None:
    orders = [world.place() for _ in range(FEWEST + 1)]
    world.sync()
    payment_id = moved(world, orders[3])
    world.lose_ledger()
    before = asked(world, PAYMENTS)
    assert world.writes_of(world.sync) == 0
    assert asked(world, PAYMENTS) - before <= 3
    is_told_as_moved(world, orders[3], payment_id)


def test_a_payment_that_was_moved_before_its_outcome_was_known_is_found(world: Any) -> None:
    world.place()
    world.killed_in_write(world.messages(), when="after", method="POST", path=PAYMENTS)
    payment_id = moved(world, 1001)
    world.sync()
    is_told_as_moved(world, 1001, payment_id)
    assert paid(world) == [D("11.00")]


def test_a_closed_month_is_told_of_a_moved_payment_and_not_of_a_missing_one(world: Any) -> None:
    order = world.synced(created="2026-10-20T18:00:00Z")
    payment_id = moved(world, order)
    world.settings |= {"closed_through": "2026-10-31"}
    lines = [{"name": "Mug", "sku": "MUG", "price": "20.00"}]
    world.change_and_sync(order, "edit", lines=lines)
    detail = world.row(order).detail
    assert f"payment {payment_id} of 11.00 USD" in detail
    assert "was moved in FreshBooks" in detail
    assert "came in and is not recorded" not in detail


@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_a_cancelled_order_keeps_its_invoice_if_its_payment_was_moved(
    world: Any, ledger: str
) -> None:
    world.settings["on_cancel"] = "delete"
    order = world.synced()
    moved(world, order)
    if ledger == "lost":
        world.lose_ledger()
    world.change(order, "status", status_id=5)
    assert world.writes_of(world.sync) == 0
    assert world.row(order).state == "parked"
    assert world.invoice(order)["vis_state"] == 0


def of_customer(world: Any) -> int:
    """An order of Jane's, who has an account in the shop."""
    jane = world.control("POST", "shop/customers", JANE)
    order: int = world.synced(billing=JANE, customer_id=jane["id"])
    return order


def store_credit(world: Any, *orders: int) -> None:
    """Give each order back as a credit note."""
    for order in orders:
        lines = [{"line": 0, "quantity": 1}]
        world.change(order, "refund", lines=lines, to=STORE_CREDIT)
    world.sync()


def test_credit_notes_are_found_though_their_invoices_are_another_client_s(world: Any) -> None:
    world.settings["refund_mode"] = "credit_note"
    orders = [of_customer(world) for _ in range(3)]
    other = world.invoice(world.synced(billing=JO))["customerid"]
    store_credit(world, *orders)
    for order in orders:
        path = f"{INVOICES}/{world.invoice(order)['id']}"
        world.put(path, {"invoice": {"customerid": other}})
    before = asked(world, "credit_notes")
    world.is_found_again()
    assert len(world.books()["credit_notes"]) == len(orders)
    assert [world.row(order).state for order in orders] == ["posted"] * 3
    # All of them once; and for each order its client's and its own, before it is known and after.
    assert asked(world, "credit_notes") - before == 1 + 4 * len(orders)


def test_a_credit_note_that_is_deleted_while_the_run_goes_on_is_made_again(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.settings["refund_mode"] = "credit_note"
    order = of_customer(world)
    other = world.invoice(world.synced(billing=JO))["customerid"]
    store_credit(world, order)
    world.put(f"{INVOICES}/{world.invoice(order)['id']}", {"invoice": {"customerid": other}})
    (note,) = world.books()["credit_notes"]
    listed = by_refund._marked

    def delete_once_listed(records: Any) -> Any:
        ids = listed(records)
        body = {"credit_note": {"vis_state": 1}}
        world.put(f"credit_notes/credit_notes/{note['id']}", body)
        return ids

    monkeypatch.setattr(by_refund, "_marked", delete_once_listed)
    world.lose_ledger()
    world.sync()
    assert [row["vis_state"] for row in world.books()["credit_notes"]] == [1, 0]


def test_a_credit_note_of_another_client_is_found_before_its_outcome_is_known(world: Any) -> None:
    world.settings["refund_mode"] = "credit_note"
    other = world.invoice(world.synced(billing=JO))["customerid"]
    jane = world.control("POST", "shop/customers", JANE)
    order = world.place(billing=JANE, customer_id=jane["id"])
    world.change(order, "refund", lines=[{"line": 0, "quantity": 1}], to=STORE_CREDIT)
    path = "credit_notes/credit_notes"
    world.killed_in_write(world.messages(), when="after", method="POST", path=path)
    (note,) = world.books()["credit_notes"]
    world.put(f"{path}/{note['id']}", {"credit_note": {"clientid": other}})
    world.sync()
    assert world.row(order).state == "posted"
    assert len(world.books()["credit_notes"]) == 1


def test_yesterday_s_ledger_makes_no_second_credit_note_of_one_whose_client_is_another_now(
    world: Any,
) -> None:
    world.settings["refund_mode"] = "credit_note"
    order, kept = of_customer(world), world.home / "kept.sqlite"
    other = world.invoice(world.synced(billing=JO))["customerid"]
    shutil.copy(world.home / "ledger.sqlite", kept)
    store_credit(world, order)
    world.put(f"{INVOICES}/{world.invoice(order)['id']}", {"invoice": {"customerid": other}})
    world.lose_ledger()
    shutil.copy(kept, world.home / "ledger.sqlite")
    world.sync()
    assert len(world.books()["credit_notes"]) == 1
    assert world.row(order).state == "posted"
