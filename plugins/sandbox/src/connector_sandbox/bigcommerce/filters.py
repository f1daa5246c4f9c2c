"""What the texts of this API's filters are read as; one that cannot be read is strict or none."""

from collections.abc import Callable, Mapping

from starlette.datastructures import QueryParams

from connector_sandbox import filters
from connector_sandbox.bigcommerce import dates
from connector_sandbox.bigcommerce.access import Problem
from connector_sandbox.filters import Condition, Filter, FilterError, one_of


def many(column: str, read: Callable[[str], object] = str) -> Filter:
    """One of a list with commas, whatever the case of texts."""
    return lambda texts: one_of(
        column, [read(part.strip()) for part in texts[-1].split(",") if part.strip()]
    )


def whole_number(text: str | None) -> int | None:
    """A whole number, or None for what is none."""
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


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
    try:
        return filters.where({name: [text] for name, text in query.items()}, table)
    except FilterError as unreadable:
        raise Problem(422, errors={unreadable.name: str(unreadable)}) from unreadable
