"""Whose client and whose item it is: what a person made or corrected is used, never changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.constants import STORE_HASH
from target_freshbooks.freshbooks import parsing
from target_freshbooks.ledger import Ledger
from target_freshbooks.posting.apply.outcome_lookup import OutcomeLookup

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.more


JANE = {"first_name": "Jane", "last_name": "Doe", "email": "jane@shop.example"}
PROFILE = {
    "first_name": "Mallory",
    "last_name": "Hostile",
    "company": "Mallory Ltd",
    "email": "mallory@evil.example",
}
BY_HAND = {
    "fname": "Ada",
    "lname": "Books",
    "organization": "Books & Co",
    "email": "jane@shop.example",
    "p_street": "1 Ledger Lane",
}


def register(world: Any, **customer: Any) -> int:
    return int(world.control("POST", "shop/customers", {**JANE, **customer})["id"])


def edit_profile(world: Any, customer: int, **fields: Any) -> None:
    world.control("POST", f"shop/customers/{customer}", fields or PROFILE)


def client(world: Any) -> dict[str, Any]:
    """The one client there is, without the date of its last change."""
    (found,) = world.books()["clients"]
    return {name: value for name, value in found.items() if name != "updated"}


def item(world: Any) -> dict[str, Any]:
    (found,) = world.books()["items"]
    return {name: value for name, value in found.items() if name != "updated"}


def edit(world: Any, record: dict[str, Any], **fields: Any) -> None:
    """A person's correction in FreshBooks."""
    if "lname" in record:
        world.put(f"users/clients/{record['id']}", {"client": fields})
    else:
        world.put(f"items/items/{record['id']}", {"item": fields})


def with_product(world: Any, **product: Any) -> str:
    """The shop's messages with a product of one variant behind the store: the mug."""
    row = {"id": 5, "name": "Mug", "sku": "MUG", "price": 10, "store_hash": STORE_HASH, **product}
    row["variants"] = [{"id": 51, "product_id": 5, "sku": "", "price": None}]
    schema = {"properties": {"id": {"type": "integer"}}}
    said = [
        {"type": "SCHEMA", "stream": "products", "schema": schema, "key_properties": ["id"]},
        {"type": "RECORD", "stream": "products", "record": row},
    ]
    lines = world.messages().splitlines()
    store = max(n for n, line in enumerate(lines) if json.loads(line).get("stream") == "store")
    lines[store + 1 : store + 1] = [json.dumps(one) for one in said]
    return "\n".join(lines) + "\n"


def mug(**more: Any) -> dict[str, Any]:
    line = {"name": "Mug", "sku": "MUG", "price": "10.00", "product_id": 5, "variant_id": 51}
    return line | more


# -- a client that a person made


@pytest.mark.parametrize("ledger", ["kept", "lost"])
@pytest.mark.parametrize("setting", ["keep", "follow"])
def test_a_shopper_with_the_e_mail_of_a_person_s_client_rewrites_nothing_of_it(
    world: Any, ledger: str, setting: str
) -> None:
    world.settings["client_email_changes"] = setting
    world.post("users/clients", {"client": BY_HAND})
    before = client(world)
    typed = {"customerid": before["id"], "create_date": "2026-01-01", "invoice_number": "HAND-1"}
    line = {"name": "Audit", "qty": "1", "unit_cost": {"amount": "50000.00", "code": "USD"}}
    world.post("invoices/invoices", {"invoice": {**typed, "lines": [line]}})
    by_hand = world.invoice("HAND-1")
    customer = register(world)
    order = world.synced(customer_id=customer, billing={**JANE, "street_1": "9 Shop St"})
    if ledger == "lost":
        world.lose_ledger()
        world.sync()
    edit_profile(world, customer)
    assert world.writes_of(world.sync) == 0
    assert client(world) == before
    assert world.invoice("HAND-1") == by_hand
    made = world.invoice(order)
    told = made["customerid"], made["fname"], made["lname"], made["street"]
    assert told == (before["id"], "Jane", "Doe", "9 Shop St")


@pytest.mark.parametrize("registered_order", [False, True])
def test_a_shopper_with_the_e_mail_of_a_guest_rewrites_nothing_of_the_guest_s_client(
    world: Any, registered_order: bool
) -> None:
    world.settings["client_email_changes"] = "follow"
    world.synced(billing=JANE)
    before = client(world)
    customer = register(world)
    if registered_order:
        world.synced(customer_id=customer, billing=JANE)
    edit_profile(world, customer)
    assert world.writes_of(world.sync) == 0
    assert client(world) == before


