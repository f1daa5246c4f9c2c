"""Writes messages so that a signal never cuts one in two, and a bookmark never moves untruly."""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers._state import StateWriter
from singer_sdk.io_base import SingerWriter

from tap_bigcommerce_orders.given_state import stamp

if sys.version_info >= (3, 12):
    from typing import override
else:
    from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_sdk.helpers.types import TapState
    from singer_sdk.io_base import GenericSingerWriter
    from singer_sdk.singerlib import Message


class WholeMessageWriter(SingerWriter):
    """Finishes the message in hand before anything else is done about a signal."""

    def __init__(self) -> None:
        super().__init__()
        self._writing = False
        self._then: Callable[[], None] | None = None

    @override
    def write_message(self, message: Message) -> None:
        self._writing = True
        try:
            super().write_message(message)
        finally:
            self._writing = False
        if self._then is not None:
            then, self._then = self._then, None
            then()

    def when_whole(self, action: Callable[[], None]) -> None:
        """Do something now, or right after the message that is being written."""
        if self._writing:
            self._then = action
        else:
            action()


class StoresState(StateWriter):
    """Says in every bookmark which store it is of."""

    def __init__(self, message_writer: GenericSingerWriter[Any, Any], store_hash: str) -> None:
        super().__init__(message_writer)
        self._store_hash = store_hash

    @override
    def write_state(self, state: TapState) -> None:
        stamp(state, self._store_hash)
        super().write_state(state)


class UntouchedState(StateWriter):
    """Says only the state that the run was given: for runs that keep no bookmark."""

    def __init__(self, message_writer: GenericSingerWriter[Any, Any], given: TapState) -> None:
        super().__init__(message_writer)
        self._given = copy.deepcopy(given)

    @override
    def write_state(self, state: TapState) -> None:
        if self._given:
            super().write_state(self._given)
