"""Every kind of answer against BigCommerce's own OpenAPI files, which nobody here wrote.

The files are not part of this repository: without them the answers are held against the names and
types of their fields, which `documented.json` keeps.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator

import documented

if TYPE_CHECKING:
    from .conftest import Shop

SPECS = Path(__file__).parents[5] / "shared" / "reference" / "bigcommerce" / "openapi"
with_specs = pytest.mark.skipif(
    not SPECS.is_dir(), reason=f"BigCommerce's OpenAPI files are not at {SPECS}"
)
SHAPES = json.loads((Path(__file__).parents[1] / "documented.json").read_text())["bigcommerce"]

# Where the file's schema contradicts the file's own words, its examples, or answers seen.
# (spec, end of the path in the answer with * for any position, why)
EXCEPTIONS: list[tuple[str, str, str]] = [
    (
        "orders.v2.oas2.yml",
        "*.order_product_id",
        "a tax row of shipping or handling has no line to name",
    ),
    ("orders.v2.oas2.yml", "*.discount", "tests of public clients hold coupon money as text"),
    (
        "orders.v3.yml",
        "items.*.requested_amount",
        "the example of a created refund has null for a product",
    ),
    ("orders.v3.yml", "*.gateway", "squarev2 is the gateway of the order overview's own example"),
    *(
        (
            "orders.v3.yml",
            f"data.*.{name}",
            "the order overview's example has {} where none applies",
        )
        for name in (
            "avs_result",
            "cvv_result",
            "credit_card",
            "payment_instrument_token",
            "reference_transaction_id",
        )
    ),
    (
        "products_catalog.v3.yml",
        "base_variant_id",
        "the property's own description: null for complex products",
    ),
]


class _Loader(yaml.CSafeLoader):
    """YAML whose dates stay text, as they are in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@functools.cache
def load(name: str) -> dict[str, Any]:
    return yaml.load((SPECS / name).read_text(), _Loader)  # noqa: S506  derives from the safe one


def response_schema(spec: dict[str, Any], path: str) -> dict[str, Any]:
    response = spec["paths"][path]["get"]["responses"]["200"]
    while "$ref" in response:
        response = functools.reduce(lambda at, key: at[key], response["$ref"][2:].split("/"), spec)
    schema = response["content"]["application/json"]["schema"]
    return {**schema, "components": spec["components"]}


def disagreements(name: str, path: str, body: Any) -> list[tuple[str, str]]:
    """Where an answer is not as its schema says, and how; exceptions too."""
    validator = OAS30Validator(response_schema(load(name), path))
    return [
        (".".join("*" if isinstance(p, int) else str(p) for p in leaf.absolute_path), leaf.message)
        for error in validator.iter_errors(body)
        for leaf in leaves(error)
    ]


def excepted(name: str, at: str) -> list[str]:
    return [end for spec, end, _ in EXCEPTIONS if spec == name and at.endswith(end)]


def differences(name: str, path: str, body: Any) -> list[str]:
    """What no exception speaks of."""
    found = disagreements(name, path, body)
    return sorted({f"{at}: {words[:160]}" for at, words in found if not excepted(name, at)})


def other_types(name: str, path: str, body: Any) -> list[str]:
    """The fields that have another type than the documented one; no exception speaks of them."""
    shape = SHAPES[f"{'v2' if '.v2.' in name else 'v3'}{path}"]
    return sorted(
        f"{at}: {types}, not {shape[at]}"
        for at, types in documented.shape_of(body).items()
        if at in shape
        and not set(types.split("|")) <= set(shape[at].split("|"))
        and not excepted(name, at)
    )


def leaves(error: Any) -> list[Any]:
    """The errors below anyOf and oneOf, which say what is wrong.

    An answer that fits more than one arm of a oneOf is taken: the arms (a link, or the data
    themselves) require no field at all, so each of them fits any object.
    """
    if error.validator == "oneOf" and "is valid under each of" in error.message:
        return []
    if not error.context:
        return [error]
    return [leaf for child in error.context for leaf in leaves(child)]


V2, V3 = "orders.v2.oas2.yml", "orders.v3.yml"
ANSWERS = [
    (V2, "/orders", "v2/orders?limit=250"),
    (V2, "/orders", "v2/orders?limit=250&include=consignments,fees&consignment_structure=object"),
    (
        V2,
        "/orders",
        "v2/orders?limit=250&include=consignments.line_items,fees&consignment_structure=object",
    ),
    (V2, "/orders/count", "v2/orders/count"),
    (V2, "/order_statuses", "v2/order_statuses"),
    (V2, "/order_statuses/{status_id}", "v2/order_statuses/11"),
    ("store_information.v2.yml", "/store", "v2/store"),
    ("store_information.v2.yml", "/time", "v2/time"),
    ("currencies.v2.yml", "/currencies", "v2/currencies"),
    ("tax_classes.v2.yml", "/tax_classes", "v2/tax_classes"),
    (V3, "/orders/payment_actions/refunds", "v3/orders/payment_actions/refunds?limit=250"),
    (V3, "/orders/payment_actions/refunds/{refund_id}", "v3/orders/payment_actions/refunds/1"),
    ("customers.v3.yml", "/customers", "v3/customers?limit=250"),
    (
        "customers.v3.yml",
        "/customers",
        "v3/customers?limit=250&include=addresses,storecredit,attributes,formfields",
    ),
    ("customers.v3.yml", "/customers/addresses", "v3/customers/addresses?limit=250"),
    ("products_catalog.v3.yml", "/catalog/products", "v3/catalog/products?limit=250"),
    (
        "products_catalog.v3.yml",
        "/catalog/products",
        "v3/catalog/products?limit=250&include=variants",
    ),
    (
        "products_catalog.v3.yml",
        "/catalog/products/{product_id}",
        "v3/catalog/products/104?include=variants",
    ),
    ("webhooks.v3.yml", "/hooks", "v3/hooks"),
    ("settings.v3.yml", "/settings/store/profile", "v3/settings/store/profile"),
]


