"""v2 orders: the list with its filters, one order, and the lists that belong to it.

A filter that is unknown or cannot be read is ignored, and the answer then holds everything, as
the API does.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial

from starlette.routing import BaseRoute

from connector_sandbox.bigcommerce.access import ORDERS, Answer, Call, Problem, StoreGuard, answer
from connector_sandbox.bigcommerce.filters import is_true, moment, where, whole_number
from connector_sandbox.bigcommerce.order_children import (
    consignments,
    coupon_documents,
    fee_documents,
    shipping_addresses,
)
from connector_sandbox.bigcommerce.order_documents import (
    CUSTOM_LABELS,
    line_documents,
    order_document,
)
from connector_sandbox.bigcommerce.paging import page_of, v2_list
from connector_sandbox.bigcommerce.repository import order_of, orders_where
from connector_sandbox.bigcommerce.tax_rows import tax_documents
from connector_sandbox.bigcommerce.variants import Document, Variants, variants_of
from connector_sandbox.exact_json import dumps
from connector_sandbox.filters import Condition, Filter, compare
from connector_sandbox.seed import catalog
from connector_sandbox.seed.model import Order

_SORTS = {
    "id": "id",
    "customer_id": "customer_id",
    "date_created": "created",
    "date_modified": "modified",
    "status_id": "status_id",
    "channel_id": "channel_id",
    "external_id": "external_id",
}
_TIES = {"id": "id ASC", "id_desc": "id DESC", "shuffled": "shuffle ASC", "random": "random()"}


def routes(guard: StoreGuard) -> list[BaseRoute]:
    """The routes of this module."""
    one = "v2/orders/{order_id:int}"
    return [
        guard.route("v2/orders", list_orders, ORDERS),
        guard.route("v2/orders/count", count_orders, ORDERS),
        guard.route("v2/order_statuses", list_statuses, ORDERS),
        guard.route("v2/order_statuses/{number:int}", get_status, ORDERS),
        guard.route(one, get_order, ORDERS),
        *(guard.route(f"{one}/{part}", partial(list_children, part), ORDERS) for part in _CHILDREN),
        *(
            guard.route(f"{one}/{part}/{{number:int}}", partial(get_child, part), ORDERS)
            for part in ("products", "shipping_addresses")
        ),
        guard.route(one + "/consignments", get_consignments, ORDERS),
        guard.route(one + "/fees", list_fees, ORDERS),
    ]


def _variants(call: Call) -> Variants:
    return variants_of(call.switches, call.base)


# Rendered orders, as long as they stand: an Order is frozen, so it is its own version.
_rendered: dict[tuple[int, Variants, str], tuple[Order, str]] = {}
_KEPT = 4096


def order_text(order: Order, variants: Variants, included: str) -> str:
    """The JSON of an order with what is included (`""`, or a part of `include`)."""
    key = (order.id, variants, included)
    kept = _rendered.get(key)
    if kept is not None and kept[0] == order:
        return kept[1]
    document = order_document(order, variants)
    parts = included.split(",")
    if "consignments.line_items" in parts or "consignments" in parts:
        inside = consignments(order, variants, line_items="consignments.line_items" in parts)
        honoured = ("bc.consignment_structure", "honoured") in variants.chosen
        document["consignments"] = inside if "object" in parts and honoured else [inside]
    if "fees" in parts:
        document["fees"] = fee_documents(order, variants)
    text = dumps(document)
    if len(_rendered) >= _KEPT:
        _rendered.clear()
    _rendered[key] = (order, text)
    return text


def _included(call: Call) -> str:
    asked = {part.strip() for part in call.query.get("include", "").split(",")}
    wanted = asked & {"consignments", "consignments.line_items", "fees"}
    if call.query.get("consignment_structure") == "object":
        wanted.add("object")
    return ",".join(sorted(wanted))


def _ten_thousandths(text: str) -> int | None:
    try:
        return int(Decimal(text) * 10_000)
    except (InvalidOperation, ValueError):
        return None


def _filters(least: str, most: str) -> dict[str, Filter]:
    return {
        # Ids are whole numbers: their bounds were never seen to be exclusive.
        "min_id": compare("id", ">=", whole_number),
        "max_id": compare("id", "<=", whole_number),
        "min_total": compare("total", ">=", _ten_thousandths),
        "max_total": compare("total", "<=", _ten_thousandths),
        **{n: compare(n, "=", whole_number) for n in ("customer_id", "status_id", "channel_id")},
        **{
            name: compare(name, "=", lambda text: text or None)
            for name in ("email", "payment_method", "external_order_id")
        },
        **{f"min_date_{name}": compare(name, least, moment) for name in ("created", "modified")},
        **{f"max_date_{name}": compare(name, most, moment) for name in ("created", "modified")},
    }


_FILTERS = {True: _filters(">=", "<="), False: _filters(">", "<")}
_DELETED = {"is_deleted": compare("is_deleted", "=", is_true)}


def _conditions(call: Call) -> Condition:
    """The filters of a list, as SQL."""
    switches = call.switches
    table = _FILTERS[switches["bc.inclusive_filters"]]
    if "is_deleted" in call.query and switches["bc.is_deleted_filter"] == "honoured":
        return where(call.query, table | _DELETED)
    text, values = where(call.query, table)
    return (text if switches["bc.archived_in_lists"] else f"{text} AND is_deleted = 0"), values


def _order_by(call: Call) -> str:
    name, _, direction = call.query.get("sort", "id:asc").partition(":")
    column = _SORTS.get(name)
    if column is None:
        return "ORDER BY id"
    way = "DESC" if direction.lower() == "desc" else "ASC"
    return f"ORDER BY {column} {way}, {_TIES[call.switches['bc.tie_order']]}"


def list_orders(call: Call) -> Answer:
    """GET /v2/orders."""
    page = page_of(call)
    condition, values = _conditions(call)
    variants, included = _variants(call), _included(call)
    tail = f"{_order_by(call)} LIMIT {page.limit} OFFSET {page.offset}"
    orders = orders_where(call.db, condition, values, tail)
    texts = [order_text(order, variants, included) for order in orders]
    return v2_list(call, texts, of_order=False)


def count_orders(call: Call) -> Answer:
    """GET /v2/orders/count."""
    condition, values = _conditions(call)
    rows = call.db.execute(
        f"SELECT status_id, count(*) AS n FROM bc_orders WHERE {condition} GROUP BY status_id",  # noqa: S608  as above
        values,
    )
    counts = {row["status_id"]: row["n"] for row in rows}
    statuses = [
        {k: v for k, v in _status(s).items() if k != "order"}
        | {"count": counts.get(s[0], 0), "sort_order": s[2]}
        for s in catalog.STATUSES
    ]
    return answer({"statuses": statuses, "count": sum(counts.values())})


def _status(status: tuple[int, str, int]) -> Document:
    number, name, position = status
    return {
        "id": number,
        "name": name,
        "system_label": name,
        "custom_label": CUSTOM_LABELS.get(number, name),
        "system_description": f"The order is in the state {name}.",
        "order": position,
    }


def list_statuses(call: Call) -> Answer:
    """GET /v2/order_statuses."""
    del call
    return answer([_status(status) for status in catalog.STATUSES])


def get_status(call: Call) -> Answer:
    """GET /v2/order_statuses/{id}."""
    return _numbered(call, list(map(_status, catalog.STATUSES)))


def _numbered(call: Call, rows: list[Document]) -> Answer:
    """The one whose id is in the path, or 404."""
    for row in rows:
        if row["id"] == call.path["number"]:
            return answer(row)
    raise Problem(404)


def the_order(call: Call) -> Order:
    """The order in the path, or 404."""
    order = order_of(call.db, call.path["order_id"])
    if order is None or (order.is_deleted and call.switches["bc.archived_by_id"] == "404"):
        raise Problem(404)
    return order


def get_order(call: Call) -> Answer:
    """GET /v2/orders/{id}."""
    return Answer(order_text(the_order(call), _variants(call), _included(call)))


def _taxes(call: Call, order: Order) -> list[Document]:
    details = call.query.get("details", "").lower() == "true"
    return tax_documents(order, _variants(call), details=details)


def _addresses(call: Call, order: Order) -> list[Document]:
    return shipping_addresses(order, _variants(call))


def _nothing(_call: Call, _order: Order) -> list[Document]:
    """Shipments and messages: this shop keeps none."""
    return []


@lru_cache(maxsize=256)
def _lines(order: Order, variants: Variants) -> list[Document]:
    return line_documents(order, variants)


_CHILDREN: dict[str, Callable[[Call, Order], list[Document]]] = {
    "products": lambda call, order: _lines(order, _variants(call)),
    "taxes": _taxes,
    "coupons": lambda call, order: coupon_documents(order, _variants(call)),
    "shipping_addresses": _addresses,
    "shippingaddresses": _addresses,
    "shipments": _nothing,
    "messages": _nothing,
}


def list_children(part: str, call: Call) -> Answer:
    """GET /v2/orders/{id}/products and so on; 50 a page unless told otherwise."""
    rows = _CHILDREN[part](call, the_order(call))
    return v2_list(call, [dumps(row) for row in page_of(call).cut(rows)], of_order=True)


def get_child(part: str, call: Call) -> Answer:
    """GET /v2/orders/{id}/products/{id} and the like."""
    return _numbered(call, _CHILDREN[part](call, the_order(call)))


def get_consignments(call: Call) -> Answer:
    """GET /v2/orders/{id}/consignments."""
    order = the_order(call)
    wanted = "line_items" in call.query.get("include", "")
    return answer(consignments(order, _variants(call), line_items=wanted))


def list_fees(call: Call) -> Answer:
    """GET /v2/orders/{id}/fees, in the three forms seen."""
    rows = fee_documents(the_order(call), _variants(call))
    if call.switches["bc.fees_form"] == "wrapped":
        return answer({"fees": rows})
    texts = [dumps(_variants(call).apply("listed fee", row)) for row in rows]
    return v2_list(call, texts, of_order=True)
