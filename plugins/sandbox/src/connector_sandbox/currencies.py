"""How many decimals a payment in a currency can have: ISO 4217's minor units."""

_WHOLE_UNITS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"}
    | {"VND", "VUV", "XAF", "XOF", "XPF"}
)
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def decimal_places(currency: str) -> int:
    """Decimals of the currency: 0, 2 or 3."""
    if currency in _WHOLE_UNITS:
        return 0
    return 3 if currency in _THOUSANDTHS else 2
