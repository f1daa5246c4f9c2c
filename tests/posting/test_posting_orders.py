"""Orders brought to the books one by one: invoices, payments, refunds, and what stops them."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import Any

import pytest

D = Decimal
SENT, PAID, DRAFT = 2, 4, 1


def names(invoice: dict[str, Any]) -> list[str]:
    return [line["name"] for line in invoice["lines"]]


def test_a_paid_order_becomes_a_sent_invoice_with_its_payment(world: Any) -> None:
    order = world.synced()
    invoice = world.invoice(order)
    assert world.total(order) == D("11.00")
    assert invoice["status"] == PAID
    assert world.paid(order) == [D("11.00")]
    assert world.payments(order)[0]["note"].startswith(f"BigCommerce order {order}, transaction ")
    assert world.row(order).state == "posted"


def test_an_unchanged_order_costs_no_request(world: Any) -> None:
    world.place()
    said = world.messages()
    world.sync(said)
    world.control("POST", "requests/reset")
    world.sync(said)
    paths = [row["path"] for row in world.control("GET", "requests")["requests"]]
    assert [path for path in paths if path.startswith("/accounting/")] == []


def test_new_orders_of_known_clients_take_four_requests_each_and_two_together(
    world: Any,
) -> None:
    world.synced()
    for _ in range(3):
        world.place()
    said = world.messages()
    world.control("POST", "requests/reset")
    world.sync(said)
    counts = world.control("GET", "requests")["requests"]
    asked = sum(row["count"] for row in counts if row["path"].startswith("/accounting/"))
    # Together: which invoices changed lately, and which clients were deleted meanwhile.
    assert asked == 3 * 4 + 2


def test_with_the_ledger_lost_everything_is_found_again_and_nothing_written(world: Any) -> None:
    order = world.place()
    refunded = world.place()
    world.change_and_sync(refunded, "refund", everything=True)
    world.is_found_again()
    assert world.row(order).state == "posted"
    assert world.row(refunded).state == "posted"


def test_a_capture_that_comes_later_adds_its_payment(world: Any) -> None:
    order = world.synced(pay="authorize")
    assert world.invoice(order)["status"] == SENT
    assert world.paid(order) == []
    world.change_and_sync(order, "capture", amount="4.00")
    assert world.paid(order) == [D("4.00")]
    world.change_and_sync(order, "capture", amount="7.00")
    assert sorted(world.paid(order)) == [D("4.00"), D("7.00")]


def test_a_derived_payment_gives_way_to_the_real_transaction(world: Any) -> None:
    order = world.synced(pay="offline")
    assert "derived" in world.payments(order)[0]["note"]
    world.change_and_sync(order, "transactions", amount="11.00")
    (payment,) = world.payments(order)
    assert "transaction" in payment["note"]
    assert world.paid(order) == [D("11.00")]


def test_refunds_lower_payment_and_invoice_one_at_a_time(world: Any) -> None:
    order = world.synced(lines=[{"name": "Mug", "sku": "M", "price": "10.00", "quantity": 3}])
    for left in ("20.00", "10.00", "0.00"):
        world.change_and_sync(order, "refund", lines=[{"line": 0, "quantity": 1}])
        assert world.total(order) == D(left)
        assert sum(world.paid(order)) == D(left)
    assert len([name for name in names(world.invoice(order)) if name.startswith("Refund ")]) == 3
    assert world.books()["credit_notes"] == []


def test_a_refund_to_store_credit_is_a_credit_note(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    customer = world.control("POST", "shop/customers", {"email": "a@b.example", "first_name": "A"})
    order = world.place(customer_id=customer["id"])
    world.change_and_sync(order, "refund", order_amount="4.00", to=[{"provider": "storecredit"}])
    assert world.total(order) == D("11.00")
    (note,) = world.books()["credit_notes"]
    assert D(note["amount"]["amount"]) == D("4.00")
    assert f"BigCommerce order {order}, refund " in note["notes"]
    assert world.writes_of(world.sync) == 0


def test_a_refused_refund_leaves_invoice_and_payment_as_they_were(world: Any) -> None:
    order = world.synced()
    world.change(order, "refund", order_amount="4.00")
    world.switch(fb__negative_line="refuse")
    world.sync()
    assert world.total(order) == D("11.00")
    assert world.paid(order) == [D("11.00")]
    row = world.row(order)
    assert (row.state, row.reason) == ("parked", "refund_refused")
    world.switch(fb__negative_line="accept")
    world.ctl("replay", str(order))
    assert world.total(order) == D("7.00")
    assert world.row(order).state == "posted"


def test_a_payment_that_may_not_be_zero_is_deleted(world: Any) -> None:
    world.switch(fb__payment_put_zero="refuse")
    order = world.place()
    world.change_and_sync(order, "refund", everything=True)
    assert world.total(order) == D("0.00")
    assert sum(world.paid(order), D(0)) == D("0.00")
    assert world.writes_of(world.sync) == 0


def test_an_edited_order_can_be_parked_instead(world: Any) -> None:
    world.settings["on_order_change"] = "park"
    order = world.synced(pay="authorize")
    world.change_and_sync(order, "lines", lines=[{"name": "Plate", "sku": "P", "price": "7.00"}])
    assert world.total(order) == D("11.00")
    assert world.row(order).reason == "changed_after_posting"


def test_an_invoice_edited_by_hand_is_never_overwritten_unless_told(world: Any) -> None:
    order = world.synced(pay="authorize")
    line = {"name": "Mug", "qty": "1", "unit_cost": {"amount": "99.00", "code": "USD"}}
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"lines": [line]}})
    world.change_and_sync(order, "capture")
    assert world.total(order) == D("99.00")
    assert world.paid(order) == []
    assert world.row(order).reason == "edited_in_freshbooks"
    world.ctl("replay", str(order), "--overwrite")
    assert world.total(order) == D("11.00")
    assert world.paid(order) == [D("11.00")]
    assert world.row(order).state == "posted"


def test_a_payment_recorded_by_hand_is_not_doubled(world: Any) -> None:
    order = world.synced(pay="authorize")
    invoice = world.invoice(order)["id"]
    token = world.control("POST", "freshbooks/tokens/grant")
    world.settings["refresh_token"] = token["refresh_token"]
    money = {"amount": "11.00", "code": "USD"}
    body = {"invoiceid": invoice, "amount": money, "date": "2026-10-01", "type": "Cash"}
    answer = world.http.post(
        f"{world.url}/accounting/account/SBX001/payments/payments",
        json={"payment": body},
        headers={"Authorization": f"Bearer {token['access_token']}"},
    )
    assert answer.is_success
    world.change_and_sync(order, "capture")
    assert world.paid(order) == [D("11.00")]
    assert world.books()["credit_notes"] == []
    assert world.row(order).reason == "paid_elsewhere"


def test_an_invoice_deleted_by_hand_is_not_made_again(world: Any) -> None:
    order = world.synced(pay="authorize")
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"vis_state": 1}})
    world.change_and_sync(order, "capture")
    assert len(world.invoices(order)) == 1
    assert world.row(order).reason == "deleted_in_freshbooks"
    world.lose_ledger()
    world.sync()
    assert len(world.invoices(order)) == 1
    assert world.row(order).reason == "deleted_in_freshbooks"


@pytest.mark.parametrize("status", [422, 409])
def test_a_number_that_belongs_to_somebody_else_is_never_touched(world: Any, status: int) -> None:
    world.switch(fb__number_taken_status=status)
    order = world.place()
    other = world.place()
    world.sync(invoice_number_prefix="A")
    # The same numbers as those of another shop's orders, one of them deleted since.
    for number in (order, other):
        row = world.invoice(f"A{number}")
        world.put(f"invoices/invoices/{row['id']}", {"invoice": {"notes": "X", "po_number": "Y"}})
    deleted = world.invoice(f"A{other}")["id"]
    world.put(f"invoices/invoices/{deleted}", {"invoice": {"vis_state": 1}})
    world.lose_ledger()
    world.sync()
    for number in (order, other):
        assert len(world.invoices(f"A{number}")) == 1
        assert world.row(number).reason == "number_taken"


def test_a_number_too_long_is_told_as_that(world: Any) -> None:
    world.switch(fb__invoice_number_max=5)
    world.settings["invoice_number_prefix"] = "MYSHOP-"
    order = world.synced()
    assert world.row(order).reason == "number_too_long"
    assert world.books()["invoices"] == []


def test_a_cancelled_order_is_parked_or_its_invoice_deleted(world: Any) -> None:
    order = world.synced()
    world.change_and_sync(order, "cancel")
    assert world.row(order).reason == "cancelled_after_posting"
    assert world.paid(order) == [D("11.00")]
    world.sync(on_cancel="delete")
    assert world.invoice(order)["vis_state"] == 1
    assert world.row(order).state == "waiting"


@pytest.mark.parametrize("rounding", ["per_line", "per_tax"])
@pytest.mark.parametrize("mode", ["half_up", "half_even"])
def test_the_total_is_right_however_freshbooks_rounds(world: Any, rounding: str, mode: str) -> None:
    world.switch(fb__tax_rounding=rounding, fb__rounding_mode=mode)
    tax = {"name": "T", "percent": "8.875"}
    lines = [
        {"name": f"Thing {n}", "sku": f"T{n}", "price": price, "quantity": n, "taxes": [tax]}
        for n, price in enumerate(("9.0909", "0.35", "19.99", "3.33", "7.77"), start=1)
    ]
    order = world.synced(lines=lines)
    truth = world.control("GET", f"truth?order_id={order}")["orders"][0]
    assert world.total(order) == D(truth["total"])
    assert world.row(order).state == "posted"


def test_totals_that_do_not_add_up_leave_a_draft_and_a_reason(world: Any) -> None:
    order = world.synced(override={"total_inc_tax": "31.00", "total_ex_tax": "29.50"})
    assert world.row(order).reason == "total_mismatch"
    assert world.invoice(order)["status"] == DRAFT
    assert world.paid(order) == []


def test_a_draft_that_a_person_made_right_is_sent_and_paid_on_replay(world: Any) -> None:
    order = world.synced(override={"total_inc_tax": "31.00", "total_ex_tax": "29.50"})
    line = {"name": "Mug", "qty": "1", "unit_cost": {"amount": "31.00", "code": "USD"}}
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"lines": [line]}})
    world.ctl("replay", str(order))
    assert world.row(order).state == "posted"
    assert world.total(order) == D("31.00")
    assert sum(world.paid(order)) == D("31.00")
    assert world.writes_of(world.sync) == 0


def test_a_payment_whose_transaction_is_not_shown_is_left_alone(world: Any) -> None:
    order = world.place()
    said = world.messages()
    world.sync(said)
    world.lose_ledger()
    without = "\n".join(line for line in said.splitlines() if '"transactions"' not in line)
    assert world.writes_of(lambda: world.sync(without + "\n")) == 0
    assert world.paid(order) == [D("11.00")]
    assert world.row(order).reason == "payment_unexplained"
    world.sync(said)
    assert world.row(order).state == "posted"


def test_one_bad_order_holds_nobody_up(world: Any) -> None:
    good = [world.place() for _ in range(3)]
    bad = world.place(currency="BHD", pay=None)
    more = world.synced()
    assert world.row(bad).reason == "unsupported_currency"
    assert all(world.row(order).state == "posted" for order in [*good, more])


def test_a_parked_order_is_tried_again_only_when_something_new_arrives(world: Any) -> None:
    order = world.place(billing={"first_name": "No", "last_name": "Mail"})
    said = world.messages()
    world.sync(said)
    assert world.row(order).reason == "no_client"
    asked = world.row(order).updated_at
    world.sync(said)
    assert world.row(order).updated_at == asked
    world.settings["generic_client"] = "Counter sales"
    world.sync(said)
    assert world.row(order).state == "posted"


def test_client_and_item_follow_the_shop_and_invoices_do_not(world: Any) -> None:
    customer = world.control("POST", "shop/customers", JANE_AS_CUSTOMER)["id"]
    order = world.synced(customer_id=customer)
    world.control("POST", f"shop/customers/{customer}", {"company": "Doe & Daughters"})
    world.sync()
    (client,) = world.books()["clients"]
    assert client["organization"] == "Doe & Daughters"
    assert world.invoice(order)["organization"] != "Doe & Daughters"
    assert world.writes_of(world.sync) == 0


JANE_AS_CUSTOMER = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}


def test_one_client_for_an_email_however_it_is_spelt(world: Any) -> None:
    world.place(billing={"first_name": "A", "email": "Same@Shop.example"})
    world.synced(billing={"first_name": "A", "email": "same@shop.EXAMPLE"})
    assert len(world.books()["clients"]) == 1


def writes_made(world: Any, since: int) -> list[str]:
    """Kinds of the writes in the journal behind its first rows."""
    with world.ledger() as ledger:
        rows = list(ledger.audit.rows())[since:]
    return [row.data["kind"] for row in rows if row.event == "intended"]


def planned_writes(world: Any, order: int) -> list[str]:
    """Kinds of the writes that the order's plan foresees; its records are in the ledger."""
    (plan,) = world.ctl("plan", str(order))
    return [step["kind"] for step in plan["steps"]]


