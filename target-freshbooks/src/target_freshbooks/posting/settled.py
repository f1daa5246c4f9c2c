"""Settled orders: no run touches them, so what a killed run left of one is told and not undone."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from target_freshbooks.ledger import Ledger
from target_freshbooks.posting.apply.parts import load_recorded

logger = logging.getLogger(__name__)


@contextmanager
def telling_what_is_left(ledger: Ledger) -> Iterator[None]:
    """Tell, once a block has looked, of settled orders whose writes had no answer before it."""
    begun = [intent for intent in ledger.intents.still_open() if intent.order_id is not None]
    yield
    for intent in begun:
        order_id = intent.order_id
        row = None if order_id is None else ledger.orders.get(order_id)
        if row is None or row.state != "settled":
            continue
        credits_made = load_recorded(ledger, row.order_id).overpayments.values()
        logger.warning(
            "Order %s was settled by a person after a run was killed in its %s, and nothing of"
            " that is undone: see in FreshBooks what stands of it.%s",
            row.order_id,
            intent.kind.replace("_", " "),
            "".join(f" FreshBooks made credit {one} of a payment of it." for one in credits_made),
        )