@pytest.mark.more
def test_a_guest_s_order_changes_no_client(world: Any) -> None:
    world.synced(customer_id=register(world), billing=JANE)
    before = client(world)
    order = world.synced(billing={**JANE, "first_name": "Mallory", "company": "Evil"})
    assert client(world) == before
    assert world.invoice(order)["fname"] == "Mallory"


def test_another_store_s_shopper_changes_nothing_of_a_client_this_store_made(world: Any) -> None:
    customer = register(world)
    world.synced(customer_id=customer)
    before = client(world)
    world.settings |= {"source": "second", "invoice_number_prefix": "B-"}
    world.sync(world.messages_of("second"))
    assert len(world.books()["invoices"]) == 2
    edit_profile(world, customer)
    assert world.writes_of(lambda: world.sync(world.messages_of("second"))) == 0
    assert client(world) == before


def test_a_client_is_not_ours_any_more_once_the_ledger_was_lost(world: Any) -> None:
    customer = register(world)
    world.synced(customer_id=customer)
    before = client(world)
    world.lose_ledger()
    world.sync()
    edit_profile(world, customer, first_name="Janet")
    assert world.writes_of(world.sync) == 0
    assert client(world) == before


# -- a client that we made


def test_a_person_s_correction_of_our_client_stays_and_is_told(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    customer = register(world)
    world.synced(customer_id=customer)
    ours = client(world)
    edit(world, ours, organization="Doe & Daughters", note="pays late")
    company = {"first_name": "Janet", "company": "Doe Ltd"}
    edit_profile(world, customer, **company)
    assert world.writes_of(world.sync) == 1
    now = client(world)
    found = now["fname"], now["lname"], now["organization"], now["note"]
    assert found == ("Janet", "Doe", "Doe & Daughters", "pays late")
    assert world.ctl("status")["clients_left"] == [{"id": ours["id"], "fields": ["organization"]}]
    said = [row.getMessage() for row in caplog.records if "organization" in row.getMessage()]
    assert len(said) == 1
    assert not any(word in said[0] for word in ("Doe", "Janet", "@"))
    assert world.writes_of(world.sync) == 0


def test_what_freshbooks_filled_in_itself_gives_way_to_the_shop_s(world: Any) -> None:
    customer = register(world)
    world.synced(customer_id=customer)
    assert client(world)["organization"] == "Jane Doe"
    edit_profile(world, customer, company="Doe Ltd")
    world.sync()
    assert client(world)["organization"] == "Doe Ltd"
    assert world.ctl("status")["clients_left"] == []


def test_a_change_is_written_with_nothing_but_the_fields_that_differ(world: Any) -> None:
    customer = register(world)
    world.synced(customer_id=customer)
    edit_profile(world, customer, first_name="Janet")
    world.sync()
    (body,) = [
        row["body"]
        for row in world.control("GET", "history")["history"]
        if row["kind"] == "client.update"
    ]
    assert body == {"client": {"fname": "Janet"}}


@pytest.mark.more
def test_a_change_that_freshbooks_ignores_is_told_and_not_made_again(world: Any) -> None:
    customer = register(world)
    world.synced(customer_id=customer)
    world.fault(kind="ignored", method="PUT", path="/users/clients/")
    edit_profile(world, customer, first_name="Janet")
    said = world.messages()
    assert world.writes_of(lambda: world.sync(said)) == 1
    assert world.writes_of(lambda: world.sync(said)) == 0
    assert world.ctl("status")["clients_left"] == [{"id": client(world)["id"], "fields": ["fname"]}]


@pytest.mark.more
def test_a_change_that_freshbooks_refuses_is_told_and_not_made_again(world: Any) -> None:
    customer = register(world)
    world.synced(customer_id=customer)
    refusal = {"errno": 1017, "field_name": "fname", "words": "Too long."}
    world.fault(kind="refused", method="PUT", path="/users/clients/", **refusal)
    edit_profile(world, customer, first_name="Janet")
    said = world.messages()
    assert world.writes_of(lambda: world.sync(said)) == 1
    assert world.writes_of(lambda: world.sync(said)) == 0
    (left,) = world.ctl("status")["clients_left"]
    assert left["fields"] == ["fname"]


@pytest.mark.more
def test_a_change_without_an_answer_keeps_what_is_ours(world: Any) -> None:
    """Whether the answer to a change was lost, a later change is carried over as any other."""
    customer = register(world)
    world.synced(customer_id=customer)
    edit_profile(world, customer, first_name="Janet")
    world.fault(kind="reset_after", method="PUT", path="/users/clients/", times=1)
    world.sync()
    edit_profile(world, customer, first_name="Jeanette")
    world.sync()
    assert client(world)["fname"] == "Jeanette"
    edit(world, client(world), fname="Joan")
    edit_profile(world, customer, first_name="Johanna", last_name="Roe")
    world.sync()
    assert (client(world)["fname"], client(world)["lname"]) == ("Joan", "Roe")


NOT_DONE: dict[str, dict[str, Any]] = {
    "409": {"kind": "refused", "status": 409, "errno": 409, "words": "Being changed."},
    "429": {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "no answer": {"kind": "reset_before"},
}


@pytest.mark.more
@pytest.mark.parametrize("why", NOT_DONE)
@pytest.mark.parametrize("kind", ["client", "item"])
def test_a_change_that_was_not_done_rests_on_a_look_of_its_own_when_it_is_made_again(
    world: Any, kind: str, why: str
) -> None:
    """A person corrects a field while FreshBooks keeps our change waiting."""
    customer = register(world)
    world.place(customer_id=customer, lines=[mug()])
    world.sync(with_product(world))
    record, path, typed = {
        "client": (client, "users/clients", {"fname": "Joan"}),
        "item": (item, "items/items", {"name": "Stein"}),
    }[kind]
    before = record(world)
    by_hand = {"method": "PUT", "path": f"{path}/{before['id']}", "json": {kind: typed}}
    look = {"method": "GET", "path": f"/{path}/[0-9]+$", "when": "after", "times": 1}
    world.fault(kind="act", writes=[by_hand], **look)
    world.fault(method="PUT", path=f"/{path}/", times=1, **NOT_DONE[why])
    edit_profile(world, customer, first_name="Janet", last_name="Roe")
    world.sync(with_product(world, name="Cup", price=12))
    (name, value), *_ = typed.items()
    assert record(world)[name] == value
    left = world.ctl("status")[f"{kind}s_left"]
    assert left == [{"id": before["id"], "fields": [name]}]
    if kind == "client":
        assert record(world)["lname"] == "Roe"
    else:
        assert record(world)["unit_cost"]["amount"] == "12.00"


@pytest.mark.more
def test_a_client_whose_making_was_not_answered_is_ours(world: Any) -> None:
    customer = register(world)
    world.place(customer_id=customer)
    # Made at once, and given up a second later.
    world.settings["request_timeout"] = 1
    late = {"when": "after", "delay_ms": 2500, "times": 1}
    world.fault(kind="hold", method="POST", path="/users/clients$", **late)
    world.sync()
    edit_profile(world, customer, first_name="Janet")
    world.sync()
    assert client(world)["fname"] == "Janet"


@pytest.mark.more
def test_a_person_s_client_found_in_place_of_one_that_was_not_made_is_not_ours(
    world: Any,
) -> None:
    """It came between our look and our write, which was lost on the way."""
    world.post("users/clients", {"client": BY_HAND})
    before = client(world)
    world.switch(fb__stale_search_seconds=3)
    customer = register(world)
    order = world.place(customer_id=customer)
    world.settings["settle_seconds"] = 8
    world.fault(kind="reset_before", method="POST", path="/users/clients$", times=1)
    world.sync()
    assert world.row(order).state == "posted"
    edit_profile(world, customer)
    assert world.writes_of(world.sync) == 0
    assert client(world) == before


SENT = {"email": "jane@shop.example", "fname": "Jane", "currency_code": "USD"}


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        ({7: (-1, "Jane")}, None),  # equal in all fields, but older by a second
        ({7: (0, "Ada")}, None),  # made by a person meanwhile
        ({7: (0, "Jane")}, 7),
        ({7: (-99, "Ada"), 8: (1, "Jane")}, 8),
        ({7: (0, "Jane"), 8: (0, "Jane")}, None),
    ],
)
def test_of_clients_found_only_what_an_unanswered_write_made_is_ours(
    tmp_path: Path, found: dict[int, tuple[int, str]], ours: int | None
) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite", source="shop") as ledger:
        write = {"kind": "create_client", "key": "customer:5", "request_hash": "h"}
        payload = {"remote_id": None, "body": SENT, "content": None}
        with ledger.locks.hold("ACC1", "run", wait_seconds=0) as lock:
            ledger.intents.open(lock=lock, **write, order_id=None, payload=payload, run_id="run")
            (intent,) = ledger.intents.still_open()
        opened = intent.opened_at.timestamp()
        rows = [
            parsing.client({**SENT, "id": one, "fname": name, "signup_date": _utc(opened + second)})
            for one, (second, name) in found.items()
        ]
        books = SimpleNamespace(clients=SimpleNamespace(matching=lambda _: rows))
        resolver = OutcomeLookup(
            books,  # type: ignore[arg-type]  # just what it uses
            ledger,
            "run",
            clock=lambda: intent.opened_at,
            sleep=lambda _: None,
            settle_seconds=0,
        )
        assert resolver.resolve(intent, since=intent.opened_at) is True
        link = ledger.links.get("client", "customer:5")
        assert link is not None
        assert (link.remote_id, link.extra.get("made", False)) == (ours or 7, ours is not None)