def journal(world: Any) -> int:
    with world.ledger() as ledger:
        return len(list(ledger.audit.rows()))


def test_a_plan_foresees_no_rounding_line_that_the_run_does_not_write(world: Any) -> None:
    """Three ways of rounding come to other totals; the likeliest is the shop's own."""
    tax = {"name": "T", "percent": "7.5"}
    small = [{"name": f"Pin {n}", "price": "0.60", "taxes": [tax]} for n in range(5)]
    order = world.synced(
        rounding_strategy="RATE_ROUNDING", lines=[{"name": "Pin", "price": "1.00"}]
    )
    world.change(order, "lines", lines=small)
    messages = world.messages()
    world.settings["dry_run"] = True
    world.sync(messages)
    foreseen, before = planned_writes(world, order), journal(world)
    world.settings["dry_run"] = False
    world.sync(messages)
    assert foreseen == writes_made(world, before)
    assert [line["name"] for line in world.invoice(order)["lines"]] == [
        row["name"] for row in small
    ]


def test_a_dry_run_writes_nothing_and_lets_no_state_out(world: Any) -> None:
    order = world.place()
    world.settings["dry_run"] = True
    states: list[Any] = []
    assert world.writes_of(lambda: states.extend(world.sync())) == 0
    assert states == []
    world.sync(dry_run=False)
    assert world.row(order).state == "posted"


