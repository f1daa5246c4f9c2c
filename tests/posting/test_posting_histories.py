"""Histories in which two things happen between two runs: nothing is lost, doubled or overpaid."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks.freshbooks.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.more

D = Decimal
TAX = {"name": "State Tax", "percent": "10"}
BY_HAND = {"name": "By hand", "qty": "1", "unit_cost": {"amount": "50.00", "code": "USD"}}


def mug(price: str) -> list[dict[str, Any]]:
    return [{"name": "Mug", "sku": "MUG", "price": price, "taxes": [TAX]}]


def refund(world: Any, order: int, amount: str, **more: Any) -> int:
    """Refund an amount of the order; its id."""
    return int(world.change(order, "refund", order_amount=amount, **more)["refunds"][-1])


def retold(world: Any, stream: str, change: Callable[[dict[str, Any]], None]) -> str:
    """What the tap says, with each record of the stream changed."""
    told = []
    for line in world.messages().splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD" and message["stream"] == stream:
            change(message["record"])
        told.append(json.dumps(message) + "\n")
    return "".join(told)


def edit_by_hand(world: Any, order: int) -> None:
    """Put other lines, over 50.00, on the order's invoice."""
    invoice = world.invoice(order)["id"]
    world.put(f"invoices/invoices/{invoice}", {"invoice": {"lines": [BY_HAND]}})


def alter_payment(world: Any, order: int, amount: str) -> None:
    """Give the order's payment another amount by hand."""
    (payment,) = world.payments(order)
    money = {"amount": amount, "code": "USD"}
    world.put(f"payments/payments/{payment['id']}", {"payment": {"amount": money}})


def lines_of(world: Any, order: int) -> list[str]:
    return [line["name"] for line in world.invoice(order)["lines"]]


def credits_given(world: Any) -> list[tuple[str, Decimal]]:
    """Type and amount of the credit notes that stand, those FreshBooks made of overpayments too."""
    return [
        (note["credit_type"], D(note["amount"]["amount"]))
        for note in world.books()["credit_notes"]
        if note["vis_state"] == 0
    ]


# -- refunds and an edited order


@pytest.mark.parametrize("price", ["9.00", "4.00", "20.00"])
def test_a_refund_is_declined_and_the_order_edited(world: Any, price: str) -> None:
    world.switch(fb__overpaid_after_line="credit")
    order = world.synced()
    declined = refund(world, order, "2.00")
    world.sync()
    world.change(order, "decline_refund", refund_id=declined)
    world.change_and_sync(order, "lines", lines=mug(price))
    total = D(price) * D("1.1")
    assert (world.total(order), lines_of(world, order)) == (total, ["Mug"])
    assert world.paid(order) == [min(total, D("11.00"))]
    assert credits_given(world) == []
    assert world.writes_of(world.sync) == 0


def test_a_refund_comes_to_more_and_the_order_is_edited(world: Any) -> None:
    world.switch(fb__overpaid_after_line="credit")
    order = world.place()
    refund(world, order, "2.00")
    world.sync()

    def more(record: dict[str, Any]) -> None:
        record["total_amount"] = 3
        record["payments"][0]["amount"] = 3

    world.change(order, "lines", lines=mug("20.00"))
    told = retold(world, "refunds", more)
    world.sync(told)
    assert (world.total(order), world.paid(order)) == (D("19.00"), [D("8.00")])
    assert credits_given(world) == []
    assert world.writes_of(lambda: world.sync(told)) == 0


@pytest.mark.parametrize("rounding", ["per_line", "per_tax"])
@pytest.mark.parametrize("mode", ["half_up", "half_even"])
def test_an_edited_order_is_never_overpaid_for_a_moment(
    world: Any, rounding: str, mode: str
) -> None:
    world.switch(
        fb__tax_rounding=rounding, fb__rounding_mode=mode, fb__overpaid_after_line="credit"
    )
    bead = {"name": "Bead", "sku": "BEAD", "price": "1.00", "taxes": [TAX]}
    orders = [world.place(lines=[bead | {"price": "50.00"}]) for _ in range(4)]
    world.sync()
    taxes = [{"name": "T", "percent": "7"}, {"name": "U", "percent": "2.5"}]
    for order, (price, quantity) in zip(
        orders, [("0.20", 7), ("0.35", 9), ("0.45", 5), ("1.05", 3)], strict=True
    ):
        lines = [bead | {"price": price, "quantity": quantity, "taxes": taxes}] * 3
        world.change(order, "lines", lines=lines)
    world.sync()
    for order in orders:
        assert sum(world.paid(order)) == world.total(order)
    assert credits_given(world) == []


