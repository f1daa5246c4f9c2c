"""JSON documents into records and back: what a record does not declare is refused, with its name.

A field's type says what it takes: ``int``, ``str``, ``bool``, ``float``, ``Decimal``, ``datetime``,
``Literal``, ``dict`` and ``list`` as they are, another record, a tuple of one of them, or any of
these or None. ``Annotated`` with ``Within`` or ``Matching`` narrows it. Amounts are text or
numbers without a float between; a moment without a zone is UTC.
"""

import contextlib
import functools
import math
import re
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Literal, TypeVar

_MOST_WHOLE = 2**53
_MOST_AMOUNT = Decimal(10) ** 12
_LEAST_EXPONENT = -10
_FIRST_YEAR, _LAST_YEAR = 1971, 2199


@dataclass(frozen=True, slots=True)
class Within:
    """A number of this range, ends included."""

    least: float
    most: float = _MOST_WHOLE


@dataclass(frozen=True, slots=True)
class Matching:
    """A text that the whole pattern fits; ``words`` say what it is."""

    pattern: str
    words: str


T = TypeVar("T")


def decode(cls: type[T], document: Any) -> T:  # noqa: ANN401  a parsed JSON document
    """Make a record from its JSON document.

    Raises:
        ValueError: A field is unknown, missing or of the wrong form; its name is in the words.
    """
    if not isinstance(document, dict):
        raise ValueError(f"{cls.__name__} wants a JSON object, got {document!r}.")  # noqa: TRY004  callers answer 400 to ValueError
    hints = _hints(cls)  # type: ignore[arg-type]  # classes are hashable
    unknown = set(document) - set(hints)
    if unknown:
        raise ValueError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}.")
    values = {name: value_of(hints[name], value, name) for name, value in document.items()}
    try:
        return cls(**values)
    except TypeError as missing:
        raise ValueError(f"{cls.__name__}: {missing}.") from missing


def value_of(hint: Any, value: Any, name: str) -> Any:  # noqa: ANN401  one return per kind of type
    """Read one value of a type; ``name`` is for the words of a refusal."""
    composed = _COMPOSED.get(typing.get_origin(hint))
    if composed is not None:
        return composed(typing.get_args(hint), value, name)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(_one_of([str(member.value) for member in hint], value, name))
    if is_dataclass(hint):
        return decode(hint, value)  # type: ignore[arg-type]  # is_dataclass also allows instances
    reader = _READERS.get(hint)
    return _a(hint, value, name) if reader is None else reader(value, name)


def moment(value: object, name: str = "a moment") -> datetime:
    """Read an ISO 8601 moment into aware UTC; one without a zone is UTC.

    Raises:
        ValueError: It is none, or far out of any shop's life.
    """
    try:
        read = datetime.fromisoformat(_a(str, value, name))
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name} wants an ISO 8601 moment, got {value!r}.") from error
    if not _FIRST_YEAR <= read.year <= _LAST_YEAR:
        raise ValueError(f"{name} wants a year from {_FIRST_YEAR} to {_LAST_YEAR}, got {value!r}.")
    return read


def encode(record: Any) -> Any:  # noqa: ANN401  any record
    """The JSON document of a record; fields at their defaults are left out."""
    if is_dataclass(record):
        return {
            field.name: encode(value)
            for field in fields(record)
            if (value := getattr(record, field.name)) != field.default
        }
    if isinstance(record, tuple):
        return [encode(item) for item in record]
    if isinstance(record, Decimal):
        return str(record)
    if isinstance(record, datetime):
        return record.isoformat()
    return record


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _a(kind: Any, value: Any, name: str) -> Any:  # noqa: ANN401  as value_of
    if not isinstance(value, kind):
        raise ValueError(f"{name} wants {kind.__name__}, got {value!r}.")  # noqa: TRY004  as above
    return value


def _one_of(arms: Sequence[Any], value: Any, name: str) -> Any:  # noqa: ANN401  as value_of
    if value not in arms:
        raise ValueError(f"{name} is one of {', '.join(map(str, arms))}, not {value!r}.")
    return value


def _first_fit(arms: Sequence[Any], value: Any, name: str) -> Any:  # noqa: ANN401  as value_of
    if value is None and type(None) in arms:
        return None
    *others, last = [arm for arm in arms if arm is not type(None)]
    for arm in others:
        try:
            return value_of(arm, value, name)
        except ValueError:
            continue  # another arm may take it; the last one's refusal is told
    return value_of(last, value, name)


def _items(arms: Sequence[Any], value: object, name: str) -> tuple[Any, ...]:
    return tuple(value_of(arms[0], item, name) for item in _a(list, value, name))


def _pairs(arms: Sequence[Any], value: object, name: str) -> dict[Any, Any]:
    of_key, of_value = arms
    return {
        value_of(of_key, key, name): value_of(of_value, item, name)
        for key, item in _a(dict, value, name).items()
    }


def narrowed(value: Any, limit: Within | Matching, name: str) -> Any:  # noqa: ANN401  as value_of
    """Give the value back, or say why it is not within the limit."""
    if isinstance(limit, Within):
        if not limit.least <= value <= limit.most:
            raise ValueError(f"{name} is from {limit.least} to {limit.most}, not {value!r}.")
    elif re.fullmatch(limit.pattern, value) is None:
        raise ValueError(f"{name} wants {limit.words}, got {value!r}.")
    return value


def _whole(value: Any, name: str) -> int:  # noqa: ANN401  as value_of
    if isinstance(value, bool) or abs(_a(int, value, name)) > _MOST_WHOLE:
        raise ValueError(f"{name} wants a whole number, got {value!r}.")
    return int(value)


def _number(value: Any, name: str) -> float:  # noqa: ANN401  as value_of
    number = math.nan
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = float(value)
    if not abs(number) <= _MOST_WHOLE:
        raise ValueError(f"{name} wants a number, got {value!r}.")
    return number


def _amount(value: Any, name: str) -> Decimal:  # noqa: ANN401  as value_of
    amount = Decimal("NaN")
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        with contextlib.suppress(InvalidOperation):
            amount = Decimal(value)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _LEAST_EXPONENT or abs(amount) > _MOST_AMOUNT:
        raise ValueError(f"{name} wants an amount as text, got {value!r}.")
    return amount


_COMPOSED: dict[Any, Callable[[Sequence[Any], Any, str], Any]] = {
    typing.Annotated: lambda arms, value, name: narrowed(
        value_of(arms[0], value, name), arms[1], name
    ),
    types.UnionType: _first_fit,
    typing.Union: _first_fit,
    Literal: _one_of,
    tuple: _items,
    dict: _pairs,
}
_READERS: dict[Any, Callable[[Any, str], Any]] = {
    int: _whole,
    float: _number,
    Decimal: _amount,
    datetime: moment,
    Any: lambda value, _name: value,
}
