"""Somebody else pays or writes while we do: nothing is doubled or repeated, no credit is left."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.freshbooks.errors import Forbidden, FreshBooksError
from target_freshbooks.posting.apply import step_runner
from target_freshbooks.posting.apply.completion import AnotherWriter

pytestmark = pytest.mark.more

D = Decimal
DAY = "2026-10-01"
FIRST_INVOICE_ID = 987654
"""The id that the sandbox gives to the first invoice of all."""


def pays_first(world: Any, amount: str, *, note: str = "by hand", times: int = 1) -> None:
    """A bookkeeper records a payment just before the connector's own is handled."""
    payment = {
        "invoiceid": "$invoiceid",
        "amount": {"amount": amount, "code": "USD"},
        "date": DAY,
        "type": "Cash",
        "note": note,
    }
    write = {"method": "POST", "path": "payments/payments", "json": {"payment": payment}}
    world.fault(kind="act", method="POST", path="payments/payments$", writes=[write], times=times)


def credits_left(world: Any) -> list[Decimal]:
    return [
        D(note["amount"]["amount"])
        for note in world.books()["credit_notes"]
        if note["vis_state"] == 0
    ]


def test_somebody_else_pays_between_our_look_and_our_payment(world: Any) -> None:
    order = world.place()
    pays_first(world, "11.00")
    before = world.writes()
    world.sync()
    assert world.row(order).reason == "paid_elsewhere"
    assert (world.paid(order), credits_left(world)) == ([D("11.00")], [])
    assert world.writes() - before <= 3 + 2 * 2 + 2 * 1 + 4
    assert world.writes_of(world.sync) == 0


@pytest.mark.parametrize("ids", ["same", "apart"])
@pytest.mark.parametrize("deleted", ["credit_stays", "credit_goes"])
def test_a_part_paid_elsewhere_leaves_no_credit_however_freshbooks_keeps_it(
    world: Any, deleted: str, ids: str
) -> None:
    world.switch(fb__overpayment_deleted=deleted, fb__credit_ids=ids)
    order = world.place()
    pays_first(world, "4.00")
    world.sync()
    assert world.row(order).reason == "paid_elsewhere"
    assert (world.paid(order), credits_left(world)) == ([D("4.00")], [])
    assert world.ctl("plan", str(order))[0]["steps"] == []


@pytest.mark.parametrize("deleted", ["credit_stays", "credit_goes"])
def test_a_credit_that_searches_show_late_is_waited_for_before_it_counts_as_gone(
    world: Any, deleted: str
) -> None:
    world.switch(fb__credit_ids="apart", fb__overpayment_deleted=deleted)
    world.switch(fb__stale_search_seconds=1)
    world.settings["settle_seconds"] = 2
    order = world.place()
    pays_first(world, "4.00")
    world.sync()
    assert world.row(order).reason == "paid_elsewhere"
    assert (world.paid(order), credits_left(world)) == ([D("4.00")], [])


def test_a_credit_that_freshbooks_keeps_is_told_with_its_figures_and_taken_up_again(
    world: Any,
) -> None:
    world.switch(fb__overpayment_credit="refuse")
    order = world.place()
    pays_first(world, "4.00")
    world.sync()
    row = world.row(order)
    assert row.reason == "overpayment_credit_left"
    assert "4.00 USD" in row.detail
    assert credits_left(world) == [D("4.00")]
    world.switch(fb__overpayment_credit="deletable")
    world.ctl("replay", str(order))
    assert (world.row(order).reason, credits_left(world)) == ("paid_elsewhere", [])


def test_the_payment_is_booked_once_the_other_one_is_gone(world: Any) -> None:
    order = world.place()
    pays_first(world, "11.00")
    world.sync()
    (other,) = world.payments(order)
    world.put(f"payments/payments/{other['id']}", {"payment": {"vis_state": 1}})
    world.ctl("replay", str(order))
    assert world.row(order).state == "posted"
    assert (world.paid(order), credits_left(world)) == ([D("11.00")], [])


