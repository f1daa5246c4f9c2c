"""The figures of dry runs and plan files are those of what a run would book."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout
from typing import Any

import pytest
from target_freshbooks.ctl.cli import cli

STORE_CREDIT = [{"provider": "storecredit"}]
CLOSED = {"created": "2026-10-30T18:00:00Z"}
MUGS = {"name": "Mug", "sku": "MUG", "price": "10.00", "quantity": 3}


def shown(world: Any, form: str, order: int) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        command = ["--config", world.config_file(), "plan", "--format", form, str(order)]
        cli.main(command, standalone_mode=False)
    return out.getvalue()


def planned(world: Any, order: int) -> tuple[dict[str, Any], dict[str, str], str, str]:
    """The plan as JSON, its row, its text and its page."""
    document = json.loads(shown(world, "json", order))[0]
    (row,) = csv.DictReader(io.StringIO(shown(world, "csv", order)))
    return document, row, shown(world, "text", order), shown(world, "html", order)


def dry_run(world: Any, caplog: pytest.LogCaptureFixture) -> dict[str, list[str]]:
    """The figures that end a dry run, by what they are of."""
    caplog.set_level("INFO")
    caplog.clear()
    world.sync(dry_run=True)
    world.settings["dry_run"] = False
    lines = [record.getMessage() for record in caplog.records]
    return {line[:46].strip(): line[46:].split() for line in lines if line.startswith("  ")}


REFUNDS = "Refunds that would be booked"


def refunded(world: Any, caplog: pytest.LogCaptureFixture, **asked: Any) -> tuple[int, list[str]]:
    """A posted order with a refund that is not booked, and what a dry run says of refunds."""
    jane = world.control("POST", "shop/customers", {"email": "j@shop.example", "first_name": "J"})
    placed = CLOSED if "closed_through" in asked else {}
    order = world.synced(lines=[MUGS], customer_id=jane["id"], **placed)
    world.settings |= {key: asked.pop(key) for key in [*asked] if key != "to"}
    world.change(order, "refund", lines=[{"line": 0, "quantity": 1}], **asked)
    told = dry_run(world, caplog)[REFUNDS]
    world.sync()
    assert world.row(order).state == "posted"
    assert dry_run(world, caplog).get(REFUNDS, ["0", "0.00"])[0] == "0"
    return order, told


@pytest.mark.parametrize("asked", [{}, {"to": STORE_CREDIT}])
def test_a_refund_is_in_the_figures_of_the_dry_run_that_would_book_it(
    world: Any, caplog: pytest.LogCaptureFixture, asked: dict[str, Any]
) -> None:
    order, told = refunded(world, caplog, **asked)
    assert told == ["1", "-10.00"]
    _, row, text, page = planned(world, order)
    assert row["refunded"] == "10.00"
    said = "as stored value (in the lines)" if asked else "off invoice and payment"
    assert said in text
    assert said in page


@pytest.mark.plans_left
def test_a_refund_that_is_booked_already_is_none_that_would_be(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order = world.synced(lines=[MUGS])
    world.change_and_sync(order, "refund", lines=[{"line": 0, "quantity": 1}])
    world.change(order, "lines", lines=[MUGS | {"quantity": 4}])
    assert dry_run(world, caplog)[REFUNDS] == ["0", "0.00"]


@pytest.mark.parametrize("to", [None, STORE_CREDIT])
def test_a_correction_is_in_the_figures_and_the_files(
    world: Any, caplog: pytest.LogCaptureFixture, to: Any
) -> None:
    asked = {} if to is None else {"to": to}
    closed = {"closed_through": "2026-10-31", "closed_refunds": "correction"}
    order, told = refunded(world, caplog, **closed, **asked)
    assert told == ["1", "-10.00"]
    document, row, text, page = planned(world, order)
    (correction,) = document["invoice"]["corrections"]
    assert correction["money"] == ("10.00" if to is None else "0.00")
    assert correction["stored_value"] == ("0.00" if to is None else "10.00")
    assert row["refunded"] == "10.00"
    assert f"beside the invoice, by {correction['number']} of {correction['date']}" in text
    assert f"beside the invoice, by {correction['number']} of {correction['date']}" in page


def test_a_credit_note_is_in_the_figures_and_the_files(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world.settings["refund_mode"] = "credit_note"
    order, told = refunded(world, caplog, to=STORE_CREDIT)
    assert told == ["1", "-10.00"]
    _, row, _, page = planned(world, order)
    assert row["refunded"] == "10.00"
    assert "as a credit note" in page


def test_a_draft_that_is_there_already_counts_as_sent_if_it_would_be(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order = world.place()
    world.killed_in_write(world.messages(), method="PUT", path="/invoices/invoices/")
    figures = dry_run(world, caplog)
    assert figures["Invoices that would be sent"] == ["1", "11.00"]
    assert figures["Payments that would be recorded"] == ["1", "11.00"]
    assert world.invoice(order)["v3_status"] == "draft"


def test_taxes_are_told_as_the_account_rounds_them(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world.switch(fb__tax_rounding="per_tax")
    tax = [{"name": "Texas Sales Tax", "percent": "8.25"}]
    lines = [{"name": name, "sku": name, "price": "10.00", "taxes": tax} for name in ("A", "B")]
    total = {"override": {"total_inc_tax": "21.65", "total_ex_tax": "20.00"}}
    world.synced(lines=lines, **total)
    order = world.place(lines=lines, **total)
    figures = dry_run(world, caplog)
    assert figures["Texas Sales Tax in them"] == ["1.65"]
    document, row, text, _ = planned(world, order)
    assert document["invoice"]["taxes"] == {"Texas Sales Tax": "1.65"}
    assert (row["taxes"], row["difference"]) == ("1.65", "0.00")
    assert "Difference" not in text
