"""Writes that are carried out late, and clients and items that are made once whatever comes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.constants import STORE_HASH
from target_freshbooks import wiring
from target_freshbooks.freshbooks import parsing
from target_freshbooks.ledger import Intent, Ledger
from target_freshbooks.posting.apply import upsert
from target_freshbooks.posting.apply.outcome_lookup import OutcomeLookup, WriteRetry
from target_freshbooks.posting.results import Interrupted

if TYPE_CHECKING:
    from pathlib import Path

    from target_freshbooks.ledger.intents import Outcome
    from target_freshbooks.posting.apply.writer import OutcomeUnknown

pytestmark = pytest.mark.more

D = Decimal
OF_THE_SHOP = {"store_hash": STORE_HASH}
JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
GUESTS = [{"first_name": "Jo", "last_name": "Doe", "email": f"jo{n}@x.example"} for n in range(2)]


# -- a change that is carried out late


def test_a_change_carried_out_late_undoes_no_later_step(world: Any) -> None:
    order = world.synced()
    world.change(order, "refund", order_amount="2.00")
    world.change(order, "refund", order_amount="3.00")
    world.settings |= {"request_timeout": 1, "settle_seconds": 10}
    late = {"delay_ms": 2500, "handle_gone": True, "times": 1}
    world.fault(kind="hold", method="PUT", path="/invoices/invoices/", **late)
    world.sync()
    time.sleep(2)  # by then the request that was given up has been carried out
    assert world.row(order).state == "posted"
    assert (world.total(order), world.paid(order)) == (D("6.00"), [D("6.00")])


@pytest.mark.parametrize(
    ("rule", "answered"),
    [
        ({"kind": "status", "status": 500}, True),
        ({"kind": "status", "status": 503}, True),
        ({"kind": "html", "status": 200}, True),
        ({"kind": "status", "status": 502}, False),
        ({"kind": "html", "status": 504}, False),
        ({"kind": "reset_before"}, False),
        ({"kind": "truncate"}, False),
    ],
)
def test_a_request_is_over_where_freshbooks_itself_answered(
    world: Any, monkeypatch: pytest.MonkeyPatch, rule: dict[str, Any], answered: bool
) -> None:
    known = []
    settle = WriteRetry.settle

    def noted(self: WriteRetry, unknown: OutcomeUnknown) -> bool:
        known.append(unknown.answered)
        return settle(self, unknown)

    monkeypatch.setattr(WriteRetry, "settle", noted)
    order = world.place()
    world.fault(**rule, method="PUT", path="/invoices/invoices/", times=1)
    world.sync()
    assert (known, world.row(order).state) == ([answered], "posted")


@pytest.mark.parametrize(
    ("kind", "answered", "waited"),
    [
        ("update_payment", False, True),
        ("delete_invoice", False, True),
        ("update_payment", True, False),
        ("create_payment", True, True),  # lists may not show yet what was made
    ],
)
def test_only_a_change_that_is_over_is_not_waited_for(
    kind: str, answered: bool, waited: bool
) -> None:
    standing = SimpleNamespace(id=3, amount=D(9), vis_state=0, overpayment_id=None)
    none: dict[str, Any] = dict.fromkeys(("of_invoice", "noting"), lambda _, **__: [])
    records = SimpleNamespace(get=lambda _: standing, **none)
    collections = {"payment": records, "invoice": records}
    books = SimpleNamespace(payments=records, collections=collections)
    outcomes: list[str] = []
    closing = SimpleNamespace(close=lambda _, outcome, **__: outcomes.append(outcome))
    links = SimpleNamespace(get=lambda *_: None, of_order=lambda _: [])
    ledger = SimpleNamespace(intents=closing, links=links)
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += timedelta(seconds=seconds)

    resolver = OutcomeLookup(
        books,  # type: ignore[arg-type]  # just what it uses
        ledger,  # type: ignore[arg-type]  # as above
        "run",
        clock=lambda: now[0],
        sleep=sleep,
        settle_seconds=10,
    )
    body = {"invoiceid": 3, "amount": {"amount": "5.00"}, "note": NOTE}
    intent = Intent(1, 7, kind, "7", "h", {"remote_id": 3, "body": body}, now[0], "run")
    assert resolver.resolve(intent, since=intent.opened_at, answered=answered) is False
    assert outcomes == ["not_found"]
    assert (sum(slept) >= 10) is waited
    assert waited or not slept


NOTE = "BigCommerce order 7, transaction 7 (store sandbox)"

# -- one client, one item, though searches do not show them yet


def shirt(variant: int, **more: Any) -> dict[str, Any]:
    """A line of one of the variants of a product that share the product's SKU."""
    line = {"name": "Shirt", "sku": "TS", "price": "10.00", "product_id": 7, "variant_id": variant}
    return line | more


