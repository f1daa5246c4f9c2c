"""Account profile: what the FreshBooks account at hand is like, which its makers do not say.

The accounting rules are told of it through the policy.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from target_freshbooks import books
from target_freshbooks.books.desired import Desired, LineTax, Parked, Reason
from target_freshbooks.freshbooks.errors import Forbidden

if TYPE_CHECKING:
    from target_freshbooks.books.policy import Policy
    from target_freshbooks.books.shop import OrderFacts
    from target_freshbooks.freshbooks import FreshBooks

logger = logging.getLogger(__name__)


class AccountProfile:
    """What is known of one account. Thread-safe."""

    def __init__(self, account: FreshBooks) -> None:
        self._account = account
        self._guard = threading.Lock()
        self._taxes: tuple[LineTax, ...] | None = None

    def desire(self, facts: OrderFacts, policy: Policy) -> tuple[Desired | Parked, Policy]:
        """What the account should hold for the order, and the policy that this follows from.

        FreshBooks' own taxes are read, once in a run, if the order's tax rows are missing and
        `tax_mapping` does not tell its rate. The policy keeps the one that was taken.
        """
        desired = books.desire(facts, policy)
        if isinstance(desired, Parked) and desired.reason is Reason.TAX_UNKNOWN:
            policy = replace(policy, account_taxes=policy.account_taxes or self.taxes())
            desired = books.desire(facts, policy)
        if isinstance(desired, Desired):
            kept = tuple(tax for tax in policy.account_taxes or () if tax == desired.found_rate)
            policy = replace(policy, account_taxes=kept or None)
        return desired, policy

    def taxes(self) -> tuple[LineTax, ...]:
        """The taxes of the account, but for compounding ones; none if they must not be read."""
        with self._guard:
            if self._taxes is None:
                self._taxes = self._read_taxes()
            return self._taxes

    def _read_taxes(self) -> tuple[LineTax, ...]:
        try:
            rows = list(self._account.taxes.rows())
        except Forbidden as forbidden:
            # Only orders whose tax rows are missing need them, and those are parked without.
            logger.warning("The rates of FreshBooks' own taxes cannot be looked up: %s", forbidden)
            return ()
        return tuple(
            LineTax(row.name, row.percent) for row in rows if row.name and not row.compound
        )
