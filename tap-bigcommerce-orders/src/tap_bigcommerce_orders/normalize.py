"""Turns the API's JSON into records of one form: typed by schema, exact, in UTC.

BigCommerce writes one thing in several ways: money as ``"50.5000"`` or ``50.5``, ids as ``121`` or
``"121"``, dates as RFC 2822, ISO 8601 or Unix seconds, and "nothing" as null, ``""``, ``{}`` or
``[]``. Here money becomes a decimal string with exactly the digits that were sent, a date becomes
``2026-11-01T10:00:00Z``, and nothing becomes null. Fields the schema does not know pass through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from connector_credentials.json_text import decimal_of, read_json

Json = Any  # a decoded JSON value; numbers with a point are Decimal

LINK_KEYS = frozenset({"url", "resource"})
# Python reads more as ISO 8601 than is meant: weeks, and any sign between a date and a time.
_ISO = re.compile(r"[0-9]{4}(-?)[0-9]{2}\1[0-9]{2}([T ].+)?", re.ASCII)


def decode(text: str | bytes) -> Json:
    """Decode JSON text without ever making a float.

    Raises:
        ValueError: The text is not JSON, or not UTF-8; NaN and Infinity are none. Or it is nested
            beyond all measure.
    """
    return read_json(text, _unreadable)


def _unreadable(what: str) -> str:
    """What is passed on for a value that would wear down whoever reads it: words, no number."""
    return f"({what})"


def parse_time(value: Json) -> datetime | None:
    """Read a moment in any of the API's formats; None if there is none in it.

    Args:
        value: ``"Tue, 05 Mar 2019 21:40:11 +0000"``, ``"2018-05-08T15:06:12+00:00"``, a date,
            or Unix seconds. Without an offset it is UTC.

    Returns:
        The aware UTC time, cut to the second (the API's resolution).
    """
    if isinstance(value, bool) or value in (None, "", 0, "0"):
        return None
    try:
        if isinstance(value, (int, Decimal)) or (isinstance(value, str) and value.isdigit()):
            moment = datetime.fromtimestamp(int(value), UTC)
        elif isinstance(value, str):
            moment = _parse_text(value.strip())
        else:
            return None
        return _in_utc(moment)
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def read_iso(text: str) -> datetime:
    """Read an ISO 8601 date or date-time, as operators write it; without an offset it is UTC.

    Returns:
        The aware UTC time, cut to the second.

    Raises:
        ValueError: The text is nothing of the kind.
    """
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    try:
        return _in_utc(datetime.fromisoformat(text))
    except OverflowError as error:  # an offset that leads before year 1 or beyond 9999
        raise ValueError(text) from error


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(microsecond=0)


def _parse_text(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)


def format_time(moment: datetime) -> str:
    """Write a moment as ``2026-11-01T10:00:00Z``: fixed width, so that text order is time order."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def latest(*moments: datetime | None) -> datetime | None:
    """The latest of the moments there are."""
    return max(filter(None, moments), default=None)


def amount(value: Json) -> Decimal | None:
    """Read a number, sent as one or as text; None if there is none, or one of too many digits."""
    return decimal_of(str(value))


def whole(value: Json) -> int | None:
    """Read a whole number, sent as one or as text; None if it is none."""
    number = amount(value)
    return None if number is None or number != int(number) else int(number)


def is_link(value: Json) -> bool:
    """Tell whether this is only a pointer ``{"url", "resource"}`` to something not included."""
    return isinstance(value, Mapping) and bool(value) and value.keys() <= LINK_KEYS


def normalize(row: Mapping[str, Json], schema: Mapping[str, Any]) -> dict[str, Json]:
    """Bring one row into the form of its schema.

    Args:
        row: A decoded JSON object.
        schema: JSON Schema of an object; only ``properties``, ``type``, ``format`` and ``items``
            are looked at.

    Returns:
        A new record. Links are left out, but for what is described as one. A key field that is
        missing stays missing.
    """
    properties: Mapping[str, Any] = schema.get("properties", {})
    return {
        name: _value(value, properties.get(name))
        for name, value in row.items()
        if not is_link(value) or "url" in properties.get(name, {}).get("properties", {})
    }


def _value(value: Json, schema: Mapping[str, Any] | None) -> Json:
    if value == "" or (isinstance(value, Mapping) and not value):
        return None
    if schema is None or value is None:
        return _unknown(value)
    types = schema["type"]
    if schema.get("format") == "date-time":
        moment = parse_time(value)
        return format_time(moment) if moment else _no_time(value)
    if isinstance(value, Mapping) and "array" in types:
        value = _listed(value)
    if isinstance(value, list) and "object" in types and "array" not in types:
        value = _only(value)
    if isinstance(value, Mapping):
        return normalize(value, schema) if "object" in types else _unknown(value)
    if isinstance(value, list):
        if "array" not in types:
            return _unknown(value) or None  # PHP writes an empty object as []
        return [_value(item, schema.get("items")) for item in value if not is_link(item)]
    return _scalar(value, types)


def _no_time(value: Json) -> Json:
    """Null for what stands for no moment; what else there is stays as it is."""
    is_none = not value or str(value).strip() in ("", "0") or str(value).startswith("0000-00-00")
    return None if is_none else _unknown(value)


def _listed(value: Mapping[str, Json]) -> list[Json]:
    """An object in a list's place: a list with gaps as PHP writes it, or its only row."""
    rows = list(value.values())
    return rows if all(isinstance(row, Mapping) for row in rows) else [value]


def _only(value: list[Json]) -> Json:
    """The only object of a list in its place, as consignments come in their former structure."""
    return value[0] if len(value) == 1 and isinstance(value[0], Mapping) else value


def _scalar(value: Json, types: list[str] | str) -> Json:
    if isinstance(value, bool):
        return value if "boolean" in types or "string" not in types else str(value).lower()
    if isinstance(value, (int, Decimal)):
        if "integer" in types:
            return int(value) if value == int(value) else value
        if "boolean" in types and value in (0, 1):
            return bool(value)
        # With the digits that it was sent with: 5 -> "5", 50.50 -> "50.50".
        exact = "string" in types and "number" not in types
        return format(Decimal(value), "f") if exact else value
    if "string" in types:
        return value
    return _number_or_flag(value, types)


def _number_or_flag(text: str, types: list[str] | str) -> Json:
    """Read a number or flag that was sent as text; what cannot be read stays as it is."""
    if "boolean" in types and text.lower() in ("true", "false", "0", "1"):
        return text.lower() in ("true", "1")
    if "integer" in types or "number" in types:
        number = amount(text)
        if number is None:
            return text
        return int(number) if number == int(number) else number
    return text


def _unknown(value: Json) -> Json:
    """Pass a field on that no schema describes, with "" and {} as null inside it too."""
    if isinstance(value, Mapping):
        return {key: _value(inner, None) for key, inner in value.items() if not is_link(inner)}
    if isinstance(value, list):
        return [_unknown(item) for item in value]
    return value
