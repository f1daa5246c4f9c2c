"""What the shop owes on gift certificates and as store credit: the balances of their items.

Where they are lines of items (`stored_value`), all that was sold, given and redeemed stands on
invoices. FreshBooks has it as income; what is left of it at the end of a year is to be booked over
to what is owed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from target_freshbooks.books.items import line_key
from target_freshbooks.freshbooks.observed import DRAFT

if TYPE_CHECKING:
    from datetime import date

    from target_freshbooks.books.policy import LineNames
    from target_freshbooks.freshbooks import FreshBooks
    from target_freshbooks.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Owed:
    """The balance of one item in one currency.

    Attributes:
        item: Its name.
        currency: ISO code.
        balance: Sold and given less redeemed and taken back, to the end of a day.
    """

    item: str
    currency: str
    balance: Decimal


def owed_at(books: FreshBooks, ledger: Ledger, names: LineNames, last: date) -> tuple[Owed, ...]:
    """The balances at the end of the day: of all sent invoices, ours and those typed by hand.

    Nothing is asked of FreshBooks where no order ever had such a line.
    """
    items = {
        str(link.extra["name"]): name
        for name in (names.gift_certificate, names.store_credit)
        if (link := ledger.links.get("item", line_key(name))) is not None
    }
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for invoice in books.invoices.until(last) if items else ():
        for line in invoice.lines or ():
            if line.name in items and invoice.status != DRAFT:
                sums[items[line.name], invoice.currency] += line.qty * line.unit_cost
    return tuple(Owed(*key, balance) for key, balance in sorted(sums.items()))
