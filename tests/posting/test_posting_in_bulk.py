"""Many new orders are looked for in lists: nothing is doubled by it, or believed that is old."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_freshbooks import wiring
from target_freshbooks.freshbooks import collection
from target_freshbooks.posting.observe.in_bulk import FEWEST

pytestmark = pytest.mark.more

D = Decimal
JANE = {"first_name": "Jane", "last_name": "Doe"}
MANY = FEWEST + 1


@pytest.fixture
def refusing(world: Any) -> Any:
    """An account that is known to refuse a number that is taken; client and item are known."""
    world.synced()
    with world.ledger() as ledger:
        ledger.profile.learn("refuses_taken_numbers", value=True)
    return world


def asked(world: Any, method: str, path: str) -> int:
    """Requests to the accounting API that its log has under this method and path's end."""
    rows = [row for row in world.requests() if row["path"].endswith(path)]
    return int(sum(row["count"] for row in rows if row["method"] == method))


def stand_once(world: Any, orders: list[int]) -> None:
    """Each order is posted, and has one invoice, paid once."""
    for order in orders:
        assert world.row(order).state == "posted"
        assert world.paid(order) == [D("11.00")]


def moved(world: Any, order: int, day: str = "2026-01-15") -> None:
    """A person dates the order's invoice another day."""
    path = f"invoices/invoices/{world.invoice(order)['id']}"
    world.put(path, {"invoice": {"create_date": day}})


def test_orders_whose_numbers_would_be_refused_are_looked_for_in_one_list(refusing: Any) -> None:
    orders = [refusing.place() for _ in range(MANY)]
    looks = asked(refusing, "GET", "/invoices/invoices")
    refusing.sync()
    lists = ("standing", "deleted", "changed lately")
    assert asked(refusing, "GET", "/invoices/invoices") - looks == len(lists)
    stand_once(refusing, orders)


def test_where_a_second_invoice_of_a_number_may_be_made_each_order_is_looked_for(
    world: Any,
) -> None:
    world.switch(fb__number_unique="no")
    orders = [world.place() for _ in range(MANY)]
    world.sync()
    for order in orders[::5]:
        moved(world, order)  # no list of its day shows it
    unmarked = f"invoices/invoices/{world.invoice(orders[5])['id']}"
    world.put(unmarked, {"invoice": {"notes": "by hand", "po_number": "by hand"}})
    world.lose_ledger()
    world.sync()
    for order in orders:
        assert len(world.invoices(order)) == 1


def known_refusing(world: Any) -> None:
    """A ledger that was lost, and an account that is known to refuse a number that is taken."""
    world.lose_ledger()
    with world.ledger() as ledger:
        ledger.profile.learn("refuses_taken_numbers", value=True)


def test_what_a_list_does_not_show_is_found_by_its_mark(refusing: Any) -> None:
    orders = [refusing.place() for _ in range(MANY)]
    refusing.sync()
    moved(refusing, orders[0])
    known_refusing(refusing)
    made = asked(refusing, "POST", "/invoices/invoices")
    refusing.sync()
    assert asked(refusing, "POST", "/invoices/invoices") == made
    for order in orders:
        assert len(refusing.invoices(order)) == 1
        assert refusing.paid(order) == [D("11.00")]


