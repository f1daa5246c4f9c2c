"""All that is known of an order, gathered from the ledger and read into the facts of `books`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_freshbooks.books import read_facts
from target_freshbooks.books.calendar import zone
from target_freshbooks.books.reading import read_timezone

if TYPE_CHECKING:
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.ledger import Ledger, StoredFacts


def gather(ledger: Ledger, stored: StoredFacts) -> OrderFacts:
    """Read an order's records, with its customer and the store.

    Raises:
        ReadError: A record cannot be understood.
    """
    customer_id = stored.order.get("customer_id") or 0
    customer = ledger.body("customers", (customer_id,)) if customer_id else None
    children = stored.children
    return read_facts(
        stored.order,
        children.get("transactions", ()),
        children.get("refunds", ()),
        children.get("order_taxes", ()),
        customer,
        _store(ledger),
    )


def check_zone(ledger: Ledger, policy: Policy) -> None:
    """Make sure that orders have days, before anything is written for any of them.

    Raises:
        UnknownZone: Neither the setting nor the store names a time zone known here.
    """
    zone(policy.timezone or read_timezone(_store(ledger)))


def _store(ledger: Ledger) -> dict[str, Any] | None:
    return next(iter(ledger.bodies("store")), None)
