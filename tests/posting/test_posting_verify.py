"""`verify`: what stands in an order's name is in the ledger and as it was left, or it is told."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from connector_sandbox import constants
from target_freshbooks.freshbooks import Forbidden
from target_freshbooks.posting.observe.by_request import RequestObserver

from demo.sandbox import BIN

pytestmark = pytest.mark.more

STORE_CREDIT = [{"provider": "storecredit"}]


@dataclass
class Bookkeeper:
    """A person who works in FreshBooks by hand."""

    world: Any

    def post(self, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        token = self.world.control("POST", "freshbooks/tokens/grant")
        self.world.settings["refresh_token"] = token["refresh_token"]
        account = f"{self.world.url}/accounting/account/{constants.FRESHBOOKS_ACCOUNT_ID}"
        answer = self.world.http.post(
            f"{account}/{path}",
            json={key: body},
            headers={"Authorization": f"Bearer {token['access_token']}"},
        )
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()["response"]["result"][key]
        return made

    def copy(self, invoice: dict[str, Any], number: str, **other: Any) -> dict[str, Any]:
        """A copy of an invoice, notes and all."""
        line = {"name": "Mug", "qty": "1", "unit_cost": {"amount": "11.00", "code": "USD"}}
        kept = {key: invoice[key] for key in ("customerid", "create_date", "notes", "po_number")}
        body = {**kept, "invoice_number": number, "currency_code": "USD", "lines": [line], **other}
        return self.post("invoices/invoices", "invoice", body)

    def pay(self, invoice: dict[str, Any], amount: str, **other: Any) -> dict[str, Any]:
        """A payment without our note."""
        day = invoice["create_date"]
        body = {"invoiceid": invoice["id"], "amount": {"amount": amount}, "date": day, **other}
        return self.post("payments/payments", "payment", {"type": "Cash", **body})

    def give_credit(self, note: dict[str, Any], number: str, amount: str) -> dict[str, Any]:
        """A second credit note like one there is."""
        line = {"name": "Credit", "qty": "1", "unit_cost": {"amount": amount, "code": "USD"}}
        body = {"clientid": note["clientid"], "credit_number": number, "notes": note["notes"]}
        return self.post(
            "credit_notes/credit_notes",
            "credit_note",
            {**body, "currency_code": "USD", "lines": [line]},
        )

    def change(self, kind: str, record: dict[str, Any], **fields: Any) -> None:
        """A PUT of some fields."""
        self.world.put(f"{kind}s/{kind}s/{record['id']}", {kind: fields})


@pytest.fixture
def hand(world: Any) -> Bookkeeper:
    return Bookkeeper(world)


def posted(world: Any, **order: Any) -> int:
    """An order that is in the books, and nothing is wrong with it."""
    placed: int = world.place(**order)
    world.sync()
    assert found(world) == []
    return placed


def posted_unpaid(world: Any, **order: Any) -> int:
    """An order in the books whose money the shop says nothing of."""
    world.settings["derived_payment_methods"] = []
    placed: int = world.place(pay="offline", **order)
    world.sync()
    assert world.paid(placed) == []
    return placed


def of_a_customer(world: Any) -> dict[str, Any]:
    """Whose refunds may go to store credit."""
    jane = {"email": "jane@shop.example", "first_name": "Jane"}
    return {"customer_id": world.control("POST", "shop/customers", jane)["id"]}


def found(world: Any, *options: str) -> list[tuple[int, str, str]]:
    rows = world.ctl("verify", *options)["findings"]
    assert world.code == (1 if rows else 0)
    return [(row["order_id"], row["kind"], row["detail"]) for row in rows]


def found_also_without_bodies(world: Any) -> list[tuple[int, str, str]]:
    """What is found, which is the same after retention has dropped the orders' bodies."""
    told = found(world)
    forget_bodies(world)
    assert found(world) == told
    return told


def kinds(world: Any, *options: str) -> list[tuple[int, str]]:
    return [(order, kind) for order, kind, _ in found(world, *options)]


def forget_bodies(world: Any) -> None:
    """As retention does."""
    with world.ledger() as ledger:
        assert ledger.retention.prune(timedelta(0)) > 0