# -- refunds that come out of their order


def test_a_refund_becomes_good_after_a_later_one_was_booked(world: Any) -> None:
    world.switch(fb__overpaid_after_line="credit")
    order = world.place()
    first = refund(world, order, "2.00")
    refund(world, order, "3.00")

    def declined(record: dict[str, Any]) -> None:
        for payment in record["payments"]:
            payment["is_declined"] = record["id"] == first

    world.sync(retold(world, "refunds", declined))
    assert (world.total(order), world.paid(order)) == (D("8.00"), [D("8.00")])
    world.sync()
    assert (world.total(order), world.paid(order)) == (D("6.00"), [D("6.00")])
    assert (world.row(order).state, credits_given(world)) == ("posted", [])
    assert world.writes_of(world.sync) == 0


def test_a_refund_gets_its_payment_after_a_later_one_was_booked(world: Any) -> None:
    order = world.place()
    first = refund(world, order, "2.00")
    refund(world, order, "3.00")

    def unpaid(record: dict[str, Any]) -> None:
        if record["id"] == first:
            record["payments"] = []

    world.sync(retold(world, "refunds", unpaid))
    assert world.row(order).reason == "refund_mismatch"
    world.sync()
    assert (world.total(order), world.paid(order)) == (D("6.00"), [D("6.00")])
    assert world.row(order).state == "posted"


# -- what a person changed by hand, and the ledger is lost


@pytest.mark.parametrize("on_cancel", ["delete", "park"])
def test_a_cancelled_order_s_edited_invoice_is_kept_with_the_ledger_lost(
    world: Any, on_cancel: str
) -> None:
    order = world.synced()
    edit_by_hand(world, order)
    world.lose_ledger()
    world.settings["on_cancel"] = on_cancel
    world.change(order, "cancel")
    assert world.writes_of(world.sync) == 0
    assert world.row(order).reason == "edited_in_freshbooks"
    world.change(order, "status", status_id=11)
    assert world.writes_of(world.sync) == 0
    assert (world.total(order), world.row(order).reason) == (D("50.00"), "edited_in_freshbooks")
    world.change_and_sync(order, "cancel")
    world.ctl("replay", "--overwrite", str(order))
    assert world.invoice(order)["vis_state"] == (1 if on_cancel == "delete" else 0)


def test_an_order_no_longer_cancelled_is_left_as_it_stands_with_the_ledger_lost(
    world: Any,
) -> None:
    order = world.place()
    refund(world, order, "2.00")
    world.sync()
    world.lose_ledger()
    world.change_and_sync(order, "cancel")
    assert world.row(order).reason == "cancelled_after_posting"
    world.change(order, "status", status_id=11)
    assert world.writes_of(world.sync) == 0
    assert world.row(order).state == "posted"


def test_an_edited_invoice_is_not_touched_for_a_declined_refund_with_the_ledger_lost(
    world: Any,
) -> None:
    order = world.place()
    declined = refund(world, order, "2.00")
    world.sync()
    invoice = world.invoice(order)
    lines = [*invoice["lines"], BY_HAND]
    world.put(f"invoices/invoices/{invoice['id']}", {"invoice": {"lines": lines}})
    world.lose_ledger()
    world.change(order, "decline_refund", refund_id=declined)
    assert world.writes_of(world.sync) == 0
    assert world.row(order).reason == "edited_in_freshbooks"


def test_a_declined_refund_is_taken_back_with_the_ledger_lost(world: Any) -> None:
    order = world.place()
    declined = refund(world, order, "2.00")
    world.sync()
    world.lose_ledger()
    world.change_and_sync(order, "decline_refund", refund_id=declined)
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert (world.row(order).state, lines_of(world, order)) == ("posted", ["Mug"])


def test_a_deleted_invoice_that_is_restored_is_known_again_with_the_ledger_lost(
    world: Any,
) -> None:
    order = world.synced()
    path = f"invoices/invoices/{world.invoice(order)['id']}"
    world.put(path, {"invoice": {"vis_state": 1}})
    world.lose_ledger()
    world.sync()
    assert world.row(order).reason == "deleted_in_freshbooks"
    world.put(path, {"invoice": {"vis_state": 0}})
    world.ctl("replay", str(order))
    assert (world.row(order).state, world.total(order)) == ("posted", D("11.00"))


