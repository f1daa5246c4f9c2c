"""Field decoding: one field of a shop's record, whatever spelling of "nothing" stands there.

BigCommerce's v2 answers use `null`, `""`, `{}` and `[]` for nothing, numbers or strings for money,
strings or numbers for ids, and RFC 2822 or ISO dates (v2 and v3 orders reference). Some texts are
written as for a page: `Smith &amp; Sons`. Money is read from its text, never through a binary
float.
"""

import html
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from types import NoneType
from typing import Any, Self, TypeVar

from target_freshbooks.money import ZERO

Value = TypeVar("Value", str, int, Decimal)

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
"""With its semicolon only: "R&D" and "A&notB" are what they say."""

MOST_WHOLE_DIGITS = 15
"""Before the point of an amount or quantity; what has more leaves no room for cents of a tax."""

MOST_DIGITS = 30
"""Before and behind the point; no amount, quantity or id has more, "1e999999" has a million."""

UNREADABLE = (
    "NaN",
    "Infinity",
    "-Infinity",
    "a number of too many digits",
    "too deeply nested",
)


def unreadable_value(written: str) -> list[str]:
    """What stands in a record for a value that is none, such as NaN, which JSON does not have.

    A list of the word: the ledger can keep it, and no field takes it for its value.

    Args:
        written: One of `UNREADABLE`.
    """
    return [written]


class ReadError(ValueError):
    """A record that cannot be understood; parks its order as `unreadable_record`.

    Attributes:
        field: Where, e.g. `line_items[2].quantity`.
        what: What is wrong there, as a phrase; holds no value of the record (it may be personal).
    """

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field} {what}")
        self.field = field
        self.what = what


@dataclass(frozen=True, slots=True)
class Fields:
    """A record (or an object inside one) with the path that leads to it."""

    body: Mapping[str, Any]
    path: str = ""

    def place(self, name: str) -> str:
        """The field's full name, for errors."""
        return f"{self.path}.{name}" if self.path else name

    def present(self, *names: str) -> tuple[str, Any]:
        """The first of the names that holds something, and its value; else the first and None."""
        for name in names:
            value = self.body.get(name)
            if value is not None and value not in ("", {}, []):
                return name, value
        return names[0], None

    def money(self, *names: str, default: Decimal = ZERO) -> Decimal:
        """An amount; the default where there is none."""
        amount = self.optional_money(*names)
        return default if amount is None else amount

    def required_money(self, *names: str) -> Decimal:
        """An amount that must be there."""
        return self._required(names[0], self.optional_money(*names))

    def optional_money(self, *names: str) -> Decimal | None:
        """An amount, or None where there is none."""
        name, value = self.present(*names)
        if value is None:
            return None
        if isinstance(value, (bool, float)) or not isinstance(value, (str, int, Decimal)):
            raise ReadError(self.place(name), f"is no decimal number but {_kind(value)}")
        try:
            amount = Decimal(value.strip() if isinstance(value, str) else value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite():
            raise ReadError(self.place(name), "is no decimal number")
        if amount.adjusted() >= MOST_WHOLE_DIGITS or int(amount.as_tuple().exponent) < -MOST_DIGITS:
            raise ReadError(self.place(name), "is a number of too many digits")
        return amount

    def integer(self, *names: str) -> int:
        """A whole number that must be there."""
        return self._required(names[0], self.optional_integer(*names))

    def optional_integer(self, *names: str) -> int | None:
        """A whole number, or None where there is none."""
        number = self.optional_money(*names)
        if number is not None and number != number.to_integral_value():
            raise ReadError(self.place(names[0]), "is no whole number")
        return None if number is None else int(number)

    def text(self, *names: str) -> str:
        """A text, empty where there is none, entities read; a number is taken as its digits."""
        name, value = self.present(*names)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            raise ReadError(self.place(name), f"is no text but {_kind(value)}")
        return _ENTITY.sub(lambda found: html.unescape(found[0]), str(value)).strip()

    def required_text(self, name: str) -> str:
        """A text that must be there."""
        return self._required(name, self.text(name))

    def flag(self, name: str) -> bool:
        """A boolean, false where there is none."""
        _, value = self.present(name)
        if value in (None, False, True):
            return bool(value)
        known = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
        if known is None:
            raise ReadError(self.place(name), "is neither true nor false")
        return known

    def moment(self, name: str) -> datetime:
        """A point in time that must be there, as aware UTC."""
        written = self.required_text(name)
        try:
            moment = _parsed(written)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ReadError(self.place(name), "is no date and time") from error

    def inside(self, name: str) -> Self:
        """An object inside, or the only one of a list; empty where there is none."""
        value = self._nested(name)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], Mapping):
            value = value[0]
        return self._object(self.place(name), {} if value is None else value)

    def rows(self, name: str) -> list[Self]:
        """The objects of a list; none where there is no list.

        BigCommerce writes some lists as an object of them, or the only one bare.
        """
        value, place = self._nested(name), self.place(name)
        if isinstance(value, Mapping):
            bare = not all(isinstance(one, Mapping) for one in value.values())
            value = [value] if bare else list(value.values())
        if not isinstance(value, (list, tuple, NoneType)):
            raise ReadError(place, f"is no list but {_kind(value)}")
        return [self._object(f"{place}[{at}]", row) for at, row in enumerate(value or ())]

    def _required(self, name: str, value: Value | None) -> Value:
        if value is None or value == "":
            raise ReadError(self.place(name), "is missing")
        return value

    def _nested(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """A nested value; it may have travelled as JSON text, as databases on the way do it."""
        _, value = self.present(name)
        if isinstance(value, str) and value[:1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                return json.loads(value, parse_float=Decimal)
        return value

    def _object(self, place: str, value: object) -> Self:
        if not isinstance(value, Mapping):
            raise ReadError(place, f"is no object but {_kind(value)}")
        return type(self)(value, place)


def _parsed(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return parsedate_to_datetime(written)


def _kind(value: object) -> str:
    unreadable = [word for word in UNREADABLE if value == unreadable_value(word)]
    return unreadable[0] if unreadable else f"a {type(value).__name__}"
