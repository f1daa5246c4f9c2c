"""Closed days: what is dated on them has been reported, and is never created or changed again.

A month that an auditor has signed, or whose tax is declared, must not move. `closed_through` says
until which day the books are closed: a date, or `auto`, which keeps last month open for the first
ten days of a month, as long as it takes to finish it, and then closes it. A day that FreshBooks
refuses as locked counts as closed as well, for the run that met it: whoever unlocks it is heard by
the next.

What belongs on a closed day waits for a person, who may choose an open day for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

LAST_DAY_TO_FINISH = 10
"""Of a month: until then the month before is open with `auto`."""


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """The days that are closed now; `day in closed` tells of one.

    Attributes:
        through: The last of them; None: none is.
        locked: Days that FreshBooks has refused as locked.
        chosen: The open day on which a person has what belongs on a closed one booked.
    """

    through: date | None = None
    locked: frozenset[date] = frozenset()
    chosen: date | None = None

    def __contains__(self, day: date) -> bool:
        return day in self.locked or (self.through is not None and day <= self.through)

    def open_day(self, own: date) -> date:
        """The day on which something is booked: its own, else the one that was chosen.

        It is closed still where neither is open.
        """
        return own if own not in self or self.chosen is None else self.chosen


def last_closed_day(setting: date | Literal["auto"] | None, today: date) -> date | None:
    """The last day that is closed.

    Args:
        setting: `closed_through`.
        today: In the store's zone.
    """
    if setting != "auto":
        return setting
    end_of_last_month = today.replace(day=1) - timedelta(days=1)
    if today.day > LAST_DAY_TO_FINISH:
        return end_of_last_month
    return end_of_last_month.replace(day=1) - timedelta(days=1)
