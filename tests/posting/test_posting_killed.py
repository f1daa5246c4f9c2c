"""Between a kill and the next run lies a night: what a person made of our write since stays theirs.

Each run is killed when FreshBooks has carried out its write and the ledger has no answer to it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from mortal import Death, Killed, mortal

pytestmark = pytest.mark.more

D = Decimal
ANN = {"first_name": "Ann", "last_name": "Doe", "email": "ann@shop.example"}
CREDIT = [{"provider": "storecredit"}]
INVOICES, PAYMENTS = "/invoices/invoices", "/payments/payments"
NOTES, EXPENSES = "/credit_notes/credit_notes", "/expenses/expenses"
HALVES = [{"amount": "5.50"}, {"amount": "5.50"}]


def killed(world: Any, method: str, path: str, messages: str = "", **rule: Any) -> None:
    """A run that is killed in its first write of that kind, once FreshBooks has carried it out."""
    path = f"{path}$" if method == "POST" else f"{path}/[0-9]+$"
    rule = {"method": method, "path": path, "when": "after", **rule}
    world.killed_in_write(messages or world.messages(), **rule)


def standing(world: Any, kind: str) -> dict[str, Any]:
    """The one record of the kind that stands."""
    row: dict[str, Any]
    (row,) = (one for one in world.books()[kind] if one["vis_state"] == 0)
    return row


def changed(world: Any, kind: str, row: dict[str, Any], **fields: Any) -> None:
    """A person changes fields of a record."""
    collection = {"invoice": INVOICES, "payment": PAYMENTS, "credit_note": NOTES}.get(
        kind, EXPENSES
    )
    world.put(f"{collection.removeprefix('/')}/{row['id']}", {kind: fields})


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "code": "USD"}


def line(amount: str) -> dict[str, Any]:
    return {"name": "By hand", "qty": "1", "unit_cost": money(amount)}


def is_left(world: Any, order: int) -> None:
    """The order is parked, and neither the next run nor a replay writes anything for it."""
    assert world.writes_of(world.sync) == 0
    assert world.row(order).reason == "edited_in_freshbooks"
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0


# -- invoices


def moved(world: Any, order: int) -> None:
    """The shop corrects the order's address."""
    billing = world.control("GET", f"shop/orders/{order}")["order"]["billing"]
    world.change(order, "edit", billing={**billing, "city": "Troy"})


@pytest.mark.parametrize("refunded", [False, True])
def test_an_edit_behind_an_address_that_was_written_is_left(world: Any, *, refunded: bool) -> None:
    order = world.synced()
    if refunded:
        world.change_and_sync(order, "refund", order_amount="4.00")
    moved(world, order)
    killed(world, "PUT", INVOICES)
    changed(world, "invoice", world.invoice(order), lines=[line("16.00")])
    is_left(world, order)
    assert world.total(order) == D("16.00")


def test_lines_of_another_number_behind_a_rewriting_are_left(world: Any) -> None:
    order = world.synced()
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "25.00"}])
    killed(world, "PUT", INVOICES, body='"lines"')
    changed(world, "invoice", world.invoice(order), invoice_number="INV-7")
    is_left(world, order)


@pytest.mark.parametrize("how", ["killed", "reset_after"])
def test_an_edit_before_the_lock_is_heard_of_is_left(world: Any, how: str) -> None:
    at = "2026-10-30T18:00:00Z"
    order = world.synced(created=at, transactions=[{"amount": "11.00", "at": at}])
    world.switch(fb__locked_until="2026-10-31")
    world.change_and_sync(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "9.00"}])
    assert world.row(order).reason == "closed_period"
    world.switch(fb__locked_until="")
    edit = {"invoice": {"lines": [line("16.00")]}}
    invoice = world.invoice(order)
    if how == "killed":
        killed(world, "PUT", INVOICES)
        changed(world, "invoice", invoice, **edit["invoice"])
    else:
        changed(world, "invoice", invoice, **edit["invoice"])
        world.fault(kind="reset_after", method="PUT", path=INVOICES, times=1)
    world.sync()
    assert world.row(order).reason == "edited_in_freshbooks"
    assert world.total(order) == D("16.00")
    assert world.paid(order) == [D("11.00")]


