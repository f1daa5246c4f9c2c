"""v3 catalog products with variants; a day without a time means the time of the request."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.routing import BaseRoute

from connector_sandbox.bigcommerce import dates
from connector_sandbox.bigcommerce.access import PRODUCTS, Answer, Call, Problem, StoreGuard, answer
from connector_sandbox.bigcommerce.filters import is_true, many, moment, where, whole_number
from connector_sandbox.bigcommerce.paging import MOST, page_of, rows_of
from connector_sandbox.bigcommerce.repository import record_of
from connector_sandbox.exact_json import loads
from connector_sandbox.filters import Condition, Filter, compare
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


_FILTERS: dict[str, Filter] = {
    **{name: compare("id", sign, whole_number) for name, sign in _BOUNDS.items()},
    "id:in": many("id"),
    "sku:in": many("sku"),
    "sku": compare("sku", "=", str),
    "name": compare("name", "=", str),
    "type": compare("kind", "=", str),
    "is_visible": compare("is_visible", "=", is_true),
}


def _filter(call: Call) -> Condition:
    def bound(text: str) -> int | None:
        """A mere day gets the present time of day, as documented."""
        day = dates.read(text) if dates.is_day_only(text) else None
        if day is None:
            return moment(text)
        return dates.epoch(datetime.combine(day.date(), call.ctx.clock.now().timetz()))

    signs = {"date_modified": "=", "date_modified:min": ">=", "date_modified:max": "<="}
    dated = {name: compare("modified", sign, bound) for name, sign in signs.items()}
    return where(call.query, _FILTERS | dated)


def _shown(call: Call, document: dict[str, Any]) -> dict[str, Any]:
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
    included = call.query.get("include", "")
    few = "options" in included or "modifiers" in included
    page = page_of(call, MOST_WITH_OPTIONS if few else MOST)
    column = _SORTS.get(call.query.get("sort", "id"), "id")
    way = "DESC" if call.query.get("direction") == "desc" else "ASC"
    rows, told = rows_of(call, "bc_products", _filter(call), f"{column} {way}, id", page)
    data = [_shown(call, loads(row["document"])) for row in rows]
    return answer({"data": data, "meta": {"pagination": told}})


def get_product(call: Call) -> Answer:
    """GET /v3/catalog/products/{id}."""
    document = record_of(call.db, "product", call.path["product_id"])
    if document is None:
        raise Problem(404)
    return answer({"data": _shown(call, document), "meta": {}})
