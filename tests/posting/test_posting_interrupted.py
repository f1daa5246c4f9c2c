"""Posting that breaks off, fails for some orders, or goes on beside others."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update
from target_freshbooks.freshbooks.errors import Forbidden
from target_freshbooks.ledger import Intent, Ledger, LockLost, OrderRow
from target_freshbooks.ledger.storage.tables import locks
from target_freshbooks.posting.apply.circuit_breaker import CircuitBreaker, FreshBooksFails
from target_freshbooks.posting.apply.outcome_lookup import MOST_TRIES, WriteRetry
from target_freshbooks.posting.apply.writer import OutcomeUnknown
from target_freshbooks.posting.reconciler import Reconciler
from target_freshbooks.target import TargetFreshBooks

pytestmark = pytest.mark.more

D = Decimal
JANE_AS_CUSTOMER = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
GUESTS = [
    {"first_name": "Jo", "last_name": "Doe", "email": f"jo{number}@shop.example"}
    for number in range(6)
]


def heal(world: Any) -> None:
    world.control("DELETE", "faults")


def standings(world: Any) -> list[str]:
    """The orders' states, by id."""
    with world.ledger() as ledger:
        return [row.state for row in ledger.orders.all()]


def refuse_to_answer(world: Any, order_id: int, times: int | None) -> None:
    """FreshBooks answers the order's invoice with a server error, so many times."""
    world.settings["max_retry_seconds"] = 0
    number = f'"invoice_number": ?"{order_id}"'
    rule = {"method": "POST", "path": "/invoices/invoices$", "body": number, "status": 500}
    world.fault(kind="status", times=times, **rule)


def test_an_order_whose_errors_have_passed_by_the_end_is_posted(world: Any) -> None:
    unlucky, other = world.place(), world.place()
    refuse_to_answer(world, unlucky, times=1)
    world.sync()
    assert [world.row(order).state for order in (unlucky, other)] == ["posted", "posted"]
    assert world.paid(unlucky) == [D("11.00")]


def test_orders_whose_errors_do_not_pass_are_parked_and_the_others_posted(world: Any) -> None:
    first, *poisoned, last = (world.place() for _ in range(4))
    for order in poisoned:
        refuse_to_answer(world, order, times=None)
    world.sync(max_parallel_orders=1)
    assert [world.row(order).state for order in (first, last)] == ["posted", "posted"]
    assert [world.row(order).reason for order in poisoned] == ["freshbooks_error"] * 2


def test_a_poison_order_at_the_last_place_is_parked_alone(world: Any) -> None:
    first, last = world.place(), world.place()
    refuse_to_answer(world, last, times=None)
    world.settings |= {"max_parallel_orders": 1, "max_retry_seconds": 0}
    world.sync()
    assert world.row(first).state == "posted"
    assert world.row(last).reason == "freshbooks_error"


def refuse_to_show_invoices(world: Any, status: int, skip: int, times: int | None) -> None:
    """Answers to writes lack the lines, and the read that follows the write is refused."""
    world.switch(fb__written_lines="left_out")
    rule = {"method": "GET", "path": r"/invoices/invoices/\d+$", "status": status}
    world.fault(kind="refused", words="Not now.", skip=skip, times=times, **rule)


@pytest.mark.parametrize("status", [404, 422])
@pytest.mark.parametrize(("skip", "written"), [(0, "create_invoice"), (1, "mark_sent")])
def test_a_refused_read_behind_a_write_is_no_refused_write(
    world: Any, status: int, skip: int, written: str
) -> None:
    order = world.place()
    refuse_to_show_invoices(world, status, skip, times=1)
    world.sync()
    assert (world.row(order).state, world.paid(order)) == ("posted", [D("11.00")])
    assert outcomes(world, written) == ["found"]
    with world.ledger() as ledger:
        assert list(ledger.intents.still_open()) == []


@pytest.mark.parametrize("status", [404, 422])
def test_a_refused_read_behind_a_rewriting_is_no_refused_rewriting(world: Any, status: int) -> None:
    order = world.synced()
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "25.00"}])
    refuse_to_show_invoices(world, status, skip=1, times=1)
    world.sync()
    assert (world.row(order).state, world.total(order)) == ("posted", D("25.00"))
    assert outcomes(world, "update_invoice") == ["found"]


