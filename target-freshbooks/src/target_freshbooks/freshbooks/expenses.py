"""Expenses, and the categories that they are booked under, with the searches the target makes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from . import parsing
from .collection import Body, Collection
from .observed import ObservedCategory, ObservedExpense

if TYPE_CHECKING:
    from collections.abc import Iterator


class Expenses(Collection[ObservedExpense]):
    """Expenses, and the categories that they are booked under."""

    path = "expenses/expenses"
    singular = "expense"
    parse = staticmethod(parsing.expense)

    def dated(self, day: date) -> list[ObservedExpense]:
        """The expenses of a day but for deleted ones."""
        last = (day + timedelta(days=1)).isoformat()
        rows = self.rows((("search[date_min]", day.isoformat()), ("search[date_max]", last)))
        return [row for row in rows if row.date == day]

    def naming(self, words: str, since: date | None) -> Iterator[ObservedExpense]:
        """All expenses with these words in their notes, of any day or of `since` and later."""

        def ours(row: Body) -> bool:
            return words in parsing.text(row, "notes")

        search = () if since is None else (("search[date_min]", since.isoformat()),)
        return self.rows(search, ours)


class ExpenseCategories(Collection[ObservedCategory]):
    """The categories of expenses, which FreshBooks gives; they are only read."""

    path = "expenses/categories"
    singular = "category"
    parse = staticmethod(parsing.category)

    def id_of(self, name: str) -> int | None:
        """The category of this name in any case, or of this id; None if there is none."""
        wanted = name.strip().casefold()
        rows = (row for row in self.rows() if wanted in {row.name.strip().casefold(), str(row.id)})
        return next((row.id for row in rows), None)