def searches_lag(world: Any) -> None:
    world.settings |= {"settle_seconds": 3, "max_parallel_orders": 1}
    world.switch(fb__stale_search_seconds=2)


def with_products(messages: str, *products: dict[str, Any]) -> str:
    """The messages with these products behind the store."""
    schema = {"properties": {"id": {"type": "integer"}}}
    keyed = {"stream": "products", "schema": schema, "key_properties": ["id"]}
    said = [json.dumps({"type": "SCHEMA", **keyed})]
    said += [
        json.dumps({"type": "RECORD", "stream": "products", "record": {**OF_THE_SHOP, **row}})
        for row in products
    ]
    lines = messages.splitlines()
    store = max(n for n, line in enumerate(lines) if json.loads(line).get("stream") == "store")
    return "\n".join([*lines[: store + 1], *said, *lines[store + 1 :]]) + "\n"


def item_links(world: Any) -> dict[str, tuple[int, bool]]:
    """The item of each key, and whether it is another's as well."""
    with world.ledger() as ledger:
        return {
            link.key: (link.remote_id, link.extra.get("shared", False))
            for link in ledger.links.of_kind("item")
        }


@pytest.mark.parametrize("orders", [1, 2])
def test_variants_of_one_sku_share_an_item_that_searches_do_not_show_yet(
    world: Any, orders: int
) -> None:
    lines = [shirt(71), shirt(72)]
    if orders == 1:
        world.place(lines=lines)
    else:
        for line in lines:
            world.place(lines=[line])
    messages = world.messages()
    searches_lag(world)
    world.sync(messages)
    (item,) = world.books()["items"]
    assert item_links(world) == {
        "sku:TS": (item["id"], False),
        "variant:7:71": (item["id"], False),
        "variant:7:72": (item["id"], True),
    }


def product(sku: str) -> dict[str, Any]:
    """The catalogue's record of the shirts."""
    variants = [{"id": n, "product_id": 7, "sku": "", "price": 10} for n in (71, 72)]
    return {"id": 7, "name": "Shirt", "sku": sku, "price": 10, "variants": variants}


def test_all_variants_of_one_sku_are_one_item(world: Any) -> None:
    messages = with_products(world.messages(), product("TS"))
    searches_lag(world)
    world.settings["item_sync"] = "all"
    world.sync(messages)
    assert [row["sku"] for row in world.books()["items"]] == ["TS"]


@pytest.mark.parametrize("lost", [False, True])
def test_an_item_is_shared_by_the_sku_it_was_given_later(world: Any, lost: bool) -> None:
    world.place(lines=[shirt(71)])
    world.sync(with_products(world.messages(), product("TS")))
    world.place(lines=[shirt(72, sku="NEW")])
    messages = with_products(world.messages(), product("NEW"))
    searches_lag(world)
    if lost:
        world.fault(kind="reset_after", method="PUT", path="/items/items/", times=1)
    world.sync(messages)
    assert [row["sku"] for row in world.books()["items"]] == ["NEW"]


@pytest.mark.parametrize("written", ["eleven", "NaN"])
def test_a_product_that_cannot_be_read_leaves_its_orders_to_what_they_say_themselves(
    world: Any, written: str, caplog: pytest.LogCaptureFixture
) -> None:
    named, nameless = world.place(lines=[shirt(71)]), world.place(lines=[shirt(72, sku="")])
    messages = with_products(world.messages(), product("TS") | {"price": "@"})
    world.sync(messages.replace('"@"', written if written == "NaN" else f'"{written}"'))
    assert [world.row(order).state for order in (named, nameless)] == ["posted", "posted"]
    assert sorted(row["sku"] or "" for row in world.books()["items"]) == ["", "TS"]
    assert "product 7.price is no decimal number" in caplog.text


@pytest.mark.parametrize(("variant", "sku"), [(71, "TS"), (72, "TS-L")])
def test_an_item_of_a_line_without_sku_takes_the_variant_s_else_the_product_s(
    world: Any, variant: int, sku: str
) -> None:
    shirts = product("TS")
    shirts["variants"][1]["sku"] = "TS-L"
    order = world.place(lines=[shirt(variant, sku="")])
    messages = with_products(world.messages(), shirts)
    world.sync(messages)
    assert [row["sku"] for row in world.books()["items"]] == [sku]
    world.lose_ledger()
    assert world.writes_of(lambda: world.sync(messages)) == 0
    assert world.row(order).state == "posted"


