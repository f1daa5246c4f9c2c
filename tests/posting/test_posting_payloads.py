"""Orders as shops really gave them come to the books as noted, or are parked for the reason noted.

A server of its own stands for BigCommerce and gives the payloads byte for byte. The captured ones
lie beside the project, since they are not ours to ship; those of `tests/fixtures` are made up in
the same odd shapes.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from connector_sandbox.constants import STORE_HASH
from connector_sandbox.settings import tap_settings
from connector_sandbox.testing import Asked, Reply, answering
from tap_bigcommerce_orders.probe import probe
from tap_bigcommerce_orders.tap import TapBigCommerceOrders

if TYPE_CHECKING:
    from .conftest import World

PAYLOADS = Path(__file__).parents[3] / "shared" / "reference" / "bigcommerce" / "payloads"
ODD = Path(__file__).parents[1] / "fixtures" / "odd-orders.json"
ALIGENT = "raw-aligent-orders_v2__get_all"
STORE = {"id": STORE_HASH, "timezone": {"name": "Europe/London"}, "country_code": "GB"}
NOTHING = {"data": [], "meta": {}}

Row = dict[str, Any]

RATES = {"20": "VAT", "5.5": "Sales tax", "7": "State tax", "8.3": "Local tax"}
"""No tax rows were captured; these are the rates that the orders' figures show."""

# invoice's total, its currency, its taxes, what is paid; or the reason it is parked; None: it waits
NOTED: dict[str, tuple[str, str, str, str] | str | None] = {
    "zynk-105-ex-discount": ("586.80", "GBP", "97.80", "0"),
    "appse-519-inc-discount": ("2400.00", "USD", "125.12", "0"),
    "appse-463-cod-pending": ("316.50", "USD", "16.50", "316.50"),
    "dna-125-api-created": ("49.99", "USD", "0.00", "0"),
    "b2b-120-line-only": ("56.82", "USD", "3.72", "0"),
    "b2b-120-ex-discount": "tax_unknown",
    f"{ALIGENT} 100": None,
    f"{ALIGENT} 101": None,
    f"{ALIGENT} 102": ("10.83", "AUD", "0.83", "10.83"),
}


class Shop:
    """What a server gives that stands for BigCommerce: each order with what belongs to it."""

    def __init__(self, payloads: list[Row], customers: Row | None = None) -> None:
        self.payloads = {int(one["order"]["id"]): one for one in payloads}
        self.customers = customers or NOTHING

    def answer(self, asked: Asked) -> Reply:
        """An answer with what was captured; nothing where nothing was."""
        path = asked.path.removeprefix(f"/stores/{STORE_HASH}")
        first = dict(asked.query).get("page", "1") == "1" and asked.method == "GET"
        if path == "/v2/store":
            return Reply(STORE)
        if path == "/v2/orders" and first and "min_id" not in dict(asked.query):
            return Reply([one["order"] for one in self.payloads.values()])
        if path == "/v3/customers" and first:
            return Reply(self.customers)
        if part := re.fullmatch(r"/v[23]/orders/(\d+)/(products|taxes|transactions)", path):
            rows = self.payloads.get(int(part[1]), {}).get(part[2], []) if first else []
            if rows:
                return Reply(rows if path.startswith("/v2") else {"data": rows, "meta": {}})
        return Reply(NOTHING) if path.startswith("/v3") else Reply(status=204, body=b"")

    def messages(self) -> str:
        """What the tap makes of it."""
        said = io.StringIO()
        with answering(self.answer) as url, contextlib.redirect_stdout(said):
            TapBigCommerceOrders(config=tap_settings(url)).sync_all()
        return said.getvalue()

    def probed(self) -> Row:
        """What the tap's probe makes of it."""
        said = io.StringIO()
        with answering(self.answer) as url, contextlib.redirect_stdout(said):
            probe(TapBigCommerceOrders(config=tap_settings(url)).connection, STORE_HASH, "json")
        found: Row = json.loads(said.getvalue())
        return found


