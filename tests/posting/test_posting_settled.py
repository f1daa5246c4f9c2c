"""An order that a person settled is theirs: no run touches it, and what changes is told."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import click
import pytest
from target_freshbooks.ctl.cli import cli
from target_freshbooks.ledger import Record

pytestmark = pytest.mark.more


NOTE = "booked by hand, payment 77"


def parked(world: Any) -> int:
    """An order that is parked, since its invoice was edited by hand."""
    order: int = world.place()
    world.sync()
    invoice = world.invoice(order)
    line = {"name": "Mug", "qty": "1", "unit_cost": {"amount": "9.00", "code": "USD"}}
    world.put(f"invoices/invoices/{invoice['id']}", {"invoice": {"lines": [line]}})
    world.change_and_sync(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "12.00"}])
    assert world.row(order).reason == "edited_in_freshbooks"
    return order


def test_a_settled_order_is_left_alone_by_runs_and_by_replay(world: Any) -> None:
    order = parked(world)
    told = world.ctl("settle", str(order), "--note", NOTE)
    assert (told["state"], told["was"]) == ("settled", "parked")
    assert world.writes_of(world.sync) == 0
    assert world.target.tally.parked == {}
    for options in ([str(order)], ["--since", "2020-01-01"]):
        before = world.writes()
        told = world.ctl("replay", *options, "--overwrite")
        assert (world.writes() - before, told["replayed"], told["settled"]) == (0, 0, [order])
        assert world.code == (1 if options[0] == str(order) else 0)
    (plan,) = world.ctl("plan", str(order), "--overwrite")
    assert (plan["outcome"], plan["reason"], plan["steps"]) == ("settled", NOTE, [])
    told = world.ctl("status")
    assert (told["settled"], told["parked"]) == (1, 0)
    (settled,) = told["settled_orders"]
    assert (settled["order_id"], settled["note"], settled["changed_since"]) == (order, NOTE, False)


def test_a_settled_order_that_changes_in_the_shop_is_told_once_a_change(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order = parked(world)
    world.ctl("settle", str(order), "--note", NOTE)
    world.sync()
    told = f"Order {order}: changed_after_settling."
    assert told not in caplog.text
    for price in ("13.00", "14.00"):
        caplog.clear()
        world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": price}])
        assert world.writes_of(world.sync) == 0
        world.sync()
        assert caplog.text.count(told) == 1
    (settled,) = world.ctl("status")["settled_orders"]
    assert settled["changed_since"] is True
    assert world.row(order).state == "settled"


def test_a_settled_order_is_left_alone_though_a_part_of_it_stayed_away(world: Any) -> None:
    order = parked(world)
    world.ctl("settle", str(order), "--note", NOTE)
    with world.ledger() as ledger:
        ledger.retention.prune(timedelta(0))
    no_transactions = re.compile(r'^.*"stream": ?"transactions".*\n', re.MULTILINE)
    world.sync(no_transactions.sub("", world.messages()))
    assert world.row(order).state == "settled"


def test_a_reopened_order_whose_records_were_dropped_is_to_be_read_from_the_shop_again(
    world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    order = parked(world)
    world.ctl("settle", str(order), "--note", NOTE)
    with world.ledger() as ledger:
        assert ledger.retention.prune(timedelta(0)) > 0
    capsys.readouterr()
    cli.main(["--config", world.config_file(), "reopen", str(order)], standalone_mode=False)
    said = capsys.readouterr().out
    assert f"TAP_BIGCOMMERCE_ORDERS_ORDER_IDS='[{order}]'" in said
    assert "replay" not in said
    assert "the next run looks at it" not in said


def test_a_reopened_order_is_looked_at_by_the_next_run(world: Any) -> None:
    order = parked(world)
    world.ctl("settle", str(order), "--note", NOTE)
    assert world.ctl("reopen", str(order))["state"] == "new"
    world.sync()
    assert world.row(order).reason == "edited_in_freshbooks"
    assert world.ctl("replay", str(order), "--overwrite")["posted"] == 1
    with pytest.raises(click.ClickException, match="is not settled but posted"):
        world.ctl("reopen", str(order))


def test_who_settled_an_order_and_why_is_in_its_story(world: Any) -> None:
    order = parked(world)
    world.ctl("settle", str(order), "--note", f"{NOTE}, asked jane@shop.example")
    world.ctl("reopen", str(order))
    rows = {row["event"]: row for row in world.ctl("audit", str(order))}
    assert rows["settled"]["data"]["note"] == f"{NOTE}, asked [e-mail]"
    assert rows["settled"]["who"]
    assert "reopened" in rows
    assert world.ctl("verify", "--chain-only")["chain"]["ok"]


def test_an_order_the_ledger_does_not_know_cannot_be_settled_nor_one_without_a_word(
    world: Any,
) -> None:
    order = parked(world)
    for command in (("settle", "99999", "--note", NOTE), ("reopen", "99999"), ("audit", "99999")):
        with pytest.raises(click.ClickException, match=r"Not in the ledger: 99999\..*ORDER_IDS="):
            world.ctl(*command)
    with pytest.raises(click.ClickException, match="Say in --note what you booked"):
        world.ctl("settle", str(order), "--note", "  ")
    assert world.row(order).state == "parked"


def test_of_an_order_that_no_run_has_looked_at_audit_says_so(
    world: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with world.ledger() as ledger:
        ledger.inbox.receive([Record("orders", (7,), 7, {"id": 7})])
    assert (world.ctl("audit", "7"), world.code) == ([], 0)
    cli.main(["--config", world.config_file(), "audit", "7"], standalone_mode=False)
    assert capsys.readouterr().out == "No run has looked at order 7 yet; the next one does.\n"


def test_what_a_killed_run_left_of_an_order_that_was_settled_then_is_told(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world.synced()
    order = world.place()
    payment = {
        "invoiceid": "$invoiceid",
        "amount": {"amount": "4.00", "code": "USD"},
        "date": "2026-10-01",
        "type": "Cash",
    }
    write = {"method": "POST", "path": "payments/payments", "json": {"payment": payment}}
    world.fault(kind="act", method="POST", path="/payments/payments$", writes=[write], times=1)
    world.killed_in_write(world.messages(), method="PUT", path="/payments/payments/")
    world.ctl("settle", str(order), "--note", NOTE)
    (credit,) = world.books()["credit_notes"]
    assert world.writes_of(world.sync) == 0
    assert f"Order {order} was settled by a person after a run was killed" in caplog.text
    assert f"FreshBooks made credit {credit['id']} of a payment" in caplog.text
    assert world.row(order).state == "settled"
    caplog.clear()
    world.sync()
    assert "was settled by a person" not in caplog.text


def test_settling_waits_for_a_run_that_is_at_work(world: Any) -> None:
    order = parked(world)
    world.settings["lease_wait_seconds"] = 0
    with (
        world.ledger() as ledger,
        ledger.locks.hold("SBX001", "run x", wait_seconds=0),
        pytest.raises(Exception, match="Another run works on FreshBooks account SBX001"),
    ):
        world.ctl("settle", str(order), "--note", NOTE)
    assert world.row(order).state == "parked"


def test_verify_leaves_a_settled_order_alone_but_tells_a_second_invoice(world: Any) -> None:
    order = parked(world)
    world.ctl("settle", str(order), "--note", NOTE)
    invoice = world.invoice(order)
    paid = {"invoiceid": invoice["id"], "amount": {"amount": "1.00"}, "date": "2026-11-20"}
    world.post("payments/payments", {"payment": {**paid, "type": "Cash"}})
    assert world.ctl("verify")["findings"] == []
    line = {"name": "Mug", "qty": "1", "unit_cost": {"amount": "11.00", "code": "USD"}}
    copy = {key: invoice[key] for key in ("customerid", "create_date", "notes", "po_number")}
    copy |= {"invoice_number": "typed-1", "currency_code": "USD", "lines": [line]}
    world.post("invoices/invoices", {"invoice": copy})
    (found,) = world.ctl("verify")["findings"]
    assert (found["order_id"], found["kind"]) == (order, "extra")


def test_the_months_report_lists_settled_orders_with_what_was_done(world: Any) -> None:
    order = parked(world)
    world.ctl("settle", str(order), "--note", NOTE)
    month = str(world.row(order).order_date)[:7]
    told = world.ctl("report", "--month", month, "--output", str(world.home))
    assert (told["settled"], told["agrees"]) == (1, True)
    assert NOTE in (world.home / f"report-{month}.html").read_text(encoding="utf-8")


def test_nothing_is_said_of_a_settled_order_by_a_dry_run_that_a_real_one_would_not_say(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    order = parked(world)
    world.ctl("settle", str(order), "--note", NOTE)
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "13.00"}])
    world.settings["dry_run"] = True
    with caplog.at_level(logging.WARNING):
        world.sync()
    assert "changed_after_settling" in caplog.text
    assert world.row(order).notice is None