def test_the_run_stops_where_the_other_payment_bears_our_own_note(world: Any) -> None:
    order = world.place()
    pays_first(world, "11.00", note="$note")
    with pytest.raises(AnotherWriter, match="Another writer"):
        world.sync()
    assert (world.paid(order), credits_left(world)) == ([D("11.00")], [])
    world.sync()  # the other writer is gone: its payment is the order's
    assert world.row(order).state == "posted"
    assert world.paid(order) == [D("11.00")]


@pytest.mark.parametrize("deleted", ["credit_stays", "credit_goes"])
@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_a_payment_of_ours_that_came_a_second_time_is_taken_back_with_its_credit(
    world: Any, deleted: str, ledger: str
) -> None:
    world.switch(fb__overpayment_deleted=deleted, fb__credit_ids="apart")
    order = world.synced()
    (first,) = world.payments(order)
    names = ("invoiceid", "amount", "date", "type", "note")
    world.post("payments/payments", {"payment": {name: first[name] for name in names}})
    assert credits_left(world) == [D("11.00")]
    if ledger == "lost":
        world.lose_ledger()
    world.ctl("replay", str(order)) if ledger == "kept" else world.sync()
    assert ([row["id"] for row in world.payments(order)], credits_left(world)) == (
        [first["id"]],
        [],
    )
    assert world.row(order).state == "posted"
    assert world.writes_of(world.sync) == 0


def test_a_payment_of_ours_beside_one_with_its_note_is_taken_back_with_its_credit(
    world: Any,
) -> None:
    order = world.place()
    pays_first(world, "4.00", note="$note")
    with contextlib.suppress(AnotherWriter):
        world.sync()
    world.sync()
    assert (world.paid(order), credits_left(world)) == ([D("11.00")], [])
    assert world.row(order).state == "posted"


def test_money_waiting_for_the_quota_is_looked_at_again(world: Any) -> None:
    order = world.place()
    payment = {
        "invoiceid": "$id",
        "amount": {"amount": "11.00", "code": "USD"},
        "date": DAY,
        "type": "Cash",
        "note": "by hand",
    }
    write = {"method": "POST", "path": "payments/payments", "json": {"payment": payment}}
    world.fault(kind="act", method="GET", path="/invoices/[0-9]+$", writes=[write], times=1)
    world.fault(
        kind="status",
        status=429,
        method="POST",
        path="payments/payments$",
        times=1,
        headers={"Retry-After": "1"},
    )
    world.sync()
    assert world.row(order).reason == "paid_elsewhere"
    assert (world.paid(order), credits_left(world)) == ([D("11.00")], [])
    assert world.books()["credit_notes"] == []


MORE = {"type": 0, "name": "Work", "qty": "1", "unit_cost": {"amount": "99.00", "code": "USD"}}
BUSY = {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}, "times": 1}


def edits(world: Any, invoice_id: int, *, method: str, path: str, **document: Any) -> None:
    """A bookkeeper changes the invoice right after such a request is answered."""
    body = {"invoice": document}
    write = {"method": "PUT", "path": f"invoices/invoices/{invoice_id}", "json": body}
    world.fault(kind="act", method=method, path=path, when="after", writes=[write], times=1)


def test_lines_waiting_for_the_quota_are_looked_at_again(world: Any) -> None:
    order = world.synced()
    invoice = world.invoice(order)
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "12.00"}])
    lines = [*invoice["lines"], MORE]
    edits(world, invoice["id"], method="GET", path="/invoices/[0-9]+$", lines=lines)
    world.fault(**BUSY, method="PUT", path="/invoices/invoices/")
    world.sync()
    assert world.row(order).reason == "edited_in_freshbooks"
    assert world.total(order) == D("110.00")


