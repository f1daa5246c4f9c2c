"""Values of another type or form than their stream describes, which strict targets would refuse.

They are set apart, so that a record always is what its schema says and nothing of it is lost.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.normalize import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_bigcommerce_orders.normalize import Json

ODD_VALUES = "odd_values"

_KINDS = {str: "string", bool: "boolean", int: "integer", Decimal: "number", list: "array"}


def set_apart(record: dict[str, Json], schema: Mapping[str, Any]) -> None:
    """Move values of other types than described to `odd_values`; null takes their place.

    Keys, which may not be null, stay.

    Args:
        record: A record as `normalize` makes it; it is changed.
        schema: Its JSON Schema.
    """
    odd = dict(_odd_in(record, schema, ""))
    if odd:
        record[ODD_VALUES] = odd


def _odd_in(node: Json, schema: Mapping[str, Any], place: str) -> Iterator[tuple[str, Json]]:
    """Take them out of an object or a list, each with its JSON Pointer (RFC 6901)."""
    if isinstance(node, list):
        described = [(at, schema.get("items")) for at in range(len(node))]
    else:
        properties = schema.get("properties", {})
        described = [(name, properties.get(name)) for name in node]
    for at, of in described:
        value = node[at]
        if of is None or value is None:
            continue
        here = f"{place}/{_escaped(at)}"
        if not _is_of(value, of):
            if "null" in of["type"]:
                node[at] = None
                yield here, value
        elif isinstance(value, (dict, list)):
            yield from _odd_in(value, of, here)


def _is_of(value: Json, described: Mapping[str, Any]) -> bool:
    types, kind = described["type"], _KINDS.get(type(value), "object")
    if described.get("format") == "date-time" and kind in types:
        return parse_time(value) is not None
    return kind in types or (kind == "integer" and "number" in types)


def _escaped(at: str | int) -> str:
    return str(at).replace("~", "~0").replace("/", "~1")
