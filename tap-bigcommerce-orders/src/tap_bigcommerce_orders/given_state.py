"""Reads the state a run is given, and says which of its bookmarks cannot be used.

A bookmark that is misread would begin in the wrong place: too late loses orders, too early reads
the whole history again.
"""

from __future__ import annotations

import io
import json
from typing import IO, TYPE_CHECKING, Any

from tap_bigcommerce_orders.errors import StateUnusable
from tap_bigcommerce_orders.shape import read_iso

if TYPE_CHECKING:
    from collections.abc import Iterator

REMEDY = "Restore a state this tap wrote, or take the bookmark out to read from start_date on."


def checked(file: IO[str]) -> IO[str]:
    """Return the state file's content, to be read anew, if its bookmarks can be read.

    Raises:
        StateUnusable: Says what is wrong, and with which stream's bookmark.
    """
    try:
        text = file.read()
        state = json.loads(text)
    except (ValueError, RecursionError):
        raise StateUnusable("The state is not JSON.") from None
    if not isinstance(state, dict) or not isinstance(state.get("bookmarks", {}), dict):
        raise StateUnusable("The state must be a JSON object, and so must its bookmarks.")
    for words in _faults(state.get("bookmarks", {})):
        raise StateUnusable(f"In the state, {words} {REMEDY}")
    return io.StringIO(text)


def _faults(bookmarks: dict[str, Any]) -> Iterator[str]:
    for stream, bookmark in bookmarks.items():
        if not isinstance(bookmark, dict):
            yield f"the bookmark of {stream} must be a JSON object."
        elif not _is_moment(bookmark.get("replication_key_value")):
            yield (
                f"replication_key_value in the bookmark of {stream} must be an ISO 8601 date-time "
                "such as 2026-01-31T09:30:00Z."
            )


def _is_moment(value: object) -> bool:
    """Tell whether it is a date-time, or null, as in a bookmark that was never set."""
    if value is None:
        return True
    try:
        return isinstance(value, str) and bool(read_iso(value))
    except ValueError:
        return False
