"""Cancelled orders that `on_cancel: delete` takes out of the books: all of one, or none of it.

A deletion that breaks off or is refused leaves the invoice as it was, with its payments; and what a
person changed or recorded is not deleted.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.freshbooks import Forbidden
from target_freshbooks.posting.apply.circuit_breaker import FreshBooksFails

pytestmark = pytest.mark.more

D = Decimal
LOCKED = "2026-10-31"
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
INVOICE = {"method": "PUT", "path": "/invoices/invoices/", "body": '"vis_state"'}
PAYMENT = {"method": "PUT", "path": "/payments/payments/"}


def reason(world: Any, order: int) -> tuple[str, str | None]:
    row = world.row(order)
    return row.state, row.reason


def cancelled(world: Any, **more: Any) -> int:
    """An order of October, paid in November, that is cancelled and to be deleted."""
    paid = {"amount": "11.00", "at": "2026-11-03T18:00:00Z"}
    order = world.synced(created="2026-10-30T18:00:00Z", **{"transactions": [paid], **more})
    world.settings["on_cancel"] = "delete"
    world.change(order, "status", status_id=5)
    return int(order)


def broken_off(world: Any, how: str = "refused") -> int:
    """One whose payment is deleted, and whose invoice is not: the run ended in between."""
    order = cancelled(world)
    if how == "killed":
        world.killed_in_write(world.messages(), **INVOICE)
    else:
        world.fault(kind="refused", status=403, errno=1042, times=1, **INVOICE)
        with pytest.raises(Forbidden):
            world.sync()
        world.control("DELETE", "faults")
    assert (world.paid(order), world.invoice(order)["vis_state"]) == ([], 0)
    return order


def is_whole(world: Any, order: int, *paid: str) -> None:
    """The invoice stands with these payments, and nothing else was made of them."""
    assert world.invoice(order)["vis_state"] == 0
    assert world.paid(order) == [D(amount) for amount in paid]
    assert world.invoice(order)["paid"]["amount"] == str(sum(map(D, paid)))
    assert [note for note in world.books()["credit_notes"] if note["vis_state"] == 0] == []


def is_gone(world: Any, order: int) -> None:
    assert reason(world, order) == ("waiting", "deleted_after_cancellation")
    assert (world.invoice(order)["vis_state"], world.payments(order)) == (1, [])
    assert world.writes_of(world.sync) == 0


# -- a deletion that broke off


@pytest.mark.more
@pytest.mark.parametrize("deleted_get", ["found", "missing", "error"])
@pytest.mark.parametrize("deleted_payment", ["reopens", "still_counts"])
def test_a_payment_comes_back_where_the_rest_was_locked_since(
    world: Any, deleted_get: str, deleted_payment: str
) -> None:
    world.switch(fb__deleted_get=deleted_get, fb__deleted_payment=deleted_payment)
    order = broken_off(world)
    world.switch(fb__locked_until=LOCKED)
    world.sync()
    assert reason(world, order) == ("parked", "closed_period")
    is_whole(world, order, "11.00")
    world.switch(fb__locked_until="")
    world.ctl("replay", str(order))
    assert (world.invoice(order)["vis_state"], world.payments(order)) == (1, [])


@pytest.mark.parametrize("now", ["park", "void", "closed", "pending"])
def test_a_payment_comes_back_where_the_order_is_not_to_be_deleted_any_more(
    world: Any, now: str
) -> None:
    order = broken_off(world)
    match now:
        case "closed":
            world.settings["closed_through"] = LOCKED
        case "pending":
            world.change(order, "status", status_id=1)
        case _:
            world.settings["on_cancel"] = now
    world.sync()
    is_whole(world, order, "11.00")
    assert world.writes_of(world.sync) == 0


@pytest.mark.more
def test_a_deletion_that_a_kill_broke_off_goes_on_or_is_taken_back(world: Any) -> None:
    order = broken_off(world, "killed")
    world.settings["on_cancel"] = "park"
    world.sync()
    is_whole(world, order, "11.00")
    world.sync(on_cancel="delete")
    is_gone(world, order)


@pytest.mark.plans_left
def test_a_deletion_that_freshbooks_keeps_failing_leaves_the_payment(world: Any) -> None:
    order = cancelled(world)
    world.settings["max_retry_seconds"] = 0
    world.fault(kind="status", status=500, **INVOICE)
    for _ in range(2):
        with pytest.raises(FreshBooksFails):
            world.sync()
        is_whole(world, order, "11.00")
    world.control("DELETE", "faults")
    world.sync()
    is_gone(world, order)


@pytest.mark.more
@pytest.mark.plans_left
def test_a_payment_that_freshbooks_fails_to_restore_comes_back_in_the_next_run(world: Any) -> None:
    order = cancelled(world)
    world.settings["max_retry_seconds"] = 0
    world.switch(fb__locked_until=LOCKED)
    world.fault(kind="status", status=500, body='"amount"', **PAYMENT)
    with pytest.raises(FreshBooksFails):
        world.sync()
    world.control("DELETE", "faults")
    world.sync()
    assert reason(world, order) == ("parked", "closed_period")
    is_whole(world, order, "11.00")


def test_a_payment_whose_restoring_freshbooks_ignores_is_named_and_restored_later(
    world: Any,
) -> None:
    order = cancelled(world)
    (payment,) = world.payments(order)
    world.switch(fb__locked_until=LOCKED)
    world.fault(kind="ignored", body='"amount"', **PAYMENT)
    world.sync()
    assert reason(world, order) == ("parked", "closed_period")
    assert f"not to be restored: payment {payment['id']}." in world.row(order).detail
    world.control("DELETE", "faults")
    world.ctl("replay", str(order))
    is_whole(world, order, "11.00")


@pytest.mark.more
@pytest.mark.parametrize("kind", ["429", "409", "reset_after"])
def test_a_payment_comes_back_though_its_first_try_went_wrong(world: Any, kind: str) -> None:
    order = cancelled(world)
    world.switch(fb__locked_until=LOCKED)
    fault = {
        "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
        "409": {"kind": "refused", "status": 409, "errno": 409, "words": "Conflicts."},
        "reset_after": {"kind": "reset_after"},
    }[kind]
    world.fault(**fault, times=1, body='"amount"', **PAYMENT)
    world.sync()
    assert reason(world, order) == ("parked", "closed_period")
    is_whole(world, order, "11.00")


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_deletion_waits_for_the_quota_as_often_as_other_writes(
    world: Any, monkeypatch: pytest.MonkeyPatch, comes_back: bool
) -> None:
    monkeypatch.setattr("target_freshbooks.posting.apply.writer.BUSY_PAUSES", (0,))
    order = cancelled(world)
    if comes_back:
        world.switch(fb__locked_until=LOCKED)
    throttled = {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}
    body = '"amount"' if comes_back else '"vis_state"'
    world.fault(**throttled, times=3, body=body, **PAYMENT)
    world.sync()
    if comes_back:
        is_whole(world, order, "11.00")
    else:
        assert reason(world, order) == ("waiting", "deleted_after_cancellation")


@pytest.mark.more
def test_two_payments_come_back(world: Any) -> None:
    paid = [{"amount": amount, "at": "2026-11-03T18:00:00Z"} for amount in ("5.00", "6.00")]
    order = cancelled(world, transactions=paid)
    world.switch(fb__locked_until=LOCKED, fb__stale_search_seconds=2)
    world.sync()
    assert reason(world, order) == ("parked", "closed_period")
    is_whole(world, order, "5.00", "6.00")


def test_a_payment_does_not_come_back_beside_money_that_came_instead(world: Any) -> None:
    order = broken_off(world)
    pay_by_hand(world, order, "11.00")
    world.sync()
    row = world.row(order)
    assert (row.state, row.reason) == ("parked", "edited_in_freshbooks")
    assert "not to be restored: payment " in row.detail
    is_whole(world, order, "11.00")


def test_a_credit_note_stays_with_an_invoice_that_stays(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    order = cancelled(world, customer_id=world.control("POST", "shop/customers", JANE)["id"])
    world.change_and_sync(order, "status", status_id=11)
    world.change_and_sync(order, "refund", order_amount="4.00", to=[{"provider": "storecredit"}])
    before = world.books()["credit_notes"]
    assert [note["vis_state"] for note in before] == [0]
    world.switch(fb__locked_until=LOCKED)
    world.change_and_sync(order, "status", status_id=5)
    assert reason(world, order) == ("parked", "closed_period")
    assert world.books()["credit_notes"] == before
    assert (world.paid(order), world.invoice(order)["vis_state"]) == ([D("11.00")], 0)


@pytest.mark.more
def test_a_credit_note_that_stays_behind_is_told_and_deleted_later(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    order = world.synced(customer_id=world.control("POST", "shop/customers", JANE)["id"])
    world.change_and_sync(order, "refund", order_amount="4.00", to=[{"provider": "storecredit"}])
    world.settings["on_cancel"] = "delete"
    refusal = {"kind": "refused", "status": 422, "errno": 9, "words": "Not now."}
    world.fault(**refusal, method="PUT", path="/credit_notes/credit_notes/")
    world.change_and_sync(order, "cancel")
    assert reason(world, order) == ("parked", "refused_by_freshbooks")
    assert "invoice is deleted already" in world.row(order).detail
    assert "deletion of a cancelled order's credit note" in world.row(order).detail
    assert (world.invoice(order)["vis_state"], world.payments(order)) == (1, [])
    world.control("DELETE", "faults")
    world.ctl("replay", str(order))
    assert [note["vis_state"] for note in world.books()["credit_notes"]] == [1]
    is_gone(world, order)


# -- what a person changed or recorded


def pay_by_hand(world: Any, order: int, amount: str) -> None:
    world.post("payments/payments", {"payment": by_hand(world, order, amount)})


def by_hand(world: Any, order: int, amount: str) -> dict[str, Any]:
    return {
        "invoiceid": world.invoice(order)["id"],
        "amount": {"amount": amount, "code": "USD"},
        "date": "2026-11-20",
        "type": "Cash",
    }


def change_by_hand(world: Any, order: int, **fields: Any) -> dict[str, Any]:
    """Change the order's payment in FreshBooks."""
    (payment,) = world.payments(order)
    world.put(f"payments/payments/{payment['id']}", {"payment": fields})
    return dict(payment)