def test_an_invoice_that_is_never_shown_parks_its_order_and_is_not_made_again(world: Any) -> None:
    order = world.place()
    refuse_to_show_invoices(world, 422, skip=0, times=None)
    world.sync()
    assert world.row(order).reason == "refused_by_freshbooks"
    heal(world)
    world.ctl("replay", str(order))
    assert (world.row(order).state, world.paid(order)) == ("posted", [D("11.00")])
    assert outcomes(world, "create_invoice") == ["found"]


def outcomes(world: Any, kind: str) -> list[str]:
    """What the journal says came of each write of a kind."""
    with world.ledger() as ledger:
        rows = [row for row in ledger.audit.rows() if row.data.get("kind") == kind]
        return [row.event for row in rows if row.event != "intended"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [("delete_invoice", '"vis_state": ?1'), ("update_client", '"organization"')],
)
def test_a_change_whose_answer_was_lost_is_looked_for_and_not_made_again(
    world: Any, kind: str, body: str
) -> None:
    customer = world.control("POST", "shop/customers", {**JANE_AS_CUSTOMER, "company": "Doe Ltd"})[
        "id"
    ]
    order = world.place(customer_id=customer)
    world.sync(on_cancel="delete")
    world.change(order, "cancel")
    world.control("POST", f"shop/customers/{customer}", {"company": "Doe & Co"})
    path = "/invoices/invoices/" if kind == "delete_invoice" else "/users/clients/"
    world.fault(kind="reset_after", method="PUT", path=path, body=body, times=1)
    world.sync()
    assert outcomes(world, kind) == ["found"]
    assert world.invoice(order)["vis_state"] == 1
    assert world.row(order).state == "waiting"
    assert world.writes_of(world.sync) == 0


# -- verdicts that a broken-off run leaves behind


def test_a_refund_that_broke_off_and_was_declined_leaves_the_books_as_before(world: Any) -> None:
    order = world.synced()
    (refund,) = world.change(order, "refund", order_amount="4.00")["refunds"]
    world.fault(kind="refused", status=403, errno=1042, method="PUT", path="/invoices/invoices/")
    with pytest.raises(Forbidden):
        world.sync()
    assert world.paid(order) == [D("7.00")], "broken off between the payment and the lines"
    heal(world)
    world.change_and_sync(order, "decline_refund", refund_id=refund)
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert world.writes_of(world.sync) == 0


def test_an_order_that_broke_off_is_finished_though_the_shop_says_no_more_of_it(
    world: Any,
) -> None:
    order = world.synced()
    world.change(order, "refund", order_amount="4.00")
    world.fault(kind="refused", status=403, errno=1042, method="PUT", path="/invoices/invoices/")
    with pytest.raises(Forbidden):
        world.sync()
    heal(world)
    said = world.messages().splitlines(keepends=True)
    world.sync("".join(line for line in said if json.loads(line)["type"] != "RECORD"))
    assert (world.total(order), world.paid(order)) == (D("7.00"), [D("7.00")])


# -- the time that an answer is waited for


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/credit_notes$", "credit_notes"),
        pytest.param("/users/clients$", "clients", marks=pytest.mark.sweep),
    ],
)
def test_a_write_that_left_late_and_whose_answer_was_lost_is_not_made_twice(
    world: Any, path: str, kind: str
) -> None:
    """Its intent is older than the settle time, since a 429 held it back; searches lag behind."""
    world.settings["stored_value"] = "payment"
    customer = world.control("POST", "shop/customers", JANE_AS_CUSTOMER)["id"]
    order = world.place(customer_id=customer)
    if kind == "credit_notes":
        world.sync()
        credit = [{"provider": "storecredit"}]
        world.change(order, "refund", order_amount="4.00", to=credit)
    world.settings |= {"max_retry_seconds": 30, "settle_seconds": 3}
    messages = world.messages()
    world.switch(fb__stale_search_seconds=2)
    late = {"method": "POST", "path": path}
    world.fault(kind="status", status=429, headers={"Retry-After": "4"}, times=1, **late)
    world.killed_in_write(messages, when="after", **late)
    world.sync()
    assert len(world.books()[kind]) == 1
    assert standings(world) == ["posted"]


