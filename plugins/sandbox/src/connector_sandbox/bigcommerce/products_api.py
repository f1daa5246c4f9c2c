"""v3 catalog products with variants; a day without a time means the time of the request."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector_sandbox.bigcommerce import dates
from connector_sandbox.bigcommerce.access import PRODUCTS, Answer, Call, Problem, StoreGuard, answer
from connector_sandbox.bigcommerce.filters import Filter, compare, is_true, many, moment, where
from connector_sandbox.bigcommerce.paging import page_of, pagination, whole_number
from connector_sandbox.exact_json import dumps, loads

if TYPE_CHECKING:
    import sqlite3

    from starlette.routing import BaseRoute

    from connector_sandbox.seed.catalog import Product, Variant

MOST_WITH_OPTIONS = 10
_SORTS = {"id": "id", "name": "name", "sku": "sku", "price": "price", "date_modified": "modified"}
_BOUNDS = {"id": "=", "id:min": ">=", "id:max": "<=", "id:greater": ">", "id:less": "<"}
_INCLUDES = (
    "bulk_pricing_rules", "channels", "custom_fields", "images", "modifiers", "options",
    "parent_relations", "primary_image", "reviews", "variants", "videos",
)  # fmt: skip


def routes(guard: StoreGuard) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        guard.route("v3/catalog/products", list_products, PRODUCTS),
        guard.route("v3/catalog/products/{product_id:int}", get_product, PRODUCTS),
    ]


def product_document(product: Product, at: datetime) -> dict[str, Any]:
    """A product with its variants."""
    complex_product = len(product.variants) > 1
    return {
        "id": product.id,
        "name": product.name,
        "type": product.kind,
        "sku": product.sku,
        "description": "",
        "weight": Decimal(1),
        "width": Decimal(0),
        "depth": Decimal(0),
        "height": Decimal(0),
        "price": product.price,
        "cost_price": (product.price / 2).quantize(Decimal("0.01")),
        "retail_price": Decimal(0),
        "sale_price": Decimal(0),
        "map_price": Decimal(0),
        "tax_class_id": 0 if product.taxable else 1,
        "product_tax_code": "",
        "calculated_price": product.price,
        "categories": [23],
        "brand_id": 0,
        "inventory_level": 0,
        "inventory_tracking": "none",
        "is_visible": True,
        "upc": "",
        "mpn": "",
        "gtin": "",
        "availability": "available",
        "condition": "New",
        "date_created": dates.iso(at),
        "date_modified": dates.iso(at),
        "base_variant_id": None if complex_product else product.variants[0].id,
        "preorder_release_date": None,
        "custom_url": {"url": f"/product-{product.id}/", "is_customized": False},
        "variants": [_variant(product, variant) for variant in product.variants],
    }


def _variant(product: Product, variant: Variant) -> dict[str, Any]:
    price = product.price if variant.price is None else variant.price
    return {
        "id": variant.id,
        "product_id": product.id,
        "sku": variant.sku,
        "sku_id": variant.id - 100 if variant.options else None,
        "price": variant.price,
        "cost_price": None,
        "sale_price": None,
        "retail_price": None,
        "weight": None,
        "calculated_price": price,
        "calculated_weight": Decimal(1),
        "inventory_level": 0,
        "upc": "",
        "mpn": "",
        "gtin": "",
        "option_values": [
            {"id": 90 + n, "label": value, "option_id": 18, "option_display_name": name}
            for n, (name, value) in enumerate(variant.options)
        ],
    }


def put_product(connection: sqlite3.Connection, document: dict[str, Any]) -> None:
    """Write a product."""
    connection.execute(
        "INSERT OR REPLACE INTO bc_products VALUES(?,?,?,?,?,?,?,?)",
        (
            document["id"],
            document["name"],
            document["sku"],
            float(document["price"]),  # for sorting only; the document holds the exact price
            document["type"],
            document["is_visible"],
            dates.epoch(datetime.fromisoformat(document["date_modified"])),
            dumps(document),
        ),
    )


_FILTERS: dict[str, Filter] = {
    **{name: compare("id", sign, whole_number) for name, sign in _BOUNDS.items()},
    "id:in": many("id"),
    "sku:in": many("sku"),
    "sku": compare("sku", "=", str),
    "name": compare("name", "=", str),
    "type": compare("kind", "=", str),
    "is_visible": compare("is_visible", "=", is_true),
}


def _filter(call: Call) -> tuple[str, list[object]]:
    def bound(text: str) -> int | None:
        """A mere day gets the present time of day, as documented."""
        day = dates.read(text) if dates.is_day_only(text) else None
        if day is None:
            return moment(text)
        return dates.epoch(datetime.combine(day.date(), call.ctx.clock.now().timetz()))

    signs = {"date_modified": "=", "date_modified:min": ">=", "date_modified:max": "<="}
    dated = {name: compare("modified", sign, bound) for name, sign in signs.items()}
    return where(call.query, _FILTERS | dated)


def _shown(call: Call, text: str) -> dict[str, Any]:
    document: dict[str, Any] = loads(text)
    included = {part.strip() for part in call.query.get("include", "").split(",")}
    if "variants" not in included:
        del document["variants"]
    for part in _INCLUDES:
        if part in included and part != "variants":
            document[part] = {} if part == "primary_image" else []
    fields = {part.strip() for part in call.query.get("include_fields", "").split(",") if part}
    if fields:
        document = {k: v for k, v in document.items() if k in fields | {"id"} | included}
    for part in call.query.get("exclude_fields", "").split(","):
        document.pop(part.strip(), None)
    return document


def list_products(call: Call) -> Answer:
    """GET /v3/catalog/products."""
    condition, values = _filter(call)
    included = call.query.get("include", "")
    page = page_of(call)
    if ("options" in included or "modifiers" in included) and page.limit > MOST_WITH_OPTIONS:
        page = type(page)(page.number, MOST_WITH_OPTIONS)
    column = _SORTS.get(call.query.get("sort", "id"), "id")
    way = "DESC" if call.query.get("direction") == "desc" else "ASC"
    rows = call.db.execute(
        f"SELECT document FROM bc_products WHERE {condition} "  # noqa: S608  values are bound
        f"ORDER BY {column} {way}, id LIMIT ? OFFSET ?",
        [*values, page.limit, page.offset],
    ).fetchall()
    (total,) = call.db.execute(
        f"SELECT count(*) FROM bc_products WHERE {condition}",  # noqa: S608  as above
        values,
    ).fetchone()
    meta = {"pagination": pagination(call.query, page, total, len(rows))}
    return answer({"data": [_shown(call, row["document"]) for row in rows], "meta": meta})


def get_product(call: Call) -> Answer:
    """GET /v3/catalog/products/{id}."""
    row = call.db.execute(
        "SELECT document FROM bc_products WHERE id = ?", (call.path["product_id"],)
    ).fetchone()
    if row is None:
        raise Problem(404)
    return answer({"data": _shown(call, row["document"]), "meta": {}})