@pytest.mark.parametrize("sent", [False, True])
def test_a_draft_that_a_person_edited_and_sent_is_left(world: Any, *, sent: bool) -> None:
    order = world.place()
    killed(world, "POST", INVOICES)
    draft = world.invoice(order)
    changed(world, "invoice", draft, lines=[line("16.00")])
    if sent:
        changed(world, "invoice", draft, action_mark_as_sent=True)
    is_left(world, order)
    assert world.total(order) == D("16.00")
    world.ctl("replay", "--overwrite", str(order))
    assert (world.row(order).state, world.total(order)) == ("posted", D("11.00"))


def test_a_draft_that_a_person_made_come_to_the_order_is_finished(world: Any) -> None:
    order = world.place()
    killed(world, "POST", INVOICES)
    changed(world, "invoice", world.invoice(order), lines=[line("11.00")])
    world.sync()
    assert (world.row(order).state, world.paid(order)) == ("posted", [D("11.00")])
    assert [row["name"] for row in world.invoice(order)["lines"]] == ["By hand"]


def test_a_draft_that_a_person_made_out_to_another_address_keeps_it(world: Any) -> None:
    order = world.place()
    killed(world, "POST", INVOICES)
    changed(world, "invoice", world.invoice(order), city="Elsewhere")
    world.sync()
    moved(world, order)
    world.sync()
    assert world.row(order).state == "posted"
    assert world.invoice(order)["city"] == "Elsewhere"


@pytest.mark.parametrize("unique", ["yes", "no"])
@pytest.mark.parametrize("shown", ["found", "missing"])
def test_an_invoice_that_a_person_deleted_is_not_made_again(
    world: Any, unique: str, shown: str
) -> None:
    world.switch(fb__number_unique=unique, fb__deleted_get=shown)
    order = world.place()
    killed(world, "POST", INVOICES)
    changed(world, "invoice", world.invoice(order), vis_state=1)
    world.sync()
    assert world.row(order).reason == "deleted_in_freshbooks"
    assert world.invoice(order)["vis_state"] == 1


# -- clients


def test_what_a_person_added_to_a_client_that_was_just_made_stays(world: Any) -> None:
    customer = world.control("POST", "shop/customers", ANN)["id"]
    world.place(customer_id=customer)
    killed(world, "POST", "/users/clients")
    client = standing(world, "clients")
    world.put(f"users/clients/{client['id']}", {"client": {"organization": "Hers"}})
    world.sync()
    world.control("POST", f"shop/customers/{customer}", {"company": "Doe Ltd", "last_name": "Dow"})
    world.sync()
    client = standing(world, "clients")
    assert (client["organization"], client["lname"]) == ("Hers", "Dow")


# -- payments


def test_a_payment_that_a_person_lowered_is_left(world: Any) -> None:
    order = world.place()
    killed(world, "POST", PAYMENTS)
    changed(world, "payment", standing(world, "payments"), amount=money("9.00"))
    is_left(world, order)
    assert world.paid(order) == [D("9.00")]


def test_a_payment_that_a_person_deleted_is_not_recorded_again(world: Any) -> None:
    order = world.place()
    killed(world, "POST", PAYMENTS)
    changed(world, "payment", standing(world, "payments"), vis_state=1)
    is_left(world, order)
    assert world.paid(order) == []


def test_a_payment_that_we_deleted_ourselves_is_recorded_again(world: Any) -> None:
    """Of which nothing was left for a moment, where FreshBooks takes no payment of nothing."""
    world.switch(fb__payment_put_zero="refuse")
    order = world.synced(lines=[{"name": "Mug", "sku": "MUG", "price": "11.00"}])
    (refund,) = world.change(order, "refund", everything=True)["refunds"]
    world.sync()
    assert world.paid(order) == []
    world.change(order, "decline_refund", refund_id=refund)
    world.change(order, "touch")
    killed(world, "POST", PAYMENTS, when="before")
    world.sync()
    assert (world.row(order).state, world.paid(order)) == ("posted", [D("11.00")])


