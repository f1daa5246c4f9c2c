"""One bad order holds nobody up, an outage parks nobody, and no record ends a run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from connector_sandbox.constants import STORE_HASH
from target_freshbooks.freshbooks.errors import FreshBooksError
from target_freshbooks.shop.fields import Fields, ReadError

pytestmark = pytest.mark.more

GUESTS = [
    {"first_name": "Jo", "last_name": "Doe", "email": f"jo{number}@shop.example"}
    for number in range(6)
]


def heal(world: Any) -> None:
    world.control("DELETE", "faults")


def states(world: Any) -> dict[int, str]:
    with world.ledger() as ledger:
        return {row.order_id: row.state for row in ledger.orders.all()}


def said_otherwise(world: Any, stream: str, change: dict[str, Any], order_id: int = 0) -> str:
    """What the tap says, but for some fields of one stream's records (of one order)."""
    lines = []
    for line in world.messages().splitlines():
        message = json.loads(line)
        record = message.get("record", {})
        if message.get("stream") == stream and order_id in (0, record.get("id")):
            record.update(change if message["type"] == "RECORD" else {})
        lines.append(json.dumps(message))
    return "\n".join(lines) + "\n"


FIRST_INVOICE = 987654
"""The id that the sandbox gives its first invoice."""


def test_an_order_whose_interrupted_write_cannot_be_looked_for_keeps_no_run_from_beginning(
    world: Any,
) -> None:
    poisoned, *others = (world.place(billing=guest) for guest in GUESTS[:3])
    world.settings |= {"max_retry_seconds": 0, "max_parallel_orders": 1}
    world.fault(kind="status", status=500, path=f"/invoices/invoices/{FIRST_INVOICE}$")
    world.sync()
    with world.ledger() as ledger:
        assert [intent.kind for intent in ledger.intents.still_open()] == ["mark_sent"]
    others.append(world.place(billing=GUESTS[4]))
    world.sync()
    assert states(world) == {poisoned: "parked", **dict.fromkeys(others, "posted")}
    heal(world)
    world.ctl("replay", str(poisoned))
    assert world.row(poisoned).state == "posted"
    assert len(world.payments(poisoned)) == 1


def test_a_killed_run_s_write_that_cannot_be_looked_for_waits_until_its_order_s_turn(
    world: Any,
) -> None:
    orders = [world.place(billing=guest) for guest in GUESTS[:3]]
    world.settings |= {"max_retry_seconds": 0, "max_parallel_orders": 1, "settle_seconds": 3}
    world.fault(kind="reset_after", method="POST", path="/payments/payments$", times=1)
    world.fault(kind="status", status=403, method="GET", path="/payments/payments$")
    with pytest.raises(FreshBooksError):
        world.sync()
    heal(world)
    world.switch(fb__stale_search_seconds=2)
    world.fault(kind="status", status=500, method="GET", path="/payments/payments$", times=1)
    world.sync()
    assert states(world) == dict.fromkeys(orders, "posted")
    assert [len(world.payments(order)) for order in orders] == [1, 1, 1]


@pytest.mark.parametrize(
    ("outage", "well_until"),
    [
        ({}, 26),
        ({}, 28),
        ({"method": "POST|PUT"}, 10),  # of 17: no order has as many as are left
        ({"method": "POST", "path": "/payments/payments$"}, 2),  # of 4
    ],
    ids=["all of it, early", "all of it, late", "writes", "payments"],
)
def test_an_outage_that_begins_amid_the_last_orders_parks_none_of_them(
    world: Any, outage: dict[str, Any], well_until: int
) -> None:
    """Writes that were in hand when it began still end well: they say nothing of FreshBooks now.

    More than one order is left each time: a single one would be taken for a poison.
    """
    for guest in GUESTS[:4]:
        world.place(billing=guest)
    world.settings["max_retry_seconds"] = 1
    world.fault(kind="status", status=503, skip=well_until, **{"path": "/accounting/"} | outage)
    with pytest.raises(FreshBooksError):
        world.sync()
    assert "parked" not in states(world).values()
    heal(world)
    world.sync()
    assert set(states(world).values()) == {"posted"}


