"""Reads the state a run is given, and says which of its bookmarks cannot be used.

A bookmark that is misread would begin in the wrong place: too late loses orders, too early reads
the whole history again. So would a bookmark of another store; each says which store it is of.
"""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any

from connector_credentials.commands import meltano

from tap_bigcommerce_orders.errors import StateUnusable
from tap_bigcommerce_orders.normalize import format_time, read_iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from singer_sdk.helpers.types import TapState

POSITION = "replication_key_value"
STORE = "store_hash"
PARTITIONS, MARKERS = "partitions", "progress_markers"
LEEWAY = timedelta(minutes=10)
"""By so much may clocks differ before it is told."""

REMEDY = "Restore a state this tap wrote, or take the bookmark out to read from start_date on."

logger = logging.getLogger("tap-bigcommerce-orders")


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


def check_store(state: Mapping[str, Any], store_hash: str) -> None:
    """Make sure that all bookmarks are of this store.

    Each says so by itself, for Meltano merges states bookmark by bookmark. One that names no store
    is not taken for ours: reading from start_date on costs time, passing orders over costs money.

    Raises:
        StateUnusable: Names the bookmark, both stores and the ways to go on.
    """
    for stream, bookmark in state.get("bookmarks", {}).items():
        holder = bookmark.get(STORE)
        if holder == store_hash or (holder is None and bookmark.get(POSITION) is None):
            continue
        whose = "names no store" if holder is None else f"is of store {holder}"
        raise StateUnusable(
            f"In the state, the bookmark of {stream} {whose}, but store_hash is {store_hash}. It "
            "was not used, for it would pass orders over; nothing was read. Give each store a "
            "state of its own: with Meltano an extractor of its own or --state-id-suffix, else "
            "another file for --state. To read this store from start_date on, clear the state: "
            f"`{meltano('state', 'clear', 'STATE_ID')}`, or leave --state out."
        )


def warn_of_future(state: Mapping[str, Any], now: datetime) -> None:
    """Tell of bookmarks that are later than it is here, before which nothing would be read."""
    for stream, bookmark in state.get("bookmarks", {}).items():
        position = bookmark.get(POSITION)
        if position is not None and read_iso(position) > now + LEEWAY:
            logger.warning(
                "The bookmark of %s is %s, but by this machine's clock it is %s: what changed "
                "before the bookmark is not read. Set the clock; if the bookmark is wrong, restore "
                "a former state, or take the bookmark out to read from start_date on.",
                *(stream, position, format_time(now)),
            )


def stamped(state: TapState, store_hash: str) -> TapState:
    """The state, with the store that it is of written into each bookmark.

    Only beside a position: a merge of two states could put a store alone beside another's position.
    """
    for bookmark in state.get("bookmarks", {}).values():
        if bookmark.get(POSITION) is not None:
            bookmark[STORE] = store_hash
    return state


def _faults(bookmarks: dict[str, Any]) -> Iterator[str]:
    for stream, bookmark in bookmarks.items():
        if not isinstance(bookmark, dict):
            yield f"the bookmark of {stream} must be a JSON object."
        elif not _is_moment(bookmark.get(POSITION)):
            yield (
                f"{POSITION} in the bookmark of {stream} must be an ISO 8601 date-time "
                "such as 2026-01-31T09:30:00Z."
            )
        elif bookmark.get(PARTITIONS, []) != []:
            # For each of them the SDK would read the whole stream once more.
            yield f"the bookmark of {stream} has partitions, of which this tap makes none."
        elif not isinstance(bookmark.get(MARKERS, {}), dict):
            yield f"{MARKERS} in the bookmark of {stream} must be a JSON object."


def _is_moment(value: object) -> bool:
    """Tell whether it is a date-time, or null, as in a bookmark that was never set."""
    if value is None:
        return True
    try:
        return isinstance(value, str) and bool(read_iso(value))
    except ValueError:
        return False