@pytest.mark.parametrize("change", [{"vis_state": 1}, {"sku": "OTHER"}])
def test_an_item_that_bears_the_sku_no_more_is_not_shared(
    world: Any, change: dict[str, Any]
) -> None:
    world.synced(lines=[shirt(71)])
    (item,) = world.books()["items"]
    world.put(f"items/items/{item['id']}", {"item": change})
    world.synced(lines=[shirt(72, name="Blouse")])
    made = [row for row in world.books()["items"] if row["id"] != item["id"]]
    assert [(row["name"], row["sku"]) for row in made] == [("Blouse", "TS")]
    assert item_links(world)["sku:TS"] == (made[0]["id"], False)
    assert item_links(world)["variant:7:72"] == (made[0]["id"], False)


def test_a_guest_with_a_customer_s_new_e_mail_is_the_customer_s_client(world: Any) -> None:
    world.settings["client_email_changes"] = "follow"
    customer = world.control("POST", "shop/customers", JANE)["id"]
    world.synced(customer_id=customer)
    world.control("POST", f"shop/customers/{customer}", {"email": "new@shop.example"})
    world.place(customer_id=customer, billing={**JANE, "email": "new@shop.example"})
    world.place(billing={**JANE, "email": "new@shop.example"})
    messages = world.messages()
    searches_lag(world)
    world.sync(messages)
    assert [row["email"] for row in world.books()["clients"]] == ["new@shop.example"]


def test_a_changed_e_mail_is_known_though_the_change_lost_its_answer(world: Any) -> None:
    world.settings["client_email_changes"] = "follow"
    customer = world.control("POST", "shop/customers", JANE)["id"]
    world.synced(customer_id=customer)
    world.control("POST", f"shop/customers/{customer}", {"email": "new@shop.example"})
    world.place(customer_id=customer, billing={**JANE, "email": "new@shop.example"})
    world.place(billing={**JANE, "email": "new@shop.example"})
    messages = world.messages()
    searches_lag(world)
    world.fault(kind="reset_after", method="PUT", path="/users/clients/", times=1)
    world.sync(messages)
    assert [row["email"] for row in world.books()["clients"]] == ["new@shop.example"]


# -- several workers at once


def test_an_item_being_made_is_not_taken_for_its_namesake_without_an_sku(world: Any) -> None:
    """The one without an SKU comes while the other's making is under way, under another lock."""
    for sku, guest in zip(("MUG", ""), GUESTS, strict=True):
        world.place(lines=[{"name": "Mug", "sku": sku, "price": "10.00"}], billing=guest)
    world.settings |= {"max_parallel_orders": 2, "settle_seconds": 1}
    made = {"method": "POST", "times": 1}
    world.fault(kind="hold", path="/items/items$", body="MUG", delay_ms=4000, **made)
    world.fault(kind="slow", path="/users/clients$", body="jo1@", delay_ms=1000, **made)
    world.sync()
    with world.ledger() as ledger:
        assert [row.state for row in ledger.orders.all()] == ["posted", "posted"]
    assert sorted(row["sku"] or "" for row in world.books()["items"]) == ["", "MUG"]


def test_orders_whose_client_was_deleted_meanwhile_make_one_new_client(world: Any) -> None:
    world.switch(fb__deleted_client_invoice="refuse")
    world.settings |= {"max_parallel_orders": 2, "settle_seconds": 0}
    gone = world.invoice(world.synced())["customerid"]
    first, second = world.place(), world.place()
    deletion = {"client": {"vis_state": 1}}
    write = {"method": "PUT", "path": f"users/clients/{gone}", "json": deletion}
    made = {"method": "POST", "path": "/invoices/invoices$", "times": 1}
    world.fault(kind="act", body=f"order {first} ", writes=[write], **made)
    world.fault(kind="slow", body=f"order {second} ", delay_ms=4000, **made)
    unseen = {"kind": "stale_search", "method": "GET", "path": "/users/clients$"}
    world.fault(**unseen, delay_ms=3_600_000)
    world.sync()
    used = {world.invoice(order)["customerid"] for order in (first, second)}
    assert used == {row["id"] for row in world.books()["clients"]} - {gone}
    assert len(used) == 1


