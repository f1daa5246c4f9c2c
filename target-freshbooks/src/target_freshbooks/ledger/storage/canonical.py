"""One text for one body: JSON with sorted keys in ASCII, Decimals written digit by digit.

Bodies are stored and hashed in this form, so equal bodies have equal hashes on every machine and
a number comes back with the digits it came with.
"""

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import simplejson  # type: ignore[import-untyped] # it comes without


def to_text(value: Any) -> str:  # noqa: ANN401 - a JSON document is any of its types
    """Write a JSON document canonically.

    Args:
        value: dict (text keys), list, tuple, str, bool, None, int, Decimal, float (by its shortest
            digits), date, or aware datetime (written as `2026-11-01T10:00:00Z`).

    Raises:
        TypeError: For any other type, or a key that is not text.
        ValueError: For NaN, an infinity, or a datetime without a zone.
    """
    text: str = simplejson.dumps(_writable(value), sort_keys=True, separators=(",", ":"))
    return text


def from_text(text: str) -> Any:  # noqa: ANN401 - a JSON document is any of its types
    """Read a document written by `to_text`; numbers with a fraction come back as Decimal."""
    return json.loads(text, parse_float=Decimal)


def hash_text(text: str) -> str:
    """Give the SHA-256 of a canonical text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of(value: Any) -> str:  # noqa: ANN401 - a JSON document is any of its types
    """Give the SHA-256 of a document's canonical text, in hex."""
    return hash_text(to_text(value))


def _writable(value: Any) -> Any:  # noqa: ANN401 - see to_text
    """The document in the types whose text is their own: text, int, Decimal, None, list, dict."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"A key of a JSON object must be text, not {type(key).__name__}.")
        return {key: _writable(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_writable(entry) for entry in value]
    return _scalar(value)


def _scalar(value: object) -> Decimal | str:
    if isinstance(value, float):
        # The shortest digits that name this float are the ones it was parsed from.
        value = Decimal(float.__repr__(value))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} cannot be written as a JSON number.")
        # "-0" would be read back as the integer 0 and lose its sign.
        return Decimal("-0.0") if str(value) == "-0" else value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("A time in a body has no zone; give it in UTC.")
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"A {type(value).__name__} cannot be stored as JSON.")