def test_the_plan_shows_the_invoice_and_the_steps(world: Any) -> None:
    order = world.place()
    world.sync(dry_run=True)
    world.settings["dry_run"] = False
    (plan,) = world.ctl("plan", str(order))
    assert plan["invoice"]["total"] == "11.00"
    assert plan["invoice"]["lines"][0]["taxes"] == [{"name": "State Tax", "percent": "10"}]
    kinds = [step["kind"] for step in plan["steps"]]
    assert kinds == [
        "create_client",
        "create_item",
        "create_invoice",
        "mark_sent",
        "create_payment",
    ]
    world.sync()
    (plan,) = world.ctl("plan", str(order))
    assert plan["steps"] == []


def test_verify_finds_what_was_changed_missing_or_tampered_with(world: Any) -> None:
    edited, deleted, fine = (world.place() for _ in range(3))
    world.sync()
    assert world.ctl("verify")["findings"] == []
    line = {"name": "Mug", "qty": "2", "unit_cost": {"amount": "9.00", "code": "USD"}}
    world.put(f"invoices/invoices/{world.invoice(edited)['id']}", {"invoice": {"lines": [line]}})
    world.put(f"invoices/invoices/{world.invoice(deleted)['id']}", {"invoice": {"vis_state": 1}})
    found = {row["order_id"]: row["kind"] for row in world.ctl("verify")["findings"]}
    assert found == {edited: "edited", deleted: "missing"}
    assert world.code == 1
    assert fine not in found


