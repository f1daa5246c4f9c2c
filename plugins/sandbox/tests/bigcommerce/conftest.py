"""A sandbox with a shop, and clients that speak to it without any cleverness."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.constants import BIGCOMMERCE_ACCESS_TOKEN, STORE_HASH
from connector_sandbox.seed import seed_shop
from connector_sandbox.server import Running, running
from connector_sandbox.testing import new_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx


@dataclass
class Shop:
    """A BigCommerce client: it hands over answers, with numbers as Decimal."""

    http: httpx.Client
    control: httpx.Client

    def ask(self, path: str, **params: Any) -> httpx.Response:
        """GET below the store; parameter names with `__` get a colon."""
        named = {name.replace("__", ":"): value for name, value in params.items()}
        return self.http.get(path, params=named)

    def rows(self, path: str, **params: Any) -> Any:
        answer = self.ask(path, **params)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def switch(self, **values: Any) -> None:
        named = {f"bc.{name}": value for name, value in values.items()}
        self.control.put("switches", json=named).raise_for_status()

    def do(self, path: str, body: Any = None) -> Any:
        """POST to a control route and insist that it works."""
        answer = self.control.post(path, json=body if body is not None else {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sell(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Place an order; by default one untaxed line of 10.00."""
        document = {"lines": list(lines) or [{"name": "Mug", "price": "10.00"}], **more}
        return self.do("shop/orders", document)

    def case(self, name: str) -> int:
        """The id of a named case of the seeded month."""
        rows = self.control.get("truth").json()["orders"]
        return next(row["order_id"] for row in rows if row["case"] == name)


def _shop(sandbox: Running) -> Iterator[Shop]:
    token = {"x-auth-token": BIGCOMMERCE_ACCESS_TOKEN}
    store = f"{sandbox.url}/stores/{STORE_HASH}/"
    with (
        new_client(store, headers=token) as http,
        new_client(f"{sandbox.url}/_sandbox/") as control,
    ):
        yield Shop(http, control)
    sandbox.context.faults.remove()
    sandbox.context.switches.clear()
    sandbox.context.switches.set({"bc.plan_quota": 0})


@pytest.fixture(scope="session")
def _seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("month")
    with running(folder, sides=["bigcommerce"], bc__plan_quota=0) as sandbox:
        seed_shop(sandbox.context, orders=220, seed=7, month="2026-10")
        yield sandbox


@pytest.fixture
def month(_seeded: Running) -> Iterator[Shop]:
    """The seeded month, to be read only."""
    yield from _shop(_seeded)


@pytest.fixture(scope="session")
def _bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("shop")
    with running(folder, sides=["bigcommerce"], bc__plan_quota=0) as sandbox:
        yield sandbox


@pytest.fixture
def shop(_bare: Running) -> Iterator[Shop]:
    """A shop with a catalogue and no orders, to be changed."""
    context = _bare.context
    context.reset()
    context.switches.set({"bc.plan_quota": 0})
    seed_shop(context, orders=0, seed=7, month="2026-10")
    for shop in _shop(_bare):
        shop.control.post("clock", json={"set": "2026-11-02T12:00:00+00:00", "rate": 1})
        shop.control.put("shop/mischief", json={})
        yield shop


@pytest.fixture
def token(shop: Shop) -> Callable[..., httpx.Client]:
    """Make an API account's client with certain scopes."""

    def make(*scopes: str) -> httpx.Client:
        shop.do("shop/tokens", {"token": "other-token", "scopes": list(scopes)})
        headers = {"x-auth-token": "other-token"}
        return new_client(str(shop.http.base_url), headers=headers)

    return make