def reads(world: Any, work: Any) -> int:
    """How many requests the work makes to the accounting API."""

    def count() -> int:
        return sum(
            row["count"]
            for row in world.control("GET", "requests")["requests"]
            if row["path"].startswith("/accounting/")
        )

    before = count()
    work()
    return count() - before


def test_verify_tells_a_second_invoice_that_bears_the_orders_marker(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world)
    copy = hand.copy(world.invoice(order), "COPY1")
    ((told_of, kind, detail),) = found(world)
    assert (told_of, kind) == (order, "extra")
    for figure in ("COPY1", f"id {copy['id']}", "11.00 USD", f"id {world.invoice(order)['id']}"):
        assert figure in detail
    hand.change("invoice", copy, vis_state=1)
    assert found(world) == []


def test_verify_tells_a_payment_by_hand_on_a_paid_invoice(world: Any, hand: Bookkeeper) -> None:
    order = posted(world)
    paid = hand.pay(world.invoice(order), "11.00", note="Jane Doe paid in the shop")
    assert paid["overpaymentid"], "FreshBooks makes the excess a credit"
    ((told_of, kind, detail),) = found_also_without_bodies(world)
    assert (told_of, kind) == (order, "extra")
    assert f"payment {paid['id']}" in detail
    assert f"id {paid['overpaymentid']}" in detail
    assert "Jane" not in detail


