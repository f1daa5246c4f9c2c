"""Money: how many decimals a currency has, rounding to them, and sharing an amount out exactly.

A shop keeps amounts with four decimals and is paid in whole cents (or yen). Wherever several
amounts must be rounded and still add up, `largest_remainder` decides who gets the odd cents: every
share is its true value rounded down or up, never further away, and the sum is the one that was
asked for.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import TypeVar

Key = TypeVar("Key")
Number = TypeVar("Number", int, Decimal)

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)

# ISO 4217 minor units that are not two.
_NO_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_DECIMALS = (
    dict.fromkeys(_NO_DECIMALS, 0)
    | dict.fromkeys(_THREE_DECIMALS, 3)
    | dict.fromkeys(["CLF", "UYW"], 4)
)


def decimals_of(currency: str) -> int:
    """Decimals of the currency's smallest unit (ISO 4217): 0 for JPY, 3 for KWD, mostly 2."""
    return _DECIMALS.get(currency.upper(), 2)


def cent(decimals: int) -> Decimal:
    """The smallest unit of a currency with so many decimals."""
    return Decimal(1).scaleb(-decimals)


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """The amount in whole smallest units, halves away from zero."""
    return amount.quantize(cent(decimals), ROUND_HALF_UP) + ZERO


def is_whole(amount: Decimal, decimals: int) -> bool:
    """Whether the amount is a whole number of smallest units."""
    return amount == rounded(amount, decimals)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum; zero of none."""
    return sum(amounts, ZERO)


def sum_by_key(amounts: Iterable[tuple[Key, Number]]) -> dict[Key, Number]:
    """The sum of each key's amounts; the keys in the order in which they first stand there."""
    sums: dict[Key, Number] = {}
    for key, amount in amounts:
        sums[key] = sums.get(key, 0) + amount
    return sums


def in_currency(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units of the currency, halves away from zero."""
    return rounded(amount, decimals_of(currency))


def with_currency(amount: Decimal, currency: str) -> str:
    """The amount as people write it, such as `10.83 USD`."""
    return f"{in_currency(amount, currency)} {currency}"


def plain(number: Decimal) -> str:
    """The number as people write it: without trailing zeros or exponent."""
    return format(number.normalize() + ZERO, "f")


def largest_remainder(amounts: Sequence[Decimal], wanted: Decimal, decimals: int) -> list[Decimal]:
    """Round each amount down or up so that the sum comes as near to `wanted` as that allows.

    Amounts that are whole already stay as they are. Where the sum cannot be reached by rounding
    alone, it is as near as possible and the caller has a difference to explain.
    """
    unit = cent(decimals)
    shares = [amount.quantize(unit, ROUND_FLOOR) for amount in amounts]
    odd = [i for i, amount in enumerate(amounts) if amount != shares[i]]
    odd.sort(key=lambda i: (shares[i] - amounts[i], i))
    missing = int((wanted - total(shares)) / unit)
    for i in odd[: max(0, missing)]:
        shares[i] += unit
    return [share + ZERO for share in shares]


def pro_rata(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Share an amount out by weight, unrounded; evenly over none when all weights are zero.

    The shares add up to the amount exactly: the last weighted one takes what division leaves.
    """
    weight_of_all = total(weights)
    if not weight_of_all:
        return [ZERO for _ in weights]
    shares = [amount * weight / weight_of_all for weight in weights]
    last = max(i for i, weight in enumerate(weights) if weight)
    shares[last] += amount - total(shares)
    return shares
