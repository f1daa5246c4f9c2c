"""v3 transactions of an order, and refunds: store-wide, of an order, one."""

from starlette.routing import BaseRoute

from connector_sandbox.bigcommerce.access import (
    REFUNDS,
    TRANSACTIONS,
    Answer,
    Call,
    Problem,
    StoreGuard,
    answer,
)
from connector_sandbox.bigcommerce.filters import many, moment, strict_number, where
from connector_sandbox.bigcommerce.orders_api import the_order
from connector_sandbox.bigcommerce.paging import Page, page_of, pagination
from connector_sandbox.bigcommerce.payment_documents import refund_document, transaction_documents
from connector_sandbox.bigcommerce.repository import order_of
from connector_sandbox.bigcommerce.variants import Document, variants_of
from connector_sandbox.filters import compare


def routes(guard: StoreGuard) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        guard.route("v3/orders/{order_id:int}/transactions", list_transactions, TRANSACTIONS),
        guard.route("v3/orders/payment_actions/refunds", list_refunds, REFUNDS),
        guard.route("v3/orders/payment_actions/refunds/{refund_id:int}", get_refund, REFUNDS),
        guard.route("v3/orders/{order_id:int}/payment_actions/refunds", refunds_of_order, REFUNDS),
    ]


def list_transactions(call: Call) -> Answer:
    """GET /v3/orders/{id}/transactions: never more than the first 250, by switch fewer."""
    order = the_order(call)
    made = transaction_documents(
        order,
        credits_shown=call.switches["bc.credit_transactions"],
        empty=call.switches["bc.not_applicable"],
    )
    variants = variants_of(call.switches, call.base)
    rows = [variants.apply("transaction", row) for row in made]
    if not call.switches["bc.refund_transactions"]:
        rows = [row for row in rows if row["event"] != "refund"]
    none = call.switches["bc.transactions_none"]
    if not rows and none == "404":
        raise Problem(404, "Not found")
    if not rows and none == "204":
        return Answer(None, 204)
    paged = call.switches["bc.transactions_pages"] == "honoured"
    page = page_of(call) if paged else Page(1, call.switches["bc.transactions_max"])
    shown = page.cut(rows)
    told = pagination(call.query, page, len(rows), len(shown))
    empty = call.switches["bc.transactions_meta"] == "empty"
    return answer({"data": shown, "meta": {} if empty else {"pagination": told}})


_FILTERS = {
    "order_id:in": many("order_id", strict_number),
    "id:in": many("id", strict_number),
    "created:min": compare("created", ">=", moment),
    "created:max": compare("created", "<=", moment),
}


def list_refunds(call: Call) -> Answer:
    """GET /v3/orders/payment_actions/refunds, by refund id."""
    condition, values = where(call.query, _FILTERS)
    rows = call.db.execute(
        f"SELECT id, order_id FROM bc_refunds WHERE {condition} ORDER BY id",  # noqa: S608  values are bound
        values,
    )
    return _refunds(call, [(row["order_id"], row["id"]) for row in rows])


def refunds_of_order(call: Call) -> Answer:
    """GET /v3/orders/{id}/payment_actions/refunds."""
    order = the_order(call)
    return _refunds(call, [(order.id, refund.id) for refund in order.refunds])


def get_refund(call: Call) -> Answer:
    """GET /v3/orders/payment_actions/refunds/{id}."""
    number = call.path["refund_id"]
    row = call.db.execute("SELECT order_id FROM bc_refunds WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise Problem(404)
    return answer({"data": _document(call, row["order_id"], number), "meta": {}})


def _refunds(call: Call, numbers: list[tuple[int, int]]) -> Answer:
    """The page of refunds, each by its order and number; of one transaction, if asked."""
    transaction = call.query.get("transaction_id")
    if transaction:
        numbers = [n for n in numbers if _pays_back(_document(call, *n), transaction)]
    page = page_of(call)
    shown = [_document(call, *n) for n in page.cut(numbers)]
    told = pagination(call.query, page, len(numbers), len(shown))
    paged = call.switches["bc.refunds_meta"] == "pagination"
    return answer({"data": shown, "meta": {"pagination": told} if paged else {}})


def _pays_back(document: Document, transaction_id: str) -> bool:
    return any(p["transaction_id"] == transaction_id for p in document["payments"])


def _document(call: Call, order_id: int, refund_id: int) -> Document:
    order = order_of(call.db, order_id)
    for refund in order.refunds if order else ():
        if order and refund.id == refund_id:
            requested = call.switches["bc.refund_requested_amount"]
            return refund_document(order, refund, requested=requested)
    raise Problem(404)
