"""The few JSON Schema types that the streams are described with.

All but keys may be null, and all objects may have more fields than described: BigCommerce adds
fields and values without notice.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": ["string", "null"]}
MONEY: Schema = {
    "type": ["string", "null"],
    "description": "Decimal number as text, with the digits the API sent.",
}
WHEN: Schema = {"type": ["string", "null"], "format": "date-time"}
INTEGER: Schema = {"type": ["integer", "null"]}
NUMBER: Schema = {"type": ["number", "null"]}
FLAG: Schema = {"type": ["boolean", "null"]}
OBJECT: Schema = {"type": ["object", "null"], "additionalProperties": True}
TEXTS: Schema = {"type": ["array", "null"], "items": TEXT}
INTEGERS: Schema = {"type": ["array", "null"], "items": INTEGER}
OBJECTS: Schema = {"type": ["array", "null"], "items": OBJECT}

KEY: Schema = {"type": "integer"}
TEXT_KEY: Schema = {"type": "string"}
ODD_VALUES: Schema = {
    **OBJECT,
    "description": "Values of other types than described, by JSON Pointer; null is in their place.",
}
STORE_HASH: Schema = {"type": "string", "description": "The store that the record is of."}


def part(fields: dict[str, Schema]) -> Schema:
    """An object within a record."""
    return {"type": ["object", "null"], "properties": fields, "additionalProperties": True}


def parts(fields: dict[str, Schema]) -> Schema:
    """A list of such objects."""
    return {"type": ["array", "null"], "items": part(fields)}


def record(fields: dict[str, Schema], *, keys: tuple[str, ...]) -> Schema:
    """The records of a stream: their key fields are required, and so is the store they are of."""
    return {
        "type": "object",
        "properties": {**fields, "odd_values": ODD_VALUES, "store_hash": STORE_HASH},
        "required": [*keys, "store_hash"],
        "additionalProperties": True,
    }


def of_type(kind: Schema, names: str) -> dict[str, Schema]:
    """Many fields of one type, named in one string."""
    return dict.fromkeys(names.split(), kind)
