"""Refund records: which credit note or expense bears the mark of a refund, wherever it stands.

They are looked for at the invoice's client and on the correction's day. A person may have given
them another since they were made; a ledger that was lost would then have the refund booked a second
time. FreshBooks cannot search for marks. So all of a kind are read, once a run, before the first
refund is booked whose record is not where it was made.
"""

import threading
from typing import TypeVar

from target_freshbooks.freshbooks.collection import Collection
from target_freshbooks.freshbooks.observed import ObservedCreditNote, ObservedExpense
from target_freshbooks.marks import STEM, Mark, marks_in
from target_freshbooks.posting.identity import marked_text

Row = TypeVar("Row", ObservedCreditNote, ObservedExpense)


class RefundRecords:
    """The ids of what bore the marks of refunds when this run looked first. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._ids: dict[str, dict[Mark, int]] = {}

    def find(self, records: Collection[Row], mark: Mark) -> Row | None:
        """The record of this kind that still stands and bears the mark; None if there is none."""
        with self._guard:
            if records.path not in self._ids:
                self._ids[records.path] = _marked(records)
        remote_id = self._ids[records.path].get(mark)
        record = None if remote_id is None else records.standing(remote_id)
        return record if record is not None and mark in marks_in(marked_text(record)) else None


def _marked(records: Collection[Row]) -> dict[Mark, int]:
    """The id of the first record with each mark."""
    ids: dict[Mark, int] = {}
    for record in records.naming(STEM, None):
        for mark in marks_in(marked_text(record)):
            ids[mark] = min(record.id, ids.get(mark, record.id))
    return ids
