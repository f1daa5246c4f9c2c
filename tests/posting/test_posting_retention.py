"""After retention the ledger names no shopper, and the books go on as before."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from target_freshbooks.ledger import OrderRow, ScratchLedger
from target_freshbooks.ledger.storage.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = {
    "first_name": "Quendolyn",
    "last_name": "Zanzibarova",
    "company": "Quagga Estates",
    "street_1": "77 Xylophone Crescent",
    "city": "Zzyzx",
    "zip": "ZQ1 9XX",
    "phone": "5550177733",
    "email": "Quen.Canary@quokka.example",
}


def named_in(world: Any) -> list[tuple[str, str, str]]:
    """Table, column and canary of every text in the ledger that names the shopper."""
    engine = sa.create_engine(world.config["ledger_url"])
    found = set()
    with engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
        assert tables >= set(metadata.tables), "every table of the ledger is looked at"
        for table in sorted(tables):
            for row in connection.execute(
                sa.select(sa.text("*")).select_from(sa.table(table))
            ).mappings():
                for column, value in row.items():
                    for canary in CANARY.values():
                        if canary.casefold() in str(value).casefold():
                            found.add((table, column, canary))
    engine.dispose()
    return sorted(found)


def guest(world: Any) -> None:
    world.place(billing=CANARY)


def customer(world: Any) -> None:
    enrolled = {name: CANARY[name] for name in ("first_name", "last_name", "company", "email")}
    number = world.control("POST", "shop/customers", enrolled | {"phone": CANARY["phone"]})["id"]
    world.place(billing=CANARY, customer_id=number)


def customer_without_an_order(world: Any) -> None:
    world.control("POST", "shop/customers", CANARY)
    world.place()


def abandoned_cart(world: Any) -> None:
    world.place(billing=CANARY, status_id=0, pay=None)


def cancelled(world: Any) -> None:
    world.place(billing=CANARY, status_id=5, pay=None)


def cancelled_after_posting(world: Any) -> None:
    order = world.synced(billing=CANARY)
    world.change(order, "cancel")


def parked(world: Any) -> None:
    """Parked with FreshBooks' own words, which repeat what was sent."""
    world.place(billing=CANARY)
    said = f"{CANARY['last_name']} of {CANARY['street_1']} is refused, {CANARY['email']}"
    error = {"errno": 1004, "field": "x", "message": said, "object": "invoice"}
    answer = json.dumps({"response": {"errors": [error]}})
    world.fault(kind="status", status=422, method="POST", path="/invoices/invoices$", answer=answer)


def refunded(world: Any) -> None:
    order = world.synced(billing=CANARY)
    world.change(order, "refund", order_amount="4.00")


def settled(world: Any) -> None:
    order = world.synced(billing=CANARY)
    world.ctl("settle", str(order), "--note", f"asked {CANARY['email']}")


def kept_as_a_draft(world: Any) -> None:
    world.settings["post_as"] = "draft"
    world.place(billing=CANARY)


def looked_at_in_a_dry_run(world: Any) -> None:
    world.place(billing=CANARY)
    world.sync(dry_run=True)
    del world.settings["dry_run"]


KINDS = [
    guest,
    customer,
    customer_without_an_order,
    abandoned_cart,
    cancelled,
    cancelled_after_posting,
    parked,
    refunded,
    settled,
    kept_as_a_draft,
    looked_at_in_a_dry_run,
]


@pytest.mark.more
@pytest.mark.parametrize("make", KINDS)
def test_after_retention_no_text_of_any_table_names_the_shopper(
    world: Any, make: Callable[[Any], None]
) -> None:
    make(world)
    world.sync()
    assert named_in(world), "it was there before"
    with world.ledger() as ledger:
        ledger.retention.prune(timedelta(0))
        ScratchLedger(ledger).inbox.prune(timedelta(0))
    assert named_in(world) == []
    world.control("DELETE", "faults")
    assert world.ctl("verify", "--chain-only")["chain"]["ok"]
    # And again, once the same has come anew, by the run itself.
    make(world)
    world.sync(ledger_retention_days=0)
    assert named_in(world) == []


def test_what_a_dry_run_alone_was_told_is_dropped_too(world: Any) -> None:
    before = world.messages()
    looked_at_in_a_dry_run(world)
    assert named_in(world)
    world.sync(before, ledger_retention_days=0)
    assert named_in(world) == []


def test_what_comes_again_unchanged_is_dropped_again_though_nothing_was_to_be_done(
    world: Any,
) -> None:
    world.place(billing=CANARY)
    for _ in range(2):
        world.sync()
        assert named_in(world)
        with world.ledger() as ledger:
            assert ledger.retention.prune(timedelta(0)) == 1
        assert named_in(world) == []


def test_after_retention_a_known_shopper_gets_no_second_client(world: Any) -> None:
    guest(world)
    world.sync()
    with world.ledger() as ledger:
        ledger.retention.prune(timedelta(0))
    # FreshBooks' search does not help: what the ledger knows must do.
    world.fault(kind="status", status=500, method="GET", path="/users/clients$")
    again = world.place(billing={**CANARY, "email": CANARY["email"].upper()})
    world.sync(max_retry_seconds=0)
    assert world.row(again).state == "posted"
    assert len(world.books()["clients"]) == 1


def test_a_customer_s_record_stays_as_long_as_an_order_of_theirs_is_here(world: Any) -> None:
    enrolled = {name: CANARY[name] for name in ("first_name", "last_name", "email")}
    number = world.control("POST", "shop/customers", enrolled)["id"]
    # The order has no e-mail of its own: without the customer its client could not be told.
    order = world.synced(billing={"first_name": "Q"}, customer_id=number)
    with world.ledger() as ledger:
        ledger.orders.record(OrderRow(order, "new", run_id="test"))
        ledger.retention.prune(timedelta(0))
        assert ledger.inbox.body("customers", (number,)) is not None
    world.ctl("replay", str(order))
    assert world.row(order).state == "posted"
    with world.ledger() as ledger:
        ledger.retention.prune(timedelta(0))
        assert ledger.inbox.body("customers", (number,)) is None


def test_a_parked_order_is_asked_for_anew_and_replayed_after_retention(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    parked(world)
    world.sync()
    world.control("DELETE", "faults")
    with world.ledger() as ledger:
        ledger.retention.prune(timedelta(0))
    (told,) = world.ctl("status")["parked_orders"]
    order = told["order_id"]
    assert f"TAP_BIGCOMMERCE_ORDERS_ORDER_IDS='[{order}]' meltano run" in told["next_step"]
    assert told["words"] is None
    answer = world.ctl("replay", str(order))
    assert (world.code, answer["not_in_ledger"]) == (1, [order])
    with caplog.at_level(logging.WARNING):
        world.sync()
    assert world.ctl("replay", str(order))["posted"] == 1
    assert len(world.books()["clients"]) == 1