@pytest.mark.parametrize(
    ("kind", "path", "looks"), [("clients", "/users/clients", 2), ("items", "/items/items", 1)]
)
def test_what_another_order_left_without_an_answer_is_not_made_again(
    world: Any, kind: str, path: str, looks: int
) -> None:
    """The first order breaks off as it looks what came of it; no search shows it to the second."""
    orders = [world.place(billing=GUESTS[0]) for _ in range(2)]
    world.settings |= {"max_parallel_orders": 1, "max_retry_seconds": 0, "settle_seconds": 3}
    messages = world.messages()
    world.switch(fb__stale_search_seconds=2)
    world.fault(kind="reset_after", method="POST", path=f"{path}$", times=1)
    world.fault(kind="status", status=500, method="GET", path=f"{path}$", skip=looks, times=1)
    world.sync(messages)
    assert len(world.books()[kind]) == 1
    assert [world.row(order).state for order in orders] == ["posted", "posted"]


# -- who is to blame


def test_an_order_whose_invoice_cannot_be_read_holds_nobody_up(world: Any) -> None:
    poisoned = world.synced()
    invoice = world.invoice(poisoned)["id"]
    world.change(poisoned, "refund", order_amount="4.00")
    for guest in GUESTS[:3]:
        world.place(billing=guest)
    world.settings["max_retry_seconds"] = 1
    world.fault(kind="status", status=500, method="GET", path=f"/invoices/invoices/{invoice}$")
    world.sync()
    assert standings(world) == ["parked", "posted", "posted", "posted"]
    assert world.row(poisoned).reason == "freshbooks_error"
    # It comes again, all alone: that it is to blame is known by now.
    world.change_and_sync(poisoned, "touch")
    assert world.row(poisoned).state == "parked"


def test_where_nothing_can_be_read_nobody_is_parked(world: Any) -> None:
    for guest in GUESTS[:4]:
        world.place(billing=guest)
    world.settings["max_retry_seconds"] = 1
    world.fault(kind="status", status=500, method="GET", path="/invoices/invoices")
    with pytest.raises(FreshBooksFails):
        world.sync()
    assert set(standings(world)) == {"new"}


def test_an_outage_of_one_kind_of_write_parks_nobody(world: Any) -> None:
    """New invoices cannot be made, but meanwhile the payment of an older order goes through."""
    captured = world.synced(pay="authorize")
    placed = [world.place(billing=guest) for guest in GUESTS[:3]]
    world.change(captured, "capture", amount="11.00")
    world.fault(kind="status", status=503, method="POST", path="/invoices/invoices$")
    # Its payment is begun when the new invoices have failed already.
    older = f"/invoices/invoices/{world.invoice(captured)['id']}$"
    world.fault(kind="slow", method="GET", path=older, delay_ms=700)
    with pytest.raises(FreshBooksFails):
        world.sync()
    assert world.paid(captured) == [D("11.00")]
    assert {world.row(order).state for order in placed} == {"new"}
    heal(world)
    world.sync()
    assert set(standings(world)) == {"posted"}


def test_a_deleted_payment_that_freshbooks_shows_no_more_counts_as_deleted(world: Any) -> None:
    world.switch(fb__payment_put_zero="refuse", fb__deleted_get="missing")
    order = world.synced()
    world.change(order, "refund", everything=True)
    world.fault(
        kind="reset_after", method="PUT", path="/payments/payments/", body="vis_state", times=1
    )
    world.sync()
    assert outcomes(world, "delete_payment") == ["found"]
    assert (world.total(order), world.paid(order)) == (D("0.00"), [])
    assert world.row(order).state == "posted"


# -- names


def test_a_product_called_like_a_refund_is_no_refund(world: Any) -> None:
    named = {"name": "Refund 5", "sku": "RF", "price": "10.00"}
    order = world.synced(lines=[named, {"name": "Mug", "sku": "M", "price": "1.00"}])
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    world.change_and_sync(order, "refund", order_amount="4.00")
    assert (world.total(order), world.paid(order)) == (D("7.00"), [D("7.00")])
    assert world.writes_of(world.sync) == 0


def test_a_customer_of_several_e_mails_is_one_client(world: Any) -> None:
    customer = world.control("POST", "shop/customers", JANE_AS_CUSTOMER)["id"]
    for guest in GUESTS:
        world.place(customer_id=customer, billing=guest)
    said = world.messages().splitlines(keepends=True)
    # Without the customer's own record each order brings the e-mail of its billing address.
    world.fault(kind="slow", method="POST", path="/users/clients$", delay_ms=300)
    world.sync("".join(line for line in said if json.loads(line).get("stream") != "customers"))
    assert len(world.books()["clients"]) == 1