def test_a_draft_waiting_for_the_quota_is_proven_again_before_it_is_sent(world: Any) -> None:
    order = world.place()
    edits(world, FIRST_INVOICE_ID, method="POST", path="/invoices/invoices$", lines=[MORE])
    world.fault(**BUSY, method="PUT", path="/invoices/invoices/", body="mark_as_sent")
    world.sync()
    assert world.row(order).reason == "edited_in_freshbooks"
    assert (world.total(order), world.invoice(order)["v3_status"]) == (D("99.00"), "draft")


def test_an_address_waiting_for_the_quota_is_looked_at_again(world: Any) -> None:
    order = world.synced(billing={"email": "jo@shop.example", "city": "Old"})
    invoice_id = world.invoice(order)["id"]
    world.change(order, "edit", billing={"email": "jo@shop.example", "city": "New"})
    edits(world, invoice_id, method="GET", path="/invoices/[0-9]+$", city="Typed")
    world.fault(**BUSY, method="PUT", path="/invoices/invoices/")
    world.sync()
    assert world.invoice(order)["city"] == "Typed"


def test_an_invoice_that_was_seen_before_new_items_were_made_is_looked_at_again(
    world: Any,
) -> None:
    order = world.synced()
    invoice_id = world.invoice(order)["id"]
    lines = [{"name": name, "sku": name, "price": "9.00"} for name in ("CUP", "PLATE")]
    world.change(order, "lines", lines=lines)
    edits(world, invoice_id, method="POST", path="/items/items$", lines=[MORE])
    world.fault(kind="slow", method="POST", path="/items/items$", body="PLATE", delay_ms=2500)
    world.sync()
    assert world.row(order).reason == "edited_in_freshbooks"
    assert world.total(order) == D("99.00")


def test_a_new_order_is_looked_at_once_however_slow_freshbooks_is(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_runner, "LOOK_SECONDS", 0.2)
    world.fault(kind="slow", method="POST|PUT", delay_ms=300)
    world.fault(kind="status", status=422, method="GET", path="/invoices/[0-9]+$")
    order = world.synced()
    assert (world.row(order).state, world.paid(order)) == ("posted", [D("11.00")])


@pytest.mark.parametrize(
    ("body", "then", "most"),
    [("action_mark_as_sent", "no_progress", 4), ("customerid", "posted", 5)],
)
def test_a_put_that_freshbooks_ignores_is_not_repeated(
    world: Any, body: str, then: str, most: int
) -> None:
    world.fault(kind="ignored", method="PUT", path="/invoices/", body=body)
    order = world.place()
    before = world.writes()
    world.sync()
    assert (world.row(order).reason or world.row(order).state) == then
    assert world.writes() - before <= most


def test_lines_that_freshbooks_ignores_leave_payments_as_they_were(world: Any) -> None:
    order = world.synced()
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "5.00"}])
    world.fault(kind="ignored", method="PUT", path="/invoices/", body="lines")
    before = world.writes()
    world.sync()
    assert world.row(order).reason in {"no_progress", "total_mismatch"}
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert world.writes() - before <= 3 + 2 + 4


def test_a_refund_whose_lines_are_ignored_leaves_the_payment_as_it_was(world: Any) -> None:
    order = world.synced()
    world.change(order, "refund", order_amount="4.00")
    world.fault(kind="ignored", method="PUT", path="/invoices/", body="Refund")
    before = world.writes()
    world.sync()
    assert world.row(order).reason in {"refund_refused", "refund_mismatch"}
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert world.writes() - before <= 3 + 2 + 3 + 4


def test_an_edit_refused_half_way_puts_the_payment_back(world: Any) -> None:
    order = world.synced()
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "5.00"}])
    world.fault(kind="refused", method="PUT", path="/invoices/", body="lines", words="Locked.")
    world.sync()
    assert world.row(order).state == "parked"
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])


