"""An order keeps the terms it was posted under; a ledger keeps its store and its account."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from connector_sandbox import constants
from target_freshbooks.ledger import AnotherAccount, AnotherStore
from target_freshbooks.posting.apply.brake import Brake, TooManyRewrites
from target_freshbooks.sinks import RecordError

pytestmark = pytest.mark.more

D = Decimal


def taxes(world: Any, order: int) -> set[str]:
    return {line["taxName1"] for line in world.invoice(order)["lines"] if line["taxName1"]}


CHANGED = {
    "tax_mapping": {"State Tax": "Sales tax"},
    "tax_mode": "amount_lines",
    "shipping_line_name": "Freight",
    "timezone": "Pacific/Kiritimati",
    "refund_mode": "credit_note",
    "payment_type_mapping": {"cash": "Other"},
    "invoice_number_prefix": "NEW-",
}


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_a_changed_setting_never_plans_a_posted_order_anew(world: Any, name: str) -> None:
    order = world.synced()
    before = world.invoice(order)
    world.settings[name] = CHANGED[name]
    assert world.writes_of(world.sync) == 0
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0
    assert world.ctl("plan", str(order))[0]["steps"] == []
    assert world.ctl("verify")["findings"] == []
    assert world.invoice(order)["lines"] == before["lines"]


def test_edits_and_refunds_of_a_posted_order_use_its_own_settings(world: Any) -> None:
    order = world.synced()
    world.settings |= {"tax_mapping": {"State Tax": "Sales tax"}, "refund_mode": "credit_note"}
    tax = [{"name": "State Tax", "percent": "10"}]
    line = {"name": "Mug", "sku": "MUG", "price": "20.00", "taxes": tax}
    world.change(order, "lines", lines=[line])
    world.change(order, "refund", order_amount="2.00")
    new = world.synced()
    assert taxes(world, order) == {"State Tax"}
    assert taxes(world, new) == {"Sales tax"}
    assert world.books()["credit_notes"] == []
    assert world.total(order) == D("20.00")


def test_a_person_may_give_an_order_the_settings_of_now(world: Any) -> None:
    order = world.synced()
    world.settings["tax_mapping"] = {"State Tax": "Sales tax"}
    world.ctl("replay", "--settings", "current", str(order))
    assert taxes(world, order) == {"Sales tax"}
    assert world.row(order).state == "posted"
    assert world.writes_of(world.sync) == 0
    assert world.writes_of(lambda: world.ctl("replay", "--settings", "current", str(order))) == 0


def test_an_order_that_is_booked_but_for_what_a_person_has_to_see_to_keeps_its_settings(
    world: Any,
) -> None:
    used = [{"code": "GC", "amount": "3.00", "balance_before": "3.00"}]
    order = world.synced(gift_certificates=used, status_id=14)
    assert (world.row(order).state, world.row(order).reason) == ("parked", "refund_missing")
    assert (world.total(order), world.paid(order)) == (D("8.00"), [D("8.00")])
    world.is_found_again()
    world.settings["stored_value"] = "payment"
    world.change_and_sync(order, "status", status_id=10)
    assert world.row(order).state == "posted"
    assert (world.total(order), world.paid(order)) == (D("8.00"), [D("8.00")])


def test_an_invoice_that_is_sent_keeps_its_settings_though_the_run_died_behind_it(
    world: Any,
) -> None:
    used = [{"code": "GC", "amount": "3.00", "balance_before": "3.00"}]
    order = world.place(gift_certificates=used)
    world.killed_in_write(world.messages(), when="after", method="PUT", path="/invoices/invoices")
    assert world.invoice(order)["v3_status"] != "draft"
    world.settings["stored_value"] = "payment"
    world.sync()
    assert (world.total(order), world.paid(order)) == (D("8.00"), [D("8.00")])


def test_settings_of_now_stay_though_a_person_has_to_see_to_the_order(world: Any) -> None:
    order = world.synced()
    world.change_and_sync(order, "status", status_id=14)
    world.settings["tax_mapping"] = {"State Tax": "Sales tax"}
    world.ctl("replay", "--settings", "current", str(order))
    assert taxes(world, order) == {"Sales tax"}
    tax = [{"name": "State Tax", "percent": "10"}]
    line = {"name": "Mug", "sku": "MUG", "price": "20.00", "taxes": tax}
    world.change_and_sync(order, "lines", lines=[line])
    assert world.total(order) == D("22.00")
    assert taxes(world, order) == {"Sales tax"}


def test_distinct_settings_are_kept_once(world: Any) -> None:
    for _ in range(3):
        world.place()
    world.sync()
    world.settings["shipping_line_name"] = "Freight"
    world.synced()
    with world.ledger() as ledger:
        rows = {row.terms for row in ledger.orders.all()}
    assert len(rows) == 2


def test_the_invoice_s_day_stays_as_it_was_first_posted(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order = world.synced()
    day = world.invoice(order)["create_date"]
    told = re.sub(r'("date_created": ?")20\d\d-\d\d-\d\d', r"\g<1>2020-01-01", world.messages())
    assert world.writes_of(lambda: world.sync(told)) == 0
    assert world.invoice(order)["create_date"] == day
    assert f"stays dated {day}" in caplog.text


# -- whose books these are


def test_an_order_of_another_store_is_refused_and_nothing_is_written(world: Any) -> None:
    order = world.synced()
    before = world.invoice(order)
    world.change(order, "lines", lines=[{"name": "Other", "sku": "OTHER", "price": "39.35"}])
    with pytest.raises(AnotherStore, match=r"abc999.*source.*invoice_number_prefix"):
        world.sync(world.messages_of("abc999"))
    assert world.invoice(order) == before
    assert world.row(order).state == "posted"


def test_one_store_is_not_booked_under_two_sources(world: Any) -> None:
    world.synced()
    world.settings |= {"source": "again", "invoice_number_prefix": "B-"}
    with pytest.raises(AnotherStore, match="invoice its orders twice"):
        world.sync()
    assert len(world.books()["invoices"]) == 1


def test_an_order_that_does_not_say_its_store_is_refused(world: Any) -> None:
    world.place()
    told = "\n".join(
        line.replace('"store_hash":', '"store":') if '"stream":"orders"' in line else line
        for line in world.messages().splitlines()
    )
    with pytest.raises(RecordError, match="store_hash"):
        world.sync(told)
    assert world.books()["invoices"] == []


def test_another_store_s_invoice_of_the_same_number_is_left_alone(world: Any) -> None:
    order = world.place()
    world.sync(world.messages_of("first"))
    world.lose_ledger()
    assert world.writes_of(lambda: world.sync(world.messages_of("second"))) <= 2
    row = world.row(order)
    assert row.reason == "number_taken"
    assert f"order {order} of store first" in row.detail


@pytest.mark.parametrize(
    "notes",
    [
        "see BigCommerce order {}",
        "BigCommerce order {}",
        "see BigCommerce order {} (store sandbox)",
    ],
)
def test_a_draft_made_by_hand_that_mentions_the_order_is_not_ours(world: Any, notes: str) -> None:
    order = world.place()
    client = {"email": "person@shop.example", "organization": "A person's"}
    world.post("users/clients", {"client": client})
    (made,) = world.books()["clients"]
    draft = {
        "customerid": made["id"],
        "create_date": "2026-10-01",
        "invoice_number": str(order),
        "notes": notes.format(order),
        "lines": [{"name": "x", "qty": "1", "unit_cost": {"amount": "11.00", "code": "USD"}}],
    }
    world.post("invoices/invoices", {"invoice": draft})
    before = world.invoice(order)
    world.sync()
    assert world.row(order).reason == "number_taken"
    assert world.invoice(order) == before


def test_a_sent_invoice_of_the_same_total_but_other_lines_is_not_adopted(world: Any) -> None:
    order = world.synced()
    lines = [{"type": 0, "name": "All", "qty": "1", "unit_cost": {"amount": "11.00"}}]
    world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"lines": lines}})
    world.is_found_again()
    assert world.row(order).reason == "edited_in_freshbooks"


def test_names_client_and_day_of_an_adopted_invoice_stay_as_found(world: Any) -> None:
    order = world.synced()
    invoice = world.invoice(order)
    line = {**invoice["lines"][0], "name": "Renamed"}
    body = {"lines": [line], "create_date": "2026-09-09", "fname": "Renamed"}
    world.put(f"invoices/invoices/{invoice['id']}", {"invoice": body})
    world.is_found_again()
    assert world.row(order).state == "posted"
    assert world.ctl("plan", str(order))[0]["steps"] == []
    assert world.ctl("verify")["findings"] == []


@pytest.mark.plans_left
def test_a_ledger_of_another_account_stops_the_run_before_a_write(world: Any) -> None:
    world.synced()
    with world.ledger() as ledger:
        pinned = ledger.ownership.account()
    assert pinned is not None
    assert pinned.account_id == constants.FRESHBOOKS_ACCOUNT_ID
    world.place()
    world.settings["account_id"] = "OTHER1"
    with pytest.raises(AnotherAccount, match=rf"{pinned.account_id}.*OTHER1.*ledger_url"):
        world.sync()
    assert len(world.books()["invoices"]) == 1


def test_a_ledger_that_is_found_again_is_of_the_account_it_was_found_in(world: Any) -> None:
    order = world.synced()
    world.change_and_sync(order, "cancel")
    world.is_found_again()  # without a look for its client
    assert world.row(order).reason == "cancelled_after_posting"
    with world.ledger() as ledger:
        pinned = ledger.ownership.account()
    assert pinned is not None
    assert pinned.account_id == constants.FRESHBOOKS_ACCOUNT_ID


def test_a_ledger_of_clients_that_were_found_is_of_their_account(world: Any) -> None:
    world.settings["client_sync"] = "all"
    customer = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
    world.control("POST", "shop/customers", customer)
    world.sync()
    world.is_found_again()
    with world.ledger() as ledger:
        assert len(list(ledger.links.of_kind("client"))) > 0
        assert ledger.ownership.account() is not None


def test_a_dry_run_pins_no_account(world: Any) -> None:
    world.place()
    world.sync(dry_run=True)
    with world.ledger() as ledger:
        assert ledger.ownership.account() is None
        assert ledger.ownership.store_hash() is None


# -- the brake


@pytest.mark.parametrize("post_as", ["sent", "draft"])
def test_a_run_that_rewrites_many_invoices_of_earlier_runs_stops(world: Any, post_as: str) -> None:
    world.settings["post_as"] = post_as
    orders = [world.place() for _ in range(5)]
    world.sync()
    for order in orders:
        world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "8.00"}])
    world.settings |= {"max_rewritten_invoices": 2, "max_parallel_orders": 1}
    with pytest.raises(TooManyRewrites, match=r"max_rewritten_invoices \(2\)"):
        world.sync()
    assert sum(world.total(order) == D("8.00") for order in orders) == 2
    world.sync(max_rewritten_invoices=20)
    assert sum(world.total(order) == D("8.00") for order in orders) == 5


@pytest.mark.plans_left
@pytest.mark.parametrize("what", ["edited", "voided"])
def test_where_a_run_is_braked_no_payment_is_lowered_for_an_invoice_that_stays(
    world: Any, what: str
) -> None:
    orders = [world.place() for _ in range(4)]
    world.sync()
    for order in orders:
        if what == "voided":
            world.change(order, "refund", everything=True)
            world.change(order, "cancel")
        else:
            world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "8.00"}])
    world.settings |= {"max_rewritten_invoices": 2, "max_parallel_orders": 1}
    world.settings["on_cancel"] = "void"
    with pytest.raises(TooManyRewrites):
        world.sync()
    stand = [(world.total(order), sum(world.paid(order), D(0))) for order in orders]
    assert all(total == paid for total, paid in stand)
    assert sum(total != D("11.00") for total, _ in stand) == 2


@pytest.mark.plans_left
def test_a_rewriting_that_is_under_way_when_the_run_is_braked_is_finished(world: Any) -> None:
    orders = [world.place() for _ in range(2)]
    world.sync()
    for order in orders:
        world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "8.00"}])
    world.settings |= {"max_rewritten_invoices": 1, "max_parallel_orders": 2}
    world.fault(kind="slow", method="PUT", path="/payments/payments/", delay_ms=1000)
    with pytest.raises(TooManyRewrites):
        world.sync()
    stand = [(world.total(order), world.paid(order)) for order in orders]
    assert sorted(stand) == [(D("8.00"), [D("8.00")]), (D("11.00"), [D("11.00")])]


@pytest.mark.plans_left
def test_a_run_that_deletes_many_invoices_stops_too(world: Any) -> None:
    orders = [world.place() for _ in range(4)]
    world.sync()
    for order in orders:
        world.change(order, "cancel")
    world.settings |= {"max_rewritten_invoices": 1, "max_parallel_orders": 1}
    world.settings["on_cancel"] = "delete"
    with pytest.raises(TooManyRewrites):
        world.sync()
    assert [world.invoice(order)["vis_state"] for order in orders].count(1) == 1


def test_new_orders_payments_and_refunds_do_not_count_for_the_brake(world: Any) -> None:
    orders = [world.place() for _ in range(3)]
    world.settings |= {"max_rewritten_invoices": 0}
    world.sync()
    for order in orders:
        world.change(order, "refund", order_amount="4.00")
    world.sync()
    assert [world.total(order) for order in orders] == [D("7.00")] * 3


@pytest.mark.parametrize("when", ["refuse_create", "refuse"])
def test_an_account_that_takes_no_negative_lines_gets_net_lines(world: Any, when: str) -> None:
    world.switch(fb__negative_line=when)
    tax = [{"name": "State Tax", "percent": "10"}]
    line = {"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 2, "taxes": tax}
    order = world.synced(lines=[line], discounts=[{"amount": "5.00"}])
    assert world.row(order).state == "posted"
    assert all(D(line["unit_cost"]["amount"]) >= 0 for line in world.invoice(order)["lines"])
    assert world.paid(order) == [world.total(order)]
    assert taxes(world, order) == {"State Tax"}


@pytest.mark.parametrize("field", ["po_number", "notes"])
def test_a_field_too_short_for_the_mark_leaves_it_to_the_other(world: Any, field: str) -> None:
    world.switch(**{f"fb__{field}_max": 20})
    orders = [world.place() for _ in range(3)]
    world.settings["max_parallel_orders"] = 1
    before = world.writes()
    world.sync()
    assert {world.row(order).state for order in orders} == {"posted"}
    assert world.writes() - before <= 2 + 4 * 3
    world.is_found_again()


def test_a_draft_that_waits_for_a_setting_gets_it(world: Any) -> None:
    world.fault(kind="refused", method="PUT", path="/invoices/", body="mark_as_sent")
    order = world.synced()
    assert world.row(order).state == "parked"
    world.control("DELETE", "faults")
    world.settings["tax_mapping"] = {"State Tax": "Sales tax"}
    world.ctl("replay", "--settings", "current", str(order))
    assert world.row(order).state == "posted"
    assert taxes(world, order) == {"Sales tax"}
    with world.ledger() as ledger:
        terms = ledger.terms.of(order)
        assert terms is not None
        assert terms.settings["tax_mapping"] == [["State Tax", "Sales tax"]]


def test_a_known_invoice_is_looked_at_once(world: Any) -> None:
    order = world.synced()
    world.change(order, "refund", order_amount="4.00")

    def looks() -> int:
        return sum(
            row["count"]
            for row in world.control("GET", "requests")["requests"]
            if row["path"].startswith("/accounting/") and row["method"] == "GET"
        )

    before = looks()
    world.sync()
    assert looks() - before <= 3  # the invoice, its payments, and these again as its total fell


@pytest.mark.plans_left
def test_invoices_that_a_lost_ledger_does_not_know_count_for_the_brake(world: Any) -> None:
    orders = [world.place() for _ in range(3)]
    world.sync()
    lines = [{"type": 0, "name": "All", "qty": "1", "unit_cost": {"amount": "50.00"}}]
    for order in orders:
        world.put(f"invoices/invoices/{world.invoice(order)['id']}", {"invoice": {"lines": lines}})
    world.is_found_again()
    assert {world.row(order).reason for order in orders} == {"edited_in_freshbooks"}
    world.settings |= {"max_rewritten_invoices": 1, "max_parallel_orders": 1}
    with pytest.raises(TooManyRewrites):
        world.ctl("replay", "--parked", "--overwrite")
    assert sum(world.total(order) == D("11.00") for order in orders) == 1


def test_an_invoice_whose_number_turns_out_to_stand_there_already_counts_for_the_brake() -> None:
    brake = Brake(0)
    brake.made(1001)
    brake.before_rewriting(1001, "1001")
    brake.found(1001)
    with pytest.raises(TooManyRewrites):
        brake.before_rewriting(1001, "1001")


def test_an_order_that_is_cancelled_keeps_the_day_of_its_invoice(world: Any) -> None:
    world.settings["closed_through"] = "2026-10-31"
    order = world.synced(created="2026-10-30T18:00:00Z")
    world.ctl("replay", str(order), "--date", "2026-11-20")
    assert str(world.row(order).order_date) == "2026-11-20"
    world.change_and_sync(order, "status", status_id=5)
    assert world.row(order).reason == "cancelled_after_posting"
    assert str(world.row(order).order_date) == "2026-11-20"
    october = world.ctl("report", "--month", "2026-10", "--output", str(world.home))
    november = world.ctl("report", "--month", "2026-11", "--output", str(world.home))
    assert [one["standing"]["person"] for one in (october, november)] == [0, 1]


def test_a_cancelled_order_s_figures_are_of_the_settings_it_was_posted_under(world: Any) -> None:
    used = [{"code": "GC", "amount": "3.00", "balance_before": "3.00"}]
    order = world.synced(gift_certificates=used)
    assert (world.row(order).redeemed, world.total(order)) == (D("3.00"), D("8.00"))
    world.settings["stored_value"] = "payment"
    world.change_and_sync(order, "status", status_id=5)
    assert world.row(order).reason == "cancelled_after_posting"
    assert world.row(order).redeemed == D("3.00")