def test_a_new_client_s_lost_answer_is_looked_for_by_one_order_at_a_time(world: Any) -> None:
    """Two orders of the client come to their last chance together."""
    orders = [world.place(billing=GUESTS[0]) for _ in range(2)]
    for guest in GUESTS[1:4]:
        world.place(billing=guest)
    world.settings |= {"max_retry_seconds": 0, "settle_seconds": 1, "max_parallel_orders": 2}
    rule = {"kind": "status", "status": 500, "path": "/users/clients$"}
    world.fault(**rule, method="POST", body="jo0@", times=1)
    world.fault(**rule, method="GET", query="jo0@", times=2, skip=2)
    world.sync()
    assert {states(world)[order] for order in orders} == {"posted"}
    assert len([row for row in world.books()["clients"] if row["email"].startswith("jo0")]) == 1


# -- records that cannot be


@pytest.mark.parametrize(
    ("stream", "change", "reason"),
    [
        ("orders", {"date_created": "0001-01-01T00:00:00Z"}, "defect"),
        ("orders", {"total_inc_tax": "1e999999"}, "unreadable_record"),
        ("orders", {"customer_id": "1e99999999"}, "unreadable_record"),
    ],
)
def test_a_record_that_cannot_be_parks_its_order_alone(
    world: Any, stream: str, change: dict[str, Any], reason: str
) -> None:
    broken, sound = (world.place(billing=guest) for guest in GUESTS[:2])
    world.sync(said_otherwise(world, stream, change, broken))
    assert states(world) == {broken: "parked", sound: "posted"}
    assert world.row(broken).reason == reason


def test_a_gateway_s_id_in_digits_of_another_kind_is_no_transaction_s(world: Any) -> None:
    order = world.place()
    world.change(order, "refund", order_amount="4.00")
    text = world.messages().replace('"transaction_id": "', '"transaction_id": "\u00b2')
    world.sync(text)
    assert world.row(order).state == "posted"


@pytest.mark.parametrize("written", ["1e31", "1e999999", "1e-999999", "0e999999999"])
def test_a_number_of_too_many_digits_is_no_amount(written: str) -> None:
    with pytest.raises(ReadError, match="too many digits"):
        Fields({"total": written}).money("total")


@pytest.mark.parametrize("written", ["NaN", "-Infinity", "1e99999999999999999999", "9" * 5000])
@pytest.mark.parametrize(("stream", "name"), [("orders", "total_tax"), ("transactions", "amount")])
def test_what_json_has_no_number_for_parks_its_order_alone_until_it_comes_mended(
    world: Any, stream: str, name: str, written: str
) -> None:
    broken, sound = (world.place(billing=guest) for guest in GUESTS[:2])
    mended = world.messages()
    of = broken if stream == "orders" else first_transaction(mended, broken)
    spoilt = said_otherwise(world, stream, {name: "@"}, of).replace('"@"', written)
    assert len(world.sync(spoilt)) > 0
    assert states(world) == {broken: "parked", sound: "posted"}
    assert world.row(broken).reason == "unreadable_record"
    assert f"{name} is no decimal number" in str(world.row(broken).detail)
    world.sync(mended)
    assert states(world) == {broken: "posted", sound: "posted"}


def test_a_part_that_the_tap_could_not_read_parks_its_order_alone_until_it_comes_mended(
    world: Any,
) -> None:
    posted = world.synced(billing=GUESTS[0])
    new, sound = (world.place(billing=guest) for guest in GUESTS[1:3])
    mended = world.messages()
    for order in (posted, new):
        path = f"/v3/orders/{order}/transactions"
        change = {"unreadable_parts": [path]}
        world.sync(of_one_order(said_otherwise(world, "orders", change), order))
        row = world.row(order)
        assert (row.state, row.reason) == ("parked", "unreadable_record")
        assert f"transactions of order {order} cannot be read (GET {path})" in str(row.detail)
    assert world.invoices(new) == []
    assert world.paid(posted) == [world.total(posted)]
    assert world.ctl("replay", "--parked")["replayed"] == 2
    world.sync(mended)
    assert states(world) == dict.fromkeys((posted, new, sound), "posted")
    assert len(world.payments(posted)) == len(world.payments(new)) == 1


