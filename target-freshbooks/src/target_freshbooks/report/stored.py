"""Stored value: what is owed on gift certificates and as store credit, and how it moved.

If gift certificates and store credit are lines of items (`stored_value`), all that was sold, given
and redeemed stands on invoices. FreshBooks has it as income; what is left of it at the end of a
year is to be booked over to what is owed.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from target_freshbooks.freshbooks.observed import DRAFT, ObservedInvoice
from target_freshbooks.money import ZERO

OPENING, ADDED, TAKEN = "opening", "added", "taken"


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed on one item in one currency, to the end of a day.

    Attributes:
        item: Its name.
        currency: ISO code.
        balance: Sold and given less redeemed and taken back, of all time.
        opening: The same before the month.
        added: Sold and given in the month.
        taken: Redeemed and taken back in the month, above zero.
    """

    item: str
    currency: str
    balance: Decimal
    opening: Decimal
    added: Decimal
    taken: Decimal


class StoredValue:
    """Sums over all sent invoices of the store and by hand, as they are read.

    Args:
        items: What FreshBooks calls the items, and what we call them.
        first: The month's first day.
    """

    def __init__(self, items: Mapping[str, str], first: date) -> None:
        self._items = items
        self._first = first
        self._sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)

    def add(self, invoice: ObservedInvoice) -> None:
        """Count an invoice's lines."""
        if invoice.status == DRAFT:
            return
        for line in invoice.lines or ():
            if line.name in self._items:
                amount = line.qty * line.unit_cost
                moved = ADDED if amount > 0 else TAKEN
                when = OPENING if invoice.create_date < self._first else moved
                self._sums[self._items[line.name], invoice.currency, when] += amount

    def owed(self) -> tuple[Owed, ...]:
        """Each item's movement and balance."""
        keys = sorted({(item, currency) for item, currency, _ in self._sums})
        return tuple(
            Owed(item, currency, opening + added + taken, opening, added, -taken)
            for item, currency in keys
            for opening, added, taken in [self._of(item, currency)]
        )

    def _of(self, item: str, currency: str) -> list[Decimal]:
        return [self._sums.get((item, currency, when), ZERO) for when in (OPENING, ADDED, TAKEN)]
