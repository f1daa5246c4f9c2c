"""Hooks: their management, signatures checked with the published library, retries, mischief."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from connector_sandbox.bigcommerce.delivery import RETRY_AFTER
from connector_sandbox.bigcommerce.signing import signature
from connector_sandbox.constants import (
    BIGCOMMERCE_ACCESS_TOKEN,
    BIGCOMMERCE_CLIENT_SECRET,
    STORE_HASH,
)
from connector_sandbox.server import running
from connector_sandbox.testing import Asked, Reply, answering, until
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Shop

HOOK = {"scope": "store/order/*", "destination": "https://x.example.com/"}
VERIFIER = Webhook(base64.b64encode(BIGCOMMERCE_CLIENT_SECRET.encode()).decode())


@dataclass
class Receiver:
    """A real HTTP server that keeps what it is sent."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def scopes(self) -> list[str]:
        return sorted(body["scope"] for body in self.bodies())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    def keep(asked: Asked) -> Reply:
        kept.got.append(({k.lower(): v for k, v in asked.headers.items()}, asked.body))
        return Reply(status=kept.status, body=b"")

    with answering(keep) as url:
        kept.url = f"{url}/hooks"
        yield kept


def subscribe(shop: Shop, destination: str, scope: str = "store/order/*", **more: Any) -> int:
    body = {"scope": scope, "destination": destination, **more}
    answer = shop.http.post("v3/hooks", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["id"]


def states(shop: Shop) -> list[str]:
    return [row["state"] for row in deliveries(shop)]


def deliveries(shop: Shop) -> list[dict[str, Any]]:
    return shop.control.get("shop/deliveries").json()["deliveries"]


def settled(shop: Shop, count: int) -> Callable[[], bool]:
    return lambda: len(states(shop)) >= count and "waiting" not in states(shop)


def test_the_signature_is_that_of_the_published_example() -> None:
    body = (
        b'{"scope":"store/order/statusUpdated","store_id":"1025646","data":{"type":"order",'
        b'"id":250,"status":{"previous_status_id":0,"new_status_id":11}},'
        b'"hash":"7ee67cd1cf2ca60bc1aa9e5fe957d2de373be4ca","created_at":1561479335,'
        b'"producer":"stores/abc123"}'
    )
    made = signature(
        "test_client_secret_0123456789", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body
    )
    assert made == "v1,MR0Yr1N06yOEluq4VoZXQhrQRV9pQXK4M1NTgW8dVzY="


def test_a_hook_is_made_read_changed_and_deleted(shop: Shop) -> None:
    number = subscribe(shop, "https://receiver.example.com/hooks", headers={"X-Shared": "word"})
    hook = shop.rows(f"v3/hooks/{number}")["data"]
    assert hook["is_active"] is True
    assert hook["headers"] == {"X-Shared": "word"}
    assert isinstance(hook["created_at"], int)
    shop.http.put(f"v3/hooks/{number}", json={"is_active": False})
    assert shop.rows("v3/hooks", is_active="false")["data"][0]["id"] == number
    assert shop.rows("v3/hooks", is_active="true")["data"] == []
    assert shop.http.delete(f"v3/hooks/{number}").json()["data"]["id"] == number
    gone = shop.ask(f"v3/hooks/{number}")
    assert gone.json()["title"] == f"Webhook with id [{number}] not found."


def test_hooks_of_another_client_are_not_seen(shop: Shop) -> None:
    subscribe(shop, "https://receiver.example.com/hooks")
    shop.do("shop/tokens", {"token": "other", "client_id": "other-app", "scopes": []})
    other = shop.http.get("v3/hooks", headers={"x-auth-token": "other"})
    assert other.json()["data"] == []


@pytest.mark.parametrize(
    ("body", "field_name"),
    [
        ({"scope": "store/order/*"}, "destination"),
        ({"scope": "store/order/*", "destination": "https://x.example.com:8443/"}, "destination"),
        ({"scope": "store/order/*", "destination": "http://x.example.com/"}, "destination"),
        ({"scope": "order", "destination": "https://x.example.com/"}, "scope"),
        ({"scope": 5, "destination": "https://x.example.com/"}, "scope"),
        ({**HOOK, "headers": {"X-Shared": None}}, "headers"),
        ({**HOOK, "headers": {"X-Shared": "two\r\nlines: 1"}}, "headers"),
        ({**HOOK, "headers": {"X Shared": "word"}}, "headers"),
        ({**HOOK, "headers": ["X-Shared"]}, "headers"),
        ({**HOOK, "is_active": "abc"}, "is_active"),
    ],
)
def test_a_hook_that_cannot_be_is_422(shop: Shop, body: dict[str, Any], field_name: str) -> None:
    answer = shop.http.post("v3/hooks", json=body)
    assert answer.status_code == 422
    assert field_name in answer.json()["errors"]


def test_a_hook_that_cannot_be_reached_does_not_end_the_others(
    shop: Shop, receiver: Receiver
) -> None:
    subscribe(shop, "http://127.0.0.1:9/\u2603", "store/order/created")
    subscribe(shop, receiver.url, "store/order/created")
    sold = [shop.sell()["id"] for _ in range(2)]
    until(lambda: len(receiver.got) == 2)
    assert sorted(body["data"]["id"] for body in receiver.bodies()) == sold


def test_ids_of_hooks_do_not_come_again_after_a_restart(tmp_path: Path) -> None:
    given: list[str] = []
    for _ in range(2):
        with running(tmp_path, sides=["bigcommerce"], bc__plan_quota=0) as sandbox:
            control = f"{sandbox.url}/_sandbox"
            hooks = f"{sandbox.url}/stores/{STORE_HASH}/v3/hooks"
            token = {"x-auth-token": BIGCOMMERCE_ACCESS_TOKEN}
            httpx.post(hooks, json=HOOK, headers=token)
            order = {"lines": [{"name": "Mug", "price": "1.00"}]}
            httpx.post(f"{control}/shop/orders", json=order).raise_for_status()
            told = httpx.get(f"{control}/shop/deliveries").json()["deliveries"]
            given = [row["webhook_id"] for row in told]
    assert len(given) == 6
    assert len(set(given)) == len(given)


def test_a_reset_ends_what_was_to_go_wrong_with_deliveries(shop: Shop, receiver: Receiver) -> None:
    shop.control.put("shop/mischief", json={"drop_percent": 100})
    shop.control.post("reset", json={"seed": False})
    subscribe(shop, receiver.url, "store/order/created")
    shop.sell()
    until(lambda: len(receiver.got) == 1)


def test_one_scope_and_destination_is_taken_once(shop: Shop) -> None:
    subscribe(shop, "https://receiver.example.com/hooks")
    body = {"scope": "store/order/*", "destination": "https://receiver.example.com/hooks"}
    assert shop.http.post("v3/hooks", json=body).status_code == 422


def test_events_arrive_thin_and_signed_for_the_published_library(
    shop: Shop, receiver: Receiver
) -> None:
    subscribe(shop, receiver.url, headers={"X-Shared": "word"})
    number = shop.sell()["id"]
    until(settled(shop, 3))
    assert receiver.scopes() == [
        "store/order/created",
        "store/order/statusUpdated",
        "store/order/transaction/created",
    ]
    for headers, body in receiver.got:
        assert VERIFIER.verify(body.decode(), headers)
        assert headers["x-shared"] == "word"
    created = next(b for b in receiver.bodies() if b["scope"] == "store/order/created")
    assert created["data"] == {"type": "order", "id": number}
    assert created["store_id"] == "1025646"
    assert created["producer"] == "stores/sandbox"
    paid = next(b for b in receiver.bodies() if b["scope"].endswith("transaction/created"))
    assert paid["data"]["order_id"] == str(number)
    assert "id" not in paid["data"]


def test_each_change_tells_of_itself(shop: Shop, receiver: Receiver) -> None:
    number = shop.sell(pay="authorize")["id"]
    subscribe(shop, receiver.url)
    expected: list[str] = []

    def step(path: str, body: dict[str, Any], *scopes: str) -> None:
        shop.control.post("clock", json={"advance_seconds": 60})
        shop.do(f"shop/orders/{number}/{path}", body)
        expected.extend(f"store/order/{scope}" for scope in scopes)
        until(settled(shop, len(expected)))
        assert receiver.scopes() == sorted(expected)

    step("capture", {}, "updated", "transaction/created")
    step("status", {"status_id": 2}, "updated", "statusUpdated")
    step("touch", {}, "updated")
    step(
        "refund",
        {"order_amount": "1.00"},
        "updated",
        "statusUpdated",
        "refund/created",
        "transaction/created",
    )
    step("cancel", {}, "updated", "statusUpdated")
    step("archive", {}, "archived")


def test_a_subscription_gets_its_scope_only(shop: Shop, receiver: Receiver) -> None:
    subscribe(shop, receiver.url, "store/order/created")
    subscribe(shop, receiver.url + "/products", "store/product/*")
    shop.sell()
    shop.do("shop/products/101", {"name": "Towel"})
    until(settled(shop, 2))
    assert receiver.scopes() == ["store/order/created", "store/product/updated"]


def test_a_failed_delivery_comes_again_with_the_same_id_and_a_new_timestamp(
    shop: Shop, receiver: Receiver
) -> None:
    receiver.status = 500
    subscribe(shop, receiver.url, "store/order/created")
    shop.sell()
    until(lambda: [row["attempts"] for row in deliveries(shop)] == [1])
    shop.control.post("clock", json={"advance_seconds": 30})
    time.sleep(0.3)  # not enough sandbox time has passed: nothing may come in this while
    assert len(receiver.got) == 1
    receiver.status = 200
    shop.control.post("clock", json={"advance_seconds": 31})
    until(settled(shop, 1))
    (first, body), (second, again) = receiver.got
    assert first["webhook-id"] == second["webhook-id"]
    assert body == again
    assert VERIFIER.verify(again.decode(), second)


def test_a_hook_is_switched_off_when_eleven_retries_were_in_vain(
    shop: Shop, receiver: Receiver
) -> None:
    receiver.status = 503
    hook = subscribe(shop, receiver.url, "store/order/created")
    watcher = subscribe(shop, receiver.url + "/watch", "store/hook/deliveryException")
    shop.sell()
    for attempt, pause in enumerate(RETRY_AFTER, 1):
        until(lambda n=attempt: attempts(shop, hook) == n)
        assert shop.rows(f"v3/hooks/{hook}")["data"]["is_active"] is True
        shop.control.post("clock", json={"advance_seconds": pause})
    until(lambda: not shop.rows(f"v3/hooks/{hook}")["data"]["is_active"])
    assert sum(RETRY_AFTER) // 3600 == 48, "two days"
    told = shop.control.get("shop/deliveries").json()["deliveries"]
    codes = [json.loads(d["body"])["data"]["error_code"] for d in told if d["hook_id"] == watcher]
    assert codes == [90001, 90002]
    shop.http.put(f"v3/hooks/{hook}", json={"is_active": True})
    receiver.status = 200
    receiver.got.clear()
    shop.sell()
    until(lambda: "store/order/created" in receiver.scopes())


def attempts(shop: Shop, hook: int) -> int:
    rows = shop.control.get("shop/deliveries").json()["deliveries"]
    return next(row["attempts"] for row in rows if row["hook_id"] == hook)


def test_an_inactive_hook_gets_nothing(shop: Shop, receiver: Receiver) -> None:
    subscribe(shop, receiver.url, is_active=False)
    shop.sell()
    assert states(shop) == []


@pytest.mark.parametrize("forgery", ["wrong_secret", "unsigned", "old_timestamp", "tampered"])
def test_a_forged_hook_does_not_verify(shop: Shop, receiver: Receiver, forgery: str) -> None:
    subscribe(shop, receiver.url)
    shop.do("shop/forge", {"order_id": 5, "forgery": forgery})
    until(lambda: len(receiver.got) == 1)
    headers, body = receiver.got[0]
    with pytest.raises(WebhookVerificationError):
        VERIFIER.verify(body.decode(), headers)


def test_events_are_dropped_doubled_and_late_on_demand(shop: Shop, receiver: Receiver) -> None:
    subscribe(shop, receiver.url, "store/order/created")
    shop.control.put("shop/mischief", json={"drop_percent": 100})
    shop.sell()
    assert states(shop) == ["dropped"]
    shop.control.put("shop/mischief", json={"double_percent": 100})
    shop.sell()
    until(lambda: len(receiver.got) == 2)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    shop.control.put("shop/mischief", json={"late_seconds": 7200})
    shop.sell()
    time.sleep(0.2)  # nothing may come in this while
    assert len(receiver.got) == 2
    shop.control.post("clock", json={"advance_seconds": 7201})
    until(lambda: len(receiver.got) == 3)


def test_events_are_shuffled_on_demand(shop: Shop, receiver: Receiver) -> None:
    subscribe(shop, receiver.url, "store/order/created")
    shop.control.put("shop/mischief", json={"shuffle_seconds": 1000})
    sold = [shop.sell()["id"] for _ in range(12)]
    shop.control.post("clock", json={"advance_seconds": 1001})
    until(settled(shop, 12))
    arrived = [body["data"]["id"] for body in receiver.bodies()]
    assert sorted(arrived) == sold
    assert arrived != sold


def test_hooks_may_be_unsigned_by_switch(shop: Shop, receiver: Receiver) -> None:
    shop.switch(webhook_signed=False)
    subscribe(shop, receiver.url, "store/order/created")
    shop.sell()
    until(settled(shop, 1))
    assert "webhook-signature" not in receiver.got[0][0]


def test_the_hash_covers_the_data_alone_or_the_time_too(shop: Shop, receiver: Receiver) -> None:
    subscribe(shop, receiver.url, "store/order/updated")
    number = shop.sell()["id"]
    hashes = []
    for _ in range(2):
        shop.control.post("clock", json={"advance_seconds": 60})
        shop.do(f"shop/orders/{number}/touch")
    until(settled(shop, 2))
    hashes = {body["hash"] for body in receiver.bodies()}
    assert len(hashes) == 1, "two real updates share a hash"
    shop.switch(webhook_hash="data_and_time")
    shop.control.post("clock", json={"advance_seconds": 60})
    shop.do(f"shop/orders/{number}/touch")
    until(settled(shop, 3))
    assert len({body["hash"] for body in receiver.bodies()}) == 2