@pytest.mark.plans_left
@pytest.mark.parametrize("refunded", [False, True])
@pytest.mark.parametrize("kind", [{"kind": "status", "status": 500}, {"kind": "refused"}])
def test_an_edit_whose_lines_fail_each_time_puts_the_payment_back(
    world: Any, kind: dict[str, Any], refunded: bool
) -> None:
    order, other = world.place(), world.place(billing={"email": "jo@shop.example"})
    world.sync()
    for edited in (order, other):
        world.change(edited, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "8.00"}])
        if refunded:
            world.change(edited, "refund", order_amount="5.00")
    world.settings |= {"max_retry_seconds": 0, "max_parallel_orders": 1}
    path = f"/invoices/invoices/{world.invoice(order)['id']}$"
    world.fault(**kind, method="PUT", path=path, body="lines")
    world.sync()
    assert world.row(order).state == "parked"
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert world.paid(other) == [world.total(other)] == [D("6.00" if refunded else "8.00")]


@pytest.mark.parametrize("words", ["Locked.", "No."])
def test_of_two_payments_lowered_for_an_edit_both_are_put_back(world: Any, words: str) -> None:
    half = {"amount": "5.50", "at": f"{DAY}T10:00:00Z"}
    order = world.synced(transactions=[half, half])
    second = max(row["id"] for row in world.payments(order))
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "2.00"}])
    path = f"/payments/payments/{second}$"
    world.fault(kind="refused", method="PUT", path=path, words=words)
    world.sync()
    assert world.row(order).state == "parked"
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("5.50"), D("5.50")])


@pytest.mark.parametrize("broken", ["lines refused", "killed before the lines"])
def test_a_payment_deleted_for_an_edit_is_made_anew_where_its_lines_are_refused(
    world: Any, broken: str
) -> None:
    half = {"amount": "5.50", "at": f"{DAY}T10:00:00Z"}
    order = world.synced(transactions=[half, half])
    world.switch(fb__payment_put_zero="refuse")
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "2.00"}])
    lines = {"method": "PUT", "path": "/invoices/invoices/", "body": "lines"}
    if broken == "killed before the lines":
        world.killed_in_write(world.messages(), **lines)
        assert world.paid(order) == [D("2.00")]
    world.fault(kind="refused", **lines, words="No.")
    world.sync()
    assert world.row(order).reason == "refused_by_freshbooks"
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("5.50"), D("5.50")])


def test_a_payment_of_a_closed_day_leaves_the_others_of_an_edit_as_they_were(world: Any) -> None:
    days = ("2026-11-03", "2026-10-30")
    paid = [{"amount": "5.50", "at": f"{day}T10:00:00Z"} for day in days]
    order = world.synced(created="2026-11-03T09:00:00Z", transactions=paid)
    world.settings["closed_through"] = "2026-10-31"
    cheaper = [{"name": "Mug", "sku": "MUG", "price": "2.00"}]
    world.change_and_sync(order, "lines", lines=cheaper)
    assert world.row(order).reason == "closed_period"
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("5.50"), D("5.50")])


def test_what_was_lowered_is_put_back_though_the_invoice_was_edited_meanwhile(world: Any) -> None:
    order = world.synced()
    invoice = world.invoice(order)
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "8.00"}])
    lines = [*invoice["lines"], MORE]
    edits(world, invoice["id"], method="PUT", path="/payments/payments/", lines=lines)
    world.fault(**BUSY, method="PUT", path="/invoices/invoices/", body='"lines"')
    world.sync()
    assert world.row(order).reason == "edited_in_freshbooks"
    assert (world.total(order), world.paid(order)) == (D("110.00"), [D("11.00")])


CHEAPER = [{"name": "Mug", "sku": "MUG", "price": "8.00"}]
LINES = {"method": "PUT", "path": "/invoices/invoices/", "body": '"lines"'}


