"""JSON in which an amount is a number and yet exact: a Decimal is written digit by digit.

The standard encoder knows floats only; Decimals pass it as marked strings, whose marks and quotes
are taken off afterwards.
"""

import json
import re
from decimal import Decimal
from typing import Any

_MARK = "\x00exact:"
_MARKED = re.compile(r'"\\u0000exact:(-?[0-9]+(?:\.[0-9]+)?)"')


def _mark(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} is not JSON.")
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return _MARK + ("0" if digits == "-0" else digits)


def dumps(value: Any) -> str:  # noqa: ANN401  any JSON document
    """Compact JSON text; Decimals become numbers without trailing zeros."""
    return _MARKED.sub(r"\1", json.dumps(value, default=_mark, separators=(",", ":")))


def loads(text: str | bytes) -> Any:  # noqa: ANN401  any JSON document
    """Parse with every number that has a fraction as Decimal; NaN and Infinity are no JSON."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_number)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")
