"""List requests: paging, ``search[...]`` filters, sorting, includes.

Unknown search and sort keys are ignored without a word, so that a misspelt filter answers with
the unfiltered list (as the live API does).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import partial

from connector_sandbox.filters import Filter, compare, one_of
from connector_sandbox.freshbooks import errors

DEFAULT_PER_PAGE = 15
MOST_PER_PAGE = 100
_HOURS = {"utc": "+0", "hawaii": "-10"}
_SEARCH = re.compile(r"search\[(\w+)\](\[\])?")


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A list request as it was understood."""

    page: int
    per_page: int
    searched: dict[str, list[str]]
    sort: str
    includes: frozenset[str]


def parse(query: Iterable[tuple[str, str]]) -> ListRequest:
    """Read the query of a list or single request.

    Raises:
        Refusal: for a page (1014) or page size (1013) that is no number.
    """
    page, per_page, sort = 1, DEFAULT_PER_PAGE, ""
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
    fits = value.isdigit() and int(value) >= least
    errors.refuse(not fits, errors.invalid("", field, value, f"Invalid {field}.", errno=errno))
    return int(value)


# -- filters --------------------------------------------------------------------------------------


def at(field: str) -> str:
    """A field of the documents in SQL; with dots for fields inside."""
    return f"json_extract(document, '$.{field}')"


def same_text(field: str) -> Filter:
    """Equal text, upper and lower case told apart."""
    return compare(f"coalesce({at(field)}, '')", "=")


def ids(field: str, column: str) -> Filter:
    """An equal whole number, or one of several."""
    return lambda texts: one_of(column, [_number(field, text) for text in texts])


def truth(expression: str, name: str) -> Filter:
    """A yes-or-no property."""
    return compare(f"({expression})", "=", partial(yes, name))


def day(field: str, sign: str) -> Filter:
    """The day of a field against another; a document without it is before all days."""
    return compare(f"substr(coalesce({at(field)}, ''), 1, 10)", sign, partial(_day, field))


def updated(whose: str, eastern: dict[str, Filter]) -> dict[str, Filter]:
    """The filters by the day of the last write, as it is in a zone; none if they are ignored."""
    if whose not in _HOURS:
        return eastern if whose == "eastern" else {}
    column, read = f"date(written, 'unixepoch', '{_HOURS[whose]} hours')", partial(_day, "updated")
    return {"updated_min": compare(column, ">=", read), "updated_max": compare(column, "<", read)}


def amount(field: str, sign: str, name: str) -> Filter:
    """A number that is kept as text; a document that has none is not found."""
    return compare(f"CAST({at(field)} AS REAL)", sign, partial(_amount, name))


def _unreadable(field: str, value: str, kind: str, errno: int) -> errors.Refusal:
    return errors.invalid("", field, value, f"Filter '{field}' must be a {kind}.", errno=errno)


def _number(field: str, text: str) -> int:
    errors.refuse(not text.isdigit(), _unreadable(field, text, "number", errors.FILTER_NUMBER))
    return int(text)


def yes(name: str, text: str) -> bool:
    """Read a yes or no."""
    known = text.lower() in {"true", "false", "1", "0"}
    errors.refuse(not known, _unreadable(name, text, "boolean", errors.FILTER_BOOLEAN))
    return text.lower() in {"true", "1"}


def _day(field: str, text: str) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise _unreadable(field, text, "date", errors.FILTER_DATE) from None


def _amount(name: str, text: str) -> float:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    errors.refuse(not number.is_finite(), _unreadable(name, text, "number", errors.FILTER_NUMBER))
    return float(number)