def read(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))


def captured() -> dict[str, Row]:
    """The captured orders by their names in `NOTED`."""
    found = {name: read(name) for name in NOTED if not name.startswith("raw")}
    for order in read(ALIGENT):
        found[f"{ALIGENT} {order['id']}"] = {"order": order, "products": [made_up(order)]}
    return found


def made_up(order: Row) -> Row:
    """The one line of an order that was captured without: what its totals leave for it."""
    charged = {name: order[f"total_{name}"] for name in ("ex_tax", "inc_tax", "tax")}
    prices = {
        f"{of}_{name}": amount for of in ("price", "total") for name, amount in charged.items()
    }
    return {"id": order["id"], "product_id": 1, "name": "Thing", "quantity": 1, **prices}


def booked(world: World, order_id: int) -> tuple[str, str, str, str] | str | None:
    """What the books hold of an order, as in `NOTED`."""
    row = world.row(order_id)
    if row.state != "posted":
        return row.reason if row.state == "parked" else None
    invoice = world.invoice(order_id)
    lines = [line for line in invoice["lines"] if Decimal(line["amount"]["amount"])]
    untaxed = sum(Decimal(line["amount"]["amount"]) for line in lines)
    total, paid = world.total(order_id), sum(world.paid(order_id), Decimal())
    return str(total), invoice["currency_code"], str(total - untaxed), str(paid)


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the captured payloads are not beside it")
def test_each_captured_order_is_booked_as_noted_once_its_rate_is_known(world: World) -> None:
    orders = captured()
    assert orders.keys() == NOTED.keys()
    customers = read("raw-appse-customer-681")
    messages = Shop(list(orders.values()), customers).messages()
    world.sync(messages)
    taxed = {
        name for name, noted in NOTED.items() if isinstance(noted, tuple) and noted[2] != "0.00"
    }
    found = {name: booked(world, one["order"]["id"]) for name, one in orders.items()}
    assert found == NOTED | dict.fromkeys(taxed, "tax_unknown")
    world.sync(messages, tax_mapping=RATES)
    found = {name: booked(world, one["order"]["id"]) for name, one in orders.items()}
    assert found == NOTED


def test_odd_shapes_are_read_as_what_they_stand_for(world: World) -> None:
    payloads = json.loads(ODD.read_text("utf-8"))
    world.sync(Shop(payloads).messages())
    assert booked(world, 901) == ("48.00", "GBP", "8.00", "48.00")
    invoice = world.invoice(901)
    (line,) = invoice["lines"]
    assert line["name"] == "Salt & Pepper"
    assert 'Size & fit: 5"' in line["description"]
    (client,) = world.books()["clients"]
    assert (client["organization"], client["lname"]) == ("Smith & Sons", "O'Doe")
    assert (client["p_street"], client["p_code"]) == ("12", "10115")


def test_the_probe_tells_of_odd_shapes_and_of_captured_orders() -> None:
    payloads = json.loads(ODD.read_text("utf-8"))
    settled = Shop(payloads).probed()["settled"]
    assert {
        "bc.consignment_structure": "ignored",
        "bc.included_lines": "none",
        "bc.default_currency": "null",
        "bc.failed_amount": "null",
        "bc.texts": "entities",
        "bc.tax_line_ids": "text",
    }.items() <= settled.items()
    if PAYLOADS.is_dir():
        settled = Shop(list(captured().values())).probed()["settled"]
        assert settled["bc.default_currency"] == "code"
        assert settled["bc.discount_tax"] == "as_priced"


def test_an_order_in_a_currency_that_nobody_can_tell_is_parked(world: World) -> None:
    payloads = json.loads(ODD.read_text("utf-8"))
    world.sync(Shop(payloads[1:]).messages())
    assert booked(world, 902) == "unreadable_record"
    assert world.invoices(902) == []
