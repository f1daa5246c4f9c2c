"""All that is known of an order, gathered from the ledger and read into the facts of `books`."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_freshbooks.books import ReadError, read_facts, read_product
from target_freshbooks.books.calendar import zone
from target_freshbooks.books.items import catalogued
from target_freshbooks.books.reading import read_timezone
from target_freshbooks.posting.apply.fence import Fence

if TYPE_CHECKING:
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts, Product
    from target_freshbooks.ledger import Ledger, StoredFacts

logger = logging.getLogger(__name__)


def gather(ledger: Ledger, stored: StoredFacts) -> OrderFacts:
    """Read an order's records, with its customer, the store and the products it needs.

    Raises:
        ReadError: A record cannot be understood.
    """
    customer_id = stored.order.get("customer_id") or 0
    customer = ledger.inbox.body("customers", (customer_id,)) if customer_id else None
    children = stored.children
    facts = read_facts(
        stored.order,
        children.get("transactions", ()),
        children.get("refunds", ()),
        children.get("order_taxes", ()),
        customer,
        _store(ledger),
    )
    products = (product_of(ledger, product_id) for product_id in catalogued(facts.order))
    return replace(facts, products=tuple(product for product in products if product is not None))


def product_of(ledger: Ledger, product_id: int) -> Product | None:
    """A product of the catalogue; None if it is unknown, or cannot be understood.

    An order says all that its invoice needs: no product of it can keep it from being booked.
    """
    body = ledger.inbox.body("products", (product_id,))
    try:
        return None if body is None else read_product(body)
    except ReadError as unreadable:
        logger.warning("Orders go on without product %s: %s", product_id, unreadable)
        return None


def check_zone(ledger: Ledger, policy: Policy) -> None:
    """Make sure that orders have days, before anything is written for any of them.

    Raises:
        UnknownZone: Neither the setting nor the store names a time zone known here.
    """
    zone(policy.timezone or read_timezone(_store(ledger)))


def fence_of(ledger: Ledger, policy: Policy) -> Fence:
    """The fence around closed days, by the ledger's clock and the store's zone."""
    return Fence(policy, ledger.scope.clock, lambda: read_timezone(_store(ledger)))


def _store(ledger: Ledger) -> dict[str, Any] | None:
    return ledger.inbox.body("store")
