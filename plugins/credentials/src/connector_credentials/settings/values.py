"""One setting's value, by its JSON Schema: text, or JSON's own type if a file gives that.

Meltano, a shell and .env give text, which is never guessed at: `ture` is no boolean, `01.02.2026`
no date, `5.0` no whole number. Lists may be written `101,102`. What comes out is of JSON's types
(dates stay text), so that a JSON Schema validation after this one finds nothing to say.
"""

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from connector_credentials.masking import without_passwords

_Schema = Mapping[str, Any]

LONGEST_SHOWN = 60

_WHOLE = re.compile(r"-?[0-9]{1,18}")
# Python reads more as ISO 8601 than is meant: weeks, and any sign between a date and a time.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}(-?)[0-9]{2}\1[0-9]{2}([T ].+)?", re.ASCII)


class SettingError(ValueError):
    """A setting is missing, cannot be understood or has a wrong name; the text is for operators."""


def read_value(name: str, value: object, schema: _Schema) -> Any:  # noqa: ANN401 - JSON
    """Read a value that is given, that is, neither null nor blank.

    Args:
        name: The setting's, for the sentence.
        value: Text or a JSON value.
        schema: What it must be. Known are `type` (boolean, integer, array, object, string, or
            string with object), `enum`, `minimum`, `maximum`, `items`, `additionalProperties`,
            `secret` and the formats `date`, `date-or-auto`, `date-time`, `uri` and `http-header`.

    Raises:
        SettingError: Names the setting, the value (unless it is secret) and what it must be.
    """
    try:
        read = _read(value, schema)
        utf8 = _is_utf8(read)
    except (ValueError, TypeError, SyntaxError, RecursionError, OverflowError):
        shown = "" if schema.get("secret") else f" is {_shown(value)}: it"
        raise SettingError(f"The setting {name}{shown} must be {_words(schema)}.") from None
    if not utf8:
        raise SettingError(f"The setting {name} holds what is no UTF-8: write it again.")
    return read


def choices(names: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join(", ".join(names).rsplit(", ", 1))


def _read(value: object, schema: _Schema) -> Any:  # noqa: ANN401 - JSON
    if "enum" in schema:
        return _one_of(schema["enum"], value)
    kinds = _kinds(schema)
    if not kinds:
        return value  # of no simple type: left to the one who made the schema
    if kinds == ["string", "object"]:
        is_object = not isinstance(value, str) or value.lstrip().startswith("{")
        return _object(value, schema) if is_object else value
    if kinds[0] in _READERS:
        return _READERS[kinds[0]](value, schema)
    return _FORMATS.get(schema.get("format", ""), str)(_text(value))


def _kinds(schema: _Schema) -> list[str]:
    kinds = schema.get("type", [])
    return [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError


def _one_of(known: Sequence[str | None], value: object) -> object:
    text = value.strip() if isinstance(value, str) else value
    _require(text in known)
    return text


def _is_utf8(value: object) -> bool:
    """Whether no text in it has half characters: what was no UTF-8 in the environment has them."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - told as any other wrong value
    return value


def _boolean(value: object, _: _Schema) -> bool:
    if isinstance(value, bool):
        return value
    return _one_of(("false", "true"), _text(value).lower()) == "true"


def _integer(value: object, schema: _Schema) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - as above
    _require(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return value


def _array(value: object, schema: _Schema) -> list[Any]:
    items = schema["items"]
    if isinstance(value, str):
        value = _parsed(value) if value.lstrip().startswith("[") else value.split(",")
    elif _kinds(items) == ["integer"] and not isinstance(value, list):
        value = [value]  # `order_ids: 101`, as YAML reads it
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - as above
    read = [_read(item.strip() if isinstance(item, str) else item, items) for item in value]
    _require("" not in read)
    return read


def _object(value: object, schema: _Schema) -> dict[str, Any]:
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 - as above
    more = schema.get("additionalProperties")
    if more is False:
        known = schema["properties"]
        _require(value.keys() <= known.keys())
        return {name: _read(one, known[name]) for name, one in value.items()}
    if isinstance(more, dict) and _kinds(more) == ["string"]:
        return {name: _text(text) for name, text in value.items()}
    return value  # one of the SDK's, which it checks itself


_READERS: dict[str, Callable[[object, _Schema], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "array": _array,
    "object": _object,
}


def _parsed(text: str) -> Any:  # noqa: ANN401 - JSON
    """JSON, or the Python notation in which Meltano writes a list to the environment."""
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(text.strip())


def _day(text: str) -> str:
    _require(_DAY.fullmatch(text.strip()) is not None)
    return date.fromisoformat(text.strip()).isoformat()


def _day_or_auto(text: str) -> str:
    return "auto" if text.strip() == "auto" else _day(text)


def _moment(text: str) -> str:
    text = text.strip()
    _require(_MOMENT.fullmatch(text) is not None)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment.astimezone(UTC)  # an offset may lead before year 1 or beyond 9999
    return text


def _address(text: str) -> str:
    parts = urlsplit(text)
    _require(parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0)
    _require(not any(map(str.isspace, text)))
    return text


def _header(text: str) -> str:
    text.encode("latin-1")
    _require(text.isprintable() and text == text.strip())
    return text


_FORMATS: dict[str, Callable[[str], str]] = {
    "date": _day,
    "date-or-auto": _day_or_auto,
    "date-time": _moment,
    "uri": _address,
    "http-header": _header,
}


def _shown(value: object) -> str:
    given = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    shown = without_passwords(given)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"


_WORDS = {
    "boolean": "true or false",
    "date": "a day such as 2026-01-31",
    "date-or-auto": "a day such as 2026-01-31, or auto",
    "date-time": "an ISO 8601 date or date-time such as 2026-01-31 or 2026-01-31T09:30:00Z",
    "uri": "a web address such as https://api.example.com, without blanks",
    "http-header": "one line of letters that a header may hold (latin-1), without blanks around it",
    "object": 'a JSON object of texts such as {"a": "b"}',
}
_LISTS = {
    "integer": "a list of whole numbers such as 101,102 or [101, 102]",
    "string": 'a list of texts such as a,b or ["a", "b"]',
    "object": "a JSON list of objects with {allowed}",
}


def _words(schema: _Schema) -> str:
    """What an operator is told that the value must be."""
    if "enum" in schema:
        return choices([one for one in schema["enum"] if one is not None])
    kinds = _kinds(schema)
    if kinds == ["string", "object"]:
        allowed = choices(list(schema["properties"]))
        return f"text, or a JSON object of texts with {allowed}"
    if kinds == ["array"]:
        items = schema["items"]
        allowed = choices(list(items.get("properties", ())))
        return _LISTS[_kinds(items)[0]].format(allowed=allowed)
    if kinds == ["integer"]:
        return f"a whole number{_range(schema)}"
    return _WORDS.get(schema.get("format", kinds[0]), "text")


def _range(schema: _Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is not None:
        return f" from {least} to {most}"
    return "" if least is None else f" of at least {least}"