def test_a_lost_item_without_an_sku_is_not_taken_for_its_namesake(world: Any) -> None:
    world.synced()
    world.place(lines=[{"name": "Mug", "sku": "", "price": "10.00"}])
    world.fault(kind="reset_before", method="POST", path="/items/items$", times=1)
    world.sync()
    assert sorted(row["sku"] or "" for row in world.books()["items"]) == ["", "MUG"]


@pytest.mark.parametrize("outcome", ["done", "not_found"])
def test_what_another_worker_made_out_about_a_write_is_no_error(
    tmp_path: Path, outcome: Outcome
) -> None:
    """Whoever sees the record knows better than one who looked before it could be seen."""
    row = parsing.item({"id": 5, "sku": "MUG", "name": "Mug"})
    seen = [row]
    books = SimpleNamespace(items=SimpleNamespace(of_sku=lambda _: seen))
    body = {"name": "Mug", "sku": "MUG"}
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite", source="shop") as ledger:
        written = {"kind": "create_item", "key": "variant:7:71", "request_hash": "h"}
        payload = {"remote_id": None, "body": body, "content": None}
        with ledger.locks.hold("ACC1", "run", wait_seconds=0) as lock:
            intent = ledger.intents.open(
                lock=lock, **written, order_id=None, payload=payload, run_id="run"
            )
        ledger.intents.close(intent, outcome)
        resolver = OutcomeLookup(
            books,  # type: ignore[arg-type]  # just what it uses
            ledger,
            "run",
            clock=lambda: datetime.now(UTC),
            sleep=time.sleep,
            settle_seconds=0,
        )
        seen.clear()
        assert resolver.resolve(intent, since=intent.opened_at) is (outcome == "done")
        seen.append(row)
        assert resolver.resolve(intent, since=intent.opened_at) is True
        link = ledger.links.get("item", "variant:7:71")
        assert link is not None
        assert link.remote_id == 5


# -- "being changed by another request"


@pytest.mark.parametrize(
    ("kind", "path"), [("clients", "/users/clients$"), ("items", "/items/items$")]
)
def test_a_client_or_item_another_request_is_at_is_tried_again(
    world: Any, kind: str, path: str
) -> None:
    order = world.place()
    world.fault(kind="status", status=409, method="POST", path=path, times=3)
    world.sync()
    assert world.row(order).state == "posted"
    assert len(world.books()[kind]) == 1
    assert [row["name"] for row in world.books()["items"]] == ["Mug"]


def test_a_conflict_that_lasts_is_given_up(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upsert, "BUSY_PAUSES", (0.01, 0.01))
    order = world.place()
    world.fault(kind="status", status=409, method="POST", path="/items/items$")
    assert world.writes_of(world.sync) == 4  # the client, and three tries of the item
    assert world.row(order).reason == "refused_by_freshbooks"


def test_a_wait_for_another_request_ends_when_the_run_is_to_stop(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_: float) -> None:
        raise Interrupted

    monkeypatch.setattr(wiring, "interruptible", lambda _: sleep)
    world.place()
    world.fault(kind="status", status=409, method="POST", path="/items/items$")
    with pytest.raises(Interrupted):
        world.sync()


def test_a_name_that_another_item_has_is_told_apart_at_once(world: Any) -> None:
    error = {"errno": 409, "field": "name", "message": "taken", "object": "item"}
    answer = json.dumps({"response": {"errors": [error]}})
    order = world.place()
    world.fault(
        kind="status", status=409, method="POST", path="/items/items$", answer=answer, times=1
    )
    assert world.writes_of(world.sync) == 6
    assert world.row(order).state == "posted"
    assert [row["name"] for row in world.books()["items"]] == ["Mug (MUG)"]


# -- one record that breaks the accounting


@pytest.mark.parametrize("sync", ["ordered", "all"])
def test_a_product_beyond_reckoning_holds_nobody_up(
    world: Any, caplog: pytest.LogCaptureFixture, sync: str
) -> None:
    order = world.place()
    broken = product("TS") | {"id": 5, "name": "Secret Shirt", "price": 1e30}
    broken["variants"] = [{"id": 51, "product_id": 5, "price": 1e30}]
    messages = with_products(world.messages(), broken, product("TS"))
    world.settings["item_sync"] = sync
    world.sync(messages)
    assert world.row(order).state == "posted"
    made = {"MUG", "TS"} if sync == "all" else {"MUG"}
    assert {row["sku"] for row in world.books()["items"]} == made
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    (said,) = [line for line in warned if "products" in line]
    assert "5" in said
    assert "Secret" not in said
