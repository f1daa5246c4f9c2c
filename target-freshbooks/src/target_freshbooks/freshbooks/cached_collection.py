"""Cached collection: its whole list is read once that costs less than the searches to come."""

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from typing_extensions import override

from .collection import Body, Collection, TooManyPages
from .errors import UnknownOutcome
from .observed import ACTIVE, DELETED, ObservedClient, ObservedItem
from .transport import Transport

Row = TypeVar("Row", ObservedClient, ObservedItem)

SEARCHES_A_PAGE = 10
"""A page of the list is worth so many searches that are to be expected."""


class CachedCollection(Collection[Row]):
    """A collection with a copy of its list, which this object's own writes keep up to date.

    What others have changed since it was read is not in it: what it lacks is searched, and what
    came of a write is not looked for in it.
    """

    def __init__(self, transport: Transport, account_id: str) -> None:
        super().__init__(transport, account_id)
        self._guard = threading.Lock()
        self._list: dict[int, Row] | None = None
        self._ids: dict[str, set[int]] = {}
        self._searches, self._pages = 0, 1

    def expect(self, searches: int) -> None:
        """Be told of so many searches to come."""
        with self._guard:
            self._searches += searches

    def forget(self) -> None:
        """Do not go by the list any more, which is read anew if it has to be."""
        with self._guard:
            self._list = None

    @override
    def create(self, body: Body, *, impatient: bool = False) -> Row:
        return self._keeping(
            lambda: super(CachedCollection, self).create(body, impatient=impatient)
        )

    @override
    def update(self, id: int, body: Body, *, impatient: bool = False) -> Row:
        return self._keeping(
            lambda: super(CachedCollection, self).update(id, body, impatient=impatient)
        )

    def _names(self, row: Row) -> Iterable[str]:
        """What the row is looked for by."""
        raise NotImplementedError

    def _cached(self, name: str, *, at_any_cost: bool = False) -> list[Row]:
        """The rows of the name in the list, if that was read or is now; active ones first."""
        with self._guard:
            most_pages = None if at_any_cost else self._searches // SEARCHES_A_PAGE
            if self._list is None and (most_pages is None or most_pages >= self._pages):
                self._read(most_pages)
            rows = self._list or {}
            return in_order(rows[id_] for id_ in self._ids.get(name, ()) if id_ in rows)

    def _read(self, most_pages: int | None) -> None:
        try:
            rows = list(self.rows(most_pages=most_pages))
        except TooManyPages as too_many:
            self._pages = too_many.pages
            return
        self._list, self._ids, self._searches = {}, {}, 0
        for row in rows:
            self._keep(row)

    def _keep(self, row: Row) -> None:
        if self._list is None:
            return
        former = self._list.pop(row.id, None)
        for name in () if former is None else self._names(former):
            self._ids[name].discard(row.id)
        if row.vis_state == DELETED:
            return
        self._list[row.id] = row
        for name in self._names(row):
            self._ids.setdefault(name, set()).add(row.id)

    def _keeping(self, write: Callable[[], Row]) -> Row:
        try:
            row = write()
        except UnknownOutcome:
            self.forget()
            raise
        with self._guard:
            self._keep(row)
        return row


def in_order(records: Iterable[Row]) -> list[Row]:
    """Active before archived, then lowest id."""
    return sorted(records, key=lambda record: (record.vis_state != ACTIVE, record.id))