@pytest.mark.parametrize("edited", [False, True])
def test_a_raise_that_freshbooks_capped_is_taken_back(world: Any, *, edited: bool) -> None:
    half = {"name": "Mug", "sku": "MUG", "price": "5.00"}
    order = world.synced()
    world.change_and_sync(order, "lines", lines=[half])
    world.change(order, "lines", lines=[half | {"price": "11.00"}])
    payment = {"invoiceid": world.invoice(order)["id"], "amount": money("4.00"), "type": "Cash"}
    by_hand = {"payment": payment | {"date": "2026-10-01"}}
    write = {"method": "POST", "path": PAYMENTS.removeprefix("/"), "json": by_hand}
    world.fault(kind="act", method="PUT", path=f"{PAYMENTS}/", times=1, writes=[write])
    with mortal(Death(2, is_sent=True)), pytest.raises(Killed):  # the lines, then the payment
        world.sync()
    assert sorted(world.paid(order)) == [D("4.00"), D("7.00")]
    if edited:
        changed(world, "invoice", world.invoice(order), lines=[line("12.00")])
    world.sync()
    reason = "edited_in_freshbooks" if edited else "paid_elsewhere"
    assert world.row(order).reason == reason
    assert sorted(world.paid(order)) == [D("4.00"), D("5.00")]
    assert all(note["vis_state"] for note in world.books()["credit_notes"])


def test_a_credit_of_a_person_s_edit_is_left_though_a_lowering_was_killed(world: Any) -> None:
    world.switch(fb__overpaid_after_line="credit")
    order = world.synced()
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "8.00"}])
    killed(world, "PUT", PAYMENTS, when="before")
    changed(world, "invoice", world.invoice(order), lines=[line("7.00")])
    assert world.paid(order) == [D("7.00")]
    is_left(world, order)
    assert world.paid(order) == [D("7.00")]
    assert standing(world, "credit_notes")["amount"]["amount"] == "4.00"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_deletion_that_a_kill_kept_from_being_made_is_not_taken_back_later(
    world: Any, when: str
) -> None:
    """The order was taken up again meanwhile, and who deletes its payment then is a person."""
    order = world.synced()
    world.settings["on_cancel"] = "delete"
    world.change(order, "status", status_id=5)
    killed(world, "PUT", PAYMENTS, when=when)
    world.change(order, "status", status_id=11)
    world.sync()
    assert (world.row(order).state, world.paid(order)) == ("posted", [D("11.00")])
    changed(world, "payment", standing(world, "payments"), vis_state=1)
    world.change(order, "status", status_id=5)
    world.settings["on_cancel"] = "park"
    assert world.writes_of(world.sync) == 0
    assert world.paid(order) == []


def test_what_came_in_by_hand_is_known_though_the_run_was_killed_behind_it(world: Any) -> None:
    def pieces(number: int) -> dict[str, Any]:
        return {"lines": [{"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": number}]}

    order = world.synced(pay="offline", payment_method="Bank Deposit", **pieces(5))
    world.change(order, "lines", **pieces(7))
    killed(world, "PUT", PAYMENTS)
    assert world.paid(order) == [D("70.00")]
    world.change(order, "lines", **pieces(6))
    back = [{"provider": "custom", "offline": True}]
    world.change(order, "refund", order_amount="10.00", to=back)
    world.sync()
    assert (world.total(order), world.paid(order)) == (D("60.00"), [D("60.00")])
    assert world.row(order).paid_by_hand == D("70.00")


# -- what stands beside


def credited(world: Any) -> int:
    """An order of a customer with a refund to store credit that is not booked yet."""
    world.settings["stored_value"] = "payment"
    customer = world.control("POST", "shop/customers", ANN)["id"]
    order: int = world.synced(customer_id=customer)
    world.change(order, "refund", order_amount="4.00", to=CREDIT)
    return order


def test_a_credit_note_that_a_person_changed_is_left(world: Any) -> None:
    order = credited(world)
    killed(world, "POST", NOTES)
    changed(world, "credit_note", standing(world, "credit_notes"), lines=[line("3.00")])
    assert world.writes_of(world.sync) == 0
    assert world.row(order).reason == "refund_mismatch"
    assert standing(world, "credit_notes")["amount"]["amount"] == "3.00"