def test_a_payment_that_a_person_changed_is_kept_with_its_invoice(world: Any) -> None:
    order = world.synced()
    payment = change_by_hand(world, order, amount={"amount": "9.00", "code": "USD"})
    world.settings["on_cancel"] = "delete"
    world.change(order, "cancel")
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "edited_in_freshbooks")
    assert f"payment {payment['id']} was changed" in world.row(order).detail
    is_whole(world, order, "9.00")
    world.ctl("replay", "--overwrite", str(order))
    is_gone(world, order)


def test_a_payment_that_a_person_dated_anew_is_kept_with_its_invoice(world: Any) -> None:
    order = world.synced()
    change_by_hand(world, order, date="2026-11-21")
    world.settings["on_cancel"] = "delete"
    world.change(order, "cancel")
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "edited_in_freshbooks")
    is_whole(world, order, "11.00")


def test_a_payment_that_a_person_moved_is_never_deleted(world: Any) -> None:
    order = world.place()
    other = world.synced(pay="authorize")
    payment = change_by_hand(world, order, invoiceid=world.invoice(other)["id"])
    world.settings["on_cancel"] = "delete"
    world.change(order, "cancel")
    for again in (world.sync, lambda: world.ctl("replay", "--overwrite", str(order))):
        assert world.writes_of(again) == 0
        assert reason(world, order) == ("parked", "edited_in_freshbooks")
        assert f"payment {payment['id']} was moved" in world.row(order).detail
    assert world.paid(other) == [D("11.00")]
    assert world.invoice(order)["vis_state"] == 0


