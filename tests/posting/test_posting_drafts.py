"""With `post_as: draft` invoices are proven and kept as Drafts, until a person has them sent."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

DRAFT, PAID = 1, 4


pytestmark = pytest.mark.more


@pytest.fixture
def drafting(world: Any) -> Any:
    world.settings["post_as"] = "draft"
    return world


def test_an_invoice_is_made_and_proven_but_kept_a_draft_without_payments(drafting: Any) -> None:
    order = drafting.place()
    states = drafting.sync()
    assert states
    assert (drafting.invoice(order)["status"], drafting.total(order)) == (DRAFT, 11)
    assert drafting.payments(order) == []
    row = drafting.row(order)
    assert (row.state, row.reason) == ("waiting", "draft")
    assert drafting.writes_of(drafting.sync) == 0
    told = drafting.ctl("status")
    assert [one["order_id"] for one in told["drafts"]] == [order]
    assert told["waiting_orders"] == {}
    assert drafting.ctl("verify")["findings"] == []


def test_a_draft_whose_total_does_not_agree_is_parked_as_ever(drafting: Any) -> None:
    order = drafting.synced(override={"total_inc_tax": "99.00", "total_ex_tax": "90.00"})
    assert drafting.row(order).reason == "total_mismatch"
    assert [one["order_id"] for one in drafting.ctl("status")["drafts"]] == []


@pytest.mark.parametrize("named", [True, False])
def test_replay_send_goes_on_with_drafts(drafting: Any, named: bool) -> None:
    first, second = drafting.place(), drafting.place()
    drafting.sync()
    told = drafting.ctl("replay", "--send", *([str(first)] if named else []))
    assert (told["replayed"], told["posted"]) == ((1, 1) if named else (2, 2))
    assert (drafting.invoice(first)["status"], drafting.paid(first)) == (PAID, [11])
    assert drafting.invoice(second)["status"] == (DRAFT if named else PAID)
    assert drafting.writes_of(drafting.sync) == 0
    assert drafting.ctl("verify")["findings"] == []


def test_replay_without_send_leaves_a_draft_one(drafting: Any) -> None:
    order = drafting.synced()
    assert drafting.ctl("replay", str(order))["waiting"] == 1
    assert drafting.ctl("replay", str(order), "--settings", "current")["waiting"] == 1
    assert drafting.invoice(order)["status"] == DRAFT


def test_a_draft_stays_one_when_the_setting_changes_and_new_orders_are_sent(
    drafting: Any,
) -> None:
    kept = drafting.synced()
    drafting.settings["post_as"] = "sent"
    new = drafting.place()
    drafting.change_and_sync(kept, "status", status_id=10)
    drafting.ctl("replay", str(kept), "--settings", "current")
    assert (drafting.invoice(kept)["status"], drafting.row(kept).reason) == (DRAFT, "draft")
    assert drafting.invoice(new)["status"] == PAID
    assert drafting.ctl("replay", "--send")["posted"] == 1
    assert drafting.paid(kept) == [11]


def test_a_draft_that_was_to_be_sent_is_finished_under_draft_mode_too(world: Any) -> None:
    order = world.place()
    refusal = {"response": {"errors": [{"errno": 1004, "field": "x", "message": "no"}]}}
    world.fault(
        kind="status",
        method="PUT",
        path="invoices/invoices",
        status=422,
        times=1,
        answer=json.dumps(refusal),
    )
    world.sync()
    assert (world.invoice(order)["status"], world.row(order).state) == (DRAFT, "parked")
    world.settings["post_as"] = "draft"
    assert world.ctl("replay", str(order))["posted"] == 1
    assert world.invoice(order)["status"] == PAID


@pytest.mark.parametrize("price", ["12.00", "10.00"])
def test_a_draft_is_kept_up_to_date_with_the_order(drafting: Any, price: str) -> None:
    order = drafting.synced()
    tax = {"name": "State Tax", "percent": "10"}
    line = {"name": "Cup", "sku": "CUP", "price": price, "taxes": [tax]}
    drafting.change_and_sync(order, "lines", lines=[line])
    invoice = drafting.invoice(order)
    assert [one["name"] for one in invoice["lines"]] == ["Cup"]
    assert (invoice["status"], drafting.total(order)) == (DRAFT, Decimal(price) * Decimal("1.1"))
    assert drafting.row(order).reason == "draft"
    assert drafting.writes_of(drafting.sync) == 0
    drafting.ctl("replay", "--send")
    assert drafting.paid(order)[0] <= drafting.total(order)


def test_refunds_are_booked_once_a_draft_is_sent(drafting: Any) -> None:
    order = drafting.synced()
    drafting.change_and_sync(order, "refund", order_amount="4.00")
    assert (drafting.invoice(order)["status"], drafting.total(order)) == (DRAFT, 11)
    drafting.ctl("replay", "--send")
    assert (drafting.total(order), drafting.paid(order)) == (7, [7])
    assert drafting.ctl("verify")["findings"] == []


def test_a_bookkeepers_edit_that_keeps_the_total_is_sent_as_it_is(drafting: Any) -> None:
    order = drafting.synced()
    line = {"name": "Two cups", "qty": "1", "unit_cost": {"amount": "11.00", "code": "USD"}}
    invoice_id = drafting.invoice(order)["id"]
    drafting.put(f"invoices/invoices/{invoice_id}", {"invoice": {"lines": [line]}})
    drafting.ctl("replay", "--send")
    invoice = drafting.invoice(order)
    assert (invoice["status"], invoice["lines"][0]["name"]) == (PAID, "Two cups")


def test_a_lost_ledger_keeps_its_drafts_under_draft_mode(drafting: Any) -> None:
    order = drafting.synced()
    drafting.lose_ledger()
    assert drafting.writes_of(drafting.sync) == 0
    assert (drafting.invoice(order)["status"], drafting.row(order).reason) == (DRAFT, "draft")


def test_the_months_report_shows_a_draft_as_its_orders_and_not_as_somebody_elses(
    drafting: Any,
) -> None:
    order = drafting.synced()
    month = str(drafting.row(order).order_date)[:7]
    drafting.ctl("report", "--month", month, "--output", str(drafting.home))
    page = (drafting.home / f"report-{month}.html").read_text(encoding="utf-8")
    assert "needs a person: draft" in page
    assert "Other invoices of the month" not in page


@pytest.mark.parametrize(
    ("by_hand", "kind"),
    [({"vis_state": 1}, "missing"), ({"action_mark_as_sent": True}, "edited")],
)
@pytest.mark.parametrize("retained", [True, False])
def test_a_draft_that_a_person_deleted_or_sent_is_told_by_verify_and_needs_one_in_the_report(
    drafting: Any, by_hand: dict[str, Any], kind: str, retained: bool
) -> None:
    order = drafting.synced()
    drafting.put(f"invoices/invoices/{drafting.invoice(order)['id']}", {"invoice": by_hand})
    if not retained:
        with drafting.ledger() as ledger:
            ledger.retention.prune(timedelta(0))
    (finding,) = drafting.ctl("verify")["findings"]
    assert (finding["order_id"], finding["kind"]) == (order, kind)
    month = str(drafting.row(order).order_date)[:7]
    told = drafting.ctl("report", "--month", month, "--output", str(drafting.home))
    assert told["standing"] | {"agrees": 0, "person": 1} == told["standing"]


def test_a_draft_that_a_person_corrects_before_it_is_sent_is_no_edit(drafting: Any) -> None:
    order = drafting.synced()
    line = {"name": "Two cups", "qty": "1", "unit_cost": {"amount": "11.00", "code": "USD"}}
    path = f"invoices/invoices/{drafting.invoice(order)['id']}"
    drafting.put(path, {"invoice": {"lines": [line]}})
    assert drafting.ctl("verify")["findings"] == []