def test_a_lost_ledger_is_made_good_by_lists_without_a_write(world: Any) -> None:
    orders = [
        world.place(billing=JANE | {"email": f"shopper{n}@shop.example"}) for n in range(5 * FEWEST)
    ]
    world.sync()
    world.lose_ledger()
    before = sum(row["count"] for row in world.requests() if "/accounting/" in row["path"])
    assert world.writes_of(world.sync) == 0
    after = sum(row["count"] for row in world.requests() if "/accounting/" in row["path"])
    assert after - before <= len(orders) / 10
    stand_once(world, orders)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few orders are taken up at a time."""
    monkeypatch.setattr(wiring, "ORDER_BATCH", MANY)


@pytest.mark.usefixtures("batches")
def test_lists_that_can_be_of_no_use_are_not_read(world: Any) -> None:
    orders = [world.place() for _ in range(3 * MANY)]
    world.sync()
    assert asked(world, "GET", "/invoices/invoices") == len(orders) + 2  # and the marks
    stand_once(world, orders)


@pytest.mark.usefixtures("batches")
def test_they_are_read_again_once_an_invoice_is_found_by_itself(world: Any) -> None:
    first = [world.place(status_id=1) for _ in range(MANY)]
    orders = [world.place() for _ in range(3 * MANY)]
    world.sync()
    for order in first:  # which are new, and come before those that are in the books
        modified = world.control("GET", f"shop/orders/{order}")["order"]["modified"]
        world.change(order, "status", status_id=11)
        world.change(order, "touch", modified=modified)
    world.lose_ledger()
    before = asked(world, "GET", "/invoices/invoices")
    world.sync()
    assert asked(world, "GET", "/invoices/invoices") - before < 2 * MANY + 10
    stand_once(world, [*first, *orders])


def test_what_is_to_be_written_rests_on_a_look_of_its_own(world: Any) -> None:
    orders = [world.place() for _ in range(MANY)]
    world.sync()
    unpaid = world.invoice(orders[7])["id"]
    (payment,) = world.payments(orders[7])
    world.put(f"payments/payments/{payment['id']}", {"payment": {"vis_state": 1}})
    world.lose_ledger()
    body = {
        "invoiceid": unpaid,
        "amount": {"amount": "11.00", "code": "USD"},
        "date": "2026-10-01",
        "type": "Cash",
    }
    write = {"method": "POST", "path": "payments/payments", "json": {"payment": body}}
    # Once the lists of invoices and payments are read, somebody pays.
    world.fault(kind="act", method="GET", path="items/items$", writes=[write], times=1)
    assert world.writes_of(world.sync) == 0
    assert world.paid(orders[7]) == [D("11.00")]
    assert world.books()["credit_notes"] == []


def test_a_draft_that_a_list_showed_is_looked_at_before_it_is_sent(world: Any) -> None:
    order = world.place(pay="offline", payment_method="Purchase Order", status_id=2)
    world.fault(kind="ignored", method="PUT", path="/invoices/", body="mark_as_sent", times=1)
    world.sync()
    assert world.invoice(order)["status"] == 1
    orders = [world.place() for _ in range(MANY)]
    world.sync()
    world.lose_ledger()
    looks = asked(world, "GET", "/invoices/{id}")
    world.sync()
    assert asked(world, "GET", "/invoices/{id}") - looks == 1
    stand_once(world, orders)


@pytest.mark.parametrize("deleted", [False, True])
def test_a_number_that_lists_show_as_taken_is_looked_at(refusing: Any, deleted: bool) -> None:
    orders = [refusing.place() for _ in range(MANY)]
    refusing.sync()
    path = f"invoices/invoices/{refusing.invoice(orders[0])['id']}"
    body = {"vis_state": 1} if deleted else {"notes": "X", "po_number": "Y"}
    refusing.put(path, {"invoice": body})
    known_refusing(refusing)
    made = asked(refusing, "POST", "/invoices/invoices")
    refusing.sync()
    tried = asked(refusing, "POST", "/invoices/invoices") - made
    assert tried == deleted  # a deleted one is told of its number by the refusal only
    reason = "deleted_in_freshbooks" if deleted else "number_taken"
    assert refusing.row(orders[0]).reason == reason
    assert len(refusing.invoices(orders[0])) == 1


def test_where_lists_are_too_long_each_order_is_looked_for(
    refusing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [refusing.place() for _ in range(MANY)]
    refusing.sync()
    monkeypatch.setattr(collection, "PER_PAGE", 1)
    orders += [refusing.place() for _ in range(MANY)]
    looks = asked(refusing, "GET", "/invoices/invoices")
    refusing.sync()
    marks = 1 + MANY  # pages of those that stand by then
    assert asked(refusing, "GET", "/invoices/invoices") - looks == 1 + MANY + marks
    stand_once(refusing, orders)


def test_a_client_that_goes_after_the_list_was_read_is_made_anew(world: Any) -> None:
    world.switch(fb__deleted_client_invoice="refuse")
    old = world.synced()
    client = world.invoice(old)["customerid"]
    orders = [world.place() for _ in range(MANY)]
    world.lose_ledger()
    write = {
        "method": "PUT",
        "path": f"users/clients/{client}",
        "json": {"client": {"vis_state": 1}},
    }
    world.fault(kind="act", method="POST", path="invoices/invoices$", writes=[write], times=1)
    world.sync()
    stand_once(world, orders)
    assert {world.invoice(order)["customerid"] for order in orders} - {client}


def test_a_refusal_that_is_met_is_learnt_and_one_of_a_deleted_invoice_is_not(world: Any) -> None:
    order = world.synced()
    path = f"invoices/invoices/{world.invoice(order)['id']}"
    for state, learnt in ((1, False), (0, True)):
        world.put(path, {"invoice": {"vis_state": state}})
        world.lose_ledger()
        unseen = {"kind": "stale_search", "delay_ms": 3_600_000, "path": "invoices/invoices$"}
        world.fault(**unseen, method="GET", times=2)  # by number, and by mark
        world.sync()
        with world.ledger() as ledger:
            assert ledger.profile.traits().get("refuses_taken_numbers", False) is learnt
        world.control("DELETE", "faults")
    assert len(world.invoices(order)) == 1


def test_an_invoice_whose_payments_a_list_does_not_show_whole_is_looked_at(world: Any) -> None:
    orders = [world.place() for _ in range(MANY)]
    half = world.place(pay="authorize", transactions=[{"amount": "5.00"}])
    world.sync()
    assert world.paid(half) == [D("5.00")]
    by_hand = {
        "invoiceid": world.invoice(half)["id"],
        "amount": {"amount": "6.00", "code": "USD"},
        "date": "2026-01-15",
        "type": "Cash",
    }
    world.post("payments/payments", {"payment": by_hand})
    world.lose_ledger()
    looks = asked(world, "GET", "/payments/payments")
    assert world.writes_of(world.sync) == 0
    assert asked(world, "GET", "/payments/payments") - looks == 2  # the list, and its own
    stand_once(world, orders)


def test_a_payment_of_another_day_is_found_by_a_look_of_its_own(world: Any) -> None:
    orders = [world.place() for _ in range(MANY)]
    world.sync()
    (payment,) = world.payments(orders[3])
    world.put(f"payments/payments/{payment['id']}", {"payment": {"date": "2026-01-15"}})
    world.lose_ledger()
    assert world.writes_of(world.sync) == 0
    with world.ledger() as ledger:
        kinds = [link.kind for link in ledger.links.of_order(orders[3])]
    assert kinds == ["invoice", "payment"]
