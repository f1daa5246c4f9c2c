"""What FreshBooks takes and how it computes: one value that every rule goes by.

FreshBooks publishes few of its limits. Here stand those it documents, the safe side of those it
does not, and the ways in which it may round; an account whose answers have shown its own way has a
value of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_freshbooks.books.rounding import RoundingKind


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an account of FreshBooks can hold.

    Attributes:
        amount_decimals: Decimals of an amount; a currency with more cannot be booked to the cent.
        percent_decimals: Decimals of a tax's percent. Three are documented; four, as many as the
            shop's rates have, have been seen to be kept.
        taxes_per_line: Taxes that a line can bear.
        number_length: Characters of an invoice's number.
        name_length: Characters of the name of a line or an item.
        description_length: Characters of its description.
        sku_length: Characters of an item's SKU.
        address_length: Characters of a field of a client or an address.
        tax_name_length: Characters of the name of a tax.
        merged_tax_name_length: Characters of the joined names of several.
        roundings: The kinds of rounding that its answers leave possible; empty for all.
    """

    amount_decimals: int = 2
    percent_decimals: int = 4
    taxes_per_line: int = 2
    number_length: int = 50
    name_length: int = 150
    description_length: int = 1000
    sku_length: int = 100
    address_length: int = 100
    tax_name_length: int = 50
    merged_tax_name_length: int = 30
    roundings: frozenset[RoundingKind] = frozenset()


FRESHBOOKS = Capabilities()
"""Any account, as far as nothing is known of it."""
