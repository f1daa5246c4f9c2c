"""Order terms: an order that has its invoice keeps the settings and the day it was posted under."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks.books.items import line_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from target_freshbooks.books.desired import Desired
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.ledger import Terms

logger = logging.getLogger(__name__)


def policy_of(policy: Policy, facts: OrderFacts, terms: Terms | None, *, current: bool) -> Policy:
    """The settings for an order: those it was posted under, else those of now.

    A Draft that was never finished may be waiting for just the setting that was changed.
    """
    zone = policy.timezone or facts.store_timezone
    now = replace(policy, timezone=zone)
    if terms is None:
        return now
    then = now.under(terms.settings)
    if terms.posted and not current:
        return then
    # What is made has its number, and its day as the zone of then had it.
    return replace(
        now,
        invoice_number_prefix=then.invoice_number_prefix,
        timezone=then.timezone,
        post_as=then.post_as,  # what is kept as a Draft is sent when that is asked for
    )


def called(policy: Policy, item_names: Mapping[str, str]) -> Policy:
    """The settings with the Rounding line called as FreshBooks calls its item."""
    name = policy.names.rounding
    known = item_names.get(line_key(name), name)
    return replace(policy, names=replace(policy.names, rounding=known))


def dated(desired: Desired, day: date) -> Desired:
    """The desired state with the invoice's day as it was first posted."""
    invoice = desired.invoice
    if invoice.day != day:
        logger.warning(
            "Order %s is of %s in the shop now; its invoice %s stays dated %s.",
            desired.order_id,
            invoice.day,
            invoice.number,
            day,
        )
    return replace(desired, invoice=replace(invoice, day=day))