def of_one_order(messages: str, order_id: int) -> str:
    """What the tap says but for transactions, and for other orders."""
    lines = map(json.loads, messages.splitlines())
    kept = [
        line
        for line in lines
        if line["type"] != "RECORD"
        or line["stream"] not in {"transactions", "orders"}
        or (line["stream"] == "orders" and line["record"]["id"] == order_id)
    ]
    return "".join(json.dumps(line) + "\n" for line in kept)


NESTED = "[" * 500 + "]" * 500


@pytest.mark.parametrize("name", ["total_tax", "line_items", "billing_address"])
@pytest.mark.parametrize("written", [NESTED, f'"{"[" * 100_000}"'], ids=["lists", "text"])
def test_what_is_nested_beyond_all_measure_parks_its_order_alone(
    world: Any, name: str, written: str
) -> None:
    broken, sound = (world.place(billing=guest) for guest in GUESTS[:2])
    spoilt = said_otherwise(world, "orders", {name: "@"}, broken).replace('"@"', written)
    world.sync(spoilt)
    assert states(world) == {broken: "parked", sound: "posted"}
    assert world.row(broken).reason == "unreadable_record"


def test_what_is_nested_beyond_all_measure_in_a_field_of_no_use_does_not_matter(world: Any) -> None:
    order = world.place()
    world.sync(said_otherwise(world, "orders", {"odd": "@"}, order).replace('"@"', NESTED))
    assert states(world) == {order: "posted"}


def test_a_person_s_name_that_is_no_text_is_not_made_one(world: Any) -> None:
    order = world.place()
    spoilt = said_otherwise(world, "orders", {"billing_address": {"first_name": "@"}}, order)
    world.sync(spoilt.replace('"@"', "NaN"))
    assert world.row(order).detail == (
        "The shop's record cannot be understood: billing_address.first_name is no text but NaN."
    )


@pytest.mark.parametrize("stream", ["customers", "products"])
def test_a_customer_or_product_with_nan_is_told_and_keeps_no_order_from_its_books(
    world: Any, stream: str, caplog: pytest.LogCaptureFixture
) -> None:
    order = world.place()
    schema = {"type": "object", "properties": {}}
    record = {"id": 99, "store_hash": STORE_HASH, "price": "@", "email": "@"}
    first = [
        {"type": "SCHEMA", "stream": stream, "key_properties": ["id"], "schema": schema},
        {"type": "RECORD", "stream": stream, "record": record},
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in first).replace('"@"', "NaN")
    world.sync(text + world.messages())
    assert world.row(order).state == "posted"
    assert "but NaN" in caplog.text


@pytest.mark.parametrize("key", ["id", "order_id"])
def test_an_id_that_is_nan_is_refused_in_a_sentence(world: Any, key: str) -> None:
    order = world.place()
    child = first_transaction(world.messages(), order)
    spoilt = said_otherwise(world, "transactions", {key: "@"}, child).replace('"@"', "NaN")
    code, _, log = world.run(spoilt)
    assert code == 1
    assert f"A record of transactions has no usable {key}" in log
    assert "defect" not in log


def test_a_store_that_cannot_be_read_gives_no_zone_and_is_told_in_a_sentence(world: Any) -> None:
    world.place()
    spoilt = said_otherwise(world, "store", {"timezone": "@"}).replace('"@"', "NaN")
    code, _, log = world.run(spoilt)
    assert (code, "The store's time zone is not known" in log) == (1, True)
    world.settings["timezone"] = "UTC"
    world.sync(spoilt)
    assert set(states(world).values()) == {"posted"}


def first_transaction(messages: str, order_id: int) -> int:
    """The id of an order's first transaction in what the tap says."""
    records = (json.loads(line).get("record", {}) for line in messages.splitlines())
    return next(int(row["id"]) for row in records if row.get("order_id") == order_id)
