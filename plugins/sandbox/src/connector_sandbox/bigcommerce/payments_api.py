"""v3 transactions of an order, and refunds: store-wide, of an order, one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector_sandbox.bigcommerce.access import (
    REFUNDS,
    TRANSACTIONS,
    Answer,
    Call,
    Problem,
    StoreGuard,
    answer,
)
from connector_sandbox.bigcommerce.filters import compare, many, moment, strict_number, where
from connector_sandbox.bigcommerce.paging import Page, page_of, pagination
from connector_sandbox.bigcommerce.payment_documents import refund_document, transaction_documents
from connector_sandbox.bigcommerce.repository import order_of
from connector_sandbox.bigcommerce.variants import variants_of

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from connector_sandbox.bigcommerce.variants import Document
    from connector_sandbox.seed.model import Order


def routes(guard: StoreGuard) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        guard.route("v3/orders/{order_id:int}/transactions", list_transactions, TRANSACTIONS),
        guard.route("v3/orders/payment_actions/refunds", list_refunds, REFUNDS),
        guard.route("v3/orders/payment_actions/refunds/{refund_id:int}", get_refund, REFUNDS),
        guard.route("v3/orders/{order_id:int}/payment_actions/refunds", refunds_of_order, REFUNDS),
    ]


def _order(call: Call) -> Order:
    found = order_of(call.db, call.path["order_id"])
    if found is None:
        raise Problem(404)
    return found[0]


def list_transactions(call: Call) -> Answer:
    """GET /v3/orders/{id}/transactions: never more than the first 250, by switch fewer."""
    order = _order(call)
    made = transaction_documents(
        order,
        credits_shown=call.switches["bc.credit_transactions"],
        empty=call.switches["bc.not_applicable"],
    )
    variants = variants_of(call.switches, call.base)
    rows = [variants.apply("transaction", row) for row in made]
    if not call.switches["bc.refund_transactions"]:
        rows = [row for row in rows if row["event"] != "refund"]
    if not rows:
        none = call.switches["bc.transactions_none"]
        if none == "404":
            raise Problem(404, "Not found")
        if none == "204":
            return Answer(None, 204)
    page = Page(1, call.switches["bc.transactions_max"])
    if call.switches["bc.transactions_pages"] == "honoured":
        page = page_of(call)
    shown = page.cut(rows)
    meta = {"pagination": pagination(call.query, page, len(rows), len(shown))}
    if call.switches["bc.transactions_meta"] == "empty":
        meta = {}
    return answer({"data": shown, "meta": meta})


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
    ).fetchall()
    transaction = call.query.get("transaction_id")
    if transaction:
        found = [_document(call, row["order_id"], row["id"]) for row in rows]
        documents = [d for d in found if _pays_back(d, transaction)]
        return _refunds(call, documents, len(documents), cut=True)
    page = page_of(call)
    documents = [_document(call, row["order_id"], row["id"]) for row in page.cut(rows)]
    return _refunds(call, documents, len(rows), cut=False)


def _pays_back(document: Document, transaction_id: str) -> bool:
    return any(p["transaction_id"] == transaction_id for p in document["payments"])


def _refunds(call: Call, documents: list[Document], total: int, *, cut: bool) -> Answer:
    page = page_of(call)
    shown = page.cut(documents) if cut else documents
    meta: dict[str, Any] = {}
    if call.switches["bc.refunds_meta"] == "pagination":
        meta = {"pagination": pagination(call.query, page, total, len(shown))}
    return answer({"data": shown, "meta": meta})


def _document(call: Call, order_id: int, refund_id: int) -> Document:
    found = order_of(call.db, order_id)
    if found is not None:
        for refund in found[0].refunds:
            if refund.id == refund_id:
                requested = call.switches["bc.refund_requested_amount"]
                return refund_document(found[0], refund, requested=requested)
    raise Problem(404)


def refunds_of_order(call: Call) -> Answer:
    """GET /v3/orders/{id}/payment_actions/refunds."""
    order = _order(call)
    documents = [_document(call, order.id, refund.id) for refund in order.refunds]
    transaction = call.query.get("transaction_id")
    if transaction:
        documents = [d for d in documents if _pays_back(d, transaction)]
    return _refunds(call, documents, len(documents), cut=True)


def get_refund(call: Call) -> Answer:
    """GET /v3/orders/payment_actions/refunds/{id}."""
    row = call.db.execute(
        "SELECT order_id FROM bc_refunds WHERE id = ?", (call.path["refund_id"],)
    ).fetchone()
    if row is None:
        raise Problem(404)
    document = _document(call, row["order_id"], call.path["refund_id"])
    return answer({"data": document, "meta": {}})