@pytest.mark.more
@pytest.mark.plans_left
def test_a_moved_payment_is_left_where_the_invoice_was_deleted_by_hand(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order = world.place()
    other = world.synced(pay="authorize")
    payment = change_by_hand(world, order, invoiceid=world.invoice(other)["id"])
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"vis_state": 1}})
    world.settings["on_cancel"] = "delete"
    world.change(order, "cancel")
    assert world.writes_of(world.sync) == 0
    assert reason(world, order)[0] == "waiting"
    assert f"is left: records {payment['id']}" in caplog.text
    assert world.paid(other) == [D("11.00")]


@pytest.mark.more
@pytest.mark.parametrize("deleted_payment", ["reopens", "still_counts"])
@pytest.mark.parametrize("amount", ["5.00", "11.00"])
def test_money_that_a_person_records_meanwhile_keeps_the_invoice(
    world: Any, deleted_payment: str, amount: str
) -> None:
    world.switch(fb__deleted_payment=deleted_payment)
    order = cancelled(world)
    write = {"method": "POST", "path": "payments/payments"}
    body = {"payment": by_hand(world, order, amount)}
    world.fault(kind="act", when="after", times=1, writes=[{**write, "json": body}], **PAYMENT)
    world.sync()
    assert reason(world, order) == ("parked", "edited_in_freshbooks")
    assert world.invoice(order)["vis_state"] == 0
    assert "bears money" in world.row(order).detail
    if deleted_payment == "reopens":
        assert world.paid(order) == [D(amount)]
        assert "not to be restored: payment " in world.row(order).detail


