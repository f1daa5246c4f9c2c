"""List requests: paging, ``search[...]`` filters, sorting, includes.

Unknown search and sort keys are ignored without a word, so that a misspelt filter answers with
the unfiltered list (as the live API does).
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

from connector_sandbox.freshbooks import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connector_sandbox.freshbooks.records import Document

    Test = Callable[[Document], bool]

DEFAULT_PER_PAGE = 15
MOST_PER_PAGE = 100
_SEARCH = re.compile(r"search\[(\w+)\](\[\])?")


@dataclass(frozen=True, slots=True)
class Filter:
    """What one search key does.

    Attributes:
        test: makes of the given values the test that a document must pass.
        column: the indexed column that narrows the rows beforehand, if the filter compares for
            equality.
    """

    test: Callable[[list[str]], Test]
    column: str | None = None


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list request as it was understood."""

    page: int
    per_page: int
    searched: dict[str, list[str]]
    sort: str | None
    includes: frozenset[str]


def parse(query: Iterable[tuple[str, str]]) -> ListRequest:
    """Read the query of a list or single request.

    Raises:
        Refusal: for a page (1014) or page size (1013) that is no number.
    """
    page, per_page, sort = 1, DEFAULT_PER_PAGE, None
    searched: dict[str, list[str]] = {}
    includes: set[str] = set()
    for name, value in query:
        if name == "page":
            page = max(1, _whole(value, errors.BAD_PAGE, "page", least=0))
        elif name == "per_page":
            per_page = min(MOST_PER_PAGE, _whole(value, errors.BAD_PER_PAGE, "per_page", least=1))
        elif name == "sort":
            sort = value
        elif name in {"include[]", "include"}:
            includes.add(value)
        elif match := _SEARCH.fullmatch(name):
            searched.setdefault(match[1], []).append(value)
    return ListRequest(page, per_page, searched, sort, frozenset(includes))


def _whole(value: str, errno: int, field: str, *, least: int) -> int:
    if not value.isdigit() or int(value) < least:
        raise errors.invalid("", field, value, f"Invalid {field}.", errno=errno)
    return int(value)


# -- filters --------------------------------------------------------------------------------------


def same_text(field: str, *, column: str | None = None) -> Filter:
    """Equal text, upper and lower case told apart."""
    return Filter(lambda values: lambda row: (row.get(field) or "") == values[-1], column)


def like(*fields: str) -> Filter:
    """Text that contains what is searched for, in one of the fields, whatever its case."""

    def test(values: list[str]) -> Test:
        wanted = values[-1].lower()
        return lambda row: any(wanted in str(row.get(field) or "").lower() for field in fields)

    return Filter(test)


def same_number(field: str, *, column: str | None = None) -> Filter:
    """An equal whole number, or one of several."""

    def test(values: list[str]) -> Test:
        for value in values:
            if not value.isdigit():
                words = f"Filter '{field}' must be a number."
                raise errors.invalid("", field, value, words, errno=errors.FILTER_NUMBER)
        wanted = {int(value) for value in values}
        return lambda row: row.get(field) in wanted

    return Filter(test, column)


def truth(of: Callable[[Document], bool], name: str) -> Filter:
    """A yes-or-no property."""

    def test(values: list[str]) -> Test:
        if values[-1].lower() not in {"true", "false", "1", "0"}:
            words = f"Filter '{name}' must be a boolean."
            raise errors.invalid("", name, values[-1], words, errno=errors.FILTER_BOOLEAN)
        wanted = values[-1].lower() in {"true", "1"}
        return lambda row: bool(of(row)) is wanted

    return Filter(test)


def _bound(
    of: Callable[[Document], Any], read: Callable[[str], Any], fits: Callable[[Any, Any], bool]
) -> Filter:
    """What a document has against what is searched for; a document that has nothing is none."""

    def test(values: list[str]) -> Test:
        wanted = read(values[-1])
        return lambda row: (found := of(row)) is not None and fits(found, wanted)

    return Filter(test)


def day_from(field: str) -> Filter:
    """On this day or later."""
    return _bound(partial(_day_of, field), partial(_day, field), operator.ge)


def day_until(field: str, *, inclusive: Callable[[], bool]) -> Filter:
    """Before this day; whether the day itself counts is asked at the time."""

    def fits(found: str, end: str) -> bool:
        return found < end or (found == end and inclusive())

    return _bound(partial(_day_of, field), partial(_day, field), fits)


def number_from(of: Callable[[Document], str | None], name: str) -> Filter:
    """At least this number."""
    return _bound(of, partial(_number, name), lambda found, least: Decimal(found) >= least)


def number_until(of: Callable[[Document], str | None], name: str) -> Filter:
    """At most this number."""
    return _bound(of, partial(_number, name), lambda found, most: Decimal(found) <= most)


def _day_of(field: str, row: Document) -> str:
    return str(row.get(field) or "")[:10]


def _day(field: str, value: str) -> str:
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        words = f"Filter '{field}' must be a date."
        raise errors.invalid("", field, value, words, errno=errors.FILTER_DATE) from None


def _number(field: str, value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        words = f"Filter '{field}' must be a number."
        raise errors.invalid("", field, value, words, errno=errors.FILTER_NUMBER)
    return number