@with_specs
@pytest.mark.parametrize(("spec", "path", "url"), ANSWERS)
def test_an_answer_fits_the_official_schema(month: Shop, spec: str, path: str, url: str) -> None:
    if path == "/hooks":  # the schema wants at least one
        hook = {"scope": "store/order/*", "destination": "https://receiver.example.com/hooks"}
        month.http.post("v3/hooks", json=hook)
    body = month.http.get(url)
    assert body.status_code == 200, body.text
    assert differences(spec, path, body.json()) == []


@pytest.mark.parametrize(("spec", "path", "url"), ANSWERS)
def test_the_fields_of_an_answer_have_the_documented_types(
    month: Shop, spec: str, path: str, url: str
) -> None:
    assert other_types(spec, path, month.http.get(url).json()) == []


CHILDREN = [
    (V2, "/orders/{order_id}", "v2/orders/{}"),
    (V2, "/orders/{order_id}/products", "v2/orders/{}/products?limit=250"),
    (V2, "/orders/{order_id}/taxes", "v2/orders/{}/taxes?limit=250"),
    (V2, "/orders/{order_id}/taxes", "v2/orders/{}/taxes?details=true&limit=250"),
    (V2, "/orders/{order_id}/coupons", "v2/orders/{}/coupons"),
    (V2, "/orders/{order_id}/shipping_addresses", "v2/orders/{}/shipping_addresses"),
    (V2, "/orders/{order_id}/consignments", "v2/orders/{}/consignments?include=line_items"),
    (V3, "/orders/{order_id}/transactions", "v3/orders/{}/transactions"),
    (V3, "/orders/{order_id}/payment_actions/refunds", "v3/orders/{}/payment_actions/refunds"),
]


@with_specs
@pytest.mark.parametrize(("spec", "path", "url"), CHILDREN)
def test_what_belongs_to_each_named_case_fits_the_official_schema(
    month: Shop, spec: str, path: str, url: str
) -> None:
    found = set()
    for row in month.control.get("truth").json()["orders"]:
        if row["case"] != "ordinary" or row["order_id"] % 10 == 0:
            answer = month.http.get(url.format(row["order_id"]))
            if answer.status_code == 200:
                found.update(differences(spec, path, answer.json()))
            else:
                assert answer.status_code == 204 or row["case"].startswith("state_archived")
    assert found == set()


@with_specs
def test_every_exception_is_still_needed(month: Shop) -> None:
    """One that nothing falls under any more would hide the next mistake."""
    used: set[tuple[str, str]] = set()
    wanted = (
        "tax_on_shipping",
        "payment_gateway_outside_enum",
        "store_credit_full",
        "refund_product",
        "discount_two_coupons",
    )
    orders = [month.case(name) for name in wanted]
    asked = [(spec, path, url.format(n)) for spec, path, url in CHILDREN for n in orders]
    asked += [one for one in ANSWERS if one[0] == "products_catalog.v3.yml"]
    for empty in ("null", "{}"):
        month.switch(not_applicable=empty)
        for spec, path, url in asked:
            answer = month.http.get(url)
            if answer.status_code == 200:
                for at, _ in disagreements(spec, path, answer.json()):
                    used.update((spec, end) for end in excepted(spec, at))
    assert used == {(spec, end) for spec, end, _ in EXCEPTIONS}


@with_specs
def test_a_wrong_answer_is_found_out(month: Shop) -> None:
    body = month.http.get("v2/orders?limit=1").json()
    body[0]["total_inc_tax"] = 12.5
    assert differences(V2, "/orders", body) != []


@pytest.mark.parametrize(("spec", "path", "url"), CHILDREN)
def test_what_belongs_to_each_named_case_has_the_documented_types(
    month: Shop, spec: str, path: str, url: str
) -> None:
    found = set[str]()
    for row in month.control.get("truth").json()["orders"]:
        if row["case"] != "ordinary":
            answer = month.http.get(url.format(row["order_id"]))
            found.update(other_types(spec, path, answer.json()) if answer.content else ())
    assert found == set()


def test_a_wrong_type_is_found_out(month: Shop) -> None:
    body = month.http.get("v2/orders?limit=1").json()
    body[0]["total_inc_tax"] = 12.5
    assert other_types(V2, "/orders", body) == ["*.total_inc_tax: number, not string"]


@with_specs
def test_the_documented_types_are_those_of_the_descriptions() -> None:
    reference = SPECS.parents[1]
    assert documented.WRITTEN.read_text() == documented.text_of(documented.read(reference))
