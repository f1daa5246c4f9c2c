"""Account profile: what the FreshBooks account at hand is like, which its makers do not say.

How it rounds tax and how many decimals of a percent it keeps is learnt from its answers to what was
written, or by a probe, which measures the longest number too, and kept in the ledger; its own taxes
are read when an order needs them. The accounting rules are told of both through the policy. A wrong
belief costs a write and no cent: an invoice is sent only when FreshBooks' own total is the order's.
"""

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

from target_freshbooks import books
from target_freshbooks.books.desired import Desired, Lines, LineTax, Parked, Reason
from target_freshbooks.books.policy import Policy
from target_freshbooks.books.rounding import KINDS, kinds_that_give
from target_freshbooks.capabilities import FRESHBOOKS, Capabilities
from target_freshbooks.freshbooks import FreshBooks
from target_freshbooks.freshbooks.errors import Forbidden
from target_freshbooks.freshbooks.observed import ObservedInvoice
from target_freshbooks.ledger import Ledger
from target_freshbooks.ledger.profile import Trait
from target_freshbooks.money import decimals_of
from target_freshbooks.posting.plan import lines as wire
from target_freshbooks.shop.facts import OrderFacts

logger = logging.getLogger(__name__)

FEWER_DECIMALS = 3
"""Decimals of a percent that FreshBooks documents; more have been seen to be kept."""


class AccountProfile:
    """What is known of one account. Thread-safe.

    Args:
        account: FreshBooks.
        ledger: Keeps what is learnt.
        learns: False if answers are only foreseen.
    """

    def __init__(self, account: FreshBooks, ledger: Ledger, *, learns: bool = True) -> None:
        self._account = account
        self._ledger = ledger
        self._learns = learns
        self._guard = threading.Lock()
        self._taxes: tuple[LineTax, ...] | None = None
        self._traits: dict[str, Any] = dict(ledger.profile.traits())

    @property
    def capabilities(self) -> Capabilities:
        """What the account can hold and how it computes, as far as that is known."""
        kinds = frozenset((what, even) for what, even in self._traits.get("roundings", ()))
        return replace(
            FRESHBOOKS,
            roundings=kinds,
            percent_decimals=self._traits.get("percent_decimals", FRESHBOOKS.percent_decimals),
            number_length=self._traits.get("number_length", FRESHBOOKS.number_length),
        )

    @property
    def refuses_taken_numbers(self) -> bool:
        """Whether it is known that no second invoice of a standing one's number is made."""
        return bool(self._traits.get("refuses_taken_numbers", False))

    @property
    def unmarked_field(self) -> str:
        """The field of invoices that was found too short for the mark, else ""."""
        field: str = self._traits.get("unmarked_field", "")
        return field

    def learn(self, trait: Trait, value: Any) -> None:  # noqa: ANN401 - JSON
        """Remember a trait of the account."""
        if self._learns and self._traits.get(trait) != value:
            self._traits = {**self._traits, trait: value}
            self._ledger.profile.learn(trait, value)

    def learn_from(self, sent: Lines, answer: ObservedInvoice) -> None:
        """Learn from the answer to a write of an invoice's lines."""
        stood = wire.standing(answer)
        with self._guard:
            if wire.agree(sent, stood):
                self._learn_rounding(stood, answer)
            elif wire.agree(_with_percents_of(stood, sent), stood):
                logger.warning(
                    "FreshBooks keeps %d decimals of a tax's percent: rates of more are booked"
                    " rounded to them, and what a total misses by that is mended or parked",
                    FEWER_DECIMALS,
                )
                self.learn("percent_decimals", FEWER_DECIMALS)

    def _learn_rounding(self, lines: Lines, answer: ObservedInvoice) -> None:
        fitting = kinds_that_give(answer.amount, lines, decimals_of(answer.currency))
        known = self.capabilities.roundings or KINDS
        # An answer that what was believed cannot give is believed more.
        left = fitting & known or fitting or known
        if left != known:
            self.learn("roundings", sorted(map(list, left)))

    def desire(self, facts: OrderFacts, policy: Policy) -> tuple[Desired | Parked, Policy]:
        """What the account should hold for the order, and the policy that this follows from.

        FreshBooks' own taxes are read, once in a run, if tax rows of the order are missing and
        `tax_mapping` does not tell the rate. The policy keeps the one that was taken.
        """
        policy = replace(policy, capabilities=self.capabilities)
        desired = books.desire(facts, policy)
        if isinstance(desired, Parked) and desired.reason is Reason.TAX_UNKNOWN:
            policy = replace(policy, account_taxes=policy.account_taxes or self.taxes())
            desired = books.desire(facts, policy)
        if isinstance(desired, Desired):
            kept = tuple(tax for tax in policy.account_taxes or () if tax == desired.found_rate)
            policy = replace(policy, account_taxes=kept or None)
        return desired, policy

    def otherwise(self, facts: OrderFacts, policy: Policy) -> Iterator[Desired]:
        """The same as it would be said if something else were known of the account.

        If ledger and profile were lost, the order's invoice may have been written so.
        """
        for kind, decimals in product(sorted(KINDS), (FRESHBOOKS.percent_decimals, FEWER_DECIMALS)):
            known = replace(FRESHBOOKS, roundings=frozenset({kind}), percent_decimals=decimals)
            desired = books.desire(facts, replace(policy, capabilities=known))
            if isinstance(desired, Desired):
                yield desired

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
        plain = (row for row in rows if row.name and not row.compound)
        return tuple(LineTax(row.name, row.percent) for row in plain)


def _with_percents_of(stood: Lines, sent: Lines) -> Lines:
    """The lines that were sent, with the percents that stand if those are but rounded."""
    most = Decimal(1).scaleb(-FEWER_DECIMALS) / 2

    def as_stood(mine: LineTax, theirs: LineTax) -> LineTax:
        near = mine.name == theirs.name and abs(mine.percent - theirs.percent) <= most
        return theirs if near else mine

    return tuple(
        replace(line, taxes=tuple(map(as_stood, line.taxes, other.taxes)))
        if len(line.taxes) == len(other.taxes)
        else line
        for line, other in zip(sent, stood, strict=False)
    )
