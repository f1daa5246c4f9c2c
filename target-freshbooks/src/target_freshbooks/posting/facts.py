"""All that is known of an order, gathered from the ledger and read into the facts of `books`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_freshbooks.books import read_facts

if TYPE_CHECKING:
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.ledger import Ledger, StoredFacts


def gather(ledger: Ledger, stored: StoredFacts) -> OrderFacts:
    """Read an order's records, with its customer and the store.

    Raises:
        ReadError: A record cannot be understood.
    """
    customer_id = stored.order.get("customer_id") or 0
    customer = ledger.body("customers", (customer_id,)) if customer_id else None
    store = next(iter(ledger.bodies("store")), None)
    children = stored.children
    return read_facts(
        stored.order,
        children.get("transactions", ()),
        children.get("refunds", ()),
        children.get("order_taxes", ()),
        customer,
        store,
    )