@pytest.mark.parametrize("then", ["edited", "kept from rewriting"])
def test_what_a_killed_run_lowered_for_lines_that_may_not_be_written_is_put_back(
    world: Any, then: str
) -> None:
    order = world.synced()
    invoice = world.invoice(order)
    world.change(order, "lines", lines=CHEAPER)
    world.killed_in_write(world.messages(), **LINES)
    assert world.paid(order) == [D("8.00")]
    if then == "kept from rewriting":
        world.settings["on_order_change"] = "park"
    else:
        body = {"lines": [*invoice["lines"], MORE]}
        world.put(f"invoices/invoices/{invoice['id']}", {"invoice": body})
    assert world.writes_of(world.sync) == 1
    why = "changed_after_posting" if then == "kept from rewriting" else "edited_in_freshbooks"
    assert (world.row(order).reason, world.paid(order)) == (why, [D("11.00")])
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0


def test_what_a_killed_run_lowered_in_a_month_that_is_closed_by_now_is_named(world: Any) -> None:
    order = world.synced(created="2026-10-30T09:00:00Z")
    world.change(order, "lines", lines=CHEAPER)
    world.killed_in_write(world.messages(), **LINES)
    world.settings["closed_through"] = "2026-10-31"
    assert world.writes_of(world.sync) == 0
    row = world.row(order)
    assert row.reason == "closed_period"
    assert "to raise the payment transaction:" in str(row.detail)
    assert "from 8.00 USD to 11.00 USD" in str(row.detail)


def test_an_edit_of_an_invoice_whose_rewriting_was_through_has_no_payment_raised(
    world: Any,
) -> None:
    order = world.synced()
    lines = world.invoice(order)["lines"]
    world.change_and_sync(order, "lines", lines=CHEAPER)
    assert world.paid(order) == [D("8.00")]
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"lines": lines}})
    world.change(order, "lines", lines=[{**CHEAPER[0], "price": "7.00"}])
    assert world.writes_of(world.sync) == 0
    assert (world.row(order).reason, world.paid(order)) == ("edited_in_freshbooks", [D("8.00")])


def test_a_refund_beside_money_of_somebody_else_makes_no_credit(world: Any) -> None:
    world.switch(fb__overpaid_after_line="credit")
    order = world.synced(pay="authorize")
    invoice = world.invoice(order)
    body = {
        "invoiceid": invoice["id"],
        "amount": {"amount": "11.00", "code": "USD"},
        "date": DAY,
        "type": "Cash",
    }
    world.post("payments/payments", {"payment": body})
    world.change_and_sync(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "5.00"}])
    assert world.row(order).reason == "paid_elsewhere"
    assert credits_left(world) == []
    assert world.paid(order) == [D("11.00")]


def test_a_payment_raised_beside_another_is_brought_back_to_what_it_was(world: Any) -> None:
    order = world.synced()
    half = {"name": "Mug", "sku": "MUG", "price": "5.00"}
    world.change_and_sync(order, "lines", lines=[half])
    assert world.paid(order) == [D("5.00")]
    world.change(order, "lines", lines=[half | {"price": "11.00"}])
    payment = {
        "invoiceid": world.invoice(order)["id"],
        "amount": {"amount": "4.00", "code": "USD"},
        "date": DAY,
        "type": "Cash",
    }
    write = {"method": "POST", "path": "payments/payments", "json": {"payment": payment}}
    world.fault(kind="act", method="PUT", path="/payments/payments/", writes=[write], times=1)
    world.sync()
    assert world.row(order).reason == "paid_elsewhere"
    assert sorted(world.paid(order)) == [D("4.00"), D("5.00")]
    assert credits_left(world) == []


@pytest.mark.parametrize("broken", ["/payments/payments/[0-9]+$", "/credit_notes/"])
def test_an_undoing_that_broke_off_goes_on(world: Any, broken: str) -> None:
    order = world.place()
    world.settings["max_retry_seconds"] = 0
    pays_first(world, "4.00")
    world.fault(kind="status", status=503, method="PUT", path=broken)
    with contextlib.suppress(FreshBooksError):
        world.sync()
    assert credits_left(world) == [D("7.00")] or credits_left(world) == [D("4.00")]
    world.control("DELETE", "faults")
    world.ctl("replay", str(order))
    assert world.row(order).reason == "paid_elsewhere"
    assert (world.paid(order), credits_left(world)) == ([D("4.00")], [])