def test_a_credit_note_is_found_again_though_the_order_has_another_e_mail(world: Any) -> None:
    world.settings["refund_mode"] = "credit_note"
    customer = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    order = world.synced(customer_id=customer["id"])
    other = {"first_name": "Jane", "last_name": "Doe", "email": "new@shop.example"}
    world.change(order, "edit", billing=other)
    world.change_and_sync(order, "refund", order_amount="2.00", to=[{"provider": "storecredit"}])
    (note,) = world.books()["credit_notes"]
    assert note["clientid"] == world.invoice(order)["customerid"]
    world.lose_ledger()
    world.sync()
    assert credits_given(world) == [("goodwill", D("2.00"))]


# -- a payment that a person altered


@pytest.mark.parametrize("then", ["refund", "edit"])
def test_a_payment_altered_by_hand_is_not_set_back_unless_told(world: Any, then: str) -> None:
    order = world.synced()
    alter_payment(world, order, "5.00")
    if then == "refund":
        refund(world, order, "2.00")
    else:
        world.change(order, "lines", lines=mug("8.00"))
    assert world.writes_of(world.sync) == 0
    assert (world.row(order).reason, world.paid(order)) == ("edited_in_freshbooks", [D("5.00")])
    world.ctl("replay", "--overwrite", str(order))
    left = {"refund": D("9.00"), "edit": D("8.80")}[then]
    assert (world.total(order), world.paid(order)) == (left, [left])


@pytest.mark.parametrize("then", ["unpaid", "captured"])
def test_a_derived_payment_altered_by_hand_is_not_deleted_unless_told(
    world: Any, then: str
) -> None:
    order = world.synced(pay="offline")
    alter_payment(world, order, "9.00")
    if then == "unpaid":
        world.change_and_sync(order, "status", status_id=1)
    else:
        world.change_and_sync(order, "transactions", amount="11.00")
    assert world.row(order).reason == "edited_in_freshbooks"
    assert world.paid(order) == [D("9.00")]
    world.ctl("replay", str(order), "--overwrite")
    assert world.paid(order) == ([] if then == "unpaid" else [D("11.00")])


def test_a_refunded_payment_altered_by_hand_is_not_set_back(world: Any) -> None:
    order = world.place()
    refund(world, order, "2.00")
    world.sync()
    alter_payment(world, order, "5.00")
    refund(world, order, "1.00")
    assert world.writes_of(world.sync) == 0
    assert world.row(order).reason == "edited_in_freshbooks"


def test_a_payment_lowered_without_an_answer_is_not_taken_for_a_person_s(world: Any) -> None:
    order = world.synced()
    broken_off = refund(world, order, "2.00")
    payments = "/payments/payments/"
    world.fault(kind="reset_after", method="PUT", path=payments, times=1)
    world.fault(kind="status", status=403, method="GET", path=payments)
    with pytest.raises(Forbidden):
        world.sync()
    world.control("DELETE", "faults")
    assert world.paid(order) == [D("9.00")]
    world.change_and_sync(order, "decline_refund", refund_id=broken_off)
    assert (world.paid(order), world.row(order).state) == ([D("11.00")], "posted")


# -- answers without lines


def test_an_invoice_answered_without_its_lines_is_read(world: Any) -> None:
    world.switch(fb__written_lines="left_out")
    order = world.place()
    refund(world, order, "2.00")
    world.sync()
    assert (world.total(order), world.paid(order)) == (D("9.00"), [D("9.00")])
    assert world.row(order).state == "posted"
    refund(world, order, "1.00")
    world.change_and_sync(order, "lines", lines=mug("20.00"))
    assert (world.total(order), world.paid(order)) == (D("19.00"), [D("8.00")])
    assert world.writes_of(world.sync) == 0


@pytest.mark.parametrize("is_in_bulk", [False, True], ids=["alone", "among many"])
def test_a_credit_of_a_refund_declined_while_the_ledger_was_lost_is_taken_back(
    world: Any, is_in_bulk: bool
) -> None:
    world.settings["refund_mode"] = "credit_note"
    customer = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    order = world.synced(customer_id=customer["id"])
    if is_in_bulk:
        for _ in range(25):
            world.place()
    declined = refund(world, order, "4.00", to=[{"provider": "storecredit"}])
    world.sync()
    assert credits_given(world) == [("goodwill", D(4))]
    world.change(order, "decline_refund", refund_id=declined)
    world.lose_ledger()
    world.sync()
    assert credits_given(world) == []
    assert world.row(order).state == "posted"
    assert world.writes_of(world.sync) == 0
