"""Older messages undo nothing, dry runs leave nothing to post, a customer's record is news."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from target_freshbooks import wiring
from target_freshbooks.ledger.inbox.inbox import Inbox
from target_freshbooks.posting import facts, order_work

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.more

D = Decimal
MUG = {"name": "Mug", "sku": "MUG", "price": "10.00"}


def an_hour_ago(world: Any, order_id: int) -> None:
    """Give the order a date of change before that of its next change, whatever the second."""
    moment = datetime.now(UTC) - timedelta(hours=1)
    world.change(order_id, "touch", modified=moment.isoformat())


def only(said: str, wanted: Callable[[str, dict[str, Any]], bool]) -> str:
    """The messages without the records that are not wanted."""
    kept = []
    for line in said.splitlines():
        message = json.loads(line)
        if message["type"] != "RECORD" or wanted(message["stream"], message["record"]):
            kept.append(line)
    return "\n".join(kept) + "\n"


def of_order(order_id: int) -> Callable[[str, dict[str, Any]], bool]:
    """What is said of this order or of none."""

    def wanted(stream: str, record: dict[str, Any]) -> bool:
        said_of = record["id"] if stream == "orders" else record.get("order_id", order_id)
        return bool(said_of == order_id)

    return wanted


def numbers(world: Any) -> set[str]:
    return {row["invoice_number"] for row in world.books()["invoices"]}


def orders_known(world: Any) -> dict[int, str]:
    with world.ledger() as ledger:
        return {row.order_id: row.state for row in ledger.orders.all()}


# -- older versions


def test_an_order_read_before_it_changed_and_stored_after_changes_nothing_back(world: Any) -> None:
    order = world.place(lines=[MUG])
    an_hour_ago(world, order)
    world.sync()
    waiting_for_the_lock = world.messages()
    world.change(order, "lines", lines=[MUG | {"quantity": 3}])
    new = world.messages()
    world.sync(new)
    assert (world.total(order), world.paid(order)) == (D("30.00"), [D("10.00")])
    assert world.writes_of(lambda: world.sync(waiting_for_the_lock)) == 0
    assert (world.total(order), world.paid(order)) == (D("30.00"), [D("10.00")])
    assert world.target.tally.received == 1
    assert world.target.tally.unchanged == 1
    assert world.writes_of(lambda: world.sync(new)) == 0


def test_of_two_versions_in_one_input_the_later_is_booked(world: Any) -> None:
    order = world.place()
    an_hour_ago(world, order)
    old = world.messages()
    world.change(order, "lines", lines=[MUG | {"price": "25.00"}])
    world.sync(world.messages() + only(old, of_order(order)))
    assert world.total(order) == D("25.00")


def test_a_refund_read_before_it_was_declined_is_not_booked_again(world: Any) -> None:
    order = world.place()
    (refund,) = world.change(order, "refund", order_amount="4.00")["refunds"]
    an_hour_ago(world, order)
    old = world.messages()
    world.change(order, "decline_refund", refund_id=refund)
    world.change_and_sync(order, "touch")
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])
    assert world.writes_of(lambda: world.sync(old)) == 0
    assert (world.total(order), world.paid(order)) == (D("11.00"), [D("11.00")])


def rename(world: Any, customer: int, name: str, modified: datetime) -> str:
    """Messages in which the customer is called so since then."""
    lines = []
    for line in world.messages().splitlines():
        message = json.loads(line)
        if message.get("stream") == "customers" and message["type"] == "RECORD":
            assert message["record"]["id"] == customer
            message["record"] |= {"first_name": name, "date_modified": modified.isoformat()}
        lines.append(json.dumps(message))
    return "\n".join(lines) + "\n"


def test_an_older_version_of_a_customer_does_not_rename_the_client(world: Any) -> None:
    customer = world.control("POST", "shop/customers", {"email": "a@b.example"})["id"]
    world.synced(customer_id=customer)
    now = datetime.now(UTC) + timedelta(hours=1)
    world.sync(rename(world, customer, "Anna", now))
    (client,) = world.books()["clients"]
    assert client["fname"] == "Anna"
    older = rename(world, customer, "Anne", now - timedelta(seconds=1))
    assert world.writes_of(lambda: world.sync(older)) == 0
    (client,) = world.books()["clients"]
    assert client["fname"] == "Anna"


# -- dry runs


def dry_run(world: Any, said: str) -> None:
    world.settings["dry_run"] = True
    assert world.writes_of(lambda: world.sync(said)) == 0
    world.settings["dry_run"] = False


def test_what_a_dry_run_was_told_is_not_posted_by_a_run_asked_for_less(world: Any) -> None:
    one, other = world.place(), world.place()
    said = world.messages()
    dry_run(world, said)
    assert world.target.tally.posted == 2
    assert orders_known(world) == {}
    world.sync(only(said, of_order(other)))
    assert numbers(world) == {str(other)}
    assert orders_known(world) == {other: "posted"}
    (plan,) = world.ctl("plan", str(one))
    assert plan["invoice"]["number"] == str(one)
    assert [entry["order_id"] for entry in world.ctl("plan")] == [one]
    world.ctl("replay", str(one))
    assert numbers(world) == {str(other)}
    world.sync(said)
    assert numbers(world) == {str(one), str(other)}
    assert set(orders_known(world).values()) == {"posted"}
    assert world.ctl("plan") == []


def test_a_dry_run_shows_a_known_order_s_change_and_leaves_it_as_it_is(world: Any) -> None:
    order, other = world.place(lines=[MUG]), world.place()
    an_hour_ago(world, order)
    world.sync()
    row = world.row(order)
    world.change(order, "lines", lines=[MUG | {"quantity": 3}])
    said = world.messages()
    dry_run(world, said)
    assert world.row(order) == row
    assert world.writes_of(lambda: world.sync(only(said, of_order(other)))) == 0
    assert world.writes_of(lambda: world.ctl("replay", str(order))) == 0
    (plan,) = world.ctl("plan", str(order))
    assert plan["invoice"]["total"] == "30.00"
    world.sync(said)
    assert world.total(order) == D("30.00")


def test_a_customer_told_in_a_dry_run_is_still_news_to_the_next_run(world: Any) -> None:
    order, said = parked_without_an_address(world)
    dry_run(world, said)
    assert world.row(order).reason == "no_client"
    world.sync(only(said, lambda stream, _: stream == "customers"))
    assert world.row(order).state == "posted"


# -- a customer's record


def parked_without_an_address(world: Any) -> tuple[int, str]:
    """An order parked for want of an e-mail, and the messages that also have the customer."""
    customer = world.control("POST", "shop/customers", {"email": "a@b.example"})["id"]
    order = world.place(customer_id=customer, billing={"first_name": "A", "email": ""})
    said = world.messages()
    world.sync(only(said, lambda stream, _: stream != "customers"))
    assert world.row(order).reason == "no_client"
    return order, said


def test_a_parked_order_is_tried_again_when_its_customer_is_told(world: Any) -> None:
    order, said = parked_without_an_address(world)
    world.sync(only(said, lambda stream, _: stream == "customers"))
    assert world.row(order).state == "posted"
    assert world.target.tally.parked == {}
    (client,) = world.books()["clients"]
    assert client["email"] == "a@b.example"


def test_a_customer_told_again_unchanged_is_no_reason_to_try_again(world: Any) -> None:
    customer = world.control("POST", "shop/customers", {"email": ""})["id"]
    order = world.place(customer_id=customer, billing={"first_name": "A", "email": ""})
    said = world.messages()
    world.sync(said)
    assert world.row(order).reason == "no_client"
    looked_at = world.row(order).updated_at
    world.sync(said)
    assert world.row(order).updated_at == looked_at


def test_an_order_parked_before_its_customer_came_in_the_same_input_is_not_told_as_parked(
    world: Any,
) -> None:
    customer = world.control("POST", "shop/customers", {"email": "a@b.example"})["id"]
    order = world.place(customer_id=customer, billing={"first_name": "A", "email": ""})
    said = world.messages()
    first = only(said, lambda stream, _: stream != "customers")
    world.sync(first + only(said, lambda stream, _: stream == "customers"))
    assert world.row(order).state == "posted"
    assert world.target.tally.parked == {}


def test_a_customer_that_comes_while_its_order_is_looked_at_is_not_missed(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = world.control("POST", "shop/customers", {"email": "a@b.example"})["id"]
    order = world.place(customer_id=customer, billing={"first_name": "A", "email": ""})
    looked, stored = threading.Event(), threading.Event()
    receive = Inbox.receive

    def slowly(*given: Any) -> Any:
        gathered = facts.gather(*given)
        looked.set()
        stored.wait(1)  # were the customer stored now, the verdict would miss it
        return gathered

    def receiving(inbox: Inbox, records: Any, **options: Any) -> Any:
        records = list(records)
        with_customer = any(record.stream == "customers" for record in records)
        if with_customer:
            assert looked.wait(60)
        taken = receive(inbox, records, **options)
        if with_customer:
            stored.set()
        return taken

    monkeypatch.setattr(wiring, "ORDER_BATCH", 1)  # it is looked at as it comes
    monkeypatch.setattr(order_work, "gather", slowly)
    monkeypatch.setattr(Inbox, "receive", receiving)
    said = world.messages().splitlines()
    customers = [line for line in said if '"RECORD"' in line and '"customers"' in line]
    assert len(customers) == 1
    others = [line for line in said if line not in customers]
    (place,) = [
        n for n, line in enumerate(others) if '"RECORD"' in line and '"stream":"orders"' in line
    ]
    world.sync("\n".join([*others[: place + 1], *customers, *others[place + 1 :]]) + "\n")
    assert world.row(order).state == "posted"


def test_a_mended_customer_record_lets_its_orders_be_booked(world: Any) -> None:
    customer = world.control("POST", "shop/customers", {"email": "a@b.example"})["id"]
    order = world.place(customer_id=customer)
    said = world.messages()
    broken = [json.loads(line) for line in said.splitlines()]
    for message in broken:
        if message["type"] == "RECORD" and message["stream"] == "customers":
            message["record"]["id"], message["record"]["email"] = customer, ["no", "text"]
    world.sync("\n".join(json.dumps(message) for message in broken) + "\n")
    assert world.row(order).reason == "unreadable_record"
    world.sync(only(said, lambda stream, _: stream == "customers"))
    assert world.row(order).state == "posted"
