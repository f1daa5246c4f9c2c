"""Bounded JSON reader: exact numbers, and no text that wears its reader down.

A few bytes can name a number of a thousand million digits, or nest lists until the stack ends. Such
a value stands in the document as what `unreadable` makes of its name; the rest is read as ever. A
document of more values than anybody needs is not decoded at all: two bytes can cost seventy.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

Unreadable = Callable[[str], Any]

_HALVES = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
"""Where half a character may be; pairs that make a whole one stand there far more often."""

_TEXTS = re.compile(r'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
"""Keys and texts as they stand in a document, one that does not end included."""

MOST_DIGITS = 40
"""Before the point and behind it; no amount, quantity or id has more."""
MOST_NESTED = 64
MOST_VALUES = 1_500_000
"""Of a document: 250 orders of 50 lines of 70 fields each have 900,000. A list or object counts
four times, as it takes so much more memory than a number or a short text."""
TOO_LONG = "a number of too many digits"
TOO_DEEP = "too deeply nested"


class TooManyValues(ValueError):  # noqa: N818 - named as what is said of a document
    """A document has more than `MOST_VALUES`."""

    def __init__(self) -> None:
        super().__init__(f"the document has more than {MOST_VALUES:,} values")


def read_json(
    text: str | bytes, unreadable: Unreadable, constant: Callable[[str], Any] | None = None
) -> Any:  # noqa: ANN401 - a JSON document is any of its types
    """Decode JSON; whole numbers become int, others Decimal, half a character U+FFFD.

    Args:
        text: The document, in UTF-8 if bytes.
        unreadable: Makes what stands for a value that is too long or too deep, given which.
        constant: Makes what stands for NaN and infinities; without it they are refused.

    Raises:
        TooManyValues: There are more than `MOST_VALUES`.
        ValueError: The text is no JSON, or nested beyond what can be decoded at all.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    if _weight(text) > MOST_VALUES and _weight(_TEXTS.sub("", text)) > MOST_VALUES:
        raise TooManyValues
    try:
        document = json.loads(
            text,
            parse_float=partial(_decimal, unreadable=unreadable),
            parse_int=partial(_whole, unreadable=unreadable),
            parse_constant=constant or _refuse,
        )
    except RecursionError:
        raise ValueError("the document is nested too deeply to be decoded") from None
    document = _pruned(document, unreadable)
    return with_whole_characters(document) if _HALVES.search(text) else document


def _weight(text: str) -> int:
    """The number of values, of commas and brackets in texts too."""
    return text.count(",") + 4 * (text.count("[") + text.count("{"))


def decimal_of(text: str) -> Decimal | None:
    """The number that a text names; None if it names none, or one of too many digits."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    if isinstance(exponent, str):  # NaN, an infinity
        return None
    return number if max(number.adjusted(), exponent, -exponent) <= MOST_DIGITS else None


def _decimal(text: str, unreadable: Unreadable) -> Any:  # noqa: ANN401 - see `unreadable`
    number = decimal_of(text)
    return unreadable(TOO_LONG) if number is None else number


def _whole(text: str, unreadable: Unreadable) -> Any:  # noqa: ANN401 - see `unreadable`
    return unreadable(TOO_LONG) if len(text) > MOST_DIGITS else int(text)


def _refuse(constant: str) -> Any:  # noqa: ANN401 - it never answers
    raise ValueError(f"{constant} is no JSON")


def _pruned(document: Any, unreadable: Unreadable) -> Any:  # noqa: ANN401 - see `read_json`
    """The document without what is nested deeper than `MOST_NESTED`; it is changed in place."""
    level, depth = [document] if isinstance(document, (dict, list)) else [], 0
    while level:
        depth += 1
        below = []
        for container in level:
            if depth < MOST_NESTED:
                values = container.values() if isinstance(container, dict) else container
                below += [value for value in values if isinstance(value, (dict, list))]
                continue
            entries = container.items() if isinstance(container, dict) else enumerate(container)
            for key in [key for key, value in entries if isinstance(value, (dict, list))]:
                container[key] = unreadable(TOO_DEEP)
        level = below
    return document


def with_whole_characters(value: Any) -> Any:  # noqa: ANN401 - see `read_json`
    """The document with U+FFFD for half characters, which no file, database or request takes."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {
            with_whole_characters(key): with_whole_characters(entry) for key, entry in value.items()
        }
    if isinstance(value, list):
        return [with_whole_characters(entry) for entry in value]
    return value