def test_freshbooks_words_on_a_customer_are_not_logged(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    customer = world.control("POST", "shop/customers", JANE_AS_CUSTOMER)["id"]
    world.synced(customer_id=customer)
    world.control("POST", f"shop/customers/{customer}", {"first_name": "Zoebarbara"})
    error = {"errno": 1017, "field": "fname", "message": "'Zoebarbara' is long", "object": "client"}
    answer = json.dumps({"response": {"errors": [error]}})
    world.fault(kind="status", status=422, method="PUT", path="/users/clients/", answer=answer)
    world.sync()
    said = [record.getMessage() for record in caplog.records]
    assert any("refused the change of customers" in line for line in said)
    assert not any("Zoebarbara" in line for line in said)


# -- what FreshBooks makes of lines

SMALL = [
    {
        "name": name,
        "sku": name.upper(),
        "price": "0.99",
        "taxes": [{"name": "State Tax", "percent": "8.875"}],
    }
    for name in ("Bead", "Hook", "Clasp")
]
"""Lines whose taxes come to another sum when each is rounded: 3.24, not 3.23."""


def test_an_edited_order_that_needs_a_rounding_line_is_not_taken_for_an_edited_invoice(
    world: Any,
) -> None:
    """The shop rounds the tax of each line, FreshBooks that of their sum."""
    world.switch(fb__tax_rounding="per_tax")
    order = world.synced(
        rounding_strategy="RATE_ROUNDING", lines=[{"name": "Pin", "price": "1.00"}]
    )
    world.change(order, "lines", lines=SMALL)
    assert world.writes_of(world.sync) > 2, "one wording did not do"
    assert world.row(order).state == "posted"
    assert world.total(order) == D("3.24")
    assert world.writes_of(world.sync) == 0


def test_an_edit_that_broke_off_before_its_total_was_proven_is_finished(world: Any) -> None:
    world.switch(fb__tax_rounding="per_tax")
    order = world.synced(
        rounding_strategy="RATE_ROUNDING", lines=[{"name": "Pin", "price": "1.00"}]
    )
    world.change(order, "lines", lines=SMALL)
    rule = {"method": "PUT", "path": "/invoices/invoices/", "body": '"lines"', "skip": 1}
    world.fault(kind="refused", status=403, errno=1042, times=1, **rule)
    with pytest.raises(Forbidden):
        world.sync()
    world.sync()
    assert world.row(order).state == "posted"
    assert world.total(order) == D("3.24")


@pytest.mark.parametrize(("rounding", "mode"), [("per_line", "half_even"), ("per_tax", "half_up")])
def test_lines_whose_answers_are_all_lost_are_not_written_again_and_again(
    world: Any, rounding: str, mode: str
) -> None:
    """A refund of 18.00 with 8.25 %, 1.485: it is said another way where FreshBooks rounds so."""
    world.switch(fb__tax_rounding=rounding, fb__rounding_mode=mode)
    taxes = [{"name": "State Tax", "percent": "8.25"}]
    order = world.synced(lines=[{"name": "Mug", "price": "18.00", "quantity": 2, "taxes": taxes}])
    world.change(order, "refund", lines=[{"line": 0, "quantity": 1}])
    world.fault(kind="reset_after", method="PUT", path="/invoices/invoices/", body="lines")
    world.sync()
    assert world.row(order).state == "posted"


def test_a_refund_whose_lines_fail_leaves_the_payment_as_it_was(world: Any) -> None:
    order, other = world.place(), world.place(billing=GUESTS[0])
    world.sync()
    (invoice,) = (row for row in world.books()["invoices"] if row["invoice_number"] == str(order))
    for refunded in (order, other):
        world.change(refunded, "refund", order_amount="4.00")
    world.settings |= {"max_retry_seconds": 0, "max_parallel_orders": 1}
    world.fault(kind="status", status=503, method="PUT", path=f"/{invoice['id']}$", body='"lines"')
    world.sync()
    assert world.row(order).reason == "freshbooks_error"
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert (world.total(other), world.paid(other)) == (D("7.00"), [D("7.00")])
    heal(world)
    world.ctl("replay", "--parked")
    assert (world.total(order), world.paid(order)) == (D("7.00"), [D("7.00")])


def test_a_kind_of_write_that_went_well_for_nobody_else_is_an_outage(world: Any) -> None:
    """New orders go well, a refund does not: the order is not to blame for that."""
    order = world.synced()
    world.change(order, "refund", order_amount="4.00")
    new = world.place(billing=GUESTS[0])
    world.settings |= {"max_retry_seconds": 0, "max_parallel_orders": 1}
    world.fault(kind="status", status=503, method="PUT", path="/invoices/", body='"lines"')
    with pytest.raises(FreshBooksFails, match=f"order {order}"):
        world.sync()
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert world.row(new).state == "posted"
    world.ctl("settle", str(order), "--note", "booked by hand")
    world.sync()
    assert world.row(order).state == "settled"


def test_a_credit_note_of_another_amount_left_by_a_broken_off_run_is_taken_back(
    world: Any,
) -> None:
    """A credit of 18.00 with 8.25 %, 1.485: nothing told before how FreshBooks rounds that."""
    world.settings["stored_value"] = "payment"
    world.switch(fb__rounding_mode="half_even")
    customer = world.control("POST", "shop/customers", JANE_AS_CUSTOMER)["id"]
    taxes = [{"name": "State Tax", "percent": "8.25"}]
    lines = [{"name": "Mug", "price": "18.00", "quantity": 2, "taxes": taxes}]
    order = world.synced(customer_id=customer, lines=lines)
    back = {"lines": [{"line": 0, "quantity": 1}], "to": [{"provider": "storecredit"}]}
    world.change(order, "refund", **back)
    world.fault(
        kind="refused", status=403, errno=1042, method="PUT", path="/credit_notes/", times=1
    )
    with pytest.raises(Forbidden):
        world.sync()
    world.sync()
    assert world.row(order).state == "posted"
    assert outcomes(world, "delete_credit_note") == ["not_sent", "done"]
    assert len([n for n in world.books()["credit_notes"] if not n["vis_state"]]) == 1


def test_a_credit_note_that_was_deleted_by_hand_is_not_given_again(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    customer = world.control("POST", "shop/customers", JANE_AS_CUSTOMER)["id"]
    order = world.synced(customer_id=customer)
    credit = [{"provider": "storecredit"}]
    world.change_and_sync(order, "refund", order_amount="4.00", to=credit)
    (note,) = world.books()["credit_notes"]
    world.put(f"credit_notes/credit_notes/{note['id']}", {"credit_note": {"vis_state": 1}})
    world.change(order, "refund", order_amount="1.00", to=credit)
    assert world.writes_of(world.sync) == 0
    assert world.row(order).reason == "edited_in_freshbooks"


def test_a_write_that_went_well_is_not_held_against_the_next_one() -> None:
    """Of one order and kind two writes may lose their answers in a run: each has its own tries."""
    lookup = SimpleNamespace(resolve=lambda *_args, **_more: False)
    breaker = CircuitBreaker(SimpleNamespace())
    retry = WriteRetry(
        lookup,
        breaker,
        random=Random(1),  # noqa: S311 - jitter
        sleep=lambda _: None,
        max_retry_seconds=60,
    )
    intent = Intent(1, 7, "update_invoice", "7", "h", {}, datetime.now(UTC), "run")
    for _ in range(3):
        for _ in range(MOST_TRIES - 1):
            assert retry.settle(OutcomeUnknown(intent)) is False
        retry.answered(7, "update_invoice", "7", began=0.0)


# -- one order that breaks the accounting


def test_a_defect_at_one_order_parks_it_and_holds_nobody_up(world: Any) -> None:
    broken, sound = world.place(), world.place(billing=GUESTS[0])
    said = []
    for line in world.messages().splitlines(keepends=True):
        message = json.loads(line)
        if message.get("stream") == "orders" and message.get("record", {}).get("id") == broken:
            message["record"]["date_created"] = "0001-01-01T00:00:00Z"  # a day before in Chicago
        said.append(json.dumps(message) + "\n")
    world.sync("".join(said))
    assert world.row(broken).reason == "defect"
    assert world.row(sound).state == "posted"


def test_a_client_that_cannot_be_made_again_parks_its_order_alone(world: Any) -> None:
    world.switch(fb__deleted_client_invoice="refuse")
    world.synced()
    (client,) = world.books()["clients"]
    world.put(f"users/clients/{client['id']}", {"client": {"vis_state": 1}})
    refused, other = world.place(), world.place(billing=GUESTS[0])
    error = {"errno": 1005, "field": "email", "message": "taken", "object": "client"}
    answer = json.dumps({"response": {"errors": [error]}})
    rule = {"method": "POST", "path": "/users/clients$", "body": "jane@shop"}
    world.fault(kind="status", status=422, answer=answer, **rule)
    world.sync()
    assert world.row(refused).reason == "refused_by_freshbooks"
    assert world.row(other).state == "posted"


def test_a_look_that_freshbooks_refuses_parks_its_order_alone(world: Any) -> None:
    refused, other = world.place(), world.place(billing=GUESTS[0])
    answer = json.dumps({"response": {"errors": [{"errno": 1, "message": "no"}]}})
    rule = {"method": "GET", "path": "/invoices/invoices$", "times": 1}
    world.fault(kind="status", status=422, answer=answer, **rule)
    world.sync(max_parallel_orders=1)
    assert world.row(refused).reason == "refused_by_freshbooks"
    assert world.row(other).state == "posted"


# -- whose invoice it is


def test_another_shop_s_order_of_the_same_number_touches_nothing(world: Any) -> None:
    order = world.synced(pay="offline")
    said = world.messages_of("second")
    world.settings["source"] = "second"
    assert world.writes_of(lambda: world.sync(said)) == 0
    with Ledger.open(world.config["ledger_url"], source="second") as ledger:
        (row,) = ledger.orders.all()
        assert row.reason == "number_taken"
    world.change(order, "cancel")
    world.settings |= {"source": "third", "on_cancel": "delete"}
    assert world.writes_of(lambda: world.sync(world.messages_of("third"))) == 0
    assert world.paid(order) == [D("11.00")]


def test_a_cancelled_order_adopted_half_way_is_deleted_with_its_payment(world: Any) -> None:
    order = world.synced()
    world.change(order, "cancel")
    world.lose_ledger()
    world.settings |= {"on_cancel": "delete", "max_retry_seconds": 0}
    world.fault(kind="status", status=403, method="GET", path="/payments/payments", times=1)
    with pytest.raises(Forbidden):
        world.sync()
    world.sync()
    assert world.invoice(order)["vis_state"] == 1
    assert world.payments(order) == []


# -- an account that is gone


def test_an_account_that_is_not_found_any_more_parks_nobody(world: Any) -> None:
    order = world.synced()
    world.change(order, "refund", order_amount="1.00")
    answer = json.dumps(
        {"response": {"errors": [{"errno": 1012, "message": "Account not found.", "field": ""}]}}
    )
    world.fault(kind="status", times=None, path="/accounting/", status=404, answer=answer)
    with pytest.raises(Forbidden):
        world.sync()
    assert "parked" not in standings(world)
    world.control("DELETE", "faults")
    world.sync()
    assert standings(world) == ["posted"]


def test_a_run_that_ended_early_is_known_as_failed(world: Any) -> None:
    world.place()
    world.fault(kind="refused", status=403, errno=1042, method="POST", path="/invoices/invoices$")
    target = TargetFreshBooks(config=world.config)
    with pytest.raises(Forbidden):
        target.run(io.StringIO(world.messages()))
    assert world.ctl("status")["last_runs"][0]["outcome"] == "failed"


def test_a_run_that_lost_the_account_leaves_the_verdict_of_the_run_that_has_it(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.synced()
    reconcile = Reconciler.reconcile

    def late(reconciler: Reconciler, *facts: Any, **asked: Any) -> Any:
        result = reconcile(reconciler, *facts, **asked)
        with world.ledger() as other:
            other.orders.record(OrderRow(order, "parked", reason="refund_mismatch"))
            with other.scope.database.write() as connection:
                connection.execute(update(locks).values(token="another run's"))
        return result

    monkeypatch.setattr(Reconciler, "reconcile", late)
    world.change(order, "status", status_id=2)
    with pytest.raises(LockLost):
        world.sync()
    row = world.row(order)
    assert (row.state, row.reason) == ("parked", "refund_mismatch")


# -- cancelled orders


@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_a_cancelled_order_is_deleted_with_its_credit_notes(world: Any, ledger: str) -> None:
    world.settings["stored_value"] = "payment"
    order = world.synced(
        customer_id=world.control("POST", "shop/customers", JANE_AS_CUSTOMER)["id"]
    )
    world.change_and_sync(order, "refund", order_amount="4.00", to=[{"provider": "storecredit"}])
    world.change(order, "cancel")
    if ledger == "lost":
        world.lose_ledger()
    else:
        world.sync()  # parks it, for a person to decide
    world.settings["on_cancel"] = "delete"
    if ledger == "kept":
        steps = json.dumps(world.ctl("plan", str(order)))
        assert "delete the credit note of the cancelled order" in steps
    world.fault(kind="reset_after", method="PUT", path="/credit_notes/", times=1)
    world.sync()
    assert [note["vis_state"] for note in world.books()["credit_notes"]] == [1]
    assert (world.invoice(order)["vis_state"], world.payments(order)) == (1, [])
    assert outcomes(world, "delete_credit_note") == ["found"]
    assert world.writes_of(world.sync) == 0
    assert world.ctl("verify")["findings"] == []


def test_a_cancelled_order_s_invoice_that_was_edited_by_hand_is_kept(world: Any) -> None:
    order = world.synced()
    more = {"name": "Extra work", "qty": "1", "unit_cost": {"amount": "99.00", "code": "USD"}}
    invoice = world.invoice(order)
    world.put(
        f"invoices/invoices/{invoice['id']}", {"invoice": {"lines": [*invoice["lines"], more]}}
    )
    world.change(order, "cancel")
    world.settings["on_cancel"] = "delete"
    assert world.writes_of(world.sync) == 0
    assert world.row(order).reason == "edited_in_freshbooks"
    world.ctl("replay", "--overwrite", str(order))
    assert world.invoice(order)["vis_state"] == 1


def test_a_cancelled_order_s_invoice_that_bears_another_s_money_is_kept(world: Any) -> None:
    order = world.synced(pay="authorize")
    by_hand = {
        "invoiceid": world.invoice(order)["id"],
        "amount": {"amount": "5.00", "code": "USD"},
        "date": "2026-11-20",
        "type": "Cash",
    }
    world.post("payments/payments", {"payment": by_hand})
    world.change(order, "cancel")
    world.settings["on_cancel"] = "delete"
    for arguments in (["replay", str(order)], ["replay", "--overwrite", str(order)]):
        world.sync()
        world.ctl(*arguments)
        assert world.row(order).reason == "edited_in_freshbooks"
        assert world.invoice(order)["vis_state"] == 0


# -- what is said twice, or in pieces


def without_the_rest(messages: str, *streams: str) -> str:
    """The records of these streams alone, with everything that is no record."""
    lines = messages.splitlines(keepends=True)
    said = [(json.loads(line), line) for line in lines]
    return "".join(
        line for row, line in said if row["type"] != "RECORD" or row["stream"] in streams
    )


def test_an_order_that_is_said_again_without_its_taxes_keeps_them(world: Any) -> None:
    order = world.place()
    said = world.messages()
    world.sync(said)
    assert world.writes_of(lambda: world.sync(without_the_rest(said, "orders"))) == 0
    with world.ledger() as ledger:
        assert ledger.inbox.facts_of(order).children["order_taxes"]


def test_taxes_that_a_state_parts_from_their_order_are_kept(world: Any) -> None:
    world.place()
    said = world.messages()
    state = next(line for line in said.splitlines() if '"STATE"' in line)
    parted = []
    for line in said.splitlines():
        if '"orders"' in line and '"RECORD"' in line:
            parted.append(state)
        parted.append(line)
    world.sync("\n".join(parted) + "\n")
    with world.ledger() as ledger:
        (row,) = ledger.orders.all()
        assert ledger.inbox.facts_of(row.order_id).children["order_taxes"]
    assert world.writes_of(lambda: world.sync(said)) == 0


# -- what the journal and the ledger keep


def test_a_postal_code_does_not_stay_in_the_journal(world: Any) -> None:
    world.synced(billing={**JANE_AS_CUSTOMER, "zip": "K1A-CANARY"})
    with world.ledger() as ledger:
        rows = [str(row.data) for row in ledger.audit.rows()]
    assert any("create_invoice" in row for row in rows)
    assert not any("K1A-CANARY" in row for row in rows)
    assert any("'code': 'USD'" in row for row in rows)
