"""Capabilities: what FreshBooks takes and how it computes, one value that every rule goes by.

FreshBooks publishes few of its limits. Here stand those it documents, the safe side of those it
does not, and the ways in which it may round; an account whose answers have shown its own way has a
value of its own.

Text is cleaned and cut to fit, never refused: an order must not fail for the sake of a heart in a
product's name. FreshBooks refuses some characters (errno 1036, "unicode out of range"; those beyond
the Basic Multilingual Plane, such as emoji, are the likely ones) and texts that are too long (errno
1017, with limits that are not published).
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal

Taxed = Literal["line", "rate", "name"]
"""What tax is rounded for: each line, each rate of a name, or each name."""

RoundingKind = tuple[Taxed, bool]
"""What tax is rounded for, and whether a half goes to the even cent."""


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

_LAST_OF_BMP = "\uffff"
_ELLIPSIS = "…"
# Control, format-less surrogate, private and unassigned characters; format ones (Cf) such as the
# joiners of Persian or Hindi spelling are kept, but for the byte order mark.
_UNWANTED = frozenset({"Cc", "Cs", "Co", "Cn"})


def clean(text: str, limit: int, fallback: str = "") -> str:
    """Normalise (NFC), drop what FreshBooks may refuse, fold white space, cut to `limit`.

    A text that was cut ends in an ellipsis; a text of which nothing is left becomes the fallback.
    """
    kept = "".join(map(_allowed, unicodedata.normalize("NFC", text)))
    folded = " ".join(kept.split())
    if len(folded) > limit:
        folded = folded[: limit - 1].rstrip() + _ELLIPSIS
    return folded or fallback


def _allowed(character: str) -> str:
    if character > _LAST_OF_BMP or character == "\ufeff":
        return ""
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _UNWANTED else character