def test_a_capped_payment_whose_answer_was_lost_is_taken_back(world: Any) -> None:
    order = world.place()
    pays_first(world, "4.00")
    world.fault(kind="reset_after", method="POST", path="/payments/payments$", times=1, skip=0)
    world.sync()
    assert world.row(order).reason == "paid_elsewhere"
    assert (world.paid(order), credits_left(world)) == ([D("4.00")], [])


@pytest.mark.parametrize("kept", ["deletable", "refuse"])
@pytest.mark.parametrize("then", ["cancel", "lines"])
def test_a_credit_goes_though_the_order_changed_before_its_undoing_was_through(
    world: Any, then: str, kept: str
) -> None:
    order = world.place()
    pays_first(world, "4.00")
    world.fault(
        kind="refused", status=403, errno=1042, method="PUT", path="/credit_notes/", times=1
    )
    with pytest.raises(Forbidden):
        world.sync()
    assert credits_left(world) == [D("4.00")]
    world.switch(fb__overpayment_credit=kept)
    cheaper = {"lines": [{"name": "Mug", "sku": "MUG", "price": "5.00"}]}
    world.change_and_sync(order, then, **(cheaper if then == "lines" else {}))
    if kept == "refuse":
        assert world.row(order).reason == "overpayment_credit_left"
        assert "4.00 USD" in world.row(order).detail
        world.switch(fb__overpayment_credit="deletable")
        world.ctl("replay", str(order))
    reasons = {"cancel": "cancelled_after_posting", "lines": "paid_elsewhere"}
    assert (world.row(order).reason, credits_left(world)) == (reasons[then], [])
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0


@pytest.mark.parametrize(
    ("fault", "then"),
    [
        ({"kind": "reset_before", "times": 1}, "cancelled_after_posting"),
        ({"kind": "status", "status": 502, "times": 1}, "cancelled_after_posting"),
        ({"kind": "status", "status": 409, "times": 1}, "cancelled_after_posting"),
        ({"kind": "ignored"}, "overpayment_credit_left"),
    ],
)
def test_a_cancelled_order_s_credit_is_deleted_at_a_later_try_or_told(
    world: Any, fault: dict[str, Any], then: str
) -> None:
    order = world.place()
    pays_first(world, "4.00")
    on_credit = {"method": "PUT", "path": "/credit_notes/"}
    world.fault(kind="refused", status=403, errno=1042, times=1, **on_credit)
    with pytest.raises(Forbidden):
        world.sync()
    world.change(order, "cancel")
    world.fault(**fault, **on_credit)
    assert world.writes_of(world.sync) == (1 if then == "overpayment_credit_left" else 2)
    assert world.row(order).reason == then
    assert credits_left(world) == ([D("4.00")] if then == "overpayment_credit_left" else [])


@pytest.mark.parametrize("shown", ["found", "missing", "error"])
def test_a_payment_that_a_person_deleted_is_known_as_deleted_however_it_is_shown(
    world: Any, shown: str
) -> None:
    world.switch(fb__deleted_get=shown)
    order = world.synced()
    (payment,) = world.payments(order)
    world.put(f"payments/payments/{payment['id']}", {"payment": {"vis_state": 1}})
    assert world.ctl("plan", str(order))[0]["reason"] == "edited_in_freshbooks"
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0
    assert world.row(order).reason == "edited_in_freshbooks"


@pytest.mark.parametrize("shown", ["found", "error", "missing"])
def test_no_credit_is_left_though_the_invoice_was_deleted_meanwhile(world: Any, shown: str) -> None:
    world.switch(fb__deleted_get=shown)
    order = world.place()
    pays_first(world, "4.00")
    invoice = f"invoices/invoices/{FIRST_INVOICE_ID}"
    deleted = {"method": "PUT", "path": invoice, "json": {"invoice": {"vis_state": 1}}}
    looks_again = {"kind": "act", "method": "GET", "path": f"{invoice}$", "times": 1}
    world.fault(**looks_again, writes=[deleted])
    world.sync()
    assert credits_left(world) == []
    assert world.row(order).reason == "deleted_in_freshbooks"