def test_money_that_the_payments_do_not_make_up_keeps_the_invoice(world: Any) -> None:
    """A payment that no search shows yet: nothing is deleted, so nothing has to come back."""
    world.switch(fb__stale_search_seconds=30)
    order = cancelled(world, transactions=[{"amount": "5.00", "at": "2026-11-03T18:00:00Z"}])
    pay_by_hand(world, order, "3.00")
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "edited_in_freshbooks")
    is_whole(world, order, "5.00", "3.00")


@pytest.mark.more
def test_a_payment_of_nothing_has_not_to_come_back(world: Any) -> None:
    world.switch(fb__payment_put_zero="accept")
    order = cancelled(world)
    world.change(order, "status", status_id=11)
    world.change_and_sync(order, "refund", everything=True)
    world.switch(fb__payment_put_zero="refuse", fb__locked_until=LOCKED)
    world.change_and_sync(order, "status", status_id=5)
    assert reason(world, order) == ("parked", "closed_period")
    assert "restored" not in world.row(order).detail
    world.switch(fb__locked_until="")
    world.ctl("replay", str(order))
    assert world.invoice(order)["vis_state"] == 1


def test_an_edit_between_the_look_and_the_deletion_keeps_the_invoice(world: Any) -> None:
    order = cancelled(world)
    invoice = world.invoice(order)
    more = {"name": "Extra work", "qty": "1", "unit_cost": {"amount": "99.00", "code": "USD"}}
    write = {"method": "PUT", "path": f"invoices/invoices/{invoice['id']}"}
    body = {"invoice": {"lines": [*invoice["lines"], more]}}
    world.fault(kind="act", when="after", times=1, writes=[{**write, "json": body}], **PAYMENT)
    world.sync()
    assert reason(world, order) == ("parked", "edited_in_freshbooks")
    is_whole(world, order, "11.00")


def test_a_payment_changed_between_the_look_and_its_deletion_is_kept(world: Any) -> None:
    order = cancelled(world)
    (payment,) = world.payments(order)
    body = {"payment": {"amount": {"amount": "9.00", "code": "USD"}}}
    write = {"method": "PUT", "path": f"payments/payments/{payment['id']}", "json": body}
    where = {"method": "GET", "path": "/payments/payments/[0-9]+$"}
    world.fault(kind="act", when="after", times=1, writes=[write], **where)
    world.sync()
    assert reason(world, order) == ("parked", "edited_in_freshbooks")
    is_whole(world, order, "9.00")


def test_an_invoice_that_a_person_took_over_is_kept(world: Any) -> None:
    order = world.synced()
    taken_over = {"invoice": {"notes": "taken over", "po_number": "mine"}}
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", taken_over)
    world.settings["on_cancel"] = "delete"
    world.change(order, "cancel")
    for again in (world.sync, lambda: world.ctl("replay", "--overwrite", str(order))):
        assert world.writes_of(again) == 0
        assert reason(world, order) == ("parked", "edited_in_freshbooks")
    is_whole(world, order, "11.00")


def test_a_credit_note_that_a_person_changed_is_kept_with_its_invoice(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    order = world.synced(customer_id=world.control("POST", "shop/customers", JANE)["id"])
    world.change_and_sync(order, "refund", order_amount="4.00", to=[{"provider": "storecredit"}])
    (note,) = world.books()["credit_notes"]
    line = {"name": "By hand", "qty": "1", "unit_cost": {"amount": "3.00", "code": "USD"}}
    world.put(f"credit_notes/credit_notes/{note['id']}", {"credit_note": {"lines": [line]}})
    assert world.books()["credit_notes"][0]["amount"]["amount"] == "3.00"
    world.settings["on_cancel"] = "delete"
    world.change(order, "cancel")
    assert world.writes_of(world.sync) == 0
    assert reason(world, order) == ("parked", "edited_in_freshbooks")
    assert world.paid(order) == [D("11.00")]