def test_verify_tells_a_payment_by_hand_on_an_order_without_transactions(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted_unpaid(world)
    hand.pay(world.invoice(order), "11.00")
    assert kinds(world) == [(order, "extra")]


def test_verify_tells_a_payment_by_hand_on_a_parked_order_and_nothing_else_of_it(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world)
    world.change_and_sync(order, "cancel")
    assert world.row(order).state == "parked"
    (ours,) = world.payments(order)
    hand.change("payment", ours, amount={"amount": "5.00"})
    assert found(world) == [], "a person may be mending it"
    hand.pay(world.invoice(order), "6.00")
    assert kinds(world) == [(order, "extra")]


def test_verify_tells_an_invoice_that_was_given_to_another_client_until_it_is_kept_there(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world, billing={"first_name": "Jane", "email": "jane@shop.example"})
    other = posted(world, billing={"first_name": "Jo", "email": "jo@shop.example"})
    jo = world.invoice(other)["customerid"]
    hand.change("invoice", world.invoice(order), customerid=jo)
    ((told_of, kind, detail),) = found_also_without_bodies(world)
    assert (told_of, kind) == (order, "edited")
    assert f"is of another client now (id {jo})" in detail
    world.sync()
    world.ctl("replay", str(order))
    assert world.invoice(order)["customerid"] == jo
    assert found(world) == []


@pytest.mark.parametrize("how", ["draft", "sent", "archived", "archived draft"])
def test_a_second_invoice_is_found_by_its_marker_under_any_number(
    world: Any, hand: Bookkeeper, how: str
) -> None:
    order = posted(world)
    copy = hand.copy(world.invoice(order), "typed anyhow")
    if how in {"sent", "archived"}:
        hand.change("invoice", copy, action_mark_as_sent=True)
    if "archived" in how:
        hand.change("invoice", copy, vis_state=2)
    ((number, kind, detail),) = found(world)
    assert (number, kind) == (order, "extra")
    assert "invoice typed anyhow" in detail
    assert "it counts twice" in detail


def test_verify_tells_a_second_credit_note_for_a_refund(world: Any, hand: Bookkeeper) -> None:
    world.settings["stored_value"] = "payment"
    order = posted(world, **of_a_customer(world))
    world.change_and_sync(order, "refund", order_amount="4.00", to=STORE_CREDIT)
    assert found(world) == []
    (note,) = world.books()["credit_notes"]
    second = hand.give_credit(note, "CN-77", "4.00")
    ((told_of, kind, detail),) = found(world)
    assert (told_of, kind) == (order, "extra")
    assert f"CN-77 (id {second['id']}) of 4.00 USD" in detail


@pytest.mark.parametrize(
    ("change", "kind", "figures"),
    [
        ({"vis_state": 1}, "missing", ["11.00 USD", "deleted"]),
        ({"amount": {"amount": "5.00"}}, "wrong_amount", ["5.00 USD", "left it at 11.00"]),
        ({"date": "2020-02-02"}, "edited", ["11.00 USD", "2020-02-02"]),
        ({"note": "Jane Doe"}, "edited", ["11.00 USD", "note"]),
    ],
)
def test_verify_tells_a_payment_of_ours_that_was_deleted_or_altered(
    world: Any,
    hand: Bookkeeper,
    change: dict[str, Any],
    kind: str,
    figures: list[str],
) -> None:
    order = posted(world)
    (ours,) = world.payments(order)
    hand.change("payment", ours, **change)
    ((told_of, told, detail),) = found_also_without_bodies(world)
    assert (told_of, told) == (order, kind)
    for figure in (f"payment {ours['id']} (transaction:", *figures):
        assert figure in detail
    assert "Jane" not in detail


def test_verify_tells_a_payment_of_ours_that_was_moved_to_another_invoice(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world)
    (ours,) = world.payments(order)
    foreign = hand.copy(world.invoice(order), "F1", notes="", po_number="")
    hand.change("payment", ours, invoiceid=foreign["id"])
    ((told_of, kind, detail),) = found(world)
    assert (told_of, kind) == (order, "edited")
    assert f"moved from invoice {order} to the invoice of id {foreign['id']}" in detail


def test_verify_tells_a_refunded_payment_that_was_raised_again(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world)
    world.change_and_sync(order, "refund", order_amount="4.00")
    forget_bodies(world)
    assert found(world) == []
    (ours,) = world.payments(order)
    hand.change("payment", ours, amount={"amount": "6.00"})
    ((_, kind, detail),) = found(world)
    assert kind == "wrong_amount"
    assert "left it at 7.00" in detail


def test_verify_knows_the_day_of_a_payment_that_a_lost_ledger_took_up_again(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world)
    world.lose_ledger()
    world.sync()
    (ours,) = world.payments(order)
    hand.change("payment", ours, date="2025-01-01")
    ((told_of, kind, detail),) = found(world)
    assert (told_of, kind) == (order, "edited")
    assert f"is now dated 2025-01-01; we dated it {ours['date']}" in detail


def test_a_payment_dated_anew_by_hand_stays_told_when_a_refund_lowers_it(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world)
    (ours,) = world.payments(order)
    hand.change("payment", ours, date="2025-01-01")
    world.change_and_sync(order, "refund", order_amount="4.00")
    ((told_of, kind, detail),) = found(world)
    assert (told_of, kind) == (order, "edited")
    assert f"we dated it {ours['date']}" in detail


def test_verify_knows_the_amount_of_a_payment_lowered_without_an_answer(world: Any) -> None:
    order = posted(world)
    world.change(order, "refund", order_amount="4.00")
    world.fault(kind="reset_after", method="PUT", path="/payments/payments/", times=1)
    world.sync()
    assert world.paid(order) == [Decimal("7.00")]
    assert found(world) == []


@pytest.mark.parametrize(("change", "kind"), [("delete", "missing"), ("alter", "wrong_amount")])
def test_verify_tells_a_credit_note_of_ours_that_was_deleted_or_altered(
    world: Any, hand: Bookkeeper, change: str, kind: str
) -> None:
    world.settings["stored_value"] = "payment"
    order = posted(world, **of_a_customer(world))
    world.change_and_sync(order, "refund", order_amount="4.00", to=STORE_CREDIT)
    (note,) = world.books()["credit_notes"]
    line = {"name": "Credit", "qty": "1", "unit_cost": {"amount": "3.00", "code": "USD"}}
    hand.change(
        "credit_note", note, **({"vis_state": 1} if change == "delete" else {"lines": [line]})
    )
    ((told_of, told, detail),) = found_also_without_bodies(world)
    assert (told_of, told) == (order, kind)
    assert str(note["id"]) in detail


@pytest.mark.parametrize("answer", ["found", "error", "missing"])
def test_verify_tells_edited_and_deleted_invoices(
    world: Any, hand: Bookkeeper, answer: str
) -> None:
    world.switch(fb__deleted_get=answer)
    edited, deleted, _ = (world.place() for _ in range(3))
    world.sync()
    assert found(world) == []
    line = {"name": "Mug", "qty": "2", "unit_cost": {"amount": "9.00", "code": "USD"}}
    hand.change("invoice", world.invoice(edited), lines=[line])
    hand.change("invoice", world.invoice(deleted), vis_state=1)
    first, second = found_also_without_bodies(world)
    assert first[:2] == (edited, "edited")
    assert "18.00 USD" in first[2]
    assert "left it at 11.00" in first[2]
    assert second[:2] == (deleted, "missing")


@pytest.mark.plans_left
def test_verify_tells_an_invoice_that_was_made_a_draft_again(world: Any, hand: Bookkeeper) -> None:
    order = posted_unpaid(world)
    hand.change("invoice", world.invoice(order), status=1)
    ((told_of, kind, detail),) = found(world)
    assert (told_of, kind) == (order, "edited")
    assert "Draft" in detail


@pytest.mark.plans_left
def test_verify_tells_what_the_order_says_otherwise_since_it_was_posted(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    changed, refunded = world.place(), world.place(**of_a_customer(world))
    world.sync()
    world.change(changed, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "30.00"}])
    world.change(refunded, "refund", order_amount="4.00", to=STORE_CREDIT)
    world.fault(kind="refused", status=403, errno=1042, method="PUT", path="/invoices/invoices/")
    world.fault(
        kind="refused", status=403, errno=1042, method="POST", path="/credit_notes/credit_notes"
    )
    with pytest.raises(Forbidden):
        world.sync()
    first, second = found(world)
    assert first[:2] == (changed, "wrong_amount")
    assert "11.00 USD; the order, less its refunds, comes to 30" in first[2]
    assert second[:2] == (refunded, "missing")
    assert "4.00 USD" in second[2]


