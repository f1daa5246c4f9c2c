"""What BigCommerce documents becomes valid records: each field in each of its types, for everybody.

Where the specifications lie beside the project, their own examples are read too, verbatim; they are
not ours to ship. Names and types of the fields are facts, and `documented.json` keeps them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR
from tap_bigcommerce_orders.tap import STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPECS = Path(__file__).parents[3] / "shared" / "reference" / "bigcommerce" / "openapi"

SHAPES = Path(__file__).parents[2] / "plugins" / "sandbox" / "tests" / "documented.json"

with_specs = pytest.mark.skipif(
    not SPECS.is_dir(), reason="BigCommerce's OpenAPI files are not beside the project"
)

# stream, specification, path and the answer's place in the shop
PLACES = [
    ("orders", "orders.v2.oas2.yml", "/orders"),
    ("orders", "orders.v2.oas2.yml", "/orders/{order_id}"),
    ("order_taxes", "orders.v2.oas2.yml", "/orders/{order_id}/taxes"),
    ("order_coupons", "orders.v2.oas2.yml", "/orders/{order_id}/coupons"),
    ("order_statuses", "orders.v2.oas2.yml", "/order_statuses"),
    ("transactions", "orders.v3.yml", "/orders/{order_id}/transactions"),
    ("refunds", "orders.v3.yml", "/orders/payment_actions/refunds/{refund_id}"),
    ("customers", "customers.v3.yml", "/customers"),
    ("products", "products_catalog.v3.yml", "/catalog/products"),
    ("products", "products_catalog.v3.yml", "/catalog/products/{product_id}"),
    ("store", "store_information.v2.yml", "/store"),
    ("currencies", "currencies.v2.yml", "/currencies"),
    ("tax_classes", "tax_classes.v2.yml", "/tax_classes"),
]


V2_TIME, V3_TIME = "Tue, 05 Mar 2019 21:40:11 +0000", "2019-03-05T21:40:11+00:00"
TIMES = ("date", "created", "modified", "updated", "last_updated")
PLAIN = {"number": 1, "boolean": True, "null": None}


def is_below(path: str, at: str) -> bool:
    """Whether a path leads to a field or an entry of what is at another."""
    return path != "" and path.rpartition(".")[0] == at


def made_of(shape: dict[str, str], version: str, pick: Callable[[list[str]], str]) -> Any:
    """An answer that has all the documented fields, each of one of its types."""

    def value(at: str) -> Any:
        kind = pick(shape[at].split("|"))
        name = at.rpartition(".")[2]
        if kind in {"array", "object"}:
            below = {path.rpartition(".")[2]: path for path in shape if is_below(path, at)}
            entry = below.pop("*", None)
            if kind == "array":
                return [] if entry is None else [value(entry)]
            return {field: value(path) for field, path in below.items()}
        if kind == "string" and name.startswith(TIMES):
            return V2_TIME if version == "v2" else V3_TIME
        return "1" if kind == "string" else PLAIN[kind]

    return value("")


@pytest.mark.parametrize("which", [0, -1], ids=["first types", "last types"])
@pytest.mark.parametrize(("stream", "spec_name", "path"), PLACES)
def test_each_documented_field_of_each_of_its_types_becomes_a_valid_record(
    shop: Any, run: Any, stream: str, spec_name: str, path: str, which: int
) -> None:
    version = "v2" if ".v2." in spec_name else "v3"
    shape = json.loads(SHAPES.read_text())["bigcommerce"][f"{version}{path}"]
    answer = made_of(shape, version, lambda types: types[which])
    if stream == "store":
        answer["id"] = shop.answers_as
    become_valid(shop, run, stream, "made up", answer)


def load(name: str) -> Any:
    yaml = pytest.importorskip("yaml")

    class Loader(yaml.CSafeLoader):  # type: ignore[name-defined]  # of the import
        pass

    # Dates in examples are text on the wire.
    Loader.yaml_implicit_resolvers = {
        first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
        for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }
    return yaml.load((SPECS / name).read_text(), Loader)


def resolve(spec: Any, node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        found = spec
        for key in node["$ref"].removeprefix("#/").split("/"):
            found = found[key.replace("~1", "/")]
        node = found
    return node


def examples(spec: Any, path: str) -> Iterator[tuple[str, Any]]:
    answer = resolve(spec, spec["paths"][path]["get"]["responses"]["200"])
    for content in (answer.get("content") or {}).values():
        if "example" in content:
            yield "example", content["example"]
        for name, example in (content.get("examples") or {}).items():
            yield name, resolve(spec, example)["value"]
        yield from schema_examples(spec, resolve(spec, content.get("schema")) or {})


def schema_examples(spec: Any, schema: Any) -> Iterator[tuple[str, Any]]:
    """Examples that stand at the schema of the answer or of its rows."""
    if "example" in schema:
        yield "schema", schema["example"]
    rows = resolve(spec, (schema.get("properties") or {}).get("data"))
    for part in (schema, resolve(spec, (rows or schema).get("items")) or {}):
        yield from (part.get("x-examples") or {}).items()


def rows_of(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and "data" in value:
        value = value["data"]
    return value if isinstance(value, list) else [value]


@with_specs
@pytest.mark.parametrize(("stream", "spec_name", "path"), PLACES)
def test_documented_answers_become_valid_records(
    shop: Any, run: Any, stream: str, spec_name: str, path: str
) -> None:
    found = list(examples(load(spec_name), path))
    if not found:
        pytest.skip("the specification has no example here")
    for name, value in found:
        become_valid(shop, run, stream, name, value)


def become_valid(shop: Any, run: Any, stream: str, name: str, value: Any) -> None:
    """The tap makes valid records of the answer, one of each of its rows at the least."""
    schema = next(kind.schema for kind in STREAMS if kind.name == stream)
    validator = DEFAULT_JSONSCHEMA_VALIDATOR(
        schema, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    rows = [row for row in rows_of(value) if isinstance(row, dict) and row]
    serve(shop, stream, rows, value)
    ran = run(shop, streams=(stream,), page_size=250)
    assert ran.error is None, name
    records = ran.records(stream)
    assert len(records) >= len({row.get("id") for row in rows}) > 0, name
    for record in records:
        assert [error.message for error in validator.iter_errors(record)] == [], name


def serve(shop: Any, stream: str, rows: list[dict[str, Any]], value: Any) -> None:
    """Let the shop answer with the documented example, byte for byte where it is a list."""
    for row in rows:
        row.setdefault("id", 1)  # a few examples lack the key that every real row has
    raw = json.loads(json.dumps(value))
    if stream in ("transactions", "refunds", "customers", "products") and "data" not in raw:
        raw = {"data": rows, "meta": {}}
    shop.orders.clear()
    shop.refunds.clear()
    plain = type(shop).answer

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        first_page = query.get("page", "1") == "1"
        if stream == "orders" and path == "/v2/orders":
            whole = raw if isinstance(raw, list) else [raw]
            return (200, whole) if first_page else (204, None)
        if stream == "orders":
            return 204, None
        if path == "/v2/orders":
            dated = {"date_modified": "Tue, 05 Mar 2019 21:40:11 +0000", "coupon_discount": "1"}
            return (200, [{"id": 1, **dated}]) if first_page else (204, None)
        if path == "/v3/orders/payment_actions/refunds" and "order_id:in" in query:
            return 200, {"data": [], "meta": {}}
        wanted = {
            "order_taxes": "/taxes",
            "order_coupons": "/coupons",
            "transactions": "/transactions",
            "refunds": "/refunds",
            "customers": "/v3/customers",
            "products": "/v3/catalog/products",
        }.get(stream, f"/v2/{stream}")
        if path.endswith(wanted):
            if isinstance(raw, dict) and "data" in raw and not isinstance(raw["data"], list):
                return (200, {**raw, "data": [raw["data"]]}) if first_page else (200, {"data": []})
            again = not first_page or "after" in query or "id:greater" in query
            return (200, raw) if not again else (200, {"data": []})
        return plain(shop, path, query)

    shop.answer = answer
