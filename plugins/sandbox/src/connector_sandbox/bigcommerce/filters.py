"""Filters of lists as tables: a parameter's name, and what its text asks of which column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from connector_sandbox.bigcommerce import dates
from connector_sandbox.bigcommerce.access import Problem

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

Condition = tuple[str, list[object]]
Filter = Callable[[str], Condition | None]


def compare(column: str, sign: str, read: Callable[[str], object | None]) -> Filter:
    """A column against what is read of the text; what reads as None is no filter at all."""

    def condition(text: str) -> Condition | None:
        value = read(text)
        return None if value is None else (f"{column} {sign} ?", [value])

    return condition


def many(column: str, read: Callable[[str], object] = str) -> Filter:
    """One of a list with commas, whatever the case of texts."""

    def condition(text: str) -> Condition:
        wanted = [read(part.strip()) for part in text.split(",") if part.strip()]
        return f"{column} COLLATE NOCASE IN ({','.join('?' * len(wanted))})", wanted

    return condition


def moment(text: str) -> int | None:
    """Unix seconds; None for what cannot be read."""
    read = dates.read(text) if text else None
    return None if read is None else dates.epoch(read)


def strict_moment(text: str) -> int:
    """Unix seconds, or ValueError."""
    read = moment(text)
    if read is None:
        raise ValueError("is not a valid date")
    return read


def strict_number(text: str) -> int:
    """A whole number, or ValueError."""
    if not text.isdigit():
        raise ValueError("must be a list of integers")
    return int(text)


def is_true(text: str) -> bool:
    """A flag."""
    return text.lower() in {"true", "1"}


def where(query: QueryParams, table: Mapping[str, Filter]) -> Condition:
    """The SQL of all filters of a query, and its values.

    Raises:
        Problem: 422, where a strict filter cannot be read.
    """
    conditions = []
    for name, condition in table.items():
        try:
            found = condition(query[name]) if name in query else None
        except ValueError as unreadable:
            raise Problem(422, errors={name: str(unreadable)}) from unreadable
        conditions += [found] if found is not None else []
    values = [value for _, of_one in conditions for value in of_one]
    return " AND ".join(text for text, _ in conditions) or "1", values