def _utc(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}"


@pytest.mark.more
def test_a_client_that_was_archived_stays_filed_away(world: Any) -> None:
    world.switch(fb__archived_put="returns")
    customer = register(world)
    world.synced(customer_id=customer)
    edit(world, client(world), vis_state=2)
    before = client(world)
    edit_profile(world, customer, first_name="Janet")
    assert world.writes_of(world.sync) == 0
    assert client(world) == before
    assert world.ctl("status")["clients_left"] == [{"id": before["id"], "fields": ["fname"]}]


# -- a client that FreshBooks has no more


@pytest.mark.more
@pytest.mark.parametrize("shown", ["found", "error", "missing"])
def test_a_client_that_was_deleted_is_looked_for_again(world: Any, shown: str) -> None:
    world.switch(fb__deleted_get=shown)
    customer = register(world)
    world.synced(customer_id=customer)
    gone = client(world)
    world.put(f"users/clients/{gone['id']}", {"client": {"vis_state": 1}})
    edit_profile(world, customer, first_name="Janet", email="new@shop.example")
    assert world.writes_of(world.sync) == 0
    orders = [world.place(customer_id=customer), world.place(billing=JANE)]
    world.sync()
    stand = {row["email"]: row["id"] for row in world.books()["clients"] if not row["vis_state"]}
    used = [world.invoice(order)["customerid"] for order in orders]
    assert used == [stand["new@shop.example"], stand["jane@shop.example"]]