def test_verify_tells_invoices_of_orders_that_a_lost_ledger_no_longer_knows(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    order = posted(world, **of_a_customer(world))
    world.change_and_sync(order, "refund", order_amount="4.00", to=STORE_CREDIT)
    world.lose_ledger()
    world.ledger().dispose()
    told = found(world)
    assert [row[:2] for row in told] == [(order, "extra"), (order, "extra")]
    invoice, note = (detail for _, _, detail in told)
    assert f"invoice {order} " in invoice
    assert "credit note" in note
    assert all("reading the shop from the start adopts it" in row[2] for row in told)
    world.sync()
    assert found(world) == []


def test_verify_takes_another_shops_invoices_for_no_double(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    order = world.place(**of_a_customer(world))
    world.change(order, "refund", order_amount="4.00", to=STORE_CREDIT)
    for shop, prefix in (("first", "A-"), ("second", "B-"), ("third", "")):
        world.settings |= {"source": shop, "invoice_number_prefix": prefix}
        world.sync(world.messages_of(shop.replace(" ", "")))
        assert found(world) == []
    for shop, prefix in (("first", "A-"), ("second", "B-"), ("unheard of", "C-")):
        world.settings |= {"source": shop, "invoice_number_prefix": prefix}
        assert found(world) == []


def test_verify_tells_a_copy_under_any_number_by_the_store_it_names(
    world: Any, hand: Bookkeeper
) -> None:
    world.settings["invoice_number_prefix"] = "A-"
    order = posted(world)
    own = world.invoice(f"A-{order}")
    client = hand.post("users/clients", "client", {"email": "other@shop.example"})
    other = {"customerid": client["id"]}
    elsewhere = own["notes"].replace("(store ", "(store another")
    hand.copy(own, f"B-{order}", notes=elsewhere, po_number=elsewhere)
    assert found(world) == []
    hand.copy(own, "B-0001", **other)
    hand.copy(own, "COPY1")
    assert [row[:2] for row in found(world)] == [(order, "extra")] * 2


def test_verify_has_nothing_against_an_order_deleted_after_its_cancellation(
    world: Any, hand: Bookkeeper
) -> None:
    world.settings["on_cancel"] = "delete"
    order = posted(world)
    world.change_and_sync(order, "cancel")
    assert world.invoice(order)["vis_state"] == 1
    assert found(world) == []
    hand.change("invoice", world.invoice(order), vis_state=0)
    ((told_of, kind, detail),) = found(world)
    assert (told_of, kind) == (order, "extra")
    assert "restored" in detail


def test_verify_does_not_judge_an_order_that_a_run_has_in_hand(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world)
    hand.copy(world.invoice(order), "COPY1")
    with world.ledger() as ledger:
        with ledger.locks.hold(constants.FRESHBOOKS_ACCOUNT_ID, "r", wait_seconds=0) as lock:
            intent = ledger.intents.open(
                lock=lock,
                order_id=order,
                kind="create_payment",
                key="x",
                request_hash="",
                payload={},
                run_id="r",
            )
            told = world.ctl("verify")
            assert (told["findings"], told["orders_in_work"]) == ([], [order])
            assert told["orders_checked"] == 0
        assert kinds(world) == [(order, "interrupted"), (order, "extra")]
        ledger.intents.close(intent, "not_found", answer={})
    assert kinds(world) == [(order, "extra")]


@pytest.mark.parametrize(
    ("method", "path", "at", "besides"),
    [
        ("POST", "/invoices/invoices$", "create invoice", []),
        ("PUT", "/invoices/invoices/", "mark sent", ["differs"]),
        ("POST", "/payments/payments$", "create payment", ["missing"]),
    ],
)
def test_verify_tells_what_a_killed_run_left_half_way(
    world: Any, method: str, path: str, at: str, besides: list[str]
) -> None:
    order = world.place()
    world.killed_in_write(world.messages(), method=method, path=path)
    told = found(world)
    assert [row[:2] for row in told][:1] == [(order, "interrupted")]
    assert f"interrupted at {at}" in told[0][2]
    assert told[0][2].endswith("run again")
    assert set(besides) <= {kind for _, kind, _ in told}
    assert world.ctl("verify")["orders_in_work"] == []
    world.sync()
    assert found(world) == []


def test_verify_looks_again_at_what_a_run_changed_and_finished_meanwhile(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = posted(world)
    world.change(order, "lines", lines=[{"name": "Mug", "sku": "MUG", "price": "30.00"}])
    world.fault(kind="refused", status=403, errno=1042, method="PUT", path="/invoices/invoices/")
    with pytest.raises(Forbidden):
        world.sync()
    world.control("DELETE", "faults")
    assert kinds(world) == [(order, "wrong_amount")]

    look_anew = RequestObserver.anew

    def look_while_a_run_mends_it(requests: Any, mark: Any, recorded: Any, listed: Any) -> Any:
        found = look_anew(requests, mark, recorded, listed)
        if recorded.state == "new":
            world.sync()
        return found

    monkeypatch.setattr(RequestObserver, "anew", look_while_a_run_mends_it)
    told = world.ctl("verify")
    assert (told["findings"], told["orders_in_work"], told["orders_checked"]) == ([], [], 1)


def test_verify_takes_no_figures_from_an_altered_row(world: Any) -> None:
    posted(world)
    alter_journal(world)
    told = world.ctl("verify")
    assert (told["chain"]["ok"], told["findings"], world.code) == (False, [], 1)


@pytest.mark.plans_left
@pytest.mark.parametrize("failing", ["down", "login"])
def test_verify_tells_a_broken_chain_also_when_freshbooks_cannot_be_asked(
    world: Any, failing: str
) -> None:
    posted(world)
    alter_journal(world)
    if failing == "down":
        world.settings["max_retry_seconds"] = 0
        world.fault(kind="status", status=503)
    else:
        (world.home / "credentials.sqlite").unlink()
        world.settings["refresh_token"] = ""
    plain, structured = ctl(world, "verify"), ctl(world, "verify", "--json")
    for ended in (plain, structured):
        assert ended.returncode == 1
        assert "Error: " in ended.stderr
        assert "Traceback" not in ended.stderr
    assert "BROKEN at row" in plain.stdout
    assert "could not be compared" in plain.stdout
    told = json.loads(structured.stdout)
    assert (told["chain"]["ok"], told["orders_checked"]) == (False, 0)
    assert told["failure"] in structured.stderr


def test_audit_marks_a_row_that_was_altered_and_ends_with_1(world: Any) -> None:
    order = posted(world)
    assert ctl(world, "audit", str(order)).returncode == 0
    alter_journal(world)
    ended = ctl(world, "audit", str(order))
    assert ended.returncode == 1
    assert "THIS ROW WAS ALTERED" in ended.stdout
    altered = [
        row["event"]
        for row in json.loads(ctl(world, "audit", str(order), "--json").stdout)
        if row["altered"]
    ]
    assert "done" in altered


def alter_journal(world: Any) -> None:
    """Somebody writes other figures into the ledger's file."""
    with sqlite3.connect(world.home / "ledger.sqlite") as database:
        database.execute("UPDATE ledger_audit SET data = replace(data, '11.00', '99.00')")


def ctl(world: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    command = [BIN / "target-freshbooks-ctl", "--config", world.config_file(), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_verify_asks_for_lists_and_not_for_each_order(world: Any, hand: Bookkeeper) -> None:
    orders = [world.place() for _ in range(12)]
    world.sync()
    assert reads(world, lambda: found(world)) == 3
    hand.copy(world.invoice(orders[0]), "COPY1")
    (ours,) = world.payments(orders[1])
    hand.change("payment", ours, amount={"amount": "5.00"})
    # The two that look wrong are looked at again: two invoices and a list, one and a list.
    assert reads(world, lambda: found(world)) == 3 + 3 + 2


def test_verify_since_a_day_reads_from_that_day_on(world: Any, hand: Bookkeeper) -> None:
    old = world.place(created="2026-09-01T12:00:00+00:00")
    new = world.synced(created="2026-10-05T12:00:00+00:00")
    assert found(world, "--since", "2026-10-01") == []
    for order in (old, new):
        hand.pay(world.invoice(order), "11.00")
    assert kinds(world, "--since", "2026-10-01") == [(new, "extra")]
    unpaid = posted_unpaid(world, created="2026-10-05T12:00:00+00:00")
    hand.pay(world.invoice(unpaid), "5.00", date="2026-09-01")
    assert (unpaid, "extra") in kinds(world, "--since", "2026-10-01")
    # A new copy of an old order's invoice is of that time, too.
    hand.copy(world.invoice(old), "COPY1", create_date="2026-10-06")
    assert kinds(world, "--since", "2026-10-06") == [(old, "extra"), (old, "extra")]


def test_verify_reads_more_than_one_page(world: Any, hand: Bookkeeper) -> None:
    order = posted(world)
    for number in range(100):
        hand.pay(world.invoice(order), "1.00", note=f"payment {number}")
    assert kinds(world) == [(order, "extra")] * 100


def test_verify_tells_an_invoice_that_no_longer_bears_its_marker(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world)
    hand.change("invoice", world.invoice(order), notes="Thank you", po_number="")
    ((told_of, kind, _),) = found_also_without_bodies(world)
    assert (told_of, kind) == (order, "edited")


def test_verify_takes_an_orders_invoice_that_mentions_another_order_for_no_double(
    world: Any, hand: Bookkeeper
) -> None:
    order, other = world.place(), world.place()
    world.sync()
    notes = f"BigCommerce order {order}, goes with BigCommerce order {other}"
    hand.change("invoice", world.invoice(order), notes=notes)
    assert found(world) == []


def test_verify_looks_again_at_what_a_list_does_not_show(world: Any) -> None:
    world.settings["stored_value"] = "payment"
    order = world.place(**of_a_customer(world))
    world.change_and_sync(order, "refund", order_amount="4.00", to=STORE_CREDIT)
    world.switch(fb__stale_search_seconds=3600)
    assert found(world) == []


def test_verify_tells_an_invoice_that_took_the_number_of_the_orders_own(
    world: Any, hand: Bookkeeper
) -> None:
    order = posted(world)
    own = world.invoice(order)
    hand.change("invoice", own, invoice_number="OLD")
    line = {"name": "Mug", "qty": "1", "unit_cost": {"amount": "7.00", "code": "USD"}}
    hand.copy(own, str(order), lines=[line])
    assert kinds(world) == [(order, "edited"), (order, "extra")]


def test_verify_leaves_alone_what_an_order_is_parked_for_after_a_loss_of_the_ledger(
    world: Any, hand: Bookkeeper
) -> None:
    world.settings["stored_value"] = "payment"
    order = posted(world, **of_a_customer(world))
    world.change_and_sync(order, "refund", order_amount="4.00", to=STORE_CREDIT)
    line = {"name": "Mug", "qty": "2", "unit_cost": {"amount": "9.00", "code": "USD"}}
    hand.change("invoice", world.invoice(order), lines=[line])
    world.lose_ledger()
    world.sync()
    assert (world.row(order).state, world.row(order).reason) == ("parked", "edited_in_freshbooks")
    assert found(world) == [], "invoice, payment and credit note bear our names"
    hand.pay(world.invoice(order), "7.00")
    assert kinds(world) == [(order, "extra")]