def test_what_was_made_wrong_is_undone_whatever_an_attempt_has_written_before(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_runner, "most_writes", lambda _: 3)
    order = world.place()
    pays_first(world, "4.00")
    world.sync()
    assert world.row(order).reason == "paid_elsewhere"
    assert (world.paid(order), credits_left(world)) == ([D("4.00")], [])


def test_a_credit_that_a_person_s_own_edit_made_of_our_payment_is_left(world: Any) -> None:
    world.switch(fb__overpaid_after_line="credit")
    order = world.synced()
    line = {"name": "X", "qty": "1", "unit_cost": {"amount": "7.00", "code": "USD"}}
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"lines": [line]}})
    assert (world.paid(order), credits_left(world)) == ([D("7.00")], [D("4.00")])
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "8.00"}])
    assert world.writes_of(world.sync) == 0
    world.is_found_again()
    assert world.row(order).reason == "edited_in_freshbooks"
    assert (world.paid(order), credits_left(world)) == ([D("7.00")], [D("4.00")])


@pytest.mark.parametrize("what", ["lines", "refund"])
def test_a_credit_is_told_that_came_of_a_payment_by_hand_while_the_total_fell(
    world: Any, what: str
) -> None:
    world.switch(fb__overpaid_after_line="credit")
    order = world.synced()
    payment = {
        "invoiceid": world.invoice(order)["id"],
        "amount": {"amount": "3.00", "code": "USD"},
        "date": DAY,
        "type": "Check",
    }
    write = {"method": "POST", "path": "payments/payments", "json": {"payment": payment}}
    world.fault(kind="act", method="PUT", path="invoices/invoices/", writes=[write], times=1)
    if what == "refund":
        world.change(order, "refund", order_amount="3.00")
    else:
        world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "8.00"}])
    world.sync()
    row = world.row(order)
    assert row.reason == "overpayment_credit_left"
    assert "3.00 USD" in row.detail
    assert (world.total(order), sorted(world.paid(order))) == (D("8.00"), [D("0.00"), D("8.00")])
    assert world.writes_of(world.sync) == 0


def test_an_attempt_ends_at_its_bound_of_writes(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_runner, "most_writes", lambda _: 2)
    order = world.synced()
    assert world.row(order).reason == "no_progress"
    assert world.invoice(order)["v3_status"] == "sent"
    assert world.paid(order) == []


def test_a_payment_known_by_its_note_only_is_remembered_as_it_was(world: Any) -> None:
    order = world.place()
    pays_first(world, "11.00", note="$note")
    with pytest.raises(AnotherWriter):
        world.sync()
    world.sync()
    assert world.row(order).state == "posted"
    (payment,) = world.payments(order)
    lowered = {"amount": {"amount": "1.00", "code": "USD"}}
    world.put(f"payments/payments/{payment['id']}", {"payment": lowered})
    plan = world.ctl("plan", str(order))[0]
    assert (plan["reason"], plan["steps"]) == ("edited_in_freshbooks", [])


def test_the_bound_of_writes_is_what_the_parts_of_an_order_need(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds, counted = [], step_runner.most_writes

    def noted(context: Any) -> int:
        bounds.append(counted(context))
        return bounds[-1]

    monkeypatch.setattr(step_runner, "most_writes", noted)
    order = world.place()
    for _ in range(3):
        world.change(order, "refund", order_amount="1.00")
    assert world.writes_of(world.sync) <= 3 + 2 * 2 + 2 + 3 * 3 + 4
    assert max(bounds) == 3 + 2 + 3 * 3 + 4
    assert (world.row(order).reason, world.paid(order)) == (None, [D("8.00")])
