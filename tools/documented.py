"""Writes down which fields the vendors document, and of which JSON types: for the sandbox's tests.

The descriptions themselves (BigCommerce's OpenAPI files, FreshBooks' published answers) are not
ours to ship; names and types are facts. `tools/documented.py REFERENCE` reads them below that
folder and writes `plugins/sandbox/tests/documented.json`: for each kind of answer the path of each
field, `*` for any position in a list, and its types (`null|string`).
"""

from __future__ import annotations

import functools
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "plugins/sandbox/tests/documented.json"
Shape = dict[str, str]

BIGCOMMERCE = {
    "orders.v2.oas2.yml": (
        "/orders",
        "/orders/{order_id}",
        "/orders/count",
        "/orders/{order_id}/consignments",
        "/orders/{order_id}/coupons",
        "/orders/{order_id}/products",
        "/orders/{order_id}/shipping_addresses",
        "/orders/{order_id}/taxes",
        "/order_statuses",
        "/order_statuses/{status_id}",
    ),
    "orders.v3.yml": (
        "/orders/payment_actions/refunds",
        "/orders/payment_actions/refunds/{refund_id}",
        "/orders/{order_id}/payment_actions/refunds",
        "/orders/{order_id}/transactions",
    ),
    "customers.v3.yml": ("/customers", "/customers/addresses"),
    "products_catalog.v3.yml": ("/catalog/products", "/catalog/products/{product_id}"),
    "store_information.v2.yml": ("/store", "/time"),
    "currencies.v2.yml": ("/currencies",),
    "tax_classes.v2.yml": ("/tax_classes",),
    "webhooks.v3.yml": ("/hooks",),
    "settings.v3.yml": ("/settings/store/profile",),
}
FRESHBOOKS = {
    kind: f"get_{kind}_response.json" for kind in ("client", "invoice", "item", "payment", "tax")
} | {f"{kind}s": f"list_{kind}s_response.json" for kind in ("client", "invoice", "item", "payment")}
FRESHBOOKS |= {"expense": "get_expense_response.json", "me": "auth_me_response.json"}

TYPES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
TYPES |= {dict: "object", type(None): "null"}


def shape_of(value: Any) -> Shape:  # noqa: ANN401 - JSON
    """The fields of a document and their types."""
    types_at: defaultdict[str, set[str]] = defaultdict(set)

    def walk(at: str, value: Any) -> None:  # noqa: ANN401 - JSON
        types_at[at].add(TYPES[type(value)])
        if isinstance(value, dict):
            for name, field in value.items():
                walk(f"{at}.{name}".lstrip("."), field)
        elif isinstance(value, list):
            for entry in value:
                walk(f"{at}.*".lstrip("."), entry)

    walk("", value)
    return {path: "|".join(sorted(types)) for path, types in sorted(types_at.items())}


def resolved(spec: dict[str, Any], node: Any) -> Any:  # noqa: ANN401 - YAML
    """What a reference leads to."""
    while "$ref" in node:
        names = node["$ref"].removeprefix("#/").split("/")
        node = functools.reduce(lambda at, name: at[name.replace("~1", "/")], names, spec)
    return node


def documented(spec: dict[str, Any], path: str) -> Shape:
    """The fields of the answer to GET, as its schema has them."""
    types_at: defaultdict[str, set[str]] = defaultdict(set)

    def walk(at: str, schema: Any, above: tuple[int, ...]) -> None:  # noqa: ANN401 - YAML
        schema = resolved(spec, schema)
        if id(schema) in above:  # a category within a category
            return
        above = (*above, id(schema))
        for arm in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(arm, ()):
                walk(at, part, above)
        named = schema.get("type")
        kinds = {"integer": "number"}.get(named, named)
        if kinds:
            types_at[at].add(kinds)
        if schema.get("nullable"):
            types_at[at].add("null")
        for name, part in schema.get("properties", {}).items():
            walk(f"{at}.{name}".lstrip("."), part, above)
        if "items" in schema:
            walk(f"{at}.*".lstrip("."), schema["items"], above)

    answer = resolved(spec, spec["paths"][path]["get"]["responses"]["200"])
    walk("", answer["content"]["application/json"]["schema"], ())
    return {path: "|".join(sorted(types)) for path, types in sorted(types_at.items())}


def read(reference: Path) -> dict[str, dict[str, Shape]]:
    """All of both vendors, by kind of answer."""
    bigcommerce = dict[str, Shape]()
    for name, paths in BIGCOMMERCE.items():
        text = (reference / "bigcommerce/openapi" / name).read_text(encoding="utf-8")
        spec = yaml.safe_load(text)
        version = "v2" if ".v2." in name else "v3"
        bigcommerce |= {f"{version}{path}": documented(spec, path) for path in paths}
    folder = reference / "freshbooks/fixtures/java-sdk"
    freshbooks = {
        kind: shape_of(json.loads((folder / name).read_text(encoding="utf-8"))["response"])
        for kind, name in FRESHBOOKS.items()
    }
    return {"bigcommerce": bigcommerce, "freshbooks": freshbooks}


def text_of(shapes: dict[str, dict[str, Shape]]) -> str:
    """As it is written."""
    return json.dumps(shapes, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    WRITTEN.write_text(text_of(read(Path(sys.argv[1]))), encoding="utf-8")
