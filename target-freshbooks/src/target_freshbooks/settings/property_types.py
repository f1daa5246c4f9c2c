"""Types of settings as JSON Schema, named and written as in the Singer SDK's `typing`.

The SDK is more than a third of the start of an operator's command, and its settings would be all
that the command needs of it.
"""

from collections.abc import Mapping
from typing import Any


class JsonType:
    """A type.

    Attributes:
        form: Its JSON Schema, without null.
    """

    form: Mapping[str, Any]


class StringType(JsonType):
    """Text."""

    form: Mapping[str, Any] = {"type": ["string"]}


class URIType(JsonType):
    """An address."""

    form: Mapping[str, Any] = {"type": ["string"], "format": "uri"}


class DateType(JsonType):
    """A day."""

    form: Mapping[str, Any] = {"type": ["string"], "format": "date"}


class BooleanType(JsonType):
    """True or false."""

    form: Mapping[str, Any] = {"type": ["boolean"]}


class IntegerType(JsonType):
    """A whole number of at least so much, and with or without a most."""

    form: Mapping[str, Any] = {"type": ["integer"]}

    def __init__(self, *, minimum: int, maximum: int | None = None) -> None:
        most = {} if maximum is None else {"maximum": maximum}
        self.form = {**self.form, "minimum": minimum, **most}


class ArrayType(JsonType):
    """A list."""

    def __init__(self, items: type[JsonType]) -> None:
        self.form = {"type": ["array"], "items": items.form}


class ObjectType(JsonType):
    """Names with values of one type."""

    def __init__(self, *, additional_properties: type[JsonType]) -> None:
        values = additional_properties.form
        self.form = {"type": ["object"], "properties": {}, "additionalProperties": values}


class CustomType(JsonType):
    """A type in JSON Schema's own words."""

    def __init__(self, form: Mapping[str, Any]) -> None:
        self.form = form


class Property:
    """A setting that may be left out."""

    def __init__(
        self,
        name: str,
        of: JsonType | type[JsonType],
        *,
        default: object = None,
        description: str | None = None,
        allowed_values: list[str] | None = None,
        secret: bool = False,
    ) -> None:
        self.name = name
        types = of.form["type"]
        given = {"default": default, "description": description, "enum": allowed_values}
        self.form = {
            **of.form,
            "type": types if "null" in types else [*types, "null"],
            **{key: value for key, value in given.items() if value is not None},
            **({"secret": True, "writeOnly": True} if secret else {}),
        }


class PropertiesList:
    """A table of settings."""

    def __init__(self, *properties: Property) -> None:
        self._properties = properties

    def to_dict(self) -> dict[str, Any]:
        """The table as a JSON Schema."""
        return {
            "type": "object",
            "properties": {one.name: one.form for one in self._properties},
            "$schema": "https://json-schema.org/draft/2020-12/schema",
        }
