"""What the tap needs of the Singer SDK's private names: they stand here and nowhere else in it.

(What tap and target need alike, for their settings, is in `connector_credentials`.) A release of
the SDK may rename each of them; `tests/test_tap_sdk_names.py` then says which.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar, cast

from connector_credentials.settings.singer import StrictSettings
from singer_sdk import Stream, Tap
from singer_sdk.helpers._state import StateWriter
from singer_sdk.io_base import SingerWriter
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from singer_sdk.helpers.types import Context, Record, TapState
    from singer_sdk.io_base import GenericSingerWriter
    from singer_sdk.singerlib import Message

    from tap_bigcommerce_orders.source import Source


class WholeMessageWriter(SingerWriter):
    """Finishes the message in hand before anything else is done about a signal."""

    def __init__(self) -> None:
        super().__init__()
        self.has_written = False
        self._writing = False
        self._then: Callable[[], None] | None = None

    @override
    def write_message(self, message: Message) -> None:
        self._writing = self.has_written = True
        try:
            super().write_message(message)
        finally:
            self._writing = False
        if self._then is not None:
            then, self._then = self._then, None
            then()

    def after_message(self, action: Callable[[], None]) -> None:
        """Do something now, or right after the message that is being written."""
        if self._writing:
            self._then = action
        else:
            action()


UNSORTED = "Stream is assumed to be unsorted, progress is not resumable if interrupted"
"""What the SDK says of each stream whose bookmark moves at its end alone."""


def is_alarm(record: logging.LogRecord) -> bool:
    """Whether a message of the SDK's is to be told: all are but one, which alarms without cause.

    Customers and products are paged by a cursor and by id, so their bookmarks stand until all of
    them were read. After an interruption the next run reads on from there, and nothing is lost.
    """
    return record.msg != UNSORTED


logging.getLogger("singer_sdk").addFilter(is_alarm)


class ToldStateWriter(StateWriter):
    """Writes what is to be told of a state."""

    def __init__(
        self,
        message_writer: GenericSingerWriter[Any, Any],
        told: Callable[[TapState], TapState | None],
    ) -> None:
        super().__init__(message_writer)
        self._told = told

    @override
    def write_state(self, state: TapState) -> None:
        told = self._told(state)
        if told is not None:
            super().write_state(told)


class PlainTap(StrictSettings, Tap):
    """A tap that ends as it says itself, and tells what it says of its state."""

    message_writer_class = WholeMessageWriter

    def terminate(self, signum: int) -> None:
        """End because of a signal, with no message half written."""

    def write_state_as(self, told: Callable[[TapState], TapState | None]) -> None:
        """Have each STATE message tell what is made of the state; None writes no message."""
        self._state_writer = ToldStateWriter(self.message_writer, told)

    @property
    def has_written(self) -> bool:
        """Whether a message has been written, as in a run, not where the store is looked at."""
        return self._writer.has_written

    @property
    def _writer(self) -> WholeMessageWriter:
        return cast("WholeMessageWriter", self.message_writer)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        self._writer.after_message(lambda: self.terminate(signum))


class PlainStream(Stream):
    """A stream that writes its messages when it says so, and may keep its bookmark itself."""

    bookmark_by_record: ClassVar[bool] = True
    """Whether each record moves the bookmark, as the SDK has it."""

    @property
    def source(self) -> Source:
        """The tap, as streams know it."""
        return cast("Source", self._tap)

    def write_schema(self) -> None:
        """Write the SCHEMA message."""
        self._write_schema_message()

    def write_record(self, record: Record) -> None:
        """Write a RECORD message."""
        self._write_record_message(record)

    def write_state(self) -> None:
        """Write a STATE message of all that is true now."""
        self._tap.state_writer.write_state(self.tap_state)

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        # Of each record without a position the SDK would warn.
        placed = latest_record.get(self.replication_key or "") is not None
        if self.bookmark_by_record and placed:
            super()._increment_stream_state(latest_record, context=context)
