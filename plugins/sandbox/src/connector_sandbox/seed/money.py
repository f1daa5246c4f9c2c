"""Exact money: quanta of currencies, half-up rounding, spreading an amount over shares.

BigCommerce stores amounts with four decimals and charges whole units of the currency (cents,
yen, fils), so both steps are needed side by side.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from connector_sandbox.currencies import decimal_places

STORED = Decimal("0.0001")
ZERO = Decimal(0)


def payable(amount: Decimal, currency: str) -> Decimal:
    """Round to what can be paid in the currency, halves away from zero."""
    return amount.quantize(Decimal(1).scaleb(-decimal_places(currency)), ROUND_HALF_UP)


def stored(amount: Decimal) -> Decimal:
    """Round to the four decimals BigCommerce stores."""
    return amount.quantize(STORED, ROUND_HALF_UP)


def spread(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Share an amount out by weight at four decimals; the last weighted share takes the rest.

    Raises:
        ValueError: There is something to share and nothing to share it over.
    """
    whole = sum(weights, ZERO)
    if not whole:
        if amount:
            raise ValueError(f"{amount} cannot be spread: every line it could fall on is worth 0.")
        return [ZERO for _ in weights]
    shares = [stored(amount * weight / whole) for weight in weights]
    last = max(index for index, weight in enumerate(weights) if weight)
    shares[last] += amount - sum(shares, ZERO)
    return shares
