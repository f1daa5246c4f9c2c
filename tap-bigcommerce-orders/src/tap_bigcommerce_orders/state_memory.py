"""What a state remembers beside its positions, so that a run with nothing new asks for little.

``read_at`` in a bookmark is when a small table was last read; ``given`` are digests of some rows
near the position that were given already, and not changed for longer than the look-back. A digest
over both, over all positions of the state, the settings and the catalog stands beside them. Where
that does not fit, because somebody or a merge of states has changed one of these, nothing of it
counts, and the run reads as if nothing had been remembered.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tap_bigcommerce_orders.normalize import whole
from tap_bigcommerce_orders.pages import Row, id_of
from tap_bigcommerce_orders.state_validation import POSITION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from singer_sdk.helpers.types import TapState

READ_AT = "read_at"
GIVEN = "given"
DIGEST = "digest"

MOST_GIVEN = 20  # a state stays small; a row that is not remembered is only read once more


def digest_of(content: object) -> str:
    """Sixteen hexadecimal digits that another content does not have."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def with_digests(state: TapState, surroundings: str) -> TapState:
    """The state, with a digest beside all that it remembers.

    Args:
        state: It is changed in place.
        surroundings: A digest of all else that a memory is true under.
    """
    for stream, bookmark in state.get("bookmarks", {}).items():
        bookmark.pop(DIGEST, None)
        if READ_AT in bookmark or GIVEN in bookmark:
            bookmark[DIGEST] = _digest(state, stream, surroundings)
    return state


def forget_unproven(state: TapState, surroundings: str) -> None:
    """Take out what is remembered beside a digest that does not fit."""
    for stream, bookmark in state.get("bookmarks", {}).items():
        if bookmark.get(DIGEST) != _digest(state, stream, surroundings):
            for name in (READ_AT, GIVEN, DIGEST):
                bookmark.pop(name, None)


def _digest(state: TapState, stream: str, surroundings: str) -> str:
    bookmarks: Mapping[str, Any] = state["bookmarks"]
    positions = {name: bookmark.get(POSITION) for name, bookmark in bookmarks.items()}
    placed = {name: position for name, position in positions.items() if position is not None}
    remembered = [bookmarks[stream].get(name) for name in (READ_AT, GIVEN)]
    return digest_of([surroundings, stream, placed, *remembered])


class GivenRows:
    """Rows of a list that were given, by this run and by those before.

    Only a row given when the look-back from its own moment on was over is remembered: until then
    what belongs to it may change without itself.

    Args:
        before: Digests by id, of the state.
        settled: The moment before which the look-back is over.
    """

    def __init__(self, before: Mapping[str, str], settled: datetime) -> None:
        self._before = before
        self._settled = settled
        self._noted: dict[int, tuple[datetime, str]] = {}

    def holds(self, row: Row) -> bool:
        """Whether a run before gave the row just as it is."""
        return self._before.get(str(whole(row.get("id")))) == digest_of(row)

    def note(self, row: Row, moment: datetime | None) -> None:
        """Remember a row as given, if its own moment is known and long enough ago."""
        self._noted.pop(id_of(row), None)
        if moment is None or moment > self._settled:
            return
        self._noted[id_of(row)] = moment, digest_of(row)
        if len(self._noted) > MOST_GIVEN:
            del self._noted[min(self._noted, key=self._noted.__getitem__)]

    def newest(self) -> dict[str, str]:
        """Digests by id for the state, of the newest rows."""
        return {str(number): digest for number, (_, digest) in sorted(self._noted.items())}