def test_a_credit_note_that_a_person_deleted_is_not_given_again(world: Any) -> None:
    order = credited(world)
    killed(world, "POST", NOTES)
    changed(world, "credit_note", standing(world, "credit_notes"), vis_state=1)
    is_left(world, order)


@pytest.mark.parametrize(("method", "body"), [("POST", ""), ("PUT", "vis_state")])
def test_the_next_wording_of_a_credit_note_is_another_number(
    world: Any, method: str, body: str
) -> None:
    """A credit of 18.00 with 8.25 %, 1.485: nothing told before how FreshBooks rounds that."""
    world.settings["stored_value"] = "payment"
    world.switch(fb__rounding_mode="half_even", fb__credit_number_unique="yes")
    customer = world.control("POST", "shop/customers", ANN)["id"]
    taxes = [{"name": "State Tax", "percent": "8.25"}]
    mugs = [{"name": "Mug", "price": "18.00", "quantity": 2, "taxes": taxes}]
    order = world.synced(customer_id=customer, lines=mugs)
    world.change(order, "refund", lines=[{"line": 0, "quantity": 1}], to=CREDIT)
    killed(world, method, NOTES, body=body)
    world.sync()
    assert world.row(order).state == "posted"
    assert standing(world, "credit_notes")["amount"]["amount"] == "19.49"


@pytest.fixture
def closed(world: Any) -> int:
    """An order of a month that is closed, with a refund that is to be corrected beside it."""
    order: int = world.synced(created="2026-10-20T18:00:00Z")
    world.settings |= {
        "closed_through": "2026-10-31",
        "closed_refunds": "correction",
        "refunds_expense_category": "refunds",
    }
    world.change(order, "refund", order_amount="4.00")
    return order


def correction_of(world: Any, order: int) -> dict[str, Any]:
    row: dict[str, Any]
    (row,) = (r for r in world.books()["invoices"] if r["invoice_number"].startswith(f"{order}-R"))
    return row


@pytest.mark.parametrize(
    ("write", "when"), [("made", "after"), ("sent", "before"), ("sent", "after")]
)
def test_a_correction_that_a_person_changed_and_sent_is_left(
    world: Any, closed: int, write: str, when: str
) -> None:
    killed(world, "POST" if write == "made" else "PUT", INVOICES, when=when)
    correction = correction_of(world, closed)
    changed(world, "invoice", correction, lines=[line("0.00")])
    if correction["v3_status"] == "draft":
        changed(world, "invoice", correction, action_mark_as_sent=True)
    is_left(world, closed)
    assert [row["name"] for row in correction_of(world, closed)["lines"]] == ["By hand"]


def test_a_correction_that_a_person_deleted_is_not_made_again(world: Any, closed: int) -> None:
    world.switch(fb__number_unique="no")
    killed(world, "POST", INVOICES)
    changed(world, "invoice", correction_of(world, closed), vis_state=1)
    is_left(world, closed)


def test_an_expense_that_a_person_changed_is_left(world: Any, closed: int) -> None:
    killed(world, "POST", EXPENSES)
    changed(world, "expense", standing(world, "expenses"), amount=money("3.00"))
    is_left(world, closed)
    assert standing(world, "expenses")["amount"]["amount"] == "3.00"


def test_an_expense_that_a_person_changed_later_is_left(world: Any, closed: int) -> None:
    world.sync()
    assert world.row(closed).state == "posted"
    changed(world, "expense", standing(world, "expenses"), amount=money("3.00"))
    assert world.writes_of(lambda: world.ctl("replay", str(closed))) == 0
    assert world.row(closed).reason == "edited_in_freshbooks"
    assert standing(world, "expenses")["amount"]["amount"] == "3.00"
    world.ctl("replay", "--overwrite", str(closed))
    assert standing(world, "expenses")["amount"]["amount"] == "4.00"


def test_an_expense_that_a_person_deleted_is_not_booked_again(world: Any, closed: int) -> None:
    killed(world, "POST", EXPENSES)
    changed(world, "expense", standing(world, "expenses"), vis_state=1)
    is_left(world, closed)
