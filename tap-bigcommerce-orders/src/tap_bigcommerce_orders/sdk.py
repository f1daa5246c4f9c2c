"""What the tap needs of the Singer SDK's private names: all of them stand in this module.

A release of the SDK may rename each of them; `tests/test_tap_sdk_names.py` then says which.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import click
from singer_sdk import Stream, Tap
from singer_sdk.helpers._state import StateWriter
from singer_sdk.io_base import SingerWriter
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from connector_credentials.settings import Form
    from singer_sdk.helpers.types import Context, Record, TapState
    from singer_sdk.io_base import GenericSingerWriter
    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.singerlib import Message

    from tap_bigcommerce_orders.source import Source


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

    def after_message(self, action: Callable[[], None]) -> None:
        """Do something now, or right after the message that is being written."""
        if self._writing:
            self._then = action
        else:
            action()


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


class PlainTap(Tap):
    """A tap whose settings are read strictly, by a form, and that ends as it says itself."""

    form: ClassVar[Form]
    message_writer_class = WholeMessageWriter

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise what is wrong with settings that could be read, before the SDK looks at them."""

    def terminate(self, signum: int) -> None:
        """End because of a signal, with no message half written."""

    def write_state_as(self, told: Callable[[TapState], TapState | None]) -> None:
        """Have each STATE message tell what is made of the state; None writes no message."""
        self._state_writer = ToldStateWriter(self.message_writer, told)

    @property
    @override
    def _env_var_config(self) -> dict[str, Any]:
        """What `--config=ENV` gives, as text; the SDK would read misspelt values as others."""
        return self._form.of_environment(os.environ)

    @property
    def _form(self) -> Form:
        """Our settings and the SDK's."""
        self.append_builtin_config(self.config_jsonschema)
        return replace(self.form, properties=self.config_jsonschema["properties"])

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        if not raise_errors:
            self._config = {}  # discovery needs no setting, so none can be wrong
            return []
        self._form.check_names(self._config, os.environ, self.logger)
        self._config = self._form.read(self._config)
        self.check_settings(self._config)
        return super()._validate_config()

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError, TypeError) as error:
            # Nothing of what is in the file is told: it holds secrets.
            what = "cannot be read" if isinstance(error, OSError) else "is no JSON object"
            raise click.ClickException(f"The configuration {' '.join(value)} {what}.") from None

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        writer = cast("WholeMessageWriter", self.message_writer)
        writer.after_message(lambda: self.terminate(signum))


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
        if self.bookmark_by_record:
            super()._increment_stream_state(latest_record, context=context)
