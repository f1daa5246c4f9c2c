"""Whose records they are: a source's ledger takes one store's in, and dates them by its clock."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from target_freshbooks.books.calendar import UnknownZone
from target_freshbooks.ledger import AnotherStore
from target_freshbooks.sinks import RecordError

from demo.project import BIN

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.more


OURS = ("store", "customers", "transactions", "refunds", "order_taxes", "orders")

JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}


def changed(text: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> str:
    """Messages with each record as the function makes it; None leaves it out."""
    lines = []
    for line in text.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            record = change(message)
            if record is None:
                continue
            message["record"] = record
        lines.append(json.dumps(message))
    return "\n".join(lines) + "\n"


def of_store(text: str, store_hash: object, stream: str | None = None) -> str:
    """The same messages as another store would send them; or just one stream's records of them."""

    def named(message: dict[str, Any]) -> dict[str, Any] | None:
        if stream in (None, message["stream"]):
            return {**message["record"], "store_hash": store_hash}
        return None

    return changed(text, named)


def of_zone(text: str, zone: Any) -> str:
    """The same messages with another time zone of the store; without its record for False."""

    def set_zone(message: dict[str, Any]) -> dict[str, Any] | None:
        record: dict[str, Any] = message["record"]
        if message["stream"] != "store":
            return record
        return None if zone is False else {**record, "timezone": zone}

    return changed(text, set_zone)


@pytest.fixture
def shop(world: Any) -> Any:
    """A customer's order, taxed, paid and refunded in part, in the shop and in the books."""
    customer = world.control("POST", "shop/customers", JANE)["id"]
    order = world.place(customer_id=customer)
    world.change_and_sync(order, "refund", order_amount="4.00")
    return world


# -- one store for each source


def test_nothing_of_another_store_is_taken_in_under_the_same_source(shop: Any) -> None:
    """Also no customer: their changes are written to FreshBooks before the first order comes."""
    before, kept = shop.books(), known(shop)
    text = shop.messages().replace("Jane", "Mallory")
    said = r"source 'bigcommerce' belongs to store sandbox, but a record of store other456 came in"
    for stream in (None, *OURS):
        with pytest.raises(AnotherStore, match=said):
            shop.sync(of_store(text, "other456", stream))
        assert shop.books() == before, stream
        assert known(shop) == kept, stream


def known(world: Any) -> dict[tuple[str, str], str]:
    query = sa.text("SELECT stream, key, body FROM ledger_inbox ORDER BY stream, key")
    with world.ledger() as ledger, ledger.scope.database.read() as connection:
        return {(row.stream, row.key): row.body for row in connection.execute(query)}


def test_a_store_is_not_booked_a_second_time_under_another_source(shop: Any) -> None:
    before = shop.books()
    shop.settings |= {"source": "again", "invoice_number_prefix": "A-"}
    with pytest.raises(AnotherStore, match="is booked in this ledger as source 'bigcommerce'"):
        shop.sync()
    assert shop.books() == before


def test_a_record_that_names_no_store_is_refused(shop: Any) -> None:
    text, before = shop.messages(), shop.writes()
    for stream, store_hash in itertools.product(OURS, (None, " ", 7, "my store", "a(b)", "a\n")):
        with pytest.raises(RecordError, match=f"A record of {stream} has no store_hash"):
            shop.sync(of_store(text, store_hash, stream))
    assert shop.writes() == before


def test_a_dry_run_binds_nothing(world: Any) -> None:
    order = world.place()
    world.settings |= {"dry_run": True}
    world.sync(of_store(world.messages(), "other456"))
    world.settings |= {"dry_run": False}
    world.sync()
    assert world.row(order).state == "posted"


def states(world: Any) -> dict[int, str]:
    with world.ledger() as ledger:
        return {row.order_id: row.state for row in ledger.orders.all()}


# -- no day without a time zone


@pytest.mark.parametrize("zone", [False, None, {}, {"name": ""}, {"name": None}])
def test_without_a_time_zone_the_run_stops_before_anything_is_written(
    world: Any, zone: Any
) -> None:
    world.control("POST", "shop/customers", JANE)
    order = world.place()
    world.settings |= {"client_sync": "all", "item_sync": "all"}
    text = of_zone(world.messages(), zone)
    with pytest.raises(UnknownZone, match=r"select the stream `store` in the tap, or set `timezon"):
        world.sync(text)
    assert world.writes() == 0
    world.settings["timezone"] = "America/Chicago"
    world.sync(text)
    assert world.row(order).state == "posted"


def test_a_time_zone_nobody_knows_stops_the_run_before_anything_is_written(world: Any) -> None:
    world.place()
    world.settings |= {"client_sync": "all", "item_sync": "all"}
    text = of_zone(world.messages(), {"name": "Mars/Olympus"})
    with pytest.raises(UnknownZone, match="'Mars/Olympus' is no time zone known here; set `timez"):
        world.sync(text)
    assert world.writes() == 0


def test_the_store_s_record_of_an_earlier_run_is_enough(world: Any) -> None:
    world.synced()
    order = world.place()
    world.sync(of_zone(world.messages(), False))
    assert world.row(order).state == "posted"


def test_an_order_that_comes_alone_is_not_dated_without_a_time_zone(world: Any) -> None:
    order = world.place()
    alone = changed(
        world.messages(),
        lambda message: message["record"] if message["stream"] == "orders" else None,
    )
    with pytest.raises(UnknownZone):
        world.sync(alone)
    assert world.writes() == 0
    assert states(world) == {order: "new"}


def program(world: Any, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    name, *arguments = command
    return subprocess.run(
        [str(BIN / name), "--config", world.config_file(), *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_run_without_a_time_zone_ends_with_1_and_one_sentence(world: Any) -> None:
    order = world.place()
    done = program(world, "target-freshbooks", text=of_zone(world.messages(), False))
    assert done.returncode == 1
    assert "orders" not in done.stdout
    assert done.stderr.count("select the stream `store`") == 1
    assert "Traceback" not in done.stderr
    plan = program(world, "target-freshbooks-ctl", "plan", str(order))
    assert plan.returncode == 1
    assert plan.stderr.startswith("Error: The store's time zone is not known")