def test_the_report_is_its_owner_s_alone_whatever_the_umask(world: Any, tmp_path: Any) -> None:
    world.synced(created="2026-10-05T12:00:00+00:00")
    out = tmp_path / "kept" / "out"
    before = os.umask(0)
    try:
        for _ in range(2):  # made, and made anew
            told = world.ctl("report", "--month", "2026-10", "--output", str(out))
    finally:
        os.umask(before)
    made = sorted(told[name] for name in ("html", "csv", "payments_csv"))
    assert sorted(map(str, out.iterdir())) == made
    assert {oct(file.stat().st_mode & 0o777) for file in out.iterdir()} == {"0o600"}
    assert {oct(one.stat().st_mode & 0o777) for one in (out, out.parent)} == {"0o700"}


def test_the_report_puts_both_sides_next_to_each_other(world: Any, tmp_path: Any) -> None:
    order = world.synced(created="2026-10-05T12:00:00+00:00")
    told = world.ctl("report", "--month", "2026-10", "--output", str(tmp_path / "out"))
    assert told["agrees"] is True
    assert told["totals"][0]["difference"] in {"0", "0.00"}
    assert str(order) in (tmp_path / "out" / "report-2026-10.csv").read_text()


def test_state_leaves_at_each_state_message_and_never_before_its_orders(world: Any) -> None:
    for _ in range(3):
        world.place()
    said = world.messages()
    states = world.sync(said)
    assert states, "the target let no state out"
    last = [json.loads(line) for line in said.splitlines() if '"STATE"' in line][-1]
    assert states[-1] == last["value"]