@pytest.mark.more
def test_a_client_merged_into_another_is_given_up_for_that_one(world: Any) -> None:
    """FreshBooks deletes the one and keeps the other, which has the same e-mail."""
    world.switch(fb__deleted_client_invoice="refuse")
    customer = register(world)
    world.synced(customer_id=customer)
    merged = client(world)
    world.post("users/clients", {"client": BY_HAND})
    (kept,) = [row for row in world.books()["clients"] if row["id"] != merged["id"]]
    world.put(f"users/clients/{merged['id']}", {"client": {"vis_state": 1}})
    order = world.synced(customer_id=customer)
    assert world.invoice(order)["customerid"] == kept["id"]
    edit_profile(world, customer)
    assert world.writes_of(world.sync) == 0


# -- the e-mail


def moved(world: Any, setting: str) -> int:
    """A customer whose client we made, and who has another e-mail since."""
    world.settings["client_email_changes"] = setting
    customer = register(world)
    world.synced(customer_id=customer)
    edit_profile(world, customer, email="new@shop.example")
    return customer


def test_a_changed_e_mail_is_kept_and_told_and_the_customer_s_client_is_used(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    customer = moved(world, "keep")
    order = world.synced(customer_id=customer, billing={**JANE, "email": "new@shop.example"})
    found = client(world)
    assert found["email"] == "jane@shop.example"
    assert world.invoice(order)["customerid"] == found["id"]
    assert world.ctl("status")["clients_left"] == [{"id": found["id"], "fields": ["email"]}]
    assert not any("@shop" in row.getMessage() for row in caplog.records)
    assert world.writes_of(world.sync) == 0


def test_a_guest_with_a_customer_s_kept_e_mail_has_a_client_of_their_own(world: Any) -> None:
    """Anybody can type an e-mail into their profile."""
    moved(world, "keep")
    world.sync()
    order = world.synced(billing={**JANE, "email": "new@shop.example"})
    emails = {row["id"]: row["email"] for row in world.books()["clients"]}
    assert emails[world.invoice(order)["customerid"]] == "new@shop.example"
    assert sorted(emails.values()) == ["jane@shop.example", "new@shop.example"]


def test_a_changed_e_mail_is_followed_where_that_is_wanted(world: Any) -> None:
    customer = moved(world, "follow")
    order = world.synced(customer_id=customer, billing={**JANE, "email": "new@shop.example"})
    found = client(world)
    assert found["email"] == "new@shop.example"
    assert world.invoice(order)["customerid"] == found["id"]
    assert world.ctl("status")["clients_left"] == []


@pytest.mark.parametrize("known", [False, True])
def test_an_e_mail_is_not_moved_onto_that_of_another_client(world: Any, known: bool) -> None:
    if known:  # to the ledger, and not to searches yet
        world.synced(billing={**JANE, "email": "new@shop.example"})
    else:
        world.post("users/clients", {"client": {**BY_HAND, "email": "New@shop.example"}})
    moved(world, "follow")
    if known:
        world.switch(fb__stale_search_seconds=60)
    world.sync()
    emails = sorted(row["email"].lower() for row in world.books()["clients"])
    assert emails == ["jane@shop.example", "new@shop.example"]
    (left,) = world.ctl("status")["clients_left"]
    assert left["fields"] == ["email"]


@pytest.mark.more
def test_an_e_mail_a_person_corrected_is_not_followed(world: Any) -> None:
    customer = register(world)
    world.settings["client_email_changes"] = "follow"
    world.synced(customer_id=customer)
    edit(world, client(world), email="right@shop.example")
    edit_profile(world, customer, email="new@shop.example")
    assert world.writes_of(world.sync) == 0
    assert client(world)["email"] == "right@shop.example"


# -- items


@pytest.mark.parametrize("sku", ["MUG", ""])
def test_an_item_that_a_person_made_is_used_and_never_changed(world: Any, sku: str) -> None:
    by_hand = {"name": "Mug", "sku": sku, "description": "ours", "unit_cost": {"amount": "8.00"}}
    world.post("items/items", {"item": by_hand})
    before = item(world)
    world.place(lines=[mug(sku=sku)])
    world.sync(with_product(world, sku=sku))
    changed = with_product(world, sku=sku, name="Cup", price=99)
    assert world.writes_of(lambda: world.sync(changed)) == 0
    assert item(world) == before
    assert world.ctl("status")["items_left"] == []


def test_a_person_s_correction_of_our_item_stays_and_is_told(world: Any) -> None:
    world.place(lines=[mug()])
    world.sync(with_product(world))
    ours = item(world)
    edit(world, ours, name="Stein")
    changed = with_product(world, name="Cup", price=12)
    assert world.writes_of(lambda: world.sync(changed)) == 1
    now = item(world)
    assert (now["name"], now["unit_cost"]["amount"]) == ("Stein", "12.00")
    assert world.ctl("status")["items_left"] == [{"id": ours["id"], "fields": ["name"]}]
    assert world.writes_of(lambda: world.sync(changed)) == 0
    # Lines are called as the item is now: that is what FreshBooks counts stock by.
    order = world.synced(lines=[mug(name="Cup")])
    assert [line["name"] for line in world.invoice(order)["lines"]] == ["Stein"]


@pytest.mark.more
def test_an_item_of_ours_follows_the_shop(world: Any) -> None:
    world.place(lines=[mug()])
    world.fault(kind="reset_after", method="POST", path="/items/items$", times=1)
    world.sync(with_product(world))
    world.sync(with_product(world, name="Cup", price=12))
    now = item(world)
    assert (now["name"], now["unit_cost"]["amount"]) == ("Cup", "12.00")


@pytest.mark.more
def test_an_item_that_was_deleted_is_made_again_when_it_is_sold(world: Any) -> None:
    world.place(lines=[mug()])
    world.sync(with_product(world))
    edit(world, item(world), vis_state=1)
    changed = with_product(world, price=12)
    assert world.writes_of(lambda: world.sync(changed)) == 0
    world.synced(lines=[mug()])
    assert len([row for row in world.books()["items"] if row["vis_state"] == 0]) == 1


@pytest.mark.more
def test_an_item_told_apart_by_its_sku_keeps_its_name_when_its_price_changes(world: Any) -> None:
    world.switch(fb__item_name_unique="yes")
    world.post("items/items", {"item": {"name": "Mug", "sku": "OTHER"}})
    world.place(lines=[mug()])
    world.sync(with_product(world))
    changed = with_product(world, price=12)
    assert world.writes_of(lambda: world.sync(changed)) == 1
    (ours,) = [row for row in world.books()["items"] if row["sku"] == "MUG"]
    assert (ours["name"], ours["unit_cost"]["amount"]) == ("Mug (MUG)", "12.00")
    assert world.ctl("status")["items_left"] == []


@pytest.mark.more
def test_an_item_whose_new_name_is_taken_is_told_apart_by_its_sku(world: Any) -> None:
    world.switch(fb__item_name_unique="yes")
    world.post("items/items", {"item": {"name": "Cup", "sku": "OTHER"}})
    world.place(lines=[mug()])
    world.sync(with_product(world))
    world.sync(with_product(world, name="Cup"))
    (ours,) = [row for row in world.books()["items"] if row["sku"] == "MUG"]
    assert ours["name"] == "Cup (MUG)"
