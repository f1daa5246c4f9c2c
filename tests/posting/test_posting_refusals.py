"""What FreshBooks refuses: which order is parked for it, with which words, and what stands then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks.freshbooks import Forbidden
from target_freshbooks.posting.apply.circuit_breaker import FreshBooksFails

pytestmark = pytest.mark.more


D = Decimal
BUSY = {"kind": "refused", "status": 409, "errno": 409, "words": "Conflicts with another change."}
LOCKED = "2026-10-31"


def reason(world: Any, order: int) -> tuple[str, str | None]:
    row = world.row(order)
    return row.state, row.reason


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("target_freshbooks.posting.apply.writer.BUSY_PAUSES", (0,) * 5)


# -- busy


@pytest.mark.parametrize("path", ["/payments/payments/", "/invoices/invoices/"])
def test_a_busy_record_of_a_cancelled_order_is_deleted_at_a_later_try(
    world: Any, no_pauses: None, path: str
) -> None:
    del no_pauses
    order = world.synced()
    world.settings["on_cancel"] = "delete"
    world.change(order, "status", status_id=5)
    world.fault(**BUSY, method="PUT", path=path, body='"vis_state"', times=2)
    world.sync()
    assert reason(world, order)[0] == "waiting"
    assert world.invoice(order)["vis_state"] == 1
    assert world.payments(order) == []


def test_a_record_that_stays_busy_parks_its_cancelled_order(world: Any, no_pauses: None) -> None:
    del no_pauses
    order = world.synced()
    world.settings["on_cancel"] = "delete"
    world.change(order, "status", status_id=5)
    world.fault(**BUSY, method="PUT", path="/payments/payments/", body='"vis_state"')
    assert world.writes_of(world.sync) == 6
    assert reason(world, order) == ("parked", "refused_by_freshbooks")
    assert "somebody else kept changing" in world.row(order).detail
    assert world.paid(order) == [D("11.00")]
    world.control("DELETE", "faults")
    world.ctl("replay", str(order))
    assert world.invoice(order)["vis_state"] == 1


# -- numbers


@pytest.mark.parametrize("limit", [10, 20])
def test_a_number_that_is_too_long_is_told_with_the_limit(world: Any, limit: int) -> None:
    world.switch(fb__invoice_number_max=limit)
    world.settings["invoice_number_prefix"] = "WEB-SHOP-AND-MORE-"
    order = world.synced()
    assert reason(world, order) == ("parked", "number_too_long")
    assert f"FreshBooks takes {limit}." in world.row(order).detail


def test_a_number_that_was_refused_gives_way_to_the_prefix_of_now(world: Any) -> None:
    world.switch(fb__invoice_number_max=10)
    world.settings["invoice_number_prefix"] = "WEB-SHOP-AND-MORE-"
    order = world.synced()
    assert reason(world, order) == ("parked", "number_too_long")
    world.settings["invoice_number_prefix"] = "B-"
    world.ctl("replay", str(order))
    assert reason(world, order) == ("posted", None)
    assert world.paid(f"B-{order}") == [D("11.00")]
    assert world.writes_of(world.sync) == 0


def test_a_number_that_an_invoice_may_yet_come_under_is_kept(world: Any) -> None:
    world.settings |= {"invoice_number_prefix": "A-", "max_retry_seconds": 0}
    order = world.place()
    world.fault(kind="status", status=500, method="POST", path="/invoices/invoices$")
    with pytest.raises(FreshBooksFails):
        world.sync()
    world.control("DELETE", "faults")
    world.settings["invoice_number_prefix"] = "B-"
    world.ctl("replay", str(order))
    assert world.total(f"A-{order}") == D("11.00")


def test_a_number_that_exists_in_words_alone_is_taken(world: Any) -> None:
    words = "Invoice number already exists."
    world.fault(
        kind="refused",
        status=409,
        errno=409,
        words=words,
        method="POST",
        path="/invoices/invoices$",
    )
    order = world.synced()
    assert reason(world, order) == ("parked", "number_taken")
    assert world.row(order).words == words


# -- a locked period


@pytest.mark.parametrize("status", [422, 403])
def test_an_order_of_a_locked_period_is_parked_and_nothing_stands(world: Any, status: int) -> None:
    world.switch(fb__locked_until=LOCKED, fb__lock_status=status)
    locked = world.place(created="2026-10-30T18:00:00Z")
    free = world.synced(created="2026-11-02T18:00:00Z")
    assert reason(world, locked) == ("parked", "closed_period")
    assert "FreshBooks refused it as locked" in world.row(locked).detail
    assert "locked period" in world.row(locked).words
    assert reason(world, free) == ("posted", None)
    assert world.invoices(locked) == []
    world.switch(fb__locked_until="")
    world.ctl("replay", str(locked))
    assert world.paid(locked) == [D("11.00")]


def test_a_refund_whose_lines_the_lock_refuses_leaves_the_payment_as_it_was(world: Any) -> None:
    """The payment came after the locked period, so that it was lowered before the lines."""
    paid = {"amount": "11.00", "at": "2026-11-03T18:00:00Z"}
    order = world.synced(created="2026-10-30T18:00:00Z", transactions=[paid])
    world.change(order, "refund", order_amount="4.00")
    world.switch(fb__locked_until=LOCKED)
    assert world.writes_of(world.sync) == 3, "lowered, refused, put back"
    assert reason(world, order) == ("parked", "closed_period")
    assert world.paid(order) == [D("11.00")]
    assert world.total(order) == D("11.00")
    world.switch(fb__locked_until="")
    world.ctl("replay", str(order))
    assert reason(world, order) == ("posted", None)
    assert (world.paid(order), world.total(order)) == ([D("7.00")], D("7.00"))


def cancelled(world: Any) -> int:
    """An order of a locked day, paid later, that is cancelled and to be deleted."""
    paid = {"amount": "11.00", "at": "2026-11-03T18:00:00Z"}
    order = world.synced(created="2026-10-30T18:00:00Z", transactions=[paid])
    world.settings["on_cancel"] = "delete"
    world.change(order, "status", status_id=5)
    return int(order)


@pytest.mark.parametrize("deleted_get", ["found", "missing", "error"])
def test_a_cancelled_order_s_invoice_that_the_lock_keeps_has_its_payment_again(
    world: Any, deleted_get: str
) -> None:
    order = cancelled(world)
    world.switch(fb__locked_until=LOCKED, fb__deleted_get=deleted_get)
    assert world.writes_of(world.sync) == 3, "payment, invoice, payment put back"
    assert reason(world, order) == ("parked", "closed_period")
    assert world.paid(order) == [D("11.00")]
    assert world.invoice(order)["payment_status"] == "paid"
    world.switch(fb__locked_until="")
    world.ctl("replay", str(order))
    assert reason(world, order) == ("waiting", "deleted_after_cancellation")
    assert (world.invoice(order)["vis_state"], world.payments(order)) == (1, [])


@pytest.mark.parametrize("deleted_get", ["found", "missing", "error"])
def test_a_deletion_that_broke_off_goes_on_however_deleted_records_are_shown(
    world: Any, deleted_get: str
) -> None:
    order = cancelled(world)
    world.switch(fb__deleted_get=deleted_get)
    world.fault(
        kind="refused", status=403, errno=1042, method="PUT", path="/invoices/invoices/", times=1
    )
    with pytest.raises(Forbidden):
        world.sync()
    planned = [step["kind"] for step in world.ctl("plan", str(order))[0]["steps"]]
    assert planned == ["update_payment", "delete_invoice"], "begun anew with all its checks"
    assert world.writes_of(world.sync) == 3, "payment put back, payment, invoice"
    assert reason(world, order) == ("waiting", "deleted_after_cancellation")
    assert (world.invoice(order)["vis_state"], world.payments(order)) == (1, [])


def test_a_payment_that_cannot_be_put_back_is_named(world: Any) -> None:
    order = cancelled(world)
    (payment,) = world.payments(order)
    writes = {"fb.locked_until": "2026-11-30"}
    lock = {"method": "PUT", "path": "/_sandbox/switches", "json": writes}
    rule = {"kind": "act", "method": "PUT", "path": "/payments/payments/", "when": "after"}
    world.fault(**rule, times=1, writes=[lock])
    world.sync()
    row = world.row(order)
    assert (row.state, row.reason) == ("parked", "closed_period")
    assert f"not to be restored: payment {payment['id']}." in row.detail


def test_a_deletion_that_freshbooks_ignores_is_not_asked_for_again(world: Any) -> None:
    order = cancelled(world)
    world.fault(kind="ignored", method="PUT", path="/invoices/invoices/", body='"vis_state"')
    assert world.writes_of(world.sync) == 3, "payment, invoice, payment put back"
    assert reason(world, order) == ("parked", "no_progress")
    assert world.paid(order) == [D("11.00")]
    world.control("DELETE", "faults")
    world.ctl("replay", str(order))
    assert world.invoice(order)["vis_state"] == 1


def paid_later(world: Any) -> int:
    """An order of the locked period whose payment came after it."""
    paid = {"amount": "11.00", "at": "2026-11-03T18:00:00Z"}
    order: int = world.place(created="2026-10-30T18:00:00Z", transactions=[paid])
    world.sync()
    return order


def test_an_edit_whose_lines_the_lock_refuses_leaves_the_payment_as_it_was(world: Any) -> None:
    order = paid_later(world)
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "5.00"}])
    world.switch(fb__locked_until=LOCKED)
    world.sync()
    assert reason(world, order) == ("parked", "closed_period")
    assert (world.paid(order), world.total(order)) == ([D("11.00")], D("11.00"))
    world.switch(fb__locked_until="")
    world.ctl("replay", str(order))
    assert (world.paid(order), world.total(order)) == ([D("5.00")], D("5.00"))


# -- rights and limits


@pytest.mark.parametrize("status", [402, 403, 422])
def test_a_new_client_above_the_plan_s_limit_parks_its_order_alone(world: Any, status: int) -> None:
    known = world.synced()
    world.switch(fb__client_limit=1, fb__client_limit_status=status)
    new = world.place(billing={"first_name": "Ann", "last_name": "Lee", "email": "ann@x.example"})
    again = world.synced()
    assert reason(world, new) == ("parked", "client_limit")
    assert [reason(world, order)[0] for order in (known, again)] == ["posted", "posted"]


def test_a_lack_of_rights_to_write_is_no_outage(world: Any) -> None:
    """However many orders it meets: the breaker knows what was not answered and 5xx only."""
    orders = [world.place() for _ in range(5)]
    world.switch(fb__write_rights="none")
    world.sync()
    for order in orders:
        assert reason(world, order) == ("parked", "refused_by_freshbooks")
        assert "may not do that" in world.row(order).detail
        assert world.row(order).words == "Permission Denied"
    world.switch(fb__write_rights="all")
    world.ctl("replay", "--parked")
    assert {reason(world, order)[0] for order in orders} == {"posted"}


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "refused", "status": 403, "errno": 1042, "words": "Account is not active."},
        {"kind": "refused", "status": 200, "errno": 1003, "words": "Access denied"},
    ],
    ids=["inactive account", "access denied inside 200"],
)
def test_what_is_said_of_the_account_stops_the_run_and_parks_nobody(world: Any, rule: Any) -> None:
    order = world.place()
    world.fault(**rule, method="POST", path="/invoices/invoices$")
    with pytest.raises(Forbidden):
        world.sync()
    world.control("DELETE", "faults")
    world.sync()
    assert reason(world, order) == ("posted", None)


BLOCKED = {"kind": "html", "status": 403}
CREATING = [f"/{kind}$" for kind in ("users/clients", "items/items", "invoices/invoices")]


@pytest.mark.parametrize("path", [*CREATING, "/payments/payments$"])
def test_a_write_that_something_before_freshbooks_blocks_parks_its_order_alone(
    world: Any, path: str
) -> None:
    """As a firewall does to a shopper whose name looks like an attack."""
    ann = {"first_name": "Ann", "last_name": "Lee", "email": "ann@x.example"}
    bowl = {"name": "Bowl", "sku": "BOWL", "price": "5.00"}
    blocked, other = world.place(), world.place(billing=ann, lines=[bowl])
    world.settings |= {"max_parallel_orders": 1}
    world.fault(**BLOCKED, method="POST", path=path, times=1)
    world.sync()
    assert reason(world, blocked) == ("parked", "refused_by_freshbooks")
    assert reason(world, other) == ("posted", None)
    world.ctl("replay", "--parked")
    assert reason(world, blocked) == ("posted", None)


def test_a_page_in_the_place_of_all_answers_stops_the_run_and_parks_nobody(world: Any) -> None:
    order = world.place()
    world.fault(**BLOCKED, path="/invoices/invoices$")
    with pytest.raises(Forbidden):
        world.sync()
    world.control("DELETE", "faults")
    world.sync()
    assert reason(world, order) == ("posted", None)


@pytest.mark.parametrize("status", [402, 403])
def test_what_may_not_be_read_stops_the_run(world: Any, status: int) -> None:
    world.place()
    world.fault(kind="status", status=status, method="GET", path="/invoices/invoices$")
    with pytest.raises(Forbidden):
        world.sync()
