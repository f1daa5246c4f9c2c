"""The time from which, and until which, a run reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tap_bigcommerce_orders.normalize import format_time, parse_time

if TYPE_CHECKING:
    from tap_bigcommerce_orders.normalize import Json

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Before all that a store holds; it can be looked back from, as the calendar's first day cannot."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time with both its ends; None where it has none.

    The API is asked for what lies within, and each row is looked at again here, since a filter
    that is not understood is ignored.
    """

    start: datetime | None
    end: datetime | None

    def bounds(self, field: str) -> dict[str, str]:
        """The filter of a v3 list; always full timestamps, for to a date the API adds the time."""
        ends = {f"{field}:min": self.start, f"{field}:max": self.end}
        return {name: format_time(moment) for name, moment in ends.items() if moment is not None}

    def holds(self, value: Json) -> bool:
        """Tell whether a moment lies within; what is none is never left out for that."""
        moment = parse_time(value)
        return moment is None or (
            (self.start is None or moment >= self.start)
            and (self.end is None or moment <= self.end)
        )