def test_a_broken_input_stops_the_run_after_what_came_before_is_booked(world: Any) -> None:
    order = world.place()
    said = world.messages()
    with pytest.raises(ValueError, match="not JSON"):
        world.sync(said + '{"type": "RECORD", "stream": "orders", "rec')
    assert len(world.invoices(order)) <= 1
    world.sync(said)
    assert world.row(order).state == "posted"


@pytest.mark.parametrize("rounding", ["per_line", "per_tax"])
@pytest.mark.parametrize("mode", ["half_up", "half_even"])
def test_a_refund_never_leaves_the_invoice_overpaid_for_a_moment(
    world: Any, rounding: str, mode: str
) -> None:
    # 18.00 with 8.25 % is 1.485: nobody knows which way FreshBooks rounds a negative line.
    world.switch(
        fb__tax_rounding=rounding, fb__rounding_mode=mode, fb__overpaid_after_line="credit"
    )
    tax = {"name": "T", "percent": "8.25"}
    lines = [{"name": "Mug", "sku": "M", "price": "18.00", "quantity": 2, "taxes": [tax]}]
    order = world.synced(lines=lines)
    world.change_and_sync(order, "refund", lines=[{"line": 0, "quantity": 1}])
    assert world.row(order).state == "posted"
    assert [world.total(order)] == world.paid(order)
    assert world.books()["credit_notes"] == []
    assert world.writes_of(world.sync) == 0


def test_a_guest_who_registers_keeps_the_client(world: Any) -> None:
    world.synced()
    customer = world.control("POST", "shop/customers", JANE_AS_CUSTOMER | {"first_name": "Janet"})
    world.synced(customer_id=customer["id"])
    assert len(world.books()["clients"]) == 1
    assert world.writes_of(world.sync) == 0


def test_a_client_is_found_whatever_the_case_and_however_freshbooks_searches(world: Any) -> None:
    world.switch(fb__email_search_case="exact")
    for email in ("Ann.Lee@Example.com", "ANN.LEE@example.com", "ann.lee@example.com"):
        world.place(billing={"first_name": "Ann", "email": email})
    world.sync()
    world.is_found_again()
    assert len(world.books()["clients"]) == 1


def test_two_products_of_one_sku_share_the_item_and_keep_their_names(world: Any) -> None:
    lines = [
        {"name": "Blue mug", "sku": "DUP", "product_id": 79, "price": "5.00"},
        {"name": "Red mug", "sku": "DUP", "product_id": 80, "price": "6.00"},
    ]
    order = world.synced(lines=lines)
    first, second = world.invoice(order)["lines"]
    assert (first["name"], second["name"]) == ("Blue mug", "Blue mug")
    assert "Red mug" in second["description"]
    assert len(world.books()["items"]) == 1
    assert world.writes_of(world.sync) == 0


def test_the_plan_of_a_new_order_goes_on_to_its_refunds(world: Any) -> None:
    order = world.place()
    world.change(order, "refund", order_amount="4.00")
    world.sync(dry_run=True)
    assert world.target.tally is not None
    assert world.target.tally.parked == {}
    world.settings["dry_run"] = False
    (plan,) = world.ctl("plan", str(order))
    kinds = [step["kind"] for step in plan["steps"]]
    assert kinds[-2:] == ["update_payment", "update_invoice"]
    assert plan["outcome"] == "posted"


@pytest.mark.parametrize("on_cancel", ["park", "delete"])
def test_a_cancelled_order_is_noticed_with_the_ledger_lost(world: Any, on_cancel: str) -> None:
    order = world.synced()
    world.change(order, "cancel")
    world.lose_ledger()
    world.sync(on_cancel=on_cancel)
    if on_cancel == "park":
        assert world.row(order).reason == "cancelled_after_posting"
        assert world.paid(order) == [D("11.00")]
    else:
        assert world.invoice(order)["vis_state"] == 1
        assert world.row(order).state == "waiting"
    assert world.writes_of(world.sync) == 0
